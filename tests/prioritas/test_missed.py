"""Who is missed: against the counts and the poverty rate that other rooms compute from the same families."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dtsen_core.errors import UserError
from dtsen_core.oversight.disclosure import publish
from dtsen_core.oversight.missed import missed_spec
from dtsen_core.policy import missed, priority_budget
from dtsen_core.policy.coverage import coverage
from dtsen_core.policy.priority_budget import Budget
from dtsen_core.policy.welfare import RankRequest, full_ranking
from dtsen_core.registry.dataset import Dataset


@pytest.fixture(scope="module")
def opened(small_dataset: Path) -> Dataset:
    return Dataset.open(small_dataset)


def test_those_within_the_deciles_are_the_uncovered_of_the_map(opened: Dataset) -> None:
    found = missed.missed(opened, "regency").set_index("code")
    known = coverage(opened, "regency").set_index("code")
    np.testing.assert_allclose(found["pbi_quota"], known["uncovered_d15"])
    assert (found["pkh_quota"] <= known["families_d14"] + 1e-6).all()


def test_the_probability_of_being_poor_adds_up_to_the_poverty_rate(opened: Dataset) -> None:
    cursor = opened.cursor()
    join, poor = missed._poor(opened, cursor)
    found = cursor.execute(
        f"""SELECT sum(w.weight * w.survey_factor * f.family_size * {poor})
  / sum(w.weight * w.survey_factor * f.family_size) AS p0
FROM family_packed AS f JOIN area_weight AS w USING (regency) {join} GROUP BY f.province ORDER BY f.province"""
    ).df()["p0"]
    known = full_ranking(opened, RankRequest(level="province")).areas["p0"]
    np.testing.assert_allclose(found, known, atol=0.002)


def test_levels_add_up_and_reach_the_village(opened: Dataset) -> None:
    nation = missed.missed(opened, "province")
    for level in ("regency", "district", "village"):
        part = missed.missed(opened, level, "32")
        whole = nation.set_index("code").loc["32"]
        for column in ("persons", "pkh_quota", "pkh_high", "pbi_quota", "pkh_persons"):
            assert part[column].sum() == pytest.approx(whole[column])
    assert missed.missed(opened, "village", "32")["unlisted_persons"].isna().all()
    assert nation["unlisted_persons"].ge(0).all()
    with pytest.raises(UserError):
        missed.missed(opened, "regency", "99")


def test_small_counts_leave_through_the_one_exit(opened: Dataset) -> None:
    frame = missed.missed(opened, "district", "3201").dropna(axis=1, how="all")
    weight = frame["families"] / frame["n"]
    counts = [c for c in frame.columns if c not in ("code", "name", "n")]
    frame[counts] = frame[counts].div(weight, axis=0)  # as on real data, where each row is one family
    shown = publish(frame, missed_spec(frame), origin="real").frame
    assert shown["pkh_high"].isna().any()


def table() -> tuple[pd.DataFrame, pd.DataFrame]:
    missed_table = pd.DataFrame(
        {"code": ["3201", "3202", "9401"], "families": [100.0, 200, 50], "persons": [300.0, 600, 250],
         "pkh_quota": [10.0, 20, 8], "pbi_quota": [60.0, 50, 40]}
    )  # fmt: skip
    areas = pd.DataFrame({"p0": [0.1, 0.2, 0.4], "p1": [0.02, 0.03, 0.1], "poor_persons": [30.0, 120, 100],
                          "persons_d15": [150.0, 300, 200]}, index=missed_table["code"])  # fmt: skip
    return missed_table, areas


def test_a_budget_is_spent_on_persons_at_the_cost_of_their_programme() -> None:
    missed_table, areas = table()
    need = priority_budget.demand(missed_table, ["pkh", "pbi"], "2026-01-23")
    np.testing.assert_allclose(need["pkh"], [30, 60, 40])
    index = priority_budget.cost_index(need.index, {})
    assert index["9401"] > index["3201"] == 1
    costs = priority_budget.unit_costs(missed_table, ["pkh", "pbi"], index, "2026-01-23")
    assert costs.at["3201", "pbi"] == pytest.approx(504_000)
    assert costs.at["3201", "pkh"] == pytest.approx(2_870_000 / 3)
    whole = priority_budget.whole_cost(missed_table, ["pkh", "pbi"], {}, "2026-01-23")
    assert whole == pytest.approx(float((need * costs).to_numpy().sum()))
    for objective in priority_budget.OBJECTIVES:
        bought = priority_budget.buy(missed_table, areas, Budget(("pkh", "pbi"), whole / 3, objective))
        assert bought.found.spent <= whole / 3 * (1 + 1e-9)
        assert bought.found.gap >= -1e-6
    everybody = priority_budget.buy(missed_table, areas, Budget(("pbi",), whole))
    assert everybody.found.objective == pytest.approx(150)


def test_a_budget_that_cannot_be_is_one_sentence() -> None:
    missed_table, areas = table()
    with pytest.raises(UserError) as caught:
        priority_budget.buy(missed_table, areas, Budget(("pkh",), 1e6, least=0.9))
    assert caught.value.key == "errors_prioritas.infeasible"
    assert "90%" in caught.value.message("id")
    with pytest.raises(UserError) as caught:
        priority_budget.buy(missed_table.assign(pkh_quota=0.0), areas, Budget(("pkh",), 1e6))
    assert caught.value.key == "errors_prioritas.nobody"
    with pytest.raises(UserError) as caught:
        priority_budget.buy(missed_table, areas.drop(columns="p0"), Budget(("pkh",), 1e6, "gap"))
    assert caught.value.key == "errors_prioritas.no_gap"
