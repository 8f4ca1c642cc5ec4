"""An indicator that a visitor brings along: a table of region codes and values, checked by the region rules.

The table is small (at most a row per district). What cannot be taken is listed as a `Problem` and left out;
only a table of which nothing can be taken, or whose code system cannot be known, is refused.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dtsen_core import locale
from dtsen_core.errors import UserError
from dtsen_core.regions import codes, units

LEVELS = ("province", "regency", "district")
MAX_BYTES = 20_000_000
MAX_COLUMNS = 200
SHOWN = 3

_WIDTH = {"province": (2,), "regency": (4,), "district": (6, 7)}
_CODE_NAMES = (
    "code", "kode", "kode_wilayah", "kode_kabupaten_kota", "kode_kabupaten", "kode_kab", "kode_provinsi", "kode_prov",
    "kode_kecamatan", "kode_kec", "region_code", "regency_code", "province_code", "district_code", "kode_bps",
    "bps_code", "kemendagri_code", "kode_kemendagri", "id_wilayah", "kdkab", "kdprov",
)  # fmt: skip
_NAME_NAMES = ("name", "nama", "nama_wilayah", "wilayah", "kabupaten_kota", "nama_kabupaten", "provinsi", "region")
_VALUE_NAMES = ("value", "nilai", "indikator", "indicator")
_UNKNOWN = frozenset(("", "-", "–", "na", "n/a", "nan", "null", "none", "…", "..."))


@dataclass(frozen=True)
class Problem:
    """Something of the table that was left out or mended; `text` says what, where and why in one sentence."""

    key: str
    params: dict[str, object]

    def text(self, lang: str = "id") -> str:
        return locale.text(f"own_indicator.{self.key}", lang, **self.params)


@dataclass(frozen=True)
class OwnIndicator:
    """frame: ``code`` (Kemendagri digits, unique, sorted) and ``value`` (float, never NaN);

    `name`: heading of the value column; `level`: province, regency or district; `system`: the code system of the
    table; `missing`: units of the level without a value; `columns`: every column that could be the value.
    """

    name: str
    level: str
    system: str
    frame: pd.DataFrame
    problems: tuple[Problem, ...]
    missing: int
    columns: tuple[str, ...]


def read(
    data: bytes | pd.DataFrame,
    *,
    value_field: str | None = None,
    code_field: str | None = None,
    system: str | None = None,
) -> OwnIndicator:
    """Code and value of every unit in `data`: CSV bytes (UTF-8 or Latin-1; comma, semicolon, tab or pipe) or a table.

    Columns are found by heading (``kode``, ``code`` …), else by content, unless named. Decimal comma and point are
    both understood. `system` (kemendagri, bps) is needed only where neither names nor the set of codes tell.
    UserError (errors_own_indicator.*) for a table that is empty, too large, has no code or value column, or of
    which no row can be used.
    """
    table = _table(data)
    code_column = _code_column(table, code_field)
    numeric = _numeric_columns(table, code_column)
    value_column = _value_column(table, numeric, value_field, code_column)
    given = table[code_column].map(_clean_code)
    level = _level(given)
    problems: list[Problem] = []
    usable = given.str.len().isin(_WIDTH[level]) & given.str.isdigit()
    _note(problems, "not_a_code", table[code_column], ~usable & table[code_column].str.strip().ne(""))
    value = _numbers(table[value_column])
    unreadable = usable & value.isna() & ~table[value_column].str.strip().str.lower().isin(_UNKNOWN)
    _note(problems, "not_a_number", table[value_column], unreadable)
    rows = pd.DataFrame({"given": given, "name": _names(table, code_column), "value": value})[usable]
    mapped, used = _mapped(rows, level, system)
    unknown = mapped.isna()
    _note(problems, "unknown", rows["given"], unknown)
    kept = rows[~unknown].assign(code=mapped[~unknown])
    kept = kept[kept["value"].notna()].drop_duplicates(["code", "value"])
    twice = kept["code"].duplicated(keep=False)
    _note(problems, "duplicate", kept["code"], twice)
    kept = kept[~twice]
    if kept.empty:
        raise UserError("errors_own_indicator.nothing", rows=len(table))
    frame = kept[["code", "value"]].sort_values("code", ignore_index=True)
    missing = units.COUNTS[level] - len(frame)
    return OwnIndicator(str(value_column), level, used, frame, tuple(problems), missing, tuple(numeric))


def read_list(data: bytes | pd.DataFrame, *, system: str | None = None) -> OwnIndicator:
    """A list of regions: as `read`, but only the codes matter; every code listed has the value 1."""
    table = _table(data, narrow=True)
    code = _code_column(table, None)
    kept = [code, *(name for name in table.columns if name != code and _heading(name) in _NAME_NAMES)]
    return read(table[kept].assign(nilai="1"), code_field=code, value_field="nilai", system=system)


def _table(data: bytes | pd.DataFrame, *, narrow: bool = False) -> pd.DataFrame:
    """All cells as text, headings without blanks; UserError if there is no row or it is too large. `narrow`: one
    column is enough."""
    if isinstance(data, pd.DataFrame):
        table = data.copy()
    else:
        if len(data) > MAX_BYTES:
            raise UserError("errors_own_indicator.too_large", limit=MAX_BYTES // 1_000_000)
        table = _parse(data)
    if table.empty or table.shape[1] < (1 if narrow else 2) or table.shape[1] > MAX_COLUMNS:
        raise UserError("errors_own_indicator.no_table")
    if len(table) > 10 * units.COUNTS["district"]:
        raise UserError("errors_own_indicator.too_many_rows", rows=len(table), limit=10 * units.COUNTS["district"])
    table.columns = pd.Index(_unique([str(name).strip() for name in table.columns]))
    out = {name: ["" if _empty(x) else str(x) for x in table[name]] for name in table.columns}
    return pd.DataFrame(out, dtype=object)


def _unique(names: Sequence[str]) -> list[str]:
    """Headings made distinct by a number where they repeat or are empty."""
    seen: dict[str, int] = {}
    out = []
    for position, name in enumerate(names, start=1):
        name = name or f"kolom {position}"
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out


def _empty(x: object) -> bool:
    return x is None or x is pd.NA or (isinstance(x, float) and np.isnan(x))


def _parse(data: bytes) -> pd.DataFrame:
    if b"\0" in data[:4096]:
        raise UserError("errors_own_indicator.no_table")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    head = [line for line in text.splitlines()[:20] if line.strip()]
    if not head:
        raise UserError("errors_own_indicator.no_table")
    delimiter = max(";\t|,", key=lambda d: (head[0].count(d) > 0, head[0].count(d)))
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(cell.strip() for cell in row)]
    except csv.Error as problem:
        raise UserError("errors_own_indicator.no_table") from problem
    if not rows:
        raise UserError("errors_own_indicator.no_table")
    width = len(rows[0])
    body = [(row + [""] * width)[:width] for row in rows[1:]]
    return pd.DataFrame(body, columns=_unique([name.strip() for name in rows[0]]), dtype=object)


def _heading(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _clean_code(cell: str) -> str:
    """Digits of a code: without dots and blanks, and without the ".0" a spreadsheet adds."""
    cell = re.sub(r"\.0$", "", cell.strip().strip("'\""))
    return re.sub(r"[.\s]", "", cell)


def _code_column(table: pd.DataFrame, wanted: str | None) -> str:
    if wanted is not None:
        if wanted not in table:
            raise UserError("errors_own_indicator.no_column", field=wanted, fields=", ".join(table.columns[:12]))
        return wanted
    widths = {w for group in _WIDTH.values() for w in group}

    def fits(name: str) -> float:
        clean = table[name].map(_clean_code)
        return float((clean.str.len().isin(widths) & clean.str.isdigit()).mean())

    named = [name for name in table.columns if _heading(name) in _CODE_NAMES]
    best = max(named or list(table.columns), key=fits)
    if fits(best) < (0.2 if named else 0.8):
        raise UserError("errors_own_indicator.no_code_column", fields=", ".join(table.columns[:12]))
    return str(best)


def _numeric_columns(table: pd.DataFrame, code_column: str) -> list[str]:
    """Columns of which at least half of the filled cells are numbers."""
    found = []
    for name in table.columns:
        filled = ~table[name].str.strip().str.lower().isin(_UNKNOWN)
        if name != code_column and filled.any() and _numbers(table[name])[filled].notna().mean() >= 0.5:
            found.append(str(name))
    return found


def _value_column(table: pd.DataFrame, numeric: Sequence[str], wanted: str | None, code_column: str) -> str:
    if wanted is not None:
        if wanted not in table or wanted == code_column:
            raise UserError("errors_own_indicator.no_column", field=wanted, fields=", ".join(table.columns[:12]))
        return wanted
    for name in numeric:
        if _heading(name) in _VALUE_NAMES:
            return name
    rest = [name for name in numeric if _heading(name) not in (*_CODE_NAMES, "year", "tahun", "no", "nomor")]
    if not rest:
        raise UserError("errors_own_indicator.no_value_column", fields=", ".join(table.columns[:12]))
    return rest[0]


def _numbers(cells: pd.Series) -> pd.Series:
    """Numbers of a column written with decimal point or decimal comma; NaN where a cell is none.

    A comma followed by other than three digits, or a point and then a comma, shows a decimal comma.
    """
    text = cells.astype(str).str.strip().str.replace(r"[%\s\u00a0]|^Rp\.?", "", regex=True)
    # A comma with exactly three digits after it is grouping only where a point follows somewhere in the column.
    comma = text.str.contains(r"\..*,", regex=True) | text.str.fullmatch(r"[+-]?\d+,\d+")
    point = text.str.contains(r",.*\.", regex=True)
    if comma.sum() > point.sum():
        text = text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    else:
        text = text.str.replace(",", "", regex=False)
    value = pd.to_numeric(text, errors="coerce").astype(float)
    return value.where(np.isfinite(value))


def _level(given: pd.Series) -> str:
    """The level of most codes."""
    lengths = given[given.str.isdigit()].str.len()
    counts = {level: int(lengths.isin(widths).sum()) for level, widths in _WIDTH.items()}
    best = max(counts, key=lambda level: counts[level])
    if not counts[best]:
        raise UserError("errors_own_indicator.nothing", rows=len(given))
    return best


def _names(table: pd.DataFrame, code_column: str) -> pd.Series:
    for name in table.columns:
        if name != code_column and _heading(name) in _NAME_NAMES:
            return table[name].astype(str).str.strip()
    return pd.Series("", index=table.index)


def _mapped(rows: pd.DataFrame, level: str, system: str | None) -> tuple[pd.Series, str]:
    """(Kemendagri code or missing of every row, code system)."""
    if level == "district":
        # BPS district codes follow from no table: only Kemendagri codes can be taken.
        return rows["given"].where(rows["given"].isin(units.index("district"))), "kemendagri"
    pairs = rows.rename(columns={"given": "code"})[["code", "name"]]
    used = _system(pairs, level, system)
    mapping = codes.map_provinces if level == "province" else codes.map_regencies
    return mapping(pairs, used)["kemendagri"], used


def _system(pairs: pd.DataFrame, level: str, system: str | None) -> str:
    """The code system: by names where there are any, else by which codes exist at all."""
    if pairs["name"].ne("").any():
        try:
            return codes.detect_system(pairs[pairs["name"].ne("")], confirm=system).system
        except UserError as error:
            if error.key != "errors_regions.no_names":
                raise
    if system is not None:
        if system not in codes.SYSTEMS:
            raise UserError("errors_regions.codes_option", value=system)
        return system
    table = units.table(level)
    # Post-2022 BPS codes of Papua are unknown, so a BPS file may hold codes of neither table.
    shares = {
        "kemendagri": float(pairs["code"].isin(table["code"]).mean()),
        "bps": float(pairs["code"].isin(table["bps_code"]).mean()),
    }
    both = dict(zip(table["code"], table["bps_code"]))
    if all(both.get(code) == code for code in pairs["code"]):
        return "kemendagri"
    if not any(shares.values()):
        raise UserError("errors_own_indicator.nothing", rows=len(pairs))
    ahead = shares["kemendagri"] - shares["bps"]
    if abs(ahead) < 0.005:
        raise UserError("errors_own_indicator.system_unclear")
    return "kemendagri" if ahead > 0 else "bps"


def _note(problems: list[Problem], key: str, cells: pd.Series, where: pd.Series) -> None:
    """Add one problem for the rows `where`, with their number, the first of them and the line in the file."""
    found = cells[where]
    if found.empty:
        return
    shown = ", ".join(f"{str(cell)[:30]!r} ({int(line) + 2})" for line, cell in found.head(SHOWN).items())
    problems.append(Problem(key, {"count": len(found), "shown": shown}))
