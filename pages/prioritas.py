"""Wilayah prioritas: which areas come first, how sure that is, and what a budget buys there."""

from __future__ import annotations

from dtsen_core.ui import prioritas_view, shell

page = shell.page("prioritas")
prioritas_view.show(page)
page.finish()
