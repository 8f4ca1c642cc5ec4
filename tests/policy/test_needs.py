"""Need, quota and waiting list against a count family by family; the quota is met exactly; odd files are explained."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtsen_core.errors import UserError
from dtsen_core.policy import needs, places
from dtsen_core.policy.programme_rules import Rule, rule_on
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset


@pytest.fixture(scope="module")
def dataset(small_dataset: Path) -> Dataset:
    return Dataset.open(small_dataset)


def rule(dataset: Dataset, key: str) -> Rule:
    return rule_on(key, dataset.manifest.as_of)


def naive(dataset: Dataset, what: str, where: str) -> float:
    found = dataset.cursor().execute(
        f"SELECT sum(({what}) * w.weight) FROM family_packed f JOIN area_weight w USING (regency) WHERE {where}"
    ).fetchone()  # fmt: skip
    return float(found[0])


@pytest.mark.parametrize("level", needs.LEVELS)
@pytest.mark.parametrize("split", needs.SPLITS)
def test_areas_add_up_to_the_nation_and_the_quota(dataset: Dataset, level: str, split: str) -> None:
    table = needs.needs_by_area(dataset, rule(dataset, "sembako"), level, split=split)
    low = "f.desil_nasional BETWEEN 1 AND 5"
    assert table["eligible"].sum() == pytest.approx(naive(dataset, "1", low))
    assert table["enrolled"].sum() == pytest.approx(naive(dataset, "f.sembako", "true"))
    assert table["waiting"].sum() == pytest.approx(naive(dataset, "1 - f.sembako", low))
    assert table["quota"].sum() == pytest.approx(18.3e6)
    assert (table["eligible"] - table["quota"] - table["gap"]).abs().max() < 1e-6


def test_provinces_add_up_to_the_deciles_and_the_budget_of_the_nation(dataset: Dataset) -> None:
    pkh = rule(dataset, "pkh")
    whole, budget = needs.needs_by_decile(dataset, pkh), needs.yearly_budget(dataset, pkh)
    provinces = units.table("province")["code"]
    parts = sum(needs.needs_by_decile(dataset, pkh, code).drop(columns="decile") for code in provinces)
    pd.testing.assert_frame_equal(parts, whole.drop(columns="decile"), check_dtype=False)
    costs = [needs.yearly_budget(dataset, pkh, code) for code in provinces]
    for name in ("eligible", "placed", "enrolled"):
        assert sum(cost[name] for cost in costs) == pytest.approx(budget[name])
    assert budget["published"] == pkh.budget
    assert all(pd.isna(cost["published"]) for cost in costs)


def test_persons_are_persons(dataset: Dataset) -> None:
    table = needs.needs_by_decile(dataset, rule(dataset, "pbi"))
    assert table["eligible"].sum() == pytest.approx(naive(dataset, "f.family_size", "f.desil_nasional BETWEEN 1 AND 5"))
    assert table["enrolled"].sum() == pytest.approx(naive(dataset, "f.pbi_persons", "true"))
    assert table["placed"].sum() == pytest.approx(96.8e6)
    assert table.loc[table["decile"] > 5, "placed"].sum() == pytest.approx(table["kept"].sum())
    assert table["kept"].sum() > 0


def test_what_the_rule_does_not_say_stays_unknown(dataset: Dataset) -> None:
    pip = needs.needs_by_area(dataset, rule(dataset, "pip"))
    assert pip[["eligible", "waiting", "gap"]].isna().all(axis=None)
    assert pip["enrolled"].sum() > 0
    school = needs.needs_by_area(dataset, rule(dataset, "sekolah_rakyat"))
    assert school[["quota", "enrolled", "waiting"]].isna().all(axis=None)
    assert school["eligible"].sum() > 0
    assert all(pd.isna(v) for k, v in needs.yearly_budget(dataset, rule(dataset, "pip")).items() if k != "published")


def test_the_order_is_total_and_the_quota_is_met_in_the_straddling_score(dataset: Dataset) -> None:
    old = rule(dataset, "sembako")
    queue = needs.ordered(dataset, old, limit=10**9)
    assert queue["id_keluarga"].is_unique
    assert queue["position"].tolist() == list(range(1, len(queue) + 1))
    assert queue.equals(needs.ordered(dataset, old, limit=10**9))
    assert (queue["score"].diff().dropna() >= 0).all()
    tied = queue["score"].diff() == 0
    assert (queue["family_size"].astype(int).diff()[tied] <= 0).all()
    placed = queue[queue["place"]]
    assert placed["units"].sum() <= old.quota < placed["units"].sum() + queue[~queue["place"]]["units"].iloc[0]
    assert len(queue[~queue["place"]]) > 0
    assert needs.ordered(dataset, old, region="32", limit=5)["position"].is_monotonic_increasing


def test_protected_holders_come_first(dataset: Dataset) -> None:
    queue = needs.ordered(dataset, rule(dataset, "pbi"), limit=10**9)
    first = queue[queue["protected"]]
    assert len(first) > 0
    assert queue["protected"].iloc[: len(first)].all()
    assert (first["decile"] > 5).any()
    assert first["enrolled"].all()


def test_the_calculator_applies_caps(dataset: Dataset) -> None:
    members = {"pregnancy": 3, "early_childhood": 4, "primary": 3, "elderly": 1}
    lines = places.component_lines(rule(dataset, "pkh"), members)
    paid = {key: (number, counted, total) for key, number, counted, _, total in lines}
    assert paid["pregnancy"] == (3, 2, 6e6)
    assert paid["early_childhood"] == (4, 2, 6e6)
    assert paid["primary"] == (3, 3, 2.7e6)
    assert sum(total for *_, total in lines) == 6e6 + 6e6 + 2.7e6 + 2.4e6
    with pytest.raises(ValueError, match="negative"):
        places.component_lines(rule(dataset, "pkh"), {"primary": -1})
    with pytest.raises(ValueError, match="gold"):
        places.component_lines(rule(dataset, "pkh"), {"gold": 1})


def test_an_uploaded_quota_by_area(dataset: Dataset) -> None:
    given_quota = needs.read_quotas("code;quota\n32.01;1000\n3202;0\n".encode("utf-8-sig"))
    table = needs.needs_by_area(dataset, rule(dataset, "pkh"), "regency", "32", given=given_quota)
    assert table.set_index("code")["quota"].to_dict() | {"3201": 1000.0, "3202": 0.0} == table.set_index("code")[
        "quota"
    ].to_dict()
    assert table["quota"].sum() == 1000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kode,kuota\n3201,1", "code,quota"), ("code,quota\n9999,1", "line 2"), ("code,quota\n3201,-5", "zero or more"),
        ("code,quota\n3201,1\n3201,2", "twice"), ("code,quota\n3201,nan", "zero or more"), ("code,quota\n", "no area"),
        ("", "code,quota"),
    ],
)  # fmt: skip
def test_an_odd_quota_file_is_explained(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        needs.read_quotas(text.encode())


@given(st.binary(max_size=80))
def test_any_bytes_are_quotas_or_a_sentence(data: bytes) -> None:
    try:
        found: object = needs.read_quotas(b"code,quota\n" + data)
    except UserError as error:
        found = error.message("id")
    assert found
