from __future__ import annotations

from collections.abc import Callable, Iterator

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
def make_people() -> Iterator[Callable[[int], duckdb.DuckDBPyConnection]]:
    """A function that gives a connection with a made-up population of so many families."""
    made: list[duckdb.DuckDBPyConnection] = []

    def make(families: int) -> duckdb.DuckDBPyConnection:
        made.append(duckdb.connect())
        population.fill(made[-1], families)
        return made[-1]

    yield make
    for connection in made:
        connection.close()


@pytest.fixture(scope="module")
def people() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with ``sim_keluarga`` and ``sim_anggota`` of a small made-up population."""
    connection = duckdb.connect()
    population.fill(connection)
    yield connection
    connection.close()
