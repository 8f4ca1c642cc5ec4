"""What the priority page keeps between reruns. Keys are scalars; figures have passed the one exit first."""

from __future__ import annotations

import json

import pandas as pd
import streamlit as st

from dtsen_core.policy import priority_plan
from dtsen_core.policy.priority_plan import Plan, Ranked
from dtsen_core.present import peta
from dtsen_core.ui import cache_peta
from dtsen_core.ui.cache import DatasetKey

NATION = cache_peta.NATION


@st.cache_data(max_entries=60, max_size="60MB", show_spinner=False)
def _areas(path: str, stamp: str, level: str, within: str) -> tuple[pd.DataFrame, tuple[str, ...], tuple[str, ...]]:
    parts = cache_peta.published(DatasetKey(path, stamp), level, within)
    reasons = {lang: peta.Areas.of(parts, lang).reasons for lang in ("id", "en")}
    return peta.Areas.of(parts, "id").frame.set_index("code"), reasons["id"], reasons["en"]


def areas(key: DatasetKey, plan: Plan) -> pd.DataFrame:
    """Published areas of the plan's level by code (withheld figures NaN): of its province for districts."""
    return _areas(*key, plan.level, plan.within if plan.level == "district" else NATION)[0]


def reasons(key: DatasetKey, plan: Plan, lang: str) -> tuple[str, ...]:
    """Why figures are withheld among them."""
    _, indonesian, english = _areas(*key, plan.level, plan.within if plan.level == "district" else NATION)
    return indonesian if lang == "id" else english


def nation(key: DatasetKey) -> dict[str, float]:
    """The nation's own published figures by column."""
    row = cache_peta.own_row(key, NATION)[0]
    return {str(name): float(value) for name, value in row.items() if isinstance(value, int | float)}


@st.cache_data(max_entries=60, max_size="120MB", show_spinner=False)
def _ranked(path: str, stamp: str, params: str) -> Ranked:
    key, plan = DatasetKey(path, stamp), priority_plan.of_params(json.loads(params))
    return priority_plan.evaluate(plan, areas(key, plan), nation(key))


def ranked(key: DatasetKey, plan: Plan) -> Ranked:
    """The ranking of `plan`; UserError as `priority_plan.evaluate`."""
    return _ranked(*key, json.dumps(plan.params(), sort_keys=True))


@st.cache_data(max_entries=200, show_spinner=False)
def _change(path: str, stamp: str, params: str, code: str) -> dict[str, float]:
    return priority_plan.needed_change(_ranked(path, stamp, params), code)


def needed_change(key: DatasetKey, plan: Plan, code: str) -> dict[str, float]:
    return _change(*key, json.dumps(plan.params(), sort_keys=True), code)
