"""Quantile regression by convolution smoothing, per province, with survey weights.

The check loss ρ_τ (Koenker & Bassett 1978) is smoothed with a uniform kernel of half-width h (Fernandes,
Guerre & Horta 2021; He, Pan, Tan & Zhou 2023): its derivative is τ − K(−r/h). The smooth convex problem is
solved by gradient steps in the metric of the least-squares normal equations with Barzilai–Borwein step
lengths, for a falling sequence of h whose last is `BANDWIDTHS`[-1] log units. Linear programming gives the
exact minimum but takes minutes per province; the difference in fitted values is of the order of h².
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix

from dtsen_core.rank.design import RIDGE, Products, Survey
from dtsen_core.rank.scorecard import CATEGORIES, OFFSETS, PROVINCES, REGENCIES
from dtsen_core.rank.shrunken import Slopes

Floats = npt.NDArray[np.float64]

BANDWIDTHS = (0.2, 0.05)  # log units
ROUNDS = 60  # gradient steps at most, per bandwidth
ENOUGH = 1e-4  # stop when no coefficient direction moves a fitted value more than this (log units, rms)


def sparse_design(survey: Survey, rows: npt.NDArray[np.int64], regencies: npt.NDArray[np.int64]) -> csr_matrix:
    """Design of the households `rows` of one province: categories, its regencies, urban."""
    number = len(rows)
    width = len(survey.categories) + 2
    place = np.empty((number, width), dtype=np.int32)
    for position, column in enumerate(survey.categories):
        place[:, position] = OFFSETS[position] + column[rows]
    place[:, -2] = CATEGORIES + np.searchsorted(regencies, survey.regency[rows])
    place[:, -1] = CATEGORIES + len(regencies)
    data = np.ones((number, width))
    data[:, -1] = survey.urban[rows] == 1
    data[:, list(survey.dropped)] = 0.0
    starts = np.arange(number + 1) * width
    return csr_matrix((data.ravel(), place.ravel(), starts), shape=(number, CATEGORIES + len(regencies) + 1))


def smoothed(design: csr_matrix, y: Floats, weight: Floats, gram: Floats, start: Floats, quantile: float,
             bandwidths: tuple[float, ...] = BANDWIDTHS) -> Floats:  # fmt: skip
    """Coefficients (k,) that minimise Σ w ρ_τ(y − Xβ), smoothed; `gram` is X'WX with ridge, `start` (k,).

    ValueError unless 0 < `quantile` < 1.
    """
    if not 0 < quantile < 1:
        raise ValueError("quantile must lie between 0 and 1")
    factor = cho_factor(gram, lower=True, check_finite=False)
    turned = design.T.tocsr()
    beta, total = start.copy(), float(weight.sum())
    for h in bandwidths:
        rest = y - design @ beta
        value = _loss(rest, weight, quantile, h)
        before: tuple[Floats, Floats] | None = None
        for _ in range(ROUNDS):
            below = np.clip(0.5 - rest / (2 * h), 0.0, 1.0)
            gradient = turned @ (weight * (quantile - below))
            natural = cho_solve(factor, gradient, check_finite=False)
            step = _step(before, gradient, gram, h)
            shift = design @ natural
            while True:  # a step of 2h always descends, because the curvature is at most gram / 2h
                tried = rest - step * shift
                found = _loss(tried, weight, quantile, h)
                if found <= value or step <= 2 * h:
                    break
                step = max(step / 2, 2 * h)
            beta, rest, value = beta + step * natural, tried, found
            before = (step * natural, gradient)
            if step * np.sqrt(float(weight @ shift**2) / total) < ENOUGH:
                break
    return beta


def _step(before: tuple[Floats, Floats] | None, gradient: Floats, gram: Floats, h: float) -> float:
    """Barzilai–Borwein step in the metric of `gram`, never below the one that always descends."""
    if before is None:
        return 1.0
    moved, turn = before[0], before[1] - gradient
    curvature = float(moved @ turn)
    return max(float(moved @ (gram @ moved)) / curvature, 2 * h) if curvature > 0 else 1.0


def _loss(rest: Floats, weight: Floats, quantile: float, h: float) -> float:
    """Smoothed check loss Σ w ρ_τ,h."""
    inside = np.where(np.abs(rest) < h, (h - rest) ** 2 / (4 * h), np.maximum(-rest, 0.0))
    return float(weight @ (quantile * rest + inside))


def quantile_fits(survey: Survey, products: list[Products], quantile: float, left_out: int | None) -> Slopes:
    """`Slopes` of every province. Each fit starts from least squares on its own households: a start taken from the
    fit on all would carry something of the held-out ones."""
    rows_of = np.searchsorted(survey.province, np.arange(PROVINCES + 1))
    coefficients = np.zeros((PROVINCES, CATEGORIES))
    effects, load = np.full(REGENCIES, np.nan), np.zeros(REGENCIES)
    urban = np.zeros(PROVINCES)
    for part in products:
        rows = np.arange(rows_of[part.province], rows_of[part.province + 1])
        if left_out is not None:
            rows = rows[survey.fold[rows] != left_out]
        matrix, target, households = part.without(left_out)
        c = CATEGORIES
        number = max(households[c:-1].sum(), 1.0)
        unit = np.diag(matrix)[c:-1].sum() / number
        ridge = np.full(len(target), RIDGE * unit)
        ridge[c:-1] = 1e-6 * unit
        gram = matrix + np.diag(ridge)
        begin: Floats = np.asarray(np.linalg.solve(gram, target), dtype=np.float64)
        weight = survey.weight[rows]
        design = sparse_design(survey, rows, part.regencies)
        beta = smoothed(design, survey.y[rows], weight, gram, begin, quantile)
        coefficients[part.province] = beta[:c]
        known = np.diag(matrix)[c:-1] > 0
        effects[part.regencies] = np.where(known, beta[c:-1], np.nan)
        load[part.regencies] = np.diag(matrix)[c:-1]
        urban[part.province] = beta[-1]
    return Slopes(coefficients, effects, urban, load, quantile)
