"""Normal equations with the area terms partialled out, and held-out errors that follow from them.

By the theorem of Frisch and Waugh (1933) least squares of y on indicators and area terms gives the same
indicator coefficients as least squares after both were cleared of the area terms. With A the block of area
columns (regencies and urban), C that of categories: M̃ = M_CC − M_CA M_AA⁻¹ M_AC, t̃ = t_C − M_CA M_AA⁻¹ t_A.
Every penalised, boosted or reduced fit below works on M̃ alone and never touches a household again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dtsen_core.rank.design import FOLDS, RIDGE, Products
from dtsen_core.rank.scorecard import CATEGORIES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Partial:
    """One province without its area terms: `matrix` (C, C), `target` (C,) of all 39 indicators' categories,
    `load` weight and `households` number of households; `regencies` idx, `solved` (A, C + 1) with which
    `areas` recovers the area terms, `area_load` weight by regency."""

    province: int
    regencies: Ints
    matrix: Floats
    target: Floats
    load: float
    households: float
    solved: Floats
    area_load: Floats

    def areas(self, coefficients: Floats) -> Floats:
        """Effect of each regency of `regencies`, then the urban term, given `coefficients` (C,); NaN for a
        regency without households."""
        return self.solved[:, -1] - self.solved[:, :-1] @ coefficients

    @property
    def unit(self) -> float:
        """Weight of one average household: what one pseudo-household of ridge adds."""
        return self.load / max(self.households, 1.0)


def kept(left_out: Collection[int]) -> list[int]:
    """Folds that a fit may see."""
    return [fold for fold in range(FOLDS) if fold not in left_out]


def partial(part: Products, left_out: Collection[int] = ()) -> Partial:
    """`part` without the folds of `left_out` and without its area terms."""
    folds = kept(left_out)
    matrix, target = part.matrix[folds].sum(axis=0), part.target[folds].sum(axis=0)
    c = CATEGORIES
    weights = np.diag(matrix)[c:]
    present = np.flatnonzero(np.r_[weights[:-1] > 0, True])
    households = part.households[folds].sum(axis=0)[c:-1].sum()
    load = float(weights[:-1].sum())
    block = matrix[c:, c:][np.ix_(present, present)].copy()
    block[-1, -1] += RIDGE * load / max(households, 1.0)
    right = np.c_[matrix[c:, :c], target[c:]][present]
    solved = np.full((len(part.regencies) + 1, c + 1), np.nan)
    solved[present] = np.linalg.solve(block, right)
    known = solved[present]
    return Partial(
        province=part.province,
        regencies=part.regencies,
        matrix=matrix[:c, :c] - matrix[c:, :c][present].T @ known[:, :-1],
        target=target[:c] - matrix[c:, :c][present].T @ known[:, -1],
        load=load,
        households=float(households),
        solved=solved,
        area_load=weights[:-1],
    )


def heldout_loss(part: Products, fold: int, coefficients: Floats, areas: Floats) -> float:
    """Σ w (y − ŷ)² − Σ w y² over the households of `fold`: comparable between fits of the same households.

    `coefficients` (C,), `areas` as from `Partial.areas`; a regency unknown to the fit takes their mean.
    """
    filled = np.where(np.isnan(areas), np.nanmean(areas[:-1]), areas)
    theta = np.r_[coefficients, filled]
    return float(theta @ part.matrix[fold] @ theta - 2 * part.target[fold] @ theta)


def inner_fold(left_out: int | None) -> int:
    """The fold on which a fit that must not see `left_out` chooses its tuning parameter."""
    return 0 if left_out is None else (left_out + 1) % FOLDS


def solve_positive(matrix: Floats, target: Floats) -> Floats:
    """Solution of a symmetric positive definite system."""
    from scipy.linalg import cho_factor, cho_solve

    return np.asarray(cho_solve(cho_factor(matrix, lower=True, check_finite=False), target, check_finite=False))
