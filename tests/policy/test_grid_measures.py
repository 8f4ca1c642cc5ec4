"""Measures from the log grid against the pure ones on the values behind it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.policy import grid_measures as grid
from dtsen_core.policy import measures
from dtsen_core.rank.expenditure import Distribution
from dtsen_core.rank.fit_report import split


def on_grid(logs: np.ndarray, weight: np.ndarray) -> Distribution:
    cell, above = split(logs * 1000)
    low = int(cell.min())
    persons = np.bincount(cell - low, weight * (1 - above), cell.max() - low + 2)
    persons += np.bincount(cell - low + 1, weight * above, cell.max() - low + 2)
    return Distribution(persons[None, :], low)


@given(st.integers(0, 2**32 - 1), st.floats(0.3, 0.8), st.floats(-1.5, 1.0))
@settings(max_examples=40)
def test_a_smooth_distribution_keeps_its_measures(seed: int, spread: float, where: float) -> None:
    rng = np.random.default_rng(seed)
    n = 20_000
    logs, weight = 14 + spread * rng.normal(size=n), rng.uniform(1, 3, n)
    d, y, line = on_grid(logs, weight), np.exp(logs), float(np.exp(14 + spread * where))
    lines = np.array([line])
    assert grid.total(d)[0] == pytest.approx(weight.sum())
    assert grid.mean(d)[0] == pytest.approx(measures.mean(y, weight), rel=1e-9)
    assert grid.headcount(d, lines)[0] == pytest.approx(measures.fgt(y, line, weight), abs=0.003)
    assert grid.fgt(d, lines, 1)[0] == pytest.approx(measures.fgt(y, line, weight, 1), abs=3e-4)
    assert grid.fgt(d, lines, 2)[0] == pytest.approx(measures.fgt(y, line, weight, 2), abs=3e-4)
    assert grid.gini(d)[0] == pytest.approx(measures.gini_of_shares(y, weight), abs=5e-4)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), min_size=1, max_size=60), st.integers(-5, 70))
@settings(max_examples=60)
def test_points_are_exact(cells: list[tuple[int, int]], at: int) -> None:
    persons = np.zeros(61)
    for cell, count in cells:
        persons[cell] += count
    d = Distribution(persons[None, :], 13_000, step=1, points=True)
    y, line = np.exp(d.log_nodes), float(np.exp((13_000 + at) / 1000 + 1e-7))
    for alpha in (0, 1, 2):
        assert grid.fgt(d, np.array([line]), alpha)[0] == pytest.approx(
            measures.fgt(y, line, persons, alpha), abs=1e-12
        )
    assert grid.gini(d)[0] == pytest.approx(measures.gini_of_shares(y, persons), abs=1e-12)


def test_headcount_runs_from_none_to_all() -> None:
    d = on_grid(np.array([13.0, 13.7, 14.2]), np.ones(3))
    lines = np.exp(np.linspace(12.5, 14.7, 200))
    shares = np.array([grid.headcount(d, np.array([line]))[0] for line in lines])
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(1)
    assert (np.diff(shares) >= -1e-12).all()


def test_density_is_the_slope_of_the_headcount() -> None:
    rng = np.random.default_rng(1)
    d = on_grid(14 + 0.5 * rng.normal(size=50_000), np.ones(50_000))
    line, step = np.exp(13.5), 0.05
    slope = (
        grid.headcount(d, np.array([line * np.exp(step)])) - grid.headcount(d, np.array([line * np.exp(-step)]))
    ) / (2 * step)
    assert grid.density(d, np.array([line]))[0] == pytest.approx(slope[0], rel=0.1)


def test_the_line_for_a_headcount_gives_that_headcount() -> None:
    rng = np.random.default_rng(2)
    d = on_grid(14 + 0.5 * rng.normal(size=5_000), np.ones(5_000))
    targets = np.array([0.0828])
    line = grid.line_for_headcount(d, targets)
    assert grid.headcount(d, line)[0] == pytest.approx(0.0828, abs=1e-9)
    assert np.isnan(grid.line_for_headcount(d, np.array([np.nan]))[0])


def test_an_empty_area_has_no_measures() -> None:
    d = Distribution(np.zeros((1, 10)), 700)
    line = np.array([1e6])
    with np.errstate(invalid="ignore"):
        for value in (grid.mean(d), grid.headcount(d, line), grid.fgt(d, line, 1), grid.gini(d), grid.density(d, line)):
            assert np.isnan(value[0])
