"""The four source registers, derived from the simulated people with realistic damage.

Every rate is data (``data/rules/sources/damage.toml``); every decision follows from a hash of the record and
the seed, so the same seed gives the same bytes. Lines are composed and damaged as text by SQL over columns.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import duckdb

from dtsen_core.collect.layouts import Column, Layout, layout
from dtsen_core.collect.readers import Progress
from dtsen_core.collect.simulate import places_sql
from dtsen_core.collect.simulate.files import write_lines
from dtsen_core.paths import RULES
from dtsen_core.registry.codelists import codelist

FILES = {
    "dukcapil": "dukcapil.csv", "regsosek_keluarga": "regsosek_keluarga.txt",
    "regsosek_anggota": "regsosek_anggota.txt", "dtks": "dtks.txt", "p3ke": "p3ke.csv",
}  # fmt: skip
ENCODINGS = {"dukcapil": "utf-8", "p3ke": "utf-8"}
CODES = {"regsosek_keluarga": "bps"}
WORDS = frozenset({"dukcapil", "p3ke"})
"""Registers that write the words of a code list instead of its numbers."""
GRAIN = 1_000_000


@lru_cache(maxsize=1)
def damage() -> dict[str, dict[str, float]]:
    """Rates by register, as in the rule file."""
    rules = tomllib.loads((RULES / "sources" / "damage.toml").read_text(encoding="utf-8"))
    return {
        name: {key: value for key, value in entry.items() if key != "source"}
        for name, entry in rules.items()
        if isinstance(entry, dict)
    }


@dataclass(frozen=True)
class _Dice:
    """Deterministic chances: a share of the rows, told apart by `key` columns, the seed and a word."""

    seed: int
    register: str
    key: str

    def number(self, word: str) -> str:
        return f"hash({self.key}, {self.seed}, '{self.register}/{word}')"

    def below(self, word: str, share: str | float) -> str:
        return f"({self.number(word)} % {GRAIN} < {share} * {GRAIN})"


def write_registers(
    con: duckdb.DuckDBPyConnection, out_dir: Path | str, *, seed: int, progress: Progress | None = None
) -> dict[str, Path]:
    """Write the register files from ``sim_keluarga`` and ``sim_anggota`` in `con`; returns kind → path.

    Where `con` has a table ``truth`` (id_keluarga, expenditure), the poorer families are more likely in DTKS
    and P3KE by their expenditure; without it by the number of assets they own. UserError if a file cannot be
    written.
    """
    out = Path(out_dir)
    places_sql.register(con)
    _rank(con)
    steps = (_dukcapil, _regsosek_families, _regsosek_members, _dtks, _p3ke)
    for number, step in enumerate(steps):
        step(con, out, seed)
        if progress is not None:
            progress((number + 1) / len(steps))
    con.execute("DROP TABLE family_rank; DROP TABLE village_codes")
    return {kind: out / name for kind, name in FILES.items()}


def _rank(con: duckdb.DuckDBPyConnection) -> None:
    """Temporary table ``family_rank(id_keluarga, r)``: 0 = worst off, 1 = best off."""
    known = con.execute(
        "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'truth' AND column_name = 'expenditure'"
    ).fetchall()[0][0]
    if known:
        source = "SELECT id_keluarga, expenditure AS welfare FROM truth"
    else:
        owned = " + ".join(
            f"coalesce({c.name} = 1, false)::INTEGER"
            for c in layout("regsosek_keluarga").columns
            if c.name.startswith("aset_bergerak_")
        )
        source = f"SELECT id_keluarga, {owned} AS welfare FROM sim_keluarga"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE family_rank AS
        WITH known AS ({source})
        SELECT id_keluarga, percent_rank() OVER (ORDER BY welfare, hash(id_keluarga)) AS r FROM known"""
    )


def _value(column: Column, kind: str, alias: str) -> str:
    """SQL text of one undamaged value as this register writes it."""
    shown = layout(kind)
    source = f"{alias}.{column.name}"
    place = places_sql.expression(column.name, CODES.get(kind, "kemendagri"))
    if place is not None and shown.delimiters[0] == "," and not column.name.startswith("kode_"):
        return f"CASE WHEN contains({place}, ',') THEN '\"' || {place} || '\"' ELSE {place} END"
    if place is not None:
        return place
    if column.type == "date":
        return f"strftime({source}, '{shown.date_formats[0]}')"
    if column.type in ("code", "flag") and kind in WORDS:
        words = " ".join(
            f"WHEN {code.value} THEN '{_written(code.label_id, kind)}'" for code in codelist(column.codelist).codes
        )
        return f"CASE {source} {words} END"
    if column.type == "number":
        return f"CASE WHEN {source} = floor({source}) THEN {source}::BIGINT::VARCHAR ELSE {source}::VARCHAR END"
    if column.type == "text" and shown.delimiters[0] == "|":
        return f"replace({source}, '|', ' ')"
    if column.type == "text":
        return f"CASE WHEN contains({source}, ',') THEN '\"' || {source} || '\"' ELSE {source} END"
    return f"{source}::VARCHAR"


def _written(words: str, kind: str) -> str:
    """Words of a code list in a comma file: capitals in the civil register, quoted where needed."""
    shown = words.upper() if kind == "dukcapil" else words
    return f'"{shown}"' if "," in shown else shown


def _identity(kind: str, value: str, dice: _Dice, malformed: str | float, wrong: str | float) -> str:
    """A NIK or card number: some malformed (short, letters, blank, zeros), some with a serial nobody has."""
    roll, word = dice.number(f"{kind}/how"), dice.number(kind)
    return f"""CASE WHEN {word} % {GRAIN} < {malformed} * {GRAIN} THEN CASE {roll} % 4
        WHEN 0 THEN left({value}, 15) WHEN 1 THEN left({value}, 12) || 'XXXX'
        WHEN 2 THEN '' ELSE '0000000000000000' END
      WHEN {word} % {GRAIN} < ({malformed} + {wrong}) * {GRAIN}
        THEN left({value}, 12) || lpad((9000 + {roll} % 1000)::VARCHAR, 4, '0')
      ELSE {value} END"""


def _text(wanted: Layout, values: dict[str, str]) -> str:
    """SQL of an undamaged line; DTKS writes -1 where a coded answer is missing, the others nothing."""
    blank = "'-1'" if wanted.kind == "dtks" else "''"
    parts = [
        f"coalesce({values[c.name]}, {blank if c.type in ('code', 'flag', 'integer') else chr(39) * 2})"
        for c in wanted.columns
    ]
    return f"concat_ws('{wanted.delimiters[0]}', {', '.join(parts)})"


def _damaged(wanted: Layout, rates: dict[str, float], dice: _Dice, end: str) -> str:
    """SQL that turns the column ``t`` into physical lines: lost fields, odd characters, breaks, blanks."""
    mark = wanted.delimiters[0]
    text = "t"
    if rates.get("shifted_lines"):
        # A record that loses a field: everything after it moves one column to the left.
        before = f"((?:[^{mark}]*[{mark}]){{{len(wanted.columns) // 3}}})[^{mark}]*[{mark}]"
        lost = f"regexp_replace(t, '^{before}', '\\1') || '{mark}'"
        text = f"CASE WHEN {dice.below('shift', rates['shifted_lines'])} THEN {lost} ELSE {text} END"
    if rates.get("non_ascii"):
        odd = dice.below("odd", rates["non_ascii"])
        text = f"CASE WHEN {odd} THEN replace(t, ' No. ', ' N° ') ELSE {text} END"
    if rates.get("broken_lines"):
        place = f"50 + ({dice.number('where')} % 40)::INTEGER"
        broken = f"left(t, {place}) || chr(10) || substr(t, 1 + {place})"
        text = f"CASE WHEN {dice.below('break', rates['broken_lines'])} THEN {broken} ELSE {text} END"
    if rates.get("blank_lines"):
        text = f"{text} || CASE WHEN {dice.below('blank', rates['blank_lines'])} THEN chr(10) ELSE '' END"
    return f"{text} || {end}" if end else text


def _write(
    con: duckdb.DuckDBPyConnection, out: Path, kind: str, values: dict[str, str], source: str,
    rates: dict[str, float], dice: _Dice, end: str = "",
) -> None:  # fmt: skip
    wanted = layout(kind)
    header = wanted.delimiters[0].join(column.file for column in wanted.columns)
    lines = f"""WITH composed AS (SELECT {_text(wanted, values)} AS t, {dice.key} {source})
      SELECT {_damaged(wanted, rates, dice, end)} AS line FROM composed ORDER BY {dice.key}"""
    write_lines(con, lines, out / FILES[kind], header + ("\r" if end else ""), ENCODINGS.get(kind, "latin-1"))


def _values(kind: str, alias: str, families: str = "k") -> dict[str, str]:
    members = {f.name for f in layout("dtsen_anggota").columns}
    return {
        c.name: _value(c, kind, alias if c.name in members else families) for c in layout(kind).columns
    }


def _dukcapil(con: duckdb.DuckDBPyConnection, out: Path, seed: int) -> None:
    rates = damage()["dukcapil"]
    dice = _Dice(seed, "dukcapil", "id_anggota")
    source = f"""FROM sim_anggota a JOIN sim_keluarga k USING (id_keluarga) JOIN village_codes v USING (village)
      WHERE {dice.below('person', rates['coverage'])}"""
    _write(con, out, "dukcapil", _values("dukcapil", "a"), source, rates, dice)


def _met(seed: int) -> str:
    return _Dice(seed, "regsosek", "id_keluarga").below("family", damage()["regsosek"]["coverage"])


REGSOSEK_ID = "'RS' || lpad(k.id_keluarga::VARCHAR, 9, '0')"


def _regsosek_families(con: duckdb.DuckDBPyConnection, out: Path, seed: int) -> None:
    rates = damage()["regsosek"]
    dice = _Dice(seed, "regsosek", "id_keluarga")
    values = _values("regsosek_keluarga", "a") | {"id_register": REGSOSEK_ID}
    card = values["nomor_kartu_keluarga"].replace("a.", "k.")
    values["nomor_kartu_keluarga"] = _identity("kk", card, dice, rates["kk_malformed"], 0)
    floor = values["jenis_lantai_terluas"]
    values["jenis_lantai_terluas"] = (
        f"CASE WHEN {dice.below('code', rates['unknown_code'])} THEN '77' ELSE {floor} END"
    )
    source = f"FROM sim_keluarga k JOIN village_codes v USING (village) WHERE {_met(seed)}"
    _write(con, out, "regsosek_keluarga", values, source, rates, dice)


def _regsosek_members(con: duckdb.DuckDBPyConnection, out: Path, seed: int) -> None:
    rates = damage()["regsosek"]
    dice = _Dice(seed, "regsosek", "id_anggota")
    values = _values("regsosek_anggota", "a") | {"id_register": REGSOSEK_ID}
    for name, short in (("nomor_induk_kependudukan", "nik"), ("nomor_kartu_keluarga", "kk")):
        wrong = rates["nik_wrong"] if short == "nik" else 0
        values[name] = _identity(short, values[name], dice, rates[f"{short}_malformed"], wrong)
    source = f"""FROM sim_anggota a JOIN sim_keluarga k USING (id_keluarga)
      WHERE {_met(seed)} AND {dice.below('person', rates['member_coverage'])}"""
    _write(con, out, "regsosek_anggota", values, source, rates, dice)


def _density(rates: dict[str, float]) -> str:
    """Chance to be in a register by welfare rank r: falls as (1 - r)^bias, mean = coverage."""
    return f"({rates['coverage'] * (rates['bias'] + 1)} * pow(1 - f.r, {rates['bias']}))"


def _dtks(con: duckdb.DuckDBPyConnection, out: Path, seed: int) -> None:
    rates = damage()["dtks"]
    family, person = _Dice(seed, "dtks", "id_keluarga"), _Dice(seed, "dtks", "id_anggota, copy")
    values = _values("dtks", "a") | {
        "id_register": "'DT' || lpad((2 * a.id_anggota + copy)::VARCHAR, 10, '0')",
        "status_register": "CASE WHEN copy = 1 THEN 'DITIDURKAN' ELSE 'AKTIF' END",
        "tanggal_pemutakhiran": "strftime(k.tanggal_pemutakhiran - INTERVAL (400 * copy) DAY, '%d/%m/%Y')",
        "nama": f"CASE WHEN {person.below('name', rates['empty_name'])} THEN '' ELSE a.nama END",
    }
    for name, short in (("nomor_induk_kependudukan", "nik"), ("nomor_kartu_keluarga", "kk")):
        share, malformed = rates[f"{short}_invalid"], rates[f"{short}_malformed_share"]
        values[name] = _identity(short, values[name], person, share * malformed, share * (1 - malformed))
    source = f"""FROM sim_anggota a JOIN sim_keluarga k USING (id_keluarga)
      JOIN village_codes v USING (village) JOIN family_rank f USING (id_keluarga), (VALUES (0), (1)) AS c(copy)
      WHERE {family.below('family', _density(rates))}
        AND (copy = 0 OR {person.below('twice', rates['duplicates'])})"""
    _write(con, out, "dtks", values, source, rates, person)


def _p3ke(con: duckdb.DuckDBPyConnection, out: Path, seed: int) -> None:
    rates = damage()["p3ke"]
    dice = _Dice(seed, "p3ke", "id_keluarga")
    values = _values("p3ke", "a") | {
        "id_register": "'P3' || lpad(k.id_keluarga::VARCHAR, 9, '0')",
        "desil_p3ke": "(1 + floor(f.r * 3.999))::INTEGER::VARCHAR",
    }
    values["nomor_induk_kependudukan"] = _identity(
        "nik", "a.nomor_induk_kependudukan", dice, rates["nik_malformed"], rates["nik_wrong"]
    )
    values["nomor_kartu_keluarga"] = _identity("kk", "k.nomor_kartu_keluarga", dice, rates["kk_malformed"], 0)
    roof = values["jenis_atap_terluas"]
    values["jenis_atap_terluas"] = (
        f"CASE WHEN {dice.below('code', rates['unknown_code'])} THEN 'Rumbia plastik' ELSE {roof} END"
    )
    source = f"""FROM sim_keluarga k JOIN village_codes v USING (village) JOIN family_rank f USING (id_keluarga)
      JOIN (SELECT id_keluarga, min(nomor_induk_kependudukan) AS nomor_induk_kependudukan FROM sim_anggota
        WHERE status_hubungan_keluarga = 1 GROUP BY id_keluarga) a USING (id_keluarga)
      WHERE {dice.below('family', _density(rates))}"""
    _write(con, out, "p3ke", values, source, rates, dice, "chr(13)")
