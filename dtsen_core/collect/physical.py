"""Text files as physical lines: encoding, delimiter, header, and blocks of records as columns.

Every physical line (ended by LF or CRLF, or by CR where a file has no LF) is counted exactly once: as
header, blank, part of an accepted record or quarantined. Lines with the expected number of fields, nearly
all of them, are found by a scan over bytes and parsed by pyarrow; only the others are handled one by one.
"""

from __future__ import annotations

import codecs
import csv
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from dtsen_core.collect.corrections import origin_places
from dtsen_core.collect.layouts import Column, Layout, match_header, positions
from dtsen_core.collect.repair import BLANK, DAMAGED, HEADER, IRREGULAR, REGULAR, Reject, Repairer, Shape
from dtsen_core.errors import UserError

BLOCK = 16 << 20
LONGEST_LINE = 64 << 20
HEAD = 1 << 20
"""Bytes at the start of a file that must hold its header line."""
SAMPLE = 50_000
"""Bytes beyond ASCII per block that are looked at to tell UTF-8 from Latin-1."""
LF, CR, QUOTE = 10, 13, 34
NO_TEXT = re.compile("[\0\ufffd]")
"""What bytes that are no text look like once they are decoded."""
SPACES = b" \t\r\x0b\x0c\x1a"
"""What a blank line may hold; 0x1A is the end mark that old DOS programs write."""

UNREAD = frozenset({"kode_provinsi", "provinsi", "kode_provinsi_ktp", "provinsi_ktp"})
"""Columns that say nothing the regency's code and name do not say."""

MAGIC = (
    (b"PK\x03\x04", "ZIP/XLSX"), (b"PK\x05\x06", "ZIP"), (b"\xd0\xcf\x11\xe0", "XLS"), (b"%PDF", "PDF"),
    (b"PAR1", "Parquet"), (b"\x1f\x8b", "GZIP"), (b"SQLite format 3", "SQLite"), (b"7z\xbc\xaf", "7z"),
    (b"Rar!", "RAR"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"), (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"), (b"ARROW1", "Arrow"),
)  # fmt: skip


@dataclass
class Source:
    """One opened file: how it is written and where the wanted columns are.

    `origin` has the places of the columns by which an exported quarantine says where a record was;
    `offset` is the byte after the header line; `count` the number of fields of a record (one more than the
    header names when every record ends with a delimiter).
    """

    path: Path
    layout: Layout
    delimiter: str
    names: list[str]
    places: dict[str, int]
    origin: dict[str, int]
    count: int
    offset: int
    header_line: int
    header_bytes: bytes
    bare_cr: bool

    @cached_property
    def encoding(self) -> str:
        """``utf-8`` or ``latin-1``: the whole file is looked through, so whoever asks for the header alone need not."""
        return _encoding(self.path)


@dataclass(frozen=True)
class Damage:
    """A cell whose bytes are no text: its record's first line, its variable ('' where it is not read), the name of
    its column and what is left of its text."""

    line_from: int
    variable: str
    column: str
    text: str


@dataclass
class Block:
    """One block of a file: the text columns of its records (by variable), with the physical line of each,
    the lines of joined records, the damaged cells (left empty in `table`), and what could not be split."""

    table: pa.Table
    line_from: np.ndarray
    joined: dict[int, list[int]]
    damage: list[Damage]
    rejects: list[Reject]
    read: int
    header: int
    blank: int


@dataclass
class _Lines:
    starts: np.ndarray
    ends: np.ndarray
    fields: np.ndarray
    kind: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint8))
    quoted: bool = False


def open_source(path: str | Path, layout: Layout) -> Source:
    """Recognise a file of `layout`. UserError: missing, a folder, unreadable, empty, not text, or a header
    that is not of this layout."""
    file = Path(path)
    odd = [sign for sign in str(path) if unicodedata.category(sign) in ("Cc", "Cs")]
    if odd:  # such a name could not be kept in the accounts, nor told in one line
        raise UserError("errors_ingest.odd_name", path="".join("?" if sign in odd else sign for sign in str(path)))
    if not file.exists():
        raise UserError("errors_ingest.missing_file", path=str(path))
    if file.is_dir():
        raise UserError("errors_ingest.is_folder", path=str(path))
    if not file.is_file():  # a pipe or a device would never end
        raise UserError("errors_ingest.not_a_file", path=str(path))
    try:
        with file.open("rb") as handle:
            head = handle.read(HEAD)
    except OSError as error:
        raise UserError("errors_ingest.unreadable", path=str(path), error=error.strerror or "") from error
    for magic, name in MAGIC:
        if head.startswith(magic):
            raise UserError("errors_ingest.not_text", path=str(path), found=name)
    bom = 3 if head.startswith(codecs.BOM_UTF8) else 0
    bare_cr = b"\n" not in head and b"\r" in head
    end = b"\r" if bare_cr else b"\n"
    if not head[bom:].strip(SPACES + b"\n"):
        raise UserError("errors_ingest.empty_file", path=str(path))
    start, number = bom, 1
    while not head[start : (head.find(end, start) + 1) or None].strip(SPACES + b"\n"):
        start, number = head.index(end, start) + 1, number + 1
    stop = head.find(end, start)
    if b"\0" in head[start : stop if stop >= 0 else None]:
        raise UserError("errors_ingest.not_text", path=str(path), found="biner")
    if stop < 0 and len(head) == HEAD:
        raise UserError("errors_ingest.endless_line", path=str(path), line=number)
    raw = head[start : stop if stop >= 0 else None].rstrip(b"\r")
    text = raw.decode("ascii" if raw.isascii() else _encoding(file), "replace")
    delimiter, names = _split_header(text, layout)
    places = match_header(str(path), names, layout)
    source = Source(
        path=file, layout=layout, delimiter=delimiter, names=names, places=places,
        origin=origin_places(names), count=len(names), offset=stop + 1 if stop >= 0 else start + len(head),
        header_line=number, header_bytes=raw, bare_cr=bare_cr,
    )  # fmt: skip
    source.count += _trailing_delimiter(head[source.offset :], source)
    return source


def _split_header(text: str, layout: Layout) -> tuple[str, list[str]]:
    """The delimiter under which the header has the most names of the layout."""
    options = {}
    for delimiter in layout.delimiters:
        try:
            options[delimiter] = next(csv.reader([text], delimiter=delimiter), [""])
        except csv.Error:
            options[delimiter] = text.split(delimiter)
    best = max(options, key=lambda d: (len(positions(options[d], layout)), len(options[d])))
    return best, options[best]


def _trailing_delimiter(sample: bytes, source: Source) -> int:
    """1 if most records end with a delimiter that the header does not have, else 0."""
    delimiter = source.delimiter.encode()
    lines = [line.rstrip(b"\r") for line in sample.split(b"\n")[:200]]
    lines = [line for line in lines if line.strip(SPACES)]
    ended = sum(line.endswith(delimiter) and line.count(delimiter) == source.count for line in lines)
    return int(ended * 2 > len(lines))


def _encoding(file: Path) -> str:
    """``utf-8`` or ``latin-1``, decided over the whole file by what lies beyond ASCII.

    A file counts as UTF-8 even if it has a few damaged lines (at most one to ten valid characters beyond
    ASCII): those are quarantined.
    """
    good = bad = 0
    rest = b""
    with file.open("rb") as handle:
        while block := handle.read(BLOCK):
            cut = block.rfind(b"\n") + 1 or len(block)
            piece, rest = rest + block[:cut], block[cut:]
            good, bad = _count_utf8(piece, good, bad)
    good, bad = _count_utf8(rest, good, bad)
    return "utf-8" if bad * 10 <= good else "latin-1"


def _count_utf8(piece: bytes, good: int, bad: int) -> tuple[int, int]:
    if piece.isascii():
        return good, bad
    try:
        return good + len(piece) - len(piece.decode("utf-8")), bad
    except UnicodeDecodeError:
        beyond = np.flatnonzero(np.frombuffer(piece, np.uint8) > 127)
    end = -1
    for place in beyond[:SAMPLE].tolist():
        if place < end:
            continue
        end = piece.find(b"\n", place) + 1 or len(piece)
        fine = _is_utf8(piece[piece.rfind(b"\n", 0, place) + 1 : end])
        good, bad = good + fine, bad + (not fine)
    return good, bad


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _kind(column: Column) -> str:
    """Type of a column for `Shape`; region codes with their numbers of digits (BPS districts have 7)."""
    if column.type != "region":
        return column.type
    name = column.name.removesuffix("_ktp")
    digits = {"kode_provinsi": "2", "kode_kabupaten_kota": "4", "kode_kecamatan": "6 7"}
    return f"region:{digits.get(name, '10')}"


def _one_line(text: str) -> str:
    return re.sub(r"[\r\n]+", " ", text) if "\n" in text or "\r" in text else text


def blocks(
    source: Source,
    plausible: Callable[[str, str], bool],
    dictionary: frozenset[str] = frozenset(),
    *,
    size: int = BLOCK,
    on_bytes: Callable[[int], None] | None = None,
) -> Iterator[Block]:
    """The records of `source` in blocks of about `size` bytes.

    `plausible(variable, text)` tells whether a text can be a value of a variable (used only to join broken
    records); variables in `dictionary` come as dictionary columns. The counts of all blocks plus the lines
    up to the header add up to the file's physical lines (`header_lines`).
    """
    reader = _BlockReader(source, plausible, dictionary)
    number, rest = source.header_line + 1, b""
    with source.path.open("rb") as handle:
        handle.seek(source.offset)
        while True:
            block = handle.read(size)
            last = len(block) < size
            data = rest + (block.replace(b"\r", b"\n") if source.bare_cr else block)
            if on_bytes is not None:
                on_bytes(len(block))
            if not last and b"\n" not in data:
                if len(data) > LONGEST_LINE:
                    raise UserError("errors_ingest.endless_line", path=str(source.path), line=number)
                rest = data
                continue
            if data:
                used, found = reader.read(data, number, last, force=len(data) > LONGEST_LINE)
                rest = data[used:]
                if found is not None:
                    number += found.read
                    yield found
            if last:
                return


class _BlockReader:
    def __init__(self, source: Source, plausible: Callable[[str, str], bool], dictionary: frozenset[str]):
        self.source = source
        self.delimiter = ord(source.delimiter)
        self.by_place = by_place = {place: name for name, place in source.places.items()}
        types = tuple(
            _kind(source.layout.column(by_place[i])) if i in by_place else "" for i in range(source.count)
        )
        self.shape = Shape(
            source.count, source.delimiter, types,
            lambda place, text: place in by_place and plausible(by_place[place], text),
        )  # fmt: skip
        self.places = {name: place for name, place in source.places.items() if name not in UNREAD} | source.origin
        kinds: Mapping[str, pa.DataType] = {
            f"c{place}": pa.dictionary(pa.int32(), pa.string()) if name in dictionary else pa.string()
            for name, place in self.places.items()
        }
        self.kinds = kinds
        self.variables = list(self.places)
        self.options = pacsv.ConvertOptions(
            column_types=kinds, include_columns=[f"c{p}" for p in self.places.values()],
            strings_can_be_null=False, null_values=[], check_utf8=False,
        )  # fmt: skip

    def read(self, data: bytes, number: int, last: bool, force: bool) -> tuple[int, Block | None]:
        """Records of `data`, whose first line is physical line `number`; returns the bytes used.

        The block is cut between two regular lines: what follows may be pieces of a broken record and stays
        for the next block, unless `force`.
        """
        size = len(data) if last else data.rfind(b"\n") + 1
        lines = self._scan(data[:size] if size < len(data) else data)
        count = len(lines.starts)
        if not last and not force:
            regular = lines.kind == REGULAR
            pairs = np.flatnonzero(regular[1:] & regular[:-1]) + 1
            count = int(pairs[-1]) if len(pairs) else 0
            if count == 0:
                return 0, None
        used = size if count == len(lines.starts) else int(lines.starts[count])
        whole = _Lines(lines.starts[:count], lines.ends[:count], lines.fields[:count], lines.kind[:count],
                       lines.quoted)  # fmt: skip
        return used, self._records(data, whole, number)

    def _scan(self, data: bytes) -> _Lines:
        """Start, end, number of fields and kind of every physical line."""
        raw = np.frombuffer(data, dtype=np.uint8)
        marks = np.flatnonzero((raw == self.delimiter) | (raw == LF))
        breaks = np.flatnonzero(raw[marks] == LF)
        ends = marks[breaks]
        fields = np.diff(breaks, prepend=-1)
        starts = np.concatenate(([0], ends + 1))
        if data.endswith(b"\n"):
            starts = starts[:-1]
        else:  # the last line has no line end
            ends = np.append(ends, len(data))
            fields = np.append(fields, len(marks) - (breaks[-1] + 1 if len(breaks) else 0) + 1)
        returns = data.count(b"\r")
        kind = np.where(fields == self.source.count, np.uint8(REGULAR), np.uint8(IRREGULAR))
        inner_cr = np.zeros(0, np.int64)
        if returns:
            before = np.maximum(ends - 1, 0)
            with_cr = (ends > starts) & (raw[before] == CR)
            if returns != int(with_cr.sum()):
                inner = np.flatnonzero(raw == CR)
                owner = np.searchsorted(starts, inner, side="right") - 1
                inner_cr = owner[inner != ends[owner] - 1]
            ends = ends - with_cr
        lines = _Lines(starts, ends, fields, kind)
        if b'"' in data:
            self._quotes(raw, marks, lines)
        kind[inner_cr] = IRREGULAR
        tabs = self.source.delimiter == "\t"
        for line in np.flatnonzero((fields == 1) | (kind == IRREGULAR) if tabs else fields == 1):
            if not data[starts[line] : ends[line]].strip(SPACES):
                kind[line] = BLANK
        self._damaged(data, raw, lines)
        self._repeated_header(data, raw, lines)
        return lines

    def _quotes(self, raw: np.ndarray, marks: np.ndarray, lines: _Lines) -> None:
        """Quoted fields: clean ones (opened after a delimiter, closed before one) stay regular."""
        quotes = np.flatnonzero(raw == QUOTE)
        owner = np.searchsorted(lines.starts, quotes, side="right") - 1
        first = np.searchsorted(owner, np.arange(len(lines.starts)))
        odd = (np.arange(len(quotes)) - first[owner]) % 2 == 1
        at_start = (quotes == lines.starts[owner]) | (raw[np.maximum(quotes - 1, 0)] == self.delimiter)
        after = np.minimum(quotes + 1, len(raw) - 1)
        at_end = (quotes + 1 == lines.ends[owner]) | (raw[after] == self.delimiter)
        clean = np.where(odd, at_end, at_start)
        has = np.bincount(owner, minlength=len(lines.starts))
        dirty = np.bincount(owner[~clean], minlength=len(lines.starts)) > 0
        dirty |= has % 2 == 1
        lines.kind[dirty] = IRREGULAR
        # A delimiter inside quotes has an odd number of quotes before it in its line.
        delimiters = marks[raw[marks] == self.delimiter]
        line_of = np.searchsorted(lines.starts, delimiters, side="right") - 1
        busy = (has > 0)[line_of]
        delimiters, line_of = delimiters[busy], line_of[busy]
        inside = (np.searchsorted(quotes, delimiters) - first[line_of]) % 2 == 1
        fields = lines.fields - np.bincount(line_of[inside], minlength=len(lines.starts))
        tidy = (has > 0) & ~dirty
        lines.kind[tidy] = np.where(fields[tidy] == self.source.count, REGULAR, IRREGULAR)
        lines.quoted = True

    def _damaged(self, data: bytes, raw: np.ndarray, lines: _Lines) -> None:
        if b"\0" in data:
            owner = np.searchsorted(lines.starts, np.flatnonzero(raw == 0), side="right") - 1
            lines.kind[owner] = DAMAGED
        if self.source.encoding == "utf-8" and not data.isascii() and not _is_utf8(data):
            owner = np.unique(np.searchsorted(lines.starts, np.flatnonzero(raw > 127), side="right") - 1)
            for line in owner:
                if not _is_utf8(data[lines.starts[line] : lines.ends[line]]):
                    lines.kind[line] = DAMAGED

    def _repeated_header(self, data: bytes, raw: np.ndarray, lines: _Lines) -> None:
        """The header again in the middle: files that were put together from parts."""
        header = self.source.header_bytes
        same = np.flatnonzero(lines.ends - lines.starts == len(header))
        same = same[raw[lines.starts[same]] == header[0]]
        for line in same:
            if data[lines.starts[line] : lines.ends[line]] == header:
                lines.kind[line] = HEADER

    def _records(self, data: bytes, lines: _Lines, number: int) -> Block:
        encoding = self.source.encoding
        repairer = Repairer(
            lines.kind.tolist(),
            lambda i: data[lines.starts[i] : lines.ends[i]].decode(encoding, "replace"),
            self.shape,
        )
        repairer.run(np.flatnonzero((lines.kind == IRREGULAR) | (lines.kind == DAMAGED)).tolist())
        kind = lines.kind.copy()
        kind[list(repairer.taken)] = IRREGULAR
        regular = np.flatnonzero(kind == REGULAR)
        damage = self._damage(repairer, number)
        tables, froms = [], []
        if len(regular):
            tables.append(self._parse(self._slices(data, lines, regular), lines.quoted))
            froms.append(regular + number)
        if repairer.records:
            tables.append(self._repaired(repairer))
            froms.append(np.array([r.lines[0] for r in repairer.records]) + number)
        blank = int((kind == BLANK).sum()) - len(repairer.blanks_used)
        table = pa.concat_tables(tables) if tables else self._empty()
        joined = {
            r.lines[0] + number: [i + number for i in r.lines]
            for r in repairer.records
            if len(r.lines) > 1
        }
        rejects = [Reject([i + number for i in r.lines], r.reason, r.detail) for r in repairer.rejects]
        line_from = np.concatenate(froms) if froms else np.zeros(0, np.int64)
        return Block(table, line_from.astype(np.uint32), joined, damage, rejects, len(kind),
                     int((kind == HEADER).sum()), blank)  # fmt: skip

    def _damage(self, repairer: Repairer, number: int) -> list[Damage]:
        """Empty the damaged cells and list them; at least one entry per damaged record."""
        found = []
        for record in repairer.records:
            if not record.damaged:
                continue
            places = [place for place, text in enumerate(record.fields) if NO_TEXT.search(text)]
            for place in places or [-1]:
                variable = self.by_place.get(place, "")
                column = variable or (self.source.names[place] if 0 <= place < len(self.source.names) else "")
                text = NO_TEXT.sub("\ufffd", record.fields[place]) if places else ""
                found.append(Damage(record.lines[0] + number, variable, column, text))
            record.fields = ["" if place in places else text for place, text in enumerate(record.fields)]
        return found

    def _slices(self, data: bytes, lines: _Lines, regular: np.ndarray) -> bytes | memoryview:
        """The regular lines as one buffer in UTF-8."""
        breaks = np.flatnonzero(np.diff(regular) > 1)
        first = lines.starts[regular[np.concatenate(([0], breaks + 1))]].tolist()
        final = lines.ends[regular[np.append(breaks, len(regular) - 1)]].tolist()
        view = memoryview(data)
        if len(first) == 1:
            piece: bytes | memoryview = view[first[0] : final[0]]
        else:
            piece = b"\n".join([view[start:stop] for start, stop in zip(first, final)])
        if self.source.encoding == "latin-1":
            whole = bytes(piece)
            return whole if whole.isascii() else whole.decode("latin-1").encode("utf-8")
        return piece

    def _parse(self, piece: bytes | memoryview, quoted: bool) -> pa.Table:
        table = pacsv.read_csv(
            pa.BufferReader(pa.py_buffer(piece)),
            read_options=pacsv.ReadOptions(
                column_names=[f"c{i}" for i in range(self.source.count)], block_size=len(piece) + 16
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self.source.delimiter, quote_char='"' if quoted else False, double_quote=False,
                ignore_empty_lines=False,
            ),
            convert_options=self.options,
        )  # fmt: skip
        return table.rename_columns(self.variables)

    def _repaired(self, repairer: Repairer) -> pa.Table:
        arrays = []
        for place in self.places.values():
            texts = pa.array(
                [_one_line(r.fields[place]) for r in repairer.records], type=pa.string()
            )
            wanted = self.kinds[f"c{place}"]
            arrays.append(texts.dictionary_encode() if pa.types.is_dictionary(wanted) else texts)
        return pa.table(dict(zip(self.variables, arrays)))

    def _empty(self) -> pa.Table:
        return pa.table({
            name: pa.array([], type=self.kinds[f"c{place}"]) for name, place in self.places.items()
        })  # fmt: skip
