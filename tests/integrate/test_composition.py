"""Who belongs to a family: small registers written by hand, and what becomes of their families."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from dtsen_core.collect.layouts import layout
from dtsen_core.integrate import golden
from dtsen_core.integrate.golden import SourceFile
from dtsen_core.integrate.lineage import lineage

PLACE = {
    "kode_kabupaten_kota": "1101", "kabupaten_kota": "KAB. ACEH SELATAN", "kode_kecamatan": "110101",
    "kecamatan": "BAKONGAN", "kode_kelurahan_desa": "1101012001", "kelurahan_desa": "KEUDE BAKONGAN",
}  # fmt: skip
ONE, TWO = "1101010101100001", "1101010101100002"
NAMES = ("Bambang Santoso", "Sutinah Permana", "Zubaidah Wenda", "Ketut Nahak", "Kosasih Hutapea")


def nik(number: int) -> str:
    """Five men, born on as many days."""
    return f"110101{number:02d}12850001"


def written(folder: Path, kind: str, rows: Sequence[dict[str, str]]) -> SourceFile:
    """A file of `kind` with these values, blank where a row says nothing."""
    columns, mark = layout(kind).columns, layout(kind).delimiters[0]
    lines = [mark.join(c.file for c in columns)]
    lines += [mark.join(({**PLACE, **row}).get(c.name, "") for c in columns) for row in rows]
    path = folder / f"{kind}.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return SourceFile(kind, path)


def person(number: int, card: str, relation: str, **more: str) -> dict[str, str]:
    return {
        "nomor_induk_kependudukan": nik(number), "nomor_kartu_keluarga": card, "nama": NAMES[number - 1],
        "tanggal_lahir": f"{number:02d}-12-1985", "jenis_kelamin": "1", "status_hubungan_keluarga": relation, **more,
    }  # fmt: skip


def registers(folder: Path, civil: Sequence[dict[str, str]], **rows: Sequence[dict[str, str]]) -> list[SourceFile]:
    return [written(folder, kind, listed) for kind, listed in {"dukcapil": civil, **rows}.items()]


def integrated(files: list[SourceFile]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    golden.integrate(con, files=files)
    return con


def cards(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Card → numbers of its members."""
    rows = con.execute("""SELECT k.nomor_kartu_keluarga, list(nomor_induk_kependudukan ORDER BY 1)
        FROM keluarga k JOIN anggota a USING (id_keluarga) GROUP BY 1 ORDER BY 1""").fetchall()  # fmt: skip
    return {str(card): [str(one) for one in members] for card, members in rows}


FIELD = {
    "id_register": "RS1", "nomor_kartu_keluarga": ONE, "jenis_lantai_terluas": "1", "kepemilikan_aset": "1",
    "aset_bergerak_mobil": "1", "jumlah_anggota_keluarga": "5", "tanggal_pemutakhiran": "2022-11-01",
    "alamat": "Jl. Damai 1", "id_pelanggan_pln": "512345678901",
}  # fmt: skip


def lodgers(folder: Path, *, dtks: bool = False) -> duckdb.DuckDBPyConnection:
    """Regsosek wrote the two on the second card on the form of the three on the first."""
    on_card = [(1, ONE, "1"), (2, ONE, "2"), (3, ONE, "3"), (4, TWO, "1"), (5, TWO, "2")]
    civil = [person(n, card, relation) for n, card, relation in on_card]
    met = [person(n, ONE, "1" if n == 1 else "8", id_register="RS1") for n, *_ in on_card]
    own = {"dtks": [person(4, TWO, "1", id_register="DT1", jenis_lantai_terluas="2",
                           tanggal_pemutakhiran="01-06-2020")]} if dtks else {}  # fmt: skip
    return integrated(registers(folder, civil, regsosek_keluarga=[FIELD], regsosek_anggota=met, **own))


def test_a_family_met_on_another_family_s_record_is_a_family(tmp_path: Path) -> None:
    con = lodgers(tmp_path)
    assert cards(con) == {ONE: [nik(1), nik(2), nik(3)], TWO: [nik(4), nik(5)]}
    rows = con.execute("""SELECT nomor_kartu_keluarga, jumlah_anggota_keluarga, attribute_source, is_regsosek,
          kode_kelurahan_desa, alamat, jenis_lantai_terluas, kepemilikan_aset, aset_bergerak_mobil, id_pelanggan_pln
        FROM keluarga ORDER BY 1""").fetchall()  # fmt: skip
    dwelling = ("regsosek", True, "1101012001", "Jl. Damai 1", 1)
    assert rows == [(ONE, 3, *dwelling, 1, 1, "512345678901"), (TWO, 2, *dwelling, None, None, None)]


def test_its_lineage_says_whose_record_it_is(tmp_path: Path) -> None:
    con = lodgers(tmp_path)
    for card, rule in ((ONE, "recency"), (TWO, "shared")):
        family = con.execute("SELECT id_keluarga FROM keluarga WHERE nomor_kartu_keluarga = ?", [card]).fetchall()[0][0]
        found = lineage(con, family, "jenis_lantai_terluas")
        assert (found.source, found.line, found.rule, found.value) == ("regsosek", 2, rule, "1")
    assert lineage(con, family, "aset_bergerak_mobil").rule == "none"
    lost = con.execute("SELECT DISTINCT variable FROM losing_value WHERE id_keluarga = ? AND id_anggota IS NULL",
                       [family]).fetchall()  # fmt: skip
    assert {name for (name,) in lost} == {"nomor_kartu_keluarga", "jumlah_anggota_keluarga"}, "never asked about it"


def test_a_record_of_its_own_goes_before_another_family_s(tmp_path: Path) -> None:
    con = lodgers(tmp_path, dtks=True)
    rows = con.execute("SELECT attribute_source, jenis_lantai_terluas, is_regsosek FROM keluarga "
                       "WHERE nomor_kartu_keluarga = ?", [TWO]).fetchall()  # fmt: skip
    assert rows == [("dtks", 2, True)]
