"""How two values of a kind are compared: ordered levels of agreement, for splink.

Each level carries what is believed before any data are seen: `m`, how often records of the same person fall
into it, and `u`, how often records of two people do. Data replace these; where data are too few they hold.
"""

from __future__ import annotations

from dataclasses import dataclass

from dtsen_core.integrate.link.kinds import WORDED

NEAR_FREQUENCY = 0.6
"""Power to which the frequency of a nearly equal value counts."""
FLAT = frozenset({"sex", "birth_date", "flat"})
"""Kinds whose values are not weighed by how frequent they are."""


@dataclass(frozen=True)
class Level:
    """One grade of agreement. `sql` over ``x_l`` and ``x_r``; `like_exact`: u is that of the exact level;
    `near`: a slip of the pen away, so that the value's frequency still tells something."""

    sql: str
    m: float
    u: float
    like_exact: bool = False
    near: bool = False


@dataclass(frozen=True)
class Comparison:
    """Levels of column `name` (internal), best first, the last one being "else"."""

    name: str
    kind: str
    levels: tuple[Level, ...]

    @property
    def frequencies(self) -> bool:
        """Rare values count for more."""
        return self.kind not in FLAT

    def settings(self, m: list[float], u: list[float], *, frequencies: bool) -> dict[str, object]:
        """The comparison as splink settings with probabilities `m`, `u` per level (best first).

        `frequencies`: weigh exact agreement by how rare the value is.
        """
        left, right = f"{self.name}_l", f"{self.name}_r"
        null = {"sql_condition": f"{left} IS NULL OR {right} IS NULL", "is_null_level": True, "label_for_charts": "-"}
        listed: list[dict[str, object]] = [null]
        for number, level in enumerate(self.levels):
            given: dict[str, object] = {
                "sql_condition": level.sql, "label_for_charts": str(number),
                "m_probability": m[number], "u_probability": u[number],
            }  # fmt: skip
            if number == 0 and frequencies and self.frequencies:
                given |= {"tf_adjustment_column": self.name, "tf_adjustment_weight": 1.0}
            if level.near and frequencies and self.frequencies:
                given |= {"tf_adjustment_column": self.name, "tf_adjustment_weight": NEAR_FREQUENCY}
            listed.append(given)
        return {"output_column_name": self.name, "comparison_levels": listed, "comparison_description": self.kind}


def _levels(kind: str, x: str, length: int, other: str | None) -> tuple[Level, ...]:
    a, b = f"{x}_l", f"{x}_r"
    exact, near = f"{a} = {b}", f"damerau_levenshtein({a}, {b})"
    alike = f"jaro_winkler_similarity({a}, {b})"
    shorter = f"least(length({a}), length({b}))"
    swap: list[Level] = []
    if other is not None:
        straight, across = f"{a} = {other}_r", f"{other}_l = {b}"
        nearly = [f"jaro_winkler_similarity({one}) >= 0.85" for one in (f"{a}, {other}_r", f"{other}_l, {b}")]
        crossed = f"({straight} AND {nearly[1]} OR {across} AND {nearly[0]})"
        if kind == "address":
            crossed = f"({a} = {other}_r OR {other}_l = {b})"
        swap = [Level(crossed, 0.01, 0.0, like_exact=True)]
    if kind in ("given_name", "surname"):
        initial = f"({shorter} = 1 AND left({a}, 1) = left({b}, 1))"
        prefix = f"({shorter} >= 3 AND (starts_with({a}, {b}) OR starts_with({b}, {a})))"
        return (
            Level(exact, 0.85, 0.005), *swap,
            Level(f"({near} <= 1 AND {shorter} >= 3) OR {alike} >= 0.92", 0.07, 0.004, near=True),
            Level(f"{alike} >= 0.82 OR {near} <= 2 AND {shorter} >= 5 OR {initial} OR {prefix}", 0.03, 0.02),
            Level("ELSE", 0.05, 0.97),
        )  # fmt: skip
    if kind == "full_name":
        sorted_a, sorted_b = f"{x}_s_l", f"{x}_s_r"
        shared = f"len(list_intersect({x}_t_l, {x}_t_r))"
        fewer = f"least(len({x}_t_l), len({x}_t_r))"
        return (
            Level(exact, 0.8, 0.001),
            Level(f"{sorted_a} = {sorted_b} OR ({near} <= 1 AND {shorter} >= 5)", 0.07, 0.0003, near=True),
            Level(f"{alike} >= 0.92 OR ({shared} >= 2 AND {shared} = {fewer}) OR "
                  f"jaro_winkler_similarity({sorted_a}, {sorted_b}) >= 0.92", 0.06, 0.002),
            Level(f"{alike} >= 0.82 OR {shared} >= 1", 0.03, 0.03),
            Level("ELSE", 0.04, 0.96),
        )  # fmt: skip
    if kind == "birth_date":
        swapped = (
            f"(left({a}, 4) = left({b}, 4) AND length({a}) = 8 AND length({b}) = 8 "
            f"AND substr({a}, 5, 2) = right({b}, 2) AND right({a}, 2) = substr({b}, 5, 2))"
        )
        year, day = f"left({a}, 4) = left({b}, 4)", f"substr({a}, 5) = substr({b}, 5) AND length({a}) > 4"
        two = f"({year} AND (right({a}, 2) = right({b}, 2) OR substr({a}, 5, 2) = substr({b}, 5, 2))) OR ({day})"
        return (
            Level(exact, 0.86, 0.0002),
            Level(f"{swapped} OR {near} <= 1", 0.06, 0.002),
            Level(f"length({a}) = 8 AND length({b}) = 8 AND ({two})", 0.03, 0.005),
            Level(f"{near} <= 2", 0.02, 0.02),
            Level("ELSE", 0.03, 0.99),
        )
    if kind in ("postcode", "code"):
        steps = [Level(exact, 0.9, 0.01 if length > 2 else 0.05)]
        if length >= 4:
            steps.append(Level(f"{near} <= 1", 0.05, 0.01))
        elif length >= 2:
            steps.append(Level(f"{near} <= 1 AND length({a}) = length({b}) AND length({a}) > 1", 0.04, 0.1))
        if length >= 7 or (kind == "postcode" and length >= 5):
            steps.append(Level(f"{near} <= 2 OR left({a}, 3) = left({b}, 3)", 0.02, 0.02))
        used = sum(level.m for level in steps)
        return (*steps, Level("ELSE", 1 - used, 1 - sum(level.u for level in steps)))
    if kind in WORDED:
        return _worded(x, exact, near, alike, shorter, swap)
    if kind == "place":
        return (
            Level(exact, 0.85, 0.02),
            Level(f"{alike} >= 0.92 OR ({shorter} >= 5 AND {near} <= 2)", 0.06, 0.005, near=True),
            Level(f"{alike} >= 0.82", 0.02, 0.02),
            Level("ELSE", 0.07, 0.95),
        )
    return (Level(exact, 0.96, 0.5), Level("ELSE", 0.04, 0.5))


def _worded(x: str, exact: str, near: str, alike: str, shorter: str, swap: list[Level]) -> tuple[Level, ...]:
    """Levels of texts of several words.

    Words in common count by their rarity: squared logarithm of one over the share of records that hold them
    (tf-idf, Salton & Buckley 1988), as cosine and as share of the shorter text. Two different first numbers (of
    houses, volumes) are never "nearly the same" however alike the texts are.
    """
    common = f"coalesce(list_sum(list_transform(list_intersect({x}_w_l, {x}_w_r), lambda w: w.w)), 0)"
    cosine = f"{common} / sqrt({x}_q_l * {x}_q_r)"
    held = f"{common} / least({x}_q_l, {x}_q_r)"
    several = f"least(len({x}_t_l), len({x}_t_r)) >= 2"
    solid = f"jaro_winkler_similarity({x}_s_l, {x}_s_r)"
    number = f"{x}_n_l = {x}_n_r"
    unlike = f"coalesce({x}_n_l <> {x}_n_r, false)"
    mail = f"(contains({x}_l, '@') AND contains({x}_r, '@') AND split_part({x}_l, '@', 1) = split_part({x}_r, '@', 1))"
    return (
        Level(exact, 0.72, 0.002), *swap,
        Level(f"NOT {unlike} AND ({solid} >= 0.94 OR ({shorter} >= 6 AND {near} <= 2) OR {cosine} >= 0.95)", 0.1,
          0.001, near=True),
        Level(f"NOT {unlike} AND ({alike} >= 0.9 OR {held} >= 0.9 OR {cosine} >= 0.6 OR {mail}) "
              f"OR {number} AND {held} >= 0.4", 0.07, 0.004),
        Level(f"{cosine} >= 0.4 OR {held} >= 0.6 OR {alike} >= 0.85", 0.03, 0.015),
        Level(f"{common} > 0 AND {several}", 0.03, 0.05),
        Level("ELSE", 0.05, 0.93),
    )  # fmt: skip


def comparisons(kinds: dict[str, str], lengths: dict[str, int]) -> list[Comparison]:
    """One comparison per column (internal name → kind); `lengths`: usual length of its values."""
    found = []
    for name, kind in kinds.items():
        partners = {"given_name": "surname", "surname": "given_name", "address": "address"}
        others = [c for c, k in kinds.items() if k == partners.get(kind) and c != name]
        found.append(
            Comparison(name, kind, _levels(kind, name, lengths[name], others[0] if len(others) == 1 else None))
        )
    return found
