"""Far moves without a visit: collected once, decided, audited, listed and exported."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from dtsen_core.cli import data
from dtsen_core.cli.main import answer
from dtsen_core.errors import UserError
from dtsen_core.integrate import review
from dtsen_core.integrate.decisions import store_path
from dtsen_core.policy import movement, movement_cases
from dtsen_core.policy.movement_cases import Asked, Collected
from dtsen_core.regions import units
from dtsen_core.registry.dataset import DATABASE, Dataset
from dtsen_core.settings import settings
from tests import pages


@pytest.fixture(scope="module")
def moved(small_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The demonstration under a folder of its own, so that its store of decisions is its own too."""
    root = tmp_path_factory.mktemp("cases") / "data"
    shutil.copytree(small_dataset, root, ignore=shutil.ignore_patterns("lab", "arrays"))
    return Dataset.open(root)


@pytest.fixture
def queue(moved: Dataset) -> Iterator[Collected]:
    yield movement_cases.collect(moved)
    for file in moved.path.parent.glob(f"{moved.path.name}.review.sqlite*"):
        file.unlink()


def test_the_cases_are_those_that_the_movement_counts(moved: Dataset, queue: Collected) -> None:
    earlier, later = movement.pair(moved)
    assert (queue.before, queue.after, queue.now) == (earlier.name, later.name, True)
    rows = movement_cases.cases(moved.path, Asked(queue.before, queue.after))
    step = (rows["decile_after"] - rows["decile_before"]).abs()
    assert (step >= movement.FAR).all()
    assert step.is_monotonic_decreasing
    day = pd.Timestamp(earlier.manifest.as_of)
    assert all(check is None or pd.Timestamp(check) <= day for check in rows["ground_check"])
    with duckdb.connect() as con:
        movement.attach(con, moved, earlier, later)
        load = dict(con.execute("SELECT regency, weight FROM now.main.area_weight").fetchall())
    found = movement.movement(moved)
    index = units.index("regency")
    weighted = sum(load[index[code]] for code in rows["regency"])
    assert weighted == pytest.approx(found.classes["cases"].sum())
    assert len(rows) == queue.cases > 0


def test_collecting_again_adds_nothing_and_another_pair_stays_apart(moved: Dataset, queue: Collected) -> None:
    again = movement_cases.collect(moved)
    assert (again.cases, again.now) == (queue.cases, False)
    with sqlite3.connect(store_path(moved.path)) as con:
        con.execute("DELETE FROM move_pair")  # as if the machine had stopped before the end
    assert movement_cases.collect(moved).now
    whole = movement_cases.cases(moved.path, Asked(queue.before, queue.after, state="all"))
    assert len(whole) == queue.cases
    assert whole["case_id"].is_unique
    other = movement_cases.collect(moved, scope="regency")
    assert other.now
    assert len(movement_cases.cases(moved.path, Asked(queue.before, queue.after, state="all"))) == queue.cases
    assert {one.scope for one in movement_cases.collected(moved.path)} == {"national", "regency"}


def test_a_case_is_decided_audited_and_kept(moved: Dataset, queue: Collected) -> None:
    asked = Asked(queue.before, queue.after)
    case = movement_cases.cases(moved.path, asked)["case_id"].iloc[0]
    movement_cases.decide(moved.path, case, "unsure", version="v1")
    movement_cases.decide(moved.path, case, "visit", version="v2")
    assert case not in set(movement_cases.cases(moved.path, asked)["case_id"])
    decided = movement_cases.cases(moved.path, Asked(queue.before, queue.after, state="visit"))
    assert decided["case_id"].tolist() == [case]
    count = movement_cases.counts(moved.path, asked)
    assert (count["visit"], count["unsure"], count["open"], count["all"]) == (1, 0, queue.cases - 1, queue.cases)
    assert [row.decision for row in movement_cases.LOG.entries(moved.path)] == ["visit", "unsure"]
    assert movement_cases.LOG.broken_at(moved.path) is None
    assert review.log(moved.path) == [], "the two logs are apart"
    con = sqlite3.connect(store_path(moved.path), isolation_level=None)
    with pytest.raises(sqlite3.DatabaseError, match="append-only"):
        con.execute("DELETE FROM move_decision")
    con.close()


@pytest.mark.parametrize(("case", "decision", "key"), [
    ("", "same", "errors_mutu.decision"), ("m0", "valid", "errors_mutu.unknown_case"),
])  # fmt: skip
def test_what_cannot_be_decided_is_refused(
    moved: Dataset, queue: Collected, case: str, decision: str, key: str
) -> None:
    case = case or movement_cases.cases(moved.path, Asked(queue.before, queue.after))["case_id"].iloc[0]
    with pytest.raises(UserError) as refused:
        movement_cases.decide(moved.path, case, decision, version="v")
    assert refused.value.key == key
    assert movement_cases.LOG.entries(moved.path) == []


def test_changed_answers_are_what_differs_between_the_versions(moved: Dataset, queue: Collected) -> None:
    case = movement_cases.cases(moved.path, Asked(queue.before, queue.after)).iloc[0]
    found = movement_cases.changed_answers(moved, queue.before, queue.after, case["family"])
    assert len(found)
    assert not set(found["variable"]) & movement_cases.UNTOLD
    _, later = movement.pair(moved)
    with duckdb.connect(str(moved.path / later.folder / DATABASE), read_only=True) as con:
        for row in found.head(3).itertuples(index=False):
            stored = con.execute(
                f"SELECT {row.variable}::VARCHAR FROM keluarga WHERE id_keluarga = ?", [case["family"]]
            ).fetchone()
            assert stored == (row.after,)
            assert row.before != row.after


def test_the_command_line_collects_lists_and_decides(
    moved: Dataset, queue: Collected, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> tuple[int, str, str]:
        code = answer(["review", *words, "--dataset", str(moved.path)])
        out = capsys.readouterr()
        return code, out.out, out.err

    code, out, err = run("collect", "--format", "json")
    assert (code, json.loads(out)["now"]) == (0, False)
    assert queue.after in err
    code, out, _ = run("list", "--kind", "moves", "--format", "csv", "--limit", "3")
    rows = list(csv.DictReader(out.splitlines()))
    assert code == 0
    assert len(rows) == min(3, queue.cases)
    code, out, _ = run("decide", rows[0]["case_id"], "visit", "--format", "json")
    assert (code, json.loads(out)["decision"]) == (0, "visit")
    code, out, _ = run("list", "--kind", "moves", "--state", "visit", "--format", "json")
    assert [row["case_id"] for row in json.loads(out)["shown"]] == [rows[0]["case_id"]]
    for wrong, word in (
        (("decide", rows[0]["case_id"], "same"), "valid"), (("list", "--kind", "moves", "--state", "same"), "visit"),
        (("list", "--kind", "cows"), "cows"), (("list", "--region", "32"), "--kind"),
        (("list", "--kind", "moves", "--scope", "province"), "collect"), (("collect", "tidak-ada"), "tidak-ada"),
    ):  # fmt: skip
        code, out, err = run(*wrong)
        assert (code, out, len(err.strip().splitlines())) == (2, "", 1), wrong
        assert word in err


@pytest.mark.parametrize("lang", ["id", "en"])
def test_the_page_shows_a_case_and_takes_a_decision(
    moved: Dataset, queue: Collected, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    monkeypatch.setenv("DTSEN_DATASET", str(moved.path))
    settings.cache_clear()
    app = pages.open_page("tinjauan", kind="moves", lang=lang)
    assert not app.exception
    assert not app.error
    first = app.session_state["tinjauan.case"]
    assert str(queue.cases) in app.subheader[0].value
    assert len(app.dataframe) == 2 + bool(movement_cases.LOG.entries(moved.path))
    app.button(key="tinjauan.moves.decide.visit").click().run()
    assert not app.exception
    assert app.success
    assert app.session_state["tinjauan.case"] != first
    assert movement_cases.LOG.latest(moved.path) == {first: "visit"}
    app.segmented_control(key="tinjauan.moved").set_value("visit").run()
    assert app.session_state["tinjauan.case"] == first
    settings.cache_clear()


def test_an_ingest_fills_the_queue_and_says_so_once(
    moved: Dataset, queue: Collected, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(store_path(moved.path)) as con:
        con.execute("DELETE FROM move_pair")
    data._far_moves(moved.path)
    assert queue.after in capsys.readouterr().err
    data._far_moves(moved.path)
    assert capsys.readouterr().err == ""

    def refuse(dataset: Dataset) -> Collected:
        raise UserError("errors_lab.one_version")

    monkeypatch.setattr(movement_cases, "collect", refuse)
    data._far_moves(moved.path)  # a first ingest has nothing to compare with
    assert capsys.readouterr().err == ""


def test_real_families_are_not_shown_on_the_page(moved: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(dataset: Dataset, *, holder: bool) -> None:
        raise UserError("errors_mutu.names_need_sign_in")

    monkeypatch.setattr(review, "refuse_names", refuse)
    monkeypatch.setenv("DTSEN_DATASET", str(moved.path))
    settings.cache_clear()
    app = pages.open_page("tinjauan", kind="moves")
    settings.cache_clear()
    assert not app.exception
    assert app.info
    assert not app.dataframe
