"""Who belongs to a family: small registers written by hand, and what becomes of their families.

All cases stand in one set of files, each with five people and two cards of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from dtsen_core.collect.layouts import layout
from dtsen_core.integrate import golden
from dtsen_core.integrate.golden import SourceFile
from dtsen_core.integrate.lineage import lineage, member_lineage

PLACE = {
    "kode_kabupaten_kota": "1101", "kabupaten_kota": "KAB. ACEH SELATAN", "kode_kecamatan": "110101",
    "kecamatan": "BAKONGAN", "kode_kelurahan_desa": "1101012001", "kelurahan_desa": "KEUDE BAKONGAN",
}  # fmt: skip
NAMES = ("Bambang Santoso", "Sutinah Permana", "Zubaidah Wenda", "Ketut Nahak", "Kosasih Hutapea")
EVERYONE, REST, PAIR = [1, 2, 3, 4, 5], [1, 2, 3], [4, 5]
FIELD = {
    "jenis_lantai_terluas": "1", "kepemilikan_aset": "1", "aset_bergerak_mobil": "1", "jumlah_anggota_keluarga": "5",
    "tanggal_pemutakhiran": "2022-11-01", "alamat": "Jl. Damai 1", "id_pelanggan_pln": "512345678901",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """`two`: who is on the second card of the civil register, last changed on `changed`; `met`: whom Regsosek met on
    1 November 2022, `named`: with the second card, `apart`: on a record of their own; `more`: lines of DTKS as (person,
    card, day, floor)."""

    number: int
    two: list[int]
    named: list[int]
    changed: str = "01-03-2015"
    apart: bool = True
    met: list[int] = field(default_factory=lambda: EVERYONE)
    more: tuple[tuple[int, int, str, str], ...] = ()

    def card(self, which: int) -> str:
        return f"11010101{self.number:02d}10000{which}"

    def nik(self, person: int) -> str:
        return f"110101{person:02d}{self.number:02d}850001"

    def person(self, number: int, card: int, relation: str, mark: str = "-", **more: str) -> dict[str, str]:
        return {
            "nomor_induk_kependudukan": self.nik(number), "nomor_kartu_keluarga": self.card(card),
            "nama": NAMES[number - 1], "tanggal_lahir": f"{number:02d}{mark}{self.number:02d}{mark}1985",
            "jenis_kelamin": "1", "status_hubungan_keluarga": relation, **more,
        }  # fmt: skip

    def civil(self) -> list[dict[str, str]]:
        return [self.person(n, 2 if n in self.two else 1, "1" if n == 1 or n in self.two[:1] else "8",
                            tanggal_ubah_kartu=self.changed) for n in EVERYONE]  # fmt: skip

    def families(self) -> list[dict[str, str]]:
        own = [2] if self.named and self.apart else []
        return [{**FIELD, "id_register": f"RS{self.number}-{card}", "nomor_kartu_keluarga": self.card(card)}
                for card in (1, *own)]  # fmt: skip

    def members(self) -> list[dict[str, str]]:
        return [self.person(n, 2 if n in self.named else 1, "1" if n == 1 or n in self.named[:1] else "3",
                            id_register=f"RS{self.number}-{2 if n in self.named and self.apart else 1}")
                for n in self.met]  # fmt: skip

    def dtks(self) -> list[dict[str, str]]:
        return [self.person(n, card, "8", "/", id_register=f"DT{self.number}-{n}", tanggal_pemutakhiran=day,
                            jenis_lantai_terluas=floor) for n, card, day, floor in self.more]  # fmt: skip


LODGERS = Case(1, PAIR, [])
KNOWN_LODGERS = Case(2, PAIR, [], more=((4, 2, "01/06/2020", "2"),), changed="01-03-2023")
SPLIT = Case(3, [], PAIR)
JOINED = Case(4, PAIR, [], met=[1, 2, 3, 4], more=((4, 1, "05/06/2020", "1"),))
CHANGED_SINCE = Case(5, [], PAIR, changed="02-11-2022")
UNDATED = Case(6, [], PAIR, changed="")
ONE_ALONE = Case(7, [], [5])
CONTRADICTED = Case(8, [], PAIR, more=((4, 1, "01/11/2022", "1"), (5, 1, "01/11/2022", "1")))
LODGERS_SINCE = Case(9, PAIR, [], changed="01-03-2023")
CASES = (LODGERS, KNOWN_LODGERS, SPLIT, JOINED, CHANGED_SINCE, UNDATED, ONE_ALONE, CONTRADICTED, LODGERS_SINCE)


def written(folder: Path, kind: str, rows: list[dict[str, str]]) -> SourceFile:
    """A file of `kind` with these values, blank where a row says nothing."""
    columns, mark = layout(kind).columns, layout(kind).delimiters[0]
    lines = [mark.join(c.file for c in columns)]
    lines += [mark.join(({**PLACE, **row}).get(c.name, "") for c in columns) for row in rows]
    path = folder / f"{kind}.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return SourceFile(kind, path)


def registers(folder: Path, *cases: Case) -> list[SourceFile]:
    rows = {"dukcapil": Case.civil, "regsosek_keluarga": Case.families, "regsosek_anggota": Case.members,
            "dtks": Case.dtks}  # fmt: skip
    return [written(folder, kind, [row for case in cases for row in of(case)]) for kind, of in rows.items()]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    con = duckdb.connect()
    golden.integrate(con, files=registers(tmp_path_factory.mktemp("hand"), *CASES))
    yield con
    con.close()


def together(con: duckdb.DuckDBPyConnection, case: Case) -> list[list[int]]:
    """Who of the five is on the first and on the second card."""
    numbers = {case.nik(n): n for n in EVERYONE}
    rows = con.execute("""SELECT k.nomor_kartu_keluarga, list(nomor_induk_kependudukan), min(jumlah_anggota_keluarga)
        FROM keluarga k JOIN anggota a USING (id_keluarga) GROUP BY 1""").fetchall()  # fmt: skip
    found = {card: sorted(numbers[nik] for nik in niks) for card, niks, _ in rows if niks[0] in numbers}
    assert all(len(niks) == size for _, niks, size in rows)
    assert set(found) <= {case.card(1), case.card(2)}
    return [found.get(case.card(which), []) for which in (1, 2)]


def family(con: duckdb.DuckDBPyConnection, card: str) -> int:
    return int(con.execute("SELECT id_keluarga FROM keluarga WHERE nomor_kartu_keluarga = ?", [card]).fetchall()[0][0])


def described(con: duckdb.DuckDBPyConnection, card: str) -> tuple:
    return con.execute(
        """SELECT attribute_source, is_regsosek, kode_kelurahan_desa, alamat, jenis_lantai_terluas, kepemilikan_aset,
          aset_bergerak_mobil, id_pelanggan_pln FROM keluarga WHERE nomor_kartu_keluarga = ?""", [card],
    ).fetchall()[0]  # fmt: skip


@pytest.mark.parametrize(("case", "expected"), [
    (LODGERS_SINCE, [REST, PAIR]), (KNOWN_LODGERS, [REST, PAIR]), (SPLIT, [REST, PAIR]), (JOINED, [EVERYONE, []]),
    (LODGERS, [EVERYONE, []]), (CHANGED_SINCE, [EVERYONE, []]), (UNDATED, [EVERYONE, []]), (ONE_ALONE, [EVERYONE, []]),
    (CONTRADICTED, [EVERYONE, []]),
])  # fmt: skip
def test_who_is_on_which_card(registry, case: Case, expected: list[list[int]]) -> None:
    assert together(registry, case) == expected


def test_a_family_met_on_another_family_s_record_is_a_family(registry) -> None:
    """The two on the second card lived with the three: the dwelling is theirs too, the car and the meter are not."""
    dwelling = ("regsosek", True, "1101012001", "Jl. Damai 1", 1)
    assert described(registry, LODGERS_SINCE.card(1)) == (*dwelling, 1, 1, "512345678901")
    assert described(registry, LODGERS_SINCE.card(2)) == (*dwelling, None, None, None)


def test_its_lineage_says_whose_record_it_is(registry) -> None:
    host, guests = (family(registry, LODGERS_SINCE.card(which)) for which in (1, 2))
    floors = [lineage(registry, one, "jenis_lantai_terluas") for one in (host, guests)]
    assert [(one.source, one.rule, one.value) for one in floors] == [
        ("regsosek", "recency", "1"), ("regsosek", "shared", "1")]  # fmt: skip
    assert floors[0].line == floors[1].line
    assert lineage(registry, guests, "aset_bergerak_mobil").rule == "none"
    lost = registry.execute("SELECT variable FROM losing_value WHERE id_keluarga = ? AND id_anggota IS NULL",
                            [guests]).fetchall()  # fmt: skip
    assert {name for (name,) in lost} == {"nomor_kartu_keluarga", "jumlah_anggota_keluarga"}, "never asked about it"


def test_a_record_of_its_own_goes_before_another_family_s(registry) -> None:
    assert described(registry, KNOWN_LODGERS.card(2))[:5] == ("dtks", True, "1101012001", None, 2)


def test_a_new_card_leads_back_to_who_told_of_it(registry) -> None:
    card = SPLIT.card(2)
    new = family(registry, card)
    found = lineage(registry, new, "nomor_kartu_keluarga")
    assert (found.value, found.source, found.rule) == (card, "regsosek", "dated")
    assert lineage(registry, new, "nama_anggota_keluarga").value == NAMES[3]
    for one, relation in zip(member_lineage(registry, new, "status_hubungan_keluarga"), ("1", "3")):
        assert (one.value, one.source, one.rule) == (relation, "regsosek", "dated")
        assert [(lost.value, lost.source, lost.reason) for lost in one.losers] == [("8", "dukcapil", "recency")]
    for one in member_lineage(registry, new, "nomor_kartu_keluarga"):
        said = Path(str(one.path)).read_text(encoding="utf-8").split("\n")[int(one.line or 0) - 1]
        assert card in said
        assert [(lost.value, lost.source) for lost in one.losers] == [(SPLIT.card(1), "dukcapil")]
    assert {one.rule for one in member_lineage(registry, new, "nama")} == {"authority"}


def test_who_was_not_heard_of_goes_with_the_others(registry) -> None:
    members = member_lineage(registry, family(registry, JOINED.card(1)), "nomor_kartu_keluarga")
    rules = {registry.execute("SELECT nama FROM anggota WHERE id_anggota = ?", [one.id_anggota]).fetchall()[0][0]:
             (one.source, one.rule, one.line is None) for one in members}  # fmt: skip
    assert [rules[NAMES[n - 1]] for n in REST] == [("dukcapil", "authority", False)] * 3
    assert rules[NAMES[3]] == ("regsosek", "dated", False)
    assert rules[NAMES[4]][1:] == ("dated", True), "no record of this person says so"


def test_a_civil_register_without_dates_is_read_as_it_stands(tmp_path: Path) -> None:
    files = registers(tmp_path, SPLIT, JOINED)
    lines = files[0].path.read_text(encoding="utf-8").splitlines()
    assert lines[0].endswith(",TGL_UBAH")
    files[0].path.write_text("\n".join(line.rpartition(",")[0] for line in lines) + "\n", encoding="utf-8")
    con = duckdb.connect()
    golden.integrate(con, files=files)
    assert together(con, SPLIT) == [EVERYONE, []]
    assert together(con, JOINED) == [REST, PAIR]
