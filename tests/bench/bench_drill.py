"""How long a visitor waits from the click on a regency to the drawn map of its districts, in Chromium.

Run: ``python -m tests.bench.bench_drill [PLACES]``; uses the configured dataset. Goal: 1 second. Printed per place:
from the release of the mouse to the new figure (server and message), to the loaded map (its file and the drawing),
what the files of shapes took and weigh, and how long this browser needs to paint the map once more. Without a graphics
processor drawing in software is the larger part.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from dtsen_core.settings import settings
from tests.browser.driver import ARGUMENTS, LAPTOP, Visitor, chromium, serving

GOAL_S = 1.0
PLACES = {
    "3204": (107.6, -7.1), "3507": (112.6, -8.1), "1203": (99.3, 1.5), "7308": (120.0, -4.9), "3329": (108.9, -7.0),
}  # fmt: skip
MAP = "document.querySelector('.js-plotly-plot')"
PIXEL = f"""([lon, lat]) => {{
  const plot = {MAP}?._fullLayout?.map?._subplot;
  if (!plot?.map?.loaded()) return null;
  const at = plot.map.project([lon, lat]), box = plot.div.getBoundingClientRect();
  return [box.left + at.x, box.top + at.y];
}}"""
# Notes when the figure of districts stands and when its map has loaded, in milliseconds after the release of the mouse.
WATCH = f"""() => {{
  window.drill = {{}};
  addEventListener('mouseup', () => {{
    const start = performance.now();
    const look = () => {{
      const plot = {MAP}, data = plot?._fullData?.[0], map = plot?._fullLayout?.map?._subplot?.map;
      if (data?.locations?.[0]?.length === 6) {{
        drill.figure ??= performance.now() - start;
        if (map?.loaded() && map.areTilesLoaded()) {{ drill.drawn = performance.now() - start; return; }}
      }}
      requestAnimationFrame(look);
    }};
    look();
  }}, {{once: true, capture: true}});
}}"""
FILES = """() => performance.getEntriesByType('resource').filter(e => e.name.includes('boundaries'))
  .map(e => [e.name.split('/').pop(), Math.round(e.duration), e.decodedBodySize])"""
EMPTY = f"""() => new Promise(done => {{
  const map = {MAP}._fullLayout.map._subplot.map, start = performance.now();
  map.once('idle', () => done(performance.now() - start));
  map.triggerRepaint();
}})"""


def drill(visitor: Visitor, code: str, place: tuple[float, float]) -> dict[str, Any]:
    """One click on the regency `code` in the map of its province."""
    page = visitor.page
    visitor.open(f"peta?area={code[:2]}&level=regency")
    page.wait_for_function(f"() => ({PIXEL})({list(place)})", timeout=90_000)
    page.wait_for_timeout(2500)
    x, y = page.evaluate(PIXEL, list(place))
    page.mouse.move(x - 3, y - 3)
    page.mouse.move(x, y, steps=4)
    page.wait_for_selector(".hoverlayer .hovertext", timeout=15_000)
    repaint = page.evaluate(EMPTY)
    page.evaluate(WATCH)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function("() => window.drill.drawn", timeout=90_000)
    return {**page.evaluate("() => window.drill"), "repaint": repaint, "files": page.evaluate(FILES)}


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else len(PLACES)
    drawn = []
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(settings().dataset, Path(folder) / "log.txt") as address,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        page = browser.new_page(viewport=LAPTOP)
        for again in ("first", "again"):
            for code, place in list(PLACES.items())[:count]:
                found = drill(Visitor(page, address), code, place)
                drawn.append((again, found["drawn"]))
                print(f"{code} {again:<6} figure {found['figure']:5.0f} ms  drawn {found['drawn']:5.0f} ms  "
                      f"repaint alone {found['repaint']:4.0f} ms  files {found['files']}")  # fmt: skip
        browser.close()
    for again in ("first", "again"):
        print(f"{again}: median {statistics.median(ms for when, ms in drawn if when == again):.0f} ms (goal 1000)")
    return int(statistics.median(ms for when, ms in drawn if when == "again") > GOAL_S * 1000)


if __name__ == "__main__":
    sys.exit(main())
