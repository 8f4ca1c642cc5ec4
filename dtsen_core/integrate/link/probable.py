"""Pass three: what no rule could decide is compared by splink and weighed by the fitted model."""

from __future__ import annotations

import duckdb

from dtsen_core.integrate.link import model, scoring
from dtsen_core.integrate.link.comparisons import Comparison, Level

RANDOM_PAIRS = 60_000
KEYS = (
    "kk", "fam", "nik_start", "nik_end", "born, sound", "born, regency, sex", "name, regency", "name, year",
    "village, sex, year", "sound, regency, year", "village, sound", "mantissa, born", "start, regency, year",
    "born, start",
)  # fmt: skip
"""Columns that bring a record and a person together; local before national, each with a cap on its size."""


def comparisons() -> list[Comparison]:
    """The fields compared: name, birth date, sex, place, number, card or family."""

    def name(level: int) -> str:
        return f"name_level(name_l, words_l, name_r, words_r) = {level}"

    def birth(level: int) -> str:
        return f"birth_level(day_l, day_r) = {level}"

    return [
        Comparison("name", "full_name", (
            Level("name_l = name_r", 0.72, 0.0004),
            Level(name(2), 0.15, 0.0002, near=True),
            Level(name(1), 0.1, 0.01),
            Level("ELSE", 0.03, 0.99),
        )),
        Comparison("born", "birth_date", (
            Level("born_l = born_r", 0.85, 0.00004),
            Level(birth(1), 0.1, 0.003),
            Level("left(born_l, 4) = left(born_r, 4)", 0.02, 0.015),
            Level("ELSE", 0.03, 0.98),
        )),
        Comparison("sex", "sex", (Level("sex_l = sex_r", 0.98, 0.5), Level("ELSE", 0.02, 0.5))),
        Comparison("village", "flat", (
            Level("village_l = village_r", 0.9, 0.0001),
            Level("district_l = district_r", 0.04, 0.0005),
            Level("regency_l = regency_r", 0.03, 0.003),
            Level("province_l = province_r", 0.02, 0.05),
            Level("ELSE", 0.01, 0.95),
        )),
        Comparison("nik", "flat", (
            Level("nik_l = nik_r OR nik_near(nik_l, nik_r)", 0.5, 0.0000003),
            Level("ELSE", 0.5, 0.99),
        )),
        Comparison("fam", "flat", (
            Level("fam_l = fam_r", 0.6, 0.000003),
            Level("damerau_levenshtein(kk_l, kk_r) <= 1", 0.1, 0.000001),
            Level("ELSE", 0.3, 0.99),
        )),
    ]  # fmt: skip


def prepare(con: duckdb.DuckDBPyConnection, rules: dict) -> int:
    """``link_row``: the records to decide and a sample of decided ones to learn from (side 0), and all persons
    (side 1). Returns how many are to be decided."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE link_open AS
        SELECT rid, true AS undecided, NULL::UINTEGER AS cid FROM link_left WHERE key IS NOT NULL OR born IS NOT NULL
        UNION ALL (SELECT rid, false, cid FROM link_found WHERE pass = 'composite'
          ORDER BY hash(rid), rid LIMIT {rules["training_records"]:d})"""
    )
    count = int(con.execute("SELECT count(*) FROM link_open").fetchall()[0][0])
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE link_row AS
        SELECT (row_number() OVER (ORDER BY r.rid) - 1)::BIGINT AS id, 0::TINYINT AS side, o.undecided, o.cid +
          {count} AS known,
          r.rid AS number, r.key AS name, r.words, r.sound, left(r.key, 4) AS start, r.born AS day,
          strftime(r.born, '%Y%m%d') AS born, year(r.born) AS year, r.sex::VARCHAR AS sex, r.village, r.district,
            r.regency,
          r.province, CASE WHEN length(r.given) >= 10 THEN r.given END AS nik, r.nik_start, r.nik_end,
          left(r.mantissa, 6) AS mantissa, r.kk, coalesce(f.fam_kk, r.kk) AS fam, r.source, r.fam AS fam_key
        FROM link_open o JOIN link_record r USING (rid) LEFT JOIN link_family f ON f.source = r.source AND f.fam = r.fam
        UNION ALL
        SELECT cid::BIGINT + {count}, 1, NULL, NULL, cid, key, words, sound, left(key, 4), born, strftime(born,
          '%Y%m%d'),
          year(born), sex::VARCHAR, village, district, regency, province, nik, nik_start, nik_end, left(nik, 6), kk, kk,
          NULL, NULL FROM link_civil"""
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE link_pair AS SELECT id AS l, known::BIGINT AS r FROM link_row WHERE known "
        "IS NOT NULL"
    )
    return int(con.execute("SELECT count(*) FROM link_open WHERE undecided").fetchall()[0][0])


def learn(con: duckdb.DuckDBPyConnection, rules: dict) -> model.Model:
    """The model: ``m`` from records that composites decided, ``u`` from random pairs, the prior from the rules.

    Expectation maximisation is not used here: among the few records left, most of which are of nobody in the
    civil register, it would take "of the same family" for "the same person".
    """
    persons = int(con.execute("SELECT count(*) FROM link_civil").fetchall()[0][0])
    with scoring.quiet():
        seen = scoring.evidence(con, comparisons(), link=True, random_pairs=RANDOM_PAIRS)
    share = float(rules["share_in_register"]) / max(persons, 2)
    return model.known(comparisons(), seen, share=share, strength=float(rules["prior_pairs"]))


def block(con: duckdb.DuckDBPyConnection, largest: int) -> int:
    """``link_pair``: pairs of a record and a person that share a key. Returns how many."""
    con.execute("CREATE OR REPLACE TEMP TABLE link_side AS SELECT * FROM link_row WHERE undecided")
    found = []
    for number, key in enumerate(KEYS):
        known = " AND ".join(f"{column} IS NOT NULL" for column in key.split(", "))
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE link_key_{number} AS
            WITH wanted AS (SELECT DISTINCT {key} FROM link_side WHERE {known}),
            kept AS (
              SELECT id, {key} FROM link_row JOIN wanted USING ({key}) WHERE side = 1
              QUALIFY count(*) OVER (PARTITION BY {key}) <= {largest:d})
            SELECT s.id AS l, k.id AS r FROM link_side s JOIN kept k USING ({key})"""
        )
        found.append(f"FROM link_key_{number}")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE link_pair AS
        WITH every AS (SELECT DISTINCT l, r FROM ({" UNION ALL ".join(found)}))
        SELECT l, r FROM every JOIN link_side s ON s.id = l JOIN link_row c ON c.id = r JOIN link_civil p ON p.cid =
          c.number
        ANTI JOIN link_taken t ON t.source = s.source AND t.fam = s.fam_key AND t.person = p.person
          AND name_level(t.key, t.words, s.name, s.words) = 0
        ORDER BY l, r"""
    )
    for number in range(len(KEYS)):
        con.execute(f"DROP TABLE link_key_{number}")
    return int(con.execute("SELECT count(*) FROM link_pair").fetchall()[0][0])


def score(con: duckdb.DuckDBPyConnection, fitted: model.Model, beyond_birth: float) -> None:
    """``link_scored(rid, cid, probability, w_…)`` of ``link_pair``; rivals share the probability.

    A number contains the birth date: where that agrees, a similar number adds at most `beyond_birth` bits.
    """
    compared = comparisons()
    with scoring.quiet():
        scoring.weigh(con, compared, fitted)
    con.execute(f"UPDATE link_weight SET w_nik = {beyond_birth!r} WHERE w_born > 0 AND w_nik > {beyond_birth!r}")
    total = " + ".join(f"w_{c.name}" for c in compared)
    listed = ", ".join(f"w_{c.name}" for c in compared)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE link_scored AS
        WITH odd AS (
          SELECT l.number AS rid, c.cid, c.person, {listed},
            pow(2.0, greatest(-300, least(300, {fitted.prior()!r} + {total}))) AS odds
          FROM link_weight w JOIN link_row l ON l.id = w.id_l JOIN link_row r ON r.id = w.id_r JOIN link_civil c ON
            c.cid = r.number
        ), best AS (
          SELECT * FROM odd QUALIFY row_number() OVER (PARTITION BY rid, person ORDER BY odds DESC, cid) = 1)
        SELECT rid, cid, person, odds / (1 + sum(odds) OVER (PARTITION BY rid)) AS probability, {listed} FROM best"""
    )
