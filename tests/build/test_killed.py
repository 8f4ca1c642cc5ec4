"""kill −9 at any moment: the version served before is served after, and the next run succeeds."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from dtsen_core.build import update
from dtsen_core.collect.simulate import delivered
from dtsen_core.paths import ROOT
from dtsen_core.registry import versions
from dtsen_core.registry.dataset import DATABASE, Dataset
from tests.build import publishing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9"),
]
KILLS = int(os.environ.get("DTSEN_KILLS", 8))  # as in test_killed_build: a campaign asks for more
INGEST = """
import sys
from pathlib import Path
from dtsen_core.build import update
root, *files = sys.argv[1:]
print("ready", flush=True)
update.ingest("dtsen", [Path(file) for file in files], Path(root))
print("done", flush=True)
"""


def start(script: str, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, *map(str, words)], stdout=subprocess.PIPE, text=True)


def value(root: Path) -> int:
    return int(Dataset.open(root).cursor().execute("SELECT value FROM thing").fetchall()[0][0])


def first(root: Path, form: str) -> None:
    """What is served before: nothing, or version v1 in one of the two forms."""
    if form == "nothing":
        return
    home = root if form == "flat" else root / "versions" / "v1"
    made = publishing.fill(home, "v1", "one", 1)
    made.write(home)
    if form == "versions":
        versions.serve(root, made, "versions/v1")


def whole(root: Path) -> set[str]:
    """The names of all listed versions; the database of each must be there and be what its manifest says."""
    for version in versions.versions(root):
        with contextlib.closing(duckdb.connect(str(root / version.folder / DATABASE), read_only=True)) as con:
            assert con.execute("SELECT version FROM dataset_stamp").fetchall() == [(version.name,)]
            assert con.execute("SELECT count(*) FROM thing").fetchall() == [(version.manifest.families,)]
    return {version.name for version in versions.versions(root)}


@pytest.mark.parametrize("form", ["nothing", "flat", "versions"])
def test_killed_before_every_step_of_publishing(tmp_path: Path, form: str) -> None:
    new, code, number = {"v2", *publishing.earlier("v2")}, -signal.SIGKILL, 0
    while code:
        assert code == -signal.SIGKILL
        assert number < 60
        root = tmp_path / str(number)
        first(root, form)
        command = [sys.executable, "-m", publishing.__name__, root, "v2", str(number)]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        before = ""
        if (root / "manifest.json").exists():
            before = Dataset.open(root).version
            assert value(root) == {"v1": 1, "v2": 2}[before]
            assert whole(root) >= (new if before == "v2" else {"v1"}), "served with what came before it"
        else:
            assert form == "nothing"
            assert versions.untouched(root), "the dashboard shows the build, not an error"
        publishing.publish(root, "v3")
        assert value(root) == 2
        assert whole(root) == {"v3", *publishing.earlier("v3")} | ({before} if before else set())
        assert not [path.name for path in (root / "versions").iterdir() if path.name.startswith(".")]
        assert sorted(path.name for path in root.iterdir()) == ["manifest.json", "versions"]
        shutil.rmtree(root)
        number += 1
    assert number > 4


def test_killed_at_random_moments_of_an_ingest(small_dataset: Path, tmp_path: Path) -> None:
    source = Dataset.open(small_dataset).cursor()
    pairs = []
    for region in ("3171", "1101"):
        made = delivered.write_delivered(source, tmp_path / region, "kemendagri", region)
        pairs.append([made["keluarga"], made["anggota"]])
    root = tmp_path / "data"
    first = update.ingest("dtsen", pairs[0], root)
    began = time.monotonic()
    update.ingest("dtsen", pairs[1], tmp_path / "trial")
    usual = time.monotonic() - began
    dice = random.Random(5)
    before = after = 0
    for number in range(KILLS):
        child = start(INGEST, root, *pairs[1])
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(usual * 1.2 * (number + dice.random()) / KILLS)
        child.kill()
        child.wait()
        served = Dataset.open(root)
        families = served.cursor().execute("SELECT count(*) FROM keluarga").fetchall()[0][0]
        assert families == served.manifest.families
        if served.version == first["version"]:
            assert families == first["families"]
            before += 1
            continue
        after += 1
        assert families > first["families"]
        versions.switch(root, first["version"])
        versions.prune(root, 1)
    assert before >= KILLS // 3
    report = update.ingest("dtsen", pairs[1], root)
    assert not report["unchanged"]
    assert Dataset.open(root).version == report["version"]
    assert not [path for path in (root / "versions").iterdir() if path.name.startswith(".")]
    assert sorted(path.name for path in root.iterdir()) == ["manifest.json", "store", "versions"]
    named = {f"{f['hash']}{f['ext']}" for d in Dataset.open(root).manifest.deliveries for f in d["files"]}
    assert {path.name for path in (root / "store").iterdir()} == named
