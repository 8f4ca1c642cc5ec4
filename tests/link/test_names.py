"""Indonesian names in one spelling, and how alike two names, dates and numbers are."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from dtsen_core.integrate.link import names


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    for macro in (names.LEVEL_MACRO, names.BIRTH_MACRO, names.NIK_MACRO):
        connection.execute(macro)
    yield connection
    connection.close()


def keys(con: duckdb.DuckDBPyConnection, *given: str) -> list[str | None]:
    con.execute("CREATE OR REPLACE TEMP TABLE given AS SELECT unnest(?::VARCHAR[]) AS raw", [list(given)])
    names.write_names(con, "SELECT DISTINCT raw FROM given")
    found = dict(con.execute("SELECT raw, key FROM link_name").fetchall())
    return [found.get(name) for name in given]


@pytest.mark.parametrize(
    ("written", "usual"),
    [
        ("H. Muh. Ali", "Muhammad Ali"), ("M. Ridwan", "Muhammad Ridwan"), ("Mochamad Ridwan", "Ridwan Muhamad"),
        ("Hj. Siti Aminah, S.Pd", "Siti Aminah"), ("Siti Aminah S.Pd.", "Aminah Siti"), ("Soekarno", "Sukarno"),
        ("Djoko Tjahjono", "Joko Cahjono"), ("Abd. Rahman", "Abdul Rahman"), ("SITTI  RAHMA", "Siti Rahma"),
        ("Drs. Achmad Yani", "Ahmad Yani"), ("Nur'aini", "Nuraini"),
    ],
)  # fmt: skip
def test_one_spelling(con: duckdb.DuckDBPyConnection, written: str, usual: str) -> None:
    one, other = keys(con, written, usual)
    assert one == other is not None


def test_a_name_is_never_emptied(con: duckdb.DuckDBPyConnection) -> None:
    assert keys(con, "H.", "R", "Ir", "", " - ", "M") == ["H", "R", "IR", None, None, "M"]


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("Budi Santoso", "Santoso Budi", 3), ("Budi Santoso", "Budi Sntoso", 2), ("Fajar Effendi", "Fajar E.", 2),
        ("Siti Wahyuni", "Siti", 1), ("Asep Hidayat", "Rina Marlina", 0), ("Ani", "Ina", 0),
    ],
)  # fmt: skip
def test_levels_of_names(con: duckdb.DuckDBPyConnection, one: str, other: str, level: int) -> None:
    keys(con, one, other)
    found = con.execute(
        """SELECT name_level(a.key, a.words, b.key, b.words), name_level(b.key, b.words, a.key, a.words)
        FROM link_name a, link_name b WHERE a.raw = ? AND b.raw = ?""",
        [one, other],
    ).fetchall()
    assert found == [(level, level)]


def test_levels_of_birth_dates(con: duckdb.DuckDBPyConnection) -> None:
    pairs = {
        ("1980-03-04", "1980-03-04"): 2, ("1980-03-04", "1980-04-03"): 1, ("1980-03-04", "1980-03-14"): 1,
        ("1980-03-04", "1980-01-01"): 1, ("1980-03-04", "1978-03-04"): 1, ("1980-03-04", "1991-11-30"): 0,
    }  # fmt: skip
    for (one, other), level in pairs.items():
        assert con.execute("SELECT birth_level(?::DATE, ?::DATE)", [one, other]).fetchall() == [(level,)], (one, other)
    assert con.execute("SELECT birth_level(NULL::DATE, DATE '1980-03-04')").fetchall() == [(None,)]


def test_numbers_that_are_nearly_the_same(con: duckdb.DuckDBPyConnection) -> None:
    nik = "3273015402800007"
    near = ["3273015402800007", "3273015402800001", "3273015402080007", "327301540280", "327301540280007",
            "3273015402807", "32730154028000071", "323015402800007"]  # fmt: skip
    far = ["3273015402809123", "3273015502810007", "32730", "", "9999999999999999"]
    for given, expected in [*((n, True) for n in near), *((n, False) for n in far)]:
        assert con.execute("SELECT nik_near(?, ?)", [given, nik]).fetchall() == [(expected,)], given
