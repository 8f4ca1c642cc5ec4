"""Which question matters where: ranks without one question against plain re-ranking, and the maps made of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dtsen_core.locale import LANGS
from dtsen_core.policy import robustness
from dtsen_core.policy.models import scorecard_for
from dtsen_core.present import robust_maps
from dtsen_core.rank import robust
from dtsen_core.rank.experiment import Experiment
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.indicators import INDICATORS

NAMES = [i.name for i in INDICATORS]


def test_ranks_without_one_component() -> None:
    parts = np.array([[1.0, 0.0], [0.0, 3.0], [2.0, 0.0]])
    rank, moved = robust.rank_without(parts, np.array([0.0, 0.0, 0.5]))
    assert rank.tolist() == [1, 3, 2]
    assert moved[:, 0].tolist() == [0, 0, 0]  # left: 0, 3, 0.5
    assert moved[:, 1].tolist() == [1, -2, 1]  # left: 1, 0, 2.5


@pytest.mark.parametrize("model", ["pmt_nasional", "pmt_provinsi"])
def test_the_ranks_are_those_of_a_scorecard_without_the_question(small_dataset, model: str) -> None:
    """A dropped question counts its mean of the province: only with one national set is that the same as nothing."""
    dataset = Dataset.open(small_dataset)
    found = robustness.rank_ablation(dataset, model, "regency")
    assert sorted(found["rank"]) == list(range(1, len(found) + 1))
    stable = robustness.rank_stability(dataset, model, 0.5, level="regency", draws=2)
    assert found["rank"].tolist() == stable["rank"].tolist()
    if scorecard_for(dataset, model).sets > 1:
        return
    without = robustness.rank_ablation(dataset, Experiment.of(model, ["ijazah_kepala"]).name, "regency")
    moved = found["rank"] + found["ijazah_kepala"]
    assert (moved - without["rank"]).abs().max() <= 2  # coefficients are whole thousandths


def ablated() -> pd.DataFrame:
    frame = pd.DataFrame({"code": ["1101", "1102", "1103", "1104"], "name": list("ABCD"), "n": [400, 400, 40, 400],
                          "families": [9e4] * 4, "rank": [1.0, 2.0, 3.0, np.nan]})  # fmt: skip
    shifts = pd.DataFrame(0.0, index=frame.index, columns=NAMES)
    shifts.loc[:2, NAMES[3]] = [2.0, -1.0, -1.0]
    shifts.loc[1, NAMES[5]] = -2.0
    shifts.loc[3] = np.nan
    return pd.concat([frame, shifts], axis=1)


@pytest.mark.parametrize("lang", LANGS)
def test_the_decisive_question_has_its_colour_and_a_hidden_area_none(lang: str) -> None:
    shown = robust_maps.decisive(ablated(), lang)
    assert shown.rows["klass"].tolist() == [1, 2, 1, 0]
    assert shown.rows["doubt"].tolist() == [0, 0, 1, 0]
    assert [(k, n) for k, _, n in shown.legend] == [(1, 2), (2, 1), (0, 1)]
    assert INDICATORS[3].label(lang) in shown.finding
    facts, groups = shown.hover.facts, shown.hover.groups
    assert tuple(facts[1]) == (INDICATORS[5].label(lang), 2.0, 0.0, 2.0)
    assert [where.tolist() for where, _ in groups] == [[0, 1, 2], [3]]
    made = robust_maps.decisive_table(ablated(), robust_maps.ANY, lang)
    assert made.frame.iloc[0, -1] == 2
    assert np.isnan(made.frame.iloc[-1, -1])


@pytest.mark.parametrize("lang", LANGS)
def test_a_question_shows_both_directions(lang: str) -> None:
    shown = robust_maps.moved(ablated(), NAMES[3], lang)
    assert shown.rows["klass"].tolist() == [5, 2, 2, 0]
    assert sum(count for _, _, count in shown.legend) == 4
    still = robust_maps.moved(ablated(), NAMES[9], lang)
    assert still.rows["klass"].tolist() == [3, 3, 3, 0]
    assert INDICATORS[9].label(lang) in still.finding


@pytest.mark.parametrize("question", [robust_maps.ANY, NAMES[0]])
def test_accuracy_by_province(question: str) -> None:
    rows = [(p, q, 0.5, x) for p, x0 in (("11", 0.01), ("12", 0.02), ("ID", 0.015))
            for q, x in (("", 0.0), (NAMES[0], x0), (NAMES[1], 0.012))]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["province", "indicator", "unexplained", "loss"])
    shown = robust_maps.loss(frame, question, "id", "light")
    assert len(shown.rows) == 38
    assert (shown.rows["klass"] > 0).sum() == 2
    values = dict(zip(shown.rows["code"], shown.hover.facts[:, 0]))
    assert values["11"] == pytest.approx(1.2 if question == robust_maps.ANY else 1.0)
    assert values["12"] == pytest.approx(2.0)
