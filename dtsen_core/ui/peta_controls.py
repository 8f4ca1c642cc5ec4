"""The controls of the map page: measure, level, search, way of looking, time; and the way back up."""

from __future__ import annotations

import streamlit as st

from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.present import numbers
from dtsen_core.regions import units
from dtsen_core.ui import cache_versions, peta_layers, peta_state
from dtsen_core.ui.peta_known import known
from dtsen_core.ui.peta_state import NATION, View
from dtsen_core.ui.shell import Page


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
