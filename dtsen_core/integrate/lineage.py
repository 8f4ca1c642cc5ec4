"""Where a golden value comes from: source file, line and rule, and what the other records said."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import Any

import duckdb

from dtsen_core.errors import UserError
from dtsen_core.integrate import trace
from dtsen_core.integrate.services import SERVICES
from dtsen_core.integrate.survivorship import Group, rules
from dtsen_core.registry import ddl
from dtsen_core.registry.catalog import has


@dataclass(frozen=True)
class Loser:
    """A value that did not become golden: who said it where, and why it lost (a code of
    `survivorship.REASONS`, or ``lead``)."""

    value: str
    source: str
    path: str
    line: int
    reason: str


@dataclass(frozen=True)
class Lineage:
    """One golden value. `value` is the stored code, number, text or ISO date (None: nobody knows it);
    `source`, `path` and `line` name the record that gave it (None where it follows from other values or
    nobody knows it); `rule` is authority, dated, recency, priority, shared (the record of another family on which this
    one's members stand), delivered, service, derived:<how> or none."""

    id_keluarga: int
    id_anggota: int | None
    variable: str
    value: str | None
    source: str | None
    path: str | None
    line: int | None
    rule: str
    losers: tuple[Loser, ...] = field(default=())


def find_family(cursor: duckdb.DuckDBPyConnection, given: str) -> int:
    """The `id_keluarga` of an internal number or a 16-digit card number; UserError if there is none."""
    column = "nomor_kartu_keluarga" if re.fullmatch(r"[0-9]{16}", given) else "id_keluarga"
    if not re.fullmatch(r"[0-9]{1,18}", given):
        raise UserError("errors_dataset.no_family", given=given)
    key: Any = given if column == "nomor_kartu_keluarga" else int(given)
    found = cursor.execute(f"SELECT id_keluarga FROM keluarga WHERE {column} = ?", [key]).fetchall()
    if not found:
        raise UserError("errors_dataset.no_family", given=given)
    return int(found[0][0])


def variables(set_name: str) -> tuple[str, ...]:
    """The stored variables of ``keluarga`` or ``anggota`` that have a rule."""
    return tuple(name for group in rules().of(set_name) for name in group.variables)


def lineage(cursor: duckdb.DuckDBPyConnection, id_keluarga: int, variable: str) -> Lineage:
    """The origin of family variable `variable` of one family.

    UserError: no such family or variable, or a dataset without the trace of its values.
    """
    group = _group(cursor, "keluarga", variable)
    value = _one(cursor, f'SELECT "{variable}"::VARCHAR FROM keluarga WHERE id_keluarga = ?', [id_keluarga])
    if value is None:
        raise UserError("errors_dataset.no_family", given=id_keluarga)
    source, path, line, rule = None, None, None, group.rule
    if group.rule == "derived" and not _delivered(cursor, id_keluarga):
        rule = f"derived:{group.note}"
    else:
        source = _source(cursor, "family_origin", "id_keluarga", id_keluarga, group, variable)
        rule = _rule(group, source)
        if source == "dukcapil":
            source, path, line = _head(cursor, id_keluarga, source)
        elif source is not None:
            path, line, shared = _record(cursor, id_keluarga, source)
            rule = "shared" if shared else rule
    if source is None and not rule.startswith("derived"):
        rule = "none"
    losers = _losers(cursor, "v.id_keluarga = ? AND v.id_anggota IS NULL", [id_keluarga], variable)
    return Lineage(id_keluarga, None, variable, value[0], source, path, line, rule, losers)


def member_lineage(cursor: duckdb.DuckDBPyConnection, id_keluarga: int, variable: str) -> tuple[Lineage, ...]:
    """The origin of member variable `variable` for every member of one family, head first.

    UserError as for `lineage`.
    """
    group = _group(cursor, "anggota", variable)
    rows = cursor.execute(
        f"""SELECT id_anggota, "{variable}"::VARCHAR FROM anggota WHERE id_keluarga = ? ORDER BY id_anggota""",
        [id_keluarga],
    ).fetchall()
    if not rows:
        raise UserError("errors_dataset.no_family", given=id_keluarga)
    return tuple(_member(cursor, group, id_keluarga, person, variable, value) for person, value in rows)


def _member(
    cursor: duckdb.DuckDBPyConnection, group: Group, family: int, person: int, variable: str, value: str | None
) -> Lineage:
    kept = has(cursor, "member_origin", variable)  # not so in versions of before for what the civil register decides
    if group.authority and (_delivered(cursor, family) or not kept):
        source: str | None = trace.DELIVERED if _delivered(cursor, family) else group.authority
    else:
        source = _source(cursor, "member_origin", "id_anggota", person, group, variable)
    found = _one(
        cursor,
        """SELECT f.path, r.line_from FROM person_record r JOIN source_file f USING (path_id)
        WHERE r.id_anggota = ? AND r.source = ? AND r.chosen""",
        [person, source],
    )
    path, line = found or (None, None)
    losers = _losers(cursor, "v.id_anggota = ?", [person], variable)
    return Lineage(family, person, variable, value, source, path, line, _rule(group, source), losers)


def _source(
    cursor: duckdb.DuckDBPyConnection, table: str, key: str, number: int, group: Group, variable: str
) -> str | None:
    """The register that gave `variable`, as kept row by row; a derived variable of a delivered family has none
    there, but its own line."""
    if group.rule == "derived":
        return trace.DELIVERED
    code = _one(cursor, f'SELECT "{variable}" FROM {table} WHERE {key} = ?', [number])
    return rules().source(int(code[0])) if code else None


def _rule(group: Group, source: str | None) -> str:
    if source is None:
        return "none"
    if source == trace.DELIVERED:
        return "delivered"
    if group.authority == source:
        return "authority"
    return "service" if source in SERVICES else group.rule


def _group(cursor: duckdb.DuckDBPyConnection, set_name: str, variable: str) -> Group:
    group = rules().group(set_name, variable)
    known = {name for name, _ in ddl.columns(set_name)}
    if group is None or variable not in known:
        every = [*variables("keluarga"), *variables("anggota")]
        near = ", ".join(difflib.get_close_matches(variable, every, n=3, cutoff=0.5)) or "–"
        raise UserError("errors_dataset.no_variable", given=variable, near=near)
    traced = _one(cursor, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'source_record'", [])
    if not traced or not traced[0]:
        raise UserError("errors_dataset.no_lineage")
    return group


def _delivered(cursor: duckdb.DuckDBPyConnection, family: int) -> bool:
    found = _one(cursor, "SELECT attribute_source FROM keluarga WHERE id_keluarga = ?", [family])
    return found is not None and found[0] == trace.DELIVERED


def _record(cursor: duckdb.DuckDBPyConnection, family: int, source: str) -> tuple[str | None, int | None, bool]:
    """The record of `source` that describes the family, and whether it is another family's."""
    shared = "coalesce(r.shared, false)" if has(cursor, "source_record", "shared") else "false"  # versions of before
    found = _one(
        cursor,
        f"""SELECT f.path, r.line_from, {shared} FROM source_record r JOIN source_file f USING (path_id)
        WHERE r.id_keluarga = ? AND r.source = ? AND r.chosen""",
        [family, source],
    )
    return (found[0], found[1], bool(found[2])) if found else (None, None, False)


def _head(cursor: duckdb.DuckDBPyConnection, family: int, source: str) -> tuple[str | None, str | None, int | None]:
    """The civil record of the family's first member: its card and its head."""
    found = _one(
        cursor,
        """SELECT f.path, r.line_from FROM person_record r JOIN source_file f USING (path_id)
        JOIN anggota a USING (id_anggota) WHERE a.id_keluarga = ? AND r.source = ? ORDER BY id_anggota LIMIT 1""",
        [family, source],
    )
    return (source, found[0], found[1]) if found else (source, None, None)


def _losers(cursor: duckdb.DuckDBPyConnection, which: str, keys: list[int], variable: str) -> tuple[Loser, ...]:
    rows = cursor.execute(
        f"""SELECT v.value, v.source, f.path, v.line_from, v.reason
        FROM losing_value v JOIN source_file f USING (path_id) WHERE {which} AND v.variable = ?
        ORDER BY v.source, f.path, v.line_from""",
        [*keys, variable],
    ).fetchall()
    return tuple(Loser(*row) for row in rows)


def _one(cursor: duckdb.DuckDBPyConnection, query: str, parameters: list[Any]) -> tuple[Any, ...] | None:
    return cursor.execute(query, parameters).fetchone()
