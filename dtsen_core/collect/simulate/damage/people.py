"""Who stands in the registers beside the living: the deceased, second records, people under a stranger's number."""

from __future__ import annotations

import duckdb

from dtsen_core.collect.simulate import names
from dtsen_core.collect.simulate.damage.rates import Dice, damage

DECEASED_SERIAL, DOUBLE_SERIAL = 6000, 8000
"""Serials of people registered apart from the living population, beyond what its numbering reaches."""


def everybody(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Temporary table ``sim_deceased``: relatives who have died since, in the columns of ``sim_anggota``.

    Their key is ``-1 - id_anggota`` of the relative they belong to: never a person of the civil register. They
    were a generation older, had a name and number of their own, and the family's place and card.
    """
    most = max(entry.get("deceased", 0) for entry in damage().values())
    if not most:
        raise ValueError("damage.toml: no register has deceased people")
    die = Dice(seed, "deceased", "a.id_anggota")
    columns = [row[0] for row in con.execute("DESCRIBE sim_anggota").fetchall()]
    given = {
        "id_anggota": "-1 - s.id_anggota", "nama": "s.name", "tanggal_lahir": "s.born",
        "jenis_kelamin": "s.jenis_kelamin", "status_hubungan_keluarga": "CASE WHEN "
        "s.status_hubungan_keluarga <= 2 THEN 6 ELSE 8 END::UTINYINT", "status_kawin": "4::UTINYINT",
        "nomor_induk_kependudukan": f"""left(s.nomor_induk_kependudukan, 6)
          || lpad((day(s.born) + CASE WHEN s.jenis_kelamin = 2 THEN 40 ELSE 0 END)::VARCHAR, 2, '0')
          || strftime(s.born, '%m%y') || ({DECEASED_SERIAL} + row_number() OVER (PARTITION BY
            left(s.nomor_induk_kependudukan, 6), s.jenis_kelamin, s.born ORDER BY s.id_anggota))::VARCHAR""",
    }  # fmt: skip
    names.register(con)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE deceased_draw AS
        SELECT a.* REPLACE ((1 + {die.number("sex")} % 2)::UTINYINT AS jenis_kelamin), k.province,
          (a.tanggal_lahir - (8000 + {die.number("age")} % 4000)::INTEGER)::DATE AS born
        FROM sim_anggota a JOIN sim_keluarga k USING (id_keluarga)
        WHERE {die.below("deceased", most)}"""
    )
    listed = ", ".join(f'{given.get(name, f"s.{name}")} AS "{name}"' for name in columns)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE sim_deceased AS
        SELECT {listed} FROM ({names.named("deceased_draw", seed + 1)}) AS s"""
    )
    con.execute("DROP TABLE deceased_draw")


def persons(register: str, seed: int, columns: list[str]) -> str:
    """SELECT of the persons of `register` before its choice of families: these columns of ``sim_anggota``,
    `lived`, and `copy` (1 for the second record of a person)."""
    living, dead = (", ".join(f"{alias}.{name}" for name in columns) for alias in "ad")
    rates = damage()[register]
    most = max(entry.get("deceased", 0) for entry in damage().values())
    kept = Dice(seed, register, "d.id_anggota").below("deceased", f"({rates.get('deceased', 0)} / {most})")
    twice = Dice(seed, register, "a.id_anggota").below("twice", rates.get("duplicates", 0))
    return f"""(SELECT {living}, true AS lived, 0 AS copy FROM sim_anggota a
      UNION ALL BY NAME SELECT {dead}, false AS lived, 0 AS copy FROM sim_deceased d WHERE {kept}
      UNION ALL BY NAME SELECT {living}, true AS lived, 1 AS copy FROM sim_anggota a WHERE {twice})"""


def civil_persons(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Temporary table ``civil_person``: who stands in the civil register, with a second line (`copy` = 1) for
    people registered twice under another number."""
    rates = damage()["dukcapil"]
    dice = Dice(seed, "dukcapil", "a.id_anggota")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE civil_person AS
        WITH twice AS (
          SELECT a.id_anggota, left(a.nomor_induk_kependudukan, 12) || ({DOUBLE_SERIAL} + row_number() OVER (
              PARTITION BY left(a.nomor_induk_kependudukan, 12) ORDER BY a.id_anggota))::VARCHAR AS nik,
            CASE WHEN {dice.number("card")} % 2 = 0 THEN left(a.nomor_kartu_keluarga, 12)
              || ({DOUBLE_SERIAL} + {dice.number("serial")} % 1000)::VARCHAR ELSE a.nomor_kartu_keluarga END AS card
          FROM sim_anggota a
          WHERE {dice.below("person", rates["coverage"])} AND {dice.below("twice", rates["double_registration"])}
        )
        SELECT a.id_anggota, 0 AS copy, a.nomor_kartu_keluarga AS card, CASE
            WHEN {dice.below("shared", rates["shared_number"])}
            THEN coalesce(o.nomor_induk_kependudukan, a.nomor_induk_kependudukan)
            ELSE a.nomor_induk_kependudukan END AS nik,
          CASE WHEN {dice.below("shared", rates["shared_number"])} AND o.id_anggota IS NOT NULL
            THEN 'nik_orang_lain' END AS nik_kind
        FROM sim_anggota a LEFT JOIN sim_anggota o
          ON o.id_anggota = CASE WHEN {dice.below("shared", rates["shared_number"])} THEN a.id_anggota + 50 END
        WHERE {dice.below("person", rates["coverage"])}
        UNION ALL SELECT id_anggota, 1, card, nik, NULL FROM twice"""
    )
