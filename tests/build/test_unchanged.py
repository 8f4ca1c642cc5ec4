"""A file delivered twice is answered from the served version, whatever settings this process runs under."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dtsen_core.build import store, update
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.manifest import Manifest
from dtsen_core.settings import settings


def test_the_served_version_may_be_open_with_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    delivered = tmp_path / "dtks.txt"
    delivered.write_text("satu\ndua\n")
    root = tmp_path / "data"
    root.mkdir()
    Manifest(
        origin="real", version="uji", as_of="2026-03-31", created="2026-04-02T03:04:05", families=1, persons=2,
        registry_families=1.0, registry_persons=2.0, files={"dtks.txt": store.digest(delivered)},
    ).write(root)  # fmt: skip
    with duckdb.connect(str(root / "dtsen.duckdb")) as con:
        con.execute("CREATE TABLE dataset_stamp AS SELECT 'uji' AS version")
        con.execute("CREATE TABLE ingest_file AS SELECT 'dtks.txt' AS path, 'dtks' AS source, 2 AS read, "
                    "1 AS accepted, 1 AS quarantined")
        con.execute("CREATE TABLE quarantine AS SELECT 'dtks.txt' AS path, 'dtks' AS source, 'nik' AS reason, "
                    "['dua'] AS lines")
    monkeypatch.setenv("DTSEN_MEMORY_LIMIT", "400MB")
    monkeypatch.setenv("DTSEN_THREADS", "1")
    settings.cache_clear()
    try:
        held = Dataset.open(root)
        report = update._unchanged(root, "dtks", [delivered], dry_run=False)
        assert held.cursor().execute("SELECT count(*) FROM ingest_file").fetchall() == [(1,)]
    finally:
        settings.cache_clear()
    assert report["unchanged"]
    assert [(file["quarantined"], file["reasons"]) for file in report["files"]] == [(1, {"nik": 1})]
