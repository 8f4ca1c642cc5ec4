"""Keandalan peringkat: how right rankings are, who is a coin flip, where visits help, what results hang on."""

from __future__ import annotations

from dtsen_core.ui import keandalan_parts, keandalan_places, shell

page = shell.page("keandalan")

PARTS = {
    "tournament": keandalan_parts.tournament,
    "trust": keandalan_parts.trust,
    "calibration": keandalan_parts.calibration,
    "uncertainty": keandalan_places.uncertainty,
    "planner": keandalan_places.planner,
    "robust": keandalan_places.robust,
}
PARTS[keandalan_parts.view(page)](page)
page.finish()
