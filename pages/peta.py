"""Peta kesejahteraan: map, ranked table and profile of provinces, regencies and districts."""

from __future__ import annotations

from dtsen_core.ui import cache_versions, peta_state, peta_view, shell

page = shell.page("peta")
peta_state.seed(page.lang, known=peta_view.known(page), versions=[v.name for v in cache_versions.held(page)])
peta_view.explorer(page)
page.finish()
