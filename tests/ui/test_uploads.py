"""Where uploaded files lie: a folder per process, and none that outlives its process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dtsen_core.paths import ROOT
from dtsen_core.ui import uploads

CHILD = """
import sys, tempfile
from dtsen_core.ui import uploads
tempfile.tempdir = sys.argv[1]
mine = uploads.own_folder("uploads")
(mine.path / "kab.csv").write_text("nama")
print(mine.path, flush=True)
sys.stdin.read()
"""


def test_what_a_killed_server_left_is_removed_and_a_living_one_s_files_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    theirs = Path(child.stdout.readline().strip()) / "kab.csv"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = uploads.own_folder("uploads")
    assert mine.path.is_dir()
    assert theirs.exists()
    child.kill()
    child.communicate()
    assert theirs.exists()
    again = uploads.own_folder("uploads")
    assert not theirs.parent.parent.exists()
    assert mine.path.is_dir()
    del mine, again
    assert list(tmp_path.iterdir()) == []
