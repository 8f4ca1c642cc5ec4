"""The Dagum laws and regency targets reproduce what is published."""

from __future__ import annotations

import numpy as np
import pytest

from dtsen_core.collect.simulate import dwelling, targets
from dtsen_core.policy import measures
from dtsen_core.regions import official


def test_every_province_has_a_law_with_its_mean_headcount_and_gini() -> None:
    published = official.provinces().set_index("code")
    for target in targets.provinces():
        row = published.loc[target.code]
        assert target.law.mean == pytest.approx(row["exp_pc_month_rp_mar2025"], rel=1e-6)
        assert target.law.headcount == pytest.approx(row["p0_mar2025"] / 100, abs=1e-6)
        if target.gini_published:
            assert target.law.gini == pytest.approx(row["gini_mar2025"], abs=1e-6)
    assert sum(not t.gini_published for t in targets.provinces()) == 3


def test_closed_gini_agrees_with_a_numerical_one() -> None:
    law = targets.Dagum(a=2.5, b=1_000_000, p=2.0, line=600_000)
    edges = np.linspace(0, 1, 20_001)
    assert measures.gini_of_shares(law.bin_means(edges), np.diff(edges)) == pytest.approx(law.gini, abs=2e-5)


def test_bin_means_keep_the_total_for_any_bins() -> None:
    law = targets.Dagum(a=1.9, b=900_000, p=30.0, line=600_000)
    edges = np.concatenate(([0.0], np.sort(np.random.default_rng(3).random(50)), [1.0]))
    assert (law.bin_means(edges) * np.diff(edges)).sum() == pytest.approx(law.mean, rel=1e-9)


def test_capped_tail_has_the_published_upper_ratio() -> None:
    cap = targets.rules()["p1_over_p0_cap"]
    assert max(t.law.poverty_gap_ratio() for t in targets.provinces()) <= cap + 1e-9


def test_no_law_is_reported_as_none() -> None:
    assert targets.solve_dagum(mean=1e6, headcount=0.9, line=1e5, gini=0.05) is None


def test_regency_targets_average_to_the_province() -> None:
    frame = targets.regency_headcounts()
    assert len(frame) == 514
    mean = (frame["target"] * frame["population"]).groupby(frame["parent_code"]).sum() / frame.groupby(
        "parent_code")["population"].sum()  # fmt: skip
    wanted = official.provinces().set_index("code")["p0_mar2025"] / 100
    assert np.allclose(mean, wanted.loc[mean.index])


def test_improved_sanitation_and_water_average_to_the_province() -> None:
    frame, provinces = official.regencies(), official.provinces().set_index("code")
    for name, found in zip(("sanitation", "water"), dwelling.improved_targets(), strict=True):
        weighted = (found * frame["population"]).groupby(frame["parent_code"]).sum() / frame.groupby(
            "parent_code")["population"].sum()  # fmt: skip
        published = provinces[f"{name}_pct_2025"] / 100
        assert np.abs(weighted - published.loc[weighted.index]).max() < 0.01


def test_the_rural_gap_splits_the_nation_as_published() -> None:
    share, headcount = np.array([0.2, 0.5, 0.9]), np.array([0.15, 0.09, 0.05])
    gap = targets.rural_gap(share, headcount, np.ones(3), urban=0.06, rural=0.12)
    assert gap > 0
