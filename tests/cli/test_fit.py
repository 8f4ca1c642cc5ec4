"""``fit``: a report, a scorecard that ranks like the model it was written from, and refusals in one sentence."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from dtsen_core.cli.main import answer
from dtsen_core.policy import lab
from dtsen_core.rank.experiment import Experiment
from dtsen_core.rank.scorecard_file import from_csv
from dtsen_core.registry.dataset import Dataset


def test_a_fitted_scorecard_ranks_like_its_model(
    small_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "kartu.csv"
    words = ["fit", "--dataset", str(small_dataset), "--method", "boosted", "--scope", "national",
             "--drop", "ijazah_kepala", "--out", str(out), "--format", "json"]  # fmt: skip
    assert answer(words) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    name = Experiment.of("tumbuh_nasional", ["ijazah_kepala"], refit=True).name
    assert found["model"] == name
    assert 0.3 < found["r2_heldout"] < found["r2"] < 1
    rows = [row for row in found["errors"] if row["kind"] == "all"]
    assert [round(10 * row["cut"]) for row in rows] == list(range(1, 10))
    assert all(row["exclusion_low"] <= row["exclusion"] <= row["exclusion_high"] for row in rows)
    assert {row["kind"] for row in found["errors"]} == {"all", "province", "area", "type"}
    assert str(out) in printed.err.replace("\n", "")
    assert "SIMUL" in printed.err
    assert from_csv(out).hash == found["hash"] == lab.fit(Dataset.open(small_dataset), name).card.hash
    assert answer(["rank", "--dataset", str(small_dataset), "--model", str(out), "--format", "json"]) == 0
    ranked = json.loads(capsys.readouterr().out)
    assert ranked["passport"]["model"]["hash"] == found["hash"]


def test_the_table_has_the_nine_cut_offs(small_dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["fit", "--dataset", str(small_dataset), "--method", "pmt", "--format", "csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["cut"] for row in rows] == [f"{k}0%" for k in range(1, 10)]


@pytest.mark.parametrize(("words", "names"), [
    (["--method", "oracle"], "boosted"),
    (["--method", "ols", "--scope", "national"], "ols (province)"),
    (["--method", "quantile", "--quantile", "0.7"], "0.3"),
    (["--method", "ridge", "--quantile", "0.3"], "--quantile"),
    (["--drop", "warna_rumah"], "warna_rumah"),
    (["--dataset", "no-such-folder"], "no-such-folder"),
])  # fmt: skip
def test_what_cannot_be_fitted_is_one_sentence(
    words: list[str], names: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer(["fit", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.strip().splitlines())) == ("", 1)
    assert names in err


def test_a_closed_place_is_told(small_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "none" / "kartu.csv"
    assert answer(["fit", "--dataset", str(small_dataset), "--method", "pmt", "--out", str(place)]) == 2
    assert str(place) in capsys.readouterr().err.replace("\n", "")
