"""Is a payment ready to arrive? Identity of the head, account, age of the record, of the families listed.

One pass over the members counts all families by regency, urban, kind of family, enrolment, validity of the head's NIK
and age of the record; every view of that version is a sum over these cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.policy import family_traits, lab
from dtsen_core.policy.cube import GROUPS, SIZES
from dtsen_core.policy.effectiveness.scope import Scope, within
from dtsen_core.policy.programme_rules import FLAGS, Rule, as_date
from dtsen_core.rank import official
from dtsen_core.rank.cache import Cache
from dtsen_core.rank.scorecard import province_of_regency
from dtsen_core.registry.dataset import Dataset

AGES = ("fresh", "older", "stale", "undated")  # within 12 months, 12–24 months, above, no date
COLUMNS = ("families", "nik_valid", "nik_invalid", *AGES)
RECIPE = 1  # raised when the cells change their meaning
_KINDS = (*GROUPS, *SIZES)


@dataclass(frozen=True, eq=False)
class _Cells:
    """Families by what readiness depends on, arrays of shape (cells,): `age` of `AGES`, `has` flags by name."""

    regency: npt.NDArray[np.int64]
    urban: npt.NDArray[np.int64]
    valid: npt.NDArray[np.bool_]
    age: npt.NDArray[np.int64]
    has: dict[str, npt.NDArray[np.bool_]]
    rows: npt.NDArray[np.float64]


_cells: Cache[_Cells] = Cache(4, lambda value: 1)


def ready(dataset: Dataset) -> bool:
    """Whether the dataset holds members and record dates (large simulations do not)."""
    return bool(dataset.manifest.has_members) and dataset.has_table("anggota")


def delivery(dataset: Dataset, rule: Rule, scope: Scope) -> pd.DataFrame:
    """One row: code, n and weighted families listed for `rule` by `COLUMNS`.

    A NIK is valid here if it has 16 digits with a day, month and serial that can be. The bank account is not
    among the delivered variables. The age of the record is counted to the date of the data.
    """
    cells = _cells.get((str(dataset.path), dataset.version), lambda: _made(dataset))
    inside = within(scope, cells.regency, province_of_regency()[cells.regency], cells.urban) & cells.has[rule.flag]
    if scope.group != "all":
        inside = inside & cells.has[scope.group]
    weight, _ = official.area_weights(dataset.cursor())
    families = (cells.rows * weight[cells.regency])[inside]
    ages = np.bincount(cells.age[inside], families, len(AGES))
    valid = float(families[cells.valid[inside]].sum())
    row = {"n": float(cells.rows[inside].sum()), "families": float(families.sum()), "nik_valid": valid,
           "nik_invalid": float(families.sum()) - valid, **dict(zip(AGES, ages.tolist()))}  # fmt: skip
    return pd.DataFrame([row]).assign(code=scope.area)


def _made(dataset: Dataset) -> _Cells:
    found = lab.frame(dataset, "delivery", lambda: _counted(dataset), RECIPE)
    has = {name: found[name].to_numpy(bool) for name in (*FLAGS, *_KINDS)}
    return _Cells(
        found["regency"].to_numpy(np.int64), found["urban"].to_numpy(np.int64), found["valid"].to_numpy(bool),
        found["age"].to_numpy(np.int64), has, found["rows"].to_numpy(np.float64),
    )  # fmt: skip


def _counted(dataset: Dataset) -> pd.DataFrame:
    cursor = dataset.cursor()
    family_traits.write(cursor, as_date(dataset.manifest.as_of))
    named = {**{f: f"f.{f} > 0" for f in FLAGS}, **{g: f"coalesce(t.{g}, false)" for g in GROUPS}, **SIZES}
    kinds = ", ".join(f"{sql} AS {name}" for name, sql in named.items())
    return cursor.execute(f"""WITH head AS (
  SELECT id_keluarga, bool_or(regexp_full_match(nomor_induk_kependudukan,
    '[1-9][0-9]{{5}}([04][1-9]|[1256][0-9]|[37][01])(0[1-9]|1[0-2])[0-9]{{6}}')
    AND right(nomor_induk_kependudukan, 4) <> '0000') AS valid
  FROM anggota WHERE status_hubungan_keluarga = 1 GROUP BY id_keluarga
), family AS (
  SELECT f.regency, f.urban, coalesce(h.valid, false) AS valid, {kinds},
    date_diff('day', k.tanggal_pemutakhiran, CAST(? AS DATE)) AS days
  FROM family_packed AS f JOIN keluarga AS k USING (id_keluarga) LEFT JOIN head AS h USING (id_keluarga)
    LEFT JOIN traits AS t USING (id_keluarga)
)
SELECT * EXCLUDE (days),
  CASE WHEN days IS NULL THEN 3 WHEN days <= 365 THEN 0 WHEN days <= 730 THEN 1 ELSE 2 END AS age, count(*) AS rows
FROM family GROUP BY ALL ORDER BY ALL""", [dataset.manifest.as_of]).df()
