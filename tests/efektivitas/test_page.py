"""The effectiveness page: every view in both languages, its sentences against its figures, and awkward choices."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dtsen_core.locale import LANGS
from dtsen_core.settings import settings
from dtsen_core.ui.efektivitas_parts import VIEWS
from tests import pages

pytestmark = pytest.mark.slow


@pytest.fixture
def served(small_dataset: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DTSEN_DATASET", str(small_dataset))
    settings.cache_clear()
    yield
    settings.cache_clear()


def words(app: AppTest) -> str:
    kinds = (app.title, app.header, app.subheader, app.markdown, app.caption, app.info, app.warning)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def check(app: AppTest) -> str:
    assert not app.exception
    assert not app.error, [element.value for element in app.error]
    said = words(app)
    assert "nan" not in said.lower().split()
    return said


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_in_every_language(served: None, view: str, lang: str) -> None:
    said = check(pages.open_page("efektivitas", show=view, lang=lang))
    assert ("DATA SIMULASI" if lang == "id" else "SIMULATED DATA") in said
    assert app_has_header(said, lang)


def app_has_header(said: str, lang: str) -> bool:
    return ("Efektivitas program" if lang == "id" else "Programme effectiveness") in said


@pytest.mark.parametrize("programme", ["sembako", "pbi", "pip", "blt_desa"])
@pytest.mark.parametrize("view", ["reach", "incidence", "poverty", "delivery"])
def test_every_programme(served: None, programme: str, view: str) -> None:
    check(pages.open_page("efektivitas", show=view, program=programme))


@pytest.mark.parametrize(
    "query",
    [
        {"show": "reach", "province": "32", "regency": "3273", "place": "rural", "group": "disability", "base": "1"},
        {"show": "causal", "province": "31", "regency": "3101"},
        {"show": "causal", "design": "did", "outcome": "school", "province": "31"},
        {"show": "causal", "program": "blt_desa"},
        {"show": "incidence", "province": "31", "place": "rural"},
        {"show": "overlap", "province": "31", "place": "rural"},
        {"show": "nothing", "program": "x", "province": "99", "base": "99"},
    ],
)
def test_awkward_choices_end_in_a_sentence(served: None, query: dict[str, str]) -> None:
    check(pages.open_page("efektivitas", **query))


def test_staggered_entry_and_the_truth_on_the_method_page(served: None) -> None:
    said = check(pages.open_page("efektivitas", show="causal", design="did"))
    # An estimate with its interval, or, where the trends before entry differ, a headline withheld with the reason.
    assert "95%" in said or ("Tidak kredibel di sini" in said and "tren keduanya sudah berbeda" in said)
    shown = pages.open_page("metode", show="effect")
    check(shown)
    assert shown.dataframe
