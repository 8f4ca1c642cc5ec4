"""A file of boundaries as it is delivered, read and mended: one row per feature with a usable polygon.

Official files come in every state: another projection or none, longitude and latitude exchanged, heights,
rings that cross themselves, codes that a spreadsheet turned into numbers. What can be mended is mended and told
(`Source.notes`); what cannot is refused in one sentence.
"""

from __future__ import annotations

import difflib
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import shapely

from dtsen_core.errors import UserError
from dtsen_core.regions import geometry, units

LEVELS = ("province", "regency", "district")
FORMATS = (".zip", ".shp", ".gpkg", ".geojson", ".json", ".topojson", ".parquet", ".geoparquet")
MOST_BYTES = 2_000_000_000
MOST_FEATURES = 200_000
THIN_ABOVE = 1_500_000  # vertices; beyond, they are rounded to THIN_GRID first
THIN_GRID = 0.0005  # degrees, half of the resolution that is served
COUNTRY = (93.0, -13.0, 143.0, 8.0)  # Indonesia with some sea
MERCATOR = 3857
_DEGREES = (-180.0, -90.0, 180.0, 90.0)


@dataclass
class Source:
    """What a file gave. `rows`: code, name (may be missing); `shapes`: polygons in degrees, same order;
    `notes`: (key in ``data/locale/boundaries.toml``, its parameters) of everything that was mended."""

    rows: pd.DataFrame
    shapes: np.ndarray
    report: dict[str, Any] = field(default_factory=dict)
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def note(self, key: str, **params: Any) -> None:
        self.notes.append((key, params))


def read(path: Path, code_field: str) -> Source:
    """Read `path` (any format of `FORMATS`) and mend it; UserError where that is not possible."""
    frame = open_file(path)
    if not len(frame):
        raise UserError("errors_regions.boundaries_empty", file=path.name)
    notes: list[tuple[str, dict[str, Any]]] = []
    column = _column(frame, code_field, notes)
    raw = _two_dimensions(frame.geometry.to_numpy(), notes)
    _polygons_wanted(raw, path.name)
    raw = _thinned(raw, frame.crs, notes)
    raw = degrees(raw, frame.crs, path.name, notes)
    usable = ~(shapely.is_missing(raw) | shapely.is_empty(raw))
    broken = usable & ~shapely.is_valid(raw)
    shapes = geometry.polygonal(shapely.make_valid(np.where(usable, raw, shapely.Polygon())))
    usable &= ~shapely.is_empty(shapes)
    rows = pd.DataFrame({"code": digits(frame[column]), "name": _name_column(frame, column)})
    report = {"features": len(frame), "mended": int(broken.sum()), "dropped": int((~usable).sum())}
    source = Source(rows[usable].reset_index(drop=True), shapes[usable], report, notes)
    if report["mended"]:
        source.note("invalid", count=report["mended"])
    if report["dropped"]:
        source.note("dropped", count=report["dropped"])
    return source


def open_file(path: Path) -> geopandas.GeoDataFrame:
    """The file as a GeoDataFrame; UserError if it is too large or no map."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UserError("errors_regions.boundaries_unreadable", file=path.name, reason=error.strerror) from error
    if size > MOST_BYTES:
        raise UserError("errors_regions.boundaries_too_large", file=path.name, limit="2 GB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parquet = path.suffix.lower() in (".parquet", ".geoparquet")
            frame = geopandas.read_parquet(path) if parquet else geopandas.read_file(path)
        if not isinstance(frame, geopandas.GeoDataFrame) or frame.geometry.name not in frame:
            raise ValueError("no geometry column")
    except Exception as error:  # every driver has its own errors; all mean: this is no map file
        reason = re.sub(r"'?/\S*/", "", str(error).split("\n")[0])[:120]  # no folders of this machine
        raise UserError("errors_regions.boundaries_unreadable", file=path.name, reason=reason) from error
    if len(frame) > MOST_FEATURES:
        raise UserError("errors_regions.boundaries_too_many", file=path.name, count=len(frame), limit=MOST_FEATURES)
    return frame


def digits(column: pd.Series) -> pd.Series:
    """Codes as digits: "31.71", 3171, 3171.0 and "ID3171" are one code; missing becomes the empty string.

    A spreadsheet turns the codes 11.01 and 11.10 into the numbers 11.01 and 11.1: two digits after the point
    are put back.
    """
    text = column.astype("object").where(column.notna(), "").astype("str").str.strip()
    text = text.str.replace(r"^(\d{2,})\.0+$", r"\1", regex=True)
    text = text.str.replace(r"^(\d\d)\.(\d)$", r"\1.\g<2>0", regex=True)
    text = text.str.replace(r"^ID(?=\d)", "", regex=True, flags=re.IGNORECASE)
    return text.map(lambda code: re.sub(r"[.\s]", "", code))


def _column(frame: geopandas.GeoDataFrame, wanted: str, notes: list[tuple[str, dict[str, Any]]]) -> str:
    """The column called `wanted`, its case aside; UserError with near misses and all names if none is."""
    names = [str(c) for c in frame.columns if c != frame.geometry.name]
    if wanted in names:
        return wanted
    same = [name for name in names if name.casefold() == wanted.strip().casefold()]
    if len(same) == 1:
        notes.append(("field_case", {"field": same[0]}))
        return same[0]
    folded = {name.casefold(): name for name in names}
    near = [folded[n] for n in difflib.get_close_matches(wanted.casefold(), list(folded), n=3, cutoff=0.5)]
    listed = ", ".join(near + [n for n in names if n not in near][: 12 - len(near)])
    raise UserError("errors_regions.boundaries_no_field", field=wanted[:40], fields=listed or "–")


def _two_dimensions(raw: np.ndarray, notes: list[tuple[str, dict[str, Any]]]) -> np.ndarray:
    if shapely.has_z(raw).any():
        notes.append(("heights", {}))
        return np.asarray(shapely.force_2d(raw))
    return raw


def _polygons_wanted(raw: np.ndarray, file: str) -> None:
    """UserError for a file of points or lines, or of no geometry at all."""
    known = raw[~shapely.is_missing(raw)]
    kinds = shapely.get_type_id(known)
    if not len(known) or shapely.is_empty(known).all():
        raise UserError("errors_regions.boundaries_no_shapes", file=file)
    if np.isin(kinds, (3, 6, 7)).any():
        return
    raise UserError("errors_regions.boundaries_no_polygons", file=file, kind=known[0].geom_type)


def _thinned(raw: np.ndarray, crs: Any, notes: list[tuple[str, dict[str, Any]]]) -> np.ndarray:
    """A very fine file on a grid of about 50 m: neighbours round alike, so shared borders stay shared."""
    vertices = int(shapely.get_num_coordinates(raw).sum())
    if vertices <= THIN_ABOVE:
        return raw
    metric = crs is not None and not _system(crs).is_geographic
    grid = THIN_GRID * 111_320 if metric else THIN_GRID
    parts, owner = shapely.get_parts(raw, return_index=True)
    thin = np.array([_thin_part(part, grid) for part in parts], dtype=object)
    keep = np.array([part is not None for part in thin])
    notes.append(("thinned", {"vertices": vertices}))
    return _collect(thin[keep], owner[keep], len(raw))


def _thin_part(part: shapely.Geometry, grid: float) -> shapely.Polygon | None:
    """One polygon with its vertices on `grid` and none twice in a row; None if nothing is left of it."""
    if part.geom_type != "Polygon":
        return None
    rings = []
    for ring in (part.exterior, *part.interiors):
        xy = np.round(shapely.get_coordinates(ring) / grid) * grid
        xy = xy[np.r_[True, (np.diff(xy, axis=0) != 0).any(axis=1)]]
        if len(xy) >= 4:
            rings.append(xy)
        elif ring is part.exterior:
            return None
    return shapely.Polygon(rings[0], rings[1:])


def _collect(parts: np.ndarray, owner: np.ndarray, count: int) -> np.ndarray:
    result = np.full(count, shapely.MultiPolygon(), dtype=object)
    for unit in np.unique(owner):
        result[unit] = shapely.multipolygons(parts[owner == unit])
    return result


def degrees(raw: np.ndarray, crs: Any, file: str, notes: list[tuple[str, dict[str, Any]]]) -> np.ndarray:
    """Shapes in EPSG:4326 that lie in Indonesia; exchanged axes are put right, a missing projection is inferred
    where the numbers leave no doubt (degrees or web mercator). UserError otherwise."""
    with np.errstate(all="ignore"):
        if crs is not None:
            shapes = _projected(raw, crs, file)
            if shapes is not None and _share_inside(shapes) > 0.5:
                if not _system(crs).equals(_system(4326), ignore_axis_order=True):
                    notes.append(("projected", {"crs": _system(crs).name}))
                return shapes
        for key, trial in _readings(raw, crs):
            if trial is not None and _share_inside(trial) > 0.5:
                notes.append((key, {}))
                return trial
    if crs is None:
        raise UserError("errors_regions.boundaries_no_crs", file=file)
    raise UserError("errors_regions.boundaries_elsewhere", file=file, crs=_system(crs).name)


def _system(crs: Any) -> Any:
    """The coordinate system of whatever names one (a number, a text, the object itself)."""
    return geopandas.GeoSeries([], crs=crs).crs


def _readings(raw: np.ndarray, crs: Any) -> list[tuple[str, np.ndarray | None]]:
    """Other ways to understand the numbers, the likely ones first."""
    flipped = shapely.transform(raw, lambda xy: xy[:, ::-1])
    mercator = _projected(raw, MERCATOR, "")
    found: list[tuple[str, np.ndarray | None]] = [("no_crs" if crs is None else "wrong_crs", raw)]
    found += [("swapped", flipped), ("mercator", mercator)]
    if crs is not None:
        found.append(("swapped", _projected(flipped, crs, "")))
    return found


def _projected(raw: np.ndarray, crs: Any, file: str) -> np.ndarray | None:
    """`raw` from `crs` in degrees; None where the projection cannot be applied to these numbers."""
    try:
        series = geopandas.GeoSeries(raw, crs=crs).to_crs(4326)
    except Exception as error:  # an unknown or local system
        if file:
            raise UserError("errors_regions.boundaries_no_crs", file=file) from error
        return None
    return np.asarray(series.to_numpy())


def _share_inside(shapes: np.ndarray) -> float:
    """Share of the shapes whose box lies in Indonesia and its seas."""
    boxes = shapely.bounds(shapes)
    boxes = boxes[~np.isnan(boxes).any(axis=1)]
    if not len(boxes):
        return 0.0
    west, south, east, north = COUNTRY
    inside = (boxes[:, 0] >= west) & (boxes[:, 1] >= south) & (boxes[:, 2] <= east) & (boxes[:, 3] <= north)
    return float(inside.mean())


def _name_column(frame: geopandas.GeoDataFrame, code_field: str) -> pd.Series:
    """The text column that agrees best with the names of our units, or missing values if none does."""
    known = {units.fold(n) for level in LEVELS for n in units.table(level)["name"]}
    best, share = pd.Series(None, index=frame.index, dtype="object"), 0.5
    for column in frame.columns:
        values = frame[column]
        if column in (code_field, frame.geometry.name) or not pd.api.types.is_string_dtype(values):
            continue
        agreement = float(units.fold_series(values).isin(known).mean())
        # Of two equally good columns the one with more different values names the finer units.
        if (agreement, values.nunique()) > (share, best.nunique()):
            best, share = values, agreement
    return best.reset_index(drop=True)
