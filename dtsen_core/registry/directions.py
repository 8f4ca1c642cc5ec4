"""Declared directions of ordered indicators (``data/rules/indicator_directions.toml``)."""

from __future__ import annotations

import tomllib
from functools import lru_cache

from dtsen_core.paths import RULES
from dtsen_core.registry.indicators import INDICATORS


@lru_cache(maxsize=1)
def directions() -> dict[str, tuple[int, ...]]:
    """Indicator → category codes from worse off to better off; indicators without an order are absent.

    ValueError when the file names an indicator or a category that does not exist.
    """
    raw = tomllib.loads((RULES / "indicator_directions.toml").read_text(encoding="utf-8"))["order"]
    known = {indicator.name: {c.value: c.code for c in indicator.categories} for indicator in INDICATORS}
    found = {}
    for name, values in raw.items():
        missing = [value for value in values if value not in known.get(name, {})]
        if missing:
            raise ValueError(f"indicator_directions.toml: {name}: {missing}")
        found[name] = tuple(known[name][value] for value in values)
    return found
