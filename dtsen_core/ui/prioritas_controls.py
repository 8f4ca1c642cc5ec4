"""The controls of the priority page: which areas, which indicators, how they are weighed. They give a new plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from dtsen_core.errors import UserError
from dtsen_core.policy import priority_plan
from dtsen_core.policy.priority_plan import ANY, Item, Own, Plan
from dtsen_core.policy.priority_rules import LEVELS, priority_rules
from dtsen_core.present import numbers, prioritas
from dtsen_core.regions import own_indicator, units
from dtsen_core.ui import notices, prioritas_state
from dtsen_core.ui.prioritas_state import PUSH
from dtsen_core.ui.shell import Page

COLUMNS = 4


def draw(page: Page, plan: Plan) -> Plan:
    """Draw the controls with the values of `plan`; returns the plan they now say."""
    push = bool(st.session_state.pop(PUSH, False))
    with st.container(border=True):
        plan = _areas(page, plan, push)
        plan = _indicators(page, plan, push)
    prioritas_state.keep(plan)
    return st.session_state[prioritas_state.PLAN]


def _seed(key: str, value: Any, push: bool, options: Any = None) -> None:
    """Give the widget `key` the plan's value where it holds none, an impossible one, or is to be overwritten."""
    state = st.session_state
    if push or key not in state or (options is not None and state[key] not in options):
        state[key] = value


def _areas(page: Page, plan: Plan, push: bool) -> Plan:
    lang = page.lang
    columns = st.columns([0.36, 0.19, 0.16, 0.17, 0.12], vertical_alignment="bottom")
    with columns[0]:
        key = "prioritas.level"
        _seed(key, plan.level, push)
        level = st.segmented_control(
            page.t("control_level"), LEVELS, key=key, required=True, width="stretch",
            format_func=lambda x: prioritas.level_name(x, lang).capitalize(),
        )  # fmt: skip
    if level != plan.level:
        # Another level has other indicators; those that both have keep their settings.
        fresh = priority_plan.default_plan(str(level))
        held = {i.key: i for i in plan.items}
        items = tuple(held[k] for k in held if k in fresh.indicators()) or fresh.items
        plan, push = replace(plan, level=str(level), items=items).normalised(), True
    with columns[1]:
        offered = ["" if plan.level == "district" else units.NATION, *units.table("province")["code"]]
        offered = [x for x in offered if x] if plan.level != "province" else [units.NATION]
        key = "prioritas.within"
        _seed(key, plan.within, push, offered)
        within = st.selectbox(page.t("control_within"), offered, key=key, format_func=units.name,
                              disabled=plan.level == "province")  # fmt: skip
    with columns[2]:
        normalisation = _choice(page, "normalisation", plan.normalisation, priority_plan.NORMAL, push)
    with columns[3]:
        aggregation = _choice(page, "aggregation", plan.aggregation, priority_plan.AGGREGATE, push)
    with columns[4]:
        tops = tuple(sorted({*prioritas_state.TOPS, plan.top}))
        key = "prioritas.top"
        _seed(key, plan.top, push, tops)
        top = st.selectbox(page.t("control_top"), tops, key=key, help=page.t("control_top_help"))
    return replace(plan, within=str(within), normalisation=normalisation, aggregation=aggregation, top=int(top))


def _choice(page: Page, name: str, value: Any, options: Any, push: bool) -> Any:
    key = f"prioritas.{name}"
    _seed(key, value, push, options)
    return st.selectbox(
        page.t(f"control_{name}"), options, key=key, format_func=lambda x: page.t(f"{name}_{x}"),
        help=page.t(f"control_{name}_help"),
    )  # fmt: skip


def _indicators(page: Page, plan: Plan, push: bool) -> Plan:
    known, offered = plan.indicators(), prioritas_state.offered(page, plan)
    left, filters, upload = st.columns([0.63, 0.16, 0.21], vertical_alignment="bottom")
    with left:
        key = "prioritas.indicators"
        _seed(key, [i.key for i in plan.items], push)
        st.session_state[key] = [k for k in st.session_state[key] if k in offered]
        chosen = st.multiselect(
            page.t("control_indicators"), offered, key=key, max_selections=priority_plan.MAX_ITEMS,
            format_func=lambda k: prioritas.label(known[k], page.lang), placeholder=page.t("control_indicators_empty"),
        )  # fmt: skip
    with filters:
        plan = _filters(page, plan, push)
    with upload:
        plan = _own(page, plan)
    held = {i.key: i for i in plan.items}
    items = tuple(held.get(k) or priority_plan.default_item(known[k]) for k in chosen)
    items = tuple(_weights(page, plan, items, push))
    return replace(plan, items=items)


def _weights(page: Page, plan: Plan, items: tuple[Item, ...], push: bool) -> list[Item]:
    """Weight, direction and, where distance to a target is measured, the target of every indicator."""
    known, out = plan.indicators(), []
    total = sum(i.weight for i in items) or 1.0
    for start in range(0, len(items), COLUMNS):
        for column, item in zip(st.columns(COLUMNS, vertical_alignment="bottom"), items[start : start + COLUMNS]):
            i = known[item.key]
            with column:
                key = f"prioritas.w.{item.key}"
                _seed(key, round(item.weight), push)
                weight = st.slider(
                    f"{i.label[page.lang]} · {numbers.percent(item.weight / total, page.lang, 0)}", 0, 100, key=key,
                    help=_help(page, i),
                )  # fmt: skip
                key = f"prioritas.d.{item.key}"
                _seed(key, item.direction, push)
                direction = st.segmented_control(
                    page.t("control_direction", label=i.label[page.lang]), (1, -1), key=key, required=True,
                    format_func=lambda d: page.t("direction_high" if d > 0 else "direction_low"),
                    label_visibility="collapsed",
                )  # fmt: skip
                target = item.target
                if plan.normalisation == "target":
                    target = _target(page, item, i.kind == "rate", push)
            out.append(Item(item.key, float(weight), int(direction or 1), target))
    return out


def _target(page: Page, item: Item, percent: bool, push: bool) -> float | None:
    key, scale = f"prioritas.t.{item.key}", 100.0 if percent else 1.0
    _seed(key, None if item.target is None else item.target * scale, push)
    value = st.number_input(page.t("control_target_percent" if percent else "control_target"), key=key, value=None,
                            placeholder=page.t("control_target_empty"))  # fmt: skip
    return None if value is None else float(value) / scale


def _help(page: Page, i: Any) -> str:
    if i.origin == "own":
        return page.t("source_own")
    if i.origin == "official":
        words = page.t("source_official", period=i.period, source=i.source)
    else:
        words = page.t("source_registry", version=page.dataset.version,
                       date=numbers.date(page.dataset.manifest.as_of, page.lang))  # fmt: skip
    if i.target_label:
        words += " " + page.t("source_target", target=i.target_label[page.lang], source=priority_rules().target_source)
    return words


def _filters(page: Page, plan: Plan, push: bool) -> Plan:
    active = sum((plan.island != ANY, plan.place != ANY, plan.urban != ANY, plan.coast != ANY, plan.below != ANY,
                  plan.size > 0, plan.missing != "exclude"))  # fmt: skip
    label = page.t("filters") if not active else page.t("filters_active", count=active)
    with st.popover(label, icon=":material/filter_alt:", width="stretch"):
        islands = (ANY, *priority_rules().cost_by_island)
        key = "prioritas.island"
        _seed(key, plan.island, push, islands)
        island = st.selectbox(page.t("filter_island"), islands, key=key,
                              format_func=lambda x: page.t("any") if x == ANY else x)  # fmt: skip
        place, urban, coast = plan.place, plan.urban, plan.coast
        if plan.level == "regency":
            place = _filter(page, "place", plan.place, priority_plan.PLACES, push)
        if page.dataset.manifest.urban_known:
            urban = _filter(page, "urban", plan.urban, priority_plan.URBANS, push)
        else:
            st.caption(page.t("urban_unknown"))
        if plan.level != "district":
            coast = _filter(page, "coast", plan.coast, priority_plan.COASTS, push)
        below = _filter(page, "below", plan.below, priority_plan.COVERAGES, push)
        key = "prioritas.size"
        _seed(key, plan.size, push, priority_plan.SIZES)
        size = st.selectbox(
            page.t("filter_size"), priority_plan.SIZES, key=key,
            format_func=lambda x: page.t("any") if x == 0 else page.t("size_from", size=numbers.number(x, page.lang)),
        )  # fmt: skip
        missing = _filter(page, "missing", plan.missing, priority_plan.MISSINGS, push)
        st.caption(page.t("filter_note"))
    return replace(plan, island=island, place=place, urban=urban, coast=coast, below=below, size=int(size),
                   missing=missing)  # fmt: skip


def _filter(page: Page, name: str, value: str, options: Any, push: bool) -> str:
    key = f"prioritas.{name}"
    _seed(key, value, push, options)
    return str(
        st.selectbox(page.t(f"filter_{name}"), options, key=key,
                     format_func=lambda x: page.t("any") if x == ANY else page.t(f"{name}_{x}"))
    )  # fmt: skip


def _own(page: Page, plan: Plan) -> Plan:
    """Upload of an own indicator; a problem is one sentence and the plan stays as it was."""
    with st.popover(page.t("own"), icon=":material/upload_file:", width="stretch"):
        st.markdown(page.t("own_intro"))
        file = st.file_uploader(page.t("own_file"), type=["csv", "txt", "tsv"], key="prioritas.own_file")
        name = st.text_input(page.t("own_name"), key="prioritas.own_name", max_chars=60)
        system = st.selectbox(page.t("own_codes"), ("auto", "kemendagri", "bps"), key="prioritas.own_codes",
                              format_func=lambda x: page.t(f"codes_{x}"))  # fmt: skip
        if file is not None and st.button(page.t("own_add"), key="prioritas.own_add", type="primary"):
            plan = _added(page, plan, file.getvalue(), name.strip(), None if system == "auto" else system)
        for own in plan.own:
            drop = page.t("own_remove", name=own.name)
            if st.button(drop, key=f"prioritas.drop.{own.key}", icon=":material/delete:"):
                plan = replace(plan, own=tuple(o for o in plan.own if o.key != own.key))
                prioritas_state.keep(plan, push=True)
                st.rerun()
    return plan


def _added(page: Page, plan: Plan, data: bytes, name: str, system: str | None) -> Plan:
    try:
        if len(plan.own) >= priority_plan.MAX_OWN:
            raise UserError("errors_prioritas.own_limit", limit=priority_plan.MAX_OWN)
        found = own_indicator.read(data, system=system)
        if found.level != plan.level:
            level = {lang: prioritas.level_name(found.level, lang) for lang in ("id", "en")}
            raise UserError("errors_prioritas.own_level", found=level[page.lang],
                            wanted=prioritas.level_name(plan.level, page.lang))  # fmt: skip
    except UserError as error:
        notices.refusal(error.message(page.lang))
        return plan
    for problem in found.problems:
        notices.caution(problem.text(page.lang))
    st.success(page.t("own_added", count=len(found.frame), missing=found.missing))
    taken = {o.key for o in plan.own}
    key = next(f"own_{k}" for k in range(1, priority_plan.MAX_OWN + 2) if f"own_{k}" not in taken)
    values = tuple((str(c), float(v)) for c, v in zip(found.frame["code"], found.frame["value"]))
    plan = replace(plan, own=(*plan.own, Own(key, name or found.name[:60], found.level, values)))
    item = priority_plan.default_item(plan.indicators()[key])
    plan = replace(plan, items=(*plan.items, item)[: priority_plan.MAX_ITEMS])
    prioritas_state.keep(plan, push=True)
    st.rerun()
    return plan
