"""``ingest dtsen``: delivered files become a dataset of origin real, and only that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dtsen_core.cli.main import answer
from dtsen_core.collect.simulate import delivered
from dtsen_core.registry.dataset import Dataset

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def files(small_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("delivered")
    return delivered.write_delivered(Dataset.open(small_dataset).cursor(), folder, codes="bps", region="31")


@pytest.fixture(scope="module")
def ingested(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("real") / "data"
    assert answer(["ingest", "dtsen", str(files["keluarga"]), str(files["anggota"]), "--out", str(out)]) == 0
    return out


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert answer([*map(str, arguments), "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_physical_line_is_accounted_for(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run(capsys, "ingest", "dtsen", files["keluarga"], files["anggota"], "--out", tmp_path / "new")
    assert len(report["files"]) == 2
    for entry, path in zip(report["files"], (files["keluarga"], files["anggota"])):
        assert entry.keys() >= {"path", "read", "header", "blank", "accepted", "quarantined", "reasons"}
        assert entry["read"] == len(path.read_bytes().splitlines())
        assert entry["read"] == entry["header"] + entry["blank"] + entry["accepted"] + entry["quarantined"]
        assert entry["accepted"] > 0


def test_the_dataset_is_real_and_ranks_by_what_was_delivered(
    ingested: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = run(capsys, "info", "--dataset", ingested)
    assert shown["origin"] == "real"
    ranked = run(capsys, "rank", "--dataset", ingested, "--region", "31")
    assert ranked["model"] == "resmi"
    assert {area["code"][:2] for area in ranked["areas"]} == {"31"}
    assert all(area["p0"] is None for area in ranked["areas"])
    assert sum(area["families"] for area in ranked["areas"]) == pytest.approx(shown["families"])


def test_the_simulated_model_and_simulated_rows_stay_out(
    ingested: Path, small_dataset: Path, files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer(["rank", "--dataset", str(ingested), "--model", "pmt_provinsi"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    before = (small_dataset / "manifest.json").read_bytes()
    words = ["ingest", "dtsen", str(files["keluarga"]), str(files["anggota"]), "--out", str(small_dataset)]
    assert answer(words) == 2
    assert (small_dataset / "manifest.json").read_bytes() == before
    assert answer(["build", "--families", "20000", "--out", str(ingested)]) == 2
    assert Dataset.open(ingested).manifest.origin == "real"


def test_files_of_another_kind_or_system_are_refused_and_leave_nothing(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    family, member = str(files["keluarga"]), str(files["anggota"])
    picture = tmp_path / "picture.csv"
    picture.write_bytes(bytes(range(256)) * 64)
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    out = tmp_path / "out" / "data"
    for wrong in (
        [member, member], [str(picture), member], [str(empty), member], [family, str(picture)],
        [family, member, "--codes", "kemendagri"],
    ):  # fmt: skip
        assert answer(["ingest", "dtsen", *wrong, "--out", str(out)]) == 2, wrong
        err = capsys.readouterr().err
        assert "Traceback" not in err
        assert not out.exists()
    leftovers = [path.name for path in out.parent.iterdir() if path.is_dir()] if out.parent.exists() else []
    assert leftovers == []
