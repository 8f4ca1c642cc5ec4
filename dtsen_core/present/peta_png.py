"""The map as a picture for a report: title, areas, legend, source line and the label of simulated data.

Drawn with matplotlib on its own canvas (no global state, so that visitors can draw at the same time).
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.path import Path as Outline

from dtsen_core.paths import STATIC
from dtsen_core.present import theme
from dtsen_core.present.maps import CARE, LAND, NO_FIGURE, PALE, SOLID, BBox

WIDTH, DPI = 12.8, 150  # inches, dots per inch: 1920 pixels
ALPHA = (SOLID, CARE, PALE + 0.15)
HATCH = "/////"
COLUMNS = 4  # of the legend


@dataclass(frozen=True)
class Picture:
    """`shapes` with class numbers (0 = no figure) and doubt (0–2); `legend`: (colour, words) of the classes,
    `doubts`: (doubt, colour, words) of the paler areas; `grid`: for a map of two measures the 3 × 3 colours, its
    axes in `axes`; `lines`: the visitor's layers."""

    title: str
    subtitle: str
    shapes: np.ndarray
    klass: np.ndarray
    doubt: np.ndarray
    colours: Sequence[str]
    legend: Sequence[tuple[str, str]]
    source: str
    label: str
    note: str
    bbox: BBox
    land: np.ndarray = field(default_factory=lambda: np.array([], dtype=object))
    grid: Sequence[Sequence[str]] = ()
    axes: tuple[str, str] = ("", "")
    lines: Sequence[Any] = ()
    doubts: Sequence[tuple[int, str, str]] = ()


@lru_cache(maxsize=2)
def _font(bold: bool) -> str:
    return str(STATIC / "fonts" / f"PlusJakartaSans-{'SemiBold' if bold else 'Regular'}.ttf")


def font(size: float, bold: bool = False) -> FontProperties:
    """The typeface of the dashboard."""
    return FontProperties(fname=_font(bold), size=size)


def png(picture: Picture) -> bytes:
    """The picture as PNG bytes, 1920 pixels wide."""
    west, south, east, north = picture.bbox
    ratio = (north - south) / max(east - west, 1e-6)
    map_height = float(np.clip(WIDTH * 0.96 * ratio, 3.6, 8.4))
    title = textwrap.wrap(picture.title, 125)[:3]
    rows = -(-len(picture.legend) // COLUMNS) + len(picture.doubts) if not picture.grid else 4
    head, foot = 0.42 + 0.28 * len(title), 0.75 + 0.3 * rows
    height = head + map_height + foot
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    _words(figure, picture, title, height)
    area = figure.add_axes((0.02, foot / height, 0.96, map_height / height))
    _draw(area, picture)
    if picture.grid:
        _grid(figure, picture, foot, height)
    else:
        _legend(figure, picture, foot, height)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Title": picture.title, "Source": picture.source})
    return buffer.getvalue()


def _words(figure: Figure, picture: Picture, title: Sequence[str], height: float) -> None:
    for line, words in enumerate(title):
        y = 1 - (0.3 + 0.28 * line) / height
        figure.text(0.02, y, words, fontproperties=font(14, True), color=theme.INK, va="center")
    y = 1 - (0.3 + 0.28 * len(title)) / height
    figure.text(0.02, y, picture.subtitle, fontproperties=font(9.5), color=theme.MUTED, va="center")
    figure.text(
        0.98, y, picture.label, fontproperties=font(9.5, True), color=theme.WARNING, va="center", ha="right"
    )
    source = textwrap.wrap(picture.source, 165)[:2]
    for line, words in enumerate(source):
        figure.text(0.02, (0.36 - 0.17 * line) / height, words, fontproperties=font(8), color=theme.MUTED, va="center")
    figure.text(0.98, 0.36 / height, picture.note, fontproperties=font(8), color=theme.MUTED, ha="right", va="center")


def _draw(area: Any, picture: Picture) -> None:
    west, south, east, north = picture.bbox
    area.set_facecolor(theme.SEA)
    if len(picture.land):
        area.add_collection(_paths(picture.land, [LAND["light"]] * len(picture.land), SOLID, edge="#B9C3C6"))
    steps = (NO_FIGURE["light"], *picture.colours)
    colours = np.array([steps[int(k)] for k in picture.klass], dtype=object)
    for doubt in (0, 1, 2):
        at = picture.doubt == doubt
        if at.any():
            area.add_collection(
                _paths(picture.shapes[at], list(colours[at]), ALPHA[doubt], hatch=HATCH if doubt == 2 else None)
            )
    for shape in picture.lines:
        for part in shapely.get_parts(shape):
            xy = shapely.get_coordinates(part)
            area.plot(xy[:, 0], xy[:, 1], color="#C2410C", linewidth=1.2)
    # The box is widened to the shape of the paper, so that a degree is as long up as it is across.
    box = area.get_window_extent()
    wide = 1.04 * max(east - west, (north - south) * box.width / box.height)
    tall = wide * box.height / box.width
    area.set_xlim((west + east - wide) / 2, (west + east + wide) / 2)
    area.set_ylim((south + north - tall) / 2, (south + north + tall) / 2)
    area.set_xticks([])
    area.set_yticks([])
    for side in area.spines.values():
        side.set_visible(False)


def _paths(
    shapes: np.ndarray, colours: Sequence[str], alpha: float, hatch: str | None = None, edge: str = "white"
) -> PathCollection:
    return PathCollection(
        [_outline(shape) for shape in shapes], facecolors=list(colours), edgecolors=edge, linewidths=0.25, alpha=alpha,
        hatch=hatch,
    )  # fmt: skip


def _outline(shape: shapely.Geometry) -> Outline:
    """All rings of a unit as one path; holes stay holes because rings turn against each other."""
    rings = []
    for part in shapely.get_parts(shapely.normalize(shape)):
        oriented = shapely.geometry.polygon.orient(part)
        rings += [oriented.exterior, *oriented.interiors]
    return Outline.make_compound_path(*(Outline(shapely.get_coordinates(r), closed=True) for r in rings))


def _legend(figure: Figure, picture: Picture, foot: float, height: float) -> None:
    """The classes in columns, then the paler areas, a line each."""
    for at, (colour, words) in enumerate(picture.legend):
        y = (foot - 0.22 - 0.3 * (at // COLUMNS)) / height
        _entry(figure, 0.02 + 0.24 * (at % COLUMNS), y, height, 0, colour, words)
    below = -(-len(picture.legend) // COLUMNS)
    for at, (doubt, colour, words) in enumerate(picture.doubts):
        _entry(figure, 0.02, (foot - 0.22 - 0.3 * (below + at)) / height, height, doubt, colour, words)


def _entry(figure: Figure, x: float, y: float, height: float, doubt: int, colour: str, words: str) -> None:
    figure.add_artist(Rectangle(
        (x, y - 0.07 / height), 0.014, 0.15 / height, facecolor=colour, alpha=ALPHA[doubt], edgecolor="white",
        transform=figure.transFigure, hatch=HATCH if doubt == 2 else None, linewidth=0,
    ))  # fmt: skip
    figure.text(x + 0.019, y, words, fontproperties=font(8.5), color=theme.INK, va="center")


def _grid(figure: Figure, picture: Picture, foot: float, height: float) -> None:
    """The nine colours: rate upwards, count to the right."""
    for r, line in enumerate(picture.grid):
        for c, colour in enumerate(line):
            y = (foot - 1.1 + 0.3 * r) / height
            figure.add_artist(Rectangle(
                (0.02 + 0.025 * c, y), 0.024, 0.28 / height, facecolor=colour, transform=figure.transFigure
            ))  # fmt: skip
    for at, words in enumerate(picture.axes):
        y = (foot - 0.45 - 0.3 * at) / height
        figure.text(0.11, y, words, fontproperties=font(9), color=theme.INK, va="center")
