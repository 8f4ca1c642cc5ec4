"""All pages in both languages on the small dataset, from the router as a visitor opens them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dtsen_core.locale import LANGS, text
from dtsen_core.present import labels
from dtsen_core.registry import manifest
from dtsen_core.ui.pages_list import page_entry, pages
from tests.ui.conftest import everything

STEPS = ("families", "poverty", "provinces", "pkh", "sembako", "pbi", "freshness")

Opener = Callable[..., AppTest]
PAGES = [entry.name for entry in pages()]
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_with_label_version_date_and_source(
    open_app: Opener, small_dataset: Path, page: str, lang: str
) -> None:
    app = open_app(small_dataset, page, lang=lang)
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert app.title[0].value == page_entry(page).title(lang)
    shown = everything(app)
    held = manifest.read(small_dataset)
    assert text("ui.simulated", lang) in shown
    assert labels.data_line(held, lang) in shown
    assert labels.source_line(held, lang) in shown


@pytest.mark.parametrize("page", PAGES)
def test_a_wrong_language_in_the_address_is_answered_and_the_page_opens(
    open_app: Opener, small_dataset: Path, page: str
) -> None:
    app = open_app(small_dataset, page, lang="jw")
    assert not app.exception
    assert not app.error
    assert len(app.warning) == 1
    assert app.title[0].value == page_entry(page).title("id")


def test_the_language_switch_changes_the_page_and_the_address(open_app: Opener, small_dataset: Path) -> None:
    app = open_app(small_dataset)
    assert app.title[0].value == page_entry("ringkasan").title("id")
    app.segmented_control(key="language_choice").set_value("en").run()
    assert app.title[0].value == page_entry("ringkasan").title("en")
    assert "lang" in app.query_params
    shown = everything(app)
    assert text("ringkasan.poor", "en") in shown
    assert text("ringkasan.poor", "id") not in shown


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("step", STEPS)
def test_every_slide_of_the_presenter_view(open_app: Opener, small_dataset: Path, step: str, lang: str) -> None:
    app = open_app(small_dataset, view="presenter", step=step, lang=lang)
    assert not app.exception
    assert not app.error
    shown = everything(app)
    assert text(f"ringkasan.ask_{step}", lang) in shown
    assert text("ui.simulated", lang) in shown
    assert labels.source_line(manifest.read(small_dataset), lang) in shown
    assert not app.sidebar.segmented_control


def test_the_presenter_moves_with_its_buttons_and_keeps_the_step_in_the_address(
    open_app: Opener, small_dataset: Path
) -> None:
    app = open_app(small_dataset, view="presenter")
    back, forward = app.button
    assert back.disabled
    forward.click().run()
    assert STEPS[1] in str(app.query_params["step"])
    assert text(f"ringkasan.ask_{STEPS[1]}", "id") in everything(app)


@pytest.mark.parametrize(("name", "value"), [("step", "99"), ("step", "<script>"), ("view", "lain")])
def test_wrong_values_in_the_address_never_break_the_page(
    open_app: Opener, small_dataset: Path, name: str, value: str
) -> None:
    app = open_app(small_dataset, **{"view": "presenter", name: value})
    assert not app.exception
    assert not app.error
    assert len(app.warning) == (name == "step")


@pytest.mark.cold_server
@pytest.mark.parametrize("page", PAGES)
def test_a_deep_link_on_a_cold_server_goes_through_the_router_and_keeps_its_parameters(
    open_app: Opener, small_dataset: Path, page: str
) -> None:
    app = open_app(small_dataset, page, lang="en")
    assert not app.exception
    assert not app.error
    assert app.title[0].value == page_entry(page).title("en")
    assert app.sidebar.segmented_control(key="language_choice").value == "en"
