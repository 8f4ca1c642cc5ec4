"""The map page below its header: title, controls, then one of four ways of looking. One fragment, so that a
click reruns this part only."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dtsen_core.present import peta
from dtsen_core.regions import units
from dtsen_core.ui import (
    cache_versions,
    peta_compare,
    peta_controls,
    peta_download,
    peta_known,
    peta_map,
    peta_own,
    peta_pairs,
    peta_side,
    peta_state,
    shell,
)
from dtsen_core.ui.peta_known import Shown, known
from dtsen_core.ui.peta_state import NATION, OWN, View
from dtsen_core.ui.shell import Page

__all__ = ["explorer", "known"]


@shell.fragment
def explorer(page: Page) -> None:
    """The whole page body; its own rerun for every click, row, search and choice of measure."""
    view = _present(peta_state.current())
    peta_state.mirror(view)
    held = cache_versions.held(page)
    page = cache_versions.at_version(page, view.version)
    if view.mode == "compare":
        peta_compare.body(page, view, held)
        return
    found = peta_known.shown(page, view)
    if view.mode == "pairs":
        peta_pairs.body(page, view, found, held)
        return
    title = peta.finding(
        found.data.rows, found.rule, page.lang, level=view.level, where=units.name(view.container),
        partner=found.partner,
    )  # fmt: skip
    peta_controls.head(page, view, found, title)
    peta_controls.controls(page, view, held)
    if view.mode == "tiles":
        _tiles(page, view, found, title)
        return
    finish = _map(page, view, found, title)
    peta_side.profile_card(page, view)
    peta_side.villages(page, view)
    finish()


def _present(view: View) -> View:
    """The view without a measure the session no longer has."""
    if view.indicator == OWN and peta_own.current() is None:
        st.session_state[peta_state.INDICATOR] = peta_state.DEFAULT_INDICATOR
        return peta_state.current()
    return view


def _map(page: Page, view: View, found: Shown, title: str) -> Callable[[], None]:
    """The map with its legend, and beside it the figure and the ranked table."""
    left, right = st.columns([0.64, 0.36], gap="medium")
    with left:
        peta_controls.breadcrumb(page, view)
        peta_map.draw(page, view, found, title)
        _under(page, view, found, title)
        peta_map.legend(page, found)
    with right:
        finish = peta_side.headline(page, view, found)
        peta_side.table(page, view, found)
    return finish


def _tiles(page: Page, view: View, found: Shown, title: str) -> None:
    """The map of equal tiles over the whole width; figure and table below."""
    peta_controls.breadcrumb(page, view)
    peta_map.draw(page, view, found, title)
    left, right = st.columns([0.64, 0.36], gap="medium")
    with left:
        _under(page, view, found, title)
        peta_map.legend(page, found)
        st.caption(page.t("tiles_note"))
        peta_side.profile_card(page, view)
    with right:
        finish = peta_side.headline(page, view, found)
        peta_side.table(page, view, found)
    finish()


def _under(page: Page, view: View, found: Shown, title: str) -> None:
    """Right under the map: the magnifier and the downloads."""
    left, right = st.columns([0.55, 0.45], gap="small", vertical_alignment="center")
    with left:
        if view.focus == NATION and view.mode == "map":
            peta_controls.magnifier(page, view)
    with right:
        peta_download.controls(page, view, found, title)
