"""H: how many families and persons stand at each score in each area, and the deciles that follow from it.

Everything a ranking shows follows from H without another look at the families. Deciles: families with
equal score share one decile, the ``ntile(10)`` bucket of the lowest rank of the tie group.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Histogram:
    """Occupied cells of H: five arrays of shape (cells,).

    `area` is the idx of a regency or district (see `level`), `urban` 0 unknown, 1 urban, 2 rural, `score`
    thousandths of log rupiah, `families` rows and `persons` their members, both unweighted.
    """

    level: str
    area: Ints
    urban: Ints
    score: Ints
    families: Ints
    persons: Ints

    @property
    def nbytes(self) -> int:
        arrays = (self.area, self.urban, self.score, self.families, self.persons)
        return sum(a.nbytes for a in arrays)

    @cached_property
    def low(self) -> int:
        return int(self.score.min()) if self.score.size else 0

    @cached_property
    def width(self) -> int:
        """Number of distinct integer scores from the lowest to the highest, at least 1."""
        return int(self.score.max()) - self.low + 1 if self.score.size else 1

    @cached_property
    def digest(self) -> str:
        """Hash of the cells, whatever their order: the same families under the same scorecard."""
        order = np.lexsort((self.score, self.urban, self.area))
        found = hashlib.blake2b(self.level.encode(), digest_size=16)
        for part in (self.area, self.urban, self.score, self.families, self.persons):
            found.update(np.ascontiguousarray(part[order], dtype="<i8").tobytes())
        return found.hexdigest()

    def counts(self, unit: str) -> Ints:
        return self.families if unit == "families" else self.persons


@dataclass(frozen=True, eq=False)
class Thresholds:
    """Scores at which deciles 2..10 begin, by scope area: `values` (areas, 9), `NEVER` if none reaches it."""

    values: Ints

    def decile(self, area: Ints, score: Ints) -> Ints:
        """Decile 1..10 of each (scope area, score), both of shape (cells,)."""
        low = int(min(score.min(), self.values.min())) if score.size else 0
        known = self.values[self.values < NEVER]
        high = int(max(score.max(), known.max() if known.size else low)) if score.size else 0
        width = high - low + 1
        steps = np.zeros((len(self.values), width + 1), dtype=np.uint8)
        rows = np.arange(len(self.values))
        for k in range(9):
            at = np.minimum(self.values[:, k] - low, width)
            np.add.at(steps, (rows, at), 1)
        return np.cumsum(steps, axis=1, dtype=np.uint8)[area, score - low].astype(np.int64) + 1


NEVER = np.iinfo(np.int32).max


def thresholds(scope: Ints, areas: int, score: Ints, counts: Ints, weights: Floats | None = None) -> Thresholds:
    """Decile thresholds of `areas` scope areas from cells (scope area, score, count of units).

    An area in which all `weights` (per cell, default 1) are equal is ranked on its integer counts with the
    exact rule of ``ntile(10)``: of N units the first N mod 10 buckets hold one more than the others, so
    decile k+1 begins at the first score with at least ``k·(N // 10) + min(k, N % 10)`` units below it.
    Where expansion weights differ, ranks are not integers; decile k+1 then begins at the first score with
    at least k tenths of the area's weight below it: ``min(10, floor(10·B / W) + 1)``.
    """
    if score.size == 0:
        return Thresholds(np.full((areas, 9), NEVER, dtype=np.int64))
    low = int(score.min())
    width = int(score.max()) - low + 1
    key = scope * width + (score - low)
    units = np.bincount(key, weights=counts, minlength=areas * width).reshape(areas, width)
    weighted = np.zeros(areas, dtype=bool)
    load = units
    if weights is not None:
        lightest = np.full(areas, np.inf)
        heaviest = np.full(areas, -np.inf)
        np.minimum.at(lightest, scope, weights)
        np.maximum.at(heaviest, scope, weights)
        weighted = heaviest > lightest
        if weighted.any():
            load = np.bincount(key, weights=counts * weights, minlength=areas * width).reshape(areas, width)
    rows = np.cumsum(np.where(weighted[:, None], load, units), axis=1)
    return from_rows(np.concatenate([np.zeros((areas, 1)), rows], axis=1), weighted, low)


def from_rows(below: npt.NDArray[Any], uneven: npt.NDArray[np.bool_], low: int) -> Thresholds:
    """Thresholds by the rules of `thresholds` from units `below` each score, (areas, width + 1) from `low`; the
    last column is the whole. `uneven` areas (their weights differ) are ranked on shares of the whole."""
    result = np.full((len(below), 9), NEVER, dtype=np.int64)
    tenths = np.arange(1, 10)
    width = below.shape[1] - 1
    for area in np.flatnonzero(below[:, -1] > 0):
        upto = below[area, 1:]
        whole = upto[-1]
        if uneven[area]:
            # a billionth of the total covers the rounding of the sums, far less than one family
            starts = tenths * whole / 10 - 1e-9 * whole
        else:
            total = int(whole)
            starts = tenths * (total // 10) + np.minimum(tenths, total % 10)
        reached = np.searchsorted(upto, starts, side="left")  # last score that is still below the start
        reached = np.minimum(reached, width - 1)
        first = np.searchsorted(upto, upto[reached], side="right")  # next score that is present
        result[area] = np.where(first < width, first + low, NEVER)
    return Thresholds(result)
