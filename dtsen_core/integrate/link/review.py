"""What pass three decides, what it leaves to a person, and the pairs a person sees."""

from __future__ import annotations

import duckdb

from dtsen_core.integrate.link import tables
from dtsen_core.registry.catalog import columns, has

FIELDS = {
    "name": "nama", "born": "tanggal_lahir", "sex": "jenis_kelamin", "village": "kode_kelurahan_desa",
    "nik": "nomor_induk_kependudukan", "fam": "nomor_kartu_keluarga",
}  # fmt: skip
"""Compared columns and the official variable each shows."""
PAIRS_PER_RECORD = 3
LEAST_SHOWN = 0.05


def create(con: duckdb.DuckDBPyConnection) -> None:
    """An empty ``review_pair``."""
    con.execute(
        """CREATE OR REPLACE TABLE review_pair (pair_id VARCHAR, source VARCHAR, path VARCHAR, line_from UINTEGER,
        nik VARCHAR, probability DOUBLE, field VARCHAR[], record_value VARCHAR[], civil_value VARCHAR[], weight
          DOUBLE[])"""
    )


def paths(con: duckdb.DuckDBPyConnection, kind: str) -> str:
    """Query: path of every file_id of `kind`, in the order in which they were read."""
    if has(con, "source_file"):
        return f"SELECT file_id, path FROM source_file WHERE source = '{kind}'"
    if not has(con, "ingest_file"):
        return "SELECT 0::UTINYINT AS file_id, '' AS path WHERE false"
    numbered = "(row_number() OVER (ORDER BY rowid) - 1)::UTINYINT AS file_id"
    return f"SELECT {numbered}, path FROM ingest_file WHERE source = '{kind}'"


def decide(con: duckdb.DuckDBPyConnection, rules: dict) -> None:
    """Fill ``link_chosen`` and ``review_pair`` from ``link_scored``; decisions of people go first.

    Whatever the probability, another name is not linked, nor another birth date unless name and number agree.
    A pair is known by what it says, not by its line, so a decision holds for the next delivery too.
    """
    con.execute(
        """CREATE OR REPLACE TEMP TABLE link_paired AS
        SELECT s.*, coalesce(name_level(r.key, r.words, c.key, c.words), 1) AS alike,
          coalesce(birth_level(r.born, c.born), 1) AS born_alike, s.w_nik > 0 AS number, md5(concat_ws('|', r.source,
            r.record_nik, r.record_kk, r.key, r.born, r.sex, c.nik)) AS pair_id
        FROM link_scored s JOIN link_record r USING (rid) JOIN link_civil c USING (cid) WHERE s.probability >= 0.01"""
    )
    decided = "SELECT NULL::VARCHAR AS pair_id, NULL::VARCHAR AS decision WHERE false"
    if has(con, "review_decision"):
        decided = "SELECT pair_id, any_value(decision) AS decision FROM review_decision GROUP BY pair_id"
    accept, least, least_name = float(rules["accept"]), float(rules["review"]), int(rules["least_name"])
    con.execute(
        f"""INSERT INTO link_chosen
        WITH judged AS (SELECT p.*, d.decision FROM link_paired p LEFT JOIN ({decided}) d USING (pair_id)),
        best AS (
          SELECT * FROM judged WHERE decision IS DISTINCT FROM 'different'
          QUALIFY row_number() OVER (PARTITION BY rid ORDER BY coalesce(decision = 'same', false) DESC, probability
            DESC, cid) = 1
        ), ended AS (
          SELECT rid, cid, person, probability, CASE WHEN decision = 'same' THEN 'decision' WHEN probability >=
            {accept} AND alike >= {least_name}
            AND (born_alike >= 1 OR number AND alike = 3) THEN 'probable'
            WHEN probability >= {least} THEN 'review' END AS pass FROM best
        ), once AS (
          -- Two different people of one family never become the same person: the less probable one waits.
          SELECT e.*, r.key, first_value(r.key) OVER (PARTITION BY r.source, coalesce(r.fam, e.rid), e.person
            ORDER BY e.pass <> 'decision', e.probability DESC, e.rid) AS first
          FROM ended e JOIN link_record r USING (rid) WHERE e.pass IS NOT NULL)
        SELECT rid, CASE WHEN pass <> 'review' AND NOT twice THEN cid END,
          CASE WHEN twice AND pass <> 'decision' THEN 'review' ELSE pass END, probability
        FROM (SELECT *, key IS DISTINCT FROM first AND pass <> 'decision' AS twice FROM once)"""
    )
    for number, source in enumerate(tables.SOURCES):
        _pairs(con, number, source)
    con.execute("DROP TABLE link_paired")


def _pairs(con: duckdb.DuckDBPyConnection, number: int, source: str) -> None:
    kind = tables.PERSONS[source].removeprefix("source_")
    held = columns(con, tables.PERSONS[source])
    name = "nama_anggota_keluarga" if source == "p3ke" else "nama"
    born = "m.tanggal_lahir::VARCHAR" if "tanggal_lahir" in held else "NULL"
    sex = "m.jenis_kelamin::VARCHAR" if "jenis_kelamin" in held else "NULL"
    region = "source_regsosek_keluarga_region" if source == "regsosek" else f"{tables.PERSONS[source]}_region"
    weights = ", ".join(f"w_{column}" for column in FIELDS)
    fields = ", ".join(f"'{field}'" for field in FIELDS.values())
    con.execute(
        f"""INSERT INTO review_pair
        WITH wanted AS (
          SELECT p.* FROM link_paired p JOIN link_chosen x USING (rid) WHERE x.pass = 'review' AND p.probability >=
            {LEAST_SHOWN}
          QUALIFY row_number() OVER (PARTITION BY rid ORDER BY p.probability DESC, p.cid) <= {PAIRS_PER_RECORD}
        ), code AS (SELECT village, min(code) AS code FROM {region} GROUP BY village)
        SELECT w.pair_id, '{source}', coalesce(f.path, ''), r.line_from, c.nik, w.probability, [{fields}],
          [m.{name}, {born}, {sex}, v.code, r.record_nik, r.record_kk],
          [c.nama, c.tanggal_lahir::VARCHAR, c.jenis_kelamin::VARCHAR, c.code, c.nik, c.kk], [{weights}]
        FROM wanted w JOIN link_record r USING (rid)
        JOIN {tables.delivered(con, source)} m ON m.held = r.held AND m.file_id = r.file_id AND m.line_from =
          r.line_from
        JOIN link_civil l ON l.cid = w.cid JOIN link_civil k ON k.cid = l.person JOIN civil c ON c.nik = k.nik
        LEFT JOIN code v ON v.village = r.village LEFT JOIN ({paths(con, kind)}) f ON f.file_id = r.file_id
        WHERE r.source = {number}
        ORDER BY w.probability DESC, w.pair_id"""
    )
