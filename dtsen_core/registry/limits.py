"""How much of the machine a working connection may use."""

from __future__ import annotations

import os

import duckdb

from dtsen_core.settings import settings

SHARE = 0.5
"""Of the machine's memory. DuckDB's own default is 80 %, of its buffers alone: with what Python and the linkage
library hold beside them a 24 GB machine would be filled. What does not fit goes to disk."""


def bound(con: duckdb.DuckDBPyConnection) -> None:
    """Set threads and memory of `con` as the settings say; without a setting half of the machine's memory."""
    given = settings()
    if given.threads:
        con.execute("SET threads = ?", [given.threads])
    limit = given.memory_limit or _half()
    if limit:
        con.execute("SET memory_limit = ?", [limit])


def _half() -> str:
    """Half of the memory in MB; empty where the system does not say (DuckDB then decides)."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return ""
    return f"{int(whole * SHARE / 1_000_000)}MB"
