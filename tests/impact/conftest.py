"""Published data of the effectiveness tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def senate() -> pd.DataFrame:
    """US Senate elections: `margin` of victory and `vote` in the next one (Cattaneo, Frandsen, Titiunik 2015)."""
    package = pytest.importorskip("rdrobust", reason="the US Senate data come with rdrobust, a test-only package")
    return pd.read_csv(Path(package.__file__).parent / "data" / "rdrobust_RDsenate.csv")


@pytest.fixture(scope="session")
def mpdta() -> pd.DataFrame:
    """Minimum wages and teen employment: county, year, lemp, lpop, first_treat (0 = never)."""
    package = importlib.util.find_spec("moderndid")  # found, not imported: that takes seconds
    if package is None or package.origin is None:
        pytest.skip("the minimum-wage data come with moderndid, a test-only package")
    long = pd.read_pickle(Path(package.origin).parent / "core" / "datasets" / "mpdta_long.pkl.gz")
    return long.rename(columns={"countyreal": "county", "first.treat": "first_treat"}).astype({"first_treat": int})
