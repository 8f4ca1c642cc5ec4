"""Downloads of a priority ranking: XLSX, CSV and GeoPackage with the same published figures as on screen."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from dtsen_core.locale import text
from dtsen_core.policy.priority_plan import Ranked
from dtsen_core.policy.priority_rules import priority_rules
from dtsen_core.present import labels, numbers, peringkat_export, prioritas
from dtsen_core.present.peringkat_export import Sheet
from dtsen_core.regions import boundaries, neighbours
from dtsen_core.registry.manifest import Manifest


def note(manifest: Manifest, ranked: Ranked, lang: str) -> list[str]:
    """What the file is, in lines: simulated or not, version, date, choices and sources."""
    plan = ranked.plan
    origin = text("ui.simulated_help" if manifest.simulated else "ui.real", lang)
    level = prioritas.level_name(plan.level, lang)
    lines = [
        text("prioritas.note_title", lang, level=level, where=prioritas.where(plan, lang)),
        origin,
        labels.data_line(manifest, lang),
        text("prioritas.note_method", lang, normalisation=text(f"prioritas.normalisation_{plan.normalisation}", lang),
             aggregation=text(f"prioritas.aggregation_{plan.aggregation}", lang), top=ranked.top),
    ]  # fmt: skip
    for item in plan.items:
        i = ranked.indicators[item.key]
        source = i.source or text("prioritas.note_registry" if i.origin == "registry" else "prioritas.source_own", lang)
        lines.append(
            text("prioritas.note_indicator", lang, label=prioritas.label(i, lang),
                 weight=numbers.number(item.weight, lang),
                 direction=text("prioritas.direction_high" if item.direction > 0 else "prioritas.direction_low", lang),
                 source=source)
        )  # fmt: skip
    if any(i.target is not None for i in plan.items):
        lines.append(priority_rules().target_source)
    return lines


def _frame(ranked: Ranked, lang: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    table = ranked.table
    out = pd.DataFrame({text("prioritas.column_code", lang): table.index})
    out[text("prioritas.column_name", lang)] = table["name"].to_numpy()
    percent = []
    for name in ("rank", "low", "high"):
        out[text(f"prioritas.column_{name}", lang)] = table[name].astype("Float64").to_numpy(float, na_value=np.nan)
    p = text("prioritas.column_p_top", lang, top=ranked.top)
    percent.append(p)
    out[p] = table["p_top"].to_numpy()
    out[text("prioritas.column_score", lang)] = table["score"].to_numpy()
    for item in ranked.plan.items:
        i = ranked.indicators[item.key]
        words = f"{prioritas.label(i, lang)}"
        out[words] = ranked.data[item.key].reindex(table.index).to_numpy()
        if i.kind == "rate":
            percent.append(words)
    return out.reset_index(drop=True), tuple(percent)


def xlsx(ranked: Ranked, lines: list[str], lang: str) -> bytes:
    frame, percent = _frame(ranked, lang)
    parts = ranked.composite.contributions.reindex(ranked.table.index)
    parts.columns = [ranked.indicators[str(c)].label[lang] for c in parts.columns]
    parts.insert(0, text("prioritas.column_name", lang), ranked.table["name"])
    parts.insert(0, text("prioritas.column_code", lang), parts.index)
    sheets = [
        Sheet(text("prioritas.sheet_ranking", lang), frame, percent),
        Sheet(text("prioritas.sheet_contributions", lang), parts.reset_index(drop=True)),
    ]
    return peringkat_export.xlsx_bytes(sheets, lines, lang)


def csv(ranked: Ranked, lines: list[str], lang: str) -> bytes:
    frame, percent = _frame(ranked, lang)
    return peringkat_export.csv_bytes(Sheet("", frame, percent), lines)


def geopackage(ranked: Ranked, lines: list[str], **more: pd.Series) -> bytes:
    """A GeoPackage with two layers: the areas with stable column names, and the note. `more`: further columns."""
    import geopandas as gpd

    table = ranked.table.drop(columns="robust").assign(robust=ranked.table["robust"].astype(int), **more)
    for name in ("rank", "median", "low", "high"):
        table[name] = table[name].astype("Float64").to_numpy(float, na_value=float("nan"))
    table = table.join(ranked.data)
    shapes = neighbours.shapes(boundaries.current().hash, ranked.plan.level)
    areas = gpd.GeoDataFrame(table, geometry=shapes.geometry.reindex(table.index), crs=shapes.crs)
    areas.insert(0, "code", areas.index)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prioritas.gpkg"
        areas.reset_index(drop=True).to_file(path, layer="prioritas", driver="GPKG")
        nothing = gpd.GeoDataFrame({"catatan": lines}, geometry=[None] * len(lines), crs=shapes.crs)
        nothing.to_file(path, layer="catatan", driver="GPKG")
        return path.read_bytes()
