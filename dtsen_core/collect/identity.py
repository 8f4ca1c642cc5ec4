"""Graded rules for numbers and identity, run in DuckDB over the columns of a source.

The rules are data (``data/rules/identity/rules.toml``): code, severity, SQL condition, sentence, source. Errors set
a record aside, and in registers of recipients hold it for linkage; warnings only count. Records that something else
sets aside go through the same rules, over the columns that could be read.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

import duckdb
import pyarrow as pa

from dtsen_core.collect.accounting import CELL, DAMAGED, RULE
from dtsen_core.collect.layouts import Layout, layout
from dtsen_core.paths import RULES
from dtsen_core.regions import units
from dtsen_core.registry.catalog import has

SEVERITIES = ("error", "warning")
CHECKS = ("shared_number",)
UNKNOWN_PROVINCE, UNKNOWN_REGENCY = 255, 65535
COLUMNS = {
    "nik": ("nomor_induk_kependudukan",), "kk": ("nomor_kartu_keluarga",), "born": ("tanggal_lahir",),
    "sex": ("jenis_kelamin",), "name": ("nama", "nama_anggota_keluarga"), "place": ("kode_kelurahan_desa",),
}  # fmt: skip
LETTERS = "upper(regexp_replace(coalesce({}, ''), '[^A-Za-z]', '', 'g'))"
"""The letters of a name, by which two names under one number are compared."""
SAME_NAME = 0.80
"""Jaro-Winkler similarity of the letters from which two names under one number can be one person's."""

TABLES = """
CREATE TABLE IF NOT EXISTS rule_finding (
  path VARCHAR, source VARCHAR, province UTINYINT, regency USMALLINT, rule VARCHAR, severity VARCHAR, records BIGINT);
"""


@dataclass(frozen=True)
class Rule:
    """One rule for the `kinds` of file it applies to; either a `condition` (SQL, see the file) or a `check`."""

    code: str
    severity: str
    kinds: tuple[str, ...]
    needs: tuple[str, ...]
    condition: str
    check: str
    sentence_id: str
    sentence_en: str
    source: str


@dataclass(frozen=True)
class RuleBook:
    rules: tuple[Rule, ...]
    held: frozenset[str]
    place: dict[str, dict[str, str]]


@lru_cache(maxsize=1)
def rulebook() -> RuleBook:
    """All rules. ValueError for an unknown severity, check, kind or column, or a code twice for one kind."""
    raw = tomllib.loads((RULES / "identity" / "rules.toml").read_text(encoding="utf-8"))
    rules = tuple(
        Rule(entry["code"], entry["severity"], tuple(entry["kinds"]), tuple(entry["needs"]),
             entry.get("condition", "").strip(), entry.get("check", ""), entry["id"], entry["en"], entry["source"])
        for entry in raw["rule"]
    )  # fmt: skip
    seen: set[tuple[str, str]] = set()
    for rule in rules:
        pairs = {(rule.code, kind) for kind in rule.kinds}
        known = rule.severity in SEVERITIES and set(rule.needs) <= set(COLUMNS) and all(map(layout, rule.kinds))
        if not known or bool(rule.condition) == (rule.check in CHECKS) or pairs & seen:
            raise ValueError(f"identity/rules.toml: {rule.code}")
        seen |= pairs
    return RuleBook(rules, frozenset(raw["held"]), raw["place"])


def rules_of(kind: str) -> tuple[Rule, ...]:
    """The rules that can be run on files of `kind`."""
    known = _columns(layout(kind))
    return tuple(rule for rule in rulebook().rules if kind in rule.kinds and set(rule.needs) <= set(known))


def _columns(wanted: Layout) -> dict[str, str]:
    """Column of the rules → variable of the layout."""
    names = {column.name for column in wanted.columns}
    found: dict[str, str] = {}
    for short, options in COLUMNS.items():
        for option in options:
            if option in names:
                found.setdefault(short, option)
    return found


def apply(con: duckdb.DuckDBPyConnection, kind: str, table: str) -> None:
    """Run the rules of `kind` over `table` (``source_<kind>``, made by the reader in this connection).

    Cleans the numbers in `table`, adds to ``rule_finding`` (over records all of whose cells could be read), adds
    the errors to ``fault`` in the order of the rules, and leaves the temporary table ``rule_flag`` for `warnings`.
    """
    con.execute(TABLES)
    con.execute(
        "DELETE FROM rule_finding WHERE source = ? AND path IN (SELECT path FROM reading_file)", [kind]
    )
    con.execute("CREATE OR REPLACE TEMP TABLE rule_flag (file_id UTINYINT, line_from UINTEGER)")
    wanted = layout(kind)
    rules = rules_of(kind)
    if not rules:
        return
    _regions(con)
    columns = _columns(wanted)
    for short in ("nik", "kk"):
        if short in columns:
            _clean(con, table, columns[short], short)
    region = f"{table}_region" if "place" in columns and has(con, f"{table}_region", "old") else ""
    con.execute(f"CREATE OR REPLACE TEMP VIEW rule_row AS {_view(table, columns, region)}")
    shared = [rule for rule in rules if rule.check]
    con.execute(_shared(bool(shared)))
    if _flag(con, rules):
        _unread(con, rules, columns)
        _misplaced(con, rules)
        _errors(con, rules, columns)
        _count(con, kind, table, rules)
    con.execute("DROP VIEW rule_row")
    for name in ("nik_cleaned", "kk_cleaned", "shared_number", "registration_region"):
        con.execute(f"DROP TABLE IF EXISTS {name}")


def warnings(kind: str) -> str:
    """A SELECT of ``file_id, line_from, warnings`` over ``rule_flag``, as `apply` leaves it."""
    listed = [f"CASE WHEN n{number} THEN '{rule.code}' END" for number, rule in enumerate(rules_of(kind))
              if rule.severity == "warning"]  # fmt: skip
    found = f"list_filter([{', '.join(listed)}], lambda code: code IS NOT NULL)" if listed else "NULL::VARCHAR[]"
    return f"SELECT file_id, line_from, {found} AS warnings FROM rule_flag"


def _regions(con: duckdb.DuckDBPyConnection) -> None:
    """Temporary table ``registration_region(code)``: regencies of today and of before the splits."""
    codes = [*units.table("regency")["code"].tolist(), *units.history()["old_code"].tolist()]
    con.register("region_frame", pa.table({"code": pa.array(dict.fromkeys(codes), pa.string())}))
    con.execute("CREATE OR REPLACE TEMP TABLE registration_region AS SELECT * FROM region_frame")
    con.unregister("region_frame")


def _clean(con: duckdb.DuckDBPyConnection, table: str, column: str, short: str) -> None:
    """Take marks, blanks, a spreadsheet's ".0" and padding zeros off numbers that then have 16 digits; what was
    delivered stays in ``<short>_cleaned``."""
    bare = f"regexp_replace(regexp_replace({column}, '\\.0+$', ''), '[^0-9A-Za-z,]', '', 'g')"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {short}_cleaned AS
        SELECT file_id, line_from, {column} AS delivered, right({bare}, 16) AS cleaned FROM "{table}"
        WHERE length({column}) > 16 AND regexp_full_match({bare}, '0*[0-9]{{16}}')"""
    )
    if not con.execute(f"SELECT count(*) FROM {short}_cleaned").fetchall()[0][0]:
        return
    con.execute(
        f"""UPDATE "{table}" SET {column} = c.cleaned FROM {short}_cleaned c
        WHERE c.file_id = "{table}".file_id AND c.line_from = "{table}".line_from"""
    )


def _view(table: str, columns: dict[str, str], region: str) -> str:
    """The columns that conditions speak of, one row per record of `table`; `region`: its table of places, if any."""
    def number(short: str) -> str:
        return f"coalesce(s.{columns[short]}, '')" if short in columns else "''"

    def raw(short: str) -> str:
        return f"coalesce({short}_cleaned.delivered, {number(short)})" if short in columns else "''"

    joins = "".join(
        f" LEFT JOIN {short}_cleaned ON {short}_cleaned.file_id = s.file_id AND {short}_cleaned.line_from = s.line_from"
        for short in ("nik", "kk") if short in columns
    )  # fmt: skip
    if region:
        joins += f' LEFT JOIN "{region}" g ON g.region_id = s.region_id'
    old = "coalesce(g.old, false)" if region else "false"
    other = ", ".join(f"{f's.{columns[c]}' if c in columns else 'NULL'} AS {c}" for c in ("born", "sex", "name"))
    return f"""SELECT *, TRY_CAST(substr(nik, 7, 2) AS INTEGER) AS day, TRY_CAST(substr(nik, 9, 2) AS INTEGER) AS month,
      TRY_CAST(substr(nik, 11, 2) AS INTEGER) AS year
    FROM (SELECT *, trim(nik, '0- .') = '' AS nik_blank, trim(kk, '0- .') = '' AS kk_blank,
        regexp_full_match(nik, '[0-9]{{16}}') AND nik <> '0000000000000000' AS nik_ok,
        regexp_full_match(kk, '[0-9]{{16}}') AND kk <> '0000000000000000' AS kk_ok
      FROM (SELECT s.file_id, s.line_from, {number("nik")} AS nik, {number("kk")} AS kk, {raw("nik")} AS nik_raw,
          {raw("kk")} AS kk_raw, {old} AS old_place, {other} FROM "{table}" s{joins}))"""


def _shared(wanted: bool) -> str:
    """``shared_number``: records whose number different people have. Every record is compared with the first of its
    number, so a number that a whole file repeats costs no more than its rows.

    A record with cells that could not be read is told that its number is another person's, but holds nobody back:
    what is left of a damaged line must not set a sound one aside.
    """
    if not wanted:
        return "CREATE OR REPLACE TEMP TABLE shared_number (file_id UTINYINT, line_from UINTEGER)"
    return f"""CREATE OR REPLACE TEMP TABLE shared_number AS
        WITH twice AS (
          SELECT nik FROM rule_row WHERE nik_ok GROUP BY nik HAVING count(*) > 1
        ), row_of AS (
          SELECT r.*, (r.file_id::BIGINT << 32) + r.line_from AS place,
            (r.file_id, r.line_from) NOT IN (SELECT (file_id, line_from) FROM fault WHERE step = {CELL}) AS sound
          FROM rule_row r SEMI JOIN twice USING (nik)
        ), of_number AS (
          SELECT nik, coalesce(min(place) FILTER (sound), min(place)) AS first FROM row_of GROUP BY nik
        ), compared AS (
          SELECT a.nik, bool_or(a.sound) AS sound FROM row_of a JOIN of_number o ON o.nik = a.nik AND a.place <> o.first
          JOIN row_of b ON b.nik = a.nik AND b.place = o.first
          WHERE (a.born <> b.born OR a.sex <> b.sex)
            AND jaro_winkler_similarity({LETTERS.format("a.name")}, {LETTERS.format("b.name")}) < {SAME_NAME}
          GROUP BY a.nik
        )
        SELECT r.file_id, r.line_from FROM row_of r JOIN compared c ON c.nik = r.nik AND (c.sound OR NOT r.sound)"""


def _condition(rule: Rule) -> str:
    if rule.check:
        return "(file_id, line_from) IN (SELECT (file_id, line_from) FROM shared_number)"
    return f"coalesce({rule.condition}, false)"


def _flag(con: duckdb.DuckDBPyConnection, rules: tuple[Rule, ...]) -> int:
    """``rule_flag``: the records for which a rule holds, one column ``n<number of the rule>`` per rule; returns how
    many there are."""
    flags = ", ".join(f"{_condition(rule)} AS n{number}" for number, rule in enumerate(rules))
    any_of = " OR ".join(f"n{number}" for number in range(len(rules)))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE rule_flag AS
        SELECT * FROM (SELECT file_id, line_from, nik_raw, kk_raw, {flags} FROM rule_row) WHERE {any_of}"""
    )
    return int(con.execute("SELECT count(*) FROM rule_flag").fetchall()[0][0])


def _unread(con: duckdb.DuckDBPyConnection, rules: tuple[Rule, ...], columns: dict[str, str]) -> None:
    """Take back what rules found in columns of which the cell is damaged: nothing can be said about those."""
    shorts = {variable: short for short, variable in columns.items()}
    found = con.execute(
        "SELECT DISTINCT variable FROM fault WHERE step = ? AND reason = ? AND list_contains(?, variable)",
        [CELL, DAMAGED, list(shorts)],
    ).fetchall()
    for (variable,) in found:
        touched = [number for number, rule in enumerate(rules) if shorts[variable] in rule.needs]
        if touched:
            con.execute(
                f"""UPDATE rule_flag SET {", ".join(f"n{number} = false" for number in touched)} FROM fault f
                WHERE f.file_id = rule_flag.file_id AND f.line_from = rule_flag.line_from AND f.reason = ?
                  AND f.variable = ?""",
                [DAMAGED, variable],
            )


def _misplaced(con: duckdb.DuckDBPyConnection, rules: tuple[Rule, ...]) -> None:
    """Take back what rules found in the place of records with a cell that could not be read: where a line has lost a
    field, the place is chance."""
    touched = [number for number, rule in enumerate(rules) if "place" in rule.needs]
    if touched:
        con.execute(
            f"""UPDATE rule_flag SET {", ".join(f"n{number} = false" for number in touched)}
            FROM (SELECT DISTINCT file_id, line_from FROM fault WHERE step = {CELL}) f
            WHERE f.file_id = rule_flag.file_id AND f.line_from = rule_flag.line_from"""
        )


def _errors(con: duckdb.DuckDBPyConnection, rules: tuple[Rule, ...], columns: dict[str, str]) -> None:
    """Add the errors to ``fault``, each with the number it speaks of, masked."""
    for number, rule in enumerate(rules):
        if rule.severity != "error":
            continue
        short = rule.code.split("_")[0]
        shown = "''"
        if short in ("nik", "kk") and short in columns:
            raw = f"{short}_raw"
            shown = (
                f"left('{columns[short]}: ' || left({raw}, 2) || repeat('•', greatest(length({raw}) - 4, 0)) "
                f"|| right({raw}, least(2, greatest(length({raw}) - 2, 0))) || ' (' || length({raw}) || ')', 120)"
            )
        con.execute(
            f"""INSERT INTO fault BY NAME
            SELECT file_id, line_from, ? AS step, ? AS rank, ? AS reason, {shown} AS detail
            FROM rule_flag WHERE n{number}""",
            [RULE, number, rule.code],
        )


def _count(con: duckdb.DuckDBPyConnection, kind: str, table: str, rules: tuple[Rule, ...]) -> None:
    """``rule_finding``: records per rule, file, province and regency. Records with cells that could not be read are
    left out: they are in neither the accepted nor the held records that the findings are set against."""
    counts = ", ".join(f"count(*) FILTER (n{number}) AS n{number}" for number in range(len(rules)))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE rule_count AS
        SELECT f.path, coalesce(p.province, {UNKNOWN_PROVINCE})::UTINYINT AS province,
          coalesce(p.regency, {UNKNOWN_REGENCY})::USMALLINT AS regency, {counts}
        FROM (SELECT * FROM rule_flag ANTI JOIN (SELECT * FROM fault WHERE step = {CELL}) USING (file_id, line_from)) r
        JOIN reading_file f USING (file_id) {_places(con, kind, table)} GROUP BY ALL"""
    )
    for number, rule in enumerate(rules):
        con.execute(
            f"INSERT INTO rule_finding SELECT path, ?, province, regency, ?, ?, n{number} FROM rule_count "
            f"WHERE n{number} > 0 ORDER BY ALL",
            [kind, rule.code, rule.severity],
        )
    con.execute("DROP TABLE rule_count")


def _places(con: duckdb.DuckDBPyConnection, kind: str, table: str) -> str:
    """Join that gives the rows of ``rule_flag`` (alias ``r``) their place (alias ``p``), where it is known."""
    above = rulebook().place.get(kind, {})
    source, key = f"source_{above['kind']}" if above else table, above.get("key", "region_id")
    known = {row[0] for row in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if not {source, f"{source}_region"} <= known:
        return f"LEFT JOIN (SELECT {UNKNOWN_PROVINCE} AS province, {UNKNOWN_REGENCY} AS regency) p ON true"
    found = f"""SELECT s.{key} AS key, min(g.province) AS province, min(g.regency) AS regency
      FROM "{source}" s JOIN "{source}_region" g ON g.region_id = s.region_id AND g.reason IS NULL GROUP BY 1"""
    return f"""JOIN "{table}" t ON t.file_id = r.file_id AND t.line_from = r.line_from
      LEFT JOIN ({found}) p ON p.key = t.{key}"""
