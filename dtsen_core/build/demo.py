"""The demonstration dataset: the whole chain once, from a simulated population to ranked families.

collect (survey, families, four registers) → integrate (read, match, golden record) → rank (indicators,
models, deciles) → use (programmes, residual table). Everything is made aside and swapped in at the end.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from pathlib import Path

import duckdb

import dtsen_core
from dtsen_core.build import calibration, history, large, lock, tables
from dtsen_core.build.progress import Listener, Progress, silent
from dtsen_core.collect.simulate import outcomes, population, programmes, registers, targets
from dtsen_core.collect.simulate.population import Recipe
from dtsen_core.integrate import golden, review
from dtsen_core.policy import cube as cubes
from dtsen_core.policy import trust
from dtsen_core.rank import arrays, fit, kernel, official, packing, scorecard
from dtsen_core.registry import limits
from dtsen_core.registry.dataset import DATABASE, EVALUATION, Dataset, new_dataset, stamp
from dtsen_core.registry.manifest import Manifest

DEFAULT_SEED = 2026
LARGE = 5_000_000  # above this many families persons and registers are left out
OFFICIAL_MODEL = "pmt_provinsi"
EARLIER = "earlier"  # where the states of earlier quarters wait until the version is served

# Usual shares of the time, measured on the default build; they only steer the progress bar.
SHARES = {
    "prepare": 1, "survey": 3, "families": 10, "registers": 14, "integrate": 63, "indicators": 1, "fit": 3,
    "rank": 1, "programmes": 2, "calibration": 1, "history": 5, "finish": 1, "cells": 3, "tournament": 12,
}  # fmt: skip


def build(
    out: Path, *, families: int | None = None, seed: int = DEFAULT_SEED, without_sources: bool = False,
    progress: Listener = silent, survey_households: int | None = None, tournament: bool = False,
) -> Manifest:  # fmt: skip
    """Build the demonstration dataset into `out` and return its manifest. Deterministic for `seed`.

    `tournament`: hold the models' tournament too, beside the version, so that the reliability page opens with it.

    UserError when the number of families is out of range, `out` holds something else, the place is closed or
    full, or another process builds there. Nothing half-written remains.
    """
    rule = targets.rules()
    count = rule["default_families"] if families is None else families
    households = survey_households or rule["survey_households"]
    sources = not without_sources and count <= LARGE
    wanted = {"registers": sources, "integrate": sources, "history": count <= LARGE, "programmes": count <= LARGE,
              "cells": count > cubes.FINE, "tournament": tournament}  # fmt: skip
    told = Progress({k: v for k, v in SHARES.items() if wanted.get(k, True)}, progress)
    with lock.exclusive(out), new_dataset(out, "simulated", earlier=EARLIER) as folder:
        with told.stage("prepare"):
            recipe = population.prepare(seed, count)
        con = _connect(folder)
        try:
            _fill(con, out, folder, recipe, told, households, sources, count <= LARGE)
            manifest = _finish(con, folder, recipe, told, households, sources, count <= LARGE)
        finally:
            con.close()
        if count <= LARGE:
            with told.stage("history") as step:
                (folder / EARLIER).mkdir()
                history.write(folder, manifest, folder / EARLIER, step)
        with told.stage("finish"):
            (folder / "scratch.duckdb").unlink(missing_ok=True)
            manifest = dataclasses.replace(manifest, stages=dict(told.seconds))
            manifest.write(folder)
    if count > cubes.FINE:
        with told.stage("cells"):  # of the version now served, so that no visitor waits for them
            cubes.prepare(Dataset.open(out))
    if tournament:
        with told.stage("tournament") as step:
            trust.tournament(Dataset.open(out), step)
    return manifest


def _connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """The new database, with a scratch database beside it for what is not kept."""
    con = duckdb.connect(str(folder / DATABASE))
    limits.bound(con)
    con.execute(f"ATTACH '{_quoted(folder / 'scratch.duckdb')}' AS scratch")
    con.execute(f"ATTACH '{_quoted(folder / EVALUATION)}' AS evaluation")
    con.execute("SET preserve_insertion_order = true")
    return con


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _fill(
    con: duckdb.DuckDBPyConnection, root: Path, folder: Path, recipe: Recipe, told: Progress, households: int,
    sources: bool, people: bool,
) -> None:  # fmt: skip
    """From nothing to ranked families with their enrolment."""
    con.execute("USE scratch")
    with told.stage("survey") as step:
        population.draw_survey(con, recipe, households, step)
    if not people:
        _fill_large(con, recipe, told)
        return
    with told.stage("families") as step:
        population.draw_registry(con, recipe, step)
    if sources:
        with told.stage("registers") as step:
            registers.write_registers(con, folder / "sources", seed=recipe.seed, progress=step)
    con.execute("SET search_path = 'dtsen.main,scratch.main'")
    if sources:
        with told.stage("integrate") as step:
            review.load_decisions(root, con)
            golden.integrate(con, folder / "sources", as_of=recipe.as_of, progress=step)
            tables.shorten_paths(con, "sources/")
    else:
        tables.adopt_simulated(con)
    with told.stage("indicators"):
        tables.write_survey(con)
        tables.write_indicators(con, recipe.as_of)
        tables.write_area_weight(con, recipe)
        packing.pack(con)
    with told.stage("fit") as step:
        fit.fit_models(con, progress=step)
    with told.stage("rank"):
        official.set_official(con, scorecard.load(con, OFFICIAL_MODEL))
    with told.stage("programmes"):
        official.write_positions(con, scorecard.load(con, OFFICIAL_MODEL))
        programmes.simulate(con, recipe.seed, recipe.as_of)
        tables.write_flags(con)
        tables.copy_deciles(con)
        programmes.mark_members(con)
        outcomes.simulate(con, recipe.seed, tables.truth_sql(linked=sources))
        con.execute("DROP TABLE programme_flag")
    tables.write_evaluation(con, linked=sources)


def _fill_large(con: duckdb.DuckDBPyConnection, recipe: Recipe, told: Progress) -> None:
    """The same without persons, registers and earlier quarters."""
    with told.stage("families") as step:
        large.draw(con, recipe, step)
    con.execute("SET search_path = 'dtsen.main,scratch.main'")
    with told.stage("indicators"):
        large.prepare(con, recipe)
    with told.stage("fit") as step:
        fit.fit_models(con, progress=step)
    with told.stage("rank") as step:
        large.rank_and_enrol(con, scorecard.load(con, OFFICIAL_MODEL), recipe.seed, recipe.as_of, step)


def _finish(
    con: duckdb.DuckDBPyConnection, folder: Path, recipe: Recipe, told: Progress, households: int,
    sources: bool, people: bool,
) -> Manifest:  # fmt: skip
    counted = con.execute("""SELECT count(*), sum(family_size), sum(weight), sum(weight * family_size)
        FROM family_packed JOIN area_weight USING (regency)""").fetchone()
    assert counted is not None
    now = dt.datetime.now(dt.UTC)
    # Every build is a version of its own: caches must not mix two builds that look alike.
    made = f"{recipe.seed} {recipe.total} {households} {now.isoformat()}"
    name = hashlib.blake2b(made.encode(), digest_size=3).hexdigest()
    version = f"simulasi-{recipe.as_of:%Y%m%d}-{name}"
    manifest = Manifest(
        origin="simulated", version=version, as_of=recipe.as_of.isoformat(),
        created=now.isoformat(timespec="seconds"), families=int(counted[0]), persons=int(counted[1]),
        registry_families=float(counted[2]), registry_persons=float(counted[3]), seed=recipe.seed,
        has_sources=sources, has_members=people, urban_known=True, survey_households=households,
        survey_seed=recipe.seed, model=OFFICIAL_MODEL, packing=packing.packing().hash,
        boundary_hash=tables.boundary_hash(), code_version=dtsen_core.__version__, build=name,
        programmes=list(programmes.PROGRAMMES),
        source_mix=tables.source_mix(con) if sources else {},
    )  # fmt: skip
    stamp(con, version)
    with told.stage("calibration"):
        if arrays.write(con.cursor(), folder):
            kernel.warm()
        calibration.write(Dataset(folder, manifest, con), con)
        rows = tables.row_counts(con)
        con.execute("DETACH scratch")
        con.execute("DETACH evaluation")
        con.execute("CHECKPOINT")
    return dataclasses.replace(manifest, rows=rows)
