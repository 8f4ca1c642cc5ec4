"""The small demonstration dataset, opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtsen_core.registry.dataset import Dataset


@pytest.fixture(scope="session")
def opened(small_dataset: Path) -> Dataset:
    return Dataset.open(small_dataset)
