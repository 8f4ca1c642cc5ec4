"""Family size and true expenditure of the families of one province.

A latent score per family carries a village effect, the rural gap and a regency shift; the shift is solved on
the realised families so that the share of persons below the province's threshold is the regency's headcount.
Families are then ranked in the province and given the Dagum mean of their slice, weighted by persons.
Independent draws miss the published figures; deterministic assignment meets them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from dtsen_core.collect.simulate.targets import Dagum, rules

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """Per family: persons, true monthly expenditure per person (Rp), and `seen`, the standardised welfare a
    questionnaire can see (unit variance inside the province)."""

    size: NDArray[np.uint8]
    expenditure: Floats
    seen: Floats


def draw(
    rng: np.random.Generator,
    law: Dagum,
    regency: NDArray[np.int64],
    urban: NDArray[np.uint8],
    cluster: NDArray[np.int64],
    weight: Floats,
    headcount: Floats,
    gap: float,
) -> Drawn:
    """Families of one province, all arrays of one length; `headcount` is per row (the regency's target)."""
    rule = rules()
    shared = rule["cluster_share"]
    # Each regency gets evenly spread normal scores in random order: no luck of the draw between regencies.
    own = _even_normal(rng, regency)
    of_cluster = rng.normal(size=int(cluster.max()) + 1)[cluster]
    latent = np.sqrt(1 - shared) * own + np.sqrt(shared) * of_cluster - gap * (urban == 2)
    size = _sizes(rng, own, rule)
    persons = weight * size
    latent -= _cut_at(latent, regency, persons, headcount)

    order = np.argsort(latent, kind="stable")
    edges = np.concatenate(([0.0], np.cumsum(persons[order])))
    edges /= edges[-1]
    expenditure = np.empty(len(order))
    expenditure[order] = law.bin_means(edges)

    log = np.log(expenditure)
    centre = np.average(log, weights=persons)
    spread = law.log_sd()
    noise = rule["observed_noise"]
    seen = ((log - centre) / spread + noise * rng.normal(size=len(log))) / np.sqrt(1 + noise**2)
    return Drawn(size, expenditure, seen)


def _even_normal(rng: np.random.Generator, group: NDArray[np.int64]) -> Floats:
    order = np.lexsort((rng.random(len(group)), group))
    count = np.bincount(group)
    start = np.concatenate(([0], np.cumsum(count)[:-1]))
    rank = np.arange(len(group)) - start[group[order]]
    score = np.empty(len(group))
    score[order] = special.ndtri((rank + 0.5) / count[group[order]])
    return score


def _sizes(rng: np.random.Generator, own: Floats, rule: dict) -> NDArray[np.uint8]:
    pull = rule["family_size_pull"]
    tendency = pull * own + np.sqrt(1 - pull**2) * rng.normal(size=len(own))
    cuts = special.ndtri(np.cumsum(rule["family_size_share"])[:-1])
    return (1 + np.searchsorted(cuts, tendency)).astype(np.uint8)


def _cut_at(latent: Floats, regency: NDArray[np.int64], persons: Floats, headcount: Floats) -> Floats:
    """Per row the regency's latent score below which the share `headcount` of its persons lies."""
    order = np.lexsort((latent, regency))
    group, weight = regency[order], persons[order]
    total = np.bincount(group, weights=weight)
    start = np.concatenate(([0.0], np.cumsum(total)[:-1]))
    share = (np.cumsum(weight) - weight / 2 - start[group]) / total[group]
    below = share < headcount[order]
    count_below = np.bincount(group, weights=below).astype(np.int64)
    first = np.concatenate(([0], np.cumsum(np.bincount(group))[:-1]))
    sorted_latent = latent[order]
    last = np.maximum(first + np.bincount(group) - 1, 0)
    upper = np.minimum(first + count_below, last)
    lower = np.maximum(upper - 1, np.minimum(first, last))
    cut = (sorted_latent[lower] + sorted_latent[upper]) / 2
    return cut[regency]
