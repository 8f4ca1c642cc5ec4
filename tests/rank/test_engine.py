"""The SQL engine against numpy, cell by cell; its statements pinned as text."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.errors import UserError
from dtsen_core.rank import engine, official, packing
from dtsen_core.rank.engine import Filter
from dtsen_core.rank.histogram import Histogram
from tests.rank import synthetic
from tests.rank.synthetic import Families

SNAPSHOTS = Path(__file__).parent / "snapshots"
CELL = ["area", "urban", "score"]


def cells(h: Histogram) -> pd.DataFrame:
    frame = pd.DataFrame({name: getattr(h, name) for name in (*CELL, "families", "persons")})
    return frame.sort_values(CELL).reset_index(drop=True)


def oracle(families: Families, card: synthetic.Scorecard, area: np.ndarray, mask: np.ndarray) -> pd.DataFrame:
    frame = pd.DataFrame({
        "area": area, "urban": families.urban,
        "score": card.scores(families.categories, families.regency, families.urban),
        "families": 1, "persons": families.size,
    })[mask]  # fmt: skip
    return frame.groupby(CELL, as_index=False).sum().astype("int64")


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 38]), st.sampled_from(["regency", "district"]))
@settings(max_examples=8)
def test_h_equals_numpy_cell_by_cell(packed: duckdb.DuckDBPyConnection, families: Families, seed: int, sets: int,
                                     level: str) -> None:  # fmt: skip
    card = synthetic.random_card(np.random.default_rng(seed), sets)
    found = engine.count(packed.cursor(), card, level)
    area = families.regency if level == "regency" else families.district
    pd.testing.assert_frame_equal(cells(found), oracle(families, card, area, np.full(len(area), True)))


@pytest.mark.parametrize("column", ["province", "regency", "district"])
def test_a_filter_counts_only_its_unit(packed: duckdb.DuckDBPyConnection, families: Families, column: str) -> None:
    card = synthetic.random_card(np.random.default_rng(1), 38)
    unit = getattr(families, column)
    idx = int(unit[1234])
    found = engine.count(packed.cursor(), card, "district", Filter(column, idx))
    pd.testing.assert_frame_equal(cells(found), oracle(families, card, families.district, unit == idx))


def test_filter_of_a_code() -> None:
    assert Filter.of(None) is None
    assert Filter.of("ID") is None
    assert Filter.of("11") == Filter("province", 0)


def test_h_is_kept_per_scorecard_and_version(packed: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    engine.forget()
    card = synthetic.random_card(np.random.default_rng(2), 1)
    first = engine.rank_histogram(synthetic.dataset(packed, tmp_path), card)
    assert engine.rank_histogram(synthetic.dataset(packed, tmp_path), card) is first
    assert engine.rank_histogram(synthetic.dataset(packed, tmp_path, version="lain"), card) is not first
    other = synthetic.random_card(np.random.default_rng(3), 1)
    assert engine.rank_histogram(synthetic.dataset(packed, tmp_path), other) is not first


def test_a_simulated_model_is_refused_on_real_families(packed: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    real = synthetic.dataset(packed, tmp_path, origin="real")
    with pytest.raises(UserError) as refused:
        engine.rank_histogram(real, synthetic.random_card(np.random.default_rng(2), 1))
    assert refused.value.key == "errors_rank.simulated_model"
    assert engine.rank_histogram(real, synthetic.blank_card()).families.sum() == 6_000


def test_official_deciles_are_the_deciles_of_the_scorecard(families: Families) -> None:
    con = duckdb.connect()
    synthetic.store(con, families)
    card = synthetic.random_card(np.random.default_rng(4), 38)
    official.set_official(con, card)
    rows = con.execute("SELECT * FROM family_packed ORDER BY id_keluarga").df()
    score = card.scores(families.categories, families.regency, families.urban)
    for column, scope in zip(packing.OFFICIAL, official.SCOPES, strict=True):
        area = official.scope_of_regency(scope)[families.regency]
        frame = pd.DataFrame({"area": area, "score": score, "row": np.arange(len(score))})  # noqa: F841
        expected = duckdb.sql("""
            WITH b AS (SELECT *, ntile(10) OVER (PARTITION BY area ORDER BY score) AS n FROM frame)
            SELECT min(n) OVER (PARTITION BY area, score) AS d FROM b ORDER BY row""").fetchnumpy()["d"]
        assert np.array_equal(rows[column].to_numpy().astype(int), expected.astype(int)), scope
    tables = {name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert not {t for t in tables if "lut" in t or "limits" in t}


STATEMENTS = {
    "pack": packing.pack_sql(),
    "histogram_national": engine.histogram_sql(packing.packing(), 1),
    "histogram_provincial": engine.histogram_sql(packing.packing(), 38),
    "histogram_district": engine.histogram_sql(packing.packing(), 38, "district", "province"),
    "ranked_two_sides": official.ranked_sql(packing.packing(), {"a": 38, "b": 1}, "regency"),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_generated_sql_is_pinned(name: str) -> None:
    """After a wanted change: write STATEMENTS[name] to the snapshot file and read the difference."""
    assert STATEMENTS[name] + "\n" == (SNAPSHOTS / f"{name}.sql").read_text(encoding="utf-8")
