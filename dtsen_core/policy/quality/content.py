"""Tables of the quality page that are not by area: by source, by variable, by age, by kind of error.

All are unpublished; whoever shows them passes them through `oversight.disclosure`.
"""

from __future__ import annotations

import pandas as pd

from dtsen_core.collect import accounting
from dtsen_core.policy.quality.measures import PASSES
from dtsen_core.policy.quality.tables import has_columns
from dtsen_core.policy.summary import bands
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.fields import fields

_READING = """
WITH mended AS (
    SELECT source, count(*) AS mended FROM quarantine WHERE {mended} GROUP BY source
)
SELECT source, count(*) AS files, sum(read)::BIGINT AS read, sum(header)::BIGINT AS header,
       sum(blank)::BIGINT AS blank, sum(accepted)::BIGINT AS accepted,
       sum(quarantined)::BIGINT AS quarantined, coalesce(any_value(mended), 0)::BIGINT AS mended
FROM ingest_file LEFT JOIN mended USING (source)
GROUP BY source ORDER BY source
"""

_REASONS = """
WITH listed AS (
    SELECT source, reason AS main, unnest({reasons}) AS reason, {mended} AS mended FROM quarantine
)
SELECT source || ' ' || reason AS key, source, reason, count(*) FILTER (reason = main)::BIGINT AS main,
       count(*)::BIGINT AS records, count(*) FILTER (mended)::BIGINT AS mended
FROM listed WHERE reason IS NOT NULL GROUP BY source, reason ORDER BY main DESC, records DESC, source, reason
"""

_FINDINGS = """
SELECT source || ' ' || rule AS key, source, rule, severity, sum(records)::BIGINT AS records
FROM rule_finding GROUP BY source, rule, severity ORDER BY records DESC, source, rule
"""

_MATCHING = """
SELECT source, any_value(unit) AS unit, sum(records)::BIGINT AS records,
       coalesce(sum(duplicates), 0)::BIGINT AS duplicates, {passes}
FROM match_summary WHERE source <> 'dukcapil' GROUP BY source ORDER BY source
"""

_DISAGREEMENT = """
SELECT d.variable || ' ' || d.source || ' ' || d.other AS key, d.variable, d.source, d.other,
       sum(d.both_known)::DOUBLE AS n, sum(d.both_known * w.weight) AS base, sum(d.differ * w.weight) AS part
FROM quality_disagreement d JOIN area_weight w USING (regency)
GROUP BY d.variable, d.source, d.other HAVING sum(d.both_known) > 0
ORDER BY part / base DESC, key
"""

_COMPLETENESS = """
SELECT c.set_name || ' ' || c.variable AS key, c.set_name, c.variable, sum(c.rows)::DOUBLE AS n,
       sum(c.rows * w.weight) AS base, sum(c.known * w.weight) AS known, sum(c.missing * w.weight) AS missing,
       sum(c.not_applicable * w.weight) AS not_applicable
FROM quality_completeness c JOIN area_weight w USING (regency)
WHERE c.set_name = $set_name
GROUP BY c.set_name, c.variable HAVING sum(c.rows) > 0
"""

_FRESHNESS = """
SELECT f.source, f.age_months_bucket AS age, sum(f.families)::DOUBLE AS n,
       sum(f.families * w.weight) AS families, sum(f.checked * w.weight) AS checked
FROM quality_freshness f JOIN area_weight w USING (regency)
GROUP BY f.source, f.age_months_bucket ORDER BY f.source, age
"""

_COVERAGE = """
SELECT 'ID' AS code, sum(civil_families)::DOUBLE AS n, sum(civil_families * weight) AS civil_families,
       sum(registry_families * weight) AS registry_families, sum(civil_persons * weight) AS civil_persons,
       sum(registry_persons * weight) AS registry_persons
FROM quality_coverage JOIN area_weight USING (regency)
"""

BANDS = ("fresh", "recent", "ageing", "old", "unknown")


def _mended(dataset: Dataset) -> str:
    return "mended_by IS NOT NULL" if has_columns(dataset, "quarantine", "mended_by") else "false"


def reading_by_source(dataset: Dataset) -> pd.DataFrame:
    """source, files and physical lines: read, header, blank, accepted, quarantined; mended (records in the
    quarantine whose person was recognised all the same, or which came in again corrected)."""
    return dataset.cursor().execute(_READING.format(mended=_mended(dataset))).df()


def quarantine_by_rule(dataset: Dataset) -> pd.DataFrame:
    """key, source, reason, main (records whose main reason it is: every record once), records (all that have this
    reason: a record counts under each of its reasons, so the sum may exceed the records), and mended of them."""
    reasons = accounting.EVERY if has_columns(dataset, "quarantine", "reasons") else accounting.MAIN
    sql = _REASONS.format(reasons=reasons, mended=_mended(dataset))
    return dataset.cursor().execute(sql).df()


def rule_findings(dataset: Dataset) -> pd.DataFrame:
    """key, source, rule, severity, records (empty frame where the dataset has no such table)."""
    if not dataset.has_table("rule_finding"):
        empty = pd.DataFrame(columns=["key", "source", "rule", "severity", "records"])
        return empty.astype({"records": "int64"})
    return dataset.cursor().execute(_FINDINGS).df()


def matching_by_source(dataset: Dataset) -> pd.DataFrame:
    """source, unit, records, duplicates and one column per pass (`measures.PASSES`)."""
    passes = ", ".join(f"coalesce(sum(records) FILTER (pass = '{p}'), 0)::BIGINT AS \"{p}\"" for p in PASSES)
    return dataset.cursor().execute(_MATCHING.format(passes=passes)).df()


def disagreements(dataset: Dataset) -> pd.DataFrame:
    """key, variable, source, other, n, base (both sources know a value), part (they differ), share; the most
    disputed first. Weighted families, or persons for variables of persons."""
    found = dataset.cursor().execute(_DISAGREEMENT).df()
    return found.assign(share=found["part"] / found["base"])


def completeness_by_variable(dataset: Dataset, set_name: str) -> pd.DataFrame:
    """key, variable, n, base (weighted rows), known, missing, not_applicable and share (missing among those to whom
    the question applies); in the order of the field dictionary."""
    found = dataset.cursor().execute(_COMPLETENESS, {"set_name": set_name}).df()
    asked = found["base"] - found["not_applicable"]
    found["asked"] = asked
    found["share"] = found["missing"] / asked.where(asked > 0)
    order = {field.name: position for position, field in enumerate(fields(set_name))}
    return found.sort_values("variable", key=lambda names: names.map(order), ignore_index=True)


def freshness_by_source(dataset: Dataset) -> pd.DataFrame:
    """key, source (last row: ``all``), n, base and families by band of `BANDS` for the last update; checked_<band> for
    the ground check, checked_unknown being families never checked; median_update in months."""
    ages = dataset.cursor().execute(_FRESHNESS).df()
    parts = [(source, part) for source, part in ages.groupby("source", sort=True)]
    if len(parts) > 1:
        parts.append(("all", ages))
    return pd.DataFrame([{"source": source, **_bands(part)} for source, part in parts])


def _bands(ages: pd.DataFrame) -> dict[str, float]:
    known = ages[ages["age"] >= 0]
    total = float(ages["families"].sum())
    row = {"n": float(ages["n"].sum()), "base": total}
    for band in bands():
        upper = float("inf") if band.months_to is None else band.months_to
        inside = known[(known["age"] >= band.months_from) & (known["age"] < upper)]
        row[band.key], row[f"checked_{band.key}"] = float(inside["families"].sum()), float(inside["checked"].sum())
    row["unknown"] = total - sum(row[band.key] for band in bands())
    row["checked_unknown"] = total - sum(row[f"checked_{band.key}"] for band in bands())
    running = known.groupby("age")["families"].sum().cumsum()
    row["median_update"] = float((running >= running.iloc[-1] / 2).idxmax()) if len(running) else float("nan")
    return row


def civil_coverage(dataset: Dataset) -> pd.DataFrame:
    """One row, code ``ID``: n, civil_families, registry_families, civil_persons, registry_persons (weighted), and
    for both units gap_<unit>, those of the civil register that the registry lacks, and gap_share_<unit>."""
    found = dataset.cursor().execute(_COVERAGE).df()
    for of in ("families", "persons"):
        found[f"gap_{of}"] = found[f"civil_{of}"] - found[f"registry_{of}"]
        found[f"gap_share_{of}"] = found[f"gap_{of}"] / found[f"civil_{of}"]
    return found
