"""Browser tests skip where no Chromium is found, unless DTSEN_REQUIRE_BROWSER is set: then they fail."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.driver import ARGUMENTS, LAPTOP, LOCAL, NAMES, Visitor, chromium, serving


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder; skip it with the reason where no browser is found and none is required."""
    missing = chromium() is None and not os.environ.get("DTSEN_REQUIRE_BROWSER")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)
            if missing:
                item.add_marker(pytest.mark.skip(reason=f"no Chromium found on the PATH ({', '.join(NAMES)})"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    found = chromium()
    assert found, f"DTSEN_REQUIRE_BROWSER is set, but none of {', '.join(NAMES)} is on the PATH"
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def server(small_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(small_dataset, tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


def complained(said: Any) -> bool:
    """An error on the console; a deep link makes Streamlit look for its own service below the page first."""
    return said.type == "error" and "/_stcore/" not in said.location.get("url", "")


@pytest.fixture
def visit(browser: Any, server: str) -> Iterator[Callable[..., Visitor]]:
    """Open a tab: visit() or visit(address=…, size=PHONE). Fails if anything left this machine."""
    visitors: list[Visitor] = []

    def enter(address: str = server, size: dict[str, int] = LAPTOP) -> Visitor:
        page = browser.new_page(viewport=size)
        visitor = Visitor(page, address)
        for event in ("request", "websocket"):
            page.on(event, lambda asked: LOCAL.match(asked.url) or visitor.outside.append(asked.url))
        page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        page.on("console", lambda said: complained(said) and visitor.complaints.append(said.text))
        visitors.append(visitor)
        return visitor

    yield enter
    for visitor in visitors:
        visitor.page.close()
        assert visitor.outside == []
