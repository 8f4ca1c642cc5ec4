"""Both pages as a visitor meets them: every view in both languages, links, odd input, kept scenarios."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from dtsen_core import locale
from tests.pages import open_page

VIEWS = ("compare", "deciles", "areas", "groups", "budget", "objections")


def words(app: AppTest) -> str:
    return "\n".join(str(e.value) for e in (*app.subheader, *app.markdown, *app.caption, *app.info))


def clean(app: AppTest) -> None:
    assert not app.exception
    assert [e.value for e in app.error] == []
    seen = words(app)
    assert " nan" not in seen.lower()
    assert "{" not in seen


@pytest.mark.parametrize("lang", locale.LANGS)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_of_the_simulation(view: str, lang: str) -> None:
    app = open_page("simulasi", lang=lang, show=view, a="pkh~q12000000", b="sembako~d4~b")
    clean(app)
    assert locale.text("simulasi.label", lang) in words(app)
    assert app.subheader[0].value.startswith(("Skenario A", "Scenario A"))


@pytest.mark.parametrize("lang", locale.LANGS)
@pytest.mark.parametrize(
    ("programme", "view"),
    [("pkh", "areas"), ("pbi", "deciles"), ("pkh", "calculator"), ("pip", "areas"), ("sekolah_rakyat", "deciles")],
)
def test_every_view_of_needs(programme: str, view: str, lang: str) -> None:
    app = open_page("kebutuhan", lang=lang, show=view, programme=programme)
    clean(app)
    assert app.subheader[0].value


def test_a_null_reform_says_so_and_a_link_is_kept() -> None:
    app = open_page("simulasi", a="sembako", lang="en")
    clean(app)
    assert "changes nothing" in app.subheader[0].value
    assert app.query_params["a"] == "sembako"
    app = open_page("simulasi", a="new~d2~a1200000~b~ufamilies~kelderly_head", lang="en")
    clean(app)
    assert "New programme" in app.subheader[0].value


@pytest.mark.parametrize("code", ["pkh~d99", "pkh~q-5", "x" * 300, "tidak_ada~d4", "pkh~zz", "pkh~f9~d2", "pkh~qnan"])
def test_an_odd_link_is_answered_with_a_sentence(code: str) -> None:
    app = open_page("simulasi", a=code)
    assert not app.exception
    assert app.warning or app.error
    assert app.subheader


@pytest.mark.parametrize("code", ["pkh~a9000000000", "sembako~q1", "pkh~q1~a1", "pkh~d10~b~q-1", "sembako~a9e9~b"])
@pytest.mark.parametrize("view", ["compare", "budget"])
def test_extreme_figures_are_computed_or_explained(code: str, view: str) -> None:
    """A benefit above anybody's expenditure, one place, everyone eligible: figures and a remark, no failure."""
    clean(open_page("simulasi", show=view, a=code))


def test_a_changed_control_changes_the_link_and_the_finding() -> None:
    app = open_page("simulasi", a="pkh", lang="en")
    before = app.subheader[0].value
    quota = next(n for n in app.number_input if "Quota" in n.label)
    quota.set_value(14_000_000).run()
    clean(app)
    assert app.query_params["a"] == "pkh~q14000000"
    assert app.subheader[0].value != before


def test_scenarios_are_kept_and_opened_again() -> None:
    app = open_page("simulasi", a="pkh~q12000000", b="sembako~d4", lang="en")
    next(t for t in app.text_input if t.label == "Name").input("Two ideas").run()
    next(b for b in app.button if b.label == "Save").click().run()
    clean(app)
    other = open_page("simulasi", a="sembako", lang="en")
    next(b for b in other.button if b.label == "Open").click().run()
    clean(other)
    assert other.query_params["b"] == "sembako~d4"
    assert other.query_params["a"] == "pkh~q12000000"


def test_scenarios_are_added_and_removed() -> None:
    app = open_page("simulasi", a="pkh~q12000000", lang="en")
    next(b for b in app.button if b.label == "Add").click().run()
    clean(app)
    assert app.query_params["b"] == "pkh~q12000000"
    next(b for b in app.button if b.label == "Remove").click().run()
    clean(app)
    assert "b" not in app.query_params


@pytest.mark.parametrize("lang", locale.LANGS)
def test_the_calculator_counts(lang: str) -> None:
    app = open_page("kebutuhan", lang=lang, show="calculator", programme="pkh")
    label = locale.text("simulasi.component_early_childhood", lang)
    next(n for n in app.number_input if n.label == label).set_value(3).run()
    clean(app)
    assert locale.text("kebutuhan.calculator_cap", lang, count=2, name=label.lower()) in app.subheader[1].value
    assert "6,00" in app.subheader[1].value or "6.00" in app.subheader[1].value
