"""Reach: who is meant, who is listed, who is missed and who should not be there, each by cause.

With E eligible and Q listed units of an area, C listed and eligible, L = Q − C listed and not eligible:
missed U = E − C. Of U, those another payer covers; of the rest max(E − Q, 0) could not be served within the
places there are, and the remainder is displaced by the L places that went to others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dtsen_core.policy.cube import COUNTED_UNITS, Cube
from dtsen_core.policy.effectiveness.scope import Scope, meets, share
from dtsen_core.policy.programme_rules import Rule

REFERENCE_DECILE = 4  # the base where a programme's source names no decile: the poorest 40 %
MISSED = ("other_payer", "no_place", "displaced")
LEAKED = ("above", "condition", "unranked")
TOTALS = ("base", "eligible", "listed", "covered", "missed", "leaked", *MISSED, *LEAKED)
FLAGS = {"pkh": "pkh", "sembako": "sembako", "pbi": "pbi_persons", "pip": "pip_pupils", "blt_desa": "blt_desa"}


@dataclass(frozen=True, eq=False)
class Reach:
    """`by_decile`: decile (0 = unranked), n, families, units, listed. `totals`: one row, n, families and
    `TOTALS`, in `unit`. `last_decile` of the base; `official` whether the rule itself names it."""

    by_decile: pd.DataFrame
    totals: pd.DataFrame
    unit: str
    last_decile: int
    official: bool


def last_decile(rule: Rule, chosen: int | None) -> tuple[int, bool]:
    """(last decile of the base, whether the programme's own rule says so)."""
    if chosen is not None:
        return chosen, chosen == rule.decile_to
    return (rule.decile_to, True) if rule.decile_to is not None else (REFERENCE_DECILE, False)


def reach(cube: Cube, rule: Rule, scope: Scope, chosen: int | None = None) -> Reach:
    """Reach of `rule` in `scope`; `chosen` replaces the last decile of the base."""
    last, official = last_decile(rule, chosen)
    part = share(cube, scope)
    weight = cube.weight * part
    if rule.unit == "families":
        units = cube.rows * weight
        listed = cube.sums[rule.flag] * weight
    else:
        units = cube.sums[rule.unit] * weight
        listed = cube.sums[rule.flag] * weight
        if rule.unit in COUNTED_UNITS and not cube.members:
            units = np.full(len(units), np.nan)
    decile = np.clip(cube.decile, 0, 10)
    able = meets(cube, rule)
    meant = (decile >= 1) & (decile <= last) & able
    covered = np.minimum(listed, units) * meant
    other = cube.sums[rule.other] * weight * meant if rule.other else np.zeros(len(units))
    eligible, places = float((units * meant).sum()), float(listed.sum())
    missed = eligible - float(covered.sum())
    by_other = min(float(np.minimum(other, np.maximum(units - listed, 0) * meant).sum()), missed)
    no_place = min(max(eligible - places, 0.0), missed - by_other)
    leaked = listed - covered
    row = {
        "code": scope.area, "n": float((cube.rows * part).sum()), "families": float((cube.rows * weight).sum()),
        "base": float(units.sum()), "eligible": eligible, "listed": places, "covered": float(covered.sum()),
        "missed": missed, "leaked": float(leaked.sum()), "other_payer": by_other, "no_place": no_place,
        "displaced": missed - by_other - no_place, "above": float((leaked * (decile > last)).sum()),
        "condition": float((leaked * ((decile >= 1) & (decile <= last))).sum()),
        "unranked": float((leaked * (decile == 0)).sum()),
    }  # fmt: skip
    counted = {
        "n": np.bincount(decile, cube.rows * part, 11), "families": np.bincount(decile, cube.rows * weight, 11),
        "units": np.bincount(decile, units, 11), "listed": np.bincount(decile, listed, 11),
    }  # fmt: skip
    table = pd.DataFrame({"decile": np.arange(11), **counted})
    table = table[(table["decile"] > 0) | (table["n"] > 0)].reset_index(drop=True)
    return Reach(table, pd.DataFrame([row]), rule.unit, last, official)


def overlap(cube: Cube, scope: Scope, keys: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(families by combination of the programmes `keys`, families receiving each pair).

    First: pattern (keys joined by "+", "" = none), n, families, largest first. Second: program, n, families, and
    one column per programme with the families receiving both.
    """
    part = share(cube, scope)
    has = np.column_stack([cube.sums[FLAGS[key]] > 0 for key in keys])
    code = has @ (1 << np.arange(len(keys)))
    families, rows = cube.rows * cube.weight * part, cube.rows * part
    by_code = np.bincount(code, families, 1 << len(keys))
    n = np.bincount(code, rows, 1 << len(keys))
    names = ["+".join(k for bit, k in enumerate(keys) if c >> bit & 1) for c in range(1 << len(keys))]
    patterns = pd.DataFrame({"pattern": names, "n": n, "families": by_code})
    patterns = patterns[patterns["families"] > 0].sort_values("families", ascending=False, ignore_index=True)
    pairs = pd.DataFrame({
        "program": keys, "n": [float(rows @ has[:, k]) for k in range(len(keys))],
        "families": [float(families @ has[:, k]) for k in range(len(keys))],
    })  # fmt: skip
    for k, key in enumerate(keys):
        pairs[f"with_{key}"] = [float(families @ (has[:, k] & has[:, j])) for j in range(len(keys))]
    return patterns, pairs
