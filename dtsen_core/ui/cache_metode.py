"""Cached answers of the method page, keyed by dataset folder and manifest stamp."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dtsen_core.oversight import disclosure
from dtsen_core.oversight.disclosure import Published, TableSpec
from dtsen_core.policy import method
from dtsen_core.policy.method import Accuracy
from dtsen_core.ui import cache
from dtsen_core.ui.cache import DatasetKey


@st.cache_data(max_entries=4, show_spinner=False)
def _files(path: str, stamp: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    dataset = cache.dataset(DatasetKey(path, stamp))
    return method.ingest_files(dataset), method.quarantine_reasons(dataset)


def files(key: DatasetKey) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(lines by file, quarantined lines by source and reason): counts of lines, not of people."""
    return _files(*key)


@st.cache_data(max_entries=4, show_spinner=False)
def _matches(path: str, stamp: str) -> Published | None:
    dataset = cache.dataset(DatasetKey(path, stamp))
    frame = method.match_summary(dataset)
    if frame.empty:
        return None
    frame = frame.rename(columns={"source": "source_name"}).drop(columns="unit")
    frame["share"] = frame["matched"] / frame["records"].where(frame["records"] > 0)
    spec = TableSpec(
        key="source_name",
        counts=["records", "matched", "unmatched"],
        additive={"records": ["matched", "unmatched"]},
        rates={"share": ("matched", "records")},
        base="records",
        sample=None,
    )
    return disclosure.publish(frame, spec, origin=dataset.manifest.origin)


def matches(key: DatasetKey) -> Published | None:
    """Records matched with the civil register by source; None where the dataset has no such summary."""
    return _matches(*key)


@st.cache_data(max_entries=4, show_spinner=False)
def _tables(path: str, stamp: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    dataset = cache.dataset(DatasetKey(path, stamp))
    return method.calibration(dataset), method.model_fit(dataset)


def calibration(key: DatasetKey) -> pd.DataFrame:
    return _tables(*key)[0]


def model_fit(key: DatasetKey) -> pd.DataFrame:
    return _tables(*key)[1]


@st.cache_data(max_entries=8, show_spinner=False)
def _accuracy(path: str, stamp: str, model: str) -> tuple[list[Accuracy], Published]:
    dataset = cache.dataset(DatasetKey(path, stamp))
    frames = method.estimates_against_truth(dataset, model)
    spec = TableSpec(
        key="code",
        counts=["families", "persons"],
        persons=["persons"],
        measures=["truth", "estimate", "low", "high"],
        sample="n",
    )
    shown = disclosure.publish(frames["regency"], spec, origin=dataset.manifest.origin)
    return [method.accuracy(frame, level) for level, frame in frames.items()], shown


def accuracy(key: DatasetKey, model: str) -> tuple[list[Accuracy], Published]:
    """(accuracy by level, regencies: estimate beside simulated truth). UserError on real data."""
    return _accuracy(*key, model)
