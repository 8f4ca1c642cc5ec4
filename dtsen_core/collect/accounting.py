"""Where every physical line of every file went: ``ingest_file``, ``quarantine``, ``joined_record``.

The one rule: read = header + blank + lines of accepted records + quarantined lines. Later steps (matching,
merging) never change these counts; linkage only notes in ``quarantine.mended_by`` whom it recognised after all.
A quarantined record has its first reason, all its ``reasons`` and its ``raw`` lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from dtsen_core.collect import raw_lines
from dtsen_core.collect.repair import Reject
from dtsen_core.errors import InternalError

TABLES = """
CREATE TABLE IF NOT EXISTS ingest_file (
  path VARCHAR, source VARCHAR, read BIGINT, header BIGINT, blank BIGINT, accepted BIGINT,
  quarantined BIGINT, encoding VARCHAR, delimiter VARCHAR, code_system VARCHAR, missing_columns VARCHAR[],
  column_names VARCHAR[]);
CREATE TABLE IF NOT EXISTS quarantine (
  path VARCHAR, source VARCHAR, line_from BIGINT, lines INTEGER[], reason VARCHAR, detail VARCHAR,
  reasons VARCHAR[], raw VARCHAR, mended_by VARCHAR);
CREATE TABLE IF NOT EXISTS joined_record (path VARCHAR, source VARCHAR, line_from BIGINT, lines INTEGER[]);
"""
REJECTED = pa.schema([
    ("line_from", pa.int64()), ("lines", pa.list_(pa.int32())), ("reasons", pa.list_(pa.string())),
    ("detail", pa.string()),
])  # fmt: skip


@dataclass
class FileCount:
    """The account of one file, in physical lines; `reasons` counts quarantined lines by reason code."""

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

    def report(self) -> dict[str, object]:
        """As the command line prints it."""
        return {
            "path": self.path, "source": self.source, "read": self.read, "header": self.header,
            "blank": self.blank, "accepted": self.accepted, "quarantined": self.quarantined,
            "reasons": dict(self.reasons), "encoding": self.encoding, "delimiter": self.delimiter,
            "code_system": self.code_system, "missing_columns": list(self.missing_columns),
        }  # fmt: skip


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(TABLES)


def add_rejects(con: duckdb.DuckDBPyConnection, path: str, source: str, rejects: list[Reject]) -> None:
    if not rejects:
        return
    rows = pa.table([
        pa.array([r.lines[0] for r in rejects], pa.int64()),
        pa.array([r.lines for r in rejects], pa.list_(pa.int32())),
        pa.array([[r.reason, *r.further] for r in rejects], pa.list_(pa.string())),
        pa.array([r.detail for r in rejects]),
    ], schema=REJECTED)  # fmt: skip
    con.register("rejected_rows", rows)
    con.execute(
        "INSERT INTO quarantine SELECT ?, ?, line_from, lines, reasons[1], detail, reasons, NULL, NULL "
        "FROM rejected_rows",
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


def set_aside(
    con: duckdb.DuckDBPyConnection, source: str, table: str, rows: str, parameters: list, *, held: str = ""
) -> None:
    """Move accepted rows of `table` to the quarantine.

    `rows` is a SELECT of ours giving ``file_id, line_from, reason, detail`` and, where there are several,
    ``reasons``; at most one row per record. With `held` the typed rows are kept in that table, except where
    `rows` gives ``holds`` as false.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE aside AS {rows}", parameters)
    given = {row[0] for row in con.execute("DESCRIBE aside").fetchall()}
    reasons = "a.reasons" if "reasons" in given else "[a.reason]"
    con.execute(
        f"""
        INSERT INTO quarantine
        SELECT f.path, ?, a.line_from, coalesce(j.lines, [a.line_from::INTEGER]), a.reason, a.detail,
          {reasons}, NULL, NULL
        FROM aside a JOIN reading_file f ON f.file_id = a.file_id
        LEFT JOIN joined_record j ON j.path = f.path AND j.source = ? AND j.line_from = a.line_from
        """,
        [source, source],
    )
    same = "t.file_id = a.file_id AND t.line_from = a.line_from"
    if held:
        kept = "AND a.holds" if "holds" in given else ""
        con.execute(f'INSERT INTO "{held}" SELECT t.* FROM "{table}" t JOIN aside a ON {same} {kept}')
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
        file.reasons = dict(
            con.execute(
                "SELECT reason, sum(len(lines))::BIGINT FROM quarantine WHERE path = ? AND source = ? "
                "GROUP BY reason ORDER BY 2 DESC, 1",
                [file.path, source],
            ).fetchall()
        )
        file.quarantined = sum(file.reasons.values())
        total = file.header + file.blank + file.accepted + file.quarantined
        if total != file.read:
            raise InternalError(f"{file.path}: {file.read} lines read, {total} accounted for")
        raw_lines.keep(con, file.path, source, file.encoding, bare_cr=file.bare_cr)
        con.execute("DELETE FROM ingest_file WHERE path = ? AND source = ?", [file.path, source])
        con.execute(
            "INSERT INTO ingest_file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [file.path, source, file.read, file.header, file.blank, file.accepted, file.quarantined,
             file.encoding, file.delimiter, file.code_system, list(file.missing_columns), list(file.column_names)],
        )  # fmt: skip
