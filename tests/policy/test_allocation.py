"""The optimiser against textbook solutions, its prices against what one more unit really brings, and refusals."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.policy.priority import allocate, frontier


def test_the_fractional_knapsack_of_the_textbooks() -> None:
    # Weights 10, 20, 30; values 60, 100, 120; capacity 50: 240, with 2/3 of the last (Cormen et al., chapter 16).
    found = allocate([10, 20, 30], 1.0, 50, objective="gap", value=[6.0, 5.0, 4.0])
    np.testing.assert_allclose(found.allocation["need"], [10, 20, 20])
    assert found.objective == pytest.approx(240)
    assert found.shadow_price == pytest.approx(4)
    np.testing.assert_allclose(found.duals[("upper", "need")], [2, 1, 0], atol=1e-9)
    assert found.spent == pytest.approx(50)


def test_two_products_of_the_textbooks() -> None:
    # max 3x + 5y, x ≤ 4, 2y ≤ 12, 3x + 2y ≤ 18: 36 at (2, 6); prices 3/2 of the last, 1 of the last but one
    # (Hillier & Lieberman, Wyndor Glass). Here 2y ≤ 12 is y ≤ 6.
    found = allocate([4, 6], [3.0, 2.0], 18, objective="gap", value=[3.0, 5.0])
    np.testing.assert_allclose(found.allocation["need"], [2, 6])
    assert found.objective == pytest.approx(36)
    assert found.shadow_price == pytest.approx(1)
    assert found.duals[("upper", "need")].iloc[1] == pytest.approx(3)


def test_the_lowest_coverage_is_raised_as_far_as_money_goes() -> None:
    # Full coverage costs 100·1 + 100·3 + 50·2 = 500; with 250 every area gets half.
    found = allocate([100, 100, 50], [1.0, 3.0, 2.0], 250, objective="lowest")
    np.testing.assert_allclose(found.coverage, 0.5, atol=1e-6)
    assert found.objective == pytest.approx(0.5, abs=1e-6)
    assert found.shadow_price == pytest.approx(1 / 500)
    # A small ceiling frees money for a second aim: the most people.
    found = allocate([100, 100], [1.0, 3.0], 250, objective="lowest", maximum=[100, 20])
    np.testing.assert_allclose(found.allocation["need"], [100, 20], atol=1e-4)


def test_money_left_over_has_no_price() -> None:
    found = allocate([10, 10], 2.0, 1_000)
    assert found.allocation["need"].tolist() == [10, 10]
    assert found.shadow_price == 0
    assert found.spent == pytest.approx(40)
    assert found.gap == pytest.approx(0)
    nothing = allocate([10, 10], 2.0, 0)
    assert nothing.objective == 0


def test_bounds_of_cells_areas_and_programmes_hold() -> None:
    need = pd.DataFrame({"pkh": [10.0, 20], "sembako": [30.0, 5]}, index=["1101", "1102"])
    found = allocate(
        need, {"pkh": 2.0, "sembako": 1.0}, 60, minimum=pd.DataFrame({"pkh": [4.0, 0], "sembako": 0.0}, need.index),
        area_maximum={"1101": 25}, area_minimum=[0, 20], programme_maximum={"pkh": 15},
    )  # fmt: skip
    x = found.allocation
    assert x.index.tolist() == ["1101", "1102"]
    assert x.loc["1101", "pkh"] >= 4 - 1e-9
    assert found.spending.loc["1101"].sum() <= 25 + 1e-9
    assert found.spending.loc["1102"].sum() >= 20 - 1e-9
    assert x["pkh"].sum() <= 15 + 1e-9
    assert found.spent <= 60 + 1e-9
    assert found.area_duals.loc["1101", "maximum"] >= 0


def test_the_shadow_price_is_what_one_more_rupiah_brings() -> None:
    rng = np.random.default_rng(2)
    need, cost, value = rng.integers(10, 100, (12, 3)), rng.uniform(1, 9, (12, 3)), rng.uniform(0, 2, (12, 3))
    for objective in ("people", "gap", "lowest"):
        here, more = (allocate(need, cost, b, objective=objective, value=value) for b in (900.0, 900.5))
        assert (more.objective - here.objective) / 0.5 == pytest.approx(here.shadow_price, rel=1e-2, abs=1e-7)


def test_whole_units_are_the_best_whole_units() -> None:
    need, cost, value = [3, 2, 3], [5.0, 4.0, 3.0], [6.0, 5.0, 3.5]
    found = allocate(need, cost, 17, objective="gap", value=value, integer=True)
    best = max(
        (np.dot(x, value) for x in product(range(4), range(3), range(4)) if np.dot(x, cost) <= 17),
    )
    assert found.objective == pytest.approx(best)
    assert found.allocation["need"].mod(1).eq(0).all()
    assert "relaxed" in found.status
    lowest = allocate([10, 10], [1.0, 2.0], 16, objective="lowest", integer=True)
    assert lowest.allocation["need"].min() >= 5
    assert lowest.spent <= 16


def test_the_simple_rule_shares_money_by_need_and_spends_it() -> None:
    found = allocate([100, 300], [1.0, 2.0], 200)
    np.testing.assert_allclose(found.proportional["need"], [50, 75], rtol=1e-6)
    assert found.objective == pytest.approx(150)
    assert found.gap == pytest.approx(25, rel=1e-6)


def test_equality_costs_more_and_more() -> None:
    rng = np.random.default_rng(3)
    need, cost = rng.integers(10, 100, 30), rng.uniform(1, 9, 30)
    line = frontier(need, cost, 2_000.0, steps=6)
    assert line["lowest_coverage"].is_monotonic_increasing
    assert (line["objective"].diff().dropna() <= 1e-6).all()
    assert line["share"].iloc[0] == pytest.approx(1)
    slopes = line["objective"].diff().dropna().to_numpy()
    assert (np.diff(slopes) <= 1e-5).all()  # concave


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (([10, 10], 2.0, 10), {"minimum": [5, 5]}, "minimums alone cost 20"),
        (([10, 10], 2.0, 100), {"minimum": [0, 11]}, "the minimum of area 1 is 11"),
        (([10, 10], 2.0, 100), {"minimum": [5, 5], "maximum": [10, 4]}, "area 1"),
        (([10, 10], 2.0, 100), {"area_maximum": [4, 99], "minimum": [3, 0]}, "its area_maximum 4"),
        (([10, 10], 2.0, 100), {"area_minimum": [30, 0]}, "takes only 20"),
        (([10, 10], 2.0, 100), {"area_minimum": [9, 0], "area_maximum": [8, 9]}, "above its area_maximum"),
        (([10, 10], 2.0, 100), {"programme_maximum": [5], "minimum": [3, 3]}, "programme_maximum 5"),
        (([10, 10], 2.0, 10), {"lowest_coverage": 0.9}, "cannot be met"),
        (([10, 10], 2.0, 100), {"lowest_coverage": 0.9, "maximum": [10, 5]}, "below lowest_coverage"),
        (([10, 10], 0.0, 10), {}, "above 0"),
        (([10, -1], 1.0, 10), {}, "need must be"),
        (([10, np.nan], 1.0, 10), {}, "area 1"),
        (([10, 10], [1, 2, 3], 10), {}, "unit_cost must be one number"),
        (([10, 10], "x", 10), {}, "unit_cost must be numbers"),
        (([], 1.0, 10), {}, "need is empty"),
        (([10], 1.0, -1), {}, "budget"),
        (([10], 1.0, float("nan")), {}, "budget"),
        (([10], 1.0, "10"), {}, "budget"),
        (([10], 1.0, 10), {"objective": "x"}, "objective must be"),
        (([10], 1.0, 10), {"objective": "gap"}, "needs `value`"),
        (([10], 1.0, 10), {"lowest_coverage": 2}, "between 0 and 1"),
        (([0.5], 1.0, 10), {"integer": True, "minimum": [0.3]}, "no whole number"),
    ],
)
def test_what_cannot_be_is_refused_naming_the_bound(arguments: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        allocate(*arguments, **options)


@settings(max_examples=60)
@given(st.integers(0, 100_000), st.integers(1, 8), st.floats(0, 2), st.sampled_from(["people", "gap", "lowest"]))
def test_an_allocation_keeps_to_its_bounds_and_beats_the_simple_rule(
    seed: int, n: int, share: float, objective: str
) -> None:
    rng = np.random.default_rng(seed)
    need, cost = rng.integers(0, 1_000, (n, 2)), rng.uniform(0.1, 1e6, (n, 2))
    budget = float((need * cost).sum() * share)
    found = allocate(need, cost, budget, objective=objective, value=rng.random((n, 2)))
    x = found.allocation.to_numpy()
    assert (x >= -1e-9).all()
    assert (x <= need + 1e-9).all()
    assert found.spent <= budget * (1 + 1e-9) + 1e-6
    assert found.gap >= -1e-6 * max(1.0, found.objective)
    assert found.shadow_price >= 0
