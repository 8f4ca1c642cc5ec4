"""Which record gives which value of the golden record: the declared rules as SQL over columns.

The rules are data (``data/rules/sources/survivorship.toml``). Every record that may give a value has a
*standing* per group: a number that is larger the better the record, unique among the registers, and from
whose last digit the register is read off. The largest standing among the records that know the value wins.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

from dtsen_core.paths import RULES
from dtsen_core.registry import ddl

RULE_NAMES = ("authority", "dated", "recency", "priority", "derived")
TRACED = ("dated", "recency", "priority")
"""Rules under which the register that gave a value is kept row by row."""
REASONS = ("authority", "recency", "priority", "duplicate")
"""Why a value lost: the civil register decides; an older record; a later register of the declared order;
another record of the same register describes the family or person."""
DATES = ("tanggal_pemutakhiran", "tanggal_ground_check")


@dataclass(frozen=True)
class Group:
    """Variables decided as one. `lead` empty: each variable on its own. `note` says how a derived one
    follows (``rank``, ``members``, ``latest``). `dwelling`: the answers hold for everyone who lives there."""

    set: str
    name: str
    rule: str
    variables: tuple[str, ...]
    lead: str = ""
    authority: str = ""
    note: str = ""
    dwelling: bool = False

    def decisions(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(variable that decides, variables it decides), one entry per decision."""
        if self.lead:
            return ((self.lead, self.variables),)
        return tuple((name, (name,)) for name in self.variables)


@dataclass(frozen=True)
class Rules:
    """The rule file. `order`: recipient registers, best first; `codes`: register → number in the origins."""

    order: tuple[str, ...]
    codes: dict[str, int]
    groups: tuple[Group, ...]

    def of(self, set_name: str, *rules: str) -> tuple[Group, ...]:
        return tuple(g for g in self.groups if g.set == set_name and (not rules or g.rule in rules))

    def group(self, set_name: str, variable: str) -> Group | None:
        """The group of a variable; None for a column that no rule speaks about (keys, flags)."""
        return next((g for g in self.of(set_name) if variable in g.variables), None)

    def source(self, code: int) -> str | None:
        return next((name for name, number in self.codes.items() if number == code), None)

    def standing(self, rule: str, source: str, day: str) -> str:
        """SQL number that tells how good a record of `source` dated `day` (SQL) is under `rule`."""
        place = len(self.order) - self.order.index(source)
        if rule == "recency":
            return f"(coalesce({day} - DATE '1800-01-01', 0) * 8 + {place})"
        return str(place)

    def winner(self, standing: str) -> str:
        """SQL: code of the register of the winning `standing`; 0 where it is NULL."""
        places = " ".join(
            f"WHEN {len(self.order) - rank} THEN {self.codes[source]}" for rank, source in enumerate(self.order)
        )
        return f"(CASE {standing} % 8 {places} ELSE 0 END)::UTINYINT"


@lru_cache(maxsize=1)
def rules() -> Rules:
    """The declared rules; ValueError if they contradict themselves or the field dictionary."""
    raw = tomllib.loads((RULES / "sources" / "survivorship.toml").read_text(encoding="utf-8"))
    groups = tuple(Group(**{**entry, "variables": tuple(entry["variables"])}) for entry in raw["group"])
    found = Rules(tuple(raw["order"]), dict(raw["codes"]), groups)
    for group in groups:
        if group.rule not in RULE_NAMES or (group.rule in ("authority", "dated")) != bool(group.authority):
            raise ValueError(f"survivorship.toml: {group.name}")
        if group.lead and group.lead not in group.variables:
            raise ValueError(f"survivorship.toml: {group.name}: {group.lead}")
    for set_name in ("keluarga", "anggota"):
        listed = [name for group in found.of(set_name) for name in group.variables]
        known = {f.name for f in ddl.stored_fields(set_name)} | (set(DATES) if set_name == "keluarga" else set())
        if sorted(listed) != sorted(known):
            raise ValueError(f"survivorship.toml: {set_name}: {sorted(set(listed) ^ known)}")
    if len(found.order) > 7 or not set(found.order) <= set(found.codes):
        raise ValueError("survivorship.toml: order")
    return found
