"""How long a reform takes on cells of a given number: ``python -m tests.bench.bench_reform [CELLS …]``.

The cells of the dataset in ``DTSEN_DATASET`` are repeated with shifted scores until there are as many; 1,000,000
stands for a million families cell by cell, and 2,000,000 for about what 95 million families give in coarse cells
(514 regencies × 2 strata × about 60 score steps × enrolment and component states, as far as they occur).
Medians of five runs, wall time and CPU time, with the poverty effect.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import replace

import numpy as np

from dtsen_core.policy import cube as cubes
from dtsen_core.policy import models, reform
from dtsen_core.policy.cube import Cube
from dtsen_core.policy.programme_rules import rule_on
from dtsen_core.policy.reform_spec import Reform
from dtsen_core.registry.dataset import Dataset
from dtsen_core.settings import settings

REFORMS = (
    Reform("pkh", quota=12e6), Reform("pkh", decile_to=5, basis="rule"), Reform("sembako", amount=3.6e6),
    Reform("pbi", quota=-1.0),
)  # fmt: skip


def grown(cube: Cube, cells: int) -> Cube:
    """The same families spread over `cells` cells: repeated, with scores moved by a few thousandths."""
    rng = np.random.default_rng(1)
    at = np.sort(rng.integers(0, len(cube.rows), cells))
    share = len(cube.rows) / cells
    score = cube.score[at] + rng.integers(-3, 4, cells)
    order = np.argsort(score, kind="stable")
    at, score = at[order], score[order]
    return replace(
        cube, regency=cube.regency[at], urban=cube.urban[at], decile=cube.decile[at], score=score, other=None,
        rows=cube.rows[at], weight=cube.weight[at] * share, factor=cube.factor[at], kind=cube.kind[at],
        sums={k: v[at] for k, v in cube.sums.items()}, bits={k: v[at] for k, v in cube.bits.items()}, memo={},
    )  # fmt: skip


def main(sizes: list[int]) -> None:
    dataset = Dataset.open(settings().dataset)
    start = time.perf_counter()
    cube = cubes.cube(dataset)
    print(f"cells of {dataset.manifest.families:,} families: {len(cube.rows):,} in {time.perf_counter() - start:.1f} s")
    found = models.residuals_for(dataset, models.scorecard_for(dataset, cube.model))
    residuals = None if found is None else found.residuals
    for size in sizes:
        cells = grown(cube, size)
        for wanted in REFORMS:
            rule = rule_on(wanted.programme, dataset.manifest.as_of)
            reform.simulate(cells, rule, wanted, residuals)
            wall, cpu = [], []
            for _ in range(5):
                a, b = time.perf_counter(), time.process_time()
                reform.simulate(cells, rule, wanted, residuals)
                wall.append(time.perf_counter() - a)
                cpu.append(time.process_time() - b)
            print(f"{size:>10,} cells  {wanted.code:<20} wall {statistics.median(wall):.2f} s  "
                  f"cpu {statistics.median(cpu):.2f} s")  # fmt: skip


if __name__ == "__main__":
    main([int(a) for a in sys.argv[1:]] or [1_000_000, 2_000_000])
