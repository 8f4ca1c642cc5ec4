"""Downloads of a ranking: the same published tables as on screen, with the method note attached.

The label (SIMULATED or not), version, date, unit and sources travel inside the file, because files
leave their page.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import pandas as pd
import xlsxwriter

from dtsen_core.locale import text
from dtsen_core.spreadsheet import guarded

SHEET_NAME_LIMIT = 31


@dataclass(frozen=True)
class Sheet:
    """One table of a download. `frame` has display names as columns; numbers stay numbers and a
    suppressed cell is the word for it. `percent` names the columns that hold fractions."""

    title: str
    frame: pd.DataFrame
    percent: tuple[str, ...] = ()


def csv_bytes(sheet: Sheet, note: list[str]) -> bytes:
    """UTF-8 with byte order mark (so that spreadsheet programs read it), the note as leading # lines."""
    buffer = io.StringIO()
    for line in note:
        buffer.write(f"# {line}\n")
    words = sheet.frame.select_dtypes(["object", "string"]).columns
    safe = sheet.frame.assign(**{name: sheet.frame[name].map(_safe) for name in words})
    safe.to_csv(buffer, index=False, lineterminator="\n")
    return buffer.getvalue().encode("utf-8-sig")


def _safe(value: object) -> object:
    return guarded(value) if isinstance(value, str) else value


def xlsx_bytes(sheets: list[Sheet], note: list[str], lang: str) -> bytes:
    """A workbook: one sheet per table, the first line saying what it is, and a last sheet with the note."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "nan_inf_to_errors": True, "strings_to_formulas": False})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    formats = {
        "percent": book.add_format({"num_format": "0.0%"}),
        "whole": book.add_format({"num_format": "#,##0"}),
        "decimal": book.add_format({"num_format": "#,##0.000"}),
    }
    grey = book.add_format({"font_color": "#555555"})
    for sheet in sheets:
        page = book.add_worksheet(sheet.title[:SHEET_NAME_LIMIT])
        page.write_string(0, 0, note[0], grey)
        for c, column in enumerate(sheet.frame.columns):
            page.write_string(2, c, str(column), bold)
            shape = _shape(sheet, str(column))
            for r, value in enumerate(sheet.frame[column].tolist()):
                _write(page, r + 3, c, value, formats[shape])
            page.set_column(c, c, 28 if c < 2 else 14)
        page.freeze_panes(3, 2)
    page = book.add_worksheet(text("peringkat.sheet_note", lang)[:SHEET_NAME_LIMIT])
    page.set_column(0, 0, 120)
    for r, line in enumerate(note):
        page.write_string(r, 0, line)
    book.close()
    return buffer.getvalue()


def _shape(sheet: Sheet, column: str) -> str:
    if column in sheet.percent:
        return "percent"
    values = pd.to_numeric(sheet.frame[column], errors="coerce").dropna()
    return "whole" if values.empty or (values.abs() >= 1000).any() or (values % 1 == 0).all() else "decimal"


def _write(page: xlsxwriter.worksheet.Worksheet, row: int, column: int, value: object, shape: object) -> None:
    if value is None or (isinstance(value, float) and value != value):
        page.write_blank(row, column, None)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        page.write_number(row, column, value, shape)
    else:
        page.write_string(row, column, str(value))
