"""Answers on standard output as a table, JSON or CSV; everything else goes to standard error."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from dtsen_core.errors import UserError
from dtsen_core.spreadsheet import guarded

FORMATS = ("table", "json", "csv")

messages = Console(stderr=True, highlight=False, soft_wrap=True)


def check_format(given: str) -> str:
    if given not in FORMATS:
        raise UserError("errors_cli.choice", name="--format", given=given, allowed=", ".join(FORMATS))
    return given


def note(sentence: str) -> None:
    """A message for the reader of the screen, never part of the answer."""
    # A file's name may hold bytes that are no text; they are shown as marks rather than ending the message.
    messages.print(sentence.encode("utf-8", "backslashreplace").decode(), markup=False)


def emit(form: str, document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> None:
    """Print the answer: `document` whole as JSON, or its `rows` (columns of `titles`, in that order)."""
    if form == "json":
        print(json.dumps(plain(document), ensure_ascii=False, allow_nan=False))
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(titles)
        writer.writerows([_safe(_cell(row.get(column))) for column in titles] for row in rows)
    else:
        _table(rows, titles)
    sys.stdout.flush()


def _table(rows: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> None:
    table = Table(header_style="bold", show_edge=False)
    for column, title in titles.items():
        values = [row.get(column) for row in rows]
        right = all(isinstance(value, int | float) or value is None for value in values)
        table.add_column(title, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_shown(row.get(column)) for column in titles))
    screen = Console(file=sys.stdout, highlight=False)
    if not screen.is_terminal:  # a file or a pipe has no width to fold to
        screen = Console(file=sys.stdout, highlight=False, width=1000)
    screen.print(table, markup=False)


def plain(value: Any) -> Any:
    """`value` with numpy scalars, NaN and paths turned into what JSON knows; NaN becomes null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool) or value is None else str(value)


def _cell(value: Any) -> Any:
    value = plain(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _safe(value: Any) -> Any:
    return guarded(value) if isinstance(value, str) else value


def _shown(value: Any) -> str:
    value = _cell(value)
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
