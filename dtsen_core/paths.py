"""Where things lie in this installation. Imports nothing of the project."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
REFERENCE = DATA / "reference"
RULES = DATA / "rules"
LOCALE = DATA / "locale"
STATIC = ROOT / "static"
DEFAULT_DATASET = DATA / "build" / "demo"
