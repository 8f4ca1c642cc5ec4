"""Cost of reading, matching and integrating the registers: records per second, peak memory, growth.

    python -m tests.bench.bench_integrate [records …]        (default 300,000 and 3,000,000; 30,000,000 on request)

For each size the registers of a simulated population are written first; then a process of its own integrates them,
so that its peak memory is the integration's alone. Growth is the time per record against the smallest size: 1 is
linear. Goals: 30 million records within 16 GB on two cores, growth close to 1. The second line of each size gives
the share of the time spent in each pass.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from dtsen_core.collect.simulate import population, registers
from dtsen_core.integrate import golden
from dtsen_core.paths import ROOT
from dtsen_core.registry import limits


def _linking(share: float) -> float:
    """Progress of the whole when linkage has done `share` of its own."""
    return golden.READING + (1 - golden.READING) * golden.LINKING * share


SIZES = (300_000, 3_000_000)
RECORDS_PER_FAMILY = 8.75
SEED = 2026
PASSES = {
    "reading": golden.READING, "civil register": _linking(0.4), "exact": _linking(0.5), "composites": _linking(0.65),
    "probable": _linking(1.0), "golden record": 1.0,
}  # fmt: skip
"""Where each pass ends, as `golden.integrate` reports its progress."""
WORLD, SOURCES = "world.duckdb", "sources"
KILOBYTE = 1024 if sys.platform != "darwin" else 1


def write_sources(folder: Path, families: int) -> None:
    """The simulated people and their register files in `folder`."""
    recipe = population.prepare(SEED, families)
    with duckdb.connect(str(folder / WORLD)) as con:
        population.draw_survey(con, recipe, 60_000, lambda share: None)
        population.draw_registry(con, recipe, lambda share: None)
        registers.write_registers(con, folder / SOURCES, seed=SEED)


def integrate(folder: Path) -> dict[str, float]:
    """Integrate the registers of `folder`; run in a process of its own."""
    marks: list[tuple[float, float]] = []
    start = time.perf_counter()
    with duckdb.connect(str(folder / "golden.duckdb")) as con:
        limits.bound(con)

        def mark(share: float) -> None:
            marks.append((share, time.perf_counter() - start))

        golden.integrate(con, folder / SOURCES, progress=mark)
        counted = con.execute("SELECT sum(read) FROM ingest_file").fetchone()
        families = con.execute("SELECT count(*) FROM keluarga").fetchone()
    assert counted is not None
    assert families is not None
    ends = [max((at for share, at in marks if share <= end + 1e-9), default=0.0) for end in PASSES.values()]
    spent = {name: end - begin for name, begin, end in zip(PASSES, [0.0, *ends], ends)}
    return {
        "records": float(counted[0]), "families": float(families[0]), "seconds": time.perf_counter() - start,
        **spent, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTE / 1e6,
    }  # fmt: skip


def measure(records: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sources(folder, round(records / RECORDS_PER_FAMILY))
        done = subprocess.run([sys.executable, "-m", "tests.bench.bench_integrate", "--measured", name], cwd=ROOT,
                              check=True, capture_output=True, text=True)  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(sizes: list[int]) -> None:
    first = 0.0
    for size in sizes:
        found = measure(size)
        each = found["seconds"] / found["records"]
        first = first or each
        print(f"{found['records']:>12,.0f} records  {found['seconds']:7.1f} s  {1 / each:>9,.0f} records/s"
              f"  peak {found['peak_mb']:7,.0f} MB"
              f"  growth {each / first:4.2f}  families {found['families']:,.0f}", flush=True)  # fmt: skip
        print("  " + "  ".join(f"{name} {found[name] / found['seconds']:.0%}" for name in PASSES), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measured"]:
        print(json.dumps(integrate(Path(sys.argv[2]))))
    else:
        main([int(float(word)) for word in sys.argv[1:]] or list(SIZES))
