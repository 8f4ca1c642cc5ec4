"""Shared by all tests: one small demonstration dataset, built once by the real chain."""

from __future__ import annotations

import os
from itertools import zip_longest
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from dtsen_core import machine

# The suite tests what is right, not how fast: a busy machine must not fail it. tests/bench measures speed.
hypothesis_settings.register_profile("dtsen", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("dtsen")
machine.prepare()  # as the app and the command line do; two workers share the cores


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first and, as far as they last, browser files between others: no worker is left with a
    long one at the end, and two Chromiums seldom share the cores."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    marked = {path: {mark.name for item in own for mark in item.iter_markers()} for path, own in files.items()}
    browser = [path for path in files if "browser" in marked[path]]
    others = [path for path in files if path not in browser]
    # Those that build datasets of their own begin: they need not wait for the one that all others share.
    others.sort(key=lambda path: ("slow" not in marked[path], "build" not in path.parts))
    order = [path for pair in zip_longest(browser, others) for path in pair if path]
    items[:] = [item for path in order for item in files[path]]


SMALL = {"families": 20_000, "seed": 7, "survey_households": 51_400}


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a dataset of 20,000 families, registers included. Parallel workers share one build.

    ``DTSEN_TEST_DATASET`` names a folder that keeps it between runs; build it anew after a change of the chain.
    """
    from dtsen_core.build import demo

    if kept := os.environ.get("DTSEN_TEST_DATASET"):
        out = Path(kept)
        with FileLock(out.with_suffix(".lock")):
            if not (out / "manifest.json").exists():
                demo.build(out, **SMALL)
        return out

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    out = shared / "small-dataset"
    with FileLock(shared / "small-dataset.lock"):
        if not (out / "manifest.json").exists():
            demo.build(out, **SMALL)
    return out


@pytest.fixture(autouse=True)
def warm_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages run through the router, except in a test of that very case, marked ``cold_server``."""
    from streamlit.runtime.pages_manager import PagesManager

    from tests import pages

    if not request.node.get_closest_marker("cold_server"):
        monkeypatch.setattr(PagesManager, "__init__", PagesManager.__init__)  # restored after the test
        pages.through_router(PagesManager)
