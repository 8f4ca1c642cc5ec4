"""The versions of the open dataset as the time slider needs them: name, date and cache key, oldest first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from dtsen_core.registry import versions
from dtsen_core.ui.cache import DatasetKey, dataset, dataset_key
from dtsen_core.ui.shell import Page


@dataclass(frozen=True)
class Held:
    """A version that can be shown; `as_of` is the date its data speak of."""

    name: str
    as_of: str
    key: DatasetKey
    served: bool


@st.cache_data(max_entries=4, show_spinner=False)
def _held(path: str, stamp: str) -> tuple[Held, ...]:
    root = Path(path)
    found = []
    for version in versions.versions(root):
        key = DatasetKey(path, stamp) if version.served else dataset_key(root / version.folder)
        found.append(Held(version.name, version.manifest.as_of, key, version.served))
    return tuple(sorted(found, key=lambda v: (v.as_of, v.served, v.name)))


def held(page: Page) -> tuple[Held, ...]:
    """All versions of the page's dataset, oldest first; the served one is among them."""
    return _held(*served(page))


def served(page: Page) -> DatasetKey:
    """The key of the served version of the page's dataset, whichever version the page stands at."""
    root = page.dataset.path
    return dataset_key(root.parent.parent if root.parent.name == versions.FOLDER else root)


def at_version(page: Page, name: str) -> Page:
    """The page over another version of its dataset; the page itself for the served one or an unknown name."""
    found = next((v for v in held(page) if v.name == name and not v.served), None)
    return page if found is None else replace(page, key=found.key, dataset=dataset(found.key))
