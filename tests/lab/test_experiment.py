"""Changed scorecards: what is kept, what is refused, and that one text names them."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtsen_core.errors import UserError
from dtsen_core.policy.request import RankRequest, parse_line
from dtsen_core.rank import order
from dtsen_core.rank.experiment import Experiment, means_of
from dtsen_core.rank.order import GROUPS
from dtsen_core.rank.scorecard import CATEGORIES, OFFSETS
from dtsen_core.registry.indicators import INDICATORS
from dtsen_core.ui import lab_controls
from tests.rank.synthetic import random_card

NAMES = [i.name for i in INDICATORS]


@given(
    st.lists(st.sampled_from(NAMES), max_size=8),
    st.dictionaries(st.sampled_from(GROUPS), st.integers(0, 20).map(lambda k: 10 * k)),
    st.booleans(),
)
def test_the_name_and_the_address_bring_the_experiment_back(
    dropped: list[str], weights: dict[str, int], refit: bool
) -> None:
    if all(weights.get(group) == 0 for group in GROUPS):
        weights = {}
    plan = Experiment.of("C:/ADMIN~1/kartu.csv", dropped, weights, refit)
    assert Experiment.parse(plan.name) == plan
    assert plan.refit == (refit and bool(dropped))  # nothing dropped: nothing to fit again
    full = dict.fromkeys(GROUPS, 100) | weights
    address = lab_controls.write_weights(full)
    assert ({} if address is None else lab_controls.parse_weights(address)) == {
        g: w for g, w in full.items() if w != 100
    }
    numbers = lab_controls.write_dropped(dropped)
    assert set([] if numbers is None else lab_controls.parse_dropped(numbers)) == set(dropped)


@given(st.text(max_size=40))
def test_any_text_is_an_experiment_or_a_sentence(text: str) -> None:
    for model in (f"a~drop={text}", f"a~weight={text}"):
        found = None
        with contextlib.suppress(UserError):
            found = Experiment.parse(model)
        if found is not None:
            assert Experiment.parse(found.name) == found
    for parser in (lab_controls.parse_weights, lab_controls.parse_dropped):
        with contextlib.suppress(ValueError):
            assert parser(text)


@pytest.mark.parametrize(
    ("dropped", "weights", "key"),
    [
        (["jenis_lantai_terlus"], {}, "errors_lab.indicator"),
        ([], {"asset": 50}, "errors_lab.group"),
        ([], {"aset": 201}, "errors_lab.weight"),
        ([], {"aset": float("nan")}, "errors_lab.weight"),
        (NAMES, {}, "errors_lab.nothing_left"),
        ([], dict.fromkeys(GROUPS, 0), "errors_lab.nothing_left"),
    ],
)
def test_what_cannot_be_meant_is_refused(dropped: list[str], weights: dict[str, float], key: str) -> None:
    with pytest.raises(UserError) as refused:
        Experiment.of("pmt", dropped, weights)
    assert refused.value.key == key


@pytest.mark.parametrize("sets", [1, 38])
def test_the_mean_score_stays_and_a_dropped_answer_tells_nothing(sets: int) -> None:
    rng = np.random.default_rng(3)
    card, shares = random_card(rng, sets), rng.uniform(1, 9, (38, CATEGORIES))
    plan = Experiment.of(card.name, [NAMES[4]], {"aset": 50})
    changed = plan.apply(card, shares)
    load = shares if sets > 1 else shares.sum(axis=0, keepdims=True)
    assert np.abs(means_of(changed, load) - means_of(card, load)).max() < 0.51  # rounding to whole thousandths
    span = slice(OFFSETS[4], OFFSETS[5])
    assert (np.ptp(changed.coefficients[:, span], axis=1) == 0).all()
    asset = next(k for k, i in enumerate(INDICATORS) if i.group == "aset")
    part = slice(OFFSETS[asset], OFFSETS[asset + 1])
    before, after = (np.ptp(c.coefficients[:, part], axis=1) for c in (card, changed))
    assert np.abs(after - before / 2).max() <= 1
    assert Experiment.of(card.name).apply(card, shares) is card


def test_the_index_follows_the_declared_order() -> None:
    card = order.index_card(None)
    values = card.coefficients[0].astype(float)
    assert order.inverted(values, 0.0) == []
    assert len(order.inverted(-values, 0.0)) == len(order.steps())
    for name, steps in order.steps().items():
        start = OFFSETS[NAMES.index(name)]
        levels = [values[start + codes[0]] for codes in steps]
        assert levels == sorted(levels)
        assert levels[0] < levels[-1]


@pytest.mark.parametrize("line", ["abc", "5%", "1001%", "9999", "-1", "1e9", "120 %", "nan", "١٢٠%"])
def test_a_line_that_is_none_is_a_sentence(line: str) -> None:
    with pytest.raises(UserError):
        RankRequest(line=line)


def test_a_line_is_rupiah_or_a_share() -> None:
    assert parse_line("") == (1.0, True)
    assert parse_line("120%") == (1.2, True)
    assert parse_line("600000") == (600_000.0, False)
