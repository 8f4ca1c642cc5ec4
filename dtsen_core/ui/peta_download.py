"""Take along what is shown: picture, CSV, GeoJSON, GeoPackage. Made when asked for, from published figures."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import shapely
import streamlit as st

from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.present import labels, maps, numbers, peta_export, peta_png
from dtsen_core.present.peta import LegendEntry
from dtsen_core.regions import boundaries, geometry, tiles, units
from dtsen_core.ui import peta_known, peta_layers, peta_map, peta_state
from dtsen_core.ui.peta_known import Shown
from dtsen_core.ui.peta_state import View
from dtsen_core.ui.shell import Page

MIMES = {"png": "image/png", "csv": "text/csv", "geojson": "application/geo+json",
         "gpkg": "application/geopackage+sqlite3"}  # fmt: skip


@dataclass(frozen=True)
class Content:
    """What a download holds: the table of the file and what the picture is coloured by."""

    title: str
    table: pd.DataFrame
    rows: pd.DataFrame
    colours: Sequence[str]
    legend: Sequence[LegendEntry]
    grid: Sequence[Sequence[str]] = ()
    axes: tuple[str, str] = ("", "")
    measure: str = ""


def controls(page: Page, view: View, found: Shown, title: str) -> None:
    """The downloads of one map."""
    scale = map_rules().scales[found.rule.scale]["light"]
    rows = found.data.rows

    def make() -> Content:
        told = about(page, view, title, found)
        table = peta_export.frame(rows, found.rule, found.partner, told, page.lang)
        measure = page.t("legend_title", measure=found.rule.label[page.lang], unit=found.rule.unit[page.lang])
        return Content(title, table, rows, scale, found.data.legend, measure=measure)

    offer(page, view, make, found.rule.key)


def about(page: Page, view: View, title: str, found: Shown | None = None) -> peta_export.About:
    """What the file says about itself."""
    manifest = page.dataset.manifest
    source = labels.source_line(manifest, page.lang)
    if found is not None and found.rule.key == peta_state.OWN:
        source = f"{peta_known.source(page, found.rule)} · {source}"
    return peta_export.About(
        title=title, level=page.t(f"level_{view.level}"), date=manifest.as_of, version=manifest.version,
        origin=labels.origin_label(manifest, page.lang), source=source,
        boundaries=page.t("map_indicative" if peta_map.indicative(view.level) else "map_official"),
    )  # fmt: skip


def offer(page: Page, view: View, make: Callable[[], Content], stem: str) -> None:
    """The four buttons; nothing is made before one is pressed."""
    place = "indonesia" if view.container == peta_state.NATION else view.container
    name = re.sub(r"[^a-z0-9-]+", "-", f"peta-{view.mode}-{stem}-{view.level}-{place}".lower())
    with st.popover(page.t("download_button"), icon=":material/download:", width="stretch"):
        st.caption(page.t("download_note"))
        for kind, mime in MIMES.items():
            st.download_button(
                page.t(f"download_{kind}"), partial(_made, page, view, make, kind),
                f"{name}-{page.dataset.version}.{kind}", mime=mime, key=f"peta.download.{kind}",
                on_click="ignore", width="stretch",
            )  # fmt: skip


def _made(page: Page, view: View, make: Callable[[], Content], kind: str) -> bytes:
    return _bytes(page, view, make(), kind)


def _bytes(page: Page, view: View, content: Content, kind: str) -> bytes:
    told = about(page, view, content.title)
    if kind == "csv":
        return peta_export.csv(content.table)
    if kind == "png":
        return peta_png.png(picture(page, view, content, told))
    shapes = _shapes(view)
    if kind == "geojson":
        return peta_export.geojson(content.table, shapes, told)
    return peta_export.geopackage(content.table, shapes, f"peta_{view.level}")


def _shapes(view: View) -> dict[str, object]:
    """The served outlines of the view's level by code."""
    province = view.container[:2] if view.level == "district" else None
    codes, shapes = geometry.read(boundaries.current().path(view.level, province))
    return dict(zip(codes, shapes))


def picture(page: Page, view: View, content: Content, told: peta_export.About) -> peta_png.Picture:
    """The map as it is on screen, in the light colours of print."""
    rows, tiled = content.rows, view.mode == "tiles"
    if tiled:
        table = tiles.table().set_index("code")
        boxes = [tiles.square(*map(int, table.loc[code, ["column", "row"]])) for code in rows["code"]]
        shapes = np.array([shapely.box(*box) for box in boxes], dtype=object)
        land = np.array([], dtype=object)
    else:
        held = _shapes(view)
        shapes = np.array([held[code] for code in rows["code"]], dtype=object)
        land = geometry.read(boundaries.current().path("province"))[1]
    steps = (maps.NO_FIGURE["light"], *content.colours)
    legend = [(steps[e.klass], f"{_readable(page, e.label)}  ({e.detail.split(' · ')[0]})") for e in content.legend]
    shade = steps[min(3, len(steps) - 1)]
    doubts = [] if content.grid else [(d, shade, words) for d, words in _doubt(page, rows["doubt"], view.mode)]
    return peta_png.Picture(
        title=content.title,
        subtitle=" · ".join(filter(None, (
            content.measure, units.label(view.container), told.level, numbers.date(told.date, page.lang)
        ))),
        shapes=shapes, klass=rows["klass"].to_numpy(), doubt=rows["doubt"].to_numpy(), colours=content.colours,
        legend=legend, source=told.source, label=told.origin.upper(), note=peta_map.note(page, view),
        bbox=tiles.bbox() if tiled else boundaries.bbox(view.container), land=land, grid=content.grid,
        axes=content.axes, doubts=doubts, lines=[] if tiled else _own_lines(),
    )  # fmt: skip


def _readable(page: Page, label: str) -> str:
    """The label of a class without signs that the typeface of the picture lacks."""
    return page.t("peta_views.or_more", value=label[2:]) if label.startswith("≥ ") else label.replace("−", "-")


def _doubt(page: Page, doubt: pd.Series, mode: str) -> list[tuple[int, str]]:
    """The words for the paler areas of the picture."""
    rules = map_rules()
    found = []
    for step, key, limit in ((1, "legend_care", rules.rse_caution), (2, "legend_rough", rules.rse_rough)):
        if (doubt == step).any():
            words = page.t(key, n=rules.small_sample, rse=numbers.percent(limit, page.lang, 0))
            why = page.t("peta_views.legend_noise") if mode == "compare" else words
            found.append((step, f"{page.t(f'{key}_short')}: {why}"))
    return found


def _own_lines() -> list[object]:
    return [
        shapely.from_geojson(json.dumps(feature["geometry"]))
        for layer in peta_layers.layers()
        if layer.shapes is not None
        for feature in layer.shapes["features"]
    ]  # fmt: skip


