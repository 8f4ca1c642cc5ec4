"""Graded rules over columns: errors set aside and hold, warnings only count; both with their sources."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

from dtsen_core.collect.identity import SEVERITIES, rulebook, rules_of
from dtsen_core.collect.layouts import EXPORT_COLUMNS, kinds, layout
from dtsen_core.collect.quarantine import export_quarantine
from dtsen_core.collect.readers import read_source, settle
from dtsen_core.errors import UserError
from dtsen_core.locale import LANGS, has, text
from dtsen_core.regions import units

HEADER = ["ID_DTKS", "NIK", "NO_KK", "NAMA", "TGL_LAHIR", "JK", "KODE_KAB", "KABUPATEN", "KODE_KEC", "KECAMATAN",
          "KODE_DESA", "DESA", "PBI_NAS"]  # fmt: skip
PLACE = ["1101", "KAB. ACEH SELATAN", "110101", "BAKONGAN", "1101012001", "KEUDE BAKONGAN", "-1"]
GOOD = "3171014112850003"
CARD = "3171010101080001"


def dtks(folder: Path, *people: tuple[str, str, str, str, str]) -> Path:
    """A DTKS file of (NIK, card, name, birth date, sex)."""
    rows = [[f"DT{n}", *person, *PLACE] for n, person in enumerate(people)]
    path = folder / "dtks.txt"
    path.write_text("\n".join("|".join(row) for row in [HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def read(con: duckdb.DuckDBPyConnection, kind: str, path: Path):
    return settle(con, kind, read_source(con, kind, [path]))[0]


def reasons(con: duckdb.DuckDBPyConnection) -> dict[int, list[str]]:
    return dict(con.execute("SELECT line_from, reasons FROM quarantine ORDER BY 1").fetchall())


def findings(con: duckdb.DuckDBPyConnection, severity: str) -> dict[str, int]:
    query = "SELECT rule, sum(records) FROM rule_finding WHERE severity = ? GROUP BY 1"
    return {str(rule): int(count) for rule, count in con.execute(query, [severity]).fetchall()}


def test_every_rule_has_sentences_a_source_and_a_kind() -> None:
    rules = rulebook().rules
    assert {rule.severity for rule in rules} == set(SEVERITIES)
    for rule in rules:
        assert rule.source
        assert set(rule.kinds) <= set(kinds())
        for lang in LANGS:
            assert text(f"integrate.{rule.code}", lang)
        assert has(f"integrate.{rule.code}")
    assert len(rules_of("dtks")) > 10


@pytest.mark.parametrize(("nik", "code"), [
    ("", "nik_kosong"), ("-", "nik_kosong"), ("0000000000000000", "nik_kosong"), ("317101411285000", "nik_tak_sah"),
    ("3.17101E+15", "nik_tak_sah"), ("31710141128500031", "nik_tak_sah"), ("317101411285000X", "nik_tak_sah"),
    ("3171014112850000", "nik_seri_nol"), ("3171013212850003", "nik_tanggal_mustahil"),
    ("3171017212850003", "nik_tanggal_mustahil"), ("3171014012850003", "nik_tanggal_mustahil"),
    ("3171014113850003", "nik_tanggal_mustahil"), ("3171013002850003", "nik_tanggal_mustahil"),
    ("3171012902850003", "nik_tanggal_mustahil"), ("2271014112850003", "nik_wilayah_tak_dikenal"),
])  # fmt: skip
def test_an_error_sets_aside_and_holds(con, tmp_path: Path, nik: str, code: str) -> None:
    good = (GOOD, CARD, "Sri Rahayu", "01/12/1985", "2")
    file = read(con, "dtks", dtks(tmp_path, good, (nik, *good[1:])))
    assert reasons(con) == {3: [code]}
    assert (file.accepted, file.quarantined) == (1, 1)
    assert con.execute("SELECT line_from, nama FROM source_dtks_held").fetchall() == [(3, "Sri Rahayu")]
    assert findings(con, "error") == {code: 1}
    assert con.execute("SELECT DISTINCT province, regency FROM rule_finding").fetchall() == [(0, 0)]


@pytest.mark.parametrize("nik", [
    "3171014112850003", "3171012902840003", "3171016902840001", "9101013112990001", "6473013011010001",
    "3171017112850003",
])  # fmt: skip
def test_a_possible_number_is_no_error(con, tmp_path: Path, nik: str) -> None:
    """Leap days, the last days of months, women, and regions of before the splits."""
    assert read(con, "dtks", dtks(tmp_path, (nik, CARD, "Sri", "", "-1"))).quarantined == 0


def test_a_record_keeps_all_its_reasons_and_its_raw_line(con, tmp_path: Path) -> None:
    path = dtks(tmp_path, ("2271013213850000", CARD, "Sri Rahayu", "01/12/1985", "2"))
    read(con, "dtks", path)
    assert reasons(con) == {2: ["nik_seri_nol", "nik_tanggal_mustahil", "nik_wilayah_tak_dikenal"]}
    raw, detail, mended = con.execute("SELECT raw, detail, mended_by FROM quarantine").fetchall()[0]
    assert raw == path.read_text(encoding="utf-8").splitlines()[1]
    assert detail == "nomor_induk_kependudukan: 22••••••••••••00 (16)"
    assert mended is None


def test_an_unknown_place_is_a_reason_beside_the_others_and_is_not_held(con, tmp_path: Path) -> None:
    good = (GOOD, CARD, "Sri Rahayu", "01/12/1985", "2")
    path = dtks(tmp_path, good, good, ("12", *good[1:]))
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].replace("1101012001", "1101019999").replace("KEUDE BAKONGAN", "ENTAH")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    read(con, "dtks", path)
    assert reasons(con)[4] == ["wilayah_tak_dikenal", "nik_tak_sah"]
    assert con.execute("SELECT count(*) FROM source_dtks_held").fetchall() == [(0,)]


def test_warnings_never_reject(con, tmp_path: Path) -> None:
    file = read(con, "dtks", dtks(
        tmp_path, (GOOD, "123", "Sri Rahayu", "02/12/1985", "1"), ("3171011211900001", "", "", "12/11/1990", "1"),
        ("'3171011211900002", CARD, "Budi", "12/11/1990", "1"), ("003171011211900003", CARD, "Adi", "12/11/1990", "1"),
        ("3171011211900004.0", CARD, "Ali", "12/11/1990", "1"),
    ))  # fmt: skip
    assert (file.accepted, file.quarantined) == (5, 0)
    assert findings(con, "warning") == {
        "nik_beda_tanggal_lahir": 1, "nik_beda_jenis_kelamin": 1, "kk_tak_sah": 1, "kk_kosong": 1, "nama_kosong": 1,
        "nik_dibersihkan": 3,
    }  # fmt: skip
    niks = con.execute("SELECT nomor_induk_kependudukan FROM source_dtks ORDER BY line_from").fetchall()
    assert [nik for (nik,) in niks[2:]] == [f"317101121190000{n}" for n in (2, 3, 4)]


OLD_PLACE = ["9101", "KAB. MERAUKE", "910101", "MERAUKE", "9101011001", "KARANG INDAH"]


def test_an_old_region_code_is_a_warning_of_its_source(con, tmp_path: Path) -> None:
    """Read as the place of today; not told of a record that could not be read whole."""
    people = [(f"317101411285000{n}", CARD, "Sri Rahayu", "01/12/1985", sex) for n, sex in enumerate("2229", 1)]
    path = dtks(tmp_path, *people)
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[2:] = [line.replace("|".join(PLACE[:6]), "|".join(OLD_PLACE)) for line in lines[2:]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    file = read(con, "dtks", path)
    assert (file.accepted, reasons(con)) == (3, {5: ["kode_tak_dikenal"]})
    assert findings(con, "warning") == {"wilayah_lama": 2}
    assert con.execute("SELECT DISTINCT source, regency FROM rule_finding").fetchall() == [
        ("dtks", units.index("regency")["9301"])
    ]
    assert con.execute("SELECT warnings FROM quarantine").fetchall() == [([],)]


def test_one_number_of_two_people_holds_both_but_not_a_second_record(con, tmp_path: Path) -> None:
    read(con, "dtks", dtks(
        tmp_path, (GOOD, CARD, "Sri Rahayu", "01/12/1985", "2"), (GOOD, CARD, "Bambang Susilo", "17/08/1970", "1"),
        ("3171011211900001", CARD, "Muhammad Fajar", "12/11/1990", "1"),
        ("3171011211900001", CARD, "Muh. Fajar", "12/11/1990", "1"),
        ("3171011211900001", CARD, "Muhammad Fajar", "12/10/1990", "1"),
    ))  # fmt: skip
    assert reasons(con) == {2: ["nik_dipakai_orang_lain"], 3: ["nik_dipakai_orang_lain"]}
    assert con.execute("SELECT count(*) FROM source_dtks").fetchall() == [(3,)]


def test_a_number_that_a_whole_file_repeats_is_cheap(con, tmp_path: Path) -> None:
    people = [(GOOD, CARD, ("Sutinah", "Bambang")[n % 2], f"01/12/{1950 + n % 50}", "2") for n in range(20_000)]
    file = read(con, "dtks", dtks(tmp_path, *people))
    assert file.quarantined == 20_000
    assert file.read == 20_001


def test_reading_the_same_file_again_counts_findings_once(con, tmp_path: Path) -> None:
    path = dtks(tmp_path, ("12", CARD, "Sri Rahayu", "01/12/1985", "2"))
    for _ in range(2):
        read(con, "dtks", path)
    assert findings(con, "error") == {"nik_tak_sah": 1}
    assert con.execute("SELECT count(*) FROM quarantine").fetchall() == [(1,)]


def test_quarantine_goes_out_is_corrected_and_comes_in_again(con, tmp_path: Path) -> None:
    path = dtks(tmp_path, (GOOD, CARD, "Sri Rahayu", "01/12/1985", "2"), ("3.17101E+15", CARD, "=1+1|x", "", "2"))
    lines = path.read_text(encoding="utf-8").replace("|x", "").splitlines()
    lines += ["DT9|123|45", lines[1] + "|lebih", lines[1].replace("|2|1101|", "|7|1101|")]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    read(con, "dtks", path)
    out = tmp_path / "karantina.csv"
    assert export_quarantine(con, out, "dtks", lang="en") == 4
    data = out.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(data.decode("utf-8-sig").splitlines()))
    assert rows[0] == [*HEADER, *EXPORT_COLUMNS]
    number, name, missing, why = (HEADER.index("NIK"), HEADER.index("NAMA"), HEADER.index("PBI_NAS"), len(HEADER))
    assert rows[1][name] == "'=1+1"
    assert rows[1][missing] == "'-1"
    assert rows[1][why : why + 5] == ["nik_tak_sah", "The NIK is not 16 digits (NIK: 3.•••••••15 (11))",
                                      "The name is empty", str(path), "3"]  # fmt: skip
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)

    again = duckdb.connect()
    read(again, "dtks", out)
    assert sorted(again.execute("SELECT reason FROM quarantine").fetchall()) == [
        ("kode_tak_dikenal",), ("kolom_berlebih",), ("kolom_berlebih",), ("nik_tak_sah",),
    ]  # nothing is let through because it was exported  # fmt: skip

    rows[1][number] = "3171014112850004"
    with out.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows(rows[:2])
    corrected = duckdb.connect()
    assert read(corrected, "dtks", out).accepted == 1
    assert corrected.execute("SELECT nomor_induk_kependudukan, nama, pbi_nas FROM source_dtks").fetchall() == [
        ("3171014112850004", "=1+1", None)
    ]


FAULTY = ("317101411285000", CARD, "=Sri Rahayu", "02/12/1985", "7")  # a digit short, an unknown sex
GONE = "1101019999|ENTAH"


def faulty(folder: Path, *more: str) -> Path:
    """A good record, one with three separate faults in line 3, and `more` lines."""
    path = dtks(folder, (GOOD, CARD, "Sri Rahayu", "01/12/1985", "2"), FAULTY)
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[2] = lines[2].replace("1101012001|KEUDE BAKONGAN", GONE)
    path.write_text("\n".join([*lines, *more]) + "\n", encoding="utf-8")
    return path


def exported(con: duckdb.DuckDBPyConnection, out: Path, lang: str = "en") -> list[dict[str, str]]:
    export_quarantine(con, out, "dtks", lang=lang)
    return list(csv.DictReader(out.read_text(encoding="utf-8-sig").splitlines()))


def test_three_faults_are_told_at_once_and_mended_at_once(con, tmp_path: Path) -> None:
    file = read(con, "dtks", faulty(tmp_path))
    reason, detail, found, details, warned, checked = con.execute(
        "SELECT reason, detail, reasons, details, warnings, checked FROM quarantine"
    ).fetchall()[0]
    assert found == ["kode_tak_dikenal", "wilayah_tak_dikenal", "nik_tak_sah"]
    assert details == ["jenis_kelamin: 7", "11••••••99 ENTAH", "nomor_induk_kependudukan: 31•••••••••••00 (15)"]
    assert (reason, detail, warned, checked) == (found[0], details[0], [], True)
    assert (file.accepted, file.quarantined, file.reasons) == (1, 1, {"kode_tak_dikenal": 1})
    assert file.every_reason == dict.fromkeys(sorted(found), 1)
    assert con.execute("SELECT count(*) FROM source_dtks_held").fetchall() == [(0,)]

    out = tmp_path / "karantina.csv"
    row = exported(con, out)[0]
    assert row["alasan_karantina"] == ";".join(found)
    assert row["keterangan_karantina"] == (
        "(1) A value is not in the code list of its variable (JK: 7); (2) The region code is unknown "
        "(11••••••99 ENTAH); (3) The NIK is not 16 digits (NIK: 31•••••••••••00 (15))"
    )
    assert text("integrate.nik_tak_sah", "id") in exported(con, out, "id")[0]["keterangan_karantina"]
    assert row["NAMA"] == "'=Sri Rahayu"

    mends = {"JK": "2", "KODE_DESA": "1101012001", "DESA": "KEUDE BAKONGAN", "NIK": "3171014112850004"}
    parts = {"kode_tak_dikenal": ("JK",), "wilayah_tak_dikenal": ("KODE_DESA", "DESA"), "nik_tak_sah": ("NIK",)}
    for left in ("", *parts):
        mended = row | {name: value for name, value in mends.items() if name not in parts.get(left, ())}
        with out.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, list(row))
            writer.writeheader()
            writer.writerow(mended)
        again = duckdb.connect()
        file = read(again, "dtks", out)
        assert (file.accepted, file.quarantined) == ((0, 1) if left else (1, 0))
        assert reasons(again) == ({2: [left]} if left else {})
        if not left:
            taken = again.execute("SELECT nomor_induk_kependudukan, nama, jenis_kelamin FROM source_dtks").fetchall()
            assert taken == [("3171014112850004", "=Sri Rahayu", 2)]


def test_every_wrong_value_is_named_and_warnings_stand_apart(con, tmp_path: Path) -> None:
    path = dtks(tmp_path, ("3171014112850003", "12", "Sri", "31/02/1985", "9"), (GOOD, "12", "Budi", "01/12/1985", "9"))
    read(con, "dtks", path)
    rows = con.execute("SELECT reasons, details, warnings FROM quarantine ORDER BY line_from").fetchall()
    assert rows[0] == (["tanggal_tak_sah", "kode_tak_dikenal"], ["tanggal_lahir: 31/02/1985", "jenis_kelamin: 9"],
                       ["kk_tak_sah"])  # fmt: skip
    assert rows[1][2] == ["kk_tak_sah"]
    sentences = exported(con, tmp_path / "k.csv")[0]
    assert text("integrate.kk_tak_sah", "en") not in sentences["keterangan_karantina"]
    assert text("integrate.kk_tak_sah", "en") in sentences["peringatan_karantina"]
    assert findings(con, "warning") == {}, "findings are set against records that could be read whole"


def test_a_line_that_cannot_be_split_says_that_nothing_else_was_checked(con, tmp_path: Path) -> None:
    read(con, "dtks", faulty(tmp_path, "DT9|123|45", "DT9|" * 40))
    rows = con.execute("SELECT reasons, checked FROM quarantine ORDER BY line_from").fetchall()
    assert rows[1:] == [(["kolom_kurang"], False), (["kolom_berlebih"], False)]
    said = [row["keterangan_karantina"] for row in exported(con, tmp_path / "k.csv", "id")]
    assert [text("identity.unchecked", "id") in sentence for sentence in said] == [False, True, True]


def test_a_damaged_line_is_judged_by_what_can_be_read_of_it(con, tmp_path: Path) -> None:
    """The bytes that are no text stand in the name, in the number, and in the place."""
    person = (GOOD, CARD, "Sri é Rahayu", "01/12/1985", "2")
    path = dtks(tmp_path, person, ("12", CARD, "Bu@di", "01/12/1985", "9"), ("1@2", CARD, "Budi", "01/12/1985", "2"),
                ("12", CARD, "Budi", "01/12/1985", "2"))  # fmt: skip
    data = path.read_bytes().split(b"\n")
    data[4] = data[4].replace(b"KEUDE BAKONGAN", b"KEUDE @")
    path.write_bytes(b"\n".join(data).replace(b"@", b"\0"))
    file = read(con, "dtks", path)
    assert (file.accepted, file.quarantined) == (1, 3)
    assert reasons(con) == {
        3: ["karakter_rusak", "kode_tak_dikenal", "nik_tak_sah"], 4: ["karakter_rusak"],
        5: ["karakter_rusak", "nik_tak_sah"],
    }  # fmt: skip
    assert con.execute("SELECT detail FROM quarantine ORDER BY line_from").fetchall() == [
        ("nama: Bu\ufffddi",), ("nomor_induk_kependudukan: 1\ufffd2",), ("kelurahan_desa: KEUDE \ufffd",)
    ]  # fmt: skip
    assert con.execute("SELECT count(*) FROM source_dtks_held").fetchall() == [(0,)]


def test_a_damaged_record_holds_nobody_back_but_is_told_whose_number_it_bears(con, tmp_path: Path) -> None:
    good = (GOOD, CARD, "Sri Rahayu", "01/12/1985", "2")
    other = (GOOD, CARD, "Bambang Susilo", "17/08/1970", "9")
    for people in ((other, good), (good, other)):
        read(con, "dtks", dtks(tmp_path, *people))
        assert reasons(con) == {2 + people.index(other): ["kode_tak_dikenal", "nik_dipakai_orang_lain"]}
        assert con.execute("SELECT nama FROM source_dtks").fetchall() == [("Sri Rahayu",)]


def test_a_broken_record_is_exported_in_one_piece(con, tmp_path: Path) -> None:
    path = dtks(tmp_path, ("12", CARD, "Sri Rahayu", "01/12/1985", "2"))
    data = path.read_text(encoding="utf-8").replace("BAKONGAN|1101012001", "BAKO\nNGAN|1101012001")
    path.write_text(data, encoding="utf-8")
    read(con, "dtks", path)
    out = tmp_path / "karantina.csv"
    assert export_quarantine(con, out, "dtks") == 1
    row = next(iter(csv.DictReader(out.read_text(encoding="utf-8-sig").splitlines())))
    assert (row["KODE_DESA"], row["DESA"], row["NAMA"]) == ("1101012001", "KEUDE BAKONGAN", "Sri Rahayu")


def test_an_export_of_nothing_is_refused(con, tmp_path: Path) -> None:
    read(con, "dtks", dtks(tmp_path, (GOOD, CARD, "Sri Rahayu", "01/12/1985", "2")))
    for kind in ("dtks", "entah"):
        with pytest.raises(UserError):
            export_quarantine(con, tmp_path / "x.csv", kind)
    assert not (tmp_path / "x.csv").exists()


NEW = {
    "pln": ("IDPEL;NIK;NAMA PELANGGAN;ALAMAT;TARIF;DAYA", [
        "512345678901;;PT MAJU;Jl. Satu;B2;6600", f"512345678902;{GOOD};Sri Rahayu;Jl. Dua;R1;900",
        "512345678903;12;Budi;Jl. Tiga;R1;450", "512345678904;;Ani;Jl. Empat;R1;besar"]),
    "bpjs": ("NIK,NAMA,TGL LAHIR,JK,SEGMEN,STATUS", [
        f"{GOOD},Sri Rahayu,01-12-1985,P,PBI-JK,AKTIF", "12,Budi,01-12-1985,L,PBI-APBD,NONAKTIF",
        "3171011211900001,Adi,12-11-1990,L,PPU,AKTIF"]),
    "programme": ("NIK|NO KK|NAMA|PROGRAM|TAHAP|NILAI|STATUS", [
        f"{GOOD}||Sri|PKH|2025Q3|Rp 600.000|Berhasil", f"|{CARD}|Budi|SEMBAKO|2025Q3|200000|Berhasil",
        f"12|{CARD}|Adi|PKH|2025Q3|1,500,000.00|Gagal", "12||Ali|PKH|2025Q3|750000|Gagal",
        f"{GOOD}||Sri|PKH|2025Q3|enam ratus|Berhasil"]),
}  # fmt: skip


def test_new_kinds_are_read_in_their_form(con, tmp_path: Path) -> None:
    for kind, (header, lines) in NEW.items():
        path = tmp_path / f"{kind}.csv"
        path.write_text("\r\n".join([header, *lines, ""]), encoding="latin-1")
        file = read(con, kind, path)
        assert file.read == len(lines) + 1
    held = con.execute("SELECT source, line_from, reason FROM quarantine ORDER BY ALL").fetchall()
    assert held == [("bpjs", 3, "nik_tak_sah"), ("pln", 5, "angka_tak_sah"), ("programme", 5, "tanpa_nomor"),
                    ("programme", 6, "angka_tak_sah")]  # fmt: skip
    assert con.execute("SELECT daya_va FROM source_pln ORDER BY line_from").fetchall() == [(6600,), (900,), (450,)]
    assert con.execute("SELECT jenis_kelamin, segmen FROM source_bpjs ORDER BY line_from").fetchall() == [
        (2, "PBI-JK"), (1, "PPU")]  # fmt: skip
    amounts = con.execute("SELECT nilai_bantuan FROM source_programme ORDER BY line_from").fetchall()
    assert amounts == [(600000.0,), (200000.0,), (1500000.0,)]
    assert findings(con, "warning")["nik_kosong"] == 1
    assert layout("pln").column("daya_va").required
