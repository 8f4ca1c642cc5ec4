"""The magnifier: a crowded place drawn again, larger, in an empty corner of the map of the nation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dtsen_core.present import maps
from dtsen_core.present.maps import BBox
from dtsen_core.present.peta_hover import Hover

DOMAIN = {"x": [0.755, 0.994], "y": [0.65, 0.985]}  # the sea north of Papua
_WIDTH, _HEIGHT = 150, 118  # pixels the place fills on a laptop, less its margin


def around(boxes: Sequence[BBox]) -> BBox:
    """The box that holds all `boxes`."""
    west, south, east, north = zip(*boxes)
    return min(west), min(south), max(east), max(north)


def near(codes: Sequence[str], boxes: Mapping[str, BBox], around: BBox) -> np.ndarray:
    """Positions of the areas whose box meets the box `around`."""
    west, south, east, north = around
    met = [b[0] <= east and b[2] >= west and b[1] <= north and b[3] >= south for b in (boxes[c] for c in codes)]
    return np.flatnonzero(met)


def add(
    figure: go.Figure, rows: pd.DataFrame, style: maps.MapStyle, hover: Hover, here: np.ndarray, bbox: BBox, title: str
) -> None:
    """Draw the areas at positions `here` again in the corner, with the camera on `bbox` and `title` above it."""
    west, south, east, north = bbox
    lat = (south + north) / 2
    wide = math.log2(_WIDTH * 360 / (512 * max(east - west, 0.05)))
    tall = math.log2(_HEIGHT * 360 * math.cos(math.radians(lat)) / (512 * max(north - south, 0.05)))
    for where, template in hover.groups:
        both = np.intersect1d(where, here)
        if len(both):
            figure.add_trace(maps.trace(rows, style, hover, both, template).update(subplot="map2"))
    figure.update_layout(
        map_domain={"x": [0, 1], "y": [0, 1]},
        map2={
            "domain": DOMAIN,
            "style": figure.layout.map.style,
            "layers": maps.context(style),
            "center": {"lon": round((west + east) / 2, 4), "lat": round(lat, 4)},
            "zoom": round(min(wide, tall), 2),
        }
    )
    (x0, x1), (y0, y1) = DOMAIN["x"], DOMAIN["y"]
    figure.add_shape(
        type="rect", xref="paper", yref="paper", x0=x0, x1=x1, y0=y0, y1=y1,
        line={"color": maps.COAST[style.mode], "width": 1},
    )  # fmt: skip
    figure.add_annotation(
        text=title, xref="paper", yref="paper", x=x0 + 0.006, y=y1 - 0.012, xanchor="left", yanchor="top",
        showarrow=False, bgcolor=maps.PAPER[style.mode], borderpad=3, font={"size": 11},
    )  # fmt: skip
