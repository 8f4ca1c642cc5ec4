"""Composite index and intervals of ranks against published examples and on awkward input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.policy import composite
from dtsen_core.policy.priority import composite_index, rank_if, rank_intervals

# UNDP, Human Development Report 2010, technical note 1: goalposts and the worked example of China.
GOALPOSTS = {
    "life": (20.0, 83.2), "mean_years": (0.0, 13.2), "expected_years": (0.0, 20.6),
    "ln_income": (np.log(163), np.log(108_211)),
}  # fmt: skip
CHINA = {"life": 73.5, "mean_years": 7.5, "expected_years": 11.4, "ln_income": np.log(7_263)}


def table(seed: int = 0, n: int = 40, m: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.gamma(2.0, 1.0, (n, m)), columns=list("abcdef")[:m], index=[f"{i:04d}" for i in range(n)])


def test_the_human_development_index_of_china_2010() -> None:
    indices = composite_index(pd.DataFrame([CHINA]), bounds=GOALPOSTS).normalised.iloc[0]
    assert indices.round(3).to_dict() == {
        "life": 0.847, "mean_years": 0.568, "expected_years": 0.553, "ln_income": 0.584,
    }  # fmt: skip
    education = np.sqrt(indices["mean_years"] * indices["expected_years"]) / 0.951
    three = pd.DataFrame({"life": [indices["life"]], "education": [education], "income": [indices["ln_income"]]})
    found = composite_index(three, normalisation="none", aggregation="geometric")
    assert found.score.iloc[0] == pytest.approx(0.663, abs=5e-4)


def test_the_four_normalisations_by_hand() -> None:
    x = pd.DataFrame({"a": [2.0, 4.0, 4.0, 10.0]})
    by_hand = {
        "minmax": [0, 0.25, 0.25, 1],
        "z": [-1, -1 / 3, -1 / 3, 5 / 3],
        "percentile": [0, 0.5, 0.5, 1],
        "target": [0, 0, 0, 1],
    }
    for kind, want in by_hand.items():
        found = composite_index(x, normalisation=kind, targets={"a": 4.0})
        np.testing.assert_allclose(found.normalised["a"], want)
    lower = composite_index(x, directions=-1, normalisation="target", targets=4.0)
    np.testing.assert_allclose(lower.score, [1, 0, 0, 0])


def test_full_compensation_against_none() -> None:
    # OECD and JRC handbook 2008, chapter 6: (21, 1, 1, 1) and (6, 6, 6, 6) have the same arithmetic mean; the geometric
    # mean of the first is 2.14, that of the second 6.
    data = pd.DataFrame([[21.0, 1, 1, 1], [6.0, 6, 6, 6]])
    arithmetic = composite_index(data, normalisation="none").score
    geometric = composite_index(data, normalisation="none", aggregation="geometric").score
    assert arithmetic.tolist() == [6.0, 6.0]
    assert geometric.round(2).tolist() == [2.14, 6.0]
    assert composite_index(data, normalisation="none", aggregation="noncompensatory").rank.tolist() == [2, 1]


@pytest.mark.parametrize(("name", "other"), [
    ("normalisation", ("minmax", "Min-Max")), ("normalisation", ("z", "z_score")),
    ("normalisation", ("percentile", "rank")),
    ("aggregation", ("arithmetic", "linear")), ("aggregation", ("noncompensatory", "non-compensatory")),
])  # fmt: skip
def test_methods_go_by_their_other_names_too(name: str, other: tuple[str, str]) -> None:
    data = pd.DataFrame({"a": [1.0, 2, 4], "b": [3.0, 1, 2]})
    plain, alias = (composite_index(data, **{name: word}) for word in other)
    assert plain.score.tolist() == alias.score.tolist()
    words = rank_intervals(data, draws=12, top=1, **{f"{name}s": list(other)})
    assert words["score"].tolist() == composite_index(data, **{name: other[0]}).score.tolist()


def test_the_rank_that_another_value_would_give() -> None:
    rng = np.random.default_rng(4)
    data = pd.DataFrame(rng.uniform(size=(30, 3)), columns=list("abc"))
    for options in ({"normalisation": "percentile"}, {"directions": [1, -1, 1], "aggregation": "geometric"},
                    {"weights": [3, 1, 0]}, {"aggregation": "noncompensatory"}):  # fmt: skip
        moved = rank_if(data, **options)
        for region, indicator, value in ((3, "a", 0.99), (7, "b", 0.01), (11, "a", 2.0)):
            changed = data.copy()
            changed.at[region, indicator] = value
            assert moved(region, indicator, value) == composite_index(changed, **options).rank[region]
    with pytest.raises(KeyError):
        rank_if(data, weights=[1, 1, 0])(0, "c", 0.5)
    with pytest.raises(ValueError, match="missing"):
        rank_if(data, missing="reweight")


def test_copeland_counts_comparisons_won() -> None:
    # Three regions in a circle of preferences beat one another; the fourth loses to all.
    data = pd.DataFrame({"a": [4, 3, 2, 1], "b": [2, 4, 3, 1], "c": [3, 2, 4, 1]}, dtype=float)
    found = composite_index(data, aggregation="noncompensatory")
    np.testing.assert_allclose(found.score, [2 / 3, 2 / 3, 2 / 3, 0])
    assert found.rank.tolist() == [1, 1, 1, 4]


def test_imbalance_raises_a_need_in_the_mazziotta_pareto_index() -> None:
    data = pd.DataFrame({"a": [0.0, 2.0, 1.0, 1.0], "b": [2.0, 0.0, 1.0, 1.0]})
    found = composite_index(data, aggregation="mpi").score
    assert found[0] == pytest.approx(found[1])
    assert found[0] > found[2]
    assert found[2] == pytest.approx(100)


def test_contributions_sum_to_the_score() -> None:
    data = table()
    plain = composite_index(data, weights=[1, 2, 3, 4])
    np.testing.assert_allclose(plain.contributions.sum(axis=1), plain.score)
    product = composite_index(data, weights=[1, 2, 3, 4], aggregation="geometric")
    np.testing.assert_allclose(product.contributions.sum(axis=1), np.log(product.score))


def test_missing_values_follow_the_chosen_policy() -> None:
    data = table(n=6)
    data.iloc[2, 1] = np.nan
    left_out = composite_index(data)
    assert np.isnan(left_out.score.iloc[2])
    assert left_out.rank.isna().sum() == 1
    pd.testing.assert_series_equal(left_out.score.dropna(), composite_index(data.drop(index=data.index[2])).score)
    again = composite_index(data, missing="reweight")
    normal = again.normalised.iloc[2].drop("b")
    assert again.score.iloc[2] == pytest.approx(normal.mean())
    np.testing.assert_allclose(again.contributions.sum(axis=1), again.score)
    filled = composite_index(data.fillna({"b": data["b"].median()})).score
    pd.testing.assert_series_equal(composite_index(data, missing="median").score, filled)
    with pytest.raises(ValueError, match="'b' lacks values"):
        composite_index(data, missing="raise")
    unweighted = composite_index(data, weights={"a": 1, "b": 0, "c": 1, "d": 1})
    assert unweighted.score.notna().all()
    assert unweighted.contributions["b"].eq(0).all()


@pytest.mark.parametrize("form", [list, np.asarray, lambda f: f.to_dict("list"), lambda f: f.to_numpy().tolist()])
def test_data_weights_and_directions_come_in_many_forms(form: Any) -> None:
    data = table()
    given = form(data.to_numpy()) if form is list else data
    want = composite_index(data, [1, -1, 1, 1], [1, 2, 3, 4]).score.to_numpy()
    np.testing.assert_allclose(composite_index(given, (1, -1, 1, 1), np.array([2, 4, 6, 8])).score, want)
    named = composite_index(data, {"b": -1, "a": 1, "c": 1, "d": 1}, pd.Series({"d": 4, "c": 3, "b": 2, "a": 1})).score
    np.testing.assert_allclose(named, want)
    odd = pd.Series([1, 2, 3, 4], index=[9, 7, 5, 3])
    np.testing.assert_allclose(composite_index(data, [1, -1, 1, 1], odd).score, want)


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (table(), {"weights": [0, 0, 0, 0]}, "all weights are 0"),
        (table(), {"weights": [1, -1, 1, 1]}, "0 or more"),
        (table(), {"weights": [1, np.nan, 1, 1]}, "0 or more"),
        (table(), {"weights": [1, 1]}, "one number per indicator"),
        (table(), {"weights": {"a": 1}}, "do not name the indicator 'b'"),
        (table(), {"weights": {"a": 1, "x": 1}}, "unknown indicator 'x'"),
        (table(), {"weights": "abc"}, "numbers"),
        (table(), {"directions": [1, 0, 1, 1]}, "\\+1 or -1"),
        (table().assign(b=3.0), {}, "'b' has the same value"),
        (table().assign(b=np.nan), {}, "'b' has no value"),
        (table().assign(b="x"), {}, "table of numbers"),
        (table().iloc[:0], {}, "at least one region"),
        ([], {}, "at least one region|table of numbers"),
        (table(), {"normalisation": "best"}, "normalisation must be"),
        (table(), {"aggregation": "sum"}, "aggregation must be"),
        (table(), {"missing": "zero"}, "missing must be"),
        (table(), {"normalisation": "target"}, "needs a target"),
        (table() - 9, {"normalisation": "none", "aggregation": "geometric"}, "above 0"),
        (table(), {"bounds": {"z": (0, 1)}}, "unknown indicator 'z'"),
        (table(), {"bounds": {"a": (1, 1)}}, "two different"),
    ],
)
def test_what_cannot_be_ranked_is_refused_in_a_sentence(data: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        composite_index(data, **options)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.001, 1000), st.sampled_from(composite.AGGREGATIONS),
       st.sampled_from(["minmax", "z", "percentile"]))  # fmt: skip
def test_the_size_of_the_weights_does_not_matter(seed: int, factor: float, aggregation: str, kind: str) -> None:
    data, weights = table(seed, 15), np.random.default_rng(seed).random(4) + 0.01
    one, other = (
        composite_index(data, weights=w, aggregation=aggregation, normalisation=kind)
        for w in (weights, weights * factor)
    )
    np.testing.assert_allclose(one.score, other.score)
    pd.testing.assert_series_equal(one.rank, other.rank)


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(0, 14), st.integers(0, 3), st.floats(0.01, 5),
       st.sampled_from(["arithmetic", "geometric", "noncompensatory"]), st.sampled_from(["minmax", "percentile"]),
       st.sampled_from([1, -1]))  # fmt: skip
def test_more_need_never_lowers_the_own_rank(
    seed: int, row: int, column: int, more: float, aggregation: str, kind: str, direction: int
) -> None:
    data = table(seed, 15)
    if aggregation == "geometric":
        kind = "percentile"  # its floor moves with the range
    raised = data.copy()
    raised.iloc[row, column] += direction * more
    signs = [direction if k == column else 1 for k in range(4)]
    before = composite_index(data, signs, aggregation=aggregation, normalisation=kind).rank.iloc[row]
    after = composite_index(raised, signs, aggregation=aggregation, normalisation=kind).rank.iloc[row]
    assert after <= before


def test_ranks_do_not_move_where_nothing_is_varied() -> None:
    data = table()
    found = rank_intervals(data, weighting="fixed", normalisations="minmax", aggregations="arithmetic", top=5)
    want = composite_index(data).rank
    for column in ("rank", "median", "low", "high"):
        assert found[column].tolist() == want.tolist()
    assert found["p_top"].tolist() == [1.0 if r <= 5 else 0.0 for r in want]
    assert found["robust"].sum() == 5


def test_a_region_ahead_in_everything_is_robust_and_the_middle_is_not() -> None:
    data = table()
    data.iloc[7] = data.max() + 1
    found = rank_intervals(data, top=3, standard_errors=data * 0.1)
    assert found.iloc[7][["rank", "low", "high", "p_top", "robust"]].tolist() == [1, 1, 1, 1.0, True]
    assert found["p_top"].sum() == pytest.approx(3, abs=0.05)
    assert (found["low"] <= found["median"]).all()
    assert (found["median"] <= found["high"]).all()
    assert (found["high"] > found["low"]).mean() > 0.8


def test_sampling_error_alone_gives_the_probability_of_the_normal_distribution() -> None:
    # Two regions 1 apart with errors of 1: P(first stays first) = Φ(1/√2) = 0.7602.
    data = pd.DataFrame({"a": [1.0, 0.0]})
    found = rank_intervals(data, weighting="fixed", normalisations="minmax", aggregations="arithmetic", top=1,
                           standard_errors=[[1.0], [1.0]], draws=20_000)  # fmt: skip
    assert found["p_top"].iloc[0] == pytest.approx(0.7602, abs=0.01)


def test_drawn_weights_have_the_given_mean_and_repeat_with_the_seed() -> None:
    data = table()
    first, again = (rank_intervals(data, seed=5, weighting="plusminus") for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    tight = rank_intervals(data, concentration=1e7, normalisations="minmax", aggregations="arithmetic")
    assert (tight["high"] - tight["low"]).max() <= 1


def test_intervals_leave_regions_without_a_score_out() -> None:
    data = table(n=8)
    data.iloc[1, 0] = np.nan
    found = rank_intervals(data, top=2)
    assert found.iloc[1][["rank", "median", "low", "high", "p_top"]].isna().all()
    assert not found["robust"].iloc[1]
    every = rank_intervals(data, top=2, aggregations=composite.AGGREGATIONS, missing="mean")
    assert every["rank"].notna().all()


@pytest.mark.parametrize(
    "options",
    [
        {"top": 0}, {"draws": 0}, {"draws": 3}, {"weighting": "x"}, {"concentration": 0}, {"spread": 1}, {"level": 1},
        {"normalisations": []}, {"standard_errors": [1, 2]}, {"standard_errors": -1.0}, {"missing": "reweight"},
        {"weights": [0, 0, 0, 0]}, {"robust": 0}, {"aggregations": ["sum"]},
    ],
)  # fmt: skip
def test_unknown_options_of_the_intervals_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        rank_intervals(table(), **options)
