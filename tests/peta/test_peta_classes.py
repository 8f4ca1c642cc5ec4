"""Classes of the map: the best breaks, the same on every run, with labels that never lie."""

from __future__ import annotations

import mapclassify
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.present.peta_classes import Classes, make_classes, natural_breaks, quantile_breaks


def _deviation(values: np.ndarray, uppers: list[float]) -> float:
    """Sum of squared deviations from the class means for classes closed above by `uppers`."""
    groups = np.searchsorted(np.asarray(uppers), values, side="left")
    return float(sum(((values[groups == g] - values[groups == g].mean()) ** 2).sum() for g in np.unique(groups)))


@pytest.mark.slow
def test_natural_breaks_are_never_worse_than_mapclassify() -> None:
    values = np.random.default_rng(3).gamma(3, 4, 514)
    ours = [low for low, _ in natural_breaks(values, 5)]
    theirs = mapclassify.NaturalBreaks(values, k=5).bins[:-1]
    assert _deviation(values, ours) <= _deviation(values, list(theirs)) * (1 + 1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=4, max_size=9))
def test_natural_breaks_are_the_optimum_by_enumeration(numbers: list[int]) -> None:
    values = np.array(numbers, dtype=float)
    distinct = np.unique(values)
    if len(distinct) < 3:
        return
    found = _deviation(values, [low for low, _ in natural_breaks(values, 3)])
    every = [
        _deviation(values, [distinct[i], distinct[j]])
        for i in range(len(distinct) - 2)
        for j in range(i + 1, len(distinct) - 1)
    ]
    assert found == pytest.approx(min(every))


def test_breaks_are_the_same_on_every_run() -> None:
    values = np.random.default_rng(5).lognormal(2, 1, 7_285)
    assert natural_breaks(values, 5) == natural_breaks(values.copy(), 5)


def test_quantile_classes_hold_equal_numbers() -> None:
    values = np.arange(500, dtype=float)
    classes = make_classes(values, 5, "quantile", 0)
    assert np.bincount(classes.assign(values), minlength=6).tolist()[1:] == pytest.approx([100] * 5, abs=1)
    assert len(quantile_breaks(values, 5)) == 4


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.sampled_from(["natural", "quantile"]))
def test_an_area_always_lies_within_the_words_of_its_class(numbers: list[float], method: str) -> None:
    values = np.array(numbers)
    classes = make_classes(values, 5, method, 3)
    edges = [-np.inf, *classes.edges, np.inf]
    for value, klass in zip(values, classes.assign(values)):
        assert edges[klass - 1] <= value < edges[klass]
    assert all(round(edge, 3) == edge for edge in classes.edges)


def test_counts_are_cut_at_round_numbers() -> None:
    classes = make_classes(np.array([1_234.0, 5_678, 234_567, 912_345]), 4, "natural", None)
    assert all(edge == float(f"{edge:.1e}") for edge in classes.edges)


def test_missing_figures_have_no_class() -> None:
    classes = Classes((0.1, 0.2))
    assert classes.assign(np.array([np.nan, 0.05, 0.1, 0.2])).tolist() == [0, 1, 2, 3]
    assert make_classes(np.array([np.nan]), 5, "natural", 1).assign(np.array([np.nan])).tolist() == [0]
