"""Which tables of data quality a dataset holds, and the words that can be chosen in them."""

from __future__ import annotations

import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.registry.dataset import Dataset

NEEDS = {
    "reading": ("ingest_file", "quarantine"),
    "matching": ("match_summary",),
    "accuracy": (),
    "disagreement": ("quality_disagreement",),
    "completeness": ("quality_completeness",),
    "freshness": ("quality_freshness",),
    "coverage": ("quality_coverage",),
}
"""Tables without which a part of the page has nothing to say."""


def has_columns(dataset: Dataset, table: str, *names: str) -> bool:
    """True if `table` is in the dataset and has all columns `names`."""
    found = dataset.cursor().execute(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = ? AND database_name <> 'evaluation'", [table]
    ).fetchall()  # fmt: skip
    return bool(found) and set(names) <= {name for (name,) in found}


def ready(dataset: Dataset, view: str) -> bool:
    """True if `dataset` holds what `view` of the page needs, in today's columns and with something in it.

    Disagreement and coverage have words of their own for an empty table.
    """
    if view == "accuracy":
        return has_match_quality(dataset)
    if view == "matching" and not has_columns(dataset, "match_summary", "pass", "regency", "duplicates"):
        return False
    if not all(dataset.has_table(table) for table in NEEDS[view]):
        return False
    return view in ("disagreement", "coverage") or _has_rows(dataset, NEEDS[view][0])


def _has_rows(dataset: Dataset, table: str) -> bool:
    return bool(dataset.cursor().execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall())


def has_match_quality(dataset: Dataset, table: str = "match_quality") -> bool:
    """True if the evaluation file of a simulated dataset measures the matching, or holds another `table` of it."""
    try:
        cursor = dataset.evaluation_cursor()
    except UserError:
        return False
    found = cursor.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = ? AND database_name = 'evaluation'", [table]
    ).fetchone()
    return bool(found and found[0])


def words(frame: pd.DataFrame, column: str) -> tuple[str, ...]:
    """The distinct words of a column in order of appearance."""
    return tuple(dict.fromkeys(str(word) for word in frame[column]))
