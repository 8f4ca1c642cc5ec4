"""Precision and recall of the linkage at the real density of look-alikes: one whole regency at full size.

    python -m tests.bench.bench_density [regency code …]        (default 3401, Kab. Kulon Progo: 148,000 families)

The demonstration thins every regency out, so two people of one name and birth date are rarer there than in life.
Here every family of the regency is drawn (weight 1), the four registers are written with the declared damage, and
the linkage is judged against the simulated truth.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np

from dtsen_core.collect.simulate import population, registers
from dtsen_core.integrate import golden
from dtsen_core.integrate.link import evaluate
from dtsen_core.regions import units

SEED = 2026
DEFAULT = "3401"
FAMILIES = 400_000  # of the national recipe; fixes the weights that full size undoes


def draw(con: duckdb.DuckDBPyConnection, folder: Path, code: str) -> int:
    """Every family of one regency and its register files; returns how many families."""
    recipe = population.prepare(SEED, FAMILIES)
    population.draw_survey(con, recipe, 60_000, lambda share: None)
    place = units.index("regency")[units.require(code, "regency")]
    families = np.zeros_like(recipe.families)
    families[place] = round(float(recipe.families[place] * recipe.weight[place]))
    whole = dataclasses.replace(recipe, families=families, weight=np.ones_like(recipe.weight))
    population.draw_registry(con, whole, lambda share: None)
    registers.write_registers(con, folder, seed=SEED)
    return whole.total


PARTS = {"all": "true", "left after equal numbers": "pass <> 'exact'"}


def judged(con: duckdb.DuckDBPyConnection, where: str) -> str:
    """Precision and recall, with their 95 % intervals, of the records that `where` keeps."""
    counts = con.execute(f"""SELECT sum(true_links), sum(false_links), sum(missed) FROM match_quality
        WHERE error_kind = 'semua' AND {where}""").fetchone()
    assert counts is not None
    precision, recall = evaluate.precision_recall(*map(float, counts))
    return (f"precision {precision.value:.4f} ({precision.low:.4f}–{precision.high:.4f}), recall {recall.value:.4f} "
            f"({recall.low:.4f}–{recall.high:.4f}), records {sum(counts):,.0f}")  # fmt: skip


def main(codes: list[str]) -> None:
    for code in codes:
        with tempfile.TemporaryDirectory() as name, duckdb.connect(str(Path(name) / "world.duckdb")) as con:
            families = draw(con, Path(name) / "sources", code)
            start = time.perf_counter()
            golden.integrate(con, Path(name) / "sources")
            print(f"{units.name(code)}: {families:,} families, integrated in {time.perf_counter() - start:.0f} s")
            for name, where in PARTS.items():
                print(f"  {name}: {judged(con, where)}")


if __name__ == "__main__":
    main(sys.argv[1:] or [DEFAULT])
