"""Beside and below the map: the headline of the chosen area, the ranked table, the profile, the villages."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st

from dtsen_core.policy import area_table, profile
from dtsen_core.policy.map_indicators import MapIndicator, map_rules
from dtsen_core.present import numbers, peta, peta_card
from dtsen_core.regions import units
from dtsen_core.ui import cache_peta, peta_state
from dtsen_core.ui.peta_known import known
from dtsen_core.ui.peta_state import NATION, View
from dtsen_core.ui.shell import Page

TABLE_ROWS_HEIGHT = 300
LONG, FIRST = 520, 200  # a table longer than LONG shows its FIRST rows until all are asked for
DELTA_COLOURS: dict[int, Literal["orange", "off", "primary"]] = {-1: "orange", 0: "off", 1: "primary"}


def styled(
    page: Page, rule: MapIndicator, rows: pd.DataFrame, partner: MapIndicator | None = None
) -> tuple[object, dict[str, str], list[str]]:
    """The ranked table with numbers that sort as numbers and read as the language writes them."""
    view, titles = peta.table_view(rows, rule, page.lang, partner)
    codes = rows.loc[view.index, "code"].tolist()
    display = view.reset_index(drop=True)
    formats = {}
    for column in ("value", "partner"):
        words = dict(zip(display[column], rows.loc[view.index, f"{column}_text"]))
        gap = peta.gap_text(rows, column, page.lang)
        formats[column] = lambda x, words=words, gap=gap: gap if pd.isna(x) else words[x]
    styler = display.style.format(formats)
    return styler, titles, codes


def _table(page: Page, view: View, rule: MapIndicator, shown: cache_peta.Shown) -> None:
    level, where = page.t(f"level_{view.level}"), units.name(view.container)
    styler, titles, codes = styled(page, rule, shown.rows)
    st.markdown(f"**{page.t('table_title', count=len(codes), level=level)}**")
    key = f"peta.table.{view.level}.{view.container}.{view.indicator}"
    config = {column: st.column_config.Column(title) for column, title in titles.items()}
    partner = map_rules().partner(rule)
    for column, measure in (("value", rule), ("partner", partner)):
        words = f"{measure.label[page.lang]} ({measure.unit[page.lang]})"
        config[column] = st.column_config.Column(
            titles[column], width=66 if measure.kind != "count" else 88, help=words
        )
    config["rank"] = st.column_config.Column(titles["rank"], width=38)
    config["name"] = st.column_config.Column(titles["name"], width=118)
    st.dataframe(
        styler,
        key=key,
        hide_index=True,
        height=TABLE_ROWS_HEIGHT,
        column_config=config,
        on_select=lambda: _row_chosen(key, codes),
        selection_mode="single-row",
        placeholder="–",
        alt=page.t("table_alt", level=level, where=where, measure=rule.label[page.lang]),
    )
    first = page.t("rank_largest" if rule.worst_first else "rank_smallest")
    st.caption(page.t("table_help", first=first))


def _row_chosen(key: str, codes: list[str]) -> None:
    code = peta_state.row_from_selection(st.session_state.get(key), codes)
    if code is not None:
        peta_state.go(code)


def _headline(page: Page, view: View, rule: MapIndicator, shown: cache_peta.Shown) -> None:
    partner = map_rules().partner(rule)
    own = cache_peta.own_row(page.key, view.area)
    above = None
    if view.area != NATION:
        parent = units.parent(view.area)
        above = (cache_peta.own_row(page.key, parent)[0], units.name(parent))
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{units.label(view.area)}**")
        line = peta_card.headline(rule, own, above, page.lang)
        st.metric(
            f"{rule.short[page.lang]}, {rule.unit[page.lang]}",
            line.value,
            line.delta,
            delta_color=DELTA_COLOURS[line.verdict],
            delta_arrow="off",
        )
        st.markdown(peta_card.partner_line(partner, own, above, page.lang))
        for line_text in peta_card.notes(view.area, rule, own[0], shown.rows, page.lang, page.dataset.simulated):
            st.caption(line_text)


def _profile(page: Page, view: View) -> None:
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


def _villages(page: Page, view: View) -> None:
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
