"""Of whom a figure speaks: an area, urban or rural, a kind of family."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dtsen_core.errors import UserError
from dtsen_core.policy.cube import Cube, Floats, Ints
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


def within(scope: Scope, regency: Ints, province: Ints, urban: Ints) -> np.ndarray:
    """Whether cells lie in the area and place of `scope`."""
    inside = np.ones(len(regency), dtype=bool)
    if scope.area != units.NATION:
        level = _level(scope.area)
        inside &= (regency if level == "regency" else province) == units.index(level)[scope.area]
    if scope.place != "all":
        inside &= urban == PLACES.index(scope.place)
    return inside


def share(cube: Cube, scope: Scope) -> Floats:
    """Part of each cell's families that `scope` speaks of, 0 … 1 (exact cells: 0 or 1)."""
    inside = within(scope, cube.regency, cube.province, cube.urban).astype(np.float64)
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
