"""What a budget buys among those a programme misses: the demand in persons, its costs, and the allocation.

Families and persons are never added up: a programme of families enters with the persons of the families it misses, and
its cost per person is the family's benefit divided by the persons per family missed there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.policy.allocation import Allocation, allocate, frontier
from dtsen_core.policy.estimates import poverty_lines
from dtsen_core.policy.priority_rules import priority_rules
from dtsen_core.policy.programme_rules import Rule, summary_rules
from dtsen_core.regions import official, units

OBJECTIVES = ("people", "gap", "lowest")


@dataclass(frozen=True)
class Budget:
    """`rupiah` to spend on `programmes` for a year; `least`, `most`: coverage of the missed each area gets at least
    and at most (fractions); `objective` one of `OBJECTIVES`; `index`: cost index by code, empty = by island group;
    `day` (ISO): the date whose programme rules hold."""

    programmes: tuple[str, ...]
    rupiah: float
    objective: str = "people"
    least: float = 0.0
    most: float = 1.0
    index: tuple[tuple[str, float], ...] = ()
    day: str = "2026-01-23"


def cost_index(codes: pd.Index, index: Mapping[str, float]) -> pd.Series:
    """Cost index of each area: an uploaded one (areas it lacks take 1), else the declared one of its island group."""
    if index:
        return pd.Series(index, dtype=float).reindex(codes).fillna(1.0)
    island = official.provinces().set_index("code")["island_group"]
    return codes.to_series().str[:2].map(island).map(priority_rules().cost_by_island).astype(float)


def _rules(day: str) -> dict[str, Rule]:
    return {rule.key: rule for rule in summary_rules(day)}


def benefit(key: str, day: str) -> tuple[float, str]:
    """(rupiah a year of one unit of a programme, source): its amount, else its budget / quota; 0 where unknown."""
    rule = _rules(day)[key]
    if rule.amount:
        return rule.amount, rule.source_amount or rule.source
    if rule.budget and rule.quota:
        return rule.budget / rule.quota, rule.source_budget or rule.source
    return 0.0, ""


def demand(missed: pd.DataFrame, keys: Sequence[str], day: str) -> pd.DataFrame:
    """Persons missed within a programme's deciles, by area and programme (withheld = 0)."""
    rule = _rules(day)
    size = missed["persons"] / missed["families"].where(missed["families"] > 0)
    out = {}
    for key in keys:
        units_missed = missed[f"{key}_quota"]
        out[key] = units_missed if rule[key].unit == "persons" else units_missed * size
    return pd.DataFrame(out).set_axis(missed["code"]).fillna(0.0).clip(lower=0)


def unit_costs(missed: pd.DataFrame, keys: Sequence[str], index: pd.Series, day: str) -> pd.DataFrame:
    """Rupiah a year to reach one more person, by area and programme."""
    rule = _rules(day)
    size = (missed["persons"] / missed["families"].where(missed["families"] > 0)).set_axis(missed["code"]).fillna(3.0)
    return pd.DataFrame(
        {k: benefit(k, day)[0] * index / (1.0 if rule[k].unit == "persons" else size) for k in keys}
    )  # fmt: skip


def gap_value(areas: pd.DataFrame, costs: pd.DataFrame, index: pd.Series) -> pd.DataFrame | None:
    """Rupiah of poverty gap that a year's benefit of one person closes on average, by area and programme.

    The poor among the missed are taken to be the area's poor / its persons in deciles 1–5, at most 1; the mean gap of a
    poor person is P1/P0 of the province's line, twelve months; more benefit than gap closes no more. None without a
    model (no P0).
    """
    if not {"p0", "p1", "persons_d15"} <= set(areas) or areas["p0"].isna().all():
        return None
    line = pd.Series(poverty_lines(), index=units.table("province")["code"])
    a = areas.reindex(costs.index)
    poor = (a["poor_persons"] / a["persons_d15"].where(a["persons_d15"] > 0)).clip(0, 1)
    gap = a["p1"] / a["p0"].where(a["p0"] > 0) * costs.index.to_series().str[:2].map(line) * 12
    benefit = costs.div(index, axis=0)
    return benefit.clip(upper=gap, axis=0).mul(poor, axis=0).fillna(0.0)


@dataclass(frozen=True, eq=False)
class Bought:
    """The allocation in persons, its frontier, and what went into it."""

    found: Allocation
    line: pd.DataFrame
    need: pd.DataFrame
    costs: pd.DataFrame
    whole_cost: float


def whole_cost(missed: pd.DataFrame, keys: Sequence[str], index: Mapping[str, float], day: str) -> float:
    """Rupiah a year to reach everybody missed."""
    need = demand(missed, keys, day)
    return float((need * unit_costs(missed, keys, cost_index(need.index, index), day)).to_numpy().sum())


def buy(missed: pd.DataFrame, areas: pd.DataFrame, budget: Budget) -> Bought:
    """Allocate `budget` among the areas of `missed` (published; withheld = 0). UserError: nobody missed, or bounds that
    cannot be met, with the reason of `allocate`."""
    keys = list(budget.programmes)
    need = demand(missed, keys, budget.day)
    if need.to_numpy().sum() <= 0:
        raise UserError("errors_prioritas.nobody")
    index = cost_index(need.index, dict(budget.index))
    costs = unit_costs(missed, keys, index, budget.day)
    value = gap_value(areas, costs, index) if budget.objective == "gap" else None
    if budget.objective == "gap" and value is None:
        raise UserError("errors_prioritas.no_gap")
    bounds = {"maximum": need * budget.most}
    try:
        found = allocate(need, costs, budget.rupiah, objective=budget.objective, value=value,
                         maximum=bounds["maximum"], lowest_coverage=budget.least)  # fmt: skip
    except ValueError as error:
        best = allocate(need, costs, budget.rupiah, objective="lowest", maximum=bounds["maximum"]).objective
        raise UserError("errors_prioritas.infeasible", least=round(budget.least * 100), most=int(best * 100)) from error
    aim = "gap" if budget.objective == "gap" else "people"
    line = frontier(need, costs, budget.rupiah, objective=aim, value=value, steps=9, maximum=bounds["maximum"])
    spent = float((need * costs).to_numpy().sum())
    return Bought(found, line, need, costs, spent)
