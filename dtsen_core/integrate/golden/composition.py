"""Who belongs to a family, by dated evidence; and how right that is, against the simulation's truth.

The civil register says on which card a person stands and, where it is dated, since when that card is as it is. A
register that recorded the family later may name another card. People are moved to it if two statements agree, of two
persons or of two registers, and none as new says that nothing changed: one alone may be a slip of a number, and as two
may slip alike, a card that the civil register does not have must have a head. A card that everyone who is heard of
leaves for the same existing one is closed, and who was not heard of goes with them. Of a civil register without dates
nothing is moved.
"""

from __future__ import annotations

import duckdb

from dtsen_core.integrate.golden.linked import PERSON_KIND, SOURCES
from dtsen_core.integrate.golden.reading import records
from dtsen_core.registry.catalog import has

HEAD, OTHER_RELATIVE = 1, 8
"""Relations to the head of the card; the second for someone of whom no record says what he is on the new one."""
AGREE = 2
"""So many statements, of different persons or registers, move people to another card."""

# What a register says of the card of a linked person, from the record `s` and its link `l`.
DAY = {"regsosek": "f.day", "dtks": "l.day", "p3ke": "l.day"}
RELATION = {"regsosek": "s.status_hubungan_keluarga", "dtks": "s.status_hubungan_keluarga", "p3ke": f"{HEAD}"}


def settle(con: duckdb.DuckDBPyConnection) -> None:
    """Move people in ``civil`` and in ``link_<source>`` to the card that newer records agree on.

    Makes the temporary table ``card_moved``, one row per person moved: nik, `card` and `relation_before` as the civil
    register has them, `kk` and `relation` now, and the register that says so.
    """
    con.execute(
        """CREATE OR REPLACE TEMP TABLE card_moved (nik VARCHAR, card VARCHAR, kk VARCHAR, relation UTINYINT,
          relation_before UTINYINT, source VARCHAR)"""
    )
    if not _dated(con):
        return
    _doubted(con)
    if con.execute("SELECT count(*) FROM card_doubt").fetchall()[0][0]:
        _heard(con)
        _move(con)
        _apply(con)
        con.execute("DROP TABLE card_statement")
    con.execute("DROP TABLE card_doubt")


def _dated(con: duckdb.DuckDBPyConnection) -> bool:
    """Does the civil register say of any card since when it is as it is?"""
    if not has(con, "civil", "tanggal_ubah_kartu"):
        return False
    return bool(con.execute("SELECT count(tanggal_ubah_kartu) FROM civil").fetchall()[0][0])


def _statements(con: duckdb.DuckDBPyConnection, only: str) -> str:
    """SQL: every statement of a register about the card of a person, where the condition `only` holds."""
    met = f"""JOIN (SELECT id_register, max(tanggal_pemutakhiran) AS day FROM {records(con, "regsosek_keluarga")}
      GROUP BY id_register) f ON f.id_register = l.id_register"""
    return " UNION ALL ".join(
        f"""SELECT '{source}' AS source, l.nik, l.kk AS card, s.nomor_kartu_keluarga AS named,
          {RELATION[source]}::UTINYINT AS relation, {DAY[source]} AS day, l.file_id, l.line_from
        FROM link_{source} l JOIN {records(con, PERSON_KIND[source])} s USING (file_id, line_from)
        {met if source == "regsosek" else ""}
        WHERE l.nik IS NOT NULL AND {only}"""
        for source in SOURCES
    )


def _doubted(con: duckdb.DuckDBPyConnection) -> None:
    """``card_doubt(card, changed, named)``: cards since whose last change enough statements name another one."""
    other = "s.nomor_kartu_keluarga <> l.kk AND regexp_full_match(s.nomor_kartu_keluarga, '[1-9][0-9]{15}')"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE card_doubt AS
        WITH dated AS (
          SELECT kk AS card, max(tanggal_ubah_kartu) AS changed FROM civil GROUP BY kk
        ), newer AS (
          SELECT * FROM ({_statements(con, other)}) JOIN dated USING (card) WHERE day > changed
        )
        SELECT card, any_value(changed) AS changed, named FROM newer
        GROUP BY card, named HAVING count(DISTINCT (source, nik)) >= {AGREE}
          AND (bool_or(relation = {HEAD}) OR named IN (SELECT card FROM dated))"""
    )


def _heard(con: duckdb.DuckDBPyConnection) -> None:
    """``card_statement``: what newer records say of everyone on the doubted cards, that it is their card or one of
    those that several name."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE card_statement AS
        SELECT t.* FROM ({_statements(con, "l.kk IN (SELECT card FROM card_doubt)")}) t
        JOIN (SELECT DISTINCT card, changed FROM card_doubt) USING (card)
        WHERE day > changed AND (named = card OR (card, named) IN (SELECT (card, named) FROM card_doubt))"""
    )


def _move(con: duckdb.DuckDBPyConnection) -> None:
    """Fill ``card_moved``: each person goes by the newest statement, of two as new by the one for the card it has."""
    con.execute(
        f"""INSERT INTO card_moved
        WITH newest AS (
          SELECT * FROM card_statement QUALIFY row_number() OVER (PARTITION BY nik ORDER BY day DESC, named = card DESC,
            source, file_id, line_from) = 1
        ), agreed AS (
          SELECT card, named FROM card_statement s SEMI JOIN newest n ON n.nik = s.nik AND n.named = s.named
          WHERE named <> card GROUP BY card, named HAVING count(DISTINCT (source, nik)) >= {AGREE}
        ), leaving AS (
          SELECT * FROM newest SEMI JOIN agreed USING (card, named)
        ), closed AS (
          SELECT card, min(named) AS named, min(source) AS source FROM newest GROUP BY card
          HAVING count(DISTINCT named) = 1 AND min(named) IN (SELECT kk FROM civil)
        ), going AS (
          SELECT nik, card, named, relation, source FROM leaving
          UNION ALL
          SELECT c.nik, c.kk, d.named, NULL, d.source
          FROM civil c JOIN closed d ON d.card = c.kk SEMI JOIN agreed a ON a.card = d.card AND a.named = d.named
          WHERE c.nik NOT IN (SELECT nik FROM newest)
        )
        SELECT nik, card, named, coalesce(g.relation, {OTHER_RELATIVE}), c.status_hubungan_keluarga, source
        FROM going g JOIN civil c USING (nik)"""
    )


def _apply(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """UPDATE civil SET kk = m.kk, status_hubungan_keluarga = m.relation
        FROM card_moved m WHERE m.nik = civil.nik"""
    )
    for source in SOURCES:
        told = f"link_{source}"
        same = ", same = t.same" if has(con, told, "same") else ""
        con.execute(
            f"""UPDATE {told} SET kk = t.kk{same} FROM (
              SELECT l.file_id, l.line_from, m.kk, s.nomor_kartu_keluarga = m.kk AS same
              FROM {told} l JOIN card_moved m USING (nik)
              JOIN {records(con, PERSON_KIND[source])} s ON s.file_id = l.file_id AND s.line_from = l.line_from) t
            WHERE t.file_id = {told}.file_id AND t.line_from = {told}.line_from"""
        )


def measure(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``family_quality(province, kind, families, card, exact, whole)``; without a truth nothing is made.

    Counted are the true families of which someone stands in the golden record, by what happened to them (`kind`:
    *unchanged*, *joined*, *split*): those that are together, and nobody else with them, on their card of the civil
    register as it was handed over (`card`) and in the golden record (`exact`), as far as they stand in the civil
    register; and those of whom, besides, everyone stands there (`whole`). Needs ``quality_person`` (`link.evaluate`).
    """
    if not has(con, "truth_event") or not has(con, "quality_person"):
        return
    con.execute(
        """CREATE OR REPLACE TABLE family_quality AS
        WITH handed_over AS (
          SELECT c.nik, coalesce(m.card, c.kk) AS card FROM civil c LEFT JOIN card_moved m USING (nik)
        ), number AS (
          SELECT s.id_keluarga AS family, q.person, h.card, a.id_keluarga AS golden
          FROM quality_person q JOIN sim_anggota s ON s.id_anggota = q.person JOIN handed_over h ON h.nik = q.nik
          LEFT JOIN anggota a ON a.nomor_induk_kependudukan = q.nik
        ), family AS (
          SELECT family, count(DISTINCT person) AS registered, count(DISTINCT card) AS cards, any_value(card) AS card,
            count(golden) AS placed, count(DISTINCT golden) AS goldens, any_value(golden) AS golden
          FROM number GROUP BY family HAVING count(golden) > 0
        ), judged AS (
          SELECT k.province, coalesce(e.kind, 'unchanged') AS kind, f.cards = 1 AND c.people = f.registered AS card,
            f.goldens = 1 AND f.placed = f.registered AND g.people = f.registered AS exact,
            f.registered = t.people AS complete
          FROM family f JOIN sim_keluarga k ON k.id_keluarga = f.family
          JOIN (SELECT id_keluarga, count(*) AS people FROM sim_anggota GROUP BY id_keluarga) t
            ON t.id_keluarga = f.family
          LEFT JOIN truth_event e ON e.sim_id_keluarga = f.family
          LEFT JOIN (SELECT card, count(*) AS people FROM handed_over GROUP BY card) c ON c.card = f.card
          LEFT JOIN (SELECT id_keluarga AS golden, count(*) AS people FROM anggota GROUP BY 1) g USING (golden)
        )
        SELECT province, kind, count(*) AS families, count(*) FILTER (card) AS card, count(*) FILTER (exact) AS exact,
          count(*) FILTER (exact AND complete) AS whole
        FROM judged GROUP BY ALL ORDER BY ALL"""
    )
