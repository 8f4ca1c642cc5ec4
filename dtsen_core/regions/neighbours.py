"""Which units touch, from the boundaries in use: the graph of a level, islands of the sea included as units without
neighbours, and which units lie on the coast.

Two units are neighbours when their boundaries share a point (queen contiguity). No bridge or ferry is invented: a
unit surrounded by sea has no neighbour, and whoever computes with the graph has to say what becomes of it.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from dtsen_core.errors import UserError
from dtsen_core.paths import RULES
from dtsen_core.regions import boundaries, units

LEVELS = ("province", "regency", "district")


def neighbours(level: str) -> Any:
    """`libpysal.graph.Graph` of all units of `level` (labels are Kemendagri codes, in code order), binary.

    Kept per boundary set. UserError for another level or missing boundaries.
    """
    _check(level)
    return _graph(boundaries.current().hash, level)


def coastal(level: str) -> frozenset[str]:
    """Codes of the units of `level` (province, regency) whose boundary is longer than the parts shared with other
    units: what is left over is coast, or a land border of the country. Units known to have a land border and no coast
    are named in ``data/rules/geography.toml`` and left out."""
    _check(level)
    return _coastal(boundaries.current().hash, level)


@lru_cache(maxsize=6)
def shapes(boundary_hash: str, level: str) -> gpd.GeoDataFrame:
    """Boundaries of a level as served, indexed by code in code order; `boundary_hash` names the set in use."""
    current = boundaries.current()
    if level == "district":
        parts = [gpd.read_file(current.path(level, code)) for code in units.table("province")["code"]]
        frame = pd.concat(parts, ignore_index=True)
    else:
        frame = gpd.read_file(current.path(level))
    frame = gpd.GeoDataFrame(frame.set_index(frame["code"].astype(str))[["geometry"]], crs="EPSG:4326")
    return frame.sort_index()


@lru_cache(maxsize=6)
def _graph(boundary_hash: str, level: str) -> Any:
    from libpysal.graph import Graph

    return Graph.build_contiguity(shapes(boundary_hash, level), rook=False)


@lru_cache(maxsize=6)
def _coastal(boundary_hash: str, level: str) -> frozenset[str]:
    rule = tomllib.loads((RULES / "geography.toml").read_text(encoding="utf-8"))
    frame = shapes(boundary_hash, level)
    geometry = frame.geometry.to_numpy()
    tree = shapely.STRtree(geometry)
    left, right = tree.query(geometry, predicate="touches")
    shared = pd.Series(shapely.length(shapely.intersection(shapely.boundary(geometry[left]), geometry[right])))
    own = shapely.length(shapely.boundary(geometry))
    free = pd.Series(own) - shared.groupby(left).sum().reindex(range(len(own))).fillna(0.0)
    found = frame.index[(free > rule["coast_degrees"]).to_numpy()]
    return frozenset(found) - frozenset(rule["land_border_without_coast"])


def _check(level: str) -> None:
    if level not in LEVELS:
        raise UserError("errors_regions.unknown_level", level=level, allowed=", ".join(LEVELS))
