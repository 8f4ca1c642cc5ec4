"""The registry a quarter or more before the demonstration: who was there, where, and what their record said.

Derived backwards from the finished dataset by declared rates (``data/rules/simulation/history.toml``). An older
value is the value of a donor: a family of the same regency, as well off or, for a declared part, any. So older
records are plausible as a whole, and no value is invented. Every choice is a hash of the family's number: the same
family changes in the same way in every build with the same seed, and a family that changed in one quarter stays
changed in all quarters before it.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import duckdb

from dtsen_core.errors import InternalError
from dtsen_core.paths import RULES
from dtsen_core.registry.indicators import INDICATORS

PARTS = 1_000_003  # resolution of the random numbers
ROOM = 4_000_000_000  # keys from here on belong to families that have left the registry


@dataclass(frozen=True)
class Quarter:
    """One earlier state. `back` quarters before the demonstration; `families` the registry's total then."""

    as_of: dt.date
    enrolment: str
    families: float
    model: str
    back: int


@lru_cache(maxsize=1)
def rules() -> dict:
    return tomllib.loads((RULES / "simulation" / "history.toml").read_text(encoding="utf-8"))


def quarters() -> tuple[Quarter, ...]:
    """The earlier states, newest first; InternalError when the file lists them in another order."""
    found = tuple(
        Quarter(row["as_of"], row["enrolment"], float(row["families"]), row["model"], back)
        for back, row in enumerate(rules()["quarter"], start=1)
    )
    if any(a.as_of <= b.as_of for a, b in pairwise(found)):
        raise InternalError("history.toml: quarters must run from the newest to the oldest")
    return found


def write(con: duckdb.DuckDBPyConnection, now: str, quarter: Quarter, seed: int) -> None:
    """Tables ``keluarga`` and ``indicators`` of `quarter` in the current database, from those of schema `now`
    (an attached database of ours); deciles are those of today until the state is ranked."""
    con.execute("CREATE OR REPLACE TEMP TABLE past AS " + _past_sql(now, quarter, seed))
    con.execute("CREATE TABLE keluarga AS " + _families_sql(con, now))
    con.execute("CREATE TABLE indicators AS " + _indicators_sql(now))
    con.execute("DROP TABLE past")


def _chance(seed: int, stream: int, key: str = "id_keluarga") -> str:
    return f"(hash({key}, {seed}, {stream}) % {PARTS}) / {PARTS}.0"


def _past_sql(now: str, quarter: Quarter, seed: int) -> str:
    """One row per family of then: its key, the family of today it descends from (`base`), donor and flags."""
    rate, back = rules()["rates"], quarter.back
    groups = rules()["groups"]
    flags = ", ".join(
        f"""CASE WHEN visited THEN {_chance(seed, 60 + n)} < {rules()["visited"][name]}
             WHEN matched THEN {_chance(seed, 60 + n)} < {rules()["matched"][name]} ELSE false END AS c_{name}"""
        for n, name in enumerate(groups)
    )
    return f"""WITH today AS (
  SELECT id_keluarga, regency, province, desil_nasional,
    coalesce(tanggal_pemutakhiran > DATE '{quarter.as_of:%Y-%m-%d}', false) AS visited,
    {_chance(seed, 51)} < {rate["unvisited"] * back} AS matched,
    {_chance(seed, 52)} < {rate["far"]} AS far,
    {_chance(seed, 53)} < {rate["moved"] * back} AS moved
  FROM {now}.keluarga WHERE {_chance(seed, 54)} >= {rate["new"] * back}
), near_donor AS (
  SELECT id_keluarga, coalesce(
      lead(id_keluarga) OVER (PARTITION BY regency, desil_nasional ORDER BY hash(id_keluarga, {seed}, 55)),
      first_value(id_keluarga) OVER (PARTITION BY regency, desil_nasional ORDER BY hash(id_keluarga, {seed}, 55))
    ) AS donor
  FROM {now}.keluarga
), far_donor AS (
  SELECT id_keluarga, coalesce(
      lead(id_keluarga) OVER (PARTITION BY regency ORDER BY hash(id_keluarga, {seed}, 56)),
      first_value(id_keluarga) OVER (PARTITION BY regency ORDER BY hash(id_keluarga, {seed}, 56))
    ) AS donor
  FROM {now}.keluarga
), neighbour AS (
  SELECT id_keluarga, lead(id_keluarga) OVER (PARTITION BY province ORDER BY hash(id_keluarga, {seed}, 57)) AS place
  FROM {now}.keluarga
)
SELECT id_keluarga, id_keluarga AS base, CASE WHEN far THEN f.donor ELSE n.donor END AS donor,
  CASE WHEN moved THEN coalesce(p.place, id_keluarga) ELSE id_keluarga END AS place, visited, {flags}
FROM today JOIN near_donor AS n USING (id_keluarga) JOIN far_donor AS f USING (id_keluarga)
  JOIN neighbour AS p USING (id_keluarga)
UNION ALL
SELECT id_keluarga + {ROOM}, id_keluarga, id_keluarga, id_keluarga, false, {", ".join("false" for _ in groups)}
FROM {now}.keluarga WHERE {_chance(seed, 58)} < {rate["gone"] * back}"""


def _switch(name: str) -> str:
    """The value of `name` then: the donor's where its group changed."""
    for group, members in rules()["groups"].items():
        if name in members:
            return f"CASE WHEN p.c_{group} THEN d.{name} ELSE b.{name} END AS {name}"
    return f"b.{name}"


def _families_sql(con: duckdb.DuckDBPyConnection, now: str) -> str:
    places = {"province", "regency", "district", "village", "urban", "kode_provinsi", "kode_kabupaten_kota",
              "kode_kecamatan", "kode_kelurahan_desa"}  # fmt: skip
    # Before a visit the record had an older date; how old is not kept, so a year is taken off, and nobody had
    # been to see the family.
    dated = {
        "tanggal_pemutakhiran": "CASE WHEN p.visited THEN b.tanggal_pemutakhiran - INTERVAL 1 YEAR"
        " ELSE b.tanggal_pemutakhiran END::DATE",
        "tanggal_ground_check": "CASE WHEN NOT p.visited THEN b.tanggal_ground_check END",
        # A family that has left has a card of its own: the first digit, never used by an area, tells it apart.
        "nomor_kartu_keluarga": f"CASE WHEN p.id_keluarga >= {ROOM} THEN '0' || right(b.nomor_kartu_keluarga, 15)"
        " ELSE b.nomor_kartu_keluarga END",
    }
    columns = []
    for (name,) in con.execute(
        "SELECT column_name FROM duckdb_columns() WHERE database_name = ? AND table_name = 'keluarga'"
        " ORDER BY column_index", [now.split(".")[0]],
    ).fetchall():  # fmt: skip
        if name == "id_keluarga":
            columns.append("p.id_keluarga")
        elif name in places:
            columns.append(f"w.{name}")
        elif name in dated:
            columns.append(f"{dated[name]} AS {name}")
        else:
            columns.append(_switch(name))
    return f"""SELECT {", ".join(columns)} FROM past AS p JOIN {now}.keluarga AS b ON b.id_keluarga = p.base
    JOIN {now}.keluarga AS d ON d.id_keluarga = p.donor JOIN {now}.keluarga AS w ON w.id_keluarga = p.place
    ORDER BY p.id_keluarga"""


def _indicators_sql(now: str) -> str:
    columns = ", ".join(_switch(indicator.name) for indicator in INDICATORS)
    return f"""SELECT p.id_keluarga, {columns} FROM past AS p JOIN {now}.indicators AS b ON b.id_keluarga = p.base
    JOIN {now}.indicators AS d ON d.id_keluarga = p.donor JOIN keluarga AS k ON k.id_keluarga = p.id_keluarga
    ORDER BY k.village, p.id_keluarga"""


def flags_sql(now: str, quarter: Quarter) -> str:
    """``programme_flag`` of the families of then: the enrolment of their quarter, one row per family."""
    return f"""WITH enrolled AS (
  SELECT id_keluarga, program, sum(persons) AS persons FROM {now}.enrolment
  WHERE quarter = '{quarter.enrolment}' GROUP BY ALL
)
SELECT f.id_keluarga,
  CAST(count(*) FILTER (program = 'pkh') AS UTINYINT) AS pkh,
  CAST(count(*) FILTER (program = 'sembako') AS UTINYINT) AS sembako,
  CAST(count(*) FILTER (program = 'blt_desa') AS UTINYINT) AS blt_desa,
  CAST(least(coalesce(sum(persons) FILTER (program = 'pbi'), 0), any_value(f.family_size)) AS UTINYINT) AS pbi_persons,
  CAST(least(coalesce(sum(persons) FILTER (program = 'pbi_pemda'), 0), any_value(f.family_size)) AS UTINYINT)
    AS pbi_pemda_persons,
  CAST(least(coalesce(sum(persons) FILTER (program = 'pip'), 0), any_value(f.family_size)) AS UTINYINT) AS pip_pupils
FROM family_packed AS f JOIN enrolled AS e
  ON e.id_keluarga = CASE WHEN f.id_keluarga >= {ROOM} THEN f.id_keluarga - {ROOM} ELSE f.id_keluarga END
GROUP BY f.id_keluarga"""
