"""The one-page document: one page, its own fonts, label and source line in it."""

from __future__ import annotations

import io

import pypdf
import pytest

from dtsen_core.locale import LANGS, text
from dtsen_core.present import labels
from dtsen_core.present.ringkasan import Sealed
from dtsen_core.present.ringkasan_pdf import ringkasan_pdf


def read(data: bytes) -> tuple[pypdf.PdfReader, str]:
    reader = pypdf.PdfReader(io.BytesIO(data))
    return reader, " ".join(reader.pages[0].extract_text().split())


@pytest.mark.parametrize("lang", LANGS)
def test_one_page_with_label_version_date_and_source(national: Sealed, lang: str) -> None:
    reader, content = read(ringkasan_pdf(national, lang))
    assert len(reader.pages) == 1
    assert labels.source_line(national.manifest, lang) in content
    assert text("ui.simulated", lang) in content
    assert national.manifest.version in content
    assert {"id": "23 Januari 2026", "en": "23 January 2026"}[lang] in content
    assert {"id": "8,47%", "en": "8.47%"}[lang] in content
    assert sum(name in content for name in national.provinces.frame["name"]) == 38


def test_fonts_are_embedded(national: Sealed) -> None:
    reader, _ = read(ringkasan_pdf(national, "id"))
    fonts = reader.pages[0]["/Resources"]["/Font"].get_object()
    used = [font.get_object() for font in fonts.values()]
    jakarta = [font for font in used if "PlusJakartaSans" in str(font["/BaseFont"])]
    assert len(jakarta) >= 2
    assert all("/FontFile2" in font["/FontDescriptor"].get_object() for font in jakarta)


def test_the_same_figures_give_the_same_bytes(national: Sealed) -> None:
    assert ringkasan_pdf(national, "id") == ringkasan_pdf(national, "id")


@pytest.mark.parametrize("lang", LANGS)
def test_a_small_real_dataset_fits_too_and_explains_what_is_hidden(local: Sealed, lang: str) -> None:
    reader, content = read(ringkasan_pdf(local, lang))
    assert len(reader.pages) == 1
    assert text("ui.simulated", lang) not in content
    assert text("disclosure.suppressed", lang) in content
    assert local.reason(lang)[:40] in content
