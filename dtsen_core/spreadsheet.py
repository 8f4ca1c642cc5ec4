"""Text that a spreadsheet program must not take for a formula."""

from __future__ import annotations

FORMULA = ("=", "+", "-", "@", "\t", "\r")
GUARDED = "^'([=+@\\t\\r-])"
"""A cell that `guarded` has guarded, as a regular expression (RE2) whose group is what it was."""


def guarded(cell: str) -> str:
    """`cell`, led by an apostrophe where a spreadsheet would otherwise compute it (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
