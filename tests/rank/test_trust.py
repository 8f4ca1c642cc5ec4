"""Errors, bootstrap ranges, chances and visits against formulas, brute force and simulated truth."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from dtsen_core.rank import chances, fit_report, ground_check, robust, trust
from dtsen_core.rank.expenditure import Residuals
from dtsen_core.rank.fit_report import STEP


def sample(seed: int = 1, psus: int = 120, size: int = 10) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(psus), size)
    y = rng.normal(size=psus)[cluster] * 0.3 + rng.normal(size=psus * size)
    return {
        "y": y, "prediction": y + rng.normal(size=len(y)), "weight": rng.uniform(0.5, 2, len(y)), "cluster": cluster,
        "stratum": cluster // 20,
    }  # fmt: skip


def test_errors_are_those_of_the_plain_definition() -> None:
    s = sample()
    found = trust.targeting(s["y"], [s["prediction"]], s["weight"], s["cluster"], s["stratum"], replicates=2)
    for number, cut in enumerate(trust.CUTS):
        inclusion, exclusion = fit_report.targeting_errors(s["y"], s["prediction"], s["weight"], cut)
        assert found.inclusion[0, 0, number] == pytest.approx(inclusion, abs=0.004)
        assert found.exclusion[0, 0, number] == pytest.approx(exclusion, abs=0.004)


def test_a_perfect_prediction_makes_no_error_and_groups_add_up() -> None:
    s = sample()
    groups = np.stack([np.zeros(len(s["y"]), dtype=int), 1 + s["cluster"] % 2], axis=1)
    found = trust.targeting(s["y"], [s["y"], s["prediction"]], s["weight"], s["cluster"], s["stratum"], groups,
                            replicates=3)  # fmt: skip
    assert np.abs(found.exclusion[0]).max() < 1e-12
    assert found.exclusion.shape == (2, 3, 9)
    low, high = found.exclusion[1, 1:].min(axis=0), found.exclusion[1, 1:].max(axis=0)
    assert ((low <= found.exclusion[1, 0] + 1e-12) & (found.exclusion[1, 0] <= high + 1e-12)).all()


def test_the_bootstrap_of_a_mean_has_the_variance_of_the_formula() -> None:
    """Stratified cluster sample: Var = Σ n_h/(n_h − 1) Σ (t_hi − t̄_h)² for a total (Wolter 2007, ch. 1)."""
    rng = np.random.default_rng(3)
    stratum = np.repeat(np.arange(6), [5, 8, 12, 20, 30, 4])
    totals = rng.gamma(2, 1, len(stratum)) + stratum
    formula = sum(
        len(t) / (len(t) - 1) * ((t - t.mean()) ** 2).sum()
        for t in (totals[stratum == h] for h in range(6))
    )  # fmt: skip
    draws = [trust.psu_multipliers(stratum, rng) @ totals for _ in range(6_000)]
    assert np.var(draws) == pytest.approx(formula, rel=0.08)
    assert np.mean(draws) == pytest.approx(totals.sum(), rel=0.01)


@pytest.mark.parametrize("wrong", ["nan", "negative", "short", "empty"])
def test_awkward_arguments_are_refused(wrong: str) -> None:
    s = sample()
    if wrong == "nan":
        s["prediction"] = np.where(np.arange(len(s["y"])) == 3, np.nan, s["prediction"])
    elif wrong == "negative":
        s["weight"] = -s["weight"]
    elif wrong == "short":
        s["prediction"] = s["prediction"][:-1]
    else:
        s = {k: v[:0] for k, v in s.items()}
    with pytest.raises(ValueError, match=r".+"):
        trust.targeting(s["y"], [s["prediction"]], s["weight"], s["cluster"], s["stratum"], replicates=1)


def test_calibration_of_an_honest_prediction_lies_on_the_line() -> None:
    rng = np.random.default_rng(4)
    guess = rng.normal(size=20_000)
    rows = trust.calibration(guess + 0.5 * rng.normal(size=20_000), guess, np.ones(20_000), np.arange(20_000) // 10)
    inside = (rows["low"] <= rows["predicted"]) & (rows["predicted"] <= rows["high"])
    assert inside.mean() > 0.7
    assert np.abs(rows["observed"] - rows["predicted"]).max() < 0.06


def residuals() -> Residuals:
    """One stratum: a discretised normal with standard deviation 0.4."""
    cells = np.arange(-100, 101)
    mass = np.exp(-0.5 * (cells * STEP / 400) ** 2)
    return Residuals(np.zeros((1, 1, 1)), np.ones((1, 1), dtype=np.int64), (mass / mass.sum())[None, None, None], -100)


def test_chances_of_deciles_are_those_of_the_residuals() -> None:
    from scipy.stats import norm

    limits = np.arange(1, 10) * 100.0 + 13_000
    scores = np.array([13_200.0, 13_500.0, 14_500.0])
    found = chances.decile_chances(residuals(), 0, 0, scores, limits)
    assert found.sum(axis=1) == pytest.approx(1)
    edges = np.r_[-np.inf, limits, np.inf]
    known = np.diff(norm.cdf((edges[None, :] - scores[:, None]) / 400), axis=1)
    assert np.abs(found - known).max() < 2e-3


def test_the_plan_is_the_best_of_all_plans() -> None:
    rng = np.random.default_rng(6)
    for _ in range(20):
        wrong = rng.uniform(0, 0.6, 8)
        area = rng.integers(0, 3, 8)
        found = ground_check.plan(area, np.ones(8), wrong, 3, accuracy=0.9)
        best = max(sum(wrong[list(chosen)]) for chosen in itertools.combinations(range(8), 3))
        assert found["removed"].sum() == pytest.approx(0.9 * best)
        assert found["visits"].sum() == pytest.approx(3)
        assert found["per_visit"].is_monotonic_decreasing


def test_a_plan_stops_at_the_families_there_are_and_refuses_nonsense() -> None:
    found = ground_check.plan([0, 1], [2.0, 3.0], [0.5, 0.5], 100)
    assert found["visits"].sum() == 5
    assert ground_check.plan([0, 1], [2.0, 3.0], [0.5, 0.1], 0).empty
    shared = ground_check.plan([0, 1], [2.0, 3.0], [0.5, 0.5], 1)
    assert shared.set_index("area")["visits"].to_dict() == pytest.approx({0: 0.4, 1: 0.6})
    for bad in ([2.0], [np.nan, 1.0], [1.5, 0.1]):
        with pytest.raises(ValueError, match=r".+"):
            ground_check.plan([0, 1], [1.0, 1.0], bad, 1)


def test_dropping_columns_is_fitting_without_them() -> None:
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(200, 6)), rng.normal(size=200)
    inverse = np.linalg.inv(x.T @ x)
    found = robust.without(inverse, inverse @ x.T @ y, np.array([1, 4]))
    rest = [0, 2, 3, 5]
    assert found[rest] == pytest.approx(np.linalg.lstsq(x[:, rest], y, rcond=None)[0])
    assert np.abs(found[[1, 4]]).max() < 1e-12


def test_random_weights_have_the_mean_and_spread_they_are_asked_for() -> None:
    found = robust.random_weights(39, 0.5, 4_000, np.random.default_rng(8))
    assert found.mean(axis=1) == pytest.approx(1)
    assert (found.std(axis=0) / found.mean(axis=0)).mean() == pytest.approx(0.5, rel=0.03)
    with pytest.raises(ValueError, match="spread"):
        robust.random_weights(39, 0.0, 5, np.random.default_rng(8))


def test_a_region_far_below_the_others_keeps_its_rank() -> None:
    rng = np.random.default_rng(9)
    parts = rng.normal(0, 0.02, (10, 39))
    parts[4] -= 1
    rank, low, high, same = robust.rank_ranges(parts, np.zeros(10), robust.random_weights(39, 0.5, 500, rng))
    assert (rank[4], low[4], high[4], same[4]) == (1, 1, 1, 1)
    assert (low <= rank).all()
    assert (rank <= high).all()
