"""The declared rates of damage and the dice that realise them.

In the file every register has its own table; the sub-tables named after a slot (``nik``, ``kk``, ``nama``, …)
hold one rate per kind of damage, the rest are settings of that register.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dtsen_core.collect.simulate.damage.kinds import KINDS, SLOTS
from dtsen_core.paths import RULES

GRAIN = 1_000_000
"""Chances are whole millionths."""


@lru_cache(maxsize=1)
def damage() -> dict[str, dict[str, Any]]:
    """Register → settings and, per slot, rate of every kind of damage. ValueError if a kind is not declared or
    the rates of a slot exceed one."""
    rules = tomllib.loads((RULES / "sources" / "damage.toml").read_text(encoding="utf-8"))
    found = {name: entry for name, entry in rules.items() if isinstance(entry, dict)}
    for name, entry in found.items():
        for slot in SLOTS:
            known = {kind.code for kind in KINDS if kind.slot == slot}
            if set(entry.get(slot, {})) - known or sum(entry.get(slot, {}).values()) > 1:
                raise ValueError(f"damage.toml: {name}.{slot}: {entry[slot]}")
    return found


@dataclass(frozen=True)
class Dice:
    """Deterministic chances: a share of the rows, told apart by `key` columns, the seed and a word."""

    seed: int
    register: str
    key: str

    def number(self, word: str) -> str:
        return f"hash({self.key}, {self.seed}, '{self.register}/{word}')"

    def roll(self, word: str) -> str:
        """A whole number below `GRAIN`."""
        return f"({self.number(word)} % {GRAIN})::INTEGER"

    def below(self, word: str, share: str | float) -> str:
        """SQL condition: true for `share` of the rows; `share` is a number or SQL."""
        limit = f"{share} * {GRAIN}" if isinstance(share, str) else str(round(share * GRAIN))
        return f"({self.roll(word)} < {limit})"


def kind_of(slot: str, rates: dict[str, float], roll: str, second: str = "false", factor: float = 1.0) -> str:
    """SQL: the code of the one damage of `slot` that a record with the number `roll` has, or NULL. Where the
    condition `second` holds (second records of a person) the rates are `factor` times as high."""
    if not rates:
        return "NULL::VARCHAR"
    allowed = {kind.code: kind.when for kind in KINDS}

    def cases(times: float) -> str:
        reached, parts = 0.0, []
        for code, rate in rates.items():
            reached += rate * times
            chosen = f"'{code}'" if allowed[code] == "true" else f"CASE WHEN {allowed[code]} THEN '{code}' END"
            parts.append(f"WHEN {roll} < {round(reached * GRAIN)} THEN {chosen}")
        return f"CASE WHEN {roll} >= {round(reached * GRAIN)} THEN NULL {' '.join(parts)} END"

    return f"CASE WHEN {second} THEN {cases(factor)} ELSE {cases(1.0)} END" if factor != 1.0 else cases(1.0)
