"""The table of the missed between reruns; published parent by parent, as the sums of a table are its parent's row."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dtsen_core.oversight.disclosure import Published, publish
from dtsen_core.oversight.missed import missed_spec
from dtsen_core.policy import missed
from dtsen_core.ui.cache import DatasetKey, dataset

_PARENT_DIGITS = {"province": 0, "regency": 2, "district": 4, "village": 6}


@dataclass(frozen=True, eq=False)
class Missed:
    """Published rows (withheld cells NaN), which cells are withheld, and why."""

    frame: pd.DataFrame
    hidden: pd.DataFrame
    reasons: dict[str, str]


@st.cache_data(max_entries=120, max_size="80MB", show_spinner=False)
def _missed(path: str, stamp: str, level: str, parent: str | None) -> Missed:
    opened = dataset(DatasetKey(path, stamp))
    frame = missed.missed(opened, level, parent).dropna(axis=1, how="all")
    parents = frame["code"].str[: _PARENT_DIGITS[level]]
    spec = missed_spec(frame)
    parts: list[Published] = [
        publish(part.reset_index(drop=True), spec, origin=opened.manifest.origin) for _, part in frame.groupby(parents)
    ]
    hidden = [p for p in parts if p.any_suppressed]
    reasons = {lang: hidden[0].reason(lang) if hidden else "" for lang in ("id", "en")}
    shown = pd.concat([p.frame for p in parts], ignore_index=True)
    return Missed(shown, pd.concat([p.suppressed for p in parts], ignore_index=True), reasons)


def table(key: DatasetKey, level: str, parent: str | None) -> Missed:
    """The missed by area of `level` inside `parent` (None: everywhere)."""
    return _missed(*key, level, parent)


@st.cache_data(max_entries=4, show_spinner=False)
def _used(path: str, stamp: str) -> dict[str, float]:
    """Shares of national quotas: of the whole country, so that no small cell is in them."""
    opened = dataset(DatasetKey(path, stamp))
    used = missed.quota_used(opened)
    nation = missed.missed(opened, "province").dropna(axis=1, how="all")
    publish(nation, missed_spec(nation), origin=opened.manifest.origin)
    return used


def quota_used(key: DatasetKey) -> dict[str, float]:
    """Enrolled units as a share of each programme's national quota."""
    return _used(*key)
