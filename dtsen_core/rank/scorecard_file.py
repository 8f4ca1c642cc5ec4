"""A scorecard as a file, read and written: ``variable, category, coefficient[, province][, regency]``.

All problems of a file are collected and shown together. Coefficients are in log units (0.123 = 12.3 % of
expenditure); a category that is not listed counts 0 (the reference), except that "unknown" and merged
classes follow from the others. Reserved variables: ``intercept`` (no category) and ``daerah`` with the
categories ``perkotaan``, ``perdesaan`` and ``tidak_diketahui`` (without it, the mean of the other two). Both may
differ by regency even where the other coefficients do not. Files with
semicolons or tabs may have decimal commas.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dtsen_core import locale
from dtsen_core.errors import UserError
from dtsen_core.rank import order
from dtsen_core.rank.scorecard import (
    CATEGORIES,
    MAX_SPAN,
    OFFSETS,
    PROVINCES,
    REGENCIES,
    RURAL,
    URBAN,
    Scorecard,
    Shares,
    neutral,
    province_of_regency,
)
from dtsen_core.regions import units
from dtsen_core.registry.indicators import INDICATORS, NOT_APPLICABLE

INTERCEPT, AREA = "intercept", "daerah"
UNKNOWN = 3
AREAS = {"perkotaan": URBAN, "perdesaan": RURAL, "tidak_diketahui": UNKNOWN}
COLUMNS = ("variable", "category", "coefficient")
PLACES = ("province", "regency")
SHORT = 60  # characters of a stranger's text that are repeated
SHOWN = 20  # problems listed in full; the rest is counted
MAX_BYTES = 20_000_000
MAX_COEFFICIENT, MAX_INTERCEPT = 10.0, 100.0  # log units; a factor of 22,000 is no property of a family
TOLERANCE = 0.02  # log units by which the best category may fall short of the worst

_POSITION = {i.name: k for k, i in enumerate(INDICATORS)}


class ScorecardProblems(UserError):
    """Every problem found in one scorecard file; `problems` are (key, params) of errors_rank sentences."""

    def __init__(self, path: str, problems: list[tuple[str, dict[str, object]]]) -> None:
        super().__init__("errors_rank.scorecard", path=path, count=len(problems))
        self.problems = problems

    def sentences(self, lang: str = "id") -> list[str]:
        """Every problem in one sentence each."""
        return [locale.text(f"errors_rank.{key}", lang, **params) for key, params in self.problems]

    def message(self, lang: str = "id") -> str:
        lines = self.sentences(lang)[:SHOWN]
        if len(self.problems) > SHOWN:
            lines.append(locale.text("errors_rank.and_more", lang, count=len(self.problems) - SHOWN))
        return super().message(lang) + "\n" + "\n".join(f"- {line}" for line in lines)


@dataclass
class _Reading:
    """What has been read so far; NaN where nothing was given."""

    sets: int
    values: np.ndarray = field(init=False)
    areas: np.ndarray = field(init=False)
    problems: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.values = np.full((self.sets, CATEGORIES), np.nan)
        self.areas = np.full((REGENCIES, 4), np.nan)  # 0 intercept, 1 urban, 2 rural, 3 unknown

    def problem(self, key: str, **params: object) -> None:
        self.problems.append((key, params))


def from_csv(path: Path | str, shares: Shares | None = None) -> Scorecard:
    """The scorecard in the CSV file `path` (UTF-8, comma or semicolon).

    `shares` (1, CATEGORIES): households by category, weights of the neutral coefficient of "unknown" (see
    `scorecard.neutral`). UserError listing every problem: unknown variables and categories with near
    misses, repeated rows, numbers that are none or out of range, unknown provinces, forgotten
    categories (see `_gaps`), and signs against the declared direction (`rank.order`).
    """
    file = Path(path)
    rows = _rows(file)
    by_province = any(row.get("province") for _, row in rows)
    by_regency = any(row.get("regency") and row.get("variable", "").casefold() not in (INTERCEPT, AREA)
                     for _, row in rows)  # fmt: skip
    reading = _Reading(REGENCIES if by_regency else PROVINCES if by_province else 1)
    for line, row in rows:
        _take(reading, line, row)
    if not rows:
        reading.problem("scorecard_empty")
    elif not reading.problems and np.isnan(reading.values).all():
        reading.problem("scorecard_flat")
    _gaps(reading)
    _signs(reading)
    if reading.problems:
        raise ScorecardProblems(file.name, reading.problems)
    card = _finish(file.stem, reading, shares)
    if card.span() > MAX_SPAN:
        raise ScorecardProblems(
            file.name, [("scorecard_scale", {"span": card.span() / 1000, "limit": MAX_SPAN // 1000})]
        )
    return card


def _rows(file: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ScorecardProblems(file.name, [("scorecard_size", {"limit": MAX_BYTES // 1_000_000})])
        text = file.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise UserError("errors_rank.scorecard_missing", path=file) from problem
    except UnicodeDecodeError as problem:
        raise ScorecardProblems(file.name, [("scorecard_encoding", {})]) from problem
    first = text.split("\n", 1)[0]
    delimiter = next((sign for sign in (";", "\t") if sign in first), ",")
    try:
        parsed = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as problem:
        raise ScorecardProblems(file.name, [("scorecard_encoding", {})]) from problem
    header = [name.strip().casefold() for name in parsed[0]] if parsed else []
    if problems := _header_problems(header):
        raise ScorecardProblems(file.name, problems)
    rows = [
        (number, {name: cell.strip() for name, cell in zip(header, cells)})
        for number, cells in enumerate(parsed[1:], start=2)
        if any(cell.strip() for cell in cells)
    ]
    if delimiter != ",":  # the spreadsheets that write semicolons write decimal commas as well
        for _, row in rows:
            if re.fullmatch(r"[+-]?[0-9]*,[0-9]+", row.get("coefficient", "")):
                row["coefficient"] = row["coefficient"].replace(",", ".")
    return rows


def _header_problems(header: list[str]) -> list[tuple[str, dict[str, object]]]:
    """What is wrong with the names of the columns: one missing, one twice, or nearly one of ours. Others are notes."""
    found: list[tuple[str, dict[str, object]]] = []
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        listed = ", ".join(name[:SHORT] for name in header[:SHORT]) or "–"
        found.append(("scorecard_columns", {"missing": ", ".join(missing), "found": listed}))
    for name in (*COLUMNS, *PLACES):
        if header.count(name) > 1:
            found.append(("scorecard_column_twice", {"column": name}))
    for name in dict.fromkeys(header):
        near = [] if name in COLUMNS else difflib.get_close_matches(name[:SHORT], PLACES, n=1, cutoff=0.7)
        if near and near[0] != name:
            found.append(("scorecard_column_near", {"column": name[:SHORT], "near": near[0]}))
    return found


def _take(reading: _Reading, line: int, row: dict[str, str]) -> None:
    variable, category = row.get("variable", "").casefold(), row.get("category", "")
    sets = _sets(reading, line, row, areas=variable in (INTERCEPT, AREA))
    value = _number(reading, line, row.get("coefficient", ""), variable)
    if variable in (INTERCEPT, AREA):
        column = _area_column(reading, line, variable, category)
        target = reading.areas
    else:
        column = _category_column(reading, line, variable, category)
        target = reading.values
    if sets is None or value is None or column is None:
        return
    if not np.isnan(target[sets, column]).all():
        reading.problem("scorecard_repeated", line=line, variable=variable, category=category or "–")
        return
    target[sets, column] = value


def _sets(reading: _Reading, line: int, row: dict[str, str], *, areas: bool) -> slice | int | np.ndarray | None:
    """Which rows of the table of coefficients, or of `areas` (one per regency), the line speaks of."""
    given = {name: row.get(name, "").replace(".", "") for name in PLACES}
    found = {name: units.index(name).get(code) for name, code in given.items() if code}
    for name, place in found.items():
        if place is None:
            reading.problem(f"scorecard_{name}", line=line, **{name: row[name][:SHORT]})
            return None
    if len(found) == 2 and not given["regency"].startswith(given["province"]):
        reading.problem("scorecard_regency_elsewhere", line=line, regency=given["regency"], province=given["province"])
        return None
    if not found:
        if reading.sets > 1:
            reading.problem("scorecard_province_missing", line=line)
            return None
        return slice(None)
    if "regency" in found:  # only a table by regency, or the areas, have rows for it
        return found["regency"]
    return found["province"] if reading.sets == PROVINCES and not areas else _regencies(found["province"])


def _regencies(province: int | None) -> np.ndarray:
    return np.flatnonzero(province_of_regency() == province)


def _number(reading: _Reading, line: int, text: str, variable: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        reading.problem("scorecard_number", line=line, text=text[:SHORT] or "–")
        return None
    limit = MAX_INTERCEPT if variable == INTERCEPT else MAX_COEFFICIENT
    if abs(value) > limit:
        reading.problem("scorecard_range", line=line, text=text[:SHORT], limit=f"{limit:g}")
        return None
    return value


def _gaps(reading: _Reading) -> None:
    """Categories left without a coefficient where most of the variable's others have one: a forgotten line. One may
    be left out as the reference, unless another already counts 0. A variable of which only a few categories are
    named is meant so: the rest counts 0."""
    for position, indicator in enumerate(INDICATORS):
        start = OFFSETS[position]
        given = ~np.isnan(reading.values[:, start : start + indicator.radix])
        rows = given.any(axis=1)
        if not rows.any():
            continue
        named = given.copy()
        for category in indicator.categories:  # a merged class speaks for its fine ones
            if category.merges:
                named[:, list(category.merges)] |= given[:, [category.code]]
        fine = [c for c in indicator.categories if c.code and not c.merges and c.value != NOT_APPLICABLE]
        lacking = ~named[rows][:, [c.code for c in fine]]
        zero = (reading.values[rows, start : start + indicator.radix] == 0).any(axis=1)
        listed = len(fine) - lacking.sum(axis=1)
        wrong = (2 * listed > len(fine)) & (len(fine) - listed > np.where(zero, 0, 1))
        if wrong.any():
            names = [c.value for c, lacks in zip(fine, lacking[wrong].any(axis=0)) if lacks]
            reading.problem("scorecard_gap", variable=indicator.name, missing=", ".join(names))


def _signs(reading: _Reading) -> None:
    """Variables whose best category counts less than the worst; the mean over provinces where they differ."""
    given = ~np.isnan(reading.values)
    known = given.any(axis=0)
    mean = np.where(known, np.nansum(reading.values, axis=0) / np.maximum(given.sum(axis=0), 1), np.nan)
    for position, indicator in enumerate(INDICATORS):  # one category left out is the reference and counts 0
        span = slice(OFFSETS[position] + 1, OFFSETS[position] + indicator.radix)
        if known[span].any():
            mean[span] = np.nan_to_num(mean[span])
    for position, worst, best in order.inverted(mean, TOLERANCE):
        indicator = INDICATORS[position]
        reading.problem(
            "scorecard_sign", variable=indicator.name,
            best=indicator.categories[best].value, best_value=f"{mean[OFFSETS[position] + best]:g}",
            worst=indicator.categories[worst].value, worst_value=f"{mean[OFFSETS[position] + worst]:g}",
        )  # fmt: skip


def _area_column(reading: _Reading, line: int, variable: str, category: str) -> int | None:
    if variable == INTERCEPT:
        if category:
            reading.problem("scorecard_intercept", line=line, category=category)
            return None
        return 0
    if category.casefold() in AREAS:
        return AREAS[category.casefold()]
    reading.problem("scorecard_category", line=line, variable=variable, category=category,
                    near=", ".join(AREAS))  # fmt: skip
    return None


def _category_column(reading: _Reading, line: int, variable: str, category: str) -> int | None:
    position = _POSITION.get(variable)
    if position is None:
        near = difflib.get_close_matches(variable[:SHORT], [*_POSITION, INTERCEPT, AREA], n=3, cutoff=0.5)
        reading.problem("scorecard_variable", line=line, variable=variable[:SHORT] or "–", near=", ".join(near) or "–")
        return None
    indicator = INDICATORS[position]
    wanted = category.casefold()
    for spelling in ("value", "label_id", "label_en"):
        for known in indicator.categories:
            if str(getattr(known, spelling)).casefold() == wanted:
                return OFFSETS[position] + known.code
    listed = [c.value for c in indicator.categories]
    if not wanted:
        reading.problem("scorecard_category_empty", line=line, variable=variable, near=", ".join(listed[1:]))
        return None
    near = difflib.get_close_matches(category[:SHORT], listed, n=3, cutoff=0.5) or listed
    reading.problem("scorecard_category", line=line, variable=variable, category=category[:SHORT],
                    near=", ".join(near))  # fmt: skip
    return None


def _finish(name: str, reading: _Reading, shares: Shares | None) -> Scorecard:
    given = reading.values
    filled = np.nan_to_num(given)
    for position, indicator in enumerate(INDICATORS):
        start = OFFSETS[position]
        for category in indicator.categories:  # only the merged class listed: the fine ones take its value
            if not category.merges:
                continue
            fine = [start + code for code in category.merges]
            merged = given[:, start + category.code]
            use = np.isnan(given[:, fine]).all(axis=1) & ~np.isnan(merged)
            filled[np.ix_(use, fine)] = merged[use, None]
    derived = neutral(filled, shares)
    explicit = ~np.isnan(given)
    derived[explicit] = given[explicit]
    intercept, zones = np.nan_to_num(reading.areas[:, 0]), np.nan_to_num(reading.areas[:, [URBAN, RURAL]])
    unknown = np.where(np.isnan(reading.areas[:, UNKNOWN]), zones.mean(axis=1), reading.areas[:, UNKNOWN])
    by_zone = intercept[:, None] + np.column_stack([unknown, zones])
    return Scorecard(
        name, "file", np.rint(derived * 1000).astype(np.int32), np.rint(by_zone * 1000).astype(np.int32)
    )


def to_csv(card: Scorecard, path: Path) -> None:
    """Write `card` so that `from_csv` reads the same coefficients again: every category, and intercepts by regency in
    thousandths of a log unit. OSError as of the file."""
    level = {PROVINCES: "province", REGENCIES: "regency"}.get(card.sets)
    codes = units.table(level)["code"].tolist() if level else [""]
    regencies = units.table("regency")["code"].tolist()
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow([*COLUMNS, *PLACES])
        for number, code in enumerate(codes):
            where = ["", code] if card.sets == REGENCIES else [code, ""]
            for position, indicator in enumerate(INDICATORS):
                for category in indicator.categories:
                    value = card.coefficients[number, OFFSETS[position] + category.code]
                    out.writerow([indicator.name, category.value, _milli(value), *where])
        for regency, (unknown, urban, rural) in zip(regencies, card.area.tolist()):
            where = ["" if card.sets == 1 else regency[:2], regency]
            out.writerow([INTERCEPT, "", _milli(rural), *where])
            out.writerow([AREA, "perkotaan", _milli(urban - rural), *where])
            out.writerow([AREA, "tidak_diketahui", _milli(unknown - rural), *where])


def _milli(value: int) -> str:
    return f"{value / 1000:.3f}"
