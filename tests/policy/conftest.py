"""A simulated nation small enough for every test: survey and registry from one process with known truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pytest

from dtsen_core.rank import fit, official, scorecard
from dtsen_core.rank.scorecard import REGENCIES, province_of_regency
from dtsen_core.registry.dataset import Dataset
from tests.rank import synthetic

PROVINCES = (10, 11, 18)


@dataclass
class Nation:
    dataset: Dataset
    families: synthetic.Families
    expenditure: np.ndarray
    weight: np.ndarray


@pytest.fixture(scope="session")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Nation:
    """40,000 families and 18,000 survey households in 30 regencies of three provinces, Dagum margins."""
    rng = np.random.default_rng(31)
    province = province_of_regency()
    regencies = np.concatenate([np.flatnonzero(province == p)[:12] for p in PROVINCES])
    everyone = synthetic.draw_families(rng, rng.choice(regencies, 58_000))
    value = synthetic.dagum_expenditure(rng, everyone)
    sampled = np.zeros(58_000, dtype=bool)
    sampled[rng.choice(58_000, 18_000, replace=False)] = True

    def part(rows: np.ndarray) -> synthetic.Families:
        return synthetic.Families(*(getattr(everyone, name)[rows] for name in (
            "regency", "district", "village", "urban", "size", "categories", "latent")))  # fmt: skip

    con = duckdb.connect()
    weight = np.where(np.arange(REGENCIES) % 2, 120.0, 80.0)
    synthetic.store(con, part(~sampled), weight)
    synthetic.store_survey(con, part(sampled), value[sampled])
    fit.fit_models(con)
    official.set_official(con, scorecard.load(con, fit.PROVINCIAL))
    dataset = synthetic.dataset(con, tmp_path_factory.mktemp("nation"))
    return Nation(dataset, part(~sampled), value[~sampled], weight)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Families of origin real: delivered deciles, no survey, no model, no urban/rural."""
    rng = np.random.default_rng(32)
    families = synthetic.draw_families(rng, np.repeat(np.arange(150, 153), 400))
    families.urban[:] = 0
    con = duckdb.connect()
    synthetic.store(con, families)
    return synthetic.dataset(con, tmp_path_factory.mktemp("real"), origin="real", version="nyata")


@pytest.fixture
def card_file(tmp_path: Path) -> Path:
    path = tmp_path / "kartu.csv"
    path.write_text(
        "variable,category,coefficient\nintercept,,13.8\naset_bergerak_mobil,ya,0.4\naset_bergerak_ac,ya,0.3\n"
        "aset_bergerak_komputer_laptop_tablet,ya,0.3\nijazah_kepala,S1+,0.25\nukuran_keluarga,1,0.4\n",
        encoding="utf-8",
    )
    return path
