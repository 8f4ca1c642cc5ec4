"""Monotone boosted scorecards: gradient boosting with stumps, done on the normal equations.

With squared error a boosting step (Friedman 2001; Bühlmann & Yu 2003) fits the stump that reduces the sum of
squares most and adds a fraction of it. A stump on one categorical indicator is a 0/1 column b that is a sum of
category columns, so its gain (b'r)²/b'M̃b and the update of all b'r follow from the normal equations: the
same steps as boosting over households with trees of depth one, exactly additive, at a cost that does not
depend on the number of households. Along a declared order (`registry.directions`) only steps upwards are
allowed, so coefficients never fall from worse to better.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dtsen_core.rank.design import Products
from dtsen_core.rank.equations import Partial, heldout_loss, inner_fold, partial
from dtsen_core.rank.scorecard import CATEGORIES, OFFSETS, PROVINCES
from dtsen_core.rank.shrunken import Slopes, collect
from dtsen_core.registry.directions import directions
from dtsen_core.registry.indicators import INDICATORS

Floats = npt.NDArray[np.float64]

RATE = 0.1  # share of each stump that is added
STEPS, CHECK = 3_000, 100  # national steps at most; how often the inner fold is asked
OWN_STEPS, OWN_CHECK = 400, 20  # further steps of each province, from the nation's scorecard


@dataclass(frozen=True, eq=False)
class Stumps:
    """All stumps: `columns` (C, K) of 0/1 and `upward` (K,) True where the coefficient may not be negative."""

    columns: Floats
    upward: npt.NDArray[np.bool_]


@lru_cache(maxsize=1)
def stumps() -> Stumps:
    """Steps along the declared orders, and one stump for every category without a place in one."""
    columns, upward = [], []
    ordered = directions()
    for position, indicator in enumerate(INDICATORS):
        order = ordered.get(indicator.name, ())
        for start in range(1, len(order)):
            column = np.zeros(CATEGORIES)
            column[[OFFSETS[position] + code for code in order[start:]]] = 1.0
            columns.append(column)
            upward.append(True)
        for category in indicator.categories:
            if category.code not in order:
                column = np.zeros(CATEGORIES)
                column[OFFSETS[position] + category.code] = 1.0
                columns.append(column)
                upward.append(False)
    return Stumps(np.stack(columns, axis=1), np.array(upward))


def boost(matrix: Floats, target: Floats, start: Floats, steps: int, every: int, *, rate: float = RATE,
          using: Stumps | None = None) -> list[Floats]:  # fmt: skip
    """Stump coefficients (K,) after every `every` steps, from those of `start`.

    `matrix` (C, C) and `target` (C,) are normal equations without area terms. The list has
    1 + steps // every entries, the first being `start`.
    """
    made = using or stumps()
    gram = made.columns.T @ matrix @ made.columns
    slope = made.columns.T @ target - gram @ start
    size = np.diag(gram).copy()
    usable = size > 1e-9 * max(size.max(initial=0.0), 1e-300)
    inverse = np.where(usable, 1.0 / np.where(usable, size, 1.0), 0.0)
    theta = start.copy()
    path = [theta.copy()]
    for step in range(1, steps + 1):
        gain = slope * slope * inverse
        gain[made.upward & (slope < 0) & (theta <= 0)] = 0.0
        best = int(np.argmax(gain))
        move = rate * slope[best] * inverse[best]
        if made.upward[best]:
            move = max(move, -theta[best])
        theta[best] += move
        slope -= move * gram[best]
        if step % every == 0:
            path.append(theta.copy())
    return path


def _pooled(parts: list[Partial]) -> tuple[Floats, Floats]:
    return np.sum([p.matrix for p in parts], axis=0), np.sum([p.target for p in parts], axis=0)


def _loss(products: list[Products], parts: list[Partial], fold: int, row: Floats) -> float:
    return sum(heldout_loss(p, fold, row, piece.areas(row)) for p, piece in zip(products, parts))


def boosted_national(products: list[Products], left_out: int | None) -> Slopes:
    """One scorecard for the nation; the number of steps is chosen on the inner fold."""
    theta, steps, parts = _national(products, left_out)
    return collect(parts, (stumps().columns @ theta)[None, :], float(steps))


def _national(products: list[Products], left_out: int | None) -> tuple[Floats, int, list[Partial]]:
    inner = inner_fold(left_out)
    outside = set() if left_out is None else {left_out}
    start = np.zeros(stumps().columns.shape[1])
    tried = [partial(p, outside | {inner}) for p in products]
    path = boost(*_pooled(tried), start, STEPS, CHECK)
    losses = [_loss(products, tried, inner, stumps().columns @ theta) for theta in path]
    steps = int(np.argmin(losses)) * CHECK
    parts = [partial(p, outside) for p in products]
    return boost(*_pooled(parts), start, max(steps, 1), max(steps, 1))[-1], steps, parts


def boosted(products: list[Products], left_out: int | None) -> Slopes:
    """Every province boosts on from the nation's scorecard; one number of further steps for all, chosen on
    the inner fold."""
    inner = inner_fold(left_out)
    outside = set() if left_out is None else {left_out}
    theta, _, parts = _national(products, left_out)
    tried = [partial(p, outside | {inner}) for p in products]
    columns = stumps().columns
    losses = np.zeros(1 + OWN_STEPS // OWN_CHECK)
    begin = boost(*_pooled(tried), np.zeros_like(theta), STEPS // 2, STEPS // 2)[-1]
    for part, piece in zip(products, tried):
        for number, found in enumerate(boost(piece.matrix, piece.target, begin, OWN_STEPS, OWN_CHECK)):
            row = columns @ found
            losses[number] += heldout_loss(part, inner, row, piece.areas(row))
    own = int(np.argmin(losses)) * OWN_CHECK
    rows = np.tile(columns @ theta, (PROVINCES, 1))
    for piece in parts:
        if own:
            rows[piece.province] = columns @ boost(piece.matrix, piece.target, theta, own, own)[-1]
    return collect(parts, rows, float(own))
