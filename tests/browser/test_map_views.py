"""The other ways of looking at the map in Chromium: compare, squares, time back and forth, layers, downloads."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import geopandas
import pandas as pd
import pytest
from PIL import Image

from dtsen_core.locale import text
from dtsen_core.regions import tiles, units
from tests.browser.driver import PHONE, Visitor
from tests.browser.test_map import BANDUNG, camera, click, hover, query

Visit = Callable[..., Visitor]
LAYER = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {"nama": "<img src=x onerror=alert(1)>"},
         "geometry": {"type": "Polygon", "coordinates": [[[107, -7], [108, -7], [108, -6], [107, -7]]]}},
        {"type": "Feature", "properties": {"nama": "Posko"}, "geometry": {"type": "Point", "coordinates": [107, -7]}},
    ],
}  # fmt: skip
MAP_LAYERS = "document.querySelector('.js-plotly-plot')?._fullLayout?.map?.layers?.length ?? 0"


def choose(visitor: Visitor, key: str) -> None:
    """Press the button of that name in the row of ways of looking."""
    visitor.page.get_by_role("radio", name=text(key, "id"), exact=True).click()
    visitor.settle()


def plots(visitor: Visitor, count: int) -> None:
    visitor.page.wait_for_function(
        f"() => document.querySelectorAll('[data-testid=\"stPlotlyChart\"] .js-plotly-plot').length === {count}",
        timeout=60_000,
    )


def titled(visitor: Visitor, page: str, lang: str) -> None:
    """Wait for the heading of the page."""
    wanted = repr(text(f"ui.page_{page}", lang))
    visitor.page.wait_for_function(f"document.querySelector('h1')?.innerText.trim() === {wanted}", timeout=60_000)


def test_compare_shows_two_maps_and_their_difference_and_goes_back(visit: Visit) -> None:
    visitor = visit()
    visitor.open("peta?area=32")
    before = visitor.page.url
    choose(visitor, "peta.mode_compare")
    plots(visitor, 3)
    assert query(visitor)["mode"] == "compare"
    assert text("peta_views.control_against", "id") in visitor.text()
    assert click(visitor, BANDUNG, 4) == "3204"
    choose(visitor, "peta.mode_map")
    plots(visitor, 1)
    visitor.open(before.rsplit("/", 1)[-1])
    assert "area=32" in visitor.page.url
    assert visitor.broken() == 0


def test_the_back_button_leads_to_the_page_before(visit: Visit) -> None:
    visitor = visit()
    visitor.open("peta?area=32&mode=pairs&lang=en")
    visitor.page.get_by_test_id("stSidebarNavLink").filter(has_text=text("ui.page_metode", "en")).click()
    titled(visitor, "metode", "en")
    visitor.settle()
    visitor.page.go_back()
    titled(visitor, "peta", "en")
    visitor.settle()
    asked = query(visitor)
    assert (asked["area"], asked["mode"], asked["lang"]) == ("32", "pairs", "en")
    assert visitor.broken() == 0


def test_a_square_can_be_hovered_and_clicked(visit: Visit) -> None:
    visitor = visit()
    visitor.open("peta?mode=tiles")
    place = tiles.table().set_index("code").loc["3204"]
    west, south, east, north = tiles.square(int(place["column"]), int(place["row"]))
    middle = ((west + east) / 2, (south + north) / 2)
    words = hover(visitor, middle)
    assert units.name("3204") in words
    assert click(visitor, middle, 4) == "3204"
    assert "mode=tiles" in visitor.page.url
    assert units.label("3204") in visitor.text()
    assert visitor.broken() == 0


def test_the_magnifier_draws_a_second_map(visit: Visit) -> None:
    visitor = visit()
    visitor.open("peta?inset=jabodetabek")
    camera(visitor)
    inset = "document.querySelector('.js-plotly-plot')?._fullLayout?.map2?._subplot?.map"
    zoom = visitor.page.wait_for_function(f"() => {inset}?.loaded() && {inset}.getZoom()", timeout=60_000).json_value()
    assert zoom > camera(visitor)["zoom"] + 2
    assert visitor.broken() == 0


def test_the_search_box_opens_an_area(visit: Visit) -> None:
    visitor = visit()
    visitor.open("peta")
    box = visitor.page.get_by_label(text("peta.control_search", "id"))
    box.fill("Kota Bogor")
    box.press("Enter")
    visitor.settle()
    visitor.page.get_by_role("button", name=units.label("3271")).first.click()
    visitor.page.wait_for_function("() => location.search.includes('area=3271')", timeout=60_000)
    visitor.settle()
    assert units.label("3271") in visitor.text()


def test_a_layer_is_uploaded_drawn_and_a_faulty_one_changes_nothing(visit: Visit, tmp_path: Path) -> None:
    good, bad = tmp_path / "lapisan.geojson", tmp_path / "rusak.geojson"
    good.write_text(json.dumps(LAYER), encoding="utf-8")
    bad.write_text("bukan peta", encoding="utf-8")
    visitor = visit()
    visitor.open("peta?area=32")
    plain = visitor.page.wait_for_function(f"() => {MAP_LAYERS}", timeout=60_000).json_value()
    visitor.page.get_by_role("button", name=text("peta.layers_button", "id")).click()
    uploads = visitor.page.locator('input[type="file"]')
    uploads.first.set_input_files(str(good))
    visitor.page.wait_for_function(f"() => {MAP_LAYERS} > {plain}", timeout=60_000)
    visitor.settle()
    assert "lapisan.geojson" in visitor.text()
    assert visitor.page.locator("img[src='x']").count() == 0
    drawn = visitor.page.evaluate(f"() => {MAP_LAYERS}")
    uploads.first.set_input_files(str(bad))
    visitor.page.wait_for_selector('[data-testid="stAlert"]', timeout=60_000)
    assert text("errors_layer.unreadable", "id", file="rusak.geojson") in visitor.text()
    assert visitor.page.evaluate(f"() => {MAP_LAYERS}") == drawn
    assert visitor.broken() == 0


def test_a_table_by_code_becomes_a_measure(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "indeks.csv"
    codes = units.table("regency")["code"]
    lines = [f"{code},{units.name(code)},{i % 97}" for i, code in enumerate(codes)]
    file.write_text("kode,nama,Indeks banjir\n" + "\n".join(lines), encoding="utf-8")
    visitor = visit()
    visitor.open("peta")
    visitor.page.get_by_role("button", name=text("peta.layers_button", "id")).click()
    visitor.page.locator('input[type="file"]').nth(1).set_input_files(str(file))
    found = "() => document.body.innerText.includes('Indeks banjir tertinggi di')"
    visitor.page.wait_for_function(found, timeout=60_000)
    visitor.settle()
    assert visitor.broken() == 0


@pytest.mark.parametrize("path", ["peta?area=32", "peta?mode=compare&with=pkh", "peta?mode=pairs&indicator=p0"])
def test_downloads_open_in_their_own_programs(visit: Visit, path: str) -> None:
    visitor = visit()
    visitor.open(path)
    opened: dict[str, bytes] = {}
    visitor.page.get_by_role("button", name=text("peta.download_button", "id")).click()
    for kind in ("png", "csv", "geojson", "gpkg"):
        with visitor.page.expect_download(timeout=60_000) as caught:
            visitor.page.get_by_role("button", name=text(f"peta.download_{kind}", "id")).click()
        assert caught.value.suggested_filename.endswith(f".{kind}")
        opened[kind] = Path(caught.value.path()).read_bytes()
    assert Image.open(io.BytesIO(opened["png"])).width == 1920
    table = pd.read_csv(io.BytesIO(opened["csv"]), dtype={"code": str})
    assert {"code", "source", "date", "version", "origin"} <= set(table)
    for kind in ("geojson", "gpkg"):
        shapes = geopandas.read_file(io.BytesIO(opened[kind]))
        assert sorted(shapes["code"]) == sorted(table["code"])
        assert shapes.geometry.is_valid.all()
        assert shapes.crs.to_epsg() == 4326


@pytest.mark.parametrize("mode", ["compare", "pairs", "tiles"])
def test_every_way_of_looking_fits_a_phone(visit: Visit, mode: str) -> None:
    visitor = visit(size=PHONE)
    visitor.open(f"peta?mode={mode}")
    assert visitor.overflow() <= 0
    assert visitor.broken() == 0
