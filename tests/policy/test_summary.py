"""The tables of the first page on the small dataset, compared with plain sums over its rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dtsen_core.policy import summary
from dtsen_core.registry.dataset import Dataset

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dataset(small_dataset: Path) -> Dataset:
    return Dataset.open(small_dataset)


@pytest.fixture(scope="module")
def rows(dataset: Dataset) -> pd.DataFrame:
    frame = dataset.cursor().execute("SELECT * FROM family_packed JOIN area_weight USING (regency)").df()
    counted = frame.select_dtypes("number").columns
    return frame.astype(dict.fromkeys(counted, "float64"))


def test_national_totals_and_shares(dataset: Dataset, rows: pd.DataFrame) -> None:
    state = summary.national_state(dataset)
    nation = state.nation.iloc[0]
    assert nation["families"] == pytest.approx(rows["weight"].sum())
    assert nation["persons"] == pytest.approx((rows["weight"] * rows["family_size"]).sum())
    low = rows["desil_nasional"].between(1, 4)
    assert nation["share_d14"] == pytest.approx(rows.loc[low, "weight"].sum() / rows["weight"].sum())
    assert len(state.provinces) == 38
    assert state.share_of_registry == pytest.approx(1.0, abs=0.01)


def test_poverty_comes_with_its_interval(dataset: Dataset) -> None:
    poverty = summary.national_state(dataset).poverty
    assert poverty is not None
    row = poverty.iloc[0]
    assert 0.05 < row["p0_low"] <= row["p0"] <= row["p0_high"] < 0.15
    assert row["poor_persons"] == pytest.approx(row["p0"] * 281.6e6, rel=0.02)  # survey base, not the registry


def test_deciles_count_each_person_under_one_payer(dataset: Dataset, rows: pd.DataFrame) -> None:
    table = summary.deciles(dataset).set_index("decile")
    assert list(table.index) == list(range(11))
    assert table["families"].sum() == pytest.approx(rows["weight"].sum())
    inside = rows[rows["desil_nasional"] == 3]
    left = (inside["family_size"] - inside["pbi_persons"] - inside["pbi_pemda_persons"]).clip(lower=0)
    assert table.loc[3, "pbi_uncovered"] == pytest.approx((left * inside["weight"]).sum())
    assert table.loc[3, "pkh"] == pytest.approx((inside["pkh"] * inside["weight"]).sum())
    assert table.loc[3, "pkh_rate"] == pytest.approx(table.loc[3, "pkh"] / table.loc[3, "families"])


def test_freshness_bands_hold_every_family_once(dataset: Dataset, rows: pd.DataFrame) -> None:
    table, median = summary.freshness(dataset)
    for kind in ("update", "ground_check"):
        assert table[kind].sum() == pytest.approx(rows["weight"].sum())
    dates = dataset.cursor().execute(
        "SELECT k.tanggal_pemutakhiran AS day, w.weight FROM keluarga k JOIN area_weight w USING (regency)"
    ).df()  # fmt: skip
    age = (pd.Timestamp(dataset.manifest.as_of) - pd.to_datetime(dates["day"])).dt.days.clip(lower=0)
    known = age.notna()
    order = np.argsort(age[known].to_numpy(), kind="stable")
    cumulated = dates["weight"][known].to_numpy()[order].cumsum()
    middle = age[known].to_numpy()[order][np.searchsorted(cumulated, cumulated[-1] / 2)]
    assert median["update"] == pytest.approx(middle, abs=1)
    fresh = (age / summary.DAYS_PER_MONTH < 6) & known
    assert table.set_index("band").loc["fresh", "update"] == pytest.approx(dates["weight"][fresh].sum())
