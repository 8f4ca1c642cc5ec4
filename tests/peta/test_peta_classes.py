"""Classes of the map: the best breaks, the same on every run, with labels that never lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.present.peta_classes import SKETCH, Classes, gaps, make_classes


def _deviation(values: np.ndarray, uppers: list[float]) -> float:
    """Sum of squared deviations from the class means for classes closed above by `uppers`."""
    groups = np.searchsorted(np.asarray(uppers), values, side="left")
    return float(sum(((values[groups == g] - values[groups == g].mean()) ** 2).sum() for g in np.unique(groups)))


@settings(max_examples=60)
@given(st.lists(st.integers(0, 40), min_size=4, max_size=9))
def test_natural_breaks_are_the_optimum_by_enumeration(numbers: list[int]) -> None:
    values = np.array(numbers, dtype=float)
    distinct = np.unique(values)
    if len(distinct) < 3:
        return
    found = _deviation(values, [low for low, _ in gaps(values, 3, "natural")])
    every = [
        _deviation(values, [distinct[i], distinct[j]])
        for i in range(len(distinct) - 2)
        for j in range(i + 1, len(distinct) - 1)
    ]
    assert found == pytest.approx(min(every))


def test_breaks_are_the_same_on_every_run() -> None:
    values = np.random.default_rng(5).lognormal(2, 1, 7_285)
    assert gaps(values, 5, "natural") == gaps(values[::-1].copy(), 5, "natural")


def test_more_values_than_the_library_takes_quickly_keep_their_breaks() -> None:
    groups = np.repeat([0.0, 10.0, 30.0], SKETCH) + np.tile(np.linspace(0, 1, SKETCH), 3)
    assert np.array(gaps(groups, 3, "natural")) == pytest.approx(np.array([(1.0, 10.0), (11.0, 30.0)]), abs=0.01)


def test_fewer_distinct_values_than_classes() -> None:
    assert gaps(np.array([1.0, 1, 1]), 5, "natural") == []
    assert gaps(np.array([1.0, 2, 2]), 5, "natural") == [(1.0, 2.0)]
    assert gaps(np.array([1.0, 2, 3]), 2, "quantile") == [(2.0, 3.0)]
    assert gaps(np.array([1.0, 2, 2]), 5, "quantile") == []


def test_quantile_classes_hold_equal_numbers() -> None:
    values = np.arange(500, dtype=float)
    classes = make_classes(values, 5, "quantile", 0)
    assert np.bincount(classes.assign(values), minlength=6).tolist()[1:] == pytest.approx([100] * 5, abs=1)
    assert len(gaps(values, 5, "quantile")) == 4


@settings(max_examples=60)
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
