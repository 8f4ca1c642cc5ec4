"""Test for manipulation of the running variable at a cut-off.

Cattaneo, Jansson & Ma (2020), Simple local polynomial density estimators, JASA 115(531): on either side
the empirical distribution function is fitted by a local polynomial, whose slope is the density. The test
takes order q = p + 1 = 3 at the bandwidth that is optimal for p = 2, with jackknife standard errors and the
bandwidth of each side the median of the optimal ones for the side, the difference and the sum. Written
from the paper; the result for the US Senate data (T = −0.8753, p = 0.3814) is that of the authors' package.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dtsen_core.policy.impact.checks import Floats, number, numbers, two_sided
from dtsen_core.policy.impact.results import DensityTest

ORDER = 2
FEWEST = 20  # rows, and distinct values, that a bandwidth must hold on either side beyond the order
# Normal-reference constants for order 2 and the triangular kernel: of the third derivative, of the density.
_REFERENCE_THIRD, _REFERENCE_DENSITY = 3_430_865.4551236, 548.5714285715547


def density_test(
    running: npt.ArrayLike, cutoff: float, *, bandwidth: float | tuple[float, float] | None = None
) -> DensityTest:
    """Is the density of `running` continuous at `cutoff`?

    Parameters: `running` numbers, shape (n,), missing ones are left out; a row at the cut-off counts to the
    right. `bandwidth` in the unit of `running`, one number or (left, right), chosen from the data if None.
    ValueError when fewer than 10 distinct values lie on a side or the cut-off is outside the data.

    A running variable that repeats values (a rounded score) is handled by giving all rows of a value the same
    distribution function; with few distinct values near the cut-off the result says so in `notes`.
    """
    values = numbers(running, "running")
    cutoff = number(cutoff, "cutoff")
    dropped = int(np.isnan(values).sum())
    x = np.sort(values[~np.isnan(values)]) - float(cutoff)
    if not x.size:
        raise ValueError("running has no numbers")
    distinct = np.unique(x)
    sides = [int((distinct < 0).sum()), int((distinct >= 0).sum())]
    if min(sides) < 10:
        raise ValueError(f"a density test needs at least 10 distinct values on each side; there are {sides}")
    scale = float(np.max(np.abs(x)))
    fit = _Fit(x / scale)
    if bandwidth is None:
        left, right = fit.bandwidths(distinct / scale)
    else:
        try:
            both = np.broadcast_to(np.asarray(bandwidth, dtype=np.float64), (2,)) / scale
        except (ValueError, TypeError) as problem:
            raise ValueError("bandwidth must be a number or a pair (left, right)") from problem
        if not (both > 0).all():
            raise ValueError("bandwidth must be positive")
        left, right = float(both[0]), float(both[1])
        inside = [int(((distinct < 0) & (distinct >= -left * scale)).sum()),
                  int(((distinct >= 0) & (distinct <= right * scale)).sum())]  # fmt: skip
        if min(inside) <= ORDER + 2:
            raise ValueError(f"too few values within the bandwidth: {inside[0]} left and {inside[1]} right")
    f, v = fit.slopes(left, right, ORDER + 1)
    difference, variance = f[1] - f[0], v[0, 0] + v[1, 1] - 2 * v[0, 1]
    if not variance > 0:
        raise ValueError("too few rows within the bandwidth for a density test")
    statistic = float(difference / np.sqrt(variance))
    inside = [int(((x < 0) & (x >= -left * scale)).sum()), int(((x >= 0) & (x <= right * scale)).sum())]
    notes = []
    if dropped:
        notes.append(f"{dropped} rows without a value were left out")
    repeated = len(distinct) < len(x)
    if repeated:
        near = int(((distinct >= -left * scale) & (distinct <= right * scale)).sum())
        notes.append(f"the running variable repeats values ({near} distinct ones within the bandwidths)")
    return DensityTest(
        statistic, two_sided(statistic), float(f[0] / scale), float(f[1] / scale), float(difference / scale),
        float(np.sqrt(variance) / scale), left * scale, right * scale, len(x), inside[0], inside[1], repeated,
        "local polynomial density (Cattaneo, Jansson and Ma 2020)", tuple(notes),
    )  # fmt: skip


class _Fit:
    """Local polynomials of the empirical distribution function of sorted, centred `x`, side by side."""

    def __init__(self, x: Floats) -> None:
        self.x, self.n = x, len(x)
        last = np.searchsorted(x, x, side="right")  # all rows of one value share the function's value there
        self.cdf = (last - 1) / max(self.n - 1, 1)
        self.beyond = last

    def _joint(self, left: float, right: float, order: int) -> tuple[Floats, Floats]:
        """Coefficients (side, power) in units of x and their covariance, both sides together."""
        inside = np.flatnonzero((self.x >= -left) & (self.x <= right))
        x, y = self.x[inside], self.cdf[inside]
        on_right = x >= 0
        h = np.where(on_right, right, left)
        u = x / h
        weight = (1 - np.abs(u)) / h
        powers = u[:, None] ** np.arange(order + 1)
        design = np.concatenate([powers * ~on_right[:, None], powers * on_right[:, None]], axis=1)
        weighted = design * weight[:, None]
        inverse = np.linalg.pinv(weighted.T @ design)
        scale = np.concatenate([left ** -np.arange(order + 1.0), right ** -np.arange(order + 1.0)])
        coefficients = (inverse @ (weighted.T @ y)) * scale
        # influence of one row: the weighted design of all rows beyond it
        tail = np.vstack([np.cumsum(weighted[::-1], axis=0)[::-1], np.zeros((1, design.shape[1]))])
        after = np.minimum(self.beyond[inside] - inside[0], len(x))
        influence = tail[after] / (self.n - 1)
        covariance = inverse @ (influence.T @ influence) @ inverse * np.outer(scale, scale)
        return coefficients.reshape(2, order + 1), covariance

    def slopes(self, left: float, right: float, order: int) -> tuple[Floats, Floats]:
        """Densities (left, right) and their 2×2 covariance."""
        coefficients, covariance = self._joint(left, right, order)
        at = [1, order + 2]
        return coefficients[:, 1], covariance[np.ix_(at, at)]

    def bandwidths(self, distinct: Floats) -> tuple[float, float]:
        p, x, n = ORDER, self.x, self.n
        sd, z = float(np.std(x, ddof=1)), float(np.mean(x) / np.std(x, ddof=1))
        bell = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
        fourth, second = z**4 - 6 * z**2 + 3, z**2 - 1
        with np.errstate(divide="ignore", over="ignore"):
            wide = sd * ((2 * p + 1) / 4 * _REFERENCE_THIRD / (fourth**2 * bell) / n) ** (1 / (2 * p + 5))
            narrow = sd * (_REFERENCE_DENSITY / (2 * p) / (second**2 * bell) / n) ** (1 / (2 * p + 1))
        wide = self._enough(min(wide, 1.0), distinct, p + 2)
        narrow = self._enough(min(narrow, 1.0), distinct, p)
        third = self._joint(wide, wide, p + 2)[0][:, p + 1]
        _, v = self.slopes(narrow, narrow, p)
        moment = np.array([1 / (k + 1) - 1 / (k + 2) for k in range(2 * p + 2)])
        s = moment[np.add.outer(np.arange(p + 1), np.arange(p + 1))]
        constant = float(np.linalg.solve(s, moment[p + 1 + np.arange(p + 1)])[1])
        bias = third * constant * np.array([(-1.0) ** p, 1.0])
        biases = np.array([bias[0], bias[1], bias[1] - bias[0], bias[1] + bias[0]])
        cross = 2 * v[0, 1]
        variances = np.array([v[0, 0], v[1, 1], v[0, 0] + v[1, 1] - cross, v[0, 0] + v[1, 1] + cross]) * narrow * n
        with np.errstate(divide="ignore", invalid="ignore"):
            h = np.nan_to_num((variances / biases**2 / (2 * p) / n) ** (1 / (2 * p + 1)), nan=0.0, posinf=1.0)
        ends = (abs(float(x[0])), float(x[-1]))
        reach = np.minimum(h, [ends[0], ends[1], max(ends), max(ends)])
        low = self._smallest(distinct, p)
        reach = np.maximum(reach, [low[0], low[1], max(low), max(low)])
        return float(np.median(reach[[0, 2, 3]])), float(np.median(reach[[1, 2, 3]]))

    def _smallest(self, distinct: Floats, order: int) -> tuple[float, float]:
        """Distances that hold `FEWEST` + order + 1 rows and distinct values on the left and right."""
        found = []
        for sign in (-1, 1):
            reach = 0.0
            for values in (self.x, distinct):
                side = np.sort(np.abs(values[values < 0] if sign < 0 else values[values >= 0]))
                reach = max(reach, float(side[min(FEWEST + order + 1, len(side)) - 1]))
            found.append(reach)
        return found[0], found[1]

    def _enough(self, h: float, distinct: Floats, order: int) -> float:
        return max(h, *self._smallest(distinct, order))
