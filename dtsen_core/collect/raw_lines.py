"""The raw lines of quarantined records, fetched from the file in one pass once it is known which they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

BLOCK = 16 << 20
LONGEST = 4_000
"""Characters of a record that are kept."""
BATCH = 200_000
LF = 10


def keep(con: duckdb.DuckDBPyConnection, path: str, source: str, encoding: str, *, bare_cr: bool) -> None:
    """Fill ``quarantine.raw`` of the records of one file: its physical lines joined by LF, at most 4,000 characters."""
    found = con.execute(
        """SELECT line_from, unnest(lines)::BIGINT AS line FROM quarantine
        WHERE path = ? AND source = ? AND raw IS NULL ORDER BY line""", [path, source],
    ).fetchnumpy()  # fmt: skip
    if not len(found["line"]):
        return
    lines, records = np.asarray(found["line"]), np.asarray(found["line_from"])
    done = 0
    for texts in _texts(Path(path), lines, encoding, bare_cr):
        size = len(texts)
        con.register("raw_line", pa.table({
            "line_from": pa.array(records[done : done + size]), "line": pa.array(lines[done : done + size]),
            "text": pa.array(texts, pa.string()),
        }))  # fmt: skip
        con.execute(("CREATE OR REPLACE TEMP TABLE raw_text AS" if not done else "INSERT INTO raw_text")
                    + " SELECT * FROM raw_line")  # fmt: skip
        con.unregister("raw_line")
        done += size
    con.execute(
        f"""UPDATE quarantine SET raw = left(t.raw, {LONGEST})
        FROM (SELECT line_from, string_agg(text, chr(10) ORDER BY line) AS raw FROM raw_text GROUP BY line_from) t
        WHERE quarantine.path = ? AND quarantine.source = ? AND quarantine.line_from = t.line_from""",
        [path, source],
    )
    con.execute("DROP TABLE raw_text")


def _texts(path: Path, lines: np.ndarray, encoding: str, bare_cr: bool) -> Iterator[list[str]]:
    """The text of the physical `lines` (ascending, first line 1), in batches."""
    texts: list[str] = []
    number, wanted, rest = 1, 0, b""
    with path.open("rb") as handle:
        while wanted < len(lines):
            block = handle.read(BLOCK)
            if bare_cr:
                block = block.replace(b"\r", b"\n")
            data = rest + block
            ends = np.flatnonzero(np.frombuffer(data, np.uint8) == LF)
            if not block and (not len(ends) or ends[-1] != len(data) - 1):
                ends = np.append(ends, len(data))  # the last line has no line end
            last = number + len(ends)
            upto = int(np.searchsorted(lines, last))
            for line in lines[wanted:upto].tolist():
                place = line - number
                start = int(ends[place - 1]) + 1 if place else 0
                stop = min(int(ends[place]), start + 4 * LONGEST)
                texts.append(data[start:stop].rstrip(b"\r").decode(encoding, "replace"))
            wanted, number = upto, last
            rest = data[int(ends[-1]) + 1 :] if len(ends) else data
            if len(texts) >= BATCH:
                yield texts
                texts = []
            if not block:
                break
    texts += [""] * (len(lines) - wanted)
    if texts:
        yield texts
