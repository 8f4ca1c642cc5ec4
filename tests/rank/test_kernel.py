"""The compiled engine against the SQL engine, cell by cell; its arrays; the line of rankings."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.rank import arrays, engine, kernel
from dtsen_core.rank.engine import Filter
from dtsen_core.rank.histogram import Histogram
from dtsen_core.rank.queue import Line, telling
from tests.rank import synthetic
from tests.rank.synthetic import Families


@pytest.fixture(scope="module")
def held(packed: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> arrays.Arrays:
    place = tmp_path_factory.mktemp("arrays")
    assert arrays.write(packed.cursor(), place)
    found = arrays.load(place)
    assert found is not None
    return found


def cells(h: Histogram) -> np.ndarray:
    table = np.stack([h.area, h.urban, h.score, h.families, h.persons])
    return table[:, np.lexsort(table[2::-1])]


@given(
    st.integers(0, 2**32 - 1), st.sampled_from([1, 38, 514]), st.sampled_from(["regency", "district"]),
    st.sampled_from([None, "province", "regency", "district"]), st.integers(1, 40),
)  # fmt: skip
@settings(max_examples=12)
def test_both_engines_give_the_same_cells(
    packed: duckdb.DuckDBPyConnection, held: arrays.Arrays, families: Families, seed: int, sets: int, level: str,
    column: str | None, scale: int,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    card = synthetic.random_card(rng, sets)
    card.coefficients[:] *= scale  # up to 2.4 log units: cells far apart, sums far from 16 bits
    only = Filter(column, int(getattr(families, column)[rng.integers(len(families.size))])) if column else None
    sql = engine.count(packed.cursor(), card, level, only)
    compiled = kernel.count(held, card, level, (only.column, only.idx) if only else None)
    assert np.array_equal(cells(sql), cells(compiled))
    assert sql.digest == compiled.digest


def test_extreme_scores_and_an_empty_unit(packed: duckdb.DuckDBPyConnection, held: arrays.Arrays) -> None:
    card = synthetic.random_card(np.random.default_rng(3), 38)
    card.coefficients[:] = -500
    card.coefficients[:, ::7] = 500
    assert np.array_equal(cells(engine.count(packed.cursor(), card)), cells(kernel.count(held, card)))
    present = set(held.regency.tolist())
    missing = next(r for r in range(514) if r not in present)
    assert kernel.count(held, card, "regency", ("regency", missing)).families.sum() == 0


def test_engine_chosen_by_name_and_by_size(packed: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    engine.forget()
    arrays.forget()
    dataset = synthetic.dataset(packed, tmp_path)
    card = synthetic.random_card(np.random.default_rng(5), 1)
    assert not (tmp_path / "arrays").exists()
    engine.rank_histogram(dataset, card)
    assert not (tmp_path / "arrays").exists()  # few families: SQL, nothing written
    engine.forget()
    compiled = engine.rank_histogram(dataset, card, by="kernel")
    assert (tmp_path / "arrays").exists()
    assert compiled.digest == engine.count(packed.cursor(), card).digest
    with pytest.raises(ValueError):
        engine.rank_histogram(dataset, card, by="abacus")


def test_unordered_families_have_no_arrays(families: Families, tmp_path: Path) -> None:
    con = duckdb.connect()
    synthetic.store(con, families)
    con.execute("CREATE OR REPLACE TABLE family_packed AS SELECT * FROM family_packed ORDER BY hash(id_keluarga)")
    assert not arrays.write(con, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["missing", "short", "other"])
def test_damaged_arrays_are_not_used(packed: duckdb.DuckDBPyConnection, tmp_path: Path, damage: str) -> None:
    assert arrays.write(packed.cursor(), tmp_path)
    place = tmp_path / "arrays"
    if damage == "missing":
        (place / "p1.npy").unlink()
    elif damage == "short":
        np.save(place / "urban.npy", np.zeros(3, np.uint8))
    else:
        (place / "arrays.json").write_text('{"format": 1, "packing": "other", "families": 6000}', encoding="utf-8")
    assert arrays.load(tmp_path) is None


def test_a_line_serves_in_order_of_arrival_and_tells_the_place() -> None:
    line, done, told = Line(), [], {}
    gate = threading.Event()

    def work(number: int) -> None:
        heard: list[int] = []
        told[number] = heard
        with telling(heard.append), line.turn(), line.turn():
            if number == 0:
                gate.wait()
            done.append(number)

    threads = []
    for number in range(4):
        threads.append(threading.Thread(target=work, args=(number,)))
        threads[-1].start()
        while line.length <= number:
            time.sleep(0.001)
    assert line.length == 4
    gate.set()
    for thread in threads:
        thread.join()
    assert done == [0, 1, 2, 3]
    assert told[0] == [0]
    assert all(heard[-1] == 0 and heard == sorted(heard, reverse=True) for heard in told.values())
    assert line.length == 0


def test_a_failure_gives_the_turn_back() -> None:
    line = Line()
    with pytest.raises(RuntimeError), line.turn():
        raise RuntimeError
    with line.turn():
        assert line.length == 1
