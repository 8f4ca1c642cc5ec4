"""What the services know of families that stand: electricity, health insurance, programme payments.

They make no families and no persons. A record counts if its NIK (PLN also: its customer number) is known;
what it says replaces the golden value, and the value replaced is kept in ``losing_value``. Later deliveries
go before earlier ones.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from typing import Any

import duckdb

from dtsen_core.integrate.survivorship import rules
from dtsen_core.paths import RULES

SERVICES = ("pln", "bpjs", "programme")
REASON = "service"
NEWEST = "QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY file_id DESC, line_from DESC) = 1"


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """The words of the services' files, as in the rule file."""
    return tomllib.loads((RULES / "sources" / "service_words.toml").read_text(encoding="utf-8"))


def _plain(column: str) -> str:
    return f"regexp_replace(lower(coalesce({column}, '')), '[^a-z0-9]', '', 'g')"


def _meanings(con: duckdb.DuckDBPyConnection, part: str) -> None:
    """``meaning(word, means)`` from one table of the rule file."""
    con.execute("CREATE OR REPLACE TEMP TABLE meaning (word VARCHAR, means VARCHAR)")
    pairs = [[word, key] for key, listed in words()[part].items() for word in listed]
    con.executemany("INSERT INTO meaning VALUES (?, ?)", pairs)


def _in_force(service: str, column: str) -> str:
    """SQL: the record is not one that has ended."""
    ended = " OR ".join(f"starts_with({_plain(column)}, '{word}')" for word in words()["ended"][service])
    return f"NOT ({ended})"


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
    """Customer number and power class, by customer number, else by NIK. The power class only where the family
    has its own meter: elsewhere the question does not apply."""
    steps = sorted(words()["power"], key=lambda step: step["up_to"])
    power = " ".join(f"WHEN p.daya_va <= {int(step['up_to'])} THEN {int(step['code'])}" for step in steps)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE meter AS
        SELECT p.file_id, p.line_from, p.id_pelanggan_pln, CASE {power} END::UTINYINT AS daya_terpasang,
          coalesce(k.id_keluarga, a.id_keluarga) AS id_keluarga
        FROM source_pln p
        LEFT JOIN (SELECT id_pelanggan_pln, min(id_keluarga) AS id_keluarga FROM keluarga
          WHERE id_pelanggan_pln IS NOT NULL GROUP BY 1 HAVING count(*) = 1) k USING (id_pelanggan_pln)
        LEFT JOIN anggota a ON a.nomor_induk_kependudukan = p.nomor_induk_kependudukan
        WHERE {_in_force("pln", "p.status_pelanggan")}"""
    )
    con.execute(f"""CREATE OR REPLACE TEMP TABLE told AS SELECT * FROM meter
        WHERE id_keluarga IS NOT NULL {NEWEST.format(key="id_keluarga")}""")
    _note_records(con, "pln", "keluarga")
    _replace(con, "pln", "keluarga", ("id_pelanggan_pln",))
    _replace(con, "pln", "keluarga", ("daya_terpasang",), "coalesce(g.sumber_penerangan_utama, 1) = 1")
    found = _matched(con, "SELECT (SELECT count(*) FROM source_pln), count(id_keluarga) FROM meter")
    con.execute("DROP TABLE told")
    con.execute("DROP TABLE meter")
    return found


def _bpjs(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Who pays the contribution of a person; the family flags follow from the members."""
    _meanings(con, "segments")
    active = _in_force("bpjs", "b.status_kepesertaan")
    flags = ", ".join(
        f"CASE WHEN {active} AND m.means IS NOT DISTINCT FROM '{name}' THEN 1 ELSE 2 END::UTINYINT AS {name}"
        for name in ("pbi_nas", "pbi_pemda")
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE told AS
        SELECT a.id_anggota, b.file_id, b.line_from, {flags}
        FROM source_bpjs b JOIN anggota a USING (nomor_induk_kependudukan)
        LEFT JOIN meaning m ON m.word = {_plain("b.segmen")} {NEWEST.format(key="a.id_anggota")}"""
    )
    _note_records(con, "bpjs", "anggota")
    _replace(con, "bpjs", "anggota", ("pbi_nas", "pbi_pemda"))
    con.execute("DROP TABLE told")
    con.execute("DROP TABLE meaning")
    return _matched(con, """SELECT count(*), count(a.id_anggota)
        FROM source_bpjs b LEFT JOIN anggota a USING (nomor_induk_kependudukan)""")


def _programme(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """``enrolment``: one row per family, programme and quarter; the recipient by NIK, else by family card.

    The quarter is the number in the stage and the year beside it ("Triwulan III 2025", "2025Q3", stage 3 of
    2025), else that of the day of payment.
    """
    _meanings(con, "programmes")
    romans = "regexp_replace(upper(p.tahap), '20[0-9]{2}', ' ')"
    for roman, number in (("IV", 4), ("III", 3), ("II", 2), ("I", 1)):
        romans = f"regexp_replace({romans}, '\\b{roman}\\b', '{number}', 'g')"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE payment AS
        WITH read AS (
          SELECT p.*, {_plain("p.program")} AS word,
            coalesce(nullif(regexp_extract(p.tahap, '(20[0-9]{{2}})', 1), ''), p.tahun::VARCHAR,
              year(p.tanggal_penyaluran)::VARCHAR) AS of_year,
            coalesce(nullif(regexp_extract({romans}, '(?:^|[^0-9])0?([1-4])(?:[^0-9]|$)', 1), ''),
              quarter(p.tanggal_penyaluran)::VARCHAR) AS part
          FROM source_programme p WHERE {_in_force("programme", "p.status_penyaluran")}
        )
        SELECT coalesce(a.id_keluarga, k.id_keluarga) AS id_keluarga, a.id_anggota, m.means AS program, r.file_id,
          r.line_from, r.nilai_bantuan AS amount, of_year || 'Q' || part AS quarter
        FROM read r LEFT JOIN anggota a USING (nomor_induk_kependudukan)
        LEFT JOIN keluarga k ON k.nomor_kartu_keluarga = r.nomor_kartu_keluarga
        LEFT JOIN meaning m USING (word)"""
    )
    known = "id_keluarga IS NOT NULL AND program IS NOT NULL AND quarter IS NOT NULL"
    con.execute(
        f"""CREATE OR REPLACE TABLE enrolment AS
        WITH once AS (
          SELECT * FROM payment WHERE {known}
          QUALIFY row_number() OVER (PARTITION BY id_keluarga, id_anggota, program, quarter
            ORDER BY file_id DESC, line_from DESC) = 1
        )
        SELECT id_keluarga, program, quarter, least(count(*), 255)::UTINYINT AS persons, sum(amount)::DOUBLE AS amount
        FROM once GROUP BY ALL ORDER BY ALL"""
    )
    found = _matched(con, f"SELECT (SELECT count(*) FROM source_programme), count(*) FILTER ({known}) FROM payment")
    con.execute("DROP TABLE payment")
    con.execute("DROP TABLE meaning")
    return found


def _note_records(con: duckdb.DuckDBPyConnection, service: str, set_name: str) -> None:
    """The records behind ``told`` join the trace."""
    if set_name == "keluarga":
        con.execute(
            f"""INSERT INTO source_record
            SELECT t.id_keluarga, '{service}', f.path_id, t.line_from, NULL::DATE, true, false
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
