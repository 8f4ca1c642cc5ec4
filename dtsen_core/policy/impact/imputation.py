"""Cross-check of staggered entry by imputation: what treated units would have had without treatment, and the rest.

Gardner (2022), Two-stage differences in differences; Borusyak, Jaravel & Spiess (2024), Review of Economic Studies
91(6).
Unit and period effects come from untreated rows only (pyfixest), so treated units never serve as controls. The
estimate is a weighted sum Σ v·y; its error is that of Σ v·ε summed within clusters, with ε the residual of an untreated
row and the distance from the mean effect of a treated one. That is the two-stage error of the library's own estimator,
which builds a dense matrix of all units and so cannot be used on thousands of them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from dtsen_core.policy.impact import checks
from dtsen_core.policy.impact.checks import Floats
from dtsen_core.policy.impact.panel import read_panel
from dtsen_core.policy.impact.results import Effect


def imputation_estimate(
    df: pd.DataFrame, *, outcome: str, unit: str, time: str, first_treated: str, cluster: str | None = None,
    level: float = 0.95,
) -> Effect:  # fmt: skip
    """Mean effect over all treated rows by two-stage imputation, with its interval.

    The panel is read as by `difference_in_differences`; units with fewer than two untreated rows are left out.
    Errors are clustered by unit, or by `cluster`. ValueError as there, and where no treated unit or period is left.
    """
    checks.confidence(level)
    panel = read_panel(df, outcome, unit, time, first_treated, (), cluster, None, False)
    seen = ~np.isnan(panel.y)
    treated = seen & (panel.times[None, :] >= np.where(panel.never, np.inf, panel.first)[:, None])
    plain = seen & ~treated
    kept = plain.sum(axis=1) >= 2
    # a period in which nobody is untreated has no effect of its own to impute
    treated &= kept[:, None] & (plain & kept[:, None]).any(axis=0)
    plain &= kept[:, None]
    if not treated.any():
        raise ValueError("no treated unit has two periods before its treatment and others untreated beside it")
    away = panel.y - _untreated(panel.y, plain)
    estimate = float(away[treated].mean())
    weight = _weights(plain, treated)
    residual = np.where(treated, away - estimate, np.where(plain, away, 0.0))
    sums = np.nansum(weight * residual, axis=1)
    df, scale = np.inf, 1.0
    if panel.cluster is not None and (clusters := int(panel.cluster.max()) + 1) < len(sums):
        sums, df, scale = np.bincount(panel.cluster, sums), clusters - 1, clusters / (clusters - 1)
    z = float(stats.t.ppf((1 + level) / 2, df))
    se = float(np.sqrt(scale * (sums @ sums)))
    p = checks.two_sided(estimate / se, df) if se > 0 else float("nan")
    return Effect(estimate, se, (estimate - z * se, estimate + z * se), p)


def _untreated(y: Floats, plain: np.ndarray) -> Floats:
    """Outcome without treatment, shape (units, periods): unit and period effects of the rows `plain`.

    The library gives the period effects beside the units' own; a unit's effect is then a mean. Its prediction would
    expand every unit into a column.
    """
    import pyfixest  # a heavy import that only this check needs

    unit, time = np.nonzero(plain)
    long = pd.DataFrame({"y": y[unit, time], "unit": unit, "time": time})
    try:
        found = pyfixest.feols("y ~ C(time) | unit", long).coef()
    except Exception as problem:  # the library raises whatever its parts raise
        raise ValueError(f"the imputation estimate failed: {problem}") from problem
    of_time = np.zeros(y.shape[1])
    for name, value in found.items():
        of_time[int(str(name).rpartition("T.")[2].rstrip("]"))] = float(value)
    left = np.where(plain, y - of_time[None, :], 0.0).sum(axis=1)
    seen = plain.sum(axis=1)
    of_unit = np.divide(left, seen, out=np.full(len(y), np.nan), where=seen > 0)
    return np.asarray(of_unit[:, None] + of_time[None, :])


def _solve(plain: np.ndarray, by_unit: Floats, by_time: Floats) -> tuple[Floats, Floats]:
    """x of Z'Z x = (by_unit, by_time), Z the unit and period dummies of `plain`; units are eliminated first."""
    own = plain.sum(axis=1)
    share = np.divide(plain, own[:, None], out=np.zeros(plain.shape), where=own[:, None] > 0)
    inner = np.diag(plain.sum(axis=0).astype(np.float64)) - share.T @ plain
    # the periods are known but for a constant, which the units take up: one eigenvalue is zero but for rounding
    of_time = np.linalg.pinv(inner, rcond=1e-9, hermitian=True) @ (by_time - share.T @ by_unit)
    of_unit = np.divide(by_unit - plain @ of_time, own, out=np.zeros(len(own)), where=own > 0)
    return of_unit, of_time


def _weights(plain: np.ndarray, treated: np.ndarray) -> Floats:
    """Weight of every row in the estimate, shape (units, periods)."""
    share = treated / treated.sum()
    of_unit, of_time = _solve(plain, share.sum(axis=1), share.sum(axis=0))
    return np.asarray(share - plain * (of_unit[:, None] + of_time[None, :]))
