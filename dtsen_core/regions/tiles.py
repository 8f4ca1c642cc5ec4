"""The map of equal tiles: one square per regency, so that Kota Sibolga is as easy to see as Merauke.

Made once by `make_tiles`. Squares stand on a flat grid of pseudo-degrees near the equator, where the map's
projection does not stretch.
"""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.paths import REFERENCE

TABLE, FILE = "tiles_regencies.csv", "tiles.geojson"
URL = f"app/static/map/{FILE}"
SIDE, GAP = 0.5, 0.03  # degrees
WEST, NORTH = 100.0, 6.0

Box = tuple[float, float, float, float]


@lru_cache(maxsize=1)
def table() -> pd.DataFrame:
    """514 rows ``code, column, row`` (row 0 in the north), sorted by code; UserError if the file is damaged."""
    try:
        return pd.read_csv(REFERENCE / TABLE, dtype={"code": str})
    except (OSError, ValueError) as error:
        raise UserError("errors_regions.tables_missing", file=TABLE) from error


def square(column: int, row: int) -> Box:
    """(west, south, east, north) of a tile in the pseudo-degrees of the map."""
    west, north = WEST + column * SIDE, NORTH - row * SIDE
    return (round(west, 3), round(north - SIDE + GAP, 3), round(west + SIDE - GAP, 3), round(north, 3))


def bbox(pad: float = 0.3) -> Box:
    """The box around all tiles."""
    frame = table()
    west, _, _, north = square(int(frame["column"].min()), int(frame["row"].min()))
    _, south, east, _ = square(int(frame["column"].max()), int(frame["row"].max()))
    return west - pad, south - pad, east + pad, north + pad
