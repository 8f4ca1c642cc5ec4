"""One build for all visitors: start is idempotent, a dead build is noticed, a finished one is done."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dtsen_core.build import lock, runner
from dtsen_core.build.progress import Event, Progress, file_listener
from dtsen_core.registry.manifest import Manifest


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    calls: list[list[str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **kw: calls.append(command))
    return calls


def test_nothing_there(tmp_path: Path) -> None:
    assert runner.status(tmp_path / "d").state == "none"


def test_two_visitors_start_one_build(tmp_path: Path, started: list[Any]) -> None:
    runner.start(tmp_path / "d")
    runner.start(tmp_path / "d")
    assert len(started) == 1
    assert started[0][1:4] == ["-m", "dtsen_core", "build"]
    assert runner.status(tmp_path / "d").state == "running"


def test_a_running_build_shows_stage_and_share(tmp_path: Path) -> None:
    out = tmp_path / "d"
    with lock.exclusive(out):
        file_listener(lock.progress_path(out))(Event("survey", 0.4, 12.0))
        found = runner.status(out)
        assert (found.state, found.stage, found.fraction, found.seconds_left) == ("running", "survey", 0.4, 12.0)


def test_a_build_that_died_is_failed_with_a_sentence(tmp_path: Path) -> None:
    out = tmp_path / "d"
    lock.progress_path(out).write_text(json.dumps({"state": "running", "stage": "survey", "fraction": 0.4}))
    found = runner.status(out)
    assert (found.state, found.message_key) == ("failed", "build.stopped")


def test_a_build_cut_short_before_this_server_stood_is_begun_again_once(tmp_path: Path, started: list[Any]) -> None:
    out = tmp_path / "d"
    lock.progress_path(out).write_text(json.dumps({"state": "running", "stage": "survey", "fraction": 0.4}))
    assert runner.cut_short(out, runner.status(out))
    runner.start(out)
    assert not runner.cut_short(out, runner.status(out))
    lock.progress_path(out).write_text(json.dumps({"state": "failed", "message_key": runner.STOPPED}))
    assert not runner.cut_short(out, runner.status(out)), "what ends again and again is not begun again and again"
    other = tmp_path / "other"
    lock.progress_path(other).write_text(json.dumps({"state": "failed", "message_key": "errors_dataset.disk_full"}))
    assert not runner.cut_short(other, runner.status(other)), "a full disk is told"


def test_a_finished_dataset_is_done_even_if_the_last_word_is_old(tmp_path: Path) -> None:
    out = tmp_path / "d"
    out.mkdir()
    Manifest("simulated", "v", "2026-01-23", "x", 1, 1, 1.0, 1.0).write(out)
    assert runner.status(out).state == "done"
    lock.progress_path(out).write_text(json.dumps({"state": "running", "stage": "finish", "fraction": 0.99}))
    assert runner.status(out).state == "done"


def test_a_damaged_progress_file_does_not_matter(tmp_path: Path) -> None:
    lock.progress_path(tmp_path / "d").write_text("{half")
    assert runner.status(tmp_path / "d").state == "none"


def test_progress_runs_forward_and_estimates_the_rest() -> None:
    seen: list[Event] = []
    told = Progress({"a": 1, "b": 3}, seen.append)
    with told.stage("a") as step:
        step(0.5)
    with told.stage("b") as step:
        step(0.5)
    fractions = [event.fraction for event in seen]
    assert fractions == pytest.approx([0, 0.125, 0.25, 0.25, 0.625, 1.0])
    assert seen[-1].seconds_left == 0
    assert set(told.seconds) == {"a", "b"}
