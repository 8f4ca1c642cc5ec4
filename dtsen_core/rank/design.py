"""The survey as arrays, and its normal equations by province and fold of whole PSUs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import numpy.typing as npt

from dtsen_core.errors import UserError
from dtsen_core.rank.scorecard import CATEGORIES, OFFSETS, PROVINCES, REGENCIES
from dtsen_core.registry.indicators import INDICATORS

FOLDS = 5  # each holds out whole PSUs: a fifth of the sample
LEAST_HOUSEHOLDS = 30  # households a category needs for a coefficient of its own
RIDGE = 1.0  # pseudo-households

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Survey:
    """Households sorted by province; arrays of shape (households,).

    `y` ln of expenditure per person per month (Rp), `weight` persons represented, scaled to mean 1;
    `cluster` the PSU as 0..psus−1, `fold` 0..4 by PSU, balanced within each regency; `categories` the 39
    indicator columns; `dropped` positions of indicators that no fit may use.
    """

    province: Ints
    regency: Ints
    urban: Ints
    y: Floats
    weight: Floats
    cluster: Ints
    fold: Ints
    categories: list[npt.NDArray[np.uint8]]
    dropped: tuple[int, ...] = ()

    @property
    def asked(self) -> list[tuple[int, npt.NDArray[np.uint8]]]:
        """(position, column) of the indicators that a fit may use."""
        return [(at, column) for at, column in enumerate(self.categories) if at not in self.dropped]

    @property
    def urban_share(self) -> Floats:
        """Share of persons in urban households, by regency idx (514,)."""
        total = np.bincount(self.regency, self.weight, REGENCIES)
        urban = np.bincount(self.regency, self.weight * (self.urban == 1), REGENCIES)
        return np.where(total > 0, urban / np.where(total > 0, total, 1), 0.0)


def read_survey(con: duckdb.DuckDBPyConnection) -> Survey:
    """Read table ``survey``; households without expenditure are left out. UserError if none stays."""
    listed = ", ".join(i.name for i in INDICATORS)
    found = con.execute(f"""
SELECT province, regency, urban, psu, ln(expenditure) AS y, weight * household_size AS persons, {listed}
FROM survey WHERE expenditure > 0 AND weight > 0 ORDER BY province, regency, psu, household""").fetchnumpy()
    if len(found["y"]) == 0:
        raise UserError("errors_rank.no_survey")
    regency, psu = found["regency"].astype(np.int64), found["psu"].astype(np.int64)
    fresh = np.ones(len(psu), dtype=bool)
    fresh[1:] = (regency[1:] != regency[:-1]) | (psu[1:] != psu[:-1])
    cluster = np.cumsum(fresh) - 1
    persons = np.asarray(found["persons"], dtype=np.float64)
    return Survey(
        province=found["province"].astype(np.int64),
        regency=regency,
        urban=found["urban"].astype(np.int64),
        y=np.asarray(found["y"], dtype=np.float64),
        weight=persons / persons.mean(),
        cluster=cluster,
        fold=_folds(regency[fresh], psu[fresh])[cluster],
        categories=[np.asarray(found[i.name]) for i in INDICATORS],
    )


def _folds(regency: Ints, psu: Ints) -> Ints:
    """Fold of each PSU: within a regency in the order of a hash of its number, so that every regency has a
    fifth of its PSUs in each fold and the choice is the same on every run."""
    mixed = ((psu.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)
    order = np.lexsort((mixed, regency))
    start = np.zeros(len(psu), dtype=np.int64)
    ordered = regency[order]
    new = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    start[new] = new
    place = np.arange(len(psu)) - np.maximum.accumulate(start)
    folds = np.empty(len(psu), dtype=np.int64)
    folds[order] = place % FOLDS
    return folds


@dataclass(frozen=True, eq=False)
class Products:
    """Normal equations of one province: columns are all categories, its regencies, urban.

    `matrix` (FOLDS, k, k) of Σ w·x·xᵀ, `target` (FOLDS, k) of Σ w·x·y, `households` (FOLDS, k) counts.
    """

    province: int
    regencies: Ints
    matrix: Floats
    target: Floats
    households: Floats

    def without(self, fold: int | None) -> tuple[Floats, Floats, Floats]:
        """(matrix, target, households) of all folds but one."""
        parts = (self.matrix, self.target, self.households)
        sums = [part.sum(axis=0) for part in parts]
        if fold is None:
            return sums[0], sums[1], sums[2]
        return sums[0] - self.matrix[fold], sums[1] - self.target[fold], sums[2] - self.households[fold]


def cross_products(survey: Survey, progress: Callable[[float], None]) -> list[Products]:
    """Normal equations of every province that has households."""
    result = []
    bounds = np.searchsorted(survey.province, np.arange(PROVINCES + 1))
    for province in range(PROVINCES):
        rows = slice(int(bounds[province]), int(bounds[province + 1]))
        if rows.start == rows.stop:
            continue
        result.append(_of_province(survey, province, rows))
        progress(rows.stop / len(survey.y))
    return result


def _of_province(survey: Survey, province: int, rows: slice) -> Products:
    number = rows.stop - rows.start
    regencies, place = np.unique(survey.regency[rows], return_inverse=True)
    size = CATEGORIES + len(regencies) + 1
    design = np.zeros((number, size))
    write_categories(design, survey, rows)
    design[np.arange(number), CATEGORIES + place] = 1.0
    design[:, -1] = survey.urban[rows] == 1
    return Products(province, regencies, *by_fold(design, survey, rows))


def write_categories(design: Floats, survey: Survey, rows: slice | Ints) -> None:
    """Set the one-hot columns of the indicators asked in `design` (rows, ≥ CATEGORIES), which comes in as zeros."""
    at = np.arange(len(design))
    for position, column in survey.asked:
        design[at, OFFSETS[position] + column[rows].astype(np.int64)] = 1.0


def by_fold(design: Floats, survey: Survey, rows: slice | Ints) -> tuple[Floats, Floats, Floats]:
    """X'WX (FOLDS, k, k), X'Wy (FOLDS, k) and the households of each column (FOLDS, k) of the survey rows `rows`."""
    size = design.shape[1]
    matrix, target, households = np.zeros((FOLDS, size, size)), np.zeros((FOLDS, size)), np.zeros((FOLDS, size))
    used = np.flatnonzero(design.any(axis=0))
    for fold in range(FOLDS):
        mine = survey.fold[rows] == fold
        block = design[np.ix_(mine, used)]
        loaded = block * survey.weight[rows][mine, None]
        matrix[fold][np.ix_(used, used)] = loaded.T @ block
        target[fold][used] = loaded.T @ survey.y[rows][mine]
        households[fold][used] = block.sum(axis=0)
    return matrix, target, households


def without_indicators(survey: Survey, products: list[Products],
                       dropped: Sequence[int]) -> tuple[Survey, list[Products]]:  # fmt: skip
    """Both as if the indicators at the positions `dropped` had not been asked: their columns are empty, so that every
    method gives them the coefficient 0. The households need not be read again."""
    gone = np.concatenate([np.arange(OFFSETS[at], OFFSETS[at + 1]) for at in dropped])

    def emptied(part: Products) -> Products:
        matrix, target, households = part.matrix.copy(), part.target.copy(), part.households.copy()
        matrix[:, gone, :], matrix[:, :, gone], target[:, gone], households[:, gone] = 0.0, 0.0, 0.0, 0.0
        return replace(part, matrix=matrix, target=target, households=households)

    return replace(survey, dropped=tuple(dropped)), [emptied(part) for part in products]
