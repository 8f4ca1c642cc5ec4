"""The address holds stable codes; anything else is answered with one sentence and the default."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from dtsen_core.errors import UserError
from dtsen_core.ui import url_state

CODES = ("province", "regency", "district")


@given(st.text())
def test_only_listed_codes_pass(raw: str) -> None:
    if raw in CODES:
        assert url_state.validate(raw, CODES) == raw
    else:
        with pytest.raises(ValueError):
            url_state.validate(raw, CODES)


@given(st.integers(min_value=1, max_value=10))
def test_a_code_keeps_its_type(decile: int) -> None:
    assert url_state.validate(str(decile), range(1, 11)) == decile


@given(st.text(min_size=201, max_size=400))
def test_long_values_never_reach_a_parser(raw: str) -> None:
    def parser(value: str) -> str:
        raise AssertionError(value)

    with pytest.raises(ValueError):
        url_state.validate(raw, parser)


def test_a_parser_may_explain_itself() -> None:
    def parser(value: str) -> str:
        raise UserError("errors_ui.bad_parameter", value=value, name="area", default="ID")

    with pytest.raises(UserError):
        url_state.validate("99", parser)


def script() -> None:
    import streamlit as st

    from dtsen_core.ui import controls, url_state

    url_state.language()
    level = controls.choice("level", "Level", ("province", "regency"), "province", str.title, page="uji")
    st.text(f"{level} {url_state.current_language()}")


def opened(**query: str) -> AppTest:
    app = AppTest.from_function(script, default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def address(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def test_a_link_sets_the_control_and_a_default_stays_out_of_the_address() -> None:
    app = opened(level="regency")
    assert app.text[0].value == "regency id"
    assert address(app)["level"] == "regency"
    plain = opened()
    assert plain.text[0].value == "province id"
    assert address(plain) == {}


def test_a_link_brings_no_picture_and_no_markup() -> None:
    """A picture in a sentence would be fetched from outside by everyone who follows the link."""
    said = opened(level="![x](http://contoh.id/x.png)").warning[0].value
    assert "contoh.id" in said
    assert "![" not in said
    assert "http:" not in said


def test_the_control_wins_over_what_the_page_wrote_itself() -> None:
    app = opened(level="regency")
    app.selectbox[0].select("province").run()
    assert app.text[0].value == "province id"
    assert "level" not in address(app)
    app.selectbox[0].select("regency").run()
    assert address(app)["level"] == "regency"


def test_a_new_value_from_outside_wins_over_the_control() -> None:
    app = opened()
    app.selectbox[0].select("regency").run()
    app.query_params["level"] = "province"
    app.run()
    assert app.text[0].value == "province id"


@pytest.mark.parametrize(
    "raw", ["dusun", "Province", "'; DROP TABLE keluarga; --", "<b>x</b>", "\n\n# Besar", "x" * 999]
)
def test_a_wrong_value_is_answered_with_one_sentence(raw: str) -> None:
    app = opened(level=raw, lang="en")
    assert not app.exception
    assert app.text[0].value == "province en"
    assert len(app.warning) == 1
    sentence = app.warning[0].value
    assert "level" in sentence
    assert "province" in sentence
    assert len(sentence) < 200


def test_the_language_of_the_address_holds_and_a_wrong_one_is_refused() -> None:
    assert opened(lang="en").text[0].value == "province en"
    app = opened(lang="fr")
    assert app.text[0].value == "province id"
    assert len(app.warning) == 1
