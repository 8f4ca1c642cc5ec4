"""Whole rankings on a nation with known truth, and what each request may and may not do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from dtsen_core.errors import UserError
from dtsen_core.policy import estimates
from dtsen_core.policy.coverage import coverage, official_deciles
from dtsen_core.policy.welfare import COLUMNS, DECILES, SCOPES, RankRequest, full_ranking, transition
from dtsen_core.rank import scorecard
from dtsen_core.rank.official import scope_of_regency
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset
from tests.policy.conftest import Nation


def truth(nation: Nation, area: np.ndarray, persons: np.ndarray) -> pd.Series:
    line = estimates.poverty_lines()[nation.families.province]
    poor = np.bincount(area, persons * (nation.expenditure < line), 514)
    return pd.Series(poor) / np.bincount(area, persons, 514)


def persons(nation: Nation) -> np.ndarray:
    return nation.families.size * nation.weight[nation.families.regency]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("unit", ["families", "persons"])
def test_deciles_equal_a_slow_count(nation: Nation, scope: str, unit: str) -> None:
    result = full_ranking(nation.dataset, RankRequest(scope=scope, unit=unit))
    card = scorecard.load(nation.dataset.cursor(), "pmt_provinsi")
    f = nation.families
    load = nation.weight[f.regency] * (f.size if unit == "persons" else 1)
    frame = pd.DataFrame({
        "regency": f.regency, "scope": scope_of_regency(scope)[f.regency], "load": load,
        "units": f.size if unit == "persons" else 1,
        "score": card.scores(f.categories, f.regency, f.urban),
    }).sort_values(["scope", "score"])  # fmt: skip
    if scope == "regency":  # one weight: the exact rule of ntile
        ties = frame.groupby(["scope", "score"])["units"].sum()
        below = ties.groupby("scope").cumsum() - ties
        total = ties.groupby("scope").transform("sum")
        a, m = total // 10, total % 10
        head = below // (a + 1) + 1
        decile = head.where(below < m * (a + 1), np.minimum(10, m + (below - m * (a + 1)) // a + 1))
    else:
        ties = frame.groupby(["scope", "score"])["load"].sum()
        below = ties.groupby("scope").cumsum() - ties
        decile = np.minimum(10, (10 * below / ties.groupby("scope").transform("sum") + 1e-9) // 1 + 1)
    frame = frame.join(decile.rename("decile"), on=["scope", "score"])
    expected = frame.pivot_table(index="regency", columns="decile", values="load", aggfunc="sum", fill_value=0)
    found = result.areas[list(DECILES)].to_numpy()
    np.testing.assert_allclose(found, expected.to_numpy())
    whole = result.areas["families" if unit == "families" else "persons"]
    np.testing.assert_allclose(found.sum(axis=1), whole)


def test_estimates_are_near_the_truth(nation: Nation) -> None:
    result = full_ranking(nation.dataset, RankRequest())
    load = persons(nation)
    line = estimates.poverty_lines()[nation.families.province]
    national = np.average(nation.expenditure < line, weights=load)
    assert result.total["p0"].iat[0] == pytest.approx(national, abs=0.006)
    assert result.total["mean_expenditure"].iat[0] == pytest.approx(
        np.average(nation.expenditure, weights=load), rel=0.03)  # fmt: skip
    position = [units.index("regency")[c] for c in result.areas["code"]]
    known = truth(nation, nation.families.regency, load)[position].to_numpy()
    error = result.areas["p0"].to_numpy() - known
    assert np.abs(error).mean() < 0.015
    assert np.polyfit(known, result.areas["p0"], 1)[0] > 0.7
    inside = (known >= result.areas["p0_low"]) & (known <= result.areas["p0_high"])
    assert inside.mean() > 0.8


def test_a_bare_score_is_not_expenditure(nation: Nation) -> None:
    estimated = full_ranking(nation.dataset, RankRequest()).total
    plain = full_ranking(nation.dataset, RankRequest(plain=True)).total
    assert plain["p0"].iat[0] < estimated["p0"].iat[0]
    assert plain["gini"].iat[0] < estimated["gini"].iat[0]


def test_plain_measures_are_exact(nation: Nation) -> None:
    plain = full_ranking(nation.dataset, RankRequest(plain=True)).areas
    card = scorecard.load(nation.dataset.cursor(), "pmt_provinsi")
    f = nation.families
    value = np.exp(card.scores(f.categories, f.regency, f.urban) / 1000)
    poor = value < estimates.poverty_lines()[f.province]
    expected = np.bincount(f.regency, f.size * poor, 514) / np.maximum(np.bincount(f.regency, f.size, 514), 1)
    position = [units.index("regency")[c] for c in plain["code"]]
    np.testing.assert_allclose(plain["p0"], expected[position], atol=1e-12)


def test_levels_agree_with_each_other(nation: Nation) -> None:
    by = {
        level: full_ranking(nation.dataset, RankRequest(level=level)) for level in ("province", "regency", "district")
    }
    total = by["regency"].total.iloc[0]
    for level, result in by.items():
        assert list(result.areas.columns) == list(COLUMNS)
        assert list(result.total.columns) == list(COLUMNS)
        assert result.areas["code"].is_monotonic_increasing
        for name in ("n", "families", "persons", *DECILES):
            assert result.areas[name].sum() == pytest.approx(total[name]), (level, name)
        assert result.areas["poor_persons"].sum() == pytest.approx(total["poor_persons"], rel=1e-6), level
        assert result.total["p0"].iat[0] == pytest.approx(total["p0"])
        classes = result.areas[["share_poor", "share_vulnerable", "share_prosperous"]].sum(axis=1)
        np.testing.assert_allclose(classes, 1)
        assert (result.areas["p0_low"] <= result.areas["p0"]).all()
        assert (result.areas["p0_high"] >= result.areas["p0"]).all()
        pd.testing.assert_frame_equal(result.thresholds, by["regency"].thresholds)


def test_a_region_shows_the_same_figures_and_its_own_total(nation: Nation) -> None:
    everywhere = full_ranking(nation.dataset, RankRequest()).areas.set_index("code")
    result = full_ranking(nation.dataset, RankRequest(region="32"))
    assert set(result.areas["code"].str[:2]) == {"32"}
    pd.testing.assert_frame_equal(result.areas.set_index("code"), everywhere.loc[result.areas["code"]])
    assert result.total["code"].iat[0] == "32"
    province = full_ranking(nation.dataset, RankRequest(level="province", region="32")).areas
    for name in ("families", "p0", "gini", "p0_low", *DECILES):
        assert result.total[name].iat[0] == pytest.approx(province[name].iat[0]), name
    assert result.families == pytest.approx(result.areas["families"].sum())


def test_districts_of_a_region(nation: Nation) -> None:
    code = full_ranking(nation.dataset, RankRequest(region="32")).areas["code"].iat[0]
    regency = full_ranking(nation.dataset, RankRequest(region=code)).areas
    districts = full_ranking(nation.dataset, RankRequest(region=code, level="district"))
    assert districts.areas["code"].str.startswith(code).all()
    assert districts.areas["families"].sum() == pytest.approx(regency["families"].sum())
    assert districts.total["p0"].iat[0] == pytest.approx(regency["p0"].iat[0])
    one = full_ranking(nation.dataset, RankRequest(region=districts.areas["code"].iat[0], level="district"))
    assert len(one.areas) == 1
    assert one.total["p0"].iat[0] == pytest.approx(one.areas["p0"].iat[0])
    assert one.areas["p0_low"].iat[0] >= 0


def test_the_benchmark_meets_the_official_rate_and_keeps_the_order(nation: Nation) -> None:
    plain = full_ranking(nation.dataset, RankRequest(level="province"))
    result = full_ranking(nation.dataset, RankRequest(level="province", benchmark=True))
    position = [units.index("province")[c] for c in result.areas["code"]]
    np.testing.assert_allclose(result.areas["p0"], estimates.official_p0()[position], atol=1e-9)
    np.testing.assert_allclose(result.areas["p0_unbenchmarked"], plain.areas["p0"])
    np.testing.assert_allclose(result.areas["gini"], plain.areas["gini"])
    pd.testing.assert_frame_equal(result.thresholds, plain.thresholds)


def test_thresholds_of_each_scope(nation: Nation) -> None:
    for scope, rows in (("national", 1), ("province", 3)):
        table = full_ranking(nation.dataset, RankRequest(scope=scope)).thresholds
        assert len(table) == rows
        values = table[[f"t{k}" for k in range(1, 10)]].to_numpy(float)
        assert (np.diff(values, axis=1) > 0).all()
        assert ((values > 11_000) & (values < 18_000)).all()


def test_an_uploaded_scorecard_learns_its_residuals_from_the_survey(nation: Nation, card_file: Path) -> None:
    result = full_ranking(nation.dataset, RankRequest(model=str(card_file)))
    line = estimates.poverty_lines()[nation.families.province]
    national = np.average(nation.expenditure < line, weights=persons(nation))
    assert result.total["p0"].iat[0] == pytest.approx(national, abs=0.012)
    assert np.isnan(result.total["p0_low"].iat[0])


def test_transition_of_a_ranking_with_itself_is_its_diagonal(nation: Nation) -> None:
    request = RankRequest(scope="province")
    table = transition(nation.dataset, request, replace(request, level="district"), None)
    ranked = full_ranking(nation.dataset, request).total
    np.testing.assert_allclose(np.diag(table), ranked[list(DECILES)].to_numpy()[0])
    assert table.to_numpy().sum() == pytest.approx(ranked["families"].iat[0])
    official = transition(nation.dataset, request, replace(request, model="resmi"), None)
    np.testing.assert_allclose(table, official)


def test_transition_margins_are_the_two_rankings(nation: Nation) -> None:
    a, b = RankRequest(unit="persons"), RankRequest(model="pmt_nasional", scope="regency", unit="persons")
    table = transition(nation.dataset, a, b, "32")
    for axis, request in ((1, a), (0, b)):
        margin = full_ranking(nation.dataset, replace(request, region="32")).total[list(DECILES)].to_numpy()[0]
        np.testing.assert_allclose(table.to_numpy().sum(axis=axis), margin)


def test_official_deciles_are_counted_as_delivered(real: Dataset) -> None:
    result = full_ranking(real, RankRequest(model="resmi", scope="province"))
    rows = real.cursor().execute("""SELECT desil_provinsi AS d, count(*) AS n FROM family_packed GROUP BY 1""").df()
    counted = rows.set_index("d")["n"]
    assert result.total[list(DECILES)].to_numpy()[0].tolist() == [counted[k] for k in range(1, 11)]
    assert result.total["n"].iat[0] == 1_200
    assert result.thresholds.empty
    assert result.areas["p0"].isna().all()
    table = official_deciles(real, "regency", scope="province")
    assert table["unknown"].sum() == counted[0]
    assert table["families"].sum() == 1_200


def test_real_families_are_not_ranked_by_a_simulated_model(real: Dataset, card_file: Path) -> None:
    for model in ("pmt_provinsi", "pmt_nasional"):
        with pytest.raises(UserError) as refused:
            full_ranking(real, RankRequest(model=model))
        assert refused.value.key == "errors_rank.simulated_model"
    result = full_ranking(real, RankRequest(model=str(card_file), scope="regency"))
    assert result.areas[list(DECILES)].sum().sum() == 1_200
    assert result.areas["p0"].isna().all()
    assert full_ranking(real, RankRequest(model=str(card_file), plain=True)).areas["p0"].notna().all()


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"scope": "desa"}, "errors_rank.scope"),
        ({"unit": "rumah"}, "errors_rank.unit"),
        ({"level": "village"}, "errors_rank.level"),
        ({"region": "99"}, "errors_regions.unknown_code"),
        ({"region": "3201", "level": "province"}, "errors_rank.region_below_level"),
        ({"model": "pmt_provins"}, "errors_rank.unknown_model"),
        ({"model": "tidak-ada.csv"}, "errors_rank.scorecard_missing"),
    ],
)
def test_what_cannot_be_asked_is_answered_with_a_sentence(nation: Nation, fields: dict[str, str], key: str) -> None:
    with pytest.raises(UserError) as refused:
        full_ranking(nation.dataset, RankRequest(**fields))
    assert refused.value.key == key
    assert refused.value.message("id") != refused.value.message("en")


def test_requests_are_keys() -> None:
    assert RankRequest() == RankRequest("pmt_provinsi", "national", "families", None, "regency", False, False)
    assert len({RankRequest(), RankRequest(plain=True), RankRequest()}) == 2


def test_coverage_counts_flags_by_area(nation: Nation) -> None:
    table = coverage(nation.dataset, "province")
    assert table["families"].sum() == pytest.approx(nation.weight[nation.families.regency].sum())
    assert table["code"].tolist() == [units.table("province")["code"].iat[p] for p in (10, 11, 18)]
    villages = coverage(nation.dataset, "village", "32")
    assert villages["n"].sum() == table.set_index("code").loc["32", "n"]
    share = table["families_d14"].sum() / table["families"].sum()
    assert share == pytest.approx(0.4, abs=0.01)
    with pytest.raises(UserError):
        coverage(nation.dataset, "province", "3201")


def test_queries_do_not_depend_on_the_order_of_rows(nation: Nation) -> None:
    found = full_ranking(nation.dataset, RankRequest(model="pmt_nasional")).areas
    con = duckdb.connect()
    shuffled = nation.dataset.cursor().execute("SELECT * FROM family_packed ORDER BY hash(id_keluarga)").df()
    con.register("rows_in_other_order", shuffled)
    con.execute("CREATE TABLE family_packed AS SELECT * FROM rows_in_other_order")
    for name in ("packing", "area_weight", "model", "model_coefficient", "model_area", "model_effect",
                 "model_residual"):  # fmt: skip
        rows = nation.dataset.cursor().execute(f"SELECT * FROM {name}").df()  # noqa: F841
        con.execute(f"CREATE TABLE {name} AS SELECT * FROM rows")
    other = replace(nation.dataset, connection=con, manifest=replace(nation.dataset.manifest, version="acak"))
    again = full_ranking(other, RankRequest(model="pmt_nasional")).areas
    pd.testing.assert_frame_equal(found, again)


def test_a_multiple_of_the_poverty_line_moves_poverty_and_nothing_else(nation: Nation) -> None:
    usual, higher = (full_ranking(nation.dataset, RankRequest(line=line)) for line in ("", "150%"))
    assert (higher.areas["p0"] > usual.areas["p0"]).all()
    assert np.allclose(higher.areas["p0"], usual.areas["share_poor"] + usual.areas["share_vulnerable"])
    same = ["n", *DECILES, "gini", "mean_expenditure"]
    pd.testing.assert_frame_equal(higher.areas[same], usual.areas[same])
    for line in ("0", "nan", "1100%"):
        with pytest.raises(UserError):
            RankRequest(line=line)
