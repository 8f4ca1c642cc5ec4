"""Official boundaries in place of the indicative ones: read, recognise, mend, store.

Official files come in every state: another projection, BPS codes, rings that cross themselves, neighbours that
overlap. What can be mended is mended and counted; what is missing keeps its present outline and is reported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import shapely

from dtsen_core.errors import UserError
from dtsen_core.regions import boundaries, codes, geometry, units

LEVELS = ("province", "regency", "district")
MAX_BYTES = 700_000  # of a national layer, and of one province's districts
FIRST_TOLERANCE, FIRST_ISLET = 0.004, 1.0  # degrees, km²: as fine as the size allows
COARSER = 1.25
COARSEST = 0.1
LOCATION_AGREES, LOCATION_OTHER = 0.8, 0.2  # where there are no names, the place on the map decides
_DEGREES = (-180.0, -90.0, 180.0, 90.0)


@dataclass
class _Source:
    """What a file gave: one row per feature with a usable polygon."""

    rows: pd.DataFrame  # code, name (may be missing)
    shapes: np.ndarray
    report: dict[str, Any] = field(default_factory=dict)


def import_file(
    path: Path, level: str, code_field: str, codes_option: str | None = None, root: Path | None = None
) -> dict[str, Any]:
    """Replace the served boundaries of `level` by those of a file geopandas reads.

    `codes_option` (``kemendagri``, ``bps``) only confirms what names, or without names the places on the map,
    show. Regencies also give the provinces, districts give both levels above. Units the file lacks keep their
    present outline. Returns a report: ``level, system, features, units, mended, dropped, overlap_km2, missing,
    surplus, kept, bytes, hash``. Raises UserError (nothing is changed) for an unreadable file, an unknown
    field, codes that cannot be decided, a file without any unit of the level, an unwritable folder.
    """
    if level not in LEVELS:
        raise UserError("errors_regions.unknown_level", level=level, allowed=", ".join(LEVELS))
    if codes_option is not None and codes_option not in codes.SYSTEMS:
        raise UserError("errors_regions.codes_option", value=codes_option)
    root = root or boundaries.FOLDER
    before = boundaries.current(root)
    source = _read(Path(path), code_field)
    known = {name: _present(before, name) for name in LEVELS}
    system = _system(source, level, known, codes_option)
    matched, surplus = _match(source.rows, level, system)
    shapes, missing = _units(source, matched, level, known[level][1])
    made = _layers(level, shapes, known)
    now = _store(root, before, level, made, Path(path).name)
    sizes = [now.path("province"), now.path("regency")]
    return {
        "level": level,
        "system": system,
        **source.report,
        "units": len(shapes) - len(missing),
        "missing": missing,
        "surplus": surplus,
        "bytes": sum(p.stat().st_size for p in (sizes if level != "district" else now.folder.iterdir())),
        "hash": now.hash,
    }


def _read(path: Path, code_field: str) -> _Source:
    try:
        parquet = path.suffix.lower() in (".parquet", ".geoparquet")
        frame = geopandas.read_parquet(path) if parquet else geopandas.read_file(path)
        if not isinstance(frame, geopandas.GeoDataFrame) or frame.geometry.name not in frame:
            raise ValueError("no geometry column")
    except Exception as error:  # every driver has its own errors; all mean: this is no map file
        raise UserError(
            "errors_regions.boundaries_unreadable", file=path.name, reason=str(error).split("\n")[0][:120]
        ) from error
    if code_field not in frame.columns:
        fields = ", ".join(str(c) for c in frame.columns if c != frame.geometry.name)
        raise UserError("errors_regions.boundaries_no_field", field=code_field, fields=fields or "–")
    frame = _degrees(frame, path.name)
    raw = frame.geometry.to_numpy()
    usable = ~(shapely.is_missing(raw) | shapely.is_empty(raw))
    broken = usable & ~shapely.is_valid(raw)
    shapes = geometry.polygonal(shapely.make_valid(np.where(usable, raw, shapely.Polygon())))
    usable &= ~shapely.is_empty(shapes)
    rows = pd.DataFrame({"code": _digits(frame[code_field]), "name": _name_column(frame, code_field)})
    report = {"features": len(frame), "mended": int(broken.sum()), "dropped": int((~usable).sum())}
    return _Source(rows[usable].reset_index(drop=True), shapes[usable], report)


def _degrees(frame: geopandas.GeoDataFrame, file: str) -> geopandas.GeoDataFrame:
    """The frame in EPSG:4326; a file without a projection is taken for degrees only if its numbers fit."""
    if frame.crs is not None:
        return frame.to_crs(4326)
    west, south, east, north = frame.total_bounds
    if west >= _DEGREES[0] and south >= _DEGREES[1] and east <= _DEGREES[2] and north <= _DEGREES[3]:
        return frame.set_crs(4326)
    raise UserError("errors_regions.boundaries_no_crs", file=file)


def _digits(column: pd.Series) -> pd.Series:
    """Codes as digits: "31.71", 3171 and 3171.0 are one code; missing becomes the empty string."""
    text = column.astype("object").where(column.notna(), "").astype("str")
    text = text.str.replace(r"^(\d+)\.0+$", r"\1", regex=True)
    return text.map(lambda code: re.sub(r"[.\s]", "", code))


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


def _present(before: boundaries.BoundarySet, level: str) -> tuple[list[str], np.ndarray]:
    """Codes and outlines served now, in table order."""
    if level != "district":
        return geometry.read(before.path(level))
    read = [geometry.read(before.path("district", p)) for p in units.table("province")["code"]]
    return [c for found, _ in read for c in found], np.concatenate([shapes for _, shapes in read])


def _system(source: _Source, level: str, known: dict[str, tuple[list[str], np.ndarray]], confirm: str | None) -> str:
    """Code system by names where the file has them at this level, otherwise by where its units lie."""
    if level != "district" and source.rows["name"].notna().any():
        return codes.detect_system(source.rows, confirm=confirm).system
    width = 2 if level == "province" else 4
    prefix = source.rows["code"].str[:width]
    above = known["province" if level == "province" else "regency"]
    outline = dict(zip(*above))
    points = shapely.point_on_surface(source.shapes)
    mapper = codes.map_provinces if level == "province" else codes.map_regencies
    meant = {s: mapper(pd.DataFrame({"code": prefix, "name": None}), s)["kemendagri"] for s in codes.SYSTEMS}
    differ = (meant["kemendagri"].fillna("") != meant["bps"].fillna("")).to_numpy()
    if not differ.any():
        return confirm or ("bps" if source.rows["code"].str.len().eq(7).any() else "kemendagri")
    share = {}
    for system, unit in meant.items():
        there = [bool(c in outline and outline[c].distance(p) < 0.02) for c, p in zip(unit, points)]
        share[system] = float(np.array(there)[differ].mean())
    for system, other in (codes.SYSTEMS, codes.SYSTEMS[::-1]):
        if share[system] >= LOCATION_AGREES and share[other] <= LOCATION_OTHER:
            if confirm not in (None, system):
                raise UserError("errors_regions.boundaries_contradict", found=system, confirm=confirm)
            return system
    raise UserError("errors_regions.boundaries_undecided")


def _match(rows: pd.DataFrame, level: str, system: str) -> tuple[pd.Series, list[str]]:
    """Kemendagri code per feature (missing if unknown) and the delivered codes that matched nothing."""
    if level == "district":
        regency = codes.map_regencies(pd.DataFrame({"code": rows["code"].str[:4], "name": None}), system)["kemendagri"]
        found = codes.map_districts(rows.assign(parent=regency), system)["kemendagri"]
    else:
        mapper = codes.map_provinces if level == "province" else codes.map_regencies
        found = mapper(rows, system)["kemendagri"]
    valid = found.isin(units.table(level)["code"])
    surplus = rows.loc[~valid, "code"].replace("", "–").unique().tolist()
    if not valid.any():
        raise UserError("errors_regions.boundaries_no_unit", level=level, codes=", ".join(surplus[:3]) or "–")
    return found.where(valid), surplus


def _units(source: _Source, matched: pd.Series, level: str, present: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Outlines in table order as a valid coverage, and the codes that keep their present outline."""
    table = units.table(level)["code"]
    known = matched.notna().to_numpy()
    parts, row = shapely.get_parts(source.shapes[known], return_index=True)
    at = matched[known].map(units.index(level)).to_numpy(int)
    raw = np.full(len(table), shapely.Polygon(), dtype=object)
    owner = at[row]
    for unit in np.unique(owner):
        raw[unit] = shapely.union_all(parts[owner == unit])
    given = ~shapely.is_empty(raw)
    delivered = float(shapely.area(raw).sum())
    clean = geometry.clean(raw, gap=geometry.GRID)
    # What cleaning took away was claimed twice.
    overlap = max(delivered - float(shapely.area(clean).sum()), 0.0)
    source.report["overlap_km2"] = round(overlap * geometry.KM2_PER_DEGREE2, 1)
    if given.all():
        return clean, []
    rest = shapely.difference(present[~given], shapely.union_all(clean[given]))
    # A unit whose place is wholly taken by its imported neighbours still keeps a visible outline.
    clean[~given] = np.where(shapely.is_empty(rest), present[~given], rest)
    return geometry.clean(clean, gap=geometry.GRID), table[~given].tolist()


def _layers(level: str, shapes: np.ndarray, known: dict[str, tuple[list[str], np.ndarray]]) -> dict[str, np.ndarray]:
    """Outlines by level: those of the file, the regencies made of its districts, else the present ones."""
    made = {name: outline for name, (_, outline) in known.items()}
    made[level] = shapes
    if level == "district":
        made["regency"] = geometry.dissolve(shapes, units.table(level)["parent_code"].tolist())[1]
    return made


def _origins(before: boundaries.BoundarySet, level: str, file: str) -> dict[str, dict[str, str]]:
    """Kind and source of each level after the import: the level of the file and those made from it are new."""
    origins = {name: before.origin(name) for name in LEVELS}
    new = LEVELS[: LEVELS.index(level) + 1] if level != "province" else (level,)
    return origins | {name: {"kind": "resmi", "source": file} for name in new}


def _store(
    root: Path, before: boundaries.BoundarySet, level: str, made: dict[str, np.ndarray], file: str
) -> boundaries.BoundarySet:
    """Simplify what is new to the size of a served file, keep the rest, and store all as one set."""
    districts = {}
    rows = units.table("district")["code"].str[:2].to_numpy()
    for province in units.table("province")["code"]:
        own = made["district"][rows == province]
        districts[province] = _fitted(own) if level == "district" else own
    regencies = made["regency"] if level == "province" else _fitted(made["regency"])
    provinces = _fitted(made["province"]) if level == "province" else None  # else the union of the regencies
    return boundaries.store(
        root,
        regencies,
        districts,
        kind="resmi",
        source=file,
        provinces=provinces,
        layers=_origins(before, level, file),
    )


def _fitted(shapes: np.ndarray) -> np.ndarray:
    """`geometry.served` at the finest tolerance whose file stays within `MAX_BYTES`."""
    tolerance, islet = FIRST_TOLERANCE, FIRST_ISLET
    clean = geometry.clean(shapes)
    while tolerance < COARSEST:
        trial = shapely.coverage_simplify(geometry.drop_islets(clean, islet), tolerance)
        if _bytes(trial) <= MAX_BYTES:
            ready = geometry.served(clean, tolerance, islet)
            if _bytes(ready) <= MAX_BYTES:
                return ready
        tolerance, islet = tolerance * COARSER, islet * COARSER
    return geometry.served(clean, tolerance, islet)


def _bytes(shapes: np.ndarray) -> int:
    """Size of the file as `geometry.write` makes it: 17 characters per vertex, about 120 per unit."""
    return 17 * len(shapely.get_coordinates(shapes)) + 120 * len(shapes)
