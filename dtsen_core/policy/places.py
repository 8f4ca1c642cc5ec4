"""Who is eligible under a rule, who holds a place, and what the place is worth: arrays over the cells of a cube.

Places are filled from the worst-off up: score ascending. Families of the score at which the quota ends share what
is left of it in equal parts, so a quota is met exactly; single families are put in order by `needs.ordered`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dtsen_core.policy.cube import COUNTED, Cube
from dtsen_core.policy.programme_rules import Rule
from dtsen_core.rank.histogram import thresholds

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MONTHS = 12


@dataclass(frozen=True, eq=False)
class Order:
    """An order of the cells: `score` (higher = better off) and the national `decile` that follows (0 = unknown)."""

    score: Ints
    decile: Ints


def base_order(cube: Cube) -> Order:
    """The delivered deciles, and within them the score of the dataset's own model."""
    return Order(cube.score, cube.decile)


def other_order(cube: Cube) -> Order:
    """Score and national deciles (tenths of families) of the cube's other model; the base order without one."""
    if cube.other is None:
        return base_order(cube)
    nation = np.zeros(len(cube.other), dtype=np.int64)
    rows = cube.rows.astype(np.int64)
    return Order(cube.other, thresholds(nation, 1, cube.other, rows, cube.weight).decile(nation, cube.other))


def eligible_share(cube: Cube, rule: Rule, order: Order, score_to: int | None = None) -> Floats:
    """Share of each cell's units that the rule means (0 or 1 in an exact cube); NaN-free.

    `score_to` replaces the last decile by a score. A rule that names no decile means nobody that can be told:
    the share is then 0 everywhere and `Rule.deciles` is empty.
    """
    if score_to is not None:
        inside = (order.score <= score_to) & (order.decile >= (rule.decile_from or 1))
    elif rule.decile_from is None or rule.last_decile is None:
        return np.zeros(len(cube.rows))
    else:
        inside = (order.decile >= rule.decile_from) & (order.decile <= rule.last_decile)
    return inside * _condition(cube, rule.condition)


def _condition(cube: Cube, name: str) -> Floats:
    if not name:
        return np.ones(len(cube.rows))
    if name in cube.bits:
        return cube.bits[name].astype(np.float64)
    if name in ("urban", "rural"):
        return (cube.urban == (1 if name == "urban" else 2)).astype(np.float64)
    group = "disability" if name == "severe_disability" else name
    return cube.sums[group] / cube.rows


def known(cube: Cube, rule: Rule) -> bool:
    """Whether the data say who is enrolled in the programme."""
    return bool(rule.flag) and rule.enrolment in cube.programmes


def enrolled(cube: Cube, rule: Rule) -> Floats:
    """Units that hold a place today; all 0 where the data do not speak about the programme."""
    return cube.sums[rule.flag] * cube.weight if known(cube, rule) else np.zeros(len(cube.rows))


def protected_share(cube: Cube, rule: Rule) -> Floats:
    """1 where a declared exception keeps a place whatever the decile (chronic illness, newborn …)."""
    kept = np.zeros(len(cube.rows))
    for name in rule.protected:
        kept = np.maximum(kept, _condition(cube, name))
    return kept


def fill(score: Ints, units: Floats, places: float) -> Floats:
    """The part of `units` that gets one of `places`, worst-off first; equal scores share the last ones."""
    total = float(units.sum())
    if places >= total * (1 - 1e-12):
        return units
    if places <= 0 or not len(units):
        return np.zeros_like(units)
    low = int(score.min())
    by_score = np.bincount(score - low, units)
    before = np.cumsum(by_score) - by_score
    part = np.clip(np.divide(places - before, by_score, out=np.zeros_like(before), where=by_score > 0), 0.0, 1.0)
    return np.asarray(units * part[score - low])


def by_rule(cube: Cube, rule: Rule, order: Order, share: Floats, *, keep_protected: bool = True) -> Floats:
    """Units served when all places are given anew: protected holders first, then the eligible in order."""
    held = np.zeros(len(cube.rows))
    if keep_protected and rule.protected:
        held = enrolled(cube, rule) * protected_share(cube, rule)
    places = np.inf if rule.quota is None else float(rule.quota)
    first = fill(order.score, held, places)
    rest = np.maximum(cube.units(rule.unit) * share - first, 0.0)
    return first + fill(order.score, rest, places - float(first.sum()))


@dataclass(frozen=True, eq=False)
class Side:
    """A rule with the order and the eligible shares it leads to."""

    rule: Rule
    order: Order
    share: Floats


def from_lists(cube: Cube, old: Side, new: Side) -> Floats:
    """Units served when today's lists are kept and only what the new rule changes is changed.

    Holders who lose eligibility leave, unless protected; who was outside the old rule already stays as before.
    A smaller quota takes places from the best-off holders. Places that the reform frees or adds go to the
    eligible without a place, worst-off first; places that stand empty today stay empty. With equal rules the
    result is today's list, to the last bit.
    """
    held, units = enrolled(cube, new.rule), cube.units(new.rule.unit)
    kept = protected_share(cube, new.rule)
    stay = held * (1 - old.share * (1 - new.share) * (1 - kept))
    total = float(held.sum())
    q0 = np.inf if old.rule.quota is None else float(old.rule.quota)
    q1 = np.inf if new.rule.quota is None else float(new.rule.quota)
    cap = max(q1, total) if q1 >= q0 else q1
    first = fill(new.order.score, stay * kept, cap)
    keep = stay if cap >= float(stay.sum()) else first + fill(
        new.order.score, stay * (1 - kept), cap - float(first.sum())
    )  # fmt: skip
    free = np.divide(units - held, units, out=np.zeros_like(units), where=units > 0).clip(0.0, 1.0)
    waiting = units * new.share * free
    if np.isinf(q1):
        return keep + (waiting * (1 - old.share) if np.isinf(q0) else waiting)
    empty = max(q0 - total, 0.0) if np.isfinite(q0) else 0.0
    places = cap - float(keep.sum()) - empty
    return keep + fill(new.order.score, waiting, places) if places > 1e-6 else keep


def value(cube: Cube, rule: Rule) -> Floats:
    """Rp a year that one unit of each cell receives; NaN where the amount is not known."""
    if rule.amount is not None:
        return np.full(len(cube.rows), float(rule.amount))
    if not rule.components or not cube.members:
        return np.full(len(cube.rows), np.nan)
    return by_kind(cube.kinds, rule)[cube.kind]


def by_kind(kinds: Floats, rule: Rule) -> Floats:
    """Rp a year of a family with the members of each row of `kinds` (columns `COUNTED`), caps applied."""
    total = np.zeros(len(kinds))
    for part in rule.components:
        if part.key in COUNTED:
            members = kinds[:, COUNTED.index(part.key)]
            total += part.amount * (members if part.cap is None else np.minimum(members, part.cap))
    return total


def component_lines(rule: Rule, members: dict[str, int]) -> list[tuple[str, int, int, float, float]]:
    """The calculator: (component, members, members paid, Rp each a year, Rp a year) of each component of `rule`.

    `members` counts the family's members by component; a missing one counts 0. ValueError for a negative or
    unknown count.
    """
    unknown = set(members) - {part.key for part in rule.components}
    if unknown:
        raise ValueError(f"unknown components: {', '.join(sorted(unknown))}")
    lines = []
    for part in rule.components:
        number = int(members.get(part.key, 0))
        if number < 0:
            raise ValueError(f"{part.key}: the number of members must not be negative")
        paid = number if part.cap is None else min(number, part.cap)
        lines.append((part.key, number, paid, part.amount, paid * part.amount))
    return lines
