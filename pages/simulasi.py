"""Simulasi kebijakan: change a programme's rule and see who is served, what it costs and what it changes."""

from __future__ import annotations

import streamlit as st

from dtsen_core.ui import cache_simulasi, controls, shell, simulasi_controls, simulasi_parts

page = shell.page("simulasi")

# 1. What to change, in up to four scenarios
chosen = simulasi_controls.draw(page)

# 2. Compute each of them, once
with st.spinner(page.t("computing")):
    found = {slot: cache_simulasi.simulated(page.key, one, chosen.own) for slot, one in chosen.reforms.items()}

# 3. What follows
simulasi_parts.headline(page, chosen, found)
simulasi_parts.draw(page, chosen, found, controls.view(page, simulasi_parts.VIEWS))

# 4. Keep, explain, take away
simulasi_parts.kept(page, chosen)
simulasi_parts.method_and_downloads(page, chosen, found)
page.finish()
