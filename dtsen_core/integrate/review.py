"""Decisions on doubtful pairs: an append-only log beside the dataset, and the pairs they are about.

The store is one SQLite file next to the dataset folder (``<folder>.review.sqlite``), so that it outlives every
version. A decision is never changed or removed: a second one on the same pair is a further row that names the one
before, and every row carries a digest over itself and the row before it, so that a tampered log is noticed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from dtsen_core.errors import UserError
from dtsen_core.registry.dataset import Dataset

DECISIONS = ("same", "different", "unsure")
LOCAL = "lokal"
"""Who decides until there is a sign-in."""
WAIT_S = 10.0
PAIRS = "review_pair"
STATES = ("open", "same", "different", "unsure", "all")

_COLUMNS = "id, at, actor, pair_id, decision, previous, version, digest"
_TABLES = """
CREATE TABLE IF NOT EXISTS decision (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL, actor TEXT NOT NULL, pair_id TEXT NOT NULL,
  decision TEXT NOT NULL CHECK (decision IN ('same', 'different', 'unsure')),
  previous TEXT, version TEXT NOT NULL, digest TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS decision_pair ON decision (pair_id, id);
CREATE TRIGGER IF NOT EXISTS decision_kept_as_is BEFORE UPDATE ON decision
  BEGIN SELECT RAISE(ABORT, 'the log of decisions is append-only'); END;
CREATE TRIGGER IF NOT EXISTS decision_kept BEFORE DELETE ON decision
  BEGIN SELECT RAISE(ABORT, 'the log of decisions is append-only'); END;
"""


@dataclass(frozen=True)
class Decision:
    """One row of the log. `previous`: what was decided on the pair before, None for the first time; `version`: the
    dataset version in front of the reviewer."""

    id: int
    at: str
    actor: str
    pair_id: str
    decision: str
    previous: str | None
    version: str
    digest: str


@dataclass(frozen=True)
class Pair:
    """A candidate pair with its fields side by side; `weight` is the log2 odds each field contributed."""

    pair_id: str
    source: str
    path: str
    line: int
    nik: str
    probability: float
    fields: tuple[str, ...]
    record: tuple[str | None, ...]
    civil: tuple[str | None, ...]
    weights: tuple[float, ...]
    decision: str | None


def store_path(root: Path | str) -> Path:
    """Where the decisions on the dataset `root` are kept: beside its folder, outside every version."""
    folder = Path(root).resolve()
    return folder.parent / f"{folder.name}.review.sqlite"


@contextlib.contextmanager
def _store(root: Path | str) -> Iterator[sqlite3.Connection]:
    """The open store, made when it is not there. UserError if its place cannot be written."""
    path = store_path(root)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        con = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
    except (OSError, sqlite3.OperationalError) as problem:
        raise UserError("errors_mutu.store_closed", path=path) from problem
    try:
        con.execute("PRAGMA journal_mode = WAL")
        con.execute("PRAGMA synchronous = FULL")
        con.executescript(_TABLES)
        yield con
    except sqlite3.DatabaseError as problem:
        raise UserError("errors_mutu.store_closed", path=path) from problem
    finally:
        con.close()


def _digest(previous: str, *values: object) -> str:
    text = "\x1f".join(["" if value is None else str(value) for value in (previous, *values)])
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).hexdigest()


def decide(root: Path | str, pair_id: str, decision: str, *, version: str, actor: str = LOCAL) -> Decision:
    """Append a decision on `pair_id` and return it. UserError for an unknown decision or an unwritable store."""
    if decision not in DECISIONS:
        raise UserError("errors_mutu.decision", given=decision, allowed=", ".join(DECISIONS))
    with _store(root) as con:
        con.execute("BEGIN IMMEDIATE")
        last = con.execute("SELECT digest FROM decision ORDER BY id DESC LIMIT 1").fetchone()
        before = con.execute(
            "SELECT decision FROM decision WHERE pair_id = ? ORDER BY id DESC LIMIT 1", [pair_id]
        ).fetchone()
        at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        previous = before[0] if before else None
        values = (at, actor, pair_id, decision, previous, version)
        digest = _digest(last[0] if last else "", *values)
        con.execute(
            "INSERT INTO decision (at, actor, pair_id, decision, previous, version, digest) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)", [*values, digest],
        )
        number = con.execute("SELECT last_insert_rowid()").fetchone()[0]
        con.execute("COMMIT")
    return Decision(int(number), *values, digest)


def log(root: Path | str, pair_id: str | None = None, limit: int = 200) -> list[Decision]:
    """The latest decisions, newest first; of one pair if it is named. Empty where nothing was decided yet."""
    if not store_path(root).exists():
        return []
    narrowed = "WHERE pair_id = ?" if pair_id is not None else ""
    values: list[object] = [] if pair_id is None else [pair_id]
    with _store(root) as con:
        rows = con.execute(
            f"SELECT {_COLUMNS} FROM decision {narrowed} ORDER BY id DESC LIMIT ?", [*values, limit],
        ).fetchall()  # fmt: skip
    return [Decision(*row) for row in rows]


def latest(root: Path | str) -> dict[str, str]:
    """The decision in force for every decided pair."""
    if not store_path(root).exists():
        return {}
    with _store(root) as con:
        rows = con.execute(
            "SELECT pair_id, decision FROM decision WHERE id IN (SELECT max(id) FROM decision GROUP BY pair_id)"
        ).fetchall()
    return dict(rows)


def broken_at(root: Path | str) -> int | None:
    """The first row of the log that was altered or before which one is missing; None for a sound log."""
    if not store_path(root).exists():
        return None
    with _store(root) as con:
        rows = con.execute(f"SELECT {_COLUMNS} FROM decision ORDER BY id")
        before = ""
        for number, (identity, *values, digest) in enumerate(rows, 1):
            if identity != number or _digest(before, *values) != digest:
                return int(identity)
            before = digest
    return None


def load_decisions(root: Path | str, con: duckdb.DuckDBPyConnection) -> int:
    """Write the decisions in force into ``review_decision(pair_id, decision)`` of `con`; returns how many."""
    decided = latest(root)
    rows = pa.table({"pair_id": pa.array(list(decided), pa.string()),
                     "decision": pa.array(list(decided.values()), pa.string())})  # fmt: skip
    con.register("decided_rows", rows)
    con.execute("CREATE OR REPLACE TABLE review_decision AS SELECT pair_id, decision FROM decided_rows")
    con.unregister("decided_rows")
    return len(decided)


# -- pairs -------------------------------------------------------------------------------------------------

_COUNT = """
SELECT source, count(DISTINCT pair_id) AS pairs FROM review_pair GROUP BY source ORDER BY source
"""
_IDS = """
SELECT pair_id FROM review_pair WHERE $source IN ('all', source)
GROUP BY pair_id ORDER BY min(abs(probability - 0.5)), pair_id
"""
_ONE = """
SELECT pair_id, source, path, line_from, nik, probability, field, record_value, civil_value, weight
FROM review_pair WHERE pair_id = ? ORDER BY path, line_from LIMIT 1
"""


def refuse_names(dataset: Dataset, *, holder: bool) -> None:
    """UserError unless names may be shown: on simulated data, or to the holder of the data on their own machine."""
    if not (dataset.simulated or holder):
        raise UserError("errors_mutu.names_need_sign_in")


def queue(
    dataset: Dataset, *, source: str = "all", state: str = "open", holder: bool = False
) -> tuple[str, ...]:
    """Pair ids in the order of doubt (nearest to even odds first), by source and by state of the decision.

    UserError on real data without `holder`, and where this version holds no pairs.
    """
    refuse_names(dataset, holder=holder)
    if not dataset.has_table(PAIRS):
        raise UserError("errors_mutu.no_pairs", version=dataset.version)
    found = dataset.cursor().execute(_IDS, {"source": source}).fetchall()
    decided = latest(dataset.path)
    wanted = {"open": None, "all": "all"}.get(state, state)
    return tuple(i for (i,) in found if wanted == "all" or decided.get(i) == wanted)


def sources(dataset: Dataset) -> dict[str, int]:
    """Number of pairs by source; empty where this version holds none."""
    if not dataset.has_table(PAIRS):
        return {}
    return dict(dataset.cursor().execute(_COUNT).fetchall())


def pair(dataset: Dataset, pair_id: str, *, holder: bool = False) -> Pair:
    """One pair with its fields (of a record delivered twice, the first line). UserError on real data without `holder`,
    or for an unknown pair."""
    refuse_names(dataset, holder=holder)
    row = dataset.cursor().execute(_ONE, [pair_id]).fetchone() if dataset.has_table(PAIRS) else None
    if row is None:
        raise UserError("errors_mutu.unknown_pair", pair=str(pair_id)[:40])
    fields, record, civil, weights = (tuple(values or ()) for values in row[6:])
    return Pair(
        pair_id=str(row[0]), source=str(row[1]), path=str(row[2]), line=int(row[3]), nik=str(row[4]),
        probability=float(row[5]), fields=fields, record=record, civil=civil,
        weights=tuple(float(w or 0.0) for w in weights), decision=latest(dataset.path).get(str(row[0])),
    )  # fmt: skip
