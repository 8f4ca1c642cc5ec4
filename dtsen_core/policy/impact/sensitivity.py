"""Is a discontinuity credible? Balance, other bandwidths, a hole around the cut-off, cut-offs without a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dtsen_core.policy.impact import checks
from dtsen_core.policy.impact.discontinuity import regression_discontinuity
from dtsen_core.policy.impact.results import RDResult

COLUMNS = ("estimate", "se", "ci_low", "ci_high", "p_value", "n_left", "n_right", "h")


def _row(result: RDResult) -> dict[str, float]:
    robust = result.robust_ci is not None
    low, high = result.best_ci
    return {
        "estimate": result.estimate, "se": result.se, "ci_low": low, "ci_high": high,
        "p_value": float(result.robust_p_value) if robust and result.robust_p_value is not None else result.p_value,
        "n_left": result.n_left, "n_right": result.n_right, "h": result.h,
    }  # fmt: skip


def _table(name: str, values: Sequence[Any], estimate: Callable[[Any], RDResult]) -> pd.DataFrame:
    """One row per value; where nothing can be estimated the figures are NaN and `reason` says why."""
    rows = []
    for value in values:
        try:
            rows.append({name: value, **_row(estimate(value)), "reason": ""})
        except ValueError as problem:
            rows.append({name: value, **dict.fromkeys(COLUMNS, np.nan), "reason": str(problem)})
    return pd.DataFrame(rows, columns=[name, *COLUMNS, "reason"])


def covariate_balance(
    df: pd.DataFrame, *, covariates: str | Sequence[str], running: str, cutoff: float, **options: Any
) -> pd.DataFrame:
    """Jump of each covariate at the cut-off: columns covariate, estimate, se, ci_low, ci_high, p_value, …

    A covariate fixed before the rule must not jump. `options` go to `regression_discontinuity` (without
    `treatment`: balance is about the rule). With rdrobust interval and p-value are the robust ones.
    """
    names = checks.names(covariates)
    if not names:
        raise ValueError("no covariates named")
    checks.frame(df, (*names, running))
    return _table(
        "covariate", names,
        lambda name: regression_discontinuity(df, outcome=name, running=running, cutoff=cutoff, **options),
    )  # fmt: skip


def bandwidth_sensitivity(
    df: pd.DataFrame, *, bandwidth: float, factors: Sequence[float] = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0), **options: Any
) -> pd.DataFrame:
    """The estimate at multiples of `bandwidth`: columns factor, estimate, … ; `options` as for the estimate."""
    if not np.isfinite(bandwidth) or bandwidth <= 0:
        raise ValueError("bandwidth must be positive")
    return _table(
        "factor", list(factors), lambda f: regression_discontinuity(df, bandwidth=float(f) * bandwidth, **options)
    )


def donut_sensitivity(
    df: pd.DataFrame, *, running: str, cutoff: float, radii: Sequence[float], **options: Any
) -> pd.DataFrame:
    """The estimate without the rows closer than each radius to the cut-off: columns radius, estimate, …"""
    data = checks.frame(df, (running,))
    distance = np.abs(checks.numbers(data[running], running) - float(cutoff))

    def estimate(radius: float) -> RDResult:
        kept = data[~(distance < radius)]
        return regression_discontinuity(kept, running=running, cutoff=cutoff, **options)

    return _table("radius", list(radii), estimate)


def placebo_cutoffs(
    df: pd.DataFrame, *, running: str, cutoff: float, cutoffs: Sequence[float], **options: Any
) -> pd.DataFrame:
    """Jump of the outcome at places where no rule is, from the rows of that side of the true cut-off only.

    Columns placebo, estimate, … In a fuzzy design give the reduced form: no `treatment`.
    """
    data = checks.frame(df, (running,))
    x = checks.numbers(data[running], running)

    def estimate(place: float) -> RDResult:
        if place == cutoff:
            raise ValueError("this is the true cut-off")
        side = x < cutoff if place < cutoff else x >= cutoff
        return regression_discontinuity(data[side], running=running, cutoff=place, **options)

    return _table("placebo", list(cutoffs), estimate)
