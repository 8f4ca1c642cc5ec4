"""How many families each regency contributes, what one stands for, and which village each lives in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dtsen_core.collect.simulate.geography import Geography
from dtsen_core.errors import UserError

SMALLEST = 5_000  # about ten families a regency: enough to try the chain, too few for a briefing


def check(families: int, largest: int) -> None:
    if not SMALLEST <= families <= largest:
        raise UserError("errors_dataset.families_range", families=families, low=SMALLEST, high=largest)


def families_per_regency(population: NDArray, families: int, minimum: int) -> NDArray[np.int64]:
    """Counts summing to `families`, proportional to `population` but at least `minimum` in each regency
    (less where `families` does not allow that)."""
    floor = min(minimum, int(0.6 * families / len(population)))
    low, high = 0.0, 2.0 * families / population.sum()
    for _ in range(80):
        rate = (low + high) / 2
        low, high = (rate, high) if np.maximum(rate * population, floor).sum() < families else (low, rate)
    return largest_remainder(np.maximum(high * population, floor), families)


def largest_remainder(wanted: NDArray, total: int) -> NDArray[np.int64]:
    """Whole numbers close to `wanted` that sum to `total`."""
    counts = np.floor(wanted).astype(np.int64)
    short = total - int(counts.sum())
    order = np.argsort(counts - wanted, kind="stable")
    if short >= 0:
        counts[order[:short]] += 1
    else:
        counts[order[short:]] -= 1
    return counts


def villages_of_families(geography: Geography, province: int, per_regency: NDArray[np.int64]) -> NDArray[np.int64]:
    """Village index of every family of `province`, sorted; families follow the villages' expected size."""
    inside = np.flatnonzero(geography.province == province)
    of = geography.regency[inside]
    total = np.bincount(geography.regency, weights=geography.persons)
    expected = geography.persons[inside] / total[of] * per_regency[of]
    # Cumulative rounding keeps every regency's total exact and needs no loop over regencies.
    cumulative = np.cumsum(expected)
    ends = np.rint(cumulative).astype(np.int64)
    last = np.flatnonzero(np.append(of[1:] != of[:-1], True))
    exact = np.cumsum(per_regency[of[last]])
    ends[last] = exact
    ends = np.minimum(ends, np.repeat(exact, np.diff(np.concatenate(([-1], last)))))
    counts = np.diff(np.concatenate(([0], np.maximum.accumulate(ends))))
    return np.repeat(inside, counts)
