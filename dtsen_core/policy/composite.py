"""Normalisation and aggregation of indicators, on plain arrays whose last axes are (regions, indicators).

Formulas after OECD & JRC, *Handbook on Constructing Composite Indicators* (2008), chapters 5 and 6; the
non-compensatory rule after G. Munda & M. Nardo, "Noncompensatory/nonlinear composite indicators for ranking
countries", *Applied Economics* 41 (2009), with Copeland's count of won comparisons in place of the search through all
orders. Leading axes (draws) are carried along. Everything is already turned so that larger means a higher score.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NORMALISATIONS = ("minmax", "z", "percentile", "target", "none")
AGGREGATIONS = ("arithmetic", "geometric", "noncompensatory", "mpi")
_ALIASES = {
    "min-max": "minmax", "z-score": "z", "zscore": "z", "standardised": "z", "rank": "percentile",
    "percentile-rank": "percentile", "distance": "target", "distance-to-target": "target",
    "linear": "arithmetic", "additive": "arithmetic", "mean": "arithmetic", "multiplicative": "geometric",
    "non-compensatory": "noncompensatory", "copeland": "noncompensatory", "mazziotta-pareto": "mpi",
}  # fmt: skip
FLOOR = 0.01
"""Smallest normalised value that enters a geometric mean, which a zero would bring to zero."""


def plain_name(name: str) -> str:
    """The name used here of a normalisation or aggregation that goes by others too ("min-max", "linear"); anything else
    comes back as it is."""
    if not isinstance(name, str):
        return name
    return _ALIASES.get(name.strip().lower().replace("_", "-").replace(" ", "-"), name)


def normalise(x: Floats, kind: str, low: Floats, high: Floats, target: Floats) -> Floats:
    """Normalised `x` (…, n, m), no NaN.

    minmax      (x − low)/(high − low), cut at 0 and 1; `low`, `high` (m,) NaN = those of the regions
    z           (x − mean)/sd, sd with divisor n
    percentile  (rank − 1)/(n − 1), ties share the mean rank
    target      max(0, x − target)/max over regions of it: 0 where the target is met, 1 where it is missed most
    none        x itself
    """
    if kind == "none":
        return x
    if kind == "z":
        mean, sd = x.mean(axis=-2, keepdims=True), x.std(axis=-2, keepdims=True)
        return np.divide(x - mean, sd, out=np.zeros_like(x), where=sd > 0)
    if kind == "percentile":
        return (mean_ranks(x) - 1) / max(x.shape[-2] - 1, 1)
    if kind == "target":
        gap = np.maximum(x - target, 0.0)
        most = gap.max(axis=-2, keepdims=True)
        return np.divide(gap, most, out=np.zeros_like(x), where=most > 0)
    lowest = np.where(np.isnan(low), x.min(axis=-2, keepdims=True), low)
    span = np.where(np.isnan(high), x.max(axis=-2, keepdims=True), high) - lowest
    return np.clip(np.divide(x - lowest, span, out=np.zeros_like(x), where=span > 0), 0.0, 1.0)


def mean_ranks(x: Floats) -> Floats:
    """Ranks from 1 (smallest) along the regions' axis, ties sharing their mean."""
    turned = np.ascontiguousarray(np.swapaxes(x, -1, -2))
    order = turned.argsort(axis=-1)
    ordered = np.take_along_axis(turned, order, axis=-1)
    n = x.shape[-2]
    ranks = np.empty(turned.shape)
    first = np.concatenate([np.ones_like(ordered[..., :1], dtype=bool), np.diff(ordered, axis=-1) != 0], axis=-1)
    if first.all():  # no ties
        np.put_along_axis(ranks, order, np.broadcast_to(np.arange(1.0, n + 1), turned.shape), axis=-1)
        return np.swapaxes(ranks, -1, -2)
    place = np.broadcast_to(np.arange(n), turned.shape)
    last = np.concatenate([first[..., 1:], np.ones_like(first[..., :1])], axis=-1)
    begin = np.maximum.accumulate(np.where(first, place, 0), axis=-1)
    end = np.flip(np.minimum.accumulate(np.flip(np.where(last, place, n - 1), axis=-1), axis=-1), axis=-1)
    np.put_along_axis(ranks, order, (begin + end) / 2 + 1, axis=-1)
    return np.swapaxes(ranks, -1, -2)


def aggregate(y: Floats, weights: Floats, kind: str, normalisation: str) -> Floats:
    """Scores (…, n) of normalised `y` (…, n, m) with `weights` (…, m) that sum to 1.

    arithmetic       Σ w·y
    geometric        Π y^w with y at least `FLOOR`; z-scores enter as 1 + z/10 (mean 100, standard deviation 10)
    noncompensatory  share of other regions a region beats, ties half: it beats another where the weights of the
                     indicators in which it stands higher outweigh those in which it stands lower
    mpi              M + S·cv of the values 100 + 10·z: mean plus penalty for imbalance, the sign for a score of need
                     (M. Mazziotta & A. Pareto, *Social Indicators Research* 127, 2016); y is standardised first
    """
    if kind == "arithmetic":
        return np.einsum("...nm,...m->...n", y, weights)
    if kind == "geometric":
        positive = np.maximum(1 + y / 10 if normalisation == "z" else y, FLOOR)
        return np.asarray(np.exp(np.einsum("...nm,...m->...n", np.log(positive), weights)))
    if kind == "mpi":
        nan = np.full(y.shape[-1], np.nan)
        scaled = 100 + 10 * (y if normalisation == "z" else normalise(y, "z", nan, nan, nan))
        mean = np.einsum("...nm,...m->...n", scaled, weights)
        square = np.einsum("...nm,...m->...n", scaled**2, weights)
        return mean + np.maximum(square - mean**2, 0) / mean
    if y.ndim == 2:
        return copeland(y, weights)
    lead = y.shape[:-2]
    flat, w = y.reshape(-1, *y.shape[-2:]), np.broadcast_to(weights, (*lead, y.shape[-1])).reshape(-1, y.shape[-1])
    return np.stack([copeland(one, v) for one, v in zip(flat, w)]).reshape(*lead, y.shape[-2])


def copeland(y: Floats, weights: Floats) -> Floats:
    """Share of comparisons won (ties half) of each region, shape (n,)."""
    n = len(y)
    if n < 2:
        return np.full(n, 0.5)
    above = np.zeros((n, n), dtype=np.float32)  # weight of the indicators in which row stands higher than column
    higher, part = np.empty((n, n), dtype=bool), np.empty((n, n), dtype=np.float32)
    for column, weight in zip(np.ascontiguousarray(y.T), weights.astype(np.float32)):
        if weight > 0:
            np.greater(column[:, None], column, out=higher)
            above += np.multiply(higher, weight, out=part)
    balance = np.subtract(above, above.T, out=part)
    # Differences of equal sums of weights are rounding, not victories.
    won = np.count_nonzero(balance > 1e-5, axis=1) - np.count_nonzero(balance < -1e-5, axis=1)
    return np.asarray((won / (n - 1) + 1) / 2)


def contributions(y: Floats, weights: Floats, kind: str, normalisation: str) -> Floats:
    """What each indicator adds, shape (n, m).

    arithmetic and mpi: w·y, for arithmetic they sum to the score. geometric: w·ln y, they sum to its logarithm.
    noncompensatory: w · share of other regions below the region in that indicator (ties half).
    """
    if kind == "geometric":
        return np.asarray(np.log(np.maximum(1 + y / 10 if normalisation == "z" else y, FLOOR)) * weights)
    if kind == "noncompensatory":
        return np.asarray((mean_ranks(y) - 1) / max(len(y) - 1, 1) * weights)
    return np.asarray(y * weights)
