"""Deciles from counts against the window function and against a slow definition."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.rank.histogram import NEVER, thresholds

FAMILY = st.tuples(st.integers(0, 4), st.integers(0, 12), st.integers(1, 6))  # regency, score, size
PROVINCE = np.array([0, 0, 1, 1, 1])
SCOPES = {"national": np.zeros(5, dtype=np.int64), "province": PROVINCE, "regency": np.arange(5)}


def ntile_oracle(scope: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Decile of each row: the smallest ``ntile(10)`` of its (scope, score) tie group."""
    frame = pd.DataFrame({"scope": scope, "score": score, "row": np.arange(len(score))})
    return (
        duckdb.sql("""
        WITH bucket AS (SELECT *, ntile(10) OVER (PARTITION BY scope ORDER BY score) AS b FROM frame)
        SELECT min(b) OVER (PARTITION BY scope, score) AS decile FROM bucket ORDER BY row
    """)
        .fetchnumpy()["decile"]
        .astype(np.int64)
        if len(frame)
        else np.empty(0, np.int64)
    )


@given(st.lists(FAMILY, min_size=1, max_size=150), st.sampled_from(list(SCOPES)))
@settings(max_examples=60)
def test_families_get_the_ntile_of_the_lowest_rank_of_their_ties(rows: list[tuple[int, int, int]], scope: str) -> None:
    regency, score, _ = (np.array(x, dtype=np.int64) for x in zip(*rows, strict=True))
    area = SCOPES[scope][regency]
    found = thresholds(area, 5, score, np.ones(len(score), np.int64)).decile(area, score)
    assert np.array_equal(found, ntile_oracle(area, score))


@given(st.lists(FAMILY, min_size=1, max_size=80), st.sampled_from(list(SCOPES)))
@settings(max_examples=60)
def test_persons_are_ranked_like_so_many_families(rows: list[tuple[int, int, int]], scope: str) -> None:
    regency, score, size = (np.array(x, dtype=np.int64) for x in zip(*rows, strict=True))
    area = SCOPES[scope][regency]
    found = thresholds(area, 5, score, size).decile(area, score)
    assert np.array_equal(np.repeat(found, size), ntile_oracle(np.repeat(area, size), np.repeat(score, size)))


@given(st.lists(FAMILY, min_size=1, max_size=150), st.floats(1.5, 400))
@settings(max_examples=60)
def test_one_weight_for_all_changes_nothing(rows: list[tuple[int, int, int]], weight: float) -> None:
    regency, score, size = (np.array(x, dtype=np.int64) for x in zip(*rows, strict=True))
    plain = thresholds(regency, 5, score, size)
    loaded = thresholds(regency, 5, score, size, np.full(len(score), weight))
    assert np.array_equal(plain.values, loaded.values)


@given(st.lists(FAMILY, min_size=2, max_size=150), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_differing_weights_follow_the_weighted_rule(rows: list[tuple[int, int, int]], seed: int) -> None:
    regency, score, size = (np.array(x, dtype=np.int64) for x in zip(*rows, strict=True))
    weight = np.random.default_rng(seed).integers(1, 60, 5)[regency] * 7.0
    if len(np.unique(weight)) == 1:
        weight[regency == regency[0]] += 1
    if len(np.unique(weight)) == 1:
        return
    nation = np.zeros(len(score), np.int64)
    found = thresholds(nation, 1, score, size, weight).decile(nation, score)
    load = size * weight
    for row in range(len(score)):
        below = load[score < score[row]].sum()
        assert found[row] == min(10, int(10 * below // load.sum()) + 1)


def test_a_threshold_is_the_first_score_of_its_decile() -> None:
    score = np.repeat(np.arange(100, 200, dtype=np.int64), 3)
    found = thresholds(np.zeros(300, np.int64), 1, score, np.ones(300, np.int64))
    assert found.values.tolist() == [[110, 120, 130, 140, 150, 160, 170, 180, 190]]


def test_deciles_nobody_reaches_have_no_threshold() -> None:
    score = np.array([5, 5, 5, 9], dtype=np.int64)
    found = thresholds(np.zeros(4, np.int64), 2, score, np.ones(4, np.int64))
    assert found.values[0].tolist() == [9, 9, 9, *[NEVER] * 6]  # four families fill buckets 1 to 4
    assert (found.values[1] == NEVER).all()
