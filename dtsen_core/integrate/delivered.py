"""Delivered DTSEN files (52 family + 48 member columns) become the tables of a real dataset."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from dtsen_core.collect.identity import LETTERS
from dtsen_core.collect.readers import Progress, read_source, settle
from dtsen_core.errors import InternalError, UserError
from dtsen_core.integrate import trace
from dtsen_core.integrate.golden.reading import note_files
from dtsen_core.integrate.registers import check_files, refuse_useless
from dtsen_core.regions import codes as region_codes
from dtsen_core.registry import ddl

FAMILIES, MEMBERS = "dtsen_keluarga", "dtsen_anggota"

NUMBER = "left({0}, 2) || '••••••••••••' || right({0}, 2)"
CARD = "'nomor_kartu_keluarga: ' || " + NUMBER.format("s.nomor_kartu_keluarga")
NAME = LETTERS.format("s.nama")
NUMBERED = """
SELECT s.*, (s.file_id::BIGINT << 32) + s.line_from AS place,
  (s.file_id, s.line_from) NOT IN (SELECT (file_id, line_from) FROM fault) AS sound
FROM {0} s SEMI JOIN (SELECT {1} FROM {0} GROUP BY 1 HAVING count(*) > 1) USING ({1})"""
"""Rows of table {0} whose number {1} stands more than once. `sound`: nothing else is against the row."""

# A line with other faults is told, too, what else will stop it once those are mended; it takes nobody's place.
CARD_TWICE = f"""
WITH numbered AS ({NUMBERED.format(f"source_{FAMILIES}", "nomor_kartu_keluarga")}), first AS (
  SELECT nomor_kartu_keluarga, min(place) AS first FROM numbered WHERE sound GROUP BY 1
)
SELECT file_id, line_from, 'kk_ganda' AS reason, {CARD} AS detail
FROM numbered s JOIN first USING (nomor_kartu_keluarga) WHERE place > first"""

NO_FAMILY = f"""
SELECT s.file_id, s.line_from, 'tanpa_keluarga' AS reason, {CARD} AS detail
FROM source_{MEMBERS} s ANTI JOIN source_{FAMILIES} f USING (nomor_kartu_keluarga)
ANTI JOIN standing_family h USING (nomor_kartu_keluarga)
WHERE regexp_full_match(s.nomor_kartu_keluarga, '[0-9]{{16}}') AND s.nomor_kartu_keluarga <> '0000000000000000'"""

# The same person twice (same name and birth date): the first line stays. Different people on one number:
# nobody can say whose it is, so all of them go to the quarantine. Of a line with other faults only what could be
# read is compared, with the first sound line of its number.
NIK_TWICE = f"""
WITH numbered AS (
  SELECT file_id, line_from, place, sound, nomor_induk_kependudukan AS nik, {NAME} AS letters, tanggal_lahir AS born
  FROM ({NUMBERED.format(f"source_{MEMBERS}", "nomor_induk_kependudukan")}) s
), of_number AS (
  SELECT nik, count(DISTINCT (letters, born)) AS people, min(place) AS first, arg_min(letters, place) AS letters,
    arg_min({{'born': born}}, place).born AS born
  FROM numbered WHERE sound GROUP BY nik
), judged AS (
  SELECT s.*, o.first, o.people > 1 OR (NOT s.sound AND (
      (s.letters <> '' AND s.letters <> o.letters) OR coalesce(s.born <> o.born, false))) AS another
  FROM numbered s JOIN of_number o USING (nik)
)
SELECT file_id, line_from, CASE WHEN another THEN 'nik_dipakai_orang_lain' ELSE 'nik_ganda' END AS reason,
  'nomor_induk_kependudukan: ' || {NUMBER.format("nik")} AS detail
FROM judged WHERE another OR place > first"""


# Corrected records come beside a dataset that stands: they add to it and push nobody out.
CARD_STANDS = f"""
SELECT s.file_id, s.line_from, 'kk_ganda' AS reason, {CARD} AS detail
FROM source_{FAMILIES} s SEMI JOIN standing_family h USING (nomor_kartu_keluarga)
ANTI JOIN (SELECT * FROM fault WHERE reason = 'kk_ganda') USING (file_id, line_from)"""

NIK_STANDS = f"""
WITH met AS (
  SELECT s.file_id, s.line_from, h.nik, CASE WHEN ({NAME} <> '' AND {NAME} <> h.letters)
      OR coalesce(s.tanggal_lahir <> h.born, false) THEN 'nik_dipakai_orang_lain' ELSE 'nik_ganda' END AS reason
  FROM source_{MEMBERS} s JOIN standing_person h ON h.nik = s.nomor_induk_kependudukan
)
SELECT file_id, line_from, reason, 'nomor_induk_kependudukan: ' || {NUMBER.format("nik")} AS detail
FROM met ANTI JOIN fault USING (file_id, line_from, reason)"""


def ingest_delivered(
    keluarga_file: str | Path | None,
    anggota_file: str | Path | None,
    con: duckdb.DuckDBPyConnection,
    *,
    codes: str | None = None,
    standing: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, object]:
    """Read a delivered pair of files into ``keluarga``, ``anggota``, ``ingest_file`` and ``quarantine``, with
    the tables of the trace (`integrate.trace`).

    Both tables are as the contract says: Kemendagri codes, sorted by village, one row per family card and
    per NIK. `codes` (``kemendagri`` or ``bps``) confirms the code system of the family file, which is
    otherwise decided by its codes and names. With `standing`, the database of the version before, the files are
    records that were set aside from it and corrected: one of the two may be None, a member may belong to a family that
    stands there (its ``id_keluarga`` is NULL until it is carried over), and a card or a person that stands there is a
    reason against the record. Returns ``{"files": […]}`` with the account in physical lines.

    UserError: files that cannot be read or are not of this layout, an undecidable code system, or not one
    usable line.
    """
    given = {FAMILIES: keluarga_file, MEMBERS: anggota_file}
    files = {name: [path] if path is not None else [] for name, path in given.items()}
    if standing is None:
        check_files("dtsen", (FAMILIES, MEMBERS), [path for paths in files.values() for path in paths])
    _standing(con, standing)

    def step(low: float, high: float) -> Progress | None:
        if progress is None:
            return None
        return lambda share: progress(low + (high - low) * share)

    families = read_source(con, FAMILIES, files[FAMILIES], codes=codes, progress=step(0, 0.35), temporary=True,
                           checks=[CARD_TWICE, CARD_STANDS])  # fmt: skip
    settle(con, FAMILIES, families)
    refuse_useless(families)
    members = read_source(con, MEMBERS, files[MEMBERS], progress=step(0.35, 0.8), temporary=True,
                          checks=[NO_FAMILY, NIK_TWICE, NIK_STANDS])  # fmt: skip
    settle(con, MEMBERS, members)
    refuse_useless(members)
    _families(con)
    _members(con)
    _nothing_lost(con)
    for name, paths in files.items():
        note_files(con, name, paths)
    trace.create_tables(con)
    trace.note_delivered(con)
    for table in (f"source_{FAMILIES}", f"source_{FAMILIES}_region", f"source_{MEMBERS}", "reading_file",
                  "standing_family", "standing_person"):  # fmt: skip
        con.execute(f"DROP TABLE IF EXISTS {table}")
    if progress is not None:
        progress(1.0)
    return {"files": [file.report() for file in (*families, *members)]}


def _standing(con: duckdb.DuckDBPyConnection, database: Path | None) -> None:
    """``standing_family(nomor_kartu_keluarga)`` and ``standing_person(nik, letters, born)`` of the version before,
    empty where nothing stands beside the new files."""
    con.execute("CREATE OR REPLACE TEMP TABLE standing_family (nomor_kartu_keluarga VARCHAR)")
    con.execute("CREATE OR REPLACE TEMP TABLE standing_person (nik VARCHAR, letters VARCHAR, born DATE)")
    if database is None:
        return
    quoted = str(database).replace("'", "''")
    con.execute(f"ATTACH '{quoted}' AS standing (READ_ONLY)")
    try:
        con.execute("INSERT INTO standing_family SELECT nomor_kartu_keluarga FROM standing.main.keluarga")
        con.execute(
            f"INSERT INTO standing_person SELECT s.nomor_induk_kependudukan, {NAME}, s.tanggal_lahir "
            "FROM standing.main.anggota s"
        )
    finally:
        con.execute("DETACH standing")


def _nothing_lost(con: duckdb.DuckDBPyConnection) -> None:
    """InternalError if an accepted record is not exactly one row."""
    for table, source in (("keluarga", FAMILIES), ("anggota", MEMBERS)):
        made, read = con.execute(
            f"SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM source_{source})"
        ).fetchall()[0]
        if made != read:
            raise InternalError(f"{source}: {read} accepted records, {made} rows")


def _families(con: duckdb.DuckDBPyConnection) -> None:
    given = {name: f"s.{name}" for name, kind in ddl.columns("keluarga") if not name.startswith("kode_")}
    given |= {name: f"r.{name}" for name in ("province", "regency", "district", "village")}
    given |= {
        "id_keluarga": "0", "urban": "0",
        "kode_provinsi": "left(r.code, 2)", "kode_kabupaten_kota": "left(r.code, 4)",
        "kode_kecamatan": "left(r.code, 6)", "kode_kelurahan_desa": "r.code",
        "attribute_source": "'dtsen'", "is_dtks": "NULL", "is_regsosek": "NULL", "is_p3ke": "NULL",
    }  # fmt: skip
    listed = ", ".join(f'{given[name]}::{kind} AS "{name}"' for name, kind in ddl.columns("keluarga"))
    con.execute("DROP TABLE IF EXISTS keluarga")
    con.execute(ddl.create_table("keluarga"))
    con.execute(
        f"""INSERT INTO keluarga SELECT * REPLACE (row_number() OVER () - 1 AS id_keluarga) FROM (
          SELECT {listed} FROM source_{FAMILIES} s JOIN source_{FAMILIES}_region r USING (region_id)
          ORDER BY village, nomor_kartu_keluarga)"""
    )


def _members(con: duckdb.DuckDBPyConnection) -> None:
    given = {name: f"s.{name}" for name, _ in ddl.columns("anggota")}
    given |= _card_places(con)
    given |= {
        "id_keluarga": "k.id_keluarga",
        "id_anggota": "0",
    }  # fmt: skip
    listed = ", ".join(f'{given[name]}::{kind} AS "{name}"' for name, kind in ddl.columns("anggota"))
    con.execute("DROP TABLE IF EXISTS anggota")
    con.execute(ddl.create_table("anggota"))
    con.execute(
        f"""INSERT INTO anggota SELECT * REPLACE (row_number() OVER () - 1 AS id_anggota) FROM (
        SELECT {listed} FROM source_{MEMBERS} s LEFT JOIN keluarga k USING (nomor_kartu_keluarga)
        LEFT JOIN card_place p ON p.regency IS NOT DISTINCT FROM s.kode_kabupaten_kota_ktp
          AND p.district IS NOT DISTINCT FROM s.kode_kecamatan_ktp
          AND p.village IS NOT DISTINCT FROM s.kode_kelurahan_desa_ktp
          AND p.regency_name IS NOT DISTINCT FROM s.kabupaten_kota_ktp
          AND p.district_name IS NOT DISTINCT FROM s.kecamatan_ktp
          AND p.village_name IS NOT DISTINCT FROM s.kelurahan_desa_ktp
        ORDER BY id_keluarga, status_hubungan_keluarga, nomor_induk_kependudukan)"""
    )
    con.execute("DROP TABLE card_place")


def _card_places(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Codes of the address on the identity card in Kemendagri codes; makes ``card_place``.

    They come from the civil register and are normally Kemendagri codes already; where the names say that
    they are BPS codes they are translated, and what cannot be placed becomes NULL (the family's own place
    is not affected).
    """
    places = con.execute(
        f"""SELECT kode_kabupaten_kota_ktp AS regency_code, kabupaten_kota_ktp AS regency_name,
          kode_kecamatan_ktp AS district_code, kecamatan_ktp AS district_name,
          kode_kelurahan_desa_ktp AS village_code, kelurahan_desa_ktp AS village_name, count(*) AS rows
        FROM source_{MEMBERS} GROUP BY ALL ORDER BY ALL"""
    ).df()
    named = places.dropna(subset=["regency_code", "regency_name"])
    system = "kemendagri"
    if len(named):
        seen = pd.DataFrame({
            "code": named["regency_code"], "name": named["regency_name"], "rows": named["rows"],
        })  # fmt: skip
        system = _likelier(seen)
    mapped = region_codes.map_places(places, system) if len(places) else places
    for level in ("regency", "district", "village"):
        places[f"own_{level}"] = mapped[level] if len(places) else None
    con.register("card_frame", places.astype(object).where(places.notna(), None))
    con.execute(
        """CREATE OR REPLACE TEMP TABLE card_place AS
        SELECT regency_code::VARCHAR AS regency, regency_name::VARCHAR AS regency_name,
          district_code::VARCHAR AS district, district_name::VARCHAR AS district_name,
          village_code::VARCHAR AS village, village_name::VARCHAR AS village_name,
          own_regency::VARCHAR AS own_regency, own_district::VARCHAR AS own_district,
          own_village::VARCHAR AS own_village
        FROM card_frame"""
    )
    con.unregister("card_frame")
    return {
        "kode_provinsi_ktp": "left(p.own_regency, 2)", "kode_kabupaten_kota_ktp": "p.own_regency",
        "kode_kecamatan_ktp": "p.own_district", "kode_kelurahan_desa_ktp": "p.own_village",
    }  # fmt: skip


def _likelier(seen: pd.DataFrame) -> str:
    """Code system of the identity-card address: as detected, Kemendagri where that cannot be decided."""
    try:
        return region_codes.detect_system(seen).system
    except UserError:
        return "kemendagri"
