"""The ranking computed in front of a visitor, on the real engine: findings, another scope, two rankings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dtsen_core.locale import text
from tests.browser.driver import PHONE, Visitor


def plots(visitor: Visitor) -> int:
    return int(visitor.page.locator('[data-testid="stPlotlyChart"] .main-svg').count())


def test_a_ranking_is_computed_and_compared(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    visitor.open("peringkat?scope=province&unit=persons")
    assert visitor.broken() == 0
    assert plots(visitor) > 0
    assert text("peringkat.metric_seconds", "id") in visitor.text()
    visitor.page.get_by_role("button", name=text("peringkat.control_compute", "id"), exact=True).click()
    visitor.settle()
    visitor.page.get_by_text(text("peringkat.view_moves", "id"), exact=True).click()
    visitor.settle()
    assert "show=moves" in visitor.page.url
    assert "scope=province" in visitor.page.url
    assert text("peringkat.second_title", "id") in visitor.text()
    assert plots(visitor) > 0
    assert visitor.broken() == 0


def test_a_slider_changes_map_and_figures_and_the_link_reopens_them(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    visitor.open("peringkat?show=impact&w=aset50")
    before = visitor.page.locator("h3").first.inner_text()
    thumb = visitor.page.get_by_role("slider").nth(1)
    thumb.focus()
    thumb.press("Home")
    visitor.page.wait_for_function("() => location.search.includes('w=aset0')", timeout=60_000)
    visitor.settle()
    after = visitor.page.locator("h3").first.inner_text()
    assert after != before
    assert visitor.page.locator(".maplibregl-canvas, .mapboxgl-canvas").count() > 0
    tiles = visitor.page.locator('[data-testid="stMetricValue"]').all_inner_texts()
    link = visitor.page.url
    other = visit()
    other.page.goto(link)
    other.settle()
    assert other.page.locator("h3").first.inner_text() == after
    assert other.page.locator('[data-testid="stMetricValue"]').all_inner_texts() == tiles
    assert other.broken() == 0


@pytest.mark.parametrize("path", ["peringkat?show=classes&benchmark=1", "metode?show=accuracy"])
def test_charts_stay_on_a_phone(visit: Callable[..., Visitor], path: str) -> None:
    visitor = visit(size=PHONE)
    visitor.open(path)
    assert visitor.broken() == 0
    assert plots(visitor) > 0
    assert visitor.overflow() <= 0
