"""From scores to the distribution of expenditure: H convolved with the residuals of held-out households.

A proxy means test predicts means; the spread around them is put back before anything is measured. For each
province and urban/rural stratum the transition matrix T (score grid × expenditure grid) holds the residual
distribution of the score's bin, interpolated between bin means; D = H·T is the distribution of persons
over ln expenditure of each area, and every measure follows from D without another look at the families.
Splitting a point between two grid cells keeps the mean of expenditure exactly, and the split factorises
over sums of logs, so mean expenditure of D equals the sum over cells of exp(score)·E[exp(residual)].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import numpy.typing as npt

from dtsen_core.rank.fit_report import STEP, split
from dtsen_core.rank.histogram import Histogram
from dtsen_core.rank.packing import has_table
from dtsen_core.rank.scorecard import PROVINCES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STRATA = 3  # urban unknown, urban, rural


@dataclass(frozen=True, eq=False)
class Residuals:
    """Residual distributions: `mid` (province, stratum, bin) mean score of each bin in thousandths, `bins`
    (province, stratum) how many there are, `mass` (province, stratum, bin, cell) shares of persons, `low`
    the grid position of the first cell."""

    mid: Floats
    bins: Ints
    mass: Floats
    low: int

    @property
    def nbytes(self) -> int:
        return self.mid.nbytes + self.bins.nbytes + self.mass.nbytes

    def kernel(self, province: int, stratum: int, scores: Floats) -> Floats:
        """Residual shares (scores, cells) at the given scores (thousandths), interpolated between bins."""
        number = int(self.bins[province, stratum])
        mid = self.mid[province, stratum, :number]
        mass = self.mass[province, stratum, :number]
        if number == 1:
            return np.asarray(np.broadcast_to(mass, (len(scores), mass.shape[1])))
        place = np.interp(scores, mid, np.arange(number, dtype=np.float64))
        left = np.minimum(place.astype(np.int64), number - 2)
        upper = (place - left)[:, None]
        return np.asarray(mass[left] * (1 - upper) + mass[left + 1] * upper)


def load_residuals(con: duckdb.DuckDBPyConnection, model: str) -> Residuals | None:
    """Residuals of the stored scorecard `model`; None if it has none (an uploaded scorecard).

    A stratum without held-out households takes the other strata of its province, else those of the nation.
    """
    if not has_table(con, "model_residual"):
        return None
    found = con.execute(
        "SELECT province, urban, bin, mid_milli, cell, mass FROM model_residual WHERE model = ?", [model]
    ).fetchnumpy()
    return from_columns(found) if len(found["cell"]) else None


def from_columns(found: Mapping[str, npt.ArrayLike]) -> Residuals:
    """`Residuals` from the columns of ``model_residual`` of one model."""
    province, urban, number, cell = (
        np.asarray(found[name]).astype(np.int64) for name in ("province", "urban", "bin", "cell")
    )
    low = int(cell.min())
    deep = int(number.max()) + 1
    mid = np.zeros((PROVINCES, STRATA, deep))
    mass = np.zeros((PROVINCES, STRATA, deep, int(cell.max()) - low + 1))
    bins = np.zeros((PROVINCES, STRATA), dtype=np.int64)
    mid[province, urban, number] = found["mid_milli"]
    mass[province, urban, number, cell - low] = found["mass"]
    np.maximum.at(bins, (province, urban), number + 1)
    _borrow(mid, bins, mass)
    return Residuals(mid, bins, mass, low)


def _borrow(mid: Floats, bins: Ints, mass: Floats) -> None:
    """Give every empty stratum a distribution: pooled over its province, else over all provinces."""
    filled = np.argwhere(bins > 0)
    everywhere = np.mean([mass[p, u, : bins[p, u]].mean(axis=0) for p, u in filled], axis=0)
    for province in range(len(bins)):
        own = [u for u in range(STRATA) if bins[province, u]]
        pooled = np.mean([mass[province, u, : bins[province, u]].mean(axis=0) for u in own], axis=0) if own else None
        for stratum in range(STRATA):
            if bins[province, stratum] == 0:
                source = own[0] if len(own) == 1 else None
                if source is not None:
                    bins[province, stratum] = bins[province, source]
                    mid[province, stratum] = mid[province, source]
                    mass[province, stratum] = mass[province, source]
                else:
                    bins[province, stratum] = 1
                    mass[province, stratum, 0] = everywhere if pooled is None else pooled


@dataclass(frozen=True, eq=False)
class Distribution:
    """Persons over ln expenditure: `persons` (areas, cells) on nodes `low`, `low`+1 … of the grid; node k
    is exp(k·step/1000) Rp per person per month. `points`: persons stand exactly on the nodes (bare
    scores); otherwise a node stands for the neighbourhood of half a cell to either side."""

    persons: Floats
    low: int
    step: int = STEP
    points: bool = False

    @property
    def log_nodes(self) -> Floats:
        return (self.low + np.arange(self.persons.shape[1], dtype=np.float64)) * (self.step / 1000)

    def scaled(self, weights: Floats) -> Distribution:
        """Each row times its weight, shape (areas,)."""
        return replace(self, persons=self.persons * weights[:, None])

    def combine(self, group: Ints, groups: int) -> Distribution:
        """Rows summed by `group` (0..groups−1), shape (areas,)."""
        mixing = np.zeros((groups, len(self.persons)))
        mixing[group, np.arange(len(group))] = 1.0
        return replace(self, persons=product(mixing, self.persons))


def product(a: Floats, b: Floats) -> Floats:
    """Matrix product by one thread. BLAS starts a thread per core for each of these small products; with
    several users on a small server they wait for each other and take ten times as long."""
    return np.asarray(np.einsum("rg,ge->re", a, b))


def score_grid(h: Histogram, areas: int) -> tuple[Floats, int]:
    """(persons (areas × STRATA, cells) on the score grid, grid position of the first cell)."""
    if h.score.size == 0:
        return np.zeros((areas * STRATA, 1)), 0
    low = h.low // STEP
    width = (h.low + h.width - 1) // STEP - low + 2
    cell, above = split(np.arange(h.width, dtype=np.float64) + h.low)
    at = h.score - h.low
    position = (h.area * STRATA + h.urban) * width + (cell - low)[at]
    persons = h.persons.astype(np.float64)
    upper = persons * above[at]
    size = areas * STRATA * width
    grid = np.asarray(np.bincount(position, persons - upper, size), dtype=np.float64)
    grid[1:] += np.bincount(position, upper, size)[:-1]
    return grid.reshape(areas * STRATA, width), low


def bare(h: Histogram, areas: int) -> Distribution:
    """The scores themselves taken for ln expenditure, at full precision: the basis of the plain measures."""
    size = areas * h.width
    persons = np.bincount(h.area * h.width + h.score - h.low, h.persons, size).astype(np.float64)
    return Distribution(persons.reshape(areas, h.width), h.low, step=1, points=True)


def distribution(h: Histogram, province: Ints, residuals: Residuals) -> Distribution:
    """D of every area of `h`; `province` gives the province idx of each area, shape (areas,)."""
    areas = len(province)
    grid, low = score_grid(h, areas)
    blocks = grid.reshape(areas, STRATA, -1)
    width, reach = grid.shape[1], residuals.mass.shape[3]
    cells = width + reach
    result = np.zeros((areas, cells))
    scores: Floats = (low + np.arange(width, dtype=np.float64)) * STEP
    occupied = np.asarray((blocks != 0).any(axis=2))
    for p in np.unique(province):
        mine = np.flatnonzero(province == p)
        for stratum in range(STRATA):
            rows = mine[occupied[mine, stratum]]
            if len(rows):
                # row g of T is the kernel shifted by g cells: one more column than cells in a flat buffer
                flat = np.zeros(width * (cells + 1))
                flat.reshape(width, cells + 1)[:, :reach] = residuals.kernel(int(p), stratum, scores)
                shift = flat[: width * cells].reshape(width, cells)
                result[rows] += product(blocks[rows, stratum], shift)
    return Distribution(result, low + residuals.low)
