"""Two maps side by side and their difference: another measure, or the same measure at another time."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.present import maps, numbers, peta_compare, peta_compare_hover, peta_export, theme
from dtsen_core.present.peta_compare import Difference, Side
from dtsen_core.regions import boundaries, units
from dtsen_core.ui import (
    cache_versions,
    peta_controls,
    peta_download,
    peta_known,
    peta_map,
    peta_side,
    peta_state,
)
from dtsen_core.ui.cache_versions import Held
from dtsen_core.ui.peta_known import Shown, known, theme_mode
from dtsen_core.ui.peta_state import View
from dtsen_core.ui.shell import Page

HALF = maps.Frame(300)
FIRST = 50  # rows of a long table until all are asked for
WIDTHS = {"name": 112, "a": 58, "b": 58, "value": 82}


def body(page: Page, view: View, held: Sequence[Held]) -> None:
    """Finding, controls with what is held against the first map, both maps, the difference as map and table."""
    second = _second(page, view, held)
    first, first_shown = _side(page, view, view.indicator, same_measure=second in _names(held))
    other, other_shown = _other(page, view, second, held)
    # In time, A is the earlier one.
    if second in _names(held) and other.date < first.date:
        first, first_shown, other, other_shown = other, other_shown, first, first_shown
    found = peta_compare.difference(first, other)
    title = peta_compare.finding(found, page.lang, level=view.level, where=units.name(view.container))
    peta_controls.head(page, view, first_shown, title)
    peta_controls.controls(page, view, held)
    _against(page, view, held, second)
    peta_controls.breadcrumb(page, view)
    sampled = page.dataset.simulated
    columns = st.columns(2, gap="small")
    for column, letter, side, shown in zip(columns, "AB", (first, other), (first_shown, other_shown)):
        with column:
            corner = f"<b>{letter}</b> · {html.escape(side.label)}"
            hover = peta_compare_hover.of_side(side, letter, page.lang, sampled=sampled)
            key = f"peta.map.compare.{letter}.{view.level}.{view.container}"
            peta_map.show(page, view, shown, title, key=key, frame=HALF, corner=corner, hover=hover)
            peta_map.legend_list("", peta_map.plain_entries(shown), compact=True)
    left, right = st.columns([0.64, 0.36], gap="medium")
    with left:
        _difference_map(page, view, found, title)
    with right:
        _difference_table(page, view, found)
        _downloads(page, view, found, title)


def _names(held: Sequence[Held]) -> list[str]:
    return [v.name for v in held]


def _second(page: Page, view: View, held: Sequence[Held]) -> str:
    """What is held against the first map: as chosen, else the version before, else the next measure."""
    now = page.dataset.version
    options = _options(page, view, held)
    if view.second in options:
        return view.second
    earlier = [v.name for v in held if v.name in options and v.as_of < _as_of(held, now)]
    return earlier[-1] if earlier else options[0]


def _as_of(held: Sequence[Held], name: str) -> str:
    return next((v.as_of for v in held if v.name == name), "")


def _options(page: Page, view: View, held: Sequence[Held]) -> list[str]:
    measures = [i.key for i in map_rules().offered() if i.possible(known(page)) and i.key != view.indicator]
    versions = [v.name for v in held if v.name != page.dataset.version] if view.indicator != peta_state.OWN else []
    return [*reversed(versions), *measures]


def _side(page: Page, view: View, key: str, same_measure: bool) -> tuple[Side, Shown]:
    """One side of the comparison; it is called by its date where both show one measure."""
    shown = peta_known.shown(page, view, key)
    date = page.dataset.manifest.as_of
    label = numbers.date(date, page.lang) if same_measure else shown.rule.short[page.lang]
    source = peta_known.source(page, shown.rule)
    return Side(label, shown.rule, shown.partner, shown.data.rows, date, source), shown


def _other(page: Page, view: View, second: str, held: Sequence[Held]) -> tuple[Side, Shown]:
    if second in _names(held):
        there = cache_versions.at_version(replace(page), second)
        return _side(there, view, view.indicator, same_measure=True)
    return _side(page, view, second, same_measure=False)


def _against(page: Page, view: View, held: Sequence[Held], second: str) -> None:
    """The choice of B."""
    words = {v.name: page.t("peta_views.against_date", date=label)
             for v, label in zip(held, peta_controls.date_words(held, page.lang))}  # fmt: skip
    words |= {i.key: i.label[page.lang] for i in map_rules().offered()}
    st.session_state["peta.second_choice"] = second
    st.selectbox(
        page.t("peta_views.control_against"),
        _options(page, view, held),
        format_func=lambda key: words[key],
        key="peta.second_choice",
        on_change=lambda: st.session_state.update({peta_state.SECOND: st.session_state["peta.second_choice"]}),
    )


def _difference_map(page: Page, view: View, found: Difference, title: str) -> None:
    mode = theme_mode()
    scale = map_rules().diverging[mode]
    colours = peta_compare.colours(found.a.rule, scale, found.kind)
    style = maps.coloured(peta_map.map_style(found.a.rule, view.level, view.container, mode), colours)
    figure = maps.choropleth(
        found.rows, style, boundaries.bbox(view.focus),
        hover=peta_compare_hover.of_difference(found, page.lang, sampled=page.dataset.simulated),
        corner=page.t("peta_views.corner_difference"), hint=page.t("map_help"), note=peta_map.note(page, view),
        lang=page.lang, frame=maps.NATION,
    )  # fmt: skip
    key = f"peta.map.difference.{view.level}.{view.container}"
    st.plotly_chart(
        figure, key=key, theme=None, on_select=lambda: peta_map.clicked(key), selection_mode="points",
        config=theme.CONFIG | {"scrollZoom": True}, alt=page.t("peta_views.alt_difference", finding=title),
    )  # fmt: skip
    steps = (maps.NO_FIGURE[mode], *colours)
    entries = [(steps[e.klass], 1.0, e.label, e.detail) for e in peta_compare.legend(found, page.lang)]
    faint = int(found.rows["doubt"].gt(0).sum())
    if faint:
        detail = f"{page.t('peta_views.legend_noise')} · {peta_map.areas_words(faint, page.lang)}"
        entries.append((steps[1], maps.CARE, page.t("legend_care_short"), detail))
    peta_map.legend_list(page.t(f"peta_views.legend_{found.kind}"), entries)


def _difference_table(page: Page, view: View, found: Difference) -> None:
    table, titles = peta_compare.table(found, page.lang)
    head = page.t("peta_views.table_difference", count=len(table))
    whole, count = f"peta.whole.difference.{view.level}.{view.container}", len(table)
    if count > peta_side.LONG and not st.session_state.get(whole, False):
        head = page.t("peta_views.table_difference_first", first=FIRST, count=count)
        table = table.head(FIRST)
    texts = peta_compare.cell_texts(found, page.lang).loc[table.index].reset_index(drop=True)
    codes = found.rows.loc[table.index, "code"].tolist()
    shown = table.reset_index(drop=True)
    formats = {}
    for column in [c for c in texts if c in shown]:
        words = dict(zip(shown[column], texts[column]))
        formats[column] = lambda x, words=words: "–" if pd.isna(x) else words[x]
    st.markdown(f"**{head}**")
    key = f"peta.table.difference.{view.level}.{view.container}.{found.a.rule.key}.{found.b.rule.key}"
    st.dataframe(
        shown.style.format(formats), key=key, hide_index=True, height=peta_side.TABLE_ROWS_HEIGHT + 60,
        column_config={c: st.column_config.Column(t, width=WIDTHS.get(c)) for c, t in titles.items()}, placeholder="–",
        on_select=lambda: peta_side.row_chosen(key, codes), selection_mode="single-row",
        alt=page.t("peta_views.alt_difference_table"),
    )  # fmt: skip
    if count > peta_side.LONG:
        st.toggle(page.t("table_all", first=FIRST, count=count), key=whole)
    sources = dict.fromkeys(html.unescape(side.source) for side in (found.a, found.b))
    st.caption(page.t("peta_views.difference_help", a=found.a.label, b=found.b.label,
                      a_unit=found.a.rule.unit[page.lang], b_unit=found.b.rule.unit[page.lang],
                      source="; ".join(sources)))  # fmt: skip


def _downloads(page: Page, view: View, found: Difference, title: str) -> None:
    names = {"a": _name(found.a), "b": _name(found.b), "value": page.t(f"peta_views.unit_{found.kind}")}
    colours = peta_compare.colours(found.a.rule, map_rules().diverging["light"], found.kind)
    peta_download.offer(page, view, lambda: peta_download.Content(
        title, peta_export.difference_frame(found.rows, names, peta_download.about(page, view, title)), found.rows,
        colours, peta_compare.legend(found, page.lang), measure=f"A: {found.a.label} · B: {found.b.label}",
    ), f"{found.a.rule.key}-{found.b.rule.key}")  # fmt: skip


def _name(side: Side) -> str:
    return f"{side.label} ({side.rule.key}, {side.date})"
