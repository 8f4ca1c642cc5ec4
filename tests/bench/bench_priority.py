"""How long the priority room takes at the size of the country: ``python -m tests.bench.bench_priority``.

Prints the median of three runs beside the goal of each.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from dtsen_core.policy import spatial
from dtsen_core.policy.priority import allocate, rank_intervals
from dtsen_core.regions.neighbours import neighbours

RUNS = 3
PERMUTATIONS = 9_999


def median_s(work: Callable[[], object]) -> float:
    """Median wall time of `RUNS` runs, in seconds."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> int:
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.gamma(2.0, 1.0, (514, 6)))
    need, cost = rng.integers(100, 50_000, (514, 4)), rng.uniform(1e5, 3e6, (514, 4))
    budget = float(need.sum() * 3e5)
    regencies, districts = neighbours("regency"), neighbours("district")
    few, many = rng.random(514), rng.random(7_285)
    tasks: list[tuple[str, float, Callable[[], object]]] = [
        ("1,000 rankings of 514, with sampling error", 2, lambda: rank_intervals(data, standard_errors=data * 0.1)),
        ("  with a non-compensatory third", 2, lambda: rank_intervals(
            data, standard_errors=data * 0.1, aggregations=("arithmetic", "geometric", "noncompensatory"))),
        ("local Moran, 9,999 permutations of 514", 2, lambda: spatial.local_moran(few, regencies)),
        ("local Moran, 9,999 permutations of 7,285", 20, lambda: spatial.local_moran(many, districts)),
        ("Getis-Ord, 9,999 permutations of 7,285", 20, lambda: spatial.getis_ord(many, districts)),
        ("allocation of 514 regions × 4 programmes", 2, lambda: allocate(need, cost, budget)),
        ("  lowest coverage raised", 2, lambda: allocate(need, cost, budget, objective="lowest")),
    ]  # fmt: skip
    late = False
    for name, goal, work in tasks:
        took = median_s(work)
        late |= took > goal
        print(f"{name:<48} {took:7.3f} s   goal {goal} s")
    return int(late)


if __name__ == "__main__":
    sys.exit(main())
