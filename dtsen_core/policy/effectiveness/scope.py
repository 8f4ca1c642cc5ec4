"""Of whom a figure speaks: an area, urban or rural, a kind of family."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dtsen_core.errors import UserError
from dtsen_core.policy.cube import Cube, Floats
from dtsen_core.policy.programme_rules import Rule
from dtsen_core.regions import units

GROUPS = ("all", "female_head", "elderly_head", "disability", "alone", "large")
PLACES = ("all", "urban", "rural")


@dataclass(frozen=True)
class Scope:
    """`area` a code of a province or regency or `units.NATION`; `place` and `group` of `PLACES`, `GROUPS`."""

    area: str = units.NATION
    place: str = "all"
    group: str = "all"

    def where(self) -> tuple[str, list[int]]:
        """Condition on ``family_packed AS f`` for area and place, and its bound parameters."""
        parts, values = ["true"], []
        if self.area != units.NATION:
            level = _level(self.area)
            parts.append(f"f.{level} = ?")
            values.append(units.index(level)[self.area])
        if self.place != "all":
            parts.append("f.urban = ?")
            values.append(1 + PLACES.index(self.place) - 1)
        return " AND ".join(parts), values


def _level(code: str) -> str:
    level = units.level_of(units.require(code))
    if level not in ("province", "regency"):
        raise UserError("errors_efektivitas.area", code=code)
    return level


def share(cube: Cube, scope: Scope) -> Floats:
    """Part of each cell's families that `scope` speaks of, 0 … 1 (exact cells: 0 or 1)."""
    inside = np.ones(len(cube.rows))
    if scope.area != units.NATION:
        level = _level(scope.area)
        at = cube.regency if level == "regency" else cube.province
        inside *= at == units.index(level)[scope.area]
    if scope.place != "all":
        inside *= cube.urban == PLACES.index(scope.place)
    if scope.group != "all":
        inside *= cube.sums[scope.group] / cube.rows
    return inside


def meets(cube: Cube, rule: Rule) -> np.ndarray:
    """Whether the families of each cell meet the rule's condition beyond the decile."""
    condition = rule.condition
    if condition in ("rural", "urban"):
        return np.asarray(cube.urban == (2 if condition == "rural" else 1))
    if condition in cube.bits:
        return cube.bits[condition]
    if condition == "severe_disability":
        return np.asarray(cube.sums["disability"] > 0)
    if condition:
        return np.asarray(cube.sums[condition] > 0)
    return np.ones(len(cube.rows), dtype=bool)
