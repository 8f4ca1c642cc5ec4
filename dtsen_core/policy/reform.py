"""A reform of one programme, simulated on the cells of a cube: who is served, what it costs, what it changes.

Everything is *simulated*: nobody changes behaviour, a benefit raises the expenditure of a family by its amount
shared among its members, and estimated expenditure is taken to contain the benefits paid today.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.errors import InternalError
from dtsen_core.paths import RULES
from dtsen_core.policy import places
from dtsen_core.policy.cube import GROUPS, Cube
from dtsen_core.policy.places import Order, Side
from dtsen_core.policy.programme_rules import Rule
from dtsen_core.policy.reform_poverty import Shift, poverty_effect
from dtsen_core.policy.reform_spec import Reform, changed_rule
from dtsen_core.rank.expenditure import Residuals
from dtsen_core.rank.scorecard import REGENCIES
from dtsen_core.regions import units

Floats = npt.NDArray[np.float64]
ALL_GROUPS = (*GROUPS, "rural", "remote")
_EPS = 1e-9


@dataclass(frozen=True, eq=False)
class State:
    """One side of a comparison. `served` and `eligible` weighted units of each cell, `each` Rp a unit and year."""

    side: Side
    eligible: Floats
    served: Floats
    each: Floats

    def families(self, cube: Cube) -> Floats:
        """Families with a beneficiary (a family's units are served together)."""
        count = cube.units(self.side.rule.unit)
        share = np.divide(self.served, count, out=np.zeros_like(count), where=count > 0)
        return np.minimum(share, 1.0) * cube.families

    @property
    def cost(self) -> float:
        """Rp a year; NaN where an amount is not known."""
        taken = self.served > 0
        return float((self.served[taken] * self.each[taken]).sum())


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a reform does; counts are weighted. Unpublished: pass the tables through `oversight.disclosure`.

    totals   one row: units and families eligible, served and cost (Rp a year) before and after, winners and losers
             (families), enrolled today, quota
    deciles  by delivered national decile: decile, n, families, before, after (families served), winners, losers,
             cost_before, cost_after
    areas    by regency: code, name, n, families, before, after, winners, losers, change (families)
    groups   by group ("all", female_head, elderly_head, disability, rural, remote): families, before, after, winners,
             losers
    poverty  national p0, p1, p2, gini, poor_persons before and after, and se, the standard errors of their changes;
             None where expenditure cannot be estimated
    warnings keys of sentences in errors_simulasi, with parameters
    """

    reform: Reform
    old: Rule
    new: Rule
    totals: dict[str, float]
    deciles: pd.DataFrame
    areas: pd.DataFrame
    groups: pd.DataFrame
    poverty: dict[str, dict[str, float]] | None
    warnings: tuple[tuple[str, dict[str, Any]], ...]


def states(cube: Cube, old: Rule, reform: Reform) -> tuple[State, State]:
    """(before, after). For a new programme nobody is served before."""
    base = places.base_order(cube)
    order = places.other_order(cube) if reform.model else base
    new = changed_rule(old, reform)
    before = Side(old, base, places.eligible_share(cube, old, base))
    after = Side(new, order, places.eligible_share(cube, new, order, reform.score_to))
    listed = reform.basis == "enrolment" and places.known(cube, old)
    if reform.design is not None:
        first = np.zeros(len(cube.rows))
    else:
        first = places.enrolled(cube, old) if listed else places.by_rule(cube, old, base, before.share)
    second = places.from_lists(cube, before, after) if listed else places.by_rule(cube, new, order, after.share)
    count = cube.units(old.unit)
    return (
        State(before, count * before.share, first, places.value(cube, old)),
        State(after, count * after.share, second, places.value(cube, new)),
    )


def simulate(cube: Cube, old: Rule, reform: Reform, residuals: Residuals | None = None) -> Outcome:
    """Compute `reform` of the rule `old`; without `residuals` no poverty effect. UserError for an impossible one."""
    before, after = states(cube, old, reform)
    pieces = _pieces(cube, before, after)
    winners, losers = pieces.winners, pieces.losers
    columns = {
        "n": cube.rows, "families": cube.families, "before": before.families(cube), "after": after.families(cube),
        "winners": winners, "losers": losers,
        "cost_before": _paid(before), "cost_after": _paid(after),
    }  # fmt: skip
    deciles = pd.DataFrame({k: np.bincount(cube.decile, v, 11) for k, v in columns.items()})
    deciles.insert(0, "decile", range(11))
    deciles[["cost_before", "cost_after"]] = deciles[["cost_before", "cost_after"]].astype(float)
    people = cube.sums["persons"] * cube.weight
    effect = None
    if residuals is not None and cube.model and not pieces.unpriced:
        effect = poverty_effect(cube, residuals, pieces.shifts(cube), reform.line)
    totals = {
        "eligible_before": float(before.eligible.sum()), "eligible_after": float(after.eligible.sum()),
        "served_before": float(before.served.sum()), "served_after": float(after.served.sum()),
        "families_before": float(columns["before"].sum()), "families_after": float(columns["after"].sum()),
        "cost_before": before.cost, "cost_after": after.cost,
        "winners": float(winners.sum()), "losers": float(losers.sum()),
        "enrolled": float(places.enrolled(cube, old).sum()) if places.known(cube, old) else float("nan"),
        "quota_before": float("nan") if old.quota is None else float(old.quota),
        "quota_after": float("nan") if after.side.rule.quota is None else float(after.side.rule.quota),
        "families": float(cube.families.sum()), "persons": float(people.sum()),
        "units": float(cube.units(old.unit).sum()), "n": float(cube.rows.sum()), **grievances(cube, after),
    }  # fmt: skip
    return Outcome(
        reform, old, after.side.rule, totals, deciles, _areas(cube, columns), _groups(cube, columns), effect,
        _warnings(cube, reform, after, totals, effect),
    )  # fmt: skip


def grievances(cube: Cube, after: State) -> dict[str, float]:
    """Families near the cut-off and the objections to expect from them, under the declared assumption.

    The cut-off is the place in the national order at which places given in order end; near are the families
    within the declared share of all families to either side.
    """
    assumed, order = grievance_rule(), after.side.order
    given = places.by_rule(cube, after.side.rule, order, after.side.share, keep_protected=False)
    if given.sum() <= 0:
        return {"near": 0.0, "objections": 0.0}
    low = int(order.score.min())
    by_score = np.bincount(order.score - low, cube.families)
    middle = (np.cumsum(by_score) - by_score / 2) / by_score.sum()
    cut = (np.cumsum(by_score) / by_score.sum())[int(order.score[given > 0].max()) - low]
    near = float(by_score[np.abs(middle - cut) <= assumed["window"]].sum())
    return {"near": near, "objections": near * assumed["rate"]}


@lru_cache(maxsize=1)
def grievance_rule() -> dict[str, float]:
    """Window (share of all families to either side of the cut-off) and rate of objections: assumptions."""
    raw = tomllib.loads((RULES / "grievance.toml").read_text(encoding="utf-8"))
    return {"window": float(raw["window"]), "rate": float(raw["rate"])}


def _paid(state: State) -> Floats:
    return np.where(state.served > 0, state.served * state.each, 0.0)


@dataclass(frozen=True, eq=False)
class _Pieces:
    """The families of each cell in four parts: newly in, out, served on both sides, neither; and Rp per family."""

    entered: Floats
    left: Floats
    both: Floats
    old: Floats
    new: Floats
    unpriced: bool

    @property
    def winners(self) -> Floats:
        """Families that receive more than before (a place of unknown worth is still a place)."""
        return self.entered + np.where(self.new > self.old + 0.5, self.both, 0.0)

    @property
    def losers(self) -> Floats:
        return self.left + np.where(self.new < self.old - 0.5, self.both, 0.0)

    def shifts(self, cube: Cube) -> list[Shift]:
        """Persons whose expenditure changes, and by how much (Rp per person and month)."""
        size = cube.sums["persons"] / cube.rows
        parts = ((self.entered, self.new), (self.left, -self.old), (self.both, self.new - self.old))
        found = []
        for families, amount in parts:
            at = np.flatnonzero((families > _EPS) & (np.abs(amount) > 0.5))
            if len(at):
                found.append(Shift(at, families[at] * size[at], amount[at] / size[at] / places.MONTHS))
        return found


def _pieces(cube: Cube, before: State, after: State) -> _Pieces:
    a, b = before.families(cube), after.families(cube)
    count = cube.units(before.side.rule.unit)
    per_family = np.divide(count, cube.families, out=np.zeros_like(count), where=cube.families > 0)
    old, new = np.nan_to_num(before.each) * per_family, np.nan_to_num(after.each) * per_family
    moved = b - a
    unpriced = bool((np.isnan(before.each) & (a > 0)).any() or (np.isnan(after.each) & (b > 0)).any())
    return _Pieces(np.maximum(moved, 0.0), np.maximum(-moved, 0.0), np.minimum(a, b), old, new, unpriced)


def _areas(cube: Cube, columns: dict[str, Floats]) -> pd.DataFrame:
    table = units.table("regency")[["code", "name"]].reset_index(drop=True)
    for name in ("n", "families", "before", "after", "winners", "losers"):
        table[name] = np.bincount(cube.regency, columns[name], REGENCIES)
    table["change"] = table["after"] - table["before"]
    return table[table["n"] > 0].reset_index(drop=True)


def by_province(areas: pd.DataFrame) -> pd.DataFrame:
    """The regency table summed to provinces."""
    sums = [c for c in areas if c not in ("code", "name")]
    found = areas.groupby(areas["code"].str[:2])[sums].sum()
    names = units.table("province").set_index("code")["name"]
    found.insert(0, "name", names.reindex(found.index))
    return found.rename_axis("code").reset_index()


def _groups(cube: Cube, columns: dict[str, Floats]) -> pd.DataFrame:
    rows = []
    for name in ("all", *ALL_GROUPS):
        if name == "all":
            part = np.ones(len(cube.rows))
        elif name == "rural":
            part = (cube.urban == 2).astype(np.float64)
        elif name == "remote":
            part = disadvantaged()[cube.regency].astype(np.float64)
        else:
            part = cube.sums[name] / cube.rows
        shown = ("n", "families", "before", "after", "winners", "losers")
        rows.append({"group": name, **{c: float((columns[c] * part).sum()) for c in shown}})
    return pd.DataFrame(rows)


@lru_cache(maxsize=1)
def disadvantaged() -> npt.NDArray[np.bool_]:
    """Whether each regency is declared disadvantaged, shape (514,); ``data/rules/disadvantaged_regencies.toml``."""
    raw = tomllib.loads((RULES / "disadvantaged_regencies.toml").read_text(encoding="utf-8"))
    known = units.table("regency")["code"]
    if unknown := set(raw["codes"]) - set(known):
        raise InternalError(f"disadvantaged_regencies.toml names unknown regencies: {', '.join(sorted(unknown))}")
    return known.isin(raw["codes"]).to_numpy(bool)


def _warnings(
    cube: Cube, reform: Reform, after: State, totals: dict[str, float], effect: dict[str, dict[str, float]] | None
) -> tuple[tuple[str, dict[str, Any]], ...]:
    rule = after.side.rule
    found: list[tuple[str, dict[str, Any]]] = []
    if totals["eligible_after"] <= 0:
        found.append(("nobody" if rule.deciles else "no_decile_rule", {}))
    elif totals["eligible_after"] >= totals["units"] * (1 - 1e-9):
        found.append(("everyone", {}))
    if np.isnan(totals["cost_after"]):
        found.append(("no_amount", {}))
    if rule.quota is not None and 0 < totals["eligible_after"] < rule.quota:
        found.append(("quota_above_need", {}))
    if effect is not None:
        size = cube.sums["persons"] / cube.rows
        count = cube.units(rule.unit) / cube.families
        monthly = np.where(after.served > 0, np.nan_to_num(after.each) * count / size / places.MONTHS, 0.0)
        if float(monthly.max(initial=0.0)) > effect["before"]["mean"]:
            found.append(("benefit_above_expenditure", {}))
    if reform.basis == "enrolment" and reform.design is None and not places.known(cube, rule):
        found.append(("no_lists", {}))
    if "pregnancy" in {part.key for part in rule.components}:
        found.append(("pregnancy", {}))
    return tuple(found)


@dataclass(frozen=True)
class BudgetFit:
    """The cut-off that a yearly budget pays for, all below it served: highest `score` included (None = nobody),
    the `decile` position (3.4 = four tenths of decile 4), units, families, cost and the share of families below."""

    score: int | None
    decile: float
    units: float
    families: float
    cost: float
    share: float


def fit_budget(cube: Cube, rule: Rule, budget: float, order: Order | None = None) -> BudgetFit | None:
    """The highest score up to which everybody who meets the condition of `rule` can be served within `budget` (Rp
    a year), no quota; None where the amount is not known. ValueError for a budget that is not above zero.

    Cost rises with the score, so a search over the sums of all scores is exact: one score more would not fit.
    """
    if not budget > 0:
        raise ValueError("the budget must be above zero")
    order = order or places.base_order(cube)
    top = int(order.score.max()) if len(order.score) else 0
    wanted = cube.units(rule.unit) * places.eligible_share(cube, rule, order, top)
    each = places.value(cube, rule)
    if np.isnan(each[wanted > 0]).any():
        return None
    low = int(order.score.min()) if len(order.score) else 0
    cost = np.cumsum(np.bincount(order.score - low, np.where(wanted > 0, wanted * each, 0.0)))
    inside = int(np.searchsorted(cost, budget * (1 + 1e-12), side="right"))
    if inside == 0:
        return BudgetFit(None, 0.0, 0.0, 0.0, 0.0, 0.0)
    at = low + inside - 1
    below = order.score <= at
    share = float(cube.families[below].sum() / cube.families.sum())
    per = np.divide(wanted, cube.units(rule.unit), out=np.zeros_like(wanted), where=cube.units(rule.unit) > 0)
    return BudgetFit(
        at, 10 * share, float(wanted[below].sum()), float((per * cube.families)[below].sum()), float(cost[inside - 1]),
        share,
    )  # fmt: skip


