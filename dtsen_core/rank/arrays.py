"""Packed codes as plain files beside the database, mapped into memory by the compiled engine.

One ``.npy`` per column of ``family_packed`` that a ranking reads (p1…pK, family_size, urban), in the order of
the table, and ``runs.npy``: the districts in that order with the position at which each begins. A folder
``arrays`` belongs to one version of a dataset; it is written with the version, or made when first asked for,
in a cache folder of the user if the version's own is closed. A table whose regencies do not lie together
has none; the SQL engine serves it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from dtsen_core.rank.packing import check, packing
from dtsen_core.registry.dataset import Dataset
from dtsen_core.settings import settings

FOLDER, INFO, PARTIAL = "arrays", "arrays.json", ".partial-"
BATCH = 1_000_000
FORMAT = 1

Codes = tuple[npt.NDArray[np.uint16], ...]
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Arrays:
    """`codes` K arrays (families,), `size` persons and `urban` (families,). `district`, `regency` idx and
    `start` (runs + 1,) of the runs of one district each; run r holds families start[r]..start[r+1]−1."""

    codes: Codes
    size: Bytes
    urban: Bytes
    district: Ints
    regency: Ints
    start: Ints

    def __len__(self) -> int:
        return len(self.size)


class Unordered(Exception):
    """The families of a district do not lie together in ``family_packed``."""


def write(con: duckdb.DuckDBPyConnection, folder: Path) -> bool:
    """Write ``folder/arrays`` from ``family_packed`` of `con`; False (and no folder) if it is not in order.

    Written aside and renamed, so that a folder of that name is always complete. UserError if the data were
    packed under other code lists.
    """
    columns = check(con).columns
    families = int(con.execute("SELECT count(*) FROM family_packed").fetchall()[0][0])
    aside = folder / f"{PARTIAL}{os.getpid()}-{threading.get_ident()}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        _columns(con, aside, columns, families)
        info = {"format": FORMAT, "packing": packing().hash, "families": families}
        (aside / INFO).write_text(json.dumps(info), encoding="utf-8")
        target = folder / FOLDER
        shutil.rmtree(target, ignore_errors=True)
        aside.replace(target)
    except Unordered:
        return False
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return True


def _columns(con: duckdb.DuckDBPyConnection, aside: Path, columns: tuple[str, ...], families: int) -> None:
    types = {**dict.fromkeys(columns, np.uint16), "family_size": np.uint8, "urban": np.uint8}
    files = {
        name: np.lib.format.open_memmap(aside / f"{name}.npy", mode="w+", dtype=kind, shape=(families,))
        for name, kind in types.items()
    }  # fmt: skip
    starts: list[Ints] = []
    places: list[npt.NDArray[np.int64]] = []
    at, last = 0, -1
    reader = con.sql(f"SELECT district, regency, {', '.join(types)} FROM family_packed").to_arrow_reader(BATCH)
    for batch in reader:
        rows = slice(at, at + batch.num_rows)
        for position, name in enumerate(types, start=2):
            files[name][rows] = batch.column(position).to_numpy(zero_copy_only=False)
        district = batch.column(0).to_numpy(zero_copy_only=False).astype(np.int64)
        fresh = np.flatnonzero(np.diff(district, prepend=last))
        last = int(district[-1]) if len(district) else last
        starts.append(fresh + at)
        regency = batch.column(1).to_numpy(zero_copy_only=False).astype(np.int64)
        places.append(np.stack([district[fresh], regency[fresh]], axis=1))
        at += batch.num_rows
    place = np.concatenate(places) if places else np.zeros((0, 2), np.int64)
    # a district that comes twice, or a regency that does, would make two threads write one row of H
    begins = np.flatnonzero(np.diff(place[:, 1], prepend=-1))
    if len(np.unique(place[:, 0])) != len(place) or len(np.unique(place[begins, 1])) != len(begins):
        raise Unordered
    start = np.concatenate([*starts, np.array([families], np.int64)]) if starts else np.array([families], np.int64)
    np.save(aside / "runs.npy", np.column_stack([np.vstack([place, [[-1, -1]]]), start]))
    for file in files.values():
        file.flush()


def load(folder: Path) -> Arrays | None:
    """The arrays in ``folder/arrays``, mapped; None where they are missing, damaged, or of other code lists."""
    place = folder / FOLDER
    try:
        info = json.loads((place / INFO).read_text(encoding="utf-8"))
        if (info["format"], info["packing"]) != (FORMAT, packing().hash):
            return None
        codes = tuple(np.load(place / f"{name}.npy", mmap_mode="r") for name in packing().columns)
        size, urban = (np.load(place / f"{name}.npy", mmap_mode="r") for name in ("family_size", "urban"))
        runs = np.load(place / "runs.npy")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if any(len(part) != info["families"] for part in (*codes, size, urban)) or runs[-1, 2] != info["families"]:
        return None
    # plain views of the maps, for which `kernel.warm` compiles
    plain = [np.asarray(part).view(np.ndarray) for part in (*codes, size, urban)]
    return Arrays(tuple(plain[:-2]), plain[-2], plain[-1], runs[:-1, 0].copy(), runs[:-1, 1].copy(), runs[:, 2].copy())


_held: dict[tuple[str, str], Arrays | None] = {}
_lock = threading.Lock()
HELD = 4


def of(dataset: Dataset) -> Arrays | None:
    """The arrays of `dataset`, made now if it has none yet; None where its table is not in order."""
    key = (str(dataset.path), dataset.version)
    with _lock:
        if key in _held:
            return _held[key]
        found = load(dataset.folder) or load(_cache(dataset))
        if found is None:
            found = _make(dataset)
        while len(_held) >= HELD:
            _held.pop(next(iter(_held)))
        _held[key] = found
        return found


def ready(dataset: Dataset) -> bool:
    """Whether `of` would answer at once."""
    key = (str(dataset.path), dataset.version)
    return key in _held or any((place / FOLDER / INFO).is_file() for place in (dataset.folder, _cache(dataset)))


def forget() -> None:
    """Drop what is mapped (tests)."""
    with _lock:
        _held.clear()


def _make(dataset: Dataset) -> Arrays | None:
    cursor = dataset.cursor()
    try:
        for place in (dataset.folder, _cache(dataset)):
            with contextlib.suppress(OSError):
                place.mkdir(parents=True, exist_ok=True)
                return load(place) if write(cursor, place) else None
    finally:
        cursor.close()
    return None


def _cache(dataset: Dataset) -> Path:
    """Where the arrays of a dataset in a closed folder are kept."""
    name = hashlib.blake2b(f"{dataset.folder.resolve()} {dataset.version}".encode(), digest_size=8).hexdigest()
    return cache_folder() / name


def cache_folder() -> Path:
    """The user's cache folder for derived files: ``DTSEN_CACHE``, or one in the system's place."""
    if settings().cache is not None:
        return Path(str(settings().cache))
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    home = Path(base) if base else Path.home() / ".cache"
    place = home / "dtsen"
    with contextlib.suppress(OSError):
        place.mkdir(parents=True, exist_ok=True)
        if os.access(place, os.W_OK):
            return place
    return Path(tempfile.gettempdir()) / "dtsen-cache"
