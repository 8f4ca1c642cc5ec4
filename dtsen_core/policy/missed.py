"""Where to act: who a programme misses, by area and cause.

Causes, each in the unit of the programme (families, or persons for PBI-JK), none of them overlapping:

``quota``     within the programme's deciles and not enrolled: its seats went to others
``high``      above the programme's deciles and not enrolled, yet poor by estimated expenditure: each family counts with
              the probability that its expenditure lies below the province's line, given its score and what the model
              leaves unexplained (as in `estimates`, without benchmark). NaN where no model may be used
``unlisted``  in the civil register and not in the registry; persons, by regency and province only. Their decile is
              unknown, so they belong to no programme and to the poor only in part

A family's members are covered together; PBI-JK counts those without the national or the local contribution.
"""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from dtsen_core.policy import estimates, grid_measures
from dtsen_core.policy.area_table import MODEL, has_model
from dtsen_core.policy.areas import listed_areas
from dtsen_core.policy.models import residuals_for, scorecard_for
from dtsen_core.policy.programme_rules import Rule, summary_rules
from dtsen_core.rank import engine
from dtsen_core.rank.expenditure import STRATA, Distribution
from dtsen_core.rank.fit_report import STEP
from dtsen_core.rank.packing import check
from dtsen_core.rank.scorecard import PROVINCES
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.manifest import Manifest

Floats = npt.NDArray[np.float64]
CAUSES = ("quota", "high")
PERSONS = "persons"
UNLISTED = "unlisted_persons"


def targeted(manifest: Manifest) -> tuple[Rule, ...]:
    """The programmes of the first page with deciles and a quota, as far as data with `manifest` speak of them."""
    rules = (r for r in summary_rules(manifest.as_of) if r.decile_to is not None and r.quota)
    return tuple(r for r in rules if r.key in manifest.programmes)


def missed(dataset: Dataset, level: str, parent: str | None = None) -> pd.DataFrame:
    """Areas of `level` (province, regency, district, village) inside `parent` that have families, in code order.

    Columns code, name, n, families, persons, for every programme ``<key>_quota`` and ``<key>_high`` (weighted), and
    ``<key>_persons``, the people of both, and ``unlisted_persons`` (NaN below the regency). UserError for an unknown
    region.
    """
    only, listed = listed_areas(level, parent)
    cursor = dataset.cursor()
    join, poor = _poor(dataset, cursor)
    parts = ",\n  ".join(_counts(p, poor) for p in targeted(dataset.manifest))
    narrowed = f"WHERE f.{only.column} = ?" if only else ""
    sql = f"""SELECT f.{level} AS area, count(*) AS n, sum(w.weight) AS families,
  sum(w.weight * f.family_size) AS persons{"," if parts else ""}
  {parts}
FROM family_packed AS f JOIN area_weight AS w USING (regency)
{join}
{narrowed}
GROUP BY area ORDER BY area"""
    found = cursor.execute(sql, [only.idx] if only else []).df()
    place = found.pop("area").astype("int64")
    keep = listed[place.to_numpy()]
    names = units.table(level).loc[place[keep], ["code", "name"]].reset_index(drop=True)
    out = pd.concat([names, found[keep].reset_index(drop=True)], axis=1)
    out[UNLISTED] = np.nan
    if level in ("province", "regency"):
        out[UNLISTED] = _unlisted(dataset, level).reindex(out["code"]).to_numpy()
    return out


def quota_used(dataset: Dataset) -> dict[str, float]:
    """Enrolled units of each programme as a share of its national quota."""
    flags = ", ".join(f"sum(w.weight * f.{p.flag}) AS {p.key}" for p in targeted(dataset.manifest))
    if not flags:
        return {}
    row = dataset.cursor().execute(
        f"SELECT {flags} FROM family_packed AS f JOIN area_weight AS w USING (regency)"
    ).df().iloc[0]  # fmt: skip
    return {p.key: float(row[p.key]) / float(p.quota or np.nan) for p in targeted(dataset.manifest)}


def _counts(p: Rule, poor: str) -> str:
    """The two counts of one programme; identifiers come from the validated rules."""
    outside = f"greatest(f.family_size::INTEGER - f.{p.flag} - f.{p.other}, 0)" if p.other else f"(1 - f.{p.flag})"
    within = f"(f.desil_nasional BETWEEN {p.decile_from} AND {p.decile_to})::INTEGER"
    above = f"(f.desil_nasional > {p.decile_to})::INTEGER"
    high = f"sum(w.weight * {outside} * {above} * {poor})" if poor else "NULL::DOUBLE"
    people = "1" if p.unit == "persons" else "f.family_size"
    reached = f"({within}{f' + {above} * {poor}' if poor else ''})"
    return f"""sum(w.weight * {outside} * {within}) AS {p.key}_quota, {high} AS {p.key}_high,
  sum(w.weight * {outside} * {people} * {reached}) AS {p.key}_persons"""


def _poor(dataset: Dataset, cursor: duckdb.DuckDBPyConnection) -> tuple[str, str]:
    """(join clauses, expression) of the probability that a family is poor; empty where no model may be used."""
    if not has_model(dataset):
        return "", ""
    card = scorecard_for(dataset, MODEL)
    unexplained = residuals_for(dataset, card)
    if unexplained is None:
        return "", ""
    packing = check(cursor)
    engine.fill_lookups(cursor, packing, card)
    total, joins = engine.score_joins(packing, card.sets)
    area = np.asarray(card.area)
    regency, urban = np.indices(area.shape)
    _register(cursor, "missed_area", {"regency": regency.ravel(), "urban": urban.ravel(), "v": area.ravel()})
    span = _span(cursor, total, joins)
    bins = np.arange(span[0] // STEP - 1, span[1] // STEP + 2)
    lines = estimates.poverty_lines()
    share = np.zeros((PROVINCES, STRATA, len(bins)))
    for province in range(PROVINCES):
        for stratum in range(STRATA):
            kernel = unexplained.residuals.kernel(province, stratum, bins.astype(np.float64) * STEP)
            spread = Distribution(np.ascontiguousarray(kernel), unexplained.residuals.low)
            share[province, stratum] = grid_measures.headcount(spread, lines[province] * np.exp(-bins * STEP / 1000))
    p, u, b = np.indices(share.shape)
    _register(cursor, "missed_poor", {"province": p.ravel(), "urban": u.ravel(), "bin": bins[b.ravel()],
                                      "share": np.nan_to_num(share).ravel()})  # fmt: skip
    return (
        f"""{joins}
JOIN missed_area AS a ON a.regency = f.regency AND a.urban = f.urban
JOIN missed_poor AS poor ON poor.province = f.province AND poor.urban = f.urban
    AND poor.bin = round(({total} + a.v) / {STEP}.0)::INTEGER""",
        "poor.share",
    )


def _span(cursor: duckdb.DuckDBPyConnection, total: str, joins: str) -> tuple[int, int]:
    """Smallest and largest score of any family, in thousandths of log rupiah."""
    row = cursor.execute(
        f"""SELECT min({total} + a.v), max({total} + a.v) FROM family_packed AS f
{joins}
JOIN missed_area AS a ON a.regency = f.regency AND a.urban = f.urban"""
    ).fetchall()
    low, high = row[0]
    return int(low or 0), int(high or 0)


def _register(cursor: duckdb.DuckDBPyConnection, name: str, table: dict[str, npt.NDArray[np.generic]]) -> None:
    """A temporary table `name` on `cursor`."""
    rows = pa.table({key: pa.array(values) for key, values in table.items()})
    cursor.register("missed_rows", rows)
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM missed_rows")
    cursor.unregister("missed_rows")


def _unlisted(dataset: Dataset, level: str) -> pd.Series:
    """Persons of the civil register who are not in the registry, weighted, by code; NaN where it is not known."""
    codes = units.table(level)["code"]
    if not dataset.has_table("quality_coverage"):
        return pd.Series(np.nan, index=codes)
    found = dataset.cursor().execute(
        """SELECT c.regency, greatest(c.civil_persons - c.registry_persons, 0) * w.weight AS persons
FROM quality_coverage AS c JOIN area_weight AS w USING (regency)"""
    ).df()  # fmt: skip
    regency = units.table("regency")["code"].to_numpy()[found["regency"].astype(int)]
    named = pd.Series(found["persons"].to_numpy(float), index=[c[:2] if level == "province" else c for c in regency])
    return named.groupby(level=0).sum().reindex(codes)
