"""The quarantine as a file that can be corrected and read in again.

One CSV per kind of file, in UTF-8 with a byte order mark, under the header of the source itself, with all reasons of
a record (codes, and sentences that name the column and what stands in it) and apart from them its warnings in further
columns that the reader passes over. Cells that a spreadsheet would take for a formula are guarded by an
apostrophe, which the reader takes off again.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

import duckdb

from dtsen_core import locale
from dtsen_core.collect.corrections import REPLACED
from dtsen_core.collect.layouts import EXPORT_COLUMNS, Layout, layout, positions
from dtsen_core.collect.repair import Shape, glue, split
from dtsen_core.errors import UserError
from dtsen_core.registry.catalog import has
from dtsen_core.spreadsheet import guarded

ROWS = 5_000


def export_quarantine(
    con: duckdb.DuckDBPyConnection, path: Path | str, kind: str, *, lang: str = "id",
    files: Sequence[str] | None = None,
) -> int:  # fmt: skip
    """Write the quarantined records of `kind` (of `files` alone, by their names in the accounts) to `path`; returns
    how many.

    `con` (a connection or cursor of a dataset, or of one under construction) has ``quarantine`` and
    ``ingest_file``. The columns are those of the first file of that kind; records of files with other columns are
    put under the same names. Records that came in again, corrected or not, are left out: they stand under the file
    that brought them. A record with too many or too few fields has a further cell behind the last column: it stays in
    quarantine until it is completed and that cell is deleted. UserError: an unknown kind, no open record of that kind
    in quarantine, or a file that cannot be written.
    """
    target = Path(path)
    # Datasets made before every reason had its detail hold the reasons alone.
    more = "details, warnings, checked" if has(con, "quarantine", "details", "warnings", "checked") else "[], [], true"
    try:
        wanted = layout(kind)
    except KeyError as error:
        raise UserError("errors_ingest.unknown_kind", kind=kind, allowed=", ".join(_present(con))) from error
    open_records = _open(con)
    read = con.execute(
        f"""SELECT path, delimiter, column_names FROM ingest_file
        WHERE source = ? AND path IN (SELECT path FROM {open_records} WHERE source = ?) ORDER BY path""", [kind, kind],
    ).fetchall()  # fmt: skip
    read = [file for file in read if files is None or file[0] in files]
    if not read:
        raise UserError("errors_ingest.nothing_quarantined", kind=kind, allowed=", ".join(_present(con)))
    header = list(read[0][2])
    width = len(header)
    count = 0
    scratch = target.with_name(target.name + ".tmp")
    try:
        with scratch.open("w", encoding="utf-8-sig", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow([*header, *EXPORT_COLUMNS])
            for name, delimiter, names in read:
                shape = _shape(wanted, delimiter, names)
                shown = {variable: names[place] for variable, place in positions(names, wanted).items()}
                order = _order(header, names)
                rows = con.execute(
                    f"SELECT line_from, reasons, raw, {more} FROM {open_records} WHERE source = ? AND path = ? "
                    "ORDER BY line_from",
                    [kind, name],
                )
                while batch := rows.fetchmany(ROWS):
                    for line, reasons, raw, details, warnings, checked in batch:
                        cells = fields_of(raw or "", shape)
                        if len(cells) == len(names) + 1 and not cells[-1].strip():
                            cells.pop()  # every line of that file ends with a delimiter
                        if len(cells) == len(names) and order is not None:
                            cells = [cells[place] if place is not None else "" for place in order]
                        said = _sentences(reasons, details or (), shown, lang)
                        if checked is False:
                            said += " " + locale.text("identity.unchecked", lang)
                        further = [";".join(dict.fromkeys(reasons)), said, _sentences(warnings or (), (), {}, lang),
                                   name, str(line)]  # fmt: skip
                        # Too few fields: they keep their place, and a note behind the last column keeps the record
                        # from being read until somebody has completed it.
                        short = [locale.text("identity.complete_me", lang)] if len(cells) < width else []
                        cells += [""] * (width - len(cells))
                        writer.writerow([guarded(c) for c in [*cells[:width], *further, *cells[width:], *short]])
                        count += 1
        scratch.replace(target)
    except OSError as error:
        raise UserError("errors_ingest.write_failed", path=str(target), error=error.strerror or "") from error
    finally:
        scratch.unlink(missing_ok=True)
    return count


def _open(con: duckdb.DuckDBPyConnection) -> str:
    """The quarantined records that nothing has replaced yet, as a relation."""
    if not has(con, "correction"):
        return "quarantine"
    return f"(SELECT * FROM quarantine ANTI JOIN ({REPLACED}) USING (path, source, line_from))"


def _present(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [row[0] for row in con.execute(f"SELECT DISTINCT source FROM {_open(con)} ORDER BY 1").fetchall()]


def _sentence(reason: str, lang: str) -> str:
    key = f"integrate.{reason}"
    return locale.text(key, lang) if locale.has(key) else reason


def _sentences(reasons: Sequence[str], details: Sequence[str], shown: Mapping[str, str], lang: str) -> str:
    """The sentence of every reason with what it speaks of, numbered where there are several; `shown` gives the name
    of a variable in the file."""
    said = []
    for reason, detail in zip_longest(reasons, details, fillvalue=""):
        variable, mark, text = detail.partition(": ")
        about = f" ({shown.get(variable, variable)}{mark}{text})" if detail else ""
        said.append(f"{_sentence(reason, lang)}{about}")
    return "; ".join(f"({number}) {one}" for number, one in enumerate(said, 1)) if len(said) > 1 else "".join(said)


def _shape(wanted: Layout, delimiter: str, names: Sequence[str]) -> Shape:
    found = {place: wanted.column(name).type for name, place in positions(names, wanted).items()}
    types = tuple(found.get(place, "") for place in range(len(names)))
    return Shape(len(names), delimiter, types, lambda place, text: True)


def _order(header: list[str], names: Sequence[str]) -> list[int | None] | None:
    """Place in a file with other columns of each column of `header`; None if both have the same."""
    if header == list(names):
        return None
    places = {name: place for place, name in enumerate(names)}
    return [places.get(name) for name in header]


def fields_of(raw: str, shape: Shape) -> list[str]:
    """The fields of a record kept as its raw lines: pieces of a broken record are put together again."""
    lines = [line for line in raw.split("\n") if line.strip()] or [""]
    whole = split("\n".join(lines), shape)
    if len(lines) == 1 or (whole is not None and len(whole) == shape.count):
        return whole if whole is not None else lines[0].split(shape.delimiter)
    pieces = split(lines[0], shape) or lines[0].split(shape.delimiter)
    for line in lines[1:]:
        pieces = glue(pieces, split(line, shape) or line.split(shape.delimiter), shape)
    return pieces
