"""The list of fitted models (``data/rules/models.toml``): a name, how it is fitted, and its parameter."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

from dtsen_core.errors import UserError
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


WAYS = {
    "ols": ("ols", "province"), "provincial": ("pmt", "province"), "national": ("pmt", "national"),
    "ridge": ("ridge", "province"), "regency": ("ridge", "regency"), "boosted": ("boosted", "province"),
    "boosted_national": ("boosted", "national"), "quantile": ("quantile", "province"),
}  # fmt: skip
"""How people ask for each kind: method and the area that has coefficients of its own."""
FAMILIES = tuple(dict.fromkeys(family for family, _ in WAYS.values()))
SCOPES = ("national", "province", "regency")


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


def find(family: str, scope: str, quantile: float | None = None) -> str:
    """Name of the declared model of `FAMILIES` fitted by `scope` (`SCOPES`); for quantile regression the `quantile`
    (0.3 if not given). UserError that lists what there is."""
    matches = [m for m in methods().values() if WAYS[m.kind] == (family, scope)]
    if not matches:
        known = ", ".join(f"{one} ({', '.join(by for f, by in WAYS.values() if f == one)})" for one in FAMILIES)
        raise UserError("errors_lab.method", method=family[:30], scope=scope[:30], known=known)
    if family != "quantile":
        if quantile is not None:
            raise UserError("errors_lab.quantile_only")
        return matches[0].name
    wanted = 0.3 if quantile is None else quantile
    for match in matches:
        if abs(match.quantile - wanted) < 1e-9:
            return match.name
    raise UserError("errors_lab.quantile", given=wanted, known=", ".join(f"{m.quantile:g}" for m in matches))
