"""Passes one and two: a number that agrees with the rest, and composites that fit exactly one person."""

from __future__ import annotations

import duckdb

COLUMNS = frozenset({
    "repaired", "key", "born", "regency", "province", "kk", "nik_start", "nik_end", "sound", "fam_kk", "village",
})  # fmt: skip
"""Columns a rule may ask to be equal."""
CIVIL_COLUMN = {"repaired": "nik", "fam_kk": "kk"}
BIRTH = {
    "same": "born_level = 2", "near": "born_level >= 1", "open": "coalesce(born_level, 1) >= 1", "any": "true",
}  # fmt: skip


def exact(con: duckdb.DuckDBPyConnection, rule: dict) -> None:
    """``link_found(rid, cid, pass)`` from equal numbers whose name, birth date and sex do not contradict."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE link_found AS
        WITH pair AS (
          SELECT r.rid, c.cid, name_level(r.key, r.words, c.key, c.words) AS name, birth_level(r.born, c.born) AS born,
            r.sex = c.sex AS sex, r.kk = c.kk AS card
          FROM link_record r JOIN link_civil c ON c.nik = r.nik)
        SELECT rid, cid, 'exact' AS pass FROM pair
        WHERE name >= {rule["name_enough"]:d} AND NOT (coalesce(born = 0, false) AND coalesce(NOT sex, false))
          OR born = 2 AND (coalesce(name, 1) >= 1 OR coalesce(sex, true))
          OR name >= {rule["name_with_birth"]:d} AND coalesce(born, 1) >= 1
          OR name IS NULL AND born IS NULL AND coalesce(card, false)"""
    )


def _left(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE OR REPLACE TEMP TABLE link_left AS SELECT r.* FROM link_record r ANTI JOIN link_found f USING (rid)")


def families(con: duckdb.DuckDBPyConnection) -> None:
    """``link_family(source, fam, fam_kk)``: the card that most linked records of a register's family are on."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE link_family AS
        WITH counted AS (
          SELECT r.source, r.fam, c.kk, count(DISTINCT c.person) AS n
          FROM link_found f JOIN link_record r USING (rid) JOIN link_civil c USING (cid)
          WHERE r.fam IS NOT NULL GROUP BY ALL)
        SELECT source, fam, kk AS fam_kk FROM counted
        QUALIFY row_number() OVER (PARTITION BY source, fam ORDER BY n DESC, kk) = 1"""
    )


def taken(con: duckdb.DuckDBPyConnection) -> None:
    """``link_taken(source, fam, person, key, words)``: persons that another record of the same family already is."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE link_taken AS
        SELECT DISTINCT r.source, r.fam, c.person, r.key, r.words
        FROM link_found f JOIN link_record r USING (rid) JOIN link_civil c USING (cid) WHERE r.fam IS NOT NULL"""
    )


def composites(con: duckdb.DuckDBPyConnection, rules: list[dict]) -> None:
    """Add to ``link_found`` what one rule after another finds; each must fit exactly one person."""
    _left(con)
    taken(con)
    for rule in rules:
        unknown = set(rule["equal"]) - COLUMNS
        if unknown or rule["birth"] not in BIRTH:
            raise ValueError(f"passes.toml: {rule}")
        side = "link_left"
        if "fam_kk" in rule["equal"]:
            families(con)
            taken(con)
            side = "(SELECT * FROM link_left JOIN link_family USING (source, fam))"
        on = " AND ".join(f"c.{CIVIL_COLUMN.get(name, name)} = r.{name}" for name in rule["equal"])
        named = f"name >= {rule['name']:d}"
        if rule.get("unnamed"):
            named = f"coalesce(name, {rule['name']:d}) >= {rule['name']:d}"
        near = "AND nik_near(r.given, c.nik)" if rule.get("nik_near") else ""
        con.execute(
            f"""INSERT INTO link_found
            WITH pair AS (
              SELECT r.rid, c.cid, c.person, r.source, r.fam, r.key, r.words, name_level(r.key, r.words, c.key, c.words) AS name,
                birth_level(r.born, c.born) AS born_level, r.sex = c.sex AS sex
              FROM {side} r JOIN link_civil c ON {on} {near}
            ), fits AS (
              SELECT * FROM pair WHERE {named} AND {BIRTH[rule["birth"]]}
                AND (coalesce(sex, true) OR name >= 2 AND born_level = 2)
            ), free AS (
              SELECT f.* FROM fits f
              ANTI JOIN link_taken t ON t.source = f.source AND t.fam = f.fam AND t.person = f.person
                AND name_level(t.key, t.words, f.key, f.words) = 0
            )
            SELECT rid, min(cid), 'composite' FROM free GROUP BY rid HAVING count(DISTINCT person) = 1"""
        )
        _left(con)
