"""kill −9 at any moment: the version served before is served after, and the next run succeeds."""

from __future__ import annotations

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
from dtsen_core.registry import versions
from dtsen_core.registry.dataset import DATABASE, Dataset, stamp
from dtsen_core.registry.manifest import Manifest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9"),
]
KILLS = 24
INGEST = """
import sys
from pathlib import Path
from dtsen_core.build import update
root, *files = sys.argv[1:]
print("ready", flush=True)
update.ingest("dtsen", [Path(file) for file in files], Path(root))
print("done", flush=True)
"""
# Publishes a version and kills itself before the file system step number N that changes a name.
STEP = """
import os, signal, shutil, sys
from pathlib import Path
import duckdb
from dtsen_core.registry.dataset import DATABASE, new_dataset, stamp
from dtsen_core.registry.manifest import Manifest
root, number = Path(sys.argv[1]), int(sys.argv[2])
left = [number]
def counted(real):
    def step(*arguments, **named):
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return real(*arguments, **named)
    return step
with new_dataset(root, "simulated") as folder:
    con = duckdb.connect(str(folder / DATABASE))
    con.execute("CREATE TABLE thing AS SELECT 2 AS value")
    stamp(con, "v2")
    con.close()
    for place, name in ((Path, "rename"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir"), (Path, "rmdir"),
                        (shutil, "rmtree"), (shutil, "copytree"), (os, "link")):
        setattr(place, name, counted(getattr(place, name)))
    Manifest("simulated", "v2", "2026-01-23", "2026-01-24T00:00:02", 1, 3, 1.0, 3.0).write(folder)
"""


def start(script: str, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, *map(str, words)], stdout=subprocess.PIPE, text=True)


def value(root: Path) -> int:
    return int(Dataset.open(root).cursor().execute("SELECT value FROM thing").fetchall()[0][0])


@pytest.mark.parametrize("form", ["flat", "versions"])
def test_killed_before_every_step_of_publishing(tmp_path: Path, form: str) -> None:
    finished = False
    reached = 0
    for number in range(60):
        root = tmp_path / str(number)
        home = root if form == "flat" else root / "versions" / "v1"
        home.mkdir(parents=True)
        con = duckdb.connect(str(home / DATABASE))
        con.execute("CREATE TABLE thing AS SELECT 1 AS value")
        stamp(con, "v1")
        con.close()
        first = Manifest("simulated", "v1", "2026-01-23", "2026-01-24T00:00:01", 1, 3, 1.0, 3.0)
        first.write(home)
        if form == "versions":
            versions.serve(root, first, "versions/v1")
        child = start(STEP, root, number)
        code = child.wait()
        assert value(root) in (1, 2)
        served = Dataset.open(root).version
        reached = number
        if code == 0:
            finished = True
            break
        assert code == -signal.SIGKILL
        assert start(STEP, root, 1000).wait() == 0
        assert value(root) == 2
        assert {v.name for v in versions.versions(root)} >= {"v2"}
        assert served in ("v1", "v2")
        assert not [path.name for path in (root / "versions").iterdir() if path.name.startswith(".")]
        assert sorted(path.name for path in root.iterdir()) == ["manifest.json", "versions"]
        shutil.rmtree(root)
    assert finished
    assert reached >= 4


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
