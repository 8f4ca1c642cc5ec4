"""The compact tables that linking works on: persons of the civil register and records of the registers."""

from __future__ import annotations

import duckdb

from dtsen_core.integrate.link import names
from dtsen_core.registry.catalog import columns, has

SOURCES = ("regsosek", "dtks", "p3ke")
"""Registers in the order of their number in ``link_record.source``."""
PERSONS = {"regsosek": "source_regsosek_anggota", "dtks": "source_dtks", "p3ke": "source_p3ke"}
FAMILY = {"regsosek": "id_register", "dtks": "nomor_kartu_keluarga", "p3ke": "NULL"}
"""What holds the records of a family together within a register."""


def delivered(con: duckdb.DuckDBPyConnection, source: str) -> str:
    """Query: accepted and held person records of `source` with a column ``held``."""
    table = PERSONS[source]
    accepted = f"SELECT false AS held, * FROM {table}"
    if has(con, f"{table}_held"):
        return f"({accepted} UNION ALL BY NAME SELECT true AS held, * FROM {table}_held)"
    return f"({accepted})"


def placed(con: duckdb.DuckDBPyConnection, source: str) -> str:
    """Joins that give the records ``s`` of `source` their place ``r`` (NULL where it is not known).

    Members of Regsosek stand where their family's record says, accepted or held.
    """
    if source != "regsosek":
        return f"LEFT JOIN {PERSONS[source]}_region r ON r.region_id = s.region_id"
    families = "SELECT id_register, region_id FROM source_regsosek_keluarga"
    if has(con, "source_regsosek_keluarga_held"):
        families += " UNION ALL SELECT id_register, region_id FROM source_regsosek_keluarga_held"
    return (
        f"LEFT JOIN (SELECT id_register AS head_of, min(region_id) AS place FROM ({families}) GROUP BY ALL) f "
        "ON f.head_of = s.id_register LEFT JOIN source_regsosek_keluarga_region r ON r.region_id = f.place"
    )


def _name_column(source: str) -> str:
    return "nama_anggota_keluarga" if source == "p3ke" else "nama"


def write_names(con: duckdb.DuckDBPyConnection) -> None:
    """``link_name`` of every name in the registers, and the comparing macros."""
    listed = ["SELECT nama AS raw FROM source_dukcapil"]
    listed += [f"SELECT {_name_column(source)} FROM {delivered(con, source)}" for source in SOURCES]
    names.write_names(con, " UNION ".join(listed))
    for macro in (names.LEVEL_MACRO, names.BIRTH_MACRO, names.NIK_MACRO, names.OPEN_MACRO):
        con.execute(macro)


def write_civil(con: duckdb.DuckDBPyConnection, double: list[str]) -> None:
    """``civil`` (one row per person), ``civil_alias(nik, kept_nik)`` and the compact ``link_civil``.

    Two numbers of one person (double registration) agree on the columns `double` and share a card or an
    address; the smaller number stays and the other becomes its alias. ``link_civil`` has both: whoever
    matches the alias has matched the person. Drops ``source_dukcapil``.
    """
    con.execute(
        """CREATE OR REPLACE TEMP TABLE link_civil AS
        WITH first AS (
          SELECT * FROM source_dukcapil
          QUALIFY row_number() OVER (PARTITION BY nomor_induk_kependudukan ORDER BY file_id, line_from) = 1)
        SELECT (row_number() OVER (ORDER BY s.file_id, s.line_from) - 1)::UINTEGER AS cid, s.file_id, s.line_from,
          nomor_induk_kependudukan AS nik, nomor_kartu_keluarga AS kk, n.key, n.words, n.sound, tanggal_lahir AS born,
          jenis_kelamin AS sex, r.province, r.regency, r.district, r.village, alamat_ktp AS address,
          left(nomor_induk_kependudukan, 12) AS nik_start, right(nomor_induk_kependudukan, 10) AS nik_end
        FROM first s JOIN source_dukcapil_region r USING (region_id) LEFT JOIN link_name n ON n.raw = s.nama"""
    )
    same = " AND ".join(f"a.{column} = b.{column}" for column in double)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE civil_alias AS
        SELECT b.nik, min(a.nik) AS kept_nik FROM link_civil a JOIN link_civil b ON {same} AND a.nik < b.nik
          AND (a.kk = b.kk OR a.address = b.address)
        GROUP BY b.nik"""
    )
    # The smallest number of a group is an alias of none, so one step leads to the person.
    con.execute(
        """CREATE OR REPLACE TEMP TABLE civil AS
        SELECT nomor_induk_kependudukan AS nik, nomor_kartu_keluarga AS kk,
          s.* EXCLUDE (nomor_induk_kependudukan, nomor_kartu_keluarga), l.province, r.code
        FROM source_dukcapil s JOIN link_civil l USING (file_id, line_from) JOIN source_dukcapil_region r USING
          (region_id)
        ANTI JOIN civil_alias x ON x.nik = s.nomor_induk_kependudukan"""
    )
    con.execute("ALTER TABLE link_civil ADD COLUMN person UINTEGER")
    con.execute("UPDATE link_civil SET person = cid")
    con.execute(
        """UPDATE link_civil SET person = k.cid FROM civil_alias x JOIN link_civil k ON k.nik = x.kept_nik
        WHERE x.nik = link_civil.nik"""
    )
    con.execute("ALTER TABLE link_civil DROP COLUMN address")
    con.execute("DROP TABLE source_dukcapil")


def write_records(con: duckdb.DuckDBPyConnection) -> None:
    """``link_record``: all person records of the registers in one form.

    `given`: digits of the number as delivered; `nik`: given where it is a whole number; `repaired`: a whole
    number hidden in one too long; `mantissa`: leading digits of a number in scientific notation; `fam`: hash of
    the family within the register.
    """
    parts = []
    for number, source in enumerate(SOURCES):
        held = columns(con, PERSONS[source])
        region = placed(con, source)
        born = "tanggal_lahir" if "tanggal_lahir" in held else "NULL::DATE"
        sex = "jenis_kelamin" if "jenis_kelamin" in held else "NULL::UTINYINT"
        family = FAMILY[source]
        if source == "dtks":
            family = "CASE WHEN regexp_full_match(nomor_kartu_keluarga, '[1-9][0-9]{15}') THEN nomor_kartu_keluarga END"
        parts.append(
            f"""SELECT {number}::UTINYINT AS source, s.file_id, s.line_from, s.held,
              nomor_induk_kependudukan AS record_nik, nomor_kartu_keluarga AS record_kk, {_name_column(source)} AS raw,
              {born} AS born, {sex} AS sex, r.province, r.regency, r.district, r.village,
              hash({family}) AS fam, ({family}) IS NOT NULL AS has_fam
            FROM {delivered(con, source)} s {region}"""
        )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE link_record AS
        WITH listed AS ({" UNION ALL ".join(parts)}),
        digits AS (
          SELECT *, CASE WHEN record_nik ILIKE '%e+%' THEN regexp_replace(split_part(upper(record_nik), 'E', 1),
            '[^0-9]', '', 'g')
            END AS mantissa,
            CASE WHEN record_nik NOT ILIKE '%e+%' THEN nullif(ltrim(regexp_replace(record_nik, '[^0-9]', '', 'g'),
              '0'), '')
            END AS given,
            CASE WHEN regexp_full_match(record_kk, '[1-9][0-9]{{15}}') THEN record_kk END AS kk
          FROM listed)
        SELECT (row_number() OVER (ORDER BY source, held, file_id, line_from) - 1)::UINTEGER AS rid, d.* EXCLUDE (raw,
          fam, has_fam), n.key, n.words, n.sound,
          CASE WHEN has_fam THEN fam END AS fam,
          CASE WHEN length(given) = 16 THEN given END AS nik,
          CASE WHEN length(given) BETWEEN 17 AND 20 THEN left(given, 16) END AS repaired,
          CASE WHEN length(given) >= 12 THEN left(given, 12) END AS nik_start,
          CASE WHEN length(given) >= 14 THEN right(given, 10) END AS nik_end
        FROM digits d LEFT JOIN link_name n USING (raw)"""
    )
