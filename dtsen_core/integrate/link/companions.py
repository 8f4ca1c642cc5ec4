"""Within one table: a record that has its double is not as likely to have a second one.

How many records of one thing are usual is read from the sure pairs. Were they strewn at random (a Poisson number d of
partners per record), E[d(d − 1)] would be E[d]²; the ratio of the two, the pair correlation of point processes (D.
Stoyan, W. S. Kendall, J. Mecke, "Stochastic Geometry and its Applications", 1995), says how much likelier a partner is
beside another one than alone. Where it is far below one (a table copied once, a register with double entries) a record
chooses among its candidates, and what a pair keeps is found by passing messages as in `rivals`.
"""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt

from dtsen_core.integrate.link.rivals import MOST, ROUNDS, SURE, keep, partnered

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
RARE = 0.5
"""Below it a further partner counts as less likely than a first one."""
LEAST = 0.01
"""Pairs of smaller odds lose nothing worth counting."""
MOST_COUNTED = 50
"""With more sure partners of a record than about this, many records of one thing are usual, and nobody counts them."""
PLAUSIBLE = 1.0
"""Two candidates of a record whose own odds are at least this may be the same thing: they are no rivals."""


def settle(con: duckdb.DuckDBPyConnection, records: int, share: float) -> None:
    """Replace the odds in ``link_scored`` (id_l, id_r, odds, w_…) by those left beside other candidates.

    `records`: rows of the table; `share`: of matches among all pairs. Nothing is done where third records of one thing
    are as usual as second ones. Else whoever has no double yet is likelier to find one in a candidate than a row taken
    at random, as in `rivals`.
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE link_edge AS
        SELECT (row_number() OVER (ORDER BY id_l, id_r) - 1)::BIGINT AS e, id_l, id_r, odds
        FROM link_scored WHERE odds > {LEAST} ORDER BY id_l, id_r"""
    )
    beside = _beside_rate(con, records)
    if beside < RARE:
        edges = con.execute("SELECT id_l, id_r, odds FROM link_edge ORDER BY e").fetchnumpy()
        odds = edges["odds"].astype(np.float64)
        both = np.concatenate([edges["id_l"], edges["id_r"]]).astype(np.int64)
        taken = partnered(np.concatenate([odds, odds]), both, records, share * (records - 1))
        free = (1.0 - taken + beside * taken) ** 2
        keep(con, edges, _left(odds / free, *_rivals(con), beside), free)
    con.execute("DROP TABLE link_edge")


def _beside_rate(con: duckdb.DuckDBPyConnection, records: int) -> float:
    """How much likelier a partner is beside another one than alone, from sure pairs (at most 1).

    Two sure partners count if they are plausible partners of each other, else one of them is an error.
    """
    sure = f"SELECT id_l AS a, id_r AS b FROM link_edge WHERE odds > {SURE}"
    ends, wedges = con.execute(
        f"""SELECT coalesce(sum(d), 0)::DOUBLE, coalesce(sum(d * (d - 1) / 2), 0)::DOUBLE
        FROM (SELECT count(*) AS d FROM (SELECT a FROM ({sure}) UNION ALL SELECT b FROM ({sure})) GROUP BY a)"""
    ).fetchall()[0]
    by_chance = (ends / records) ** 2 * records / 2
    if wedges > MOST_COUNTED * ends:
        return 1.0
    closed = con.execute(
        f"""WITH sure AS ({sure}), either AS (FROM sure UNION ALL SELECT b, a FROM sure)
        SELECT count(*) FROM either x JOIN either y ON x.a = y.a AND x.b < y.b
        SEMI JOIN link_edge t ON t.id_l = x.b AND t.id_r = y.b AND t.odds > {PLAUSIBLE}"""
    ).fetchall()[0][0]
    return float(min(1.0, (closed + 1) / (by_chance + 1)))


def _rivals(con: duckdb.DuckDBPyConnection) -> tuple[Rows, Rows]:
    """Pairs of rivalling edges as directed ends: end 2e is the left record of edge e, 2e + 1 the right one.

    For each: the end of an edge at which a rival stands, and the far end of that rival.
    """
    found = con.execute(
        f"""WITH ends AS (
          SELECT e, 2 * e AS near, id_l AS a, id_r AS b, odds FROM link_edge
          UNION ALL SELECT e, 2 * e + 1, id_r, id_l, odds FROM link_edge)
        SELECT x.near AS near, y.near + 1 - 2 * (y.near % 2) AS far
        FROM ends x JOIN ends y ON x.a = y.a AND x.e <> y.e AND y.odds > {PLAUSIBLE}
        LEFT JOIN link_edge t ON t.id_l = least(x.b, y.b) AND t.id_r = greatest(x.b, y.b) AND t.odds > {PLAUSIBLE}
        WHERE t.e IS NULL ORDER BY near, far"""
    ).fetchnumpy()
    return found["near"].astype(np.int64), found["far"].astype(np.int64)


def _left(odds: Array, near: Rows, far: Rows, beside: float) -> Array:
    """Odds of each edge once the rivals at both of its ends have had their say."""
    odds = np.minimum(odds, MOST)
    claim = np.zeros(2 * len(odds))
    for number in range(ROUNDS):
        offered = odds[far // 2] * _kept(claim[far], beside)
        every = np.bincount(near, weights=offered, minlength=len(claim)).astype(np.float64)
        claim = every if number == ROUNDS - 1 else (every + claim) / 2
    return odds * _kept(claim[0::2], beside) * _kept(claim[1::2], beside)


def _kept(claim: Array, beside: float) -> Array:
    """What an edge keeps of its odds at an end where others claim so much: having both is `beside` as likely."""
    return (1.0 + beside * claim) / (1.0 + claim)
