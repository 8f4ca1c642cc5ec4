"""A dataset of register rows alone: the pages say what is missing, the method page shows the counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dtsen_core.build import update
from dtsen_core.locale import LANGS, text
from dtsen_core.registry.dataset import Dataset

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def register_dataset(small_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("register") / "data"
    update.ingest("p3ke", [Dataset.open(small_dataset).folder / "sources" / "p3ke.csv"], out)
    return out


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("page", ["ringkasan", "peta", "peringkat", "metode"])
def test_pages_say_that_no_families_are_there(
    open_app: Callable[..., AppTest], register_dataset: Path, page: str, lang: str
) -> None:
    app = open_app(register_dataset, page, lang=lang)
    assert not app.exception
    said = [info.value for info in app.info]
    assert (text("ui.no_families", lang) in said) == (page != "metode")
