"""The page that explains one family: search, waterfall, what would change the decile."""

from __future__ import annotations

import re

import pandas as pd
import streamlit as st

from dtsen_core.policy.explain import Explanation
from dtsen_core.policy.request import SCOPES
from dtsen_core.present import keluarga, numbers, theme
from dtsen_core.present.peringkat_tables import Table
from dtsen_core.rank.order import INDEX
from dtsen_core.regions import units
from dtsen_core.ui import cache_keluarga, controls, fitting, url_state
from dtsen_core.ui.shell import Page


def choose(page: Page) -> tuple[int, str, str] | None:
    """(family, model, scope) that the visitor chose; None where nothing matches."""
    with st.container(border=True):
        first = st.columns([2, 2, 1.4, 1.4], vertical_alignment="bottom")
        with first[0]:
            given = _search(page)
        regions = [units.NATION, *units.table("province")["code"], *units.table("regency")["code"]]
        with first[1]:
            region = controls.choice(
                "region", page.t("region"), regions, units.NATION,
                lambda code: page.t("whole_country") if code == units.NATION else units.label(code), page=page.name,
            )  # fmt: skip
        with first[2]:
            offered = (*fitting.models(page.key), INDEX)
            model = controls.choice("model", page.t("model"), offered, offered[0],
                                    fitting.labels(page), page=page.name)  # fmt: skip
        with first[3]:
            scope = controls.choice("scope", page.t("scope"), SCOPES, SCOPES[0],
                                    lambda s: page.t(f"peringkat.scope_{s}"), page=page.name)  # fmt: skip
        rows = cache_keluarga.found(*page.key, given, None if region == units.NATION else region)
        if rows.empty:
            st.info(page.t("nothing", given=given.replace("`", "'")), icon=":material/search_off:")
            return None
        family = _family(page, rows)
    fitting.ensure(page, str(model))
    return family, str(model), str(scope)


def _search(page: Page) -> str:
    key = f"{page.name}.q"
    if url_state.external("q") or key not in st.session_state:
        st.session_state[key] = url_state.read("q", _readable, "")
    given = st.text_input(page.t("search"), key=key, placeholder=page.t("search_placeholder"),
                          help=page.t("search_help"), max_chars=60)  # fmt: skip
    # a name is never put into the address; a number is
    url_state.write(q=given if re.fullmatch(r"[0-9]{1,16}", given or "") else None)
    return str(given or "")


def _readable(raw: str) -> str:
    if not re.fullmatch(r"[0-9]{1,16}", raw):
        raise ValueError(raw)
    return raw


def _family(page: Page, rows: pd.DataFrame) -> int:
    listed = rows.set_index("id_keluarga")

    def written(number: int) -> str:
        row = listed.loc[number]
        return page.t("family_option", number=number, card=row["card"], name=row["name"],
                      place=units.name(row["regency"]))  # fmt: skip

    options = [int(number) for number in listed.index]
    return int(controls.choice("id", page.t("family_choice"), options, options[0], written, page=page.name))


def explained(page: Page, found: Explanation) -> None:
    """Everything about one family."""
    finding = keluarga.finding(found, page.lang)
    st.subheader(finding, anchor=False)
    st.markdown(keluarga.distance(found, page.lang))
    with st.container(horizontal=True):
        st.metric(page.t("metric_decile"), found.decile, border=True)
        st.metric(page.t("metric_delivered"), found.delivered or numbers.not_available(page.lang), border=True)
        st.metric(page.t("metric_updated"), numbers.date(found.updated, page.lang), border=True)
        st.metric(page.t("metric_checked"), numbers.date(found.checked, page.lang), border=True)
    st.plotly_chart(
        keluarga.waterfall(found, page.lang), width="stretch", config=theme.CONFIG, key="keluarga.waterfall",
        alt=page.t("alt_waterfall", finding=finding),
    )  # fmt: skip
    st.caption(page.t("note"))
    _table(page, keluarga.contribution_table(found, page.lang), finding)
    if chance := keluarga.chance(found, page.lang):
        st.subheader(chance, anchor=False)
        st.plotly_chart(
            keluarga.chance_bars(found, page.lang), width="stretch", config=theme.CONFIG, key="keluarga.chances",
            alt=page.t("alt_chance", finding=chance),
        )  # fmt: skip
        st.caption(page.t("chance_note"))
    change = keluarga.change_finding(found, page.lang)
    st.subheader(change, anchor=False)
    if not found.changes.empty:
        _table(page, keluarga.change_table(found, page.lang), change)


def _table(page: Page, made: Table, finding: str) -> None:
    st.dataframe(
        made.styler(page.lang), width="stretch", hide_index=True, placeholder=made.placeholder(page.lang),
        alt=page.t("alt_table", finding=finding),
    )  # fmt: skip
