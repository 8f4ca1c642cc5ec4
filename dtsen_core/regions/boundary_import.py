"""Official boundaries in place of the indicative ones: recognise the codes, settle overlaps, store.

`boundary_read` reads and mends the file. Here its features become units; where two units claim the same ground
the present outlines decide. What is missing keeps its present outline and is reported.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from dtsen_core.errors import UserError
from dtsen_core.regions import boundaries, codes, geometry, units
from dtsen_core.regions.boundary_read import LEVELS, Source, read

MAX_BYTES = 700_000  # of a national layer, and of one province's districts
FIRST_TOLERANCE, FIRST_ISLET = 0.004, 1.0  # degrees, km²: as fine as the size allows
COARSER = 1.25
COARSEST = 0.1
LOCATION_AGREES, LOCATION_OTHER = 0.8, 0.2  # where there are no names, the place on the map decides
CONTESTED_KM2, CONTESTED_SHARE = 20.0, 0.1  # of the smaller unit; lesser overlaps are left to the cleaning
KEPT_SHARE = 0.8  # of a unit's area that stays when its islets go


def import_file(
    path: Path, level: str, code_field: str, codes_option: str | None = None, root: Path | None = None
) -> dict[str, Any]:
    """Replace the served boundaries of `level` by those of a file geopandas reads.

    `codes_option` (``kemendagri``, ``bps``) only confirms what names, or without names the places on the map,
    show. Regencies also give the provinces, districts give both levels above. Units the file lacks keep their
    present outline. Returns a report: ``level, system, features, units, mended, dropped, duplicates, overlap_km2,
    contested, missing, surplus, bytes, hash`` and ``notes``, pairs of a key of ``data/locale/boundaries.toml`` and
    its parameters. Raises UserError (nothing is changed) for an unreadable file, an unknown
    field, codes that cannot be decided, a file without any unit of the level, an unwritable folder.
    """
    if level not in LEVELS:
        raise UserError("errors_regions.unknown_level", level=level, allowed=", ".join(LEVELS))
    if codes_option is not None and codes_option not in codes.SYSTEMS:
        raise UserError("errors_regions.codes_option", value=codes_option)
    root = root or boundaries.FOLDER
    before = boundaries.current(root)
    source = read(Path(path), code_field)
    known = {name: _present(before, name) for name in LEVELS}
    system = _system(source, level, known, codes_option)
    matched, surplus = _match(source.rows, level, system)
    shapes, missing = _units(source, matched, level, known[level][1])
    for key, found in (("missing", missing), ("surplus", surplus)):
        if found:
            source.note(key, count=len(found), first=", ".join(found[:3]))
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
        "notes": source.notes,
    }


def _present(before: boundaries.BoundarySet, level: str) -> tuple[list[str], np.ndarray]:
    """Codes and outlines served now, in table order."""
    if level != "district":
        return geometry.read(before.path(level))
    read = [geometry.read(before.path("district", p)) for p in units.table("province")["code"]]
    return [c for found, _ in read for c in found], np.concatenate([shapes for _, shapes in read])


def _system(source: Source, level: str, known: dict[str, tuple[list[str], np.ndarray]], confirm: str | None) -> str:
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


def _units(source: Source, matched: pd.Series, level: str, present: np.ndarray) -> tuple[np.ndarray, list[str]]:
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
    repeated = int(matched.duplicated(keep=False)[known].sum())
    source.report["duplicates"] = len(at) - int(given.sum())
    if repeated:
        source.note("duplicates", count=repeated, units=matched[matched.duplicated() & known].nunique())
    delivered = float(shapely.area(raw).sum())
    source.report["contested"] = _settle(raw, present, table.tolist(), source)
    clean = geometry.clean(raw, gap=geometry.GRID)
    # What cleaning took away was claimed twice.
    overlap = max(delivered - float(shapely.area(clean).sum()), 0.0)
    source.report["overlap_km2"] = round(overlap * geometry.KM2_PER_DEGREE2, 1)
    lost = given & shapely.is_empty(clean)
    clean[lost] = raw[lost]
    if given.all():
        return clean, []
    rest = shapely.difference(present[~given], shapely.union_all(clean[given]))
    # A unit whose place is wholly taken by its imported neighbours still keeps a visible outline.
    clean[~given] = np.where(shapely.is_empty(rest), present[~given], rest)
    return geometry.clean(clean, gap=geometry.GRID), table[~given].tolist()


def _settle(raw: np.ndarray, present: np.ndarray, table: list[str], source: Source) -> list[str]:
    """Give ground that two units claim to the one whose present outline holds more of it (in place).

    A city drawn inside a regency without a hole is such a case. Returns one text per pair, the largest first.
    """
    tree = shapely.STRtree(raw)
    first, second = tree.query(raw, predicate="intersects")
    pairs = first < second
    first, second = first[pairs], second[pairs]
    area = shapely.area(shapely.intersection(raw[first], raw[second])) * geometry.KM2_PER_DEGREE2
    own = shapely.area(raw) * geometry.KM2_PER_DEGREE2
    serious = (area >= CONTESTED_KM2) | (area >= CONTESTED_SHARE * np.minimum(own[first], own[second]))
    told = []
    for at in np.argsort(-area)[: int((area > 0).sum())]:
        if not serious[at]:
            continue
        a, b = int(first[at]), int(second[at])
        both = shapely.intersection(raw[a], raw[b])
        held = [float(shapely.area(shapely.intersection(present[unit], both))) for unit in (a, b)]
        winner, loser = (a, b) if held[0] >= held[1] else (b, a)
        rest = geometry.polygonal(np.array([shapely.difference(raw[loser], both)]))[0]
        if shapely.is_empty(rest):
            winner, loser = loser, winner
            rest = geometry.polygonal(np.array([shapely.difference(raw[loser], both)]))[0]
        if shapely.is_empty(rest):
            continue  # the same outline twice: the cleaning decides
        raw[loser] = rest
        told.append(f"{table[a]}/{table[b]} → {table[winner]}: {area[at]:.0f} km²")
    if told:
        source.note("contested", count=len(told), first=told[0])
    return told


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
        trial = shapely.coverage_simplify(geometry.drop_islets(clean, islet, share=KEPT_SHARE), tolerance)
        if _bytes(trial) <= MAX_BYTES:
            ready = geometry.served(clean, tolerance, islet, share=KEPT_SHARE)
            if _bytes(ready) <= MAX_BYTES:
                return ready
        tolerance, islet = tolerance * COARSER, islet * COARSER
    return geometry.served(clean, tolerance, islet, share=KEPT_SHARE)


def _bytes(shapes: np.ndarray) -> int:
    """Size of the file as `geometry.write` makes it: 17 characters per vertex, about 120 per unit."""
    return 17 * len(shapely.get_coordinates(shapes)) + 120 * len(shapes)
