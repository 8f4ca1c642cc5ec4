"""Data quality and the review queue in Chromium: every question, links, files, decisions, and a regency's update."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from dtsen_core.build import update
from dtsen_core.collect.simulate import delivered
from dtsen_core.integrate import review
from dtsen_core.locale import LANGS, text
from dtsen_core.registry import versions
from dtsen_core.registry.dataset import Dataset
from dtsen_core.ui.mutu_parts import VIEWS
from tests.browser.driver import Visitor, serving

Visit = Callable[..., Visitor]
HEADINGS = "() => [...document.querySelectorAll('h2, h3')].map(h => h.innerText).join('|')"


@pytest.fixture(scope="module")
def address(small_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server over a copy of the dataset, whose review log is this file's own; its address and the folder."""
    base = tmp_path_factory.mktemp("quality")
    shutil.copytree(small_dataset, base / "data", copy_function=os.link)
    with serving(base / "data", base / "log.txt") as found:
        yield found, base / "data"


def asked(tab: Visitor) -> dict[str, str]:
    found = urllib.parse.parse_qs(urllib.parse.urlsplit(tab.page.url).query)
    return {name: values[0] for name, values in found.items()}


def headings(tab: Visitor) -> str:
    return str(tab.page.evaluate(HEADINGS))


def change(tab: Visitor, act: Callable[[], object]) -> str:
    """Do what changes the headings, wait until they have changed; the new ones."""
    before = headings(tab)
    act()
    tab.page.wait_for_function(f"(before) => ({HEADINGS})() !== before", arg=before, timeout=60_000)
    tab.settle()
    return headings(tab)


def option(tab: Visitor, key: str, lang: str) -> Callable[[], None]:
    return lambda: tab.page.get_by_role("radio", name=text(key, lang), exact=True).click()


def sound(tab: Visitor) -> None:
    assert tab.broken() == 0
    assert tab.page.get_by_test_id("stAlertContentError").count() == 0
    assert tab.overflow() <= 0
    assert tab.complaints == []


def taken(tab: Visitor, key: str, place: Path) -> pd.DataFrame:
    """The file behind the download button of that key, as pandas reads it; its notes say what it is."""
    with tab.page.expect_download(timeout=60_000) as waiting:
        tab.page.locator(f".st-key-{key} button").first.click()
    waiting.value.save_as(place)
    notes = [line for line in place.read_text(encoding="utf-8-sig").splitlines() if line.startswith("# ")]
    assert "SIMUL" in notes[0].upper()
    assert any("2026" in note for note in notes)
    return pd.read_csv(place, comment="#", encoding="utf-8-sig", dtype=str)


@pytest.mark.parametrize("lang", LANGS)
def test_every_question_by_a_press_and_one_by_its_link(visit: Visit, address: tuple[str, Path], lang: str) -> None:
    tab = visit(address[0])
    tab.open(f"mutu?lang={lang}")
    assert tab.title() == text("ui.page_mutu", lang)
    for view in VIEWS[1 + LANGS.index(lang) :: 2]:  # one half in each language
        change(tab, option(tab, f"mutu.show_{view}", lang))
        assert asked(tab)["show"] == view
        sound(tab)
    if asked(tab)["show"] == "upload":
        assert text("mutu.upload_simulated", lang) in tab.text()
    tab.open(f"mutu?lang={lang}&show=matching&measure=review&source=regsosek&level=province")
    sound(tab)
    assert asked(tab)["source"] == "regsosek"
    assert "Regsosek" in tab.text()
    assert tab.page.locator('[data-testid="stPlotlyChart"] .main-svg').count() > 0


def test_controls_narrow_the_areas_and_the_files_open_in_pandas(
    visit: Visit, address: tuple[str, Path], tmp_path: Path
) -> None:
    tab = visit(address[0])
    tab.open("mutu")
    areas = taken(tab, "mutu-csv-reading-held-regency", tmp_path / "wilayah.csv")
    assert len(areas) == 514
    change(tab, lambda: tab.choose("mutu-reading-source", "P3KE"))
    assert asked(tab)["source"] == "p3ke"
    change(tab, option(tab, "mutu.level_province", "id"))
    tab.settle()
    assert len(taken(tab, "mutu-csv-reading-held-province", tmp_path / "provinsi.csv")) == 38
    kept = taken(tab, "mutu-csv-karantina", tmp_path / "karantina.csv")
    held = Dataset.open(address[1]).cursor().execute("SELECT count(DISTINCT reason) FROM quarantine").fetchall()[0][0]
    assert len(kept) >= held > 3
    assert not [column for column in kept.columns if "_" in column]
    again = visit(address[0])
    again.page.goto(tab.page.url)
    again.settle()
    assert headings(again) == headings(tab)
    sound(again)
    sound(tab)


def test_a_pair_is_decided_and_found_again_after_a_reload(visit: Visit, address: tuple[str, Path]) -> None:
    root = address[1]
    tab = visit(address[0])
    tab.open("tinjauan")
    assert tab.title() == text("ui.page_tinjauan", "id")
    waiting = review.queue(Dataset.open(root))
    made = dict(zip(waiting, review.DECISIONS))
    for number, decision in enumerate(review.DECISIONS, start=1):
        word = text(f"tinjauan.decision_{decision}", "id")
        change(tab, lambda name=decision: tab.page.locator(f".st-key-tinjauan-decide-{name} button").click())  # type: ignore[misc]
        assert text("tinjauan.told", "id", decision=word) in tab.text()
        assert len(review.latest(root)) == number
    assert review.latest(root) == made
    again = visit(address[0])
    for pair, decision in made.items():
        again.open(f"tinjauan?state={decision}&lang=en")
        assert again.title() == text("ui.page_tinjauan", "en")
        assert headings(again).startswith("1 ")
        word = text(f"tinjauan.decision_{decision}", "en")
        assert text("tinjauan.decided_before", "en", decision=word) in again.text()
        assert review.pair(Dataset.open(root), pair).fields
    sound(again)
    sound(tab)


# -- a regency's update, on real data ------------------------------------------------------------------------


@pytest.fixture
def real(small_dataset: Path, tmp_path: Path) -> tuple[Path, list[str]]:
    """A real dataset of one regency, and the two files of another one in the order of a file dialogue."""
    people = Dataset.open(small_dataset).cursor()
    first, second = (delivered.write_delivered(people, tmp_path / code, "bps", code) for code in ("1101", "3273"))
    root = tmp_path / "real"
    update.ingest("dtsen", [first["keluarga"], first["anggota"]], root, as_of=dt.date(2026, 3, 31))
    return root, sorted(map(str, second.values()))


def test_a_regency_uploads_its_update_and_a_bad_file_is_one_sentence(
    visit: Visit, real: tuple[Path, list[str]], tmp_path: Path
) -> None:
    root, files = real
    before = Dataset.open(root)
    bad = tmp_path / "laporan.csv"
    bad.write_text("judul;isi\nlaporan;bukan data keluarga\n", encoding="utf-8")
    with serving(root, tmp_path / "log.txt") as found:
        tab = visit(found)
        tab.open("mutu?show=upload")
        given = tab.page.locator('input[type="file"]')
        shown = tab.page.get_by_test_id("stFileChipName")

        given.set_input_files([str(bad), files[0]])
        shown.nth(1).wait_for(timeout=60_000)
        tab.press(text("mutu.upload_try", "id"), "laporan.csv”")
        said = tab.page.get_by_test_id("stAlertContentError")
        assert said.count() == 1
        assert "/" not in said.inner_text()
        assert tab.page.get_by_role("button", name=text("mutu.upload_apply", "id")).count() == 0
        assert manifest_of(root) == before.version

        tab.open("mutu?show=upload")
        given.set_input_files(files)
        shown.nth(1).wait_for(timeout=60_000)
        tab.press(text("mutu.upload_try", "id"), "baris dapat diterima")
        assert manifest_of(root) == before.version
        assert "akan dikarantina" in headings(tab)
        tab.press(text("mutu.upload_apply", "id"), "sudah dilayani")
        tab.settle()
        served = Dataset.open(root)
        assert served.version != before.version
        assert served.version in tab.text()
        assert served.manifest.families > before.manifest.families
        assert [version.name for version in versions.versions(root)] == [served.version, before.version]
        sound(tab)


def manifest_of(root: Path) -> str:
    return versions.versions(root)[0].name
