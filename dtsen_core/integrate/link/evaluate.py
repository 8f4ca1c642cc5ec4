"""How right the links are, against the simulation's truth: counts by source, place, damage and pass.

Only simulated registers have a truth (``truth_record``); the result belongs to the evaluation database.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import duckdb

from dtsen_core.integrate.link import tables
from dtsen_core.intervals import wilson
from dtsen_core.registry.catalog import has

UNKNOWN_PROVINCE = 255
ALL, CLEAN = "semua", "bersih"


@dataclass(frozen=True)
class Rate:
    """A share with its interval; NaN where nothing was counted."""

    value: float
    low: float
    high: float


def rate(hits: float, of: float) -> Rate:
    """Share `hits` / `of` with its 95 % score interval."""
    share = hits / of if of > 0 else nan
    low, high = wilson(share, of)
    return Rate(share, float(low), float(high))


def precision_recall(true_links: float, false_links: float, missed: float) -> tuple[Rate, Rate]:
    """Precision and recall of counted links, each with its 95 % interval."""
    return rate(true_links, true_links + false_links), rate(true_links, true_links + missed)


def write(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``match_quality(source, province, error_kind, pass, true_links, false_links, missed)`` and the temporary
    table ``quality_person(nik, person)``: which simulated person a number of the civil register is.

    Needs ``truth_record``, ``civil`` and the tables of `passes.link_registers`; without a truth nothing is made.
    A record can be linked if its person stands in the civil register; `missed` are those that were not linked
    to that person. A record with several damages counts under each; rows of error kind ``semua`` carry every
    record once. Province 255: the record's place is not known.
    """
    if not has(con, "truth_record"):
        return
    con.execute(
        """CREATE OR REPLACE TEMP TABLE quality_person AS
        SELECT c.nik, min(t.sim_id_anggota) AS person FROM civil c
        JOIN truth_record t ON t.kind = 'dukcapil' AND t.line_from = c.line_from
        WHERE t.sim_id_anggota IS NOT NULL GROUP BY c.nik"""
    )
    parts = []
    for source in tables.SOURCES:
        kind = tables.PERSONS[source].removeprefix("source_")
        parts.append(
            f"""SELECT '{source}' AS source, coalesce(r.province, {UNKNOWN_PROVINCE})::UTINYINT AS province, s.pass,
              s.nik,
              t.sim_id_anggota AS person, t.damage
            FROM link_{source} s JOIN truth_record t ON t.kind = '{kind}' AND t.line_from = s.line_from
            {tables.placed(con, source)}"""
        )
    con.execute(
        f"""CREATE OR REPLACE TABLE match_quality AS
        WITH record AS ({" UNION ALL ".join(parts)}),
        judged AS (
          SELECT r.*, p.person IS NOT NULL AND p.person = r.person AS hit, r.nik IS NOT NULL AS linked,
            k.person IS NOT NULL AS linkable
          FROM record r LEFT JOIN quality_person p USING (nik)
          LEFT JOIN (SELECT DISTINCT person FROM quality_person) k ON k.person = r.person
        ), each AS (
          SELECT *, unnest(['{ALL}'] || CASE WHEN len(damage) = 0 THEN ['{CLEAN}'] ELSE list_distinct(damage) END) AS
            error_kind
          FROM judged)
        SELECT source, province, error_kind, pass, count(*) FILTER (linked AND hit) AS true_links,
          count(*) FILTER (linked AND NOT hit) AS false_links, count(*) FILTER (linkable AND NOT (linked AND hit)) AS
            missed
        FROM each GROUP BY ALL ORDER BY ALL"""
    )
