"""Answers on standard output: JSON alone and strict, CSV plain, tables readable."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dtsen_core.cli.data import leaves
from dtsen_core.cli.output import emit, plain

ROWS = [{"code": "11", "families": np.float64(1234.5), "p0": float("nan"), "reasons": {"nik": 2}}]
TITLES = {"code": "kode", "families": "keluarga", "p0": "P0", "reasons": "alasan"}


def shown(capsys: pytest.CaptureFixture[str], form: str) -> str:
    emit(form, {"areas": ROWS}, ROWS, TITLES)
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_json_knows_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(shown(capsys, "json")) == {
        "areas": [{"code": "11", "families": 1234.5, "p0": None, "reasons": {"nik": 2}}]
    }


def test_csv_has_one_line_per_row_under_stable_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "csv").splitlines() == ["code,families,p0,reasons", '11,1234.5,,"{""nik"": 2}"']


def test_a_table_shows_titles_and_a_dash_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "table")
    for word in ("kode", "keluarga", "11", "1,23", "–"):
        assert word in text


def test_plain_turns_numpy_into_python() -> None:
    assert plain({"a": np.int64(3), "b": (np.bool_(True), float("inf"))}) == {"a": 3, "b": [True, None]}


def test_a_cell_that_looks_like_a_formula_is_guarded(capsys: pytest.CaptureFixture[str]) -> None:
    emit("csv", {}, [{"name": "=1+1", "count": -2}], {"name": "name", "count": "count"})
    assert capsys.readouterr().out.splitlines() == ["name,count", "'=1+1,-2"]


def test_a_document_is_told_line_by_line() -> None:
    document = {"a": 1, "rows": {"x": 2, "none": {}}, "names": ["p", "q"], "sent": [{"file": "f"}, {"file": "g"}]}
    assert list(leaves(document)) == [
        ("a", 1), ("rows.x", 2), ("names", "p, q"), ("sent.1.file", "f"), ("sent.2.file", "g")
    ]  # fmt: skip
