"""Key figures of data quality of every version of a dataset, oldest first.

Each version is a folder with its own database; a version that cannot be opened is left out with its name, so that one
damaged folder does not hide the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from dtsen_core.policy.quality.measures import LINKED, STALE_MONTHS
from dtsen_core.registry import versions as kept
from dtsen_core.registry.dataset import Dataset, connect_readonly

SHARES = ("quarantined", "linked", "missing", "stale", "gap")
FIGURES = ("lines", *SHARES, "families", "persons")


@dataclass(frozen=True)
class Version:
    """One version: its name, the date the data speak of (ISO), when it was made (ISO), and its folder."""

    version: str
    as_of: str
    created: str
    folder: Path


_LINKED = ", ".join(f"'{name}'" for name in LINKED)
# figure: (table, query of part and base)
_PARTS = {
    "quarantined": ("ingest_file", "SELECT sum(quarantined), sum(read - header - blank) FROM ingest_file"),
    "linked": ("match_summary", f"""SELECT coalesce(sum(records) FILTER (pass IN ({_LINKED})), 0), sum(records)
        FROM match_summary WHERE source <> 'dukcapil'"""),
    "missing": ("quality_completeness",
                "SELECT sum(missing), sum(rows - not_applicable) FROM quality_completeness"),
    "stale": ("quality_freshness", f"""SELECT coalesce(sum(families) FILTER (age_months_bucket >= {STALE_MONTHS}
        OR age_months_bucket < 0), 0), sum(families) FROM quality_freshness"""),
    "gap": ("quality_coverage", "SELECT sum(civil_families - registry_families), sum(civil_families) "
            "FROM quality_coverage"),
}  # fmt: skip


def versions(root: Path) -> list[Version]:
    """The versions kept in the dataset `root`, oldest first; a dataset without version folders has one."""
    found = [
        Version(v.manifest.version, v.manifest.as_of, v.manifest.created, root / v.folder) for v in kept.versions(root)
    ]
    return sorted(found, key=lambda v: (v.as_of, v.created))


def quality_trend(dataset: Dataset) -> pd.DataFrame:
    """One row per version: version, as_of, created, and of every share its base, part and value (``lines`` read,
    ``families`` and ``persons`` stored as counts), NaN where that version does not hold it."""
    rows = []
    for version in versions(dataset.path):
        found = _figures(dataset, version)
        if found is not None:
            rows.append({"version": version.version, "as_of": version.as_of, "created": version.created, **found})
    frame = pd.DataFrame(rows)
    for name in SHARES:
        frame[name] = frame[f"{name}_part"] / frame[f"{name}_base"].where(frame[f"{name}_base"] > 0)
    frame["persons"] = frame["persons"].where(frame["persons"] > 0)  # earlier quarters hold families only
    return frame


def _figures(dataset: Dataset, version: Version) -> dict[str, float] | None:
    if version.version == dataset.version:
        return _read(dataset.cursor())
    try:
        with connect_readonly(version.folder) as connection:
            return _read(connection)
    except duckdb.Error:
        return None


def _read(con: duckdb.DuckDBPyConnection) -> dict[str, float]:
    row = {f"{name}_{kind}": float("nan") for name in _PARTS for kind in ("part", "base")}
    row["lines"] = _one(con, "SELECT sum(read), 0 FROM ingest_file")[0]
    for name, (_, sql) in _PARTS.items():
        row[f"{name}_part"], row[f"{name}_base"] = _one(con, sql)
    row["families"] = _one(con, "SELECT count(*), 0 FROM keluarga")[0]
    row["persons"] = _one(con, "SELECT count(*), 0 FROM anggota")[0]
    return row


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[float, float]:
    """The two numbers of `sql`; NaN where this version lacks the table or its columns."""
    try:
        found = con.execute(sql).fetchone()
    except (duckdb.CatalogException, duckdb.BinderException):
        return float("nan"), float("nan")
    part, base = found or (None, None)
    return (float("nan") if part is None else float(part), float("nan") if base is None else float(base))
