"""Share of families that live in urban villages, by area: from the families themselves where the data say it."""

from __future__ import annotations

import pandas as pd

from dtsen_core.policy.areas import listed_areas
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

URBAN, RURAL = 1, 2  # codes of `family_packed.urban`; 0 is unknown


def urban_share(dataset: Dataset, level: str, parent: str | None = None) -> pd.DataFrame:
    """code, name, n (rows whose place is known), families and urban_families (weighted), urban_share (0–1).

    Areas of `level` in `parent` without a family of known place are left out; the frame is empty where the data do
    not tell urban from rural (`Manifest.urban_known`). UserError for an unknown level or region.
    """
    only, listed = listed_areas(level, parent)
    columns = ["code", "name", "n", "families", "urban_families", "urban_share"]
    if not dataset.manifest.urban_known:
        return pd.DataFrame(columns=columns)
    narrowed = f"AND f.{only.column} = ?" if only else ""
    found = (
        dataset.cursor()
        .execute(
            f"""SELECT f.{level} AS area, count(*) AS n, sum(w.weight) AS families,
  sum(w.weight * (f.urban = {URBAN})::INTEGER) AS urban_families
FROM family_packed AS f JOIN area_weight AS w USING (regency) WHERE f.urban IN ({URBAN}, {RURAL}) {narrowed}
GROUP BY area ORDER BY area""",
            [only.idx] if only else [],
        )
        .df()
    )
    place = found.pop("area").astype("int64")
    keep = listed[place.to_numpy()]
    names = units.table(level).loc[place[keep], ["code", "name"]].reset_index(drop=True)
    out = pd.concat([names, found[keep].reset_index(drop=True)], axis=1)
    return out.assign(urban_share=out["urban_families"] / out["families"])[columns]
