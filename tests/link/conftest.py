"""Febrl tables (Christen 2008) with their truth, and how a result is judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

FEBRL = {
    "given_name": "given_name", "surname": "surname", "street_number": "code", "address_1": "address",
    "address_2": "address", "suburb": "place", "postcode": "postcode", "state": "code", "date_of_birth": "birth_date",
}  # fmt: skip
"""All columns but the identifiers."""
TABLES = Path(__file__).parent / "febrl"

Pairs = set[tuple[int, int]]


@pytest.fixture(scope="session")
def febrl() -> Callable[[str], pd.DataFrame]:
    """Read a Febrl table by its file's name; its column ``truth`` says which records are the same person."""

    def read(name: str) -> pd.DataFrame:
        table = pd.read_csv(TABLES / f"{name}.csv.gz", skipinitialspace=True, dtype=str)
        table["truth"] = table["rec_id"].str.extract(r"rec-(\d+)")[0]
        return table.drop(columns=["rec_id", "soc_sec_id"])

    return read


def true_pairs(left: pd.DataFrame, right: pd.DataFrame | None = None) -> Pairs:
    """Row positions of the pairs with the same ``truth``."""
    a = pd.DataFrame({"truth": left["truth"].to_numpy(), "a": range(len(left))})
    if right is None:
        both = a.merge(a.rename(columns={"a": "b"}), on="truth")
        both = both[both["a"] < both["b"]]
    else:
        both = a.merge(pd.DataFrame({"truth": right["truth"].to_numpy(), "b": range(len(right))}), on="truth")
    return set(zip(both["a"].tolist(), both["b"].tolist()))


def judged(found: pd.DataFrame, truth: Pairs) -> tuple[float, float, float]:
    """(F1, precision, recall) of the pairs with probability 0.5 or more."""
    hit = found[found["probability"] >= 0.5]
    got = set(zip(hit["left_row"].tolist(), hit["right_row"].tolist()))
    right = len(got & truth)
    precision, recall = right / max(len(got), 1), right / max(len(truth), 1)
    return 2 * precision * recall / max(precision + recall, 1e-9), precision, recall


@pytest.fixture(scope="session")
def judge() -> Callable[..., tuple[float, float, float]]:
    """``judge(found, left, right=None)`` → (F1, precision, recall) against the tables' ``truth``."""

    def measure(
        found: pd.DataFrame, left: pd.DataFrame, right: pd.DataFrame | None = None
    ) -> tuple[float, float, float]:
        return judged(found, true_pairs(left, right))

    return measure
