"""The registers become one registry: one person once, one family card once, every value with its origin.

Reading (`reading`) and linkage (`linked`) come first; then who is on whose card (`composition`), families
(`families`), members (`members`) and what the other records said (`losers`), each by the declared rules
(`integrate.survivorship`). The account of physical lines is closed before linkage begins; `account` checks it again,
with the promises, at the end.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import duckdb

from dtsen_core.collect.accounting import FileCount
from dtsen_core.collect.readers import Progress
from dtsen_core.integrate import quality
from dtsen_core.integrate.golden import account, composition, families, losers, members, summary
from dtsen_core.integrate.golden.linked import SOURCES, linked
from dtsen_core.integrate.golden.reading import KINDS, SourceFile, in_folder, read_files
from dtsen_core.integrate.link import evaluate
from dtsen_core.integrate.survivorship import rules

READING, LINKING = 0.4, 0.5
"""Share of reading the files in the whole work, and of linkage in what follows; only for the progress bar."""
WORK = ("civil", "card_moved", "family_record", "described", "person", "reading_file", "quality_person",
        *(f"link_{source}" for source in SOURCES))  # fmt: skip

__all__ = ["SourceFile", "combine", "integrate", "read_files"]


def integrate(
    con: duckdb.DuckDBPyConnection, source_dir: Path | str | None = None, *,
    files: Sequence[SourceFile] | None = None, as_of: dt.date | None = None, progress: Progress | None = None,
) -> list[FileCount]:  # fmt: skip
    """Read the registers in the folder `source_dir` (or the given `files`) and combine them in `con`.

    Besides the tables of `combine`: ``ingest_file``, ``quarantine``, ``joined_record`` and
    ``source_file(path_id, source, file_id, path)``. Returns the account of the files in physical lines.
    UserError: a register is missing or is not what it should be.
    """
    chosen = list(files) if files is not None else in_folder(Path(source_dir or ""))

    def inside(low: float, high: float) -> Progress | None:
        return None if progress is None else (lambda share: progress(low + (high - low) * share))

    counts = read_files(con, chosen, progress=inside(0, READING))
    combine(con, as_of=as_of, progress=inside(READING, 1))
    return counts


def combine(
    con: duckdb.DuckDBPyConnection, *, as_of: dt.date | None = None, progress: Progress | None = None
) -> None:
    """From the tables ``source_<layout>`` make ``keluarga``, ``anggota`` and ``match_summary``, and for the
    trace of every value ``family_origin``, ``member_origin`` (per variable the code of its register, see
    ``origin_source(code, source)``), ``source_record``, ``person_record`` and ``losing_value``; if `con` holds
    ``sim_keluarga``, also ``truth_link(id_keluarga, sim_id_keluarga)``, ``match_quality`` and ``family_quality``.

    The tables of `quality` are written last, while the work is still there; ages in them refer to `as_of`
    (default: the latest update in the data).
    InternalError if a line, a record or a person went missing or stands twice.
    """
    told = progress or (lambda share: None)
    linked(con, progress=lambda share: told(LINKING * share))
    steps: tuple[Callable[[duckdb.DuckDBPyConnection], None], ...] = (
        account.check_links, composition.settle, families.write, members.write, losers.write, families.family_sums,
        summary.match_summary, summary.truth_link, _origin_codes, account.check_lines, account.check_people,
        evaluate.write, composition.measure, partial(quality.write, as_of=as_of), _drop,
    )  # fmt: skip
    for number, step in enumerate(steps):
        step(con)
        told(LINKING + (1 - LINKING) * (number + 1) / len(steps))


def _origin_codes(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE OR REPLACE TABLE origin_source (code UTINYINT, source VARCHAR)")
    con.executemany("INSERT INTO origin_source VALUES (?, ?)", [[n, source] for source, n in rules().codes.items()])


def _drop(con: duckdb.DuckDBPyConnection) -> None:
    work = [*WORK]
    for kind in KINDS:
        work += [f"source_{kind}", f"source_{kind}_held", f"source_{kind}_region"]
    for table in work:
        con.execute(f"DROP TABLE IF EXISTS {table}")
