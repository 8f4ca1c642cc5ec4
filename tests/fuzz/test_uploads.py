"""The same nasty files through the upload of the quality page: one sentence in both languages, nothing left behind."""

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from dtsen_core.build import update
from dtsen_core.errors import UserError
from dtsen_core.locale import LANGS, text
from dtsen_core.present import mutu_upload as words
from dtsen_core.present.literal import literal
from dtsen_core.registry.dataset import Dataset
from dtsen_core.ui import cache_mutu, mutu_upload

# The corpus is loaded by path: test folders are no packages.
_spec = importlib.util.spec_from_file_location("nasty_uploads", Path(__file__).parent / "nasty.py")
assert _spec is not None
assert _spec.loader is not None
NASTY = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(NASTY)

DAY = dt.date(2026, 3, 31)
ONE = [kind for kind in mutu_upload.KINDS if len(update.KINDS[kind]) == 1]
TWO = [kind for kind in mutu_upload.KINDS if len(update.KINDS[kind]) == 2]
LONG = 100 << 20


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real dataset that holds one record of the civil register."""
    folder = tmp_path_factory.mktemp("standing")
    file = folder / "penduduk.csv"
    file.write_bytes(NASTY.FILE.replace(b"0001,1", b"0099,1", 1))
    update.ingest("dukcapil", [file], folder / "data", as_of=DAY)
    return folder / "data"


@pytest.fixture
def root(standing: Path, tmp_path: Path) -> Path:
    return shutil.copytree(standing, tmp_path / "data")


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Temporary files of the test alone, so that what is left of them can be seen."""
    place = tmp_path / "scratch"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    st.cache_resource.clear()
    yield place
    st.cache_resource.clear()


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def refused(kind: str, root: Path, scratch: Path, *files: tuple[str, bytes]) -> list[str]:
    """The sentence of the trial and of the real thing, the same in both, in every language."""
    before = everything(root)
    paths = cache_mutu.keep_upload(list(files))
    said = []
    for dry_run in (True, False):
        with pytest.raises(UserError) as problem:
            mutu_upload.ingest(kind, paths, root, codes=None, as_of=DAY, dry_run=dry_run, progress=lambda event: None)
        said.append([literal(words.refusal(problem.value, paths, lang)) for lang in LANGS])
    assert said[0] == said[1]
    assert said[0][0] != said[0][1]
    for sentence in said[0]:
        assert sentence.isprintable()
        assert len(sentence) < 1_500
        assert str(scratch) not in sentence
        assert "Traceback" not in sentence
        assert not re.search(r"(?<!\\)[\[\]<>`$]", sentence), "nothing of a file is obeyed as markup"
    assert everything(root) == before
    assert [path.name for path in scratch.iterdir() if not path.name.startswith("dtsen-uploads-")] == []
    return said[0]


@pytest.mark.parametrize("name", sorted(NASTY.REFUSED))
def test_a_useless_upload_is_one_sentence(name: str, root: Path, scratch: Path, nothing_runs: None) -> None:
    for sentence in refused("dukcapil", root, scratch, ("berkas.csv", NASTY.REFUSED[name])):
        assert "berkas.csv" in sentence


@pytest.mark.parametrize("name", sorted(NASTY.READ))
def test_a_strange_upload_is_accounted_for(name: str, root: Path, nothing_runs: None) -> None:
    data, least = NASTY.READ[name]
    before = everything(root)
    paths = cache_mutu.keep_upload([("berkas.csv", data)])
    report = mutu_upload.ingest("dukcapil", paths, root, codes=None, as_of=DAY, dry_run=True,
                                progress=lambda event: None)  # fmt: skip
    file = report["files"][0]
    assert file["accepted"] >= least
    assert file["read"] == file["header"] + file["blank"] + file["accepted"] + file["quarantined"]
    assert sum(file["reasons"].values()) == file["quarantined"] <= sum(file["every_reason"].values())
    assert len(words.reason_table(report["files"], "id").frame) == len(file["every_reason"])
    assert bool(report.get("exports")) == bool(file["quarantined"])
    assert everything(root) == before


@pytest.mark.parametrize("kind", ONE)
def test_every_kind_refuses_the_same(kind: str, root: Path, scratch: Path) -> None:
    for name in ("empty", "only NUL", "zip bomb", "UTF-16 without mark", "rubbish", "line without end"):
        refused(kind, root, scratch, ("a.csv", NASTY.REFUSED[name]))


@pytest.mark.parametrize("kind", TWO)
def test_either_of_two_files_may_be_the_nasty_one(kind: str, root: Path, scratch: Path) -> None:
    for name in ("empty", "only NUL", "zip bomb", "rubbish"):
        bad = NASTY.REFUSED[name]
        refused(kind, root, scratch, ("a.csv", bad), ("b.csv", bad + b" "))
        refused(kind, root, scratch, ("a.csv", bad))
        refused(kind, root, scratch, *((f"{n}.csv", bad + b" " * n) for n in range(3)))


def test_a_line_of_a_hundred_megabytes_is_refused(root: Path, scratch: Path) -> None:
    """As the header, and after a good line; a gigabyte ends at the same mark (`test_nasty_files`)."""
    for data in (b"x" * LONG, NASTY.FILE + b"x" * LONG):
        assert "besar.csv" in refused("dukcapil", root, scratch, ("besar.csv", data))[0]


@pytest.mark.parametrize("name", [
    "", ".", "..", "../../etc/passwd", "a/b.csv", "C:\\x\\y.csv", "nul\0.csv", "baris\nbaru.csv", "<b>tebal</b>.csv",
    "![x](http://contoh.id/x.png).csv", "'; DROP TABLE x; --.csv", "💥.csv", "a" * 400 + ".csv", ".tersembunyi", "con",
])  # fmt: skip
def test_a_name_is_only_a_name(name: str, root: Path, scratch: Path) -> None:
    paths = cache_mutu.keep_upload([(name, NASTY.FILE), (name, b"")])
    base = next(path for path in scratch.iterdir() if path.name.startswith("dtsen-uploads-"))
    assert len(set(paths)) == 2
    for path in paths:
        assert Path(path).is_file()
        assert Path(path).resolve().is_relative_to(base.resolve())
    refused("dukcapil", root, scratch, (name, b""))


@pytest.mark.parametrize("header", [
    b"![gambar](http://contoh.id/x.png),[tautan](http://contoh.id)", b":red[merah],$x^2$,**tebal**",
    b"<img src=x onerror=alert(1)>,`kode`", b"=cmd|' /C calc'!A0,@SUM(1)",
])  # fmt: skip
def test_markup_in_a_header_is_text(header: bytes, root: Path, scratch: Path) -> None:
    refused("dukcapil", root, scratch, ("berkas.csv", header + b"\n1,2\n"))


def test_what_was_uploaded_is_ingested_once_and_the_trial_leaves_nothing(root: Path, scratch: Path) -> None:
    good = NASTY.HEADER + b"\n" + NASTY.GOOD.replace(b"0001,1", b"0002,1", 1) + b"\n"
    paths = cache_mutu.keep_upload([("baru.csv", good)])
    before = everything(root)
    for dry_run in (True, False):
        report = mutu_upload.ingest("dukcapil", paths, root, codes=None, as_of=DAY, dry_run=dry_run,
                                    progress=lambda event: None)  # fmt: skip
        assert report["files"][0]["accepted"] == 1
        assert (everything(root) == before) == dry_run
    names = Dataset.open(root).cursor().execute("SELECT path FROM ingest_file ORDER BY path").fetchall()
    assert names == [("baru.csv",), ("penduduk.csv",)]


@pytest.mark.parametrize("lang", LANGS)
def test_what_a_trial_sets_aside_comes_back_for_correction(lang: str, root: Path) -> None:
    """Three faults of one record in codes and sentences; mended they are taken, and no formula leaves unguarded."""
    wrong = NASTY.named(NASTY.FORMULA).replace(b"1101014102800001", b"12").replace(b"01-02-1980", b"31-02-1980")
    wrong = wrong.replace(b"ISTRI", b"ISTRI KEDUA")
    other = NASTY.GOOD.replace(b"0001,1", b"0002,1", 1)

    def tried(name: str, data: bytes, *, dry_run: bool = True) -> dict:
        paths = cache_mutu.keep_upload([(name, data)])
        return dict(mutu_upload.ingest("dukcapil", paths, root, codes=None, as_of=DAY, dry_run=dry_run,
                                       progress=lambda event: None, lang=lang))  # fmt: skip

    report = tried("penduduk baru.csv", b"\n".join([NASTY.HEADER, other, wrong, b""]))
    exported = [Path(path) for path in report["exports"]]
    assert [path.name for path in exported] == ["karantina_dukcapil.csv"]
    rows = list(csv.DictReader(exported[0].read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 1
    codes = ["tanggal_tak_sah", "kode_tak_dikenal", "nik_tak_sah"]
    assert rows[0]["alasan_karantina"].split(";") == codes
    for code in codes:
        assert text(f"integrate.{code}", lang) in rows[0]["keterangan_karantina"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in rows[0].values())
    mends = {"NIK": "1101014102800003", "TGL_LHR": "01-02-1980", "STAT_HBKEL": "ISTRI"}
    for left in ("TGL_LHR", ""):
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerow(rows[0] | {name: cell for name, cell in mends.items() if name != left})
        if left:
            with pytest.raises(UserError) as problem:
                tried("koreksi.csv", out.getvalue().encode())
            said = problem.value.message(lang)
            assert [text(f"integrate.{code}", lang) in said for code in codes] == [True, False, False]
        else:
            report = tried("koreksi.csv", out.getvalue().encode(), dry_run=False)
            assert (report["files"][0]["accepted"], report["files"][0]["quarantined"]) == (1, 0)
    names = Dataset.open(root).cursor().execute("SELECT nama FROM source_dukcapil ORDER BY nama").fetchall()
    assert names == [(NASTY.FORMULA.decode(),), ("Siti",)]
