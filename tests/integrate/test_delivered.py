"""The delivered layout in both code systems, out and in again; and deliveries that are not in order."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dtsen_core.collect.simulate.delivered import write_delivered
from dtsen_core.errors import UserError
from dtsen_core.integrate.delivered import ingest_delivered
from dtsen_core.locale import LANGS, has, text

NOT_DELIVERED = ("id_keluarga", "urban", "is_dtks", "is_regsosek", "is_p3ke", "attribute_source",
                 "tanggal_pemutakhiran", "tanggal_ground_check")  # fmt: skip


def deliver(people, folder: Path, codes: str, region: str | None = None) -> tuple[Path, Path]:
    written = write_delivered(people, folder, codes, region, keluarga="sim_keluarga", anggota="sim_anggota")
    return written["keluarga"], written["anggota"]


@pytest.mark.parametrize("codes", ["bps", "kemendagri"])
@pytest.mark.parametrize("region", ["3171", "1101"])
def test_round_trip(people, con, tmp_path: Path, codes: str, region: str) -> None:
    report = ingest_delivered(*deliver(people, tmp_path, codes, region), con)
    families, members = report["files"]
    assert families["code_system"] == codes
    assert (families["quarantined"], members["quarantined"]) == (0, 0)
    got = con.execute(f"SELECT * EXCLUDE ({', '.join(NOT_DELIVERED)}) FROM keluarga ORDER BY nomor_kartu_keluarga")
    made = people.execute(f"""SELECT * EXCLUDE ({', '.join(NOT_DELIVERED)}) FROM sim_keluarga
        WHERE kode_kabupaten_kota = '{region}' ORDER BY nomor_kartu_keluarga""")
    rows = got.fetchall()
    assert len(rows) > 20
    assert rows == made.fetchall()
    same = con.execute("SELECT * EXCLUDE (id_keluarga, id_anggota) FROM anggota ORDER BY nomor_induk_kependudukan")
    made = people.execute(f"""SELECT a.* EXCLUDE (id_keluarga, id_anggota) FROM sim_anggota a
        JOIN sim_keluarga k USING (id_keluarga) WHERE k.kode_kabupaten_kota = '{region}'
        ORDER BY a.nomor_induk_kependudukan""")
    assert same.fetchall() == made.fetchall()


def test_a_contradicted_code_system_is_refused(people, con, tmp_path: Path) -> None:
    files = deliver(people, tmp_path, "bps", "3171")
    with pytest.raises(UserError) as caught:
        ingest_delivered(*files, con, codes="kemendagri")
    assert "JAKARTA" in caught.value.message("id").upper()


def test_swapped_files_are_refused(people, con, tmp_path: Path) -> None:
    families, members = deliver(people, tmp_path, "bps", "1101")
    with pytest.raises(UserError) as caught:
        ingest_delivered(members, families, con)
    assert caught.value.key == "errors_ingest.wrong_kind"


def test_disorder_is_set_aside_with_reasons(people, con, tmp_path: Path) -> None:
    families, members = deliver(people, tmp_path, "bps", "1101")
    listed = families.read_text(encoding="latin-1").splitlines()
    persons = members.read_text(encoding="latin-1").splitlines()
    listed += [listed[1], listed[2].replace("|1101", "|1101", 1)[:60], ""]
    families.write_text("\n".join(listed), encoding="latin-1")
    nik, card, *rest = persons[1].split("|")
    persons += [
        persons[2],  # the same person twice
        "|".join([nik, card, "ORANG LAIN", *rest[1:]]),  # another person under the same NIK
        "|".join(["1101010101809999", "1101019999999999", *rest]),  # a member of no family
        "|".join([nik[:15], card, *rest]),
    ]
    members.write_text("\n".join(persons), encoding="latin-1")
    before = people.execute("SELECT count(*) FROM sim_keluarga WHERE kode_kabupaten_kota = '1101'").fetchall()[0][0]
    first, second = ingest_delivered(families, members, con)["files"]
    assert first["reasons"] == {"kk_ganda": 1, "kolom_kurang": 1}
    assert first["blank"] == 0  # the empty last line has no line end: it is no line
    assert second["reasons"] == {
        "nik_dipakai_orang_lain": 2, "nik_ganda": 1, "nik_tak_sah": 1, "tanpa_keluarga": 1,
    }  # fmt: skip
    assert all(has(f"integrate.{reason}") for reason in {**first["reasons"], **second["reasons"]})
    for file in (first, second):
        assert file["read"] == file["header"] + file["blank"] + file["accepted"] + file["quarantined"]
    assert con.execute("SELECT count(*) FROM keluarga").fetchall()[0][0] == before
    assert con.execute("SELECT count(*) FROM anggota").fetchall()[0][0] == second["accepted"]


def test_a_line_with_faults_is_told_what_would_stop_it_next(people, con, tmp_path: Path) -> None:
    """Checks against other lines run over lines with other faults, too, and let nobody take anybody's place."""
    families, members = deliver(people, tmp_path, "kemendagri", "1101")
    listed = families.read_text(encoding="latin-1").splitlines()
    persons = members.read_text(encoding="latin-1").splitlines()
    names, columns = listed[0].split("|"), persons[0].split("|")

    def changed(line: str, header: list[str], **cells: str) -> str:
        return "|".join(cells.get(name, cell) for name, cell in zip(header, line.split("|")))

    twice = changed(listed[1], names, jenis_lantai_terluas="99")
    families.write_text("\n".join([listed[0], twice, *listed[1:], twice, ""]), encoding="latin-1")
    wrong = {"status_kawin": "99", "nomor_kartu_keluarga": "1101019999999999"}
    nik = persons[1].split("|")[columns.index("nomor_induk_kependudukan")]
    another = changed(persons[1], columns, nama="ORANG LAIN", **wrong)
    same = changed(persons[1], columns, **wrong)
    before = changed(persons[1], columns, status_kawin="99")
    members.write_text("\n".join([persons[0], before, *persons[1:], another, same, ""]), encoding="latin-1")
    first, second = ingest_delivered(families, members, con)["files"]
    found = con.execute("SELECT source, line_from, reasons, details FROM quarantine ORDER BY ALL").fetchall()
    last = len(persons)
    assert [(source, line, reasons) for source, line, reasons, _ in found] == [
        ("dtsen_anggota", 2, ["kode_tak_dikenal"]),
        ("dtsen_anggota", last + 2, ["kode_tak_dikenal", "tanpa_keluarga", "nik_dipakai_orang_lain"]),
        ("dtsen_anggota", last + 3, ["kode_tak_dikenal", "tanpa_keluarga", "nik_ganda"]),
        ("dtsen_keluarga", 2, ["kode_tak_dikenal"]),
        ("dtsen_keluarga", len(listed) + 2, ["kode_tak_dikenal", "kk_ganda"]),
    ]  # fmt: skip
    assert found[1][3] == ["status_kawin: 99", "nomor_kartu_keluarga: 11••••••••••••99",
                           f"nomor_induk_kependudukan: {nik[:2]}••••••••••••{nik[-2:]}"]  # fmt: skip
    assert (first["accepted"], second["accepted"]) == (len(listed) - 1, len(persons) - 1)
    assert second["every_reason"] == {
        "kode_tak_dikenal": 3, "tanpa_keluarga": 2, "nik_dipakai_orang_lain": 1, "nik_ganda": 1,
    }  # fmt: skip


def test_broken_lines_of_a_delivery_are_joined(people, con, tmp_path: Path) -> None:
    families, members = deliver(people, tmp_path, "kemendagri", "3171")
    lines = members.read_text(encoding="latin-1").splitlines()
    lines[3] = lines[3][:100] + "\n" + lines[3][100:]
    lines[5] = lines[5][:-4] + "\r\n" + lines[5][-4:]
    members.write_bytes("\n".join(lines).encode("latin-1"))
    report = ingest_delivered(families, members, con)
    assert report["files"][1]["quarantined"] == 0
    assert report["files"][1]["accepted"] == report["files"][1]["read"] - 1
    assert con.execute("SELECT lines FROM joined_record ORDER BY line_from").fetchall() == [([4, 5],), ([7, 8],)]


def test_a_missing_optional_column_is_told(people, con, tmp_path: Path) -> None:
    families, members = deliver(people, tmp_path, "bps", "1101")
    rows = [line.split("|") for line in families.read_text(encoding="latin-1").splitlines()]
    at = rows[0].index("aset_bergerak_ac")
    families.write_text("\n".join("|".join(r[:at] + r[at + 1 :]) for r in rows) + "\n", encoding="latin-1")
    report = ingest_delivered(families, members, con)
    assert "aset_bergerak_ac" in report["files"][0]["missing_columns"]
    assert con.execute("SELECT count(aset_bergerak_ac) FROM keluarga").fetchall() == [(0,)]


def test_an_unusable_file_is_refused(people, con, tmp_path: Path) -> None:
    families, members = deliver(people, tmp_path, "bps", "1101")
    lines = members.read_text(encoding="latin-1").splitlines()
    members.write_text("\n".join([lines[0], *(line.replace("|", ",") for line in lines[1:])]), encoding="latin-1")
    with pytest.raises(UserError) as caught:
        ingest_delivered(families, members, con)
    assert caught.value.key == "errors_ingest.nothing_accepted"
    for lang in LANGS:
        assert text("integrate.kolom_kurang", lang) in caught.value.message(lang)
    assert isinstance(con, duckdb.DuckDBPyConnection)
