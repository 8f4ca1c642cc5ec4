"""Poverty and inequality measures of one weighted distribution: pure functions of numpy arrays.

Every function takes `y` (expenditure or income per person, any currency, shape (n,)) and optional
`weights` (persons each value stands for, shape (n,); ones if omitted) and returns a float. An empty
distribution, or one whose weights sum to zero, gives NaN. Values strictly below the line are poor, as
Statistics Indonesia counts them.

Sources: Foster, Greer & Thorbecke (1984), Econometrica 52(3), for FGT; Eurostat, EU-SILC methodology
for the at-risk-of-poverty threshold (weighted quantile without interpolation).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Values = npt.ArrayLike


def _pair(y: Values, weights: Values | None) -> tuple[Array, Array]:
    values = np.asarray(y, dtype=np.float64).ravel()
    if weights is None:
        return values, np.ones_like(values)
    load = np.asarray(weights, dtype=np.float64).ravel()
    if load.shape != values.shape:
        raise ValueError(f"{values.size} values but {load.size} weights")
    if (load < 0).any():
        raise ValueError("weights must not be negative")
    return values, load


def mean(y: Values, weights: Values | None = None) -> float:
    """Weighted arithmetic mean, in the unit of `y`."""
    values, load = _pair(y, weights)
    total = load.sum()
    return float(values @ load / total) if total > 0 else float("nan")


def fgt(y: Values, line: float, weights: Values | None = None, alpha: float = 0) -> float:
    """Foster–Greer–Thorbecke measure P_alpha: weighted mean of ((line − y)/line)^alpha over the poor.

    `line` in the unit of `y`, positive. alpha 0 = headcount ratio, 1 = poverty gap, 2 = severity; all are
    fractions of 1.
    """
    if line <= 0:
        raise ValueError("the poverty line must be positive")
    values, load = _pair(y, weights)
    total = load.sum()
    if total <= 0:
        return float("nan")
    poor = values < line
    gap = 1.0 - values[poor] / line
    return float((gap**alpha) @ load[poor] / total)


def headcount_ratio(y: Values, line: float, weights: Values | None = None) -> float:
    """P0: share of persons strictly below the line."""
    return fgt(y, line, weights, 0)


def poverty_gap(y: Values, line: float, weights: Values | None = None) -> float:
    """P1: mean shortfall as a share of the line, zero for those who are not poor."""
    return fgt(y, line, weights, 1)


def poverty_severity(y: Values, line: float, weights: Values | None = None) -> float:
    """P2: mean squared shortfall, which weighs the poorest more."""
    return fgt(y, line, weights, 2)


def quantile(y: Values, q: float, weights: Values | None = None) -> float:
    """Weighted quantile: the smallest value whose cumulated weight exceeds the share `q` of the total.

    Where the cumulated weight equals the share exactly, the mean of that value and the next one: the
    rule of the EU-SILC indicators (for equal weights the usual sample median).
    """
    if not 0 <= q <= 1:
        raise ValueError("q must lie between 0 and 1")
    values, load = _pair(y, weights)
    keep = load > 0
    values, load = values[keep], load[keep]
    if values.size == 0:
        return float("nan")
    order = np.argsort(values, kind="stable")
    values, cumulated = values[order], np.cumsum(load[order])
    target = q * cumulated[-1]
    index = int(np.searchsorted(cumulated, target * (1 - 1e-14), side="left"))
    index = min(index, values.size - 1)
    if index + 1 < values.size and abs(cumulated[index] - target) <= 1e-12 * cumulated[-1]:
        return float((values[index] + values[index + 1]) / 2)
    return float(values[index])


def at_risk_of_poverty(
    y: Values, weights: Values | None = None, *, share_of_median: float = 0.6
) -> tuple[float, float]:
    """(threshold, rate): 60 % of the weighted median and the share of persons strictly below it."""
    threshold = share_of_median * quantile(y, 0.5, weights)
    if not threshold > 0:
        return threshold, float("nan")
    return threshold, headcount_ratio(y, threshold, weights)


def lorenz(y: Values, weights: Values | None = None) -> tuple[Array, Array]:
    """Points of the Lorenz curve from (0,0) to (1,1): cumulated shares of persons and of the total."""
    values, load = _pair(y, weights)
    order = np.argsort(values, kind="stable")
    people, amount = load[order], values[order] * load[order]
    if people.sum() <= 0 or amount.sum() <= 0:
        nothing = np.array([np.nan])
        return nothing, nothing
    return (
        np.concatenate([[0.0], np.cumsum(people) / people.sum()]),
        np.concatenate([[0.0], np.cumsum(amount) / amount.sum()]),
    )


def gini(y: Values, weights: Values | None = None) -> float:
    """Gini coefficient of a weighted sample, 0 (equal) to 1, in the form published for EU-SILC.

    G = Σ (2·r − 1)·w·y / (Σw · Σw·y) − 1 with r the cumulated weight up to and including the unit
    (Osier 2009, Survey Research Methods 3(3)). The "− 1" is one person, so the weights must be expansion
    weights: persons each value stands for. For shares or other scaled weights use `gini_of_shares`,
    from which this form differs by about one unit's share of the population.
    """
    values, load = _pair(y, weights)
    if values.size and 0 < load.sum() < (load > 0).sum():
        raise ValueError("expansion weights expected (persons per value); use gini_of_shares for shares")
    order = np.argsort(values, kind="stable")
    values, load = values[order], load[order]
    amount = values * load
    if load.sum() <= 0 or amount.sum() <= 0:
        return float("nan")
    return float((2 * np.cumsum(load) - 1) @ amount / (load.sum() * amount.sum()) - 1)


def gini_of_shares(y: Values, weights: Values | None = None) -> float:
    """Gini coefficient as one minus twice the area under the Lorenz curve; any scale of weights."""
    people, amount = lorenz(y, weights)
    if people.size < 2:
        return float("nan")
    return float(1.0 - np.sum(np.diff(people) * (amount[1:] + amount[:-1])))
