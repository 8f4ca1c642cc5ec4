"""Texts of a file become values of the contract: code lists, dates, numbers, identity numbers.

Everything works on columns: coded columns are parsed once per distinct text. A value nobody knows is never
guessed: it becomes NULL and is listed, with its variable, among the faults that set its row aside.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dtsen_core.collect.layouts import Column, Layout
from dtsen_core.registry.codelists import codelist
from dtsen_core.spreadsheet import GUARDED

BLANKS = frozenset({"", "-1", "-1.0", "null", "\\n", "nan", "none", "n/a"})
"""Texts that stand for "no answer" in coded and numeric columns; -1 is the sentinel of the field rounds."""
TEXT_BLANKS = ("", "-1", "NULL", "\\N")
NO_DATES = frozenset({*BLANKS, "0000-00-00", "00-00-0000", "00/00/0000", "-", "0"})
EARLIEST, LATEST = np.datetime64("1890-01-01"), np.datetime64("2100-01-01")
DICTIONARY_TYPES = ("code", "flag", "integer", "number", "money", "date", "region", "region_name")
WRONG = np.datetime64("0001-01-01")
"""Stands for a text that is no date; never a date of the registry."""
LIMITS = {"integer": (0, 2**31 - 1), "number": (0, 1e7), "code": (0, 255), "flag": (0, 255), "money": (0, 1e10)}
BOUNDS = {"desil": (1, 10)}
"""Bounds of integers by the first word of their name; outside, the row is rejected."""

FAULTS = pa.schema([
    ("row", pa.int64()), ("rank", pa.int16()), ("reason", pa.string()), ("detail", pa.string()),
    ("variable", pa.string()),
])  # fmt: skip
"""A value that is wrong: row of the block, place of its variable in the layout, reason code, what stands there."""
FIXED_REASONS = {"date": "tanggal_tak_sah", "integer": "angka_tak_sah", "number": "angka_tak_sah",
                 "money": "angka_tak_sah"}  # fmt: skip
"""Reason by type of variable; all others have code lists."""


Parser = Callable[[str], "float | None"]


class UnknownValue(ValueError):
    """A text that is no value of its variable."""


def parser(column: Column, spellings: dict[str, int]) -> Parser:
    """text → number or None; `UnknownValue` if the text means nothing. For coded and numeric columns."""
    if column.type in ("code", "flag"):
        listed = codelist(column.codelist).parse_map() | spellings
        known = {_tidy(text): value for text, value in listed.items()}
        return lambda text: _coded(text, known)
    if column.type == "money":
        return _money
    low, high = BOUNDS.get(column.name.split("_")[0], LIMITS[column.type])
    return lambda text: _number(text, column.type == "integer", low, high)


def _tidy(text: str) -> str:
    low = re.sub(r"\s+", " ", text.strip().lower())
    return re.sub(r"\s*([/,+<>=–-])\s*", r"\1", low).replace("–", "-").replace("≤", "<=").replace("≥", ">=")


def _coded(text: str, known: dict[str, int]) -> float | None:
    tidy = _tidy(text)
    if tidy in BLANKS:
        return None
    if tidy in known:
        return known[tidy]
    # "3", "03", "3.0" and "3. Parket" or "[3] Parket": the number counts only if the words agree.
    numbered = re.fullmatch(r"[\[(]?0*([0-9]{1,2})(?:\.0)?[\])]?[.):\s-]*(.*)", tidy)
    if numbered:
        number, words = numbered.groups()
        value = known.get(number)
        if value is not None and (not words or known.get(words.strip()) == value):
            return value
    raise UnknownValue(text)


def _number(text: str, whole: bool, low: float, high: float) -> float | None:
    tidy = text.strip().lower()
    if tidy in BLANKS:
        return None
    plain = tidy.replace(",", ".") if re.fullmatch(r"[0-9]+,[0-9]{1,2}", tidy) else tidy
    if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]+)?", plain):
        raise UnknownValue(text)
    value = float(plain)
    if not low <= value <= high or (whole and value != int(value)):
        raise UnknownValue(text)
    return value


def _money(text: str) -> float | None:
    """Rupiah: ``600000``, ``Rp 600.000``, ``600.000,00``, ``600,000.00``. Three digits after a mark are
    thousands."""
    tidy = re.sub(r"^rp\.?|\s|,-$|\.-$", "", text.strip().lower())
    if tidy in BLANKS or tidy == "-":
        return None
    for thousands, decimal in ((".", ","), (",", ".")):
        form = rf"[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+(?:{re.escape(decimal)}[0-9]{{1,2}})?"
        if re.fullmatch(form, tidy):
            tidy = tidy.replace(thousands, "").replace(decimal, ".")
            break
    return _number(tidy, False, *LIMITS["money"])


def masked(text: str) -> str:
    """At most 40 characters; runs of six or more digits keep their first and last two."""
    short = text if len(text) <= 40 else text[:39] + "…"
    return re.sub(r"[0-9]{6,}", lambda m: m[0][:2] + "•" * (len(m[0]) - 4) + m[0][-2:], short)


def is_place(column: Column) -> bool:
    """Is it one of the columns that say where the family lives (not the address on the identity card)?"""
    return column.type in ("region", "region_name") and not column.name.endswith("_ktp")


class Values:
    """Converts the blocks of files of one layout; distinct texts are parsed once per run.

    `regions` collects the distinct places (tuple of delivered region columns) → (region_id, rows).
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.columns = list(layout.columns)
        self.region_columns = [c.name for c in layout.columns if is_place(c) and "provinsi" not in c.name]
        self.regions: dict[tuple[str, ...], list[int]] = {}
        self._cache: dict[str, dict[str, float | UnknownValue | None]] = {}
        self._dates: dict[str, dict[str, np.datetime64]] = {}
        self._parsers = {c.name: parser(c, layout.spellings.get(c.name, {}))
                         for c in layout.columns if c.type in LIMITS}  # fmt: skip

    def dictionary(self) -> frozenset[str]:
        """The variables that should be read as dictionary columns."""
        return frozenset(c.name for c in self.columns if c.type in DICTIONARY_TYPES)

    def plausible(self, variable: str, text: str) -> bool:
        """Can `text` be a value of `variable`? Used when pieces of a broken record are joined."""
        column = self.layout.column(variable)
        text = text.strip().strip('"')
        if column.type in ("nik", "kk"):
            return re.fullmatch(r"[0-9]{16}", text) is not None
        if column.type == "region":
            return re.fullmatch(r"[0-9.]{2,13}", text) is not None
        if column.type == "date":
            return not self._days(column, [text])[1][0]
        if column.type in LIMITS:
            return not isinstance(self._parse(column, text), UnknownValue)
        return True

    def convert(self, table: pa.Table, damaged: np.ndarray | None = None) -> tuple[pa.Table, pa.Table]:
        """(typed columns plus ``region_id``, `FAULTS`): every row, with NULL for what is no value of its variable.

        `damaged` (a mask) are rows that will be quarantined whatever their values are.
        """
        table = table.unify_dictionaries()
        typed: dict[str, pa.Array] = {}
        faults = []
        good = np.ones(table.num_rows, dtype=bool) if damaged is None else ~damaged
        for rank, column in enumerate(self.columns):
            if column.name not in table.column_names or column.name in self.region_columns:
                continue
            typed[column.name], bad = self._column(column, table[column.name])
            if bad is not None and bad.any():
                faults.append(_faults(column, rank, table[column.name], np.flatnonzero(bad)))
                good &= ~bad
        if self.region_columns:
            typed["region_id"] = pa.array(self._region_ids(table, good))
        return pa.table(typed), pa.concat_tables(faults) if faults else FAULTS.empty_table()

    def _column(self, column: Column, raw: pa.ChunkedArray) -> tuple[pa.Array, np.ndarray | None]:
        if column.type in ("nik", "kk"):
            return _trimmed(raw), None
        if column.type == "text":
            text = _without_guard(pc.utf8_trim_whitespace(raw))
            return pc.if_else(pc.is_in(text, pa.array(TEXT_BLANKS)), None, text), None
        codes, index = _distinct(raw)
        codes = _without_guard(codes)
        if column.type == "date":
            days, wrong = self._days(column, codes.to_pylist() or [""])
            missing = np.isnat(days)
            return pa.array(days[index], mask=missing[index]), wrong[index]
        if column.type in ("region", "region_name"):
            cleaned = pa.array([_digits(t) if column.type == "region" else t.strip() or None
                                for t in codes.to_pylist()], type=pa.string())  # fmt: skip
            return cleaned.take(pa.array(index)), None
        return self._mapped(column, codes, index)

    def _mapped(self, column: Column, codes: pa.Array, index: np.ndarray) -> tuple[pa.Array, np.ndarray]:
        parsed = [self._parse(column, text) for text in codes.to_pylist()] or [None]
        wrong = np.array([isinstance(value, UnknownValue) for value in parsed])
        empty = np.array([value is None for value in parsed]) | wrong
        kind = {"integer": np.int32, "number": np.float64, "money": np.float64}.get(column.type, np.uint8)
        numbers = np.array([0 if gone else value for gone, value in zip(empty, parsed)], dtype=kind)
        return pa.array(numbers[index], mask=empty[index]), wrong[index]

    def _parse(self, column: Column, text: str) -> float | UnknownValue | None:
        cache = self._cache.setdefault(column.name, {})
        if text not in cache:
            try:
                cache[text] = self._parsers[column.name](text)
            except UnknownValue as error:
                cache[text] = error
        return cache[text]

    def _days(self, column: Column, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """(days, mask of texts that are neither a date nor blank); every distinct text is parsed once."""
        cache = self._dates.setdefault(column.name, {})
        new = [text for text in texts if text not in cache]
        if new:
            cache.update(zip(new, _dates(new, self.layout.date_formats)))
        days = np.array([cache[text] for text in texts], dtype="datetime64[D]")
        wrong = days == WRONG
        return np.where(wrong, np.datetime64("NaT"), days), wrong

    def _region_ids(self, table: pa.Table, good: np.ndarray) -> np.ndarray:
        """Number of the place of every row, over all blocks; counts the accepted rows of each place."""
        lacking = pa.chunked_array([pa.array([""] * table.num_rows).dictionary_encode()])
        present = set(table.column_names)
        distinct = [_distinct(table[n] if n in present else lacking) for n in self.region_columns]
        key = distinct[0][1].astype(np.int64)
        for texts, index in distinct[1:]:
            key = pd.factorize(key * max(len(texts), 1) + index)[0].astype(np.int64)
        place, _ = pd.factorize(key)
        count = int(place.max()) + 1 if len(place) else 0
        sample = np.zeros(count, np.int64)
        sample[place[::-1]] = np.arange(len(place))[::-1]
        rows = np.bincount(place[good], minlength=count)
        ids = np.zeros(count, np.uint32)
        columns = []
        for texts, index in distinct:
            stripped = np.array([text.strip() for text in texts.to_pylist()] or [""], dtype=object)
            columns.append(stripped[index[sample]])
        for number, name in enumerate(zip(*columns)):
            entry = self.regions.setdefault(name, [len(self.regions), 0])
            entry[1] += int(rows[number])
            ids[number] = entry[0]
        return ids[place]


def _faults(column: Column, rank: int, raw: pa.ChunkedArray, rows: np.ndarray) -> pa.Table:
    """`FAULTS` of the wrong values of one column; every distinct text is written out once."""
    codes, index = _distinct(raw)
    wrong, at = np.unique(index[rows], return_inverse=True)
    details = pa.array([f"{column.name}: {masked(text)}" for text in codes.take(pa.array(wrong)).to_pylist()])
    same = [FIXED_REASONS.get(column.type, "kode_tak_dikenal"), column.name]
    reason, variable = (pa.repeat(pa.scalar(text), len(rows)) for text in same)
    return pa.table([pa.array(rows), pa.repeat(pa.scalar(rank, pa.int16()), len(rows)), reason,
                     details.take(pa.array(at)), variable], schema=FAULTS)  # fmt: skip


def _distinct(raw: pa.ChunkedArray) -> tuple[pa.Array, np.ndarray]:
    """Distinct texts of a unified dictionary column, and the index of each row."""
    whole = raw.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], type=raw.type)
    return whole.dictionary, whole.indices.to_numpy(zero_copy_only=False)


def _without_guard(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without the apostrophe that our exports put before what a spreadsheet would take for a formula."""
    if not pc.any(pc.starts_with(text, "'")).as_py():
        return text
    return pc.replace_substring_regex(text, GUARDED, "\\1")


def _trimmed(raw: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers as delivered but for blanks around them; whether they are valid is for the rules to say."""
    if pc.all(pc.equal(pc.binary_length(raw), 16)).as_py():
        return raw
    return pc.utf8_trim(raw, " \t\u00a0")


def _digits(text: str) -> str | None:
    return re.sub(r"[.\s]", "", text) or None


def _dates(texts: list[str], formats: tuple[str, ...]) -> np.ndarray:
    """datetime64[D] by the first format that fits; NaT for a blank, `WRONG` for what is no date."""
    trimmed = pd.Series(texts, dtype="object").str.strip()
    days = pd.Series(pd.NaT, index=trimmed.index, dtype="datetime64[s]")
    for form in formats:
        if not days.isna().any():
            break
        days = days.fillna(pd.to_datetime(trimmed, format=form, errors="coerce").astype("datetime64[s]"))
    values = days.to_numpy().astype("datetime64[D]")
    blank = trimmed.str.lower().isin(NO_DATES).to_numpy()
    with np.errstate(invalid="ignore"):
        odd = np.isnat(values) | (values < EARLIEST) | (values > LATEST)
    return np.where(blank, np.datetime64("NaT"), np.where(odd, WRONG, values))
