"""The state of the nation: the few tables behind the first page.

Counts are weighted (`area_weight.weight`: families each row stands for); `n` is the number of rows. Nothing
here is published yet: the caller passes every table through `oversight.disclosure`.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import duckdb
import numpy as np
import pandas as pd

from dtsen_core.errors import InternalError, UserError
from dtsen_core.paths import RULES
from dtsen_core.policy import measures
from dtsen_core.policy.coverage import coverage
from dtsen_core.policy.programme_rules import Rule, summary_rules
from dtsen_core.policy.welfare import RankRequest, full_ranking
from dtsen_core.regions import official
from dtsen_core.registry.dataset import Dataset

MODEL = "pmt_provinsi"
NATION = "ID"
UNKNOWN_BAND = "unknown"
DAYS_PER_MONTH = 365.2425 / 12

# One column per programme of the first page (data/rules/programmes); persons are counted by head, families by flag.
_DECILES = """
WITH family AS (
    SELECT f.desil_nasional AS decile, w.weight, f.family_size, {flags}
    FROM family_packed f JOIN area_weight w USING (regency)
)
SELECT decile::INTEGER AS decile, count(*)::BIGINT AS n, sum(weight) AS families,
       sum(family_size * weight) AS persons, {sums}
FROM family GROUP BY decile ORDER BY decile
"""

_DATES = """
SELECT k.{column} AS day, count(*)::BIGINT AS n, sum(w.weight) AS families
FROM keluarga k JOIN area_weight w USING (regency)
GROUP BY day ORDER BY day
"""
_DATE_COLUMNS = {"update": "tanggal_pemutakhiran", "ground_check": "tanggal_ground_check"}


@dataclass(frozen=True)
class Band:
    """Ages from `months_from` up to (not including) `months_to` months; None = without end."""

    key: str
    months_from: float
    months_to: float | None


@dataclass(frozen=True)
class NationalState:
    """Unpublished tables of the first page.

    nation      one row, code "ID": code, n, families, persons, families_d14, share_d14
    provinces   code, name, n, families, persons, families_d14, share_d14
    deciles     decile (0 = unknown, 1 … 10), n, families, persons; per programme its covered units (`pkh`,
                `sembako`: families; `pbi`: persons), their share of all units (`<key>_rate`), and where
                another payer exists the units that neither reaches (`<key>_uncovered`)
    poverty     one row: code, n, families, persons, poor_persons (survey base), p0, p0_low, p0_high
                (fractions, 90 % interval), or None
    why_no_poverty  sentence key that says why `poverty` is None, else ""
    freshness   band, n_update, update, n_ground_check, ground_check (families by age of the record)
    median_age  median age in days per kind ("update", "ground_check"), NaN if no family has a date
    share_of_registry  families as a share of the national registry's official total
    """

    nation: pd.DataFrame
    provinces: pd.DataFrame
    deciles: pd.DataFrame
    poverty: pd.DataFrame | None
    why_no_poverty: str
    freshness: pd.DataFrame
    median_age: dict[str, float]
    share_of_registry: float


@lru_cache(maxsize=1)
def bands() -> tuple[Band, ...]:
    """Freshness bands from ``data/rules/freshness.toml``, seamless from 0 months up."""
    raw = tomllib.loads((RULES / "freshness.toml").read_text(encoding="utf-8"))["band"]
    found = tuple(Band(row["key"], row["from"], row.get("to")) for row in raw)
    edges = [band.months_to for band in found]
    if found[0].months_from != 0 or edges[-1] is not None:
        raise InternalError("freshness.toml must run from 0 months to an open end")
    if any(a.months_to != b.months_from for a, b in pairwise(found)):
        raise InternalError("freshness.toml has a gap or an overlap")
    return found


def national_state(dataset: Dataset) -> NationalState:
    """Assemble everything the first page says about `dataset`."""
    provinces = coverage(dataset, "province")[["code", "name", "n", "families", "persons", "families_d14"]]
    provinces = _with_share(provinces)
    totals = provinces[["n", "families", "persons", "families_d14"]].sum().to_frame().T
    nation = _with_share(totals.assign(code=NATION))
    poverty, why = _poverty(dataset)
    fresh, median_age = freshness(dataset)
    return NationalState(
        nation=nation,
        provinces=provinces,
        deciles=deciles(dataset),
        poverty=poverty,
        why_no_poverty=why,
        freshness=fresh,
        median_age=median_age,
        share_of_registry=float(nation["families"].iloc[0]) / official.national()["registry_families"].value,
    )


def _with_share(frame: pd.DataFrame) -> pd.DataFrame:
    families = frame["families"].where(frame["families"] > 0)
    return frame.assign(share_d14=frame["families_d14"] / families)


def deciles(dataset: Dataset) -> pd.DataFrame:
    """Families, persons and covered units of every programme by national decile (0 = unknown)."""
    rules = summary_rules(dataset.manifest.as_of)
    query = _DECILES.format(
        flags=", ".join(step for p in rules for step in _units(p)),
        sums=", ".join(f"sum({name} * weight) AS {name}" for p in rules for name in covered_columns(p)),
    )
    found = dataset.cursor().execute(query).df().set_index("decile")
    table = found.reindex(range(11), fill_value=0).rename_axis("decile").reset_index()
    for p in rules:
        table[f"{p.key}_rate"] = table[p.key] / table[p.unit].where(table[p.unit] > 0)
    return table


def covered_columns(programme: Rule) -> tuple[str, ...]:
    """The count columns of `programme` in the decile table."""
    return (programme.key, f"{programme.key}_uncovered") if programme.other else (programme.key,)


def _units(programme: Rule) -> list[str]:
    """SQL of the programme's units per family; a person is never counted under two payers."""
    p = programme
    covered = f"f.{p.flag}::INTEGER AS {p.key}"
    if not p.other:
        return [covered]
    size = "f.family_size::INTEGER" if p.unit == "persons" else "1"
    return [covered, f"greatest({size} - f.{p.flag} - f.{p.other}, 0) AS {p.key}_uncovered"]


def _poverty(dataset: Dataset) -> tuple[pd.DataFrame | None, str]:
    if not dataset.manifest.simulated:
        return None, "ringkasan.no_model_real"
    request = RankRequest(model=MODEL, scope="national", unit="persons", level="province")
    try:
        total = full_ranking(dataset, request).total
    except UserError:
        return None, "ringkasan.no_model"
    columns = ["code", "n", "families", "persons", "poor_persons", "p0", "p0_low", "p0_high"]
    return total[columns].reset_index(drop=True), ""


def freshness(dataset: Dataset) -> tuple[pd.DataFrame, dict[str, float]]:
    """Families by age of their last update and ground check, and the median ages in days."""
    as_of = dt.date.fromisoformat(dataset.manifest.as_of[:10])
    keys = [band.key for band in bands()] + [UNKNOWN_BAND]
    table = pd.DataFrame({"band": keys})
    median_age: dict[str, float] = {}
    for kind, column in _DATE_COLUMNS.items():
        days = _ages(dataset.cursor(), column, as_of)
        known = days["age"].notna()
        median_age[kind] = measures.quantile(
            days.loc[known, "age"].to_numpy(), 0.5, days.loc[known, "families"].to_numpy()
        )
        days["band"] = _band_of(days["age"])
        sums = days.groupby("band")[["n", "families"]].sum().reindex(keys, fill_value=0)
        table[f"n_{kind}"] = sums["n"].to_numpy()
        table[kind] = sums["families"].to_numpy(dtype="float64")
    return table, median_age


def _ages(cursor: duckdb.DuckDBPyConnection, column: str, as_of: dt.date) -> pd.DataFrame:
    """One row per day of `column`: age in days before `as_of` (NaN = no date), n, families."""
    frame = cursor.execute(_DATES.format(column=column)).df()
    age = (pd.Timestamp(as_of) - pd.to_datetime(frame["day"])).dt.days.astype("float64")
    # A date after the data date is a record of the present, not of a negative age.
    return frame.assign(age=age.clip(lower=0))


def _band_of(age: pd.Series) -> np.ndarray:
    months = age.to_numpy(dtype="float64") / DAYS_PER_MONTH
    found = np.full(len(months), UNKNOWN_BAND, dtype=object)
    for band in bands():
        upper = np.inf if band.months_to is None else band.months_to
        found[(months >= band.months_from) & (months < upper)] = band.key
    return found
