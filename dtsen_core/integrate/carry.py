"""Families of an earlier version that a new delivery does not speak of are carried over.

Deliveries come regency by regency. A new one replaces the families of its regencies; a card or a person that
it names leaves the place where an earlier delivery had it. Everything else stays, with its trace.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from dtsen_core.errors import InternalError
from dtsen_core.integrate import trace

ACCOUNTS = ("ingest_file", "quarantine", "joined_record", "correction", "rule_finding")
LAYOUTS = "('dtsen_keluarga', 'dtsen_anggota')"


def carry(con: duckdb.DuckDBPyConnection, database: Path, *, replace: bool = True) -> dict[str, int]:
    """Add the delivered families of the version in `database` to ``keluarga`` and ``anggota`` of `con`.

    With `replace` the regencies of the new delivery give way to it; without, only the cards it names.

    Returns ``carried`` (families kept), ``replaced`` (families of the same regencies that gave way) and
    ``moved`` (families elsewhere whose card the new delivery names). InternalError if a family is lost.
    """
    quoted = str(database).replace("'", "''")
    con.execute(f"ATTACH '{quoted}' AS before (READ_ONLY)")
    try:
        counts = _families(con, replace)
        _members(con)
        if _exists(con, "source_record"):
            _trace(con)
        _accounts(con)
    finally:
        con.execute("DETACH before")
    if con.execute("SELECT count(*) FROM anggota ANTI JOIN keluarga USING (id_keluarga)").fetchall()[0][0]:
        raise InternalError("members without family after carrying over")
    total = con.execute("SELECT count(*), count(DISTINCT nomor_kartu_keluarga) FROM keluarga").fetchall()[0]
    if total[0] != total[1] or total[0] != counts["carried"] + counts.pop("new"):
        raise InternalError(f"families after carrying over: {total}, {counts}")
    for table in ("family_number", "person_number"):
        con.execute(f"DROP TABLE {table}")
    return counts


def _families(con: duckdb.DuckDBPyConnection, replace: bool) -> dict[str, int]:
    spoken_of = "regency IN (SELECT DISTINCT regency FROM keluarga)" if replace else "false"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE earlier AS
        SELECT id_keluarga, nomor_kartu_keluarga AS kk, village, {spoken_of} AS replaced,
          nomor_kartu_keluarga IN (SELECT nomor_kartu_keluarga FROM keluarga) AS named
        FROM before.main.keluarga"""
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE family_number AS
        SELECT row_number() OVER () - 1 AS number, * FROM (
          SELECT id_keluarga AS new_id, NULL::BIGINT AS old_id, nomor_kartu_keluarga AS kk, village FROM keluarga
          UNION ALL SELECT NULL, id_keluarga, kk, village FROM earlier WHERE NOT replaced AND NOT named
          ORDER BY village, kk)"""
    )
    counted = con.execute("""SELECT (SELECT count(*) FROM family_number WHERE old_id IS NOT NULL),
        (SELECT count(*) FROM family_number WHERE new_id IS NOT NULL),
        (SELECT count(*) FROM earlier WHERE replaced), (SELECT count(*) FROM earlier WHERE named AND NOT replaced)""")
    carried, new, replaced, moved = counted.fetchall()[0]
    con.execute(
        """CREATE TABLE joined_keluarga AS SELECT * FROM (
          SELECT k.* REPLACE (n.number AS id_keluarga) FROM keluarga k JOIN family_number n ON n.new_id = k.id_keluarga
          UNION ALL BY NAME
          SELECT b.* REPLACE (n.number AS id_keluarga)
          FROM before.main.keluarga b JOIN family_number n ON n.old_id = b.id_keluarga) ORDER BY id_keluarga"""
    )
    con.execute("DROP TABLE earlier")
    return {"carried": carried, "new": new, "replaced": replaced, "moved": moved}


def _members(con: duckdb.DuckDBPyConnection) -> None:
    """New members find their family by its card: a corrected one may belong to a family that is carried over."""
    coming = con.execute("SELECT count(*) FROM anggota").fetchall()[0][0]
    con.execute(
        """CREATE OR REPLACE TEMP TABLE person_number AS
        SELECT row_number() OVER () - 1 AS number, * FROM (
          SELECT a.id_anggota AS new_id, NULL::BIGINT AS old_id, n.number AS family, a.status_hubungan_keluarga AS r,
            a.nomor_induk_kependudukan AS nik
          FROM anggota a JOIN family_number n ON n.kk = a.nomor_kartu_keluarga
          UNION ALL
          SELECT NULL, b.id_anggota, n.number, b.status_hubungan_keluarga, b.nomor_induk_kependudukan
          FROM before.main.anggota b JOIN family_number n ON n.old_id = b.id_keluarga
          WHERE b.nomor_induk_kependudukan NOT IN (SELECT nomor_induk_kependudukan FROM anggota)
          ORDER BY family, r, nik)"""
    )
    found = con.execute("SELECT count(*) FROM person_number WHERE new_id IS NOT NULL").fetchall()[0][0]
    if found != coming:
        raise InternalError(f"{coming} members delivered, {found} of them with a family")
    renumbered = "* REPLACE (n.number AS id_anggota, n.family AS id_keluarga)"
    con.execute(
        f"""CREATE TABLE joined_anggota AS SELECT * FROM (
          SELECT a.{renumbered} FROM anggota a JOIN person_number n ON n.new_id = a.id_anggota
          UNION ALL BY NAME
          SELECT b.{renumbered} FROM before.main.anggota b JOIN person_number n ON n.old_id = b.id_anggota)
        ORDER BY id_anggota"""
    )
    for table in ("keluarga", "anggota"):
        con.execute(f"DROP TABLE {table}")
        con.execute(f"ALTER TABLE joined_{table} RENAME TO {table}")


def _trace(con: duckdb.DuckDBPyConnection) -> None:
    """Renumber the trace of the new rows, and add that of the carried ones with their files."""
    shift = con.execute("SELECT coalesce(max(path_id) + 1, 0) FROM source_file").fetchall()[0][0]
    con.execute(
        f"""INSERT INTO source_file SELECT path_id + {shift}, source,
          (file_id + (SELECT coalesce(max(file_id) + 1, 0) FROM source_file WHERE source = b.source)), path
        FROM before.main.source_file b WHERE source IN {LAYOUTS}"""
    )
    of_dtsen = f"source = '{trace.DELIVERED}'"
    for table, number, key in (
        ("family_origin", "family_number", "id_keluarga"), ("member_origin", "person_number", "id_anggota"),
        ("source_record", "family_number", "id_keluarga"), ("person_record", "person_number", "id_anggota"),
    ):  # fmt: skip
        origin = table.endswith("_origin")
        moved = f"n.number AS {key}" if origin else f"n.number AS {key}, t.path_id + {shift} AS path_id"
        con.execute(
            f"""CREATE TABLE joined_{table} AS
            SELECT t.* REPLACE (n.number AS {key}) FROM {table} t JOIN {number} n ON n.new_id = t.{key}
            UNION ALL BY NAME
            SELECT t.* REPLACE ({moved}) FROM before.main.{table} t JOIN {number} n ON n.old_id = t.{key}
            {"" if origin else f"WHERE {of_dtsen}"}"""
        )
        con.execute(f"TRUNCATE {table}")
        con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM joined_{table} ORDER BY {key}")
        con.execute(f"DROP TABLE joined_{table}")
    con.execute(
        f"""INSERT INTO losing_value
        SELECT f.number, p.number, v.variable, v.source, v.path_id + {shift}, v.line_from, v.value, v.reason
        FROM before.main.losing_value v JOIN family_number f ON f.old_id = v.id_keluarga
        LEFT JOIN person_number p ON p.old_id = v.id_anggota
        WHERE v.{of_dtsen} AND (v.id_anggota IS NULL OR p.number IS NOT NULL) ORDER BY ALL"""
    )


def _accounts(con: duckdb.DuckDBPyConnection) -> None:
    """The accounts of the files that earlier deliveries consisted of."""
    for table in ACCOUNTS:
        if _exists(con, table):
            if not _own(con, table):
                con.execute(f"CREATE TABLE {table} AS SELECT * FROM before.main.{table} LIMIT 0")
            rows = f"SELECT * FROM before.main.{table} WHERE source IN {LAYOUTS} ORDER BY rowid"
            con.execute(f"INSERT INTO {table} BY NAME {rows}")


def _exists(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Does the earlier version have `table`?"""
    found = con.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'before' AND table_name = ?", [table]
    ).fetchall()
    return bool(found[0][0])


def _own(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    found = con.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() AND table_name = ?", [table]
    ).fetchall()
    return bool(found[0][0])
