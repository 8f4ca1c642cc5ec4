from __future__ import annotations

import math

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtsen_core.errors import UserError
from dtsen_core.rank import packing
from dtsen_core.rank.scorecard import PROVINCES
from dtsen_core.registry.indicators import INDICATORS
from tests.rank.synthetic import Families


def test_every_indicator_is_packed_once_within_the_limits() -> None:
    groups = packing.packing().groups
    assert sorted(m for g in groups for m in g.members) == list(range(len(INDICATORS)))
    for group in groups:
        assert group.codes == math.prod(INDICATORS[m].radix for m in group.members) <= packing.CODES_PER_GROUP
        assert group.codes * PROVINCES < 1_000_000  # DuckDB's limit for a join by array position


@given(st.lists(st.integers(2, 40), min_size=1, max_size=60), st.integers(40, 30_000))
def test_groups_never_exceed_the_limit_and_lose_nothing(radixes: list[int], limit: int) -> None:
    groups = packing.derive(tuple(radixes), limit)
    assert sorted(m for g in groups for m in g.members) == list(range(len(radixes)))
    for group in groups:
        assert group.codes <= limit
        expected = 1
        for member, multiplier in zip(group.members, group.multipliers, strict=True):
            assert multiplier == expected
            expected *= radixes[member]
        assert expected == group.codes


def test_a_radix_above_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="exceeds"):
        packing.derive((50,), 40)


def test_unpacking_gives_back_every_category(packed: duckdb.DuckDBPyConnection, families: Families) -> None:
    rows = packed.execute("SELECT * FROM family_packed ORDER BY id_keluarga").fetchnumpy()
    unpacked = packing.unpack({name: rows[name] for name in packing.packing().columns})
    assert np.array_equal(unpacked, families.categories)
    assert np.array_equal(rows["family_size"], families.size)


def test_the_packed_table_is_sorted_by_village(packed: duckdb.DuckDBPyConnection) -> None:
    village = packed.execute("SELECT village FROM family_packed").fetchnumpy()["village"]
    assert (np.diff(village.astype(int)) >= 0).all()


def test_data_packed_with_other_code_lists_are_refused(packed: duckdb.DuckDBPyConnection) -> None:
    assert packing.check(packed) == packing.packing()
    other = duckdb.connect()
    with pytest.raises(UserError) as missing:
        packing.check(other)
    assert missing.value.key == "errors_rank.packing"
    packing.write_dictionary(other)
    other.execute("UPDATE packing SET hash = 'lama'")
    with pytest.raises(UserError):
        packing.check(other)
