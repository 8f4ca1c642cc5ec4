"""Whatever file is given: read with an exact account, or refused in one sentence; never a crash, a half-made dataset
or anything executed."""

from __future__ import annotations

import importlib.util
import os
import random
import re
import tempfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.cli.main import answer
from dtsen_core.collect import physical
from dtsen_core.collect.layouts import kinds, layout
from dtsen_core.collect.quarantine import export_quarantine
from dtsen_core.collect.readers import read_source, settle
from dtsen_core.errors import UserError
from dtsen_core.locale import LANGS

# The corpus is loaded by path: test folders are no packages.
_spec = importlib.util.spec_from_file_location("nasty_files", Path(__file__).parent / "nasty.py")
assert _spec is not None
assert _spec.loader is not None
NASTY = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(NASTY)
KINDS = ["dtks", "p3ke", "regsosek_anggota", "pln", "bpjs", "programme"]
CON = duckdb.connect()  # one for all examples: opening a database costs more than reading a small file


def read(path: Path, kind: str = "dukcapil"):
    con = CON.cursor()
    for table in ("quarantine", "joined_record", "ingest_file", "rule_finding"):
        con.execute(f"DROP TABLE IF EXISTS {table}")
    file = settle(con, kind, read_source(con, kind, [path]))[0]
    return file, con.execute("SELECT line_from, lines, reasons, raw FROM quarantine").fetchall()


def physical_lines(data: bytes) -> int:
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    return data.count(b"\n") + (not data.endswith(b"\n") and data != b"")


def accounted(file, quarantine, data: bytes) -> None:
    assert file.read == physical_lines(data)
    assert file.read == file.header + file.blank + file.accepted + file.quarantined
    assert sum(len(lines) for _, lines, _, _ in quarantine) == file.quarantined
    for first, lines, reasons, raw in quarantine:
        assert lines[0] == first
        assert reasons
        assert raw is not None
        assert len(raw) <= 4_000


def refused(capsys: pytest.CaptureFixture[str], out: Path, *words: object) -> str:
    """The one sentence with which `ingest` refuses; nothing may be left behind."""
    out.parent.mkdir(parents=True, exist_ok=True)
    before = sorted(path.name for path in out.parent.iterdir())
    assert answer(["ingest", *map(str, words), "--out", str(out)]) == 2
    err = capsys.readouterr().err
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if line.strip() and not re.match(r" *[0-9]+% ", line)]  # no bar
    assert len(lines) == 1, lines
    assert len(lines[0]) < 1_500
    assert lines[0].isprintable()
    assert not out.exists()
    left = [path.name for path in out.parent.iterdir() if path.name not in before and path.is_dir()]
    assert left == []
    return lines[0]


@pytest.mark.parametrize("name", sorted(NASTY.REFUSED))
def test_a_useless_file_is_refused_in_one_sentence(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], nothing_runs: None
) -> None:
    path = tmp_path / "berkas.csv"
    path.write_bytes(NASTY.REFUSED[name])
    sentence = refused(capsys, tmp_path / "out" / "data", "dukcapil", path)
    assert "berkas.csv" in sentence


@pytest.mark.parametrize("name", sorted(NASTY.READ))
def test_a_strange_file_is_accounted_for_to_the_line(name: str, tmp_path: Path, nothing_runs: None) -> None:
    data, at_least = NASTY.READ[name]
    path = tmp_path / "berkas.csv"
    path.write_bytes(data)
    file, quarantine = read(path)
    accounted(file, quarantine, data)
    assert file.accepted >= at_least


@pytest.mark.parametrize("kind", [kind for kind in kinds() if kind not in ("dtsen_keluarga", "regsosek_keluarga")])
def test_every_kind_refuses_the_same_rubbish(kind: str, tmp_path: Path) -> None:
    for name in ("empty", "rubbish", "zip bomb", "UTF-16 without mark", "another table", "ten megabytes of delimiters"):
        path = tmp_path / "berkas.csv"
        path.write_bytes(NASTY.REFUSED[name])
        with pytest.raises(UserError):
            physical.open_source(path, layout(kind))


def test_things_that_are_no_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out" / "data"
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    for thing in (tmp_path, loop, pipe, tmp_path / "nobody.csv", Path(os.devnull)):
        refused(capsys, out, "dukcapil", thing)
        with pytest.raises(UserError):
            physical.open_source(thing, layout("dukcapil"))


def test_a_closed_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tertutup.csv"
    path.write_bytes(NASTY.FILE)
    really = Path.open

    def closed(self: Path, *words: object, **options: object):
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))
        return really(self, *words, **options)

    monkeypatch.setattr(Path, "open", closed)
    assert "tertutup.csv" in refused(capsys, tmp_path / "out" / "data", "dukcapil", path)


def test_a_name_that_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (b"\xff\xfe.csv", b"a\nb.csv", b"{path}.csv", b"'; DROP TABLE x.csv"):
        path = tmp_path / os.fsdecode(name)
        path.write_bytes(b"")
        refused(capsys, tmp_path / "out" / "data", "dukcapil", path)
        path.write_bytes(NASTY.FILE)
        assert answer(["ingest", "dukcapil", str(path), "--out", str(tmp_path / "ok" / name.hex())]) in (0, 2)
        assert "Traceback" not in capsys.readouterr().err


@pytest.mark.slow
def test_a_line_of_a_gigabyte_is_refused_without_being_held(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once as the header, once after good lines; the process must not grow by the size of the line."""
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for start in (b"", NASTY.FILE):
        path = tmp_path / "besar.csv"
        with path.open("wb") as handle:
            handle.write(start)
            for _ in range(64):
                handle.write(b"x" * (16 << 20))
        assert path.stat().st_size >= 1 << 30
        sentence = refused(capsys, tmp_path / "out" / "data", "dukcapil", path)
        assert "besar.csv" in sentence
        path.unlink()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 700, f"{grown:.0f} MB"


def test_a_gigabyte_of_holes_is_refused_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lubang.csv"
    with path.open("wb") as handle:
        handle.truncate(1 << 30)
    refused(capsys, tmp_path / "out" / "data", "dukcapil", path)


def test_formulas_and_markup_stay_text_and_leave_guarded(tmp_path: Path, nothing_runs: None) -> None:
    names = [NASTY.FORMULA, b"@SUM(1+1)", b"-2+3", b"+1", NASTY.HTML]
    bad = [NASTY.GOOD.replace(b"1101014102800001", b"12").replace(b"Siti", name) for name in names]
    path = tmp_path / "d.csv"
    path.write_bytes(b"\n".join([NASTY.HEADER, NASTY.GOOD, *bad]) + b"\n")
    con = duckdb.connect()
    settle(con, "dukcapil", read_source(con, "dukcapil", [path]))
    out = tmp_path / "karantina.csv"
    assert export_quarantine(con, out, "dukcapil") == len(names)
    text = out.read_text(encoding="utf-8-sig")
    for name in names[:4]:
        assert f",'{name.decode()}," in text
        assert f",{name.decode()}," not in text
    assert NASTY.HTML.decode() in text


BASE = NASTY.FILE + NASTY.GOOD.replace(b"0001,", b"0005,", 1) + b"\n"
TOKENS = st.sampled_from([
    b"", b"\0", b'"', b'""', b",", b",,,,", b"|", b";", b"\t", b"\n", b"\r", b"\r\n", b"\x1a", b"\xef\xbb\xbf", b"\xff",
    b"\xc3", "é".encode(), b"=cmd|'!A0", b"'", b"NIK", b"NO_KK,", b"PK\x03\x04", b"-1", b"9" * 40, b" " * 30,
    NASTY.GOOD, NASTY.HEADER, NASTY.HEADER + b"\n",
])  # fmt: skip
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), TOKENS), min_size=1, max_size=6)


@settings(max_examples=60)
@given(edits=EDITS)
def test_a_mutilated_file_is_read_or_refused(edits: list[tuple[float, int, bytes]]) -> None:
    data = BASE
    for where, gone, token in edits:
        at = int(where * len(data))
        data = data[:at] + token + data[at + gone :]
    check(data)


@settings(max_examples=40)
@given(data=st.one_of(st.binary(max_size=600), st.text(max_size=300).map(str.encode)))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    check(data)


@settings(max_examples=24)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(KINDS))
def test_rubbish_under_the_right_header(seed: int, kind: str) -> None:
    """Every cell of every kind with values from other worlds."""
    draw = random.Random(seed)
    wanted = layout(kind)
    cells = ["", "-1", "0", "abc", "=1+1", "1e999", "31-02-2020", "99/99/9999", "nan", "٣", "💥", "1101", "NULL", "'",
             "9" * 30, "3.17101E+15", "3171014112850003", "01-02-1980", "<b>", "\u200b", "1101012001"]  # fmt: skip
    rows = [wanted.delimiters[0].join(column.file for column in wanted.columns)]
    rows += [wanted.delimiters[0].join(draw.choice(cells) for _ in wanted.columns) for _ in range(12)]
    check("\n".join(rows).encode(), kind)


def check(data: bytes, kind: str = "dukcapil") -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "berkas.csv"
        path.write_bytes(data)
        try:
            file, quarantine = read(path, kind)
        except UserError as refusal:
            refusals = [refusal.message(lang) for lang in LANGS]
        else:
            refusals = []
            accounted(file, quarantine, data)
    assert all(len(sentence) < 1_500 for sentence in refusals)


