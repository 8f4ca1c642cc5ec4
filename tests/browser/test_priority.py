"""The priority page in Chromium: choose, save, reload by link, switch language, upload, and open what is downloaded."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest

from dtsen_core.policy import priority_plan
from dtsen_core.policy.scenarios import Store
from dtsen_core.regions import units
from tests.browser.driver import Visitor, serving

Visit = Callable[..., Visitor]


@pytest.fixture
def address(small_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server whose state folder is this test's own."""
    monkeypatch.setenv("DTSEN_STATE", str(tmp_path / "state"))
    with serving(small_dataset, tmp_path / "log.txt") as found:
        yield found


def asked(visitor: Visitor) -> dict[str, str]:
    found = urllib.parse.parse_qs(urllib.parse.urlsplit(visitor.page.url).query)
    return {name: values[0] for name, values in found.items()}


def test_a_scenario_is_saved_and_reloaded_and_the_downloads_open(visit: Visit, address: str, tmp_path: Path) -> None:
    tab = visit(address)
    tab.open("prioritas?ind=p0.80h~uncovered_share.20h&top=20&bagian=skenario")
    page = tab.page
    page.get_by_label("Nama skenario").first.fill("Uji peramban")
    page.get_by_role("button", name="Simpan pilihan sekarang").click()
    page.get_by_text("Skenario \"Uji peramban\" tersimpan.").wait_for(timeout=60_000)
    code = asked(tab)["skenario"]
    assert (tmp_path / "state" / "scenarios.sqlite").exists()

    again = visit(address)
    again.open(f"prioritas?skenario={code}&lang=en")
    assert "of the top 20 regencies" in again.text()
    assert again.broken() == 0
    assert again.overflow() <= 0
    assert asked(again)["ind"] == "p0.80h~uncovered_share.20h"

    for name, suffix in (("Download XLSX", "xlsx"), ("Download GeoPackage", "gpkg"), ("Download CSV", "csv")):
        with again.page.expect_download(timeout=60_000) as waiting:
            again.page.get_by_role("button", name=name).first.click()
        waiting.value.save_as(tmp_path / f"out.{suffix}")
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    rows = list(book.worksheets[0].iter_rows(min_row=4, values_only=True))
    assert len(rows) == 514
    assert "SIMULA" in " ".join(str(c.value) for row in book.worksheets[-1].iter_rows() for c in row).upper()
    layer = gpd.read_file(tmp_path / "out.gpkg", layer="prioritas")
    assert sorted(layer["code"]) == units.table("regency")["code"].tolist()
    assert layer.geometry.is_valid.all()
    assert layer.sort_values("rank")["code"].iloc[0] == str(rows[0][0])
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf#")


def test_an_own_indicator_is_uploaded_and_a_wrong_one_refused(visit: Visit, address: str, tmp_path: Path) -> None:
    codes = units.table("regency")["code"]
    good, wrong = tmp_path / "jalan.csv", tmp_path / "salah.csv"
    good.write_text("kode,nilai\n" + "\n".join(f"{c},{i}" for i, c in enumerate(codes)), encoding="utf-8")
    wrong.write_text("kode,nilai\n9999,1\n9998,2\n", encoding="utf-8")
    tab = visit(address)
    tab.open("prioritas")
    page = tab.page
    before = page.locator("h3").first.inner_text()
    page.get_by_role("button", name="Indikator sendiri").click()
    upload = page.locator('[data-testid="stPopoverBody"] input[type="file"]')
    upload.set_input_files(str(wrong))
    page.get_by_text("salah.csv").first.wait_for()
    tab.press("Tambahkan", "Tidak satu pun dari 2 baris dapat dipakai")
    assert page.locator("h3").first.inner_text() == before
    tab.settle()
    upload.set_input_files(str(good))
    page.get_by_text("jalan.csv").first.wait_for()
    tab.settle()
    page.get_by_label("Nama indikator").fill("Jalan rusak")
    page.get_by_label("Nama indikator").press("Tab")
    tab.press("Tambahkan", "Jalan rusak ·")
    tab.settle()
    assert tab.broken() == 0


def test_a_click_on_the_language_switch_keeps_the_plan(visit: Visit, address: str) -> None:
    tab = visit(address)
    tab.open("prioritas?ind=p0.80h~uncovered_share.20h&top=20")
    before = asked(tab)
    assert "20 teratas" in tab.text()
    tab.page.get_by_test_id("stSidebar").get_by_text("English", exact=True).click()
    tab.page.get_by_text("of the top 20 regencies").first.wait_for(timeout=60_000)
    tab.settle()
    assert tab.broken() == 0
    assert asked(tab)["ind"] == before["ind"]
    assert asked(tab)["lang"] == "en"


def test_two_saved_scenarios_stand_side_by_side(visit: Visit, address: str, tmp_path: Path) -> None:
    store, plan = Store(tmp_path / "state"), priority_plan.default_plan()
    for name, keys in (("Menurut persentase", ("p0",)), ("Menurut jumlah", ("poor_persons",))):
        items = tuple(priority_plan.default_item(plan.indicators()[key]) for key in keys)
        store.save(priority_plan.KIND, name, replace(plan, items=items, top=20).params(), "v1")
    tab = visit(address)
    tab.open("prioritas?bagian=skenario")
    for side, name in (("a", "Menurut persentase"), ("b", "Menurut jumlah")):
        tab.choose(f"prioritas-{side}", name)
    assert tab.broken() == 0
    words = tab.text()
    assert "Menurut persentase" in words
    with tab.page.expect_download(timeout=60_000) as waiting:
        tab.page.get_by_role("button", name="Unduh XLSX").last.click()
    waiting.value.save_as(tmp_path / "perbandingan.xlsx")
    sheet = pd.read_excel(tmp_path / "perbandingan.xlsx", header=None)
    assert len(sheet) >= 514


@pytest.mark.parametrize(("section", "least"), [("alokasi", 100), ("bertindak", 30)])
def test_allocation_and_missed_people_open_in_pandas(
    visit: Visit, address: str, tmp_path: Path, section: str, least: int
) -> None:
    tab = visit(address)
    tab.open(f"prioritas?bagian={section}")
    with tab.page.expect_download(timeout=60_000) as waiting:
        tab.page.get_by_role("button", name="Unduh XLSX").last.click()
    waiting.value.save_as(tmp_path / f"{section}.xlsx")
    sheet = pd.read_excel(tmp_path / f"{section}.xlsx", header=None, dtype=str)
    codes = sheet.iloc[:, 0].dropna()
    assert codes.str.fullmatch(r"\d{2}(\d{2})?").sum() >= least
    book = openpyxl.load_workbook(tmp_path / f"{section}.xlsx")
    assert "SIMULA" in " ".join(str(c.value) for row in book.worksheets[-1].iter_rows() for c in row).upper()
