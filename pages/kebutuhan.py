"""Kebutuhan & kuota: who is eligible, how many places there are, who waits, and what it costs."""

from __future__ import annotations

import streamlit as st

from dtsen_core.ui import cache_simulasi, controls, kebutuhan_parts, shell

page = shell.page("kebutuhan")

# 1. Which programme, where
choice = kebutuhan_parts.draw(page)

# 2. One call
with st.spinner(page.t("computing")):
    found = cache_simulasi.needed(
        page.key, choice.programme, choice.level, choice.parent, choice.split, choice.quotas
    )

# 3. What it says
kebutuhan_parts.headline(page, found)
view = controls.view(page, kebutuhan_parts.VIEWS)
if view == "areas":
    kebutuhan_parts.areas(page, found, choice)
elif view == "deciles":
    kebutuhan_parts.deciles(page, found)
else:
    kebutuhan_parts.calculator(page, found)

# 4. How, and to take away
kebutuhan_parts.method_and_downloads(page, found, choice)
page.finish()
