"""Opening and swapping datasets: nothing half-written, nothing foreign overwritten, one sentence when wrong."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import duckdb
import pytest

from dtsen_core.errors import UserError
from dtsen_core.registry.dataset import DATABASE, Dataset, explained, new_dataset, stamp
from dtsen_core.registry.manifest import FILE, Manifest


def fill(folder: Path, version: str, origin: str = "simulated", value: int = 1) -> None:
    con = duckdb.connect(str(folder / DATABASE))
    con.execute("CREATE TABLE thing AS SELECT ? AS value", [value])
    stamp(con, version)
    con.close()
    Manifest(origin, version, "2026-01-23", "2026-01-24T00:00:00", 1, 3, 1.0, 3.0).write(folder)


def make(out: Path, version: str, origin: str = "simulated", value: int = 1) -> None:
    with new_dataset(out, origin) as folder:
        fill(folder, version, origin, value)


def value_of(dataset: Dataset) -> int:
    row = dataset.cursor().execute("SELECT value FROM thing").fetchone()
    assert row is not None
    return int(row[0])


def test_a_swap_is_seen_by_the_next_opening(tmp_path: Path) -> None:
    make(tmp_path / "d", "v1", value=1)
    first = Dataset.open(tmp_path / "d")
    assert value_of(first) == 1
    assert Dataset.open(tmp_path / "d") is first
    make(tmp_path / "d", "v2", value=2)
    second = Dataset.open(tmp_path / "d")
    assert (second.version, value_of(second)) == ("v2", 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d"]


def test_a_failed_build_leaves_the_old_dataset(tmp_path: Path) -> None:
    make(tmp_path / "d", "v1")
    with pytest.raises(ZeroDivisionError), new_dataset(tmp_path / "d", "simulated") as folder:
        (folder / "half").write_text("x")
        raise ZeroDivisionError
    assert Dataset.open(tmp_path / "d").version == "v1"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d"]


def test_simulated_never_replaces_real(tmp_path: Path) -> None:
    make(tmp_path / "d", "r1", origin="real")
    with pytest.raises(UserError) as problem, new_dataset(tmp_path / "d", "simulated"):
        pass
    assert problem.value.key == "errors_dataset.other_origin"


def test_a_folder_of_something_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "thesis.docx").write_text("x")
    with pytest.raises(UserError) as problem, new_dataset(tmp_path / "d", "simulated"):
        pass
    assert problem.value.key == "errors_dataset.foreign_folder"
    (tmp_path / "f").write_text("x")
    with pytest.raises(UserError) as problem, new_dataset(tmp_path / "f", "simulated"):
        pass
    assert problem.value.key == "errors_dataset.not_a_folder"


@pytest.mark.parametrize("damage", ["{", '{"origin": "simulated"}', "[]", '{"origin": "dreamt"}'])
def test_a_damaged_manifest_is_a_sentence(tmp_path: Path, damage: str) -> None:
    make(tmp_path / "d", "v1")
    (tmp_path / "d" / FILE).write_text(damage)
    with pytest.raises(UserError) as problem:
        Dataset.open(tmp_path / "d")
    assert problem.value.key == "errors_dataset.damaged"
    assert str(tmp_path / "d") in problem.value.message("id")


def test_a_damaged_or_foreign_database_is_a_sentence(tmp_path: Path) -> None:
    make(tmp_path / "d", "v1")
    (tmp_path / "d" / "versions" / "v1" / DATABASE).write_bytes(b"not a database at all" * 100)
    with pytest.raises(UserError) as problem:
        Dataset.open(tmp_path / "d")
    assert problem.value.key == "errors_dataset.damaged"


def test_a_manifest_of_another_version_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "d", "v1")
    raw = json.loads((tmp_path / "d" / FILE).read_text())
    (tmp_path / "d" / FILE).write_text(json.dumps(raw | {"version": "v9"}))
    monkeypatch.setattr("dtsen_core.registry.dataset.PATIENCE_S", 0.2)
    with pytest.raises(UserError):
        Dataset.open(tmp_path / "d")


def test_missing_dataset_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(UserError) as problem:
        Dataset.open(tmp_path / "nowhere")
    assert "python -m dtsen_core build" in problem.value.message("en")


@pytest.mark.parametrize(("number", "key"), [
    (errno.ENOSPC, "errors_dataset.disk_full"), (errno.EACCES, "errors_dataset.not_writable"),
    (errno.EROFS, "errors_dataset.not_writable"),
])  # fmt: skip
def test_a_full_or_closed_place_is_a_sentence(tmp_path: Path, number: int, key: str) -> None:
    with pytest.raises(UserError) as problem, explained(tmp_path):
        raise OSError(number, "no")
    assert problem.value.key == key


def test_a_real_dataset_has_no_truth(tmp_path: Path) -> None:
    make(tmp_path / "d", "r1", origin="real")
    with pytest.raises(UserError) as problem:
        Dataset.open(tmp_path / "d").evaluation_cursor()
    assert problem.value.key == "errors_dataset.no_truth"
