"""A measure the visitor brings along: a CSV by region code, kept in the session, shown like any other."""

from __future__ import annotations

import datetime as dt
import html
import math
from dataclasses import dataclass

import streamlit as st

from dtsen_core import locale
from dtsen_core.policy.map_indicators import MapIndicator
from dtsen_core.present import numbers
from dtsen_core.present.literal import literal
from dtsen_core.regions import own_indicator
from dtsen_core.ui import peta_state, uploads
from dtsen_core.ui.shell import Page

KEPT, SEEN = "peta.own", "peta.own_seen"


@dataclass(frozen=True)
class Own:
    """The table, the measure made of it, its file and when it came."""

    table: own_indicator.OwnIndicator
    rule: MapIndicator
    file: str
    stamp: str
    day: str

    def source(self, lang: str) -> str:
        """Where the figures come from: the last line of the hover; text, whatever the file is called."""
        date = numbers.date(self.day, lang)
        return html.escape(locale.text("peta.own_source", lang, file=self.file, date=date))


def current() -> Own | None:
    """The visitor's measure, None without one."""
    found: Own | None = st.session_state.get(KEPT)
    return found


def rule_of(table: own_indicator.OwnIndicator) -> MapIndicator:
    """The measure of a table: no better end, its own scale, decimals by size."""
    name = table.name[:60]
    size = float(table.frame["value"].abs().median())
    decimals = 0 if size >= 1_000 else max(0, min(3, 2 - math.floor(math.log10(size)))) if size > 0 else 2
    unit = {lang: locale.text("peta.own_unit", lang) for lang in locale.LANGS}
    words = dict.fromkeys(locale.LANGS, name)
    return MapIndicator(
        key=peta_state.OWN, group="own", label=words, short=words, unit=unit, kind="mean", column="own",
        partner="persons", better="none", scale="cover", decimals=decimals, breaks="level", classify="quantile",
        base="base_own",
    )  # fmt: skip


def controls(page: Page) -> None:
    """Upload, what was made of it, and the button that takes it away."""
    st.caption(page.t("own_intro"))
    given = st.file_uploader(page.t("own_upload"), type=["csv", "txt"], key="peta.own.file", help=page.t("own_help"))
    if given is not None:
        _take(page, given.name, given.getvalue())
    own = current()
    if own is None:
        return
    level = page.t(f"level_{own.table.level}")
    st.text(page.t("own_held", name=own.rule.label[page.lang], count=len(own.table.frame), level=level))
    for problem in own.table.problems:
        st.caption(literal(problem.text(page.lang)))
    st.button(page.t("layers_remove"), key="peta.own.remove", icon=":material/close:", on_click=_remove)


def _take(page: Page, name: str, data: bytes) -> None:
    """Take an uploaded table once; a faulty one is answered in one sentence and the last good one stays."""
    found = uploads.once(SEEN, name, data, lambda: own_indicator.read(data), page.lang)
    if found is None:
        return
    table, stamp = found
    day = dt.datetime.now(dt.UTC).date().isoformat()
    st.session_state[KEPT] = Own(table, rule_of(table), name[:60], stamp, day)
    st.session_state[peta_state.INDICATOR] = peta_state.OWN
    if table.level in peta_state.levels_for(str(st.session_state[peta_state.AREA])):
        st.session_state[peta_state.LEVEL] = table.level
    st.rerun()


def _remove() -> None:
    st.session_state.pop(KEPT, None)
    st.session_state[peta_state.INDICATOR] = peta_state.DEFAULT_INDICATOR
