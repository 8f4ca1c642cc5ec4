"""A dataset with the tables of data quality, so that page tests run in seconds. Numbers are invented but add up."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dtsen_core.regions import units
from dtsen_core.registry.manifest import Manifest

PASSES = {"exact": 0.86, "composite": 0.06, "probable": 0.035, "review": 0.01, "none": 0.035}
ERRORS = ("bersih", "nik_salah_ketik", "nik_kosong", "nama_berbeda", "tanggal_lahir_salah", "pindah")
COUNTS = {
    "quality_reading": ("accepted", "held"), "rule_finding": ("records",), "match_summary": ("records", "duplicates"),
    "quality_completeness": ("rows", "known", "missing", "not_applicable"),
    "quality_disagreement": ("both_known", "differ"), "quality_freshness": ("families", "checked"),
    "quality_coverage": ("civil_families", "registry_families", "civil_persons", "registry_persons"),
}  # fmt: skip
NASTY = "<script>alert(1)</script> & <b>SITI</b>"


def make(folder: Path, origin: str = "simulated", *, old: bool = False, version: str = "", as_of: str = "2026-03-31",
         worse: float = 1.0) -> Path:  # fmt: skip
    """A dataset folder of `origin`; `old` leaves the tables of this page out, `worse` scales what is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    name = version or f"uji-{origin}{'-lama' if old else ''}"
    Manifest(
        origin=origin, version=name, as_of=as_of, created="2026-04-02T03:04:05", families=40_000, persons=120_000,
        registry_families=95_006_179.0, registry_persons=289_060_513.0, has_sources=True, has_members=True,
        programmes=["pkh"],
    ).write(folder)  # fmt: skip
    con = duckdb.connect(str(folder / "dtsen.duckdb"))
    con.execute("CREATE TABLE dataset_stamp AS SELECT ? AS version", [name])
    con.execute("CREATE TABLE area_weight AS SELECT range::USMALLINT AS regency, 243.0 AS weight, 0.98 AS "
                "survey_factor FROM range(514)")  # fmt: skip
    con.execute("CREATE TABLE keluarga AS SELECT range AS id_keluarga FROM range(40000)")
    con.execute("CREATE TABLE anggota AS SELECT range AS id_anggota FROM range(120000)")
    _files(con, old)
    if old:
        con.execute("""CREATE TABLE match_summary AS SELECT * FROM (VALUES ('dtks', 'person', 0, 500, 480, 20))
            AS t(source, unit, province, records, matched, unmatched)""")
    else:
        _quality(con, worse)
        _pairs(con)
    con.close()
    if origin == "simulated":
        truth = duckdb.connect(str(folder / "evaluation.duckdb"))
        if old:
            truth.execute("CREATE TABLE truth AS SELECT 1 AS id_keluarga")
        else:
            _match_quality(truth)
            truth.execute("""CREATE TABLE family_quality AS SELECT * FROM (VALUES
                (0, 'unchanged', 3900, 3900, 3900, 3850), (5, 'unchanged', 5900, 5900, 5895, 5800),
                (0, 'joined', 100, 90, 96, 94), (5, 'split', 100, 92, 98, 97))
                AS t(province, kind, families, card, exact, whole)""")
        truth.close()
    return folder


def thin(folder: Path, keep: int) -> Path:
    """A real dataset in which nearly everything is a small cell: `keep` regencies with a fiftieth of the counts."""
    make(folder, "real")
    with duckdb.connect(str(folder / "dtsen.duckdb")) as con:
        for table, counts in COUNTS.items():
            con.execute(f"DELETE FROM {table} WHERE regency >= {keep}")
            con.execute(f"UPDATE {table} SET {', '.join(f'{c} = ({c} / 50)::BIGINT' for c in counts)}")
        if not keep:
            for table in ("ingest_file", "quarantine", "review_pair"):
                con.execute(f"DELETE FROM {table}")
    return folder


def _files(con: duckdb.DuckDBPyConnection, old: bool) -> None:
    con.execute(
        """CREATE TABLE ingest_file AS SELECT * FROM (VALUES
        ('sources/dtks.txt', 'dtks', 60001, 1, 120, 55880, 4000, 'latin-1', '|', 'kemendagri'),
        ('sources/regsosek_keluarga.txt', 'regsosek_keluarga', 40001, 1, 0, 39700, 300, 'utf-8', '|', 'bps'),
        ('sources/regsosek_anggota.txt', 'regsosek_anggota', 120001, 1, 0, 118500, 1500, 'utf-8', '|', 'bps'),
        ('sources/p3ke.csv', 'p3ke', 10001, 1, 0, 9800, 200, 'utf-8', ',', 'kemendagri'),
        ('sources/dukcapil.csv', 'dukcapil', 125001, 1, 0, 124980, 20, 'utf-8', ',', 'kemendagri'))
        AS t(path, source, read, header, blank, accepted, quarantined, encoding, delimiter, code_system)"""
    )
    more = "" if old else """, CASE WHEN range % 5 = 0 THEN ['nik_tak_sah', 'kk_tak_sah'] ELSE ['nik_tak_sah'] END
        AS reasons, 'x|y' AS raw, CASE WHEN range % 3 = 0 THEN 'composite' END AS mended_by"""
    con.execute(
        f"""CREATE TABLE quarantine AS SELECT 'sources/dtks.txt' AS path, 'dtks' AS source, range AS line_from,
        [range::INTEGER] AS lines, 'nik_tak_sah' AS reason, '' AS detail {more} FROM range(4000)
        UNION ALL SELECT 'sources/p3ke.csv', 'p3ke', range, [range::INTEGER], 'tanggal_tak_sah', ''
        {"" if old else ", ['tanggal_tak_sah'], 'x', NULL"} FROM range(3)"""
    )


def _quality(con: duckdb.DuckDBPyConnection, worse: float) -> None:
    """Rates drift from regency to regency so that maps have something to show; regency 7 is empty."""
    parents = units.table("regency")["parent_code"].map(units.index("province")).tolist()
    con.execute("CREATE TEMP TABLE place AS SELECT unnest(range(514))::USMALLINT AS regency, unnest(?)::UTINYINT AS "
                "province", [parents])  # fmt: skip
    con.execute("DELETE FROM place WHERE regency = 7")
    drift = f"(1 + 0.9 * sin(regency / 9.0) + (hash(regency) % 100) / 150.0) * {worse}"
    con.execute(
        f"""CREATE TABLE quality_reading AS
        SELECT s.source, regency, (s.n * (1 - s.held * {drift}))::BIGINT AS accepted, (s.n * s.held * {drift})::BIGINT
          AS held
        FROM place, (VALUES ('dtks', 110, 0.07), ('regsosek', 300, 0.01), ('p3ke', 3, 0.2), ('dukcapil', 240, 0.0))
          s(source, n, held)
        UNION ALL SELECT 'dtks', 65535, 40, 12"""
    )
    con.execute(
        f"""CREATE TABLE rule_finding AS
        SELECT 'sources/' || source AS path, CASE WHEN source = 'regsosek' THEN 'regsosek_anggota' ELSE source END
          AS source, province, regency, r.rule, r.severity,
          ((accepted + held) * r.rate * {drift})::BIGINT AS records
        FROM quality_reading JOIN place USING (regency),
          (VALUES ('tanggal_lahir_beda_nik', 'warning', 0.04), ('nik_tak_sah', 'error', 0.05)) r(rule, severity, rate)
        WHERE source <> 'dukcapil'"""
    )
    cells = ", ".join(f"('{name}', {share})" for name, share in PASSES.items())
    con.execute(
        f"""CREATE TABLE match_summary AS
        SELECT s.source, s.unit, province, regency, p.pass, (s.n * p.share * CASE WHEN p.pass = 'exact' THEN 1
          ELSE {drift} END)::BIGINT AS records, CASE WHEN p.pass = 'exact' THEN (s.n * 0.04 * {drift})::BIGINT ELSE 0
          END AS duplicates
        FROM place, (VALUES ('dtks', 'person', 1100), ('regsosek', 'person', 2400), ('p3ke', 'family', 190))
          s(source, unit, n), (VALUES {cells}) p(pass, share)
        UNION ALL SELECT 'dtks', 'person', 255, 65535, 'none', 33, 0"""
    )
    con.execute(
        f"""CREATE TABLE quality_completeness AS
        WITH asked AS (
          SELECT f.set_name, f.variable, regency, f.n AS rows, (f.n * f.skipped)::BIGINT AS not_applicable,
            (f.n * (1 - f.skipped) * f.missing * {drift})::BIGINT AS missing
          FROM place, (VALUES ('keluarga', 'jenis_lantai_terluas', 78, 0.0, 0.0), ('keluarga', 'jenis_kloset', 78, 0.1,
            0.03), ('keluarga', 'id_pelanggan_pln', 78, 0.0, 0.2), ('keluarga', 'luas_lantai', 78, 0.0, 0.05),
            ('anggota', 'omzet_usaha_utama', 234, 0.75, 0.1), ('anggota', 'penglihatan', 234, 0.0, 0.04))
            f(set_name, variable, n, skipped, missing)
        ) SELECT set_name, variable, regency, rows, (rows - not_applicable - missing)::BIGINT AS known, missing,
          not_applicable FROM asked"""
    )
    con.execute(
        f"""CREATE TABLE quality_disagreement AS
        SELECT f.variable, f.source, f.other, regency, f.n AS both_known, (f.n * f.differ * {drift})::BIGINT AS differ
        FROM place, (VALUES ('jenis_lantai_terluas', 'regsosek', 'dtks', 40, 0.12), ('jenis_dinding_terluas',
          'regsosek', 'dtks', 40, 0.08), ('sumber_air_minum_utama', 'regsosek', 'p3ke', 20, 0.15),
          ('nama', 'dtks', 'dukcapil', 110, 0.06), ('tanggal_lahir', 'regsosek', 'dukcapil', 230, 0.03))
          f(variable, source, other, n, differ)"""
    )
    con.execute(
        f"""CREATE TABLE quality_freshness AS
        SELECT regency, s.source, a.age AS age_months_bucket, (a.n * s.part * {drift})::BIGINT + 1 AS families,
          CASE WHEN a.age BETWEEN 0 AND 10 AND s.source = 'regsosek' THEN (a.n * 0.5)::BIGINT ELSE 0 END AS checked
        FROM place, (VALUES ('regsosek', 0.8), ('dtks', 0.15), ('p3ke', 0.05)) s(source, part),
          (VALUES (2, 10), (8, 12), (15, 8), (30, 14), (38, 30), (-1, 1)) a(age, n)"""
    )
    con.execute(
        f"""CREATE TABLE quality_coverage AS
        SELECT regency, 80 AS civil_families, (80 * (1 - 0.03 * {drift}))::BIGINT AS registry_families,
          240 AS civil_persons, (240 * (1 - 0.03 * {drift}))::BIGINT AS registry_persons FROM place"""
    )


def _pairs(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """CREATE TABLE review_pair AS
        SELECT 'p' || lpad(range::VARCHAR, 4, '0') AS pair_id, CASE WHEN range % 3 = 0 THEN 'regsosek' ELSE 'dtks' END
          AS source, 'sources/dtks.txt' AS path, (100 + range)::UINTEGER AS line_from,
          '3201' || lpad(range::VARCHAR, 12, '1') AS nik, 0.3 + range / 100.0 AS probability,
          ['nama', 'tanggal_lahir', 'jenis_kelamin', 'kode_kelurahan_desa', 'alamat'] AS field,
          [CASE WHEN range = 20 THEN ? ELSE 'MUH. AHMAD ' || range END, '1980-02-11', '1', '1101012001', NULL]
            AS record_value,
          ['MUHAMMAD AHMAD ' || range, '1980-11-02', '2', '1101012001', 'Jl. Melati 3'] AS civil_value,
          [4.2, -3.1, -0.9, 1.5, NULL] AS weight
        FROM range(40)""",
        [NASTY],
    )


def _match_quality(con: duckdb.DuckDBPyConnection) -> None:
    kinds = ", ".join(f"('{kind}', {1.0 if n == 0 else 0.1 / n:.4f}::DOUBLE, {0.0001 + 0.004 * n:.4f}::DOUBLE)"
                      for n, kind in enumerate(ERRORS))  # fmt: skip
    con.execute(
        f"""CREATE TABLE match_quality AS
        WITH cell AS (
          SELECT s.source, province, e.kind AS error_kind, p.pass, s.n * e.share * p.share AS links, e.wrong
          FROM (SELECT unnest(range(38))::UTINYINT AS province), (VALUES ('dtks', 14000), ('regsosek', 30000),
            ('p3ke', 2500)) s(source, n), (VALUES {kinds}) e(kind, share, wrong),
            (VALUES ('exact', 0.86), ('composite', 0.06), ('probable', 0.04), ('none', 0.04)) p(pass, share)
        ), counted AS (
          SELECT source, province, error_kind, pass,
            CASE WHEN pass = 'none' THEN 0 ELSE (links * (1 - wrong))::BIGINT END AS true_links,
            CASE WHEN pass = 'none' THEN 0 ELSE (links * wrong)::BIGINT END AS false_links,
            CASE WHEN pass = 'none' THEN (links * (0.05 + wrong * (5 + province % 7)))::BIGINT ELSE 0 END AS missed
          FROM cell
        )
        SELECT * FROM counted
        UNION ALL
        SELECT source, province, 'semua', pass, sum(true_links)::BIGINT, sum(false_links)::BIGINT, sum(missed)::BIGINT
        FROM counted GROUP BY ALL"""
    )
