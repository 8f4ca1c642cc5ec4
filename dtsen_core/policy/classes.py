"""Welfare classes as shares of people by estimated expenditure.

Bounds: ``data/rules/welfare_classes.toml``.
"""

from __future__ import annotations

import itertools
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dtsen_core.errors import InternalError
from dtsen_core.paths import RULES


@dataclass(frozen=True)
class WelfareClass:
    """`start` ≤ expenditure < `below`, in poverty lines; `below` is infinite for the last class."""

    name: str
    label_id: str
    label_en: str
    start: float
    below: float

    def label(self, lang: str) -> str:
        return self.label_en if lang == "en" else self.label_id


@lru_cache(maxsize=1)
def _rules() -> dict[str, Any]:
    return tomllib.loads((RULES / "welfare_classes.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def classes() -> tuple[WelfareClass, ...]:
    """Poor, vulnerable, prosperous in rising order; each begins where the one before ends."""
    found = tuple(
        WelfareClass(c["name"], c["label_id"], c["label_en"], float(c["from"]), float(c.get("below", float("inf"))))
        for c in _rules()["class"]
    )
    if [c.name for c in found] != ["poor", "vulnerable", "prosperous"]:
        raise InternalError("welfare_classes.toml must list poor, vulnerable, prosperous")
    if any(a.below != b.start or a.below <= a.start for a, b in itertools.pairwise(found)):
        raise InternalError("welfare_classes.toml: classes must follow each other without a gap")
    return found


def source() -> str:
    """Where the bounds come from, for notes under tables."""
    return str(_rules()["source"])
