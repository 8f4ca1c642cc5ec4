"""The versions of a dataset: folders beside each other, of which the root's manifest names the served one.

``<root>/manifest.json`` is the manifest of the served version with its ``folder`` (``versions/<version>``, or
``.`` for a dataset of the older, flat form). A version is made in ``versions/.building-…`` and becomes one by
a rename; it is served from the moment the root's manifest is replaced. Both are single steps of the operating
system, so a process may die at any moment: what was served stays served, and the next run removes the rest.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from dtsen_core.errors import UserError
from dtsen_core.registry import manifest as manifests
from dtsen_core.registry.manifest import Manifest

FOLDER, STORE, FLAT = "versions", "store", "."
BUILDING, GONE = ".building-", ".gone-"
FLAT_FILES = ("dtsen.duckdb", "dtsen.duckdb.wal", "evaluation.duckdb", "sources")


@dataclass(frozen=True)
class Version:
    """One version: its manifest, its folder relative to the root, and whether it is the one served."""

    manifest: Manifest
    folder: str
    served: bool

    @property
    def name(self) -> str:
        return self.manifest.version


def versions(root: Path) -> tuple[Version, ...]:
    """All versions of the dataset at `root`, newest first; UserError when there is no dataset."""
    now = manifests.read(root)
    found = [Version(now, now.folder, True)]
    for folder in _folders(root):
        name = f"{FOLDER}/{folder.name}"
        if name == now.folder:
            continue
        with contextlib.suppress(UserError):  # a folder without a readable manifest is no version
            found.append(Version(manifests.read(folder), name, False))
    return tuple(sorted(found, key=lambda v: (v.manifest.created, v.name), reverse=True))


def find(root: Path, name: str) -> Version:
    """The version called `name`; UserError naming those that exist."""
    known = versions(root)
    for version in known:
        if name in (version.name, version.folder, Path(version.folder).name):
            return version
    raise UserError("errors_dataset.no_version", given=name, path=root, known=", ".join(v.name for v in known))


def switch(root: Path, name: str) -> Version:
    """Serve version `name` from now on; one step. UserError when there is no such version."""
    found = find(root, name)
    serve(root, found.manifest, found.folder)
    return dataclasses.replace(found, served=True)


def serve(root: Path, manifest: Manifest, folder: str) -> None:
    """Replace the root's manifest, in one step of the operating system."""
    dataclasses.replace(manifest, folder=folder).write(root)


def prune(root: Path, keep: int) -> tuple[str, ...]:
    """Remove all but the served and the newest versions, `keep` in all; returns the names removed.

    UserError when `keep` is less than 1.
    """
    if keep < 1:
        raise UserError("errors_dataset.keep_versions", given=keep)
    others = [version.name for version in versions(root) if not version.served]
    return _remove(root, lambda version: version.name in others[keep - 1 :])


def _remove(root: Path, unwanted: Callable[[Version], bool]) -> tuple[str, ...]:
    """Remove the versions that are `unwanted`, never the served one; their names."""
    removed = []
    for version in versions(root):
        if version.served or version.folder == FLAT or not unwanted(version):
            continue
        # First out of sight in one step, so that a half-removed folder never counts as a version.
        gone = root / FOLDER / f"{GONE}{secrets.token_hex(4)}"
        (root / version.folder).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
        removed.append(version.name)
    return tuple(removed)


@contextlib.contextmanager
def building(root: Path) -> Iterator[Path]:
    """Yield an empty folder inside `root` for a new version; it vanishes unless `publish` takes it.

    A lock beside it is held as long as this process lives, so that others can tell it from a leftover.
    """
    fresh = [folder for folder in (root, *root.parents) if not folder.exists()]
    place = root / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    clean(root)
    aside = place / f"{BUILDING}{os.getpid()}-{secrets.token_hex(3)}"
    lock = FileLock(f"{aside}.lock")
    lock.acquire(timeout=0)
    try:
        aside.mkdir()
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)
        for folder in (place, *fresh):
            _remove_if_empty(folder)


def publish(root: Path, aside: Path, earlier: str = "") -> Manifest:
    """Make the finished folder `aside` (with its manifest) a version of `root` and serve it.

    Folders in the subfolder `earlier` of it become versions as well. A dataset of the flat form becomes a version
    like the others. Of a demonstration stay the new run's versions and the one it replaces, so that both can be
    compared; of a real dataset all.
    """
    manifest = manifests.read(aside)
    _adopt_flat(root)
    replaced = _served(root)
    # Served last: from that step on, the version and what came before it are there as a whole.
    if earlier and (waiting := aside / earlier).is_dir():
        for folder in sorted(waiting.iterdir()):
            folder.rename(root / FOLDER / _free(root / FOLDER, manifests.read(folder).version))
        waiting.rmdir()
    name = _free(root / FOLDER, manifest.version)
    sync(aside)
    aside.rename(root / FOLDER / name)
    sync(root / FOLDER)
    serve(root, manifest, f"{FOLDER}/{name}")
    _drop_flat(root)
    if manifest.simulated:
        stay = {manifest.version, replaced}
        _remove(root, lambda v: v.name not in stay and (not manifest.build or v.manifest.build != manifest.build))
    return manifests.read(root)


def _served(root: Path) -> str:
    """The name of the served version; empty where there is none that can be read."""
    with contextlib.suppress(UserError):
        return manifests.read(root).version
    return ""


def clean(root: Path) -> None:
    """Remove what dead processes left behind; what a living process is making stays."""
    place = root / FOLDER
    if not place.is_dir():
        return
    for path in place.iterdir():
        if path.name.startswith(GONE):
            shutil.rmtree(path, ignore_errors=True)
        elif path.name.startswith(BUILDING) and path.suffix != ".lock":
            if _ownerless(Path(f"{path}.lock")):
                shutil.rmtree(path, ignore_errors=True)
        elif path.name.startswith(BUILDING) and not path.with_suffix("").exists():
            _ownerless(path)
    for path in root.glob(f"{manifests.ASIDE}*"):
        path.unlink(missing_ok=True)
    with contextlib.suppress(UserError):
        if manifests.read(root).folder != FLAT:
            _drop_flat(root)


def untouched(root: Path, origin: str = "simulated") -> bool:
    """True if `root` holds nothing yet: it is missing, empty, or holds only what unfinished runs left.

    A run may have died between its last two steps, with whole versions that nobody serves; those of `origin` are such
    leftovers, others are not to be built over.
    """
    if not root.exists():
        return True
    if not root.is_dir() or (root / manifests.FILE).exists():
        return False
    ours = all(path.name in (FOLDER, STORE) or path.name.startswith(manifests.ASIDE) for path in root.iterdir())
    return ours and all(_origin(folder) == origin for folder in _folders(root))


def _origin(folder: Path) -> str:
    """The origin of the version in `folder`; empty where it cannot be told."""
    with contextlib.suppress(UserError):
        return manifests.read(folder).origin
    return ""


def held(root: Path) -> list[Manifest]:
    """The manifests of every whole version at `root`, served or not, also where nothing is served yet."""
    found = []
    for folder in (root, *_folders(root)):
        with contextlib.suppress(UserError):
            found.append(manifests.read(folder))
    return found


def sync(folder: Path) -> None:
    """Have the operating system write the entries of `folder` to the disk, where it can."""
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _folders(root: Path) -> list[Path]:
    place = root / FOLDER
    if not place.is_dir():
        return []
    return sorted(path for path in place.iterdir() if path.is_dir() and not path.name.startswith("."))


def _free(place: Path, version: str) -> str:
    """A folder name for `version` that is not taken."""
    name = re.sub(r"[^A-Za-z0-9._-]", "-", version).lstrip(".") or "version"
    number = 1
    while (place / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return name if number == 1 else f"{name}-{number}"


def _adopt_flat(root: Path) -> None:
    """Give a dataset of the flat form its own version folder, at every moment fit to be served."""
    try:
        now = manifests.read(root)
    except UserError:
        return
    if now.folder != FLAT:
        return
    with building(root) as aside:
        for name in FLAT_FILES:
            if (root / name).is_dir():
                shutil.copytree(root / name, aside / name, copy_function=_link)
            elif (root / name).exists():
                _link(root / name, aside / name)
        now.write(aside)
        name = _free(root / FOLDER, now.version)
        aside.rename(root / FOLDER / name)
        serve(root, now, f"{FOLDER}/{name}")
    _drop_flat(root)


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or a file system without links
        shutil.copy2(source, target)


def _drop_flat(root: Path) -> None:
    for name in FLAT_FILES:
        with contextlib.suppress(OSError):  # still open somewhere: the next run removes it
            if (root / name).is_dir():
                shutil.rmtree(root / name)
            else:
                (root / name).unlink(missing_ok=True)


def _ownerless(path: Path) -> bool:
    """Take the lock file `path` away if nobody holds it; True if so."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return False
    lock.release()
    path.unlink(missing_ok=True)
    return True


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
