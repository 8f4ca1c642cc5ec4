"""What a ranking hangs on: indicators left out, short questionnaires, other weights.

Dropping the columns J of a least-squares fit with inverse A = (X'WX + R)⁻¹ needs no new fit: the solution under
θ_J = 0 is θ − A_·J A_JJ⁻¹ θ_J, and the inverse of the smaller system is A − A_·J A_JJ⁻¹ A_J· (restricted least
squares; Theil 1971). Errors are those of whole PSUs that the fit did not see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dtsen_core.rank import fit_report
from dtsen_core.rank.design import FOLDS, RIDGE, Products, Survey
from dtsen_core.rank.equations import heldout_loss, kept, partial
from dtsen_core.rank.scorecard import CATEGORIES, OFFSETS, PROVINCES, REGENCIES
from dtsen_core.registry.indicators import INDICATORS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PULL = 1_000.0  # pseudo-households that pull a province to the nation


def columns_of(position: int) -> Ints:
    """Columns of indicator number `position`."""
    return np.arange(OFFSETS[position], OFFSETS[position + 1])


def without(inverse: Floats, solution: Floats, dropped: Ints) -> Floats:
    """The restricted solution with the columns `dropped` at 0."""
    block = inverse[:, dropped]
    return np.asarray(solution - block @ np.linalg.solve(inverse[np.ix_(dropped, dropped)], solution[dropped]))


def total_squares(survey: Survey) -> tuple[Floats, Floats]:
    """(Σ w y², Σ w (y − ȳ)²) by province, shape (38,) each."""
    load = np.bincount(survey.province, survey.weight, PROVINCES)
    first = np.bincount(survey.province, survey.weight * survey.y, PROVINCES)
    squares = np.bincount(survey.province, survey.weight * survey.y**2, PROVINCES)
    centre = np.divide(first, load, out=np.zeros(PROVINCES), where=load > 0)
    return np.asarray(squares, dtype=np.float64), np.asarray(squares - load * centre**2, dtype=np.float64)


def ablation(survey: Survey, products: list[Products],
             tell: Callable[[float], None] = lambda done: None) -> Floats:  # fmt: skip
    """Unexplained share of the held-out variance by province, shape (38, 40): column 0 with all indicators, column
    1 + j without indicator j; NaN for a province without households.

    Provinces are pulled to the nation (fitted without the same indicator) by `PULL` pseudo-households.
    """
    number = len(INDICATORS)
    loss = np.zeros((PROVINCES, number + 1))
    c = CATEGORIES
    for fold in range(FOLDS):
        parts = [partial(p, {fold}) for p in products]
        matrix = np.sum([p.matrix for p in parts], axis=0)
        target = np.sum([p.target for p in parts], axis=0)
        unit = sum(p.load for p in parts) / sum(p.households for p in parts)
        inverse: Floats = np.asarray(np.linalg.inv(matrix + RIDGE * unit * np.eye(c)), dtype=np.float64)
        whole: Floats = np.asarray(inverse @ target, dtype=np.float64)
        centres: list[Floats] = [whole, *(without(inverse, whole, columns_of(j)) for j in range(number))]
        for part, piece in zip(products, parts):
            own, aim, _ = part.without(fold)
            present = np.flatnonzero(np.r_[np.ones(c, dtype=bool), np.diag(own)[c:-1] > 0, True])
            ridge = np.zeros(len(own))
            ridge[:c], ridge[-1] = PULL * piece.unit, RIDGE * piece.unit
            system = (own + np.diag(ridge))[np.ix_(present, present)]
            inside: Floats = np.asarray(np.linalg.inv(system), dtype=np.float64)
            for j, centre in enumerate(centres):
                pulled = aim.copy()
                pulled[:c] += ridge[:c] * centre
                found: Floats = np.asarray(inside @ pulled[present], dtype=np.float64)
                if j:
                    found = without(inside, found, columns_of(j - 1))
                areas = np.full(len(own) - c, np.nan)
                areas[present[c:] - c] = found[c:]
                loss[part.province, j] += heldout_loss(part, fold, found[:c], areas)
        tell((fold + 1) / FOLDS)
    squares, spread = total_squares(survey)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread[:, None] > 0, (loss + squares[:, None]) / spread[:, None], np.nan)


@dataclass(frozen=True)
class Short:
    """One length of the questionnaire: `indicators` kept (positions), the one `dropped` last (−1 for none),
    held-out R² and exclusion error at the 40 % cut-off."""

    indicators: tuple[int, ...]
    dropped: int
    r2: float
    exclusion: float


def questionnaires(survey: Survey, products: list[Products],
                   tell: Callable[[float], None] = lambda done: None) -> list[Short]:  # fmt: skip
    """Backward elimination with one national set of coefficients and regency effects, longest first.

    Each step drops the indicator whose loss on held-out PSUs is smallest. Because the same folds choose and judge,
    the errors of short questionnaires are slightly optimistic.
    """
    size = CATEGORIES + REGENCIES + 1
    folds, aims = np.zeros((FOLDS, size, size)), np.zeros((FOLDS, size))
    for part in products:
        place = np.concatenate([np.arange(CATEGORIES), CATEGORIES + part.regencies, [size - 1]])
        for fold in range(FOLDS):
            folds[fold][np.ix_(place, place)] += part.matrix[fold]
            aims[fold][place] += part.target[fold]
    unit = survey.weight.mean()
    inverses, solutions = [], []
    for fold in range(FOLDS):
        train = folds[kept({fold})].sum(axis=0)
        inverse = np.linalg.inv(train + RIDGE * unit * np.eye(size))
        inverses.append(inverse)
        solutions.append(inverse @ aims[kept({fold})].sum(axis=0))
    centre = np.average(survey.y, weights=survey.weight)
    total = float(survey.weight @ (survey.y - centre) ** 2)
    squares = float(survey.weight @ survey.y**2)
    left = list(range(len(INDICATORS)))
    result = [_judge(survey, solutions, left, -1, folds, aims, squares, total)]
    while len(left) > 1:
        losses = []
        for j in left:
            tried = [without(a, s, columns_of(j)) for a, s in zip(inverses, solutions)]
            losses.append(sum(_loss(folds[f], aims[f], t) for f, t in enumerate(tried)))
        worst = left[int(np.argmin(losses))]
        left.remove(worst)
        for fold in range(FOLDS):
            drop = columns_of(worst)
            solutions[fold] = without(inverses[fold], solutions[fold], drop)
            block = inverses[fold][:, drop]
            inverses[fold] = inverses[fold] - block @ np.linalg.solve(inverses[fold][np.ix_(drop, drop)], block.T)
            # the dropped columns must never come back through rounding
            inverses[fold][drop], inverses[fold][:, drop] = 0.0, 0.0
        result.append(_judge(survey, solutions, left, worst, folds, aims, squares, total))
        tell(1 - len(left) / len(INDICATORS))
    return result


def _loss(matrix: Floats, target: Floats, theta: Floats) -> float:
    return float(theta @ (matrix @ theta) - 2 * target @ theta)


def _judge(survey: Survey, solutions: list[Floats], left: list[int], dropped: int, folds: Floats, aims: Floats,
           squares: float, total: float) -> Short:  # fmt: skip
    loss = sum(_loss(folds[f], aims[f], s) for f, s in enumerate(solutions))
    score = np.zeros_like(survey.y)
    for fold, theta in enumerate(solutions):
        rows = np.flatnonzero(survey.fold == fold)
        value = theta[CATEGORIES + survey.regency[rows]] + theta[-1] * (survey.urban[rows] == 1)
        for j in left:
            value += theta[OFFSETS[j] + survey.categories[j][rows].astype(np.int64)]
        score[rows] = value
    _, exclusion = fit_report.targeting_errors(survey.y, score, survey.weight, fit_report.CUT)
    return Short(tuple(left), dropped, 1 - (loss + squares) / total, exclusion)


def random_weights(number: int, spread: float, draws: int, rng: np.random.Generator) -> Floats:
    """Weights of `number` indicators, shape (draws, number), mean 1 each: Dirichlet draws times `number` whose
    coefficient of variation is `spread`. ValueError unless 0 < `spread` < √(number − 1)."""
    if not 0 < spread < np.sqrt(number - 1):
        raise ValueError("spread must lie between 0 and the root of number - 1")
    alpha = ((number - 1) / spread**2 - 1) / number
    return np.asarray(rng.dirichlet(np.full(number, alpha), size=draws) * number)


def rank_without(parts: Floats, base: Floats) -> tuple[Floats, Floats]:
    """(rank (regions,), moved (regions, components)): rank by the plain sum of `parts` (regions, components) + `base`
    (regions,), and how many places it rises when one component is left out. Rank 1 has the lowest score (worst off);
    regions of equal score keep their order."""
    now = parts.sum(axis=1) + base
    rank = np.argsort(np.argsort(now, kind="stable"), kind="stable") + 1
    without_one = now[:, None] - parts
    ranks = np.argsort(np.argsort(without_one, axis=0, kind="stable"), axis=0, kind="stable") + 1
    return rank.astype(np.float64), (ranks - rank[:, None]).astype(np.float64)


def rank_ranges(parts: Floats, base: Floats, weights: Floats, level: float = 0.90) -> tuple[Floats, ...]:
    """(rank, low, high, share) of regions: by the plain sum of `parts` (regions, components) + `base` (regions,),
    the central `level` range of the rank over `weights` (draws, components), and the share of draws in which the
    region stays in its fifth. Rank 1 has the lowest score (worst off)."""
    number = len(parts)
    now = parts.sum(axis=1) + base
    rank = np.argsort(np.argsort(now, kind="stable"), kind="stable") + 1
    ranks = np.empty((len(weights), number), dtype=np.int32)
    for draw, weight in enumerate(weights):
        score = parts @ weight + base
        ranks[draw, np.argsort(score, kind="stable")] = np.arange(1, number + 1)
    tail = (1 - level) / 2
    low, high = np.quantile(ranks, [tail, 1 - tail], axis=0, method="nearest")
    fifth = np.ceil(5 * ranks / number)
    same = (fifth == np.ceil(5 * rank / number)[None, :]).mean(axis=0)
    return rank.astype(np.float64), low.astype(np.float64), high.astype(np.float64), same
