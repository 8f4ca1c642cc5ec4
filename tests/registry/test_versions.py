"""Versions of a dataset: one is served, the others wait; every change is one step."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from dtsen_core.errors import UserError
from dtsen_core.registry import manifest as manifests
from dtsen_core.registry import versions
from dtsen_core.registry.dataset import DATABASE, EVALUATION, Dataset, new_dataset, stamp
from dtsen_core.registry.manifest import Manifest


def fill(folder: Path, version: str, origin: str = "real", value: int = 1) -> None:
    con = duckdb.connect(str(folder / DATABASE))
    con.execute("CREATE TABLE thing AS SELECT ? AS value", [value])
    stamp(con, version)
    con.close()
    Manifest(origin, version, "2026-01-23", f"2026-01-24T00:00:{value:02}", 1, 3, 1.0, 3.0).write(folder)


def make(root: Path, version: str, origin: str = "real", value: int = 1) -> None:
    with new_dataset(root, origin) as folder:
        fill(folder, version, origin, value)


def served(root: Path) -> int:
    return int(Dataset.open(root).cursor().execute("SELECT value FROM thing").fetchall()[0][0])


def test_the_newest_is_served_and_a_switch_goes_back(tmp_path: Path) -> None:
    root = tmp_path / "d"
    for number in (1, 2, 3):
        make(root, f"v{number}", value=number)
    assert [(v.name, v.served) for v in versions.versions(root)] == [("v3", True), ("v2", False), ("v1", False)]
    assert served(root) == 3
    versions.switch(root, "v1")
    assert served(root) == 1
    assert Dataset.open(root).folder == root.resolve() / "versions" / "v1"
    with pytest.raises(UserError) as problem:
        versions.switch(root, "v9")
    assert "v1, " in problem.value.message("en") or ", v1" in problem.value.message("en")


def test_pruning_spares_the_served_and_the_newest(tmp_path: Path) -> None:
    root = tmp_path / "d"
    for number in range(1, 6):
        make(root, f"v{number}", value=number)
    versions.switch(root, "v1")
    assert versions.prune(root, 2) == ("v4", "v3", "v2")
    assert {v.name for v in versions.versions(root)} == {"v1", "v5"}
    assert served(root) == 1
    assert sorted(p.name for p in (root / "versions").iterdir()) == ["v1", "v5"]
    with pytest.raises(UserError):
        versions.prune(root, 0)


def test_a_demonstration_keeps_what_it_replaces_and_no_more(tmp_path: Path) -> None:
    for number in range(1, 5):
        make(tmp_path / "d", f"v{number}", origin="simulated", value=number)
    assert [v.name for v in versions.versions(tmp_path / "d")] == ["v4", "v3"]


def test_the_same_name_twice_takes_two_folders(tmp_path: Path) -> None:
    make(tmp_path / "d", "v1", value=1)
    make(tmp_path / "d", "v1", value=2)
    assert served(tmp_path / "d") == 2
    assert {v.folder for v in versions.versions(tmp_path / "d")} == {"versions/v1", "versions/v1-2"}


def test_a_flat_dataset_opens_and_becomes_a_version_of_its_own(tmp_path: Path) -> None:
    root = tmp_path / "d"
    (root / "sources").mkdir(parents=True)
    (root / "sources" / "dtks.txt").write_text("x")
    fill(root, "old", origin="simulated", value=7)
    truth = duckdb.connect(str(root / EVALUATION))
    truth.execute("CREATE TABLE truth AS SELECT 5 AS expenditure")
    truth.close()
    assert served(root) == 7
    assert Dataset.open(root).folder == root.resolve()
    make(root, "new", origin="simulated", value=8)
    assert served(root) == 8
    assert sorted(p.name for p in root.iterdir()) == ["manifest.json", "versions"]
    versions.switch(root, "old")
    assert served(root) == 7
    cursor = Dataset.open(root).evaluation_cursor()
    assert cursor.execute("SELECT expenditure FROM evaluation.truth").fetchall() == [(5,)]
    assert (Dataset.open(root).folder / "sources" / "dtks.txt").read_text() == "x"


def test_a_manifest_may_not_point_outside(tmp_path: Path) -> None:
    make(tmp_path / "d", "v1")
    raw = json.loads((tmp_path / "d" / "manifest.json").read_text())
    for folder in ("../elsewhere", "versions/../..", "/etc", "versions/.building-1-a"):
        (tmp_path / "d" / "manifest.json").write_text(json.dumps(raw | {"folder": folder}))
        with pytest.raises(UserError):
            manifests.read(tmp_path / "d")


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    root = tmp_path / "d"
    script = (
        "import os, sys; from pathlib import Path; from dtsen_core.registry import versions\n"
        f"with versions.building(Path({str(root)!r})) as folder:\n"
        "    (folder / 'half').write_text('x'); print(folder, flush=True); sys.stdin.read(); os._exit(9)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    half = Path(child.stdout.readline().strip())
    assert versions.untouched(root)
    make(root, "v1")
    assert (half / "half").exists()
    child.kill()
    child.wait()
    assert half.exists()
    make(root, "v2", value=2)
    assert sorted(p.name for p in (root / "versions").iterdir()) == ["v1", "v2"]


def test_whole_versions_nobody_serves_are_leftovers_of_their_own_origin_only(tmp_path: Path) -> None:
    """A first run may die between making its version and serving it."""
    for origin, other in (("simulated", "real"), ("real", "simulated")):
        root = tmp_path / origin
        make(root, "v1", origin)
        (root / "manifest.json").unlink()
        assert versions.untouched(root, origin)
        assert not versions.untouched(root, other)
        with pytest.raises(UserError) as problem:
            make(root, "v2", other)
        assert problem.value.key == "errors_dataset.foreign_folder"
        assert [manifest.version for manifest in versions.held(root)] == ["v1"]
        make(root, "v2", origin, value=2)
        assert served(root) == 2


def test_a_folder_with_a_version_that_cannot_be_read_is_not_built_over(tmp_path: Path) -> None:
    make(tmp_path / "d", "v1", "simulated")
    (tmp_path / "d" / "manifest.json").unlink()
    (tmp_path / "d" / "versions" / "v1" / "manifest.json").write_text("{")
    assert not versions.untouched(tmp_path / "d")


def test_a_version_removed_while_opening_is_not_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = (tmp_path / "d").resolve()
    make(root, "v1", value=1)
    read = manifests.read
    calls = []

    def late(folder: Path) -> Manifest:
        found = read(folder)
        if not calls:
            calls.append(1)
            monkeypatch.setattr("dtsen_core.registry.manifest.read", read)
            make(root, "v2", value=2)
            shutil.rmtree(root / "versions" / "v1")
        return found

    monkeypatch.setattr("dtsen_core.registry.manifest.read", late)
    assert Dataset.open(root).version == "v2"
