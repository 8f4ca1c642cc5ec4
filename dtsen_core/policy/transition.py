"""How families move between two rankings of the same dataset."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dtsen_core.policy.areas import OFFICIAL_COLUMNS, listed_areas, weights
from dtsen_core.policy.models import scorecard_for
from dtsen_core.policy.request import OFFICIAL, RankRequest
from dtsen_core.rank import engine, official
from dtsen_core.rank.packing import check
from dtsen_core.registry.dataset import Dataset


def transition(dataset: Dataset, a: RankRequest, b: RankRequest, region: str | None = None) -> pd.DataFrame:
    """Weighted families (persons if both rankings rank persons) by decile in `a` (rows 1..10) and `b`
    (columns 1..10), in `region` or everywhere.

    Only model, scope and unit of the requests matter. Families without a delivered decile are left out of
    a comparison with the official ranking. UserError as `welfare.full_ranking`.
    """
    cells = joint(dataset, a, b, region)
    persons = a.unit == "persons" and b.unit == "persons"
    key = (cells["first"] - 1) * 10 + cells["second"] - 1
    counted = np.bincount(key, cells["persons" if persons else "families"], 100)
    deciles = range(1, 11)
    return pd.DataFrame(counted.reshape(10, 10), index=pd.Index(deciles, name="a"), columns=pd.Index(deciles, name="b"))


def joint(dataset: Dataset, a: RankRequest, b: RankRequest, region: str | None = None,
          level: str = "regency") -> pd.DataFrame:  # fmt: skip
    """Families by area, decile in `a` and decile in `b`: frame ``area`` (idx of the regency or district), ``first``,
    ``second`` (1..10), ``n`` (rows), ``families``, ``persons`` (weighted), from one pass over the families.

    Families without a delivered decile are left out of a comparison with the official ranking. UserError as
    `welfare.full_ranking`.
    """
    if level not in engine.AREA_LEVELS:
        raise ValueError(f"level must be one of {engine.AREA_LEVELS}")
    only, _ = listed_areas("village", region)
    cursor = dataset.cursor()
    packing = check(cursor)
    weight, _ = weights(dataset)
    sides: dict[str, int] = {}
    columns = []
    for side, request in (("a", a), ("b", b)):
        if request.model == OFFICIAL:
            columns.append(OFFICIAL_COLUMNS[request.scope])
            continue
        card = scorecard_for(dataset, request.model)
        h = engine.rank_histogram(dataset, card)
        found = official.scope_thresholds(h, request.scope, request.unit, weight)
        official.prepare(cursor, packing, card, {request.scope: found}, side)
        sides[side] = card.sets
        columns.append(f"{side}_{request.scope}")
    first, second = columns
    steps = official.ranked_sql(packing, sides, only.column if only else None, tuple({a.scope, b.scope}))
    cells = cursor.execute(
        f"""WITH {steps}
SELECT {level} AS area, any_value(regency)::INTEGER AS regency, {first}::INTEGER AS first,
  {second}::INTEGER AS second, count(*) AS n, sum(family_size)::DOUBLE AS persons
FROM ranked WHERE {first} BETWEEN 1 AND 10 AND {second} BETWEEN 1 AND 10
GROUP BY ALL""",
        [only.idx] if only else [],
    ).fetchnumpy()
    cursor.close()
    area, regency, rows, cols, n = (
        np.asarray(cells[c]).astype(np.int64) for c in ("area", "regency", "first", "second", "n")
    )
    return pd.DataFrame({
        "area": area, "first": rows, "second": cols, "n": n, "families": n * weight[regency],
        "persons": np.asarray(cells["persons"], dtype=np.float64) * weight[regency],
    })  # fmt: skip
