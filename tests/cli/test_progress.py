"""What waiting visitors learn: the state of a build in a file, to its end, good or bad."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from dtsen_core.build import demo, lock
from dtsen_core.build.progress import Event
from dtsen_core.cli.main import answer
from dtsen_core.cli.progress import reported


def state(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


def test_a_full_disk_ends_in_one_sentence_and_a_failed_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def build(out: Path, **options: Any) -> None:
        options["progress"](Event("survey", 0.5, 3.0))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(demo, "build", build)
    file = tmp_path / "state.json"
    words = ["build", "--out", str(tmp_path / "new"), "--progress-file", str(file), "--lang", "en"]
    assert answer(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "The disk is full" in captured.err
    assert "Traceback" not in captured.err
    assert state(file)["state"] == "failed"


def test_a_refusal_is_kept_with_its_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "state.json"
    words = ["build", "--families", "1", "--out", str(tmp_path / "new"), "--progress-file", str(file)]
    assert answer(words) == 2
    kept = state(file)
    assert (kept["state"], kept["message_key"]) == ("failed", "errors_dataset.families_range")
    assert kept["params"]["families"] == 1
    assert not (tmp_path / "new").exists()


def test_a_second_build_leaves_the_state_of_the_first_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new"
    file = lock.progress_path(out)
    file.write_text('{"state": "running"}', encoding="utf-8")
    with lock.exclusive(out):
        assert answer(["build", "--out", str(out), "--progress-file", str(file)]) == 2
    assert state(file) == {"state": "running"}
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_the_file_follows_the_build_to_done(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    heard: list[Event] = []
    with reported(heard.append, file, asked=False) as listen:
        assert not file.exists()
        listen(Event("fit", 0.25, 9.0))
        assert state(file)["stage"] == "fit"
        assert state(file)["fraction"] == 0.25
    assert state(file)["state"] == "done"
    assert [event.stage for event in heard] == ["fit"]


def test_a_bug_is_not_swallowed_but_noted(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with pytest.raises(ZeroDivisionError), reported(lambda event: None, file, asked=True):
        _ = 1 // 0
    assert state(file)["state"] == "failed"
