"""Is a payment ready to arrive? Identity of the head, account, age of the record, of the families listed."""

from __future__ import annotations

import pandas as pd

from dtsen_core.policy.effectiveness.scope import Scope
from dtsen_core.policy.programme_rules import Rule
from dtsen_core.registry.dataset import Dataset

AGES = ("fresh", "older", "stale", "undated")  # within 12 months, 12–24 months, above, no date
COLUMNS = ("families", "nik_valid", "nik_invalid", *AGES)


def ready(dataset: Dataset) -> bool:
    """Whether the dataset holds members and record dates (large simulations do not)."""
    return bool(dataset.manifest.has_members) and dataset.has_table("anggota")


def delivery(dataset: Dataset, rule: Rule, scope: Scope) -> pd.DataFrame:
    """One row: code, n and weighted families listed for `rule` by `COLUMNS`.

    A NIK is valid here if it has 16 digits with a day, month and serial that can be. The bank account is not
    among the delivered variables. The age of the record is counted to the date of the data.
    """
    condition, values = scope.where()
    found = dataset.cursor().execute(f"""WITH head AS (
  SELECT id_keluarga, bool_or(regexp_full_match(nomor_induk_kependudukan,
    '[1-9][0-9]{{5}}([04][1-9]|[1256][0-9]|[37][01])(0[1-9]|1[0-2])[0-9]{{6}}')
    AND right(nomor_induk_kependudukan, 4) <> '0000') AS valid
  FROM anggota WHERE status_hubungan_keluarga = 1 GROUP BY id_keluarga
), listed AS (
  SELECT w.weight, coalesce(h.valid, false) AS valid,
    date_diff('day', k.tanggal_pemutakhiran, CAST(? AS DATE)) AS age
  FROM family_packed AS f JOIN keluarga AS k USING (id_keluarga) JOIN area_weight AS w ON w.regency = f.regency
    LEFT JOIN head AS h USING (id_keluarga)
  WHERE f.{rule.flag} > 0 AND {condition}
)
SELECT count(*) AS n, coalesce(sum(weight), 0) AS families,
  coalesce(sum(weight) FILTER (valid), 0) AS nik_valid, coalesce(sum(weight) FILTER (NOT valid), 0) AS nik_invalid,
  coalesce(sum(weight) FILTER (age <= 365), 0) AS fresh,
  coalesce(sum(weight) FILTER (age > 365 AND age <= 730), 0) AS older,
  coalesce(sum(weight) FILTER (age > 730), 0) AS stale,
  coalesce(sum(weight) FILTER (age IS NULL), 0) AS undated
FROM listed""", [dataset.manifest.as_of, *values]).df()
    return found.assign(code=scope.area)
