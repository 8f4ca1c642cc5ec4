"""Who is covered by which programme, and the delivered deciles by area: counts from ``family_packed``."""

from __future__ import annotations

import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.policy.areas import listed_areas, official_table
from dtsen_core.policy.request import DECILES, SCOPES, UNITS
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

COUNTS = {
    "families": "1",
    "persons": "f.family_size",
    "families_d14": "(f.desil_nasional BETWEEN 1 AND 4)::INTEGER",
    "persons_d15": "f.family_size * (f.desil_nasional BETWEEN 1 AND 5)::INTEGER",
    "pkh_families": "f.pkh",
    "sembako_families": "f.sembako",
    "blt_families": "f.blt_desa",
    "pbi_persons": "f.pbi_persons",
    "pbi_persons_d15": "f.pbi_persons * (f.desil_nasional BETWEEN 1 AND 5)::INTEGER",
    # A family's members are covered together: by the national list, else by the local government.
    "uncovered_d15": "greatest(f.family_size::INTEGER - f.pbi_persons - f.pbi_pemda_persons, 0)"
    " * (f.desil_nasional BETWEEN 1 AND 5)::INTEGER",
    "pbi_persons_d610": "f.pbi_persons * (f.desil_nasional BETWEEN 6 AND 10)::INTEGER",
    "pip_pupils": "f.pip_pupils",
}


# Columns that mean nothing where the data do not speak about the programme: unknown, never zero.
NEEDS = {
    "pkh_families": "pkh", "sembako_families": "sembako", "blt_families": "blt_desa", "pip_pupils": "pip",
    "pbi_persons": "pbi", "pbi_persons_d15": "pbi", "pbi_persons_d610": "pbi", "uncovered_d15": "pbi",
}  # fmt: skip


def coverage(dataset: Dataset, level: str, parent: str | None = None) -> pd.DataFrame:
    """Programme coverage of the units of `level` in `parent` that have families, in code order.

    Columns code, name, n (rows) and weighted counts: families, persons, families_d14 (national deciles
    1–4), persons_d15, pkh_families, sembako_families, blt_families, pbi_persons, pbi_persons_d15,
    uncovered_d15 (persons in deciles 1–5 with neither PBI-JK nor local-government PBI), pbi_persons_d610,
    pip_pupils. Deciles are the delivered national ones; programmes those of the latest quarter, NaN where
    the data say nothing of them.
    """
    only, listed = listed_areas(level, parent)
    narrowed = f"WHERE f.{only.column} = ?" if only else ""
    sums = ",\n  ".join(f"sum(w.weight * ({step})) AS {name}" for name, step in COUNTS.items())
    found = (
        dataset.cursor()
        .execute(
            f"""SELECT f.{level} AS area, count(*) AS n,
  {sums}
FROM family_packed AS f JOIN area_weight AS w USING (regency) {narrowed}
GROUP BY area ORDER BY area""",
            [only.idx] if only else [],
        )
        .df()
    )
    unknown = [column for column, programme in NEEDS.items() if programme not in dataset.manifest.programmes]
    found[unknown] = float("nan")
    place = found.pop("area").astype("int64")
    keep = listed[place.to_numpy()]
    names = units.table(level).loc[place[keep], ["code", "name"]].reset_index(drop=True)
    return pd.concat([names, found[keep].reset_index(drop=True)], axis=1)


def official_deciles(dataset: Dataset, level: str, parent: str | None = None, scope: str = "national",
                     unit: str = "families") -> pd.DataFrame:  # fmt: skip
    """Delivered deciles by area: code, name, n, families, persons, d1..d10 and unknown (weighted counts of
    `unit`, except n); areas without families are left out. UserError for an unknown scope, unit or region."""
    for name, given, allowed in (("scope", scope, SCOPES), ("unit", unit, UNITS)):
        if given not in allowed:
            raise UserError(f"errors_rank.{name}", given=given, allowed=", ".join(allowed))
    only, listed = listed_areas(level, parent)
    table = official_table(dataset, level, only, scope, unit)
    named = pd.concat([units.table(level)[["code", "name"]], table], axis=1)
    kept = named[listed & (table["n"].to_numpy() > 0)].reset_index(drop=True)
    return kept[["code", "name", "n", "families", "persons", *DECILES, "unknown"]].astype({"n": "int64"})
