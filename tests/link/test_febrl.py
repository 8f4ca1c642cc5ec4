"""Public test tables, linked with defaults and without identifiers."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from dtsen_core.integrate.link import link_records

COLUMNS = {
    "given_name": "given_name", "surname": "surname", "street_number": "code", "address_1": "address",
    "address_2": "address", "suburb": "place", "postcode": "postcode", "state": "code", "date_of_birth": "birth_date",
}  # fmt: skip
Judge = Callable[..., tuple[float, float, float]]
Read = Callable[[str], pd.DataFrame]

pytestmark = pytest.mark.slow


def test_two_tables(febrl: Read, judge: Judge) -> None:
    left, right = febrl("dataset4a"), febrl("dataset4b")
    f1, precision, recall = judge(link_records(left, right, columns=COLUMNS), left, right)
    assert f1 >= 0.995, (precision, recall)


@pytest.mark.parametrize("name", ["dataset1", "dataset2", "dataset3"])
def test_duplicates_within_one_table(febrl: Read, judge: Judge, name: str) -> None:
    table = febrl(name)
    f1, precision, recall = judge(link_records(table, columns=COLUMNS), table)
    assert f1 >= 0.99, (precision, recall)


@pytest.mark.parametrize(
    ("columns", "least"),
    [
        (("given_name", "surname", "date_of_birth", "suburb", "postcode"), 0.99),
        (("given_name", "surname", "address_1", "suburb", "postcode"), 0.99),
        (("given_name", "surname", "date_of_birth"), 0.985),
    ],
)
def test_few_columns(febrl: Read, judge: Judge, columns: tuple[str, ...], least: float) -> None:
    left, right = febrl("dataset4a"), febrl("dataset4b")
    found = link_records(left, right, columns={name: COLUMNS[name] for name in columns})
    assert list(found.columns) == ["left_row", "right_row", "probability", *(f"weight_{name}" for name in columns)]
    f1, precision, recall = judge(found, left, right)
    assert f1 >= least, (precision, recall)


def test_odd_types_change_nothing_much(febrl: Read, judge: Judge) -> None:
    left, right = febrl("dataset4a").iloc[:1500], febrl("dataset4b").iloc[:2500]
    odd = left.copy()
    odd["date_of_birth"] = pd.to_numeric(odd["date_of_birth"], errors="coerce")
    odd["postcode"] = pd.to_numeric(odd["postcode"])
    odd["given_name"] = odd["given_name"].str.title() + "  "
    odd["surname"] = odd["surname"].fillna("")
    odd.index = pd.Index([0] * len(odd))
    f1, precision, recall = judge(link_records(odd, right, columns=COLUMNS), left, right)
    assert f1 >= 0.99, (precision, recall)


def test_nobody_in_common(febrl: Read) -> None:
    left, right = febrl("dataset4a").iloc[:750], febrl("dataset4b").iloc[:2500]
    right = right[~right["truth"].isin(left["truth"])]
    found = link_records(left, right, columns=COLUMNS)
    assert (found["probability"] >= 0.5).sum() <= 3
