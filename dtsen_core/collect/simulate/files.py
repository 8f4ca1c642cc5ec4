"""Write lines of text made by SQL into a file, in UTF-8 or Latin-1."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dtsen_core.errors import UserError

BLOCK = 16 << 20


def write_lines(con: duckdb.DuckDBPyConnection, lines: str, path: Path, header: str, encoding: str) -> None:
    """`lines`: a SELECT of one text column ``line`` in the wanted order, without line ends.

    UserError if the file cannot be written; nothing half-written is left.
    """
    raw = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        con.execute(
            f"COPY ({lines}) TO '{_quoted(raw)}' "
            "(FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01', NULLSTR '')"
        )
        with raw.open("rb") as source, path.open("wb") as target:
            target.write(header.encode(encoding, "replace") + b"\n")
            rest = b""
            while block := source.read(BLOCK):
                cut = block.rfind(b"\n") + 1
                piece, rest = rest + block[:cut], block[cut:]
                target.write(_encoded(piece, encoding))
            target.write(_encoded(rest, encoding))
    except (OSError, duckdb.IOException) as error:
        path.unlink(missing_ok=True)
        raise UserError("errors_ingest.write_failed", path=str(path), error=str(error)[:120]) from error
    finally:
        raw.unlink(missing_ok=True)


def _encoded(piece: bytes, encoding: str) -> bytes:
    return piece if encoding == "utf-8" or piece.isascii() else piece.decode().encode(encoding, "replace")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
