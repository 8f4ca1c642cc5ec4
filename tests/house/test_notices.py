"""Refusals repeat what a stranger wrote: they reach a page only through `ui/notices.py`."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHOWN = r"st\.(error|warning|info|success|caption|markdown)\((?!literal\()"
MARKED = re.compile(SHOWN + r"[^\n]*\.(message|text)\((page\.)?lang\)")


def test_no_refusal_is_shown_as_markdown() -> None:
    sources = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "dtsen_core" / "ui").glob("*.py")]
    found = [path.name for path in sources if MARKED.search(path.read_text(encoding="utf-8"))]
    assert found == []
