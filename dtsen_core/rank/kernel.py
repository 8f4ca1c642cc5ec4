"""The compiled engine: H from packed codes in memory, cell by cell the same as the SQL engine's.

Each thread takes some regencies (or districts) at a time, sums the look-ups of its families in small blocks and
counts them into a table of its own, so that no two threads write to one row of H. Families and persons
of a cell share one 64-bit number, which halves the random writes. Intercepts are added to the finished cells.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dtsen_core.rank import arrays
from dtsen_core.rank.arrays import Arrays
from dtsen_core.rank.histogram import Histogram
from dtsen_core.rank.packing import packing
from dtsen_core.rank.scorecard import Scorecard, province_of_regency
from dtsen_core.settings import settings

BLOCK = 2_048  # families whose scores are summed at a time: block and look-ups stay in the nearest cache
SHARES = 24  # pieces of work per thread

Ints = npt.NDArray[np.int64]


@lru_cache(maxsize=1)
def _count() -> Any:
    """The compiled function; compiling takes seconds once per machine, loading it a moment per process."""
    if "NUMBA_CACHE_DIR" not in os.environ and not os.access(Path(__file__).parent, os.W_OK):
        place = arrays.cache_folder() / "numba"
        with contextlib.suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            os.environ["NUMBA_CACHE_DIR"] = str(place)
    from dtsen_core.rank.kernel_loop import count_areas

    return count_areas


@dataclass(frozen=True)
class _Task:
    """Families `first`..`last`−1 of one area."""

    area: int
    regency: int
    first: int
    last: int


class _Tables:
    """Look-ups of the sets `chosen` of a scorecard, one flat row each: the K tables one after the other.

    `low` (sets,) is the lowest score of each, `width` the span of scores of the widest.
    """

    def __init__(self, card: Scorecard, chosen: Ints) -> None:
        part = replace(card, coefficients=card.coefficients[chosen])
        groups = packing().groups
        self.offsets = np.cumsum([0, *(g.codes for g in groups)]).astype(np.int64)
        parts = [part.lookup(group) for group in groups]
        self.low = np.sum([p.min(axis=1) for p in parts], axis=0).astype(np.int64)
        high = np.sum([p.max(axis=1) for p in parts], axis=0)
        self.width = int((high - self.low).max()) + 1
        self.values = np.ascontiguousarray(np.concatenate(parts, axis=1), dtype=np.int32)


def count(held: Arrays, card: Scorecard, level: str = "regency", only: tuple[str, int] | None = None) -> Histogram:
    """H of `held` under `card`, by regency or district; `only` (column, idx) narrows to one unit."""
    tasks = _tasks(held, level, only)
    if not tasks:
        empty = np.zeros(0, np.int64)
        return Histogram(level, empty, empty, empty, empty, empty)
    sets = card.set_of_regency()[[task.regency for task in tasks]]
    chosen, place = np.unique(sets, return_inverse=True)
    tables = _Tables(card, chosen)
    loop, local = _count(), threading.local()
    first, last = (np.array(ends, np.int64) for ends in zip(*((task.first, task.last) for task in tasks), strict=True))
    most = np.minimum(last - first, 3 * tables.width)

    def several(share: slice) -> tuple[Ints, Ints]:
        """Occupied cells of the areas of a share: (urban, score, families, persons) and how many of each area."""
        if not hasattr(local, "cells"):
            local.cells = np.zeros((3, tables.width), dtype=np.int64)
            local.sums = np.empty(BLOCK, dtype=np.int32)
        found = np.empty((4, int(most[share].sum())), dtype=np.int64)
        ends = np.empty(len(most[share]), dtype=np.int64)
        filled = loop(held.codes, held.size, held.urban, first[share], last[share], place[share], tables.values,
                      tables.offsets, tables.low, local.sums, local.cells, found, ends)  # fmt: skip
        return found[:, :filled], np.diff(ends, prepend=0)

    with ThreadPoolExecutor(threads()) as pool:
        parts, counted = zip(*pool.map(several, _shares(tasks)), strict=True)
    sizes = np.concatenate(counted)
    area = np.repeat(np.array([task.area for task in tasks], np.int64), sizes)
    regency = area if level == "regency" else np.repeat(np.array([t.regency for t in tasks], np.int64), sizes)
    urban, score, families, persons = np.concatenate(parts, axis=1)
    score += card.area[regency, urban]
    return Histogram(level, area, urban, score, families, persons)


def threads() -> int:
    return settings().threads or os.cpu_count() or 1


def _shares(tasks: list[_Task]) -> list[slice]:
    """Slices of about equal numbers of families, so many that threads end together."""
    done = np.cumsum([task.last - task.first for task in tasks])
    number = min(threads() * SHARES, len(tasks))
    ends = np.unique(np.searchsorted(done, done[-1] * np.arange(1, number) / number, side="left"))
    return [slice(int(a), int(b)) for a, b in itertools.pairwise([0, *ends, len(tasks)]) if b > a]


def _tasks(held: Arrays, level: str, only: tuple[str, int] | None) -> list[_Task]:
    """Work cut at the borders of areas, in the order of the table."""
    mine = np.ones(len(held.district), dtype=bool)
    if only is not None:
        column, idx = only
        of = {"district": held.district, "regency": held.regency, "province": province_of_regency()[held.regency]}
        mine = of[column] == idx
    unit = held.regency if level == "regency" else held.district
    found = []
    rows = np.flatnonzero(mine)
    if not len(rows):
        return []
    fresh = np.flatnonzero((np.diff(unit[rows], prepend=-1) != 0) | (np.diff(rows, prepend=-2) != 1))
    for begin, end in zip(fresh, [*fresh[1:], len(rows)], strict=True):
        first, last = rows[begin], rows[end - 1]
        span = int(held.start[first]), int(held.start[last + 1])
        found.append(_Task(int(unit[first]), int(held.regency[first]), *span))
    return found


def warm() -> None:
    """Compile or load the engine, so that the next ranking does not wait for it."""
    loop = _count()
    groups = len(packing().groups)
    code, one, area = np.zeros(1, np.uint16), np.zeros(1, np.uint8), np.zeros(1, np.int64)
    for mapped in (code, one):
        mapped.flags.writeable = False  # as the maps of `arrays` are: another form would be compiled again
    loop((code,) * groups, one, one, area, area + 1, area, np.zeros((1, groups), np.int32),
         np.arange(groups + 1, dtype=np.int64), area, np.empty(BLOCK, np.int32), np.zeros((3, 1), np.int64),
         np.empty((4, 3), np.int64), np.empty(1, np.int64))  # fmt: skip
    _warmed.set()


_warmed = threading.Event()
_warming = threading.Lock()


def warmed() -> bool:
    """Whether the engine is compiled in this process; if not, that begins in the background."""
    if _warmed.is_set():
        return True
    if _warming.acquire(blocking=False):
        threading.Thread(target=warm, name="warm-kernel", daemon=True).start()
    return False
