from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tests.collect import population


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty DuckDB connection."""
    connection = duckdb.connect()
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def people() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with ``sim_keluarga`` and ``sim_anggota`` of a made-up population."""
    connection = duckdb.connect()
    population.fill(connection, 3000)
    yield connection
    connection.close()
