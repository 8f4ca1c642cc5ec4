"""The persons of simulated families: who they are, what they learn and do, how they are.

Drawn over flat arrays, one entry a person, families one after another. Codes are those of the delivered
layout; 0 stands for "not asked" and becomes NULL.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from dtsen_core.collect.simulate.dwelling import Columns, Place
from dtsen_core.paths import RULES
from dtsen_core.registry.indicators import FUNCTIONS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

HEAD, SPOUSE, CHILD, CHILD_IN_LAW, GRANDCHILD, PARENT = 1, 2, 3, 4, 5, 6


@lru_cache(maxsize=1)
def rules() -> dict:
    return tomllib.loads((RULES / "simulation" / "members.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class People:
    """Per person: row of its family, age in days at the date of the data, and the coded columns."""

    family: NDArray[np.int64]
    age_days: NDArray[np.int64]
    columns: Columns


def draw(rng: np.random.Generator, place: Place) -> People:
    """All members of the families in `place`."""
    size = place.size.astype(np.int64)
    family = np.repeat(np.arange(len(size)), size)
    start = np.cumsum(size) - size
    position = np.arange(len(family)) - start[family]

    relation, sex, age, marital = _composition(rng, size, family, position, start)
    welfare = place.welfare[family]
    urban = place.urban[family] == 1
    columns: Columns = {
        "jenis_kelamin": sex, "status_hubungan_keluarga": relation, "status_kawin": marital,
    }  # fmt: skip
    columns |= _schooling(rng, family, welfare, age)
    columns |= _work(rng, welfare, urban, sex, age, columns)
    columns |= _health(rng, welfare, age)
    days = (age * 365.25).astype(np.int64) + rng.integers(3, 362, len(age))
    return People(family, days, columns)


def _composition(
    rng: np.random.Generator, size: NDArray, family: NDArray, position: NDArray, start: NDArray
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Relation, sex, age in years and marital status of every person."""
    rule, persons = rules()["head"], len(family)
    head_age = np.clip(rng.normal(rule["age_mean"], rule["age_sd"], len(size)), 18, 92)
    # The smallest families are the youngest and the oldest.
    alone = (size == 1) & (rng.random(len(size)) < 0.55)
    head_age = np.where(alone, np.clip(head_age + 17, 18, 95), head_age)
    female_share = np.select([size == 1, size == 2], [rule["single_female"], rule["small_female"]],
                             rule["large_female"])  # fmt: skip
    female_head = rng.random(len(size)) < female_share
    couple = (size > 1) & (rng.random(len(size)) < np.where(
        female_head, rule["spouse_if_female"], rule["spouse_if_male"]))  # fmt: skip
    single = rng.random(len(size))
    head_marital = np.where(
        couple, 2, np.where((size == 1) & (single < rule["never_married_single"]), 1,
                            np.where(single < 0.55, 3, 4)))  # fmt: skip
    head_marital = np.where(~couple & (head_age < 28) & (size == 1), 1, head_marital)

    codes = np.array(rules()["others"]["codes"], np.uint8)
    relation = codes[np.searchsorted(np.cumsum(rules()["others"]["shares"])[:-1], rng.random(persons))]
    # Only older heads have grandchildren, in-laws among the young are their children's spouses.
    elder = head_age[family] >= 45
    relation = np.where(np.isin(relation, (GRANDCHILD, CHILD_IN_LAW)) & ~elder, CHILD, relation)
    is_head = position == 0
    is_spouse = (position == 1) & couple[family]
    relation = np.where(is_head, HEAD, np.where(is_spouse, SPOUSE, relation)).astype(np.uint8)

    female = rng.random(persons) < 0.5
    female = np.where(is_head, female_head[family], np.where(is_spouse, ~female_head[family], female))
    gap = np.where(female_head[family], -3.0, 3.0)
    of_head = head_age[family]
    birth = rng.normal(27, 5, persons) + 2.6 * np.maximum(position - 2, 0)
    age = np.select(
        [is_head, is_spouse, relation == CHILD, relation == PARENT, relation == GRANDCHILD,
         relation == CHILD_IN_LAW],
        [of_head, np.clip(of_head - gap + rng.normal(0, 3.5, persons), 17, 95),
         of_head - np.clip(birth, 17, 48), of_head + rng.normal(25, 4, persons), rng.uniform(0, 16, persons),
         rng.uniform(20, 40, persons)],
        rng.uniform(10, 65, persons),
    )  # fmt: skip
    # Grown children leave for a family card of their own: what stays is young.
    leaves = (relation == CHILD) & (age > 27) & (rng.random(persons) < 0.75)
    age = np.where(leaves, rng.uniform(0, 26, persons), age)
    age = np.clip(np.floor(age), 0, 98)
    marital = np.select(
        [is_head, is_spouse, relation == PARENT, relation == CHILD_IN_LAW],
        [head_marital[family], 2, np.where(rng.random(persons) < 0.72, 4, 2), 2],
        np.where((age > 24) & (rng.random(persons) < 0.25), 2, 1),
    ).astype(np.uint8)
    marital = np.where(age < 17, 1, marital).astype(np.uint8)
    return relation, np.where(female, 2, 1).astype(np.uint8), age, marital


# Codes of `ijazah` by class: none, SD, SMP, SMA, D1-D3, D4/S1, S2, S3; alternatives with their shares.
DIPLOMAS = (
    ((23,), (1.0,)), ((3, 4, 1), (0.85, 0.12, 0.03)), ((8, 9, 6), (0.78, 0.17, 0.05)),
    ((13, 15, 14, 11), (0.55, 0.30, 0.10, 0.05)), ((18,), (1.0,)), ((19, 20), (0.95, 0.05)), ((21,), (1.0,)),
    ((22,), (1.0,)),
)  # fmt: skip


def _variants(rng: np.random.Generator, level: NDArray) -> NDArray[np.uint8]:
    """A code of the code list for each class of `level` (0 … 7)."""
    chance = rng.random(len(level))
    codes = np.zeros(len(level), np.uint8)
    for number, (options, shares) in enumerate(DIPLOMAS):
        rows = level == number
        codes[rows] = np.array(options, np.uint8)[np.searchsorted(np.cumsum(shares)[:-1], chance[rows])]
    return codes


def _schooling(rng: np.random.Generator, family: NDArray, welfare: Floats, age: Floats) -> Columns:
    rule, persons = rules()["education"], len(age)
    of_family = rng.normal(size=int(family[-1]) + 1)[family] if persons else np.zeros(0)
    own = np.sqrt(max(1 - rule["pull"] ** 2 - rule["family"] ** 2, 0.05))
    latent = (rule["pull"] * welfare + rule["family"] * of_family + own * rng.normal(size=persons)
              + rule["cohort_per_year"] * (np.maximum(age, 25) - 47))  # fmt: skip
    spread = np.sqrt(1 + (rule["cohort_per_year"] * 15) ** 2)
    attained = np.searchsorted(special.ndtri(np.cumsum(rule["shares"])[:-1]) * spread, latent)
    # Nobody holds a diploma before the age at which it is awarded.
    ceiling = np.searchsorted(np.array([12, 15, 18, 21, 22, 25, 29]), age, side="right")
    attained = np.minimum(attained, ceiling)

    chance = np.zeros(persons)
    for low, high, share, pull in rules()["schooling"]["bands"]:
        rows = (age >= low) & (age <= high)
        chance[rows] = special.expit(special.logit(share) + pull * welfare[rows])
    attending = rng.random(persons) < chance
    # Who attends has finished the levels below.
    expected = np.searchsorted(np.array([13, 16, 19]), age, side="right")
    attained = np.where(attending, np.minimum(expected, 3), attained)
    never = (age >= 5) & ~attending & ((age < 7) | ((attained == 0) & (rng.random(persons) < 0.28)))
    participation = np.where(age < 5, 0, np.where(never, 1, np.where(attending, 2, 3))).astype(np.uint8)
    diploma = np.where(age < 5, 0, _variants(rng, attained)).astype(np.uint8)

    level = np.where(attending, np.minimum(attained + 1, 5), np.maximum(attained, 1))
    grade = np.where(attending, 1 + (age.astype(np.int64) - np.array([0, 7, 13, 16, 19, 19])[np.minimum(level, 5)]),
                     np.array([0, 6, 3, 3, 3, 4, 2, 2])[np.minimum(level, 7)])  # fmt: skip
    went = (participation == 2) | (participation == 3)
    return {
        "partisipasi_sekolah": participation,
        "jenjang_tertinggi_yang_diduduki": np.where(went, _variants(rng, level), 0).astype(np.uint8),
        "kelas_tertinggi_yang_diduduki": np.where(went, np.clip(grade, 1, 8), 0).astype(np.uint8),
        "ijazah_tertinggi_yang_dimiliki": diploma,
        "_attained": attained.astype(np.uint8),
    }


def _by_share(rng: np.random.Generator, rows: NDArray, shares: list[float], into: NDArray) -> None:
    edges = np.cumsum(shares)
    into[rows] = 1 + np.searchsorted(edges[:-1] / edges[-1], rng.random(len(rows)))


def _work(
    rng: np.random.Generator, welfare: Floats, urban: Bools, sex: NDArray, age: Floats, columns: Columns
) -> Columns:
    persons = len(age)
    chance = np.zeros(persons)
    for low, high, male, female in rules()["work"]["bands"]:
        rows = (age >= low) & (age <= high)
        chance[rows] = np.where(sex[rows] == 1, male, female)
    chance *= np.where(columns["partisipasi_sekolah"] == 2, 0.18, 1.0)
    works = rng.random(persons) < chance

    attained = columns.pop("_attained")
    band = np.select([attained <= 1, attained <= 3], [0, 1], 2)
    sector = np.zeros(persons, np.uint8)
    for place in ("rural", "urban"):
        for number, school in enumerate(("low", "middle", "high")):
            rows = np.flatnonzero(works & (urban == (place == "urban")) & (band == number))
            _by_share(rng, rows, rules()["sector"][f"{place}_{school}"], sector)
    # Welfare moves poor workers of other sectors into farming and casual work.
    status = np.zeros(persons, np.uint8)
    farm, public = (sector >= 1) & (sector <= 6), (sector >= 20) & (sector <= 22)
    for kind, rows in (("farm", farm), ("public", public), ("other", works & ~farm & ~public)):
        _by_share(rng, np.flatnonzero(rows), rules()["status"][kind], status)
    casual = (status == 4) & (rng.random(persons) < special.expit(-1.9 - 0.9 * welfare))
    status[casual & farm], status[casual & ~farm] = 6, 7
    raised = (status == 7) & (rng.random(persons) < special.expit(-2.2 + 0.9 * welfare))
    status[raised] = 3

    owner = works & (status >= 1) & (status <= 3) & (rng.random(persons) < rules()["status"]["business_if_own"])
    business = np.where(owner, 1, np.where(age >= 5, 2, 0)).astype(np.uint8)
    turnover = np.zeros(persons, np.uint8)
    rank = welfare + 1.2 * rng.normal(size=persons)
    cuts = special.ndtri(np.cumsum(rules()["status"]["turnover_shares"])[:-1]) * np.sqrt(1 + 1.44)
    turnover[owner] = 1 + np.searchsorted(cuts, rank[owner])
    helpers = rng.random(persons)
    return {
        "status_bekerja": np.where(works, 1, np.where(age >= 5, 2, 0)).astype(np.uint8),
        "lapangan_usaha_dari_pekerjaan_utama": sector,
        "status_dalam_pekerjaan_utama": status,
        "kepemilikan_usaha": business,
        "jumlah_usaha": np.where(owner, 1 + (helpers > 0.94), 0).astype(np.uint8),
        "lapangan_usaha_dari_usaha_utama": np.where(owner, sector, 0).astype(np.uint8),
        "jumlah_pekerja_yang_dibayar_dari_usaha_utama": np.where(
            owner & (status == 3), 1 + (helpers * 4).astype(int), 0).astype(np.uint8),
        "jumlah_pekerja_yang_tidak_dibayar_dari_usaha_utama": np.where(
            owner & (status == 2), 1 + (helpers * 2).astype(int), 0).astype(np.uint8),
        "omzet_usaha_utama": turnover,
    }  # fmt: skip


def _health(rng: np.random.Generator, welfare: Floats, age: Floats) -> Columns:
    rule, persons = rules()["health"], len(age)
    decades = np.maximum(age - 40, 0) / 10
    severe = np.minimum(rule["severe"] * rule["severe_growth"] ** decades * np.exp(-0.15 * welfare), 0.2)
    frailty = np.exp(rng.normal(0, 1.2, persons) - 0.72)  # difficulties come together
    columns: Columns = {}
    for name in FUNCTIONS:
        chance = rng.random(persons, dtype=np.float32) / frailty
        columns[name] = np.select(
            [chance < severe * 0.25, chance < severe, chance < severe * rule["mild_factor"]], [1, 2, 3], 4
        ).astype(np.uint8)  # fmt: skip
    sad = rng.random(persons, dtype=np.float32)
    columns["kesedihan_depresi"] = np.select([sad < 0.006, sad < 0.03, sad < 0.14], [1, 2, 3], 4).astype(np.uint8)
    ill = rng.random(persons) < np.minimum(rule["chronic"] * rule["chronic_growth"] ** ((age - 30) / 10), 0.55)
    illness = np.ones(persons, np.uint8)
    kinds = np.searchsorted(np.cumsum(rule["chronic_shares"])[:-1], rng.random(int(ill.sum())))
    illness[ill] = np.array(rule["chronic_codes"], np.uint8)[kinds]
    columns["penyakit_kronis"] = illness
    infant = age < 5
    grown = rng.random(persons)
    thin = rule["stunting"] * np.exp(-0.30 * welfare)
    columns["kondisi_gizi"] = np.where(
        infant, np.select([grown < rule["wasting"], grown < rule["wasting"] + thin, grown < 0.9], [1, 2, 3], 4), 0
    ).astype(np.uint8)  # fmt: skip
    return columns
