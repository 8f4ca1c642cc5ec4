"""The measures of data quality by area, read from ``data/rules/quality_measures.toml`` and checked on load."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

from dtsen_core.errors import InternalError
from dtsen_core.paths import RULES

VIEWS = ("reading", "matching", "accuracy", "disagreement", "completeness", "freshness", "coverage")
OF = ("records", "links", "comparisons", "answers", "families", "persons")
LINKED = ("exact", "composite", "probable", "decision")
"""Passes that end in a link; the others are ``review`` and ``none``."""
PASSES = (*LINKED, "review", "none")
UNKNOWN_REGENCY = 65_535
STALE_MONTHS = 24
"""A record without an update for this many months counts as stale (the oldest band of freshness.toml)."""


@dataclass(frozen=True)
class Measure:
    """One share of a base; see the head of the rules file for the fields."""

    key: str
    view: str
    table: str
    of: str
    better: str
    scale: str
    weighted: bool


@lru_cache(maxsize=1)
def measures() -> dict[str, Measure]:
    """All measures by key, in the order of the menu."""
    raw = tomllib.loads((RULES / "quality_measures.toml").read_text(encoding="utf-8"))
    found = {key: Measure(key=key, **entry) for key, entry in raw["measure"].items()}
    wrong = [m.key for m in found.values() if m.view not in VIEWS or m.of not in OF or m.better not in ("low", "high")]
    if wrong:
        raise InternalError(f"quality_measures.toml: {wrong}")
    return found


def of_view(view: str) -> tuple[str, ...]:
    """Keys of the measures that `view` offers."""
    return tuple(m.key for m in measures().values() if m.view == view)
