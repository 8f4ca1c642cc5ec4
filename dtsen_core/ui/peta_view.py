"""The map page below its header: title, controls, map, ranked table, profile. One fragment, so that a
click reruns this part only."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Literal

import pandas as pd
import streamlit as st

from dtsen_core.policy import area_table, profile
from dtsen_core.policy.map_indicators import MapIndicator, map_rules
from dtsen_core.present import maps, numbers, peta, peta_card, theme
from dtsen_core.regions import boundaries, units
from dtsen_core.ui import cache_peta, peta_state, shell
from dtsen_core.ui.peta_state import NATION, View
from dtsen_core.ui.shell import Page

TABLE_ROWS_HEIGHT = 300
DELTA_COLOURS: dict[int, Literal["orange", "off", "primary"]] = {-1: "orange", 0: "off", 1: "primary"}


def known(page: Page) -> frozenset[str]:
    """What the open data know: "model" and the programmes they speak of."""
    model = {"model"} if area_table.has_model(page.dataset) else set()
    return frozenset(model | set(page.dataset.manifest.programmes))


@shell.fragment
def explorer(page: Page) -> None:
    """The whole page body; its own rerun for every click, row, search and choice of measure."""
    view = peta_state.current()
    peta_state.mirror(view)
    rule = map_rules().indicators[view.indicator]
    shown = cache_peta.shown(page.key, view.level, view.container, view.indicator, page.lang)
    title = peta.finding(shown.rows, rule, page.lang, level=view.level, where=units.name(view.container))
    st.subheader(title, anchor=False)
    st.caption(
        page.t(
            "subtitle",
            level=page.t(f"level_{view.level}"),
            where=units.label(view.container),
            base=page.t(rule.base),
            date=numbers.date(page.dataset.manifest.as_of, page.lang),
        )
    )
    _controls(page, view)
    left, right = st.columns([0.64, 0.36], gap="medium")
    with left:
        _breadcrumb(page, view)
        _map(page, view, rule, shown, title)
        _legend(page, rule, shown)
    with right:
        _headline(page, view, rule, shown)
        _table(page, view, rule, shown)
    _profile(page, view)
    _villages(page, view)


# -- controls ----------------------------------------------------------------------------------------------


def _controls(page: Page, view: View) -> None:
    rules, lang = map_rules(), page.lang
    offered = [i.key for i in rules.offered() if i.possible(known(page))]
    columns = st.columns([0.42, 0.28, 0.30], gap="small", vertical_alignment="top")
    with columns[0]:
        st.session_state["peta.choice"] = view.indicator
        st.selectbox(
            page.t("control_indicator"),
            offered,
            format_func=lambda key: f"{rules.indicators[key].label[lang]}",
            key="peta.choice",
            on_change=lambda: st.session_state.update({peta_state.INDICATOR: st.session_state["peta.choice"]}),
        )
    with columns[1]:
        levels = (
            tuple(reversed(peta_state.levels_for(view.area)))
            if view.area == NATION
            else (peta_state.levels_for(view.area))
        )
        st.session_state["peta.level_choice"] = view.level
        st.segmented_control(
            page.t("control_level"),
            levels,
            format_func=lambda level: page.t(f"level_{level}"),
            key="peta.level_choice",
            required=True,
            on_change=lambda: st.session_state.update({peta_state.LEVEL: st.session_state["peta.level_choice"]}),
        )
    with columns[2]:
        text = st.text_input(
            page.t("control_search"),
            key="peta.search",
            placeholder=page.t("control_search_placeholder"),
            icon=":material/search:",
            max_chars=60,
        )
    _search_results(page, text)
    missing = [i.label[lang] for i in rules.offered() if not i.possible(known(page))]
    if missing:
        st.selectbox(page.t("needs_model"), missing, disabled=True, help=page.t("needs_model_why"), key="peta.missing")
        st.caption(page.t("needs_model_why"))


def _search_results(page: Page, text: str) -> None:
    if not text.strip():
        return
    found = units.search(text, 8)
    if not found:
        st.info(page.t("search_none", text=text.replace("`", "'")[:60]))
        return
    with st.container(horizontal=True, gap="small"):
        for code, _, level in found:
            st.button(
                f"{units.label(code)} · {page.t(f'level_{level}')}",
                key=f"peta.found.{code}",
                on_click=_found,
                args=(code,),
            )


def _found(code: str) -> None:
    peta_state.go(code)
    st.session_state["peta.search"] = ""


def _breadcrumb(page: Page, view: View) -> None:
    """The way back up; the last step is where we are."""
    steps = units.path(view.area)
    if len(steps) == 1:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        for code in steps[:-1]:
            st.button(
                units.name(code),
                key=f"peta.up.{code}",
                type="tertiary",
                on_click=peta_state.go,
                args=(code,),
                help=page.t("back_to", name=units.name(code)),
            )
            st.markdown("›", width="content")
        st.markdown(f"**{units.name(steps[-1])}**", width="content")


# -- map ---------------------------------------------------------------------------------------------------


def map_style(rule: MapIndicator, level: str, container: str, mode: str) -> maps.MapStyle:
    current = boundaries.current()
    province = container[:2] if level == "district" else None
    return maps.MapStyle(
        shapes=current.url(level, province),
        land=current.url("province"),
        style="app/static/map/style-dark.json" if mode == "dark" else "app/static/map/style.json",
        colours=map_rules().scales[rule.scale][mode],
        mode=mode,
    )


def theme_mode() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"


def _map(page: Page, view: View, rule: MapIndicator, shown: cache_peta.Shown, title: str) -> None:
    mode = theme_mode()
    where = units.name(view.container)
    level = page.t(f"level_{view.level}")
    indicative = boundaries.current().origin(view.level)["kind"] == "indikatif"
    whole = view.focus == NATION
    figure = maps.choropleth(
        shown.rows,
        map_style(rule, view.level, view.container, mode),
        boundaries.bbox(view.focus),
        hover=peta.hover_template(rule, int(shown.rows["value"].notna().sum()), page.lang),
        corner=page.t("map_corner", where=html.escape(where), count=len(shown.rows), level=level),
        hint=page.t("map_help"),
        height=maps.HEIGHT_NATION if whole else maps.HEIGHT,
        note=page.t("map_indicative" if indicative else "map_official"),
    )
    # One key per view: a click remembered for another view must not be read as a click on this one.
    key = f"peta.map.{view.level}.{view.container}"
    st.plotly_chart(
        figure,
        key=key,
        theme=None,
        on_select=lambda: _clicked(key),
        selection_mode="points",
        config=theme.CONFIG | {"scrollZoom": True},
        alt=page.t("map_alt", measure=rule.label[page.lang], level=level, where=where, finding=title),
    )


def _clicked(key: str) -> None:
    code = peta_state.area_from_selection(st.session_state.get(key))
    if code is not None:
        peta_state.go(code, keep_camera=True)


def _legend(page: Page, rule: MapIndicator, shown: cache_peta.Shown) -> None:
    """Classes with what each holds; HTML, so that it wraps on a phone and can be read aloud."""
    mode = theme_mode()
    colours = (maps.NO_FIGURE[mode], *map_rules().scales[rule.scale][mode])
    small = int(shown.rows["small"].sum())
    entries = [(colours[e.klass], 1.0, e.label, e.detail) for e in shown.legend]
    if small:
        entries.append(
            (colours[3], maps.PALE, page.t("legend_small", n=map_rules().small_sample),
             page.t("legend_small_count", areas=peta.areas_text(small, page.lang)))
        )  # fmt: skip
    legend_list(page.t("legend_title", measure=rule.label[page.lang], unit=rule.unit[page.lang]), entries)
    st.caption(" ".join([page.t(f"breaks_{rule.breaks}", method=page.t(f"method_{rule.classify}")), *shown.reasons]))


def legend_list(title: str, entries: Sequence[tuple[str, float, str, str]]) -> None:
    """A legend: (colour, opacity, label, detail) of every class."""
    cells = "".join(
        f'<li style="display:flex;gap:.4rem;align-items:flex-start;margin:0">'
        f'<span style="flex:none;width:1rem;height:1rem;margin-top:.15rem;border-radius:.15rem;'
        f'background:{colour};opacity:{opacity}"></span>'
        f'<span style="font-size:.75rem"><strong>{html.escape(label)}</strong><br>'
        f"{html.escape(detail)}</span></li>"
        for colour, opacity, label, detail in entries
    )
    st.html(
        f'<div style="font-size:.8rem;line-height:1.35"><p style="margin:0 0 .35rem">{html.escape(title)}</p>'
        f'<ul style="list-style:none;margin:0;padding:0;display:grid;gap:.5rem .8rem;'
        f'grid-template-columns:repeat(auto-fit,minmax(8rem,1fr))">'
        f"{cells}</ul></div>"
    )


# -- table and profile -------------------------------------------------------------------------------------


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
