"""A small version with earlier ones published as the build does it; as a script, killed before one of its steps.

``python -m tests.build.publishing ROOT NAME N`` kills itself before step number N that changes a name on the disk.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import duckdb

from dtsen_core.registry.dataset import DATABASE, new_dataset, stamp
from dtsen_core.registry.manifest import Manifest

EARLIER = "earlier"
CHANGES = (
    (Path, "rename"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir"), (Path, "rmdir"), (shutil, "rmtree"),
    (shutil, "copytree"), (os, "link"),
)  # fmt: skip


def fill(folder: Path, version: str, build: str, value: int) -> Manifest:
    """A database with one value; its manifest is not yet written."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(duckdb.connect(str(folder / DATABASE))) as con:
        con.execute("CREATE TABLE thing AS SELECT ? AS value", [value])
        stamp(con, version)
    return Manifest("simulated", version, "2026-01-23", "2026-01-24T00:00:02", 1, 3, 1.0, 3.0, build=build)


def publish(root: Path, name: str, steps: int | None = None) -> None:
    """Serve version `name` of value 2, with two earlier ones; `steps` as above."""
    with new_dataset(root, "simulated", EARLIER) as folder:
        for before in earlier(name):
            aside = folder / EARLIER / before
            fill(aside, before, name, 0).write(aside)
        manifest = fill(folder, name, name, 2)
        if steps is not None:
            die_after(steps)
        manifest.write(folder)


def earlier(name: str) -> tuple[str, str]:
    return f"{name}-q1", f"{name}-q2"


def die_after(steps: int) -> None:
    left = [steps]

    def counted(real: Any) -> Any:
        def step(*arguments: Any, **named: Any) -> Any:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return real(*arguments, **named)

        return step

    for place, name in CHANGES:
        setattr(place, name, counted(getattr(place, name)))


if __name__ == "__main__":
    publish(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
