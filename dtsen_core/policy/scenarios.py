"""Named scenarios: what somebody chose on a page, kept over restarts and shared between users.

One SQLite file with a write-ahead log in the state folder (`settings().state_folder`), beside the dataset and
never inside a version. Every call opens its own connection and writes in one immediate transaction, so several
users and processes may work at once; a change that was overtaken by another is refused, not lost. Params are JSON
of scalars, lists and mappings: choices only, never figures about people.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
import secrets
import sqlite3
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dtsen_core.errors import UserError
from dtsen_core.settings import settings

FILE = "scenarios.sqlite"
PATIENCE_S = 10.0
MAX_NAME, MAX_NOTE, MAX_PARAMS, MAX_PER_KIND = 80, 2_000, 500_000, 2_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS scenario (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    params TEXT NOT NULL,
    dataset_version TEXT NOT NULL,
    note TEXT NOT NULL,
    created TEXT NOT NULL,
    changed TEXT NOT NULL,
    revision INTEGER NOT NULL,
    UNIQUE (kind, folded)
) STRICT
"""
_COLUMNS = "id, kind, name, params, dataset_version, note, created, changed, revision"


@dataclass(frozen=True)
class Scenario:
    """One kept scenario. `kind` names the page that understands `params`; `dataset_version` is the version it was
    made on; `created` and `changed` are ISO times in UTC; `revision` counts its changes from 1."""

    id: str
    kind: str
    name: str
    params: dict[str, Any]
    dataset_version: str
    note: str
    created: str
    changed: str
    revision: int


@dataclass(frozen=True)
class Store:
    """The scenarios in `folder`; the folder and the file are made by the first call that writes."""

    folder: Path

    @staticmethod
    def default() -> Store:
        """The store of this installation (``DTSEN_STATE``, else beside the dataset)."""
        return Store(settings().state_folder)

    def save(self, kind: str, name: str, params: Mapping[str, Any], dataset_version: str, note: str = "") -> Scenario:
        """Keep a new scenario. UserError: name empty, too long or taken (in any case of letters), params not JSON
        or too large, too many scenarios, folder not writable."""
        name, note, written = _name(name), _note(note), _json(params)
        now = _now()
        made = Scenario(secrets.token_hex(5), kind, name, json.loads(written), dataset_version, note, now, now, 1)
        with self._write() as con:
            held = con.execute("SELECT count(*) FROM scenario WHERE kind = ?", [kind]).fetchone()[0]
            if held >= MAX_PER_KIND:
                raise UserError("errors_scenarios.too_many", limit=MAX_PER_KIND)
            _refuse_taken(con, kind, name, "")
            con.execute(
                f"INSERT INTO scenario ({_COLUMNS}, folded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [made.id, kind, name, written, dataset_version, note, now, now, 1, _folded(name)],
            )
        return made

    def list(self, kind: str | None = None) -> tuple[Scenario, ...]:
        """All scenarios (of `kind`), the last changed first; empty where none was kept yet."""
        if not self._exists():
            return ()
        with self._read() as con:
            rows = con.execute(
                f"SELECT {_COLUMNS} FROM scenario WHERE ? IN ('', kind) ORDER BY changed DESC, name", [kind or ""]
            ).fetchall()
        return tuple(_scenario(row) for row in rows)

    def load(self, id: str) -> Scenario:
        """The scenario `id`; UserError if there is none (any more)."""
        if not self._exists():
            raise UserError("errors_scenarios.unknown", id=_shown(id))
        with self._read() as con:
            return _one(con, id)

    def rename(self, id: str, name: str, *, revision: int | None = None) -> Scenario:
        """Give it another name; UserError as in `save`, or if it changed since `revision` was read."""
        name = _name(name)
        return self._change(id, revision, name=name, folded=_folded(name))

    def annotate(self, id: str, note: str, *, revision: int | None = None) -> Scenario:
        """Replace its note."""
        return self._change(id, revision, note=_note(note))

    def update(
        self, id: str, params: Mapping[str, Any], dataset_version: str, *, revision: int | None = None
    ) -> Scenario:
        """Replace its params and the dataset version they were made on."""
        return self._change(id, revision, params=_json(params), dataset_version=dataset_version)

    def delete(self, id: str) -> None:
        """Remove it; UserError if there is none (any more)."""
        with self._write() as con:
            _one(con, id)
            con.execute("DELETE FROM scenario WHERE id = ?", [id])

    def _change(self, id: str, revision: int | None, **values: str) -> Scenario:
        with self._write() as con:
            now = _one(con, id)
            if revision is not None and revision != now.revision:
                raise UserError("errors_scenarios.overtaken", name=now.name)
            if "name" in values:
                _refuse_taken(con, now.kind, values["name"], id)
            columns = ", ".join(f"{column} = ?" for column in values)
            con.execute(
                f"UPDATE scenario SET {columns}, changed = ?, revision = revision + 1 WHERE id = ?",
                [*values.values(), _now(), id],
            )
            return _one(con, id)

    def _exists(self) -> bool:
        return (self.folder / FILE).exists()

    @contextlib.contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self._explained():
            con = sqlite3.connect(self.folder / FILE, timeout=PATIENCE_S, isolation_level=None)
            try:
                con.execute(_SCHEMA)
                yield con
            finally:
                con.close()

    @contextlib.contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._explained():
            self.folder.mkdir(parents=True, exist_ok=True)
            con = sqlite3.connect(self.folder / FILE, timeout=PATIENCE_S, isolation_level=None)
            try:
                con.execute("PRAGMA journal_mode = WAL")
                con.execute("PRAGMA synchronous = FULL")
                con.execute("BEGIN IMMEDIATE")
                con.execute(_SCHEMA)
                yield con
                con.execute("COMMIT")
            finally:
                if con.in_transaction:
                    con.execute("ROLLBACK")
                con.close()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the file system and SQLite say into a sentence."""
        try:
            yield
        except OSError as problem:
            raise UserError("errors_scenarios.not_writable", folder=self.folder) from problem
        except sqlite3.OperationalError as problem:
            busy = "locked" in str(problem) or "busy" in str(problem)
            key = "errors_scenarios.busy" if busy else "errors_scenarios.not_writable"
            raise UserError(key, folder=self.folder) from problem
        except sqlite3.DatabaseError as problem:
            raise UserError("errors_scenarios.damaged", file=self.folder / FILE) from problem


def _scenario(row: tuple[Any, ...]) -> Scenario:
    id, kind, name, params, version, note, created, changed, revision = row
    return Scenario(id, kind, name, json.loads(params), version, note, created, changed, revision)


def _one(con: sqlite3.Connection, id: str) -> Scenario:
    row = con.execute(f"SELECT {_COLUMNS} FROM scenario WHERE id = ?", [id]).fetchone()
    if row is None:
        raise UserError("errors_scenarios.unknown", id=_shown(id))
    return _scenario(row)


def _refuse_taken(con: sqlite3.Connection, kind: str, name: str, own: str) -> None:
    taken = con.execute(
        "SELECT name FROM scenario WHERE kind = ? AND folded = ? AND id <> ?", [kind, _folded(name), own]
    ).fetchone()
    if taken:
        raise UserError("errors_scenarios.name_taken", name=taken[0])


def _name(name: str) -> str:
    clean = " ".join("".join(c for c in unicodedata.normalize("NFC", name) if c.isprintable() or c.isspace()).split())
    if not clean or len(clean) > MAX_NAME:
        raise UserError("errors_scenarios.name", limit=MAX_NAME)
    return clean


def _note(note: str) -> str:
    if len(note) > MAX_NOTE:
        raise UserError("errors_scenarios.note", limit=MAX_NOTE)
    return "".join(c for c in note if c.isprintable() or c in "\n\t").strip()


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _plain(value: Any) -> Any:
    """`value` with NaN and infinities turned into null, which JSON has no other way to write."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _json(params: Mapping[str, Any]) -> str:
    try:
        written = json.dumps(_plain(params), ensure_ascii=False, allow_nan=False, sort_keys=True)
    except (TypeError, ValueError) as problem:
        raise UserError("errors_scenarios.params") from problem
    if len(written) > MAX_PARAMS:
        raise UserError("errors_scenarios.params_large", limit=MAX_PARAMS // 1_000)
    return written


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def _shown(id: str) -> str:
    return str(id)[:40].replace("`", "'")
