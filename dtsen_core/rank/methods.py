"""The list of fitted models (``data/rules/models.toml``): a name, how it is fitted, and its parameter."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

from dtsen_core.paths import RULES

KINDS = ("ols", "provincial", "national", "ridge", "boosted", "boosted_national", "quantile", "regency")


@dataclass(frozen=True)
class Method:
    """One model: `kind` of `KINDS`; `quantile` in (0, 1) for kind "quantile"; `stored`: it stands in the
    dataset itself."""

    name: str
    kind: str
    quantile: float = 0.5
    stored: bool = False


@lru_cache(maxsize=1)
def _raw() -> dict:
    return tomllib.loads((RULES / "models.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def methods() -> dict[str, Method]:
    """All declared models by name; ValueError when the file is wrong."""
    found = {entry["name"]: Method(**entry) for entry in _raw()["model"]}
    wrong = [m.name for m in found.values() if m.kind not in KINDS or not 0 < m.quantile < 1]
    if wrong or not set(_raw()["default"]) <= set(found) or _raw()["baseline"] not in found:
        raise ValueError(f"models.toml: {wrong}")
    return found


def tournament() -> tuple[str, ...]:
    """Names of the models that the tournament compares, in order."""
    return tuple(_raw()["default"])


def baseline() -> str:
    """Name of the model the others are compared with: plain least squares per province."""
    return str(_raw()["baseline"])
