"""The indicators of the priority page: the registry's own measures and published figures, from
``data/rules/priority.toml`` and ``data/rules/rpjmn.toml``, validated on load."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from dtsen_core.errors import InternalError
from dtsen_core.paths import RULES
from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.regions import official, units

LEVELS = ("province", "regency", "district")
ORIGINS = ("registry", "official", "own")


@dataclass(frozen=True)
class Indicator:
    """One indicator of one level.

    kind       "rate" (a fraction), "count" or "mean"; `unit` and `label` by language; `period` and `source` of an
               official figure (empty for the registry's: those of the dataset)
    direction  +1: a larger value comes first, −1: a smaller one
    target     the national target in the unit of the values (None where there is none), `target_label` its words
    provincial column of `provincial_targets` with the target of each province, "" where there is none
    needs      as in `MapIndicator.needs`
    """

    key: str
    origin: str
    label: dict[str, str]
    unit: dict[str, str]
    kind: str
    decimals: int
    direction: int
    column: str
    format: str = ""
    period: str = ""
    source: str = ""
    target: float | None = None
    target_label: dict[str, str] | None = None
    provincial: str = ""
    needs: str = ""


@dataclass(frozen=True)
class Rules:
    """The whole file; `indicators` by (level, key)."""

    indicators: dict[tuple[str, str], Indicator]
    default: tuple[str, ...]
    quota_full_from: float
    cost_note: dict[str, str]
    cost_by_island: dict[str, float]
    target_source: str
    provincial_source: str

    def of_level(self, level: str) -> dict[str, Indicator]:
        """Indicators of `level` by key, the registry's first."""
        return {key: i for (at, key), i in self.indicators.items() if at == level}


@lru_cache(maxsize=1)
def priority_rules() -> Rules:
    raw = tomllib.loads((RULES / "priority.toml").read_text(encoding="utf-8"))
    plan = tomllib.loads((RULES / "rpjmn.toml").read_text(encoding="utf-8"))
    indicators: dict[tuple[str, str], Indicator] = {}
    for level in LEVELS:
        for key in raw["registry"]:
            target = plan["target"].get(raw["registry_target"].get(key, ""))
            indicators[level, key] = _registry(key, target, raw["registry_direction"].get(key))
        for key, entry in raw["official"].items():
            if level in entry:
                indicators[level, key] = _official(key, level, entry, plan["target"].get(entry.get("target", "")))
    costs = {str(k): float(v) for k, v in raw["cost_index"]["by_island"].items()}
    islands = set(units.table("province")["island_group"])
    if set(costs) != islands or any(v <= 0 for v in costs.values()):
        raise InternalError(f"priority.toml: cost_index names {sorted(costs)}, the islands are {sorted(islands)}")
    return Rules(
        indicators, tuple(raw["default"]), float(raw["quota_full_from"]), raw["cost_index"]["note"], costs,
        plan["source"], plan["provinces_source"],
    )  # fmt: skip


def _registry(key: str, target: dict[str, Any] | None, direction: int | None) -> Indicator:
    if key not in map_rules().indicators:
        raise InternalError(f"priority.toml: {key!r} is no measure of the map")
    m = map_rules().indicators[key]
    turn = direction or (-1 if m.better == "high" else 1)
    return Indicator(
        key, "registry", m.label, m.unit, m.kind, m.decimals, turn, m.column, m.format,
        target=_target(target), target_label=target["label"] if target else None,
        provincial=target["provinces"] if target else "", needs=m.needs,
    )  # fmt: skip


def _official(key: str, level: str, entry: dict[str, Any], target: dict[str, Any] | None) -> Indicator:
    at = entry[level]
    table = official.provinces() if level == "province" else official.regencies()
    if at["column"] not in table:
        raise InternalError(f"priority.toml: {key!r} names the column {at['column']!r}, which {level} lacks")
    percent = bool(entry["percent"])
    return Indicator(
        key, "official", entry["label"], {"id": at["period"], "en": at["period"]}, "rate" if percent else "mean",
        entry["decimals"], entry["direction"], at["column"], "", at["period"], at["source"],
        _target(target), target["label"] if target else None, target["provinces"] if target else "",
    )  # fmt: skip


def _target(entry: dict[str, Any] | None) -> float | None:
    """The national target in the unit of the values: rates as fractions."""
    if entry is None or "value" not in entry:
        return None
    return float(entry["value"]) / (100 if entry["unit"] == "persen" else 1)


@lru_cache(maxsize=1)
def provincial_targets() -> pd.DataFrame:
    """Targets of 2029 by province code, the easier end of each range, columns named as `Indicator.provincial`, rates as
    fractions; NaN where the target is not known."""
    table = official.provincial_plan().set_index("code")
    return pd.DataFrame({
        "p0": table["p0_high"] / 100, "gini": table["gini_high"], "unemployment": table["unemployment_high"] / 100,
    })  # fmt: skip


def official_values(level: str) -> pd.DataFrame:
    """Published figures of `level` by code, columns named by indicator key; per cent turned into fractions."""
    table = official.provinces() if level == "province" else official.regencies()
    out = {}
    for key, i in priority_rules().of_level(level).items():
        if i.origin == "official":
            out[key] = table[i.column].to_numpy(float) / (100 if i.kind == "rate" else 1)
    return pd.DataFrame(out, index=pd.Index(table["code"], name="code"))


def own_indicator(key: str, name: str) -> Indicator:
    """An indicator that a visitor uploaded: shown as plain numbers."""
    words = {"id": name, "en": name}
    return Indicator(key, "own", words, {"id": "", "en": ""}, "mean", 2, 1, key)
