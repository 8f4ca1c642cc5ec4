"""One measure of data quality by area: how many of how many.

Every query gives ``place`` (regency or province idx), ``base``, ``part`` and ``n`` (rows behind the base);
weighted measures are multiplied by the families each row of the regency stands for.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from dtsen_core.policy.quality.measures import LINKED, STALE_MONTHS, UNKNOWN_REGENCY, measures
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

LEVELS = ("regency", "province")
ALL = "all"


@dataclass(frozen=True)
class Ask:
    """What is asked: a measure at a level, narrowed to a source, a second source, a variable or rule, or a set.

    Empty strings and ``all`` narrow nothing.
    """

    measure: str
    level: str
    source: str = ""
    other: str = ""
    variable: str = ""
    set_name: str = ""


_LINKED = ", ".join(f"'{name}'" for name in LINKED)

_READ = """
SELECT regency, sum(accepted + held) AS base, sum(held) AS part
FROM quality_reading WHERE $source IN ('', source) GROUP BY regency
"""
_RULE = """
WITH read AS (
    SELECT regency, sum(accepted + held) AS base
    FROM quality_reading WHERE $source IN ('', source) GROUP BY regency
), found AS (
    SELECT regency, sum(records) AS part
    FROM rule_finding
    -- findings name the kind of file, two of which are one register
    WHERE $source IN ('', regexp_replace(source, '_(keluarga|anggota)$', '')) AND rule = $variable GROUP BY regency
)
SELECT regency, base, least(coalesce(part, 0), base) AS part FROM read LEFT JOIN found USING (regency)
"""
_MATCH = """
SELECT {place}, sum(records) AS base, {part} AS part
FROM match_summary WHERE $source IN ('', source) AND source <> 'dukcapil' GROUP BY {place}
"""
_PART = {
    "none": "coalesce(sum(records) FILTER (pass = 'none'), 0)",
    "exact": "coalesce(sum(records) FILTER (pass = 'exact'), 0)",
    "later": "coalesce(sum(records) FILTER (pass IN ('composite', 'probable', 'decision')), 0)",
    "review": "coalesce(sum(records) FILTER (pass = 'review'), 0)",
    "duplicate": "coalesce(sum(duplicates), 0)",
}
_DIFFER = """
SELECT regency, sum(both_known) AS base, sum(differ) AS part
FROM quality_disagreement
WHERE $source IN ('', source) AND $other IN ('', other) AND $variable IN ('', variable)
GROUP BY regency
"""
_MISSING = """
SELECT regency, sum(rows - not_applicable) AS base, sum(missing) AS part
FROM quality_completeness
WHERE $set_name IN ('', set_name) AND $variable IN ('', variable)
GROUP BY regency
"""
_FRESH = """
SELECT regency, sum(families) AS base, {part} AS part
FROM quality_freshness WHERE $source IN ('', source) GROUP BY regency
"""
_FRESH_PART = {
    "stale": f"sum(families) FILTER (age_months_bucket >= {STALE_MONTHS} OR age_months_bucket < 0)",
    "unchecked": "sum(families) - sum(checked) FILTER (age_months_bucket >= 0)",
}
_GAP = """
SELECT regency, sum(civil_{of}) AS base, sum(civil_{of} - registry_{of}) AS part
FROM quality_coverage GROUP BY regency
"""
_QUALITY = """
SELECT province, {base} AS base, sum(true_links) AS part
FROM evaluation.match_quality
WHERE error_kind = 'semua' AND $source IN ('', source) GROUP BY province
"""
_QUALITY_BASE = {
    "precision": "sum(true_links + false_links)",
    "recall": "sum(true_links + missed)",
}


def _sql(ask: Ask) -> str:
    name = ask.measure
    if name == "held":
        return _READ
    if name == "rule":
        return _RULE
    if name in _PART:
        return _MATCH.format(place=ask.level, part=_PART[name])
    if name == "differ":
        return _DIFFER
    if name == "missing":
        return _MISSING
    if name in _FRESH_PART:
        return _FRESH.format(part=_FRESH_PART[name])
    if name in _QUALITY_BASE:
        return _QUALITY.format(base=_QUALITY_BASE[name])
    return _GAP.format(of="families" if name == "gap_families" else "persons")


def levels(measure: str) -> tuple[str, ...]:
    """The levels at which `measure` is known, the default first."""
    return ("province",) if measure in _QUALITY_BASE else LEVELS


def quality_by_area(dataset: Dataset, ask: Ask) -> pd.DataFrame:
    """code, name, n, base, part, share of every unit of `ask.level` (no record there: n = 0, no share).

    Counts are floats; base and part are weighted where the measure is (families or persons of the registry).
    Raises CatalogException where the dataset lacks the table: ask `tables.missing` first.
    """
    sql = _sql(ask)
    values = {"source": ask.source, "other": ask.other, "variable": ask.variable, "set_name": ask.set_name}
    values = {name: "" if value == ALL else value for name, value in values.items() if f"${name}" in sql}
    cursor = dataset.evaluation_cursor() if ask.measure in _QUALITY_BASE else dataset.cursor()
    found = cursor.execute(sql, values).df()
    place = "regency" if "regency" in found else "province"
    found = found[found[place] < (UNKNOWN_REGENCY if place == "regency" else 255)].astype("float64")
    found["n"] = found["base"]
    if measures()[ask.measure].weighted:
        weights = dataset.cursor().execute("SELECT regency, weight FROM area_weight").df().set_index("regency")
        factor = weights["weight"].reindex(found["regency"].astype(int)).fillna(1.0).to_numpy()
        found["base"], found["part"] = found["base"] * factor, found["part"] * factor
    if place != ask.level:
        parents = units.table("regency")["parent_code"].map(units.index("province")).to_numpy()
        found["province"] = parents[found["regency"].astype(int)]
    sums = found.groupby(ask.level)[["n", "base", "part"]].sum()
    listed = units.table(ask.level)[["code", "name"]]
    out = listed.join(sums.set_axis(sums.index.astype(int)))
    out[["n", "base", "part"]] = out[["n", "base", "part"]].fillna(0.0)
    out["share"] = out["part"] / out["base"].where(out["base"] > 0)
    return out
