"""The seam between linkage and the golden record: who is who, one row per person of the civil register.

``civil``: one row per person: nik, kk, every column of the civil register, province, code. ``link_<source>``:
one row per person record (P3KE: per family, by its head): file_id, line_from, held, record_nik as delivered,
nik and kk of the civil person it is (NULL: none), pass, probability, and what the choice of family records
needs (id_register, head, same, active, day, region_id).
"""

from __future__ import annotations

import duckdb

from dtsen_core.integrate.golden.reading import tables

SOURCES = ("regsosek", "dtks", "p3ke")
PERSON_KIND = {"regsosek": "regsosek_anggota", "dtks": "dtks", "p3ke": "p3ke"}
"""Register → layout whose records are persons (P3KE: the head of the family)."""
DETAILS = {
    "regsosek": "m.id_register, m.status_hubungan_keluarga = 1 AS head, m.nomor_kartu_keluarga = c.kk AS same",
    "dtks": "coalesce(m.status_register = 'AKTIF', false) AS active, m.tanggal_pemutakhiran AS day, "
            "m.status_hubungan_keluarga = 1 AS head, m.nomor_kartu_keluarga = c.kk AS same, m.region_id",
    "p3ke": "m.tanggal_pemutakhiran AS day, m.region_id",
}  # fmt: skip


def linked(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``civil`` and ``link_<source>`` by exact NIK from the tables ``source_<layout>``."""
    _civil(con)
    for source, details in DETAILS.items():
        parts = " UNION ALL ".join(
            f"""SELECT m.file_id, m.line_from, {str(table.endswith("_held")).lower()} AS held,
              m.nomor_induk_kependudukan AS record_nik, c.nik, c.kk,
              CASE WHEN c.nik IS NULL THEN 'none' ELSE 'exact' END AS pass,
              CASE WHEN c.nik IS NULL THEN 0 ELSE 1 END::FLOAT AS probability, {details}
            FROM {table} m LEFT JOIN civil c ON c.nik = m.nomor_induk_kependudukan"""
            for table in tables(con, PERSON_KIND[source])
        )
        con.execute(f"CREATE OR REPLACE TEMP TABLE link_{source} AS {parts}")


def _civil(con: duckdb.DuckDBPyConnection) -> None:
    """``civil``: one row per NIK of the civil register with its family card."""
    source = _one_per(con, "source_dukcapil", "nomor_induk_kependudukan")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE civil AS
        SELECT nomor_induk_kependudukan AS nik, nomor_kartu_keluarga AS kk,
          s.* EXCLUDE (nomor_induk_kependudukan, nomor_kartu_keluarga), r.province, r.code
        FROM {source} s JOIN source_dukcapil_region r USING (region_id)"""
    )
    con.execute("DROP TABLE source_dukcapil")


def _one_per(con: duckdb.DuckDBPyConnection, table: str, key: str) -> str:
    """`table`, or a SELECT with its first record per `key` where a key occurs twice."""
    rows, keys = con.execute(f"SELECT count(*), count(DISTINCT {key}) FROM {table}").fetchall()[0]
    if rows == keys:
        return table
    first = f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY file_id, line_from) = 1"
    return f"(SELECT * FROM {table} {first})"
