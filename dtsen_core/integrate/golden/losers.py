"""``losing_value``: what the records say that did not become the golden value, where it differs, and why."""

from __future__ import annotations

import duckdb

from dtsen_core.collect.layouts import layout
from dtsen_core.integrate.golden import families, members
from dtsen_core.integrate.golden.linked import PERSON_KIND, SOURCES
from dtsen_core.integrate.golden.reading import records
from dtsen_core.integrate.survivorship import TRACED, Group, rules

PLACE = "kode_kelurahan_desa"


def write(con: duckdb.DuckDBPyConnection) -> None:
    """``losing_value(id_keluarga, id_anggota, variable, source, path_id, line_from, value, reason)``.

    `id_anggota` is NULL for family variables; `reason` is one of `survivorship.REASONS` or ``lead``: the
    record leaves open the question that decides its group.
    """
    con.execute("""CREATE OR REPLACE TABLE losing_value (id_keluarga BIGINT, id_anggota BIGINT, variable VARCHAR,
        source VARCHAR, path_id USMALLINT, line_from UINTEGER, value VARCHAR, reason VARCHAR)""")
    for source in SOURCES:
        _families(con, source)
    for source in members.asking():
        _members(con, source)
    _moved(con)


def _families(con: duckdb.DuckDBPyConnection, source: str) -> None:
    kind = families.FAMILY_KIND[source]
    names = families.given(source)
    if source != "dtks":  # its lines are persons: card and name are compared with the person
        names = [*names, *_stated(kind, "keluarga")]
    # Of another family's record what is not said of the dwelling was never asked about this family.
    asked = {name: f"s.{name}" if name not in families.given(source) or families.lived_in(name)
             else f"CASE WHEN NOT f.shared THEN s.{name} END" for name in names}  # fmt: skip
    pairs = {name: (asked[name], f"k.{name}") for name in names} | {PLACE: ("r.code", f"k.{PLACE}")}
    extra = ", ".join(["f.day", *(f"d.{c}" for c in _described())])
    rows = f"""FROM (SELECT * FROM family_record WHERE source = '{source}') f
      JOIN {records(con, kind)} s USING (file_id, line_from)
      JOIN keluarga k ON k.nomor_kartu_keluarga = f.kk JOIN described d ON d.kk = f.kk
      LEFT JOIN source_{kind}_region r USING (region_id)"""
    _write(con, "keluarga", source, kind, pairs, f"k.id_keluarga, NULL::BIGINT AS id_anggota, {extra}", rows)


def _members(con: duckdb.DuckDBPyConnection, source: str) -> None:
    kind = PERSON_KIND[source]
    names = [*members.given(source), *_stated(kind, "anggota")]
    pairs = {name: (f"s.{name}", f"p.{name}") for name in names}
    origins = ", ".join(f"p.o_{lead}" for g in rules().of("anggota", "dated", "priority")
                        for lead, _ in g.decisions())  # fmt: skip
    rows = f"""FROM link_{source} l JOIN {records(con, kind)} s USING (file_id, line_from)
      JOIN person p ON p.nomor_induk_kependudukan = l.nik"""
    _write(con, "anggota", source, kind, pairs, f"p.id_keluarga, p.id_anggota, NULL::DATE AS day, {origins}", rows)


def _moved(con: duckdb.DuckDBPyConnection) -> None:
    """What the civil register says of people whom newer records put on another card."""
    con.execute(
        """INSERT INTO losing_value
        WITH said AS (
          SELECT nik, 'nomor_kartu_keluarga' AS variable, card AS value FROM card_moved
          UNION ALL
          SELECT nik, 'status_hubungan_keluarga', relation_before::VARCHAR FROM card_moved
          WHERE relation <> relation_before
        )
        SELECT p.id_keluarga, p.id_anggota, s.variable, 'dukcapil', f.path_id, p.line_from, s.value, 'recency'
        FROM said s JOIN person p ON p.nomor_induk_kependudukan = s.nik
        JOIN source_file f ON f.source = 'dukcapil' AND f.file_id = p.file_id ORDER BY ALL"""
    )


def _stated(kind: str, set_name: str) -> list[str]:
    """Variables that the civil register decides and this layout states as well."""
    has_columns = {column.name for column in layout(kind).columns}
    listed = [v for g in rules().of(set_name, "authority", "dated") for v in g.variables]
    return [name for name in listed if name in has_columns and not name.startswith("kode_")]


def _described() -> list[str]:
    leads = [lead for g in rules().of("keluarga", *TRACED) for lead, _ in g.decisions()]
    return [*(f"o_{lead}" for lead in leads), *(f"day_{source}" for source in SOURCES)]


def _write(
    con: duckdb.DuckDBPyConnection, set_name: str, source: str, kind: str, pairs: dict[str, tuple[str, str]],
    keys: str, rows: str,
) -> None:  # fmt: skip
    """One pass finds the records that differ anywhere; the few that do are then told variable by variable."""
    differs = {name: f"({mine} IS NOT NULL AND {_same(mine, name)} IS DISTINCT FROM {_same(golden, name)})"
               for name, (mine, golden) in pairs.items()}  # fmt: skip
    values = ", ".join(f"CASE WHEN {differs[name]} THEN {mine}::VARCHAR END AS v_{name}"
                       for name, (mine, _) in pairs.items())  # fmt: skip
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE differing AS
        SELECT {keys}, s.file_id, s.line_from, {values} {rows} WHERE {" OR ".join(differs.values())}"""
    )
    listed = " UNION ALL ".join(
        f"""SELECT id_keluarga, id_anggota, '{name}' AS variable, file_id, line_from, v_{name} AS value,
          {_reason(set_name, source, name)} AS reason FROM differing WHERE v_{name} IS NOT NULL"""
        for name in pairs
    )
    con.execute(
        f"""INSERT INTO losing_value
        SELECT v.id_keluarga, v.id_anggota, v.variable, '{source}', f.path_id, v.line_from, v.value, v.reason
        FROM ({listed}) v JOIN source_file f ON f.source = '{kind}' AND f.file_id = v.file_id
        ORDER BY ALL"""
    )
    con.execute("DROP TABLE differing")


def _same(expression: str, variable: str) -> str:
    """Texts that differ in case alone do not differ."""
    words = variable.startswith(("nama", "alamat")) or variable == "id_pelanggan_pln"
    return f"upper({expression})" if words else expression


def _reason(set_name: str, source: str, variable: str) -> str:
    group = rules().group(set_name, variable)
    assert group is not None
    if group.rule == "authority":
        return "'authority'"
    origin = f"o_{_lead(group, variable)}"
    if group.rule == "dated":
        return f"CASE WHEN {origin} = {rules().codes[group.authority]} THEN 'authority' ELSE 'recency' END"
    newer = "false"
    if group.rule == "recency":
        winner = " ".join(f"WHEN {rules().codes[s]} THEN day_{s}" for s in SOURCES)
        newer = f"coalesce(day < CASE {origin} {winner} END, day IS NULL)"
    return f"""CASE WHEN {origin} = 0 THEN 'lead' WHEN {origin} = {rules().codes[source]} THEN 'duplicate'
      WHEN {newer} THEN 'recency' ELSE 'priority' END"""


def _lead(group: Group, variable: str) -> str:
    return next(lead for lead, decided in group.decisions() if variable in decided)
