"""A sentence states the figures it is given, in both languages."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from dtsen_core import locale
from dtsen_core.policy.reform_spec import UNLIMITED, Reform
from dtsen_core.present import kebutuhan, numbers, simulasi, simulasi_charts
from dtsen_core.ui import cache, cache_simulasi
from dtsen_core.ui.cache_simulasi import Simulated


@pytest.fixture(scope="module")
def key(small_dataset: Path) -> cache.DatasetKey:
    return cache.dataset_key(small_dataset)


@pytest.fixture(scope="module")
def found(key: cache.DatasetKey) -> Simulated:
    return cache_simulasi.simulated(key, Reform("sembako", decile_to=3, quota=20_000_000.0))


@pytest.mark.parametrize("lang", locale.LANGS)
def test_the_headline_states_places_cost_and_poverty(found: Simulated, lang: str) -> None:
    figures = found.figures
    said = simulasi.finding(found.new, figures, "A", lang)
    assert numbers.people(figures["served_after"], lang) in said
    assert numbers.rupiah(figures["cost_after"], lang) in said
    assert numbers.percent(figures["after_p0"], lang, 2) in said
    moved = simulasi.moved_by(figures, "before_p0", "after_p0", "percent", lang)
    assert numbers.number(196 * figures["se_p0"], lang, 2) in moved.split("±")[1]
    assert moved in said
    assert ("−" in moved) == (figures["after_p0"] < figures["before_p0"])


@pytest.mark.parametrize("lang", locale.LANGS)
def test_decile_area_and_group_sentences_name_the_extremes(found: Simulated, lang: str) -> None:
    frame = found.deciles.frame
    said = simulasi.decile_finding(found.deciles, lang)
    row = frame.loc[frame["losers"].idxmax()]
    assert numbers.people(row["losers"], lang) in said
    assert str(int(row["decile"])) in said
    assert row["decile"] in (4, 5)
    areas = simulasi.area_change(found.regencies)
    top = areas.loc[areas["change"].idxmax()]
    assert top["name"] in simulasi.area_finding(found.regencies, lang)
    groups = found.groups.frame
    moved = (groups["after_rate"] - groups["before_rate"]).abs()
    row = groups.loc[moved.idxmax()]
    said = simulasi.group_finding(found.groups, found.figures, lang)
    assert simulasi.group_name(row["group"], lang) in said
    assert numbers.percent(row["after_rate"], lang) in said


@pytest.mark.parametrize("lang", locale.LANGS)
def test_need_and_budget_sentences(key: cache.DatasetKey, lang: str) -> None:
    needs = cache_simulasi.needed(key, "sembako", "province", None, "eligible")
    eligible = needs.areas.frame["eligible"].sum()
    said = kebutuhan.finding(needs.rule, needs.areas, lang)
    assert numbers.people(eligible - needs.rule.quota, lang) in said
    assert numbers.rupiah(needs.budget["eligible"], lang) in kebutuhan.budget_finding(needs.budget, lang)
    waiting = needs.deciles.frame["waiting"]
    said = kebutuhan.decile_finding(needs.rule, needs.deciles, lang)
    assert numbers.people(waiting.sum(), lang) in said
    fit = cache_simulasi.affordable(key, Reform("sembako", quota=UNLIMITED), 30e12)
    assert fit is not None
    said = simulasi.budget_finding(fit, needs.rule, 30e12, lang)
    assert numbers.people(fit.units, lang) in said
    assert numbers.percent(fit.share, lang, 1) in said


@pytest.mark.parametrize("lang", locale.LANGS)
def test_the_comparison_shows_all_rows_and_a_null_reform_no_change(key: cache.DatasetKey, lang: str) -> None:
    null = cache_simulasi.simulated(key, Reform("pkh"))
    made = simulasi.comparison(["A"], [null.figures], lang)
    assert len(made) == len(simulasi.ROWS)
    same = locale.text("simulasi.same", lang)
    changed = [cell for cell in made["A"] if "(" in cell and same not in cell]
    assert changed == []
    assert not any("nan" in cell for cell in made["A"])


def test_classes_of_the_map_follow_the_sign() -> None:
    frame = pd.DataFrame({
        "code": list("abcd"), "name": list("ABCD"), "change": [-5.0, 0.0, 5.0, float("nan")],
        "change_rate": [-0.1, 0.0, 0.1, float("nan")], "before": [9.0] * 4, "after": [4.0, 9.0, 14.0, float("nan")],
    })  # fmt: skip
    made = simulasi_charts.classed(frame, "id").rows
    assert made["klass"].tolist() == [2, 3, 4, 0]


@pytest.mark.parametrize("lang", locale.LANGS)
def test_the_scenario_that_lowers_poverty_most_is_named(lang: str) -> None:
    said = simulasi.points_finding([("A", 1e12, -0.002), ("B", 5e12, -0.004), ("C", 0.0, 0.001)], lang)
    assert said.startswith("B ")
    assert numbers.points(-0.004, lang, 2) in said
    assert numbers.rupiah(5e12, lang) in said
    assert simulasi.points_finding([("A", 1e12, 0.0)], lang) == locale.text("simulasi.points_none", lang)
