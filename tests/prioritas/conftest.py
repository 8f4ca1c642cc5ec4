"""The small dataset of all tests, served to the app, with a state folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dtsen_core.regions import units
from dtsen_core.settings import settings


@pytest.fixture
def served(small_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The state folder of this test; the app serves the small dataset."""
    monkeypatch.setenv("DTSEN_DATASET", str(small_dataset))
    monkeypatch.setenv("DTSEN_STATE", str(tmp_path / "state"))
    settings.cache_clear()
    yield tmp_path / "state"
    settings.cache_clear()


@pytest.fixture
def frame() -> pd.DataFrame:
    """Published areas of the regency level, invented: the columns that a plan reads."""
    rng = np.random.default_rng(1)
    codes = units.table("regency")["code"]
    p0 = rng.uniform(0.02, 0.4, len(codes))
    persons = rng.integers(50_000, 3_000_000, len(codes)).astype(float)
    return pd.DataFrame(
        {
            "n": 400, "families": persons / 3, "persons": persons, "p0": p0, "p0_low": p0 * 0.9, "p0_high": p0 * 1.1,
            "p1": p0 * 0.17, "poor_persons": p0 * persons, "uncovered_share": rng.uniform(0.2, 0.5, len(codes)),
            "pkh": rng.uniform(0.05, 0.2, len(codes)), "persons_d15": persons * 0.5,
        },
        index=pd.Index(codes, name="code"),
    )  # fmt: skip
