"""Do the bootstrap ranges of targeting errors cover the truth as often as they say?

    python -m tests.bench.bench_coverage [DATASET] [SIMULATIONS]

The survey of the dataset is taken as a population whose errors under a fixed scorecard are known exactly. Each
simulation draws PSUs with replacement from every regency (a tenth of them, two at least), makes the 90 % ranges from
the sample alone, and asks whether they hold the population's figure. Prints coverage by cut-off over all simulations
with its own standard error.
"""

from __future__ import annotations

import sys

import numpy as np

from dtsen_core.policy.models import scorecard_for
from dtsen_core.rank import design, trust
from dtsen_core.registry.dataset import Dataset

MODEL = "pmt_provinsi"
SHARE, REPLICATES, SIMULATIONS = 10, 200, 200


def main(path: str | None, simulations: int) -> None:
    dataset = Dataset.open(path)
    survey = design.read_survey(dataset.cursor())
    card = scorecard_for(dataset, MODEL)
    score = card.scores(np.stack(survey.categories, axis=1), survey.regency, survey.urban).astype(float)
    psus = int(survey.cluster.max()) + 1
    regency_of = np.zeros(psus, dtype=np.int64)
    regency_of[survey.cluster] = survey.regency
    start, stop = (np.searchsorted(survey.cluster, np.arange(psus), side) for side in ("left", "right"))
    truth = trust.targeting(survey.y, [score], survey.weight, survey.cluster, survey.regency, replicates=0)
    known = truth.exclusion[0, 0]
    hits = np.zeros(9)
    for number in range(simulations):
        rng = np.random.default_rng(1_000 + number)
        picked, factor = [], []
        for regency in np.unique(regency_of):
            mine = np.flatnonzero(regency_of == regency)
            size = max(len(mine) // SHARE, 2)
            picked.append(rng.choice(mine, size))
            factor.append(np.full(size, len(mine) / size))
        chosen = np.concatenate(picked)
        rows = np.concatenate([np.arange(start[p], stop[p]) for p in chosen])
        lengths = (stop - start)[chosen]
        cluster = np.repeat(np.arange(len(chosen)), lengths)
        weight = survey.weight[rows] * np.repeat(np.concatenate(factor), lengths)
        drawn = trust.targeting(
            survey.y[rows], [score[rows]], weight, cluster, survey.regency[rows], replicates=REPLICATES, seed=number
        )
        low, high = trust.interval(drawn.exclusion_draws[:, 0, 0])
        hits += (low <= known) & (known <= high)
    rate = hits / simulations
    print(f"{simulations} simulations of {len(rows)} households, stated rate {trust.LEVEL:.0%}, "
          f"standard error {np.sqrt(0.09 / simulations):.1%}")  # fmt: skip
    for cut, value, share in zip(trust.CUTS, known, rate, strict=True):
        print(f"  cut-off {cut:.0%}: exclusion error {value:.4f}, covered in {share:.1%}")
    print(f"  mean coverage {rate.mean():.1%}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None, int(sys.argv[2]) if len(sys.argv) > 2 else SIMULATIONS)
