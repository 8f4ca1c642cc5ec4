"""Work zones: in one piece, nearly equal, and islands tied by named links."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse import csgraph

from dtsen_core.policy.zones import work_zones
from dtsen_core.regions import neighbours, units


def grid(rows: int, columns: int) -> dict[int, list[int]]:
    around: dict[int, list[int]] = {}
    for r in range(rows):
        for c in range(columns):
            near = [(r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)]
            around[r * columns + c] = [a * columns + b for a, b in near if 0 <= a < rows and 0 <= b < columns]
    return around


def in_one_piece(zone: pd.Series, around: dict[Any, list[Any]], links: tuple[tuple[Any, Any], ...]) -> bool:
    place = {unit: k for k, unit in enumerate(zone.index)}
    pairs = [(place[u], place[v]) for u in around for v in around[u] if u in place and v in place]
    pairs += [(place[u], place[v]) for u, v in links]
    same = [(a, b) for a, b in pairs if zone.iloc[a] == zone.iloc[b]]
    rows, columns = zip(*same) if same else ((), ())
    matrix = sparse.coo_array((np.ones(len(same)), (rows, columns)), shape=(len(zone), len(zone)))
    return bool(csgraph.connected_components(matrix, directed=False)[0] == zone.nunique())


@settings(max_examples=30)
@given(st.integers(0, 1_000), st.integers(1, 9))
def test_zones_are_whole_and_nearly_equal(seed: int, count: int) -> None:
    around = grid(9, 10)
    load = pd.Series(np.random.default_rng(seed).uniform(1, 3, 90))
    found = work_zones(load, around, count, seed=seed)
    assert sorted(found.zone.unique()) == list(range(1, count + 1))
    assert in_one_piece(found.zone, around, found.sea_links)
    assert found.load.sum() == pytest.approx(load.sum())
    assert found.balance <= 1.2
    assert found.sea_links == ()


def test_islands_are_tied_to_the_nearest_unit() -> None:
    around = {"a": ["b"], "b": ["a"], "island": []}
    places = pd.DataFrame({"x": [0.0, 5.0, 6.0], "y": 0.0}, index=["a", "b", "island"])
    found = work_zones({"a": 2.0, "b": 1.0, "island": 1.0}, around, 2, places=places)
    assert found.sea_links == (("island", "b"),)
    assert found.zone["island"] == found.zone["b"] != found.zone["a"]
    assert found.balance == 1


def test_the_regencies_of_a_province_are_divided() -> None:
    codes = [code for code in units.table("regency")["code"] if code.startswith("35")]
    load = pd.Series(np.random.default_rng(0).uniform(1, 4, len(codes)), index=codes)
    found = work_zones(load, neighbours.neighbours("regency"), 6)
    around = {f: list(g) for f, g in neighbours.neighbours("regency").neighbors.items()}
    assert in_one_piece(found.zone, around, found.sea_links)
    assert found.balance < 1.25
    pd.testing.assert_series_equal(found.zone, work_zones(load, neighbours.neighbours("regency"), 6).zone)


@pytest.mark.parametrize(("load", "count"), [([1, 2], 0), ([1, 2], 3), ([1, -1], 1), ([0, 0], 1), ([1, 1], 1.5)])
def test_what_cannot_be_divided_is_refused(load: list[float], count: Any) -> None:
    with pytest.raises(ValueError):
        work_zones(pd.Series(load), {0: [1], 1: [0]}, count)


def test_neighbours_follow_the_boundaries_in_use() -> None:
    graph = neighbours.neighbours("regency")
    assert list(graph.unique_ids) == units.table("regency")["code"].tolist()
    assert "3171" in graph.neighbors["3174"]  # Jakarta Pusat and Jakarta Selatan
    assert graph.neighbors["3404"]  # Sleman
    assert {"3471", "3404", "1108"} - neighbours.coastal("regency") == {"3471", "3404"}
    assert "6106" not in neighbours.coastal("regency")  # a land border is no coast
