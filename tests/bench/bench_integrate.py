"""Cost of reading, matching and integrating the registers: records per second, peak memory, growth.

    python -m tests.bench.bench_integrate [records …] [--folder DIR]
                                             (default 300,000 and 3,000,000; 30,000,000 on request, 20 GB of disk)

For each size the registers of a simulated population are written first; then a process of its own integrates them,
so that its peak memory is the integration's alone. Growth is the time per record against the smallest size: 1 is
linear. Goals: 30 million records within 16 GB on two cores, growth close to 1. The second line of each size gives
the share of the time spent in each pass.
"""

from __future__ import annotations

import argparse
import contextlib
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
WORLD, SOURCES, GOLDEN, DONE = "world.duckdb", "sources", "golden.duckdb", "sources.done"
KILOBYTE = 1024 if sys.platform != "darwin" else 1


def write_sources(folder: Path, families: int) -> None:
    """The simulated people and their register files in `folder`."""
    recipe = population.prepare(SEED, families)
    (folder / WORLD).unlink(missing_ok=True)  # of a run that was stopped
    with duckdb.connect(str(folder / WORLD)) as con:
        limits.bound(con)
        population.draw_survey(con, recipe, 60_000, lambda share: None)
        population.draw_registry(con, recipe, lambda share: None)
        registers.write_registers(con, folder / SOURCES, seed=SEED)


def integrate(folder: Path) -> dict[str, float]:
    """Integrate the registers of `folder`; run in a process of its own."""
    marks: list[tuple[float, float]] = []
    start = time.perf_counter()
    with duckdb.connect(str(folder / GOLDEN)) as con:
        limits.bound(con)

        def mark(share: float) -> None:
            marks.append((share, time.perf_counter() - start))
            if len(marks) % 50 == 0:
                print(f"  {share:.0%} after {marks[-1][1]:.0f} s", file=sys.stderr, flush=True)

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


def measure(records: int, kept: Path | None = None) -> dict[str, float]:
    """Write the registers (unless `kept` has them already) and integrate them in a process of its own."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) if kept is None else kept / str(records)
        if not (folder / DONE).exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_sources(folder, round(records / RECORDS_PER_FAMILY))
            (folder / DONE).touch()
        (folder / GOLDEN).unlink(missing_ok=True)
        done = subprocess.run([sys.executable, "-m", "tests.bench.bench_integrate", "--measured", str(folder)],
                              cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    ask = argparse.ArgumentParser(description="Cost of reading, matching and integrating the registers")
    ask.add_argument("records", nargs="*", type=lambda text: int(float(text)), default=list(SIZES))
    ask.add_argument("--folder", type=Path, help="keep the registers here and use those that are here")
    ask.add_argument("--measured", type=Path, help=argparse.SUPPRESS)
    given = ask.parse_args()
    if given.measured:
        print(json.dumps(integrate(given.measured)))
        return
    first = 0.0
    for size in given.records:
        found = measure(size, given.folder)
        each = found["seconds"] / found["records"]
        first = first or each
        print(f"{found['records']:>12,.0f} records  {found['seconds']:7.1f} s  {1 / each:>9,.0f} records/s"
              f"  peak {found['peak_mb']:7,.0f} MB"
              f"  growth {each / first:4.2f}  families {found['families']:,.0f}", flush=True)  # fmt: skip
        print("  " + "  ".join(f"{name} {found[name] / found['seconds']:.0%}" for name in PASSES), flush=True)


if __name__ == "__main__":
    main()
