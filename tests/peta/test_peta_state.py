"""Pure parts of the page's state: clicks, rows, codes of the address."""

from __future__ import annotations

import pytest

from dtsen_core.errors import UserError
from dtsen_core.ui import peta_state

ALL = frozenset({"model", "pkh", "sembako", "pbi"})


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"selection": {"points": [{"location": "3201", "z": 4}]}}, "3201"),
        ({"selection": {"points": [{"z": 4}, {"location": "32"}]}}, "32"),
        ({"selection": {"points": []}}, None),
        ({"selection": {}}, None),
        ({}, None),
        (None, None),
        ({"selection": {"points": [{"location": "<script>"}]}}, None),
        ({"selection": {"points": [{"location": 3201}]}}, None),
        ({"selection": {"points": [{"location": "3201012001"}]}}, None),
    ],
)
def test_area_from_selection(event: dict | None, code: str | None) -> None:
    assert peta_state.area_from_selection(event) == code


def test_row_from_selection_minds_the_edge() -> None:
    codes = ["11", "12"]
    assert peta_state.row_from_selection({"selection": {"rows": [1]}}, codes) == "12"
    assert peta_state.row_from_selection({"selection": {"rows": [2]}}, codes) is None
    assert peta_state.row_from_selection({"selection": {"rows": []}}, codes) is None


@pytest.mark.parametrize(("raw", "code"), [("32.01", "3201"), ("id", "ID"), ("320105", "320105")])
def test_area_codes_are_read_generously(raw: str, code: str) -> None:
    assert peta_state.parse_area(raw) == code


def test_a_wrong_area_names_near_misses() -> None:
    with pytest.raises(UserError) as caught:
        peta_state.parse_area("3299")
    assert "3299" in caught.value.message("id")
    assert "327" in caught.value.message("id")


def test_a_village_is_answered_with_its_district() -> None:
    with pytest.raises(UserError) as caught:
        peta_state.parse_area("1101012001")
    assert "110101" in caught.value.message("id")


def test_a_wrong_measure_names_near_misses_and_the_default() -> None:
    with pytest.raises(UserError) as caught:
        peta_state.parse_indicator("pbii", ALL, "en")
    message = caught.value.message("en")
    assert "pbii" in message
    assert "pbi" in message.replace("pbii", "")
    assert "Share of families in national deciles 1–4" in message


def test_a_measure_that_needs_a_model_is_refused_without_one() -> None:
    assert peta_state.parse_indicator("p0", ALL, "id") == "p0"
    with pytest.raises(UserError) as caught:
        peta_state.parse_indicator("p0", {"pbi"}, "id")
    assert "perlu model" in caught.value.message("id")


def test_levels_go_down_one_step_at_a_time() -> None:
    assert peta_state.levels_for("ID") == ("regency", "province")
    assert peta_state.levels_for("32")[0] == "regency"
    assert peta_state.levels_for("3201") == ("district",)
    assert peta_state.container_of("320105") == "3201"
    assert peta_state.container_of("3201") == "3201"
