"""Doubtful pairs of records: the queue of those that wait, and the log of what was decided on them (`decisions`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from dtsen_core.errors import UserError
from dtsen_core.integrate.decisions import LOCAL, Decision, Log, store_path
from dtsen_core.registry.dataset import Dataset

__all__ = ["LOCAL", "Decision", "store_path"]

DECISIONS = ("same", "different", "unsure")
LOG = Log("decision", "pair_id", DECISIONS)
PAIRS = "review_pair"
STATES = ("open", *DECISIONS, "all")

decide, log, latest, broken_at = LOG.decide, LOG.entries, LOG.latest, LOG.broken_at


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
