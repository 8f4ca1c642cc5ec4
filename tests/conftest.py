"""Shared by all tests: one small demonstration dataset, built once by the real chain."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

SMALL = {"families": 20_000, "seed": 7, "survey_households": 51_400}


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a dataset of 20,000 families, registers included. Parallel workers share one build."""
    from dtsen_core.build import demo

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    out = shared / "small-dataset"
    with FileLock(shared / "small-dataset.lock"):
        if not (out / "manifest.json").exists():
            demo.build(out, **SMALL)
    return out
