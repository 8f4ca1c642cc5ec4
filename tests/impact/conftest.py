"""Published data of the effectiveness tests, out of packages that `requirements-dev.txt` pins."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd
import pytest


def _beside(package: str, *parts: str) -> Path:
    """A file in the folder of `package`, which is found but not imported: that takes seconds."""
    found = importlib.util.find_spec(package)
    assert found is not None, f"{package} is missing: pip install -r requirements-dev.txt"
    assert found.origin is not None
    return Path(found.origin).parent.joinpath(*parts)


@pytest.fixture(scope="session")
def senate() -> pd.DataFrame:
    """US Senate elections: `margin` of victory and `vote` in the next one (Cattaneo, Frandsen, Titiunik 2015)."""
    return pd.read_csv(_beside("rdrobust", "data", "rdrobust_RDsenate.csv"))


@pytest.fixture(scope="session")
def mpdta() -> pd.DataFrame:
    """Minimum wages and teen employment: county, year, lemp, lpop, first_treat (0 = never)."""
    long = pd.read_pickle(_beside("moderndid", "core", "datasets", "mpdta_long.pkl.gz"))
    return long.rename(columns={"countyreal": "county", "first.treat": "first_treat"}).astype({"first_treat": int})
