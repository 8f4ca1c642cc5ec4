"""The movement view of the ranking page: two versions of the dataset, classes, causes, review cases."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dtsen_core import locale
from dtsen_core.policy.request import RankRequest
from dtsen_core.present import moves, numbers
from dtsen_core.present.peringkat_export import csv_bytes
from dtsen_core.ui import cache_movement, controls, peringkat_parts
from dtsen_core.ui.cache_movement import Moved
from dtsen_core.ui.pages_list import page_entry
from dtsen_core.ui.shell import Page


def _t(page: Page, key: str, **params: object) -> str:
    return locale.text(f"moves.{key}", page.lang, **params)


def pair_choice(page: Page, left: DeltaGenerator, right: DeltaGenerator) -> tuple[str, str]:
    """Names of the (earlier, later) version; there must be two."""
    known = dict(cache_movement.versions_of(*page.key))
    names = list(known)
    write = {name: f"{numbers.date(day, page.lang)} · {name}" for name, day in known.items()}
    with right:
        after = controls.choice("v2", _t(page, "control_after"), names, page.dataset.version, write.__getitem__,
                                page=page.name)  # fmt: skip
    earlier = [name for name in names if name != after]
    past = [name for name in earlier if known[name] < known[after]]
    with left:
        before = controls.choice("v1", _t(page, "control_before"), earlier, (past or earlier)[0], write.__getitem__,
                                 page=page.name)  # fmt: skip
    return str(before), str(after)


def movement(page: Page, request: RankRequest) -> None:
    """Decile moves of the delivered ranking between two versions, in the scope and region of `request`."""
    if len(cache_movement.versions_of(*page.key)) < 2:
        st.info(_t(page, "one_version"), icon=":material/info:")
        return
    before, after = pair_choice(page, *st.columns(2))
    with st.spinner(page.t("computing")):
        found = cache_movement.moved(page.key, before, after, request.scope, request.region, request.level)
    classes = found.classes.frame
    finding = moves.finding(classes, page.lang)
    st.subheader(finding, anchor=False)
    st.caption(
        _t(page, "note", before=before, after=after, new=numbers.number(found.new, page.lang),
           gone=numbers.number(found.gone, page.lang), seconds=numbers.number(found.seconds, page.lang, 1))
    )  # fmt: skip
    peringkat_parts.chart(
        page, moves.class_bars(classes, page.lang), _t(page, "alt_classes", finding=finding), "moves.classes"
    )
    made = moves.class_table(found.classes, page.lang)
    peringkat_parts.table(page, made, finding, found.classes.reason(page.lang))
    _causes(page, found)
    _cases(page, found, request)


def _causes(page: Page, found: Moved) -> None:
    finding = moves.cause_finding(found.causes, page.lang)
    st.subheader(finding, anchor=False)
    if found.causes.empty:
        return
    st.caption(_t(page, "cause_note") + " " + moves.cause_sum(found.causes, found.total_move, page.lang))
    fig = moves.cause_bars(found.causes, page.lang)
    peringkat_parts.chart(page, fig, _t(page, "alt_causes", finding=finding), "moves.causes")


def _cases(page: Page, found: Moved, request: RankRequest) -> None:
    count = found.classes.frame["cases"].sum(skipna=False)
    if numbers.missing(count):
        finding = _t(page, "cases_hidden")
    elif count:
        finding = _t(page, "cases_title", count=numbers.people(count, page.lang))
    else:
        finding = _t(page, "cases_none")
    st.subheader(finding, anchor=False)
    areas = moves.area_table(found.areas, page.lang)
    peringkat_parts.table(page, areas, finding, found.areas.reason(page.lang), behind=False)
    sheet = areas.sheet(finding, page.lang)
    st.download_button(
        _t(page, "cases_download"), lambda: csv_bytes(sheet, [finding, f"{found.before} → {found.after}"]),
        f"perpindahan-{found.after}.csv", icon=":material/download:", on_click="ignore",
    )  # fmt: skip
    if not page.dataset.simulated or not count:
        return
    st.page_link(
        page_entry("tinjauan").file, label=_t(page, "cases_review"), icon=":material/rule:",
        query_params={"kind": "moves", "v1": found.before, "v2": found.after, "scope": request.scope}
        | ({} if page.lang == locale.LANGS[0] else {"lang": page.lang}),
    )  # fmt: skip
