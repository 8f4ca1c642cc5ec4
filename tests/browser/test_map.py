"""The map in Chromium: clicks drill and move the camera, a click among districts keeps the zoom, links restore."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dtsen_core.locale import text
from tests.browser.driver import PHONE, Visitor, serving

Visit = Callable[..., Visitor]
# Plotly's map knows the pixel of a coordinate, and what the camera shows.
MAP = "document.querySelector('.js-plotly-plot')?._fullLayout?.map?._subplot"
PIXEL = f"""([lon, lat]) => {{
  const plot = {MAP};
  if (!plot?.map?.loaded()) return null;
  const at = plot.map.project([lon, lat]), box = plot.div.getBoundingClientRect();
  return [box.left + at.x, box.top + at.y];
}}"""
CAMERA = f"""() => {{
  const map = {MAP}?.map;
  if (!map?.loaded()) return null;
  const b = map.getBounds();
  return {{zoom: map.getZoom(), west: b.getWest(), east: b.getEast(), south: b.getSouth(), north: b.getNorth()}};
}}"""
BANDUNG = (107.6, -7.1)  # inside Kab. Bandung, Jawa Barat


def query(visitor: Visitor) -> dict[str, str]:
    asked = urllib.parse.parse_qs(urllib.parse.urlsplit(visitor.page.url).query)
    return {name: values[0] for name, values in asked.items()}


def pixel(visitor: Visitor, place: Sequence[float]) -> tuple[float, float]:
    loaded = f"() => ({PIXEL})({list(place)})"
    visitor.page.wait_for_function(loaded, timeout=90_000)
    visitor.page.wait_for_timeout(2500)  # the areas are drawn after the map has loaded
    x, y = visitor.page.wait_for_function(loaded, timeout=90_000).json_value()
    return x, y


def hover(visitor: Visitor, place: Sequence[float]) -> str:
    """The words of the hover at the place; the pointer stays there."""
    x, y = pixel(visitor, place)
    visitor.page.mouse.move(x - 3, y - 3)
    visitor.page.mouse.move(x, y, steps=4)
    visitor.page.wait_for_selector(".hoverlayer .hovertext", timeout=15_000)
    return str(visitor.page.locator(".hoverlayer").first.text_content())


def click(visitor: Visitor, place: Sequence[float], digits: int) -> str:
    """Click the place; the code that then stands in the address."""
    hover(visitor, place)
    visitor.page.mouse.down()
    visitor.page.mouse.up()
    wanted = f"() => new URLSearchParams(location.search).get('area')?.length === {digits}"
    visitor.page.wait_for_function(wanted, timeout=60_000)
    visitor.settle()
    return query(visitor)["area"]


def camera(visitor: Visitor, zoom_over: float = -1) -> dict[str, float]:
    """What the camera shows, once the map has loaded with at least this zoom (a new map replaces the old)."""
    seen = f"() => {{ const c = ({CAMERA})(); return c && c.zoom > {zoom_over} ? c : null; }}"
    return dict(visitor.page.wait_for_function(seen, timeout=90_000).json_value())


def test_clicks_drill_from_the_nation_to_a_district_with_the_camera_following(visit: Visit) -> None:
    visitor = visit()
    visitor.open("peta?level=province")
    nation = camera(visitor)
    assert nation["west"] < 95.5
    assert nation["east"] > 140.5
    assert click(visitor, BANDUNG, 2) == "32"
    province = camera(visitor, nation["zoom"] + 1)
    assert province["west"] < BANDUNG[0] < province["east"]
    assert click(visitor, BANDUNG, 4) == "3204"
    regency = camera(visitor, province["zoom"] + 0.5)

    visitor.page.evaluate(f"() => {MAP}.map.jumpTo({{center: {list(BANDUNG)}, zoom: {regency['zoom'] + 1}}})")
    district = click(visitor, BANDUNG, 6)
    assert district.startswith("3204")
    assert camera(visitor)["zoom"] == pytest.approx(regency["zoom"] + 1, abs=0.01)
    assert visitor.broken() == 0


def test_the_hover_shows_rate_and_count_together(visit: Visit) -> None:
    visitor = visit()
    visitor.open("peta?area=32&indicator=p0")
    words = hover(visitor, BANDUNG)
    assert "Kab. Bandung" in words
    assert "%" in words
    assert "jiwa" in words
    assert "Peringkat" in words


def test_a_deep_link_on_a_cold_server_restores_the_whole_view(
    visit: Visit,
    small_dataset: Path,
    tmp_path: Path,
) -> None:
    with serving(small_dataset, tmp_path / "log.txt") as address:
        visitor = visit(address)
        visitor.open("peta?area=32&level=district&indicator=pkh&lang=en")
        asked = query(visitor)
        assert (asked["area"], asked["level"], asked["indicator"], asked["lang"]) == ("32", "district", "pkh", "en")
        body = visitor.text()
        assert "PKH coverage" in body
        assert "By districts in Jawa Barat" in body
        seen = camera(visitor)
        assert 105 < seen["west"] < seen["east"] < 110


def test_the_language_switch_turns_map_words_too(visit: Visit) -> None:
    visitor = visit()
    visitor.open("peta?area=32&indicator=p0")
    assert "Batas indikatif" in visitor.text()
    visitor.page.get_by_test_id("stSidebar").get_by_text(text("ui.language_en", "id"), exact=True).click()
    visitor.page.wait_for_function("() => document.body.innerText.includes('Indicative boundaries')", timeout=60_000)
    visitor.settle()
    assert query(visitor)["area"] == "32"
    assert "Batas indikatif" not in visitor.text()
    assert "Poverty rate" in hover(visitor, BANDUNG)


def test_the_page_stacks_on_a_phone(visit: Visit) -> None:
    visitor = visit(size=PHONE)
    visitor.open("peta")
    seen = camera(visitor)
    assert seen["west"] < 95.5
    assert seen["east"] > 140.5
    assert visitor.overflow() <= 0
