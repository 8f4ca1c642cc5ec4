"""H of a dataset under a scorecard: by the SQL engine, or by the compiled one (`kernel`) where there are many.

The SQL engine scores every family with look-up joins and counts, in one statement.

The score of a family is the sum of K look-ups (see `packing`). Each look-up table is dense (its key is its
position), so DuckDB joins it as an array; a temporary table, because only there it knows the bounds of the
key at planning time. The area intercept is constant within (regency, urban) and is added to H afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from dtsen_core.rank import arrays, kernel
from dtsen_core.rank.cache import Cache
from dtsen_core.rank.histogram import Histogram
from dtsen_core.rank.packing import Packing, check
from dtsen_core.rank.queue import LINE
from dtsen_core.rank.scorecard import REGENCIES, Scorecard
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

CACHE_BYTES = 400_000_000
AREA_LEVELS = ("regency", "district")
ENGINES = ("sql", "kernel")
MANY = 150_000
"""Families from which the compiled engine is used. Below, SQL answers as fast and nothing need be compiled."""


@dataclass(frozen=True)
class Filter:
    """Only the families of one unit: `column` is province, regency or district, `idx` its position."""

    column: str
    idx: int

    @staticmethod
    def of(code: str | None) -> Filter | None:
        """Filter for a region code that `units.require` accepted."""
        if code is None or code == units.NATION:
            return None
        level = units.level_of(code)
        return Filter(level, units.index(level)[code])


def score_joins(packing: Packing, sets: int, prefix: str = "lut") -> tuple[str, str]:
    """(sum of look-ups, join clauses) for ``family_packed AS f``; tables are `prefix`1..K."""
    total = " + ".join(f"{prefix}{k}.v" for k in range(1, len(packing.groups) + 1))
    joins = []
    for k, group in enumerate(packing.groups, start=1):
        key = f"f.{group.column}"
        if sets > 1:  # one block of codes per province or regency
            unit = "regency" if sets == REGENCIES else "province"
            key = f"f.{unit}::INTEGER * {group.codes} + {key}"
        joins.append(f"JOIN {prefix}{k} ON {prefix}{k}.code = {key}")
    return total, "\n    ".join(joins)


def histogram_sql(packing: Packing, sets: int, level: str = "regency", where: str | None = None) -> str:
    """Statement that makes H without area intercepts: area, urban, score, families, persons.

    `level` is one of `AREA_LEVELS`; `where` a column of `family_packed` compared with one bound parameter.
    """
    total, joins = score_joins(packing, sets)
    regency = ", any_value(regency) AS regency" if level != "regency" else ""
    narrowed = f"\n    WHERE f.{where} = ?" if where else ""
    return f"""WITH scored AS (
    SELECT f.{level} AS area, f.regency, f.urban, f.family_size, {total} AS score
    FROM family_packed AS f
    {joins}{narrowed}
)
SELECT area, urban, score, count(*) AS families, sum(family_size)::BIGINT AS persons{regency}
FROM scored
GROUP BY area, urban, score"""


def fill_lookups(cursor: duckdb.DuckDBPyConnection, packing: Packing, card: Scorecard, prefix: str = "lut") -> None:
    """Temporary tables `prefix`1..K (code, v) on `cursor`: the score part of every code in every set."""
    for k, group in enumerate(packing.groups, start=1):
        values = card.lookup(group).ravel()
        rows = pa.table({"code": np.arange(values.size, dtype=np.int32), "v": values})
        cursor.register("lookup_rows", rows)
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE {prefix}{k} AS SELECT * FROM lookup_rows")
        cursor.unregister("lookup_rows")


def count(cursor: duckdb.DuckDBPyConnection, card: Scorecard, level: str = "regency",
          only: Filter | None = None) -> Histogram:  # fmt: skip
    """H of the families behind `cursor` under `card`, by regency or district, of one unit or of all.

    `cursor` must be the caller's own: look-ups are written to its temporary schema. UserError if the data
    were packed under other code lists.
    """
    if level not in AREA_LEVELS:
        raise ValueError(f"level must be one of {AREA_LEVELS}")
    packing = check(cursor)
    fill_lookups(cursor, packing, card)
    sql = histogram_sql(packing, card.sets, level, only.column if only else None)
    found = cursor.execute(sql, [only.idx] if only else []).fetchnumpy()
    area, urban = (np.asarray(found[name]).astype(np.int64) for name in ("area", "urban"))
    regency = np.asarray(found["regency"]).astype(np.int64) if level != "regency" else area
    score = np.asarray(found["score"]).astype(np.int64) + card.area[regency, urban]
    families, persons = (np.asarray(found[name]).astype(np.int64) for name in ("families", "persons"))
    return Histogram(level, area, urban, score, families, persons)


_cache: Cache[Histogram] = Cache(CACHE_BYTES, lambda h: h.nbytes)


def forget() -> None:
    """Empty the cache of H (benches)."""
    _cache.clear()


def rank_histogram(dataset: Dataset, card: Scorecard, level: str = "regency", only: Filter | None = None, *,
                   by: str | None = None) -> Histogram:  # fmt: skip
    """H for `card` on `dataset`, from memory when it was counted before; otherwise counted in turn.

    `by` names an engine ("sql" or "kernel") instead of choosing by size; both give the same cells. While the
    compiled engine is not loaded yet, which begins with the first large request, SQL answers.
    UserError if the scorecard was fitted on simulated households and the dataset is real.
    """
    card.guard(dataset.manifest.origin)
    if level not in AREA_LEVELS or by not in (None, *ENGINES):
        raise ValueError(f"level must be one of {AREA_LEVELS}, by one of {ENGINES}")
    key = (str(dataset.path), dataset.version, card.hash, level, only)

    def fresh() -> Histogram:
        with LINE.turn():
            held = _arrays(dataset, by)
            if held is not None:
                return kernel.count(held, card, level, (only.column, only.idx) if only else None)
            cursor = dataset.cursor()
            try:
                return count(cursor, card, level, only)
            finally:
                cursor.close()

    return _cache.get(key, fresh)


def _arrays(dataset: Dataset, by: str | None) -> arrays.Arrays | None:
    """What the compiled engine needs, if it is to be used; None for SQL."""
    if by == "sql" or (by is None and (dataset.manifest.families < MANY or not kernel.warmed())):
        return None
    return arrays.of(dataset)
