"""The further measures against published values, other packages, slow definitions and their invariances."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.policy import measures

EUSILC = Path(__file__).parents[2] / ".." / "shared" / "testdata" / "eusilc_income.csv"
PEOPLE = st.lists(st.tuples(st.floats(0.5, 1e4), st.integers(1, 5), st.integers(0, 3)), min_size=1, max_size=25)
LINE = 100.0

INDICES: dict[str, Callable[..., float]] = {
    "fgt_0.5": lambda y, w: measures.foster_greer_thorbecke(y, LINE, 0.5, w),
    "fgt_3": lambda y, w: measures.foster_greer_thorbecke(y, LINE, 3, w),
    "watts": lambda y, w: measures.watts(y, LINE, w),
    "sst": lambda y, w: measures.sen_shorrocks_thon(y, LINE, w),
    "gini": measures.gini,
    "theil": lambda y, w: measures.theil(y, w),
    "concentration": lambda y, w: measures.concentration_index(y, np.round(np.asarray(y) % 7), w),
    "bottom_40": lambda y, w: measures.quantile_share(y, 0.4, w),
}


def test_published_eu_silc_indicators() -> None:
    """Alfons & Templ (2013), Journal of Statistical Software 54(15), tables of section 3."""
    if not EUSILC.exists():
        pytest.skip("the published EU-SILC sample is not part of this checkout")
    frame = pd.read_csv(EUSILC)
    y, w = frame["eqIncome"], frame["rb050"]
    assert round(measures.quintile_share_ratio(y, w), 6) == 3.971415
    assert round(100 * measures.relative_median_poverty_gap(y, w), 4) == 18.9286
    assert round(100 * measures.gini_of_shares(y, w), 5) == 26.48962
    assert measures.concentration_index(y, y, w) == pytest.approx(measures.gini_of_shares(y, w))
    shares = measures.quantile_share(y, 5, w)
    assert shares.sum() == pytest.approx(1)
    assert measures.quantile_share(y, (0.8, 1.0), w) == pytest.approx(shares[-1])


def test_poverty_measures_of_the_handbook() -> None:
    """Haughton & Khandker (2009), Handbook on Poverty and Inequality, ch. 4: line 125."""
    y = [100, 110, 150, 160]
    assert measures.foster_greer_thorbecke(y, 125, 0) == 0.5
    assert measures.foster_greer_thorbecke(y, 125, 1) == pytest.approx(0.08)
    assert measures.foster_greer_thorbecke(y, 125, 2) == pytest.approx(0.0136)
    assert measures.watts(y, 125) == pytest.approx((np.log(125 / 100) + np.log(125 / 110)) / 4)


def test_sen_shorrocks_thon_is_the_sum_of_shorrocks() -> None:
    y, z = np.array([20.0, 50, 80, 90, 130, 400]), 100.0
    gaps = np.sort(np.maximum((z - y) / z, 0))[::-1]
    n, i = len(y), np.arange(1, len(y) + 1)
    slow = float(((2 * n - 2 * i + 1) * gaps).sum() / n**2)
    assert measures.sen_shorrocks_thon(y, z) == pytest.approx(slow)
    poor = y < z
    factors = poor.mean() * gaps[: poor.sum()].mean() * (1 + measures.gini(gaps))
    assert measures.sen_shorrocks_thon(y, z) == pytest.approx(factors)
    assert measures.sen_shorrocks_thon([200, 300], z) == 0


def test_alkire_foster_example() -> None:
    """Alkire & Foster (2011), section 3: four persons, four dimensions, k = 2: H 1/2, A 3/4, M0 3/8."""
    matrix = [[0, 0, 0, 0], [0, 1, 0, 1], [1, 1, 1, 1], [0, 1, 0, 0]]
    found = measures.alkire_foster(matrix, [1, 1, 1, 1], 2)
    assert (found.H, found.A, found.M0) == (0.5, 0.75, 0.375)
    assert found.censored_headcounts.tolist() == [0.25, 0.5, 0.25, 0.5]
    assert found.contributions.tolist() == pytest.approx([1 / 6, 1 / 3, 1 / 6, 1 / 3])
    assert found.score.tolist() == [0, 2, 4, 1]
    shares = measures.alkire_foster(pd.DataFrame(matrix, columns=list("abcd")), [0.25] * 4, 0.5)
    assert (shares.M0, list(shares.table["indicator"])) == (0.375, list("abcd"))
    nobody = measures.alkire_foster(np.zeros((3, 2), bool), None, 1)
    assert (nobody.H, nobody.A, nobody.M0, nobody.contributions.sum()) == (0, 0, 0, 0)
    thirds = measures.alkire_foster([[1, 1, 0]], [1 / 3, 1 / 3, 1 / 3], 2 / 3)  # a sum that floats miss
    assert thirds.H == 1
    weighted = measures.alkire_foster([[1, 1], [0, 0]], None, 1, person_weights=[3, 1])
    assert weighted.H == 0.75


def test_concentration_index_with_ties_and_signs() -> None:
    health, income = [4.0, 2.0, 1.0, 1.0], [1, 2, 2, 3]
    rank = np.array([1 / 8, 4 / 8, 4 / 8, 7 / 8])  # the tied two share the mean of their ranks
    slow = 2 * np.mean((np.array(health) - 2) * (rank - 0.5)) / 2
    assert measures.concentration_index(health, income) == pytest.approx(slow)
    assert measures.concentration_index(health, income) < 0
    assert measures.concentration_index(health, [1, 1, 1, 1]) == 0
    assert measures.concentration_index([1, 1, 1], [3, 2, 1]) == pytest.approx(0)


def test_theil_against_closed_forms() -> None:
    assert measures.theil([5, 5, 5]) == pytest.approx(0)
    assert measures.theil([1, 3]) == pytest.approx((0.5 * np.log(0.5) + 1.5 * np.log(1.5)) / 2)
    found = measures.theil([1, 1, 3, 3], groups=["a", "a", "b", "b"])
    assert (found.within, float(found)) == (pytest.approx(0), pytest.approx(found.between))
    mixed = measures.theil([1, 2, 3], groups=["x", 1, "x"])  # labels that cannot be ordered
    assert mixed.total == pytest.approx(measures.theil([1, 2, 3]))


def test_lorenz_curve_is_two_arrays() -> None:
    persons, amount = measures.lorenz_curve([3, 1])
    assert persons.tolist() == [0, 0.5, 1]
    assert amount.tolist() == [0, 0.25, 1]
    assert measures.quantile_share([3, 1], 2).tolist() == [0.25, 0.75]
    assert measures.quantile_share([3, 1], 0.25) == pytest.approx(0.125)


@given(PEOPLE)
@settings(max_examples=100)
def test_theil_parts_sum_exactly(people: list[tuple[float, int, int]]) -> None:
    y, w, g = zip(*people, strict=True)
    found = measures.theil(y, w, groups=g)
    assert found.within + found.between == found.total
    assert found.total == pytest.approx(measures.theil(y, w), abs=1e-9)
    assert found.by_group["population_share"].sum() == pytest.approx(1)


@pytest.mark.parametrize("name", INDICES)
@given(PEOPLE)
@settings(max_examples=25)
def test_weights_are_persons_and_only_their_proportion_counts(name: str, people: list[tuple[float, int, int]]) -> None:
    y, w, _ = (np.array(part) for part in zip(*people, strict=True))
    index = INDICES[name]
    expected = pytest.approx(index(y, w), abs=1e-9)
    assert index(np.repeat(y, w), None) == expected
    assert index(y, 7 * w) == expected
    assert index(np.tile(y, 3), np.tile(w, 3)) == expected
    order = np.argsort(y * 37 % 11)
    assert index(pd.Series(y[order], index=order[::-1]), list(w[order])) == expected


@given(PEOPLE, st.floats(0.01, 100))
@settings(max_examples=50)
def test_the_currency_does_not_matter(people: list[tuple[float, int, int]], rate: float) -> None:
    y, w, by = (np.array(part) for part in zip(*people, strict=True))
    for one in (measures.gini, measures.theil, lambda v, q: measures.concentration_index(v, by, q)):
        assert one(y * rate, w) == pytest.approx(one(y, w), abs=1e-9)
    assert measures.watts(y * rate, LINE * rate, w) == pytest.approx(measures.watts(y, LINE, w), abs=1e-9)


def test_awkward_arguments_are_refused() -> None:
    nan = float("nan")
    for call in (
        lambda: measures.foster_greer_thorbecke([1, nan], 1, 0),
        lambda: measures.foster_greer_thorbecke([1, 2], 0, 0),
        lambda: measures.foster_greer_thorbecke([1, 2], nan, 0),
        lambda: measures.foster_greer_thorbecke([1, 2], 1, -1),
        lambda: measures.foster_greer_thorbecke([1, 2], 1, nan),
        lambda: measures.foster_greer_thorbecke([], 1, 0),
        lambda: measures.foster_greer_thorbecke([1, 2], 1, 0, [0, 0]),
        lambda: measures.foster_greer_thorbecke([1, 2], 1, 0, [1, -1]),
        lambda: measures.foster_greer_thorbecke([[1, 2]], 1, 0),
        lambda: measures.watts([0, 2], 1),
        lambda: measures.watts([-1, 2], 1),
        lambda: measures.theil([0, 2]),
        lambda: measures.theil([1, 2], groups=["a", None]),
        lambda: measures.theil([1, 2], groups=["a"]),
        lambda: measures.theil([]),
        lambda: measures.gini([1, nan]),
        lambda: measures.gini([1, 2], [1, nan]),
        lambda: measures.gini([1, None]),
        lambda: measures.gini(["a", "b"]),
        lambda: measures.lorenz_curve([0, 0]),
        lambda: measures.quantile_share([1, 2], 1.5),
        lambda: measures.quantile_share([1, 2], (0.5, 0.5)),
        lambda: measures.concentration_index([1, 2], [1, nan]),
        lambda: measures.concentration_index([1, 2], [1]),
        lambda: measures.concentration_index([0, 0], [1, 2]),
        lambda: measures.quintile_share_ratio([0, 0, 0, 0, 5]),
        lambda: measures.alkire_foster([[0, nan]], [1, 1], 1),
        lambda: measures.alkire_foster([[0, 2]], [1, 1], 1),
        lambda: measures.alkire_foster([0, 1], [1, 1], 1),
        lambda: measures.alkire_foster([[0, 1]], [1], 1),
        lambda: measures.alkire_foster([[0, 1]], [1, 1], 0),
        lambda: measures.alkire_foster([[0, 1]], [1, 1], 3),
    ):  # fmt: skip
        with pytest.raises(ValueError):
            call()
