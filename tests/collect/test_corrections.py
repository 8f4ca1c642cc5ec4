"""Which quarantined records a corrected file closes."""

from __future__ import annotations

import duckdb
import pytest

from dtsen_core.collect import accounting, corrections

# Records set aside, by file and line; and which record (file, line) of a later file corrects which.
ASIDE = [("asal.csv", 5), ("asal.csv", 6), ("asal.csv", 7), ("dua.csv", 3), ("dua.csv", 4), ("dicoba.csv", 2)]
CORRECTS = [
    ("dua.csv", 2, "asal.csv", 5),  # accepted
    ("dua.csv", 3, "asal.csv", 6),  # set aside again, and corrected once more
    ("tiga.csv", 2, "dua.csv", 3),
    ("dua.csv", 4, "asal.csv", 7),  # set aside again
    ("dicoba.csv", 3, "dicoba.csv", 2),  # line 2 of a trial of another file by that name
    ("tiga.csv", 3, "hilang.csv", 9),  # a record nobody knows
]


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    accounting.create_tables(con)
    con.executemany("INSERT INTO quarantine (path, source, line_from) VALUES (?, 'dtks', ?)", ASIDE)
    con.executemany("INSERT INTO correction VALUES (?, 'dtks', ?, ?, ?)", CORRECTS)
    con.execute("INSERT INTO quarantine (path, source, line_from) VALUES ('asal.csv', 'p3ke', 5)")
    corrections.close(con)
    return con


def test_a_record_is_closed_once_its_correction_or_that_ones_is_accepted(con: duckdb.DuckDBPyConnection) -> None:
    closed = con.execute("SELECT path, line_from, source FROM quarantine WHERE mended_by = 'correction' ORDER BY ALL")
    assert closed.fetchall() == [("asal.csv", 5, "dtks"), ("asal.csv", 6, "dtks"), ("dua.csv", 3, "dtks")]


def test_what_came_in_again_is_replaced_but_never_by_its_own_file(con: duckdb.DuckDBPyConnection) -> None:
    left = f"SELECT path, line_from FROM quarantine ANTI JOIN ({corrections.REPLACED}) USING (path, source, line_from)"
    assert con.execute(f"{left} WHERE source = 'dtks' ORDER BY ALL").fetchall() == [("dicoba.csv", 2), ("dua.csv", 4)]
