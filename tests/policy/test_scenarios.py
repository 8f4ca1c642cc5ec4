"""Named scenarios: kept, found again, refused in one sentence, and safe with several users at once."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core import locale
from dtsen_core.errors import UserError
from dtsen_core.policy import scenarios
from dtsen_core.policy.scenarios import Store
from dtsen_core.settings import Settings

PARAMS = {"indicators": ["p0", "gini"], "weights": {"p0": 0.6, "gini": 0.4}, "limit": None, "level": "regency"}


def test_a_scenario_is_found_again_by_another_process_of_the_same_folder(tmp_path: Path) -> None:
    made = Store(tmp_path / "new" / "folder").save("prioritas", "  Kabupaten   pesisir ", PARAMS, "v1", "catatan")
    again = Store(tmp_path / "new" / "folder")
    assert again.load(made.id) == made
    assert (made.name, made.params, made.dataset_version, made.note) == ("Kabupaten pesisir", PARAMS, "v1", "catatan")
    assert again.list("prioritas") == (made,)
    assert again.list("simulasi") == ()


def test_rename_annotate_update_and_delete(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = store.save("prioritas", "A", PARAMS, "v1")
    assert store.rename(made.id, "B").name == "B"
    assert store.annotate(made.id, "baris\nkedua").note == "baris\nkedua"
    assert store.update(made.id, {"x": 1}, "v2").params == {"x": 1}
    assert store.load(made.id).revision == 4
    assert store.load(made.id).created == made.created
    store.delete(made.id)
    assert store.list() == ()
    with pytest.raises(UserError, match="deleted"):
        store.delete(made.id)


def test_a_name_is_unique_within_its_kind_in_any_case_of_letters(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = store.save("prioritas", "Pesisir", PARAMS, "v1")
    other = store.save("prioritas", "Lain", PARAMS, "v1")
    store.save("simulasi", "Pesisir", PARAMS, "v1")
    for attempt in (lambda: store.save("prioritas", "PESISIR", {}, "v1"), lambda: store.rename(other.id, "pesisir")):
        with pytest.raises(UserError) as caught:
            attempt()
        assert caught.value.key == "errors_scenarios.name_taken"
    assert store.rename(first.id, "PESISIR").name == "PESISIR"


def test_a_change_that_was_overtaken_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    seen = store.save("prioritas", "A", PARAMS, "v1")
    store.annotate(seen.id, "by somebody else")
    with pytest.raises(UserError) as caught:
        store.update(seen.id, {}, "v1", revision=seen.revision)
    assert caught.value.key == "errors_scenarios.overtaken"
    assert store.load(seen.id).params == PARAMS


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "\u200b\x00"])
def test_a_name_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError) as caught:
        Store(tmp_path).save("prioritas", name, {}, "v1")
    assert caught.value.key == "errors_scenarios.name"
    assert all(caught.value.message(lang) for lang in locale.LANGS)


def test_what_is_no_choice_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for params, key in (({"x": object()}, "params"), ({"x": "y" * scenarios.MAX_PARAMS}, "params_large")):
        with pytest.raises(UserError) as caught:
            store.save("prioritas", "A", params, "v1")
        assert caught.value.key == f"errors_scenarios.{key}"
    assert store.list() == ()
    assert store.save("prioritas", "A", {"limit": float("nan")}, "v1").params == {"limit": None}


def test_a_damaged_file_and_a_closed_folder_are_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / scenarios.FILE).write_bytes(b"not a database at all" * 100)
    with pytest.raises(UserError) as caught:
        Store(tmp_path).list()
    assert caught.value.key == "errors_scenarios.damaged"
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError) as caught:
        Store(tmp_path / "file").save("prioritas", "A", {}, "v1")
    assert caught.value.key == "errors_scenarios.not_writable"


def test_an_unknown_id_is_told_without_a_folder_being_made(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        Store(tmp_path / "none").load("abc")
    assert not (tmp_path / "none").exists()


def _write_many(folder: str, user: int) -> None:
    for number in range(20):
        Store(Path(folder)).save("prioritas", f"{user}-{number}", {"user": user, "number": number}, "v1")


def test_several_users_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    users = [context.Process(target=_write_many, args=(str(tmp_path), user)) for user in range(3)]
    for process in users:
        process.start()
    for process in users:
        process.join()
    kept = Store(tmp_path).list("prioritas")
    assert {s.name for s in kept} == {f"{user}-{number}" for user in range(3) for number in range(20)}
    assert all(s.name == f"{s.params['user']}-{s.params['number']}" for s in kept)


@settings(max_examples=30)
@given(st.dictionaries(st.text(max_size=8), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3), max_leaves=5), max_size=5))  # fmt: skip
def test_params_come_back_as_they_went(tmp_path_factory: pytest.TempPathFactory, params: dict[str, object]) -> None:
    store = Store(tmp_path_factory.mktemp("state"))
    made = store.save("prioritas", "A", params, "v1")
    assert store.load(made.id).params == json.loads(json.dumps(params))


def test_the_state_lies_beside_the_dataset_unless_named(tmp_path: Path) -> None:
    assert Settings(dataset=tmp_path / "demo").state_folder == tmp_path / "demo-state"
    assert Settings(dataset=tmp_path / "demo", state=tmp_path / "s").state_folder == tmp_path / "s"
