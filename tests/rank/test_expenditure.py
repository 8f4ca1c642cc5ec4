"""The mixture of score and residual against brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.rank import expenditure, fit_report
from dtsen_core.rank.design import Survey
from dtsen_core.rank.histogram import Histogram
from dtsen_core.rank.scorecard import province_of_regency


def one_province(rng: np.random.Generator, n: int, noise: np.ndarray | None = None) -> tuple[Survey, np.ndarray]:
    """Households of one regency and their scores (log units); the spread falls with the score."""
    score = 14 + 0.35 * rng.normal(size=n)
    spread = 0.45 - 0.15 * np.clip(score - 14, -1, 1)
    error = spread * rng.normal(size=n) if noise is None else noise
    urban = np.where(rng.random(n) < 0.5, 1, 2)
    survey = Survey(
        np.full(n, 11), np.full(n, 200), urban, score + error, rng.uniform(0.5, 2, n),
        np.arange(n) // 10, np.arange(n) // 10 % 5, [],
    )  # fmt: skip
    return survey, score


def residuals(survey: Survey, score: np.ndarray) -> expenditure.Residuals:
    table = fit_report.residual_table("x", survey, score)
    return expenditure.from_columns({name: table[name].to_numpy() for name in table.columns})


def histogram(score: np.ndarray, urban: np.ndarray, persons: np.ndarray) -> Histogram:
    milli = np.rint(score * 1000).astype(np.int64)
    return Histogram("regency", np.zeros(len(milli), np.int64), urban, milli, np.ones_like(milli), persons)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_splitting_keeps_persons_and_mean_expenditure(seed: int) -> None:
    rng = np.random.default_rng(seed)
    h = histogram(14 + 0.5 * rng.normal(size=300), rng.integers(0, 3, 300), rng.integers(1, 9, 300))
    grid, low = expenditure.score_grid(h, 1)
    nodes = np.exp((low + np.arange(grid.shape[1])) * fit_report.STEP / 1000)
    assert grid.sum() == pytest.approx(h.persons.sum())
    assert grid.sum(axis=0) @ nodes == pytest.approx((h.persons * np.exp(h.score / 1000)).sum())
    assert grid.min() >= -1e-9


def test_mean_of_the_mixture_is_exact_with_one_residual_distribution() -> None:
    rng = np.random.default_rng(3)
    survey, score = one_province(rng, 30)  # too few for more than one bin per stratum
    found = residuals(survey, score)
    assert found.bins[11, 1] == found.bins[11, 2] == 1
    h = histogram(14 + 0.3 * rng.normal(size=200), np.full(200, 1), rng.integers(1, 9, 200))
    d = expenditure.distribution(h, np.array([11]), found)
    rows = survey.urban == 1
    factor = np.average(np.exp((survey.y - score)[rows]), weights=survey.weight[rows])
    expected = (h.persons * np.exp(h.score / 1000)).sum() * factor
    assert d.persons[0] @ np.exp(d.log_nodes) == pytest.approx(expected, rel=1e-9)


def test_mixture_equals_monte_carlo() -> None:
    rng = np.random.default_rng(4)
    survey, score = one_province(rng, 40_000)
    found = residuals(survey, score)
    n = 3_000
    s, urban, persons = 14 + 0.35 * rng.normal(size=n), rng.integers(1, 3, n), rng.integers(1, 7, n)
    d = expenditure.distribution(histogram(s, urban, persons), np.array([11]), found)
    draws = 400
    spread = 0.45 - 0.15 * np.clip(s - 14, -1, 1)
    value = s[:, None] + spread[:, None] * rng.normal(size=(n, draws))
    weight = np.repeat(persons, draws) / draws
    for q in (13.2, 13.6, 14.0, 14.6):
        share = d.persons[0, d.log_nodes < q].sum() / d.persons.sum()
        assert share == pytest.approx(weight[value.ravel() < q].sum() / weight.sum(), abs=0.012)
    mean = d.persons[0] @ np.exp(d.log_nodes) / d.persons.sum()
    assert mean == pytest.approx(np.average(np.exp(value.ravel()), weights=weight), rel=0.01)


def test_distribution_equals_a_slow_convolution() -> None:
    rng = np.random.default_rng(5)
    survey, score = one_province(rng, 2_000)
    found = residuals(survey, score)
    h = histogram(14 + 0.3 * rng.normal(size=50), rng.integers(1, 3, 50), rng.integers(1, 7, 50))
    d = expenditure.distribution(h, np.array([11]), found)
    grid, low = expenditure.score_grid(h, 1)
    slow = np.zeros(d.persons.shape[1])
    for stratum in range(3):
        kernel = found.kernel(11, stratum, (low + np.arange(grid.shape[1])) * float(fit_report.STEP))
        for g in range(grid.shape[1]):
            slow[g : g + kernel.shape[1]] += grid[stratum, g] * kernel[g]
    np.testing.assert_allclose(d.persons[0], slow, atol=1e-9)
    assert d.low == low + found.low


def test_a_kernel_is_a_distribution_at_every_score() -> None:
    survey, score = one_province(np.random.default_rng(6), 5_000)
    found = residuals(survey, score)
    assert found.bins[11, 1] == fit_report.BINS
    kernel = found.kernel(11, 1, np.linspace(10_000, 18_000, 50))
    np.testing.assert_allclose(kernel.sum(axis=1), 1)
    assert (kernel >= 0).all()


def test_a_stratum_without_households_borrows() -> None:
    survey, score = one_province(np.random.default_rng(7), 3_000)
    found = residuals(survey, score)
    for province, stratum in ((11, 0), (3, 1)):
        kernel = found.kernel(province, stratum, np.array([14_000.0]))
        np.testing.assert_allclose(kernel.sum(), 1)


def test_residual_bins_hold_equal_persons_and_whole_mass() -> None:
    survey, score = one_province(np.random.default_rng(8), 6_000)
    table = fit_report.residual_table("x", survey, score)
    mass = table.groupby(["urban", "bin"])["mass"].sum()
    np.testing.assert_allclose(mass, 1)
    people = pd.Series(survey.weight).groupby(survey.urban).sum()
    assert table.groupby("urban")["bin"].nunique().tolist() == [fit_report.BINS] * 2
    households = table.drop_duplicates(["urban", "bin"]).groupby("urban")["households"].sum()
    assert households.sum() == len(survey.y)
    assert len(people) == 2


def test_bare_scores_keep_full_precision() -> None:
    h = histogram(np.array([13.001, 13.001, 14.5]), np.array([1, 2, 1]), np.array([2, 3, 4]))
    d = expenditure.bare(h, 1)
    assert d.points
    assert d.persons[0, 0] == 5
    assert d.persons[0, 14_500 - 13_001] == 4
    np.testing.assert_allclose(d.log_nodes[0], 13.001)


def test_rows_add_up_by_group() -> None:
    d = expenditure.Distribution(np.arange(12.0).reshape(4, 3), 0)
    both = d.scaled(np.array([1.0, 2.0, 1.0, 1.0])).combine(np.array([0, 0, 2, 2]), 3)
    assert both.persons.tolist() == [[6, 9, 12], [0, 0, 0], [15, 17, 19]]
    assert len(province_of_regency()) == 514
