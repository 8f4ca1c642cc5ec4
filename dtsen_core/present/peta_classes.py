"""Classes of a map: breaks, class numbers and labels that say exactly what a colour means.

Breaks are rounded first and areas are sorted into classes by the rounded breaks, so a label is never
wrong by rounding. Class 0 is "no figure" (withheld or not available); 1 … k run from small to large.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

SKETCH = 800  # more distinct values than this are represented by that many quantiles


@dataclass(frozen=True)
class Classes:
    """`edges`: the k−1 inner breaks, ascending; class c holds edges[c-2] ≤ x < edges[c-1]."""

    edges: tuple[float, ...]

    @property
    def count(self) -> int:
        return len(self.edges) + 1

    def assign(self, values: np.ndarray) -> np.ndarray:
        """Class numbers (int8) of `values`; 0 where a value is NaN."""
        found = np.searchsorted(np.asarray(self.edges), values, side="right") + 1
        return np.where(np.isnan(values), 0, found).astype(np.int8)


def natural_breaks(values: np.ndarray, k: int) -> list[tuple[float, float]]:
    """The k−1 gaps (largest of one class, smallest of the next) with the least squared deviation within
    classes: Fisher's exact one-dimensional optimum (Fisher 1958; Jenks 1967), by dynamic programming.

    Exact and the same on every run; k-means from random starts may differ between two servers.
    """
    x = np.unique(values)
    if len(x) > SKETCH:
        x = np.unique(np.quantile(values, np.linspace(0, 1, SKETCH)))
        weight = np.ones(len(x))
    else:
        weight = np.unique(values, return_counts=True)[1].astype(float)
    k = min(k, len(x))
    if k < 2:
        return []
    zero = np.zeros(1)
    n = np.concatenate([zero, np.cumsum(weight)])
    s = np.concatenate([zero, np.cumsum(weight * x)])
    q = np.concatenate([zero, np.cumsum(weight * x * x)])
    first, last = np.arange(len(x))[:, None], np.arange(len(x))[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        size = n[last + 1] - n[first]
        cost = q[last + 1] - q[first] - (s[last + 1] - s[first]) ** 2 / size
    cost = np.where(first <= last, cost, np.inf)
    best = cost[0]
    starts: list[np.ndarray] = []
    for _ in range(1, k):
        total = np.concatenate([[np.inf], best[:-1]])[:, None] + cost
        starts.append(total.argmin(axis=0))
        best = total.min(axis=0)
    cuts, end = [], len(x) - 1
    for start in reversed(starts):
        begin = int(start[end])
        cuts.append(begin)
        end = begin - 1
    return [(float(x[c - 1]), float(x[c])) for c in reversed(cuts)]


def quantile_breaks(values: np.ndarray, k: int) -> list[tuple[float, float]]:
    """Gaps at the k-quantiles: classes of about equal numbers of areas."""
    x = np.sort(values)
    cuts = sorted({round(len(x) * i / k) for i in range(1, k)} - {0, len(x)})
    return [(float(x[c - 1]), float(x[c])) for c in cuts if x[c] > x[c - 1]]


def make_classes(values: np.ndarray, k: int, method: str, decimals: int | None) -> Classes:
    """At most `k` classes of the known `values` by ``natural`` or ``quantile`` breaks.

    Breaks are rounded to `decimals` (in the unit of `values`), or to two significant digits where it is
    None; breaks that become equal by rounding merge their classes.
    """
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if not len(known):
        return Classes(())
    gaps = (natural_breaks if method == "natural" else quantile_breaks)(known, k)
    edges: list[float] = []
    for low, high in gaps:
        middle = (low + high) / 2
        edge = round(middle, significant(middle) if decimals is None else decimals)
        if not edges or edge > edges[-1]:
            edges.append(edge)
    return Classes(tuple(edges))


def significant(x: float, digits: int = 2) -> int:
    """The decimals that leave `digits` significant digits of `x` (negative for large x)."""
    return digits - 1 - math.floor(math.log10(abs(x))) if x else 0
