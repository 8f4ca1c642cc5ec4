"""The three passes: equal numbers that agree, composites that fit one person, and probabilities for the rest.

Everything is set-based in DuckDB; rules and thresholds are data (``data/rules/linkage/passes.toml``). A record is
decided once; a person of the civil register stands once in ``civil``; within a family of a register two different
people never become the same person.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache

import duckdb

from dtsen_core.collect.readers import Progress
from dtsen_core.integrate.link import deterministic, probable, review, tables
from dtsen_core.paths import RULES
from dtsen_core.registry.catalog import has

PASSES = ("exact", "composite", "probable", "decision", "review", "none")
"""How a record can end, in ``link_<source>.pass``."""


@lru_cache(maxsize=1)
def rules() -> dict:
    """The rule file as it stands."""
    return tomllib.loads((RULES / "linkage" / "passes.toml").read_text(encoding="utf-8"))


def link_registers(con: duckdb.DuckDBPyConnection, *, progress: Progress | None = None) -> None:
    """Link the records of the recipient registers to the persons of the civil register.

    Reads ``source_<kind>`` (as the readers make them, with ``_region``), ``source_<kind>_held`` where present
    and ``review_decision(pair_id, decision)`` where present. Makes ``civil`` and ``civil_alias`` (drops
    ``source_dukcapil``), ``link_regsosek``, ``link_dtks``, ``link_p3ke`` (one row per person record: file_id,
    line_from, held, record_nik, nik, kk, pass, probability and what the golden record needs) and
    ``review_pair``. Where ``quarantine`` has a column ``mended_by``, held records that were recognised are
    marked there. Same input, same result.
    """
    given = rules()
    told = progress or (lambda share: None)
    tables.write_names(con)
    told(0.15)
    tables.write_civil(con, given["civil"]["double_registration"])
    tables.write_records(con)
    told(0.4)
    deterministic.exact(con, given["exact"])
    told(0.5)
    deterministic.composites(con, given["composite"]["rule"])
    deterministic.families(con)
    deterministic.taken(con)
    told(0.65)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE link_chosen (rid UINTEGER, cid UINTEGER, pass VARCHAR, probability FLOAT)"
    )
    review.create(con)
    if probable.prepare(con, given["probable"]):
        fitted = probable.learn(con, given["probable"])
        told(0.75)
        if probable.block(con, given["probable"]["largest_block"]):
            probable.score(con, fitted, float(given["probable"]["beyond_birth"]))
            review.decide(con, given["probable"])
    told(0.95)
    _write(con)
    _drop(con)
    told(1.0)


DETAILS = {
    "regsosek": "m.id_register, m.status_hubungan_keluarga = 1 AS head, m.nomor_kartu_keluarga = c.kk AS same",
    "dtks": "coalesce(m.status_register = 'AKTIF', false) AS active, m.tanggal_pemutakhiran AS day, "
            "m.status_hubungan_keluarga = 1 AS head, m.nomor_kartu_keluarga = c.kk AS same, m.region_id",
    "p3ke": "m.tanggal_pemutakhiran AS day, m.region_id",
}  # fmt: skip
"""What the golden record asks of a linked record, besides who it is."""


def _write(con: duckdb.DuckDBPyConnection) -> None:
    """``link_<source>``, and the mark on held records that were recognised."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE link_end AS
        SELECT rid, cid, pass, 1.0::FLOAT AS probability FROM link_found
        UNION ALL SELECT rid, cid, pass, probability FROM link_chosen"""
    )
    for number, source in enumerate(tables.SOURCES):
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE link_{source} AS
            SELECT m.file_id, m.line_from, m.held, m.nomor_induk_kependudukan AS record_nik, c.nik, c.kk,
              coalesce(e.pass, 'none') AS pass, coalesce(e.probability, 0)::FLOAT AS probability, {DETAILS[source]}
            FROM {tables.delivered(con, source)} m
            JOIN link_record r ON r.source = {number} AND r.held = m.held AND r.file_id = m.file_id AND r.line_from =
              m.line_from
            LEFT JOIN link_end e USING (rid)
            LEFT JOIN link_civil l ON l.cid = e.cid LEFT JOIN link_civil k ON k.cid = l.person
            LEFT JOIN civil c ON c.nik = k.nik"""
        )
        if has(con, "quarantine", "mended_by"):
            kind = tables.PERSONS[source].removeprefix("source_")
            con.execute(
                f"""UPDATE quarantine SET mended_by = e.pass
                FROM (SELECT p.path, l.line_from, l.pass FROM link_{source} l JOIN ({review.paths(con, kind)}) p USING
                  (file_id)
                  WHERE held AND nik IS NOT NULL) e
                WHERE quarantine.source = '{kind}' AND quarantine.path = e.path AND quarantine.line_from =
                  e.line_from"""
            )


def _drop(con: duckdb.DuckDBPyConnection) -> None:
    for table in ("name", "record", "civil", "found", "left", "family", "taken", "open", "row", "side", "pair",
      "scored",
                  "weight", "train", "chosen", "end", "tf_name", "kin", "new"):  # fmt: skip
        con.execute(f"DROP TABLE IF EXISTS link_{table}")
    con.execute("DROP VIEW IF EXISTS link_all")
