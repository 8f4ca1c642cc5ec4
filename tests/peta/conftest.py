"""A small world for the map page: real units and boundaries, invented figures instead of a dataset.

The figures come from a fixed formula of the area's position, so a test can say what must be on screen,
and sums over children equal their parent.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest

from dtsen_core.policy import area_table
from dtsen_core.regions import units
from dtsen_core.registry import dataset as datasets
from dtsen_core.registry.manifest import Manifest
from dtsen_core.settings import settings

DIGITS = {"province": 2, "regency": 4, "district": 6}


def _districts() -> pd.DataFrame:
    """Counts of every district; larger levels are sums of these."""
    table = units.table("district")
    position = np.arange(len(table))
    families = 8_000 + (position * 7919) % 9_000
    share = 0.15 + 0.6 * ((position * 104_729) % 1_000) / 1_000
    d14 = np.round(families * share)
    d15 = np.round(families * 3 * np.minimum(share + 0.1, 1))
    return pd.DataFrame(
        {
            "code": table["code"],
            "name": table["name"],
            "n": 20 + position % 120,
            "families": families.astype(float),
            "persons": families * 3.0,
            "families_d14": d14,
            "persons_d15": d15,
            "pkh_families": np.round(d14 * 0.3),
            "sembako_families": np.round(d14 * 0.5),
            "pbi_persons": np.round(families * 3 * 0.4),
            "uncovered_d15": np.round(d15 * 0.35),
        }
    )


def fake_coverage(dataset: object, level: str, parent: str | None = None) -> pd.DataFrame:
    frame = _districts()
    frame["code"] = frame["code"].str[: DIGITS[level]]
    out = frame.drop(columns="name").groupby("code", as_index=False).sum()
    out.insert(1, "name", out["code"].map(units.name) if level != "district" else _districts()["name"])
    return out[out["code"].str.startswith(parent or "")].reset_index(drop=True)


def fake_ranking(dataset: object, request: object) -> SimpleNamespace:
    def measures(frame: pd.DataFrame) -> pd.DataFrame:
        share = frame["families_d14"] / frame["families"]
        out = frame[["code", "name", "n", "families", "persons"]].copy()
        out["p0"] = share * 0.22
        out["p0_low"], out["p0_high"] = out["p0"] * 0.8, out["p0"] * 1.2
        out["p1"], out["p2"] = out["p0"] * 0.17, out["p0"] * 0.05
        out["poor_persons"] = out["p0"] * out["persons"]
        out["gini"] = 0.26 + share * 0.2
        out["mean_expenditure"] = 2_400_000 * (1.2 - share)
        out["mean_score"] = np.log(out["mean_expenditure"])
        return out

    areas = fake_coverage(dataset, request.level, request.region)
    counts = [c for c in areas.columns if c not in ("code", "name")]
    total = areas[counts].sum().to_frame().T.assign(code="ID", name="Indonesia")
    return SimpleNamespace(areas=measures(areas), total=measures(total))


def write_dataset(folder: Path, origin: str, families: int = 400_000) -> Path:
    """A dataset folder that opens: a stamped database and a manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    version = f"2025.09-{origin}"
    connection = duckdb.connect(str(folder / datasets.DATABASE))
    datasets.stamp(connection, version)
    connection.close()
    Manifest(
        origin=origin,
        version=version,
        as_of="2025-09-30",
        created="2025-10-01T00:00:00",
        families=families,
        persons=families * 3,
        registry_families=95_006_179,
        registry_persons=289_060_513,
        programmes=["pkh", "sembako", "blt_desa", "pbi", "pbi_pemda", "pip"],
    ).write(folder)
    return folder


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Call it with an origin (and a number of families): the app then shows the invented figures."""
    monkeypatch.setattr(area_table, "coverage", fake_coverage)
    monkeypatch.setattr(area_table, "full_ranking", fake_ranking)

    def use(origin: str = "simulated", families: int = 400_000) -> Path:
        folder = write_dataset(tmp_path / origin, origin, families)
        monkeypatch.setenv("DTSEN_DATASET", str(folder))
        settings.cache_clear()
        importlib.import_module("streamlit").cache_data.clear()
        return folder

    yield use
    settings.cache_clear()
