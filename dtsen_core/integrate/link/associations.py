"""Different values that mean the same, learnt from the pairs that are sure without them.

One source writes "New York City" where the other writes "New York", one "VLDB" for "Very Large Data Bases", one knows
Bill and the other William. How alike two values look does not tell that; the pairs that all other columns make sure do.
Let N pairs be sure without the column, n of them showing the values a and b, where the weight w of the comparison lets
one expect E = N · u(a, b) · 2^w. The ratio of the two is shrunk as in W. DuMouchel, "Bayesian data mining in large
frequency tables", The American Statistician 53 (1999): with a gamma prior of mean one its expectation is
(κ + n) / (κ + E). Frequent values that should often be seen together and never are lose weight by the same rule.
"""

from __future__ import annotations

import duckdb

from dtsen_core.integrate.link.comparisons import Comparison

SURE_BITS = 3.2
"""Without the column a pair counts as sure from these log2 odds."""
PRIOR = 1.0
"""Weight of the prior, in pairs: one sighting beside the pair's own doubles a rare combination, no more."""
LEAST_SEEN = 2
"""A column is looked at if two different values meet so often."""


def learn(con: duckdb.DuckDBPyConnection, compared: list[Comparison], prior: float, *, link: bool) -> None:
    """Correct the weights in ``link_weight`` (id_l, id_r, errors, w_<column>, b_<column> …) for different values.

    `prior`: log2 odds of a random pair. b is w without what other columns have already said. Birth dates have too many
    values to mean each other.
    """
    total = " + ".join([repr(prior), "errors", *(f"w_{c.name}" for c in compared)])
    corrected = [c.name for c in compared if c.kind != "birth_date" and _count(con, c.name, total, link)]
    if not corrected:
        return
    listed, joins = [], ["JOIN link_row l ON l.id = w.id_l JOIN link_row r ON r.id = w.id_r"]
    for name in corrected:
        a, b = _values(name, link)
        joins.append(
            f"LEFT JOIN link_value_{name} a_{name} ON a_{name}.value = {a} "
            f"LEFT JOIN link_value_{name} b_{name} ON b_{name}.value = {b} "
            f"LEFT JOIN link_meet_{name} m_{name} ON m_{name}.a = {a} AND m_{name}.b = {b}"
        )
        sure = f"(SELECT sum(n) FROM link_meet_{name})"
        chance = f"a_{name}.left_share * b_{name}.right_share" + ("" if link else " * 2")
        own = f"({total} - w_{name} >= {SURE_BITS})::INTEGER"
        seen = f"coalesce(m_{name}.n, 0) - {own}"
        bits = f"log2(({PRIOR} + {seen}) / ({PRIOR} + {sure} * {chance} * pow(2.0, b_{name})))"
        listed.append(f"w_{name} + CASE WHEN l.{name} <> r.{name} THEN {bits} ELSE 0 END AS w_{name}")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE link_weight AS SELECT w.* REPLACE ({', '.join(listed)}) "
        f"FROM link_weight w {' '.join(joins)}"
    )


def _values(name: str, link: bool) -> tuple[str, str]:
    """SQL: the two values of a pair; within one table their order does not matter."""
    if link:
        return f"l.{name}", f"r.{name}"
    return f"least(l.{name}, r.{name})", f"greatest(l.{name}, r.{name})"


def _count(con: duckdb.DuckDBPyConnection, name: str, total: str, link: bool) -> bool:
    """``link_meet_<name>(a, b, n)``: what meets in pairs that are sure without the column, and
    ``link_value_<name>(value, left_share, right_share)``. Returns whether different values meet at all."""
    a, b = _values(name, link)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE link_meet_{name} AS
        SELECT {a} AS a, {b} AS b, count(*) AS n
        FROM link_weight w JOIN link_row l ON l.id = w.id_l JOIN link_row r ON r.id = w.id_r
        WHERE l.{name} IS NOT NULL AND r.{name} IS NOT NULL AND {total} - w_{name} >= {SURE_BITS} GROUP BY ALL"""
    )
    most = con.execute(f"SELECT coalesce(max(n), 0) FROM link_meet_{name} WHERE a <> b").fetchall()[0][0]
    if most < LEAST_SEEN:
        return False
    left, right = (f"count(*) FILTER (WHERE side = {side})" if link else "count(*)" for side in (0, 1))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE link_value_{name} AS
        SELECT {name} AS value, {left} / sum({left}) OVER () AS left_share,
          {right} / sum({right}) OVER () AS right_share
        FROM link_row WHERE {name} IS NOT NULL GROUP BY {name}"""
    )
    return True
