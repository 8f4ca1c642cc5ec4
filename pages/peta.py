"""Peta kesejahteraan: map, ranked table and profile of provinces, regencies and districts."""

from __future__ import annotations

from dtsen_core.ui import peta_state, peta_view, shell

page = shell.page("peta")
peta_state.seed(page.lang, known=peta_view.known(page))
peta_view.explorer(page)
page.finish()
