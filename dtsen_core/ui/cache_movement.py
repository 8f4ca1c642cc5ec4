"""Cached moves between versions. Keys are scalars; what is kept has passed the one exit."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dtsen_core.integrate.compare import decile_classes
from dtsen_core.oversight import disclosure, lab_tables
from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy.movement import Movement, movement
from dtsen_core.registry import versions
from dtsen_core.ui import cache
from dtsen_core.ui.cache import DatasetKey

CODES = tuple(one.code for one in decile_classes())


@dataclass(frozen=True)
class Moved:
    """A `Movement` as it may be shown. `classes` has one row per class; `causes` means over all families."""

    before: str
    after: str
    seconds: float
    classes: Published
    areas: Published
    causes: pd.DataFrame
    total_move: float
    new: int
    gone: int


def publish(found: Movement, origin: str) -> Moved:
    return Moved(
        found.before, found.after, found.seconds,
        disclosure.publish(found.classes, lab_tables.movement_summary(), origin=origin),
        disclosure.publish(found.areas, lab_tables.movement_classes(CODES), origin=origin),
        found.causes, found.total_move, found.new, found.gone,
    )  # fmt: skip


@st.cache_data(max_entries=24, show_spinner=False)
def _moved(path: str, stamp: str, *asked: str | None) -> Moved:
    opened = cache.dataset(DatasetKey(path, stamp))
    return publish(movement(opened, *asked), opened.manifest.origin)  # type: ignore[arg-type]


def moved(key: DatasetKey, before: str, after: str, scope: str, region: str | None, level: str) -> Moved:
    """The published moves between two versions."""
    return _moved(*key, before, after, scope, region, level)


@st.cache_data(max_entries=8, show_spinner=False)
def versions_of(path: str, stamp: str) -> tuple[tuple[str, str], ...]:
    """(name, date) of the versions with families, newest date first."""
    found = [v for v in versions.versions(cache.dataset(DatasetKey(path, stamp)).path) if v.manifest.families]
    ordered = sorted(found, key=lambda v: (v.manifest.as_of, v.served, v.manifest.created), reverse=True)
    return tuple((v.name, v.manifest.as_of) for v in ordered)
