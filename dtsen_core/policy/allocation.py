"""What a budget buys: the best allocation over areas and programmes, its prices, and the simple rule beside it.

A linear programme (or, for whole units, a mixed-integer one) solved by HiGHS through `scipy.optimize`: Q. Huangfu &
J. A. J. Hall, *Mathematical Programming Computation* 10 (2018). For one programme without minimums the optimum is the
fractional knapsack of G. B. Dantzig, *Operations Research* 5 (1957): areas in the order of value per rupiah.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

Floats = npt.NDArray[np.float64]

OBJECTIVES = ("people", "gap", "lowest")
_ALIASES = {
    "coverage": "people", "people_covered": "people", "poverty_gap": "gap", "maxmin": "lowest", "max-min": "lowest",
}  # fmt: skip
_SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class Allocation:
    """The solution. Areas in rows, programmes in columns; one programme is one column.

    allocation     units bought (people or families, as `need` counts); `spending`: their cost, in the unit of `budget`
    objective      value reached: people covered, gap removed, or lowest coverage (a fraction of need)
    shadow_price   how much the objective grows per further unit of budget; 0 where money is left over
    duals          by area and programme: ``lower`` and ``upper``, how much the objective grows where that bound grows
                   by one unit (lower ≤ 0 ≤ upper)
    area_duals     the same for the bounds on an area's spending; `programme_duals` for the programmes' limits
    proportional   units bought by the simple rule: money in proportion to need, within the same bounds of each cell
    proportional_objective, gap   its objective, and objective − that
    coverage       by area, units bought / need (NaN without need); `proportional_coverage` likewise
    spent          total spending, at most `budget`
    status         "optimal", or "optimal (relaxed duals)" for whole units, whose prices are those of the relaxation
    """

    allocation: pd.DataFrame
    spending: pd.DataFrame
    objective: float
    shadow_price: float
    duals: pd.DataFrame
    area_duals: pd.DataFrame
    programme_duals: pd.Series
    proportional: pd.DataFrame
    proportional_objective: float
    gap: float
    coverage: pd.Series
    proportional_coverage: pd.Series
    spent: float
    budget: float
    status: str


def allocate(
    need: Any,
    unit_cost: Any,
    budget: float,
    *,
    objective: str = "people",
    value: Any = None,
    minimum: Any = None,
    maximum: Any = None,
    area_minimum: Any = None,
    area_maximum: Any = None,
    programme_maximum: Any = None,
    lowest_coverage: float = 0.0,
    integer: bool = False,
) -> Allocation:
    """Spend at most `budget` on the `need` of areas so that the objective is largest.

    need               units (people, families) by area, shape (n,), or by area and programme (n, k)
    unit_cost          cost of one unit, > 0: a number, (n,), (k,) as Series by programme, or (n, k); in the unit of
                       `budget`
    objective          "people": Σ units; "gap": Σ value · units, `value` being the gap one unit removes (same shapes
                       as `unit_cost`, 0 or more); "lowest": the lowest coverage Σ units / Σ need of any area with
                       need, and then, without lowering it, the most units
    minimum, maximum   units by area (and programme); maximum never beyond need; default 0 and need
    area_minimum, area_maximum   spending by area, (n,)
    programme_maximum  units by programme, (k,): a quota
    lowest_coverage    coverage every area with need must reach at least, 0–1
    integer            whole units only, within 0.01 % of the optimum

    Returns an `Allocation`. ValueError in one sentence: shapes that differ, numbers negative or missing, unknown
    objective, and every infeasible demand, naming the bound that breaks.

    >>> allocate([100, 50], [2.0, 1.0], 150).allocation["need"].tolist()
    [50.0, 50.0]
    """
    kind = _ALIASES.get(objective, objective)
    if kind not in OBJECTIVES:
        raise ValueError(f"objective must be one of {', '.join(OBJECTIVES)}, not {objective!r}")
    p = _Task.of(need, unit_cost, budget, kind, value, minimum, maximum, area_minimum, area_maximum,
                 programme_maximum, lowest_coverage)  # fmt: skip
    p.refuse_infeasible()
    solved = _solve(p, kind, integer)
    rule = proportional(p)
    reached, simple = p.objective(solved.x, kind), p.objective(rule, kind)
    table = p.frame
    x = solved.x.reshape(p.shape)
    lower, upper = solved.lower.reshape(p.shape), solved.upper.reshape(p.shape)
    names = list(table.columns)
    return Allocation(
        allocation=pd.DataFrame(x, index=table.index, columns=names),
        spending=pd.DataFrame(x * p.cost, index=table.index, columns=names), objective=reached,
        shadow_price=solved.budget,
        duals=pd.DataFrame(
            np.hstack([lower, upper]), index=table.index,
            columns=pd.MultiIndex.from_product([["lower", "upper"], names]),
        ),
        area_duals=pd.DataFrame({"minimum": solved.area_low, "maximum": solved.area_high}, index=table.index),
        programme_duals=pd.Series(solved.programme, index=names, name="maximum"),
        proportional=pd.DataFrame(rule.reshape(p.shape), index=table.index, columns=names),
        proportional_objective=simple, gap=reached - simple,
        coverage=pd.Series(p.coverage(solved.x), index=table.index, name="coverage"),
        proportional_coverage=pd.Series(p.coverage(rule), index=table.index, name="coverage"),
        spent=float(solved.x @ p.cost.ravel()), budget=p.budget,
        status="optimal (relaxed duals)" if integer else "optimal",
    )  # fmt: skip


def frontier(
    need: Any, unit_cost: Any, budget: float, *, objective: str = "people", value: Any = None, steps: int = 11,
    **bounds: Any,
) -> pd.DataFrame:  # fmt: skip
    """What equality costs: for `steps` levels of the lowest coverage, from that of the plain optimum to the highest
    the budget allows, the largest `objective` ("people" or "gap").

    Columns ``lowest_coverage, objective, share`` (of the unconstrained objective) and ``spent``.
    """
    if isinstance(steps, bool) or int(steps) != steps or not 2 <= steps <= 101:
        raise ValueError(f"steps must be a whole number from 2 to 101, not {steps!r}")
    free = allocate(need, unit_cost, budget, objective=objective, value=value, **bounds)
    most = allocate(need, unit_cost, budget, objective="lowest", **bounds).objective
    floor = float(np.nanmin(free.coverage)) if free.coverage.notna().any() else 0.0
    rows = []
    for level in np.linspace(min(floor, most), most, int(steps)):
        found = allocate(need, unit_cost, budget, objective=objective, value=value,
                         lowest_coverage=float(max(0.0, level - 1e-9)), **bounds)  # fmt: skip
        share = found.objective / free.objective if free.objective > 0 else np.nan
        rows.append({"lowest_coverage": level, "objective": found.objective, "share": share, "spent": found.spent})
    return pd.DataFrame(rows)


@dataclass(frozen=True, eq=False)
class _Task:
    """Checked demand; matrices (n, k), `frame` carries the labels."""

    frame: pd.DataFrame
    need: Floats
    cost: Floats
    value: Floats
    low: Floats
    high: Floats
    area_low: Floats
    area_high: Floats
    quota: Floats
    floor: float
    budget: float

    @property
    def shape(self) -> tuple[int, int]:
        return (self.need.shape[0], self.need.shape[1])

    @staticmethod
    def of(need: Any, unit_cost: Any, budget: Any, kind: str, value: Any, minimum: Any, maximum: Any,
           area_minimum: Any, area_maximum: Any, quota: Any, floor: Any) -> _Task:  # fmt: skip
        frame = _labels(need)
        n, k = frame.shape
        wanted = frame.to_numpy(np.float64)
        _refuse(wanted, "need", frame)
        cost = _matrix(unit_cost, frame, "unit_cost")
        _refuse(cost, "unit_cost", frame)
        if (cost <= 0).any():
            raise ValueError(f"unit_cost must be above 0; {_place(frame, cost <= 0)} has {cost[cost <= 0][0]:g}")
        number = isinstance(budget, int | float | np.number) and not isinstance(budget, bool)
        if not number or not np.isfinite(float(budget)) or float(budget) < 0:
            raise ValueError(f"budget must be a number of 0 or more, not {budget!r}")
        if kind == "gap" and value is None:
            raise ValueError("objective 'gap' needs `value`, the gap that one unit removes")
        worth = np.ones((n, k)) if value is None or kind != "gap" else _matrix(value, frame, "value")
        _refuse(worth, "value", frame)
        low = np.zeros((n, k)) if minimum is None else _matrix(minimum, frame, "minimum")
        _refuse(low, "minimum", frame)
        high = wanted.copy()
        if maximum is not None:
            most = _matrix(maximum, frame, "maximum")
            _refuse(np.where(np.isposinf(most), 0, most), "maximum", frame)
            high = np.minimum(high, most)
        if not isinstance(floor, int | float | np.number) or not 0 <= float(floor) <= 1:
            raise ValueError(f"lowest_coverage must lie between 0 and 1, not {floor!r}")
        return _Task(
            frame, wanted, cost, worth, low, high, _vector(area_minimum, frame.index, 0.0, "area_minimum"),
            _vector(area_maximum, frame.index, np.inf, "area_maximum"),
            _vector(quota, frame.columns, np.inf, "programme_maximum"), float(floor), float(budget),
        )  # fmt: skip

    def refuse_infeasible(self) -> None:
        """ValueError naming the first bound that cannot be met."""
        frame, slack = self.frame, _SLACK * max(1.0, float(self.need.sum()))
        over = self.low > self.high + slack
        if over.any():
            at = tuple(np.argwhere(over)[0])
            raise ValueError(
                f"infeasible: the minimum of {_place(frame, over)} is {self.low[at]:,.0f}, more than the maximum or "
                f"need there, {self.high[at]:,.0f}"
            )
        cheapest = (self.low * self.cost).sum(axis=1)
        money = _SLACK * max(1.0, self.budget)
        bad = self.area_low > self.area_high + money
        if bad.any():
            raise ValueError(f"infeasible: area_minimum of {frame.index[bad][0]!r} is above its area_maximum")
        bad = cheapest > self.area_high + money
        if bad.any():
            raise ValueError(
                f"infeasible: the minimum units of {frame.index[bad][0]!r} cost {cheapest[bad][0]:,.0f}, more than "
                f"its area_maximum {self.area_high[bad][0]:,.0f}"
            )
        dearest = (self.high * self.cost).sum(axis=1)
        bad = self.area_low > dearest + money
        if bad.any():
            raise ValueError(
                f"infeasible: area_minimum of {frame.index[bad][0]!r} is {self.area_low[bad][0]:,.0f}, but its need "
                f"takes only {dearest[bad][0]:,.0f}"
            )
        total = float(np.maximum(cheapest, self.area_low).sum())
        if total > self.budget + money:
            raise ValueError(
                f"infeasible: the minimums alone cost {total:,.0f}, more than the budget {self.budget:,.0f}"
            )
        bad = self.low.sum(axis=0) > self.quota + slack
        if bad.any():
            raise ValueError(
                f"infeasible: the minimum units of programme {frame.columns[bad][0]!r} add up to more than its "
                f"programme_maximum {self.quota[bad][0]:,.0f}"
            )
        wanted = self.need.sum(axis=1)
        bad = (self.floor * wanted) > self.high.sum(axis=1) + slack
        if bad.any():
            raise ValueError(
                f"infeasible: the maximum of {frame.index[bad][0]!r} keeps it below lowest_coverage {self.floor:.0%}"
            )

    def coverage(self, x: Floats) -> Floats:
        wanted = self.need.sum(axis=1)
        got = x.reshape(self.shape).sum(axis=1)
        return np.divide(got, wanted, out=np.full(len(wanted), np.nan), where=wanted > 0)

    def objective(self, x: Floats, kind: str) -> float:
        if kind == "lowest":
            covered = self.coverage(x)
            return float(np.nanmin(covered)) if np.isfinite(covered).any() else 1.0
        return float(x @ (self.value if kind == "gap" else np.ones_like(self.value)).ravel())


@dataclass(frozen=True, eq=False)
class _Solved:
    x: Floats
    budget: float
    lower: Floats
    upper: Floats
    area_low: Floats
    area_high: Floats
    programme: Floats


def _solve(p: _Task, kind: str, integer: bool) -> _Solved:
    n, k = p.shape
    size = n * k
    by_area = sparse.csr_array((np.ones(size), (np.repeat(np.arange(n), k), np.arange(size))), shape=(n, size))
    by_programme = sparse.csr_array((np.ones(size), (np.tile(np.arange(k), n), np.arange(size))), shape=(k, size))
    cost = p.cost.ravel()
    spend = sparse.csr_array(by_area.multiply(cost))
    wanted = p.need.sum(axis=1)
    capped, floored, limited = np.isfinite(p.area_high), p.area_low > 0, np.isfinite(p.quota)
    # Row blocks in the form A x ≤ b: budget, area maximum, area minimum, programme maximum, lowest coverage.
    blocks = [sparse.csr_array(cost[None, :]), spend[capped], -spend[floored], by_programme[limited]]
    right = [np.array([p.budget]), p.area_high[capped], -p.area_low[floored], p.quota[limited]]
    sizes = [len(b) for b in right]
    needy = wanted > 0
    if p.floor > 0:
        blocks.append(-by_area[needy])
        right.append(-p.floor * wanted[needy])
    a, b = sparse.vstack(blocks, format="csr"), np.concatenate(right)
    low, high = p.low.ravel(), np.maximum(p.high.ravel(), p.low.ravel())
    gain = p.value.ravel()
    if kind == "lowest" and needy.any():
        # One more variable t: the units of every area with need are at least t times its need.
        tall = sparse.hstack([a, sparse.csr_array((a.shape[0], 1))])
        floor = sparse.hstack([-by_area[needy], sparse.csr_array(wanted[needy][:, None])])
        first = _linprog(np.r_[np.zeros(size), -1.0], sparse.vstack([tall, floor], format="csr"),
                         np.r_[b, np.zeros(int(needy.sum()))], np.r_[low, 0.0], np.r_[high, 1.0])  # fmt: skip
        level = max(0.0, float(first.x[-1]) - 1e-10)
        a = sparse.vstack([a, -by_area[needy]], format="csr")
        b = np.r_[b, -level * wanted[needy]]
        priced, gain = first, np.ones(size)
        x = priced.x[:-1] if integer else _linprog(-gain, a, b, low, high).x
    else:
        priced = _linprog(-gain, a, b, low, high)
        x = priced.x
    if integer:
        x = _whole(gain, a, b, low, high, wanted[needy] if kind == "lowest" else None)
    prices = -np.asarray(priced.ineqlin.marginals)
    cuts = np.cumsum([0, *sizes])
    area_high, area_low, programme = np.zeros(n), np.zeros(n), np.zeros(k)
    area_high[capped] = prices[cuts[1] : cuts[2]]
    area_low[floored] = -prices[cuts[2] : cuts[3]]
    programme[limited] = prices[cuts[3] : cuts[4]]
    return _Solved(
        np.clip(x, low, high), float(max(prices[0], 0.0)), -np.asarray(priced.lower.marginals)[:size],
        -np.asarray(priced.upper.marginals)[:size], area_low, area_high, programme,
    )  # fmt: skip


def _linprog(c: Floats, a: Any, b: Floats, low: Floats, high: Floats) -> Any:
    """HiGHS on a problem scaled so that the largest number of each row is 1; ValueError if there is no solution."""
    scale = np.maximum(np.abs(a).max(axis=1).toarray().ravel(), 1e-300)
    found = linprog(c, A_ub=sparse.diags_array(1 / scale) @ a, b_ub=b / scale, bounds=np.c_[low, high], method="highs")
    if found.status == 2:
        raise ValueError("infeasible: minimums, maximums and lowest_coverage together cannot be met with this budget")
    if found.status != 0:
        raise ValueError(f"the solver found no optimum: {found.message}")
    found.ineqlin.marginals = np.asarray(found.ineqlin.marginals) / scale
    return found


def _whole(gain: Floats, a: Any, b: Floats, low: Floats, high: Floats, wanted: Floats | None) -> Floats:
    """The best whole numbers of units. For the lowest coverage, rounding may cost each area part of one unit."""
    if wanted is not None:
        b = b.copy()
        b[-len(wanted) :] += 1.0
    bounds = Bounds(np.ceil(low - 1e-9), np.floor(high + 1e-9))
    if (bounds.lb > bounds.ub).any():
        raise ValueError("infeasible: a minimum and a maximum leave no whole number of units between them")
    found = milp(-gain, constraints=LinearConstraint(a, -np.inf, b), bounds=bounds, integrality=np.ones(len(gain)),
                 options={"mip_rel_gap": 1e-4, "time_limit": 60})  # fmt: skip
    if found.x is None:
        raise ValueError("infeasible: no whole numbers of units meet all bounds with this budget")
    return np.asarray(np.round(found.x))


def proportional(p: _Task) -> Floats:
    """Units bought where every cell gets money in proportion to its need, within its bounds, until the budget is gone.

    The factor of proportion is found by halving; shape (n·k,).
    """
    low, high = p.low.ravel(), np.maximum(p.high.ravel(), p.low.ravel())
    cost, share = p.cost.ravel(), p.need.ravel() / p.cost.ravel()

    def bought(factor: float) -> Floats:
        return np.clip(factor * share, low, high)

    if bought(np.inf if (share > 0).all() else 1e300) @ cost <= p.budget:
        return high
    below, above = 0.0, float(cost.max()) * 2
    for _ in range(200):
        middle = (below + above) / 2
        below, above = (middle, above) if bought(middle) @ cost <= p.budget else (below, middle)
    return bought(below)


def _labels(need: Any) -> pd.DataFrame:
    if isinstance(need, pd.Series):
        need = need.to_frame("need" if need.name is None else need.name)
    try:
        if not isinstance(need, pd.DataFrame):
            array = np.asarray(need, dtype=np.float64)
            if array.ndim not in (1, 2):
                raise ValueError
            need = pd.DataFrame(array.reshape(len(array), -1) if array.size else None)
            many = [f"programme {j + 1}" for j in range(need.shape[1])]
            need.columns = many if len(many) > 1 else ["need"][: len(many)]
        frame = need.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError("need must be numbers by area, or a table of areas and programmes") from error
    if not frame.size:
        raise ValueError("need is empty")
    return frame


def _matrix(given: Any, frame: pd.DataFrame, what: str) -> Floats:
    """`given` as (n, k); labels are matched where both have them."""
    n, k = frame.shape
    if isinstance(given, pd.DataFrame) and set(frame.index) <= set(given.index) and set(frame.columns) <= set(given):
        given = given.loc[frame.index, frame.columns]
    elif isinstance(given, pd.Series):
        if set(given.index) == set(frame.columns) and given.index.is_unique and set(frame.columns) != set(frame.index):
            given = np.tile(given[frame.columns].to_numpy(np.float64), (n, 1))
        elif given.index.is_unique and frame.index.is_unique and set(frame.index) <= set(given.index):
            given = given.loc[frame.index]
    elif isinstance(given, dict):
        by_programme = set(given) == set(frame.columns)
        try:
            given = (
                np.tile([float(given[c]) for c in frame.columns], (n, 1))
                if by_programme
                else [given[i] for i in frame.index]
            )
        except KeyError as error:
            raise ValueError(f"{what} does not name {error.args[0]!r}") from error
    try:
        out = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} must be numbers") from error
    if out.ndim == 1 and out.shape == (n,):
        out = out[:, None]
    try:
        return np.array(np.broadcast_to(out, (n, k)))
    except ValueError as error:
        raise ValueError(f"{what} must be one number, {n} by area or ({n}, {k}), not of shape {out.shape}") from error


def _vector(given: Any, labels: pd.Index, default: float, what: str) -> Floats:
    if given is None:
        return np.full(len(labels), default)
    if isinstance(given, dict):
        given = pd.Series(given, dtype=np.float64)
    if isinstance(given, pd.Series) and given.index.is_unique and set(given.index) & set(labels):
        given = given.reindex(labels).fillna(default)
    try:
        out = np.broadcast_to(np.asarray(given, dtype=np.float64), (len(labels),))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} must be one number or {len(labels)}") from error
    if np.isnan(out).any() or (out < 0).any():
        raise ValueError(f"{what} must be numbers of 0 or more")
    return np.array(out)


def _place(frame: pd.DataFrame, where: npt.NDArray[np.bool_]) -> str:
    row, column = np.argwhere(where)[0]
    area = f"area {frame.index[row]!r}"
    return area if frame.shape[1] == 1 else f"{area}, programme {frame.columns[column]!r}"


def _refuse(array: Floats, what: str, frame: pd.DataFrame) -> None:
    bad = ~np.isfinite(array) | (array < 0)
    if bad.any():
        raise ValueError(f"{what} must be numbers of 0 or more; {_place(frame, bad)} has {array[bad][0]:g}")
