"""Make the map of equal tiles: one square for each of the 514 regencies, arranged as the country lies.

Run: ``python -m dtsen_core.regions.make_tiles``. Writes ``data/reference/tiles_regencies.csv`` (code, column, row)
and ``static/map/tiles.geojson``. Each group of islands is scaled so that its land holds as many squares as it has
regencies; squares and regencies are then matched one to one with the least sum of squared distances (Kuhn 1955;
scipy's ``linear_sum_assignment``). Groups are put side by side as they lie, one square of sea between them.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import shapely
from scipy.optimize import linear_sum_assignment

from dtsen_core.paths import REFERENCE, STATIC
from dtsen_core.regions import boundaries, geometry, tiles, units

# Provinces of each group and the square (column, row from the north) of its north-western corner.
GROUPS: dict[str, tuple[tuple[str, ...], tuple[int, int]]] = {
    "sumatera": (("11", "12", "13", "14", "15", "16", "17", "18", "19", "21"), (0, 0)),
    "jawa": (("31", "32", "33", "34", "35", "36"), (15, 23)),
    "nusa": (("51", "52", "53"), (44, 25)),
    "kalimantan": (("61", "62", "63", "64", "65"), (25, 4)),
    "sulawesi": (("71", "72", "73", "74", "75", "76"), (38, 1)),
    "maluku": (("81", "82"), (55, 6)),
    "papua": (("91", "92", "93", "94", "95", "96"), (64, 7)),
}
SEARCH = np.geomspace(0.2, 3.0, 60)  # scales tried: squares per degree


def layout() -> pd.DataFrame:
    """code, column, row of every regency, sorted by code; no two share a square."""
    codes, shapes = geometry.read(boundaries.path("regency"))
    parts = []
    taken: set[tuple[int, int]] = set()
    for provinces, (left, top) in GROUPS.values():
        at = np.array([i for i, code in enumerate(codes) if code[:2] in provinces])
        cells = _arranged(shapes[at])
        cells += np.array([left, top]) - cells.min(axis=0)
        while taken & _around(cells):
            cells[:, 0] += 1  # eastwards until there is sea between the groups
        taken |= set(map(tuple, cells.tolist()))
        parts.append(pd.DataFrame({"code": np.array(codes)[at], "column": cells[:, 0], "row": cells[:, 1]}))
    frame = pd.concat(parts).sort_values("code", ignore_index=True)
    if frame.duplicated(["column", "row"]).any():
        raise ValueError("two regencies share a square; move a group apart")
    return frame


def _around(cells: np.ndarray) -> set[tuple[int, int]]:
    """The squares of a group and all that touch them."""
    steps = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    return {(int(column) + x, int(row) + y) for column, row in cells for x, y in steps}


def _arranged(shapes: np.ndarray) -> np.ndarray:
    """Columns and rows of the squares of one group, in the order of `shapes`."""
    land = shapely.union_all(shapely.buffer(shapes, 0.12))
    for scale in SEARCH:
        cells = _cells(land, scale)
        if len(cells) >= len(shapes):
            break
    points = shapely.get_coordinates(shapely.point_on_surface(shapes)) * [scale, -scale]
    # Crowded places need room: half of the way towards even spacing by rank, in both directions.
    even = np.column_stack([_evened(points[:, axis], cells[:, axis]) for axis in (0, 1)])
    target = (points + even) / 2
    cost = ((target[:, None, :] - (cells[None, :, :] + 0.5)) ** 2).sum(axis=2)
    _, chosen = linear_sum_assignment(cost)
    return cells[chosen]


def _cells(land: shapely.Geometry, scale: float) -> np.ndarray:
    """Squares of a grid of `scale` squares per degree whose centre lies on the land; rows grow southwards."""
    west, south, east, north = land.bounds
    columns = np.arange(np.floor(west * scale), np.ceil(east * scale) + 1)
    rows = np.arange(np.floor(-north * scale), np.ceil(-south * scale) + 1)
    grid = np.array(np.meshgrid(columns, rows)).reshape(2, -1).T
    inside = shapely.contains_xy(land, (grid[:, 0] + 0.5) / scale, -(grid[:, 1] + 0.5) / scale)
    return grid[inside].astype(int)


def _evened(values: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """`values` moved so that they fill the places of `cells` evenly, order kept."""
    rank = values.argsort(kind="stable").argsort(kind="stable")
    return np.quantile(cells + 0.5, (rank + 0.5) / len(values))


def shapes(frame: pd.DataFrame) -> str:
    """The squares as GeoJSON with code and name, in the degrees of `tiles.square`."""
    names = units.table("regency").set_index("code")["name"]
    features = []
    for code, column, row in frame.itertuples(index=False):
        west, south, east, north = tiles.square(column, row)
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        features.append({
            "type": "Feature", "id": code, "properties": {"code": code, "name": names[code]},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        })  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":"))


def main() -> None:
    """Write both files."""
    frame = layout()
    frame.to_csv(REFERENCE / tiles.TABLE, index=False, lineterminator="\n")
    (STATIC / "map" / tiles.FILE).write_text(shapes(frame), encoding="utf-8")


if __name__ == "__main__":
    main()
