"""The steps of a build that are one statement each: from drawn or golden tables to the tables that are served."""

from __future__ import annotations

import datetime as dt

import duckdb
import pyarrow as pa

from dtsen_core.collect.simulate.population import Recipe
from dtsen_core.errors import UserError
from dtsen_core.rank.packing import FLAGS, OFFICIAL
from dtsen_core.regions import boundaries
from dtsen_core.registry.indicators import indicator_sql


def adopt_simulated(con: duckdb.DuckDBPyConnection) -> None:
    """Without registers the drawn families are the registry; nobody claims a source for them."""
    con.execute("CREATE TABLE keluarga AS SELECT * FROM scratch.main.sim_keluarga ORDER BY id_keluarga")
    con.execute("CREATE TABLE anggota AS SELECT * FROM scratch.main.sim_anggota ORDER BY id_keluarga, id_anggota")


def write_survey(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE survey AS SELECT * FROM scratch.main.survey ORDER BY household")


def write_indicators(con: duckdb.DuckDBPyConnection, as_of: dt.date) -> None:
    """Table ``indicators`` in the order of ``keluarga``."""
    con.execute(f"""CREATE TABLE indicators AS SELECT i.* FROM ({indicator_sql(as_of)}) AS i
        JOIN (SELECT id_keluarga, village FROM keluarga) AS k USING (id_keluarga)
        ORDER BY k.village, i.id_keluarga""")


def write_area_weight(con: duckdb.DuckDBPyConnection, recipe: Recipe, source: str = "keluarga") -> None:
    """``area_weight``: the registry's families of each regency shared among the rows that stand for them.

    The rows are counted after integration, so families that integration could not recover do not make a
    regency look smaller.
    """
    families = recipe.families * recipe.weight
    con.register("regency_total", pa.table({
        "regency": pa.array(range(len(families)), pa.uint16()), "families": pa.array(families),
        "survey_factor": pa.array(recipe.survey_factor),
    }))  # fmt: skip
    con.execute(f"""CREATE TABLE area_weight AS
        SELECT t.regency, t.families / count(k.id_keluarga) AS weight, t.survey_factor
        FROM regency_total AS t JOIN {source} AS k USING (regency)
        GROUP BY t.regency, t.families, t.survey_factor ORDER BY t.regency""")
    con.unregister("regency_total")


def write_flags(con: duckdb.DuckDBPyConnection) -> None:
    """The latest quarter's enrolment into ``family_packed``, one row per family before and after."""
    filled = ", ".join(f"coalesce(g.{name}, 0)::UTINYINT AS {name}" for name in FLAGS)
    con.execute(f"""CREATE OR REPLACE TABLE family_packed AS
        SELECT f.* REPLACE ({filled}) FROM family_packed AS f LEFT JOIN programme_flag AS g USING (id_keluarga)
        ORDER BY f.village, f.id_keluarga""")


def copy_deciles(con: duckdb.DuckDBPyConnection) -> None:
    """The official deciles of the dataset, from ``family_packed`` into ``keluarga``."""
    filled = ", ".join(f"{name} = f.{name}" for name in OFFICIAL)
    con.execute(f"UPDATE keluarga SET {filled} FROM family_packed AS f WHERE f.id_keluarga = keluarga.id_keluarga")


def write_evaluation(con: duckdb.DuckDBPyConnection, *, linked: bool) -> None:
    """The truth about every drawn family, apart from the registry; `linked` gives the golden key where the
    family was recovered (NULL where it was not), and which person and family every record of a register is of."""
    link = "l.id_keluarga" if linked else "t.id_keluarga"
    join = "LEFT JOIN truth_link AS l ON l.sim_id_keluarga = t.id_keluarga" if linked else ""
    con.execute(f"""CREATE TABLE evaluation.main.truth AS
        SELECT {link} AS id_keluarga, t.regency, t.urban, t.family_size, t.weight, t.expenditure
        FROM scratch.main.truth AS t {join} ORDER BY t.regency, t.id_keluarga""")
    con.execute("CREATE TABLE evaluation.main.effects AS SELECT * FROM effects ORDER BY id_keluarga, program")
    con.execute("DROP TABLE effects")
    con.execute("CREATE TABLE evaluation.main.true_effect AS SELECT * FROM true_effect ORDER BY program, outcome")
    con.execute("DROP TABLE true_effect")
    if linked:
        con.execute("DROP TABLE truth_link")
        for measured in ("match_quality", "family_quality"):
            con.execute(f"CREATE TABLE evaluation.main.{measured} AS SELECT * FROM {measured}")
            con.execute(f"DROP TABLE {measured}")
        con.execute("CREATE TABLE evaluation.main.truth_record AS SELECT * FROM truth_record ORDER BY kind, line_from")


def truth_sql(*, linked: bool) -> str:
    """Query of (id_keluarga, expenditure): the true expenditure behind the families of the registry."""
    if not linked:
        return "SELECT id_keluarga, expenditure FROM scratch.main.truth"
    return """SELECT l.id_keluarga, t.expenditure FROM scratch.main.truth AS t
        JOIN truth_link AS l ON l.sim_id_keluarga = t.id_keluarga WHERE l.id_keluarga IS NOT NULL"""


def source_mix(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Families by the register their attributes come from."""
    rows = con.execute("SELECT attribute_source, count(*) FROM keluarga GROUP BY 1 ORDER BY 2 DESC").fetchall()
    return {str(source): int(count) for source, count in rows}


def row_counts(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    names = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() ORDER BY 1"
    ).fetchall()
    counts = {}
    for (name,) in names:
        found = con.execute(f'SELECT count(*) FROM "{name}"').fetchone()
        counts[str(name)] = int(found[0]) if found else 0
    return counts


def boundary_hash() -> str:
    """The boundaries installed when the dataset was made; empty where none are. Maps say so themselves."""
    try:
        return boundaries.current().hash
    except UserError:
        return ""


def shorten_paths(con: duckdb.DuckDBPyConnection, folder: str = "") -> None:
    """Keep file names in the accounts, not where this machine had the files while it built."""
    for table in ("ingest_file", "quarantine", "joined_record", "correction", "source_file", "rule_finding",
                  "review_pair"):  # fmt: skip
        con.execute(f"UPDATE {table} SET path = ? || regexp_extract(path, '[^/\\\\]+$')", [folder])
