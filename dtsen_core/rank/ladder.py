"""H as cumulated tables by regency and score, from which any scope, unit and number of deciles follows at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dtsen_core.rank import official
from dtsen_core.rank.histogram import NEVER, Histogram, Thresholds, from_rows

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ladder:
    """`families` and `persons` (514, width + 1): how many of each regency stand below score `low` + column, rows
    unweighted; `score_sum` (514,) sum of the families' scores in thousandths."""

    low: int
    families: Ints
    persons: Ints
    score_sum: Floats

    @staticmethod
    def of(h: Histogram) -> Ladder:
        """From H by regency."""
        size, width = official.AREAS["regency"], h.width
        place = h.area * (width + 1) + h.score - h.low + 1
        families, persons = (
            np.cumsum(np.bincount(place, counts, size * (width + 1)).reshape(size, -1), axis=1).astype(np.int64)
            for counts in (h.families, h.persons)
        )
        return Ladder(h.low, families, persons, np.bincount(h.area, h.families * h.score, size).astype(np.float64))

    @property
    def nbytes(self) -> int:
        return self.families.nbytes + self.persons.nbytes

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.families[:, -1] > 0)

    def below(self, unit: str) -> Ints:
        return self.families if unit == "families" else self.persons

    def thresholds(self, scope: str, unit: str, weight: Floats) -> Thresholds:
        """As `official.scope_thresholds`: every scope area's thresholds, `weight` by regency."""
        below, group = self.below(unit), official.scope_of_regency(scope)
        areas = official.AREAS[scope]
        lightest, heaviest = np.full(areas, np.inf), np.full(areas, -np.inf)
        np.minimum.at(lightest, group[self.present], weight[self.present])
        np.maximum.at(heaviest, group[self.present], weight[self.present])
        uneven = heaviest > lightest
        if scope == "regency":
            return from_rows(below, uneven, self.low)
        first = np.flatnonzero(np.diff(group, prepend=-1))  # regencies of a province are neighbours
        units = np.add.reduceat(below, first, axis=0)
        if uneven.any():
            load = np.add.reduceat(below * weight[:, None], first, axis=0)
            units = np.where(uneven[:, None], load, units)
        return from_rows(units, uneven, self.low)

    def deciles(self, found: Thresholds, scope: str, unit: str) -> Ints:
        """Units of each regency in each decile of the scope's `found` thresholds, unweighted, shape (514, 10)."""
        below, group = self.below(unit), official.scope_of_regency(scope)
        width = below.shape[1] - 1
        cuts = found.values[group]
        at = np.where(cuts == NEVER, width, np.clip(cuts - self.low, 0, width))
        edges = np.concatenate(
            [np.zeros((len(below), 1), np.int64), np.take_along_axis(below, at, axis=1), below[:, -1:]], axis=1
        )
        return np.diff(edges, axis=1)
