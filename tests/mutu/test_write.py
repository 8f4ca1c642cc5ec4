"""The tables written at the end of the integration, on families small enough to count by hand."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest

from dtsen_core.integrate import quality
from dtsen_core.regions import units
from dtsen_core.registry import ddl

DAY = dt.date(2026, 3, 31)
FAMILIES = (
    # kk, regency, source, updated, checked, lighting, power, toilet, closet, floor
    ("1111111111111111", 0, "regsosek", dt.date(2026, 2, 1), dt.date(2025, 10, 1), 1, 2, 1, 3, 4),
    ("2222222222222222", 0, "regsosek", dt.date(2023, 3, 31), None, 1, None, 6, None, None),
    ("3333333333333333", 5, "dtks", None, None, None, None, 6, None, 2),
)  # fmt: skip


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    for set_name in ("keluarga", "anggota"):
        made.execute(ddl.create_table(set_name))
    columns = ("nomor_kartu_keluarga", "regency", "attribute_source", "tanggal_pemutakhiran", "tanggal_ground_check",
               "sumber_penerangan_utama", "daya_terpasang", "fasilitas_bab", "jenis_kloset",
               "jenis_lantai_terluas")  # fmt: skip
    for number, row in enumerate(FAMILIES):
        made.execute(f"INSERT INTO keluarga (id_keluarga, {', '.join(columns)}) VALUES (?, {', '.join('?' * 10)})",
                     [number, *row])  # fmt: skip
    people = ((0, dt.date(1980, 1, 1), 4, 3), (0, dt.date(2023, 1, 1), None, None), (1, dt.date(1990, 1, 1), 1, None))
    for number, (family, born, school, grade) in enumerate(people):
        made.execute("INSERT INTO anggota (id_anggota, id_keluarga, tanggal_lahir, partisipasi_sekolah, "
                     "jenjang_tertinggi_yang_diduduki) VALUES (?, ?, ?, ?, ?)",
                     [number, family, born, school, grade])  # fmt: skip
    return made


def counts(con: duckdb.DuckDBPyConnection, variable: str, regency: int = 0) -> tuple[int, ...]:
    rows = con.execute("SELECT rows, known, missing, not_applicable FROM quality_completeness WHERE variable = ? AND "
                       "regency = ?", [variable, regency]).fetchall()  # fmt: skip
    assert len(rows) == 1
    return rows[0]


def test_not_asked_is_not_missing(con: duckdb.DuckDBPyConnection) -> None:
    quality.write(con, DAY)
    assert counts(con, "jenis_lantai_terluas") == (2, 1, 1, 0)
    assert counts(con, "jenis_kloset") == (2, 1, 0, 1), "without a toilet no closet is asked for"
    assert counts(con, "daya_terpasang") == (2, 1, 1, 0)
    assert counts(con, "daya_terpasang", 5) == (1, 0, 1, 0), "where the condition is unknown the value is missing"


def test_a_rule_rests_on_the_rules_before_it(con: duckdb.DuckDBPyConnection) -> None:
    quality.write(con, DAY)
    # a child of three is not asked about school, and so not about its level either; a person who never went
    # to school (1) is not asked for the level
    assert counts(con, "partisipasi_sekolah") == (3, 2, 0, 1)
    assert counts(con, "jenjang_tertinggi_yang_diduduki") == (3, 1, 0, 2)


def test_what_comes_later_is_no_omission(con: duckdb.DuckDBPyConnection) -> None:
    quality.write(con, DAY)
    known = {name for (name,) in con.execute("SELECT DISTINCT variable FROM quality_completeness").fetchall()}
    assert "desil_nasional" not in known
    assert "pbi_nas" in known
    con.execute("CREATE TABLE sim_keluarga (id_keluarga BIGINT)")
    quality.write(con, DAY)
    known = {name for (name,) in con.execute("SELECT DISTINCT variable FROM quality_completeness").fetchall()}
    assert "pbi_nas" not in known


def test_ages_in_completed_months_and_no_date_apart(con: duckdb.DuckDBPyConnection) -> None:
    quality.write(con, DAY)
    rows = con.execute("SELECT regency, source, age_months_bucket, families, checked FROM quality_freshness "
                       "ORDER BY ALL").fetchall()  # fmt: skip
    assert rows == [
        (0, "regsosek", 1, 1, 0), (0, "regsosek", 5, 0, 1), (0, "regsosek", 36, 1, 0), (5, "dtks", -1, 1, 0),
    ]  # fmt: skip
    quality.write(con)
    newest = con.execute("SELECT min(age_months_bucket) FROM quality_freshness WHERE age_months_bucket >= 0").fetchall()
    assert newest == [(0,)], "without a date ages count from the latest update"


def test_without_sources_the_other_tables_are_empty(con: duckdb.DuckDBPyConnection) -> None:
    quality.write(con, DAY)
    for table in ("quality_reading", "quality_disagreement", "quality_coverage"):
        assert con.execute(f"SELECT * FROM {table}").fetchall() == []


def _sources(con: duckdb.DuckDBPyConnection) -> None:
    """Two registers that describe family 1111…, a civil register with one more family, and held records."""
    code = units.table("regency")["code"].iloc[0]
    con.execute("CREATE TABLE source_dtks AS SELECT 0::USMALLINT AS file_id, 2::UINTEGER AS line_from, 0::UINTEGER AS "
                "region_id, 3::UTINYINT AS jenis_lantai_terluas, 1::UTINYINT AS kepemilikan_aset, 'Muh. Ali' AS nama, "
                "DATE '1980-01-01' AS tanggal_lahir")  # fmt: skip
    con.execute("CREATE TABLE source_dtks_held AS SELECT * REPLACE (3 AS line_from) FROM source_dtks")
    con.execute("CREATE TABLE source_dtks_region AS SELECT 0::UINTEGER AS region_id, 0::USMALLINT AS regency")
    con.execute("CREATE TABLE source_p3ke AS SELECT 0::USMALLINT AS file_id, 9::UINTEGER AS line_from, 7::UINTEGER AS "
                "region_id, 4::UTINYINT AS jenis_lantai_terluas, NULL::UTINYINT AS jenis_dinding_terluas")  # fmt: skip
    con.execute("CREATE TABLE source_p3ke_region AS SELECT 7::UINTEGER AS region_id, NULL::USMALLINT AS regency")
    con.execute("CREATE TABLE civil AS SELECT * FROM (VALUES ('N1', '1111111111111111', ?, 'MUHALI', "
                "DATE '1980-01-01'),"
                " ('N2', '1111111111111111', ?, 'SITI', NULL), ('N3', '9999999999999999', ?, 'BUDI', NULL)) "
                "AS t(nik, kk, code, nama, tanggal_lahir)", [f"{code}010001"] * 3)  # fmt: skip
    con.execute("CREATE TABLE link_dtks AS SELECT * FROM (VALUES (0, 3, 'N1', '1111111111111111')) "
                "AS t(file_id, line_from, nik, kk)")  # fmt: skip
    con.execute("CREATE TABLE family_record AS SELECT * FROM (VALUES ('dtks', '1111111111111111', 0, 3, true), "
                "('dtks', '1111111111111111', 0, 2, false), ('p3ke', '1111111111111111', 0, 9, true)) "
                "AS t(source, kk, file_id, line_from, chosen)")  # fmt: skip


def test_sources_are_compared_where_both_know(con: duckdb.DuckDBPyConnection) -> None:
    _sources(con)
    quality.write(con, DAY)
    rows = con.execute("SELECT variable, source, other, regency, both_known, differ FROM quality_disagreement "
                       "ORDER BY ALL").fetchall()  # fmt: skip
    assert rows == [
        ("jenis_lantai_terluas", "dtks", "p3ke", 0, 1, 1),
        ("nama", "dtks", "dukcapil", 0, 1, 0),
        ("tanggal_lahir", "dtks", "dukcapil", 0, 1, 0),
    ]


def test_records_are_counted_where_they_say_they_are(con: duckdb.DuckDBPyConnection) -> None:
    _sources(con)
    quality.write(con, DAY)
    rows = con.execute("SELECT source, regency, sum(accepted), sum(held) FROM quality_reading "
                       "GROUP BY ALL ORDER BY ALL").fetchall()  # fmt: skip
    assert rows == [("dtks", 0, 1, 1), ("dukcapil", 0, 3, 0), ("p3ke", quality.UNKNOWN, 1, 0)]


def test_the_gap_is_what_no_source_knows(con: duckdb.DuckDBPyConnection) -> None:
    _sources(con)
    quality.write(con, DAY)
    assert con.execute("SELECT * FROM quality_coverage").fetchall() == [(0, 2, 1, 3, 2)]
