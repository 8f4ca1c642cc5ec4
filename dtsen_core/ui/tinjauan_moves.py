"""The second queue of the review page: far moves in decile without a field visit, one after the other, decided."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dtsen_core import locale
from dtsen_core.errors import UserError
from dtsen_core.integrate import review
from dtsen_core.policy import movement_cases
from dtsen_core.policy.movement_cases import Asked
from dtsen_core.policy.request import SCOPES
from dtsen_core.present import labels, numbers, tinjauan_moves
from dtsen_core.present.literal import literal
from dtsen_core.present.peringkat_export import csv_bytes
from dtsen_core.regions import units
from dtsen_core.ui import cache, cache_movement, controls, movement_parts, tinjauan_parts, url_state
from dtsen_core.ui.cache import DatasetKey
from dtsen_core.ui.shell import Page

CASE, TOLD = "tinjauan.case", "tinjauan.moves.told"
LISTED = 200
ICONS = {"valid": ":material/task_alt:", "visit": ":material/directions_walk:", "unsure": ":material/help:"}


def _t(page: Page, key: str, **params: object) -> str:
    return locale.text(f"tinjauan_moves.{key}", page.lang, **params)


@st.cache_data(max_entries=64, show_spinner=False)
def _answers(path: str, stamp: str, before: str, after: str, family: int) -> pd.DataFrame:
    return movement_cases.changed_answers(cache.dataset(DatasetKey(path, stamp)), before, after, family)


def queue(page: Page) -> None:
    """The tab: which pair of versions, the cases by state, one case with its changed answers, the log."""
    try:
        review.refuse_names(page.dataset, holder=False)
    except UserError as refusal:
        st.info(literal(refusal.message(page.lang)), icon=":material/lock:")
        return
    if len(cache_movement.versions_of(*page.key)) < 2:
        st.info(locale.text("moves.one_version", page.lang), icon=":material/info:")
        return
    st.caption(_t(page, "intro"))
    asked = _asked(page)
    if told := st.session_state.pop(TOLD, None):
        st.success(told, icon=":material/task_alt:")
    rows = movement_cases.cases(page.dataset.path, asked, LISTED)
    count = movement_cases.counts(page.dataset.path, asked)
    finding = tinjauan_moves.finding(asked, count, page.lang)
    st.subheader(finding, anchor=False)
    if rows.empty:
        st.info(_t(page, "empty"), icon=":material/task_alt:")
    else:
        _case(page, asked, rows)
        _list(page, asked, rows, count[asked.state], finding)
    tinjauan_parts.log(page, movement_cases.LOG)


def _asked(page: Page) -> Asked:
    """The controls; cases of a pair that nobody asked for yet are collected now."""
    first = st.columns([2.2, 2.2, 1, 1.3], vertical_alignment="bottom")
    before, after = movement_parts.pair_choice(page, first[0], first[1])
    with first[2]:
        scope = str(controls.choice("scope", _t(page, "control_scope"), SCOPES, SCOPES[0],
                                    lambda code: page.t(f"peringkat.scope_{code}"), page=page.name))  # fmt: skip
    with st.spinner(_t(page, "collecting")):
        movement_cases.collect(page.dataset, before, after, scope)
    with first[3]:
        region = str(controls.choice(
            "region", _t(page, "control_region"), (units.NATION, *units.table("province")["code"]), units.NATION,
            lambda code: _t(page, "whole_country") if code == units.NATION else units.name(code), page=page.name,
        ))  # fmt: skip
    within = "" if region == units.NATION else region
    count = movement_cases.counts(page.dataset.path, Asked(before, after, scope, "all", within))
    state = str(controls.choice(
        "moved", page.t("control_state"), movement_cases.STATES, "open",
        lambda code: f"{_t(page, f'state_{code}')} ({numbers.number(count[code], page.lang)})", page=page.name,
        segmented=True,
    ))  # fmt: skip
    return Asked(before, after, scope, state, within)


def _case(page: Page, asked: Asked, rows: pd.DataFrame) -> None:
    """The chosen case; the next one of the list where none is chosen or the chosen one has left it."""
    waiting = tuple(rows["case_id"])
    if url_state.external("case"):
        st.session_state[CASE] = url_state.read("case", waiting, waiting[0])
    if st.session_state.get(CASE) not in waiting:
        st.session_state[CASE] = waiting[0]
    at = waiting.index(st.session_state[CASE])
    url_state.write(case=None if at == 0 else waiting[at])
    row = rows.iloc[at]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            place, of = (numbers.number(n, page.lang) for n in (at + 1, len(waiting)))
            st.markdown(f"**{_t(page, 'case_title', number=place, count=of)}**", width="content")
            with st.container(horizontal=True, width="content"):
                for name, step in (("before", -1), ("after", 1)):
                    inside = 0 <= at + step < len(waiting)
                    st.button(page.t(name), key=f"tinjauan.moves.{name}", disabled=not inside, on_click=_go,
                              args=(waiting[at + step] if inside else waiting[at],))  # fmt: skip
        st.markdown(tinjauan_moves.case_sentence(row, page.lang))
        answers = _answers(*page.key, asked.before, asked.after, int(row["family"]))
        made = tinjauan_moves.answers_table(answers, page.lang)
        if made.frame.empty:
            st.caption(_t(page, "no_answers"))
        else:
            st.dataframe(made.styler(page.lang), width="stretch", hide_index=True,
                         placeholder=made.placeholder(page.lang), alt=_t(page, "alt_answers"))  # fmt: skip
        if row["decision"]:
            word = tinjauan_moves.decision_word(row["decision"], page.lang)
            st.caption(page.t("decided_before", decision=word))
        _decide(page, row, waiting, at)


def _go(case_id: str) -> None:
    st.session_state[CASE] = case_id


def _decide(page: Page, row: pd.Series, waiting: tuple[str, ...], at: int) -> None:
    with st.container(horizontal=True, gap="small"):
        for decision in movement_cases.DECISIONS:
            word = tinjauan_moves.decision_word(decision, page.lang)
            pressed = st.button(word, key=f"tinjauan.moves.decide.{decision}", icon=ICONS[decision],
                                help=_t(page, f"help_{decision}"),
                                type="primary" if decision == row["decision"] else "secondary")  # fmt: skip
            if pressed:
                movement_cases.decide(page.dataset.path, row["case_id"], decision, version=page.dataset.version)
                st.session_state[TOLD] = page.t("told", decision=word)
                st.session_state[CASE] = waiting[(at + 1) % len(waiting)]
                st.rerun()


def _list(page: Page, asked: Asked, rows: pd.DataFrame, count: int, finding: str) -> None:
    made = tinjauan_moves.list_table(rows, page.lang, ids=False)
    st.dataframe(made.styler(page.lang), width="stretch", hide_index=True, placeholder=made.placeholder(page.lang),
                 alt=_t(page, "alt_list", finding=finding))  # fmt: skip
    if count > len(rows):
        st.caption(_t(page, "list_cut", shown=numbers.number(len(rows), page.lang),
                      count=numbers.number(count, page.lang)))  # fmt: skip
    manifest = page.dataset.manifest
    notes = [labels.origin_label(manifest, page.lang), finding, labels.source_line(manifest, page.lang)]

    def file() -> bytes:
        every = tinjauan_moves.list_table(movement_cases.cases(page.dataset.path, asked), page.lang)
        return csv_bytes(every.sheet("moves", page.lang), notes)

    st.download_button(_t(page, "download"), file, f"{_t(page, 'file_stem')}-{asked.after}.csv",
                       icon=":material/download:", on_click="ignore")  # fmt: skip
