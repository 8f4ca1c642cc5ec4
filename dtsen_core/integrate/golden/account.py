"""Nothing lost, nobody twice: what the golden record promises, checked on the tables themselves."""

from __future__ import annotations

import duckdb

from dtsen_core.errors import InternalError
from dtsen_core.integrate.golden.linked import PERSON_KIND, SOURCES
from dtsen_core.integrate.golden.reading import tables

LINES = """
SELECT f.path FROM ingest_file f LEFT JOIN (
  SELECT path, source, sum(len(lines)) AS lines FROM quarantine GROUP BY path, source) q
  ON q.path = f.path AND q.source = f.source
WHERE f.read <> f.header + f.blank + f.accepted + f.quarantined OR coalesce(q.lines, 0) <> f.quarantined
"""
PROMISES = {
    "a family card stands twice": "SELECT count(*) <> count(DISTINCT nomor_kartu_keluarga) FROM keluarga",
    "a person stands twice": "SELECT count(*) <> count(DISTINCT nomor_induk_kependudukan) FROM anggota",
    "members are missing or too many": """SELECT (SELECT count(*) FROM anggota)
        <> (SELECT coalesce(sum(jumlah_anggota_keluarga), 0) FROM keluarga)""",
}


def check_lines(con: duckdb.DuckDBPyConnection) -> None:
    """InternalError if a physical line of any file is unaccounted for."""
    wrong = con.execute(LINES).fetchall()
    if wrong:
        raise InternalError(f"lines unaccounted for in {', '.join(path for (path,) in wrong)}")


def check_people(con: duckdb.DuckDBPyConnection) -> None:
    """InternalError if a family card or a person stands twice, or a card's members are not all there."""
    for problem, query in PROMISES.items():
        if con.execute(query).fetchall()[0][0]:
            raise InternalError(problem)


def check_links(con: duckdb.DuckDBPyConnection) -> None:
    """InternalError if a record of a register has no outcome of linkage, or more than one."""
    for source in SOURCES:
        records = sum(
            con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
            for table in tables(con, PERSON_KIND[source])
        )
        links, once = con.execute(
            f"SELECT count(*), count(DISTINCT (file_id, line_from)) FROM link_{source}"
        ).fetchall()[0]
        if not records == links == once:
            raise InternalError(f"{source}: {records} records, {links} outcomes of linkage for {once} of them")
