"""Which pairs are compared at all: many keys, each as coarse as the data allow.

A key is a conjunction of one to three parts of different columns (a name's sound, a birth year, a postcode …).
Keys are tried from coarse to fine; a key is used when the pairs it makes stay within a budget that grows
linearly with the records, otherwise it is refined by a further part. Values so frequent that they alone would
make too many pairs are left out of a key. No rule is written for a data set: the sizes decide.

Indexing by several keys: P. Christen, "A survey of indexing techniques for scalable record linkage and
deduplication", IEEE TKDE 24 (2012).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import duckdb

from dtsen_core.integrate.link.kinds import phonetic

ALL_PAIRS = 600_000
"""Up to so many possible pairs, every pair is compared."""
PAIRS_PER_RECORD = 60
"""Budget of all keys together, per record."""
PAIRS_PER_KEY = 12
"""Budget of one key, per record."""
LEAST_BUDGET = 1_000_000
MOST_KEYS = 70
MOST_TRIED = 700
COVERED = 0.95
"""A key is refined unless so many records keep their place in it without the too frequent values."""
LARGEST_BLOCK = 400
"""A value that more records share than this is left out of a key."""


@dataclass(frozen=True)
class Part:
    """One ingredient of a key: `sql` over the normalised table, of `columns`; `coarser`: parts it implies."""

    name: str
    sql: str
    columns: frozenset[str]
    coarser: tuple[str, ...] = ()
    alone: bool = True


@dataclass
class Keys:
    """The keys chosen, as parts, and the pairs each makes."""

    chosen: list[tuple[Part, ...]] = field(default_factory=list)
    pairs: list[int] = field(default_factory=list)


def parts(kinds: dict[str, str]) -> list[Part]:
    """The ingredients that columns (internal name → kind) offer, coarse before fine."""
    found: list[Part] = []

    def add(column: str, name: str, sql: str, coarser: tuple[str, ...] = (), alone: bool = True) -> None:
        own = frozenset({column})
        found.append(Part(f"{column}.{name}", sql, own, tuple(f"{column}.{c}" for c in coarser), alone))

    for column, kind in kinds.items():
        if kind in ("given_name", "surname"):
            add(column, "sound", phonetic(column))
            add(column, "start", f"left({column}, 3)")
            add(column, "exact", column, ("sound", "start"))
        elif kind == "full_name":
            tokens = f"string_split({column}, ' ')"
            add(column, "first", phonetic(f"{tokens}[1]"))
            add(column, "last", phonetic(f"{tokens}[-1]"))
            add(column, "sorted", f"array_to_string(list_sort({tokens}), '')")
            add(column, "exact", column, ("first", "last", "sorted"))
        elif kind == "birth_date":
            add(column, "year", f"left({column}, 4)")
            add(column, "day", f"CASE WHEN length({column}) > 4 THEN substr({column}, 5) END")
            add(column, "exact", column, ("year", "day"))
        elif kind == "postcode":
            add(column, "area", f"left({column}, 3)")
            add(column, "exact", column, ("area",))
        elif kind == "place":
            add(column, "sound", phonetic(column))
            add(column, "start", f"left({column}, 4)")
            add(column, "exact", column, ("sound", "start"))
        elif kind == "address":
            add(column, "start", f"left(replace({column}, ' ', ''), 5)")
            add(column, "number", f"nullif(regexp_extract({column}, '[0-9]+'), '')")
            add(
                column,
                "words",
                f"(list_sort(string_split(regexp_replace({column}, '[0-9]+ ?', '', 'g'), ' '))[:2])::VARCHAR",
            )
            add(column, "exact", column, ("start", "words"))
        elif kind == "text":
            add(column, "start", f"left(regexp_replace({column}, '[^\\p{{L}}\\p{{N}}]', '', 'g'), 5)")
            add(column, "exact", column, ("start",))
        elif kind == "code":
            add(column, "exact", column)
        else:
            add(column, "exact", column, alone=False)
    given = [c for c, kind in kinds.items() if kind == "given_name"]
    family = [c for c, kind in kinds.items() if kind == "surname"]
    if given and family:
        a, b = phonetic(given[0]), phonetic(family[0])
        either = f"least({a}, {b}) || '/' || greatest({a}, {b})"
        found.append(Part("names.either", either, frozenset({given[0], family[0]})))
    return found


def _implied(part: Part, by_name: dict[str, Part]) -> set[str]:
    """Names of the parts that agree whenever `part` agrees, itself included."""
    names = {part.name}
    for coarser in part.coarser:
        if coarser in by_name:
            names |= _implied(by_name[coarser], by_name)
    return names


def choose(con: duckdb.DuckDBPyConnection, table: str, kinds: dict[str, str], *, link: bool) -> Keys:
    """The keys to block `table` on (columns as `kinds`, and `side` 0 or 1 when `link`ing two frames)."""
    records = con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
    budget = max(LEAST_BUDGET, PAIRS_PER_RECORD * records)
    per_key = max(LEAST_BUDGET // 5, PAIRS_PER_KEY * records)
    offered = parts(kinds)
    by_name = {part.name: part for part in offered}
    implied = {part.name: _implied(part, by_name) for part in offered}
    position = {part.name: n for n, part in enumerate(offered)}
    null_safe = ", ".join(
        f"CASE WHEN ({part.sql}) IS NOT NULL THEN hash({part.sql}) END AS p{n}" for n, part in enumerate(offered)
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE link_part AS SELECT id, side, {null_safe} FROM {table}")
    keys, spent = Keys(), 0
    whole: list[tuple[Part, ...]] = []
    refine: list[tuple[Part, ...]] = []

    def dominated(key: tuple[Part, ...]) -> bool:
        holds = set().union(*(implied[part.name] for part in key))
        return any(all(part.name in holds for part in other) for other in whole)

    tried = 0
    for size in (1, 2, 3):
        if size == 1:
            wanted: list[tuple[Part, ...]] = [(part,) for part in offered]
        elif size == 2:
            wanted = list(itertools.combinations(offered, 2))
        else:
            wanted = [
                (*pair, part) for pair in refine for part in offered if position[part.name] > position[pair[1].name]
            ]
        sized = []
        for key in wanted:
            apart = sum(len(part.columns) for part in key) == len(frozenset().union(*(part.columns for part in key)))
            if not apart or dominated(key) or tried >= MOST_TRIED:
                continue
            tried += 1
            pairs, covered = _pairs(con, [position[part.name] for part in key], link)
            sized.append((pairs, covered, key))
        coarse_first = sorted(sized, key=lambda item: (sum(len(part.coarser) for part in item[2]), item[0]))
        for pairs, covered, key in coarse_first:
            if dominated(key):
                continue
            fits = pairs <= per_key and spent + pairs <= budget and len(keys.chosen) < MOST_KEYS
            fits = fits and (size > 1 or key[0].alone) and (covered >= COVERED or size == 3)
            if fits:
                whole.append(key)
                if pairs:
                    keys.chosen.append(key)
                    keys.pairs.append(pairs)
                    spent += pairs
            elif size == 2:
                refine.append(key)
    return keys


def _pairs(con: duckdb.DuckDBPyConnection, numbers: list[int], link: bool) -> tuple[int, float]:
    """Pairs that a key makes without its too frequent values, and the share of records it still covers."""
    columns = ", ".join(f"p{n}" for n in numbers)
    known = " AND ".join(f"p{n} IS NOT NULL" for n in numbers)
    left, right = "count(*) FILTER (WHERE side = 0)", "count(*) FILTER (WHERE side = 1)"
    count = f"{left} * {right}" if link else "count(*) * (count(*) - 1) / 2"
    found = con.execute(
        f"""SELECT coalesce(sum(pairs) FILTER (n <= {LARGEST_BLOCK}), 0)::BIGINT,
          coalesce(sum(n) FILTER (n <= {LARGEST_BLOCK}) / sum(n), 0)::DOUBLE
        FROM (SELECT {count} AS pairs, count(*) AS n FROM link_part WHERE {known} GROUP BY {columns})"""
    ).fetchall()
    return int(found[0][0]), float(found[0][1])


def block(con: duckdb.DuckDBPyConnection, table: str, kinds: dict[str, str], *, link: bool) -> int:
    """Make ``link_pair(l, r)``, the distinct pairs of ids to be compared; returns how many."""
    left, right = con.execute(
        f"SELECT count(*) FILTER (WHERE side = 0), count(*) FILTER (WHERE side = 1) FROM {table}"
    ).fetchall()[0]
    possible = left * right if link else left * (left - 1) // 2
    sides = "l.side = 0 AND r.side = 1" if link else "l.id < r.id"
    if possible <= ALL_PAIRS:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE link_pair AS SELECT l.id AS l, r.id AS r FROM {table} l JOIN {table} "
            f"r ON {sides} ORDER BY 1, 2"
        )
        return int(possible)
    keys = choose(con, table, kinds, link=link)
    names = {part.name: n for n, part in enumerate(parts(kinds))}
    con.execute("CREATE OR REPLACE TEMP TABLE link_found (l BIGINT, r BIGINT)")
    for key in keys.chosen:
        columns = [f"p{names[part.name]}" for part in key]
        known = " AND ".join(f"{c} IS NOT NULL" for c in columns)
        con.execute(
            f"""INSERT INTO link_found
            WITH kept AS (
              SELECT id, side, hash({", ".join(columns)}) AS k FROM link_part WHERE {known}
              QUALIFY count(*) OVER (PARTITION BY {", ".join(columns)}) BETWEEN 2 AND {LARGEST_BLOCK})
            SELECT l.id, r.id FROM kept l JOIN kept r ON l.k = r.k AND {sides}"""
        )
    con.execute("CREATE OR REPLACE TEMP TABLE link_pair AS SELECT DISTINCT l, r FROM link_found ORDER BY l, r")
    con.execute("DROP TABLE link_found")
    con.execute("DROP TABLE link_part")
    return int(con.execute("SELECT count(*) FROM link_pair").fetchall()[0][0])
