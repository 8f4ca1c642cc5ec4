"""Read the files of one source into the table ``source_<kind>``, with an account of every physical line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import duckdb
import numpy as np
import pyarrow as pa

from dtsen_core.collect import accounting, corrections, identity
from dtsen_core.collect.accounting import FileCount
from dtsen_core.collect.layouts import Layout, layout
from dtsen_core.collect.physical import Block, Source, blocks, open_source
from dtsen_core.collect.places import map_places
from dtsen_core.collect.values import FAULTS, Values, is_place, masked
from dtsen_core.registry.ddl import SQL_TYPES

Progress = Callable[[float], None]
"""Called with the share of the work done, 0 to 1."""
T = TypeVar("T")


def source_table(kind: str) -> str:
    return f"source_{layout(kind).kind}"


def read_source(
    con: duckdb.DuckDBPyConnection,
    kind: str,
    paths: Sequence[str | Path],
    *,
    codes: str | None = None,
    progress: Progress | None = None,
    temporary: bool = False,
    block_bytes: int = 16 << 20,
    checks: Sequence[str] = (),
) -> list[FileCount]:
    """Read all files of one kind (``dtks``, ``regsosek_keluarga``, ``dukcapil``, ``dtsen_anggota``, …).

    Makes ``source_<kind>`` in `con`: one row per accepted record with ``file_id, line_from``, the variables
    of the layout (NULL where a file lacks the column) and ``region_id``; ``source_<kind>_region``: the
    places with their idx and Kemendagri village code; and ``source_<kind>_held``: in the same columns, the
    records of recipients that only an error of identity set aside (all temporary tables if `temporary`).

    A row with an unknown value, of an unknown place, with an identity error (`identity`), or found by a check is
    quarantined with all of its reasons at once; ``rule_finding`` counts what the rules found. `checks` are SELECTs
    of ours giving ``file_id, line_from, reason, detail``, each row at most once; they may ask ``fault`` what already
    stands against a row. The account is not settled yet: call `settle`. `codes` confirms
    the code system.

    UserError: files that cannot be this kind, or an undecidable code system.
    """
    wanted = layout(kind)
    sources = [open_source(path, wanted) for path in paths]
    accounting.create_tables(con)
    table = source_table(kind)
    con.execute(_create(wanted, table, temporary))
    con.execute(_create(wanted, f"{table}_held", temporary))
    con.execute("CREATE OR REPLACE TEMP TABLE reading_file (file_id UTINYINT, path VARCHAR)")
    con.execute(accounting.FAULT)
    values = Values(wanted)
    weight = sum(source.path.stat().st_size for source in sources) or 1
    done = 0

    def advance(size: int) -> None:  # in the thread that reads ahead
        nonlocal done
        done += size

    def tell() -> None:  # in the caller's thread: a page can only be written from its own
        if progress is not None:
            progress(min(done / weight, 1.0))

    files = []
    for number, source in enumerate(sources):
        con.execute("INSERT INTO reading_file VALUES (?, ?)", [number, str(source.path)])
        for table_name in ("quarantine", "joined_record", "correction"):
            con.execute(f"DELETE FROM {table_name} WHERE path = ? AND source = ?", [str(source.path), kind])
        missing = tuple(c.name for c in wanted.columns if c.name not in source.places)
        count = FileCount(str(source.path), kind, source.encoding, source.delimiter, missing_columns=missing,
                          column_names=tuple(source.names), bare_cr=source.bare_cr)  # fmt: skip
        count.header, count.blank = 1, source.header_line - 1
        count.read = source.header_line
        files.append(count)
        reading = blocks(source, values.plausible, values.dictionary(), size=block_bytes, on_bytes=advance)
        for block in _ahead(reading):
            tell()
            _store(con, table, number, source, block, values, count)
        tell()
    placed = _place(con, wanted, values, sources, files, codes, temporary)
    if placed:
        _unplaced(con, table, values.region_columns)
    identity.apply(con, kind, table)
    _check(con, checks)
    held = f"{table}_held" if kind in identity.rulebook().held else ""
    if con.execute("SELECT count(*) FROM fault").fetchall()[0][0]:
        accounting.set_aside(con, kind, table, identity.warnings(kind), held=held)
    for made in ("rule_flag", "fault"):
        con.execute(f"DROP TABLE {made}")
    return files


def settle(con: duckdb.DuckDBPyConnection, kind: str, files: list[FileCount]) -> list[FileCount]:
    """Close the account of `read_source`; InternalError if a line is missing from it."""
    accounting.settle(con, source_table(kind), kind, files)
    return files


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, the next one being prepared in a thread while the current one is used."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item


def _stored(wanted: Layout) -> list[tuple[str, str]]:
    types = {**SQL_TYPES, "nik": "VARCHAR", "kk": "VARCHAR", "region_name": "VARCHAR", "money": "DOUBLE"}
    return [
        (c.name, types[c.type])
        for c in wanted.columns
        if not is_place(c)
    ]


def _create(wanted: Layout, table: str, temporary: bool) -> str:
    body = "".join(f', "{name}" {kind}' for name, kind in _stored(wanted))
    return (
        f'CREATE OR REPLACE {"TEMP" if temporary else ""} TABLE "{table}" '
        f"(file_id UTINYINT, line_from UINTEGER, region_id UINTEGER{body})"
    )


def _store(
    con: duckdb.DuckDBPyConnection, table: str, number: int, source: Source, block: Block, values: Values,
    count: FileCount,
) -> None:  # fmt: skip
    path, kind = str(source.path), count.source
    count.read += block.read
    count.header += block.header
    count.blank += block.blank
    damaged = np.isin(block.line_from, [cell.line_from for cell in block.damage]) if block.damage else None
    typed, faults = values.convert(block.table, damaged)
    accounting.add_rejects(con, path, kind, block.rejects)
    accounting.add_joined(con, path, kind, block.joined)
    corrections.note(con, path, kind, block.table, block.line_from)
    typed = typed.append_column("file_id", pa.array(np.full(typed.num_rows, number, np.uint8)))
    typed = typed.append_column("line_from", pa.array(block.line_from))
    con.register("block_rows", typed)
    con.execute(f'INSERT INTO "{table}" BY NAME SELECT * FROM block_rows')
    con.unregister("block_rows")
    if block.damage:
        faults = pa.concat_tables([_damage(block, values.layout), faults])
    if len(faults):
        lines = pa.array(block.line_from[faults["row"].to_numpy()])
        con.register("block_faults", faults.append_column("line_from", lines))
        con.execute(
            "INSERT INTO fault BY NAME SELECT ? AS file_id, ? AS step, * EXCLUDE (row) FROM block_faults",
            [number, accounting.CELL],
        )
        con.unregister("block_faults")


def _damage(block: Block, wanted: Layout) -> pa.Table:
    """`FAULTS` of damaged cells; they rank before every value that is merely unknown."""
    rank = {column.name: place - len(wanted.columns) for place, column in enumerate(wanted.columns)}
    row = {line: place for place, line in enumerate(block.line_from.tolist())}
    return pa.table([
        pa.array([row[cell.line_from] for cell in block.damage]),
        pa.array([rank.get(cell.variable, -len(wanted.columns) - 1) for cell in block.damage], pa.int16()),
        pa.array([accounting.DAMAGED] * len(block.damage)),
        pa.array([f"{cell.column}: {masked(cell.text)}" if cell.column else "" for cell in block.damage]),
        pa.array([cell.variable for cell in block.damage]),
    ], schema=FAULTS)  # fmt: skip


def _place(
    con: duckdb.DuckDBPyConnection, wanted: Layout, values: Values, sources: list[Source], files: list[FileCount],
    codes: str | None, temporary: bool,
) -> bool:  # fmt: skip
    """Make ``source_<kind>_region``; False if this kind of file, or none of these files, says where people live."""
    table = source_table(wanted.kind)
    given = any(name in source.places for source in sources for name in values.region_columns)
    if not values.region_columns or (sources and not given):
        return False
    places, system = map_places(values.regions, values.region_columns, wanted, codes)
    for file in files:
        file.code_system = system
    con.register("placed", pa.Table.from_pandas(places, preserve_index=False))
    con.execute(
        f"""CREATE OR REPLACE {"TEMP" if temporary else ""} TABLE "{table}_region" AS
        SELECT region_id::UINTEGER AS region_id, province::UTINYINT AS province, regency::USMALLINT AS regency,
          district::USMALLINT AS district, village::UINTEGER AS village, code::VARCHAR AS code,
          old::BOOLEAN AS old, reason::VARCHAR AS reason, detail::VARCHAR AS detail
        FROM placed"""
    )
    con.unregister("placed")
    return True


def _unplaced(con: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> None:
    """Faults of the rows of unknown places; a place of which a cell could not be read is not judged."""
    con.execute(
        f"""INSERT INTO fault BY NAME
        SELECT s.file_id, s.line_from, ? AS step, 0 AS rank, r.reason, r.detail
        FROM "{table}" s JOIN "{table}_region" r ON r.region_id = s.region_id AND r.reason IS NOT NULL
        ANTI JOIN (SELECT file_id, line_from FROM fault WHERE list_contains(?, variable)) f
          ON f.file_id = s.file_id AND f.line_from = s.line_from""",
        [accounting.PLACE, list(columns)],
    )


def _check(con: duckdb.DuckDBPyConnection, checks: Sequence[str]) -> None:
    """Faults found by `checks`, one after the other."""
    for rank, check in enumerate(checks):
        con.execute(
            f"INSERT INTO fault BY NAME SELECT *, ? AS step, ? AS rank FROM ({check})", [accounting.CHECK, rank]
        )
