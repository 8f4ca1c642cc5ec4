"""``versions`` and ``lineage`` on the command line, and the verbs of ``ingest`` that they go with."""

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
def files(small_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    folder = tmp_path_factory.mktemp("delivered")
    found = {}
    for code in ("3171", "1101"):
        made = delivered.write_delivered(Dataset.open(small_dataset).cursor(), folder / code, "bps", code)
        found[code] = [str(made["keluarga"]), str(made["anggota"])]
    return found


@pytest.fixture(scope="module")
def root(files: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("real") / "data"
    for code, day in (("3171", "2025-09-01"), ("1101", "2026-01-23")):
        assert answer(["ingest", "dtsen", *files[code], "--dataset", str(out), "--as-of", day]) == 0
    return out


@pytest.fixture
def run(root: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def command(*words: object, code: int = 0, form: str = "json") -> Any:
        listed = [*map(str, words), "--dataset", str(root), *(["--format", form] if form else [])]
        assert answer(listed) == code
        shown = capsys.readouterr()
        if code:
            assert "Traceback" not in shown.err
            return shown.err.strip()
        return json.loads(shown.out) if form == "json" else shown.out + shown.err

    return command


def test_list_diff_switch_and_back(run: Any) -> None:
    newest, first = run("versions", "list")["versions"]
    assert (newest["served"], first["served"]) == (True, False)
    assert (newest["as_of"], first["as_of"]) == ("2026-01-23", "2025-09-01")
    found = run("versions", "diff", first["version"], newest["version"])
    assert found["families"]["new"] == newest["families"] - first["families"]
    assert found["families"]["gone"] == found["families"]["moved"] == 0
    assert found["persons"]["same"] == first["persons"]
    assert sum(found["deciles"]["desil_nasional"].values()) == found["families"]["same"]
    assert len(found["deciles"]["desil_nasional"]) == 7
    assert sum(row["changed"] for row in found["variables"]) == 0
    assert {area["code"] for area in found["regencies"]} == {"3171", "1101"}
    assert sum(area["new"] for area in found["regencies"]) == found["families"]["new"]
    table = run("versions", "diff", first["version"], newest["version"], "--lang", "id", form="table")
    assert "Turun ekstrem" in table
    run("versions", "switch", first["version"], form="")
    assert run("info")["version"] == first["version"]
    assert run("info")["families"] == first["families"]
    run("versions", "switch", newest["version"], form="")
    assert run("versions", "list", form="csv").count("\n") == 3


def test_wrong_names_are_one_sentence(run: Any) -> None:
    known = run("versions", "list")["versions"][0]["version"]
    for words in (
        ["versions", "switch", "besok"], ["versions", "diff", known, known], ["versions", "diff", known, "x"],
        ["versions", "prune", "--keep", "0"], ["lineage", "999999999", "nama"], ["lineage", "0", "nomor_hp"],
        ["lineage", "abc", "nama"],
    ):  # fmt: skip
        told = run(*words, code=2, form="" if words[1] == "switch" else "json")
        assert len(told.splitlines()) == 1, words


def test_lineage_of_families_and_members(run: Any) -> None:
    card = run("lineage", 0, "nomor_kartu_keluarga")["values"][0]
    assert (card["source"], card["rule"]) == ("dtsen", "delivered")
    same = run("lineage", card["value"], "nomor_kartu_keluarga")
    assert same["id_keluarga"] == 0
    names = run("lineage", 0, "nama")["values"]
    assert all(one["path"].startswith("dtsen_anggota") and one["line"] > 1 for one in names)
    assert "Sebagaimana diserahkan" in run("lineage", 0, "jenis_lantai_terluas", "--lang", "id", form="table")


def test_the_same_files_and_a_trial_change_nothing(run: Any, files: dict[str, list[str]], root: Path) -> None:
    before = sorted(map(str, root.rglob("*")))
    again = run("ingest", "dtsen", *files["1101"])
    assert again["unchanged"]
    assert [file["path"] for file in again["files"]] == files["1101"]
    tried = run("ingest", "dtsen", *files["1101"], "--dry-run")
    assert tried["unchanged"]
    assert sorted(map(str, root.rglob("*"))) == before
    assert len(run("ingest", "dtsen", *files["1101"], "--as-of", "kemarin", code=2).splitlines()) == 1


def test_pruning_leaves_what_is_served(run: Any, root: Path) -> None:
    served = run("info")["version"]
    removed = run("versions", "prune", "--keep", 1)["removed"]
    assert len(removed) == 1
    assert [version["version"] for version in run("versions", "list")["versions"]] == [served]
    assert len(list((root / "store").iterdir())) == 4  # the served version was made from both deliveries
