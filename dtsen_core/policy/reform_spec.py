"""What somebody changes: a reform as plain choices, its short code for addresses, and the rule it leads to."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace
from typing import Any

from dtsen_core.errors import UserError
from dtsen_core.policy.programme_rules import COMPONENTS, CONDITIONS, UNITS, Component, Rule

BASES = ("enrolment", "rule")
NEW = "new"
UNLIMITED = -1.0
MAX_AMOUNT, MAX_QUOTA = 1e10, 1e9
LINES = (0.25, 4.0)


@dataclass(frozen=True)
class Design:
    """A programme that does not exist yet: what it counts and the condition beyond the decile."""

    unit: str = "families"
    condition: str = ""


@dataclass(frozen=True)
class Reform:
    """Changes to the programme `programme`; None = as the rule stands. Hashable: a cache key by its `code`.

    quota       units; `UNLIMITED` = everybody eligible; decile_to replaces all last deciles; score_to a score
                instead of it
    amount      Rp a unit and year; components (name, Rp a year) of those that change
    line        factor on every poverty line; model: ranking by another stored model ("" = the delivered deciles)
    basis       "enrolment": today's lists, changed where the rule changes; "rule": all places given anew, on
                both sides of the comparison
    design      a new programme instead of an existing one
    """

    programme: str
    decile_from: int | None = None
    decile_to: int | None = None
    score_to: int | None = None
    quota: float | None = None
    amount: float | None = None
    components: tuple[tuple[str, float], ...] = ()
    line: float = 1.0
    model: str = ""
    basis: str = "enrolment"
    design: Design | None = None

    @property
    def null(self) -> bool:
        """True if it changes nothing but how the comparison is made."""
        return self == Reform(self.programme, line=self.line, basis=self.basis)

    @property
    def code(self) -> str:
        """Short text of stable codes, for an address or a cache; `parse_reform` reads it back."""
        parts = [self.programme]
        for letter, value in (("f", self.decile_from), ("d", self.decile_to), ("s", self.score_to)):
            parts += [] if value is None else [f"{letter}{value}"]
        for letter, money in (("q", self.quota), ("a", self.amount)):
            parts += [] if money is None else [f"{letter}{money:.12g}"]
        parts += [f"c{name}:{amount:.12g}" for name, amount in self.components]
        parts += [] if self.line == 1.0 else [f"l{self.line:.6g}"]
        parts += [f"m{self.model}"] if self.model else []
        parts += ["b"] if self.basis == "rule" else []
        parts += [f"u{self.design.unit}", f"k{self.design.condition}"] if self.design else []
        return "~".join(parts)


def parse_reform(text: str) -> Reform:
    """The reform of a `Reform.code`; ValueError or UserError if it is none."""
    programme, *rest = text.split("~")
    values: dict[str, Any] = {}
    components: list[tuple[str, float]] = []
    design: dict[str, str] = {}
    for part in rest:
        letter, value = part[:1], part[1:]
        if letter in "fds" and letter:
            values[{"f": "decile_from", "d": "decile_to", "s": "score_to"}[letter]] = int(value)
        elif letter in "qal" and letter:
            values[{"q": "quota", "a": "amount", "l": "line"}[letter]] = float(value)
        elif letter == "c":
            name, _, money = value.partition(":")
            components.append((name, float(money)))
        elif letter == "m":
            values["model"] = value
        elif part == "b":
            values["basis"] = "rule"
        elif letter in "uk" and letter:
            design[{"u": "unit", "k": "condition"}[letter]] = value
        else:
            raise ValueError(part)
    reform = Reform(programme, components=tuple(components), design=Design(**design) if design else None, **values)
    check(reform)
    return reform


def check(reform: Reform) -> Reform:
    """`reform` if its figures are possible; UserError with one sentence otherwise."""
    for name in ("decile_from", "decile_to"):
        value = getattr(reform, name)
        if value is not None and not 1 <= value <= 10:
            raise UserError("errors_simulasi.decile", given=value)
    if reform.decile_from and reform.decile_to and reform.decile_from > reform.decile_to:
        raise UserError("errors_simulasi.decile_order", first=reform.decile_from, last=reform.decile_to)
    if reform.quota is not None and reform.quota != UNLIMITED and not 0 < reform.quota <= MAX_QUOTA:
        raise UserError("errors_simulasi.quota", given=_plain(reform.quota))
    for money in (reform.amount, *(amount for _, amount in reform.components)):
        if money is not None and not 0 <= money <= MAX_AMOUNT:
            raise UserError("errors_simulasi.amount", given=_plain(money))
    for name, _ in reform.components:
        if name not in COMPONENTS:
            raise UserError("errors_simulasi.component", given=name[:40], allowed=", ".join(COMPONENTS))
    if not LINES[0] <= reform.line <= LINES[1]:
        raise UserError("errors_simulasi.line", given=_plain(reform.line))
    if reform.basis not in BASES:
        raise UserError("errors_simulasi.basis", given=reform.basis, allowed=", ".join(BASES))
    if reform.design is not None and (
        reform.design.unit not in UNITS or reform.design.condition not in ("", *CONDITIONS)
    ):
        raise UserError("errors_simulasi.design", units=", ".join(UNITS), conditions=", ".join(CONDITIONS))
    return reform


def _plain(value: float) -> str:
    return f"{value:.12g}" if math.isfinite(value) else "–"


def changed_rule(old: Rule, reform: Reform) -> Rule:
    """`old` with the reform's changes; `old` itself if there are none. UserError for an impossible reform."""
    check(reform)
    values: dict[str, Any] = {}
    if reform.decile_from is not None:
        values["decile_from"] = reform.decile_from
    if reform.decile_to is not None:
        values |= {"decile_to": reform.decile_to, "then_decile_to": None}
        values.setdefault("decile_from", old.decile_from or 1)
    first, last = values.get("decile_from", old.decile_from), values.get("decile_to", old.decile_to)
    if first is not None and last is not None and first > last:
        raise UserError("errors_simulasi.decile_order", first=first, last=last)
    if reform.quota is not None:
        values["quota"] = None if reform.quota == UNLIMITED else reform.quota
    if reform.amount is not None:
        values |= {"amount": reform.amount, "components": ()}
    elif reform.components:
        wanted = dict(reform.components)
        values["components"] = tuple(
            Component(part.key, wanted.get(part.key, part.amount), part.cap) for part in old.components
        )
    return replace(old, **values) if values else old


def designed(reform: Reform, day: dt.date, name: dict[str, str]) -> Rule:
    """The rule a new programme starts from: its deciles, nobody's flag, no amount until the reform gives one."""
    design = reform.design or Design()
    return Rule(
        key=NEW, name=name, short=name, unit=design.unit, valid_from=day, condition=design.condition,
        decile_from=reform.decile_from or 1, decile_to=reform.decile_to or 4, amount=reform.amount or 0.0,
    )  # fmt: skip
