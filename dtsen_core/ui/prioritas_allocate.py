"""Allocation under a budget: what it buys, its price, what equality costs, and work zones for field teams."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from dtsen_core.errors import UserError
from dtsen_core.policy import priority_budget
from dtsen_core.policy.missed import targeted
from dtsen_core.policy.priority_budget import OBJECTIVES, Bought, Budget
from dtsen_core.policy.priority_plan import Plan, Ranked
from dtsen_core.policy.priority_rules import priority_rules
from dtsen_core.present import numbers, peringkat_export, prioritas, prioritas_charts, theme
from dtsen_core.present.peringkat_export import Sheet
from dtsen_core.present.prioritas_compare import ZONE_COLOURS, zone_classes
from dtsen_core.regions import own_indicator, units
from dtsen_core.ui import cache_prioritas, notices
from dtsen_core.ui.prioritas_parts import area_map, data_line, written
from dtsen_core.ui.shell import Page

BILLION = 1e9
INDEX = "prioritas.cost_index"


def show(page: Page, plan: Plan, ranked: Ranked) -> None:
    """The whole section."""
    manifest = page.dataset.manifest
    offered = [p.key for p in targeted(manifest) if priority_budget.benefit(p.key, manifest.as_of)[0] > 0]
    if not offered:
        st.info(page.t("act_no_programme"))
        return
    codes = tuple(str(c) for c in ranked.table.index)
    budget, chosen = _controls(page, plan, ranked, offered, codes)
    if budget is None:
        return
    try:
        bought = cache_prioritas.bought(page.key, plan, chosen, budget)
    except UserError as error:
        notices.refusal(error.message(page.lang))
        last = st.session_state.get("prioritas.last_budget")
        if last is None or last[0] != plan.level:
            return
        st.caption(page.t("last_good"))
        _, chosen, budget = last
        bought = cache_prioritas.bought(page.key, plan, chosen, budget)
    st.session_state["prioritas.last_budget"] = (plan.level, chosen, budget)
    _result(page, plan, budget, bought)
    _zones(page, plan, bought)


def _controls(
    page: Page, plan: Plan, ranked: Ranked, offered: list[str], codes: tuple[str, ...]
) -> tuple[Budget | None, tuple[str, ...]]:
    lang = page.lang
    index = tuple(st.session_state.get(INDEX, ()))
    with st.container(border=True):
        columns = st.columns([0.24, 0.18, 0.26, 0.18, 0.14], vertical_alignment="bottom")
        with columns[0]:
            picked = st.multiselect(
                page.t("budget_programmes"), offered, default=offered[:1], key="prioritas.programmes",
                format_func=lambda k: page.t(f"programme_{k}"), placeholder=page.t("budget_programmes_empty"),
            )  # fmt: skip
        with columns[3]:
            only_top = st.toggle(page.t("budget_only_top", top=ranked.top), key="prioritas.only_top")
        chosen = tuple(str(c) for c in ranked.table.index[(ranked.table["rank"] <= ranked.top).fillna(False)]) \
            if only_top else codes  # fmt: skip
        if not picked:
            st.info(page.t("budget_programmes_empty"))
            return None, chosen
        whole = cache_prioritas.whole_cost(page.key, plan, chosen, tuple(picked), index)
        with columns[1]:
            key = f"prioritas.budget.{'-'.join(sorted(picked))}.{plan.level}.{plan.within}.{only_top}"
            money = st.number_input(page.t("budget_money"), min_value=0.0, value=float(round(whole / 4 / BILLION)),
                                    step=100.0, format="%.0f", key=key,
                                    help=page.t("budget_money_help", whole=numbers.rupiah(whole, lang)))  # fmt: skip
        with columns[2]:
            objective = st.selectbox(page.t("budget_objective"), OBJECTIVES, key="prioritas.objective",
                                     format_func=lambda o: page.t(f"objective_{o}"))  # fmt: skip
        with columns[4]:
            least, most = st.slider(page.t("budget_bounds"), 0, 100, (0, 100), key="prioritas.bounds",
                                    help=page.t("budget_bounds_help"))  # fmt: skip
        _index_upload(page, plan)
    day = page.dataset.manifest.as_of
    return Budget(tuple(picked), float(money) * BILLION, str(objective), least / 100, most / 100, index, day), chosen


def _index_upload(page: Page, plan: Plan) -> None:
    with st.popover(page.t("cost_title"), icon=":material/payments:"):
        st.markdown(priority_rules().cost_note[page.lang])
        shown = pd.DataFrame({page.t("filter_island"): list(priority_rules().cost_by_island),
                              page.t("cost_column"): list(priority_rules().cost_by_island.values())})  # fmt: skip
        st.dataframe(written(shown, {page.t("cost_column"): 2}, page.lang), hide_index=True, alt=page.t("cost_title"))
        file = st.file_uploader(page.t("cost_file"), type=["csv", "txt", "tsv"], key="prioritas.cost_file")
        if file is None:
            st.session_state.pop(INDEX, None)
            return
        try:
            found = own_indicator.read(file.getvalue())
            if found.level != plan.level or (found.frame["value"] <= 0).any():
                raise UserError("errors_prioritas.cost_index")
        except UserError as error:
            notices.refusal(error.message(page.lang))
            return
        for problem in found.problems:
            notices.caution(problem.text(page.lang))
        values = tuple((str(c), float(v)) for c, v in zip(found.frame["code"], found.frame["value"]))
        if st.session_state.get(INDEX) != values:
            st.session_state[INDEX] = values
            st.rerun()
        st.success(page.t("own_added", count=len(values), missing=found.missing))


def _objective_text(page: Page, budget: Budget, value: float) -> str:
    if budget.objective == "lowest":
        return numbers.percent(value, page.lang, 1)
    if budget.objective == "gap":
        return numbers.rupiah(value, page.lang)
    return page.t("people_text", people=numbers.people(value, page.lang))


def _result(page: Page, plan: Plan, budget: Budget, bought: Bought) -> None:
    lang, found = page.lang, bought.found
    reached = _objective_text(page, budget, found.objective)
    st.subheader(
        page.t(f"bought_{budget.objective}", money=numbers.rupiah(budget.rupiah, lang), reached=reached,
               more=_objective_text(page, budget, found.gap)),
        anchor=False,
    )  # fmt: skip
    one = {"people": numbers.number(found.shadow_price * BILLION, lang, 0),
           "gap": numbers.rupiah(found.shadow_price * BILLION, lang),
           "lowest": numbers.number(found.shadow_price * BILLION * 100, lang, 4)}[budget.objective]  # fmt: skip
    cells = st.columns(4)
    cells[0].metric(page.t("metric_reached"), reached)
    cells[1].metric(page.t("metric_price"), one, help=page.t(f"metric_price_help_{budget.objective}"))
    cells[2].metric(page.t("metric_rule"), _objective_text(page, budget, found.proportional_objective),
                    help=page.t("metric_rule_help"))  # fmt: skip
    lowest = found.coverage.min()
    cells[3].metric(page.t("metric_lowest"), numbers.percent(lowest, lang, 1))
    st.caption(page.t("bought_note", spent=numbers.rupiah(found.spent, lang),
                      whole=numbers.rupiah(bought.whole_cost, lang),
                      sources="; ".join(f"{page.t(f'programme_{k}')}: {priority_budget.benefit(k, budget.day)[1]}"
                                        for k in budget.programmes))
               + " " + page.t("table_sources", sources=data_line(page) + "."))  # fmt: skip
    table = pd.DataFrame({"code": found.allocation.index})
    table[page.t("column_name")] = [units.label(str(c)) for c in table["code"]]
    table[page.t("column_need")] = bought.need.sum(axis=1).to_numpy().round()
    for k in budget.programmes:
        table[page.t("column_bought", programme=page.t(f"programme_{k}"))] = found.allocation[k].to_numpy().round()
    table[page.t("column_coverage")] = found.coverage.to_numpy() * 100
    table[page.t("column_money")] = found.spending.sum(axis=1).to_numpy() / BILLION
    table[page.t("column_rule")] = found.proportional.sum(axis=1).to_numpy().round()
    table[page.t("column_n")] = cache_prioritas.areas(page.key, plan)["n"].reindex(table["code"]).to_numpy()
    table = table.sort_values(page.t("column_money"), ascending=False, ignore_index=True)
    left, right = st.columns([0.6, 0.4], gap="medium")
    with left:
        share = page.t("column_coverage")
        decimals = {c: int(c in (share, page.t("column_money"))) for c in table.columns[2:]}
        shown = written(table.drop(columns="code"), decimals, lang, percent=share)
        st.dataframe(shown, hide_index=True, height=360, placeholder="–", alt=page.t("bought_alt"))
    with right:
        st.markdown(f"**{_frontier_title(page, bought, budget)}**")
        here = float(found.coverage.min()), float(found.objective if budget.objective != "lowest" else
                                                  found.allocation.to_numpy().sum())  # fmt: skip
        axis = page.t("axis_gap" if budget.objective == "gap" else "axis_people")
        st.plotly_chart(prioritas_charts.frontier(bought.line, here, lang, axis), key="prioritas.frontier",
                        config=theme.CONFIG, alt=page.t("frontier_alt"))  # fmt: skip
        st.caption(page.t("frontier_help"))
    aim = page.t(f"objective_{budget.objective}")
    note = [page.t("bought_file", money=numbers.rupiah(budget.rupiah, lang), objective=aim),
            page.t("ui.simulated_help" if page.dataset.simulated else "ui.real"), page.dataset.version,
            priority_rules().cost_note[lang]]  # fmt: skip
    out = table.rename(columns={"code": page.t("column_code")})
    st.download_button(
        page.t("download_xlsx"),
        lambda: peringkat_export.xlsx_bytes([Sheet(page.t("view_alokasi"), out)], note, lang),
        "alokasi.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        key="prioritas.budget_xlsx", icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _frontier_title(page: Page, bought: Bought, budget: Budget) -> str:
    first, last = bought.line.iloc[0], bought.line.iloc[-1]
    loss = 1 - last["objective"] / first["objective"] if first["objective"] > 0 else float("nan")
    return page.t("frontier_title", most=numbers.percent(last["lowest_coverage"], page.lang, 1),
                  loss=numbers.percent(loss, page.lang, 0))  # fmt: skip


def _zones(page: Page, plan: Plan, bought: Bought) -> None:
    """Contiguous work zones of equal caseload inside one province."""
    st.markdown(f"**{page.t('zones_title')}**")
    if plan.within == units.NATION:
        st.caption(page.t("zones_province"))
        return
    load = bought.need.sum(axis=1)
    load = load[load.index.str.startswith(plan.within)]
    most = max(2, min(12, len(load)))
    if len(load) < 2 or load.sum() <= 0:
        st.caption(page.t("zones_none"))
        return
    count = st.slider(page.t("zones_count"), 2, most, min(4, most), key="prioritas.zones")
    zones = cache_prioritas.zones(page.key, plan.level, tuple(load.index), tuple(load.to_numpy().tolist()), int(count))
    title = page.t("zones_finding", count=count, balance=numbers.percent(zones.balance - 1, page.lang, 0),
                   links=len(zones.sea_links))  # fmt: skip
    st.markdown(title)
    left, right = st.columns([0.6, 0.4], gap="medium")
    with left:
        rows = pd.DataFrame({"code": load.index, "klass": zone_classes(zones.zone.to_numpy()), "doubt": 0})
        n = cache_prioritas.areas(page.key, plan)["n"].reindex(load.index)
        facts = np.column_stack([zones.zone.to_numpy(float), load.to_numpy(float), n.to_numpy(float)])
        hover = prioritas.one_hover(facts, page.t("zones_hover", source=data_line(page)), page.lang)
        area_map(page, plan, rows, ZONE_COLOURS, hover, title, "prioritas.zone_map")
    with right:
        shown = pd.DataFrame({page.t("zones_zone"): zones.load.index,
                              page.t("column_need"): zones.load.round(0).to_numpy(),
                              page.t("zones_areas"): zones.zone.value_counts().sort_index().to_numpy()})  # fmt: skip
        st.dataframe(written(shown, dict.fromkeys(shown, 0), page.lang), hide_index=True, alt=page.t("zones_title"))
        st.caption(page.t("zones_help", level=prioritas.level_name(plan.level, page.lang)) + " "
                   + page.t("table_sources", sources=data_line(page) + "."))  # fmt: skip
