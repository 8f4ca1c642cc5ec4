"""Read one register on its own: the account of its lines and its accepted rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from dtsen_core import locale
from dtsen_core.collect.accounting import FileCount
from dtsen_core.collect.layouts import layout
from dtsen_core.collect.readers import Progress, read_source, settle
from dtsen_core.errors import UserError

REGISTERS: dict[str, tuple[str, ...]] = {
    "dtks": ("dtks",),
    "regsosek": ("regsosek_keluarga", "regsosek_anggota"),
    "p3ke": ("p3ke",),
    "dukcapil": ("dukcapil",),
}
"""Registers and the layouts of their files, in the order in which the files are named."""
MOST_REASONS = 5


def check_files(kind: str, layouts: Sequence[str], files: Sequence[str | Path]) -> None:
    """UserError: not one file per layout (registers of one layout may come in parts), or a file twice."""
    if len(files) < len(layouts) or (len(layouts) > 1 and len(files) != len(layouts)):
        titles = ", ".join(layout(name).title for name in layouts)
        raise UserError("errors_ingest.file_count", kind=kind, needed=len(layouts), layouts=titles,
                        given=len(files))  # fmt: skip
    seen: set[Path] = set()
    for file in files:
        whole = Path(file).resolve()
        if whole in seen:
            raise UserError("errors_ingest.same_file", path=str(file))
        seen.add(whole)


class NothingAccepted(UserError):
    """Not one record of a file could be used; the sentence names every reason, the most frequent first."""

    def __init__(self, file: FileCount) -> None:
        super().__init__("errors_ingest.nothing_accepted", path=file.path, quarantined=file.quarantined)
        self.reasons = dict(list(file.every_reason.items())[:MOST_REASONS])

    def message(self, lang: str = "id") -> str:
        words = {code: locale.text(f"integrate.{code}", lang) for code in self.reasons}
        listed = "; ".join(f"{words[code]} ({lines})" for code, lines in self.reasons.items())
        return locale.text(self.key, lang, **self.params, reasons=listed)


def refuse_useless(files: Sequence[FileCount]) -> None:
    """UserError if a file had records but not one of them could be used: then it is the wrong file."""
    for file in files:
        if not file.accepted and file.quarantined:
            raise NothingAccepted(file)


def ingest_register(
    kind: str,
    files: Sequence[str | Path],
    con: duckdb.DuckDBPyConnection,
    codes: str | None = None,
    progress: Progress | None = None,
) -> dict[str, object]:
    """Read register `kind` (a key of `REGISTERS`) from `files` into tables ``source_<layout>`` of `con`.

    Returns ``{"files": [{path, read, header, blank, accepted, quarantined, reasons, …}]}`` in physical
    lines. Several files of a one-file register are parts of it; Regsosek takes the family and the member
    file. UserError: unknown kind, wrong number of files, files that are not of this register.
    """
    if kind not in REGISTERS:
        raise UserError("errors_ingest.unknown_kind", kind=kind, allowed=", ".join((*REGISTERS, "dtsen")))
    layouts = REGISTERS[kind]
    check_files(kind, layouts, files)
    groups = [list(files)] if len(layouts) == 1 else [[file] for file in files]
    counts: list[FileCount] = []
    for number, (name, group) in enumerate(zip(layouts, groups)):

        def advance(share: float, number: int = number) -> None:
            if progress is not None:
                progress((number + share) / len(layouts))

        counts += settle(con, name, read_source(con, name, group, codes=codes, progress=advance))
    refuse_useless(counts)
    return {"files": [file.report() for file in counts]}
