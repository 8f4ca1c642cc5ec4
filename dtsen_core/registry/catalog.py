"""What a connection holds, by our own unqualified names, in whichever database of its search path."""

from __future__ import annotations

import duckdb


def columns(con: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    """Names of the columns of `table` (a name of ours); empty where there is no such table."""
    try:
        return {row[0] for row in con.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()}
    except duckdb.CatalogException:
        return set()


def has(con: duckdb.DuckDBPyConnection, table: str, *wanted: str) -> bool:
    """Whether `table` is there, with the columns `wanted`."""
    found = columns(con, table)
    return bool(found) and set(wanted) <= found
