"""Inequality of one weighted distribution: Lorenz curve, shares, Gini, Theil, concentration.

`values` (n,) are amounts per person in any one unit, `weights` (n,) the persons each stands for (ones if
omitted). All results are fractions of 1 without unit, the same for any currency and, except where
said, for any scale of the weights. ValueError for NaN, negative weights and unequal lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

import numpy as np
import pandas as pd

from dtsen_core.policy.sample import Array, Values, filled, numbers, pair, positive

EXPANSION = 100.0  # fractional weights from here on say how many persons of a population one of a sample stands for


class LorenzCurve(NamedTuple):
    """Points of the curve, both (n + 1,) from 0 to 1: cumulated share of `persons` and of the `amount`."""

    persons: Array
    amount: Array


def lorenz_curve(values: Values, weights: Values | None = None) -> LorenzCurve:
    """Lorenz curve L(p): the share of the total held by the poorest share p of persons.

    Points (Σ_{j≤i} w_j / Σw, Σ_{j≤i} w_j·y_j / Σw·y) in rising order of y, with straight lines between.
    Negative values are allowed (the curve dips below zero) as long as the total is positive; ValueError
    otherwise. Source: Lorenz (1905), Publications of the American Statistical Association 9(70).
    """
    given, load = filled(values, weights)
    order = np.argsort(given, kind="stable")
    people, amount = load[order], given[order] * load[order]
    if not amount.sum() > 0:
        raise ValueError("the total of the values must be positive")
    return LorenzCurve(
        np.concatenate([[0.0], np.cumsum(people) / people.sum()]),
        np.concatenate([[0.0], np.cumsum(amount) / amount.sum()]),
    )


def lorenz(y: Values, weights: Values | None = None) -> tuple[Array, Array]:
    """As `lorenz_curve`; one NaN each where nobody or nothing is there."""
    values, load = pair(y, weights)
    if not load.sum() > 0 or not (values @ load) > 0:
        nothing = np.array([np.nan])
        return nothing, nothing
    curve = lorenz_curve(values, load)
    return curve.persons, curve.amount


@overload
def quantile_share(values: Values, q: int = 5, weights: Values | None = None) -> Array: ...
@overload
def quantile_share(values: Values, q: float | Sequence[float], weights: Values | None = None) -> float: ...
def quantile_share(values: Values, q: int | float | Sequence[float] = 5,
                   weights: Values | None = None) -> Array | float:  # fmt: skip
    """Share of the total held by a part of the persons, read from the Lorenz curve.

    q   a whole number ≥ 2: an array with the shares of that many equal groups, poorest first (5 =
        quintiles, 10 = deciles); a fraction in (0, 1]: the share L(q) of the poorest q, such as 0.4; a pair
        (low, high) of fractions: L(high) − L(low), such as (0.9, 1.0) for the richest tenth.

    A person who stands on a border counts with the part on either side, so that groups are exactly equal
    (World Bank, Poverty and Inequality Platform). The EU-SILC ratio S80/S20, which does not split anybody,
    is `measures.quintile_share_ratio`.
    """
    curve = lorenz_curve(values, weights)
    if isinstance(q, (int, np.integer)) and not isinstance(q, bool) and q >= 2:
        return np.diff(np.interp(np.linspace(0, 1, int(q) + 1), curve.persons, curve.amount))
    bounds = np.atleast_1d(np.asarray(q, dtype=np.float64))
    low, high = (0.0, float(bounds[0])) if bounds.size == 1 else (float(bounds[0]), float(bounds[-1]))
    if bounds.size > 2 or not 0 <= low < high <= 1:
        raise ValueError("q must be a whole number ≥ 2, a fraction in (0, 1], or a pair 0 ≤ low < high ≤ 1")
    ends = np.interp([low, high], curve.persons, curve.amount)
    return float(ends[1] - ends[0])


def gini(values: Values, weights: Values | None = None) -> float:
    """Gini coefficient, 0 (equal) to 1, in the form published for EU-SILC. NaN where nobody or nothing is.

    With r the cumulated weight up to and including the unit, in rising order of y:

    * whole-number weights (or none) are persons: exactly the Gini of the persons written out one by one,
      G = Σ (2·r − w)·w·y / (Σw · Σw·y) − 1;
    * fractional weights that all reach `EXPANSION` are those of a sample survey:
      G = Σ (2·r − 1)·w·y / (Σw · Σw·y) − 1 (Osier 2009, Survey Research Methods 3(3); the form of the
      published 26.49652 % of the EU-SILC sample). It exceeds the area form by about one unit's share;
    * any other weights are shares, of which any scale is as good: the area form of `gini_of_shares`.

    Source of the index: Gini (1912), Variabilità e mutabilità.
    """
    given, load = pair(values, weights)
    held = load[load > 0]
    if not held.size or not (given @ load) > 0:
        return float("nan")
    if (held < EXPANSION).any() or (held == np.rint(held)).all():
        return gini_of_shares(given, load)
    order = np.argsort(given, kind="stable")
    given, load = given[order], load[order]
    amount = given * load
    return float((2 * np.cumsum(load) - 1) @ amount / (load.sum() * amount.sum()) - 1)


def gini_of_shares(y: Values, weights: Values | None = None) -> float:
    """Gini coefficient as one minus twice the area under the Lorenz curve; any scale of weights."""
    people, amount = lorenz(y, weights)
    if people.size < 2:
        return float("nan")
    return float(1.0 - np.sum(np.diff(people) * (amount[1:] + amount[:-1])))


@dataclass(frozen=True, eq=False)
class TheilDecomposition:
    """Theil's T and its parts: `total` = `within` + `between`.

    `by_group` has one row per group, in order of its label: group, population_share, value_share, mean,
    theil (inside the group), within (its contribution to `within`), between (to `between`).
    """

    total: float
    within: float
    between: float
    by_group: pd.DataFrame

    def __float__(self) -> float:
        return self.total


@overload
def theil(values: Values, weights: Values | None = None, groups: None = None) -> float: ...
@overload
def theil(values: Values, weights: Values | None = None, *, groups: Values | pd.Series) -> TheilDecomposition: ...
def theil(values: Values, weights: Values | None = None,
          groups: Values | pd.Series | None = None) -> float | TheilDecomposition:  # fmt: skip
    """Theil's T index, 0 (equal) to ln n, and with `groups` (n,) its parts within and between them.

    T = Σ w·(y/μ)·ln(y/μ) / Σw. With the group's share of the total s_g and of persons p_g:
    within Σ s_g·T_g, between Σ s_g·ln(s_g / p_g); the two sum to T exactly.
    ValueError where a value is not above zero or a group label is missing; groups without weight are left
    out. Source: Theil (1967), Economics and Information Theory, ch. 4; Shorrocks (1980), Econometrica 48(3).
    """
    given, load = filled(values, weights)
    positive(given, "Theil's index")
    if groups is None:
        return _theil(given, load)
    labels = pd.Series(np.asarray(groups, dtype=object))
    if labels.shape != given.shape:
        raise ValueError(f"{given.size} values but {labels.size} group labels")
    if labels.isna().any():
        raise ValueError("every value needs a group label")
    number, names = pd.factorize(labels, sort=_sortable(labels))
    people, amount = np.bincount(number, load), np.bincount(number, load * given)
    kept = np.flatnonzero(people > 0)
    persons, held = people[kept] / people.sum(), amount[kept] / amount.sum()
    inside = np.array([_theil(given[number == g], load[number == g]) for g in kept])
    frame = pd.DataFrame({
        "group": [names[g] for g in kept], "population_share": persons, "value_share": held,
        "mean": amount[kept] / people[kept], "theil": inside, "within": held * inside,
        "between": held * np.log(held / persons),
    })  # fmt: skip
    within, between = float(frame["within"].sum()), float(frame["between"].sum())
    return TheilDecomposition(within + between, within, between, frame)


def _theil(values: Array, load: Array) -> float:
    ratio = values / (values @ load / load.sum())
    return float(load @ (ratio * np.log(ratio)) / load.sum())


def _sortable(labels: pd.Series) -> bool:
    try:
        sorted(set(labels))
    except TypeError:
        return False
    return True


def concentration_index(values: Values, rank_by: Values, weights: Values | None = None) -> float:
    """Concentration index of `values` over persons ranked by `rank_by` (n,), −1 to 1.

    C = 2·cov(y, r) / μ with r the fractional rank, the weight below plus half of the own, over Σw; persons
    of equal `rank_by` share the mean rank of their group. Negative: concentrated on those who rank low
    (a benefit that reaches the poor); ranked by the values themselves it is their Gini.
    ValueError for NaN in any argument or a mean that is not positive. Source: Kakwani, Wagstaff & van
    Doorslaer (1997), Journal of Econometrics 77(1), eq. 2 and 7; ties as van Doorslaer & Koolman (2004).
    """
    given, load = filled(values, weights)
    by = numbers(rank_by, "rank_by")
    if by.shape != given.shape:
        raise ValueError(f"{given.size} values but {by.size} ranks")
    whole = load.sum()
    mean = given @ load / whole
    if not mean > 0:
        raise ValueError("the mean of the values must be positive")
    _, group = np.unique(by, return_inverse=True)
    size = np.bincount(group, load)
    rank = ((np.cumsum(size) - size / 2) / whole)[group]
    return float(2 * (load @ ((given - mean) * (rank - 0.5))) / whole / mean)
