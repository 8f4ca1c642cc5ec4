"""Append-only logs of what people decided, in one SQLite file beside a dataset.

The file lies next to the dataset folder (``<folder>.review.sqlite``), so that it outlives every version. A decision is
never changed or removed: a second one on the same subject is a further row that names the one before, and every row
carries a digest over itself and the row before it, so that a tampered log is noticed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dtsen_core.errors import UserError

LOCAL = "lokal"
"""Who decides until there is a sign-in."""
WAIT_S = 10.0


@dataclass(frozen=True)
class Decision:
    """One row of a log. `subject`: what was decided on; `previous`: what was decided on it before, None for the first
    time; `version`: the dataset version in front of the reviewer."""

    id: int
    at: str
    actor: str
    subject: str
    decision: str
    previous: str | None
    version: str
    digest: str


def store_path(root: Path | str) -> Path:
    """Where the decisions on the dataset `root` are kept: beside its folder, outside every version."""
    folder = Path(root).resolve()
    return folder.parent / f"{folder.name}.review.sqlite"


@contextlib.contextmanager
def store(root: Path | str, tables: str) -> Iterator[sqlite3.Connection]:
    """The open store with `tables` (ours), made when they are not there. UserError if its place cannot be written."""
    path = store_path(root)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        con = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
    except (OSError, sqlite3.OperationalError) as problem:
        raise UserError("errors_mutu.store_closed", path=path) from problem
    try:
        con.execute("PRAGMA journal_mode = WAL")
        con.execute("PRAGMA synchronous = FULL")
        con.executescript(tables)
        yield con
    except sqlite3.DatabaseError as problem:
        raise UserError("errors_mutu.store_closed", path=path) from problem
    finally:
        con.close()


def _digest(previous: str, *values: object) -> str:
    text = "\x1f".join(["" if value is None else str(value) for value in (previous, *values)])
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Log:
    """The log in table `table` with its subject in column `key`; `decisions` are the ones allowed. All ours."""

    table: str
    key: str
    decisions: tuple[str, ...]

    @property
    def ddl(self) -> str:
        """Statements that make the table, its index and the triggers that keep it as it is."""
        allowed = ", ".join(f"'{one}'" for one in self.decisions)
        return f"""
CREATE TABLE IF NOT EXISTS {self.table} (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL, actor TEXT NOT NULL, {self.key} TEXT NOT NULL,
  decision TEXT NOT NULL CHECK (decision IN ({allowed})),
  previous TEXT, version TEXT NOT NULL, digest TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS {self.table}_{self.key.removesuffix("_id")} ON {self.table} ({self.key}, id);
CREATE TRIGGER IF NOT EXISTS {self.table}_kept_as_is BEFORE UPDATE ON {self.table}
  BEGIN SELECT RAISE(ABORT, 'the log of decisions is append-only'); END;
CREATE TRIGGER IF NOT EXISTS {self.table}_kept BEFORE DELETE ON {self.table}
  BEGIN SELECT RAISE(ABORT, 'the log of decisions is append-only'); END;
"""

    @property
    def _columns(self) -> str:
        return f"id, at, actor, {self.key}, decision, previous, version, digest"

    def decide(self, root: Path | str, subject: str, decision: str, *, version: str, actor: str = LOCAL) -> Decision:
        """Append a decision on `subject` and return it. UserError for an unknown decision or an unwritable store."""
        if decision not in self.decisions:
            raise UserError("errors_mutu.decision", given=decision, allowed=", ".join(self.decisions))
        with store(root, self.ddl) as con:
            con.execute("BEGIN IMMEDIATE")
            last = con.execute(f"SELECT digest FROM {self.table} ORDER BY id DESC LIMIT 1").fetchone()
            before = con.execute(
                f"SELECT decision FROM {self.table} WHERE {self.key} = ? ORDER BY id DESC LIMIT 1", [subject]
            ).fetchone()
            at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
            previous = before[0] if before else None
            values = (at, actor, subject, decision, previous, version)
            digest = _digest(last[0] if last else "", *values)
            con.execute(
                f"INSERT INTO {self.table} (at, actor, {self.key}, decision, previous, version, digest) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)", [*values, digest],
            )  # fmt: skip
            number = con.execute("SELECT last_insert_rowid()").fetchone()[0]
            con.execute("COMMIT")
        return Decision(int(number), *values, digest)

    def entries(self, root: Path | str, subject: str | None = None, limit: int = 200) -> list[Decision]:
        """The latest decisions, newest first; of one subject if it is named. Empty where nothing was decided yet."""
        if not store_path(root).exists():
            return []
        narrowed = f"WHERE {self.key} = ?" if subject is not None else ""
        values: list[object] = [] if subject is None else [subject]
        with store(root, self.ddl) as con:
            rows = con.execute(
                f"SELECT {self._columns} FROM {self.table} {narrowed} ORDER BY id DESC LIMIT ?", [*values, limit],
            ).fetchall()  # fmt: skip
        return [Decision(*row) for row in rows]

    @property
    def in_force(self) -> str:
        """Query of the decision in force by subject: columns `key`, decision."""
        return (f"SELECT {self.key}, decision FROM {self.table} "
                f"WHERE id IN (SELECT max(id) FROM {self.table} GROUP BY {self.key})")  # fmt: skip

    def latest(self, root: Path | str) -> dict[str, str]:
        """The decision in force for everything that was decided on."""
        if not store_path(root).exists():
            return {}
        with store(root, self.ddl) as con:
            return dict(con.execute(self.in_force).fetchall())

    def broken_at(self, root: Path | str) -> int | None:
        """The first row of the log that was altered or before which one is missing; None for a sound log."""
        if not store_path(root).exists():
            return None
        with store(root, self.ddl) as con:
            rows = con.execute(f"SELECT {self._columns} FROM {self.table} ORDER BY id")
            before = ""
            for number, (identity, *values, digest) in enumerate(rows, 1):
                if identity != number or _digest(before, *values) != digest:
                    return int(identity)
                before = digest
        return None
