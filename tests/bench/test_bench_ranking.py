"""The goals of `bench_ranking`, checked with ``pytest -m bench``."""

from __future__ import annotations

import pytest

from tests.bench import bench_ranking


@pytest.mark.bench
@pytest.mark.parametrize("families", [1_000_000, 10_000_000])
def test_full_ranking_meets_its_speed_goals(families: int) -> None:
    found = bench_ranking.run(families)
    assert found["agree"]
    for model in bench_ranking.MODELS:
        assert found[model] <= bench_ranking.FLOOR_GOAL[families], model
    assert found["rival"] >= bench_ranking.RIVAL_GOAL.get(families, 1.0)
