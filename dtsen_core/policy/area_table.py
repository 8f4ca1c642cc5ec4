"""One table of areas with every measure the map can show: the official deciles, programme coverage and,
where a model may be used, the measures of estimated expenditure.

Columns (counts are weighted; rates are fractions, 0–1):

``code, name, n, families, persons, families_d14, persons_d15, pkh_families, sembako_families,
pbi_persons, uncovered_d15`` and their rates ``share_d14, pkh, sembako, pbi, uncovered_share,
share_families, share_persons``; with a model also ``mean_score, p0, p0_low, p0_high, poor_persons, p1, p2,
gini, mean_expenditure``.
``<rate>_low, <rate>_high`` is the 90 % interval of a rate in a sample of n families (of p0: of the model).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from dtsen_core.intervals import Z90, wilson
from dtsen_core.policy.coverage import coverage
from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.policy.welfare import RankRequest, full_ranking
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

MODEL = "pmt_provinsi"
NATION = "ID"
LEVELS = ("province", "regency", "district", "village")
MODEL_COLUMNS = (
    "mean_score",
    "p0",
    "p0_low",
    "p0_high",
    "poor_persons",
    "p1",
    "p2",
    "gini",
    "mean_expenditure",
)
BASE_COLUMNS = ("code", "name", "n", "families", "persons")
COVERAGE_COLUMNS = (
    *BASE_COLUMNS,
    "families_d14",
    "persons_d15",
    "pkh_families",
    "sembako_families",
    "pbi_persons",
    "uncovered_d15",
)
RATES = (
    ("share_d14", "families_d14", "families"),
    ("pkh", "pkh_families", "families"),
    ("sembako", "sembako_families", "families"),
    ("pbi", "pbi_persons", "persons"),
    ("uncovered_share", "uncovered_d15", "persons_d15"),
)


def has_model(dataset: Dataset) -> bool:
    """Whether expenditure may be estimated: only simulated data carry a fitted model of their own."""
    return dataset.simulated


def shows_villages(dataset: Dataset) -> bool:
    return dataset.manifest.families >= map_rules().village_families


def _ratio(part: pd.Series, whole: pd.Series | float) -> pd.Series:
    """part / whole, NaN where there is nothing to divide by."""
    if isinstance(whole, float):
        return part / whole if whole > 0 else part * np.nan
    return part / whole.where(whole > 0)


def add_rates(frame: pd.DataFrame, national_families: float, national_persons: float, *, sampled: bool) -> pd.DataFrame:
    """`frame` with the rates of the counts it holds and, for a sample, the intervals of those rates."""
    out = frame.copy()
    out["share_families"] = _ratio(out["families"], national_families)
    out["share_persons"] = _ratio(out["persons"], national_persons)
    for rate, part, whole in RATES:
        out[rate] = _ratio(out[part], out[whole])
        if sampled:
            # People of one family share their fate, so the families, not the people, are the sample size.
            part_of_n = _ratio(out["persons_d15"], out["persons"]) if whole == "persons_d15" else 1.0
            base = out["n"] * part_of_n
            out[f"{rate}_low"], out[f"{rate}_high"] = wilson(out[rate], base, Z90)
    return out


def _model_measures(dataset: Dataset, level: str, parent: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    result = full_ranking(dataset, RankRequest(model=MODEL, region=parent, level=level))
    return result.areas, result.total


def _with_model(frame: pd.DataFrame, measures: pd.DataFrame) -> pd.DataFrame:
    kept = measures[["code", *(c for c in MODEL_COLUMNS if c in measures)]]
    return frame.merge(kept, on="code", how="left", validate="one_to_one")


def national_row(dataset: Dataset) -> pd.DataFrame:
    """The same columns for the whole nation, one row with code ``ID``."""
    provinces = coverage(dataset, "province")
    numbers = [c for c in COVERAGE_COLUMNS if c not in ("code", "name")]
    frame = provinces[numbers].sum().to_frame().T
    frame.insert(0, "name", "Indonesia")
    frame.insert(0, "code", NATION)
    frame = add_rates(
        frame,
        float(frame["families"].iloc[0]),
        float(frame["persons"].iloc[0]),
        sampled=dataset.simulated,
    )
    if has_model(dataset):
        _, total = _model_measures(dataset, "province", None)
        frame = _with_model(frame, total.assign(code=NATION))
    return frame


def _all_units(frame: pd.DataFrame, level: str, parent: str | None) -> pd.DataFrame:
    """`frame` with a row for every unit: one without families in the dataset has n = 0 and no figures."""
    listed = units.table(level)[["code", "name"]]
    listed = listed[listed["code"].str.startswith(parent or "")]
    out = listed.merge(frame.drop(columns="name"), on="code", how="left", validate="one_to_one")
    out["n"] = out["n"].fillna(0).astype("int64")
    return out


def area_table(
    dataset: Dataset,
    level: str,
    parent: str | None,
    national_families: float,
    national_persons: float,
    *,
    model: bool = True,
) -> pd.DataFrame:
    """Areas of `level`, inside `parent` where given, sorted by code; columns as in the module's head.

    `national_families` and `national_persons` are the totals the national shares refer to; `model` False
    leaves the measures of estimated expenditure out.
    """
    frame = add_rates(
        _all_units(coverage(dataset, level, parent)[list(COVERAGE_COLUMNS)], level, parent),
        national_families,
        national_persons,
        sampled=dataset.simulated,
    )
    if model and has_model(dataset) and level != "village":
        frame = _with_model(frame, _model_measures(dataset, level, parent)[0])
    return frame.sort_values("code", ignore_index=True)
