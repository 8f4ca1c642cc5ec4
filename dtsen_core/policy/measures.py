"""Poverty and inequality measures of one weighted distribution: pure functions of numpy arrays.

Every function takes the values (expenditure or income per person, any currency, shape (n,); lists and
Series too) and optional `weights` (persons each value stands for, shape (n,); ones if omitted). Values
strictly below the line are poor, as Statistics Indonesia counts them. NaN, infinite numbers, negative
weights, unequal lengths and wrong shapes raise ValueError. Where nobody is counted (no values, or weights
that sum to zero), `mean`, `fgt` and its short forms, `quantile`, `at_risk_of_poverty` and the Gini
coefficients give NaN; all others raise ValueError.

The whole set: `foster_greer_thorbecke` (`fgt`), `watts`, `sen_shorrocks_thon`, `quantile`, EU-SILC
indicators; from `inequality` the Lorenz curve, shares, Gini, Theil and concentration index; from
`deprivation` the counting measures of Alkire and Foster. Sources stand with each function.
"""

from __future__ import annotations

import numpy as np

from dtsen_core.policy.deprivation import AlkireFoster, alkire_foster
from dtsen_core.policy.inequality import (
    LorenzCurve,
    TheilDecomposition,
    concentration_index,
    gini,
    gini_of_shares,
    lorenz,
    lorenz_curve,
    quantile_share,
    theil,
)
from dtsen_core.policy.sample import Values, filled, pair, positive, poverty_line

__all__ = [
    "AlkireFoster", "LorenzCurve", "TheilDecomposition", "alkire_foster", "at_risk_of_poverty",
    "concentration_index", "fgt", "foster_greer_thorbecke", "gini", "gini_of_shares", "headcount_ratio",
    "lorenz", "lorenz_curve", "mean", "poverty_gap", "poverty_severity", "quantile", "quantile_share",
    "quintile_share_ratio", "relative_median_poverty_gap", "sen_shorrocks_thon", "theil", "watts",
]  # fmt: skip


def mean(y: Values, weights: Values | None = None) -> float:
    """Weighted arithmetic mean, in the unit of `y`."""
    values, load = pair(y, weights)
    total = load.sum()
    return float(values @ load / total) if total > 0 else float("nan")


def foster_greer_thorbecke(values: Values, line: Values, alpha: float, weights: Values | None = None) -> float:
    """P_alpha = Σ_{y<z} w·((z − y)/z)^alpha / Σw: a fraction of 1 without unit.

    line   z > 0 in the unit of the values; one number, or one per value (lines by province), shape (n,)
    alpha  ≥ 0: 0 headcount ratio, 1 poverty gap, 2 severity

    ValueError also for empty input or weights that sum to zero. Source: Foster, Greer & Thorbecke (1984),
    Econometrica 52(3).
    """
    filled(values, weights)
    return fgt(values, line, weights, alpha)


def fgt(y: Values, line: Values, weights: Values | None = None, alpha: float = 0) -> float:
    """As `foster_greer_thorbecke`, with NaN where nobody is counted."""
    if not np.isfinite(alpha) or alpha < 0:
        raise ValueError("alpha must be zero or above")
    values, load = pair(y, weights)
    limit = np.broadcast_to(poverty_line(line, values.size), values.shape)
    total = load.sum()
    if total <= 0:
        return float("nan")
    poor = values < limit
    gap = (limit[poor] - values[poor]) / limit[poor]
    return float((gap**alpha) @ load[poor] / total)


def headcount_ratio(y: Values, line: Values, weights: Values | None = None) -> float:
    """P0: share of persons strictly below the line."""
    return fgt(y, line, weights, 0)


def poverty_gap(y: Values, line: Values, weights: Values | None = None) -> float:
    """P1: mean shortfall as a share of the line, zero for those who are not poor."""
    return fgt(y, line, weights, 1)


def poverty_severity(y: Values, line: Values, weights: Values | None = None) -> float:
    """P2: mean squared shortfall, which weighs the poorest more."""
    return fgt(y, line, weights, 2)


def watts(values: Values, line: Values, weights: Values | None = None) -> float:
    """Watts index Σ_{y<z} w·ln(z/y) / Σw: mean shortfall in log units, zero for those who are not poor.

    `line` z > 0 as in `foster_greer_thorbecke`. ValueError where a value is not above zero, or for empty
    input. Source: Watts (1968), An Economic Definition of Poverty; Zheng (1993), Economics Letters 42.
    """
    given, load = filled(values, weights)
    limit = np.broadcast_to(poverty_line(line, given.size), given.shape)
    positive(given, "the Watts index")
    poor = given < limit
    return float(np.log(limit[poor] / given[poor]) @ load[poor] / load.sum())


def sen_shorrocks_thon(values: Values, line: Values, weights: Values | None = None) -> float:
    """Sen–Shorrocks–Thon index, 0 to 1 (for values from zero up): P1·(1 + G), G the Gini of the gaps.

    The gaps are max((z − y)/z, 0) of all persons, poor or not, and G their Gini in the area form. For n
    persons ordered from the poorest this is Σ (2n − 2i + 1)·gap_i / n²; and P1 = P0 × the mean gap of the
    poor, which gives the three published factors. ValueError for empty input. Source: Shorrocks (1995),
    Econometrica 63(5); Osberg & Xu (2000), Review of Income and Wealth 46(1).
    """
    given, load = filled(values, weights)
    limit = poverty_line(line, given.size)
    gap = np.maximum((limit - given) / limit, 0.0)
    mean_gap = float(gap @ load / load.sum())
    return mean_gap * (1.0 + gini_of_shares(gap, load)) if mean_gap > 0 else 0.0


def quantile(y: Values, q: float, weights: Values | None = None) -> float:
    """Weighted quantile: the smallest value whose cumulated weight exceeds the share `q` of the total.

    Where the cumulated weight equals the share exactly, the mean of that value and the next one: the
    rule of the EU-SILC indicators (for equal weights the usual sample median).
    """
    if not 0 <= q <= 1:
        raise ValueError("q must lie between 0 and 1")
    values, load = pair(y, weights)
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
    """(threshold, rate): 60 % of the weighted median and the share of persons strictly below it.

    Source: Eurostat, EU-SILC methodology (weighted quantile without interpolation).
    """
    threshold = share_of_median * quantile(y, 0.5, weights)
    if not threshold > 0:
        return threshold, float("nan")
    return threshold, headcount_ratio(y, threshold, weights)


def quintile_share_ratio(values: Values, weights: Values | None = None) -> float:
    """S80/S20: mean of those above the 80 % quantile over the mean of those up to the 20 % quantile.

    Nobody is split between groups; means, because ties and weights make the groups unequal. ValueError
    where the lower group holds nothing. Source: Eurostat, EU-SILC methodology, as computed by Alfons & Templ
    (2013), Journal of Statistical Software 54(15).
    """
    given, load = filled(values, weights)
    poorest = given <= quantile(given, 0.2, load)
    richest = given > quantile(given, 0.8, load)
    low = mean(given[poorest], load[poorest])
    if not low > 0:
        raise ValueError("the poorest fifth holds nothing: the ratio is not defined")
    return mean(given[richest], load[richest]) / low if load[richest].sum() > 0 else 1.0


def relative_median_poverty_gap(values: Values, weights: Values | None = None, *,
                                share_of_median: float = 0.6) -> float:  # fmt: skip
    """(threshold − median of the poor) / threshold, a fraction; 0 where nobody lies below the threshold.

    Threshold and source as `at_risk_of_poverty`.
    """
    given, load = filled(values, weights)
    threshold, rate = at_risk_of_poverty(given, load, share_of_median=share_of_median)
    if not threshold > 0:
        raise ValueError("the median must be positive")
    if not rate > 0:
        return 0.0
    poor = given < threshold
    return float((threshold - quantile(given[poor], 0.5, load[poor])) / threshold)
