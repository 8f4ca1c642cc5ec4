"""Opening a page of the app as a visitor with an address does, without a browser."""

from __future__ import annotations

from typing import Any

from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from dtsen_core.paths import ROOT
from dtsen_core.ui.pages_list import page_entry

FIRST = "ringkasan"
TIMEOUT_S = 120


def open_page(name: str = FIRST, **query: str) -> AppTest:
    """Page `name` of the app after its first run, with `query` in the address.

    The router runs first, as on a server; the parameters are set again because changing the page clears them.
    """
    app = _visit(AppTest.from_file(str(ROOT / "app.py"), default_timeout=TIMEOUT_S), query)
    return app if name == FIRST else _visit(app.switch_page(page_entry(name).file), query)


def through_router(manager: type[PagesManager]) -> None:
    """Let AppTest run every page through the router, as a server does once its first session has run.

    AppTest starts each run like a fresh server, which runs ``pages/<x>.py`` alone because of the folder's name.
    """
    begin = manager.__init__

    def routed(self: PagesManager, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        manager.uses_pages_directory = False

    manager.__init__ = routed  # type: ignore[method-assign]


def _visit(app: AppTest, query: dict[str, str]) -> AppTest:
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()
