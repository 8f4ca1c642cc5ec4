"""Read the register files for the golden record: every delivery on its own, then side by side.

A delivery is read on its own because its region codes are recognised as a whole: two deliveries of one
register may be written in different code systems.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dtsen_core.collect.accounting import FileCount
from dtsen_core.collect.readers import Progress, read_source, settle
from dtsen_core.collect.simulate.registers import FILES
from dtsen_core.errors import UserError
from dtsen_core.registry.catalog import has

KINDS = tuple(FILES)
"""Layouts of the registers behind the golden record, in the order in which they are read."""
SOURCE_FILE = """CREATE TABLE IF NOT EXISTS source_file
  (path_id USMALLINT, source VARCHAR, file_id USMALLINT, path VARCHAR)"""


@dataclass(frozen=True)
class SourceFile:
    """One file of a register: its layout (of `KINDS`), where it lies, the confirmed code system, and the
    number of the delivery it came with."""

    layout: str
    path: Path
    codes: str | None = None
    delivery: int = 0


def in_folder(folder: Path) -> list[SourceFile]:
    """The register files in `folder` under their usual names; UserError names those that are missing."""
    files = [SourceFile(kind, folder / name) for kind, name in FILES.items()]
    lacking = [file.path.name for file in files if not file.path.is_file()]
    if lacking:
        raise UserError("errors_ingest.no_sources", path=str(folder), missing=", ".join(lacking))
    return files


def read_files(
    con: duckdb.DuckDBPyConnection, files: Sequence[SourceFile], *, kinds: Iterable[str] = KINDS,
    progress: Progress | None = None, temporary: bool = True,
) -> list[FileCount]:  # fmt: skip
    """Make ``source_<layout>`` (and ``_region``, ``_held``) for every layout of `kinds`, empty where no file is
    given, and ``source_file(path_id, source, file_id, path)``; the accounts are settled.

    UserError: a file that is not of its layout, or an undecidable code system.
    """
    con.execute(SOURCE_FILE)
    total = sum(file.path.stat().st_size for file in files) or 1
    before = 0
    counts: list[FileCount] = []
    for kind in kinds:
        mine = [file for file in files if file.layout == kind]
        con.execute("DELETE FROM source_file WHERE source = ?", [kind])
        deliveries = sorted({file.delivery for file in mine}) or [0]
        read = 0
        for number, delivery in enumerate(deliveries):
            batch = [file for file in mine if file.delivery == delivery]
            size = sum(file.path.stat().st_size for file in batch)

            def advance(share: float, before: int = before, size: int = size) -> None:
                if progress is not None:
                    progress((before + share * size) / total)

            codes = next((file.codes for file in batch if file.codes), None)
            found = read_source(con, kind, [f.path for f in batch], codes=codes, progress=advance, temporary=temporary)
            counts += settle(con, kind, found)
            note_files(con, kind, [file.path for file in batch], read)
            if len(deliveries) > 1:
                _append(con, kind, read, first=number == 0, temporary=temporary)
            read += len(batch)
            before += size
        if len(deliveries) > 1:
            _rename(con, kind)
    return counts


def note_files(con: duckdb.DuckDBPyConnection, kind: str, paths: Sequence[Path | str], first: int = 0) -> None:
    """Give the files of one layout, numbered from `first`, their place in ``source_file``."""
    con.execute(SOURCE_FILE)
    for number, path in enumerate(paths, first):
        con.execute(
            "INSERT INTO source_file SELECT coalesce(max(path_id) + 1, 0), ?, ?, ? FROM source_file",
            [kind, number, str(path)],
        )


def tables(con: duckdb.DuckDBPyConnection, kind: str) -> list[str]:
    """The tables of rows of one layout: accepted, and held where the reader keeps them."""
    held = f"source_{kind}_held"
    return [f"source_{kind}", *([held] if has(con, held) else [])]


def records(con: duckdb.DuckDBPyConnection, kind: str) -> str:
    """A FROM item with every row of one layout, accepted and held."""
    listed = tables(con, kind)
    if len(listed) == 1:
        return listed[0]
    return "(" + " UNION ALL BY NAME ".join(f"SELECT * FROM {table}" for table in listed) + ")"



def _append(con: duckdb.DuckDBPyConnection, kind: str, files: int, *, first: bool, temporary: bool) -> None:
    """Move what was just read behind what earlier deliveries gave; file and region numbers are shifted."""
    region = f"source_{kind}_region"
    placed = has(con, region)
    shift = 0
    if placed and not first:
        shift = int(con.execute(f"SELECT coalesce(max(region_id) + 1, 0) FROM whole_{region}").fetchall()[0][0])
    numbers = f"(file_id + {files})::USMALLINT AS file_id, (region_id + {shift})::UINTEGER AS region_id"
    for table in tables(con, kind):
        source = f"SELECT * REPLACE ({numbers}) FROM {table}"
        _into(con, f"whole_{table}", source, first, temporary)
        con.execute(f"DROP TABLE {table}")
    if placed:
        source = f"SELECT * REPLACE ((region_id + {shift})::UINTEGER AS region_id) FROM {region}"
        _into(con, f"whole_{region}", source, first, temporary)
        con.execute(f"DROP TABLE {region}")


def _into(con: duckdb.DuckDBPyConnection, table: str, source: str, first: bool, temporary: bool) -> None:
    if first:
        con.execute(f"CREATE OR REPLACE {'TEMP' if temporary else ''} TABLE {table} AS {source}")
    else:
        con.execute(f"INSERT INTO {table} BY NAME {source}")


def _rename(con: duckdb.DuckDBPyConnection, kind: str) -> None:
    for table in (f"source_{kind}", f"source_{kind}_held", f"source_{kind}_region"):
        if has(con, f"whole_{table}"):
            con.execute(f"ALTER TABLE whole_{table} RENAME TO {table}")
