"""Speed of a full ranking, as ratios measured in one run.

    python -m tests.bench.bench_ranking [families …] [--rivals-up-to N] [--picture FILE] [--folder DIR] [--dataset DIR]

Full ranking = every family scored, deciles in the three scopes, mean score, P0, P1, P2, Gini and welfare classes
of 514 regencies, residual convolution included. All times are divided by the floor: DuckDB summing the 39
indicator columns once. Rounds are interleaved (floor, every engine and model, floor, …) and medians taken, so
that a busy neighbour slows all of them alike. At each size:

* kernel and SQL engine, national, provincial and regency models (at 95 M: ≤ 0.5 and ≤ 2.2 floors for the first
  two models), H of both compared cell by cell;
* another poverty line, unit and scope of a model that is in memory (≤ 0.1 s);
* eight users at once with eight models (at 95 M: half of them served within 5, the last within 9 times one
  user's time);
* peak memory of a process that serves those users and nothing else (≤ 4 GB);
* up to `--rivals-up-to` families (10 M) what one writes first: CASE + ``ntile``, pandas, polars, with the same
  numbers out.

Default sizes are 1 and 10 million, made here; 95000000 needs 12 GB of disk in `--folder` and 20 minutes. `--dataset`
measures a dataset that ``build`` has made, with its own national and provincial model.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dtsen_core import machine
from dtsen_core.policy import ground
from dtsen_core.policy.welfare import RankRequest, RankResult, full_ranking, full_rankings
from dtsen_core.rank import engine, fit, kernel, official, scorecard
from dtsen_core.rank.scorecard import Scorecard
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.indicators import INDICATORS
from tests.bench import ranking_data, ranking_rivals
from tests.bench.ranking_data import MODELS

REPEAT = 3
USERS = 8
FLOOR_GOAL = {1_000_000: 15.0, 10_000_000: 5.0}  # SQL engine, national and provincial
RIVAL_GOAL = {10_000_000: 4.0}  # times slower than the SQL engine
SIZES = [1_000_000, 10_000_000]
FULL_SIZE = 95_000_000
BUILT = {"national": fit.NATIONAL, "provincial": fit.PROVINCIAL}  # the models of a dataset that `build` made
FULL_GOAL = {"kernel": 0.5, "sql": 2.2}
AGAIN_GOAL_S, MEDIAN_GOAL, LAST_GOAL, MEMORY_GOAL_GB = 0.1, 5.0, 9.0, 4.0

Found = dict[str, float]


def floor(dataset: Dataset) -> None:
    sums = ", ".join(f"sum({i.name})" for i in INDICATORS)
    dataset.cursor().execute(f"SELECT {sums} FROM indicators").fetchall()


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """(wall seconds, processor seconds of all threads); the second is deaf to busy neighbours."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def ours(dataset: Dataset, card: Scorecard, by: str) -> dict[str, RankResult]:
    """The three scopes from one count of H."""
    ground.forget()
    engine.rank_histogram(dataset, card, by=by)
    views = [RankRequest(card.name, scope=scope) for scope in official.SCOPES]
    return dict(zip(official.SCOPES, full_rankings(dataset, views, card=card), strict=True))


def measure(dataset: Dataset, cards: dict[str, Scorecard], engines: tuple[str, ...] = engine.ENGINES) -> Found:
    """Interleaved rounds of the floor and of every engine and model; medians in seconds and in floors."""
    calls: dict[str, Callable[[], object]] = {"floor": lambda: floor(dataset)}
    for model, card in cards.items():
        for by in engines:
            calls[f"{model}_{by}"] = lambda card=card, by=by: ours(dataset, card, by)
        assert len({engine.rank_histogram(dataset, card, by=by).digest for by in engines if not ground.forget()}) == 1
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for _ in range(REPEAT):
        for name, call in calls.items():
            times[name].append(timed(call))
    found = {}
    for name, pairs in times.items():
        found[f"{name}_s"] = statistics.median(wall for wall, _ in pairs)
        found[f"{name}_cpu"] = statistics.median(cpu for _, cpu in pairs)
    for name in calls:
        found[name] = found[f"{name}_s"] / found["floor_s"]
    for name in list(calls)[1:]:
        cpu = found[f"{name}_cpu"]
        print(f"  {name}: {found[f'{name}_s']:.3f} s = {found[name]:.2f} floors of {found['floor_s']:.3f} s;", end=" ")
        print(f"processor {cpu:.2f} s = {cpu / found['floor_cpu']:.2f} floors")
    return found


def again(dataset: Dataset, card: Scorecard) -> Found:
    """Another line, unit and scope of a model in memory, seconds (medians)."""
    full_ranking(dataset, RankRequest(card.name), card=card)
    requests = {"line": {"line": "120%"}, "unit": {"unit": "persons"}, "scope": {"scope": "regency"}}
    found = {}
    for name, fields in requests.items():
        request = RankRequest(card.name, **fields)  # type: ignore[arg-type]
        times = [timed(lambda r=request: full_ranking(dataset, r, card=card)) for _ in range(2 * REPEAT + 1)]
        found[f"again_{name}_s"] = statistics.median(wall for wall, _ in times)
        found[f"again_{name}_cpu"] = statistics.median(cpu for _, cpu in times)
    print("  in memory: " + ", ".join(f"{name[6:]} {value:.3f}" for name, value in found.items()))
    return found


def users(dataset: Dataset, card: Scorecard) -> Found:
    """One user, then eight at once with eight models; the median and the last, as multiples of the one."""

    def one(mine: Scorecard) -> None:
        full_rankings(dataset, [RankRequest(mine.name, scope=scope) for scope in official.SCOPES], card=mine)

    def at_once(cards: list[Scorecard]) -> list[float]:
        """Seconds until each is served. A thread each, one alone too: that is how a server runs its visitors."""
        ground.forget()
        waited: list[float] = []
        began = time.perf_counter()

        def user(mine: Scorecard) -> None:
            one(mine)
            waited.append(time.perf_counter() - began)

        threads = [threading.Thread(target=user, args=(mine,)) for mine in cards]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return waited

    singles, medians, lasts = [], [], []
    for _ in range(REPEAT):
        singles += at_once([card])
        waited = at_once(ranking_data.variants(card, USERS))
        singles += at_once([card])
        medians.append(statistics.median(waited))
        lasts.append(max(waited))
    base = statistics.median(singles)
    found = {"users_p50": statistics.median(medians) / base, "users_last": statistics.median(lasts) / base}
    print(f"  {USERS} users: half within {found['users_p50']:.2f}, the last {found['users_last']:.2f} times one user's"
          f" {base:.3f} s")  # fmt: skip
    return found


class Peak:
    """Peak memory of this process from here on, GB; NaN where the system does not tell."""

    STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")

    def __init__(self) -> None:
        if self.CLEAR.exists():
            self.CLEAR.write_text("5")

    def gigabytes(self) -> float:
        lines = self.STATUS.read_text().splitlines() if self.STATUS.exists() else []
        return next((int(line.split()[1]) / 1e6 for line in lines if line.startswith("VmHWM")), float("nan"))


def rivals(dataset: Dataset, card: Scorecard, base: float) -> Found:
    """Seconds of each rival and how many times the SQL engine's; `agree` 1 if all gave our numbers."""
    mine = ours(dataset, card, "sql")
    found: Found = {"agree": 1.0}
    for name, rival in ranking_rivals.RIVALS.items():
        answers: list[ranking_rivals.Answer] = []
        seconds, _ = timed(lambda rival=rival, answers=answers: answers.append(rival(dataset, card.name)))
        same = ranking_rivals.agree(mine, answers[0])
        found[name], found["agree"] = seconds / base, found["agree"] * same
        print(f"  {name}: {seconds:.2f} s = {found[name]:.1f} times the SQL engine; same numbers: "
              f"{'yes' if same else 'NO'}")  # fmt: skip
    return found


@dataclass(frozen=True)
class Place:
    """Where a dataset lies and the stored name of each kind of model; `made` families if it was made for this run."""

    folder: Path
    models: dict[str, str]
    made: int = 0

    def open(self) -> tuple[Dataset, dict[str, Scorecard]]:
        dataset = ranking_data.reopen(self.folder, self.made) if self.made else Dataset.open(self.folder)
        return dataset, {kind: scorecard.load(dataset.cursor(), name) for kind, name in self.models.items()}


def run(families: int, *, rivals_up_to: int = 10_000_000, folder: Path | None = None) -> Found:
    """Everything for one size, on families made for it."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        seconds, _ = timed(lambda: ranking_data.build(Path(place), families).connection.close())
        size = sum(f.stat().st_size for f in Path(place).rglob("*") if f.is_file()) / 1e9
        print(f"{families:,} families, made in {seconds:.0f} s, {size:.1f} GB")
        return all_measures(Place(Path(place), {name: name for name in MODELS}, families), rivals_up_to)


def run_built(folder: Path, *, rivals_up_to: int = 10_000_000) -> Found:
    """Everything for a dataset that ``build`` has made."""
    return all_measures(Place(folder, BUILT), rivals_up_to)


def all_measures(place: Place, rivals_up_to: int) -> Found:
    """The engines side by side in this process, then what a server does in a process of its own."""
    dataset, cards = place.open()
    families = dataset.manifest.families
    print(f"{families:,} families of {dataset.version}")
    kernel.warm()
    floor(dataset)
    found = {"families": float(families), **measure(dataset, cards)}
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as apart:
        found |= apart.submit(serve, place).result()
    if families <= rivals_up_to:
        found |= rivals(dataset, cards["national"], found["national_sql_s"])
    dataset.connection.close()
    return found


def serve(place: Place) -> Found:
    """What a serving process does with the engine the app picks: other lines and scopes, many users; its memory."""
    machine.prepare()  # as the app does
    dataset, cards = place.open()
    kernel.warm()
    peak = Peak()
    found = again(dataset, cards["provincial"]) | users(dataset, cards["provincial"])
    found["peak_gb"] = peak.gigabytes()
    print(f"  peak memory while serving: {found['peak_gb']:.2f} GB", flush=True)
    dataset.connection.close()
    return found


def missed(found: Found) -> list[str]:
    """Goals that were not met."""
    size = int(found["families"])
    goals = {f"{model}_sql": FLOOR_GOAL.get(size, float("inf")) for model in ("national", "provincial")}
    if size >= FULL_SIZE:
        goals = {f"{model}_{by}": goal for model in ("national", "provincial") for by, goal in FULL_GOAL.items()}
    goals |= {f"again_{name}_s": AGAIN_GOAL_S for name in ("line", "unit", "scope")}
    goals["peak_gb"] = MEMORY_GOAL_GB
    if size >= FULL_SIZE:  # below, a user is served in a tenth of a second and the threads' own start weighs in
        goals |= {"users_p50": MEDIAN_GOAL, "users_last": LAST_GOAL}
    late = [f"{name} {found[name]:.2f} > {goal}" for name, goal in goals.items() if found[name] > goal]
    if found.get("CASE + ntile", float("inf")) < RIVAL_GOAL.get(size, 0):
        late.append("rival")
    return late + ([] if found.get("agree", 1.0) else ["agreement with the rivals"])


def table(results: list[Found]) -> str:
    """Cost against rows, in seconds and floors, as a Markdown table."""
    names = [f"{model}_{by}" for model in MODELS for by in engine.ENGINES if all(f"{model}_{by}" in r for r in results)]
    lines = ["| families | floor s | " + " | ".join(name.replace("_", " ") for name in names) + " | peak GB |",
             "|---:|---:|" + "---:|" * (len(names) + 1)]  # fmt: skip
    for found in results:
        cells = [f"{found[f'{name}_s']:.2f} s ({found[name]:.2f}×)" for name in names]
        lines.append(f"| {found['families']:,.0f} | {found['floor_s']:.2f} | " + " | ".join(cells)
                     + f" | {found['peak_gb']:.1f} |")  # fmt: skip
    return "\n".join(lines)


def picture(results: list[Found], file: Path) -> None:
    """Seconds against families, both axes logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2), layout="constrained")
    size = [found["families"] for found in results]
    axes.plot(size, [found["floor_s"] for found in results], "o--", color="#777", label="sum of the 39 columns")
    for by, colour in (("kernel", "#0b6e4f"), ("sql", "#c8553d")):
        for model, style in (("national", "-"), ("provincial", "--"), ("regency", ":")):
            shown = [found for found in results if f"{model}_{by}_s" in found]
            axes.plot([found["families"] for found in shown], [found[f"{model}_{by}_s"] for found in shown], style,
                      marker="o", color=colour, label=f"{by}, {model} model")  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="families", ylabel="seconds, full ranking")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend(fontsize=8, frameon=False)
    figure.savefig(file, dpi=110)


def main() -> int:
    ask = argparse.ArgumentParser(description="Speed of a full ranking, as ratios to the floor")
    ask.add_argument("families", nargs="*", type=lambda text: int(float(text)), default=[])
    ask.add_argument("--rivals-up-to", type=lambda text: int(float(text)), default=10_000_000)
    ask.add_argument("--picture", type=Path)
    ask.add_argument("--folder", type=Path)
    ask.add_argument("--dataset", type=Path, action="append", default=[])
    given = ask.parse_args()
    machine.prepare()
    results, late = [], []
    for size in given.families or ([] if given.dataset else SIZES):
        results.append(run(size, rivals_up_to=given.rivals_up_to, folder=given.folder))
    for folder in given.dataset:
        results.append(run_built(folder, rivals_up_to=given.rivals_up_to))
    for found in results:
        late += [f"{found['families']:,.0f}: {goal}" for goal in missed(found)]
    print(table(results))
    if given.picture:
        picture(results, given.picture)
    print("all goals met" if not late else "goals missed: " + "; ".join(late))
    return 1 if late else 0


if __name__ == "__main__":
    raise SystemExit(main())
