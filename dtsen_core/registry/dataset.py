"""Opening a dataset, and building a new version of it aside and serving it.

A dataset is a folder with versions (`registry.versions`); a version is a folder with ``dtsen.duckdb``,
``evaluation.duckdb`` (simulated only), ``manifest.json`` and ``sources/``. It is read-only once it stands.
One process holds one connection to it; every call takes its own cursor and fetches fully, because threads
that share a connection get each other's rows.
"""

from __future__ import annotations

import contextlib
import errno
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dtsen_core.errors import UserError
from dtsen_core.registry import manifest as manifests
from dtsen_core.registry import versions
from dtsen_core.registry.manifest import Manifest
from dtsen_core.settings import settings

DATABASE = "dtsen.duckdb"
EVALUATION = "evaluation.duckdb"
PATIENCE_S = 10.0  # how long to wait for the last cursor on a dataset that was swapped out

_open: dict[Path, Dataset] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Dataset:
    """An opened dataset. `path` is its root, `folder` that of the version with its files; `version` names its
    contents and is the key of every cache."""

    path: Path
    manifest: Manifest
    connection: duckdb.DuckDBPyConnection = field(repr=False, compare=False)

    @property
    def folder(self) -> Path:
        return self.path / self.manifest.folder

    @property
    def version(self) -> str:
        return self.manifest.version

    @property
    def simulated(self) -> bool:
        return self.manifest.simulated

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A new cursor; use it for one call and fetch fully."""
        return self.connection.cursor()

    def evaluation_cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor that also sees the simulated truth as schema ``evaluation``.

        Only the method page and the benches may ask for it. UserError on a real dataset.
        """
        file = self.folder / EVALUATION
        if not self.simulated or not file.exists():
            raise UserError("errors_dataset.no_truth", path=self.path)
        with _lock:
            attached = self.cursor().execute("SELECT database_name FROM duckdb_databases()").fetchall()
            if ("evaluation",) not in attached:
                quoted = str(file).replace("'", "''")
                self.cursor().execute(f"ATTACH '{quoted}' AS evaluation (READ_ONLY)")
        return self.cursor()

    def has_table(self, name: str) -> bool:
        found = (
            self.cursor()
            .execute(
                "SELECT count(*) FROM duckdb_tables() WHERE table_name = ? AND database_name <> 'evaluation'", [name]
            )
            .fetchone()
        )
        return bool(found and found[0])

    @staticmethod
    def open(path: Path | str | None = None) -> Dataset:
        """Open the dataset at `path` (default: the configured one), once per process and version.

        UserError when there is none or when it is damaged. When a newer version is served, that one is
        opened; cursors still at work on the old one finish undisturbed.
        """
        root = Path(path or settings().dataset).resolve()
        while True:
            manifest = manifests.read(root)
            with _lock:
                held = _open.get(root)
                if held is not None:
                    if (held.version, held.manifest.folder) == (manifest.version, manifest.folder):
                        return held
                    held.connection.close()
                    del _open[root], held
                try:
                    connection = _connect(root / manifest.folder, manifest.version)
                except UserError:
                    # Another process may have served a new version and removed this one in between.
                    if manifests.read(root) == manifest:
                        raise
                    continue
                dataset = Dataset(root, manifest, connection)
                _open[root] = dataset
                return dataset


def connect_readonly(folder: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the database in the folder of a version, with the settings of this process.

    DuckDB refuses a second connection to one file whose settings differ from the first's. Errors: duckdb.Error.
    """
    config: dict[str, str | bool | int | float | list[str]] = {}
    if settings().threads:
        config["threads"] = settings().threads
    if settings().memory_limit:
        config["memory_limit"] = settings().memory_limit
    return duckdb.connect(str(folder / DATABASE), read_only=True, config=config)


def _connect(folder: Path, version: str) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the database whose stamp is `version`.

    DuckDB shares one instance per path inside a process, so right after a swap it may still hand out the old
    file; the stamp tells, and the old instance goes away with its last cursor.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection = connect_readonly(folder)
            stamp = connection.execute("SELECT version FROM dataset_stamp").fetchone()
        except duckdb.Error as problem:
            raise UserError("errors_dataset.damaged", path=folder) from problem
        if stamp == (version,):
            return connection
        connection.close()
        if time.monotonic() > deadline:
            raise UserError("errors_dataset.damaged", path=folder)
        time.sleep(0.05)


def stamp(connection: duckdb.DuckDBPyConnection, version: str) -> None:
    """Write the version into the database itself, so that a manifest never describes another file."""
    connection.execute("CREATE OR REPLACE TABLE dataset_stamp (version VARCHAR)")
    connection.execute("INSERT INTO dataset_stamp VALUES (?)", [version])


@contextlib.contextmanager
def new_dataset(out: Path | str, origin: str, earlier: str = "") -> Iterator[Path]:
    """Yield an empty folder for a new version of `out`; on success it is served, on failure it vanishes.

    Folders inside the subfolder `earlier` of it become versions too, which are not served.

    UserError when `out` holds something else than a dataset, a dataset of the other origin, when the place
    cannot be written, or when the disk is full.
    """
    root = Path(out).resolve()
    refuse_foreign(root, origin)
    with explained(root), versions.building(root) as aside:
        yield aside
        versions.publish(root, aside, earlier)


def refuse_foreign(target: Path, origin: str) -> None:
    """UserError when `target` may not take a dataset of `origin`: it is a file, holds something else, or a
    dataset of the other origin."""
    if target.exists() and not target.is_dir():
        raise UserError("errors_dataset.not_a_folder", path=target)
    if versions.untouched(target, origin):
        return
    if not (target / manifests.FILE).exists():
        raise UserError("errors_dataset.foreign_folder", path=target)
    try:
        held = manifests.read(target).origin
    except UserError:
        return  # a damaged dataset may be replaced
    if held != origin:
        raise UserError("errors_dataset.other_origin", path=target, held=held, new=origin)


@contextlib.contextmanager
def explained(place: Path) -> Iterator[None]:
    """Turn what the operating system says about a full or closed place into a sentence."""
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError("errors_dataset.disk_full", path=place) from problem
        if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
            raise UserError("errors_dataset.not_writable", path=place) from problem
        raise
    except duckdb.Error as problem:
        sentence = str(problem).lower()
        if "no space left" in sentence or "disk full" in sentence:
            raise UserError("errors_dataset.disk_full", path=place) from problem
        if "permission denied" in sentence or "read-only file system" in sentence:
            raise UserError("errors_dataset.not_writable", path=place) from problem
        raise
