"""What the user can mend: one sentence in the user's language, exit code 2, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dtsen_core.cli import language
from dtsen_core.cli.main import answer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _indonesian(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The sentence on standard error of a command that must be refused with exit code 2."""
    assert answer([str(word) for word in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1, err
    return err


MISUSES = [
    (["rank", "--scope", "galaxy"], "galaxy"),
    (["rank", "--unit", "cows"], "cows"),
    (["rank", "--level", "village"], "village"),
    (["rank", "--format", "xml"], "--format"),
    (["info", "--lang", "fr"], "--lang"),
    (["info", "--datset", "x"], "--dataset"),
    (["build", "--families", "many"], "--families"),
    (["build", "--families"], "--families"),
    (["rank", "--dataset", "no-such-folder"], "no-such-folder"),
    (["info", "--dataset", "no-such-folder"], "no-such-folder"),
    (["ingest", "dtsen", "no-a.csv", "no-b.csv"], "no-a.csv"),
    (["ingest", "dtsen", "no-a.csv", "no-b.csv", "no-c.csv"], "dua berkas"),
    (["ingest", "dtsen", "no-a.csv"], "no-a.csv"),
    (["ingest", "horoscope", "no-a.csv"], "horoscope"),
    (["ingest"], "KIND"),
    (["ingest", "dtsen", "a", "b", "--codes", "zip"], "--codes"),
    (["boundaries", "import", "no.gpkg", "--level", "regency", "--code-field", "K"], "no.gpkg"),
    (["boundaries", "import", "no.gpkg", "--level", "street", "--code-field", "K"], "street"),
    (["boundaries", "import", "no.gpkg"], "--level"),
    (["boundaries", "undo", "twice"], "twice"),
    (["dance"], "dance"),
]


@pytest.mark.parametrize(("arguments", "names"), MISUSES, ids=lambda value: " ".join(value) if value else "")
def test_misuse_is_told_in_one_sentence(capsys: pytest.CaptureFixture[str], arguments: list[str], names: str) -> None:
    assert names in refusal(capsys, *arguments)


def test_the_sentence_comes_in_the_language_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = ("info", "--dataset", "no-such-folder")
    assert "Tidak ada himpunan data" in refusal(capsys, *wrong)
    assert "There is no dataset" in refusal(capsys, *wrong, "--lang", "en")
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    assert "There is no dataset" in refusal(capsys, *wrong)
    assert "Tidak ada himpunan data" in refusal(capsys, *wrong, "--lang=id")


def test_a_damaged_dataset_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    assert str(tmp_path) in refusal(capsys, "info", "--dataset", tmp_path)


def test_a_folder_of_other_files_is_not_overwritten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    keep = tmp_path / "home" / "letters.txt"
    keep.parent.mkdir()
    keep.write_text("dear", encoding="utf-8")
    assert "home" in refusal(capsys, "build", "--families", 20_000, "--out", keep.parent)
    assert keep.read_text(encoding="utf-8") == "dear"
    assert [path.name for path in keep.parent.iterdir()] == ["letters.txt"]


def test_a_file_in_the_place_of_the_folder_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("x", encoding="utf-8")
    assert "file" in refusal(capsys, "build", "--families", 20_000, "--out", place)
    assert place.read_text(encoding="utf-8") == "x"
    assert "file" in refusal(capsys, "build", "--families", 20_000, "--out", place / "below")


def test_families_out_of_range(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for families in (-1, 0, 10**9):
        assert str(families) in refusal(capsys, "build", "--families", families, "--out", tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_under_the_answer_is_told(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "dtsen_core", "--help"],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, env={**os.environ, "LANG": "en_GB.UTF-8"},
        )  # fmt: skip
    assert done.returncode == 2
    assert "The disk is full" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_option_in_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    expected = {
        ("build",): ("--families", "--seed", "--out", "--without-sources", "--format"),
        ("info",): ("--dataset", "--format"),
        ("ingest",): ("KIND", "FILE", "--out", "--codes", "--format"),
        ("rank",): ("--model", "--scope", "--unit", "--region", "--level", "--plain", "--public", "--dataset"),
        ("boundaries", "import"): ("FILE", "--level", "--code-field", "--codes"),
        ("boundaries", "undo"): ("undo",),
    }
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command, words in expected.items():
        assert answer([*command, "--help"]) == 0
        shown = capsys.readouterr().out
        for word in words:
            assert word in shown, f"{command}: {word}"
            assert word in readme
        assert "--progress-file" not in shown
        assert "--lang" in shown


def test_language_is_found_anywhere_on_the_line() -> None:
    assert language.chosen(["rank", "--lang", "en"]) == "en"
    assert language.chosen(["--lang=en", "rank"]) == "en"
    assert language.chosen(["rank", "--lang"]) == "id"
