"""Antrean tinjauan: what waits for a person, doubtful pairs and far moves, decided here and kept."""

from __future__ import annotations

from dtsen_core.ui import shell, tinjauan_moves, tinjauan_parts

page = shell.page("tinjauan")
QUEUES = {"pairs": tinjauan_parts.queue, "moves": tinjauan_moves.queue}
QUEUES[tinjauan_parts.kind(page)](page)
page.finish()
