"""The held-out check: invented tables with households, twins and other errors than the public tables have."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from dtsen_core.integrate.link import link_records
from tests.link import generated

Judge = Callable[..., tuple[float, float, float]]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("regime", [generated.CLEAN, generated.CARELESS], ids=["clean", "careless"])
def test_people_of_households_in_two_tables(judge: Judge, regime: generated.Regime) -> None:
    known = generated.people(11, 150)
    left, right = known.iloc[:350], generated.retold(known.iloc[100:], 12, regime)
    f1, precision, recall = judge(link_records(left, right, columns=generated.COLUMNS), left, right)
    assert f1 >= 0.98, (precision, recall)


def test_relatives_outnumber_matches_among_thousands(judge: Judge) -> None:
    """Too many for all pairs: keys bring the households together, and most pairs compared are relatives."""
    known = generated.people(51, 1_000)
    right = generated.retold(known.iloc[::2], 53, generated.CARELESS)
    f1, precision, recall = judge(link_records(known, right, columns=generated.COLUMNS), known, right)
    assert f1 >= 0.98, (precision, recall)


def test_a_small_table_against_a_large_one(judge: Judge) -> None:
    """Relatives at the same address outnumber the persons looked for."""
    known = generated.people(21, 400)
    left = generated.retold(known.iloc[::15], 22, generated.Regime())
    f1, precision, recall = judge(link_records(left, known, columns=generated.COLUMNS), left, known)
    assert f1 >= 0.97, (precision, recall)


def test_doubles_among_households(judge: Judge) -> None:
    known = generated.people(31, 200)
    again = generated.retold(known.iloc[:170], 32, generated.Regime())
    table = pd.concat([known, again], ignore_index=True)
    f1, precision, recall = judge(link_records(table, columns=generated.COLUMNS), table)
    assert f1 >= 0.95, (precision, recall)


def test_places_of_business(judge: Judge) -> None:
    left, right = generated.venues(41, 400)
    f1, precision, recall = judge(link_records(left, right, columns=generated.VENUE_COLUMNS), left, right)
    assert f1 >= 0.98, (precision, recall)
