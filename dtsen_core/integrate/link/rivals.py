"""Two tables without duplicates of their own: whoever takes a partner takes it from all others.

The probability of every set of pairs in which no row occurs twice is proportional to the product of the pairs'
odds; what a single pair then keeps is found by passing messages between rows and columns (loopy belief
propagation for matchings: D. Shah, M. Bayati, C. Borgs et al., "Belief propagation for weighted b-matchings on
arbitrary graphs", 2011), exact where the rivals form a tree, as they nearly always do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from dtsen_core.integrate.link import model, scoring
from dtsen_core.integrate.link.comparisons import Comparison

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
SURE = 100.0
"""Odds from which a partner counts as sure."""
MANY = 0.2
"""If more of the matched rows than this have a second sure partner the tables hold several records of one thing."""
FEW, FEW_AT_LEAST = 0.02, 4
"""Up to so many, as a share of the matched rows or in number, two partners of one row are rivals unless they are
copies; above it also records that differ by slips alone may be two of the same thing."""
MOST_PARTNERED = 0.98
"""No more rows than this share are taken to have a partner before looking at their rivals."""
REFINED = 4
"""How many rows have a partner is reckoned so often, each time from what the pairs keep beside their rivals."""
ROUNDS = 12
LEAST_RIVAL = 1e-6
"""Pairs of smaller odds take nothing from others."""
MOST = 1e10


def settle(
    con: duckdb.DuckDBPyConnection, compared: list[Comparison], fitted: model.Model, rows: tuple[int, int]
) -> None:
    """Replace the odds in ``link_scored`` (id_l, id_r, odds, w_…) by those that are left beside the rivals.

    `rows`: of the two tables. Records of one table that are copies of each other (or, where doubles are not rare,
    that differ by slips alone) are twins: not each other's rivals. Where doubles are frequent nothing is done at all.
    """
    pairs = con.execute(
        f"SELECT id_l, id_r, odds FROM link_scored WHERE odds > {LEAST_RIVAL} ORDER BY id_l, id_r"
    ).fetchnumpy()
    if not len(pairs["odds"]):
        return
    ends = [np.unique(pairs[side], return_inverse=True) for side in ("id_l", "id_r")]
    odds = pairs["odds"].astype(np.float64)
    seconds = [np.bincount(index[odds > SURE], minlength=len(ids)) for ids, index in ends]
    sure = sum(int((count > 0).sum()) for count in seconds)
    double = sum(int((count > 1).sum()) for count in seconds)
    if double > max(FEW_AT_LEAST, MANY * sure):
        return
    groups = [np.arange(len(ids)) for ids, _ in ends]
    if double:
        copies = double <= max(FEW_AT_LEAST, FEW * sure)
        groups = _twins(con, compared, fitted, [ids for ids, _ in ends], copies=copies)
    # a pair drawn at random among all is less likely a match than one of two rows that have no partner yet
    left, free = odds, 1.0
    for _ in range(REFINED):
        taken = [partnered(left, ends[side][1], rows[side], fitted.share * rows[1 - side]) for side in (0, 1)]
        free = (1.0 - taken[0]) * (1.0 - taken[1])
        left = _beside(odds / free, [index for _, index in ends], groups)
    keep(con, pairs, left, free)


def keep(con: duckdb.DuckDBPyConnection, pairs: Mapping[str, npt.NDArray[Any]], kept: Array, free: float) -> None:
    """Write the odds that `pairs` (id_l, id_r) have `kept` into ``link_scored``; those of all others are divided by
    `free`, the share of pairs of which neither row has a partner."""
    con.register("link_left", {"l": pairs["id_l"], "r": pairs["id_r"], "kept": kept})
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE link_scored AS
        SELECT s.* REPLACE (coalesce(k.kept, odds / {free!r}) AS odds)
        FROM link_scored s LEFT JOIN link_left k ON k.l = s.id_l AND k.r = s.id_r"""
    )
    con.unregister("link_left")


def partnered(odds: Array, rows: Rows, count: int, most: float) -> float:
    """Share of `count` rows that have a partner, as the pairs' own odds say (`rows`: the row of each pair), and no more
    than `most`. Only pairs likelier matches than not count: many faint ones do not add up to a partner."""
    likely = np.bincount(rows, weights=np.where(odds > 1.0, odds / (1.0 + odds), 0.0))
    return float(min(np.minimum(likely, 1.0).sum() / count, most, MOST_PARTNERED))


def _beside(odds: Array, ends: list[Rows], groups: list[Rows]) -> Array:
    """Odds of each pair once the rivals at both ends have had their say; twins are no rivals."""
    odds = np.minimum(odds, MOST)
    sizes = [len(group) for group in groups]
    own = []
    for side in (0, 1):
        key = ends[side] * np.int64(sizes[1 - side]) + groups[1 - side][ends[1 - side]]
        own.append(np.unique(key, return_inverse=True)[1])
    claim = [np.zeros_like(odds), np.zeros_like(odds)]
    for number in range(ROUNDS):
        other = []
        for side in (0, 1):
            # what the partners of a row of `side` claim, without those of the pair's own group of twins
            offered = odds / (1.0 + claim[1 - side])
            every = np.bincount(ends[side], weights=offered, minlength=sizes[side])[ends[side]]
            other.append(np.maximum(every - np.bincount(own[side], weights=offered)[own[side]], 0.0))
        # halved steps keep rivals in a ring from answering each other in turns; the last step is a whole one
        last = number == ROUNDS - 1
        claim = other if last else [(new + old) / 2 for new, old in zip(other, claim)]
    return odds / ((1.0 + claim[0]) * (1.0 + claim[1]))


def _twins(
    con: duckdb.DuckDBPyConnection,
    compared: list[Comparison],
    fitted: model.Model,
    ids: list[Rows],
    *,
    copies: bool,
) -> list[Rows]:
    """Per side a group number for each of `ids`: rows of one partner that no column tells apart by more than a
    slip, or (`copies`) at all."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE link_pair AS
        WITH sure AS (SELECT id_l, id_r FROM link_scored WHERE odds > {SURE})
        SELECT DISTINCT least(a.id_r, b.id_r) AS l, greatest(a.id_r, b.id_r) AS r
        FROM sure a JOIN sure b ON a.id_l = b.id_l AND a.id_r < b.id_r
        UNION SELECT DISTINCT a.id_l, b.id_l FROM sure a JOIN sure b ON a.id_r = b.id_r AND a.id_l < b.id_l
        ORDER BY 1, 2"""
    )
    scoring.weigh(con, compared, fitted, slips=True)
    equal = " AND ".join(f"a.{c.name} IS NOT DISTINCT FROM b.{c.name}" for c in compared) if copies else "true"
    found = con.execute(
        f"""SELECT id_l, id_r FROM link_weight JOIN link_row a ON a.id = id_l JOIN link_row b ON b.id = id_r
        WHERE apart = 0 AND {equal} ORDER BY 1, 2"""
    ).fetchall()
    first = {number: number for one in ids for number in one.tolist()}

    def top(number: int) -> int:
        while first[number] != number:
            number = first[number]
        return number

    for a, b in found:
        first[top(b)] = top(a)
    groups = [np.array([top(number) for number in one.tolist()]) for one in ids]
    return [np.unique(group, return_inverse=True)[1] for group in groups]
