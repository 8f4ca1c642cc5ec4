"""Causal effects with diagnostics, on plain data frames: discontinuity designs and staggered adoption.

`regression_discontinuity` and its checks, `density_test`, `difference_in_differences`. All raise ValueError
with a sentence where the data cannot answer; nothing here knows the dashboard's datasets.
"""

from dtsen_core.policy.impact.density import density_test
from dtsen_core.policy.impact.differences import difference_in_differences
from dtsen_core.policy.impact.discontinuity import rdrobust_installed, regression_discontinuity
from dtsen_core.policy.impact.imputation import imputation_estimate
from dtsen_core.policy.impact.results import DensityTest, DiDResult, Effect, PreTrend, RDResult
from dtsen_core.policy.impact.sensitivity import (
    bandwidth_sensitivity,
    covariate_balance,
    donut_sensitivity,
    placebo_cutoffs,
)

__all__ = [
    "DensityTest", "DiDResult", "Effect", "PreTrend", "RDResult", "bandwidth_sensitivity", "covariate_balance",
    "density_test", "difference_in_differences", "donut_sensitivity", "imputation_estimate", "placebo_cutoffs",
    "rdrobust_installed", "regression_discontinuity",
]  # fmt: skip
