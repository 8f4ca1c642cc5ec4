"""Moves to review: families that moved far in decile without a field visit, kept until somebody decides on them.

They are stored beside the dataset (`integrate.decisions`), by pair of versions and scope, so that they and what was
decided outlive the versions. Collecting twice adds nothing. A case holds the number of the family in the later
version, its regency and its deciles; no name and no card number.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.integrate.decisions import Log, store, store_path
from dtsen_core.policy.areas import OFFICIAL_COLUMNS
from dtsen_core.policy.movement import FAR, attach, pair
from dtsen_core.policy.request import SCOPES
from dtsen_core.rank.queue import LINE
from dtsen_core.regions import units
from dtsen_core.registry import ddl, versions
from dtsen_core.registry.dataset import Dataset

DECISIONS = ("valid", "visit", "unsure")
STATES = ("open", *DECISIONS, "all")
LOG = Log("move_decision", "case_id", DECISIONS)
BATCH = 50_000
UNTOLD = {"nomor_kartu_keluarga", *OFFICIAL_COLUMNS.values()}
"""Not shown as changed answers: what names the card, and the deciles themselves."""

_TABLES = f"""
CREATE TABLE IF NOT EXISTS move_pair (
  before TEXT NOT NULL, after TEXT NOT NULL, scope TEXT NOT NULL, at TEXT NOT NULL, cases INTEGER NOT NULL,
  PRIMARY KEY (before, after, scope));
CREATE TABLE IF NOT EXISTS move_case (
  case_id TEXT PRIMARY KEY, before TEXT NOT NULL, after TEXT NOT NULL, scope TEXT NOT NULL, family INTEGER NOT NULL,
  regency TEXT NOT NULL, decile_before INTEGER NOT NULL, decile_after INTEGER NOT NULL, ground_check TEXT);
CREATE INDEX IF NOT EXISTS move_case_pair ON move_case (before, after, scope, regency);
{LOG.ddl}"""

_FOUND = """
SELECT 'm' || substr(md5(concat_ws('|', $before, $after, $scope, n.id_keluarga)), 1, 15) AS case_id, $before, $after,
  $scope, n.id_keluarga::BIGINT, n.regency::INTEGER AS regency, b.{decile}::INTEGER, n.{decile}::INTEGER,
  n.tanggal_ground_check::VARCHAR
FROM now.main.keluarga AS n JOIN was.main.keluarga AS b USING (nomor_kartu_keluarga)
WHERE n.{decile} BETWEEN 1 AND 10 AND b.{decile} BETWEEN 1 AND 10
  AND abs(n.{decile}::INTEGER - b.{decile}::INTEGER) >= $far
  AND (n.tanggal_ground_check IS NULL OR n.tanggal_ground_check <= $day::DATE)
"""
_COLUMNS = "case_id, before, after, scope, family, regency, decile_before, decile_after, ground_check"


@dataclass(frozen=True)
class Collected:
    """Cases of one pair of versions in one scope: how many, and whether they were collected `now`."""

    before: str
    after: str
    scope: str
    cases: int
    now: bool


@dataclass(frozen=True)
class Asked:
    """Which cases to list: of a pair and scope, in a `state` of `STATES`, in the region whose code begins so."""

    before: str
    after: str
    scope: str = "national"
    state: str = "open"
    region: str = ""


def collect(dataset: Dataset, before: str = "", after: str = "", scope: str = "national") -> Collected:
    """Store the cases between two versions (see `movement.pair`), unless they are stored already.

    UserError as `movement.pair`, for an unknown scope, and where the store cannot be written."""
    if scope not in SCOPES:
        raise UserError("errors_rank.scope", given=scope, allowed=", ".join(SCOPES))
    earlier, later = pair(dataset, before, after)
    key = (earlier.name, later.name, scope)
    with store(dataset.path, _TABLES) as kept:
        stored = kept.execute(
            "SELECT cases FROM move_pair WHERE before = ? AND after = ? AND scope = ?", key
        ).fetchone()  # fmt: skip
        if stored:
            return Collected(*key, int(stored[0]), now=False)
        codes = units.table("regency")["code"].to_numpy()
        with LINE.turn(), duckdb.connect() as con:
            attach(con, dataset, earlier, later)
            found = con.execute(_FOUND.format(decile=OFFICIAL_COLUMNS[scope]), {
                "before": earlier.name, "after": later.name, "scope": scope, "far": FAR, "day": earlier.manifest.as_of,
            })  # fmt: skip
            kept.execute("BEGIN IMMEDIATE")
            total = 0
            while rows := found.fetchmany(BATCH):
                kept.executemany(
                    f"INSERT OR IGNORE INTO move_case ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [(*row[:5], codes[row[5]], *row[6:]) for row in rows],
                )
                total += len(rows)
        at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        kept.execute("INSERT OR REPLACE INTO move_pair VALUES (?, ?, ?, ?, ?)", [*key, at, total])
        kept.execute("COMMIT")
    return Collected(*key, total, now=True)


def collected(root: Path | str) -> list[Collected]:
    """What was collected, latest first; empty where nothing was."""
    if not store_path(root).exists():
        return []
    with store(root, _TABLES) as con:
        rows = con.execute("SELECT before, after, scope, cases FROM move_pair ORDER BY at DESC, after DESC").fetchall()
    return [Collected(before, after, scope, cases, now=False) for before, after, scope, cases in rows]


def _narrowed(asked: Asked) -> tuple[str, list[object]]:
    """(condition, its parameters) of the cases that are `asked` for."""
    if asked.state not in STATES:
        raise UserError("errors_cli.choice", name="state", given=asked.state, allowed=", ".join(STATES))
    where, values = "before = ? AND after = ? AND scope = ?", [asked.before, asked.after, asked.scope]
    if asked.region:
        where += " AND substr(regency, 1, ?) = ?"
        values += [len(asked.region), asked.region]  # type: ignore[list-item]
    if asked.state == "open":
        where += " AND decision IS NULL"
    elif asked.state != "all":
        where += " AND decision = ?"
        values.append(asked.state)
    return where, list(values)


def cases(root: Path | str, asked: Asked, limit: int | None = None) -> pd.DataFrame:
    """The cases that are `asked` for, largest move first: case_id, family, regency (code), decile_before,
    decile_after, ground_check (day or None), decision (None while open). UserError for an unknown state."""
    columns = ["case_id", "family", "regency", "decile_before", "decile_after", "ground_check", "decision"]
    where, values = _narrowed(asked)
    rows: list[tuple[object, ...]] = []
    if store_path(root).exists():
        with store(root, _TABLES) as con:
            rows = con.execute(
                f"""SELECT {", ".join(columns)} FROM move_case LEFT JOIN ({LOG.in_force}) USING (case_id) WHERE {where}
                ORDER BY abs(decile_after - decile_before) DESC, regency, family LIMIT ?""",
                [*values, -1 if limit is None else limit],
            ).fetchall()
    return pd.DataFrame(rows, columns=columns, dtype=object)


def counts(root: Path | str, asked: Asked) -> dict[str, int]:
    """How many cases of the pair, scope and region are in each state of `STATES`, whatever state is asked for."""
    where, values = _narrowed(Asked(asked.before, asked.after, asked.scope, "all", asked.region))
    found: dict[str | None, int] = {}
    if store_path(root).exists():
        with store(root, _TABLES) as con:
            found = dict(con.execute(
                f"""SELECT decision, count(*) FROM move_case LEFT JOIN ({LOG.in_force}) USING (case_id)
                WHERE {where} GROUP BY decision""", values,
            ).fetchall())  # fmt: skip
    by_state = {state: found.get(None if state == "open" else state, 0) for state in STATES[:-1]}
    return by_state | {"all": sum(found.values())}


def pair_of(root: Path | str, case_id: str) -> Collected | None:
    """The pair and scope of a case; None where there is no such case."""
    if not store_path(root).exists():
        return None
    with store(root, _TABLES) as con:
        row = con.execute("SELECT before, after, scope FROM move_case WHERE case_id = ?", [case_id]).fetchone()
    return Collected(row[0], row[1], row[2], cases=1, now=False) if row else None


def decide(root: Path | str, case_id: str, decision: str, *, version: str) -> None:
    """Append a decision on a case. UserError for an unknown case or decision, or an unwritable store."""
    if pair_of(root, case_id) is None:
        raise UserError("errors_mutu.unknown_case", case=str(case_id)[:40])
    LOG.decide(root, case_id, decision, version=version)


def changed_answers(dataset: Dataset, before: str, after: str, family: int) -> pd.DataFrame:
    """What was recorded differently on the family numbered `family` in the version `after`: variable, before, after
    (texts, None where empty). UserError on a real dataset, or for versions that are gone."""
    if not dataset.simulated:
        raise UserError("errors_lab.only_simulated")
    earlier, later = versions.find(dataset.path, before), versions.find(dataset.path, after)
    names = [field.name for field in ddl.stored_fields("keluarga") if field.name not in UNTOLD]
    with duckdb.connect() as con:
        attach(con, dataset, earlier, later)
        columns = ", ".join(f'{side}."{name}"::VARCHAR' for side in ("b", "n") for name in names)
        row = con.execute(
            f"""SELECT {columns} FROM now.main.keluarga AS n JOIN was.main.keluarga AS b USING (nomor_kartu_keluarga)
            WHERE n.id_keluarga = ?""", [family],
        ).fetchone()  # fmt: skip
    old, new = (row[: len(names)], row[len(names) :]) if row else ((), ())
    rows = [(name, was, now) for name, was, now in zip(names, old, new) if was != now]
    return pd.DataFrame(rows, columns=["variable", "before", "after"], dtype=object)
