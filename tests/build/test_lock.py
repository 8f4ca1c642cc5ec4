"""Whoever holds the build lock leaves nothing beside the versions that belongs to none of them."""

from __future__ import annotations

import os
from pathlib import Path

from dtsen_core.build import lock
from dtsen_core.policy import lab
from dtsen_core.registry import versions
from dtsen_core.registry.manifest import Manifest


def test_the_next_run_removes_half_written_progress(tmp_path: Path) -> None:
    old, young, foreign = (tmp_path / name for name in (".d.progress.1.tmp", ".d.progress.2.tmp", ".e.progress.1.tmp"))
    for path in (old, young, foreign):
        path.write_text("{")
    for path in (old, foreign):
        os.utime(path, (0, 0))
    with lock.exclusive(tmp_path / "d"):
        pass
    assert [path.exists() for path in (old, young, foreign)] == [False, True, True]


def test_results_about_versions_that_are_gone_are_swept_and_so_is_what_the_dead_left(tmp_path: Path) -> None:
    root = tmp_path / "d"
    place = root / "versions" / "v1"
    place.mkdir(parents=True)
    made = Manifest("simulated", "v1", "2026-01-23", "2026-01-24T00:00:01", 1, 3, 1.0, 3.0)
    made.write(place)
    versions.serve(root, made, "versions/v1")
    names = ("v1/whole.npz", "v1/.0a-dead.npz", "v1/.0b-living.npz", "v0/whole.npz")
    for name in names:
        path = root / lab.FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    os.utime(root / lab.FOLDER / "v1" / ".0a-dead.npz", (0, 0))
    with lock.exclusive(root):
        pass
    assert [(root / lab.FOLDER / name).exists() for name in names] == [True, False, True, False]
    assert not (root / lab.FOLDER / "v0").exists()
