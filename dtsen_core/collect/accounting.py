"""Where every physical line of every file went: ``ingest_file``, ``quarantine``, ``joined_record``.

The one rule: read = header + blank + lines of accepted records + quarantined lines. Later steps (matching,
merging) never change these counts; ``quarantine.mended_by`` notes whom linkage recognised after all, and which
records came in again corrected (`corrections`).

A quarantined record stands there once, with its ``raw`` lines, its main reason (``reason``, ``detail``: the one it is
counted under) and every reason that can be known of it: ``reasons`` and, beside each, ``details`` (what stands in the
record). ``warnings`` are no reasons: they would not have set it aside. Where ``checked`` is false the line could not
be split into fields, so the rules over fields were not run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from dtsen_core.collect import corrections, raw_lines
from dtsen_core.collect.repair import Reject
from dtsen_core.errors import InternalError

TABLES = """
CREATE TABLE IF NOT EXISTS ingest_file (
  path VARCHAR, source VARCHAR, read BIGINT, header BIGINT, blank BIGINT, accepted BIGINT,
  quarantined BIGINT, encoding VARCHAR, delimiter VARCHAR, code_system VARCHAR, missing_columns VARCHAR[],
  column_names VARCHAR[]);
CREATE TABLE IF NOT EXISTS quarantine (
  path VARCHAR, source VARCHAR, line_from BIGINT, lines INTEGER[], reason VARCHAR, detail VARCHAR,
  reasons VARCHAR[], details VARCHAR[], warnings VARCHAR[], checked BOOLEAN, raw VARCHAR, mended_by VARCHAR);
CREATE TABLE IF NOT EXISTS joined_record (path VARCHAR, source VARCHAR, line_from BIGINT, lines INTEGER[]);
"""
FAULT = """
CREATE OR REPLACE TEMP TABLE fault (file_id UTINYINT, line_from UINTEGER, step UTINYINT, rank SMALLINT,
  reason VARCHAR, detail VARCHAR, variable VARCHAR);
"""
"""Every reason against a record of the source that is being read, one row each; by step and rank, the first one is
the main reason. `variable` is the column that could not be read."""
CELL, PLACE, RULE, CHECK = range(4)
"""Steps of `FAULT`: damaged cells and unknown values, unknown places, rules of identity, checks on other records."""
DAMAGED = "karakter_rusak"
MAIN, EVERY = "[reason]", "list_distinct(reasons)"
"""Reasons of a record in ``quarantine``: the one it is counted under, and all of them."""
REJECTED = pa.schema([
    ("line_from", pa.int64()), ("lines", pa.list_(pa.int32())), ("reason", pa.string()), ("detail", pa.string()),
])  # fmt: skip
UNSOUND = """
SELECT count(*) FROM (
  SELECT line_from FROM quarantine WHERE path = $path AND source = $source
  GROUP BY line_from HAVING count(*) > 1 OR bool_or(reason IS DISTINCT FROM reasons[1] OR len(lines) = 0
    OR len(reasons) IS DISTINCT FROM len(details))
  UNION ALL
  SELECT q.line_from FROM quarantine q SEMI JOIN {table} t ON t.line_from = q.line_from AND t.file_id = $file
  WHERE q.path = $path AND q.source = $source)
"""
"""Records of a file in quarantine that stand there twice, lack their reason, or were accepted all the same."""


@dataclass
class FileCount:
    """The account of one file, in physical lines. `reasons` counts quarantined lines by their main reason and sums to
    them; `every_reason` counts a line under each of its reasons."""

    path: str
    source: str
    encoding: str
    delimiter: str
    read: int = 0
    header: int = 0
    blank: int = 0
    accepted: int = 0
    quarantined: int = 0
    code_system: str = ""
    column_names: tuple[str, ...] = ()
    bare_cr: bool = False
    missing_columns: tuple[str, ...] = ()
    reasons: dict[str, int] = field(default_factory=dict)
    every_reason: dict[str, int] = field(default_factory=dict)

    def report(self) -> dict[str, object]:
        """As the command line prints it."""
        return {
            "path": self.path, "source": self.source, "read": self.read, "header": self.header,
            "blank": self.blank, "accepted": self.accepted, "quarantined": self.quarantined,
            "reasons": dict(self.reasons), "every_reason": dict(self.every_reason),
            "encoding": self.encoding, "delimiter": self.delimiter,
            "code_system": self.code_system, "missing_columns": list(self.missing_columns),
        }  # fmt: skip


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(TABLES + corrections.TABLE)


def add_rejects(con: duckdb.DuckDBPyConnection, path: str, source: str, rejects: list[Reject]) -> None:
    if not rejects:
        return
    rows = pa.table([
        pa.array([r.lines[0] for r in rejects], pa.int64()),
        pa.array([r.lines for r in rejects], pa.list_(pa.int32())),
        pa.array([r.reason for r in rejects]),
        pa.array([r.detail for r in rejects]),
    ], schema=REJECTED)  # fmt: skip
    con.register("rejected_rows", rows)
    con.execute(
        """INSERT INTO quarantine BY NAME
        SELECT ? AS path, ? AS source, line_from, lines, reason, detail, [reason] AS reasons, [detail] AS details,
          []::VARCHAR[] AS warnings, false AS checked
        FROM rejected_rows""",
        [path, source],
    )
    con.unregister("rejected_rows")


def add_joined(con: duckdb.DuckDBPyConnection, path: str, source: str, joined: dict[int, list[int]]) -> None:
    if not joined:
        return
    rows = pa.table({
        "line_from": pa.array(list(joined), pa.int64()),
        "lines": pa.array(list(joined.values()), pa.list_(pa.int32())),
    })  # fmt: skip
    con.register("joined_rows", rows)
    con.execute("INSERT INTO joined_record SELECT ?, ?, line_from, lines FROM joined_rows", [path, source])
    con.unregister("joined_rows")


def set_aside(con: duckdb.DuckDBPyConnection, source: str, table: str, warnings: str, *, held: str = "") -> None:
    """Move every row of `table` that stands in ``fault`` to the quarantine, with all its reasons.

    `warnings` is a SELECT of ours giving ``file_id, line_from, warnings`` of rows that have any. With `held` the
    typed rows that only a rule of identity stopped are kept in that table.
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE aside AS
        SELECT file_id, line_from, list(reason ORDER BY step, rank, detail) AS reasons,
          list(detail ORDER BY step, rank, detail) AS details, bool_and(step = {RULE}) AS holds
        FROM fault GROUP BY file_id, line_from"""
    )
    con.execute(
        f"""INSERT INTO quarantine BY NAME
        SELECT f.path, ? AS source, a.line_from, coalesce(j.lines, [a.line_from::INTEGER]) AS lines,
          a.reasons[1] AS reason, a.details[1] AS detail, a.reasons, a.details,
          coalesce(w.warnings, []::VARCHAR[]) AS warnings, true AS checked
        FROM aside a JOIN reading_file f ON f.file_id = a.file_id
        LEFT JOIN joined_record j ON j.path = f.path AND j.source = ? AND j.line_from = a.line_from
        LEFT JOIN (SELECT w.* FROM ({warnings}) w SEMI JOIN aside USING (file_id, line_from)) w
          ON w.file_id = a.file_id AND w.line_from = a.line_from""",
        [source, source],
    )
    same = "t.file_id = a.file_id AND t.line_from = a.line_from"
    if held:
        con.execute(f'INSERT INTO "{held}" SELECT t.* FROM "{table}" t JOIN aside a ON {same} AND a.holds')
    con.execute(f'DELETE FROM "{table}" t USING aside a WHERE {same}')
    con.execute(
        """
        DELETE FROM joined_record j USING aside a, reading_file f
        WHERE f.file_id = a.file_id AND j.path = f.path AND j.source = ? AND j.line_from = a.line_from
        """,
        [source],
    )
    con.execute("DROP TABLE aside")


def settle(con: duckdb.DuckDBPyConnection, table: str, source: str, files: list[FileCount]) -> None:
    """Count what was accepted and quarantined, check the sum, keep the raw lines of what was set aside, and write
    ``ingest_file``.

    InternalError if a single line is unaccounted for.
    """
    for number, file in enumerate(files):
        rows = con.execute(f'SELECT count(*) FROM "{table}" WHERE file_id = ?', [number]).fetchall()[0][0]
        more = con.execute(
            "SELECT coalesce(sum(len(lines) - 1), 0) FROM joined_record WHERE path = ? AND source = ?",
            [file.path, source],
        ).fetchall()[0][0]
        file.accepted = rows + int(more)
        file.reasons = lines_by_reason(con, MAIN, file.path, file.source)
        file.every_reason = lines_by_reason(con, EVERY, file.path, file.source)
        file.quarantined = sum(file.reasons.values())
        total = file.header + file.blank + file.accepted + file.quarantined
        if total != file.read:
            raise InternalError(f"{file.path}: {file.read} lines read, {total} accounted for")
        asked = {"path": file.path, "source": source, "file": number}
        wrong = con.execute(UNSOUND.format(table=f'"{table}"'), asked).fetchall()[0][0]
        if wrong:
            raise InternalError(f"{file.path}: {wrong} records in quarantine twice, without a reason, or accepted too")
        raw_lines.keep(con, file.path, source, file.encoding, bare_cr=file.bare_cr)
        con.execute("DELETE FROM ingest_file WHERE path = ? AND source = ?", [file.path, source])
        con.execute(
            "INSERT INTO ingest_file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [file.path, source, file.read, file.header, file.blank, file.accepted, file.quarantined,
             file.encoding, file.delimiter, file.code_system, list(file.missing_columns), list(file.column_names)],
        )  # fmt: skip


def lines_by_reason(con: duckdb.DuckDBPyConnection, reasons: str, path: str, source: str) -> dict[str, int]:
    """Quarantined lines of a file under each of `reasons` (`MAIN` or `EVERY`), most first."""
    return dict(
        con.execute(
            f"""SELECT r.reason, sum(lines)::BIGINT FROM (
              SELECT unnest({reasons}) AS reason, len(lines) AS lines FROM quarantine WHERE path = ? AND source = ?) r
            GROUP BY ALL ORDER BY 2 DESC, 1""",
            [path, source],
        ).fetchall()
    )
