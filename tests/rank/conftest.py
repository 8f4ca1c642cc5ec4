"""One small world for the tests of the rank room: 6,000 families in 25 regencies of 5 provinces."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from dtsen_core.rank.scorecard import province_of_regency
from tests.rank import synthetic

SOME_PROVINCES = (0, 10, 11, 18, 36)


def some_regencies() -> np.ndarray:
    province = province_of_regency()
    return np.concatenate([np.flatnonzero(province == p)[:5] for p in SOME_PROVINCES])


@pytest.fixture(scope="session")
def families() -> synthetic.Families:
    rng = np.random.default_rng(11)
    return synthetic.draw_families(rng, rng.choice(some_regencies(), 6_000))


@pytest.fixture(scope="session")
def packed(families: synthetic.Families) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    synthetic.store(con, families)
    return con
