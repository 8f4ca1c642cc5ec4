"""Scoring with splink: levels of agreement of given pairs, term frequencies, weights per column.

All functions work on ``link_row(id, side, <columns>)`` (ids from 0, side 0 before side 1) and
``link_pair(l, r)`` in the connection; columns are internal names from `Comparison`, never a user's text.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import numpy as np
from splink import DuckDBAPI, Linker, SettingsCreator
from splink.blocking_rule_library import block_on

from dtsen_core.integrate.link import model
from dtsen_core.integrate.link.comparisons import Comparison
from dtsen_core.integrate.link.kinds import PARTED

RANDOM_PAIRS = 300_000
TRAINING_PAIRS = 400_000
APART = 1e-5
"""Bits by which the weights of a column's levels are set apart, so that a weight tells its level."""
LEAST_COMMON = 0.005
"""If fewer pairs than this, per row of the smaller table, agree exactly on a column, its sources have words of their
own (VLDB and Very Large Data Bases), and that values differ says nothing."""
SLIPS = 400.0
"""So many different slips of the pen one value can suffer, roughly: 25 letters to put, drop or swap at each place."""


@contextmanager
def quiet() -> Iterator[None]:
    """splink tells of its work through logging and warnings; a caller of this function asked for neither."""
    logger = logging.getLogger("splink")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _predict(con: duckdb.DuckDBPyConnection, compared: list[Comparison], fitted: model.Model | None, pairs: str) -> str:
    """Name of splink's table of comparison levels (`fitted` None) or weights for the pairs in table `pairs`."""
    listed: list[Any] = []
    for n, comparison in enumerate(compared):
        told = None if fitted is None else fitted.m[n] * np.exp2(-APART * np.arange(len(fitted.m[n])))
        m = [level.m for level in comparison.levels] if told is None else told.tolist()
        u = [max(level.u, 1e-6) for level in comparison.levels] if fitted is None else fitted.u[n].tolist()
        listed.append(comparison.settings(m, u, frequencies=fitted is not None))
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=listed,
        blocking_rules_to_generate_predictions=[block_on("id")],
        probability_two_random_records_match=0.001 if fitted is None else min(max(fitted.share, 1e-12), 0.9),
        unique_id_column_name="id",
        retain_matching_columns=fitted is None,
        retain_intermediate_calculation_columns=True,
    )
    api = DuckDBAPI(connection=con)
    linker = Linker(api.register("link_row"), settings, log_level=None, validate_settings=False)
    linker.table_management.register_blocked_pairs_for_predict(api.register(pairs))
    if fitted is not None:
        for comparison in (c for c in compared if c.frequencies):
            table = api.register(f"link_tf_{comparison.name}")
            linker.table_management.register_term_frequency_lookup(table, comparison.name)
    return str(linker.inference.predict(warning_mode="never").physical_name)


def weigh(
    con: duckdb.DuckDBPyConnection, compared: list[Comparison], fitted: model.Model, *, slips: bool = False
) -> None:
    """Make ``link_weight(id_l, id_r, errors, apart, w_<column> …)``: the bits that every column gives to every pair,
    those for the number of columns that differ, and how many differ by more than a slip.

    `slips`: two nearly equal values are weighed as a slip of the pen (see `_slip`), and ``b_<column>`` are the bits
    before those that other columns have already given are taken off.
    """
    _frequencies(con, compared, fitted)
    con.execute(
        "CREATE OR REPLACE TEMP VIEW link_all AS SELECT '0' AS match_key, l AS join_key_l, r AS join_key_r FROM "
        "link_pair"
    )
    predicted = _predict(con, compared, fitted, "link_all")
    parts = []
    for n, comparison in enumerate(compared):
        weight = f"mw_{comparison.name}"
        if comparison.frequencies:
            weight += f" + mw_tf_adj_{comparison.name}"
            if slips:
                weight = _slip(comparison, fitted, n, weight)
        if slips:
            parts.append(f"({weight})::DOUBLE AS b_{comparison.name}")
        if n in fitted.excess:
            weight += f" - {_counted(compared, fitted, n, rare=slips)}"
        parts.append(f"({weight})::DOUBLE AS w_{comparison.name}")
    differing, apart = _differing(compared, fitted), _apart(compared, fitted)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE link_weight AS SELECT id_l, id_r, {differing}::DOUBLE AS errors, "
        f"{apart} AS apart, {', '.join(parts)} FROM {predicted}"
    )
    con.execute(f"DROP TABLE {predicted}")


def _at(comparison: Comparison, fitted: model.Model, n: int, level: int) -> str:
    """SQL condition: the pair is at `level` of a column."""
    weight = float(np.log2(fitted.m[n][level] / fitted.u[n][level])) - APART * level
    return f"abs(mw_{comparison.name} - {weight!r}) < {APART / 4!r}"


def _exact(comparison: Comparison, fitted: model.Model, n: int) -> str:
    return _at(comparison, fitted, n, 0)


def _slip(comparison: Comparison, fitted: model.Model, n: int, weight: str) -> str:
    """SQL: `weight`, and for two nearly equal values the bits of one being a slip of the other.

    With frequencies f (among other records) of the values a and b, share s of matches at this level and K slips that
    a value can suffer, b is a slip of a with s/K, or one of the names usual beside a, in proportion to their own
    frequency; another person has b with f(b), to which slips of a contribute s f(a)/2K. A rare value beside a
    frequent one is a slip; two frequent ones (Schmitt and Schmidt) are more often two people.
    """
    places = [k for k, level in enumerate(comparison.levels) if level.near]
    if not places:
        return weight
    near, share = places[0], float(fitted.m[n][places[0]])
    name = comparison.name
    a, b = f"greatest(tf_{name}_l, tf_{name}_r)", f"least(tf_{name}_l, tf_{name}_r)"
    rare = f"({b} - least({b}, seen_{name}) + {share / SLIPS / 2!r} * {a})"
    often = f"({a} - least({a}, seen_{name}) + {share / SLIPS / 2!r} * {b})"
    factor = f"{share!r} * ({0.25 / SLIPS!r} * (1 / {rare} + 1 / {often}) + 0.5 / ({a} + {b}))"
    most = f"{float(fitted.m[n][0]) / 2!r} / {a}"
    slip = f"log2(least({factor}, {most}))"
    slip = slip.replace(f"seen_{name}", f"(SELECT min(tf_{name}) FROM link_tf_{name})")
    return f"(CASE WHEN {_at(comparison, fitted, n, near)} THEN {slip} ELSE {weight} END)"


def _differing(compared: list[Comparison], fitted: model.Model) -> str:
    """SQL: the bits for the number of columns that do not agree exactly."""
    if not fitted.errors:
        return "0.0"
    count = " + ".join(f"(mw_{c.name} <> 0 AND NOT {_exact(c, fitted, n)})::INTEGER" for n, c in enumerate(compared))
    listed = ", ".join(repr(bits) for bits in fitted.errors)
    return f"([{listed}])[least({count}, {len(fitted.errors) - 1}) + 1]"


def _counted(compared: list[Comparison], fitted: model.Model, n: int, *, rare: bool) -> str:
    """SQL: the bits of column `n` that the columns it goes along with have already given to a pair.

    `rare`: heed the value. Of different people who agree on the other column a share r shares this one for a reason
    (relatives their surname), however rare its value is; the others have it by chance, with its frequency f. With E
    bits of excess and T bits for rarity, log2(u / f), r / f + 1 − r is 1 + (2^E − 1) 2^T.
    """
    cases = []
    rarity = f"mw_tf_adj_{compared[n].name}" if compared[n].frequencies else "0"
    for excess in fitted.excess[n]:
        other = compared[excess.other]
        exact = f"{_exact(other, fitted, excess.other)} AND {_exact(compared[n], fitted, n)}"
        some = f"mw_{other.name} > 0 AND mw_{compared[n].name} > 0"
        whole = f"{excess.exact!r}"
        if rare and excess.exact > 0:
            whole = f"log2(1 + {2.0**excess.exact - 1.0!r} * pow(2.0, {rarity}))"
        cases.append(f"CASE WHEN {exact} THEN {whole} WHEN {some} THEN {excess.any!r} ELSE 0 END")
    return f"greatest(0, {', '.join(cases)})"


def _apart(compared: list[Comparison], fitted: model.Model) -> str:
    """SQL: the number of columns that agree neither exactly nor but for a slip (their first levels)."""
    counted = []
    for n, comparison in enumerate(compared):
        first = [k for k, level in enumerate(comparison.levels) if k == 0 or level.near or level.like_exact]
        good = " OR ".join(_at(comparison, fitted, n, k) for k in first)
        counted.append(f"(mw_{comparison.name} <> 0 AND NOT ({good}))::INTEGER")
    return " + ".join(counted)


def _frequencies(con: duckdb.DuckDBPyConnection, compared: list[Comparison], fitted: model.Model) -> None:
    """Tables ``link_tf_<column>``: how frequent a value is among *other* records.

    The two records of a pair do not count, else a value that only a pair of duplicates shares would look
    frequent in a small table. Few records say little: the average frequency counts like one more sighting.
    """
    for n, comparison in enumerate(compared):
        if comparison.frequencies:
            name, exact = comparison.name, float(fitted.u[n][0])
            con.execute(
                f"""CREATE OR REPLACE TEMP TABLE link_tf_{name} AS
                WITH counted AS (SELECT {name}, count(*) AS n FROM link_row WHERE {name} IS NOT NULL GROUP BY {name})
                SELECT {name}, (greatest(n - 2, 0) + 1) / ((SELECT sum(n) FROM counted) + 1 / {exact!r}) AS tf_{name}
                FROM counted ORDER BY {name}"""
            )


def evidence(
    con: duckdb.DuckDBPyConnection,
    compared: list[Comparison],
    *,
    link: bool,
    random_pairs: int = RANDOM_PAIRS,
    bounded: bool = False,
) -> model.Evidence:
    """Count levels among the pairs to compare and among random pairs; `bounded`: and what chance may explain."""
    left, right = con.execute(
        "SELECT count(*) FILTER (WHERE side = 0), count(*) FILTER (WHERE side = 1) FROM link_row"
    ).fetchall()[0]
    total = float(left * right if link else left * (left - 1) / 2)
    found = int(con.execute("SELECT count(*) FROM link_pair").fetchall()[0][0])
    step = -(-found // TRAINING_PAIRS)
    chosen = f"WHERE hash(l, r) % {step} = 0" if step > 1 else ""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE link_train AS SELECT 'k' AS match_key, l AS join_key_l, r AS join_key_r "
        f"FROM link_pair {chosen}"
    )
    everything = found >= total
    if not everything:
        rounds = -(-random_pairs // left)
        other = f"{left} + hash(id, k) % {right}" if link else f"hash(id, k) % {left}"
        con.execute(
            f"""INSERT INTO link_train SELECT 'r', least(id, other), greatest(id, other)
            FROM (SELECT id, ({other})::BIGINT AS other FROM link_row, range({rounds}) t(k) WHERE side = 0) WHERE id
              <> other"""
        )
    predicted = _predict(con, compared, None, "link_train")
    gammas = ", ".join(
        f"(CASE WHEN gamma_{c.name} < 0 THEN -1 ELSE {len(c.levels) - 1} - gamma_{c.name} END)::INTEGER AS g{n}"
        for n, c in enumerate(compared)
    )
    counted = con.execute(
        f"SELECT match_key, {gammas}, count(*)::DOUBLE AS pairs FROM {predicted} GROUP BY ALL ORDER BY ALL"
    ).df()
    con.execute(f"DROP TABLE {predicted}")
    key = counted["match_key"].to_numpy()
    levels = counted[[f"g{n}" for n in range(len(compared))]].to_numpy(np.int64)
    pairs = counted["pairs"].to_numpy(np.float64)
    mine = key == "k"
    sample = mine if everything else key == "r"
    scale = float(found) / max(pairs[mine].sum(), 1.0)
    random = []
    for n, comparison in enumerate(compared):
        level, weight = levels[sample, n], pairs[sample]
        known = level >= 0
        seen = np.bincount(level[known], weights=weight[known], minlength=len(comparison.levels))
        seen = seen * (total / max(weight.sum(), 1.0))
        exact = _together(con, [comparison.name], link)
        rest = seen[1:].sum()
        if rest > 0 and seen.sum() > exact:
            seen[1:] *= (seen.sum() - exact) / rest
        seen[0] = exact
        random.append(seen)
    chance = _bounds(con, compared, random, total, link) if bounded else [(0.0, total)] * len(compared)
    together = {
        (a, b): _together(con, [compared[a].name, compared[b].name], link)
        for a in range(len(compared))
        for b in range(a + 1, len(compared))
    }
    most = max(left, right) if link else 5 * left
    foreign = [n for n, counts in enumerate(random) if link and bounded and counts[0] < LEAST_COMMON * min(left, right)]
    return model.Evidence(
        levels[mine],
        pairs[mine] * scale,
        levels[sample],
        pairs[sample],
        random,
        chance,
        together,
        total,
        float(min(most, total)),
        frozenset(foreign),
    )


def _bounds(
    con: duckdb.DuckDBPyConnection, compared: list[Comparison], random: list[model.Array], total: float, link: bool
) -> list[tuple[float, float]]:
    """Per comparison the least and the most pairs of different people that agree exactly."""
    found = []
    for comparison, counts in zip(compared, random):
        most = min(_most_by_chance(con, comparison.name) * total, counts[0]) if link else counts[0]
        least = _least_by_chance(con, comparison.name, link) * total if comparison.kind in PARTED else 0.0
        found.append((float(min(least, most)), float(most)))
    return found


def _most_by_chance(con: duckdb.DuckDBPyConnection, name: str) -> float:
    """Largest share of the pairs of different people in two tables that agree exactly on a column.

    With frequencies p and q of the values in the two tables that is Σ pq ≤ √(Σ p² Σ q²) (Cauchy and Schwarz), and what
    agrees within a table tells Σ p² from above, as hardly anybody is in it twice. Few agreements within small tables
    may be chance themselves: one is added.
    """
    rates = con.execute(
        f"""SELECT (sum(n * (n - 1) / 2) + 1) / nullif(sum(n) * (sum(n) - 1) / 2, 0)
        FROM (SELECT side, count(*)::DOUBLE AS n FROM link_row WHERE {name} IS NOT NULL GROUP BY side, {name})
        GROUP BY side"""
    ).fetchall()
    if len(rates) < 2 or any(rate is None for (rate,) in rates):
        return 1.0
    return min(1.0, float(np.sqrt(rates[0][0] * rates[1][0])))


def _least_by_chance(con: duckdb.DuckDBPyConnection, name: str, link: bool) -> float:
    """Smallest share of the pairs of different people that agree exactly on a column of two parts.

    A birth date agrees by chance at least where year and day do independently, a full name where first and last word
    do. Agreement on a part is nearly all chance, so its rate is known, while among pairs that agree on the whole
    matches and chance cannot be told apart.
    """
    known = _together(con, [f"{name}_a", f"{name}_z"], link, agree=[])
    both = _together(con, [f"{name}_a", f"{name}_z"], link)
    parts = [
        _together(con, [f"{name}_a", f"{name}_z"], link, agree=[part]) - both for part in (f"{name}_a", f"{name}_z")
    ]
    every = _together(con, [name], link, agree=[])
    return max(parts[0], 0.0) * max(parts[1], 0.0) / max(known, 1.0) / max(every, 1.0)


def _together(con: duckdb.DuckDBPyConnection, names: list[str], link: bool, agree: list[str] | None = None) -> float:
    """Pairs, of all that know the columns `names`, that agree exactly on `agree` (default: on all of them)."""
    known = " AND ".join(f"{name} IS NOT NULL" for name in names)
    count = (
        "count(*) FILTER (WHERE side = 0) * count(*) FILTER (WHERE side = 1)"
        if link
        else "count(*) * (count(*) - 1) / 2"
    )
    by = ", ".join(names if agree is None else agree) or "()"
    found = con.execute(
        f"SELECT coalesce(sum(n), 0)::DOUBLE FROM (SELECT {count} AS n FROM link_row WHERE {known} GROUP BY {by})"
    ).fetchall()
    return float(found[0][0])
