"""The boundary set this installation serves: where it lies, its boxes, and storing a new one.

A set is a folder ``static/boundaries/<hash>/`` with ``provinces.geojson``, ``regencies.geojson``,
``districts_<prov>.geojson``, ``land_<prov>.geojson`` and ``meta.json``; ``current.json`` beside the folders names
the one in use and those before it. Sets never change once written, so browsers may keep them for ever.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from dtsen_core.errors import UserError
from dtsen_core.paths import STATIC
from dtsen_core.regions import geometry, units

FOLDER = STATIC / "boundaries"
KINDS = ("indikatif", "resmi")
HISTORY = 3  # sets kept for undo besides the one in use

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class BoundarySet:
    """One stored set; `kind` is *indikatif* (reconstructed) or *resmi* (imported, at least in part)."""

    hash: str
    kind: str
    source: str
    folder: Path

    def file(self, level: str, province: str | None = None) -> str:
        """File name of a level; districts need the two-digit `province`."""
        if level == "district":
            return f"districts_{units.require(province or '', 'province')}.geojson"
        if level not in ("province", "regency"):
            raise UserError("errors_regions.unknown_level", level=level, allowed="province, regency, district")
        return "provinces.geojson" if level == "province" else "regencies.geojson"

    def url(self, level: str, province: str | None = None) -> str:
        """Address relative to the app's own root, as the map asks for it."""
        return f"app/static/boundaries/{self.hash}/{self.file(level, province)}"

    def land(self, province: str | None = None) -> str:
        """Address of the quiet land under a map: all provinces, or the neighbours of one."""
        near = f"land_{province}.geojson"
        if province is None or not (self.folder / near).exists():  # sets stored by earlier versions have no such file
            return self.url("province")
        return f"app/static/boundaries/{self.hash}/{near}"

    def path(self, level: str, province: str | None = None) -> Path:
        """The same file on disk."""
        return self.folder / self.file(level, province)

    def origin(self, level: str) -> dict[str, str]:
        """``kind`` and ``source`` of one level: after a partial import the levels differ."""
        return dict(_meta(self.folder)["layers"][level])

    def bbox(self, code: str) -> Box:
        """(west, south, east, north) in degrees of a unit or of the nation (``ID``)."""
        boxes = _meta(self.folder)["bbox"]
        if code not in boxes:
            # A village has no polygon here: the camera goes to its district.
            code = units.require(code)
            code = code[:6] if len(code) == 10 else code
        west, south, east, north = boxes[code]
        return west, south, east, north


def current(folder: Path | None = None) -> BoundarySet:
    """The set in use; UserError if the folder of boundaries is missing or damaged."""
    root = folder or FOLDER
    try:
        entry = json.loads((root / "current.json").read_text(encoding="utf-8"))
        chosen = BoundarySet(entry["hash"], entry["kind"], entry["source"], root / entry["hash"])
        _meta(chosen.folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError("errors_regions.boundaries_missing", folder="static/boundaries") from error
    return chosen


def url(level: str, province: str | None = None) -> str:
    """`BoundarySet.url` of the set in use."""
    return current().url(level, province)


def path(level: str, province: str | None = None) -> Path:
    """`BoundarySet.path` of the set in use."""
    return current().path(level, province)


def bbox(code: str) -> Box:
    """`BoundarySet.bbox` of the set in use."""
    return current().bbox(code)


def store(
    root: Path,
    regencies: np.ndarray,
    districts: Mapping[str, np.ndarray],
    *,
    kind: str,
    source: str,
    provinces: np.ndarray | None = None,
    layers: Mapping[str, Mapping[str, str]] | None = None,
) -> BoundarySet:
    """Write a set beside the old ones and make it the current one in one step.

    `regencies` in table order; `districts` by province code, in table order; `provinces` are the union of the
    regencies unless given; `layers` states kind and source by level where they differ. The folder is written
    under another name and renamed when complete. UserError if `root` is not writable or the disk is full:
    nothing is left behind and the old set stays in use.
    """
    if provinces is None:
        provinces = geometry.dissolve(regencies, units.table("regency")["parent_code"].tolist())[1]
        geometry.check(provinces)
    try:
        root.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
    except OSError as error:
        raise UserError("errors_regions.boundaries_unwritable", folder=root, reason=error.strerror) from error
    try:
        parts: list[tuple[str, str, str, np.ndarray]] = [
            ("provinces", "province", "", provinces),
            ("regencies", "regency", "", regencies),
            *((f"districts_{p}", "district", p, shapes) for p, shapes in districts.items()),
        ]
        boxes: dict[str, list[float]] = {}
        for file, level, province, shapes in parts:
            table = units.table(level)
            table = table[table["code"].str.startswith(province)]
            geometry.write(work / f"{file}.geojson", table["code"].tolist(), table["name"].tolist(), shapes)
            boxes |= _boxes(table["code"].tolist(), shapes)
        nation = units.table("province")
        for own in districts:
            near = _neighbours(provinces, nation["code"].tolist().index(own))
            here = nation[~shapely.is_empty(near)]
            place = work / f"land_{own}.geojson"
            geometry.write(place, here["code"].tolist(), here["name"].tolist(), near[here.index])
        boxes["ID"] = np.round(shapely.total_bounds(provinces), 3).tolist()
        origins = layers or {level: {"kind": kind, "source": source} for level in units.LEVELS[:3]}
        meta = {"kind": kind, "source": source, "layers": origins, "bbox": boxes}
        (work / "meta.json").write_text(json.dumps(meta, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
        name = _content_hash(work)
        work.chmod(0o755)
        if (root / name).exists():
            shutil.rmtree(work)
        else:
            work.rename(root / name)
        _point_to(root, {"hash": name, "kind": kind, "source": source})
    except OSError as error:
        raise UserError("errors_regions.boundaries_unwritable", folder=root, reason=error.strerror) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return BoundarySet(name, kind, source, root / name)


def import_file(
    path: Path, level: str, code_field: str, codes: str | None = None, *, root: Path | None = None
) -> dict[str, Any]:
    """Official boundaries in place of the present ones: see `boundary_import.import_file`."""
    from dtsen_core.regions import boundary_import

    return boundary_import.import_file(path, level, code_field, codes, root)


def undo(root: Path | None = None) -> BoundarySet:
    """Go back to the set before the current one; UserError if there is none."""
    root = root or FOLDER
    current(root)  # raises if there is nothing to go back from
    entry = json.loads((root / "current.json").read_text(encoding="utf-8"))
    before = [e for e in entry.get("previous", []) if (root / e["hash"] / "meta.json").exists()]
    if not before:
        raise UserError("errors_regions.boundaries_no_previous")
    try:
        _write_pointer(root, {**before[0], "previous": before[1:]})
    except OSError as error:
        raise UserError("errors_regions.boundaries_unwritable", folder=root, reason=error.strerror) from error
    return current(root)


def _boxes(codes: Sequence[str], shapes: np.ndarray) -> dict[str, list[float]]:
    return dict(zip(codes, np.round(shapely.bounds(shapes), 3).tolist()))


def _neighbours(provinces: np.ndarray, own: int) -> np.ndarray:
    """`provinces` without the one numbered `own`, cut to three times its width and height; empty where nothing is left.

    A map of districts draws this instead of the whole country: the browser reads a tenth of it.
    """
    west, south, east, north = shapely.bounds(provinces[own])
    wide, high = max(east - west, 1.0), max(north - south, 1.0)
    frame = shapely.box(west - wide, south - high, east + wide, north + high)
    near = shapely.intersection(shapely.make_valid(provinces), frame)
    near[own] = shapely.MultiPolygon()
    return geometry.polygonal(near)


def _content_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _point_to(root: Path, entry: dict[str, str]) -> None:
    """Make `entry` current and remember what was; folders no longer remembered are removed."""
    previous: list[dict[str, str]] = []
    try:
        old = json.loads((root / "current.json").read_text(encoding="utf-8"))
        kept = [{k: e[k] for k in ("hash", "kind", "source")} for e in [old, *old.get("previous", [])]]
        previous = [e for e in kept if e["hash"] != entry["hash"]][:HISTORY]
    except (OSError, ValueError, KeyError, TypeError):
        previous = []  # a damaged pointer is replaced by a sound one
    _write_pointer(root, {**entry, "previous": previous})
    remembered = {entry["hash"], *(e["hash"] for e in previous)}
    for folder in root.iterdir():
        if folder.is_dir() and folder.name not in remembered and not folder.name.startswith("."):
            shutil.rmtree(folder, ignore_errors=True)


def _write_pointer(root: Path, entry: Mapping[str, Any]) -> None:
    handle, name = tempfile.mkstemp(prefix=".current-", dir=root)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(entry, file, ensure_ascii=False, indent=1)
        Path(name).chmod(0o644)
        Path(name).replace(root / "current.json")
    finally:
        Path(name).unlink(missing_ok=True)


@lru_cache(maxsize=4)
def _meta(folder: Path) -> dict[str, Any]:
    meta: dict[str, Any] = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    if "ID" not in meta["bbox"]:
        raise ValueError("meta.json without boxes")
    return meta
