"""The four source registers, derived from the simulated people with realistic damage.

Every rate is data (``data/rules/sources/damage.toml``); every decision follows from a hash of the record and
the seed, so the same seed gives the same bytes. Lines are composed and damaged as text by SQL over columns.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from dtsen_core.collect.layouts import layout
from dtsen_core.collect.readers import Progress
from dtsen_core.collect.simulate import places_sql
from dtsen_core.collect.simulate.compose import FILES, Register
from dtsen_core.collect.simulate.damage import events, families, people
from dtsen_core.collect.simulate.damage.families import group_of
from dtsen_core.collect.simulate.damage.kinds import damaged
from dtsen_core.collect.simulate.damage.rates import Dice, damage, kind_of

__all__ = ["FILES", "damage", "write_registers"]

TRUTH = """
CREATE OR REPLACE TABLE truth_record (
  kind VARCHAR, line_from UINTEGER, sim_id_anggota BIGINT, sim_id_keluarga BIGINT, damage VARCHAR[])
"""
PLACES = "JOIN village_codes v ON v.village = o.seen_village LEFT JOIN sim_keluarga p ON p.id_keluarga = o.partner"


def write_registers(
    con: duckdb.DuckDBPyConnection, out_dir: Path | str, *, seed: int, progress: Progress | None = None
) -> dict[str, Path]:
    """Write the register files from ``sim_keluarga`` and ``sim_anggota`` in `con`; returns kind → path.

    Makes ``truth_record``: for every record its kind, the physical number of its first line, the simulated
    person (NULL for records of families; negative for the deceased, who are in no civil register) and family,
    and the codes of its damages (`damage.kinds`; none = clean); and ``truth_event`` (`damage.events`).

    Where `con` has a table ``truth`` (id_keluarga, expenditure), the poorer families are more likely in DTKS
    and P3KE by their expenditure; without it by the number of assets they own. UserError if a file cannot be
    written.
    """
    out = Path(out_dir)
    con.execute(TRUTH)
    places_sql.register(con)
    families.village_spans(con)
    events.family_events(con, seed)
    _rank(con)
    people.everybody(con, seed)
    steps = (_dukcapil, _regsosek, _dtks, _p3ke)
    for number, step in enumerate(steps):
        step(con, out, seed)
        if progress is not None:
            progress((number + 1) / len(steps))
    for table in ("family_rank", "village_codes", "village_span", "sim_deceased", "family_form", "family_text",
                  "person"):  # fmt: skip
        con.execute(f"DROP TABLE {table}")
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


def _dukcapil(con: duckdb.DuckDBPyConnection, out: Path, seed: int) -> None:
    """The civil register: nearly everyone, a few of them twice, a few on the card of before."""
    people.civil_persons(con, seed)
    events.civil_form(con, seed)
    file = Register("dukcapil", "dukcapil", seed, "c.id_anggota, c.copy")
    values = file.values({
        "nomor_induk_kependudukan": "c.nik", "nomor_kartu_keluarga": _card("c.card"),
        "status_hubungan_keluarga": RELATION, "tanggal_ubah_kartu": "o.changed",
    })  # fmt: skip
    source = """FROM civil_person c JOIN (SELECT *, true AS lived FROM sim_anggota) a USING (id_anggota)
      JOIN family_form o ON o.id_keluarga = a.id_keluarga
      JOIN sim_keluarga k ON k.id_keluarga = a.id_keluarga JOIN village_codes v USING (village)"""
    file.write(con, out, values, source, ids=("c.id_anggota", "a.id_keluarga"), order="2 * c.id_anggota + c.copy",
               kinds=["CASE WHEN c.copy = 1 THEN 'ganda_dukcapil' END", "c.nik_kind", ELSEWHERE])  # fmt: skip
    con.execute("DROP TABLE civil_person")


def _persons(con: duckdb.DuckDBPyConnection, file: Register, seed: int, chosen: str) -> None:
    """Temporary table ``person``: everyone of this register with the kinds of damage and, for a borrowed number,
    the stranger's."""
    shown = [column.name for column in layout("dtsen_anggota").columns if column.type != "region_name"]
    used = {column.name for column in file.layout.columns} | set(ALWAYS)
    columns = ["id_anggota", "id_keluarga", *(name for name in shown if name in used)]
    lender = """CASE WHEN w.nik_kind = 'nik_orang_lain' THEN CASE WHEN w.nik_how % 2 = 0
        THEN w.id_anggota + CASE WHEN w.status_hubungan_keluarga = 1 THEN 1 ELSE -1 END
        ELSE ((w.nik_how >> 8) % (SELECT count(*) FROM sim_anggota))::BIGINT END END"""
    con.execute(f"""CREATE OR REPLACE TEMP TABLE person AS WITH who AS (
      SELECT a.*, {file.rolled()} FROM (
        SELECT a.*, {file.drawn()} FROM {people.persons(file.register, seed, columns)} a WHERE {chosen}) a
    ) SELECT w.* REPLACE (CASE WHEN w.nik_kind = 'nik_orang_lain' AND (b.id_anggota IS NULL
          OR b.id_anggota = w.id_anggota) THEN NULL ELSE w.nik_kind END AS nik_kind),
        b.nomor_induk_kependudukan AS borrowed
      FROM who w LEFT JOIN sim_anggota b ON b.id_anggota = {lender}""")


ELSEWHERE = f"CASE WHEN o.keluarga_kind = 'kartu_gabung' OR {families.apart()} THEN o.keluarga_kind END"
"""SQL: the kind of damage by which a person stands on another card than the family's own."""


def _identity_kinds(file: Register) -> list[str]:
    record = "CASE WHEN a.copy = 1 THEN 'rekaman_ganda' WHEN NOT a.lived THEN 'meninggal' END"
    return [*(f"a.{slot}_kind" for slot in file.slots), ELSEWHERE, record]


def _card(own: str) -> str:
    """The card this register knows the person under."""
    return f"CASE WHEN ({ELSEWHERE}) IS NOT NULL THEN o.host_card ELSE {own} END"


ALWAYS = ("nomor_induk_kependudukan", "nomor_kartu_keluarga", "nama", "tanggal_lahir", "jenis_kelamin",
          "status_hubungan_keluarga")  # fmt: skip
"""Columns of a person that damage needs, whether the register shows them or not."""
PERSON_ORDER = "CASE WHEN a.lived THEN 4 * a.id_anggota + a.copy ELSE -4 * a.id_anggota - 1 END"
"""Persons in the order of their keys, the deceased after the relative they belong to."""
RELATION = f"""CASE WHEN o.keluarga_kind = 'kartu_gabung'
  THEN CASE a.status_hubungan_keluarga WHEN 1 THEN 3 WHEN 2 THEN 4 WHEN 3 THEN 5 ELSE 8 END
  WHEN {families.apart()} THEN CASE WHEN a.id_anggota = o.part_head THEN 1 ELSE 8 END
  ELSE a.status_hubungan_keluarga END"""
"""Relation to the head of the family on whose record the person stands."""


def _met(seed: int, key: str) -> str:
    return Dice(seed, "regsosek", key).below("family", damage()["regsosek"]["coverage"])


def _regsosek_id(key: str) -> str:
    return f"'RS' || lpad(({key})::VARCHAR, 9, '0')"


def _regsosek(con: duckdb.DuckDBPyConnection, out: Path, seed: int) -> None:
    """The field round: a family file and a member file that agree on who stands on whose record."""
    families.family_form(con, "regsosek", seed)
    _regsosek_families(con, out, seed)
    _regsosek_members(con, out, seed)


def _regsosek_families(con: duckdb.DuckDBPyConnection, out: Path, seed: int) -> None:
    file = Register("regsosek_keluarga", "regsosek", seed, "k.id_keluarga, part")
    dice, rates = file.dice, file.rates
    card_rates = {f"kk_{name}": rates["kk_malformed"] / 3 for name in ("terpotong", "notasi_ilmiah", "kosong")}
    own = "CASE WHEN part = 1 THEN o.host_card ELSE k.nomor_kartu_keluarga END"
    members = {"nomor_kartu_keluarga": "k.nomor_kartu_keluarga", "nama": "k.nama_anggota_keluarga"}
    values = file.values(members | {
        "id_register": _regsosek_id(f"k.id_keluarga + part * {families.OWN_FAMILY}"),
        "jumlah_anggota_keluarga": "CASE WHEN part = 1 THEN o.part_size ELSE o.shown_size END",
        "tanggal_pemutakhiran": "o.record_day",
    })  # fmt: skip
    card = next(c for c in file.layout.columns if c.name == "nomor_kartu_keluarga")
    values[card.name] = file.value(card, damaged("kk", f"({own})", "kk_how"))
    odd = dice.below("code", rates["unknown_code"])
    values["jenis_lantai_terluas"] = f"CASE WHEN {odd} THEN '77' ELSE {values['jenis_lantai_terluas']} END"
    source = f"""FROM (SELECT k.*, part, {kind_of("kk", card_rates, dice.roll("kk"))} AS kk_kind,
          {dice.number("kk/how")} AS kk_how, {dice.roll("date")} AS date_roll
        FROM sim_keluarga k, (VALUES (0), (1)) AS parts(part) WHERE {_met(seed, "k.id_keluarga")}) k
      JOIN family_form o ON o.id_keluarga = k.id_keluarga {PLACES}
      WHERE CASE part WHEN 0 THEN o.keluarga_kind IS DISTINCT FROM 'kartu_gabung'
        ELSE o.keluarga_kind IS NOT DISTINCT FROM 'kartu_pecah' END"""
    kinds = ["k.kk_kind", "o.tempat_kind", "CASE WHEN part = 1 THEN o.keluarga_kind END", "o.isian_kind",
             f"CASE WHEN {odd} THEN 'isian_tak_dikenal' END"]  # fmt: skip
    file.write(con, out, values, source, ids=("NULL", "k.id_keluarga"), order="2 * k.id_keluarga + part", kinds=kinds)


def _regsosek_members(con: duckdb.DuckDBPyConnection, out: Path, seed: int) -> None:
    file = Register("regsosek_anggota", "regsosek", seed, "a.id_anggota, a.copy")
    key = f"""CASE WHEN o.keluarga_kind = 'kartu_gabung' THEN o.host
      WHEN {families.apart()} THEN a.id_keluarga + {families.OWN_FAMILY} ELSE a.id_keluarga END"""
    values = file.values({
        "id_register": _regsosek_id(key), "nomor_kartu_keluarga": _card("a.nomor_kartu_keluarga"),
        "status_hubungan_keluarga": RELATION,
    })  # fmt: skip
    # Who stands on another family's record is met with it.
    families_met = f"SELECT id_keluarga FROM family_form WHERE {_met(seed, 'coalesce(host, id_keluarga)')}"
    met = f"a.id_keluarga IN ({families_met}) AND {file.dice.below('person', file.rates['member_coverage'])}"
    _persons(con, file, seed, met)
    source = "FROM person a JOIN family_form o ON o.id_keluarga = a.id_keluarga"
    file.write(con, out, values, source, ids=("a.id_anggota", "a.id_keluarga"),
               order=PERSON_ORDER, kinds=[*_identity_kinds(file), "o.tempat_kind"])  # fmt: skip


def _density(rates: dict) -> str:
    """Chance to be in a register by welfare rank r: falls as (1 - r)^bias, mean = coverage."""
    return f"({rates['coverage'] * (rates['bias'] + 1)} * pow(1 - f.r, {rates['bias']}))"


def _chosen(file: Register, seed: int) -> str:
    """Condition on the person ``a``: does this register hold the family? Poorer families more likely."""
    family = Dice(seed, file.register, "f.id_keluarga").below("family", _density(file.rates))
    return f"a.id_keluarga IN (SELECT f.id_keluarga FROM family_rank f WHERE {family})"


def _dtks(con: duckdb.DuckDBPyConnection, out: Path, seed: int) -> None:
    """One line per person; suspended second records stay in the file."""
    file = Register("dtks", "dtks", seed, "a.id_anggota, a.copy")
    families.family_form(con, "dtks", seed)
    key = "CASE WHEN a.lived THEN 2 * a.id_anggota + a.copy ELSE 5000000000 - a.id_anggota END"
    values = file.values({
        "id_register": f"'DT' || lpad(({key})::VARCHAR, 10, '0')",
        "status_register": "CASE WHEN a.copy = 1 THEN 'DITIDURKAN' ELSE 'AKTIF' END",
        "tanggal_pemutakhiran": "(o.record_day - 400 * a.copy)", "status_hubungan_keluarga": RELATION,
        "nomor_kartu_keluarga": _card("a.nomor_kartu_keluarga"),
        "jumlah_anggota_keluarga": f"CASE WHEN {families.apart()} THEN o.part_size ELSE o.shown_size END",
    })  # fmt: skip
    _persons(con, file, seed, _chosen(file, seed))
    # What a family answered is the same on every line of its members: composed once.
    answers = [c.name for c in file.layout.columns if group_of(c.name) is not None]
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE family_text AS
        SELECT k.id_keluarga, {file.family_text(values, answers)} AS answers
        FROM sim_keluarga k JOIN family_form o ON o.id_keluarga = k.id_keluarga
        LEFT JOIN sim_keluarga p ON p.id_keluarga = o.partner
        WHERE k.id_keluarga IN (SELECT id_keluarga FROM person)"""
    )
    shown: dict[str, str | None] = {**values, **dict.fromkeys(answers), answers[0]: "x.answers"}
    source = """FROM person a JOIN sim_keluarga k ON k.id_keluarga = a.id_keluarga
      JOIN family_form o ON o.id_keluarga = a.id_keluarga JOIN family_text x ON x.id_keluarga = a.id_keluarga
      JOIN village_codes v ON v.village = o.seen_village"""
    file.write(con, out, shown, source, ids=("a.id_anggota", "a.id_keluarga"),
               order=PERSON_ORDER,
               kinds=[*_identity_kinds(file), "o.tempat_kind", "o.isian_kind"])  # fmt: skip


def _p3ke(con: duckdb.DuckDBPyConnection, out: Path, seed: int) -> None:
    """One line per family, with its head's number; one for each card of a family that had two, none for one that
    stood on another's."""
    file = Register("p3ke", "p3ke", seed, "a.id_anggota, a.copy", "chr(13)")
    families.family_form(con, "p3ke", seed)
    part = f"{families.apart()}::INTEGER"
    key = f"(a.id_keluarga + {families.OWN_FAMILY} * (2 * a.copy + {part}))"
    values = file.values({
        "id_register": f"'P3' || lpad({key}::VARCHAR, 10, '0')",
        "desil_p3ke": "(1 + floor(f.r * 3.999))::INTEGER::VARCHAR",
        "nomor_kartu_keluarga": _card("k.nomor_kartu_keluarga"), "tanggal_pemutakhiran": "o.record_day",
        "jumlah_anggota_keluarga": f"CASE {part} WHEN 1 THEN o.part_size ELSE o.shown_size END",
    })  # fmt: skip
    name = file.layout.column("nama_anggota_keluarga")
    values[name.name] = file.value(name, damaged("nama", "(a.nama)", "nama_how"))
    odd = file.dice.below("code", file.rates["unknown_code"])
    values["jenis_atap_terluas"] = f"CASE WHEN {odd} THEN 'Rumbia plastik' ELSE {values['jenis_atap_terluas']} END"
    source = f"""FROM person a JOIN sim_keluarga k ON k.id_keluarga = a.id_keluarga
      JOIN family_form o ON o.id_keluarga = a.id_keluarga
      JOIN family_rank f ON f.id_keluarga = a.id_keluarga {PLACES}"""
    heads = f"""(a.status_hubungan_keluarga = 1
        AND a.id_keluarga NOT IN (SELECT id_keluarga FROM family_form WHERE keluarga_kind = 'kartu_gabung')
        OR a.id_anggota IN (SELECT part_head FROM family_form WHERE part_head IS NOT NULL)) AND {_chosen(file, seed)}"""
    kinds = [*_identity_kinds(file), "o.tempat_kind", "o.isian_kind",
             f"CASE WHEN {odd} THEN 'isian_tak_dikenal' END"]  # fmt: skip
    _persons(con, file, seed, heads)
    file.write(con, out, values, source, ids=("a.id_anggota", "a.id_keluarga"),
               order=f"4 * a.id_keluarga + 2 * {part} + a.copy", kinds=kinds)  # fmt: skip
