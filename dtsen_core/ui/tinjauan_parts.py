"""The review page: which queue, and of doubtful pairs the filters, one pair side by side, the decisions, the log."""

from __future__ import annotations

import streamlit as st

from dtsen_core.errors import UserError
from dtsen_core.integrate import review
from dtsen_core.integrate.decisions import Log
from dtsen_core.integrate.review import Pair
from dtsen_core.present import mutu, numbers, tinjauan
from dtsen_core.present.literal import literal
from dtsen_core.ui import cache, controls, url_state
from dtsen_core.ui.shell import Page

KINDS = ("pairs", "moves")
PAIR, TOLD = "tinjauan.pair", "tinjauan.told"


@st.cache_data(max_entries=8, show_spinner=False)
def _sources(path: str, stamp: str) -> dict[str, int]:
    return review.sources(cache.dataset(cache.DatasetKey(path, stamp)))


def kind(page: Page) -> str:
    """Which of the two queues to show."""
    return str(controls.choice("kind", page.t("control_kind"), KINDS, KINDS[0], lambda code: page.t(f"kind_{code}"),
                               page=page.name, segmented=True))  # fmt: skip


def queue(page: Page) -> None:
    """The queue of doubtful pairs. On real data, or without pairs, one sentence says why there is nothing to show."""
    try:
        review.refuse_names(page.dataset, holder=False)
    except UserError as refusal:
        st.info(literal(refusal.message(page.lang)), icon=":material/lock:")
        return
    st.caption(page.t("intro"))
    held = _sources(*page.key)
    if not held:
        st.info(page.t("no_pairs", version=page.dataset.version), icon=":material/info:")
        return
    with st.columns([0.4, 0.6])[0]:
        codes = ("all", *held)
        source = str(controls.choice(
            "source", page.t("control_source"), codes, "all", lambda code: mutu.source_word(code, page.lang),
            page=page.name,
        ))  # fmt: skip
    state = str(controls.choice(
        "state", page.t("control_state"), review.STATES, "open", lambda code: page.t(f"state_{code}"),
        page=page.name, segmented=True,
    ))  # fmt: skip
    waiting = review.queue(page.dataset, source=source, state=state)
    decided = review.latest(page.dataset.path)
    total = sum(held.values())
    st.subheader(
        page.t("finding", shown=numbers.number(len(waiting), page.lang), total=numbers.number(total, page.lang),
               decided=numbers.number(len(decided), page.lang)),
        anchor=False,
    )  # fmt: skip
    if told := st.session_state.pop(TOLD, None):
        st.success(told, icon=":material/task_alt:")
    if not waiting:
        st.info(page.t("empty_queue"), icon=":material/task_alt:")
    else:
        _pair(page, waiting)
    log(page, review.LOG)


def _pair(page: Page, waiting: tuple[str, ...]) -> None:
    """The chosen pair; the next one of the queue where none is chosen or the chosen one has left it."""
    if url_state.external("pair"):
        st.session_state[PAIR] = url_state.read("pair", waiting, waiting[0])
    if st.session_state.get(PAIR) not in waiting:
        st.session_state[PAIR] = waiting[0]
    at = waiting.index(st.session_state[PAIR])
    url_state.write(pair=None if at == 0 else waiting[at])
    pair = review.pair(page.dataset, waiting[at])
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            number, count = (numbers.number(n, page.lang) for n in (at + 1, len(waiting)))
            st.markdown(f"**{page.t('pair_title', number=number, count=count)}**", width="content")
            st.caption(page.t("pair_where", source=mutu.source_word(pair.source, page.lang),
                              file=pair.path.replace("`", "'").rsplit("/", 1)[-1],
                              line=numbers.number(pair.line, page.lang)), width="content")  # fmt: skip
            with st.container(horizontal=True, width="content"):
                for name, step in (("before", -1), ("after", 1)):
                    inside = 0 <= at + step < len(waiting)
                    st.button(page.t(name), key=f"tinjauan.{name}", disabled=not inside, on_click=_go,
                              args=(waiting[at + step] if inside else waiting[at],))  # fmt: skip
        st.html(tinjauan.comparison_html(pair, page.lang))
        st.markdown(tinjauan.verdict(pair, page.lang))
        st.caption(page.t("weight_note"))
        _decide(page, pair, waiting, at)


def _go(pair_id: str) -> None:
    st.session_state[PAIR] = pair_id


def _decide(page: Page, pair: Pair, waiting: tuple[str, ...], at: int) -> None:
    if pair.decision is not None:
        st.caption(page.t("decided_before", decision=tinjauan.decision_word(pair.decision, page.lang)))
    icons = {"same": ":material/person_check:", "different": ":material/group:", "unsure": ":material/help:"}
    with st.container(horizontal=True, gap="small"):
        for decision in review.DECISIONS:
            pressed = st.button(
                page.t(f"decision_{decision}"), key=f"tinjauan.decide.{decision}", icon=icons[decision],
                type="primary" if decision == pair.decision else "secondary",
            )  # fmt: skip
            if pressed:
                review.decide(page.dataset.path, pair.pair_id, decision, version=page.dataset.version)
                st.session_state[TOLD] = page.t("told", decision=tinjauan.decision_word(decision, page.lang))
                st.session_state[PAIR] = waiting[(at + 1) % len(waiting)]
                st.rerun()


def log(page: Page, kept: Log) -> None:
    """What was decided, by whom and when, and whether the log is sound."""
    rows = kept.entries(page.dataset.path)
    with st.expander(page.t("log_title", n=numbers.number(len(rows), page.lang)), icon=":material/history:"):
        broken = kept.broken_at(page.dataset.path)
        if broken is not None:
            st.error(page.t("log_broken", row=broken))
        st.caption(page.t("log_note"))
        if rows:
            made = tinjauan.log_table(rows, page.lang)
            st.dataframe(made.styler(page.lang), width="stretch", hide_index=True, alt=page.t("log_alt"))
