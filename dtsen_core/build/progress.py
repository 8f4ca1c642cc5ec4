"""How far a build is: named stages with their usual share of the time, told to whoever listens."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Event:
    """`stage` key (label: ``build.stage_<key>``), `fraction` of the whole build, estimated `seconds_left`."""

    stage: str
    fraction: float
    seconds_left: float | None


Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """A listener for callers that do not show progress."""


class Progress:
    """Turns progress inside stages into progress of the build. `shares` are usual shares of the time."""

    def __init__(self, shares: Mapping[str, float], listener: Listener) -> None:
        total = sum(shares.values())
        self._shares = {stage: share / total for stage, share in shares.items()}
        self._listener = listener
        self._started = time.monotonic()
        self._before = 0.0
        self._stage = next(iter(shares))
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def stage(self, key: str) -> Iterator[Callable[[float], None]]:
        """Announce stage `key`; the yielded function takes the fraction done inside it."""
        self._stage = key
        began = time.monotonic()
        self.inside(0.0)
        yield self.inside
        self.seconds[key] = round(time.monotonic() - began, 3)
        self.inside(1.0)
        self._before += self._shares[key]

    def inside(self, fraction: float) -> None:
        whole = min(self._before + self._shares[self._stage] * min(max(fraction, 0.0), 1.0), 1.0)
        elapsed = time.monotonic() - self._started
        left = elapsed / whole * (1 - whole) if whole > 0.02 else None
        self._listener(Event(self._stage, whole, left))


def file_listener(path: Path, every_s: float = 0.3) -> Listener:
    """Keep the latest event in the JSON file `path`, replaced in one step, at most every `every_s` seconds."""
    last = 0.0
    stage = ""

    def write(event: Event) -> None:
        nonlocal last, stage
        now = time.monotonic()
        if event.stage == stage and now - last < every_s and event.fraction < 1:
            return
        last, stage = now, event.stage
        write_state(path, {"state": "running", **asdict(event)})

    return write


def write_state(path: Path, state: dict) -> None:
    aside = path.with_suffix(f".{os.getpid()}.tmp")
    aside.write_text(json.dumps(state), encoding="utf-8")
    aside.replace(path)
