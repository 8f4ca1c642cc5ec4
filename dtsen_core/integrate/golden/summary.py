"""How linkage went, by source and province; and, for the evaluation, which simulated family is which."""

from __future__ import annotations

import duckdb

from dtsen_core.integrate.golden.reading import has

UNKNOWN_PROVINCE = 255


def match_summary(con: duckdb.DuckDBPyConnection) -> None:
    """``match_summary``: one row per source and province (idx; 255 = not known): `unit` (person or family),
    `records`, `matched`, `unmatched`; for ``dukcapil`` the families of the civil register, `unmatched` being
    those no register knows (the coverage gap) and those whose family record was unusable."""
    con.execute(
        f"""CREATE OR REPLACE TABLE match_summary AS
        WITH place AS (
          SELECT id_register, min(r.province) AS province
          FROM source_regsosek_keluarga JOIN source_regsosek_keluarga_region r USING (region_id)
          GROUP BY id_register
        ), record AS (
          SELECT 'regsosek' AS source, 'person' AS unit, province, kk IS NOT NULL AS found
          FROM link_regsosek LEFT JOIN place USING (id_register)
          UNION ALL
          SELECT 'dtks', 'person', r.province, kk IS NOT NULL
          FROM link_dtks LEFT JOIN source_dtks_region r USING (region_id)
          UNION ALL
          SELECT 'p3ke', 'family', r.province, kk IS NOT NULL
          FROM link_p3ke LEFT JOIN source_p3ke_region r USING (region_id)
          UNION ALL
          SELECT 'dukcapil', 'family', c.province, k.nomor_kartu_keluarga IS NOT NULL
          FROM (SELECT kk, min(province) AS province FROM civil GROUP BY kk) c
          LEFT JOIN keluarga k ON k.nomor_kartu_keluarga = c.kk
        )
        SELECT source, unit, coalesce(province, {UNKNOWN_PROVINCE})::UTINYINT AS province,
          count(*) AS records, count(*) FILTER (found) AS matched, count(*) FILTER (NOT found) AS unmatched
        FROM record GROUP BY ALL ORDER BY ALL"""
    )


def truth_link(con: duckdb.DuckDBPyConnection) -> None:
    """``truth_link``, for the evaluation only: which simulated family a family card is."""
    if has(con, "sim_keluarga"):
        con.execute(
            """CREATE OR REPLACE TABLE truth_link AS
            SELECT k.id_keluarga, s.id_keluarga AS sim_id_keluarga
            FROM keluarga k JOIN sim_keluarga s USING (nomor_kartu_keluarga) ORDER BY k.id_keluarga"""
        )
