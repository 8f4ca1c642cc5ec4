"""Dwelling, assets and livestock of simulated families, drawn over columns.

Every ordered variable is a latent value cut at national thresholds; the thresholds come from the survey draw,
so a family of the registry and a household of the survey with the same circumstances answer alike.
Sanitation and water are cut per regency instead, at the published shares.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dtsen_core.paths import RULES
from dtsen_core.regions import official

Floats = NDArray[np.float64]
Columns = dict[str, NDArray]


@lru_cache(maxsize=1)
def rules() -> dict:
    return tomllib.loads((RULES / "simulation" / "dwelling.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Place:
    """Where the families are and how well off: all arrays of one length. `welfare` is standardised on the
    national scale; `weight` counts persons."""

    regency: NDArray[np.int64]
    urban: NDArray[np.uint8]
    welfare: Floats
    size: NDArray[np.uint8]
    weight: Floats

    def take(self, rows: slice) -> Place:
        return Place(self.regency[rows], self.urban[rows], self.welfare[rows], self.size[rows], self.weight[rows])


def regional_factors(seed: int, variables: int, regencies: int = 514) -> Floats:
    """(variables, regencies): how customs differ between regencies, the same for survey and registry."""
    rng = np.random.default_rng([seed, 3])
    return rules()["regional_spread"] * rng.normal(size=(variables, regencies))


def improved_targets() -> tuple[Floats, Floats]:
    """Share of persons with improved sanitation and with improved water, per regency (fractions).

    Regencies without a figure take their province's; shares stay within 1 to 99.5 per cent.
    """
    found = []
    frame = official.regencies()
    provinces = official.provinces().set_index("code")
    for kind in ("sanitation", "water"):
        target = frame["parent_code"].map(provinces[f"{kind}_pct_2025"]) / 100
        odds = frame[f"{kind}_pct_2021"].clip(1, 99.5) / 100
        odds = (odds / (1 - odds)).fillna(target / (1 - target))
        # Odds are moved, not shares, so that no regency passes 100 per cent.
        for _ in range(40):
            share = odds / (1 + odds)
            mean = (share * frame["population"]).groupby(frame["parent_code"]).transform("sum") / frame.groupby(
                "parent_code")["population"].transform("sum")  # fmt: skip
            odds *= (target / (1 - target)) / (mean / (1 - mean))
        found.append((odds / (1 + odds)).clip(0.01, 0.995).to_numpy(float))
    return found[0], found[1]


def latents(rng: np.random.Generator, place: Place, factors: Floats) -> Columns:
    """The latent value of every ordered variable and asset, float32 to keep large builds small."""
    found: Columns = {}
    declared = rules()["ordered"] | rules()["assets"]
    for number, (name, rule) in enumerate(declared.items()):
        found[name] = _latent(rng, place, rule, factors[number])
    return found


def _latent(rng: np.random.Generator, place: Place, rule: dict, factor: Floats) -> NDArray[np.float32]:
    pull = rule["pull"]
    noise = rng.standard_normal(len(place.welfare), dtype=np.float32)
    value = pull * place.welfare + rule["urban"] * (place.urban == 1) + factor[place.regency]
    return (value + np.sqrt(1 - pull**2) * noise).astype(np.float32)


def national_cuts(found: Columns, weight: Floats) -> dict[str, Floats]:
    """Thresholds that give the declared national shares on the sample `found`."""
    cuts: dict[str, Floats] = {}
    for name, rule in rules()["ordered"].items():
        cuts[name] = _quantiles(found[name], weight, np.cumsum(rule["shares"])[:-1])
    for name, rule in rules()["assets"].items():
        cuts[name] = _quantiles(found[name], weight, np.array([1 - rule["share"]]))
    return cuts


def _quantiles(values: NDArray, weight: Floats, at: Floats) -> Floats:
    order = np.argsort(values)
    share = np.cumsum(weight[order])
    return values[order][np.searchsorted(share, at * share[-1])]


def draw(
    rng: np.random.Generator, place: Place, factors: Floats, cuts: dict[str, Floats],
    sanitation_target: Floats, water_target: Floats,
) -> Columns:  # fmt: skip
    """All dwelling, asset and livestock variables with their official names and codes.

    0 stands for "not asked" (becomes NULL); asset flags are 1 yes and 2 no.
    """
    found = latents(rng, place, factors)
    columns: Columns = {}
    for name, rule in rules()["ordered"].items():
        codes = np.array(rule["codes"], np.uint8)
        columns[name] = codes[np.searchsorted(cuts[name], found[name], side="right")]
    columns["daya_terpasang"] = np.where(columns["sumber_penerangan_utama"] == 1, columns["daya_terpasang"], 0)
    # About one single person in twelve does not cook at home.
    columns["bahan_bakar_utama_memasak"][(place.size == 1) & (rng.random(len(place.size)) < 0.08)] = 0
    for name in rules()["assets"]:
        columns[name] = np.where(found[name] > cuts[name][0], 1, 2).astype(np.uint8)
    anything = np.zeros(len(place.size), bool)
    for name in rules()["assets"]:
        anything |= columns[name] == 1
    columns["kepemilikan_aset"] = np.where(anything, 1, 2).astype(np.uint8)
    for name in rules()["assets"]:
        columns[name][~anything] = 0
    columns |= _sanitation(rng, place, factors[-2], sanitation_target, cuts)
    columns |= _water(rng, place, factors[-1], water_target, cuts)
    columns |= _livestock(rng, place)
    area = rules()["floor_area"]
    log = (area["log_mean"] + area["pull"] * place.welfare + area["urban"] * (place.urban == 1)
           + area["size_power"] * np.log(place.size) + area["spread"] * rng.normal(size=len(place.size)))  # fmt: skip
    columns["luas_lantai"] = np.clip(np.rint(np.exp(log)), 6, 990).astype(np.uint16)
    return columns


def _improved(latent: NDArray, place: Place, target: Floats) -> NDArray[np.bool_]:
    """True for the best-placed persons of each regency up to the regency's target share."""
    order = np.lexsort((latent, place.regency))
    group, weight = place.regency[order], place.weight[order]
    total = np.bincount(group, weights=weight)
    start = np.concatenate(([0.0], np.cumsum(total)[:-1]))
    share = (np.cumsum(weight) - weight / 2 - start[group]) / total[group]
    flag = np.empty(len(order), bool)
    flag[order] = share > 1 - target[group]
    return flag


def _pick(
    latent: NDArray, rows: NDArray[np.bool_], rule: dict, place: Place, cuts: dict[str, Floats], name: str
) -> NDArray[np.uint8]:
    """Codes for `rows` in the order of `latent` among them.

    The declared shares hold for the nation: the thresholds are set by the first draw, the survey, and kept
    in `cuts`, so that a family of the registry is coded by the same rule as a household of the survey.
    """
    if name not in cuts:
        cuts[name] = _quantiles(latent[rows], place.weight[rows], np.cumsum(rule["shares"])[:-1])
    return np.array(rule["codes"], np.uint8)[np.searchsorted(cuts[name], latent[rows], side="right")]


def _spread(rng: np.random.Generator, place: Place, pull: float) -> Floats:
    return pull * place.welfare + np.sqrt(1 - pull**2) * rng.normal(size=len(place.size))


def _sanitation(
    rng: np.random.Generator, place: Place, factor: Floats, target: Floats, cuts: dict[str, Floats]
) -> Columns:
    rule = rules()["sanitation"]
    latent = _latent(rng, place, rule, factor)
    good = _improved(latent, place, target)
    chance = rng.random(len(good))
    toilet = np.where(chance < rule["shared_share"], 2, 1).astype(np.uint8)
    closet = np.ones(len(good), np.uint8)
    disposal = np.where(rng.random(len(good)) < rule["sewage_share"], 2, 1).astype(np.uint8)
    toilet[~good] = _pick(_spread(rng, place, 0.4), ~good, rule["unimproved_toilet"], place, cuts, "toilet")
    closet[~good] = _pick(_spread(rng, place, 0.4), ~good, rule["unimproved_closet"], place, cuts, "closet")
    disposal[~good] = _pick(_spread(rng, place, 0.2), ~good, rule["unimproved_disposal"], place, cuts, "disposal")
    none = toilet == 6
    closet[none], disposal[none] = 0, 0
    return {"fasilitas_bab": toilet, "jenis_kloset": closet, "pembuangan_akhir_tinja": disposal}


def _water(
    rng: np.random.Generator, place: Place, factor: Floats, target: Floats, cuts: dict[str, Floats]
) -> Columns:
    rule = rules()["water"]
    good = _improved(_latent(rng, place, rule, factor), place, target)
    source = np.zeros(len(good), np.uint8)
    inside = _spread(rng, place, 0.4) + 0.5 * (place.urban == 1)
    source[good] = _pick(inside, good, rule["improved"], place, cuts, "water_improved")
    source[~good] = _pick(inside, ~good, rule["unimproved"], place, cuts, "water_unimproved")
    return {"sumber_air_minum_utama": source}


def _livestock(rng: np.random.Generator, place: Place) -> Columns:
    found: Columns = {}
    for name, rule in rules()["livestock"].items():
        keeps = (rng.random(len(place.size)) < rule["share"]) & (place.urban == 2)
        count = 1 + rng.poisson(rule["mean"] - 1, len(place.size))
        found[name] = np.where(keeps, count, 0).astype(np.uint16)
    return found


def national_scale(level: Floats, province: NDArray[np.int64], seen: Floats) -> Floats:
    """Welfare on the national scale: the province's level (in sds of log expenditure) plus what is seen."""
    return level[province] + seen


