"""Classes of a map: breaks, class numbers and labels that say exactly what a colour means.

Breaks are rounded first and areas are sorted into classes by the rounded breaks, so a label is never
wrong by rounding. Class 0 is "no figure" (withheld or not available); 1 … k run from small to large.
"""

from __future__ import annotations

import importlib
import math
import threading
import warnings
from dataclasses import dataclass

import numpy as np

SKETCH = 2_000  # more values than this are represented by that many quantiles


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


def prepare() -> None:
    """Load the library of classification in the background: it takes a second or two, and a query that runs meanwhile
    hides it."""
    threading.Thread(target=importlib.import_module, args=("mapclassify",), name="mapclassify", daemon=True).start()


def gaps(values: np.ndarray, k: int, method: str) -> list[tuple[float, float]]:
    """The at most k−1 gaps (largest value of one class, smallest of the next) of ``natural`` breaks, Fisher's optimum
    after W. D. Fisher (*JASA* 53, 1958) and G. F. Jenks, or of ``quantile`` breaks, by `mapclassify`.

    Fisher's optimum is exact and the same on every run; k-means from random starts may differ between two servers.
    """
    from mapclassify import FisherJenks, Quantiles

    x = np.sort(np.asarray(values, dtype=np.float64))
    if method == "natural" and len(x) > SKETCH:
        x = np.quantile(x, np.linspace(0, 1, SKETCH), method="closest_observation")
    distinct = np.unique(x)
    k = min(k, len(distinct))
    if k < 2:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ties may leave fewer classes than asked for
        bins = (FisherJenks if method == "natural" else Quantiles)(x, k=k).bins
    cuts = sorted({int(c) for c in np.searchsorted(distinct, bins, side="right")} - {0, len(distinct)})
    return [(float(distinct[c - 1]), float(distinct[c])) for c in cuts]


def make_classes(values: np.ndarray, k: int, method: str, decimals: int | None) -> Classes:
    """At most `k` classes of the known `values` by ``natural`` or ``quantile`` breaks.

    Breaks are rounded to `decimals` (in the unit of `values`), or to two significant digits where it is
    None; breaks that become equal by rounding merge their classes.
    """
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if not len(known):
        return Classes(())
    edges: list[float] = []
    for low, high in gaps(known, k, method):
        middle = (low + high) / 2
        edge = round(middle, significant(middle) if decimals is None else decimals)
        if not edges or edge > edges[-1]:
            edges.append(edge)
    return Classes(tuple(edges))


def significant(x: float, digits: int = 2) -> int:
    """The decimals that leave `digits` significant digits of `x` (negative for large x)."""
    return digits - 1 - math.floor(math.log10(abs(x))) if x else 0
