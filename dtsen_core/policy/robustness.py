"""Robustness of the ranking: regions under other weights, questions that matter, questionnaires that suffice."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from dtsen_core.policy import lab
from dtsen_core.policy.areas import listed_areas, weights
from dtsen_core.policy.lab import Tell, silent
from dtsen_core.policy.models import scorecard_for
from dtsen_core.rank import robust
from dtsen_core.rank.packing import check
from dtsen_core.rank.scorecard import OFFSETS, PROVINCES, REGENCIES, province_of_regency
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.indicators import INDICATORS

Floats = npt.NDArray[np.float64]

DRAWS = 2_000
SEED = 20250306


def category_counts(dataset: Dataset) -> Floats:
    """Rows of each regency in each category of the 39 indicators, shape (514, categories)."""
    cursor = dataset.cursor()
    result = np.zeros((REGENCIES, OFFSETS[-1]))
    for group in check(cursor).groups:
        found = cursor.execute(
            f"SELECT regency, {group.column} AS code, count(*) AS n FROM family_packed GROUP BY ALL"
        ).fetchnumpy()
        regency = np.asarray(found["regency"]).astype(np.int64)
        rest, n = np.asarray(found["code"]).astype(np.int64), np.asarray(found["n"], dtype=np.float64)
        for position in group.members:
            radix = INDICATORS[position].radix
            np.add.at(result, (regency, OFFSETS[position] + rest % radix), n)
            rest = rest // radix
    return result


def rank_stability(dataset: Dataset, model: str, spread: float, region: str | None = None,
                   level: str = "regency", draws: int = DRAWS) -> pd.DataFrame:  # fmt: skip
    """Ranks of regions by mean score under `draws` random weightings of the 39 indicators.

    Each indicator's contribution is multiplied by a weight of mean 1 and coefficient of variation `spread`; area
    intercepts stay. `level` is "province" or "regency". Columns: code, name, n, families, rank (1 = lowest mean score,
    worst off), rank_low, rank_high (90 % of weightings), width, same_fifth (share of weightings in which the region
    stays in its fifth). `region` only narrows what is listed.

    Raises
    ------
    UserError
        for an unknown model or region.
    ValueError
        for a spread out of range.
    """
    areas = _parts(dataset, model, level)
    random = robust.random_weights(len(INDICATORS), spread, draws, np.random.default_rng(SEED))
    rank, low, high, same = robust.rank_ranges(areas.mean, areas.fixed, random)
    table = areas.named(level).assign(rank=rank, rank_low=low, rank_high=high, width=high - low, same_fifth=same)
    _, listed = listed_areas(level, region)
    return table[listed[areas.present]].reset_index(drop=True)


def rank_ablation(dataset: Dataset, model: str, level: str = "regency") -> pd.DataFrame:
    """Which question the rank of which region hangs on: by region the change of its rank by mean score when one
    indicator tells families apart no more, the others staying as they are.

    `level` is "province" or "regency". Columns: code, name, n, families, rank (1 = lowest mean score, worst off), and
    one per indicator by its name: places by which the rank rises (positive: seems better off without the question).

    Raises
    ------
    UserError
        for an unknown model.
    """
    areas = _parts(dataset, model, level)
    rank, moved = robust.rank_without(areas.mean, areas.fixed)
    shifts = pd.DataFrame(moved, columns=lab.indicator_names())
    return pd.concat([areas.named(level).assign(rank=rank), shifts], axis=1)


@dataclass(frozen=True, eq=False)
class _Areas:
    """Regions with families: `present` idx, `n` rows, `load` families, `mean` (areas, 39) contribution of each
    indicator to the mean score, measured from the mean over regions, `fixed` (areas,) mean intercept, both in log
    units."""

    present: npt.NDArray[np.int64]
    n: Floats
    load: Floats
    mean: Floats
    fixed: Floats

    def named(self, level: str) -> pd.DataFrame:
        """code, name, n, families."""
        table = units.table(level).iloc[self.present]
        return pd.DataFrame({
            "code": table["code"].to_numpy(), "name": table["name"].to_numpy(), "n": self.n.astype(np.int64),
            "families": self.load,
        })  # fmt: skip


def _parts(dataset: Dataset, model: str, level: str) -> _Areas:
    card = scorecard_for(dataset, model)
    counts = category_counts(dataset)
    weight, _ = weights(dataset)
    rows = counts[:, OFFSETS[0] : OFFSETS[1]].sum(axis=1)
    value = counts * card.coefficients[card.set_of_regency()] / 1000
    parts = np.stack([value[:, a:b].sum(axis=1) for a, b in pairwise(OFFSETS)], axis=1)
    base = _area_part(dataset, card.area) / 1000
    group = np.arange(REGENCIES) if level == "regency" else province_of_regency()
    size = REGENCIES if level == "regency" else PROVINCES
    load = np.bincount(group, rows * weight, size)
    n = np.bincount(group, rows, size)
    present = np.flatnonzero(n > 0)
    sums = np.stack([np.bincount(group, weight * column, size) for column in parts.T], axis=1)[present]
    mean: Floats = sums / load[present, None]
    # weights move differences between regions, not the level that all share
    mean = mean - mean.mean(axis=0)
    fixed = np.bincount(group, weight * base, size)[present] / load[present]
    return _Areas(present, n[present].astype(np.float64), load[present].astype(np.float64), mean, np.asarray(fixed))


def _area_part(dataset: Dataset, area: npt.NDArray[np.int32]) -> Floats:
    """Sum of area intercepts over the rows of each regency, thousandths, shape (514,)."""
    found = dataset.cursor().execute(
        "SELECT regency, urban, count(*) AS n FROM family_packed GROUP BY ALL"
    ).fetchnumpy()  # fmt: skip
    regency, urban = (np.asarray(found[name]).astype(np.int64) for name in ("regency", "urban"))
    milli = np.asarray(found["n"], dtype=np.float64) * area[regency, urban]
    return np.asarray(np.bincount(regency, milli, REGENCIES), dtype=np.float64)


def ablation(dataset: Dataset, tell: Tell = silent) -> pd.DataFrame:
    """Held-out error when one indicator is left out: province (code or "ID"), indicator ("" for none left out),
    unexplained (share of variance), loss (points of R² lost against all indicators). Made once per version.

    Raises
    ------
    UserError
        for a dataset without a survey.
    """

    def make() -> pd.DataFrame:
        base = lab.bench(dataset, lambda done: tell(0.6 * done))
        with threadpool_limits(1):
            found = robust.ablation(base.survey, base.products, lambda done: tell(0.6 + 0.4 * done))
        spread = robust.total_squares(base.survey)[1]
        known = ~np.isnan(found[:, 0])
        nation = spread[known] @ found[known] / spread[known].sum()
        table = np.vstack([found, nation])
        codes = [*units.table("province")["code"], units.NATION]
        names = ["", *lab.indicator_names()]
        frame = pd.DataFrame(table, columns=names, index=pd.Index(codes, name="province"))
        long = frame.reset_index().melt("province", var_name="indicator", value_name="unexplained").dropna()
        full = long[long["indicator"] == ""].set_index("province")["unexplained"]
        long["loss"] = long["unexplained"] - full.reindex(long["province"]).to_numpy()
        return long.reset_index(drop=True)

    return lab.frame(dataset, "ablasi", make, robust.PULL)


def questionnaire(dataset: Dataset, tell: Tell = silent) -> pd.DataFrame:
    """Backward elimination: questions (how many indicators are kept), dropped (the last one left out, "" for
    none), r2, exclusion (at the 40 % cut-off), kept (names, comma-separated). Made once per version.

    Raises
    ------
    UserError
        for a dataset without a survey.
    """
    names = lab.indicator_names()

    def make() -> pd.DataFrame:
        base = lab.bench(dataset, lambda done: tell(0.4 * done))
        with threadpool_limits(1):
            found = robust.questionnaires(base.survey, base.products, lambda done: tell(0.4 + 0.6 * done))
        return pd.DataFrame([
            {"questions": len(one.indicators), "dropped": names[one.dropped] if one.dropped >= 0 else "",
             "r2": one.r2, "exclusion": one.exclusion, "kept": ",".join(names[j] for j in one.indicators)}
            for one in found
        ])  # fmt: skip

    return lab.frame(dataset, "kuesioner", make)


def is_ready(dataset: Dataset, what: str) -> bool:
    """Whether the ``ablasi`` or ``kuesioner`` of this version was computed already."""
    return lab.has_frame(dataset, what, *((robust.PULL,) if what == "ablasi" else ()))
