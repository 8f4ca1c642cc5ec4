"""The three passes on registers with realistic damage, against the simulation's truth."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from pathlib import Path

import duckdb
import pytest

from dtsen_core.collect.simulate import population, registers
from dtsen_core.integrate.golden.reading import in_folder, read_files
from dtsen_core.integrate.link import evaluate, link_registers
from dtsen_core.integrate.link.passes import PASSES

pytestmark = pytest.mark.slow
PERSONS = {"regsosek": "source_regsosek_anggota", "dtks": "source_dtks", "p3ke": "source_p3ke"}


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in which 20,000 families were simulated, written as registers, read and linked."""
    con = duckdb.connect()
    folder = tmp_path_factory.mktemp("registers") / "sources"
    folder.mkdir()
    _simulate(con, folder)
    read_files(con, in_folder(folder))
    for source, table in PERSONS.items():
        con.execute(
            f"CREATE TABLE delivered_{source} AS SELECT count(*) AS records, "
            f"(SELECT count(*) FROM {table}_held) AS held FROM {table}"
        )
    link_registers(con)
    evaluate.write(con)
    yield con
    con.close()


def _simulate(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    recipe = population.prepare(11, 20_000)
    population.draw_survey(con, recipe, 51_400, lambda share: None)
    population.draw_registry(con, recipe, lambda share: None)
    registers.write_registers(con, folder, seed=11)


def counted(con: duckdb.DuckDBPyConnection, where: str) -> tuple[float, float, float]:
    found = con.execute(
        f"""SELECT sum(true_links), sum(false_links), sum(missed) FROM match_quality
        WHERE error_kind = 'semua' AND {where}"""
    ).fetchall()[0]
    return float(found[0]), float(found[1]), float(found[2])


def test_precision_and_recall_overall(linked: duckdb.DuckDBPyConnection) -> None:
    precision, recall = evaluate.precision_recall(*counted(linked, "true"))
    assert precision.low >= 0.998, precision
    assert recall.low >= 0.985, recall


def test_precision_and_recall_on_the_hard_remainder(linked: duckdb.DuckDBPyConnection) -> None:
    precision, recall = evaluate.precision_recall(*counted(linked, "pass <> 'exact'"))
    assert precision.low >= 0.97, precision
    assert recall.low >= 0.85, recall


@pytest.mark.parametrize("source", PERSONS)
def test_every_record_ends_once(linked: duckdb.DuckDBPyConnection, source: str) -> None:
    rows, places, held = linked.execute(
        f"SELECT count(*), count(DISTINCT (file_id, line_from)), count(*) FILTER (held) FROM link_{source}"
    ).fetchall()[0]
    records, kept = linked.execute(f"SELECT records, held FROM delivered_{source}").fetchall()[0]
    assert (rows, places, held) == (records + kept, records + kept, kept)
    passes = {row[0] for row in linked.execute(f"SELECT DISTINCT pass FROM link_{source}").fetchall()}
    assert passes <= set(PASSES)
    assert {"exact", "composite", "none"} <= passes
    wrong = linked.execute(
        f"""SELECT count(*) FROM link_{source} l LEFT JOIN civil c USING (nik)
        WHERE (l.pass IN ('review', 'none')) <> (l.nik IS NULL) OR l.nik IS NOT NULL AND (c.kk IS NULL OR c.kk <> l.kk)
          OR l.probability NOT BETWEEN 0 AND 1"""
    ).fetchall()
    assert wrong == [(0,)]


def test_a_person_stands_once_in_the_civil_register(linked: duckdb.DuckDBPyConnection) -> None:
    assert linked.execute("SELECT count(*) - count(DISTINCT nik) FROM civil").fetchall() == [(0,)]
    aliases, known = linked.execute(
        "SELECT count(*), count(c.nik) FROM civil_alias a LEFT JOIN civil c ON c.nik = a.kept_nik"
    ).fetchall()[0]
    assert aliases == known > 0


def test_held_records_that_were_recognised_are_marked(linked: duckdb.DuckDBPyConnection) -> None:
    marked = dict(
        linked.execute("SELECT mended_by, count(*) FROM quarantine WHERE mended_by IS NOT NULL GROUP BY 1").fetchall()
    )
    ended = dict(
        linked.execute(
            """SELECT pass, count(*) FROM (FROM link_regsosek SELECT pass, nik, held UNION ALL
            FROM link_dtks SELECT pass, nik, held UNION ALL FROM link_p3ke SELECT pass, nik, held)
            WHERE held AND nik IS NOT NULL GROUP BY 1"""
        ).fetchall()
    )
    assert marked == ended
    assert marked["composite"] > 0


def test_pairs_for_review_are_explained(linked: duckdb.DuckDBPyConnection) -> None:
    rows = linked.execute(
        """SELECT len(field), len(record_value), len(civil_value), len(weight), probability, path, nik
        FROM review_pair"""
    ).fetchall()
    assert rows
    assert {row[:4] for row in rows} == {(6, 6, 6, 6)}
    assert all(0 < row[4] <= 1 and row[5] and row[6] for row in rows)
    waiting = linked.execute("SELECT count(*) FROM link_dtks WHERE pass = 'review' AND nik IS NOT NULL").fetchall()
    assert waiting == [(0,)]


def test_quality_counts_every_record_once_in_all(linked: duckdb.DuckDBPyConnection) -> None:
    found = linked.execute(
        """SELECT source, sum(true_links) + sum(false_links) FROM match_quality WHERE error_kind = 'semua'
        GROUP BY source ORDER BY source"""
    ).fetchall()
    for source, links in found:
        assert linked.execute(f"SELECT count(nik) FROM link_{source}").fetchall() == [(links,)]
    kinds = {row[0] for row in linked.execute("SELECT DISTINCT error_kind FROM match_quality").fetchall()}
    assert {"semua", "bersih", "nik_satu_angka", "nama_salah_ketik"} <= kinds


def test_decisions_are_obeyed(tmp_path: Path) -> None:
    """Decide a waiting pair as the same and another as different; only these two records change."""
    con = duckdb.connect()
    _simulate_small(con, tmp_path)
    waiting = con.execute(
        "SELECT source, path, line_from, pair_id, nik FROM review_pair ORDER BY probability DESC, pair_id"
    ).fetchall()
    assert waiting
    same, other = waiting[0], waiting[-1]
    decided = [(same[3], "same")] + ([(other[3], "different")] if len(waiting) > 1 else [])
    _simulate_small(con, tmp_path, decided)
    ended = con.execute(f"SELECT pass, nik FROM link_{same[0]} WHERE line_from = ?", [same[2]]).fetchall()
    assert ("decision", same[4]) in ended
    if len(waiting) > 1:
        shown = {row[0] for row in con.execute("SELECT pair_id FROM review_pair").fetchall()}
        assert same[3] not in shown
    con.close()


def _simulate_small(
    con: duckdb.DuckDBPyConnection, folder: Path, decisions: list[tuple[str, str]] | None = None
) -> None:
    if not (folder / "dtks.txt").exists():
        recipe = population.prepare(5, 5000)
        population.draw_survey(con, recipe, 51_400, lambda share: None)
        population.draw_registry(con, recipe, lambda share: None)
        registers.write_registers(con, folder, seed=5)
    con.execute("DROP TABLE IF EXISTS source_file")
    read_files(con, in_folder(folder))
    if decisions:
        con.execute("CREATE TABLE review_decision (pair_id VARCHAR, decision VARCHAR)")
        con.executemany("INSERT INTO review_decision VALUES (?, ?)", decisions)
    link_registers(con)


def test_intervals() -> None:
    rate = evaluate.rate(98, 100)
    assert rate.value == 0.98
    assert 0.929 < rate.low < 0.931
    assert 0.994 < rate.high < 0.996
    assert isnan(evaluate.rate(0, 0).value)
    precision, recall = evaluate.precision_recall(90, 10, 30)
    assert (precision.value, recall.value) == (0.9, 0.75)
