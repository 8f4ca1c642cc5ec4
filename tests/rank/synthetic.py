"""Random families and survey households for the tests of ranking: 39 correlated indicators, known truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from dtsen_core.rank import packing
from dtsen_core.rank.scorecard import CATEGORIES, OFFSETS, REGENCIES, Scorecard, province_of_regency
from dtsen_core.regions import official, units
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.indicators import INDICATORS
from dtsen_core.registry.manifest import Manifest

RADIXES = [i.radix for i in INDICATORS]


def derived_codes() -> list[list[int]]:
    """Per indicator the codes that data of fine code lists really hold (no unknown, no merged class)."""
    return [[c.code for c in i.categories if c.code and not c.merges] for i in INDICATORS]


def draw_categories(rng: np.random.Generator, latent: np.ndarray) -> np.ndarray:
    """(n, 39) categories whose rank follows `latent` (standard normal) more or less closely."""
    columns = []
    for position, codes in enumerate(derived_codes()):
        pull = 0.25 + 0.5 * (position % 5) / 5
        value = pull * latent + np.sqrt(1 - pull**2) * rng.normal(size=len(latent))
        share = np.clip((np.argsort(np.argsort(value)) + 0.5) / len(value), 0, 1 - 1e-9)
        columns.append(np.array(codes)[(share * len(codes)).astype(int)])
    return np.stack(columns, axis=1).astype(np.uint8)


def random_card(rng: np.random.Generator, sets: int, name: str = "acak", origin: str = "simulated") -> Scorecard:
    """Coefficients of up to 60 thousandths, intercepts round 14."""
    coefficients = rng.integers(-60, 61, (sets, CATEGORIES)).astype(np.int32)
    area = rng.integers(13_800, 14_200, (REGENCIES, 3)).astype(np.int32)
    return Scorecard(name, origin, coefficients, area)


@dataclass
class Families:
    """Families in village order with everything the packed table needs."""

    regency: np.ndarray
    district: np.ndarray
    village: np.ndarray
    urban: np.ndarray
    size: np.ndarray
    categories: np.ndarray
    latent: np.ndarray

    @property
    def province(self) -> np.ndarray:
        return province_of_regency()[self.regency]


def draw_families(rng: np.random.Generator, regencies: np.ndarray) -> Families:
    """One family per entry of `regencies` (regency idx)."""
    district_of = units.table("village")["parent_code"].map(units.index("district")).to_numpy()
    regency_of = units.table("district")["parent_code"].map(units.index("regency")).to_numpy()[district_of]
    start = np.searchsorted(regency_of, np.arange(REGENCIES + 1))
    count = start[regencies + 1] - start[regencies]
    village = np.sort(start[regencies] + (rng.random(len(regencies)) * count).astype(int))
    regency = regency_of[village]
    urban = np.where(rng.random(len(village)) < 0.5, 1, 2)
    effect = rng.normal(size=REGENCIES) * 0.3
    latent = rng.normal(size=len(village)) + 0.4 * (urban == 1) + effect[regency]
    return Families(
        regency, district_of[village], village, urban, rng.integers(1, 9, len(village)),
        draw_categories(rng, latent), latent,
    )  # fmt: skip


def indicator_frame(categories: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({i.name: categories[:, k] for k, i in enumerate(INDICATORS)})


def store(con: duckdb.DuckDBPyConnection, families: Families, weight: np.ndarray | None = None) -> None:
    """Tables keluarga (what packing reads), indicators, area_weight; then ``family_packed``."""
    ids = np.arange(len(families.regency), dtype=np.int64)
    rng = np.random.default_rng(5)
    household = pd.DataFrame({
        "id_keluarga": ids, "province": families.province.astype(np.uint8),
        "regency": families.regency.astype(np.uint16), "district": families.district.astype(np.uint16),
        "village": families.village.astype(np.uint32), "urban": families.urban.astype(np.uint8),
        "jumlah_anggota_keluarga": families.size.astype(np.int32),
        **{name: rng.integers(0, 11, len(ids)).astype(np.uint8) for name in packing.OFFICIAL},
    })  # fmt: skip
    wide = pd.concat([pd.DataFrame({"id_keluarga": ids}), indicator_frame(families.categories)], axis=1)
    shares = pd.DataFrame({
        "regency": np.arange(REGENCIES, dtype=np.uint16),
        "weight": np.ones(REGENCIES) if weight is None else weight,
        "survey_factor": np.ones(REGENCIES),
    })  # fmt: skip
    for name, frame in (("keluarga", household), ("indicators", wide), ("area_weight", shares)):
        con.register("frame_to_store", frame)
        con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM frame_to_store")
        con.unregister("frame_to_store")
    packing.pack(con)


def store_survey(con: duckdb.DuckDBPyConnection, families: Families, expenditure: np.ndarray, psu: int = 10) -> None:
    """Table survey; consecutive households of a regency form PSUs of `psu`."""
    frame = pd.DataFrame({
        "household": np.arange(len(families.regency)), "province": families.province.astype(np.uint8),
        "regency": families.regency.astype(np.uint16),
        "psu": (np.arange(len(families.regency)) // psu).astype(np.int32),
        "urban": families.urban.astype(np.uint8), "weight": 1.0,
        "household_size": families.size.astype(np.uint8), "expenditure": expenditure,
    })  # fmt: skip
    wide = pd.concat([frame, indicator_frame(families.categories)], axis=1)
    con.register("frame_to_store", wide)
    con.execute("CREATE OR REPLACE TABLE survey AS SELECT * FROM frame_to_store")
    con.unregister("frame_to_store")


def dataset(con: duckdb.DuckDBPyConnection, path: Path, origin: str = "simulated", version: str = "uji") -> Dataset:
    counted = con.execute("SELECT count(*), sum(family_size) FROM family_packed").fetchone()
    assert counted is not None
    manifest = Manifest(origin=origin, version=version, as_of="2025-03-01", created="2025-03-01",
                        families=counted[0], persons=int(counted[1]), registry_families=counted[0],
                        registry_persons=int(counted[1]), urban_known=True,
                        programmes=["pkh", "sembako", "blt_desa", "pbi", "pbi_pemda", "pip"])  # fmt: skip
    return Dataset(path, manifest, con)


def dagum_expenditure(rng: np.random.Generator, families: Families, r2: float = 0.55) -> np.ndarray:
    """Expenditure with a Dagum margin (a 3.2, p 0.9) round each province's mean whose rank follows the
    latent value: truth for the mixture to find again."""
    noise = np.sqrt((1 - r2) / r2) * families.latent.std() * rng.normal(size=len(families.latent))
    value = families.latent + noise
    result = np.empty(len(value))
    mean = official.provinces()["exp_pc_month_rp_mar2025"].to_numpy(float)
    for province in np.unique(families.province):
        rows = np.flatnonzero(families.province == province)
        rank = (np.argsort(np.argsort(value[rows])) + 0.5) / len(rows)
        quantile = (rank ** (-1 / 0.9) - 1) ** (-1 / 3.2)
        result[rows] = quantile / quantile.mean() * mean[province]
    return result


def blank_card(intercept: int = 14_000) -> Scorecard:
    return Scorecard("nol", "file", np.zeros((1, CATEGORIES), np.int32), np.full((REGENCIES, 3), intercept, np.int32))


def at(indicator: str, code: int) -> int:
    """Column of one category in a scorecard's coefficients."""
    return OFFSETS[[i.name for i in INDICATORS].index(indicator)] + code
