"""The choropleth: one trace whose geometry the browser fetches by URL from this server.

What goes over the wire per change is codes, class numbers and the texts of the hover, not shapes. The
figure holds no selection: a click must leave the figure, and with it the visitor's zoom, as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dtsen_core.present import theme
from dtsen_core.present.peta_hover import Hover

SOLID, CARE, PALE = 0.94, 0.66, 0.36  # firm, to be read with care, too rough to stand alone
OPACITY = (SOLID, CARE, PALE)
NO_FIGURE = {"light": "#C3C9CC", "dark": "#56616A"}
LAND = {"light": "#F6F6F2", "dark": "#222E33"}
EDGE = {"light": "rgba(255,255,255,0.75)", "dark": "rgba(12,20,22,0.75)"}
COAST = {"light": "#B9C3C6", "dark": "#3B4A50"}
INK = {"light": theme.INK, "dark": "#E4ECEC"}
PAPER = {"light": "rgba(255,255,255,0.82)", "dark": "rgba(16,25,27,0.82)"}

BBox = tuple[float, float, float, float]


@dataclass(frozen=True)
class Frame:
    """The place a map takes on a page: `height` in pixels, and the nominal width / height it is drawn for."""

    height: int
    aspect: float = 1.6


AREA = Frame(450)
NATION = Frame(400)  # the archipelago is wide: less empty sea above and below
WIDE = Frame(540, 2.75)  # over the whole width of the page, where less would cut Aceh and Rote on a projector


@dataclass(frozen=True)
class MapStyle:
    """Where the browser finds shapes and background, and which colours to use.

    `shapes` and `land`: GeoJSON URLs (areas of the level; all provinces as quiet context); `style`: map
    style URL; `colours`: one per class; `mode`: "light" or "dark".
    """

    shapes: str
    land: str
    style: str
    colours: Sequence[str]
    mode: str


def camera(bbox: BBox, aspect: float = AREA.aspect, pad: float = 0.035) -> dict[str, dict[str, float] | float]:
    """The map view that shows `bbox` (west, south, east, north in degrees) at any width of the screen.

    The server does not know how wide the map is. East and west bounds make the browser zoom in until the
    box fills the width; they are widened for tall areas so that the height fits where the map is `aspect` times as
    wide as high. North and south stay loose, the start zoom is that of a narrow phone.
    """
    west, south, east, north = bbox
    width, height = max(east - west, 0.05), max(north - south, 0.05)
    lat = (south + north) / 2
    shown = max(width, height / math.cos(math.radians(lat)) * aspect) * (1 + 2 * pad)
    lon = (west + east) / 2
    zoom = math.log2(300 * 360 / (512 * shown))
    return {
        "center": {"lon": round(lon, 4), "lat": round(lat, 4)},
        "zoom": round(zoom, 2),
        "bounds": {
            "west": round(lon - shown / 2, 4),
            "east": round(lon + shown / 2, 4),
            "south": -60,
            "north": 60,
        },
    }


def stepped_scale(colours: Sequence[str], missing: str) -> list[list[float | str]]:
    """A Plotly colour scale of flat steps for class numbers 0 (no figure), 1, … k."""
    steps = [missing, *colours]
    scale: list[list[float | str]] = []
    for number, colour in enumerate(steps):
        scale += [[round(number / len(steps), 4), colour], [round((number + 1) / len(steps), 4), colour]]
    return scale


def choropleth(
    rows: pd.DataFrame,
    style: MapStyle,
    bbox: BBox,
    *,
    hover: Hover,
    corner: str,
    hint: str,
    note: str,
    lang: str,
    frame: Frame = AREA,
    layers: Sequence[Mapping[str, Any]] = (),
) -> go.Figure:
    """The map of `rows`, one per area: code, klass, doubt.

    `hover` brings the numbers and the words around them (the name comes with the shapes as
    ``%{properties.name}`` and so does not travel again), `corner` the words in the lower left corner with
    `hint`, if any, under them, `note` those in the upper left; `layers` are drawn above the areas.
    """
    mode = style.mode
    traces = [trace(rows, style, hover, where, template) for where, template in hover.groups]
    fig = go.Figure(traces)
    told = f"{corner}<br><span style='font-size:11px'>{hint}</span>" if hint else corner
    label = {"showarrow": False, "xref": "paper", "yref": "paper", "bgcolor": PAPER[mode], "borderpad": 4}
    fig.update_layout(
        template=go.layout.Template(),
        height=frame.height,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        font={"family": theme.FONT, "size": 12, "color": INK[mode]},
        separators=",." if lang == "id" else ".,",
        coloraxis={
            "cmin": -0.5, "cmax": len(style.colours) + 0.5, "showscale": False,
            "colorscale": stepped_scale(style.colours, NO_FIGURE[mode]),
        },  # one for all traces
        hoverlabel={"font": {"family": theme.FONT, "size": 13}, "align": "left"},
        map={
            "style": style.style,
            "layers": [*context(style), *layers],
            **camera(bbox, frame.aspect),
        },
        annotations=[
            {**label, "text": told, "align": "left",
             "x": 0.008, "y": 0.012, "xanchor": "left", "yanchor": "bottom", "font": {"size": 14}},
            {**label, "text": note, "x": 0.008, "y": 0.988, "xanchor": "left", "yanchor": "top",
             "font": {"size": 11}},
        ],
    )  # fmt: skip
    return fig


def trace(
    rows: pd.DataFrame, style: MapStyle, hover: Hover, where: np.ndarray, template: str
) -> go.Choroplethmap:
    """The areas at positions `where`, which share one hover template."""
    mode = style.mode
    doubt = rows["doubt"].to_numpy()[where]
    return go.Choroplethmap(
        geojson=style.shapes,
        locations=rows["code"].iloc[where].tolist(),
        z=rows["klass"].to_numpy(dtype="int8")[where],
        customdata=hover.facts[where],
        hovertemplate=template + "<extra></extra>",
        coloraxis="coloraxis",
        marker={
            "opacity": [OPACITY[d] for d in doubt] if len(set(doubt)) > 1 else OPACITY[doubt[0]],
            "line": {"width": 0.5, "color": EDGE[mode]},
        },
        unselected={"marker": {"opacity": 0.55}},
        selected={"marker": {"opacity": 1}},
    )


def context(style: MapStyle) -> list[dict[str, Any]]:
    """The quiet land under the areas; none where the shapes are no geography."""
    if not style.land:
        return []
    # One layer with an outline: a second one would have the browser read the file twice.
    return [{
        "sourcetype": "geojson", "source": style.land, "type": "fill", "below": "traces",
        "color": LAND[style.mode], "fill": {"outlinecolor": COAST[style.mode]},
    }]  # fmt: skip


def coloured(style: MapStyle, colours: Sequence[str]) -> MapStyle:
    """`style` with other colours, where any are given."""
    return replace(style, colours=tuple(colours)) if colours else style


def add_points(figure: go.Figure, points: Sequence[go.Scattermap]) -> None:
    """Points of the visitor's layers, above the areas."""
    figure.add_traces(list(points))
