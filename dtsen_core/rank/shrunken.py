"""Ridge regression of provinces towards the nation, and of regencies towards their province.

β_nat minimises the pooled sum of squares; a province's β solves (M̃ + λuI)(β − β_nat) = t̃ − M̃β_nat, where
u is the weight of one average household: λ pseudo-households that behave as the nation does (Hoerl & Kennard
1970; Lindley & Smith 1972 for the exchangeable prior that it is the posterior mean of). A regency's slopes
are pulled to its province's in the same way. λ is chosen on an inner fold of whole PSUs, never on the
households that are held out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dtsen_core.rank.design import RIDGE, Products, Survey, by_fold, write_categories
from dtsen_core.rank.equations import Partial, heldout_loss, inner_fold, kept, partial, solve_positive
from dtsen_core.rank.scorecard import CATEGORIES, PROVINCES, REGENCIES

Floats = npt.NDArray[np.float64]

STRENGTHS = (100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 30_000.0)
"""Pseudo-households tried for provinces (a province has about 9,000 households in the survey)."""
REGENCY_STRENGTHS = (100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)
EVERY = 6  # the strength for regencies is chosen on every sixth of them


@dataclass(frozen=True, eq=False)
class Slopes:
    """Coefficients before area effects are shrunken: `coefficients` (sets, C), `effects` (514,) with NaN where
    a regency has no household, `urban` (38,), `load` (514,) weight, `tuning` what was chosen."""

    coefficients: Floats
    effects: Floats
    urban: Floats
    load: Floats
    tuning: float


def national(parts: Iterable[Partial]) -> Floats:
    """β_nat (C,) with one pseudo-household of ridge, which settles exact collinearity."""
    listed = list(parts)
    matrix = np.sum([p.matrix for p in listed], axis=0)
    target = np.sum([p.target for p in listed], axis=0)
    unit = sum(p.load for p in listed) / max(sum(p.households for p in listed), 1.0)
    return solve_positive(matrix + RIDGE * unit * np.eye(CATEGORIES), target)


def towards(part: Partial, centre: Floats, strength: float) -> Floats:
    """β (C,) of one province pulled to `centre` by `strength` pseudo-households."""
    system = part.matrix + strength * part.unit * np.eye(CATEGORIES)
    return centre + solve_positive(system, part.target - part.matrix @ centre)


def collect(parts: Iterable[Partial], rows: Floats, tuning: float) -> Slopes:
    """`Slopes` from one row of coefficients per province (or one row for all)."""
    effects, load = np.full(REGENCIES, np.nan), np.zeros(REGENCIES)
    urban = np.zeros(PROVINCES)
    for part in parts:
        found = part.areas(rows[part.province if len(rows) > 1 else 0])
        effects[part.regencies], urban[part.province] = found[:-1], found[-1]
        load[part.regencies] = part.area_load
    return Slopes(rows, effects, urban, load, tuning)


def ridge(products: list[Products], left_out: int | None) -> Slopes:
    """Every province pulled to the nation; λ from `STRENGTHS` on the inner fold."""
    inner = inner_fold(left_out)
    outside = set() if left_out is None else {left_out}
    tried = [partial(p, outside | {inner}) for p in products]
    centre = national(tried)
    losses = []
    for strength in STRENGTHS:
        loss = 0.0
        for part, piece in zip(products, tried):
            row = towards(piece, centre, strength)
            loss += heldout_loss(part, inner, row, piece.areas(row))
        losses.append(loss)
    strength = STRENGTHS[int(np.argmin(losses))]
    parts = [partial(p, outside) for p in products]
    centre = national(parts)
    rows = np.tile(centre, (PROVINCES, 1))
    for piece in parts:
        rows[piece.province] = towards(piece, centre, strength)
    return collect(parts, rows, strength)


@dataclass(frozen=True, eq=False)
class RegencyProducts:
    """Normal equations of one regency by fold: columns are all categories, 1, urban."""

    regency: int
    province: int
    matrix: Floats
    target: Floats
    households: Floats


def regency_products(survey: Survey, regency: int, rows: npt.NDArray[np.int64]) -> RegencyProducts:
    """From the survey rows of one regency."""
    c = CATEGORIES
    design = np.zeros((len(rows), c + 2), dtype=np.float64)
    write_categories(design, survey, rows)
    design[:, c] = 1.0
    design[:, c + 1] = survey.urban[rows] == 1
    matrix, target, households = by_fold(design, survey, rows)
    return RegencyProducts(regency, int(survey.province[rows[0]]), matrix, target, households[:, c])


def _regency_row(part: RegencyProducts, folds: list[int], centre: Floats, strength: float) -> tuple[Floats, Floats]:
    """(β (C,), (intercept, urban)) of one regency from `folds`, pulled to `centre`."""
    c = CATEGORIES
    matrix, target = part.matrix[folds].sum(axis=0), part.target[folds].sum(axis=0)
    load, number = matrix[c, c], max(part.households[folds].sum(), 1.0)
    unit = max(load / number, 1e-12)
    area = matrix[c:, c:] + unit * np.diag([1e-9, RIDGE])
    right = np.linalg.solve(area, np.c_[matrix[c:, :c], target[c:]])
    inner = matrix[:c, :c] - matrix[c:, :c].T @ right[:, :-1]
    aim = target[:c] - matrix[c:, :c].T @ right[:, -1]
    row = centre + solve_positive(inner + strength * unit * np.eye(c), aim - inner @ centre)
    return row, right[:, -1] - right[:, :-1] @ row


def regency_strength(found: list[RegencyProducts], centres: Floats, left_out: int | None) -> float:
    """λ for regencies, chosen on the inner fold of every sixth regency; `centres` (38, C) must not have seen
    either fold."""
    inner = inner_fold(left_out)
    folds = kept({inner} if left_out is None else {inner, left_out})
    losses = []
    for strength in REGENCY_STRENGTHS:
        loss = 0.0
        for part in found[::EVERY]:
            row, areas = _regency_row(part, folds, centres[part.province], strength)
            theta = np.r_[row, areas]
            loss += float(theta @ part.matrix[inner] @ theta - 2 * part.target[inner] @ theta)
        losses.append(loss)
    return REGENCY_STRENGTHS[int(np.argmin(losses))]


def regency_fit(part: RegencyProducts, left_out: int | None, centre: Floats, urban: float,
                strength: float) -> tuple[Floats, float]:  # fmt: skip
    """(β (C,), effect) of one regency pulled to its province's `centre`; its urban term is the province's."""
    c = CATEGORIES
    folds = kept(() if left_out is None else {left_out})
    matrix, target = part.matrix[folds].sum(axis=0), part.target[folds].sum(axis=0)
    load, number = matrix[c, c], max(part.households[folds].sum(), 1.0)
    if load <= 0:
        return centre.copy(), float("nan")
    unit = load / number
    aim = target[: c + 1] - urban * matrix[: c + 1, c + 1]
    slope = matrix[:c, c] / load
    inner = matrix[:c, :c] - np.outer(slope, matrix[c, :c])
    wanted = aim[:c] - slope * aim[c]
    row = centre + solve_positive(inner + strength * unit * np.eye(c), wanted - inner @ centre)
    return row, float((aim[c] - matrix[c, :c] @ row) / load)
