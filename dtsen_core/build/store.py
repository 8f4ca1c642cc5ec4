"""The raw files of a real dataset, kept once each under their content hash in ``<root>/store``.

Every version names the deliveries it was made from, so a new version is what the dataset holds plus the new
files, read again. A file that no version names is a leftover of a run that did not finish.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dtsen_core.errors import UserError
from dtsen_core.registry import versions

PARTIAL = ".partial-"


def digest(path: Path) -> str:
    """Content hash of a file; UserError when it cannot be read."""
    if not path.exists():
        raise UserError("errors_ingest.missing_file", path=str(path))
    if path.is_dir():
        raise UserError("errors_ingest.is_folder", path=str(path))
    found = hashlib.blake2b(digest_size=16)
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                found.update(block)
    except OSError as error:
        raise UserError("errors_ingest.unreadable", path=str(path), error=error.strerror or "") from error
    return found.hexdigest()


def kept(root: Path, file: Mapping[str, Any]) -> Path:
    """Where a file of a delivery lies; UserError when it is gone."""
    path = root / versions.STORE / f"{file['hash']}{file['ext']}"
    if not path.is_file():
        raise UserError("errors_dataset.store_incomplete", path=path, name=file["name"])
    return path


def keep(root: Path, path: Path, file: Mapping[str, Any]) -> None:
    """Copy `path` into the store unless it is there; UserError when it changed since it was identified."""
    place = root / versions.STORE
    place.mkdir(exist_ok=True)
    target = place / f"{file['hash']}{file['ext']}"
    if target.is_file():
        return
    aside = place / f"{PARTIAL}{os.getpid()}"
    found = hashlib.blake2b(digest_size=16)
    with path.open("rb") as source, aside.open("wb") as copy:
        while block := source.read(1 << 20):
            found.update(block)
            copy.write(block)
        copy.flush()
        os.fsync(copy.fileno())
    if found.hexdigest() != file["hash"]:
        aside.unlink()
        raise UserError("errors_dataset.file_changed", path=path)
    aside.replace(target)


def sweep(root: Path) -> None:
    """Remove what no version names; to be called by whoever holds the build lock."""
    place = root / versions.STORE
    if not place.is_dir():
        return
    named = {f"{f['hash']}{f['ext']}" for m in versions.held(root) for d in m.deliveries for f in d["files"]}
    for path in place.iterdir():
        if path.name not in named:
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        place.rmdir()


def extension(path: Path) -> str:
    """The short, plain extension under which a file is kept (none if it has no such)."""
    suffix = path.suffix.lower()
    return suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= 6 else ""


def described(
    paths: Sequence[Path], layouts: Sequence[str], hashes: Sequence[str], taken: Iterable[str]
) -> list[dict[str, Any]]:
    """The files of a delivery as the manifest keeps them; `shown` is a name no other file of the dataset has."""
    used = set(taken)
    files = []
    for path, layout, found in zip(paths, layouts, hashes):
        shown = path.name if path.name not in used else f"{path.stem}~{found[:8]}{path.suffix}"
        used.add(shown)
        files.append({"hash": found, "name": path.name, "shown": shown, "layout": layout, "ext": extension(path),
                      "bytes": path.stat().st_size})  # fmt: skip
    return files
