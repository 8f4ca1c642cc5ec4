"""Opening the app on a dataset folder, from the router as a visitor does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dtsen_core.settings import settings
from tests.pages import open_page

Opener = Callable[..., AppTest]


@pytest.fixture
def open_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[Opener]:
    """Callable: dataset folder, page name and address parameters → the app after its first run there."""

    def use(folder: Path, page: str = "ringkasan", **query: str) -> AppTest:
        monkeypatch.setenv("DTSEN_DATASET", str(folder))
        settings.cache_clear()
        return open_page(page, **query)

    yield use
    settings.cache_clear()
    st.cache_data.clear()
    st.cache_resource.clear()


def everything(app: AppTest) -> str:
    """All text a visitor reads, in one piece."""
    kinds = ("title", "subheader", "caption", "markdown", "info", "warning", "error", "metric", "text", "html")
    parts = []
    for kind in kinds:
        for element in app.get(kind):
            parts += [str(getattr(element, name, "")) for name in ("label", "value", "body")]
    return "\n".join(parts)
