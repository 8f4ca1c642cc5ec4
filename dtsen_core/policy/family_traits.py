"""What a family has that programmes ask for: components, pupils, protected members, groups for fairness.

Every trait is a declared name with its SQL here; nothing else of a rules file ever reaches a query. Members are
summed before they are joined, so a family stays one row. Ages are completed years on the date of the data.
"""

from __future__ import annotations

import datetime as dt
import re

import duckdb

from dtsen_core.rank.packing import category_sql
from dtsen_core.registry.catalog import has
from dtsen_core.registry.indicators import FUNCTIONS

# Counted members. Pregnancy is not delivered: a component of that name counts nobody, and the page says so.
COUNTED = {
    "early_childhood": "count(*) FILTER (age < 7)",
    "primary": "count(*) FILTER (attends AND level <= 5)",
    "junior": "count(*) FILTER (attends AND level BETWEEN 6 AND 10)",
    "senior": "count(*) FILTER (attends AND level BETWEEN 11 AND 17)",
    "severe_disability": "count(*) FILTER (severe)",
    "elderly": "count(*) FILTER (age >= 70)",
}
UNRECORDED = ("pregnancy",)
UNITS = {
    "pupils": "count(*) FILTER (attends AND level <= 17)",
    "students": "count(*) FILTER (attends AND level > 17)",
    "school_age": "count(*) FILTER (age BETWEEN 7 AND 18)",
}
PROTECTED = {
    "chronic_illness": "coalesce(bool_or(penyakit_kronis > 1), false)",
    "newborn": "coalesce(bool_or(age < 1), false)",
}
GROUPS = {
    "female_head": "coalesce(bool_or(head AND jenis_kelamin = 2), false)",
    "elderly_head": "coalesce(bool_or(head AND age >= 60), false)",
}
# The same from the indicators where a dataset holds no members; counts are then unknown.
_FROM_INDICATORS = {
    "female_head": "i.jenis_kelamin_kepala = 2",
    "elderly_head": "i.umur_kepala = 6",
    "disability": "i.disabilitas_atau_kronis = 1",
    "has_component": "i.anak_tidak_sekolah <> 4 OR i.umur_kepala = 6 OR i.disabilitas_atau_kronis = 1"
    " OR i.rasio_ketergantungan BETWEEN 2 AND 5",
}


def known(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Whether the dataset holds member rows."""
    if not has(cursor, "anggota"):
        return False
    return cursor.execute("SELECT 1 FROM anggota LIMIT 1").fetchone() is not None


def packed() -> dict[str, str]:
    """SQL of every trait from the codes of ``family_packed AS f``, for a dataset without member rows; what only
    members tell is 0 or false."""
    said = dict.fromkeys((*COUNTED, *UNITS), "0") | dict.fromkeys(PROTECTED, "false")
    return said | {
        name: "(" + re.sub(r"i\.(\w+)", lambda found: f"({category_sql(found[1])})", sql) + ")"
        for name, sql in _FROM_INDICATORS.items()
    }


def write(cursor: duckdb.DuckDBPyConnection, as_of: dt.date, only: str = "") -> bool:
    """Temporary table ``traits``, one row per family with members: counts, flags; False without member rows.
    `only` names a table of ours whose families alone are wanted.

    Columns: id_keluarga, the keys of `COUNTED`, `UNITS`, `PROTECTED`, `GROUPS`, and ``disability`` and
    ``has_component`` (booleans). Without members the counts are 0 and stand for "unknown".
    """
    members = known(cursor)
    source = _from_members(as_of, only) if members else _indicators()
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE traits AS {source}")
    return members


def _from_members(as_of: dt.date, only: str) -> str:
    severe = " OR ".join(f"{name} <= 2" for name in FUNCTIONS)
    counted = ", ".join(f"least({sql}, 15)::UTINYINT AS \"{name}\"" for name, sql in {**COUNTED, **UNITS}.items())
    flags = ", ".join(f"{sql} AS {name}" for name, sql in {**PROTECTED, **GROUPS}.items())
    some = " + ".join(f'"{name}"' for name in COUNTED)
    return f"""WITH person AS (
  SELECT id_keluarga, jenis_kelamin, penyakit_kronis, status_hubungan_keluarga = 1 AS head,
    date_sub('year', tanggal_lahir, DATE '{as_of:%Y-%m-%d}') AS age,
    partisipasi_sekolah = 2 AS attends, jenjang_tertinggi_yang_diduduki AS level, ({severe}) AS severe
  FROM anggota {f"SEMI JOIN {only} USING (id_keluarga)" if only else ""}
), sums AS (SELECT id_keluarga, {counted}, {flags} FROM person GROUP BY id_keluarga)
SELECT *, severe_disability > 0 AS disability, {some} > 0 AS has_component FROM sums"""


def _indicators() -> str:
    counted = ", ".join(f"0::UTINYINT AS \"{name}\"" for name in (*COUNTED, *UNITS))
    flags = ", ".join(f"({_FROM_INDICATORS[n]}) AS {n}" for n in (*GROUPS, "disability", "has_component"))
    protected = ", ".join(f"false AS {name}" for name in PROTECTED)
    return f"SELECT i.id_keluarga, {counted}, {protected}, {flags} FROM indicators AS i"
