"""What the map page keeps between reruns. Keys are scalars; what is kept has passed the one exit.

Tables are published parent by parent (provinces of the nation, regencies of each province, districts of
each regency), because the sum of a table is the row of the area above it.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dtsen_core.oversight.disclosure import Published, TableSpec, publish
from dtsen_core.policy import area_table
from dtsen_core.policy.map_indicators import MapIndicator, map_rules
from dtsen_core.present import peta
from dtsen_core.present.peta_classes import Classes, prepare
from dtsen_core.registry.dataset import Dataset
from dtsen_core.ui.cache import DatasetKey, dataset

NATION = area_table.NATION
_PARENT_DIGITS = {"province": 0, "regency": 2, "district": 4, "village": 6}


def _spec(frame: pd.DataFrame) -> TableSpec:
    """The roles of the columns of `area_table` that `frame` holds."""
    rates: dict[str, tuple[str, str]] = {}
    measures: list[str] = []
    for indicator in map_rules().indicators.values():
        if indicator.column not in frame:
            continue
        if indicator.kind == "rate":
            parts = (indicator.numerator, indicator.denominator)
            names = (indicator.column, f"{indicator.column}_low", f"{indicator.column}_high")
            rates.update({name: parts for name in names if name in frame})
        elif indicator.kind == "mean":
            measures.append(indicator.column)
    counts = ["families", "persons", "families_d14", "persons_d15", "pkh_families", "sembako_families"]
    counts += ["pbi_persons", "uncovered_d15"] + (["poor_persons"] if "poor_persons" in frame else [])
    persons = [c for c in counts if "persons" in c or c == "uncovered_d15"]
    additive = {"families": ["families_d14"], "persons": ["persons_d15"]}
    return TableSpec(key="code", counts=counts, additive=additive, rates=rates, measures=measures, persons=persons)


def _publish_by_parent(frame: pd.DataFrame, level: str, origin: str) -> tuple[Published, ...]:
    parents = frame["code"].str[: _PARENT_DIGITS[level]]
    spec = _spec(frame)
    return tuple(publish(part.reset_index(drop=True), spec, origin=origin) for _, part in frame.groupby(parents))


@st.cache_data(max_entries=8, show_spinner=False)
def _nation(path: str, stamp: str) -> tuple[tuple[Published, ...], float, float]:
    opened = dataset(DatasetKey(path, stamp))
    frame = area_table.national_row(opened)
    published = (publish(frame, _spec(frame), origin=opened.manifest.origin),)
    return published, float(frame["families"].iloc[0]), float(frame["persons"].iloc[0])


@st.cache_data(max_entries=600, max_size="300MB", show_spinner=False)
def _level(path: str, stamp: str, level: str, within: str | None) -> tuple[Published, ...]:
    """Published areas of `level`: everywhere (None), in one province, or a district’s villages."""
    prepare()
    opened: Dataset = dataset(DatasetKey(path, stamp))
    _, families, persons = _nation(path, stamp)
    frame = area_table.area_table(opened, level, within, families, persons)
    return _publish_by_parent(frame, level, opened.manifest.origin)


def published(key: DatasetKey, level: str, parent: str) -> tuple[Published, ...]:
    """Published areas of `level` inside `parent` (``ID``: everywhere); ``nation`` is the nation's own row."""
    if level == "nation":
        return _nation(*key)[0]
    if level == "province" or (level == "regency" and parent == NATION):
        return _level(*key, level, None)
    if level == "regency":
        everywhere = _level(*key, level, None)
        return tuple(p for p in everywhere if p.frame["code"].iat[0].startswith(parent))
    return _level(*key, level, parent)


@st.cache_data(max_entries=200, show_spinner=False)
def _classes(path: str, stamp: str, indicator: str, level: str) -> Classes:
    """Breaks of an indicator, taken from all areas of `level`: fixed for the dataset version."""
    rule = map_rules().indicators[indicator]
    if level in ("district", "village"):
        parts = _everywhere(path, stamp, rule.needs_model)
    else:
        parts = _level(path, stamp, level, None)
    return peta.breaks_for(peta.Areas.of(parts, "id").frame, rule)


@st.cache_data(max_entries=8, show_spinner=False)
def _everywhere(path: str, stamp: str, model: bool) -> tuple[Published, ...]:
    """All districts as one published table: class breaks need only their distribution, not their sums."""
    opened = dataset(DatasetKey(path, stamp))
    _, families, persons = _nation(path, stamp)
    frame = area_table.area_table(opened, "district", None, families, persons, model=model)
    return (publish(frame, _spec(frame), origin=opened.manifest.origin),)


def classes(key: DatasetKey, indicator: str, level: str) -> Classes:
    rule = map_rules().indicators[indicator]
    return _classes(*key, indicator, "regency" if rule.breaks == "regency" else level)


@st.cache_data(max_entries=200, show_spinner=False)
def _thirds(path: str, stamp: str, indicator: str, level: str) -> Classes:
    rule = map_rules().indicators[indicator]
    key = DatasetKey(path, stamp)
    at = "regency" if rule.kind != "count" else level
    parts = _everywhere(path, stamp, rule.needs_model) if at in ("district", "village") else _level(*key, at, None)
    return peta.breaks_for(peta.Areas.of(parts, "id").frame, rule, classes=3, method="quantile")


def thirds(key: DatasetKey, indicator: str, level: str) -> Classes:
    """Two breaks that cut the areas of the whole nation into thirds (rates by the regencies at every level)."""
    return _thirds(*key, indicator, level)


@dataclass(frozen=True)
class Shown:
    """Everything the page says about the areas of one view, in one language."""

    rows: pd.DataFrame
    legend: list[peta.LegendEntry]
    reasons: tuple[str, ...]


@st.cache_data(max_entries=400, max_size="200MB", show_spinner=False)
def _shown(
    path: str, stamp: str, level: str, parent: str, indicator: str, lang: str, breaks_path: str, breaks_stamp: str
) -> Shown:
    key, breaks = DatasetKey(path, stamp), DatasetKey(breaks_path, breaks_stamp)
    rule = map_rules().indicators[indicator]
    areas = peta.Areas.of(published(key, level, parent), lang)
    found = classes(breaks, indicator, level)
    rows = peta.rows(areas, rule, found, lang, sampled=dataset(key).simulated)
    return Shown(rows, peta.legend(rows, rule, found, lang), areas.reasons)


def shown(
    key: DatasetKey, level: str, parent: str, indicator: str, lang: str, breaks: DatasetKey | None = None
) -> Shown:
    """The areas of a view; the classes are those of the version `breaks`, so that a colour keeps its meaning
    from one version to the next."""
    return _shown(*key, level, parent, indicator, lang, *(breaks or key))


def shown_own(key: DatasetKey, level: str, parent: str, rule: MapIndicator, values: pd.DataFrame, lang: str) -> Shown:
    """As `shown` for a measure the visitor brought: `values` (code, value) beside the published counts.

    Not kept: the table belongs to one session and is small.
    """
    areas = peta.Areas.of(published(key, level, parent), lang)
    by_code = values.set_index("code")["value"]
    areas.frame[rule.column] = areas.frame["code"].map(by_code).astype(float)
    areas.hidden[rule.column] = False
    found = peta.breaks_for(pd.DataFrame({rule.column: by_code.to_numpy(float)}), rule)
    rows = peta.rows(areas, rule, found, lang, sampled=False)
    return Shown(rows, peta.legend(rows, rule, found, lang), areas.reasons)


def own_row(key: DatasetKey, code: str) -> tuple[pd.Series, pd.Series]:
    """The published figures of one area and which of them are withheld."""
    level, parent = {
        2: ("nation", NATION) if code == NATION else ("province", NATION),
        4: ("regency", code[:2]),
        6: ("district", code[:4]),
    }[len(code)]
    areas = peta.Areas.of(published(key, level, parent), "id")
    at = int((areas.frame["code"] == code).to_numpy().argmax())
    return areas.frame.iloc[at], areas.hidden.iloc[at]
