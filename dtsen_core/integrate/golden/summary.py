"""How linkage went, by source and province; and, for the evaluation, which simulated family is which."""

from __future__ import annotations

import duckdb

from dtsen_core.integrate.golden.reading import tables
from dtsen_core.registry.catalog import has

UNKNOWN_PROVINCE, UNKNOWN_REGENCY = 255, 65_535


def match_summary(con: duckdb.DuckDBPyConnection) -> None:
    """``match_summary``: one row per source, place (idx; 255 and 65535 = not known) and `pass`: `unit` (person
    or family), `records`, and `duplicates`, those that describe a person of whom this source has an earlier
    record. For ``dukcapil`` the families of the civil register: ``none`` are those no register knows (the
    coverage gap) and those whose family record was unusable."""
    families = " UNION ALL ".join(
        f"SELECT id_register, region_id FROM {table}" for table in tables(con, "regsosek_keluarga")
    )
    con.execute(
        f"""CREATE OR REPLACE TABLE match_summary AS
        WITH place AS (
          SELECT id_register, min(region_id) AS region_id FROM ({families}) GROUP BY id_register
        ), record AS (
          SELECT 'regsosek' AS source, 'person' AS unit, r.province, r.regency, l.pass, l.nik, l.file_id, l.line_from
          FROM link_regsosek l LEFT JOIN place USING (id_register)
          LEFT JOIN source_regsosek_keluarga_region r USING (region_id)
          UNION ALL
          SELECT 'dtks', 'person', r.province, r.regency, l.pass, l.nik, l.file_id, l.line_from
          FROM link_dtks l LEFT JOIN source_dtks_region r USING (region_id)
          UNION ALL
          SELECT 'p3ke', 'family', r.province, r.regency, l.pass, l.nik, l.file_id, l.line_from
          FROM link_p3ke l LEFT JOIN source_p3ke_region r USING (region_id)
        ), counted AS (
          SELECT source, unit, province, regency, pass, nik IS NOT NULL
            AND row_number() OVER (PARTITION BY source, nik ORDER BY file_id, line_from) > 1 AS again
          FROM record
          UNION ALL
          SELECT 'dukcapil', 'family', c.province, u.regency,
            CASE WHEN k.nomor_kartu_keluarga IS NULL THEN 'none' ELSE 'exact' END, false
          FROM (SELECT kk, min(province) AS province, min(code) AS code FROM civil GROUP BY kk) c
          LEFT JOIN (SELECT DISTINCT code, regency FROM source_dukcapil_region) u USING (code)
          LEFT JOIN keluarga k ON k.nomor_kartu_keluarga = c.kk
        )
        SELECT source, unit, coalesce(province, {UNKNOWN_PROVINCE})::UTINYINT AS province,
          coalesce(regency, {UNKNOWN_REGENCY})::USMALLINT AS regency, pass,
          count(*) AS records, count(*) FILTER (again) AS duplicates
        FROM counted GROUP BY ALL ORDER BY ALL"""
    )


def truth_link(con: duckdb.DuckDBPyConnection) -> None:
    """``truth_link``, for the evaluation only: which simulated family a family card is."""
    if has(con, "sim_keluarga"):
        con.execute(
            """CREATE OR REPLACE TABLE truth_link AS
            SELECT k.id_keluarga, s.id_keluarga AS sim_id_keluarga
            FROM keluarga k JOIN sim_keluarga s USING (nomor_kartu_keluarga) ORDER BY k.id_keluarga"""
        )
