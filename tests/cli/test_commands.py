"""The commands on a dataset built by the real chain: shapes that later work relies on."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dtsen_core.cli.main import answer
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

pytestmark = pytest.mark.slow

AREA = {"code", "name", "n", "families", "persons", "deciles", "mean_score", "p0", "p1", "p2", "gini"}


@pytest.fixture
def run(small_dataset: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """run("rank", "--plain", …) → what stands on standard output, JSON parsed."""

    def command(*arguments: object, form: str = "json", dataset: Path = small_dataset) -> Any:
        words = [*map(str, arguments), "--dataset", str(dataset), "--format", form]
        assert answer(words) == 0, capsys.readouterr().err
        out = capsys.readouterr().out
        return json.loads(out) if form == "json" else out

    return command


def test_info_is_the_manifest(run: Any, small_dataset: Path) -> None:
    shown = run("info")
    written = json.loads((small_dataset / "manifest.json").read_text(encoding="utf-8"))
    assert written.items() <= shown.items()
    assert shown["origin"] == "simulated"
    assert shown["path"] == str(small_dataset)
    assert written["version"] in run("info", form="table")


def test_rank_has_the_shape_promised(run: Any) -> None:
    ranked = run("rank")
    assert {"dataset", "families", "seconds", "thresholds", "areas"} <= ranked.keys()
    assert len(ranked["areas"]) == len(units.table("regency"))
    assert ranked["dataset"] == run("info")["version"]
    for area in ranked["areas"]:
        assert area.keys() >= AREA
        assert len(area["deciles"]) == 10
        assert 0 <= area["p0"] <= 1
    total = sum(area["families"] for area in ranked["areas"])
    assert total == pytest.approx(ranked["families"], rel=1e-6)
    # on the national scope every decile holds a tenth of the families
    for number in range(10):
        tenth = sum(area["deciles"][number] for area in ranked["areas"])
        assert tenth == pytest.approx(total / 10, rel=0.01)
    assert len(ranked["thresholds"][0]["scores"]) == 9


def test_rank_answers_its_options(run: Any) -> None:
    java = run("rank", "--region", "32", "--level", "regency")
    assert {area["code"][:2] for area in java["areas"]} == {"32"}
    provinces = run("rank", "--level", "province", "--scope", "province", "--unit", "persons", "--plain")
    assert len(provinces["areas"]) == 38
    assert len(provinces["thresholds"]) == 38
    for area in provinces["areas"]:
        assert sum(area["deciles"]) == pytest.approx(area["persons"], rel=1e-6)
    official = run("rank", "--model", "resmi", "--level", "province")
    assert sum(official["areas"][0]["deciles"]) == pytest.approx(official["areas"][0]["families"], rel=1e-6)


def test_csv_and_json_say_the_same(run: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(run("rank", "--level", "province", form="csv"))))
    areas = run("rank", "--level", "province")["areas"]
    assert [row["code"] for row in rows] == [area["code"] for area in areas]
    assert float(rows[0]["d1"]) == pytest.approx(areas[0]["deciles"][0])
    assert float(rows[-1]["p0"]) == pytest.approx(areas[-1]["p0"])


def test_public_differs_from_exact_only_where_cells_are_small(run: Any) -> None:
    exact = run("rank", "--level", "district", "--region", "94")["areas"]
    public = run("rank", "--level", "district", "--region", "94", "--public")["areas"]
    assert [area["code"] for area in exact] == [area["code"] for area in public]
    for before, after in zip(exact, public):
        hidden = set(after["suppressed"])
        for number, (was, now) in enumerate(zip(before["deciles"], after["deciles"]), 1):
            assert now is None if f"d{number}" in hidden else now == pytest.approx(was)
            assert f"d{number}" in hidden or was == 0 or was >= 5
        assert after["p0"] is None if "p0" in hidden else after["p0"] == pytest.approx(before["p0"])


def test_unknown_region_and_model_are_refused_with_a_sentence(
    small_dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for wrong in (["--region", "9999"], ["--model", "no-such.csv"], ["--region", "32", "--level", "province"]):
        code = answer(["rank", *wrong, "--dataset", str(small_dataset)])
        err = capsys.readouterr().err
        assert "Traceback" not in err
        assert code == 2 or "province" in wrong
        assert code == 0 or len(err.strip().splitlines()) == 1


def test_a_cut_database_is_told(small_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "cut"
    copy.mkdir()
    version = Dataset.open(small_dataset).folder
    shutil.copy(version / "manifest.json", copy)
    whole = (version / "dtsen.duckdb").read_bytes()
    for size in (len(whole) // 2, 5000, 0):
        (copy / "dtsen.duckdb").write_bytes(whole[:size])
        assert answer(["rank", "--dataset", str(copy)]) == 2
        err = capsys.readouterr().err
        assert len(err.strip().splitlines()) == 1
        assert "Traceback" not in err
