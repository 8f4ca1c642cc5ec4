"""Seconds per view of the pages on programmes: efektivitas, kebutuhan, simulasi.

    python -m tests.bench.bench_programmes [--dataset DIR] [--core]

Wall time, and processor time in brackets for a machine that has other work. Each view is opened three times in one
process: first (cells are counted or read from disk), with another choice that has to be computed anew from warm cells
(another programme and province), and once more as it was. Goals at 1,000,000 families and 8 quarters: any view and any
reform 1 s, discontinuity 5 s, event study 10 s. With ``--core`` only reach, incidence, poverty effect and reforms are
timed without the page; at 95,000,000 families the goal is 3 s.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
from collections.abc import Callable

from dtsen_core.policy import cube as cubes
from dtsen_core.policy import needs, reform_run
from dtsen_core.policy.effectiveness import payments, poverty, reach
from dtsen_core.policy.effectiveness.scope import Scope
from dtsen_core.policy.programme_rules import rule_on
from dtsen_core.policy.reform_spec import Reform
from dtsen_core.registry.dataset import Dataset

OTHER = {"program": "sembako", "province": "33"}
VIEWS: dict[str, list[tuple[dict[str, str], dict[str, str]]]] = {
    "efektivitas": [
        *[({"show": view}, {"show": view, **OTHER})
          for view in ("reach", "overlap", "delivery", "incidence", "poverty")],
        ({"show": "causal", "design": "rd"}, {"show": "causal", "design": "rd", "program": "sembako"}),
        ({"show": "causal", "design": "did"}, {"show": "causal", "design": "did", "program": "sembako"}),
    ],
    "kebutuhan": [
        ({"show": view}, {"show": view, "programme": "sembako", "region": "33"})
        for view in ("areas", "deciles", "calculator")
    ] + [({"show": "areas", "region": "32", "level": "district"},
          {"show": "areas", "region": "33", "level": "district"})],
    "simulasi": [
        ({"show": view, "a": "pkh~q12000000"},
         {"show": view, "a": f"sembako~q{20 + k}000000", "b": f"pbi~d{4 + k % 3}~l1.1"})
        for k, view in enumerate(("compare", "deciles", "areas", "groups", "budget", "objections"))
    ],
}  # fmt: skip
REFORMS = (
    Reform("pkh", quota=12e6), Reform("pkh", decile_to=5, basis="rule"), Reform("sembako", amount=3.6e6),
    Reform("pbi", quota=-1.0), Reform("sembako", decile_to=3, line=1.2),
)  # fmt: skip


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def pages(dataset: str) -> None:
    os.environ["DTSEN_DATASET"] = dataset
    from tests.pages import open_page

    for name, views in VIEWS.items():
        app = open_page(name)
        for one, other in views:
            told = []
            for query in (one, other, one):
                app.query_params.clear()
                for key, value in query.items():
                    app.query_params[key] = value
                wall, processor = time.perf_counter(), time.process_time()
                app.run()
                told.append((time.perf_counter() - wall, time.process_time() - processor))
                assert not app.exception, (name, query, app.exception)
                assert not app.error, (name, query, [e.value for e in app.error])
            said = "  ".join(f"{word} {wall:6.2f} ({processor:.2f})" for word, (wall, processor) in zip(
                ("first", "other choice", "again"), told, strict=True))  # fmt: skip
            print(f"{name:12} {'/'.join(one.values()):28} {said} s", flush=True)


def core(dataset: Dataset) -> None:
    took = timed(lambda: cubes.cube(dataset))
    cells = cubes.cube(dataset)
    print(f"cells of {dataset.manifest.families:,} families: {len(cells.rows):,} in {took:.1f} s, "
          f"{cells.nbytes / 1e6:,.0f} MB")  # fmt: skip
    cubes.forget()
    again = timed(lambda: cubes.cube(dataset))
    print(f"  the same again in a new process (read from disk where they are kept) {again:.1f} s")
    cells = cubes.cube(dataset)
    residuals, factors = poverty.line_factors(dataset)
    for scope in (Scope(), Scope("32"), Scope(place="rural", group="female_head")):
        for key in ("pkh", "sembako", "pbi"):
            rule = rule_on(key, dataset.manifest.as_of)
            said = f"{key:8} {'/'.join((scope.area, scope.place, scope.group)):24}"
            calls = {"reach": lambda r=rule, s=scope: reach.reach(cells, r, s)}
            paid = payments.payments(dataset, rule, scope)
            calls["incidence"] = lambda r=rule, s=scope: payments.incidence(payments.payments(dataset, r, s), 4)
            if residuals is not None:
                calls["poverty"] = lambda p=paid: poverty.poverty_effect(p, residuals, factors)
            told = {name: statistics.median(timed(call) for _ in range(3)) for name, call in calls.items()}
            print(said, "  ".join(f"{name} {seconds:.2f} s" for name, seconds in told.items()), flush=True)
    for wanted in REFORMS:
        first, *rest = (timed(lambda w=wanted: reform_run.simulated_reform(dataset, w)) for _ in range(4))
        print(f"reform {wanted.code:24} first {first:.2f} s  again {statistics.median(rest):.2f} s", flush=True)
    rule = rule_on("pkh", dataset.manifest.as_of)
    for name, call in (
        ("needs by regency", lambda: needs.needs_by_area(dataset, rule, "regency")),
        ("needs by decile", lambda: needs.needs_by_decile(dataset, rule)),
        ("yearly budget", lambda: needs.yearly_budget(dataset, rule)),
    ):
        print(f"{name}: {statistics.median(timed(call) for _ in range(3)):.2f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--core", action="store_true")
    asked = parser.parse_args()
    core(Dataset.open(asked.dataset)) if asked.core else pages(asked.dataset)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory {memory:.1f} GB, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
