"""Poverty and inequality when some persons' expenditure is raised or lowered by a benefit.

The distribution behind every figure is the score's with the residuals of held-out households put back
(`rank.expenditure`). Persons whose expenditure changes by t are those of the same score with ln(exp(score +
residual) + t): their headcount below z is the unchanged one below z − t, and their gaps are counted node by node.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, eq=False)
class Shift:
    """Persons (registry, weighted) of the cells `at` whose expenditure changes by `amount` Rp a person and month."""

    at: Ints
    persons: Floats
    amount: Floats


def poverty_effect(
    cube: Cube, residuals: Residuals, shifts: list[Shift], line_factor: float = 1.0
) -> dict[str, dict[str, float]]:
    """{"before": …, "after": …}, each p0, p1, p2, gini (fractions), poor_persons (survey base), mean (Rp a person
    and month) and gap (Rp a year that would lift everybody to the line). Without shifts both are the same numbers."""
    province, people = cube.province, cube.sums["persons"] * cube.weight * cube.factor
    base = cube.memo.get("distribution")
    if base is None:
        everybody = np.arange(len(people))
        base = _spread(cube, everybody, province, people, PROVINCES, np.arange(PROVINCES), residuals)
        cube.memo["distribution"] = base
    line = poverty_lines() * line_factor
    before = cube.memo.get(f"before {line_factor}")
    if before is None:
        before = _measures(base, np.arange(PROVINCES), np.zeros(PROVINCES), line)
        cube.memo[f"before {line_factor}"] = before
    if not shifts:
        return {"before": dict(before), "after": dict(before)}
    at = np.concatenate([s.at for s in shifts])
    moved = np.concatenate([s.persons for s in shifts]) * cube.factor[at]
    amount = np.concatenate([s.amount for s in shifts])
    group = np.rint(amount / STEP).astype(np.int64)
    key = province[at] * (1 << 32) + (group + (1 << 30))
    known, row = np.unique(key, return_inverse=True)
    weight = np.bincount(row, moved)
    mean = np.bincount(row, moved * amount) / weight
    own = known >> 32
    rows = _spread(cube, at, row, moved, len(known), own, residuals)
    left = _minus(base, rows.combine(own, PROVINCES))
    together = Distribution(
        np.concatenate([left.persons, _fit(rows, left).persons]), left.low, left.step, left.points
    )
    after = _measures(
        together, np.concatenate([np.arange(PROVINCES), own]), np.concatenate([np.zeros(PROVINCES), mean]), line
    )
    return {"before": dict(before), "after": after}


def _spread(
    cube: Cube, at: Ints, row: Ints, persons: Floats, rows: int, province: Ints, residuals: Residuals
) -> Distribution:
    """The distribution of `rows` areas; `row` and `persons` of each of the cells `at`."""
    low, high = int(cube.score.min()), int(cube.score.max())
    score = cube.score[at]
    # the ends of the whole score range, without people, keep every grid of this cube the same
    h = Histogram(
        "reform",
        np.concatenate([row, [0, 0]]), np.concatenate([cube.urban[at], [0, 0]]),
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


def _gini(mass: Floats, spending: Floats, d: Distribution) -> float:
    """Gini of all rows together: persons of each value split between two nodes of the grid, the mean kept."""
    nodes = np.exp(d.log_nodes)
    cell = np.clip(np.searchsorted(nodes, spending, side="right") - 1, 0, len(nodes) - 2)
    above = np.clip((spending - nodes[cell]) / (nodes[cell + 1] - nodes[cell]), 0.0, 1.0)
    persons = np.zeros(len(nodes))
    persons += np.bincount(cell.ravel(), (mass * (1 - above)).ravel(), len(nodes))
    persons += np.bincount((cell + 1).ravel(), (mass * above).ravel(), len(nodes))
    return float(grid.gini(Distribution(persons[None, :], d.low, d.step))[0])
