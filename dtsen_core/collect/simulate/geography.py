"""Where simulated families live: expected size of every village and whether it is urban.

Village population and urban status are not public, so both are simulated once per seed: urban villages
are chosen by how urban their kind of place is until the province's published urban share is met.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dtsen_core.regions import official, units

STREAM = 1  # number of this random stream; every stage of the simulation has its own


@dataclass(frozen=True)
class Geography:
    """Per village in idx order (83,762): indices of its parents, expected persons, urban (1) or rural (2)."""

    province: NDArray[np.int64]
    regency: NDArray[np.int64]
    district: NDArray[np.int64]
    persons: NDArray[np.float64]
    urban: NDArray[np.uint8]

    @property
    def regency_urban_share(self) -> NDArray[np.float64]:
        total = np.bincount(self.regency, weights=self.persons)
        return np.bincount(self.regency, weights=self.persons * (self.urban == 1)) / total


def draw(seed: int) -> Geography:
    """Deterministic for `seed`; regency totals are the published population (Dec 2024)."""
    rng = np.random.default_rng([seed, STREAM])
    village, regency = units.table("village"), units.table("regency")
    index = {level: pd.Series(range(len(t)), index=t["code"]) for level in ("province", "regency", "district")
             for t in (units.table(level),)}  # fmt: skip
    of_province = village["code"].str[:2].map(index["province"]).to_numpy()
    of_regency = village["code"].str[:4].map(index["regency"]).to_numpy()
    of_district = village["code"].str[:6].map(index["district"]).to_numpy()

    town = (village["kind"] == "kelurahan").to_numpy()
    city = (regency["kind"] == "kota").to_numpy()[of_regency]
    size = np.exp(rng.normal(0.0, 0.55, len(village))) * np.where(town, 2.2, 1.0)
    per_regency = regency["population"].to_numpy(float)
    size *= (per_regency / np.bincount(of_regency, weights=size))[of_regency]

    urbanity = rng.normal(0.0, 1.0, len(village)) + 2.5 * town + 3.0 * city + 0.6 * np.log(size / size.mean())
    share = official.provinces()["urban_pct"].to_numpy(float) / 100
    order = np.lexsort((-urbanity, of_province))
    filled = _share_before(of_province[order], size[order])
    urban = np.empty(len(village), np.uint8)
    urban[order] = np.where(filled < share[of_province[order]], 1, 2)
    return Geography(of_province, of_regency, of_district, size, urban)


def _share_before(group: NDArray, weight: NDArray) -> NDArray[np.float64]:
    """Share of each group's weight that lies before the middle of the row; rows sorted by group."""
    running = np.cumsum(weight)
    totals = np.bincount(group, weights=weight)
    start = np.concatenate(([0.0], np.cumsum(totals)[:-1]))
    return (running - weight / 2 - start[group]) / totals[group]
