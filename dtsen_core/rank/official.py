"""The ranking a dataset is delivered with: three decile columns in ``family_packed``.

Real data bring them. A simulated dataset gets them here, from its own scorecard, as the registry's
operator would compute them: families ranked in the nation, in the province and in the regency.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from dtsen_core.rank import engine
from dtsen_core.rank.histogram import NEVER, Histogram, Thresholds, thresholds
from dtsen_core.rank.packing import FLAGS, KEYS, OFFICIAL, Packing, check
from dtsen_core.rank.scorecard import PROVINCES, REGENCIES, Scorecard, province_of_regency

SCOPES = ("national", "province", "regency")
LETTERS = ("n", "p", "r")  # column prefix of each scope's thresholds
AREAS = {"national": 1, "province": PROVINCES, "regency": REGENCIES}


def scope_of_regency(scope: str) -> np.ndarray:
    """Scope area (0-based) of each regency idx, shape (514,)."""
    if scope == "national":
        return np.zeros(REGENCIES, dtype=np.int64)
    return province_of_regency() if scope == "province" else np.arange(REGENCIES)


def area_weights(cursor: duckdb.DuckDBPyConnection) -> tuple[np.ndarray, np.ndarray]:
    """(families each row stands for, survey factor) by regency idx, shape (514,); 1 where not given."""
    weight, factor = np.ones(REGENCIES), np.ones(REGENCIES)
    rows = cursor.execute("SELECT regency, weight, survey_factor FROM area_weight").fetchnumpy()
    weight[rows["regency"]] = rows["weight"]
    factor[rows["regency"]] = rows["survey_factor"]
    return weight, factor


def scope_thresholds(h: Histogram, scope: str, unit: str, weight: np.ndarray) -> Thresholds:
    """Thresholds of every scope area from H by regency. `unit` families or persons; `weight` by regency."""
    area = scope_of_regency(scope)[h.area]
    return thresholds(area, AREAS[scope], h.score, h.counts(unit), weight[h.area])


def ranked_sql(packing: Packing, sides: dict[str, int], where: str | None = None,
               scopes: tuple[str, ...] = SCOPES, source: str = "family_packed") -> str:  # fmt: skip
    """Common table expressions ending in ``ranked``: every column of ``family_packed`` and, for each side,
    its deciles ``<side>_national``, ``<side>_province``, ``<side>_regency``.

    `sides` maps a prefix of ours to the number of coefficient sets. Needs the temporary tables of `prepare`
    for each side; `where` is a column of ``family_packed`` compared with one bound parameter; `scopes` are those
    whose deciles are wanted; `source` another table of that form (ours).
    """
    parts, joins, limits, deciles = [], [], [], []
    for side, sets in sides.items():
        total, clauses = engine.score_joins(packing, sets, f"{side}_lut")
        parts.append(f"{total} AS {side}_part")
        joins.append(clauses)
        limits.append(f"JOIN {side}_limits AS {side} ON {side}.area = s.regency::INTEGER * 3 + s.urban")
        for letter, scope in zip(LETTERS, SCOPES):
            if scope not in scopes:
                continue
            reached = " + ".join(f"({side}_part + {side}.base >= {side}.{letter}{k})::UTINYINT" for k in range(1, 10))
            deciles.append(f"1 + {reached} AS {side}_{scope}")
    split, line = ",\n    ", "\n    "
    narrowed = f"\n    WHERE f.{where} = ?" if where else ""
    return f"""scored AS (
    SELECT f.*,
    {split.join(parts)}
    FROM {source} AS f
    {line.join(joins)}{narrowed}
), ranked AS (
    SELECT s.*,
    {split.join(deciles)}
    FROM scored AS s
    {line.join(limits)}
)"""


def prepare(cursor: duckdb.DuckDBPyConnection, packing: Packing, card: Scorecard,
            found: dict[str, Thresholds], side: str) -> None:  # fmt: skip
    """Temporary tables of one side of `ranked_sql`: look-ups, and ``<side>_limits`` with intercept and
    thresholds by (regency, urban). A scope missing from `found` gets thresholds nobody reaches."""
    engine.fill_lookups(cursor, packing, card, f"{side}_lut")
    regency, urban = (part.ravel() for part in np.indices((REGENCIES, 3)))
    columns: dict[str, np.ndarray] = {
        "area": (regency * 3 + urban).astype(np.int32),
        "base": card.area[regency, urban],
    }
    for letter, scope in zip(LETTERS, SCOPES):
        values = np.full((len(regency), 9), NEVER, dtype=np.int64)
        if scope in found:
            values = found[scope].values[scope_of_regency(scope)[regency]]
        for k in range(9):
            columns[f"{letter}{k + 1}"] = values[:, k].astype(np.int32)
    cursor.register("limit_rows", pa.table(columns))
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE {side}_limits AS SELECT * FROM limit_rows")
    cursor.unregister("limit_rows")


def write_positions(con: duckdb.DuckDBPyConnection, card: Scorecard) -> None:
    """Table ``family_position`` (id_keluarga, position): where in its national decile a family stands by `card`,
    0 at the lower end, 1 at the upper; families of one score share a place."""
    packing = check(con)
    engine.fill_lookups(con, packing, card)
    regency, urban = (part.ravel() for part in np.indices((REGENCIES, 3)))
    con.register("base_rows", pa.table({"area": (regency * 3 + urban).astype(np.int32),
                                        "base": card.area[regency, urban]}))  # fmt: skip
    total, joins = engine.score_joins(packing, card.sets)
    con.execute(f"""CREATE OR REPLACE TABLE family_position AS WITH scored AS (
    SELECT f.id_keluarga, f.desil_nasional AS decile, w.weight, {total} + b.base AS score
    FROM family_packed AS f JOIN area_weight AS w USING (regency)
    JOIN base_rows AS b ON b.area = f.regency::INTEGER * 3 + f.urban
    {joins}
), placed AS (
    SELECT score, 10 * (sum(sum(weight)) OVER (ORDER BY score) - sum(weight) / 2) / sum(sum(weight)) OVER () AS place
    FROM scored GROUP BY score
)
SELECT id_keluarga, greatest(0.0, least(1.0, place - decile + 1)) AS position
FROM scored JOIN placed USING (score)""")
    con.unregister("base_rows")
    for k in range(1, len(packing.groups) + 1):
        con.execute(f"DROP TABLE IF EXISTS lut{k}")


def set_official(con: duckdb.DuckDBPyConnection, card: Scorecard) -> None:
    """Fill ``desil_nasional``, ``desil_provinsi`` and ``desil_kabupaten_kota`` by `card`.

    Units are families with their expansion weight. The table is rewritten in its order (by village).
    """
    packing = check(con)
    h = engine.count(con, card)
    weight, _ = area_weights(con)
    prepare(con, packing, card, {s: scope_thresholds(h, s, "families", weight) for s in SCOPES}, "a")
    deciles = ", ".join(f"a_{scope}::UTINYINT AS {column}" for scope, column in zip(SCOPES, OFFICIAL))
    con.execute(f"""CREATE OR REPLACE TABLE family_packed AS
WITH {ranked_sql(packing, {"a": card.sets})}
SELECT {", ".join((*KEYS, *packing.columns))}, {deciles}, {", ".join(FLAGS)}
FROM ranked
ORDER BY village, id_keluarga""")
    for k in range(1, len(packing.groups) + 1):
        con.execute(f"DROP TABLE IF EXISTS a_lut{k}; DROP TABLE IF EXISTS lut{k}")
    con.execute("DROP TABLE a_limits")
