"""The pages on need and on reforms over the small dataset; what users keep goes to a folder of the test."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtsen_core.settings import settings


@pytest.fixture(autouse=True)
def shown(small_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "dataset", small_dataset)
    monkeypatch.setattr(settings(), "state", tmp_path / "state")
