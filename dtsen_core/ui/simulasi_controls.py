"""The controls of the simulation page: up to four scenarios, each a short code in the address (`a`, `b`, `c`, `d`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from dtsen_core.errors import UserError
from dtsen_core.policy import programme_rules
from dtsen_core.policy.programme_rules import CONDITIONS, UNITS, Rule
from dtsen_core.policy.reform_run import OWN, rule_for
from dtsen_core.policy.reform_spec import (
    BASES,
    MAX_AMOUNT,
    MAX_QUOTA,
    NEW,
    UNLIMITED,
    Design,
    Reform,
    check,
    parse_reform,
)
from dtsen_core.present import simulasi
from dtsen_core.ui import cache_simulasi, notices, url_state
from dtsen_core.ui.shell import Page

SLOTS = ("a", "b", "c", "d")
_CODES, _EPOCH, _SLOT, _OWN = "simulasi.codes", "simulasi.epoch", "simulasi.slot", "simulasi.own"
START = Reform("pkh", quota=12_000_000.0)
LINES = (50, 75, 80, 90, 100, 110, 120, 125, 150, 200)


@dataclass(frozen=True)
class Chosen:
    """The scenarios by slot, the one being edited, and the text of an uploaded programme ("" = none)."""

    reforms: dict[str, Reform]
    slot: str
    own: str

    @property
    def active(self) -> Reform:
        return self.reforms[self.slot]


def _read(page: Page) -> dict[str, Reform]:
    """Scenarios of this session; an address from outside replaces them."""
    state = st.session_state
    if any(url_state.external(slot) for slot in SLOTS) or _CODES not in state:
        found = {slot: url_state.read(slot, parse_reform, None) for slot in SLOTS}
        state[_CODES] = {slot: r for slot, r in found.items() if r is not None} or {SLOTS[0]: _start(page)}
        state[_EPOCH] = state.get(_EPOCH, 0) + 1
    return dict(state[_CODES])


def _start(page: Page) -> Reform:
    """The first scenario: two million places more, where the programme's rule is in force."""
    known = {rule.key for rule in cache_simulasi.rules(page.key)}
    return START if START.programme in known else Reform(NEW, design=Design(), basis="rule")


def replace_all(reforms: dict[str, Reform]) -> None:
    """Put other scenarios in place (a kept set is opened)."""
    st.session_state[_CODES] = reforms
    st.session_state[_EPOCH] = st.session_state.get(_EPOCH, 0) + 1
    st.session_state[_SLOT] = next(iter(reforms))


def draw(page: Page) -> Chosen:
    """Draw the controls; returns what they say, written to the address."""
    reforms = _read(page)
    own = str(st.session_state.get(_OWN, ""))
    with st.container(border=True):
        slot = _slots(page, reforms)
        reforms[slot] = _editor(page, slot, reforms[slot], own)
    st.session_state[_CODES] = reforms
    url_state.write(**{s: reforms[s].code if s in reforms and reforms[s].programme != OWN else None for s in SLOTS})
    return Chosen(reforms, slot, own)


def _slots(page: Page, reforms: dict[str, Reform]) -> str:
    if st.session_state.get(_SLOT) not in reforms:
        st.session_state[_SLOT] = next(iter(reforms))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        slot = st.segmented_control(
            page.t("control_slot"), list(reforms), key=_SLOT, required=True, format_func=str.upper,
            help=page.t("control_slot_help"),
        )  # fmt: skip
        free = next((s for s in SLOTS if s not in reforms), None)
        st.button(page.t("add"), icon=":material/add:", disabled=free is None, on_click=_add, args=(free, str(slot)))
        st.button(
            page.t("remove"), icon=":material/remove:", disabled=len(reforms) < 2, on_click=_remove, args=(str(slot),)
        )
    return str(slot)


def _add(free: str | None, like: str) -> None:
    if free is not None:
        held = dict(st.session_state[_CODES])
        held[free] = held[like]
        replace_all({s: held[s] for s in SLOTS if s in held})
        st.session_state[_SLOT] = free


def _remove(slot: str) -> None:
    held = {s: r for s, r in st.session_state[_CODES].items() if s != slot}
    replace_all(held)


def _editor(page: Page, slot: str, held: Reform, own: str) -> Reform:
    rules = {rule.key: rule for rule in cache_simulasi.rules(page.key)}
    options = [*rules, NEW, *([OWN] if own else [])]
    if held.programme not in options:
        notices.caution(page.t("unknown_programme", given=held.programme[:40]))
        held = Reform(options[0])
    stem = f"simulasi.{st.session_state.get(_EPOCH, 0)}.{slot}"
    named = {**{k: r.abbreviation(page.lang) for k, r in rules.items()}, NEW: page.t("new"), OWN: page.t("own")}
    first = st.columns([1.7, 1.5, 1.7, 1.9, 1.9], vertical_alignment="bottom")
    with first[0]:
        programme = st.selectbox(
            page.t("control_programme"), options, index=options.index(held.programme), key=f"{stem}.programme",
            format_func=named.__getitem__,
        )  # fmt: skip
    if programme != held.programme:
        held = Reform(programme, design=Design() if programme == NEW else None, line=held.line, basis=held.basis)
    stem = f"{stem}.{programme}"
    if programme == NEW:
        held = _design(page, stem, held)
    old = rule_for(page.dataset.manifest.as_of, held, own)
    with first[1]:
        held = _deciles(page, stem, held, old)
    with first[2]:
        held = _quota(page, stem, held, old)
    with first[3]:
        held = _amount(page, stem, held, old)
    with first[4]:
        held = _basis(page, stem, held)
    return check(_more(page, stem, held, old))


def _design(page: Page, stem: str, held: Reform) -> Reform:
    design = held.design or Design()
    columns = st.columns(2)
    with columns[0]:
        unit = st.selectbox(
            page.t("control_unit"), UNITS, index=UNITS.index(design.unit), key=f"{stem}.unit",
            format_func=lambda u: page.t(f"unit_{u}"),
        )  # fmt: skip
    conditions = ("", *CONDITIONS)
    with columns[1]:
        condition = st.selectbox(
            page.t("control_condition"), conditions, index=conditions.index(design.condition),
            key=f"{stem}.condition", format_func=lambda c: page.t(f"condition_{c or 'none'}"),
        )  # fmt: skip
    return replace(held, design=Design(unit, condition), basis="rule")


def _deciles(page: Page, stem: str, held: Reform, old: Rule) -> Reform:
    as_rule = old.last_decile if old.deciles else None
    options: list[int | None] = [None, *range(1, 11)]
    start = held.decile_to
    value = st.selectbox(
        page.t("control_decile"), options, index=options.index(start), key=f"{stem}.decile",
        format_func=lambda d: page.t("as_rule", value=as_rule or "–") if d is None else page.t("up_to", k=d),
        help=page.t("control_decile_help"), disabled=held.score_to is not None,
    )  # fmt: skip
    return replace(held, decile_to=value)


def _quota(page: Page, stem: str, held: Reform, old: Rule) -> Reform:
    unlimited = st.checkbox(
        page.t("unlimited"), value=held.quota == UNLIMITED or (held.quota is None and old.quota is None),
        key=f"{stem}.unlimited", help=page.t("unlimited_help"),
    )  # fmt: skip
    start = held.quota if held.quota not in (None, UNLIMITED) else (old.quota or 1_000_000.0)
    value = st.number_input(
        page.t("control_quota", unit=simulasi.unit(old, page.lang)), min_value=1,
        max_value=int(max(MAX_QUOTA, start or 0)), value=max(int(start or 1_000_000), 1), step=100_000,
        key=f"{stem}.quota", disabled=unlimited,
    )  # fmt: skip
    if unlimited:
        return replace(held, quota=None if old.quota is None else UNLIMITED)
    return replace(held, quota=None if old.quota is not None and float(value) == old.quota else float(value))


def _amount(page: Page, stem: str, held: Reform, old: Rule) -> Reform:
    if old.components and held.amount is None:
        with st.popover(page.t("control_components"), width="stretch"):
            wanted = dict(held.components)
            changed = []
            for part in old.components:
                value = st.number_input(
                    page.t(f"component_{part.key}"), min_value=0, max_value=int(max(MAX_AMOUNT, part.amount)),
                    value=int(wanted.get(part.key, part.amount)), step=100_000, key=f"{stem}.{part.key}",
                )  # fmt: skip
                if float(value) != part.amount:
                    changed.append((part.key, float(value)))
        return replace(held, components=tuple(changed))
    start = held.amount if held.amount is not None else (old.amount or 0.0)
    value = st.number_input(
        page.t("control_amount", unit=page.t(f"one_{old.unit}")), min_value=0, max_value=int(max(MAX_AMOUNT, start)),
        value=int(start), step=100_000, key=f"{stem}.amount", help=page.t("control_amount_help"),
    )  # fmt: skip
    unknown = old.amount is None and value == 0
    return replace(held, amount=None if unknown or float(value) == old.amount else float(value))


def _basis(page: Page, stem: str, held: Reform) -> Reform:
    if held.design is not None:
        st.caption(page.t("basis_new"))
        return replace(held, basis="rule")
    value = st.segmented_control(
        page.t("control_basis"), BASES, default=held.basis, key=f"{stem}.basis", required=True, width="stretch",
        format_func=lambda b: page.t(f"basis_{b}"), help=page.t("control_basis_help"),
    )  # fmt: skip
    return replace(held, basis=str(value))


def _more(page: Page, stem: str, held: Reform, old: Rule) -> Reform:
    with st.expander(page.t("more"), expanded=False, icon=":material/tune:"):
        columns = st.columns(3, vertical_alignment="bottom")
        with columns[0]:
            lines = sorted({*LINES, round(held.line * 100)})
            line = st.select_slider(
                page.t("control_line"), lines, value=round(held.line * 100), key=f"{stem}.line",
                format_func=lambda v: f"{v}%", help=page.t("control_line_help"),
            )  # fmt: skip
            held = replace(held, line=float(line) / 100)
        with columns[1]:
            models = ("", *cache_simulasi.other_models(*page.key))
            start = held.model if held.model in models else ""
            model = st.selectbox(
                page.t("control_model"), models, index=models.index(start), key=f"{stem}.model",
                format_func=lambda m: page.t("model_base") if not m else page.t(f"peringkat.model_{m}"),
                help=page.t("control_model_help"),
            )  # fmt: skip
            held = replace(held, model=model)
        with columns[2]:
            if held.score_to is not None:
                st.caption(page.t("score_set", score=held.score_to / 1000))
                st.button(page.t("score_clear"), on_click=set_score, args=(None,), key=f"{stem}.clear")
        _upload(page)
    return held


def set_score(score: int | None) -> None:
    """Let a score decide who is eligible in the scenario being edited (None: the decile again)."""
    held, slot = dict(st.session_state[_CODES]), st.session_state[_SLOT]
    held[slot] = replace(held[slot], score_to=score, quota=UNLIMITED if score is not None else held[slot].quota)
    replace_all(held)
    st.session_state[_SLOT] = slot


def _upload(page: Page) -> None:
    file = st.file_uploader(
        page.t("control_upload"), type="toml", max_upload_size=1, key="simulasi.upload",
        help=page.t("control_upload_help"),
    )  # fmt: skip
    if file is None or file.file_id == st.session_state.get(f"{_OWN}.id"):
        return
    st.session_state[f"{_OWN}.id"] = file.file_id
    try:
        text = file.getvalue().decode("utf-8-sig")
        programme_rules.parse(text, file.name)
    except UnicodeDecodeError:
        notices.refusal(UserError("errors_programmes.encoding").message(page.lang))
        return
    except UserError as error:
        notices.refusal(error.message(page.lang))
        return
    st.session_state[_OWN] = text
    replace_all({SLOTS[0]: Reform(OWN)})
    st.rerun()
