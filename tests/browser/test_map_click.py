"""Clicking the map: the area under the pointer is chosen, drilled into, and named in the address."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable

from dtsen_core.regions import units
from tests.browser.driver import Visitor

# Where the chosen place lies in the browser's window: Plotly's map knows the pixel of a coordinate.
PIXEL = """([lon, lat]) => {
  const plot = document.querySelector('.js-plotly-plot');
  const map = plot && plot._fullLayout && plot._fullLayout.map && plot._fullLayout.map._subplot;
  if (!map || !map.map || !map.map.loaded()) return null;
  const at = map.map.project([lon, lat]), box = map.div.getBoundingClientRect();
  return [box.left + at.x, box.top + at.y];
}"""
BANDUNG = (107.6, -7.1)  # inside Kab. Bandung, Jawa Barat


def area(visitor: Visitor) -> str:
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(visitor.page.url).query)
    return query.get("area", [""])[0]


def test_a_click_chooses_the_area_under_the_pointer(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    visitor.open("peta?area=32&level=regency")
    page = visitor.page
    page.wait_for_function(f"({PIXEL})({list(BANDUNG)}) !== null", timeout=60_000)
    page.wait_for_timeout(1500)  # the tiles of a GeoJSON are drawn after the map has loaded
    x, y = page.evaluate(PIXEL, list(BANDUNG))
    page.mouse.move(x - 3, y - 3)
    page.mouse.move(x, y, steps=4)
    page.wait_for_timeout(400)
    page.mouse.click(x, y)
    page.wait_for_function("() => new URLSearchParams(location.search).get('area')?.length === 4", timeout=30_000)
    visitor.settle()
    chosen = area(visitor)
    assert chosen.startswith("32")
    assert units.name(chosen) in visitor.text()
    assert visitor.broken() == 0
