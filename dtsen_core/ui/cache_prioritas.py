"""What the priority page keeps between reruns. Keys are scalars; figures have passed the one exit first."""

from __future__ import annotations

import dataclasses
import json

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dtsen_core.oversight.disclosure import TableSpec, publish
from dtsen_core.policy import priority_budget, priority_plan, spatial, urban
from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.policy.priority_budget import Bought, Budget
from dtsen_core.policy.priority_plan import Plan, Ranked
from dtsen_core.policy.zones import Zones, work_zones
from dtsen_core.present import peta, prioritas, prioritas_charts, prioritas_spatial
from dtsen_core.present.prioritas_spatial import Clusters
from dtsen_core.regions import boundaries, neighbours
from dtsen_core.ui import cache_missed, cache_peta
from dtsen_core.ui.cache import DatasetKey, dataset

NATION = cache_peta.NATION
_URBAN = TableSpec(key="code", counts=("families", "urban_families"), additive={"families": ("urban_families",)},
                   rates={"urban_share": ("urban_families", "families")})  # fmt: skip


@st.cache_data(max_entries=60, max_size="60MB", show_spinner=False)
def _areas(path: str, stamp: str, level: str, within: str) -> tuple[pd.DataFrame, tuple[str, ...], tuple[str, ...]]:
    parts = cache_peta.published(DatasetKey(path, stamp), level, within)
    reasons = {lang: peta.Areas.of(parts, lang).reasons for lang in ("id", "en")}
    frame = peta.Areas.of(parts, "id").frame.set_index("code")
    opened = dataset(DatasetKey(path, stamp))
    share = urban.urban_share(opened, level, within if within != NATION else None)
    if not share.empty:
        told = publish(share, _URBAN, origin=opened.manifest.origin).frame.set_index("code")
        frame = frame.assign(urban_share=told["urban_share"].reindex(frame.index))
    return frame, reasons["id"], reasons["en"]


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


@dataclasses.dataclass(frozen=True, eq=False)
class Quadrant:
    """Rate against count of the plan's areas: the chart, what it says, and where it is divided."""

    figure: go.Figure
    sentence: str
    cut: float
    middle: float


@st.cache_data(max_entries=60, max_size="30MB", show_spinner=False)
def _quadrant(path: str, stamp: str, level: str, within: str, lang: str, data_line: str) -> Quadrant:
    """No weight and no filter moves it, so it is drawn once."""
    key, rules = DatasetKey(path, stamp), map_rules().indicators
    frame = _areas(path, stamp, level, within if level == "district" else NATION)[0]
    frame = frame[frame.index.str.startswith("" if within == NATION else within)]
    rate = "p0" if "p0" in frame and frame["p0"].notna().any() else "share_d14"
    count = rules[rate].partner
    cut = nation(key).get(rate, float("nan"))
    known, middle = prioritas.quarters(frame, rate, count, cut)
    for name, column, scale in (("low", f"{rate}_low", 100), ("high", f"{rate}_high", 100), ("n", "n", 1)):
        if dataset(key).simulated and column in frame:  # the whole register has no sampling error
            known[name] = frame[column].reindex(known.index) * scale
    titles = (f"{rules[count].short[lang]} ({rules[count].unit[lang]})", rules[rate].short[lang])
    figure = prioritas_charts.quadrant(known, rate, count, cut, middle, lang, titles, data_line)
    return Quadrant(figure, prioritas.quarter_sentence(known, count, rules[count].unit[lang], lang), cut, middle)


def quadrant(key: DatasetKey, plan: Plan, lang: str, data_line: str) -> Quadrant:
    """The areas of the plan's level and place; `data_line` names the source in the hover."""
    return _quadrant(*key, plan.level, plan.within, lang, data_line)


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
    key: DatasetKey, plan: Plan, codes: tuple[str, ...], programmes: tuple[str, ...],
    index: tuple[tuple[str, float], ...],
) -> float:  # fmt: skip
    """Rupiah a year to reach everybody missed in `codes`."""
    day = dataset(key).manifest.as_of
    return priority_budget.whole_cost(_missed_areas(key, plan, codes), programmes, dict(index), day)


@st.cache_data(max_entries=60, show_spinner=False)
def _zones(boundary: str, level: str, codes: tuple[str, ...], loads: tuple[float, ...], count: int) -> Zones:
    shapes = neighbours.shapes(boundary, level)
    centre = shapes.geometry.representative_point()
    places = pd.DataFrame({"x": centre.x, "y": centre.y})
    return work_zones(pd.Series(loads, index=list(codes)), neighbours.neighbours(level), count, places=places)


def zones(key: DatasetKey, level: str, codes: tuple[str, ...], loads: tuple[float, ...], count: int) -> Zones:
    """Contiguous zones of equal load; `loads` in the order of `codes`."""
    return _zones(boundaries.current().hash, level, codes, loads, count)


@st.cache_data(max_entries=80, max_size="80MB", show_spinner=False)
def _clusters(path: str, stamp: str, params: str, indicator: str, method: str, boundary: str) -> Clusters | None:
    """Global and local statistic over all areas of the level (of the province, for districts)."""
    key, plan = DatasetKey(path, stamp), priority_plan.of_params(json.loads(params))
    values = priority_plan.matrix(plan, areas(key, plan))[0][indicator]
    graph = neighbours.neighbours(plan.level)
    codes = graph.unique_ids
    values = values.reindex(codes) if plan.level != "district" else values
    graph = graph.subgraph(values.index) if plan.level == "district" else graph
    try:
        overall = spatial.moran(values, graph)
        local = (spatial.local_moran if method == "moran" else spatial.getis_ord)(values, graph)
    except ValueError:
        return None
    return Clusters(overall, local)


def clusters(
    key: DatasetKey, plan: Plan, indicator: str, method: str, past: tuple[DatasetKey, ...] = ()
) -> Clusters | None:
    """Spatial statistics of one indicator; with `past` versions also in how many versions each area's label held. None
    where there are too few areas with neighbours."""
    params = json.dumps(plan.params(), sort_keys=True)
    boundary = boundaries.current().hash
    now = _clusters(*key, params, indicator, method, boundary)
    if now is None or not past:
        return now
    before = [_clusters(*old, params, indicator, method, boundary) for old in past]
    labels = [found.local["label"] for found in before if found is not None] + [now.local["label"]]
    return dataclasses.replace(now, held=prioritas_spatial.agreement(labels), versions=len(labels))
