"""Controls of the laboratory: weights of indicator groups, dropped indicators, poverty line, decile cut-off.

In the address they stand as ``w`` (aset50.perumahan150), ``drop`` (numbers of the indicators in the code list),
``refit`` (1: the model is fitted again without them), ``line`` and ``cut``.
"""

from __future__ import annotations

import re

import streamlit as st

from dtsen_core.errors import UserError
from dtsen_core.policy.request import OFFICIAL, parse_line
from dtsen_core.policy.reranking import CUTS
from dtsen_core.rank.experiment import FULL, MOST, Experiment
from dtsen_core.rank.order import GROUPS
from dtsen_core.registry.indicators import INDICATORS
from dtsen_core.ui import controls, fitting, notices, url_state
from dtsen_core.ui.shell import Page

STEP = 10
REFITS = (0, 1)


def parse_weights(raw: str) -> dict[str, int]:
    """Per cent by group from an address; ValueError when it is not what `write_weights` writes."""
    found: dict[str, int] = {}
    for part in raw.split("."):
        match = re.fullmatch(r"([a-z]+)([0-9]{1,3})", part)
        if match is None or match[1] not in GROUPS or int(match[2]) > MOST or int(match[2]) % STEP:
            raise ValueError(raw)
        found[match[1]] = int(match[2])
    return found


def write_weights(weights: dict[str, int]) -> str | None:
    return ".".join(f"{g}{weights[g]}" for g in GROUPS if weights[g] != FULL) or None


def parse_dropped(raw: str) -> list[str]:
    """Indicator names from their numbers in an address (1 = the first); ValueError for what is none."""
    numbers = [int(part) for part in raw.split(".") if re.fullmatch(r"[0-9]{1,2}", part)]
    if len(numbers) != raw.count(".") + 1 or not all(1 <= n <= len(INDICATORS) for n in numbers):
        raise ValueError(raw)
    return [INDICATORS[n - 1].name for n in dict.fromkeys(numbers)]


def write_dropped(dropped: list[str]) -> str | None:
    return ".".join(str(n) for n, i in enumerate(INDICATORS, start=1) if i.name in dropped) or None


def scorecard(page: Page, base: str) -> str:
    """Draw sliders and the list of dropped indicators under the model `base`; the model's name so changed."""
    fixed = base == OFFICIAL
    _seed(page)
    columns = st.columns([2, 2, 2, 2.4], vertical_alignment="bottom")
    weights = {}
    for column, group in zip(columns, GROUPS):
        with column:
            weights[group] = st.slider(
                page.t("weight_of", group=page.t(f"group_{group}")), 0, MOST, step=STEP, format="%d%%",
                key=f"{page.name}.w.{group}", disabled=fixed, help=page.t("weight_help"),
            )  # fmt: skip
    labels = {i.name: i.label(page.lang) for i in INDICATORS}
    key = f"{page.name}.drop"
    with columns[3], st.popover(
        page.t("dropped_n", count=len(st.session_state[key])), width="stretch", disabled=fixed,
        icon=":material/playlist_remove:",
    ):  # fmt: skip
        dropped = st.multiselect(
            page.t("dropped"), list(labels), format_func=labels.__getitem__, key=key, help=page.t("dropped_help"),
            placeholder=page.t("dropped_none"),
        )  # fmt: skip
        again = _refit(page, fitting.can_refit(page.key, base))
        st.button(page.t("reset"), on_click=_reset, args=(page.name,), icon=":material/restart_alt:")
    url_state.write(w=write_weights(weights), drop=write_dropped(dropped), refit=1 if again and dropped else None)
    if fixed:
        return base
    try:
        plan = Experiment.of(base, dropped, weights, again)
    except UserError as problem:
        notices.caution(problem.message(page.lang))
        return base
    if dropped and not again and st.session_state[f"{page.name}.refit"] == 1:
        st.warning(page.t("refit_unavailable"))
    if plan.changed:
        st.caption(page.t("experiment_note_refit" if plan.refit else "experiment_note"))
    return plan.name if plan.changed else base


def _refit(page: Page, possible: bool) -> bool:
    """Whether the other coefficients are to be fitted again; asked where that is `possible`."""
    key = f"{page.name}.refit"
    if url_state.external("refit") or key not in st.session_state:
        st.session_state[key] = url_state.read("refit", REFITS, 0)
    st.session_state[key] = st.session_state[key]  # kept while the control is not drawn
    if not possible:
        st.caption(page.t("refit_unavailable"))
        return False
    chosen = st.segmented_control(
        page.t("refit"), REFITS, format_func=lambda code: page.t(f"refit_{code}"), key=key, required=True
    )
    return chosen == 1


def _seed(page: Page) -> None:
    keys = [f"{page.name}.w.{group}" for group in GROUPS]
    if url_state.external("w") or keys[0] not in st.session_state:
        found = url_state.read("w", parse_weights, {})
        for group, key in zip(GROUPS, keys):
            st.session_state[key] = found.get(group, FULL)
    drop = f"{page.name}.drop"
    if url_state.external("drop") or drop not in st.session_state:
        st.session_state[drop] = url_state.read("drop", parse_dropped, [])
    # Streamlit forgets widgets that were not drawn; writing the value back keeps it
    for key in (*keys, drop):
        st.session_state[key] = st.session_state[key]


def _reset(name: str) -> None:
    for group in GROUPS:
        st.session_state[f"{name}.w.{group}"] = FULL
    st.session_state[f"{name}.drop"] = []
    st.session_state[f"{name}.refit"] = 0


def line(page: Page) -> str:
    """The poverty line as the visitor typed it, "" for the official one."""
    key = f"{page.name}.line"
    if url_state.external("line") or key not in st.session_state:
        st.session_state[key] = url_state.read("line", _checked, "")
    typed = str(
        st.text_input(
            page.t("line"), key=key, placeholder=page.t("line_placeholder"), help=page.t("line_help"), max_chars=14
        )
    )
    wanted = typed.strip().removeprefix("Rp").replace(" ", "")
    if "%" not in wanted and re.fullmatch(r"[0-9]{1,3}([.,][0-9]{3})+", wanted):
        wanted = re.sub(r"[.,]", "", wanted)  # 600.000 is six hundred thousand here
    wanted = wanted.replace(",", ".")
    try:
        parse_line(wanted)
    except UserError as problem:
        notices.caution(problem.message(page.lang))
        wanted = ""
    url_state.write(line=wanted or None)
    return wanted


def _checked(raw: str) -> str:
    parse_line(raw)
    return raw


def cut(page: Page) -> int:
    """The decile up to which families count as reached."""
    return int(
        controls.choice(
            "cut", page.t("cut"), list(CUTS), 4, lambda k: page.t("cut_option", k=k), page=page.name,
            help=page.t("cut_help"),
        )
    )  # fmt: skip
