"""Text that a spreadsheet program must not take for a formula."""

from __future__ import annotations

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guarded(cell: str) -> str:
    """`cell`, led by an apostrophe where a spreadsheet would otherwise compute it (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
