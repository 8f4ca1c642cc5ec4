"""Tables that tell how good a finished dataset is, by regency: written once, at the end of the integration.

``quality_reading(source, regency, accepted, held)``       records of a register by the region they name
``quality_completeness(set_name, variable, regency, rows, known, missing, not_applicable)``
``quality_disagreement(variable, source, other, regency, both_known, differ)``
``quality_freshness(regency, source, age_months_bucket, families, checked)``
``quality_coverage(regency, civil_families, registry_families, civil_persons, registry_persons)``

Regency is the idx of the unit table, 65535 where it is not known. A question "does not apply" where the field
dictionary's condition is false for the row; where the condition itself is unknown the value counts as missing.
"""

from __future__ import annotations

import datetime as dt
import re

import duckdb
import pyarrow as pa

from dtsen_core.collect.layouts import kinds, layout
from dtsen_core.regions import units
from dtsen_core.registry import ddl
from dtsen_core.registry.catalog import columns, has
from dtsen_core.registry.fields import Field, fields

UNKNOWN = 65_535
OLDEST = 120
"""Ages are counted in completed months up to this many; -1 stands for no date."""
DERIVED = frozenset({"desil_nasional", "desil_provinsi", "desil_kabupaten_kota"})
"""Variables that the ranking writes after the integration: never a source's omission."""
SIMULATED_LATER = frozenset({"pbi_nas", "pbi_pemda"})
"""Enrolment that the simulation draws after the integration."""
PAIRS = (("regsosek", "dtks"), ("regsosek", "p3ke"), ("dtks", "p3ke"))
FAMILY_TABLE = {"regsosek": "source_regsosek_keluarga", "dtks": "source_dtks", "p3ke": "source_p3ke"}
PERSON_TABLE = {"regsosek": "source_regsosek_anggota", "dtks": "source_dtks"}
WITH_CIVIL = ("nama", "tanggal_lahir", "jenis_kelamin", "status_hubungan_keluarga", "status_kawin")
"""Variables of persons that the civil register decides."""

TABLES = """
CREATE OR REPLACE TABLE quality_reading (source VARCHAR, regency USMALLINT, accepted BIGINT, held BIGINT);
CREATE OR REPLACE TABLE quality_completeness (set_name VARCHAR, variable VARCHAR, regency USMALLINT, rows BIGINT,
  known BIGINT, missing BIGINT, not_applicable BIGINT);
CREATE OR REPLACE TABLE quality_disagreement (variable VARCHAR, source VARCHAR, other VARCHAR, regency USMALLINT,
  both_known BIGINT, differ BIGINT);
CREATE OR REPLACE TABLE quality_freshness (regency USMALLINT, source VARCHAR, age_months_bucket SMALLINT,
  families BIGINT, checked BIGINT);
CREATE OR REPLACE TABLE quality_coverage (regency USMALLINT, civil_families BIGINT, registry_families BIGINT,
  civil_persons BIGINT, registry_persons BIGINT);
"""


def write(con: duckdb.DuckDBPyConnection, as_of: dt.date | None = None) -> None:
    """Write the five tables into `con` from ``keluarga``, ``anggota`` and what is left of the sources.

    Uses, where they exist: ``source_<kind>``, ``source_<kind>_held``, ``source_<kind>_region`` (reading),
    ``family_record`` and ``link_<source>`` (disagreement), ``civil`` (disagreement, coverage). Tables whose ground is
    missing stay empty, so it has to run before the integration drops its work. `as_of`: the date ages refer to;
    default is the latest update in ``keluarga``.
    """
    con.execute(TABLES)
    day = as_of or _latest(con)
    _reading(con)
    _completeness(con, day)
    _freshness(con, day)
    _disagreement(con)
    _coverage(con)




def _latest(con: duckdb.DuckDBPyConnection) -> dt.date | None:
    return con.execute("SELECT max(tanggal_pemutakhiran) FROM keluarga").fetchall()[0][0]


# -- reading -----------------------------------------------------------------------------------------------


def _reading(con: duckdb.DuckDBPyConnection) -> None:
    for kind in kinds():
        for table, column in ((f"source_{kind}", "accepted"), (f"source_{kind}_held", "held")):
            place = _place(con, kind, table)
            if place is None:
                continue
            held = "count(*)" if column == "held" else "0"
            accepted = "0" if column == "held" else "count(*)"
            con.execute(
                f"""INSERT INTO quality_reading
                SELECT ?, coalesce(regency, {UNKNOWN}), {accepted}, {held} FROM ({place}) GROUP BY ALL""",
                [layout(kind).register],
            )


def _place(con: duckdb.DuckDBPyConnection, kind: str, table: str) -> str | None:
    """A SELECT of the regency of every record of `table`; None where there is no such table."""
    if not has(con, table):
        if table == "source_dukcapil" and has(con, "civil", "code"):
            _register_regencies(con)
            return "SELECT g.regency FROM civil c LEFT JOIN quality_regency g ON g.code = left(c.code, 4)"
        return None
    if has(con, table, "region_id") and has(con, f"source_{kind}_region"):
        return f"SELECT r.regency FROM {table} LEFT JOIN source_{kind}_region r USING (region_id)"
    families = "source_regsosek_keluarga"
    if kind == "regsosek_anggota" and has(con, families) and has(con, f"{families}_region"):
        return f"""SELECT p.regency FROM {table} LEFT JOIN (
          SELECT id_register, any_value(r.regency) AS regency FROM {families} JOIN {families}_region r
          USING (region_id) GROUP BY id_register) p USING (id_register)"""
    return f"SELECT NULL::USMALLINT AS regency FROM {table}"


def _register_regencies(con: duckdb.DuckDBPyConnection) -> None:
    codes = units.table("regency")["code"]
    con.register("quality_regency_rows", pa.table({"code": codes.tolist(), "regency": list(range(len(codes)))}))
    con.execute("CREATE OR REPLACE TEMP TABLE quality_regency AS SELECT * FROM quality_regency_rows")
    con.unregister("quality_regency_rows")


# -- completeness ------------------------------------------------------------------------------------------


def _completeness(con: duckdb.DuckDBPyConnection, day: dt.date | None) -> None:
    age = f"date_sub('year', tanggal_lahir, DATE '{day:%Y-%m-%d}')" if day else "NULL::INTEGER"
    sources = {
        "keluarga": "SELECT * FROM keluarga",
        "anggota": f"SELECT a.*, {age} AS umur, k.regency FROM anggota a JOIN keluarga k USING (id_keluarga)",
    }
    later = DERIVED | SIMULATED_LATER if has(con, "sim_keluarga") else DERIVED
    for set_name, rows in sources.items():
        asked = [f for f in ddl.stored_fields(set_name) if f.name not in later]
        counted = ", ".join(f"{_counts(f)} AS \"{f.name}\"" for f in asked)
        listed = ", ".join(f'"{f.name}"' for f in asked)
        con.execute(
            f"""INSERT INTO quality_completeness
            WITH counted AS (
              SELECT regency, count(*) AS rows, {counted} FROM ({rows}) GROUP BY regency
            ), long AS (
              UNPIVOT counted ON {listed} INTO NAME variable VALUE counts
            )
            SELECT ?, variable, coalesce(regency, {UNKNOWN}), rows, counts.known,
              rows - counts.known - counts.skipped, counts.skipped
            FROM long""",
            [set_name],
        )


def _counts(field: Field) -> str:
    """A struct of how many rows know the variable and how many were rightly not asked."""
    name = f'"{field.name}"'
    value = f"nullif(trim({name}), '')" if ddl.SQL_TYPES[field.type] == "VARCHAR" else name
    skipped = "0::BIGINT"
    rules = _skip_rules(field)
    if rules:
        skipped = f"count(*) FILTER ({value} IS NULL AND ({' OR '.join(f'NOT ({rule})' for rule in rules)}))"
    return f"{{'known': count({value}), 'skipped': {skipped}}}"


def _skip_rules(field: Field) -> list[str]:
    """Conditions under which `field` is asked: its own, and those of the questions its own rests on."""
    if not field.applies_when:
        return []
    named = set(re.findall(r"[a-z_]+", field.applies_when))
    before = [f for f in fields(field.set) if f.name in named and f.name != field.name]
    return [field.applies_when, *(rule for f in before for rule in _skip_rules(f))]


# -- freshness ---------------------------------------------------------------------------------------------


def _freshness(con: duckdb.DuckDBPyConnection, day: dt.date | None) -> None:
    if day is None:
        months = "SELECT regency, attribute_source, -1 AS updated, -1 AS checked FROM keluarga"
    else:
        # least and greatest pass over NULL: a missing date must be told apart before they are asked.
        ages = ", ".join(
            f"CASE WHEN {column} IS NULL THEN -1 ELSE least(greatest("
            f"date_sub('month', {column}, DATE '{day:%Y-%m-%d}'), 0), {OLDEST}) END AS {name}"
            for column, name in (("tanggal_pemutakhiran", "updated"), ("tanggal_ground_check", "checked"))
        )
        months = f"SELECT regency, attribute_source, {ages} FROM keluarga"
    con.execute(
        f"""INSERT INTO quality_freshness
        WITH age AS ({months}), dated AS (
          SELECT regency, attribute_source AS source, updated AS months, 1 AS families, 0 AS checked FROM age
          UNION ALL
          SELECT regency, attribute_source, checked, 0, 1 FROM age WHERE checked >= 0
        )
        SELECT coalesce(regency, {UNKNOWN}), coalesce(source, ''), months, sum(families), sum(checked)
        FROM dated GROUP BY ALL ORDER BY ALL"""
    )


# -- disagreement ------------------------------------------------------------------------------------------


def _disagreement(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE OR REPLACE TEMP TABLE quality_card AS SELECT nomor_kartu_keluarga AS kk, regency FROM keluarga")
    if has(con, "family_record", "kk", "source", "chosen", "file_id", "line_from"):
        for source, other in PAIRS:
            if has(con, FAMILY_TABLE[source]) and has(con, FAMILY_TABLE[other]):
                _compare(con, source, other, _families_of(con, source), _families_of(con, other), "kk",
                         _shared(con, FAMILY_TABLE[source], FAMILY_TABLE[other], "keluarga"))  # fmt: skip
    if all(has(con, PERSON_TABLE[s]) and has(con, f"link_{s}", "nik", "kk") for s in PERSON_TABLE):
        _compare(con, "regsosek", "dtks", _persons_of(con, "regsosek"), _persons_of(con, "dtks"), "nik",
                 _shared(con, PERSON_TABLE["regsosek"], PERSON_TABLE["dtks"], "anggota"))  # fmt: skip
    if has(con, "civil", "nik", "kk"):
        for source, table in PERSON_TABLE.items():
            if has(con, table) and has(con, f"link_{source}", "nik", "kk"):
                shared = [f for f in ddl.stored_fields("anggota") if f.name in WITH_CIVIL and has(con, table, f.name)]
                _compare(con, source, "dukcapil", _persons_of(con, source), "SELECT * FROM civil", "nik", shared)
    con.execute("DROP TABLE quality_card")


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """A FROM item with every row of `table`, accepted and held."""
    if not has(con, f"{table}_held"):
        return table
    return f"(SELECT * FROM {table} UNION ALL BY NAME SELECT * FROM {table}_held)"


def _families_of(con: duckdb.DuckDBPyConnection, source: str) -> str:
    """The record of `source` that describes each card."""
    return f"""SELECT s.*, c.kk FROM family_record c JOIN {_rows(con, FAMILY_TABLE[source])} s
      ON s.file_id = c.file_id AND s.line_from = c.line_from WHERE c.chosen AND c.source = '{source}'"""


def _persons_of(con: duckdb.DuckDBPyConnection, source: str) -> str:
    """One record of `source` per matched person: the first of the file."""
    return f"""SELECT s.*, l.nik, l.kk FROM (
      SELECT nik, kk, file_id, line_from FROM link_{source} WHERE kk IS NOT NULL AND nik IS NOT NULL
      QUALIFY row_number() OVER (PARTITION BY nik ORDER BY file_id, line_from) = 1) l
      JOIN {_rows(con, PERSON_TABLE[source])} s ON s.file_id = l.file_id AND s.line_from = l.line_from"""


def _shared(con: duckdb.DuckDBPyConnection, first: str, second: str, set_name: str) -> list[Field]:
    """The content variables of `set_name` that both registers ask."""
    both = columns(con, first) & columns(con, second)
    groups = ("perumahan", "aset", "pendidikan", "kerja_usaha", "kesehatan_disabilitas")
    extra = ("jumlah_anggota_keluarga",)
    return [f for f in ddl.stored_fields(set_name)
            if f.name in both and (f.group in groups or f.name in extra)]  # fmt: skip


def _value(side: str, field: Field) -> str:
    """What is compared: words without case, spaces and punctuation, everything else as it is."""
    name = f'{side}."{field.name}"'
    if field.type == "text":
        return f"nullif(upper(regexp_replace({name}, '[^A-Za-z0-9]', '', 'g')), '')"
    return name


def _compare(con: duckdb.DuckDBPyConnection, source: str, other: str, first: str, second: str, key: str,
             shared: list[Field]) -> None:  # fmt: skip
    if not shared:
        return
    counted = ", ".join(
        f"""{{'both': count(*) FILTER ({_value('a', f)} IS NOT NULL AND {_value('b', f)} IS NOT NULL),
             'differ': count(*) FILTER ({_value('a', f)} <> {_value('b', f)})}} AS "{f.name}\""""
        for f in shared
    )
    listed = ", ".join(f'"{f.name}"' for f in shared)
    con.execute(
        f"""INSERT INTO quality_disagreement
        WITH a AS ({first}), b AS ({second}), counted AS (
          SELECT coalesce(k.regency, {UNKNOWN}) AS regency, {counted}
          FROM a JOIN b ON a.{key} = b.{key} LEFT JOIN quality_card k ON k.kk = a.kk
          GROUP BY k.regency
        ), long AS (
          UNPIVOT counted ON {listed} INTO NAME variable VALUE counts
        )
        SELECT variable, ?, ?, regency, counts.both, counts.differ FROM long WHERE counts.both > 0""",
        [source, other],
    )


# -- coverage ----------------------------------------------------------------------------------------------


def _coverage(con: duckdb.DuckDBPyConnection) -> None:
    """Families and persons of the civil register by their civil address, and those of them in the registry."""
    if not has(con, "civil", "kk", "nik", "code"):
        return
    _register_regencies(con)
    con.execute(
        f"""INSERT INTO quality_coverage
        WITH card AS (
          SELECT kk, any_value(left(code, 4)) AS code, count(*) AS persons FROM civil GROUP BY kk
        ), seen AS (
          SELECT g.regency, c.persons, k.nomor_kartu_keluarga IS NOT NULL AS known
          FROM card c LEFT JOIN quality_regency g USING (code)
          LEFT JOIN keluarga k ON k.nomor_kartu_keluarga = c.kk
        )
        SELECT coalesce(regency, {UNKNOWN}), count(*), count(*) FILTER (known), sum(persons),
          coalesce(sum(persons) FILTER (known), 0)
        FROM seen GROUP BY ALL ORDER BY ALL"""
    )
