"""Builds of more families than persons are kept for: every table is written once, in its final order.

Families are drawn in the order of their villages, so nothing is sorted. While one chunk is drawn, the one before is
stored: the family's columns and its packed codes in the scratch database, its indicators and its truth where they
stay. Deciles and enrolment need the whole nation first; they come with the one pass that writes ``family_packed``,
and from there, row by row, into ``keluarga``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import duckdb

from dtsen_core.build import tables
from dtsen_core.collect.simulate import identity, population, programmes
from dtsen_core.collect.simulate.population import Recipe
from dtsen_core.rank import engine, official, packing
from dtsen_core.rank.packing import FLAGS, KEYS, OFFICIAL
from dtsen_core.rank.scorecard import PROVINCES, Scorecard
from dtsen_core.registry import ddl

DRAWN = "scratch.main.family_packed"


def draw(con: duckdb.DuckDBPyConnection, recipe: Recipe, progress: Callable[[float], None]) -> None:
    """``indicators`` and the evaluation's ``truth``; ``sim_keluarga`` and packed codes in the scratch database."""
    identity.register_units(con)
    unknown = ", ".join(f"NULL::UTINYINT AS {name}" for name in OFFICIAL)
    done = 0
    for number, (families, persons, truth) in enumerate(population.ahead(population.draw_families(recipe))):
        for name, chunk in (("family_chunk", families), ("person_chunk", persons), ("truth_chunk", truth)):
            con.register(name, chunk)
        statement = population.index_sql(con, "family_chunk", "person_chunk", recipe.as_of)
        con.execute(f"CREATE OR REPLACE TEMP TABLE index_chunk AS SELECT * FROM ({statement}) ORDER BY id_keluarga")
        con.execute(f"CREATE OR REPLACE TEMP VIEW packed_chunk AS SELECT *, {unknown} FROM family_chunk")
        named = identity.families_sql(recipe.seed, "family_chunk", named=False)
        for table, rows in (
            ("evaluation.main.truth", "SELECT * FROM truth_chunk"),
            ("dtsen.main.indicators", "SELECT * FROM index_chunk"),
            (DRAWN, packing.pack_sql("index_chunk", "packed_chunk")),
            ("scratch.main.sim_keluarga", f"SELECT * FROM ({named}) ORDER BY id_keluarga"),
        ):
            population.store(con, table, rows, first=number == 0)
        done += families.num_rows
        progress(done / recipe.total)
    con.execute("DROP TABLE index_chunk; DROP VIEW packed_chunk; DROP VIEW drawn_person")
    for name in ("family_chunk", "person_chunk", "truth_chunk"):
        con.unregister(name)


def prepare(con: duckdb.DuckDBPyConnection, recipe: Recipe) -> None:
    """What ranking needs besides the packed codes."""
    tables.write_survey(con)
    tables.write_area_weight(con, recipe, DRAWN)
    packing.write_dictionary(con)


def rank_and_enrol(
    con: duckdb.DuckDBPyConnection, card: Scorecard, seed: int, as_of: dt.date, progress: Callable[[float], None]
) -> None:
    """``family_packed`` with official deciles by `card` and the latest quarter's enrolment, and ``keluarga``."""
    packs = packing.check(con)
    h = engine.count(con, card)
    weight, _ = official.area_weights(con)
    found = {s: official.scope_thresholds(h, s, "families", weight) for s in official.SCOPES}
    official.prepare(con, packs, card, found, "a")
    progress(0.1)
    deciles = ", ".join(f"f.a_{s}::UTINYINT AS {column}" for s, column in zip(official.SCOPES, OFFICIAL, strict=True))
    needed = ", ".join(f"{packing.category_sql(name)} AS {name}" for name in programmes.NEEDED)
    kept = ", ".join(f"f.{name}" for name in (*KEYS, *packs.columns))
    steps = official.ranked_sql(packs, {"a": card.sets}, source=DRAWN)
    narrowed = official.ranked_sql(packs, {"a": card.sets}, "province", source=DRAWN)
    query = f"WITH {{}} SELECT {kept}, {deciles}, {needed} FROM ranked AS f"
    programmes.write_rates_by_group(con, seed, query.format(steps))
    progress(0.25)
    columns = ", ".join((*KEYS, *packs.columns, *OFFICIAL, *FLAGS))
    rows = (
        f"SELECT {columns} FROM ({programmes.flagged_sql(seed, query.format(narrowed))}) ORDER BY village, id_keluarga"
    )
    con.execute(f"CREATE TABLE dtsen.main.family_packed AS SELECT {columns} FROM {DRAWN} LIMIT 0")
    for province in range(PROVINCES):  # one at a time: what is sorted stays in memory
        con.execute(f"INSERT INTO dtsen.main.family_packed {rows}", [province])
        progress(0.25 + 0.45 * (province + 1) / PROVINCES)
    con.execute(f"DROP TABLE {DRAWN}; DROP TABLE rate_by_group; DROP TABLE a_limits")
    for k in range(1, len(packs.groups) + 1):
        con.execute(f"DROP TABLE IF EXISTS a_lut{k}; DROP TABLE IF EXISTS lut{k}")
    _adopt(con)
    progress(1.0)


def _adopt(con: duckdb.DuckDBPyConnection) -> None:
    """``keluarga`` from the drawn families, with the deciles of the row at the same place."""
    kinds = dict(ddl.columns("keluarga"))
    filled = ", ".join(f"f.{name}::{kinds[name]} AS {name}" for name in OFFICIAL)
    con.execute(f"""CREATE TABLE dtsen.main.keluarga AS SELECT s.* REPLACE ({filled})
        FROM scratch.main.sim_keluarga AS s POSITIONAL JOIN dtsen.main.family_packed AS f""")
    apart = con.execute("""SELECT count(*) FROM (SELECT id_keluarga AS id FROM dtsen.main.keluarga) AS k
        POSITIONAL JOIN (SELECT id_keluarga AS id FROM dtsen.main.family_packed) AS f
        WHERE k.id IS DISTINCT FROM f.id""").fetchall()[0][0]
    if apart:
        raise RuntimeError(f"{apart} families are not in the order of their villages")
    con.execute("DROP TABLE scratch.main.sim_keluarga")
