"""The ladder against the plain rules of `histogram.thresholds`, for every scope, unit and weighting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.rank import official
from dtsen_core.rank.histogram import Histogram
from dtsen_core.rank.ladder import Ladder


def random_h(rng: np.random.Generator, cells: int, width: int) -> Histogram:
    """Few regencies, many ties, empty regencies between."""
    area = rng.choice(rng.integers(0, 514, 12), cells)
    key = np.unique(area * 3 * width + rng.integers(0, 3, cells) * width + rng.integers(0, width, cells))
    families = rng.integers(1, 6, len(key))
    return Histogram("regency", key // (3 * width), key // width % 3, key % width + 13_000, families,
                     families * rng.integers(1, 5, len(key)))  # fmt: skip


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.sampled_from([1, 3, 40]), st.sampled_from(["one", "uneven"]))
@settings(max_examples=40)
@pytest.mark.parametrize("scope", official.SCOPES)
def test_thresholds_and_counts_equal_the_plain_ones(scope: str, seed: int, cells: int, width: int,
                                                    weighting: str) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    h = random_h(rng, cells, width)
    weight = np.ones(514) if weighting == "one" else rng.uniform(0.5, 300, 514)
    ladder = Ladder.of(h)
    for unit in ("families", "persons"):
        plain = official.scope_thresholds(h, scope, unit, weight)
        found = ladder.thresholds(scope, unit, weight)
        assert np.array_equal(found.values, plain.values)
        decile = plain.decile(official.scope_of_regency(scope)[h.area], h.score)
        slow = np.bincount(h.area * 10 + decile - 1, h.counts(unit), 5140).reshape(514, 10)
        assert np.array_equal(ladder.deciles(found, scope, unit), slow)
    assert np.array_equal(ladder.present, np.bincount(h.area, minlength=514) > 0)
