"""Cached answers of the simulation and needs pages; keys are scalars, and what is kept has been published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from dtsen_core.oversight import disclosure, tables
from dtsen_core.oversight.disclosure import Published, TableSpec
from dtsen_core.policy import needs, reform_run
from dtsen_core.policy.programme_rules import Rule, rules_on
from dtsen_core.policy.reform import BudgetFit, by_province
from dtsen_core.policy.reform_spec import Reform, parse_reform
from dtsen_core.ui import cache
from dtsen_core.ui.cache import DatasetKey


@dataclass(frozen=True)
class Simulated:
    """One reform as it may be shown: `totals` and `groups` by name, tables by decile, province and regency."""

    reform: Reform
    old: Rule
    new: Rule
    totals: Published
    deciles: Published
    provinces: Published
    regencies: Published
    groups: Published
    warnings: tuple[tuple[str, dict[str, Any]], ...]

    @property
    def figures(self) -> dict[str, float]:
        row = self.totals.frame.iloc[0]
        return {str(name): float(value) for name, value in row.items() if name != "key"}

    @property
    def measured(self) -> bool:
        return "before_p0" in self.totals.frame


def _rated(frame: pd.DataFrame) -> pd.DataFrame:
    base = frame["families"].where(frame["families"] > 0)
    return frame.assign(**{f"{c}_rate": frame[c] / base for c in ("before", "after", "winners", "losers")})


@st.cache_data(max_entries=64, show_spinner=False)
def _simulated(path: str, stamp: str, rules: str, code: str, own: str) -> Simulated:
    dataset = cache.dataset(DatasetKey(path, stamp))
    found = reform_run.simulated_reform(dataset, parse_reform(code), own)
    origin = dataset.manifest.origin
    row: dict[str, object] = {"key": "ID", **found.totals}
    for side, values in (found.poverty or {}).items():
        row |= {f"{side}_{name}": value for name, value in values.items()}
    totals = pd.DataFrame([row])
    areas = found.areas.drop(columns="change")
    groups = found.groups[found.groups["group"] != "all"].reset_index(drop=True)
    return Simulated(
        reform=found.reform, old=found.old, new=found.new,
        totals=disclosure.publish(totals, tables.reform_totals(totals.columns), origin=origin),
        deciles=disclosure.publish(_rated(found.deciles), tables.reform("decile", costs=True), origin=origin),
        provinces=disclosure.publish(_rated(by_province(areas)), tables.reform("code"), origin=origin),
        regencies=disclosure.publish(_rated(areas), tables.reform("code"), origin=origin),
        groups=disclosure.publish(_rated(groups), tables.reform("group"), origin=origin),
        warnings=found.warnings,
    )  # fmt: skip


def simulated(key: DatasetKey, wanted: Reform, own: str = "") -> Simulated:
    """The published outcome of `wanted`, computed once per dataset and state of the rule files."""
    return _simulated(*key, rules_stamp(key), wanted.code, own)


def rules(key: DatasetKey) -> tuple[Rule, ...]:
    """Rules in force on the date of the data."""
    return rules_on(cache.dataset(key).manifest.as_of)


def rules_stamp(key: DatasetKey) -> str:
    """A text that changes when a rule in force does."""
    return str(hash(repr(rules(key))))


@st.cache_data(max_entries=4, show_spinner=False)
def other_models(path: str, stamp: str) -> tuple[str, ...]:
    return reform_run.other_models(cache.dataset(DatasetKey(path, stamp)))


@st.cache_data(max_entries=32, show_spinner=False)
def _affordable(path: str, stamp: str, rules: str, code: str, own: str, budget: float) -> BudgetFit | None:
    dataset = cache.dataset(DatasetKey(path, stamp))
    fit = reform_run.affordable(dataset, parse_reform(code), budget, own)
    if fit is None or fit.score is None:
        return fit
    row = pd.DataFrame([{"key": "ID", "families": fit.families}])
    shown = disclosure.publish(row, TableSpec(key="key", counts=("families",)), origin=dataset.manifest.origin)
    return None if shown.any_suppressed else fit


def affordable(key: DatasetKey, wanted: Reform, budget: float, own: str = "") -> BudgetFit | None:
    return _affordable(*key, rules_stamp(key), wanted.code, own, budget)


@dataclass(frozen=True)
class Needs:
    """Need and quota of one programme as they may be shown."""

    rule: Rule
    areas: Published
    deciles: Published
    budget: dict[str, float]


@st.cache_data(max_entries=48, show_spinner=False)
def _needs(
    path: str, stamp: str, rules: str, programme: str, level: str, parent: str | None, split: str, quotas: str
) -> Needs:
    dataset = cache.dataset(DatasetKey(path, stamp))
    rule = next(r for r in rules_on(dataset.manifest.as_of) if r.key == programme)
    given = needs.read_quotas(quotas.encode()) if quotas else None
    areas = needs.needs_by_area(dataset, rule, level, parent, split, given).drop(columns=["units", "gap"])
    deciles = needs.needs_by_decile(dataset, rule, parent).drop(columns="units")
    for frame in (areas, deciles):
        frame["coverage"] = frame["enrolled_eligible"] / frame["eligible"].where(frame["eligible"] > 0)
    origin = dataset.manifest.origin
    budget = needs.yearly_budget(dataset, rule, parent)
    money = pd.DataFrame([{"key": "ID", "families": deciles["families"].sum(), **budget}])
    sealed = disclosure.publish(
        money,
        TableSpec(
            key="key", counts=("families",), measures=("eligible", "placed", "enrolled"), public=("published",)
        ),
        origin=origin,
    )
    return Needs(
        rule=rule,
        areas=disclosure.publish(areas, tables.needs("code", rule.unit, ("quota",)), origin=origin),
        deciles=disclosure.publish(
            deciles, tables.needs("decile", rule.unit, ("placed", "kept", "cost")), origin=origin
        ),
        budget={name: float(sealed.frame[name].iloc[0]) for name in budget},
    )


def needed(key: DatasetKey, programme: str, level: str, parent: str | None, split: str, quotas: str = "") -> Needs:
    return _needs(*key, rules_stamp(key), programme, level, parent, split, quotas)
