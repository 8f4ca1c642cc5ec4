"""Cached answers of the reliability page, keyed by dataset and scalars; figures about people published here."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from dtsen_core.oversight import disclosure, tables
from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy import lab, robustness, trust, uncertainty
from dtsen_core.policy.uncertainty import Question
from dtsen_core.ui import cache
from dtsen_core.ui.cache import DatasetKey

Tell = Callable[[float], None]


def has_survey(key: DatasetKey) -> bool:
    return lab.has_survey(cache.dataset(key))


def models(key: DatasetKey) -> list[str]:
    """Scorecards that can be chosen at once."""
    return lab.available(cache.dataset(key))


def is_ready(key: DatasetKey, what: str) -> bool:
    """Whether the tournament, ``ablasi`` or ``kuesioner`` of this version was computed already."""
    dataset = cache.dataset(key)
    return trust.is_ready(dataset) if what == "tournament" else robustness.is_ready(dataset, what)


def compute(key: DatasetKey, what: str, tell: Tell) -> None:
    """Compute it now; `tell` hears the fraction done."""
    dataset = cache.dataset(key)
    {"tournament": trust.tournament, "ablasi": robustness.ablation, "kuesioner": robustness.questionnaire}[what](
        dataset, tell
    )


def survey_households(key: DatasetKey) -> int:
    return cache.dataset(key).manifest.survey_households


@st.cache_data(max_entries=4, show_spinner=False)
def _tournament(path: str, stamp: str) -> pd.DataFrame:
    return trust.tournament(cache.dataset(DatasetKey(path, stamp)))


def tournament(key: DatasetKey) -> pd.DataFrame:
    """Errors of every model by group and cut-off: quality of models on survey households."""
    return _tournament(*key)


@st.cache_data(max_entries=24, show_spinner=False)
def _calibration(path: str, stamp: str, model: str) -> pd.DataFrame:
    return trust.calibration_curve(cache.dataset(DatasetKey(path, stamp)), model)


def calibration(key: DatasetKey, model: str) -> pd.DataFrame:
    return _calibration(*key, model)


@st.cache_data(max_entries=48, show_spinner=False)
def _areas(path: str, stamp: str, level: str, *fields: str | int | float | None) -> tuple[Published, pd.Series]:
    dataset = cache.dataset(DatasetKey(path, stamp))
    frame = uncertainty.by_area(dataset, Question(*fields), level)  # type: ignore[arg-type]
    shown = disclosure.publish(frame, tables.UNCERTAINTY, origin=dataset.manifest.origin)
    return shown, frame[["families", "band", "wrong"]].sum()


def areas(key: DatasetKey, asked: Question, level: str) -> tuple[Published, pd.Series]:
    """(areas as they may be shown, sums over all of them)."""
    return _areas(*key, level, asked.model, asked.scope, asked.unit, asked.cut, asked.band, asked.region)


@st.cache_data(max_entries=24, show_spinner=False)
def _plan(path: str, stamp: str, visits: float, accuracy: float,
          *fields: str | int | float | None) -> tuple[Published, pd.DataFrame, pd.Series]:  # fmt: skip
    dataset = cache.dataset(DatasetKey(path, stamp))
    frame, curve = uncertainty.ground_checks(dataset, Question(*fields), visits, accuracy)  # type: ignore[arg-type]
    total = frame[["visits", "removed"]].sum()
    total["districts"] = len(frame)
    shown = frame.drop(columns=["visits_so_far", "removed_so_far"])
    return disclosure.publish(shown, tables.GROUND_CHECKS, origin=dataset.manifest.origin), curve, total


def plan(key: DatasetKey, asked: Question, visits: float, accuracy: float) -> tuple[Published, pd.DataFrame, pd.Series]:
    """(districts as they may be shown, curve over budgets, sums of the plan)."""
    fields = (asked.model, asked.scope, asked.unit, asked.cut, asked.band, asked.region)
    return _plan(*key, visits, accuracy, *fields)


@st.cache_data(max_entries=24, show_spinner=False)
def _stability(path: str, stamp: str, model: str, spread: float, level: str) -> Published:
    dataset = cache.dataset(DatasetKey(path, stamp))
    frame = robustness.rank_stability(dataset, model, spread, level=level)
    return disclosure.publish(frame, tables.RANK_STABILITY, origin=dataset.manifest.origin)


def stability(key: DatasetKey, model: str, spread: float, level: str) -> Published:
    """Ranks of areas over random weightings."""
    return _stability(*key, model, spread, level)


@st.cache_data(max_entries=12, show_spinner=False)
def _rank_ablation(path: str, stamp: str, model: str, level: str) -> Published:
    dataset = cache.dataset(DatasetKey(path, stamp))
    frame = robustness.rank_ablation(dataset, model, level)
    return disclosure.publish(frame, tables.rank_ablation(lab.indicator_names()), origin=dataset.manifest.origin)


def rank_ablation(key: DatasetKey, model: str, level: str) -> Published:
    """Ranks of areas without one question each."""
    return _rank_ablation(*key, model, level)


def ablation(key: DatasetKey) -> pd.DataFrame:
    return robustness.ablation(cache.dataset(key))


def questionnaire(key: DatasetKey) -> pd.DataFrame:
    return robustness.questionnaire(cache.dataset(key))
