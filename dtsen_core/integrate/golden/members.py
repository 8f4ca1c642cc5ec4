"""``anggota``: every person of the civil register on a card of ``keluarga``, once, with the answers of the
registers that asked them."""

from __future__ import annotations

import duckdb

from dtsen_core.collect.layouts import layout
from dtsen_core.integrate.golden.families import CIVIL, listed
from dtsen_core.integrate.golden.linked import PERSON_KIND, SOURCES
from dtsen_core.integrate.golden.reading import records
from dtsen_core.integrate.survivorship import TRACED, rules
from dtsen_core.registry import ddl

CIVIL_NAMES = {
    "nomor_induk_kependudukan": "c.nik", "nomor_kartu_keluarga": "c.kk",
    "kode_provinsi_ktp": "left(c.code, 2)", "kode_kabupaten_kota_ktp": "left(c.code, 4)",
    "kode_kecamatan_ktp": "left(c.code, 6)", "kode_kelurahan_desa_ktp": "c.code",
}  # fmt: skip


def write(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``anggota``, ``member_origin`` and ``person_record``.

    Leaves the temporary table ``person`` (``anggota`` with ``o_<decision>``) for `losers`.
    """
    for source in SOURCES:
        _best(con, source)
    _person(con)
    _trace(con)
    for source in SOURCES:
        con.execute(f"DROP TABLE best_{source}")


def asking() -> tuple[str, ...]:
    """Registers that asked persons, in the declared order."""
    return tuple(source for source in rules().order if source != "p3ke")


def given(source: str) -> list[str]:
    """Member variables of the rules, identity apart, that records of `source` can give."""
    has_columns = {column.name for column in layout(PERSON_KIND[source]).columns}
    return [v for g in rules().of("anggota", "recency", "priority") for v in g.variables if v in has_columns]


def _best(con: duckdb.DuckDBPyConnection, source: str) -> None:
    """``best_<source>``: per person one record; one that also agrees on the card goes before one that only
    shares the number."""
    order = {"regsosek": "same DESC NULLS LAST, ", "dtks": "same DESC NULLS LAST, active DESC, day DESC NULLS LAST, ",
             "p3ke": "day DESC NULLS LAST, "}[source]  # fmt: skip
    rows, niks = con.execute(
        f"SELECT count(*), count(DISTINCT nik) FROM link_{source} WHERE nik IS NOT NULL"
    ).fetchall()[0]
    first = "" if rows == niks else (
        f"QUALIFY row_number() OVER (PARTITION BY nik ORDER BY {order}probability DESC, file_id, line_from) = 1"
    )  # fmt: skip
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE best_{source} AS
        SELECT nik, file_id, line_from FROM link_{source} WHERE nik IS NOT NULL {first}"""
    )


def _person(con: duckdb.DuckDBPyConnection) -> None:
    declared = rules()
    known = {source: set(given(source)) for source in asking()}
    given_by: dict[str, str] = {}
    origins = []
    for group in declared.of("anggota", "recency", "priority"):
        for lead, decided in group.decisions():
            able = [source for source in asking() if lead in known[source]]
            standings = [
                f"CASE WHEN {s}.{lead} IS NOT NULL THEN {declared.standing('priority', s, '')} END" for s in able
            ]
            best = f"greatest({', '.join(standings)})" if len(standings) > 1 else standings[0]
            origins.append(f"{declared.winner(best)} AS o_{lead}")
            for name in decided:
                cases = " ".join(f"WHEN {declared.codes[s]} THEN {s}.{name}" for s in able if name in known[s])
                given_by[name] = f"CASE o_{lead} {cases} END"
    for group in declared.of("anggota", "authority", "dated"):
        given_by |= {name: f"c.{name}" for name in group.variables}
    told = " ".join(f"WHEN '{source}' THEN {code}" for source, code in declared.codes.items())
    moved = f"CASE m.source {told} ELSE {declared.codes[CIVIL]} END"
    origins.append(f"{moved}::UTINYINT AS o_nomor_kartu_keluarga")
    given_by |= CIVIL_NAMES | {"id_keluarga": "k.id_keluarga", "id_anggota": "k.id_anggota"}
    joins = " ".join(
        f"""LEFT JOIN (SELECT b.nik, {", ".join(f"s.{name}" for name in given(source))}
          FROM best_{source} b JOIN {records(con, PERSON_KIND[source])} s USING (file_id, line_from)) AS {source}
        ON {source}.nik = c.nik"""
        for source in asking()
    )
    # Numbers are given over narrow rows: sorting the whole answers would cost more than all the joins.
    con.execute(
        """CREATE OR REPLACE TEMP TABLE person_key AS
        SELECT row_number() OVER () - 1 AS id_anggota, * FROM (
          SELECT c.nik, k.id_keluarga FROM civil c JOIN keluarga k ON k.nomor_kartu_keluarga = c.kk
          ORDER BY k.id_keluarga, c.status_hubungan_keluarga, c.nik)"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE person AS
        SELECT {", ".join(origins)}, c.file_id, c.line_from, {listed("anggota", given_by)}
        FROM person_key k JOIN civil c USING (nik) LEFT JOIN card_moved m USING (nik) {joins}"""
    )
    con.execute("DROP TABLE person_key")
    con.execute("DROP TABLE IF EXISTS anggota")
    con.execute(ddl.create_table("anggota"))
    columns = ", ".join(f'"{name}"' for name, _ in ddl.columns("anggota"))
    con.execute(f"INSERT INTO anggota SELECT {columns} FROM person ORDER BY id_anggota")


def _trace(con: duckdb.DuckDBPyConnection) -> None:
    """``member_origin`` and ``person_record``, by person."""
    columns = [
        f"o_{lead} AS {name}" for group in rules().of("anggota", *TRACED)
        for lead, decided in group.decisions() for name in decided
    ]  # fmt: skip
    con.execute(
        f"""CREATE OR REPLACE TABLE member_origin AS
        SELECT id_anggota, {", ".join(columns)} FROM person ORDER BY id_anggota"""
    )
    parts = [
        """SELECT id_anggota, 'dukcapil' AS source, 'dukcapil' AS kind, file_id, line_from, 'civil' AS pass,
          1::FLOAT AS probability, true AS chosen FROM person"""
    ]
    parts += [
        f"""SELECT p.id_anggota, '{source}', '{PERSON_KIND[source]}', l.file_id, l.line_from, l.pass, l.probability,
          b.nik IS NOT NULL
        FROM link_{source} l JOIN person p ON p.nomor_induk_kependudukan = l.nik
        LEFT JOIN best_{source} b ON b.nik = l.nik AND b.file_id = l.file_id AND b.line_from = l.line_from"""
        for source in SOURCES
    ]
    con.execute(
        f"""CREATE OR REPLACE TABLE person_record AS
        SELECT r.id_anggota, r.source, f.path_id, r.line_from, r.pass, r.probability, r.chosen
        FROM ({" UNION ALL ".join(parts)}) r
        JOIN source_file f ON f.source = r.kind AND f.file_id = r.file_id"""
    )
