"""kill −9 at any moment of a whole build: what was served stays served, and the next run succeeds and tidies up.

``DTSEN_KILLS=N`` kills N times and lets every run hold the tournament too; without it a few kills must do, beside a
copy of the folder at every border of two stages, which is what a kill at that moment leaves.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from dtsen_core.build import demo, lock, runner
from dtsen_core.build.progress import Event
from dtsen_core.locale import text
from dtsen_core.paths import ROOT
from dtsen_core.registry import versions
from dtsen_core.registry.dataset import DATABASE, Dataset
from dtsen_core.settings import settings
from dtsen_core.ui import build_screen
from tests.pages import open_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "killpg"), reason="this system has no process groups to kill"),
]
FEW = 4
PAUSE_S = 0.5  # a report is at most this old
KILLS = int(os.environ.get("DTSEN_KILLS", FEW))
SEED = int(os.environ.get("DTSEN_KILLS_SEED", time.time_ns() % 1_000_000))
SMALLEST = {"families": 5_000, "survey_households": 51_400, "tournament": KILLS > FEW}
RUN = f"""
import sys
from pathlib import Path
from dtsen_core import machine
machine.prepare()
from dtsen_core.build import demo, lock
from dtsen_core.build.progress import silent
from dtsen_core.cli.progress import reported
out = Path(sys.argv[1])
print("ready", flush=True)
with reported(silent, lock.progress_path(out), asked=True) as progress:
    demo.build(out, seed=int(sys.argv[2]), progress=progress, **{SMALLEST!r})
"""
TABLES = ("keluarga", "anggota", "family_packed", "enrolment", "survey")


@dataclass(frozen=True)
class Served:
    """What a visitor gets: the hash of the manifest, and the rows of the opened version."""

    version: str
    manifest: str
    rows: tuple[int, ...]


def served(root: Path) -> Served:
    opened = Dataset.open(root)
    counted = [opened.cursor().execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in TABLES]
    manifest = hashlib.sha256((root / "manifest.json").read_bytes()).hexdigest()
    return Served(opened.version, manifest, tuple(counted))


def whole(root: Path) -> list[str]:
    """The names of all listed versions, each with a database that is what its manifest says."""
    for version in versions.versions(root):
        with contextlib.closing(duckdb.connect(str(root / version.folder / DATABASE), read_only=True)) as con:
            assert con.execute("SELECT version FROM dataset_stamp").fetchall() == [(version.name,)]
            assert con.execute("SELECT count(*) FROM keluarga").fetchall() == [(version.manifest.families,)]
            assert con.execute("SELECT count(*) FROM family_packed").fetchall() == [(version.manifest.families,)]
    return [version.name for version in versions.versions(root)]


def tidy(root: Path) -> None:
    """Nothing lies in the folder that belongs to no version."""
    names = {Path(version.folder).name for version in versions.versions(root)}
    assert {path.name for path in (root / versions.FOLDER).iterdir()} == names
    assert {path.name for path in root.iterdir()} <= {"manifest.json", versions.FOLDER, "lab"}
    for result in (root / "lab").glob("*"):
        assert result.name in names


def begin(root: Path, seed: int) -> subprocess.Popen[str]:
    lock.progress_path(root).unlink(missing_ok=True)
    command = [sys.executable, "-c", RUN, str(root), str(seed)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def told(root: Path) -> float:
    """How far the run says it is."""
    with contextlib.suppress(FileNotFoundError):
        return float(json.loads(lock.progress_path(root).read_text()).get("fraction") or 0.0)
    return 0.0


def kill(child: subprocess.Popen[str], root: Path, moment: float) -> bool:
    """Kill the group of `child` when `moment` of its usual time is over (as it reports itself, so that a busy machine
    does not bunch the kills at one end), and a bit more; False when it was done before."""
    while child.poll() is None and told(root) < moment:
        time.sleep(0.02)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(PAUSE_S * (1e4 * moment % 1))
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    assert child.wait() in (0, -signal.SIGKILL)
    return child.returncode != 0


@pytest.fixture(scope="module")
def dice() -> random.Random:
    print(f"DTSEN_KILLS_SEED={SEED}")  # repeats the moments of a failure
    return random.Random(SEED)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("killed") / "data"


@pytest.mark.skipif(KILLS == FEW, reason="part of the campaign: DTSEN_KILLS=24, or `make kills`")
def test_the_first_build_killed_leaves_nothing_and_the_next_run_succeeds(
    home: Path, dice: random.Random
) -> None:
    killed = 0
    for number in range(count := max(KILLS // 3, 1)):
        moment = (number + dice.random()) / count
        if not kill(begin(home, 1), home, moment):
            shutil.rmtree(home)
            continue
        killed += 1
        if (home / "manifest.json").exists():  # in the middle of the tournament, or of the last steps
            whole(home)
            shutil.rmtree(home)
            continue
        assert build_screen.is_missing(home), moment
        assert not lock.held(home)
        assert runner.status(home).message_key == runner.STOPPED
        assert not build_screen.under_way(home)
    print(f"{killed} of {count} first builds killed")
    assert begin(home, 1).wait() == 0
    assert runner.status(home).state == "done"
    assert len(whole(home)) == 4
    tidy(home)


def test_a_build_killed_leaves_the_version_before_and_the_next_run_succeeds(
    home: Path, dice: random.Random, tmp_path: Path
) -> None:
    if not (home / "manifest.json").exists():
        assert begin(home, 1).wait() == 0
    before, listed = served(home), set(whole(home))
    count = KILLS - max(KILLS // 3, 1)
    killed = late = 0
    moments: list[str] = []
    for number in range(count):
        moment = (number + dice.random()) / count
        killed += kill(begin(home, 2 + number), home, moment)
        moments.append(f"{told(home):.2f}")
        assert not lock.held(home)
        found = served(home)
        if found == before:
            assert set(whole(home)) >= listed
            continue
        late += 1  # the new version was served already: then it is all there, with its earlier quarters
        assert Dataset.open(home).manifest.seed == 2 + number
        assert len(set(whole(home)) - listed) == 4
        versions.switch(home, before.version)
        before, listed = served(home), set(whole(home))  # a new version drops the quarters before the one it replaces
    print(f"moments {' '.join(moments)}")
    print(f"{killed} of {count} killed, {late} after the new version was served")
    assert killed - late > count // 2
    assert len(set(moments)) > count // 2, "spread over the run"

    copies: dict[str, Path] = {}

    def listen(event: Event) -> None:
        if event.stage not in copies:
            copies[event.stage] = as_it_stands(home, tmp_path / event.stage)

    made = demo.build(home, seed=1000, progress=listen, **SMALLEST)  # type: ignore[arg-type]
    assert served(home).version == made.version
    assert [name for name in whole(home) if name.endswith(made.build)] == whole(home)[:4]
    assert set(whole(home)) - set(whole(home)[:4]) == {before.version}
    tidy(home)

    assert set(copies) == set(made.stages) | {"finish"} | ({"tournament"} if SMALLEST["tournament"] else set())
    for stage, copy in copies.items():
        if stage == "tournament":
            assert served(copy).version == made.version
            continue
        assert served(copy) == before, stage
        assert set(whole(copy)) >= {before.version}
        with versions.building(copy) as aside:
            assert [path.name for path in (copy / versions.FOLDER).glob(".*[!k]")] == [aside.name], stage


def as_it_stands(root: Path, copy: Path) -> Path:
    """A copy of what is on the disk now; versions never change, so of them names do."""

    def put(source: str, target: str) -> None:
        (shutil.copy2 if versions.BUILDING in source else os.link)(source, target)

    return Path(shutil.copytree(root, copy, copy_function=put))


def test_a_first_visit_after_a_power_cut_builds_again_unasked(
    tmp_path: Path, dice: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real path of the dashboard, full size; killed soon after its first stages."""
    out = tmp_path / "demo"
    children: list[subprocess.Popen[str]] = []
    real = subprocess.Popen

    def recorded(command: list[str], **named: object) -> subprocess.Popen[str]:
        children.append(real(command, start_new_session=True, **named))  # type: ignore[call-overload]
        return children[-1]

    monkeypatch.setattr(runner.subprocess, "Popen", recorded)
    monkeypatch.setattr(runner, "_begun", set())
    monkeypatch.setenv("DTSEN_DATASET", str(out))
    settings.cache_clear()
    try:
        runner.start(out)
        until(lambda: runner.status(out).stage is not None)
        kill(children[0], out, dice.uniform(0, 0.02))
        assert runner.status(out).message_key == runner.STOPPED
        assert build_screen.is_missing(out)
        app = open_page("peta")
        assert [element.value for element in app.error] == [text("build.stopped", "id")], "this server began it"
        assert len(children) == 1

        monkeypatch.setattr(runner, "_begun", set())  # as another server, started later, would be
        app = open_page("peta")
        assert not app.exception
        assert not app.error
        assert app.title[0].value == text("ui.build_title", "id")
        until(lambda: runner.status(out).stage is not None)
        assert len(children) == 2
        assert lock.held(out)
        assert len(list((out / versions.FOLDER).glob(f"{versions.BUILDING}*[!k]"))) == 1, "the dead one's is gone"
    finally:
        for child in children:
            kill(child, out, 0.0)
        settings.cache_clear()


def until(true: object, patience_s: float = 120) -> None:
    deadline = time.monotonic() + patience_s
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)
