"""Set aside, exported, corrected, ingested again."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from dtsen_core.build import update
from dtsen_core.cli.main import answer
from dtsen_core.registry.dataset import Dataset

pytestmark = pytest.mark.slow


def test_a_corrected_record_is_taken_in_the_next_time(
    small_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (Dataset.open(small_dataset).folder / "sources" / "p3ke.csv").read_text(encoding="utf-8").split("\n")[:200]
    delivered = tmp_path / "p3ke.csv"
    cells = lines[5].split(",")
    good = cells[1]
    cells[1] = good[:15]
    lines[5] = ",".join(cells)
    delivered.write_text("\n".join(lines), encoding="utf-8")
    root = tmp_path / "data"
    first = update.ingest("p3ke", [delivered], root)["files"][0]
    exported = tmp_path / "karantina.csv"
    assert answer(["quarantine", "export", "p3ke", str(exported), "--dataset", str(root)]) == 0
    assert str(exported) in capsys.readouterr().err.replace("\n", "")
    with exported.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    wrong = next(row for row in rows if row[1].lstrip("'") == good[:15])
    assert "nik" in " ".join(wrong[len(lines[0].strip().split(",")) :])
    wrong[1] = good
    with exported.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, wrong])
    capsys.readouterr()
    assert answer(["ingest", "p3ke", str(exported), "--dataset", str(root), "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["files"][0]["read"], report["files"][0]["accepted"]) == (2, 1)
    cursor = Dataset.open(root).cursor()
    taken = cursor.execute("SELECT count(*) FROM source_p3ke WHERE nomor_induk_kependudukan = ?", [good]).fetchall()
    assert taken == [(1,)]
    again = tmp_path / "lagi.csv"
    assert answer(["quarantine", "export", "p3ke", str(again), "--dataset", str(root)]) == 0
    left = list(csv.reader(again.read_text(encoding="utf-8-sig").splitlines()))[1:]
    assert [row[-1] for row in left] == [row[-1] for row in rows if row is not wrong]
    mended = cursor.execute("SELECT line_from FROM quarantine WHERE mended_by = 'correction'").fetchall()
    assert mended == [(int(wrong[-1]),)]
    kept = cursor.execute("SELECT path, accepted, quarantined FROM ingest_file ORDER BY path").fetchall()
    assert kept == [("karantina.csv", 1, 0), ("p3ke.csv", first["accepted"], first["quarantined"])]


def test_wrong_kinds_are_one_sentence(small_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("regsosek", "susenas", "pln"):
        assert answer(["quarantine", "export", kind, str(tmp_path / "x.csv"), "--dataset", str(small_dataset)]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
