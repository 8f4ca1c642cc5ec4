"""The measures the welfare map can show, read from ``data/rules/map_indicators.toml`` and validated on load.

A rate never travels without its count, nor a count without its rate: every entry names a partner of the
other kind, and the loader refuses a file in which one is missing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dtsen_core.errors import InternalError
from dtsen_core.paths import RULES

NEEDS = ("", "model", "pkh", "sembako", "pbi")
KINDS = ("rate", "count", "mean")
BETTER = ("low", "high", "none")
BREAKS = ("regency", "level")
METHODS = ("natural", "quantile")
LANGS = ("id", "en")


@dataclass(frozen=True)
class MapIndicator:
    """One measure of an area. Rates are fractions of `denominator`; counts are families or persons."""

    key: str
    group: str
    label: dict[str, str]
    short: dict[str, str]
    unit: dict[str, str]
    kind: str
    column: str
    partner: str
    better: str
    scale: str
    decimals: int
    breaks: str
    classify: str
    base: str
    numerator: str = ""
    denominator: str = ""
    low: str = ""
    high: str = ""
    needs: str = ""
    format: str = ""
    hidden: bool = False

    @property
    def needs_model(self) -> bool:
        return self.needs == "model"

    def possible(self, known: Collection[str]) -> bool:
        """Whether data that know `known` ("model", programmes) can show this measure."""
        return not self.needs or self.needs in known

    @property
    def worst_first(self) -> bool:
        """True where rank 1 is the largest value (also for measures without a better end)."""
        return self.better != "high"


@dataclass(frozen=True)
class Inset:
    """A crowded place the magnifier shows: its name and the units (any level) it covers."""

    label: dict[str, str]
    codes: tuple[str, ...]


@dataclass(frozen=True)
class MapRules:
    """The whole file: indicators in the order of the menu, colour scales, thresholds.

    `pairs`: by theme three rows of three colours; row = class of the rate, column = class of the count.
    """

    indicators: dict[str, MapIndicator]
    groups: dict[str, dict[str, str]]
    scales: dict[str, dict[str, tuple[str, ...]]]
    classes: int
    small_sample: int
    rse_caution: float
    rse_rough: float
    village_families: int
    pairs: dict[str, tuple[tuple[str, ...], ...]]
    diverging: dict[str, tuple[str, ...]]
    insets: dict[str, Inset]
    valid_from: str
    source: str

    def offered(self) -> tuple[MapIndicator, ...]:
        """The indicators of the menu (partners that only accompany a count are left out)."""
        return tuple(i for i in self.indicators.values() if not i.hidden)

    def partner(self, indicator: MapIndicator) -> MapIndicator:
        return self.indicators[indicator.partner]


def _problems(rules: MapRules) -> list[str]:
    """Every contradiction in the file, so that they can be mended together."""
    found: list[str] = []
    for i in rules.indicators.values():
        for name, value, allowed in (
            ("kind", i.kind, KINDS),
            ("better", i.better, BETTER),
            ("breaks", i.breaks, BREAKS),
            ("classify", i.classify, METHODS),
            ("group", i.group, tuple(rules.groups)),
            ("scale", i.scale, tuple(rules.scales)),
            ("partner", i.partner, tuple(rules.indicators)),
            ("needs", i.needs, NEEDS),
        ):
            if value not in allowed:
                found.append(f"{i.key}.{name} = {value!r}")
        if i.partner in rules.indicators:
            other = rules.indicators[i.partner]
            if (i.kind == "count") == (other.kind == "count"):
                found.append(f"{i.key}.partner = {i.partner!r} is of the same kind")
            if other.needs and other.needs != i.needs:
                found.append(f"{i.key}.partner = {i.partner!r} needs {other.needs} and {i.key} does not")
        if i.kind == "rate" and not (i.numerator and i.denominator):
            found.append(f"{i.key} is a rate without numerator and denominator")
        for field, words in (("label", i.label), ("short", i.short), ("unit", i.unit)):
            if set(words) != set(LANGS):
                found.append(f"{i.key}.{field} lacks a language")
    for name, scale in rules.scales.items():
        if any(len(colours) != rules.classes for colours in scale.values()) or set(scale) != {
            "light",
            "dark",
        }:
            found.append(f"scale.{name} does not hold {rules.classes} colours for light and dark")
    for theme in ("light", "dark"):
        if [len(row) for row in rules.pairs.get(theme, ())] != [3, 3, 3]:
            found.append(f"pairs.{theme} is not three by three colours")
    return found


def load_rules(path: Path) -> MapRules:
    """Read and check one rules file; a contradiction in it is a bug of the installation."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    rules = MapRules(
        indicators={key: MapIndicator(key=key, **entry) for key, entry in raw["indicator"].items()},
        groups={key: entry["label"] for key, entry in raw["group"].items()},
        scales={
            key: {theme: tuple(colours) for theme, colours in entry.items()}
            for key, entry in raw["scale"].items()
        },
        classes=raw["classes"],
        small_sample=raw["small_sample"],
        rse_caution=raw["rse_caution"],
        rse_rough=raw["rse_rough"],
        village_families=raw["village_families"],
        pairs={theme: tuple(map(tuple, rows)) for theme, rows in raw["pairs"].items()},
        diverging={theme: tuple(colours) for theme, colours in raw["diverging"].items()},
        insets={key: Inset(entry["label"], tuple(entry["codes"])) for key, entry in raw["inset"].items()},
        valid_from=raw["valid_from"],
        source=raw["source"],
    )
    found = _problems(rules)
    if found:
        raise InternalError(f"{path.name}: " + "; ".join(found))
    return rules


@lru_cache(maxsize=1)
def map_rules() -> MapRules:
    return load_rules(RULES / "map_indicators.toml")
