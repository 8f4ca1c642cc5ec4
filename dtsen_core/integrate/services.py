"""What the services know of families that stand: electricity, health insurance, programme payments.

They make no families and no persons. A record counts if its NIK (PLN also: its customer number) is known;
what it says replaces the golden value, and the value replaced is kept in ``losing_value``. Later deliveries
go before earlier ones.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache

import duckdb

from dtsen_core.integrate.survivorship import rules
from dtsen_core.paths import RULES

SERVICES = ("pln", "bpjs", "programme")
REASON = "service"
NEWEST = "QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY file_id DESC, line_from DESC) = 1"


@lru_cache(maxsize=1)
def programme_names() -> dict[str, str]:
    """Name as written in payment lists (letters and digits, lower case) → programme."""
    raw = tomllib.loads((RULES / "sources" / "programme_names.toml").read_text(encoding="utf-8"))
    return {name: key for key, names in raw["names"].items() for name in names}


def apply(con: duckdb.DuckDBPyConnection, service: str) -> dict[str, int]:
    """Apply ``source_<service>`` to the families in `con`; returns ``{"records": …, "matched": …}``."""
    return {"pln": _pln, "bpjs": _bpjs, "programme": _programme}[service](con)


def _replace(
    con: duckdb.DuckDBPyConnection, service: str, set_name: str, variables: tuple[str, ...], condition: str = "true"
) -> None:
    """Take `variables` of ``told`` (id, file_id, line_from and the variables) over into the golden record."""
    key = "id_keluarga" if set_name == "keluarga" else "id_anggota"
    origin = "family_origin" if set_name == "keluarga" else "member_origin"
    person = "NULL::BIGINT" if set_name == "keluarga" else "g.id_anggota"
    code = rules().codes[service]
    for name in variables:
        con.execute(
            f"""INSERT INTO losing_value
            SELECT g.id_keluarga, {person}, '{name}', s.source, r.path_id, r.line_from, g."{name}"::VARCHAR, '{REASON}'
            FROM told t JOIN {set_name} g USING ({key}) JOIN {origin} o USING ({key})
            JOIN origin_source s ON s.code = o."{name}"
            JOIN {"source_record" if set_name == "keluarga" else "person_record"} r
              ON r.{key} = g.{key} AND r.source = s.source AND r.chosen
            WHERE t."{name}" IS NOT NULL AND g."{name}" IS NOT NULL AND g."{name}" <> t."{name}" AND {condition}
            ORDER BY ALL"""
        )
        con.execute(
            f"""UPDATE {origin} AS o SET "{name}" = {code} FROM told t JOIN {set_name} g USING ({key})
            WHERE o.{key} = t.{key} AND t."{name}" IS NOT NULL AND {condition}"""
        )
        con.execute(
            f"""UPDATE {set_name} AS g SET "{name}" = t."{name}" FROM told t
            WHERE g.{key} = t.{key} AND t."{name}" IS NOT NULL AND {condition}"""
        )


def _pln(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Customer number and power class. The power class only where the family has its own meter: elsewhere
    the question does not apply."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE told AS
        WITH found AS (
          SELECT coalesce(k.id_keluarga, a.id_keluarga) AS id_keluarga, p.file_id, p.line_from, p.id_pelanggan_pln,
            p.daya_terpasang
          FROM source_pln p
          LEFT JOIN (SELECT id_pelanggan_pln, min(id_keluarga) AS id_keluarga FROM keluarga
            WHERE id_pelanggan_pln IS NOT NULL GROUP BY 1 HAVING count(*) = 1) k USING (id_pelanggan_pln)
          LEFT JOIN anggota a ON a.nomor_induk_kependudukan = p.nomor_induk_kependudukan
        )
        SELECT * FROM found WHERE id_keluarga IS NOT NULL {NEWEST.format(key="id_keluarga")}"""
    )
    _note_records(con, "pln", "keluarga")
    _replace(con, "pln", "keluarga", ("id_pelanggan_pln",))
    _replace(con, "pln", "keluarga", ("daya_terpasang",), "coalesce(g.sumber_penerangan_utama, 1) = 1")
    con.execute("DROP TABLE told")
    return _matched(con, """SELECT count(*), count(*) FILTER (
          p.id_pelanggan_pln IN (SELECT id_pelanggan_pln FROM keluarga)
          OR p.nomor_induk_kependudukan IN (SELECT nomor_induk_kependudukan FROM anggota)) FROM source_pln p""")


def _bpjs(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Who pays the contribution of a person; the family flags follow from the members."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE told AS
        SELECT a.id_anggota, b.file_id, b.line_from, b.pbi_nas, b.pbi_pemda
        FROM source_bpjs b JOIN anggota a USING (nomor_induk_kependudukan) {NEWEST.format(key="a.id_anggota")}"""
    )
    _note_records(con, "bpjs", "anggota")
    _replace(con, "bpjs", "anggota", ("pbi_nas", "pbi_pemda"))
    con.execute("DROP TABLE told")
    return _matched(con, """SELECT count(*), count(a.id_anggota)
        FROM source_bpjs b LEFT JOIN anggota a USING (nomor_induk_kependudukan)""")


def _programme(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """``enrolment``: one row per family, programme and quarter; ``unknown_programme``: names nobody knows."""
    con.execute("CREATE OR REPLACE TEMP TABLE programme_name (name VARCHAR, program VARCHAR)")
    con.executemany("INSERT INTO programme_name VALUES (?, ?)", [list(pair) for pair in programme_names().items()])
    # "2025Q3", "2025 TW 3", "Triwulan III 2025", "3/2025": a year and a number from 1 to 4, in either order.
    con.execute(
        """CREATE OR REPLACE TEMP TABLE payment AS
        WITH read AS (
          SELECT p.*, regexp_replace(lower(program), '[^a-z0-9]', '', 'g') AS name,
            regexp_extract(quarter, '(20[0-9]{2})', 1) AS year,
            regexp_extract(regexp_replace(regexp_replace(regexp_replace(regexp_replace(upper(quarter),
              '20[0-9]{2}', ' '), '\\bIV\\b', '4'), '\\bIII\\b', '3'), '\\bII\\b', '2'), '([1-4])', 1) AS part,
            regexp_matches(upper(quarter), '\\bI\\b') AS first
          FROM source_programme p
        )
        SELECT a.id_keluarga, a.id_anggota, n.program, r.name, r.file_id, r.line_from, r.amount,
          CASE WHEN year <> '' AND (part <> '' OR first) THEN year || 'Q' || CASE WHEN part <> '' THEN part ELSE '1' END
          END AS quarter
        FROM read r LEFT JOIN anggota a USING (nomor_induk_kependudukan) LEFT JOIN programme_name n USING (name)"""
    )
    con.execute(
        """CREATE OR REPLACE TABLE enrolment AS
        WITH once AS (
          SELECT * FROM payment WHERE id_keluarga IS NOT NULL AND program IS NOT NULL AND quarter IS NOT NULL
          QUALIFY row_number() OVER (PARTITION BY id_anggota, program, quarter
            ORDER BY file_id DESC, line_from DESC) = 1
        )
        SELECT id_keluarga, program, quarter, least(count(*), 255)::UTINYINT AS persons, sum(amount)::DOUBLE AS amount
        FROM once GROUP BY ALL ORDER BY ALL"""
    )
    found = _matched(con, "SELECT count(*), count(*) FILTER (id_keluarga IS NOT NULL AND program IS NOT NULL "
                          "AND quarter IS NOT NULL) FROM payment")
    con.execute("DROP TABLE payment")
    con.execute("DROP TABLE programme_name")
    return found


def _note_records(con: duckdb.DuckDBPyConnection, service: str, set_name: str) -> None:
    """The records behind ``told`` join the trace."""
    if set_name == "keluarga":
        con.execute(
            f"""INSERT INTO source_record
            SELECT t.id_keluarga, '{service}', f.path_id, t.line_from, NULL::DATE, true
            FROM told t JOIN source_file f ON f.source = '{service}' AND f.file_id = t.file_id ORDER BY ALL"""
        )
    else:
        con.execute(
            f"""INSERT INTO person_record
            SELECT t.id_anggota, '{service}', f.path_id, t.line_from, 'exact', 1::FLOAT, true
            FROM told t JOIN source_file f ON f.source = '{service}' AND f.file_id = t.file_id ORDER BY ALL"""
        )


def _matched(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, int]:
    records, matched = con.execute(query).fetchall()[0]
    return {"records": int(records), "matched": int(matched)}
