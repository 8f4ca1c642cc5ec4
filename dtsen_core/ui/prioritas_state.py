"""The plan of the priority page: from a link, a scenario or the controls, kept in the session and in the address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from dtsen_core.errors import UserError
from dtsen_core.policy import priority_plan
from dtsen_core.policy.priority_plan import ANY, KIND, Plan
from dtsen_core.policy.priority_rules import LEVELS, priority_rules
from dtsen_core.policy.scenarios import Store
from dtsen_core.regions import units
from dtsen_core.ui import notices, url_state
from dtsen_core.ui.shell import Page

VIEWS = ("peringkat", "keyakinan", "spasial", "bertindak", "alokasi", "skenario")
PLAN, PUSH = "prioritas.plan", "prioritas.push"
TOPS = (5, 10, 20, 35, 50, 100, 212)
_LONGEST = 200


def _province(raw: str) -> str:
    return units.NATION if raw.upper() == units.NATION else units.require(raw, "province")


def _fields() -> dict[str, tuple[str, Any]]:
    """Address name of each scalar field of a plan, and what it accepts."""
    return {
        "within": ("within", _province),
        "norm": ("normalisation", priority_plan.NORMAL),
        "agg": ("aggregation", priority_plan.AGGREGATE),
        "missing": ("missing", priority_plan.MISSINGS),
        "top": ("top", TOPS),
        "island": ("island", (ANY, *priority_rules().cost_by_island)),
        "place": ("place", priority_plan.PLACES),
        "urban": ("urban", priority_plan.URBANS),
        "coast": ("coast", priority_plan.COASTS),
        "below": ("below", priority_plan.COVERAGES),
        "size": ("size", priority_plan.SIZES),
    }


def seed(page: Page) -> Plan:
    """The plan of this run: what a link says wins, once; else what the session holds; else the default."""
    state = st.session_state
    if PLAN not in state:
        state[PLAN], state[PUSH] = priority_plan.default_plan(), True
    plan: Plan = state[PLAN]
    if url_state.external("skenario"):
        plan, state[PUSH] = _scenario(page, plan), True
    if any(url_state.external(name) for name in ("level", "ind", *_fields())):
        plan, state[PUSH] = _from_address(plan), True
    state[PLAN] = _possible(page, plan)
    return state[PLAN]


def _scenario(page: Page, plan: Plan) -> Plan:
    try:
        kept = Store.default().load(str(url_state.read("skenario", str, "")))
        if kept.kind == KIND:
            st.session_state["prioritas.opened"] = kept.id
            return priority_plan.of_params(kept.params)
    except UserError as error:
        notices.caution(error.message(page.lang))
    return plan


def _from_address(plan: Plan) -> Plan:
    level = url_state.read("level", LEVELS, plan.level) if url_state.external("level") else plan.level
    if level != plan.level:
        plan = priority_plan.default_plan(level)
    for name, (attribute, allowed) in _fields().items():
        if url_state.external(name):
            plan = replace(plan, **{attribute: url_state.read(name, allowed, getattr(plan, attribute))})
    if url_state.external("ind"):
        parse: Callable[[str], Any] = lambda raw: priority_plan.parse_items(raw, level)  # noqa: E731
        plan = replace(plan, items=url_state.read("ind", parse, plan.items))
    return plan.normalised()


def _possible(page: Page, plan: Plan) -> Plan:
    """Without indicators that these data cannot show."""
    known = offered(page, plan)
    urban = plan.urban if page.dataset.manifest.urban_known else priority_plan.ANY
    return replace(plan, items=tuple(i for i in plan.items if i.key in known), urban=urban).normalised()


def offered(page: Page, plan: Plan) -> list[str]:
    """Keys of the indicators of the plan's level that these data know, in the order of the menu."""
    from dtsen_core.ui.peta_known import known

    has = known(page)
    return [key for key, i in plan.indicators().items() if not i.needs or i.needs in has]


def keep(plan: Plan, *, push: bool = False) -> None:
    """Make `plan` that of the session; `push`: the controls take its values over in the next run."""
    st.session_state[PLAN] = plan.normalised()
    if push:
        st.session_state[PUSH] = True


def mirror(plan: Plan, view: str, scenario: str | None) -> None:
    """Write plan, view and opened scenario into the address."""
    plain = priority_plan.default_plan(plan.level)
    words: dict[str, Any] = {"level": None if plan.level == "regency" else plan.level, "skenario": scenario}
    for name, (attribute, _) in _fields().items():
        value = getattr(plan, attribute)
        words[name] = None if value == getattr(plain, attribute) else value
    code = priority_plan.code_items(plan.items)
    words["ind"] = None if plan.items == plain.items or len(code) > _LONGEST else code or None
    words["bagian"] = None if view == VIEWS[0] else view
    url_state.write(**words)
