"""Irregular physical lines: records broken over several lines are joined, the rest is set aside.

Only the few lines that a column-wise scan found irregular come here. A record is accepted when its pieces
give exactly the expected number of fields; whatever does not fit is quarantined with its own line numbers,
so every physical line ends in exactly one place. A line with damaged bytes that can still be split is handed on
as a damaged record: it will be quarantined, but what can be read of it is looked at like any other.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_LINES = 12
"""A record broken over more physical lines than this is not joined."""

BLANK, REGULAR, IRREGULAR, DAMAGED, HEADER = range(5)
"""What a physical line is. REGULAR has the expected number of fields, DAMAGED holds bytes that are no text."""


@dataclass(frozen=True)
class Shape:
    """What a record looks like: field count, delimiter, type of each field ('' = not read; region codes as
    ``region:`` with the numbers of digits they can have)."""

    count: int
    delimiter: str
    types: tuple[str, ...]
    plausible: Callable[[int, str], bool]


@dataclass
class Record:
    """`damaged`: some of its bytes are no text."""

    lines: list[int]
    fields: list[str]
    damaged: bool = False


@dataclass(frozen=True)
class Reject:
    """A line that cannot be split into the fields of a record: no more can be known of it than this."""

    lines: list[int]
    reason: str
    detail: str


def split(text: str, shape: Shape) -> list[str] | None:
    """The fields of one record, or None while a quote is still open.

    Quotes are honoured when that gives the expected count, otherwise they are taken as ordinary
    characters (a stray quote in a name must not swallow the rest of the file).
    """
    if '"' not in text:
        return text.split(shape.delimiter)
    try:
        fields = next(csv.reader([text], delimiter=shape.delimiter, strict=True), [""])
        closed = True
    except csv.Error:
        fields, closed = [], False
    if closed and len(fields) <= shape.count:
        return fields
    literal = [_unquoted(part) for part in text.split(shape.delimiter)]
    if len(literal) == shape.count:
        return literal
    return fields if closed else None


def _unquoted(part: str) -> str:
    inner = part.strip()
    if len(inner) >= 2 and inner[0] == inner[-1] == '"':
        return inner[1:-1].replace('""', '"')
    return part


def looks_like_start(fields: Sequence[str], shape: Shape) -> bool:
    """Do the first fields have the pattern of a record's first columns?"""
    checked = 0
    for place, value in enumerate(fields[:4]):
        kind, value = shape.types[place] if place < len(shape.types) else "", value.strip().strip('"')
        if kind in ("nik", "kk"):
            ok = re.fullmatch(r"[0-9]{16}", value) is not None
        elif kind.startswith("region:"):
            ok = value.isdigit() and str(len(value)) in kind
        elif kind == "region_name":
            ok = re.search(r"[A-Za-z]{2}", value) is not None
        elif kind in ("", "text"):
            continue
        else:
            ok = shape.plausible(place, value)
        if not ok:
            return False
        checked += 1
    return checked > 0


def glue(left: list[str], right: list[str], shape: Shape) -> list[str]:
    """Two pieces of one record: the field that was cut is put together again."""
    place = len(left) - 1
    text = shape.types[place] in ("text", "region_name") if place < len(shape.types) else False
    space = " " if text and left[-1] and right[0] and left[-1][-1] != " " and right[0][0] != " " else ""
    return [*left[:-1], left[-1] + space + right[0], *right[1:]]


class Repairer:
    """Walks over the irregular lines of one block.

    `kind[i]` says what line i is, `text(i)` gives it without line end. Regular lines that turn out to be a
    piece of a broken record are taken over: they are listed in `taken` and must not be read again.
    """

    def __init__(self, kind: Sequence[int], text: Callable[[int], str], shape: Shape) -> None:
        self.kind, self.text, self.shape = kind, text, shape
        self.records: list[Record] = []
        self.rejects: list[Reject] = []
        self.taken: set[int] = set()
        self.blanks_used: set[int] = set()
        self._last: Record | None = None

    def run(self, irregular: Sequence[int]) -> None:
        done = -1
        for line in irregular:
            if line > done:
                done = self._handle(line)

    def _accept(self, lines: list[int], fields: list[str]) -> int:
        self._last = Record(lines, fields)
        self.records.append(self._last)
        self.blanks_used.update(i for i in lines if self.kind[i] == BLANK)
        return lines[-1]

    def _reject(self, line: int, reason: str, detail: str) -> int:
        self.rejects.append(Reject([line], reason, detail))
        return line

    def _damaged(self, line: int, fields: list[str] | None) -> int:
        if fields is None or len(fields) != self.shape.count:
            return self._reject(line, "karakter_rusak", f"{len(fields or [])}/{self.shape.count}")
        self.records.append(Record([line], fields, damaged=True))  # nothing is joined to it
        return line

    def _handle(self, line: int) -> int:
        """Deal with `line` (and what belongs to it); returns the last line consumed."""
        fields = split(self.text(line), self.shape)
        if self.kind[line] == DAMAGED:
            return self._damaged(line, fields)
        if fields is not None and len(fields) == self.shape.count:
            return self._accept([line], fields)
        if fields is not None and len(fields) > self.shape.count:
            return self._reject(line, "kolom_berlebih", f"{len(fields)}/{self.shape.count}")
        for attempt in (self._forward, self._backward):
            end = attempt(line, fields)
            if end is not None:
                return end
        return self._reject(line, "kolom_kurang", f"{len(fields or [])}/{self.shape.count}")

    def _forward(self, line: int, fields: list[str] | None) -> int | None:
        """Join `line` with the lines after it until the record is complete."""
        lines, pieces = [line], fields
        open_text = self.text(line) if fields is None else None
        for following in range(line + 1, min(line + MAX_LINES, len(self.kind))):
            kind = self.kind[following]
            if kind in (DAMAGED, HEADER):
                return None
            lines.append(following)
            if kind == BLANK:
                continue
            text = self.text(following)
            nexts = split(text if open_text is None else f"{open_text}\n{text}", self.shape)
            if nexts is None:  # a quoted field goes on in the next line
                open_text = text if open_text is None else f"{open_text}\n{text}"
                continue
            open_text = None
            joined = nexts if pieces is None else glue(pieces, nexts, self.shape)
            if len(joined) > self.shape.count:
                return None
            starts = pieces is not None and looks_like_start(nexts, self.shape)
            if starts and (len(nexts) > 2 or kind == REGULAR):
                return None
            if kind == REGULAR and not looks_like_start(joined, self.shape):
                return None
            pieces = joined
            if len(pieces) == self.shape.count:
                if kind == REGULAR:
                    self.taken.add(following)
                return self._accept(lines, pieces)
        return None

    def _backward(self, line: int, fields: list[str] | None) -> int | None:
        """A piece without delimiter after a complete record: the end of that record's last field."""
        if fields is None or len(fields) != 1 or line == 0:
            return None
        before = line - 1
        last = self._last if self._last is not None and self._last.lines[-1] == before else None
        if last is None and self.kind[before] != REGULAR:
            return None
        if last is None:
            whole = split(self.text(before), self.shape)
            if whole is None or len(whole) != self.shape.count:
                return None
        else:
            whole = last.fields
        joined = glue(whole, fields, self.shape)
        place = max((i for i, kind in enumerate(self.shape.types) if kind), default=-1)
        if place != self.shape.count - 1 or not self.shape.plausible(place, joined[-1]):
            return None
        if last is not None:
            last.fields, last.lines = joined, [*last.lines, line]
            return line
        self.taken.add(before)
        return self._accept([before, line], joined)
