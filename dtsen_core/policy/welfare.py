"""The welfare ranking as users ask for it: request in, finished table out.

Deciles come from the score alone; poverty and inequality are measures of *estimated expenditure*. A
higher score means better off; decile 1 is the worst off and is never called poor.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.policy import estimates, ground
from dtsen_core.policy.area_measures import Basis, measured, unmeasured
from dtsen_core.policy.areas import listed_areas, official_table, regency_of
from dtsen_core.policy.models import scorecard_for
from dtsen_core.policy.request import DECILES, LEVELS, OFFICIAL, SCOPES, UNITS, RankRequest, RankResult
from dtsen_core.policy.transition import transition
from dtsen_core.rank import engine, official
from dtsen_core.rank.histogram import NEVER, Histogram, Thresholds
from dtsen_core.rank.ladder import Ladder
from dtsen_core.rank.queue import LINE
from dtsen_core.rank.scorecard import Scorecard, province_of_regency
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

__all__ = [
    "DECILES", "LEVELS", "OFFICIAL", "SCOPES", "UNITS", "RankRequest", "RankResult", "full_ranking",
    "full_rankings", "transition",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

COLUMNS = ("code", "name", "n", "families", "persons", *DECILES, "mean_score", *estimates.COLUMNS)
THRESHOLDS = tuple(f"t{k}" for k in range(1, 10))


def full_ranking(dataset: Dataset, request: RankRequest, *, card: Scorecard | None = None) -> RankResult:
    """Rank every family of `dataset` and measure the areas asked for.

    UserError for an unknown model or region, a region finer than the level, or a model fitted on simulated
    households on real families. Expenditure measures are NaN for the official deciles and for an uploaded
    scorecard on a dataset without a survey (there only the plain measures exist). `card` is used in place of
    the one that `request.model` names.
    """
    started = time.perf_counter()
    only, listed = listed_areas(request.level, request.region)
    if request.model == OFFICIAL:
        table = official_table(dataset, request.level, only, request.scope, request.unit)
        limits = pd.DataFrame(columns=["code", "name", *THRESHOLDS])
        areas, total = _present(table, listed, request.region)
        return _result(request, dataset, started, limits, areas, total)
    card = card or scorecard_for(dataset, request.model)
    asked = time.perf_counter()
    with LINE.turn() if not ground.ready(dataset, card, plain=request.plain) else nullcontext():
        started += time.perf_counter() - asked  # the wait for others is no part of this ranking
        ladder = ground.ladder_of(dataset, card)
        spread = ground.spread_of(dataset, card, plain=request.plain)
    weight = ground.weights_of(dataset).families
    found = ladder.thresholds(request.scope, request.unit, weight)
    cells = None
    if request.level == "district":
        cells = engine.rank_histogram(dataset, card, "district", only)
        table = _count(cells, found, request, weight)
    else:
        table = _climb(ladder, found, request, weight)
    if spread is None:
        estimated, whole = unmeasured(request.level)
    else:
        lines = estimates.lines_of(request.line) if request.line else None
        basis = Basis.on(spread, request.benchmark, lines)
        estimated, whole = measured(basis, request.level, cells, listed, only)
    areas, total = _present(pd.concat([table, estimated], axis=1), listed, request.region)
    for name, value in whole.items():
        total[name] = value
    return _result(request, dataset, started, _threshold_table(request.scope, found, ladder), areas, total)


def full_rankings(
    dataset: Dataset, requests: Iterable[RankRequest], *, card: Scorecard | None = None
) -> list[RankResult]:
    """Several views of one scorecard (scopes, levels, lines) in one turn: counted once, and nobody cuts in between.

    Errors as `full_ranking`.
    """
    first, *others = requests
    with ExitStack() as held:
        if first.model != OFFICIAL:
            mine = card or scorecard_for(dataset, first.model)
            if not ground.ready(dataset, mine, plain=first.plain):
                held.enter_context(LINE.turn())
        return [full_ranking(dataset, request, card=card) for request in (first, *others)]


def _result(request: RankRequest, dataset: Dataset, started: float, limits: pd.DataFrame,
            areas: pd.DataFrame, total: pd.DataFrame) -> RankResult:  # fmt: skip
    return RankResult(
        request=request,
        dataset_version=dataset.version,
        families=float(total["families"].iat[0]),
        seconds=time.perf_counter() - started,
        thresholds=limits,
        areas=areas,
        total=total,
        n=int(total["n"].iat[0]),
    )


def _climb(ladder: Ladder, found: Thresholds, request: RankRequest, weight: Floats) -> pd.DataFrame:
    """As `_count`, from the ladder: every regency, or every province."""
    rows = ladder.families[:, -1].astype(np.float64)
    columns = np.column_stack([
        rows, rows * weight, ladder.persons[:, -1] * weight,
        ladder.deciles(found, request.scope, request.unit) * weight[:, None], ladder.score_sum * weight,
    ])  # fmt: skip
    if request.level == "province":
        columns = np.add.reduceat(columns, np.flatnonzero(np.diff(province_of_regency(), prepend=-1)), axis=0)
    table = pd.DataFrame(columns, columns=["n", "families", "persons", *DECILES, "mean_score"])
    with np.errstate(invalid="ignore"):
        table["mean_score"] = table["mean_score"] / table["families"] / 1000
    return table


def _count(cells: Histogram, found: Thresholds, request: RankRequest, weight: Floats) -> pd.DataFrame:
    """n, families, persons, d1..d10 and mean_score of every unit of the level of `cells`."""
    regency = regency_of(cells.level)[cells.area]
    load = weight[regency]
    scope = official.scope_of_regency(request.scope)[regency]
    decile = found.decile(scope, cells.score)
    area = cells.area
    size = units.COUNTS[request.level]
    families = np.bincount(area, cells.families * load, size)
    table: dict[str, npt.NDArray[Any]] = {
        "n": np.bincount(area, cells.families, size),
        "families": families,
        "persons": np.bincount(area, cells.persons * load, size),
    }
    counted = np.bincount(area * 10 + decile - 1, cells.counts(request.unit) * load, size * 10).reshape(size, 10)
    table.update({name: counted[:, k] for k, name in enumerate(DECILES)})
    with np.errstate(invalid="ignore"):
        table["mean_score"] = np.bincount(area, cells.families * load * cells.score, size) / families / 1000
    return pd.DataFrame(table)


def _present(
    table: pd.DataFrame, listed: npt.NDArray[np.bool_], region: str | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(listed areas with families, in code order; one row for all of them) with every column of `COLUMNS`."""
    level = next(level for level, count in units.COUNTS.items() if count == len(table))
    named = pd.concat([units.table(level)[["code", "name"]], table], axis=1)
    areas = named[listed & (named["n"].to_numpy() > 0)].reindex(columns=list(COLUMNS)).reset_index(drop=True)
    sums = areas[["n", "families", "persons", *DECILES]].sum()
    code = units.NATION if region in (None, units.NATION) else units.require(str(region))
    total = {"code": code, "name": units.name(code), **sums.to_dict()}
    with np.errstate(invalid="ignore"):
        total["mean_score"] = float((areas["mean_score"] * areas["families"]).sum(skipna=False) / sums["families"])
    frame = pd.DataFrame([total]).reindex(columns=list(COLUMNS))
    return areas.astype({"n": "int64"}), frame.astype({"n": "int64"})


def _threshold_table(scope: str, found: Thresholds, ladder: Ladder) -> pd.DataFrame:
    """One row per scope area that has families."""
    present = np.unique(official.scope_of_regency(scope)[ladder.present])
    if scope == "national":
        frame = pd.DataFrame({"code": [units.NATION], "name": [units.name(units.NATION)]})
    else:
        frame = units.table(scope).loc[present, ["code", "name"]].reset_index(drop=True)
    values = found.values[present]
    for k, name in enumerate(THRESHOLDS):
        frame[name] = pd.array(np.where(values[:, k] == NEVER, -1, values[:, k]), dtype="Int64")
        frame.loc[values[:, k] == NEVER, name] = pd.NA
    return frame
