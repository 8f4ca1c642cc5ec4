"""Measures against published values, hand calculation and slow definitions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.policy import measures
from dtsen_core.policy.classes import classes, source

EUSILC = Path(__file__).parents[2] / ".." / "shared" / "testdata" / "eusilc_income.csv"
SAMPLE = st.lists(st.tuples(st.floats(0.5, 1e6), st.floats(1, 500)), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def eusilc() -> tuple[np.ndarray, np.ndarray]:
    if not EUSILC.exists():
        pytest.skip("the published EU-SILC sample is not part of this checkout")
    frame = pd.read_csv(EUSILC)
    return frame["eqIncome"].to_numpy(), frame["rb050"].to_numpy()


def test_published_at_risk_of_poverty(eusilc: tuple[np.ndarray, np.ndarray]) -> None:
    threshold, rate = measures.at_risk_of_poverty(*eusilc)
    assert round(threshold, 2) == 10_859.24
    assert round(100 * rate, 5) == 14.44422


def test_published_gini(eusilc: tuple[np.ndarray, np.ndarray]) -> None:
    assert round(100 * measures.gini(*eusilc), 5) == 26.49652


def test_fgt_by_hand() -> None:
    y, weights = [50, 80, 100, 200], [1, 2, 3, 4]
    assert measures.headcount_ratio(y, 100, weights) == pytest.approx(0.3)  # exactly at the line is not poor
    assert measures.poverty_gap(y, 100, weights) == pytest.approx((0.5 + 2 * 0.2) / 10)
    assert measures.poverty_severity(y, 100, weights) == pytest.approx((0.25 + 2 * 0.04) / 10)
    assert measures.mean(y, weights) == pytest.approx(131)


def test_gini_by_hand() -> None:
    assert measures.gini([1, 1, 1, 1]) == pytest.approx(0)
    assert measures.gini([0, 0, 0, 1]) == pytest.approx(0.75)
    assert measures.gini([1, 2, 3, 4]) == pytest.approx(0.25)
    assert measures.gini_of_shares([1, 3], [0.5, 0.5]) == pytest.approx(0.25)


def test_gini_of_weights_below_one_takes_them_for_shares() -> None:
    assert measures.gini([1.0, 3.0], [0.5, 0.5]) == pytest.approx(measures.gini([1.0, 3.0])) == 0.25


def test_quantiles_by_hand() -> None:
    assert measures.quantile([3, 1, 2], 0.5) == 2
    assert measures.quantile([1, 2, 3, 4], 0.5) == 2.5
    assert measures.quantile([1, 2, 3], 0.5, [1, 1, 10]) == 3
    assert measures.quantile([5], 0) == 5


def test_nobody_gives_no_number() -> None:
    for value in (
        measures.mean([]), measures.fgt([], 1), measures.gini([]), measures.quantile([], 0.5),
        measures.gini_of_shares([]), measures.gini([0, 0]), measures.at_risk_of_poverty([])[1],
    ):  # fmt: skip
        assert np.isnan(value)


def test_nonsense_is_refused() -> None:
    for call in (lambda: measures.fgt([1], 0), lambda: measures.mean([1, 2], [1]),
                 lambda: measures.mean([1], [-1]), lambda: measures.quantile([1], 2)):  # fmt: skip
        with pytest.raises(ValueError):
            call()


@given(SAMPLE, st.floats(0.5, 1e6), st.sampled_from([0, 1, 2]))
@settings(max_examples=100)
def test_fgt_equals_its_definition(sample: list[tuple[float, float]], line: float, alpha: int) -> None:
    y, w = zip(*sample, strict=True)
    slow = sum(wi * ((line - yi) / line) ** alpha for yi, wi in sample if yi < line) / sum(w)
    assert measures.fgt(y, line, w, alpha) == pytest.approx(slow)


@given(st.lists(st.tuples(st.floats(0.5, 1e6), st.integers(1, 5)), min_size=1, max_size=25))
@settings(max_examples=100)
def test_gini_equals_mean_absolute_difference_of_persons(sample: list[tuple[float, int]]) -> None:
    persons = np.repeat([y for y, _ in sample], [w for _, w in sample])
    slow = np.abs(persons[:, None] - persons[None, :]).mean() / (2 * persons.mean())
    y, w = zip(*sample, strict=True)
    assert measures.gini_of_shares(y, w) == pytest.approx(slow, abs=1e-9)
    assert measures.gini(persons) == pytest.approx(slow, abs=1e-9)


def test_welfare_classes_follow_each_other_and_name_their_source() -> None:
    poor, vulnerable, prosperous = classes()
    assert (poor.start, poor.below, vulnerable.below) == (0, 1.0, 1.5)
    assert prosperous.below == float("inf")
    assert [c.label("id") for c in classes()] == ["miskin", "rentan", "sejahtera"]
    assert "World Bank" in source()
