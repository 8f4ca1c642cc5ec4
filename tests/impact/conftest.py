"""Published data of the effectiveness tests."""

from __future__ import annotations

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
    wide = pd.read_csv(Path(__file__).with_name("mpdta.csv"))
    long = wide.melt(id_vars=["county", "lpop", "first_treat"], var_name="year", value_name="lemp")
    return long.assign(year=long["year"].astype(int))
