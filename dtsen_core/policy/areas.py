"""Areas of a request, their weights, and counts of the delivered deciles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.policy.request import DECILES, SCOPES
from dtsen_core.rank import official
from dtsen_core.rank.engine import Filter
from dtsen_core.rank.scorecard import REGENCIES
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def listed_areas(level: str, region: str | None) -> tuple[Filter | None, npt.NDArray[np.bool_]]:
    """(filter of `region`, mask over the units of `level` that lie in it).

    UserError if the region is unknown or finer than `level`.
    """
    codes = units.table(level)["code"]
    if region is None or region == units.NATION:
        return None, np.ones(len(codes), dtype=bool)
    code = units.require(region)
    if units.LEVELS.index(units.level_of(code)) > units.LEVELS.index(level):
        raise UserError("errors_rank.region_below_level", code=code, name=units.name(code), level=level)
    return Filter.of(code), codes.str.startswith(code).to_numpy()


def weights(dataset: Dataset) -> tuple[Floats, Floats]:
    """(families each row stands for, survey factor) by regency idx, shape (514,)."""
    return official.area_weights(dataset.cursor())


def regency_of(level: str) -> Ints:
    """Regency idx of each unit of `level` (regency or district)."""
    if level == "regency":
        return np.arange(REGENCIES)
    return units.table(level)["parent_code"].map(units.index("regency")).to_numpy(np.int64)


OFFICIAL_COLUMNS = dict(zip(SCOPES, official.OFFICIAL))


def official_table(dataset: Dataset, level: str, only: Filter | None, scope: str, unit: str) -> pd.DataFrame:
    """Counts of the delivered deciles for every unit of `level`: n, families, persons, d1..d10, unknown.

    Families without a delivered decile count in families and persons, and in no decile.
    """
    narrowed = f"WHERE f.{only.column} = ?" if only else ""
    found = (
        dataset.cursor()
        .execute(
            f"""SELECT f.{level} AS area, f.{OFFICIAL_COLUMNS[scope]} AS decile, count(*) AS n,
  sum(w.weight) AS families, sum(w.weight * f.family_size) AS persons
FROM family_packed AS f JOIN area_weight AS w USING (regency) {narrowed}
GROUP BY area, decile""",
            [only.idx] if only else [],
        )
        .fetchnumpy()
    )
    size = len(units.table(level))
    area = np.asarray(found["area"]).astype(np.int64)
    decile = np.minimum(np.asarray(found["decile"]).astype(np.int64), 10)
    table = {
        name: np.bincount(area, np.asarray(found[name], dtype=np.float64), size)
        for name in ("n", "families", "persons")
    }
    counted = np.bincount(area * 11 + decile, np.asarray(found[unit], dtype=np.float64), size * 11).reshape(size, 11)
    table.update({name: counted[:, k + 1] for k, name in enumerate(DECILES)})
    table["unknown"] = counted[:, 0]
    return pd.DataFrame(table)
