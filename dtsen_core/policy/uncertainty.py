"""Uncertainty of the ranking by area: coin-flip band, expected misclassification, plan of ground checks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.policy.areas import listed_areas, regency_of, weights
from dtsen_core.policy.models import residuals_for, scorecard_for
from dtsen_core.rank import chances, engine, ground_check
from dtsen_core.rank.cache import Cache
from dtsen_core.rank.chances import Doubt
from dtsen_core.rank.histogram import Histogram
from dtsen_core.rank.scorecard import Scorecard, province_of_regency
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

Floats = npt.NDArray[np.float64]

BAND = 0.4  # a family is a coin flip when its chance to be on the wrong side is at least this
CURVE_REACH = 4  # the curve goes up to so many times the budget
WHOLE = 3_000_000  # up to so many families, districts are counted in one go


@dataclass(frozen=True)
class Question:
    """Whose uncertainty: `model`, `scope` and `unit` as in `RankRequest`, `cut` tenths that are selected (1..9),
    `band` the chance from which a family counts as a coin flip, `region` whose areas are listed (None: all)."""

    model: str
    scope: str = "national"
    unit: str = "families"
    cut: int = 4
    band: float = BAND
    region: str | None = None


@dataclass(frozen=True, eq=False)
class _Cells:
    """Cells of H by district with what is known of each."""

    h: Histogram
    families: Floats
    wrong: Floats


_doubts: Cache[Doubt] = Cache(6, lambda value: 1)


def _doubt(dataset: Dataset, card: Scorecard, asked: Question) -> Doubt:
    key = (str(dataset.path), dataset.version, card.hash, asked.scope, asked.unit, asked.cut)

    def make() -> Doubt:
        found = residuals_for(dataset, card)
        if found is None:
            raise UserError("errors_keandalan.no_residuals", model=asked.model)
        h = engine.rank_histogram(dataset, card)
        return chances.doubt(h, found.residuals, weights(dataset)[0], asked.scope, asked.unit, asked.cut)

    return _doubts.get(key, make)


def _parts(dataset: Dataset, asked: Question, level: str) -> list[_Cells]:
    """Cells of the asked region, at once or province by province."""
    card = scorecard_for(dataset, asked.model)
    found = _doubt(dataset, card, asked)
    weight = weights(dataset)[0]
    only, _ = listed_areas(level, asked.region)
    filters: list[engine.Filter | None] = [only]
    if level == "district" and only is None and dataset.manifest.families > WHOLE:
        filters = [engine.Filter("province", p) for p in range(units.COUNTS["province"])]
    parts = []
    for one in filters:
        h = engine.rank_histogram(dataset, card, level, one)
        regency = regency_of(level)[h.area]
        parts.append(_Cells(h, h.families * weight[regency], found.wrong(regency, h.urban, h.score)))
    return parts


def by_area(dataset: Dataset, asked: Question, level: str = "regency") -> pd.DataFrame:
    """Coin-flip band and expected misclassification of the areas of `level` (province, regency or district).

    Columns: code, name, n (rows), families (weighted), band (families whose chance to be on the wrong side of the
    cut-off is at least `asked.band`), wrong (expected number on the wrong side), band_share, wrong_share.

    Raises
    ------
    UserError
        for an unknown model or region, and where nothing is known about the model's residuals.
    """
    cells = "regency" if level == "province" else level
    size = units.COUNTS[cells]
    sums = {name: np.zeros(size) for name in ("n", "families", "band", "wrong")}
    _, listed = listed_areas(cells, asked.region)
    for part in _parts(dataset, asked, cells):
        inside = listed[part.h.area]
        area = part.h.area[inside]
        families, wrong = part.families[inside], part.wrong[inside]
        sums["n"] += np.bincount(area, part.h.families[inside], size)
        sums["families"] += np.bincount(area, families, size)
        sums["band"] += np.bincount(area, families * (wrong >= asked.band), size)
        sums["wrong"] += np.bincount(area, families * wrong, size)
    if level == "province":
        of_regency, size = province_of_regency(), units.COUNTS[level]
        for name, values in sums.items():
            sums[name] = np.asarray(np.bincount(of_regency, values, size), dtype=np.float64)
    table = pd.concat([units.table(level)[["code", "name"]], pd.DataFrame(sums)], axis=1)
    table = table[table["n"] > 0].reset_index(drop=True).astype({"n": "int64"})
    table["band_share"] = table["band"] / table["families"]
    table["wrong_share"] = table["wrong"] / table["families"]
    return table


def ground_checks(dataset: Dataset, asked: Question, visits: float,
                  accuracy: float) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """(plan by district, curve over budgets) for `visits` field visits of the given accuracy.

    The plan has code, name, parent, n, families, visits, removed, per_visit, removed_so_far, visits_so_far, falling
    by per_visit; the curve visits, removed, random. `removed`: expected number of families set right.

    Raises
    ------
    UserError
        as `by_area`.
    """
    parts = _parts(dataset, asked, "district")
    _, listed = listed_areas("district", asked.region)
    area = np.concatenate([p.h.area for p in parts])
    inside = listed[area]
    area = area[inside]
    rows = np.concatenate([p.h.families for p in parts])[inside]
    families = np.concatenate([p.families for p in parts])[inside]
    wrong = np.concatenate([p.wrong for p in parts])[inside]
    found = ground_check.plan(area, families, wrong, visits, accuracy)
    names = units.table("district")
    size = len(names)
    table = pd.DataFrame({
        "code": names["code"].to_numpy()[found["area"]], "name": names["name"].to_numpy()[found["area"]],
        "parent": [units.name(code) for code in names["parent_code"].to_numpy()[found["area"]]],
        "n": np.bincount(area, rows, size)[found["area"]].astype(np.int64),
        "families": np.bincount(area, families, size)[found["area"]],
    })  # fmt: skip
    table = pd.concat([table, found.drop(columns="area")], axis=1)
    return table, ground_check.curve(families, wrong, accuracy, most=visits * CURVE_REACH)
