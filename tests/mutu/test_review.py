"""The store of decisions: append-only, audited, loaded into the next run; and the command line over it."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path

import duckdb
import pytest

from dtsen_core.cli.main import answer
from dtsen_core.errors import UserError
from dtsen_core.integrate import review
from dtsen_core.present import tinjauan
from dtsen_core.registry.dataset import Dataset
from tests.mutu import fake


def test_a_second_decision_keeps_the_first(tmp_path: Path) -> None:
    root = tmp_path / "data"
    first = review.decide(root, "p1", "unsure", version="v1")
    second = review.decide(root, "p1", "same", version="v2", actor="siti")
    assert (first.previous, second.previous) == (None, "unsure")
    assert review.latest(root) == {"p1": "same"}
    assert [d.decision for d in review.log(root)] == ["same", "unsure"]
    assert [d.actor for d in review.log(root, "p1")] == ["siti", review.LOCAL]
    assert review.log(root, "p2") == []
    assert review.store_path(root) == tmp_path / "data.review.sqlite"
    assert not root.exists(), "the store lies beside the dataset, not in it"


def test_nothing_decided_makes_no_file(tmp_path: Path) -> None:
    assert review.latest(tmp_path / "data") == {}
    assert review.log(tmp_path / "data") == []
    assert review.broken_at(tmp_path / "data") is None
    assert not review.store_path(tmp_path / "data").exists()


def test_the_log_cannot_be_rewritten_quietly(tmp_path: Path) -> None:
    root = tmp_path / "data"
    for pair in ("p1", "p2", "p3"):
        review.decide(root, pair, "same", version="v1")
    assert review.broken_at(root) is None
    con = sqlite3.connect(review.store_path(root), isolation_level=None)
    with pytest.raises(sqlite3.DatabaseError, match="append-only"):
        con.execute("UPDATE decision SET decision = 'different' WHERE id = 2")
    with pytest.raises(sqlite3.DatabaseError, match="append-only"):
        con.execute("DELETE FROM decision WHERE id = 1")
    con.execute("DROP TRIGGER decision_kept_as_is")
    con.execute("UPDATE decision SET decision = 'different' WHERE id = 2")
    assert review.broken_at(root) == 2
    con.execute("DROP TRIGGER decision_kept")
    con.execute("DELETE FROM decision WHERE id = 2")
    con.close()
    assert review.broken_at(root) == 3


def test_two_reviewers_at_once_lose_nothing(tmp_path: Path) -> None:
    root = tmp_path / "data"
    review.decide(root, "p0", "same", version="v1")
    errors: list[Exception] = []

    def work(name: str) -> None:
        try:
            for number in range(10):
                review.decide(root, f"{name}{number}", "same", version="v1", actor=name)
        except UserError as problem:
            errors.append(problem)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(review.log(root)) == 31
    assert review.broken_at(root) is None


def test_an_unknown_decision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        review.decide(tmp_path / "data", "p1", "maybe", version="v1")


def test_a_store_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    review.store_path(tmp_path / "data").write_bytes(b"rubbish" * 200)
    with pytest.raises(UserError, match="review"):
        review.latest(tmp_path / "data")


def test_the_next_run_gets_the_decision_in_force(tmp_path: Path) -> None:
    root = tmp_path / "data"
    con = duckdb.connect()
    assert review.load_decisions(root, con) == 0
    assert con.execute("SELECT * FROM review_decision").fetchall() == []
    review.decide(root, "p1", "same", version="v1")
    review.decide(root, "p2", "same", version="v1")
    review.decide(root, "p2", "different", version="v1")
    assert review.load_decisions(root, con) == 2
    found = con.execute("SELECT pair_id, decision FROM review_decision ORDER BY pair_id").fetchall()
    assert found == [("p1", "same"), ("p2", "different")]


def test_names_of_real_people_are_for_the_holder_of_the_data(real: Dataset) -> None:
    for ask in (lambda: review.queue(real), lambda: review.pair(real, "p0001")):
        with pytest.raises(UserError):
            ask()
    assert len(review.queue(real, holder=True)) == 40
    assert review.pair(real, "p0001", holder=True).record[0] == "MUH. AHMAD 1"


def test_the_queue_begins_with_the_greatest_doubt(simulated: Dataset, decided: Path) -> None:
    waiting = review.queue(simulated)
    first, last = (review.pair(simulated, waiting[at]).probability for at in (0, -1))
    assert abs(first - 0.5) < abs(last - 0.5)
    review.decide(decided, waiting[0], "unsure", version="v")
    assert waiting[0] not in review.queue(simulated)
    assert review.queue(simulated, state="unsure") == (waiting[0],)
    assert len(review.queue(simulated, state="all")) == 40
    with pytest.raises(UserError):
        review.pair(simulated, "p9999")


def test_a_record_delivered_twice_is_one_pair(tmp_path: Path) -> None:
    root = fake.make(tmp_path / "data")
    with duckdb.connect(str(root / "dtsen.duckdb")) as con:
        con.execute("INSERT INTO review_pair SELECT * REPLACE (999 AS line_from) FROM review_pair")
    dataset = Dataset.open(root)
    assert len(review.queue(dataset)) == sum(review.sources(dataset).values()) == 40
    assert review.pair(dataset, "p0003").line == 103


def test_values_that_cannot_be_read_stand_as_they_are() -> None:
    assert tinjauan.value_word("jenis_kelamin", "9", "id") == "9"
    assert tinjauan.value_word("kode_kelurahan_desa", "<i>", "id") == "<i>"
    assert tinjauan.value_word("tanggal_lahir", "31/12/1980", "id") == "31/12/1980"
    assert tinjauan.value_word("nama", None, "id") == ""


def test_bars_point_to_the_side_they_speak_for(simulated: Dataset) -> None:
    pair = review.pair(simulated, "p0020")
    drawn = tinjauan.comparison_html(pair, "id")
    assert tinjauan.FOR in drawn
    assert tinjauan.AGAINST in drawn
    assert "left:50.0%;width:50.0%" in drawn
    assert fake.NASTY not in drawn
    assert "11 Februari 1980" in drawn
    assert "Laki-laki" in drawn
    assert "Perempuan" in drawn
    assert "Kab. Aceh Selatan" in drawn
    assert "nama" in tinjauan.verdict(pair, "id")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = answer(list(arguments))
    out = capsys.readouterr()
    return code, out.out, out.err


def test_the_command_line_lists_and_decides(decided: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(decided)
    code, out, _ = run(capsys, "review", "list", "--dataset", folder, "--limit", "2", "--format", "json")
    found = json.loads(out)
    assert code == 0
    assert found["pairs"] == 40
    assert len(found["shown"]) == 2
    pair = found["shown"][0]["pair"]
    code, out, _ = run(capsys, "review", "decide", pair, "same", "--dataset", folder, "--format", "json")
    assert code == 0
    assert json.loads(out)["previous"] is None
    code, out, err = run(capsys, "review", "list", "--dataset", folder, "--state", "same")
    assert code == 0
    assert pair in out
    assert "1 dari 1" in err


@pytest.mark.parametrize("arguments", [("decide", "p0001", "maybe"), ("decide", "nope", "same"),
                                       ("list", "--state", "later")])  # fmt: skip
def test_a_wrong_word_is_one_sentence(decided: Path, capsys: pytest.CaptureFixture[str], arguments) -> None:
    code, out, err = run(capsys, "review", *arguments, "--dataset", str(decided))
    assert code == 2
    assert out == ""
    assert err.strip()
    assert review.latest(decided) == {}


def test_an_old_dataset_has_no_queue(folders, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "review", "list", "--dataset", str(folders["old"]))
    assert code == 2
    assert "uji-simulated-lama" in err
