"""A visitor's map layer (GeoJSON, GeoPackage, zipped shapefile) made small enough to lie over the map.

What strangers upload is never given to a driver that may open other files: GeoJSON is parsed here, a GeoPackage
must be one, and of a zip only the parts of one shapefile are taken out. Sizes are bounded before anything is read.
"""

from __future__ import annotations

import io
import json
import tempfile
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import shapely

from dtsen_core.errors import UserError
from dtsen_core.regions import boundary_read

MOST_BYTES = 20_000_000
MOST_UNPACKED = 40_000_000
MOST_FEATURES = 5_000
MOST_POINTS = 500_000  # corners; mending more would keep everybody else waiting
MOST_INLINE = 250_000  # bytes of GeoJSON that travel with the map
ROWS, COLUMNS, TEXT = 500, 12, 80  # attributes kept
PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
TOLERANCES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05)  # degrees

Note = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Layer:
    """`shapes`: GeoJSON of lines and areas without attributes (None if there are none); `points`: lon, lat, label;
    `attributes`: texts and numbers, at most `ROWS` × `COLUMNS`; `notes`: keys of boundaries.toml with parameters."""

    name: str
    features: int
    shapes: dict[str, Any] | None
    points: pd.DataFrame
    attributes: pd.DataFrame
    notes: tuple[Note, ...]


def read(name: str, data: bytes) -> Layer:
    """The layer in the uploaded file `name`; UserError (one sentence) for whatever cannot be shown."""
    if len(data) > MOST_BYTES:
        raise UserError("errors_layer.too_large", file=name[:60], limit=f"{MOST_BYTES // 1_000_000} MB")
    frame = _frame(name, data)
    if not len(frame):
        raise UserError("errors_layer.empty", file=name[:60])
    if len(frame) > MOST_FEATURES:
        raise UserError("errors_layer.too_many", file=name[:60], count=len(frame), limit=MOST_FEATURES)
    corners = int(shapely.get_num_coordinates(frame.geometry.to_numpy()).sum())
    if corners > MOST_POINTS:
        raise UserError("errors_layer.too_many_points", file=name[:60], count=corners, limit=MOST_POINTS)
    notes: list[Note] = []
    raw = shapely.force_2d(frame.geometry.to_numpy())
    usable = ~(shapely.is_missing(raw) | shapely.is_empty(raw))
    if not usable.any():
        raise UserError("errors_layer.empty", file=name[:60])
    if not usable.all():
        notes.append(("dropped_empty", {"count": int((~usable).sum())}))
    shapes = boundary_read.degrees(raw[usable], frame.crs, name[:60], notes)
    attributes = _attributes(frame[usable])
    kinds = shapely.get_type_id(shapes)
    dots = np.isin(kinds, (0, 4))
    return Layer(
        name=name[:60], features=len(shapes), shapes=_inline(shapes[~dots], name, notes),
        points=_points(shapes[dots], attributes[dots]), attributes=attributes.head(ROWS), notes=tuple(notes),
    )  # fmt: skip


def _frame(name: str, data: bytes) -> geopandas.GeoDataFrame:
    kind = PurePosixPath(name.lower()).suffix
    if kind not in (".geojson", ".json", ".gpkg", ".zip"):
        raise UserError("errors_layer.format", file=name[:60])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind in (".geojson", ".json"):
                return _geojson(data)
            with tempfile.TemporaryDirectory(prefix="dtsen-layer-") as place:
                return _unpacked(data, Path(place), kind)
    except UserError:
        raise
    except Exception as error:  # every reader has its own errors; all mean: this is no map file
        raise UserError("errors_layer.unreadable", file=name[:60]) from error


def _geojson(data: bytes) -> geopandas.GeoDataFrame:
    document = json.loads(data.decode("utf-8-sig"))
    features = document.get("features") or ([document] if document.get("type") == "Feature" else [])
    crs = ((document.get("crs") or {}).get("properties") or {}).get("name")
    clean = [
        {"type": "Feature", "geometry": f.get("geometry"), "properties": dict(f.get("properties") or {})}
        for f in features
    ]
    if not clean:
        raise ValueError("no features")
    return geopandas.GeoDataFrame.from_features(clean, crs=crs or 4326)


def _unpacked(data: bytes, place: Path, kind: str) -> geopandas.GeoDataFrame:
    if kind == ".gpkg":
        if not data.startswith(b"SQLite format 3"):
            raise ValueError("no GeoPackage")
        (place / "layer.gpkg").write_bytes(data)
        return geopandas.read_file(place / "layer.gpkg", engine="pyogrio")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {m.filename: m for m in archive.infolist() if not m.is_dir()}
        shapes = sorted(n for n in members if n.lower().endswith(".shp") and "__MACOSX" not in n)
        if not shapes:
            raise UserError("errors_layer.no_shapefile")
        stem = shapes[0][:-4]
        wanted = [members[n] for n in members if n[:-4] == stem and n[-4:].lower() in PARTS]
        if sum(m.file_size for m in wanted) > MOST_UNPACKED:
            most = f"{MOST_UNPACKED // 1_000_000} MB"
            raise UserError("errors_layer.too_large", file=PurePosixPath(shapes[0]).name[:60], limit=most)
        for member in wanted:
            (place / f"layer{member.filename[-4:].lower()}").write_bytes(archive.read(member))
    return geopandas.read_file(place / "layer.shp", engine="pyogrio")


def _attributes(frame: geopandas.GeoDataFrame) -> pd.DataFrame:
    """Columns of texts and numbers, texts cut; anything else as text."""
    table = pd.DataFrame(frame.drop(columns=frame.geometry.name)).iloc[:, :COLUMNS].reset_index(drop=True)
    table.columns = [str(c)[:TEXT] for c in table.columns]
    for column in table.columns[~table.columns.duplicated()]:
        if not (pd.api.types.is_numeric_dtype(table[column]) and not pd.api.types.is_bool_dtype(table[column])):
            known = table[column].notna()
            table[column] = table[column].astype("object").map(lambda v: str(v)[:TEXT]).where(known, "")
    return table.loc[:, ~table.columns.duplicated()]


def _points(shapes: np.ndarray, attributes: pd.DataFrame) -> pd.DataFrame:
    """lon, lat and a label, the first text of the row."""
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    texts = attributes.select_dtypes(["object", "string"])
    labels = texts.iloc[:, 0].to_numpy() if texts.shape[1] else np.full(len(attributes), "")
    return pd.DataFrame({"lon": xy[:, 0].round(5), "lat": xy[:, 1].round(5), "label": labels[owner]})


def _inline(shapes: np.ndarray, name: str, notes: list[Note]) -> dict[str, Any] | None:
    """GeoJSON of at most `MOST_INLINE` bytes; simplified as far as needed, UserError if that is not enough."""
    if not len(shapes):
        return None
    trial = shapes
    for tolerance in (0.0, *TOLERANCES):
        if tolerance:
            trial = shapely.simplify(shapes, tolerance, preserve_topology=False)
            trial = trial[~shapely.is_empty(trial)]
        if 17 * int(shapely.get_num_coordinates(trial).sum()) + 80 * len(trial) > MOST_INLINE:
            continue
        if tolerance:
            notes.append(("simplified", {"metres": round(tolerance * 111_320)}))
        return _collection(trial)
    raise UserError("errors_layer.too_fine", file=name[:60], limit=f"{MOST_INLINE // 1000} KB")


def _collection(shapes: np.ndarray) -> dict[str, Any]:
    rounded = shapely.transform(shapes, lambda xy: np.round(xy, 4))
    features = [{"type": "Feature", "properties": {}, "geometry": json.loads(g)} for g in shapely.to_geojson(rounded)]
    return {"type": "FeatureCollection", "features": features}
