"""What the priority page keeps between reruns. Keys are scalars; figures have passed the one exit first."""

from __future__ import annotations

import json

import pandas as pd
import streamlit as st

from dtsen_core.policy import priority_budget, priority_plan
from dtsen_core.policy.priority_budget import Bought, Budget
from dtsen_core.policy.priority_plan import Plan, Ranked
from dtsen_core.policy.zones import Zones, work_zones
from dtsen_core.present import peta
from dtsen_core.regions import boundaries, neighbours
from dtsen_core.ui import cache_missed, cache_peta
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


def _missed_areas(key: DatasetKey, plan: Plan, codes: tuple[str, ...]) -> pd.DataFrame:
    """Published table of the missed for the areas `codes` of the plan's level."""
    within = plan.within if plan.level == "district" else None
    frame = cache_missed.table(key, plan.level, within).frame
    return frame[frame["code"].isin(codes)].reset_index(drop=True)


@st.cache_data(max_entries=60, max_size="60MB", show_spinner=False)
def _bought(path: str, stamp: str, params: str, codes: tuple[str, ...], budget: Budget) -> Bought:
    key, plan = DatasetKey(path, stamp), priority_plan.of_params(json.loads(params))
    return priority_budget.buy(_missed_areas(key, plan, codes), areas(key, plan), budget)


def bought(key: DatasetKey, plan: Plan, codes: tuple[str, ...], budget: Budget) -> Bought:
    """What `budget` buys among those missed in `codes`; UserError as `priority_budget.buy`."""
    return _bought(*key, json.dumps(plan.params(), sort_keys=True), codes, budget)


def whole_cost(
    key: DatasetKey, plan: Plan, codes: tuple[str, ...], programmes: tuple[str, ...], index: tuple[tuple[str, float], ...]
) -> float:
    """Rupiah a year to reach everybody missed in `codes`."""
    return priority_budget.whole_cost(_missed_areas(key, plan, codes), programmes, dict(index))


@st.cache_data(max_entries=60, show_spinner=False)
def _zones(boundary: str, level: str, codes: tuple[str, ...], loads: tuple[float, ...], count: int) -> Zones:
    shapes = neighbours.shapes(boundary, level)
    centre = shapes.geometry.representative_point()
    places = pd.DataFrame({"x": centre.x, "y": centre.y})
    return work_zones(pd.Series(loads, index=list(codes)), neighbours.neighbours(level), count, places=places)


def zones(key: DatasetKey, level: str, codes: tuple[str, ...], loads: tuple[float, ...], count: int) -> Zones:
    """Contiguous zones of equal load; `loads` in the order of `codes`."""
    return _zones(boundaries.current().hash, level, codes, loads, count)
