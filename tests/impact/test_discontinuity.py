"""Regression discontinuity against the published US Senate results, and against what strangers may bring."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from dtsen_core.policy.impact import (
    bandwidth_sensitivity,
    covariate_balance,
    density_test,
    donut_sensitivity,
    placebo_cutoffs,
    regression_discontinuity,
)
from dtsen_core.policy.impact import discontinuity as module
from dtsen_core.policy.impact.local_linear import ik_bandwidth

SENATE = {"outcome": "vote", "running": "margin", "cutoff": 0}


def test_the_senate_result_with_rdrobust(senate: pd.DataFrame) -> None:
    found = regression_discontinuity(senate, **SENATE)
    assert found.estimate == pytest.approx(7.414, abs=5e-4)
    assert found.h == pytest.approx(17.754, abs=5e-4)
    assert found.robust_ci == pytest.approx((4.094, 10.919), abs=5e-4)
    assert (found.n_left, found.n_right, found.method, found.design) == (360, 323, "rdrobust", "sharp")


def test_the_fallback_reproduces_the_conventional_estimate(senate: pd.DataFrame) -> None:
    reference = regression_discontinuity(senate, **SENATE)
    for kernel in ("triangular", "epanechnikov", "uniform"):
        theirs = regression_discontinuity(senate, **SENATE, bandwidth=17.754, kernel=kernel)
        ours = regression_discontinuity(senate, **SENATE, bandwidth=17.754, kernel=kernel, method="local_linear")
        assert ours.estimate == pytest.approx(theirs.estimate, abs=1e-9)
        assert ours.se == pytest.approx(theirs.se, rel=0.05)  # other variance estimator, same target
        assert ours.robust_ci is None
        assert ours.robust_estimate is None
        assert any("no robust bias correction" in note for note in ours.notes)
    assert ours.n_left == reference.n_left


def test_without_the_package_the_fallback_answers(senate: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "rdrobust_installed", lambda: False)
    found = regression_discontinuity(senate, **SENATE)
    assert found.method == "local linear (statsmodels)"
    assert found.ci[0] < 7.414 < found.ci[1]
    with pytest.raises(ValueError, match="not installed"):
        regression_discontinuity(senate, **SENATE, method="rdrobust")


def test_the_fallback_takes_a_bandwidth_for_coverage(senate: pd.DataFrame) -> None:
    """Smaller than the one of small mean squared error by n^(−1/20) (Calonico, Cattaneo & Farrell 2020)."""
    data = senate.dropna(subset=["vote", "margin"])
    wide = ik_bandwidth(data["vote"].to_numpy(), data["margin"].to_numpy(), "triangular")
    found = regression_discontinuity(senate, **SENATE, method="local_linear")
    assert found.h == pytest.approx(wide * len(data) ** (-1 / 20))
    given = regression_discontinuity(senate, **SENATE, method="local_linear", bandwidth=wide)
    assert found.se > given.se


def test_the_optional_package_is_never_imported_with_the_module() -> None:
    code = "import sys, dtsen_core.policy.impact; sys.exit('rdrobust' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_published_manipulation_test_of_the_senate(senate: pd.DataFrame) -> None:
    """Cattaneo, Jansson & Ma (2018), Stata Journal 18(1), section 5: T = −0.8753, p = 0.3814."""
    found = density_test(senate["margin"], 0)
    assert found.statistic == pytest.approx(-0.8753, abs=5e-5)
    assert found.p_value == pytest.approx(0.3814, abs=5e-5)
    assert (found.h_left, found.h_right) == pytest.approx((19.8411, 27.1188), abs=5e-4)
    assert (found.n_left, found.n_right) == (408, 460)


@pytest.fixture(scope="module")
def made() -> pd.DataFrame:
    """Effect 2 for those who take it up; take-up jumps from 0.2 to 0.8 at 5; covariate `z` is smooth."""
    rng = np.random.default_rng(5)
    x = rng.uniform(0, 10, 6000)
    treated = rng.random(6000) < np.where(x >= 5, 0.8, 0.2)
    z = 0.3 * x + rng.normal(size=6000)
    y = x + 2 * treated + 0.5 * z + rng.normal(size=6000)
    return pd.DataFrame({"x": x, "t": treated, "y": y, "z": z, "w": 1.0, "place": np.arange(6000) % 60})


@pytest.mark.parametrize("method", ["rdrobust", "local_linear"])
def test_a_fuzzy_effect_is_recovered(made: pd.DataFrame, method: str) -> None:
    options = {"outcome": "y", "running": "x", "cutoff": 5, "treatment": "t", "method": method}
    found = regression_discontinuity(made, **options)
    assert found.best_ci[0] < 2 < found.best_ci[1]
    assert found.first_stage == pytest.approx(0.6, abs=0.1)
    assert found.first_stage_f > 100
    assert found.reduced_form == pytest.approx(found.estimate * found.first_stage)
    better = regression_discontinuity(made, covariates="z", cluster="place", weights="w", **options)
    assert better.best_ci[0] < 2 < better.best_ci[1]


def test_the_fallback_agrees_with_the_package_in_a_fuzzy_design(made: pd.DataFrame) -> None:
    options = {"outcome": "y", "running": "x", "cutoff": 5, "treatment": "t", "bandwidth": 1.5}
    theirs, ours = (regression_discontinuity(made, method=m, **options) for m in ("rdrobust", "local_linear"))
    assert ours.estimate == pytest.approx(theirs.estimate, rel=1e-9)
    assert ours.first_stage == pytest.approx(theirs.first_stage, rel=1e-9)
    assert ours.se == pytest.approx(theirs.se, rel=0.05)


def test_order_and_scale_do_not_matter(made: pd.DataFrame) -> None:
    options = {"outcome": "y", "running": "x", "method": "local_linear"}
    one = regression_discontinuity(made, cutoff=5, **options)
    shuffled = made.sample(frac=1, random_state=1)
    shuffled["x"] = shuffled["x"] * 1000
    two = regression_discontinuity(shuffled, cutoff=5000, **options)
    assert two.estimate == pytest.approx(one.estimate)
    assert two.h == pytest.approx(1000 * one.h)


def test_the_checks_around_an_estimate(made: pd.DataFrame) -> None:
    options = {"running": "x", "cutoff": 5, "method": "local_linear"}
    balance = covariate_balance(made, covariates=["z", "t"], **options)
    assert balance.set_index("covariate")["p_value"]["z"] > 0.01
    assert balance.set_index("covariate")["p_value"]["t"] < 1e-6
    wide = bandwidth_sensitivity(made, bandwidth=1.0, outcome="y", treatment="t", **options)
    assert wide["se"].is_monotonic_decreasing
    donut = donut_sensitivity(made, radii=[0, 0.2, 9], outcome="y", treatment="t", **options)
    assert donut["estimate"][:2].between(1.5, 2.5).all()
    assert donut["reason"].iat[2] != ""
    placebo = placebo_cutoffs(made, cutoffs=[2.5, 5, 7.5], outcome="y", **options)
    assert (placebo["p_value"][[0, 2]] > 0.01).all()
    assert placebo["reason"].iat[1] == "this is the true cut-off"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"outcome": "nothing"}, "no column nothing"),
        ({"cutoff": 99}, "one side"),
        ({"cutoff": float("nan")}, "cutoff"),
        ({"bandwidth": -1}, "positive"),
        ({"bandwidth": 1e-9}, "too few rows"),
        ({"kernel": "gauss"}, "kernel"),
        ({"p": 9}, "whole number"),
        ({"level": 95}, "level"),
        ({"method": "magic"}, "method"),
        ({"outcome": "constant"}, "constant"),
        ({"treatment": "constant"}, "same for everybody"),
        ({"outcome": "word"}, "must be numbers"),
        ({"running": "rough"}, "fewer than three values"),
    ],
)
def test_what_cannot_be_estimated_is_said(made: pd.DataFrame, change: dict, said: str) -> None:
    data = made.assign(constant=1.0, word="a", rough=np.where(made["x"] > 5, 6, 4))
    with pytest.raises(ValueError, match=said):
        regression_discontinuity(
            data, **{"outcome": "y", "running": "x", "cutoff": 5, "method": "local_linear"} | change
        )


def test_gaps_and_odd_indices_are_survived(made: pd.DataFrame) -> None:
    data = made.copy()
    data.index = ["a"] * len(data)
    data.iloc[:50, data.columns.get_loc("y")] = np.nan
    data.iloc[50:60, data.columns.get_loc("x")] = np.inf
    found = regression_discontinuity(data, outcome="y", running="x", cutoff=5, method="local_linear")
    assert found.n == 5940
    assert "60 rows" in found.notes[0]
    with pytest.raises(ValueError, match="no rows"):
        regression_discontinuity(data[:0], outcome="y", running="x", cutoff=5)


def test_manipulation_is_found_and_smoothness_is_not() -> None:
    rng = np.random.default_rng(3)
    smooth = rng.normal(size=4000)
    assert density_test(smooth.tolist(), 0.2).p_value > 0.05
    moved = np.where((smooth > -0.3) & (smooth < 0) & (rng.random(4000) < 0.5), -smooth, smooth)
    assert density_test(moved, 0).p_value < 0.01
    rounded = density_test(np.round(smooth, 1), 0.05)
    assert rounded.mass_points
    assert "repeats values" in rounded.notes[0]
    with pytest.raises(ValueError, match="distinct values"):
        density_test(np.sign(smooth), 0)
    with pytest.raises(ValueError, match="distinct values"):
        density_test(smooth, 100)
    for bad, cutoff, width, said in (
        ([], 0, None, "no numbers"), (smooth, "x", None, "must be a number"), (smooth, 0, 1e-9, "too few values"),
        (smooth, 0, "wide", "a number or a pair"), (pd.DataFrame({"a": smooth, "b": smooth}), 0, None, "one column"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            density_test(bad, cutoff, bandwidth=width)
    assert density_test(pd.DataFrame({"a": smooth}), 0.2).p_value == density_test(smooth, 0.2).p_value
