"""Poverty and inequality when some persons' expenditure is raised or lowered by a benefit.

The distribution behind every figure is the score's with the residuals of held-out households put back
(`rank.expenditure`). Persons whose expenditure changes by t are those of the same score with ln(exp(score +
residual) + t): their headcount below z is the unchanged one below z − t, and their gaps are counted node by node.

Standard errors of the changes are linearised: the rows of the registry count as drawn independently with their
weights, and each family's expenditure as drawn from its residual distribution. With ψ(y) the influence of a person
on the measure, V = Σ w² E[(ψ_after − ψ_before)²] / N², w a row's weight in persons; for P_α the difference is
Δ(1 − y/z)₊^α minus its mean, for Gini that of ψ(y) = 2/μ·[y F(y) + ∫_y^∞ t dF(t)] − (G + 1)(y/μ + 1) (Deville 1999,
Survey Methodology 25(2)). Errors of the model itself (its coefficients, the poverty line) are not in them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from dtsen_core.policy import grid_measures as grid
from dtsen_core.policy.cube import Cube
from dtsen_core.policy.estimates import poverty_lines
from dtsen_core.rank import expenditure
from dtsen_core.rank.expenditure import Distribution, Residuals
from dtsen_core.rank.histogram import Histogram
from dtsen_core.rank.scorecard import PROVINCES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
STEP = 5_000.0  # Rp per person and month: changes are grouped to this width and each group's mean is used
FLOOR = 1.0  # Rp: nobody's expenditure falls below
ERRORS = ("p0", "p1", "p2", "gini", "poor_persons")


@dataclass(frozen=True, eq=False)
class Shift:
    """Persons (registry, weighted) of the cells `at` whose expenditure changes by `amount` Rp a person and month."""

    at: Ints
    persons: Floats
    amount: Floats


@dataclass(frozen=True, eq=False)
class People:
    """Whom a measure speaks of, arrays of shape (cells,): `province`, `urban`, `score` thousandths, `persons` (survey
    base) and `load`, persons that one row stands for. `memo` keeps what every change of the same people asks."""

    province: Ints
    urban: Ints
    score: Ints
    persons: Floats
    load: Floats
    memo: dict[str, Any] = field(default_factory=dict, repr=False)


def poverty_effect(
    cube: Cube, residuals: Residuals, shifts: list[Shift], line_factor: float = 1.0
) -> dict[str, dict[str, float]]:
    """`effect` for everybody in `cube`, with the official lines times `line_factor`."""
    people = cube.memo.get("people")
    if people is None:
        persons = cube.sums["persons"] * cube.weight * cube.factor
        people = People(cube.province, cube.urban, cube.score, persons, persons / cube.rows)
        cube.memo["people"] = people
    onto = [Shift(s.at, s.persons * cube.factor[s.at], s.amount) for s in shifts]
    return effect(people, residuals, onto, poverty_lines() * line_factor)


def effect(people: People, residuals: Residuals, shifts: list[Shift], line: Floats) -> dict[str, dict[str, float]]:
    """{"before": …, "after": …, "se": …, "se_before": …, "se_after": …}. Before and after: p0, p1, p2, gini
    (fractions), poor_persons (survey base), mean (Rp a person and month) and gap (Rp a year that would lift everybody
    to the line). se: standard errors of the changes of p0, p1, p2, gini and poor_persons; se_before and se_after of
    the measures themselves (without poor_persons). Without shifts both sides are the same numbers and the errors of
    the changes zero. `persons` of the shifts on the survey base; `line` by province, Rp a person and month."""
    province = people.province

    def kept(name: str, make: Callable[[], Any]) -> Any:
        if name not in people.memo:
            people.memo[name] = make()
        return people.memo[name]

    everybody, nation = np.arange(len(people.persons)), np.arange(PROVINCES)
    said = hash(line.tobytes())
    base = kept("base", lambda: _spread(people, everybody, province, people.persons, PROVINCES, nation, residuals))
    whole = kept("squares", lambda: _spread(
        people, everybody, province, people.persons * people.load, PROVINCES, nation, residuals))  # fmt: skip
    before = kept(f"before {said}", lambda: _measures(base, nation, np.zeros(PROVINCES), line))
    first = kept(f"error {said}", lambda: _level_errors(base, whole, np.zeros(PROVINCES), line))
    if not shifts:
        return {"before": dict(before), "after": dict(before), "se": dict.fromkeys(ERRORS, 0.0),
                "se_before": dict(first), "se_after": dict(first)}  # fmt: skip
    at = np.concatenate([s.at for s in shifts])
    moved = np.concatenate([s.persons for s in shifts])
    amount = np.concatenate([s.amount for s in shifts])
    group = np.rint(amount / STEP).astype(np.int64)
    key = province[at] * (1 << 32) + (group + (1 << 30))
    known, row = np.unique(key, return_inverse=True)
    weight = np.bincount(row, moved)
    mean = np.bincount(row, moved * amount) / weight
    own = known >> 32
    rows = _spread(people, at, row, moved, len(known), own, residuals)
    left = _minus(base, rows.combine(own, PROVINCES))
    together = Distribution(
        np.concatenate([left.persons, _fit(rows, left).persons]), left.low, left.step, left.points
    )
    shift = np.concatenate([np.zeros(PROVINCES), mean])
    place = np.concatenate([nation, own])
    after = _measures(together, place, shift, line)
    squares = _spread(people, at, row, moved * people.load[at], len(known), own, residuals)
    still = _minus(whole, squares.combine(own, PROVINCES))
    se = _errors(base, together, shift, rows, squares, still, line[own])
    joined = Distribution(np.concatenate([still.persons, squares.persons]), still.low, still.step, still.points)
    second = _level_errors(together, joined, shift, line[place])
    return {"before": dict(before), "after": after, "se": se, "se_before": dict(first), "se_after": second}


def _spread(
    people: People, at: Ints, row: Ints, persons: Floats, rows: int, province: Ints, residuals: Residuals
) -> Distribution:
    """The distribution of `rows` areas; `row` and `persons` of each of the cells `at`."""
    low, high = int(people.score.min()), int(people.score.max())
    score = people.score[at]
    # the ends of the whole score range, without people, keep every grid of these people the same
    h = Histogram(
        "reform",
        np.concatenate([row, [0, 0]]), np.concatenate([people.urban[at], [0, 0]]),
        np.concatenate([score, [low, high]]), np.zeros(len(at) + 2, dtype=np.int64),
        np.concatenate([persons, [0.0, 0.0]]),
    )  # fmt: skip
    return expenditure.distribution(h, province, residuals)


def _fit(d: Distribution, like: Distribution) -> Distribution:
    if d.low != like.low or d.persons.shape[1] != like.persons.shape[1]:
        raise ValueError("grids differ")
    return d


def _minus(a: Distribution, b: Distribution) -> Distribution:
    return Distribution(np.maximum(a.persons - _fit(b, a).persons, 0.0), a.low, a.step, a.points)


def _measures(d: Distribution, province: Ints, shift: Floats, line: Floats) -> dict[str, float]:
    """National measures of rows that lie in one `province` each and whose expenditure is raised by `shift`."""
    mass, z = d.persons, line[province]
    spending = np.maximum(np.exp(d.log_nodes)[None, :] + shift[:, None], FLOOR)
    total = float(mass.sum())
    people = mass.sum(axis=1)
    lowered = z - shift
    p0 = grid.headcount(d, np.maximum(lowered, FLOOR)) * (lowered > FLOOR)
    gap = np.maximum(1.0 - spending / z[:, None], 0.0)
    poor = float(np.nan_to_num(p0) @ people)
    return {
        "p0": poor / total,
        "p1": float((mass * gap).sum()) / total,
        "p2": float((mass * gap**2).sum()) / total,
        "gini": _gini(mass, spending, d),
        "poor_persons": poor,
        "mean": float((mass * spending).sum()) / total,
        "gap": float(((mass * gap).sum(axis=1) * z).sum()) * 12,
    }


def _errors(
    base: Distribution, together: Distribution, shift: Floats, rows: Distribution, squares: Distribution,
    still: Distribution, line: Floats,
) -> dict[str, float]:  # fmt: skip
    """Standard errors of the changes. `rows` the persons that change and `squares` their squared weights, in the last
    rows of `together`; `still` the squared weights of all others; `line` of each of `rows`."""
    nodes, moved = np.exp(base.log_nodes), shift[len(shift) - len(rows.persons) :]
    total = float(base.persons.sum())
    spending = np.maximum(nodes[None, :] + moved[:, None], FLOOR)
    z = line[:, None]
    half = base.step / 1000

    def below(y: Floats) -> Floats:
        return np.clip((np.log(z) - np.log(y)) / half + 0.5, 0.0, 1.0)

    was, now = np.maximum(1.0 - nodes[None, :] / z, 0.0), np.maximum(1.0 - spending / z, 0.0)
    others = float(still.persons.sum())
    found = {}
    for name, difference in (("p0", below(spending) - below(nodes[None, :])), ("p1", now - was),
                             ("p2", now**2 - was**2)):  # fmt: skip
        average = float((rows.persons * difference).sum()) / total
        squared = float((squares.persons * (difference - average) ** 2).sum()) + others * average**2
        found[name] = float(np.sqrt(squared)) / total
    old = _influence(nodes, base.persons.sum(axis=0))
    everyone = np.maximum(nodes[None, :] + shift[:, None], FLOOR)
    new = _influence(nodes, _on_nodes(together.persons, everyone, nodes))
    squared = float((still.persons * (new - old) ** 2).sum())
    squared += float((squares.persons * (np.interp(spending, nodes, new) - old) ** 2).sum())
    return {**found, "gini": float(np.sqrt(squared)) / total, "poor_persons": found["p0"] * total}


def _level_errors(d: Distribution, squares: Distribution, shift: Floats, line: Floats) -> dict[str, float]:
    """Standard errors of the measures of rows raised by `shift`; `squares` their squared weights, `line` of each."""
    nodes = np.exp(d.log_nodes)
    spending = np.maximum(nodes[None, :] + shift[:, None], FLOOR)
    z, total = line[:, None], float(d.persons.sum())
    below = np.clip((np.log(z) - np.log(spending)) / (d.step / 1000) + 0.5, 0.0, 1.0)
    gap = np.maximum(1.0 - spending / z, 0.0)
    found = {}
    for name, term in (("p0", below), ("p1", gap), ("p2", gap**2)):
        average = float((d.persons * term).sum()) / total
        # a person is poor or not: the square of a share of a cell is the share
        square = below if name == "p0" else term**2
        spread = square - 2 * average * term + average**2
        found[name] = float(np.sqrt((squares.persons * spread).sum())) / total
    influence = np.interp(spending, nodes, _influence(nodes, _on_nodes(d.persons, spending, nodes)))
    found["gini"] = float(np.sqrt((squares.persons * influence**2).sum())) / total
    return found


def _influence(nodes: Floats, persons: Floats) -> Floats:
    """Influence on the Gini of a person at each node, zero on average."""
    share = persons / persons.sum()
    mean = float(share @ nodes)
    rank = np.cumsum(share) - share / 2
    above = np.cumsum((share * nodes)[::-1])[::-1] - share * nodes / 2
    gini = 2 * float(share @ (nodes * rank)) / mean - 1
    return np.asarray(2 / mean * (nodes * rank + above) - (gini + 1) * (nodes / mean + 1))


def _gini(mass: Floats, spending: Floats, d: Distribution) -> float:
    """Gini of all rows together."""
    persons = _on_nodes(mass, spending, np.exp(d.log_nodes))
    return float(grid.gini(Distribution(persons[None, :], d.low, d.step))[0])


def _on_nodes(mass: Floats, spending: Floats, nodes: Floats) -> Floats:
    """Persons of each value split between two nodes of the grid, the mean kept; shape (nodes,)."""
    cell = np.clip(np.searchsorted(nodes, spending, side="right") - 1, 0, len(nodes) - 2)
    above = np.clip((spending - nodes[cell]) / (nodes[cell + 1] - nodes[cell]), 0.0, 1.0)
    persons = np.zeros(len(nodes))
    persons += np.bincount(cell.ravel(), (mass * (1 - above)).ravel(), len(nodes))
    persons += np.bincount((cell + 1).ravel(), (mass * above).ravel(), len(nodes))
    return persons
