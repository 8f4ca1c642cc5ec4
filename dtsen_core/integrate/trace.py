"""The tables that lead from a golden value back to its record, for families that were delivered whole."""

from __future__ import annotations

import duckdb

from dtsen_core.integrate.survivorship import TRACED, rules

DELIVERED = "dtsen"
ORIGINS = (("keluarga", "family_origin", "id_keluarga"), ("anggota", "member_origin", "id_anggota"))


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Empty tables of the trace, and the codes of the registers."""
    family = "".join(f", {name} UTINYINT" for name in traced("keluarga"))
    member = "".join(f", {name} UTINYINT" for name in traced("anggota"))
    con.execute(f"CREATE OR REPLACE TABLE family_origin (id_keluarga BIGINT{family})")
    con.execute(f"CREATE OR REPLACE TABLE member_origin (id_anggota BIGINT{member})")
    con.execute("""CREATE OR REPLACE TABLE source_record (id_keluarga BIGINT, source VARCHAR, path_id USMALLINT,
        line_from UINTEGER, day DATE, chosen BOOLEAN, shared BOOLEAN)""")
    con.execute("""CREATE OR REPLACE TABLE person_record (id_anggota BIGINT, source VARCHAR, path_id USMALLINT,
        line_from UINTEGER, pass VARCHAR, probability FLOAT, chosen BOOLEAN)""")
    con.execute("""CREATE OR REPLACE TABLE losing_value (id_keluarga BIGINT, id_anggota BIGINT, variable VARCHAR,
        source VARCHAR, path_id USMALLINT, line_from UINTEGER, value VARCHAR, reason VARCHAR)""")
    con.execute("CREATE OR REPLACE TABLE origin_source (code UTINYINT, source VARCHAR)")
    con.executemany("INSERT INTO origin_source VALUES (?, ?)", [[n, source] for source, n in rules().codes.items()])


def traced(set_name: str) -> list[str]:
    """Variables whose register is kept row by row."""
    return [name for group in rules().of(set_name, *TRACED) for name in group.variables]


def note_delivered(con: duckdb.DuckDBPyConnection) -> None:
    """Every value of the families and members that were delivered whole comes from their own line."""
    code = rules().codes[DELIVERED]
    for set_name, table, key in ORIGINS:
        columns = "".join(f", {code}" for _ in traced(set_name))
        con.execute(f"INSERT INTO {table} SELECT {key}{columns} FROM {set_name} ORDER BY {key}")
    con.execute(
        f"""INSERT INTO source_record
        SELECT k.id_keluarga, '{DELIVERED}', f.path_id, s.line_from, s.tanggal_pemutakhiran, true, false
        FROM source_dtsen_keluarga s JOIN keluarga k USING (nomor_kartu_keluarga)
        JOIN source_file f ON f.source = 'dtsen_keluarga' AND f.file_id = s.file_id ORDER BY k.id_keluarga"""
    )
    con.execute(
        f"""INSERT INTO person_record
        SELECT a.id_anggota, '{DELIVERED}', f.path_id, s.line_from, 'delivered', 1::FLOAT, true
        FROM source_dtsen_anggota s JOIN anggota a USING (nomor_induk_kependudukan)
        JOIN source_file f ON f.source = 'dtsen_anggota' AND f.file_id = s.file_id ORDER BY a.id_anggota"""
    )
