"""Files as really delivered: encodings, delimiters, quotes, header variants; and what is refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from dtsen_core.collect.layouts import kinds, layout
from dtsen_core.collect.readers import read_source, settle
from dtsen_core.collect.values import UnknownValue, Values, masked, parser
from dtsen_core.errors import UserError

NAMES = [column.file for column in layout("dukcapil").columns]
VALUES = ["1101014102800001", "1101010000000001", "José Ñ", "01-02-1980", "LAKI-LAKI", "KEPALA KELUARGA", "KAWIN",
          "SLTA", "PETANI", "JL. SATU", "001", "002", "", "1101012001", "03-02-2020"]  # fmt: skip


def write(path: Path, rows: list[list[str]], delimiter: str, encoding: str, end: str = "\n") -> Path:
    path.write_bytes(end.join(delimiter.join(row) for row in rows).encode(encoding) + end.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", "|", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_same_record_from_every_form(con, tmp_path: Path, delimiter: str, encoding: str, end: str) -> None:
    path = write(tmp_path / "d.txt", [NAMES, VALUES, [], VALUES], delimiter, encoding, end)
    file = settle(con, "dukcapil", read_source(con, "dukcapil", [path]))[0]
    rows = con.execute("SELECT nama, tanggal_lahir, jenis_kelamin, rt_ktp, dusun_ktp FROM source_dukcapil").fetchall()
    assert rows == [("José Ñ", dt.date(1980, 2, 1), 1, "001", None)] * 2
    assert (file.read, file.header, file.blank, file.accepted) == (4, 1, 1, 2)


def test_header_variants_and_trailing_delimiters(con, tmp_path: Path) -> None:
    names = [n.lower().replace("_", " ") for n in NAMES]
    names[0], names[1] = '"No. NIK"', "NoKK"
    path = write(tmp_path / "d.txt", [names[::-1], [*VALUES[::-1], ""]], "|", "utf-8")
    settle(con, "dukcapil", read_source(con, "dukcapil", [path]))
    assert con.execute("SELECT nama, nomor_kartu_keluarga FROM source_dukcapil").fetchall() == [
        ("José Ñ", "1101010000000001")
    ]


def test_a_stray_quote_takes_only_its_own_line(con, tmp_path: Path) -> None:
    odd = [*VALUES[:2], 'O"BRIEN', *VALUES[3:]]
    opened = [*VALUES[:2], '"BUDI', *VALUES[3:]]
    quoted = [f'"{v}"' for v in VALUES]
    quoted[9] = '"JL. ""SATU"", RT 2"'
    path = write(tmp_path / "d.csv", [NAMES, odd, opened, quoted, VALUES], ",", "utf-8")
    file = settle(con, "dukcapil", read_source(con, "dukcapil", [path]))[0]
    found = con.execute("SELECT nama, alamat_ktp FROM source_dukcapil ORDER BY line_from").fetchall()
    assert found == [('O"BRIEN', "JL. SATU"), ('"BUDI', "JL. SATU"), ("José Ñ", 'JL. "SATU", RT 2'),
                     ("José Ñ", "JL. SATU")]  # fmt: skip
    assert file.quarantined == 0


def test_a_damaged_line_in_a_utf8_file_is_set_aside(con, tmp_path: Path) -> None:
    good = ",".join(VALUES).encode()
    lines = [",".join(NAMES).encode(), *[good] * 30, good.replace("é".encode(), b"\xe9")]
    path = tmp_path / "d.csv"
    path.write_bytes(b"\n".join(lines))
    file = settle(con, "dukcapil", read_source(con, "dukcapil", [path]))[0]
    assert (file.encoding, file.accepted, file.reasons) == ("utf-8", 30, {"karakter_rusak": 1})


@pytest.mark.parametrize(("text", "value"), [
    ("3", 3), ("03", 3), (" 3.0 ", 3), ("Parket/vinil/karpet", 3), ("3. Parket/Vinil/Karpet", 3),
    ("KERAMIK / GRANIT / MARMER / UBIN / TEGEL / TERASO", 10), ("-1", None), ("", None), ("NULL", None),
])  # fmt: skip
def test_fine_and_merged_codes(text: str, value: int | None) -> None:
    floor = next(c for c in layout("dtsen_keluarga").columns if c.name == "jenis_lantai_terluas")
    assert parser(floor, {})(text) == value


@pytest.mark.parametrize("text", ["10", "77", "3. Tanah", "lantai", "-2", "1101014102800001"])
def test_unknown_codes_are_never_guessed(text: str) -> None:
    floor = next(c for c in layout("dtsen_keluarga").columns if c.name == "jenis_lantai_terluas")
    with pytest.raises(UnknownValue):
        parser(floor, {})(text)


def test_bounds_and_masks() -> None:
    values = Values(layout("dtsen_keluarga"))
    assert values.plausible("desil_nasional", "10")
    assert not values.plausible("desil_nasional", "11")
    assert values.plausible("tanggal_pemutakhiran", "28-02-2025")
    assert not values.plausible("tanggal_pemutakhiran", "30-02-2025")
    assert masked("NIK 1101014102800001!") == "NIK 11••••••••••••01!"
    assert len(masked("x" * 90)) == 40


def refusal(con: duckdb.DuckDBPyConnection, kind: str, path: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        read_source(con, kind, [path])
    for lang in ("id", "en"):
        assert str(path) in caught.value.message(lang)
    return caught.value


@pytest.mark.parametrize(("content", "key"), [
    (b"", "empty_file"), (b" \n\n", "empty_file"), (b"PK\x03\x04abc", "not_text"), (b"\xd0\xcf\x11\xe0", "not_text"),
    ("NIK,NO_KK".encode("utf-16"), "not_text"), (b"\x1f\x8b\x08", "not_text"), (b"ab\0c,d\n", "not_text"),
    (b"apa,saja\n1,2\n", "missing_column"), (b"{}", "missing_column"),
])  # fmt: skip
def test_files_that_are_no_register(con, tmp_path: Path, content: bytes, key: str) -> None:
    path = tmp_path / "berkas.csv"
    path.write_bytes(content)
    assert refusal(con, "dukcapil", path).key == f"errors_ingest.{key}"


def test_missing_file_folder_near_miss_and_wrong_kind(con, tmp_path: Path) -> None:
    assert refusal(con, "dukcapil", tmp_path / "tidak_ada.csv").key == "errors_ingest.missing_file"
    assert refusal(con, "dukcapil", tmp_path).key == "errors_ingest.is_folder"
    names = ["TGL_LHIR" if n == "TGL_LHR" else n for n in NAMES]
    path = write(tmp_path / "a.csv", [names], ",", "utf-8")
    error = refusal(con, "dukcapil", path)
    assert error.key == "errors_ingest.near_column"
    assert "tgl_lhir" in error.message("id")
    assert "tgl_lhr" in error.message("id")
    members = write(tmp_path / "b.txt", [[c.name for c in layout("dtsen_anggota").columns]], "|", "utf-8")
    assert refusal(con, "dtsen_keluarga", members).key == "errors_ingest.wrong_kind"
    twice = write(tmp_path / "c.csv", [[*NAMES, NAMES[0]]], ",", "utf-8")
    assert refusal(con, "dukcapil", twice).key == "errors_ingest.column_twice"


def test_every_layout_is_found_by_its_own_header() -> None:
    assert {"dtks", "p3ke", "dukcapil", "regsosek_keluarga", "regsosek_anggota", "dtsen_keluarga"} <= set(kinds())
    for kind in kinds():
        wanted = layout(kind)
        assert any(column.required for column in wanted.columns)
        assert wanted.source
