"""Reforms: nothing changes without a change, more never means fewer, and sums agree with a count family by family."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.errors import UserError
from dtsen_core.policy import cube as cubes
from dtsen_core.policy import models, places, reform
from dtsen_core.policy.cube import Cube
from dtsen_core.policy.programme_rules import Rule, rule_on
from dtsen_core.policy.reform_spec import UNLIMITED, Design, Reform, designed, parse_reform
from dtsen_core.rank.expenditure import Residuals
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

PROGRAMMES = ("pkh", "sembako", "pbi")


@pytest.fixture(scope="module")
def dataset(small_dataset: Path) -> Dataset:
    return Dataset.open(small_dataset)


@pytest.fixture(scope="module")
def cube(dataset: Dataset) -> Cube:
    return cubes.cube(dataset)


@pytest.fixture(scope="module")
def residuals(dataset: Dataset, cube: Cube) -> Residuals:
    found = models.residuals_for(dataset, models.scorecard_for(dataset, cube.model))
    assert found is not None
    return found.residuals


def rule(dataset: Dataset, key: str) -> Rule:
    return rule_on(key, dataset.manifest.as_of)


@pytest.fixture(scope="module")
def people(dataset: Dataset) -> pd.DataFrame:
    """Every family as a naive reader of the tables sees it: decile, flags, weight, paid in the last quarter."""
    return dataset.cursor().execute("""
        SELECT f.id_keluarga, f.desil_nasional AS decile, f.pkh, f.sembako, f.pbi_persons, f.family_size, w.weight,
          coalesce(e.amount, 0) AS paid
        FROM family_packed f JOIN area_weight w USING (regency) LEFT JOIN (
          SELECT id_keluarga, sum(amount) AS amount FROM enrolment
          WHERE program = 'pkh' AND quarter = (SELECT max(quarter) FROM enrolment) GROUP BY 1) e USING (id_keluarga)
    """).df()  # fmt: skip


def test_totals_agree_with_the_enrolment_tables(dataset: Dataset, cube: Cube, people: pd.DataFrame) -> None:
    paid = reform.states(cube, rule(dataset, "pkh"), Reform("pkh"))[0].cost
    assert paid == pytest.approx(4 * float((people["paid"] * people["weight"]).sum()), rel=1e-12)
    assert cube.rows @ np.ones(len(cube.rows)) == len(people)
    served = reform.states(cube, rule(dataset, "pbi"), Reform("pbi"))[0].served.sum()
    assert served == pytest.approx(float((people["pbi_persons"] * people["weight"]).sum()), rel=1e-12)


@pytest.mark.parametrize("key", PROGRAMMES)
@pytest.mark.parametrize("basis", ["enrolment", "rule"])
def test_a_null_reform_changes_nothing_exactly(
    dataset: Dataset, cube: Cube, residuals: Residuals, key: str, basis: str
) -> None:
    found = reform.simulate(cube, rule(dataset, key), Reform(key, basis=basis), residuals)
    assert found.totals["served_before"] == found.totals["served_after"]
    assert found.totals["cost_before"] == found.totals["cost_after"]
    assert found.totals["winners"] == found.totals["losers"] == 0
    assert found.poverty is not None
    assert found.poverty["before"] == found.poverty["after"]
    assert (found.areas["change"] == 0).all()
    same = reform.simulate(cube, rule(dataset, key), Reform(key, basis=basis, decile_to=rule(dataset, key).decile_to))
    assert same.totals["served_after"] == found.totals["served_before"]


def test_cost_equals_the_sum_over_families(dataset: Dataset, cube: Cube, people: pd.DataFrame) -> None:
    wanted = Reform("sembako", decile_to=3, quota=UNLIMITED, amount=1_000_000, basis="rule")
    found = reform.simulate(cube, rule(dataset, "sembako"), wanted)
    naive = 1_000_000 * float(people.loc[people["decile"].between(1, 3), "weight"].sum())
    assert found.totals["cost_after"] == pytest.approx(naive, rel=1e-12)
    kept = Reform("sembako", decile_to=3)
    leaves = people[(people["sembako"] == 1) & people["decile"].between(4, 5)]["weight"].sum()
    found = reform.simulate(cube, rule(dataset, "sembako"), kept)
    assert found.totals["losers"] == pytest.approx(float(leaves), rel=1e-12)
    gained = found.totals["served_after"] - found.totals["served_before"] + leaves
    assert found.totals["winners"] == pytest.approx(float(gained), rel=1e-9)


def test_the_score_points_the_right_way(dataset: Dataset, cube: Cube) -> None:
    found = reform.simulate(cube, rule(dataset, "sembako"), Reform("sembako", quota=2e6, basis="rule"))
    by = found.deciles.set_index("decile")["after"]
    assert by[1] == pytest.approx(2e6)
    assert by[2:].sum() == pytest.approx(0)


choices = st.tuples(
    st.sampled_from(PROGRAMMES), st.integers(1, 9), st.sampled_from([None, UNLIMITED, 3e6, 1e7, 2e7, 1.5e8]),
    st.sampled_from(["enrolment", "rule"]),
)  # fmt: skip


@given(choices)
@settings(max_examples=12)
def test_a_higher_cut_off_never_lowers_beneficiaries(dataset: Dataset, cube: Cube, choice: tuple) -> None:
    key, decile, quota, basis = choice
    old = rule(dataset, key)
    served = [
        reform.states(cube, old, Reform(key, decile_to=d, quota=quota, basis=basis))[1].served.sum()
        for d in (decile, decile + 1)
    ]
    assert served[1] >= served[0] * (1 - 1e-9)


@given(choices, st.floats(1.0, 3.0))
@settings(max_examples=12)
def test_a_larger_quota_never_lowers_beneficiaries(
    dataset: Dataset, cube: Cube, choice: tuple, factor: float
) -> None:
    key, decile, quota, basis = choice
    if quota in (None, UNLIMITED):
        quota = 5e6
    old = rule(dataset, key)
    served = [
        reform.states(cube, old, Reform(key, decile_to=decile, quota=quota * f, basis=basis))[1].served
        for f in (1, factor)
    ]
    assert served[1].sum() >= served[0].sum() * (1 - 1e-9)
    assert (served[0] <= cube.units(old.unit) * (1 + 1e-9)).all()
    if basis == "rule":
        assert served[0].sum() <= quota * (1 + 1e-9)


def test_protected_families_keep_their_place(dataset: Dataset, cube: Cube) -> None:
    old = rule(dataset, "pbi")
    held = places.enrolled(cube, old) * places.protected_share(cube, old)
    assert held.sum() > 0
    for basis in ("enrolment", "rule"):
        after = reform.states(cube, old, Reform("pbi", decile_to=1, basis=basis))[1].served
        assert (after >= held * (1 - 1e-9)).all()


def test_the_budget_search_is_exact(dataset: Dataset, cube: Cube) -> None:
    old = rule(dataset, "pkh")
    fit = reform.fit_budget(cube, old, 2e13)
    assert fit is not None
    assert fit.score is not None
    cost = {
        s: reform.states(cube, old, Reform("pkh", score_to=s, quota=UNLIMITED, basis="rule"))[1].cost
        for s in (fit.score, int(cube.score[cube.score > fit.score].min()) + 40)
    }
    assert cost[fit.score] == pytest.approx(fit.cost)
    assert fit.cost <= 2e13 < cost[max(cost)]
    assert reform.fit_budget(cube, rule(dataset, "pip"), 1e12) is None
    with pytest.raises(ValueError, match="above zero"):
        reform.fit_budget(cube, old, -1)


def test_more_benefit_means_less_poverty(dataset: Dataset, cube: Cube, residuals: Residuals) -> None:
    old = rule(dataset, "sembako")
    p1 = []
    for amount in (2.4e6, 3.6e6, 4.8e6):
        found = reform.simulate(cube, old, Reform("sembako", amount=amount), residuals)
        assert found.poverty is not None
        p1.append(found.poverty["after"]["p1"])
    assert p1[0] > p1[1] > p1[2]
    spent = found.poverty["after"]["mean"] - found.poverty["before"]["mean"]
    persons = float((cube.sums["persons"] * cube.weight * cube.factor).sum())
    extra = float((places.enrolled(cube, old) * cube.factor).sum()) * 2.4e6 / 12
    assert spent * persons == pytest.approx(extra, rel=1e-3)


def test_what_is_odd_is_said(dataset: Dataset, cube: Cube, residuals: Residuals) -> None:
    def said(wanted: Reform) -> set[str]:
        return {key for key, _ in reform.simulate(cube, rule(dataset, wanted.programme), wanted, residuals).warnings}

    assert "everyone" in said(Reform("sembako", decile_to=10, quota=UNLIMITED))
    assert "benefit_above_expenditure" in said(Reform("sembako", amount=9e8))
    assert {"no_amount", "no_decile_rule"} <= said(Reform("pip"))
    assert "pregnancy" in said(Reform("pkh"))


def test_a_programme_that_does_not_exist_yet(dataset: Dataset, cube: Cube) -> None:
    wanted = Reform("new", decile_to=2, amount=1.2e6, design=Design("families", "elderly_head"))
    base = designed(wanted, dt_of(dataset), {"id": "Baru", "en": "New"})
    found = reform.simulate(cube, base, wanted)
    assert found.totals["served_before"] == 0
    assert found.totals["cost_after"] == pytest.approx(found.totals["winners"] * 1.2e6)


def dt_of(dataset: Dataset):  # type: ignore[no-untyped-def]
    return pd.Timestamp(dataset.manifest.as_of).date()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"quota": -5.0}, "quota"), ({"quota": math.nan}, "quota"), ({"decile_to": 11}, "decile"),
        ({"decile_from": 5, "decile_to": 3}, "swap"), ({"amount": -1.0}, "amount"), ({"amount": math.inf}, "amount"),
        ({"line": 0.0}, "poverty line"), ({"basis": "x"}, "Basis"), ({"components": (("gold", 1.0),)}, "gold"),
    ],
)  # fmt: skip
def test_an_impossible_reform_is_explained(dataset: Dataset, cube: Cube, values: dict, said: str) -> None:
    with pytest.raises(UserError, match=said):
        reform.simulate(cube, rule(dataset, "pkh"), Reform("pkh", **values))


codes = st.builds(
    Reform, st.sampled_from(PROGRAMMES), st.none() | st.integers(1, 1), st.none() | st.integers(1, 10),
    st.none() | st.integers(8000, 20000), st.none() | st.just(UNLIMITED) | st.integers(1, 10**8).map(float),
    st.none() | st.integers(0, 10**9).map(float), st.sampled_from([(), (("primary", 1.0), ("elderly", 2e6))]),
    st.sampled_from([1.0, 1.25, 0.5]), st.sampled_from(["", "pmt_nasional"]), st.sampled_from(["enrolment", "rule"]),
    st.sampled_from([None, Design(), Design("persons", "rural")]),
)  # fmt: skip


@given(codes)
def test_a_code_is_read_back(wanted: Reform) -> None:
    assert parse_reform(wanted.code) == wanted


@given(st.text(max_size=40))
def test_any_code_is_read_or_refused(text: str) -> None:
    try:
        found: object = parse_reform(text)
    except (ValueError, UserError) as error:
        found = error
    assert found


def test_another_ranking_moves_places_not_their_number(dataset: Dataset) -> None:
    both = cubes.cube(dataset, "pmt_nasional")
    found = reform.simulate(both, rule(dataset, "sembako"), Reform("sembako", model="pmt_nasional", basis="rule"))
    assert found.totals["served_after"] == pytest.approx(found.totals["served_before"], rel=1e-9)
    assert found.totals["winners"] == pytest.approx(found.totals["losers"], rel=1e-6)
    assert found.totals["winners"] > 0


def test_coarse_cells_keep_the_totals(dataset: Dataset, cube: Cube, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cubes, "FINE", 0)
    coarse = cubes._make(dataset, cube.model, "")
    assert not coarse.exact
    assert len(coarse.rows) < len(cube.rows)
    for key in PROGRAMMES:
        old = rule(dataset, key)
        for wanted in (Reform(key), Reform(key, decile_to=3, quota=UNLIMITED, basis="rule")):
            fine, rough = (reform.simulate(c, old, replace(wanted)).totals for c in (cube, coarse))
            for name in ("served_after", "eligible_after", "cost_after", "families"):
                assert rough[name] == pytest.approx(fine[name], rel=1e-9), (key, name)


def test_disadvantaged_regencies_are_those_of_the_regulation() -> None:
    inside = reform.disadvantaged()
    assert inside.sum() == 62  # Perpres 63/2020
    codes = units.table("regency")["code"]
    for code, expected in (("1204", True), ("5301", True), ("9401", True), ("3171", False), ("5371", False)):
        assert bool(inside[(codes == code).to_numpy()][0]) is expected
