"""A plan: kept, sent in an address, evaluated, refused in one sentence."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtsen_core import locale
from dtsen_core.errors import UserError
from dtsen_core.policy import priority_plan
from dtsen_core.policy.priority_plan import Item, Own, Plan
from dtsen_core.policy.priority_rules import priority_rules
from dtsen_core.present import prioritas, prioritas_compare
from dtsen_core.regions import neighbours, official, units

NATION = {"pkh": 0.12, "p0": 0.1}
PLAN = priority_plan.default_plan()


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priority_plan, "DRAWS", 60)


def test_a_plan_survives_json() -> None:
    own = Own("own_1", "Jalan rusak", "regency", (("1101", 2.0), ("1102", 3.5)))
    items = (*PLAN.items, Item("own_1", 10, -1))
    plan = replace(PLAN, own=(own,), items=items, normalisation="z", top=20, coast="pesisir")
    assert priority_plan.of_params(json.loads(json.dumps(plan.params()))) == plan


@pytest.mark.parametrize(
    "change",
    [{"level": "planet"}, {"items": [{"key": "p0"}]}, {"top": 0}, {"within": "99"}, {"aggregation": "sum"},
     {"items": 3}],
)
def test_params_of_another_time_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(UserError) as caught:
        priority_plan.of_params({**PLAN.params(), **change})
    assert caught.value.key == "errors_prioritas.stale"


@given(st.lists(st.tuples(st.sampled_from(sorted(priority_rules().of_level("regency"))), st.integers(0, 100),
                          st.sampled_from((1, -1)), st.none() | st.floats(0, 1e6)),
                min_size=1, max_size=8, unique_by=lambda i: i[0]))  # fmt: skip
def test_items_survive_an_address(items: list[tuple[str, int, int, float | None]]) -> None:
    made = tuple(Item(k, float(w), d, None if t is None else float(f"{t:g}")) for k, w, d, t in items)
    assert priority_plan.parse_items(priority_plan.code_items(made), "regency") == made


@given(st.text(max_size=60))
def test_what_is_no_plan_in_an_address_is_refused(text: str) -> None:
    try:
        found = priority_plan.parse_items(text, "regency")
    except ValueError:
        return
    assert all(0 <= i.weight <= 100 for i in found)


def test_the_ranking_follows_the_plan(frame: pd.DataFrame) -> None:
    ranked = priority_plan.evaluate(PLAN, frame, NATION)
    assert len(ranked.table) == 514
    assert ranked.table["rank"].is_monotonic_increasing
    assert ranked.table["p_top"].sum() == pytest.approx(50, abs=1)
    for lang in locale.LANGS:
        title = prioritas.finding(ranked, lang)
        assert ranked.table["name"].iloc[0] in title
        assert str(int(ranked.table["robust"].sum())) in title
    rows = prioritas.map_rows(ranked)
    assert set(rows["klass"]) <= {1, 2, 3, 4, 5}
    assert sum(int(e.detail.split()[0]) for e in prioritas.legend(ranked, "id")) == 514


def test_a_withheld_figure_is_a_missing_one(frame: pd.DataFrame) -> None:
    frame.loc["1101", "p0"] = np.nan
    ranked = priority_plan.evaluate(PLAN, frame, NATION)
    assert ranked.left_out == ("1101",)
    filled = priority_plan.evaluate(replace(PLAN, missing="median"), frame, NATION)
    assert filled.left_out == ()


def test_filters_narrow_the_areas(frame: pd.DataFrame) -> None:
    def codes(**change: object) -> set[str]:
        return set(priority_plan.evaluate(replace(PLAN, **change), frame, NATION).table.index)  # type: ignore[arg-type]

    assert {c[:2] for c in codes(island="Jawa")} == {"31", "32", "33", "34", "35", "36"}
    assert codes(within="35") == {c for c in frame.index if c.startswith("35")}
    assert len(codes(place="kota")) == 98
    frame["urban_share"] = np.linspace(0, 1, len(frame))
    assert codes(urban="perkotaan") == set(frame.index[frame["urban_share"] >= 0.5])
    assert codes(urban="perdesaan") == set(frame.index[frame["urban_share"] < 0.5])
    assert codes(coast="pesisir") == set(neighbours.coastal("regency"))
    assert codes(below="pkh") == set(frame.index[frame["pkh"] < 0.12])
    assert codes(size=500_000) == set(frame.index[frame["persons"] >= 500_000])


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"items": ()}, "no_indicator"),
        ({"items": (Item("p0", 0),)}, "no_weight"),
        ({"items": (Item("gini", 50),)}, "all_missing"),
        ({"items": (Item("p0_official", 50, 1, None),), "normalisation": "target"}, "no_target"),
        ({"size": 1_000_000, "within": "34"}, "no_area"),
    ],
)
def test_what_cannot_be_ranked_is_one_sentence(frame: pd.DataFrame, change: dict[str, object], key: str) -> None:
    if key == "no_area":
        frame.loc[frame.index.str.startswith("34"), "persons"] = 1.0
    with pytest.raises(UserError) as caught:
        priority_plan.evaluate(replace(PLAN, **change), frame, NATION)  # type: ignore[arg-type]
    assert caught.value.key == f"errors_prioritas.{key}"
    assert all(caught.value.message(lang) for lang in locale.LANGS)


def test_a_constant_indicator_is_named_in_the_readers_language(frame: pd.DataFrame) -> None:
    frame["p0"] = 0.1
    with pytest.raises(UserError) as caught:
        priority_plan.evaluate(PLAN, frame, NATION)
    assert "Tingkat kemiskinan (P0)" in caught.value.message("id")
    assert "Poverty rate (P0)" in caught.value.message("en")


def test_the_change_that_is_named_is_just_enough(frame: pd.DataFrame) -> None:
    ranked = priority_plan.evaluate(PLAN, frame, NATION)
    for code in (ranked.table.index[59], ranked.table.index[39]):
        inside = bool(ranked.table.at[code, "rank"] <= ranked.top)
        changes = priority_plan.needed_change(ranked, str(code))
        assert changes
        for key, value in changes.items():
            moved = frame.copy()
            moved.at[code, key] = value
            again = priority_plan.evaluate(PLAN, moved, NATION)
            assert bool(again.table.at[code, "rank"] <= ranked.top) != inside
        sentences = prioritas.change_sentences(ranked, str(code), changes, "id")
        assert len(sentences) == len(changes)
        assert ("keluar" if inside else "masuk") in sentences[0]


def test_distance_to_the_national_target(frame: pd.DataFrame) -> None:
    plan = replace(PLAN, normalisation="target", items=(Item("p0", 50, 1, 0.05),))
    ranked = priority_plan.evaluate(plan, frame, NATION)
    found = prioritas.targets(ranked).iloc[0]
    assert found["met"] == (frame["p0"] <= 0.05).sum()
    assert found["worst"] == frame["p0"].idxmax()
    assert ranked.table["score"].min() == 0


def test_provinces_are_measured_against_their_own_targets_too() -> None:
    plan = priority_plan.default_plan("province")
    known = plan.indicators()
    keys = ("p0_official", "gini_official", "unemployment")
    plan = replace(plan, items=tuple(priority_plan.default_item(known[k]) for k in keys), missing="median")
    codes = units.table("province")["code"]
    figures = pd.DataFrame({"n": 1000, "families": 1.0, "persons": 1.0}, index=pd.Index(codes, name="code"))
    found = prioritas.targets(priority_plan.evaluate(plan, figures, NATION)).set_index(["key", "own"])
    assert list(found.index) == [("p0_official", False), ("p0_official", True), ("gini_official", False),
                                 ("gini_official", True), ("unemployment", True)]  # fmt: skip
    assert found.loc[("p0_official", True), ["met", "unknown"]].tolist() == [0, 2]
    assert found.at[("gini_official", False), "target"] == 0.375


def test_the_plan_asks_every_province_to_improve() -> None:
    plan, now = official.provincial_plan(), official.provinces()
    for name in ("p0", "gini", "unemployment"):
        assert (plan[f"{name}_low"] < plan[f"{name}_high"])[plan[f"{name}_low"].notna()].all()
    known = plan["p0_high"].notna()
    assert known.sum() == 36
    assert (plan["p0_high"] < now["p0_mar24"])[known].all()


def test_a_top_of_all_areas_becomes_a_quarter(frame: pd.DataFrame) -> None:
    ranked = priority_plan.evaluate(replace(PLAN, within="32", top=50), frame, NATION)
    assert ranked.top == 27 // 4
    assert ranked.table["p_top"].sum() == pytest.approx(ranked.top, rel=0.05)


def test_two_scenarios_are_compared(frame: pd.DataFrame) -> None:
    a = priority_plan.evaluate(PLAN, frame, NATION)
    same = prioritas_compare.compare(a, a)
    assert (same.both, same.only_a, same.only_b, same.overlap) == (50, 0, 0, 1.0)
    b = priority_plan.evaluate(replace(PLAN, items=PLAN.items[:1]), frame, NATION)
    found = prioritas_compare.compare(a, b)
    assert found.both + found.only_a == 50 == found.both + found.only_b
    up, down = prioritas_compare.movers(found)
    assert (up["change"] > 0).all()
    assert (down["change"] < 0).all()
    assert str(found.both) in prioritas_compare.finding(found, ("A", "B"), "id")


def test_a_given_list_is_compared(frame: pd.DataFrame) -> None:
    ranked = priority_plan.evaluate(PLAN, frame, NATION)
    top = [str(c) for c in ranked.table.index[:50]]
    groups = prioritas.compare_list(ranked, {*top[:10], str(ranked.table.index[100])})
    assert groups["both"] == top[:10]
    assert groups["only_listed"] == [str(ranked.table.index[100])]
    assert len(groups["only_ours"]) == 40


def test_district_plans_have_a_province() -> None:
    assert Plan(level="district").normalised().within == "11"
    assert priority_plan.of_params({**priority_plan.default_plan("district").params(), "within": "32"}).within == "32"
