"""Every physical line is counted once, whatever the file looks like."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.collect.layouts import layout
from dtsen_core.collect.readers import read_source, settle
from dtsen_core.errors import InternalError

HEADER = ",".join(column.file for column in layout("dukcapil").columns)
CON = duckdb.connect()  # one for all examples: opening a database costs more than reading a small file
GOOD = "1101014102800001,1101010000000001,Siti,01-02-1980,P,ISTRI,KAWIN,SLTA,PETANI,JL. SATU,1,2,,1101012001,03-02-2020"


def physical_lines(data: bytes) -> int:
    """The oracle: line ends, plus a last line without one (CR ends a line only where no LF occurs)."""
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    return data.count(b"\n") + (not data.endswith(b"\n") and data != b"")


def read(data: bytes, size: int = 16 << 20, kind: str = "dukcapil"):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "berkas.csv"
        path.write_bytes(data)
        con = CON.cursor()
        for table in ("quarantine", "joined_record", "ingest_file", "rule_finding"):
            con.execute(f"DROP TABLE IF EXISTS {table}")
        files = settle(con, kind, read_source(con, kind, [path], block_bytes=size))
        quarantine = con.execute("SELECT line_from, lines, reason, detail FROM quarantine ORDER BY 1").fetchall()
        rows = con.execute(f"SELECT line_from, nama, alamat_ktp FROM source_{kind} ORDER BY 1").fetchall()
        joined = dict(con.execute("SELECT line_from, lines FROM joined_record").fetchall())
    return files[0], rows, quarantine, joined


def test_progress_is_told_in_the_thread_of_the_caller(tmp_path: Path) -> None:
    """The next block is read in another thread, from which a page cannot be written."""
    path = tmp_path / "berkas.csv"
    path.write_text("\n".join([HEADER, *[GOOD] * 200]), encoding="utf-8")
    heard: list[tuple[float, int]] = []
    con = CON.cursor()
    read_source(con, "dukcapil", [path], block_bytes=4096, temporary=True,
                progress=lambda share: heard.append((share, threading.get_ident())))  # fmt: skip
    assert {ident for _, ident in heard} == {threading.get_ident()}
    shares = [share for share, _ in heard]
    assert len(shares) > 3
    assert shares == sorted(shares)
    assert shares[-1] > 0.99


PIECES = st.sampled_from(
    [GOOD, GOOD[:40], GOOD[40:], "", "   ", '"', '""', ",", ",,,", "\0", "\x1a", GOOD.replace("Siti", '"Si,ti"'),
     GOOD.replace("Siti", 'Si"ti'), GOOD.replace("Siti", '"Siti'), GOOD + ",lebih", HEADER, "(3 baris)", "\r", "é", "°"]
)  # fmt: skip
LINES = st.lists(
    st.tuples(st.one_of(PIECES, st.text(max_size=30)), st.sampled_from(["\n", "\r\n", ""])), max_size=25
)


@settings(max_examples=60)
@given(lines=LINES, encoding=st.sampled_from(["utf-8", "latin-1"]), bom=st.booleans(), blanks=st.integers(0, 2),
       size=st.sampled_from([64, 300, 1 << 20]))  # fmt: skip
def test_no_line_is_lost_or_counted_twice(lines, encoding, bom, blanks, size) -> None:
    body = "".join(text + end for text, end in lines)
    data = (b"\xef\xbb\xbf" if bom else b"") + b"\n" * blanks + HEADER.encode() + b"\n"
    data += body.encode(encoding, "replace")
    file, rows, quarantine, joined = read(data, size)
    assert file.read == physical_lines(data)
    assert file.read == file.header + file.blank + file.accepted + file.quarantined
    held = [line for _, numbers, _, _ in quarantine for line in numbers]
    taken = [line for start, _, _ in rows for line in joined.get(start, [start])]
    assert len(held) == file.quarantined
    assert len(taken) == file.accepted
    every = held + taken
    assert len(set(every)) == len(every)
    assert all(1 <= line <= file.read for line in every)


@settings(max_examples=20)
@given(data=st.binary(max_size=400))
def test_arbitrary_bytes_after_the_header_are_accounted_for(data: bytes) -> None:
    whole = HEADER.encode() + b"\n" + data
    file, *_ = read(whole)
    assert file.read == physical_lines(whole)


@settings(max_examples=12)
@given(size=st.integers(40, 900), breaks=st.lists(st.integers(0, 29), unique=True, max_size=8))
def test_the_size_of_a_block_changes_nothing(size: int, breaks: list[int]) -> None:
    lines = []
    for number in range(30):
        line = GOOD.replace("800001", f"80{number + 1:04d}")
        lines.append(line[:45] + "\n" + line[45:] if number in breaks else line)
    data = "\n".join([HEADER, *lines]).encode()
    assert read(data, size)[1:] == read(data)[1:]
    file, rows, _, joined = read(data, size)
    assert len(rows) == 30
    assert file.quarantined == 0
    assert len(joined) == len(breaks)


def test_only_a_header() -> None:
    file, rows, *_ = read(HEADER.encode())
    assert (file.read, file.header, file.accepted, rows) == (1, 1, 0, [])


def test_a_joined_record_lists_all_its_lines_and_the_next_record_survives() -> None:
    broken = GOOD.replace("JL. SATU", '"JL.\n\nSATU"').replace("01-02-1980", "01-02-\n1980")
    file, rows, _, joined = read("\n".join([HEADER, GOOD, broken, GOOD]).encode())
    assert [row[0] for row in rows] == [2, 3, 7]
    assert joined == {3: [3, 4, 5, 6]}
    assert rows[1][2] == "JL. SATU"
    assert file.blank == 0


def test_a_tail_of_the_last_field_goes_back_to_its_record() -> None:
    _, rows, quarantine, joined = read("\n".join([HEADER, GOOD[:-4], "2001", GOOD]).encode())
    assert [row[0] for row in rows] == [2, 4]
    assert joined == {2: [2, 3]}
    assert quarantine == []


def test_two_cut_records_are_not_taken_for_one() -> None:
    first, second = ",".join(GOOD.split(",")[:7]), ",".join(GOOD.split(",")[:8])
    _, rows, quarantine, _ = read("\n".join([HEADER, first, second, GOOD]).encode())
    assert [row[0] for row in rows] == [4]
    assert [(numbers, reason) for _, numbers, reason, _ in quarantine] == [
        ([2], "kolom_kurang"), ([3], "kolom_kurang"),
    ]  # fmt: skip


def test_quarantine_names_the_variable_and_hides_numbers_of_people() -> None:
    bad = GOOD.replace("ISTRI", "ISTRI KEDUA"), GOOD.replace("1101014102800001", "110101410280000X")
    _, rows, quarantine, _ = read("\n".join([HEADER, *bad]).encode())
    assert rows == []
    assert [reason for _, _, reason, _ in quarantine] == ["kode_tak_dikenal", "nik_tak_sah"]
    assert "status_hubungan_keluarga: ISTRI KEDUA" in quarantine[0][3]
    assert "1101014102800" not in quarantine[1][3]


@pytest.mark.parametrize("tampered", [
    "UPDATE quarantine SET reasons = []", "UPDATE quarantine SET reason = 'nik_kosong'",
    "UPDATE quarantine SET details = ['']", "INSERT INTO quarantine SELECT * REPLACE ([] AS lines) FROM quarantine",
    "DELETE FROM quarantine", "UPDATE quarantine SET line_from = 2",
])  # fmt: skip
def test_a_quarantine_that_does_not_hold_is_noticed(tampered: str, tmp_path: Path) -> None:
    """Every quarantined record once, with its reasons, and not accepted as well: asserted with the account itself."""
    path = tmp_path / "berkas.csv"
    path.write_text("\n".join([HEADER, GOOD, GOOD.replace("ISTRI", "?").replace("1101014102800001", "12"), ""]))
    con = duckdb.connect()
    files = read_source(con, "dukcapil", [path])
    con.execute(tampered)
    with pytest.raises(InternalError):
        settle(con, "dukcapil", files)
