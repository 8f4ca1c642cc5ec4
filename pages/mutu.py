"""Mutu & integrasi data: what was read, how it was matched, where sources differ, what is missing and how old."""

from __future__ import annotations

from dtsen_core.ui import mutu_parts, shell

page = shell.page("mutu")
mutu_parts.show(page, mutu_parts.view(page))
page.finish()
