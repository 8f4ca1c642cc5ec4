"""How sure a family's place is: chances of each decile, of being on the wrong side of a threshold.

A family with score s has ln expenditure s + e, e drawn from the residuals of held-out households with that
score (`expenditure.Residuals`). Its true tenth is decided by the thresholds q_k of the distribution of expenditure
itself, not by those of the score. So P(true decile ≤ k) = F_s(q_k − s). Everything is a function of the score, the
province and urban/rural, and is computed per cell of H, never per family.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dtsen_core.rank import expenditure, official
from dtsen_core.rank.expenditure import STRATA, Distribution, Residuals
from dtsen_core.rank.fit_report import STEP
from dtsen_core.rank.histogram import Histogram
from dtsen_core.rank.scorecard import REGENCIES, province_of_regency

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TENTHS = np.arange(1, 10) / 10


def below(residuals: Residuals, province: int, stratum: int, scores: Floats, limits: Floats) -> Floats:
    """P(s + e < limit), shape (scores, limits); both in thousandths of log rupiah, grid nodes standing for
    half a step to either side."""
    mass = residuals.kernel(province, stratum, scores)
    edges = np.concatenate([np.zeros((len(scores), 1)), np.cumsum(mass, axis=1)], axis=1)
    place = (limits[None, :] - scores[:, None]) / STEP - residuals.low + 0.5
    place = np.clip(place, 0, mass.shape[1])
    left = np.minimum(place.astype(np.int64), mass.shape[1] - 1)
    share = place - left
    rows = np.arange(len(scores))[:, None]
    return np.clip(edges[rows, left] * (1 - share) + edges[rows, left + 1] * share, 0.0, 1.0)


def decile_chances(residuals: Residuals, province: int, stratum: int, scores: Floats, limits: Floats) -> Floats:
    """P(true decile = 1..10), shape (scores, 10), given the nine expenditure thresholds `limits` (thousandths of
    log rupiah, ascending)."""
    under = below(residuals, province, stratum, scores, limits)
    full = np.concatenate([np.zeros((len(scores), 1)), under, np.ones((len(scores), 1))], axis=1)
    return np.diff(full, axis=1)


def quantiles(d: Distribution, shares: Floats) -> Floats:
    """ln expenditure (thousandths) below which each of `shares` of every area lies, shape (areas, shares); NaN
    for an empty area."""
    result = np.full((len(d.persons), len(shares)), np.nan)
    nodes = (d.low + np.arange(d.persons.shape[1] + 1) - 0.5) * d.step
    for area, row in enumerate(d.persons):
        total = row.sum()
        if total > 0:
            result[area] = np.interp(shares * total, np.r_[0.0, np.cumsum(row)], nodes)
    return result


@dataclass(frozen=True, eq=False)
class Doubt:
    """Chance to be truly below a cut-off, by regency, urban/rural and score: `share` (514, 3, grid) on scores
    `low`, `low` + STEP …; `start` (514,) the score from which a family is not selected."""

    share: Floats
    low: int
    start: Ints

    def truly_below(self, regency: Ints, urban: Ints, score: Ints) -> Floats:
        """P(truly below the cut-off) of cells, linear between grid points."""
        place = np.clip((score - self.low) / STEP, 0, self.share.shape[2] - 1)
        left = np.minimum(place.astype(np.int64), self.share.shape[2] - 2)
        upper = place - left
        lower, higher = self.share[regency, urban, left], self.share[regency, urban, left + 1]
        return np.asarray(lower * (1 - upper) + higher * upper)

    def wrong(self, regency: Ints, urban: Ints, score: Ints) -> Floats:
        """P(on the wrong side): selected and truly above, or not selected and truly below."""
        inside = self.truly_below(regency, urban, score)
        return np.where(score < self.start[regency], 1 - inside, inside)


def expenditure_limits(h: Histogram, residuals: Residuals, weight: Floats, scope: str, unit: str) -> Floats:
    """The nine thresholds of true tenths of `unit`, thousandths of log rupiah, by scope area (areas, 9).

    `h` by regency, `weight` families each row stands for, by regency (514,).
    """
    counted = replace(h, persons=h.counts(unit))
    d = expenditure.distribution(counted, province_of_regency(), residuals).scaled(weight)
    scope_area = official.scope_of_regency(scope)
    return quantiles(d.combine(scope_area, official.AREAS[scope]), TENTHS)


def doubt(h: Histogram, residuals: Residuals, weight: Floats, scope: str, unit: str, cut: int) -> Doubt:
    """`Doubt` about the cut-off at `cut` tenths (1..9): the worst-off of each scope area are selected by score.

    ValueError unless 1 ≤ `cut` ≤ 9.
    """
    if not 1 <= cut <= 9:
        raise ValueError("cut must lie between 1 and 9")
    limits = expenditure_limits(h, residuals, weight, scope, unit)[:, cut - 1]
    starts = official.scope_thresholds(h, scope, unit, weight).values[:, cut - 1]
    scope_area = official.scope_of_regency(scope)
    low = h.low // STEP * STEP
    grid: Floats = low + STEP * np.arange((h.width - 1) // STEP + 3, dtype=np.float64)
    share = np.zeros((REGENCIES, STRATA, len(grid)))
    province = province_of_regency()
    for p in np.unique(province[np.unique(h.area)]):
        mine = np.flatnonzero(province == p)
        wanted, place = np.unique(scope_area[mine], return_inverse=True)
        for stratum in np.unique(h.urban):
            found = below(residuals, int(p), int(stratum), grid, np.nan_to_num(limits[wanted], nan=-1e9))
            share[mine, stratum] = found.T[place]
    return Doubt(share, int(low), starts[scope_area])
