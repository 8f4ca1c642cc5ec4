"""How much better the best model targets than plain least squares per province, against the simulated truth.

    python -m tests.bench.bench_models [DATASET]

Prints, per model of the tournament, the exclusion error at the 40 % cut-off among held-out survey households and
among the families of the registry, whose true expenditure only the evaluation file knows, and the margin to the
baseline with its 90 % range (families drawn by district).
"""

from __future__ import annotations

import sys

import numpy as np

from dtsen_core.policy import lab, trust
from dtsen_core.rank import packing
from dtsen_core.rank import trust as errors
from dtsen_core.rank.methods import baseline, tournament
from dtsen_core.registry.dataset import Dataset

SQL = """SELECT f.regency, f.district, f.urban, {codes}, w.weight * f.family_size AS persons, t.expenditure
FROM family_packed f JOIN area_weight w USING (regency) JOIN evaluation.truth t USING (id_keluarga)"""


def main(path: str | None) -> None:
    dataset = Dataset.open(path)
    table = trust.tournament(dataset)
    survey = table[(table["kind"] == "all") & np.isclose(table["cut"], 0.4)].set_index("model")
    columns = packing.packing().columns
    found = dataset.evaluation_cursor().execute(SQL.format(codes=", ".join(f"f.{c}" for c in columns))).fetchnumpy()
    categories = packing.unpack({c: found[c] for c in columns})
    regency, urban = (np.asarray(found[c]).astype(np.int64) for c in ("regency", "urban"))
    names = tournament()
    scores = [lab.fitted(dataset, n).card.scores(categories, regency, urban).astype(float) for n in names]
    _, district = np.unique(found["district"], return_inverse=True)
    y, weight = np.log(found["expenditure"]), np.asarray(found["persons"], dtype=float)
    drawn = errors.targeting(y, scores, weight, district, regency)
    base = names.index(baseline())
    gain = drawn.exclusion_draws[:, base, 0, 3][:, None] - drawn.exclusion_draws[:, :, 0, 3]
    low, high = errors.interval(gain)
    print(f"{len(y)} families with known truth, {dataset.version}")
    print(f"{'model':20s} {'survey':>8s} {'truth':>8s} {'margin':>8s} {'90 % range':>18s}")
    for k, name in enumerate(names):
        margin = drawn.exclusion[base, 0, 3] - drawn.exclusion[k, 0, 3]
        print(f"{name:20s} {survey.loc[name, 'exclusion']:8.4f} {drawn.exclusion[k, 0, 3]:8.4f} {100 * margin:+7.2f} p "
              f"{100 * low[k]:+8.2f} … {100 * high[k]:+.2f} p")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
