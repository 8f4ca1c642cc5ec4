"""What the impact functions return: plain dataclasses, one meaning per field."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

Interval = tuple[float, float]


@dataclass(frozen=True)
class RDResult:
    """One regression discontinuity estimate; effects in the unit of the outcome.

    estimate, se, ci, p_value       conventional local polynomial estimate, its standard error, interval, p
    robust_estimate, robust_se,     bias-corrected estimate with robust standard error, interval and p-value
      robust_ci, robust_p_value     (Calonico, Cattaneo and Titiunik 2014); None without rdrobust
    h, h_left, h_right, b           bandwidths in the unit of the running variable (`h` is the left one; `b`
                                    that of the bias, None without rdrobust)
    n, n_left, n_right              rows used, and those with positive kernel weight on either side
    design                          "sharp" or "fuzzy"
    first_stage, first_stage_se,    jump in the treatment, its standard error and F = (jump/se)²; for a sharp
      first_stage_f                 design 1, 0 and infinity
    reduced_form                    jump in the outcome (equals `estimate` in a sharp design)
    method                          "rdrobust" or "local linear (statsmodels)"
    label                           always "causal": it holds only where the diagnostics do
    notes                           what the reader must know: dropped rows, mass points, a weak first stage
    """

    estimate: float
    se: float
    ci: Interval
    p_value: float
    robust_estimate: float | None
    robust_se: float | None
    robust_ci: Interval | None
    robust_p_value: float | None
    h: float
    h_left: float
    h_right: float
    b: float | None
    n: int
    n_left: int
    n_right: int
    design: str
    first_stage: float
    first_stage_se: float
    first_stage_f: float
    reduced_form: float
    cutoff: float
    order: int
    kernel: str
    level: float
    method: str
    label: str = "causal"
    notes: tuple[str, ...] = ()

    @property
    def best_ci(self) -> Interval:
        """The robust interval where there is one, else the conventional."""
        return self.ci if self.robust_ci is None else self.robust_ci

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class DensityTest:
    """Manipulation test: `statistic` T = (right − left density)/se, two-sided `p_value`, densities at the
    cut-off per unit of the running variable, bandwidths, rows within them, whether values repeat."""

    statistic: float
    p_value: float
    density_left: float
    density_right: float
    difference: float
    se: float
    h_left: float
    h_right: float
    n: int
    n_left: int
    n_right: int
    mass_points: bool
    method: str
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Effect:
    """An estimate with its standard error, interval and two-sided p-value."""

    estimate: float
    se: float
    ci: Interval
    p_value: float


@dataclass(frozen=True)
class PreTrend:
    """Wald test that all pre-treatment effects are zero; NaN where there are none or they are collinear."""

    statistic: float
    df: int
    p_value: float


@dataclass(frozen=True, eq=False)
class DiDResult:
    """Group-time effects and what follows from them; effects in the unit of the outcome.

    group_time   DataFrame: group, time, estimate, se, ci_low, ci_high, post, n_treated, n_control
    event_study  DataFrame: event (time since first treatment; negative before), estimate, se, ci_low,
                 ci_high, band_low, band_high (simultaneous), groups
    by_group, by_calendar   DataFrames: group or time, estimate, se, ci_low, ci_high
    simple, dynamic, group, calendar   overall effects (`Effect`): the mean over all post group-times, over
                 event times ≥ 0, over groups, over periods
    pretrend     joint test of the pre-treatment group-time effects
    minimum_detectable_effect   (z₁₋α⁄₂ + z₀.₈)·se of the simple effect
    """

    group_time: pd.DataFrame
    event_study: pd.DataFrame
    by_group: pd.DataFrame
    by_calendar: pd.DataFrame
    simple: Effect
    dynamic: Effect
    group: Effect
    calendar: Effect
    pretrend: PreTrend
    minimum_detectable_effect: float
    n_units: int
    n_treated: int
    n_control: int
    n_rows: int
    control: str
    level: float
    method: str
    label: str = "causal"
    notes: tuple[str, ...] = field(default=())

    @property
    def estimate(self) -> float:
        """The simple effect."""
        return self.simple.estimate

    @property
    def se(self) -> float:
        return self.simple.se

    @property
    def ci(self) -> Interval:
        return self.simple.ci
