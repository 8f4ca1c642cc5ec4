"""From columns to the lines of a register file: how a register writes its values, and what lines suffer.

All of it is SQL text over the aliases of `registers`: ``a`` the person, ``k`` the family, ``v`` the place as the
register has it, ``o`` the family's form in the register (`damage.families`), ``p`` the family whose answers stand
for its own where they contradict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dtsen_core.collect.layouts import Column, Layout, layout
from dtsen_core.collect.simulate import places_sql
from dtsen_core.collect.simulate.damage.families import group_differs
from dtsen_core.collect.simulate.damage.kinds import damaged
from dtsen_core.collect.simulate.damage.rates import GRAIN, Dice, damage, kind_of
from dtsen_core.collect.simulate.files import write_lines
from dtsen_core.registry.codelists import Code, codelist

FILES = {
    "dukcapil": "dukcapil.csv", "regsosek_keluarga": "regsosek_keluarga.txt",
    "regsosek_anggota": "regsosek_anggota.txt", "dtks": "dtks.txt", "p3ke": "p3ke.csv",
}  # fmt: skip
ENCODINGS = {"dukcapil": "utf-8", "p3ke": "utf-8"}
CODES = {"regsosek_keluarga": "bps"}
WORDS = frozenset({"dukcapil", "p3ke"})
"""Registers that write the words of a code list instead of its numbers."""
SLOT_OF = {
    "nomor_induk_kependudukan": "nik", "nomor_kartu_keluarga": "kk", "nama": "nama", "tanggal_lahir": "lahir",
    "jenis_kelamin": "jk",
}  # fmt: skip


@dataclass(frozen=True)
class Register:
    """One file to write: its kind, the rates of its register and its dice (by record)."""

    kind: str
    register: str
    seed: int
    key: str
    end: str = ""
    rates: dict = field(init=False)
    dice: Dice = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rates", damage()[self.register])
        object.__setattr__(self, "dice", Dice(self.seed, self.register, self.key))

    @property
    def layout(self) -> Layout:
        return layout(self.kind)

    @property
    def codes(self) -> str:
        """The code system in which this file names places."""
        return CODES.get(self.kind, "kemendagri")

    @property
    def old_region(self) -> str:
        """SQL condition: the record stands under the codes from before its regency changed province."""
        return f"(o.old_codes AND v.{self.codes}_old_regency IS NOT NULL)"

    def value(self, column: Column, source: str) -> str:
        """SQL text of the value `source` as this register writes it."""
        shown = self.layout
        comma = shown.delimiters[0] == ","
        place = places_sql.expression(column.name, self.codes)
        if place is not None:
            if "old_regions" in self.rates:
                place = places_sql.outdated(column.name, self.codes, place, self.old_region)
            named = comma and not column.name.startswith("kode_")
            return f"CASE WHEN contains({place}, ',') THEN '\"' || {place} || '\"' ELSE {place} END" if named else place
        if column.type == "date":
            return self._date(source)
        if column.type in ("code", "flag"):
            return self._coded(column, source)
        if column.type == "number":
            return f"CASE WHEN {source} = floor({source}) THEN {source}::BIGINT::VARCHAR ELSE {source}::VARCHAR END"
        if column.type == "text" and not comma:
            return f"replace({source}, '|', ' ')"
        if comma and column.type in ("text", "nik", "kk"):  # a number in scientific notation may hold a comma
            return f"CASE WHEN contains({source}, ',') THEN '\"' || {source} || '\"' ELSE {source} END"
        return f"{source}::VARCHAR"

    def _date(self, source: str) -> str:
        forms = self.layout.date_formats
        plain = f"strftime({source}, '{forms[0]}')"
        shares = self.rates.get("other_dates", ())
        reached, cases = 0.0, ""
        for share, form in zip(shares, forms[1:]):
            reached += share
            cases += f" WHEN date_roll < {round(reached * GRAIN)} THEN strftime({source}, '{form}')"
        return f"CASE WHEN date_roll >= {round(reached * GRAIN)} THEN {plain}{cases} END" if cases else plain

    def _coded(self, column: Column, source: str) -> str:
        listed = codelist(column.codelist)
        encoding = ENCODINGS.get(self.kind, "latin-1")
        plain = f"{source}::VARCHAR"
        if self.kind in WORDS:
            words = " ".join(f"WHEN {code.value} THEN '{_written(code.label_id, self.kind)}'" for code in listed.codes)
            plain = f"CASE {source} {words} END"
        merged = " ".join(
            f"WHEN {fine} THEN '{_written(_encodable(code, encoding), self.kind)}'"
            for code in listed.codes for fine in code.merges
        )
        if not merged or not self.rates.get("coarse_regencies"):
            return plain
        return f"CASE WHEN o.coarse THEN CASE {source} {merged} ELSE {plain} END ELSE {plain} END"

    def family(self, column: Column) -> str:
        """The family's answer, or another family's where this register contradicts the others."""
        differs = group_differs(column.name)
        own = f"k.{column.name}"
        return own if differs == "false" else f"CASE WHEN {differs} THEN p.{column.name} ELSE {own} END"

    def values(self, changed: dict[str, str]) -> dict[str, str]:
        """SQL text of every column; `changed` gives the clean value where it is not the person's or family's
        own. Values of the identity are damaged by the kinds in the columns ``<slot>_kind``."""
        members = {f.name for f in layout("dtsen_anggota").columns}
        found = {}
        for column in self.layout.columns:
            source = changed.get(column.name)
            if source is None:
                source = f"a.{column.name}" if column.name in members else self.family(column)
            slot = SLOT_OF.get(column.name)
            if slot in self.slots:
                source = damaged(slot, f"({source})", f"{slot}_how")
            found[column.name] = self.value(column, source)
        return found

    @property
    def slots(self) -> tuple[str, ...]:
        return tuple(slot for slot in SLOT_OF.values() if self.rates.get(slot))

    def drawn(self) -> str:
        """SQL columns of a record's dice: ``date_roll`` and, per slot, ``<slot>_roll`` and ``<slot>_how``."""
        parts = [f"{self.dice.roll('date')} AS date_roll"]
        for slot in self.slots:
            parts += [f"{self.dice.roll(slot)} AS {slot}_roll", f"{self.dice.number(slot + '/how')} AS {slot}_how"]
        return ", ".join(parts)

    def rolled(self) -> str:
        """SQL columns ``<slot>_kind`` from the dice of `drawn`, for a person ``a``."""
        factor = self.rates.get("duplicate_factor", 1.0)
        return ", ".join(
            f"{kind_of(slot, self.rates[slot], f'{slot}_roll', 'a.copy = 1', factor)} AS {slot}_kind"
            for slot in self.slots
        )

    def write(
        self, con: duckdb.DuckDBPyConnection, out: Path, values: Mapping[str, str | None], source: str, *,
        ids: tuple[str, str], order: str, kinds: list[str],
    ) -> None:  # fmt: skip
        """Compose, damage and write the lines, and add to ``truth_record``.

        `ids`: SQL of the simulated person (or NULL) and family; `kinds`: SQL of the damage codes of a record, in
        the order in which they are listed, NULL where it has none.
        """
        wanted = self.layout
        header = wanted.delimiters[0].join(column.file for column in wanted.columns)
        lines, extra, marks = self._lines()
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE register_line AS
            WITH composed AS (
              SELECT {self._text(values)} AS t, {ids[0]}::BIGINT AS person, {ids[1]}::BIGINT AS family,
                {self._rolls()}, {', '.join(f'{kind} AS kind_{n}' for n, kind in enumerate(kinds))}
                {',' if kinds else ''} ({order})::BIGINT AS place {source}
            ), marked AS (
              SELECT *, [{', '.join([f'kind_{n}' for n in range(len(kinds))] + marks + ['NULL'])}]::VARCHAR[] AS found
              FROM composed
            )
            SELECT {lines} AS line, person, family, ({extra})::UTINYINT AS extra,
              list_filter(found, lambda code: code IS NOT NULL) AS damage
            FROM marked ORDER BY place"""
        )
        path = out / FILES[self.kind]
        write_lines(con, "SELECT line FROM register_line", path, header + ("\r" if self.end else ""),
                    ENCODINGS.get(self.kind, "latin-1"))  # fmt: skip
        con.execute(
            """INSERT INTO truth_record
            SELECT ?, (2 + coalesce(sum(1 + extra) OVER (ORDER BY rowid ROWS BETWEEN UNBOUNDED PRECEDING
              AND 1 PRECEDING), 0))::UINTEGER, person, family, damage FROM register_line""",
            [self.kind],
        )
        con.execute("DROP TABLE register_line")

    def family_text(self, values: dict[str, str], names: list[str]) -> str:
        """SQL of the part of a line that is the same for a whole family: the neighbouring columns `names`. It goes
        into `values` as the text of the first of them, with None for the others."""
        return self._text({name: values[name] for name in names})

    def _text(self, values: Mapping[str, str | None]) -> str:
        """SQL of an undamaged line; DTKS writes -1 where a coded answer is missing, the others nothing. Columns
        without a text are left out."""
        blank = "'-1'" if self.kind == "dtks" else "''"
        parts = [
            f"coalesce({values[c.name]}, {blank if c.type in ('code', 'flag', 'integer') else chr(39) * 2})"
            for c in self.layout.columns if values.get(c.name) is not None
        ]  # fmt: skip
        return f"concat_ws('{self.layout.delimiters[0]}', {', '.join(parts)})"

    def _rolls(self) -> str:
        """What happens to the line itself, as columns of the composed records."""
        rates, dice = self.rates, self.dice
        events = {"shifted": "shifted_lines", "odd": "non_ascii", "broken": "broken_lines", "blank": "blank_lines"}
        parts = [f"{dice.below(name, rates[rate]) if rates.get(rate) else 'false'} AS {name}"
                 for name, rate in events.items()]  # fmt: skip
        placed = any(places_sql.expression(column.name, self.codes) for column in self.layout.columns)
        old = self.old_region if placed and rates.get("old_regions") else "false"
        return ", ".join([*parts, f"{dice.number('where')} AS break_at", f"{old} AS old_place"])

    def _lines(self) -> tuple[str, str, list[str]]:
        """(SQL of the physical lines, SQL of the number of further lines, SQL of the codes)."""
        mark, text, extra, marks = self.layout.delimiters[0], "t", "0", []
        if self.rates.get("shifted_lines"):
            # A record that loses a field: everything after it moves one column to the left.
            before = f"((?:[^{mark}]*[{mark}]){{{len(self.layout.columns) // 3}}})[^{mark}]*[{mark}]"
            text = f"CASE WHEN shifted THEN regexp_replace(t, '^{before}', '\\1') || '{mark}' ELSE {text} END"
            marks.append("CASE WHEN shifted THEN 'baris_bergeser' END")
        if self.rates.get("non_ascii"):
            text = f"CASE WHEN odd THEN replace(t, ' No. ', ' N° ') ELSE {text} END"
            marks.append("CASE WHEN odd AND contains(t, ' No. ') THEN 'aksara_latin1' END")
        if self.rates.get("broken_lines"):
            place = "50 + (break_at % 40)::INTEGER"
            text = f"CASE WHEN broken THEN left(t, {place}) || chr(10) || substr(t, 1 + {place}) ELSE {text} END"
            extra += " + broken::INTEGER"
            marks.append("CASE WHEN broken THEN 'baris_patah' END")
        if self.rates.get("blank_lines"):
            text = f"{text} || CASE WHEN blank THEN chr(10) ELSE '' END"
            extra += " + blank::INTEGER"
        if self.rates.get("old_regions"):
            marks.append("CASE WHEN old_place THEN 'wilayah_lama' END")
        return (f"{text} || {self.end}" if self.end else text), extra, marks


def _encodable(code: Code, encoding: str) -> str:
    """The first spelling of a code that the file's encoding can hold ("≤900 VA" is "<=900" in Latin-1)."""
    for words in (code.label_id, *code.delivered):
        if words.encode(encoding, "ignore").decode(encoding) == words:
            return words
    return str(code.value)


def _written(words: str, kind: str) -> str:
    """Words of a code list in a comma file: capitals in the civil register, quoted where needed."""
    shown = words.upper() if kind == "dukcapil" else words
    shown = shown.replace("'", "''")
    return f'"{shown}"' if "," in shown and kind in WORDS else shown
