"""The one list of pages is validated as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtsen_core.errors import UserError
from dtsen_core.locale import LANGS
from dtsen_core.paths import RULES
from dtsen_core.ui.pages_list import page_entry, pages, parse

GOOD = (RULES / "pages.toml").read_text(encoding="utf-8")


def test_the_shipped_list_is_valid_and_opens_with_the_summary() -> None:
    listed = pages()
    assert [page.name for page in listed][:3] == ["ringkasan", "peta", "peringkat"]
    assert [page.name for page in listed if page.default] == ["ringkasan"]
    assert page_entry("peta").file == "pages/peta.py"
    for page in listed:
        for lang in LANGS:
            assert page.title(lang)
            assert page.help(lang)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('file = "pages/peta.py"', 'file = "pages/tidak_ada.py"', "tidak_ada"),
        ('file = "pages/peta.py"', 'file = "../rahasia.py"', "rahasia"),
        ('name = "peta"', 'name = "ringkasan"', "twice"),
        ('name = "peta"', 'name = "Peta Baru"', "Peta Baru"),
        ("default = true", "default = false", "exactly one"),
        ('icon = ":material/map:"', 'icon = "🗺"', "🗺"),
        ('icon = ":material/map:"', "", "'icon' is missing"),
        ('icon = ":material/map:"', 'icon = ":material/map:"\nwarna = "biru"', "warna"),
        ('section = "dasar"', 'section = "entah"', "section_entah"),
        ("[[page]]", "[[page", "line 4"),
    ],
)
def test_every_kind_of_mistake_is_named(old: str, new: str, complaint: str) -> None:
    assert old in GOOD
    with pytest.raises(UserError) as caught:
        parse(GOOD.replace(old, new, 1))
    for lang in LANGS:
        assert complaint in caught.value.message(lang)


def test_all_mistakes_are_reported_together() -> None:
    broken = GOOD.replace("pages/peta.py", "pages/satu.py").replace("pages/metode.py", "pages/dua.py")
    with pytest.raises(UserError) as caught:
        parse(broken)
    assert "satu" in caught.value.message("en")
    assert "dua" in caught.value.message("en")


def test_every_script_in_pages_is_listed(tmp_path: Path) -> None:
    scripts = {f"pages/{path.name}" for path in (RULES.parents[1] / "pages").glob("*.py")}
    assert scripts == {page.file for page in pages()}
