"""The order of geometry steps that survives: clean, drop islets, simplify, snap, clean again, check.

Rounding alone leaves every fourth regency invalid; the coverage functions of GEOS keep shared borders shared.
All functions take and give numpy arrays of polygons in degrees (EPSG:4326), one per unit, and keep the order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import shapely

from dtsen_core.errors import InternalError

GRID = 0.001  # degrees, about 111 m: the resolution of the served files
KM2_PER_DEGREE2 = 111.32**2  # near the equator, good enough to call an island small


def clean(units: np.ndarray, gap: float = 0.0) -> np.ndarray:
    """A valid coverage of the same units: gaps up to `gap` closed, overlaps given to one neighbour."""
    return np.asarray(shapely.coverage_clean(polygonal(shapely.make_valid(units)), gap_width=gap))


def polygonal(units: np.ndarray) -> np.ndarray:
    """Only the polygons of each geometry, as Polygon or MultiPolygon; empty if there is none."""
    parts, owner = shapely.get_parts(units, return_index=True)
    inner, inner_owner = shapely.get_parts(parts, return_index=True)  # collections may hold multipolygons
    owner = owner[inner_owner]
    keep = (shapely.get_type_id(inner) == 3) & (shapely.area(inner) > 0)
    return _gather(inner[keep], owner[keep], len(units))


def drop_islets(units: np.ndarray, smallest_km2: float, keep_parts: int = 1, share: float = 0.0) -> np.ndarray:
    """Units without parts below `smallest_km2`; the largest `keep_parts` parts of a unit always stay, and as many
    as make up `share` of its area (a regency of islets keeps its islets)."""
    parts, owner = shapely.get_parts(units, return_index=True)
    area = shapely.area(parts) * KM2_PER_DEGREE2
    order = np.lexsort((-area, owner))
    starts = np.searchsorted(owner[order], np.arange(len(units)))
    rank = np.empty(len(parts), dtype=int)
    rank[order] = np.arange(len(parts)) - starts[owner[order]]
    keep = (area >= smallest_km2) | (rank < keep_parts)
    if share > 0 and len(parts):
        before = np.empty(len(parts))  # area of the larger parts of the same unit
        running = np.cumsum(area[order]) - area[order]
        before[order] = running - running[starts[owner[order]]]
        total = np.bincount(owner, weights=area, minlength=len(units))
        keep |= before < share * total[owner]
    return _gather(parts[keep], owner[keep], len(units))


def served(
    units: np.ndarray, tolerance: float, smallest_km2: float, keep_parts: int = 1, share: float = 0.0
) -> np.ndarray:
    """Units ready to be written: simplified, on the 0.001 degree grid, each valid and not empty.

    `tolerance` is that of ``coverage_simplify`` (degrees; triangles below its square vanish). Raises
    InternalError if a unit got lost or the coverage cannot be made valid.
    """
    work = drop_islets(polygonal(clean(units)), smallest_km2, keep_parts, share)
    simple = polygonal(np.asarray(shapely.coverage_simplify(work, tolerance)))
    result = _on_grid(np.where(shapely.is_empty(simple), work, simple))
    # A very small island may fold up on the grid: it comes back as the smallest square the grid can hold.
    lost = shapely.is_empty(result)
    if lost.any():
        result[lost] = [_square(point) for point in shapely.point_on_surface(work[lost])]
        result = _on_grid(result)
    check(result)
    return result


def check(units: np.ndarray) -> None:
    """InternalError unless every unit is valid and not empty and the units form a valid coverage."""
    bad = ~shapely.is_valid(units) | shapely.is_empty(units)
    if bad.any():
        raise InternalError(f"{int(bad.sum())} units invalid or empty, first at {int(bad.argmax())}")
    if not shapely.coverage_is_valid(units):
        raise InternalError("units overlap or leave gaps")


def dissolve(units: np.ndarray, groups: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Sorted group names and the union of the units of each; `units` must be a valid coverage."""
    names, inverse = np.unique(np.asarray(groups, dtype=object), return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    bounds = np.searchsorted(inverse[order], np.arange(len(names) + 1))
    merged = [shapely.coverage_union_all(units[order[a:b]]) for a, b in pairwise(bounds)]
    return names.tolist(), polygonal(np.array(merged, dtype=object))


def write(path: Path, codes: Sequence[str], names: Sequence[str], units: np.ndarray) -> None:
    """Compact GeoJSON: features with ``id`` and the properties ``code`` and ``name``."""
    features = [
        {
            "type": "Feature",
            "id": code,
            "properties": {"code": code, "name": name},
            "geometry": _rounded(shapely.geometry.mapping(unit)),
        }
        for code, name, unit in zip(codes, names, units)
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text, encoding="utf-8")


def read(path: Path) -> tuple[list[str], np.ndarray]:
    """Codes and polygons of a file written by `write`."""
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    units = [shapely.geometry.shape(f["geometry"]) for f in features]
    return [f["id"] for f in features], np.array(units, dtype=object)


def _on_grid(units: np.ndarray) -> np.ndarray:
    """Snap to the grid and clean until both hold; cleaning may add vertices off the grid, hence the loop."""
    for _ in range(8):
        snapped = shapely.transform(units, lambda xy: np.round(xy / GRID) * GRID)
        units = polygonal(clean(snapped))
        written = shapely.transform(units, lambda xy: np.round(xy, 3))
        if _sound(written):
            return written
    # Some vertices refuse the coarse grid; five decimals hold every crossing GEOS has put between them.
    finer = shapely.transform(units, lambda xy: np.round(xy, 5))
    return finer if _sound(finer) else units


def _sound(units: np.ndarray) -> bool:
    filled = units[~shapely.is_empty(units)]
    return bool(shapely.is_valid(filled).all()) and bool(shapely.coverage_is_valid(filled))


def _square(point: shapely.Point) -> shapely.Polygon:
    x, y = round(point.x / GRID) * GRID, round(point.y / GRID) * GRID
    return shapely.box(x - GRID, y - GRID, x + GRID, y + GRID)


def _gather(parts: np.ndarray, owner: np.ndarray, count: int) -> np.ndarray:
    """Parts put back together by owner, `count` units in order; a unit without parts is empty."""
    result = np.full(count, shapely.MultiPolygon(), dtype=object)
    if len(parts):
        order = np.argsort(owner, kind="stable")
        present, first = np.unique(owner[order], return_index=True)
        for unit, group in zip(present, np.split(parts[order], first[1:])):
            result[unit] = group[0] if len(group) == 1 else shapely.multipolygons(group)
    return result


def _rounded(mapping: dict[str, object]) -> dict[str, object]:
    def tidy(value: object) -> object:
        if isinstance(value, float):
            short = round(value, 6)
            return int(short) if short == int(short) else short
        return [tidy(v) for v in value]  # type: ignore[attr-defined]

    return {"type": mapping["type"], "coordinates": tidy(mapping["coordinates"])}
