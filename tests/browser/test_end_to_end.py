"""A visitor's way through the dashboard, in Chromium: every page, both languages, nothing leaves the machine."""

from __future__ import annotations

import re
import tomllib
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import pytest

from dtsen_core.locale import LANGS, text
from dtsen_core.ui.pages_list import pages
from tests.browser.driver import PHONE, ROOT, Visitor, serving

PAGES = [entry.name for entry in pages()]
OTHER = {"id": "en", "en": "id"}


def sentences(lang: str) -> set[str]:
    """Whole sentences of the interface that exist in `lang` only."""
    found: dict[str, set[str]] = {code: set() for code in LANGS}
    for file in (ROOT / "data" / "locale").glob("*.toml"):
        for entry in tomllib.loads(file.read_text(encoding="utf-8")).values():
            for code in LANGS:
                if len(entry[code]) > 12 and not set("{}*`[_") & set(entry[code]):
                    found[code].add(entry[code])
    return found[lang] - found[OTHER[lang]]


def title(name: str, lang: str) -> str:
    return text(f"ui.page_{name}", lang)


def failed(visitor: Visitor) -> list[str]:
    """Signs that a page broke: Streamlit's own box, or our sentence for the unexpected."""
    starts = [text("errors_ui.unexpected", lang, code="").split(".")[0][:40] for lang in LANGS]
    return [start for start in starts if start in visitor.text()] + ["exception"] * visitor.broken()


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_speaks_the_language_asked_for(visit: Callable[..., Visitor], name: str, lang: str) -> None:
    visitor = visit()
    visitor.open(f"{name}?lang={lang}")
    assert visitor.title() == title(name, lang)
    assert failed(visitor) == []
    assert text("ui.simulated", lang).lower() in visitor.text().lower()
    body = visitor.text()
    assert {sentence for sentence in sentences(OTHER[lang]) if sentence in body} == set()


def test_the_language_switch_changes_the_page_and_the_address(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    visitor.open("peta")
    assert visitor.title() == title("peta", "id")
    visitor.page.get_by_test_id("stSidebar").get_by_text(text("ui.language_en", "id"), exact=True).click()
    visitor.page.wait_for_function(f"document.querySelector('h1')?.innerText.trim() === {title('peta', 'en')!r}")
    visitor.settle()
    assert "lang=en" in visitor.page.url
    visitor.page.get_by_test_id("stSidebarNavLink").get_by_text(title("peringkat", "en"), exact=True).click()
    visitor.page.wait_for_function(f"document.querySelector('h1')?.innerText.trim() === {title('peringkat', 'en')!r}")
    visitor.settle()
    assert failed(visitor) == []


def test_a_deep_link_on_a_cold_server_keeps_menu_and_parameters(
    visit: Callable[..., Visitor], small_dataset: Path, tmp_path: Path
) -> None:
    with serving(small_dataset, tmp_path / "log.txt") as address:
        visitor = visit(address)
        visitor.open("peta?area=32&lang=en")
        visitor.page.wait_for_selector('[data-testid="stSidebarNavLink"]')
        assert visitor.title() == title("peta", "en")
        assert failed(visitor) == []
        assert "Jawa Barat" in visitor.text()
        shown = urllib.parse.parse_qs(urllib.parse.urlsplit(visitor.page.url).query)
        assert shown["area"] == ["32"]
        links = visitor.page.get_by_test_id("stSidebarNavLink").all_inner_texts()
        assert [title(name, "en") for name in PAGES] == [re.sub(r"^\w+\n", "", link).strip() for link in links]


@pytest.mark.parametrize("name", PAGES)
def test_nothing_sticks_out_on_a_phone(visit: Callable[..., Visitor], name: str) -> None:
    visitor = visit(size=PHONE)
    visitor.open(name)
    assert visitor.overflow() == 0
    assert failed(visitor) == []


@pytest.mark.parametrize("query", ["peta?area=9999", "peta?lang=xx", "peringkat?model=x", "peringkat?scope=galaxy"])
def test_a_wrong_address_gets_a_sentence_and_a_page(visit: Callable[..., Visitor], query: str) -> None:
    visitor = visit()
    visitor.open(query)
    assert failed(visitor) == []
    assert visitor.page.get_by_test_id("stAlert").count() >= 1


def test_a_damaged_dataset_is_told_in_one_sentence(visit: Callable[..., Visitor], tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "manifest.json").write_text("{", encoding="utf-8")
    with serving(broken, tmp_path / "log.txt") as address:
        visitor = visit(address)
        visitor.page.goto(address)
        visitor.page.wait_for_selector('[data-testid="stAlert"]', timeout=60_000)
        assert text("errors_dataset.damaged", "id", path=broken)[:30] in visitor.text()
        assert visitor.broken() == 0
