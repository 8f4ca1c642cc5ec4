"""Efektivitas program: who is reached, who benefits, what it changes, and how sure that is."""

from __future__ import annotations

from dtsen_core.ui import efektivitas_parts, shell

page = shell.page("efektivitas")
efektivitas_parts.show(page)
page.finish()
