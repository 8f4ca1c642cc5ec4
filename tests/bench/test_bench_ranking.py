"""The goals of `bench_ranking`, checked with ``pytest -m bench``."""

from __future__ import annotations

import pytest

from tests.bench import bench_ranking


@pytest.mark.bench
@pytest.mark.parametrize("families", [1_000_000, 10_000_000])
def test_full_ranking_meets_its_speed_goals(families: int) -> None:
    found = bench_ranking.run(families)
    assert found["agree"]
    assert bench_ranking.missed(found) == []
