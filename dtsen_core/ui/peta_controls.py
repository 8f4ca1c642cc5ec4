"""The controls of the map page: measure, level, search, way of looking, time; and the way back up."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.present import numbers
from dtsen_core.regions import units
from dtsen_core.ui import peta_layers, peta_own, peta_state
from dtsen_core.ui.cache_versions import Held
from dtsen_core.ui.peta_known import Shown, known
from dtsen_core.ui.peta_state import NATION, View
from dtsen_core.ui.shell import Page


def head(page: Page, view: View, found: Shown, title: str) -> None:
    """The finding, and of what, where and when it speaks."""
    st.subheader(title, anchor=False)
    st.caption(
        page.t(
            "subtitle",
            level=page.t(f"level_{view.level}"),
            where=units.label(view.container),
            base=page.t(found.rule.base),
            date=numbers.date(page.dataset.manifest.as_of, page.lang),
        )
    )
    if view.version:
        date = numbers.date(page.dataset.manifest.as_of, page.lang)
        st.caption(":material/history: " + page.t("older_version", date=date, version=page.dataset.version))


def controls(page: Page, view: View, held: Sequence[Held]) -> None:
    """Two lines: what and where; how to look at it and when."""
    columns = st.columns([0.42, 0.28, 0.30], gap="small", vertical_alignment="top")
    with columns[0]:
        _measure(page, view)
    with columns[1]:
        _level(page, view)
    with columns[2]:
        text = st.text_input(
            page.t("control_search"),
            key="peta.search",
            placeholder=page.t("control_search_placeholder"),
            icon=":material/search:",
            max_chars=60,
        )
    _search_results(page, text)
    columns = st.columns([0.42, 0.28, 0.30], gap="small", vertical_alignment="bottom")
    with columns[0]:
        _mode(page, view)
    with columns[1]:
        _time(page, view, held)
    with columns[2]:
        peta_layers.controls(page)
    _missing(page)


def _measure(page: Page, view: View) -> None:
    rules, lang = map_rules(), page.lang
    offered = [i.key for i in rules.offered() if i.possible(known(page))]
    own = peta_own.current()
    labels = {key: rules.indicators[key].label[lang] for key in offered}
    if own is not None:
        labels[peta_state.OWN] = page.t("own_choice", name=own.rule.label[lang])
    st.session_state["peta.choice"] = view.indicator
    st.selectbox(
        page.t("control_indicator"),
        list(labels),
        format_func=lambda key: labels[key],
        key="peta.choice",
        on_change=lambda: st.session_state.update({peta_state.INDICATOR: st.session_state["peta.choice"]}),
    )


def _level(page: Page, view: View) -> None:
    levels = peta_state.levels_for(view.area)
    chosen = str(st.session_state[peta_state.LEVEL])
    if view.mode == "tiles":
        levels, chosen = ("regency",), "regency"
    st.session_state["peta.level_choice"] = chosen
    st.segmented_control(
        page.t("control_level"),
        tuple(reversed(levels)) if view.area == NATION else levels,
        format_func=lambda level: page.t(f"level_{level}"),
        key="peta.level_choice",
        required=True,
        on_change=lambda: _keep(peta_state.LEVEL, "peta.level_choice", view.mode != "tiles"),
    )


def _keep(state: str, widget: str, wanted: bool = True) -> None:
    if wanted:
        st.session_state[state] = st.session_state[widget]


def _mode(page: Page, view: View) -> None:
    st.session_state["peta.mode_choice"] = view.mode
    st.segmented_control(
        page.t("control_mode"),
        peta_state.MODES,
        format_func=lambda mode: page.t(f"mode_{mode}"),
        key="peta.mode_choice",
        required=True,
        help=page.t("control_mode_help"),
        on_change=lambda: _keep(peta_state.MODE, "peta.mode_choice"),
    )


def _time(page: Page, view: View, held: Sequence[Held]) -> None:
    """The time slider, where the dataset has more than one version."""
    if len(held) < 2:
        return
    names = [v.name for v in held]
    words = dict(zip(names, date_words(held, page.lang)))
    served = next(v.name for v in held if v.served)
    st.session_state["peta.time"] = view.version if view.version in names else served
    st.select_slider(
        page.t("control_time"),
        names,
        format_func=lambda name: words[name],
        key="peta.time",
        help=page.t("control_time_help"),
        on_change=lambda: st.session_state.update(
            {peta_state.VERSION: "" if st.session_state["peta.time"] == served else st.session_state["peta.time"]}
        ),
    )


def date_words(held: Sequence[Held], lang: str) -> list[str]:
    """What each version is called on screen: its date; its name too where two have the same date."""
    dates = [v.as_of for v in held]
    return [
        numbers.date(v.as_of, lang) + (f" ({v.name.rsplit('-', 1)[-1]})" if dates.count(v.as_of) > 1 else "")
        for v in held
    ]


def magnifier(page: Page, view: View) -> None:
    """Which crowded place is drawn again, larger, beside the map of the nation."""
    places = map_rules().insets
    st.session_state["peta.inset_choice"] = view.inset
    st.selectbox(
        page.t("control_inset"),
        ["", *places],
        format_func=lambda key: places[key].label[page.lang] if key else page.t("inset_none"),
        key="peta.inset_choice",
        label_visibility="collapsed",
        on_change=lambda: _keep(peta_state.INSET, "peta.inset_choice"),
    )


def _missing(page: Page) -> None:
    """What these data cannot show, and why."""
    missing = [i.label[page.lang] for i in map_rules().offered() if not i.possible(known(page))]
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


def breadcrumb(page: Page, view: View) -> None:
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
