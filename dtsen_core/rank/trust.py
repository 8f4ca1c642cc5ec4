"""How far a ranking can be trusted: targeting errors of held-out predictions with bootstrap ranges.

At each cut-off the worst-off c per cent of persons by prediction are selected (the same number under every
method: equal budget) and compared with the worst-off c per cent by observed expenditure. Inclusion error: share
of the selected who do not belong; exclusion error: share of those who belong and are missed. Ranges come from
the rescaled bootstrap of whole PSUs within strata (Rao & Wu 1988): of n PSUs of a stratum n − 1 are drawn with
replacement and their weights multiplied by n/(n − 1). All methods see the same draws, so differences between
methods have ranges of their own (paired). Ranges are conditional on the fitted models: the fits are not repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CUTS = tuple(k / 10 for k in range(1, 10))
REPLICATES = 200
LEVEL = 0.90
SEED = 20250305


@dataclass(frozen=True, eq=False)
class Errors:
    """`inclusion` and `exclusion` (methods, groups, 9): estimates; `inclusion_draws`, `exclusion_draws`
    (replicates, methods, groups, 9). NaN where a group has nobody selected or due."""

    inclusion: Floats
    exclusion: Floats
    inclusion_draws: Floats
    exclusion_draws: Floats


def psu_multipliers(stratum_of_psu: Ints, rng: np.random.Generator) -> Floats:
    """Weight multiplier of each PSU in one rescaled bootstrap draw, shape (psus,); mean 1 in every stratum.

    A stratum with one PSU keeps it (its variance cannot be estimated).
    """
    order = np.argsort(stratum_of_psu, kind="stable")
    _, start, number = np.unique(stratum_of_psu[order], return_index=True, return_counts=True)
    draws = np.where(number > 1, number - 1, 1)
    stratum = np.repeat(np.arange(len(number)), draws)
    picked = start[stratum] + np.floor(rng.random(len(stratum)) * number[stratum]).astype(np.int64)
    times = np.bincount(picked, minlength=len(order)) * np.repeat(number / draws, number)
    result = np.empty(len(order))
    result[order] = times
    return result


@numba.njit(cache=True, nogil=True)
def _classes(order, weight, out):  # type: ignore[no-untyped-def]
    """Tenth of the population (0..9) into which each unit falls, by cumulated weight in `order`."""
    total = 0.0
    for i in range(order.size):
        total += weight[order[i]]
    below = 0.0
    for i in range(order.size):
        k = order[i]
        place = int(10.0 * below / total + 1e-9) if total > 0 else 0
        out[k] = place if place < 9 else 9
        below += weight[k]


@numba.njit(cache=True, nogil=True)
def _tally(chosen, due, weight, groups, size):  # type: ignore[no-untyped-def]
    """Weight by group and tenth: selected, due, both (a unit is in both from the later of its two tenths)."""
    selected = np.zeros((size, 10))
    belonging = np.zeros((size, 10))
    both = np.zeros((size, 10))
    for i in range(chosen.size):
        w = weight[i]
        if w == 0.0:
            continue
        later = max(chosen[i], due[i])
        for g in range(groups.shape[1]):
            at = groups[i, g]
            selected[at, chosen[i]] += w
            belonging[at, due[i]] += w
            both[at, later] += w
    return selected, belonging, both


def targeting(y: Floats, predictions: Sequence[Floats], weight: Floats, cluster: Ints, stratum: Ints,
              groups: Ints | None = None, *, replicates: int = REPLICATES, seed: int = SEED,
              tell: Callable[[float], None] = lambda done: None) -> Errors:  # fmt: skip
    """Targeting errors at the nine cut-offs, by group, with bootstrap draws.

    Parameters
    ----------
    y : (n,) observed ln expenditure.
    predictions : held-out scores, one array (n,) per method.
    weight : (n,) persons represented.
    cluster : (n,) PSU as 0..psus−1.
    stratum : (n,) stratum of each unit; PSUs lie within strata.
    groups : (n, g) for every unit the groups it is counted in, as 0..groups−1; None: one group of all.

    Raises
    ------
    ValueError
        for shapes that do not agree, NaN, negative weights or an empty sample.
    """
    y, weight = np.asarray(y, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    made = [np.asarray(p, dtype=np.float64) for p in predictions]
    cluster, stratum = np.asarray(cluster, dtype=np.int64), np.asarray(stratum, dtype=np.int64)
    if not len(y) or any(a.shape != y.shape for a in (weight, cluster, stratum, *made)):
        raise ValueError("y, weight, cluster, stratum and every prediction need one and the same length above 0")
    if any(np.isnan(a).any() for a in (y, weight, *made)) or (weight < 0).any() or weight.sum() <= 0:
        raise ValueError("NaN or negative weights")
    counted = np.zeros((len(y), 1), dtype=np.int64) if groups is None else np.asarray(groups, dtype=np.int64)
    size = int(counted.max()) + 1
    orders = [np.argsort(p, kind="stable") for p in made]
    by_truth = np.argsort(y, kind="stable")
    stratum_of_psu = np.zeros(int(cluster.max()) + 1, dtype=np.int64)
    stratum_of_psu[cluster] = stratum
    rng = np.random.default_rng(seed)
    shape = (replicates + 1, len(made), size, 9)
    inclusion, exclusion = np.full(shape, np.nan), np.full(shape, np.nan)
    due, chosen = np.zeros(len(y), dtype=np.int8), np.zeros(len(y), dtype=np.int8)
    for replicate in range(replicates + 1):
        load = weight if replicate == 0 else weight * psu_multipliers(stratum_of_psu, rng)[cluster]
        _classes(by_truth, load, due)
        for number, order in enumerate(orders):
            _classes(order, load, chosen)
            selected, belonging, both = (np.cumsum(t, axis=1)[:, :9] for t in _tally(chosen, due, load, counted, size))
            with np.errstate(divide="ignore", invalid="ignore"):
                inclusion[replicate, number] = np.where(selected > 0, 1 - both / selected, np.nan)
                exclusion[replicate, number] = np.where(belonging > 0, 1 - both / belonging, np.nan)
        tell((replicate + 1) / (replicates + 1))
    return Errors(inclusion[0], exclusion[0], inclusion[1:], exclusion[1:])


def interval(draws: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """(low, high) percentile range over the first axis; NaN where every draw is."""
    tail = (1 - level) / 2
    # a quantile of an all-NaN slice warns; fill first, mask after
    empty = np.isnan(draws).all(axis=0)
    filled = np.where(empty, 0.0, draws)
    low, high = np.nanquantile(filled, [tail, 1 - tail], axis=0)
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def calibration(y: Floats, predicted: Floats, weight: Floats, cluster: Ints, bins: int = 20) -> Mapping[str, Floats]:
    """Observed against predicted means in `bins` of equal weight by prediction, with 90 % ranges.

    Ranges from PSU totals (linearised variance of a ratio). Returns columns predicted, observed, low, high (log
    units) and households. ValueError for an empty sample.
    """
    if len(y) == 0:
        raise ValueError("an empty sample has no calibration")
    order = np.argsort(predicted, kind="stable")
    below = np.cumsum(weight[order]) - weight[order] / 2
    number = np.empty(len(y), dtype=np.int64)
    number[order] = np.minimum((below / weight.sum() * bins).astype(np.int64), bins - 1)
    load = np.bincount(number, weight, bins)
    load = np.where(load > 0, load, np.nan)
    columns = {"predicted": predicted, "observed": y}
    means = {name: np.bincount(number, weight * v, bins) / load for name, v in columns.items()}
    rest = weight * (y - means["observed"][number])
    psus = int(cluster.max()) + 1
    totals = np.bincount(cluster * bins + number, rest, psus * bins).reshape(psus, bins)
    error = np.sqrt((totals**2).sum(axis=0)) / load
    return {
        **means,
        "low": means["observed"] - 1.6449 * error,
        "high": means["observed"] + 1.6449 * error,
        "households": np.bincount(number, minlength=bins).astype(np.float64),
    }
