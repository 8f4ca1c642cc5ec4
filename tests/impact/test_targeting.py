"""Incidence of a transfer: hand-computed figures, direction of the score, and what must not change anything."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.policy.targeting import quantile_groups, targeting_table

NAMES = {"welfare": "y", "weight": "w", "received": "r", "benefit": "b", "line": 25.0}


@pytest.fixture
def ten() -> pd.DataFrame:
    """Welfare 10, 20 … 100; persons 1, 2 and 5 receive 5, 5 and 10."""
    return pd.DataFrame({"y": np.arange(10.0, 101, 10), "w": 1.0, "r": [1, 1, 0, 0, 1, 0, 0, 0, 0, 0],
                         "b": [5.0, 5, 0, 0, 10, 0, 0, 0, 0, 0]})  # fmt: skip


def test_figures_by_hand(ten: pd.DataFrame) -> None:
    found = targeting_table(ten, **NAMES)
    assert found.coverage == pytest.approx(0.3)
    assert (found.undercoverage, found.leakage) == pytest.approx((0.0, 1 / 3))
    assert found.benefit_leakage == pytest.approx(0.5)
    assert found.cgh_index == pytest.approx(0.5 / 0.2)
    assert found.cgh_index_bottom == pytest.approx(0.5 / 0.4)
    assert found.targeting_differential == pytest.approx(1 - 1 / 8)
    assert found.adequacy == pytest.approx(20 / 80)
    assert found.generosity == pytest.approx((20 / 3) / 25)
    # without it 5 and 15: gaps 20 + 10 fall to 15 + 5
    assert found.benefit_cost == pytest.approx(10 / 20)
    assert found.poverty.loc["p0", "change"] == pytest.approx(0)
    assert found.poverty.loc["p1", ["without", "with_transfer"]].tolist() == pytest.approx([0.12, 0.08])
    assert found.by_quantile["benefits"].tolist() == ten["b"].tolist()
    assert found.by_quantile["share_of_beneficiaries"].sum() == pytest.approx(1)


def test_higher_welfare_is_better_off(ten: pd.DataFrame) -> None:
    """A score turned round would make this transfer regressive."""
    poorest = targeting_table(ten.assign(r=[1, *[0] * 9], b=[5.0, *[0] * 9]), **NAMES)
    richest = targeting_table(ten.assign(r=[*[0] * 9, 1], b=[*[0] * 9, 5.0]), **NAMES)
    assert poorest.by_quantile["coverage"].iat[0] == 1
    assert poorest.concentration_index == pytest.approx(-0.9)
    assert richest.concentration_index == pytest.approx(0.9)
    assert poorest.cgh_index > 1 > richest.cgh_index
    assert poorest.targeting_differential > 0 > richest.targeting_differential


def test_a_transfer_to_all_has_index_one_and_no_concentration(ten: pd.DataFrame) -> None:
    found = targeting_table(ten.assign(r=1, b=5.0), **NAMES)
    assert found.cgh_index == pytest.approx(1)
    assert found.concentration_index == pytest.approx(0)
    assert found.targeting_differential == pytest.approx(0)
    assert found.by_quantile["share_of_benefits"].tolist() == pytest.approx([0.1] * 10)


def test_the_counterfactual_is_stated_and_kept(ten: pd.DataFrame) -> None:
    observed = targeting_table(ten, **NAMES)
    before = ten.assign(y=ten["y"] - ten["b"])
    simulated = targeting_table(before, **NAMES, includes_benefit=False)
    for column in ("without", "with_transfer"):
        assert observed.poverty[column].tolist() == pytest.approx(simulated.poverty[column].tolist())
    assert observed.counterfactual != simulated.counterfactual


cases = st.integers(2, 40).flatmap(lambda n: st.tuples(
    st.lists(st.integers(1, 30), min_size=n, max_size=n), st.lists(st.integers(1, 5), min_size=n, max_size=n),
    st.lists(st.booleans(), min_size=n, max_size=n)))  # fmt: skip


@given(cases, st.integers(1, 1000), st.integers(1, 50), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_what_must_not_change_anything(case, scale: int, money: int, shuffle) -> None:
    y, w, r = case
    data = pd.DataFrame({"y": y, "w": w, "r": r, "b": [2.0 * k for k in r]}).astype({"y": float, "w": float})
    names = NAMES | {"line": 12.5, "quantiles": 5}
    found = targeting_table(data, **names)
    order = list(range(len(y)))
    shuffle.shuffle(order)
    turned = data.iloc[order]
    scaled = data.assign(w=data["w"] * scale)
    other_money = data.assign(y=data["y"] * money, b=data["b"] * money)
    repeated = data.loc[data.index.repeat(w)].assign(w=1.0)
    same = [targeting_table(turned, **names), targeting_table(scaled, **names),
            targeting_table(other_money, **names | {"line": 12.5 * money}),
            targeting_table(repeated, **names)]  # fmt: skip
    stable = ["coverage", "undercoverage", "leakage", "leakage_bottom", "cgh_index", "cgh_index_bottom",
              "targeting_differential", "concentration_index", "adequacy", "generosity", "benefit_cost"]  # fmt: skip
    for again in same:
        np.testing.assert_allclose([getattr(again, k) for k in stable], [getattr(found, k) for k in stable], atol=1e-9)
        np.testing.assert_allclose(again.by_quantile["coverage"], found.by_quantile["coverage"], atol=1e-9)
        np.testing.assert_allclose(again.poverty["change"], found.poverty["change"], atol=1e-9)
    assert found.by_quantile["population"].sum() == pytest.approx(sum(w))
    assert found.by_quantile["benefits"].sum() == pytest.approx(found.benefits)
    assert (found.poverty.loc[["p0", "p1", "p2"], "change"] <= 1e-12).all()
    if found.benefits > 0:
        assert -1e-12 <= found.benefit_cost <= 1 + 1e-12
        assert -1 <= found.concentration_index <= 1


def test_standard_errors_against_the_bootstrap() -> None:
    rng = np.random.default_rng(4)
    y = rng.lognormal(3, 0.6, 800)
    r = rng.random(800) < 0.4
    data = pd.DataFrame({"y": y, "w": rng.uniform(0.5, 2, 800), "r": r, "b": r * 3.0})
    options = NAMES | {"line": 15.0}
    found = targeting_table(data, **options)
    drawn = [targeting_table(data.sample(800, replace=True, random_state=k), **options).poverty for k in range(200)]
    for name in ("p0", "p1", "gini"):
        for column, se in (("without", "se_without"), ("change", "se_change")):
            spread = np.std([frame.loc[name, column] for frame in drawn])
            assert found.poverty.loc[name, se] == pytest.approx(spread, rel=0.2)


def test_unknown_amounts_and_empty_denominators(ten: pd.DataFrame) -> None:
    without = targeting_table(ten, **NAMES | {"benefit": None})
    assert without.coverage == pytest.approx(0.3)
    assert np.isnan(without.cgh_index)
    assert "not known" in without.notes[0]
    nobody = targeting_table(ten.assign(r=False, b=0.0), **NAMES)
    assert np.isnan(nobody.leakage)
    assert nobody.coverage == 0
    assert "nobody receives the transfer" in nobody.notes
    generous = targeting_table(ten.assign(b=ten["r"] * 1000.0), **NAMES)
    assert "more than their welfare" in generous.notes[0]
    assert generous.poverty.notna().all().all()


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        ({"r": 2}, {}, "0 or 1"),
        ({"b": 1.0}, {}, "do not receive"),
        ({"b": -1.0}, {}, "negative"),
        ({"w": 0.0}, {}, "all be zero"),
        ({"y": np.nan}, {}, "no complete rows"),
        ({}, {"line": 0}, "positive"),
        ({}, {"line": "none"}, "no column none"),
        ({}, {"bottom": 40}, "between 0 and 1"),
        ({}, {"bottom": "few"}, "bottom must be a number"),
        ({}, {"quantiles": 1}, "at least 2"),
    ],
)
def test_what_cannot_be_computed_is_said(ten: pd.DataFrame, change: dict, options: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        targeting_table(ten.assign(**change), **NAMES | options)


def test_negative_welfare_is_no_benefit(ten: pd.DataFrame) -> None:
    """Only a row whose benefit exceeds its welfare is set to zero without it."""
    below = ten.assign(y=ten["y"] - ten["y"].median())
    found = targeting_table(below, **{**NAMES, "line": float(below["y"].max())})
    assert any("negative welfare" in note for note in found.notes)
    assert found.benefit_cost > 0


def test_groups_keep_ties_together() -> None:
    assert quantile_groups([1, 1, 1, 2, 2, 9], None, 2).tolist() == [1, 1, 1, 2, 2, 2]
    assert quantile_groups(range(20)).tolist() == np.repeat(range(1, 11), 2).tolist()
