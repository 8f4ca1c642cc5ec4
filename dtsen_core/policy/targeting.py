"""Who a programme reaches and what its benefit changes: incidence of any transfer, on a plain data frame.

Sources of the measures:
  coverage, under-coverage, leakage, targeting differential (coverage of the poor minus that of the others):
      Ravallion (2000), World Bank Economic Review 14(2); Ravallion (2009), World Bank Research Observer 24(2)
  share of benefits of the poorest over their share of people: Coady, Grosh & Hoddinott (2004), Targeting of
      Transfers in Developing Countries, ch. 3 (1 = as if handed out at random, above 1 progressive)
  concentration index and curve: Kakwani, Wagstaff & van Doorslaer (1997), Journal of Econometrics 77(1)
  adequacy, generosity, benefit–cost (fall of the poverty gap per unit of money): Tiwari et al. and World
      Bank (2009/2018), ADePT Social Protection and ASPIRE indicator notes
  P0, P1, P2: Foster, Greer & Thorbecke (1984). Values strictly below the line are poor.

Higher welfare = better off; quantile 1 is the worst off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.policy import measures
from dtsen_core.policy.impact import checks

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Targeting:
    """Incidence of one transfer. Shares are fractions of 1, money is in the unit of `benefit`.

    by_quantile   DataFrame: quantile, population, beneficiaries, coverage, share_of_beneficiaries, benefits,
                  share_of_benefits, mean_benefit (per beneficiary), adequacy
    poverty       DataFrame by measure (p0, p1, p2, gini): without, with_transfer, change and their standard
                  errors se_without, se_with, se_change (design: independent rows, or `cluster`)
    curve         DataFrame: population, benefits; the concentration curve from (0, 0) to (1, 1)
    coverage, coverage_poor, coverage_bottom     share of all, of the poor, of the bottom that receives
    undercoverage, undercoverage_bottom          1 − coverage of the poor / of the bottom (exclusion)
    leakage, leakage_bottom                      share of beneficiaries who are not poor / not in the bottom
    benefit_leakage                              share of the money that goes to those who are not poor
    cgh_index, cgh_index_bottom                  share of benefits ÷ share of people, for the poor / bottom
    targeting_differential                       coverage of the poor − coverage of the others
    concentration_index                          of benefits over people by welfare, −1 … 1, negative = pro-poor
    adequacy, adequacy_poor                      benefits ÷ welfare of those who receive
    generosity                                   mean benefit of those who receive ÷ poverty line
    benefit_cost                                 fall of the total poverty gap ÷ total benefits
    A figure whose denominator is empty (no poor, no beneficiaries) is NaN, and `notes` says why.
    """

    by_quantile: pd.DataFrame
    poverty: pd.DataFrame
    curve: pd.DataFrame
    population: float
    beneficiaries: float
    benefits: float
    n: int
    coverage: float
    coverage_poor: float
    coverage_bottom: float
    undercoverage: float
    undercoverage_bottom: float
    leakage: float
    leakage_bottom: float
    benefit_leakage: float
    cgh_index: float
    cgh_index_bottom: float
    targeting_differential: float
    concentration_index: float
    adequacy: float
    adequacy_poor: float
    generosity: float
    benefit_cost: float
    bottom: float
    counterfactual: str
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> pd.Series:
        """The single figures by name."""
        return pd.Series({k: v for k, v in vars(self).items() if isinstance(v, float)}, dtype=np.float64)


def quantile_groups(welfare: npt.ArrayLike, weight: npt.ArrayLike | None = None, quantiles: int = 10) -> np.ndarray:
    """Group 1 (worst off) … `quantiles` of each value, shape (n,); equal values share one group.

    min(Q, floor(Q·B / W) + 1) with B the weight strictly below the value and W the total: the rule of the
    dashboard's deciles. ValueError for NaN, negative or all-zero weights, or fewer than two groups.
    """
    y = checks.numbers(welfare, "welfare")
    w = np.ones_like(y) if weight is None else checks.numbers(weight, "weight")
    if np.isnan(y).any() or np.isnan(w).any() or w.shape != y.shape:
        raise ValueError("welfare and weight must be numbers of one length without gaps")
    if (w < 0).any() or not w.sum() > 0:
        raise ValueError("weights must not be negative and not all be zero")
    if isinstance(quantiles, bool) or not isinstance(quantiles, int | np.integer) or quantiles < 2:
        raise ValueError("quantiles must be a whole number of at least 2")
    _, place = np.unique(y, return_inverse=True)
    held = np.bincount(place, weights=w)
    below = np.concatenate([[0.0], np.cumsum(held)[:-1]])
    # a billionth covers the rounding of sums of weights
    group = np.floor(quantiles * below / held.sum() + 1e-9).astype(np.int64) + 1
    return np.minimum(group, quantiles)[place]


def targeting_table(
    df: pd.DataFrame, *, welfare: str, weight: str | None = None, received: str, benefit: str | None = None,
    line: float | str, quantiles: int = 10, bottom: float = 0.4, includes_benefit: bool = True,
    cluster: str | None = None,
) -> Targeting:  # fmt: skip
    """Reach, incidence and poverty effect of one transfer.

    Parameters
    ----------
    df
        One row per unit (person, or family with `weight` = expansion × family size for figures on persons).
    welfare
        Column: expenditure or income per person. Higher is better off.
    weight
        Column: what each row stands for; ones if None.
    received
        Column: whether the row receives, 0/1 or booleans.
    benefit
        Column: the transfer in the unit and period of `welfare` (per person); missing counts as nothing. None
        where amounts are unknown: then every figure about money is NaN.
    line
        Poverty line in the unit of `welfare`: a number, or a column of lines.
    quantiles, bottom
        Groups of equal weight by welfare; share of people that counts as the bottom (0.4 = poorest 40 %).
    includes_benefit
        The counterfactual. True: `welfare` was observed with the transfer, and without it would be
        welfare − benefit. False: `welfare` is without it. Nobody changes behaviour in either. Groups and the
        poor are those of `welfare` as given.
    cluster
        Column of primary sampling units for the standard errors.

    Raises
    ------
    ValueError
        Unknown column, no complete row, negative weight, benefit without reception, negative benefit, a line
        that is not positive, `received` other than yes and no, bottom outside (0, 1).

    Rows without welfare, weight or an answer on reception are left out and counted in ``notes``.
    """
    lines = line if isinstance(line, str) else None
    data = checks.frame(df, (welfare, weight, received, benefit, lines, cluster))
    if not 0 < checks.number(bottom, "bottom") < 1:
        raise ValueError("bottom must lie between 0 and 1, for example 0.4")
    y = checks.numbers(data[welfare], welfare)
    w = np.ones(len(y)) if weight is None else checks.numbers(data[weight], weight)
    r = checks.numbers(data[received], received)
    z = checks.numbers(data[lines], lines) if lines else np.full(len(y), _number(line))
    b = np.zeros(len(y)) if benefit is None else np.nan_to_num(checks.numbers(data[benefit], benefit))
    keep = ~(np.isnan(y) | np.isnan(w) | np.isnan(r) | np.isnan(z))
    if cluster:
        keep &= data[cluster].notna().to_numpy()
    notes = [] if keep.all() else [f"{int((~keep).sum())} rows with a missing value were left out"]
    y, w, r, z, b = (a[keep] for a in (y, w, r, z, b))
    groups = None if cluster is None else pd.factorize(data[cluster][keep])[0]
    _check(y, w, r, z, b)
    received_ = r == 1
    before = y - b if includes_benefit else y
    after = y if includes_benefit else y + b
    if (y < 0).any():
        notes.append(f"{int((y < 0).sum())} rows have negative welfare; it is taken as it stands")
    if (over := (before < 0) & (y >= 0)).any():
        notes.append(f"{int(over.sum())} rows receive more than their welfare; without it they count as zero")
        before = np.where(over, 0.0, before)
    quantile = quantile_groups(y, w, quantiles)
    poor, low = y < z, _bottom_share(y, w, bottom)
    known = benefit is not None
    if not known:
        notes.append("the amount of the benefit is not known")
    if not poor.any():
        notes.append("nobody is below the line")
    if not received_.any():
        notes.append("nobody receives the transfer")
    money = b if known else np.full(len(y), np.nan)
    reached, amount = w * received_, w * money
    people, total, paid = w.sum(), reached.sum(), amount.sum()
    share_poor, share_low = w @ poor / people, float(w @ low / people)
    covered = _ratio(reached @ poor, w @ poor)
    covered_low = _ratio(reached @ low, w @ low)
    gap = np.maximum(z - before, 0) - np.maximum(z - after, 0)
    curve = _curve(y, w, amount)
    return Targeting(
        by_quantile=_by_quantile(quantile, quantiles, w, reached, amount, y, received_),
        poverty=_poverty(before, after, w, z, groups, known), curve=curve, population=float(people),
        beneficiaries=float(total), benefits=float(paid), n=len(y), coverage=_ratio(total, people),
        coverage_poor=covered, coverage_bottom=covered_low, undercoverage=1 - covered,
        undercoverage_bottom=1 - covered_low, leakage=_ratio(reached @ ~poor, total),
        leakage_bottom=_ratio(reached @ (1 - low), total), benefit_leakage=_ratio(amount @ ~poor, paid),
        cgh_index=_ratio(_ratio(amount @ poor, paid), share_poor),
        cgh_index_bottom=_ratio(_ratio(amount @ low, paid), share_low),
        targeting_differential=covered - _ratio(reached @ ~poor, w @ ~poor),
        concentration_index=_concentration(curve), adequacy=_ratio(paid, reached @ after),
        adequacy_poor=_ratio(amount @ poor, reached @ (after * poor)),
        generosity=_ratio(_ratio(paid, total), _ratio(reached @ z, total)),
        benefit_cost=_ratio(w @ gap, paid), bottom=float(bottom),
        counterfactual="welfare − benefit" if includes_benefit else "welfare as given, benefit added",
        notes=tuple(notes),
    )  # fmt: skip


def _number(line: Any) -> float:
    try:
        return float(line)
    except (ValueError, TypeError) as problem:
        raise ValueError("line must be a number or the name of a column") from problem


def _check(y: Floats, w: Floats, r: Floats, z: Floats, b: Floats) -> None:
    if not len(y):
        raise ValueError("no complete rows")
    if (w < 0).any() or not w.sum() > 0:
        raise ValueError("weights must not be negative and not all be zero")
    if not np.isin(r, (0, 1)).all():
        raise ValueError("received must be 0 or 1 (or a boolean)")
    if not (z > 0).all():
        raise ValueError("the poverty line must be positive")
    if (b < 0).any():
        raise ValueError("a benefit must not be negative")
    if (b[r == 0] > 0).any():
        raise ValueError(f"{int((b[r == 0] > 0).sum())} rows have a benefit and do not receive")


def _ratio(top: Any, bottom: Any) -> float:
    return float(top / bottom) if bottom > 0 else float("nan")


def _bottom_share(y: Floats, w: Floats, bottom: float) -> Floats:
    """Part of each row that belongs to the poorest share `bottom`: 1, 0, or a fraction for the value at the edge."""
    _, place = np.unique(y, return_inverse=True)
    held = np.bincount(place, weights=w)
    below = np.cumsum(held) - held
    part = np.divide(bottom * held.sum() - below, held, out=np.zeros_like(held), where=held > 0)
    return np.clip(part, 0, 1)[place]


def _by_quantile(
    quantile: np.ndarray, quantiles: int, w: Floats, reached: Floats, amount: Floats, y: Floats, received: np.ndarray
) -> pd.DataFrame:
    def total(values: Floats) -> Floats:
        return np.bincount(quantile - 1, weights=values, minlength=quantiles).astype(np.float64)

    people, covered, paid = total(w), total(reached), total(amount)
    with np.errstate(invalid="ignore", divide="ignore"):
        return pd.DataFrame({
            "quantile": np.arange(1, quantiles + 1), "population": people, "beneficiaries": covered,
            "coverage": covered / people, "share_of_beneficiaries": covered / covered.sum(), "benefits": paid,
            "share_of_benefits": paid / paid.sum(), "mean_benefit": paid / covered,
            "adequacy": paid / total(reached * y),
        })  # fmt: skip


def _curve(y: Floats, w: Floats, amount: Floats) -> pd.DataFrame:
    """Cumulated shares of people and benefits by welfare; rows of equal welfare move together."""
    _, place = np.unique(y, return_inverse=True)
    people, paid = np.bincount(place, weights=w), np.bincount(place, weights=amount)
    with np.errstate(invalid="ignore"):
        return pd.DataFrame({
            "population": np.concatenate([[0.0], np.cumsum(people) / people.sum()]),
            "benefits": np.concatenate([[0.0], np.cumsum(paid) / paid.sum()]),
        })  # fmt: skip


def _concentration(curve: pd.DataFrame) -> float:
    """1 − 2 × area under the concentration curve."""
    x, c = curve["population"].to_numpy(), curve["benefits"].to_numpy()
    return float(1 - np.sum(np.diff(x) * (c[1:] + c[:-1])))


def _poverty(
    before: Floats, after: Floats, w: Floats, z: Floats, cluster: np.ndarray | None, known: bool
) -> pd.DataFrame:
    rows = []
    for name in ("p0", "p1", "p2", "gini"):
        terms = [_gini_terms(y, w) if name == "gini" else _fgt_terms(y, z, int(name[1])) for y in (before, after)]
        figures = [_mean_se(term, w, cluster) for term in (*terms, terms[1] - terms[0])]
        without, with_ = figures[0][0], figures[1][0]
        if name == "gini":
            without, with_ = (measures.gini_of_shares(y, w) for y in (before, after))
        row = [name, without, with_, with_ - without, figures[0][1], figures[1][1], figures[2][1]]
        rows.append(row if known else [name, *[np.nan] * 6])
    columns = ["measure", "without", "with_transfer", "change", "se_without", "se_with", "se_change"]
    return pd.DataFrame(rows, columns=columns).set_index("measure")


def _fgt_terms(y: Floats, z: Floats, alpha: int) -> Floats:
    poor = y < z
    return poor * np.maximum(1 - y / z, 0) ** alpha if alpha else poor.astype(np.float64)


def _gini_terms(y: Floats, w: Floats) -> Floats:
    """Linearised Gini (Deville 1999): values whose weighted mean has its sampling error."""
    mean = w @ y / w.sum()
    if not mean > 0:
        return np.full(len(y), np.nan)
    _, place = np.unique(y, return_inverse=True)
    held, paid = np.bincount(place, weights=w), np.bincount(place, weights=w * y)
    f = (np.cumsum(held) - held / 2)[place] / w.sum()
    upper = (paid.sum() - np.cumsum(paid) + paid / 2)[place] / w.sum()
    gini = float(2 * (w @ (f * y)) / w.sum() / mean - 1)
    return 2 * (y * f + upper) / mean - (1 + gini) * y / mean - (2 * (w @ (f * y)) / w.sum() / mean) + gini


def _mean_se(values: Floats, w: Floats, cluster: np.ndarray | None) -> tuple[float, float]:
    """Weighted mean and its standard error (linearised ratio, with replacement)."""
    mean = w @ values / w.sum()
    own = w * (values - mean) / w.sum()
    if cluster is not None:
        own = np.bincount(cluster, weights=own)
    n = len(own)
    return float(mean), float(np.sqrt(n / (n - 1) * (own @ own))) if n > 1 else float("nan")
