"""The build as a process of its own, so that the dashboard stays responsive and visitors share one build."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from dtsen_core.build import lock
from dtsen_core.build.progress import write_state
from dtsen_core.errors import UserError
from dtsen_core.paths import ROOT
from dtsen_core.registry import manifest
from dtsen_core.registry.dataset import explained

STARTING_S = 30.0  # how long a started process may take until it holds the lock
STOPPED = "build.stopped"

_begun: set[Path] = set()  # what this server itself has started


@dataclass(frozen=True)
class BuildStatus:
    """`state` is none, running, failed or done; `message_key` with `params` says why it failed."""

    state: str
    stage: str | None = None
    fraction: float | None = None
    seconds_left: float | None = None
    message_key: str | None = None
    params: dict[str, Any] = field(default_factory=dict)


def start(out: Path) -> None:
    """Start building the demonstration dataset into `out` unless somebody already does.

    UserError when the place cannot be written.
    """
    with explained(out):
        out.resolve().parent.mkdir(parents=True, exist_ok=True)
        gate = FileLock(lock.lock_path(out).with_suffix(".start"))
        try:
            with gate.acquire(timeout=0):
                if status(out).state == "running":
                    return
                write_state(lock.progress_path(out), {"state": "running", "stage": None, "since": time.time()})
                command = [sys.executable, "-m", "dtsen_core", "build", "--out", str(out.resolve()),
                           "--progress-file", str(lock.progress_path(out))]  # fmt: skip
                subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                _begun.add(out.resolve())
        except Timeout:
            return  # another visitor is starting the same build right now


def status(out: Path) -> BuildStatus:
    """Where the build into `out` stands; reads one small file, safe to call every second."""
    raw = _read(lock.progress_path(out))
    building = lock.held(out)
    if raw is None:
        return BuildStatus("running") if building else _settled(out)
    state = raw.get("state")
    if state == "running" and not building:
        if raw.get("stage") is None and time.time() - float(raw.get("since", 0)) < STARTING_S:
            return BuildStatus("running")
        settled = _settled(out)
        return settled if settled.state == "done" else BuildStatus("failed", message_key=STOPPED)
    if state == "failed" and not building:
        return BuildStatus("failed", message_key=raw.get("message_key"), params=raw.get("params") or {})
    if state == "done" and not building:
        return _settled(out)
    return BuildStatus("running", raw.get("stage"), raw.get("fraction"), raw.get("seconds_left"))


def cut_short(out: Path, found: BuildStatus) -> bool:
    """True if `found` is a build that died before this server stood (a power cut, an ended server): it says nothing
    about the place or the disk, so it may be begun again unasked, once."""
    return found.state == "failed" and found.message_key == STOPPED and out.resolve() not in _begun


def _settled(out: Path) -> BuildStatus:
    try:
        manifest.read(out)
    except UserError:
        return BuildStatus("none")
    return BuildStatus("done", fraction=1.0)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
