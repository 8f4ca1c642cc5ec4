"""Corrected records lead back to the quarantined ones that they replace.

Every row of an exported quarantine names the file and line its record came from (`ORIGIN_COLUMNS`). When such a file
is read, ``correction`` keeps both places of each record. A quarantined record that has been replaced is not exported
again; as soon as its correction is accepted, it is closed: ``quarantine.mended_by`` is then ``correction``.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa

from dtsen_core.collect.layouts import ORIGIN_COLUMNS, plain
from dtsen_core.registry.catalog import has
from dtsen_core.spreadsheet import GUARDED

TABLE = """
CREATE TABLE IF NOT EXISTS correction (
  path VARCHAR, source VARCHAR, line_from BIGINT, corrects_path VARCHAR, corrects_line BIGINT);
"""
MENDED = "correction"
REPLACED = "SELECT corrects_path AS path, source, corrects_line AS line_from FROM correction"
"""Places of quarantined records that came in again."""


def origin_places(names: Sequence[str]) -> dict[str, int]:
    """Position in the header `names` of the columns that say where a record was; empty if not both are there."""
    found = [plain(name) for name in names]
    if not set(ORIGIN_COLUMNS) <= set(found):
        return {}
    return {name: found.index(name) for name in ORIGIN_COLUMNS}


def note(con: duckdb.DuckDBPyConnection, path: str, source: str, rows: pa.Table, line_from: np.ndarray) -> None:
    """Keep where the records of one block came from, if `rows` (their texts by variable) tell; rows that do not name a
    file and a line are new records."""
    if not set(ORIGIN_COLUMNS) <= set(rows.column_names):
        return
    con.register("origin_rows", rows.select(ORIGIN_COLUMNS).append_column("line_from", pa.array(line_from)))
    name, line = ORIGIN_COLUMNS
    con.execute(
        f"""INSERT INTO correction BY NAME
        SELECT ? AS path, ? AS source, line_from, regexp_replace(trim({name}), ?, '\\1') AS corrects_path,
          TRY_CAST(trim({line}) AS BIGINT) AS corrects_line
        FROM origin_rows WHERE trim({name}) <> '' AND corrects_line IS NOT NULL""",
        [path, source, GUARDED],
    )
    con.unregister("origin_rows")


def close(con: duckdb.DuckDBPyConnection) -> None:
    """Close the quarantined records whose correction, or a correction of that, was accepted.

    A file that names itself corrects what was never ingested: the export of a trial came back under the name of the
    file that was tried. Its records are new ones.
    """
    if not has(con, "correction"):
        return
    con.execute("DELETE FROM correction WHERE path = corrects_path")
    con.execute(
        f"""UPDATE quarantine q SET mended_by = '{MENDED}' FROM (
          WITH RECURSIVE mended AS (
            SELECT corrects_path, source, corrects_line FROM correction c
            ANTI JOIN quarantine q ON q.path = c.path AND q.source = c.source AND q.line_from = c.line_from
            UNION
            SELECT c.corrects_path, c.source, c.corrects_line FROM correction c
            JOIN mended m ON m.corrects_path = c.path AND m.source = c.source AND m.corrects_line = c.line_from)
          SELECT * FROM mended) m
        WHERE q.path = m.corrects_path AND q.source = m.source AND q.line_from = m.corrects_line"""
    )
