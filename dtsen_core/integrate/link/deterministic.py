"""Passes one and two: a number that agrees with the rest, and composites that fit exactly one person."""

from __future__ import annotations

import duckdb

COLUMNS = frozenset({
    "repaired", "key", "born", "regency", "province", "kk", "nik_start", "nik_end", "sound", "fam_kk", "village",
})  # fmt: skip
"""Columns a rule may ask to be equal."""
CIVIL_COLUMN = {"repaired": "nik", "fam_kk": "kk"}
BIRTH = {
    "same": "born_level = 2", "near": "born_level >= 1", "any": "true",
    "open": "(born_level >= 1 OR born_level IS NULL AND number_open)",
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
        WHERE name >= {rule["name_alone"]:d} AND NOT (coalesce(born = 0, false) AND coalesce(NOT sex, false))
          OR name >= {rule["name_with_birth"]:d} AND born >= 1
          OR name >= {rule["name_without_birth"]:d} AND born IS NULL
          OR name IS NULL AND (born = 2 OR born IS NULL AND coalesce(card, false))"""
    )


def families(con: duckdb.DuckDBPyConnection) -> None:
    """``link_family(source, fam, fam_kk)``: for families with a record left, the card that most of its linked
    records are on."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE link_family AS
        WITH kin AS (
          SELECT r.source, r.fam, f.cid FROM link_record r JOIN link_found f USING (rid)
          SEMI JOIN link_left l ON l.source = r.source AND l.fam = r.fam
        ), counted AS (SELECT source, fam, c.kk, count(DISTINCT c.person) AS n FROM kin JOIN link_civil c USING (cid)
          GROUP BY ALL)
        SELECT source, fam, kk AS fam_kk FROM counted
        QUALIFY row_number() OVER (PARTITION BY source, fam ORDER BY n DESC, kk) = 1"""
    )


def taken(con: duckdb.DuckDBPyConnection) -> None:
    """``link_taken(source, fam, person, key, words)``: persons that another record of the same family already is."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE link_taken AS
        WITH kin AS (
          SELECT r.source, r.fam, r.key, r.words, f.cid FROM link_record r JOIN link_found f USING (rid)
          SEMI JOIN link_left l ON l.source = r.source AND l.fam = r.fam)
        SELECT DISTINCT source, fam, c.person, kin.key, kin.words FROM kin JOIN link_civil c USING (cid)"""
    )


def composites(con: duckdb.DuckDBPyConnection, rules: list[dict]) -> None:
    """Add to ``link_found`` what one rule after another finds; each must fit exactly one person."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE link_left AS SELECT r.* FROM link_record r ANTI JOIN link_found f USING (rid)"
    )
    taken(con)
    for rule in rules:
        unknown = set(rule["equal"]) - COLUMNS
        if unknown or rule["birth"] not in BIRTH:
            raise ValueError(f"passes.toml: {rule}")
        side = "link_left"
        if "fam_kk" in rule["equal"]:
            families(con)
            taken(con)
            con.execute(
                "CREATE OR REPLACE TEMP TABLE link_kin AS SELECT * FROM link_left JOIN link_family USING (source, fam)"
            )
            side = "link_kin"
        on = " AND ".join(f"c.{CIVIL_COLUMN.get(name, name)} = r.{name}" for name in rule["equal"])
        named = f"name >= {rule['name']:d}"
        if rule.get("unnamed"):
            named = f"coalesce(name, {rule['name']:d}) >= {rule['name']:d}"
        number = "AND number_open" if rule.get("number_open") else ""
        near = "AND nik_near(given, nik)" if rule.get("nik_near") else ""
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE link_new AS
            WITH met AS MATERIALIZED (
              SELECT r.rid, c.cid, c.person, r.source, r.fam, r.key, r.words, c.key AS civil_key, c.words AS
                civil_words,
                r.given, c.nik, r.born, c.born AS civil_born, r.sex = c.sex AS sex
              FROM {side} r JOIN link_civil c ON {on}
            ), pair AS (
              SELECT *, name_level(key, words, civil_key, civil_words) AS name, number_open(given, nik) AS number_open,
                birth_level(born, civil_born) AS
                born_level
              FROM met r WHERE true {near}
            ), fits AS (
              SELECT * FROM pair WHERE {named} AND {BIRTH[rule["birth"]]}
                AND (coalesce(sex, true) OR name >= 2 AND born_level = 2) {number}
            ), free AS (
              SELECT f.* FROM fits f
              ANTI JOIN link_taken t ON t.source = f.source AND t.fam = f.fam AND t.person = f.person
                AND name_level(t.key, t.words, f.key, f.words) = 0
            )
            SELECT rid, min(cid) AS cid, 'composite' AS pass FROM free GROUP BY rid HAVING count(DISTINCT person) = 1"""
        )
        con.execute("INSERT INTO link_found FROM link_new")
        con.execute(
            "CREATE OR REPLACE TEMP TABLE link_left AS SELECT r.* FROM link_left r ANTI JOIN link_new n USING (rid)"
        )
