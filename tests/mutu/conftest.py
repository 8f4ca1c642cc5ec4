from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dtsen_core.registry.dataset import Dataset
from dtsen_core.settings import settings
from tests.mutu import fake
from tests.pages import open_page

KINDS = {"simulated": {"origin": "simulated"}, "real": {"origin": "real"}, "old": {"origin": "simulated", "old": True}}


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("mutu")
    made = {name: fake.make(base / name, **fields) for name, fields in KINDS.items()}  # type: ignore[arg-type]
    return made | {name: fake.thin(base / name, keep) for name, keep in (("tiny", 2), ("empty", 0))}


@pytest.fixture
def simulated(folders: dict[str, Path]) -> Dataset:
    return Dataset.open(folders["simulated"])


@pytest.fixture
def real(folders: dict[str, Path]) -> Dataset:
    return Dataset.open(folders["real"])


@pytest.fixture
def decided(folders: dict[str, Path]) -> Iterator[Path]:
    """The simulated dataset without any decision, before and after."""
    root = folders["simulated"]
    forget(root)
    yield root
    forget(root)


def forget(root: Path) -> None:
    for file in root.parent.glob(f"{root.name}.review.sqlite*"):
        file.unlink()


@pytest.fixture
def visit(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch):
    """Callable: (kind of dataset, page, address) → the page after its first run."""

    def use(kind: str = "simulated", /, page: str = "mutu", folder: Path | None = None, **query: str) -> AppTest:
        monkeypatch.setenv("DTSEN_DATASET", str(folder or folders[kind]))
        settings.cache_clear()
        return open_page(page, **query)

    yield use
    settings.cache_clear()
    st.cache_data.clear()
    st.cache_resource.clear()
