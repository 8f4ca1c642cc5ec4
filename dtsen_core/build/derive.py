"""From families of origin *real* to the tables that are served, and the manifest that says what they are."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import duckdb
import pyarrow as pa

import dtsen_core
from dtsen_core.build import tables
from dtsen_core.rank import packing, scorecard
from dtsen_core.regions import units
from dtsen_core.registry.catalog import has
from dtsen_core.registry.manifest import Manifest

FAMILY_FLAGS = ("pkh", "sembako", "blt_desa")


def derive(con: duckdb.DuckDBPyConnection, as_of: dt.date) -> list[str]:
    """Indicators, packed families and programme membership; returns the programmes the files speak about."""
    con.register("regency_idx", pa.table({"regency": pa.array(range(len(units.table("regency"))), pa.uint16())}))
    con.execute("""CREATE TABLE area_weight AS
        SELECT regency, 1.0::DOUBLE AS weight, 1.0::DOUBLE AS survey_factor FROM regency_idx""")
    con.unregister("regency_idx")
    tables.write_indicators(con, as_of)
    packing.pack(con)
    scorecard.create_tables(con)
    known = _flags(con)
    tables.write_flags(con)
    con.execute("DROP TABLE programme_flag")
    return known


def _flags(con: duckdb.DuckDBPyConnection) -> list[str]:
    """``programme_flag``: who has what in the latest quarter that its programme was paid in."""
    if not has(con, "enrolment"):
        con.execute("""CREATE TEMP TABLE paid (id_keluarga BIGINT, program VARCHAR, quarter VARCHAR, persons UTINYINT,
            amount DOUBLE)""")
    else:
        con.execute("""CREATE TEMP TABLE paid AS SELECT e.* FROM enrolment e
            JOIN (SELECT program, max(quarter) AS quarter FROM enrolment GROUP BY program) USING (program, quarter)""")
    families = ", ".join(f"max((e.program = '{name}')::INTEGER) AS {name}" for name in FAMILY_FLAGS)
    persons = ", ".join(f"coalesce(sum(e.persons) FILTER (e.program = '{program}'), 0) AS {name}" for program, name in (
        ("pbi", "listed"), ("pbi_pemda", "listed_pemda"), ("pip", "pip_pupils")))  # fmt: skip
    con.execute(
        f"""CREATE TABLE programme_flag AS
        WITH asked AS (
          SELECT id_keluarga, count(*) FILTER (pbi_nas = 1) AS insured, count(*) FILTER (pbi_pemda = 1) AS by_region
          FROM anggota GROUP BY id_keluarga
        ), listed AS (SELECT e.id_keluarga, {families}, {persons} FROM paid e GROUP BY e.id_keluarga)
        SELECT id_keluarga, {", ".join(f"coalesce({name}, 0) AS {name}" for name in FAMILY_FLAGS)},
          least(coalesce(pip_pupils, 0), 255) AS pip_pupils,
          least(greatest(coalesce(insured, 0), coalesce(listed, 0)), 255) AS pbi_persons,
          least(greatest(coalesce(by_region, 0), coalesce(listed_pemda, 0)), 255) AS pbi_pemda_persons
        FROM asked FULL JOIN listed USING (id_keluarga)"""
    )
    known = {row[0] for row in con.execute("SELECT DISTINCT program FROM paid").fetchall()}
    con.execute("DROP TABLE paid")
    asked = con.execute("SELECT count(pbi_nas) > 0, count(pbi_pemda) > 0 FROM anggota").fetchall()[0]
    known |= {name for name, found in zip(("pbi", "pbi_pemda"), asked, strict=True) if found}
    return sorted(known)


def _households(con: duckdb.DuckDBPyConnection) -> int:
    return int(con.execute("SELECT count(*) FROM survey").fetchall()[0][0]) if has(con, "survey") else 0


def manifest(
    con: duckdb.DuckDBPyConnection, kind: str, as_of: dt.date, known: list[str], deliveries: list[dict[str, Any]]
) -> Manifest:
    """What the finished database in `con` is; `deliveries` are all that it was made from."""
    counted = con.execute("SELECT count(*), coalesce(sum(family_size), 0) FROM family_packed").fetchall()[0]
    now = dt.datetime.now(dt.UTC)
    files = {file["shown"]: file["hash"] for delivery in deliveries for file in delivery["files"]}
    name = hashlib.blake2b("".join(sorted(files.values())).encode(), digest_size=4).hexdigest()
    moment = f"{now:%Y%m%d%H%M%S%f}"[:-3]  # milliseconds: the same files may make two versions within a second
    return Manifest(
        origin="real", version=f"{kind}-{name}-{moment}", as_of=as_of.isoformat(),
        created=now.isoformat(timespec="microseconds"), families=int(counted[0]), persons=int(counted[1]),
        registry_families=float(counted[0]), registry_persons=float(counted[1]), has_members=True,
        packing=packing.packing().hash, boundary_hash=tables.boundary_hash(), code_version=dtsen_core.__version__,
        source_mix=tables.source_mix(con), survey_households=_households(con), files=files,
        rows=tables.row_counts(con), programmes=known,
        deliveries=deliveries,
    )  # fmt: skip
