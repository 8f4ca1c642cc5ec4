"""Estimated expenditure measures of areas: poverty, inequality, welfare classes, intervals.

Rates and poor persons stand on BPS's survey population (persons × weight × survey factor); lines are
provincial, so figures of several provinces are means of the provinces' own, weighted by that population.

Interval of P0 (90 %): P0 ± 1.645·√(S + M), cut at 0 and 1.
S = P0·(1 − P0)·`SIZE_EFFECT`/n, sampling of the n rows; persons of one family fall together, hence the
factor Σsize²/(n·mean²). M = (f·se)², the uncertainty of the regency effect: f is the density of ln
expenditure at the line (by how much P0 moves with a shift of the effect), se its posterior standard error
from the fit; districts add (f·sd)²/villages, the spread of PSU effects that no model term follows. Larger
areas take the shares-squared sum of their regencies' M. Errors of single coefficients are not included.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dtsen_core.policy import grid_measures as grid
from dtsen_core.policy.classes import classes
from dtsen_core.policy.request import parse_line
from dtsen_core.rank.expenditure import Distribution
from dtsen_core.rank.scorecard import PROVINCES
from dtsen_core.regions import official

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SIZE_EFFECT = 1.3
Z90 = 1.6449

RATES = ("p0", "p1", "p2", "share_poor", "share_vulnerable", "share_prosperous", "p0_unbenchmarked")
COLUMNS = (
    "p0", "p1", "p2", "gini", "mean_expenditure", "poor_persons", "p0_low", "p0_high",
    "share_poor", "share_vulnerable", "share_prosperous", "p0_unbenchmarked",
)  # fmt: skip


def poverty_lines() -> Floats:
    """Official poverty line by province idx, March 2025, Rp per person per month, shape (38,)."""
    return official.provinces()["gk_mar2025"].to_numpy(np.float64)


def lines_of(line: str) -> Floats:
    """The poverty line that `RankRequest.line` asks for, by province idx, Rp per person per month, shape (38,)."""
    value, relative = parse_line(line)
    return poverty_lines() * value if relative else np.full(PROVINCES, value)


def official_p0() -> Floats:
    """Official P0 by province idx, March 2025, as a fraction, shape (38,)."""
    return official.provinces()["p0_mar2025"].to_numpy(np.float64) / 100


def benchmark_factors(provinces: Distribution) -> Floats:
    """By province: the factor on the line at which the estimate meets the official P0 (1 where unknown).

    The same as dividing every expenditure of the province by it: order, Gini and scores stay as they are.
    """
    factor = grid.line_for_headcount(provinces, official_p0()) / poverty_lines()
    return np.where(np.isfinite(factor), factor, 1.0)


def measure(d: Distribution, province: Ints, people: Floats, factors: Floats | None,
            lines: Floats | None = None) -> dict[str, Floats]:  # fmt: skip
    """Measures of areas that lie within one province each (`province` idx, shape (areas,)).

    `d` by area, `people` the survey population of each; `factors` by province when benchmarked; `lines` by province
    where it is not the official one.
    """
    line = (poverty_lines() if lines is None else lines)[province]
    scaled = line if factors is None else line * factors[province]
    poor_below, vulnerable_below = (c.below for c in classes()[:2])
    poor = grid.headcount(d, scaled * poor_below)
    up_to_vulnerable = grid.headcount(d, scaled * vulnerable_below)
    p0 = poor if poor_below == 1.0 else grid.headcount(d, scaled)
    return {
        "p0": p0,
        "p1": grid.fgt(d, scaled, 1),
        "p2": grid.fgt(d, scaled, 2),
        "gini": grid.gini(d),
        "mean_expenditure": grid.mean(d),
        "poor_persons": p0 * people,
        "share_poor": poor,
        "share_vulnerable": up_to_vulnerable - poor,
        "share_prosperous": 1.0 - up_to_vulnerable,
        "p0_unbenchmarked": p0 if factors is None else grid.headcount(d, line),
    }


def whole(d: Distribution, parts: dict[str, Floats], people: Floats) -> dict[str, Floats]:
    """Measures of everything in `d` together, one row; rates are its `parts`' weighted by `people`."""
    together = d.combine(np.zeros(len(people), dtype=np.int64), 1)
    known = people > 0
    share = people[known] / people.sum() if known.any() else people[known]
    result = {name: np.array([float(share @ parts[name][known]) if known.any() else np.nan]) for name in RATES}
    result["gini"], result["mean_expenditure"] = grid.gini(together), grid.mean(together)
    result["poor_persons"] = np.array([np.nansum(parts["poor_persons"])])
    return result


def interval(p0: Floats, n: Floats, model_variance: Floats) -> tuple[Floats, Floats]:
    """(low, high) of the 90 % interval; `model_variance` is M, in squared shares. NaN where it is."""
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = Z90 * np.sqrt(p0 * (1 - p0) * SIZE_EFFECT / n + model_variance)
    return np.clip(p0 - spread, 0, 1), np.clip(p0 + spread, 0, 1)


def add_up(variance: Floats, people: Floats, group: Ints, groups: int = PROVINCES) -> Floats:
    """M of larger areas from that of their parts: Σ (share of people)² · M; parts without people do not count."""
    variance = np.where(people > 0, variance, 0.0)
    total = np.bincount(group, people, groups)
    squares = np.bincount(group, people**2 * variance, groups)
    return np.divide(squares, total**2, out=np.full(groups, np.nan), where=total > 0)
