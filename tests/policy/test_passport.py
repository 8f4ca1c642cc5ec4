"""The passport of a ranking: made, written, read, verified; tampered and foreign ones refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.errors import UserError
from dtsen_core.policy.passport import Passport
from dtsen_core.policy.welfare import RankRequest, full_ranking
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.indicators import INDICATORS


@pytest.fixture(scope="module")
def dataset(small_dataset: Path) -> Dataset:
    return Dataset.open(small_dataset)


def make(dataset: Dataset, **fields: object) -> Passport:
    request = RankRequest(**fields)  # type: ignore[arg-type]
    return Passport.make(dataset, request, full_ranking(dataset, request))


@pytest.mark.parametrize("fields", [
    {"level": "province"}, {"model": "pmt_nasional", "scope": "regency", "unit": "persons", "benchmark": True},
    {"model": "resmi"}, {"region": "11", "level": "district", "plain": True},
])  # fmt: skip
def test_a_passport_makes_its_ranking_again(dataset: Dataset, fields: dict[str, object]) -> None:
    passport = Passport.from_json(make(dataset, **fields).to_json())
    assert passport.request == RankRequest(**fields)  # type: ignore[arg-type]
    found = passport.verify(dataset)
    assert found.same
    assert found.differences == ()
    assert found.now.id == passport.id


def test_an_uploaded_scorecard_travels_with_the_passport(dataset: Dataset, tmp_path: Path) -> None:
    indicator = INDICATORS[0]
    file = tmp_path / "kartu.csv"
    file.write_text(f"variable,category,coefficient\nintercept,,13.5\n{indicator.name},"
                    f"{indicator.categories[1].value},0.25\ndaerah,perkotaan,0.1\n", encoding="utf-8")  # fmt: skip
    text = make(dataset, model=str(file)).to_json()
    file.unlink()
    assert str(tmp_path) not in text
    assert Passport.from_json(text).verify(dataset).same


def test_what_changed_is_named(dataset: Dataset) -> None:
    passport = make(dataset, level="province")
    raw = json.loads(passport.to_json())
    raw["code"]["hash"] = "0"
    raw["dataset"]["version"] = "lain"
    found = Passport.from_json(json.dumps({"passport": raw})).verify(dataset)
    assert found.same
    assert [d.field for d in found.differences] == ["dataset.version", "code.hash"]
    raw["answer"]["figures"]["p0"] *= 1.0001
    raw["answer"]["histogram"] = "0"
    found = Passport.from_json(json.dumps(raw)).verify(dataset)
    assert not found.same
    assert [d.field for d in found.differences if d.decisive] == ["answer.histogram", "figures.p0"]
    other = dataclasses.replace(passport, parameters=passport.parameters | {"scope": "regency"})
    assert not other.verify(dataset).same
    assert other.id != passport.id


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"passport": 3}', '{"format": 1}'])
def test_what_is_no_passport_is_refused(text: str) -> None:
    with pytest.raises(UserError) as refused:
        Passport.from_json(text)
    assert refused.value.key == "errors_passport.damaged"


LEAF = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5)


@given(st.sampled_from(["dataset", "model", "parameters", "code", "answer", "format"]), st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4))  # fmt: skip
@settings(max_examples=60)
def test_a_damaged_member_is_refused(name: str, value: object) -> None:
    good: dict[str, object] = {
        "dataset": dict.fromkeys(("version", "hash", "origin", "as_of"), ""), "model": {"name": "", "hash": ""},
        "parameters": {}, "code": {"version": "", "hash": ""}, "format": 1,
        "answer": {"histogram": "", "areas": "", "figures": {}},
    }  # fmt: skip
    Passport.from_json(json.dumps(good))
    if (name == "parameters" and value == {}) or (name == "format" and value in (1, True)):
        return
    with pytest.raises(UserError):
        Passport.from_json(json.dumps(good | {name: value}))
