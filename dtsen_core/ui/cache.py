"""What is kept between reruns and shared between visitors. Keys are scalars, every cache is bounded.

A dataset is known by `DatasetKey`: its folder and a stamp of its manifest. A build that swaps the folder
changes the stamp, so every cached answer of the old dataset simply stops being asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from dtsen_core.registry.dataset import Dataset


class DatasetKey(NamedTuple):
    """Cache key of a dataset: folder path and manifest stamp."""

    path: str
    stamp: str


def dataset_key(path: Path) -> DatasetKey:
    """The key of the dataset in `path`; the stamp is empty when there is no manifest."""
    try:
        stat = (path / "manifest.json").stat()
    except OSError:
        return DatasetKey(str(path), "")
    return DatasetKey(str(path), f"{stat.st_mtime_ns}-{stat.st_size}-{stat.st_ino}")


@st.cache_resource(max_entries=8, show_spinner=False)
def _open(path: str, stamp: str) -> Dataset:
    return Dataset.open(Path(path))


def dataset(key: DatasetKey) -> Dataset:
    """The one open dataset of this process for `key`; raises UserError if it is missing or damaged."""
    return _open(key.path, key.stamp)
