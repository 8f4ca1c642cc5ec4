"""Beside and below the map: the headline of the chosen area, the ranked table, the profile, the villages."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Literal

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from dtsen_core.policy import area_table, profile
from dtsen_core.policy.map_indicators import MapIndicator, map_rules
from dtsen_core.present import numbers, peta, peta_card
from dtsen_core.regions import units
from dtsen_core.ui import cache_peta, cache_versions, peta_state
from dtsen_core.ui.peta_known import Shown, known, source
from dtsen_core.ui.peta_state import NATION, View
from dtsen_core.ui.shell import Page

TABLE_ROWS_HEIGHT = 300
LONG, FIRST = 250, 200  # a table longer than LONG shows its FIRST rows until all are asked for
DELTA_COLOURS: dict[int, Literal["orange", "off", "primary"]] = {-1: "orange", 0: "off", 1: "primary"}


def styled(
    page: Page, rule: MapIndicator, rows: pd.DataFrame, partner: MapIndicator | None = None, first: int | None = None
) -> tuple[object, dict[str, str], list[str]]:
    """The ranked table (its `first` rows) with numbers that sort as numbers and read as the language writes them."""
    view, titles = peta.table_view(rows, rule, page.lang, partner)
    view = view.head(first) if first else view
    codes = rows.loc[view.index, "code"].tolist()
    display = view.reset_index(drop=True)
    formats = {}
    for column in ("value", "partner"):
        words = dict(zip(display[column], rows.loc[view.index, f"{column}_text"]))
        gap = peta.gap_text(rows, column, page.lang)
        formats[column] = lambda x, words=words, gap=gap: gap if pd.isna(x) else words[x]
    if "n" in display:
        counts = {x: numbers.number(x, page.lang) for x in display["n"].dropna()}
        formats["n"] = lambda x, words=counts, gap="–": gap if pd.isna(x) else words[x]
    styler = display.style.format(formats)
    return styler, titles, codes


def table(page: Page, view: View, found: Shown) -> None:
    """The ranked table; a long one starts with its first rows and shows the rest when asked."""
    level, where = page.t(f"level_{view.level}"), units.name(view.container)
    rule, rows = found.rule, found.data.rows
    st.markdown(f"**{page.t('table_title', count=len(rows), level=level)}**")
    whole = f"peta.whole.{view.level}.{view.container}"
    cut = len(rows) > LONG and not st.session_state.get(whole, False)
    styler, titles, codes = styled(page, rule, rows, found.partner, FIRST if cut else None)
    key = f"peta.table.{view.level}.{view.container}.{view.indicator}.{int(cut)}"
    st.dataframe(
        styler,
        key=key,
        hide_index=True,
        height=TABLE_ROWS_HEIGHT,
        column_config=columns(page, titles, rule, found.partner),
        on_select=lambda: row_chosen(key, codes),
        selection_mode="single-row",
        placeholder="–",
        alt=page.t("table_alt", level=level, where=where, measure=rule.label[page.lang]),
    )
    if len(rows) > LONG:
        st.toggle(page.t("table_all", first=FIRST, count=len(rows)), key=whole)
    first = page.t("rank_largest" if rule.worst_first else "rank_smallest")
    told = html.unescape(source(page, rule))
    st.caption(page.t("table_help", first=first) + " " + page.t("table_source", source=told))


def columns(
    page: Page, titles: dict[str, str], rule: MapIndicator, partner: MapIndicator
) -> dict[str, ColumnConfig]:
    """Heads and widths of the ranked table; the help of a column names measure and unit in full."""
    config = {column: st.column_config.Column(title) for column, title in titles.items()}
    for column, measure in (("value", rule), ("partner", partner)):
        words = f"{measure.label[page.lang]} ({measure.unit[page.lang]})"
        config[column] = st.column_config.Column(
            titles[column], width=66 if measure.kind != "count" else 88, help=words
        )
    config["rank"] = st.column_config.Column(titles["rank"], width=38)
    config["name"] = st.column_config.Column(titles["name"], width=118)
    return config


def row_chosen(key: str, codes: list[str]) -> None:
    code = peta_state.row_from_selection(st.session_state.get(key), codes)
    if code is not None:
        peta_state.go(code)


def headline(page: Page, view: View, found: Shown) -> Callable[[], None]:
    """The chosen measure of the chosen area in large type, against the area above.

    Returns what adds its course in time: other versions may have to be read, so it is called when the rest of the
    page stands.
    """
    rule, partner = found.rule, found.partner
    if rule.key == peta_state.OWN:
        _own_headline(page, view, found)
        return lambda: None
    own = cache_peta.own_row(page.key, view.area)
    above = None
    if view.area != NATION:
        parent = units.parent(view.area)
        above = (cache_peta.own_row(page.key, parent)[0], units.name(parent))
    line = peta_card.headline(rule, own, above, page.lang)

    def large(course: Sequence[float]) -> None:
        slot.metric(
            f"{rule.short[page.lang]}, {rule.unit[page.lang]}",
            line.value,
            line.delta,
            delta_color=DELTA_COLOURS[line.verdict],
            delta_arrow="off",
            chart_data=list(course) or None,
            chart_type="line",
        )

    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{units.label(view.area)}**")
        slot = st.empty()
        large([])
        st.markdown(peta_card.partner_line(partner, own, above, page.lang))
        below = st.empty()
        for line_text in peta_card.notes(view.area, rule, own[0], found.data.rows, page.lang, page.dataset.simulated):
            st.caption(line_text)

    def finish() -> None:
        course, words = _course(page, view, rule)
        if course:
            large(course)
        if words:
            below.caption(words)

    return finish


def _course(page: Page, view: View, rule: MapIndicator) -> tuple[list[float], str]:
    """The measure of the area over the versions of the dataset, and its first and last figure in words."""
    held = cache_versions.held(page)
    rows = [cache_peta.own_row(version.key, view.area)[0] for version in held]
    values = [float(row[rule.column]) if rule.column in row.index else float("nan") for row in rows]
    if len(values) < 2 or any(numbers.missing(v) for v in values):
        return [], ""
    first, last = (peta.value_text(rule, v, page.lang) for v in (values[0], values[-1]))
    dates = [numbers.date(held[at].as_of, page.lang) for at in (0, -1)]
    flat = len({peta.value_text(rule, v, page.lang) for v in values}) == 1  # a line would magnify what is not shown
    return [] if flat else values, page.t("card_course", since=dates[0], until=dates[1], first=first, last=last)


def _own_headline(page: Page, view: View, found: Shown) -> None:
    """The visitor's own figure of the chosen area, where the table has one."""
    own = found.data.rows
    at = own[own["code"] == view.area]
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{units.label(view.area)}**")
        st.metric(found.rule.short[page.lang], at["value_text"].iat[0] if len(at) else "–")
        st.caption(html.unescape(source(page, found.rule)))


def profile_card(page: Page, view: View) -> None:
    chain = list(dict.fromkeys([view.area, units.parent(view.area) if view.area != NATION else NATION, NATION]))
    columns = [(units.name(code), *cache_peta.own_row(page.key, code)) for code in chain]
    st.markdown(f"**{page.t('card_title', name=units.label(view.area))}**")
    st.table(
        peta_card.profile_table(profile.measures(known(page)), columns, page.lang).set_index(
            page.t("column_measure")
        ),
        border="horizontal",
        alt=page.t("card_title", name=units.label(view.area)),
    )
    st.caption(page.t("card_note" if "model" in known(page) else "card_note_real"))


def villages(page: Page, view: View) -> None:
    rules = map_rules()
    if not area_table.shows_villages(page.dataset):
        st.caption(
            page.t(
                "villages_no",
                needed=numbers.number(rules.village_families, page.lang),
                held=numbers.number(page.dataset.manifest.families, page.lang),
            )
        )
        return
    if len(view.area) != 6:
        return
    name = units.label(view.area)
    rule = rules.indicators[view.indicator]
    if rule.needs_model:
        rule = rules.indicators[peta_state.DEFAULT_INDICATOR]
    shown = cache_peta.shown(page.key, "village", view.area, rule.key, page.lang)
    styler, titles, _ = styled(page, rule, shown.rows)
    st.markdown(f"**{page.t('villages_yes', name=name)}**")
    st.dataframe(
        styler,
        key=f"peta.villages.{view.area}",
        hide_index=True,
        column_config={column: st.column_config.Column(title) for column, title in titles.items()},
        placeholder="–",
        alt=page.t("villages_alt", name=name),
    )
