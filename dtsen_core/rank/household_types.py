"""Types of survey households (``data/rules/household_types.toml``): the first rule that fits decides."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dtsen_core.paths import RULES
from dtsen_core.rank.design import Survey
from dtsen_core.registry.indicators import INDICATORS


@dataclass(frozen=True)
class HouseholdType:
    """`position` of the indicator in `INDICATORS` and its `codes`; the last type has none and takes the rest."""

    name: str
    label_id: str
    label_en: str
    position: int
    codes: tuple[int, ...]

    def label(self, lang: str) -> str:
        return self.label_en if lang == "en" else self.label_id


@lru_cache(maxsize=1)
def household_types() -> tuple[HouseholdType, ...]:
    raw = tomllib.loads((RULES / "household_types.toml").read_text(encoding="utf-8"))["type"]
    places = {indicator.name: k for k, indicator in enumerate(INDICATORS)}
    found = []
    for entry in raw:
        position = -1
        codes: tuple[int, ...] = ()
        if "indicator" in entry:
            position = places[entry["indicator"]]
            known = {c.value: c.code for c in INDICATORS[position].categories}
            codes = tuple(known[value] for value in entry["values"])
        found.append(HouseholdType(entry["name"], entry["id"], entry["en"], position, codes))
    return tuple(found)


def type_of(survey: Survey) -> npt.NDArray[np.int64]:
    """Number of the type of each household, shape (households,)."""
    types = household_types()
    result = np.full(len(survey.y), len(types) - 1, dtype=np.int64)
    for number in range(len(types) - 2, -1, -1):
        one = types[number]
        result[np.isin(survey.categories[one.position], one.codes)] = number
    return result
