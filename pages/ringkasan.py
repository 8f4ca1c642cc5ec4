"""Ringkasan: the state of the nation in the figures a minister asks first."""

from __future__ import annotations

from dtsen_core.ui import shell

page = shell.page("ringkasan")
page.finish()
