"""One build per dataset folder, across processes: the lock and the progress file lie beside the folder."""

from __future__ import annotations

import contextlib
import glob
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from dtsen_core.errors import UserError
from dtsen_core.policy import lab
from dtsen_core.registry.dataset import explained

STALE_S = 60.0


def lock_path(out: Path) -> Path:
    return out.resolve().parent / f".{out.resolve().name}.lock"


def progress_path(out: Path) -> Path:
    return out.resolve().parent / f".{out.resolve().name}.progress.json"


@contextlib.contextmanager
def exclusive(out: Path) -> Iterator[None]:
    """Hold the build lock of `out`; UserError when another process builds there or the place is closed.

    Before it is let go, what belongs to no version and to no living process is removed from beside the versions.
    """
    with explained(out):
        out.resolve().parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(lock_path(out))
        try:
            lock.acquire(timeout=0)
        except Timeout as held:
            raise UserError("errors_dataset.build_running", path=out) from held
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            _sweep(out)
            lab.sweep(out.resolve())
        lock.release()


def _sweep(out: Path) -> None:
    """Remove half-written progress files of processes that died; a living one renames its own at once."""
    state = progress_path(out)
    for path in state.parent.glob(f"{glob.escape(state.stem)}.*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE_S:
                path.unlink()


def held(out: Path) -> bool:
    """True while some process builds into `out`."""
    path = lock_path(out)
    if not path.exists():
        return False
    try:
        with FileLock(path).acquire(timeout=0):
            return False
    except (Timeout, OSError):
        return True
