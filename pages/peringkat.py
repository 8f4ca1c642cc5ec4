"""Peringkat: a welfare ranking computed on demand, and what it says."""

from __future__ import annotations

import streamlit as st

from dtsen_core.ui import (
    cache_peringkat,
    fitting,
    lab_parts,
    movement_parts,
    peringkat_controls,
    peringkat_parts,
    shell,
)

page = shell.page("peringkat")

# 1. What to rank
choice = peringkat_controls.draw(page)
if choice.request is None:
    peringkat_parts.upload_wanted(page)
    page.finish()
    st.stop()

# 2. Fit the model where that has not been done yet
fitting.ensure(page, choice.request.model)
if cost := fitting.told(page, choice.request.model):
    st.markdown(cost)

# 3. What a changed ranking does, or who moved between versions: shown before the longer computation
place = choice.place(page.lang, page.t("whole_country"))
view = peringkat_controls.view(page)
moved = areas = None
if view == "impact":
    areas = lab_parts.impact(page, choice.request, place)
elif view == "movement":
    movement_parts.movement(page, choice.request)

# 4. Rank: at once, and once more when the visitor asks for it
if choice.again:
    cache_peringkat.forget(page.key, choice.request)
with st.spinner(page.t("computing")):
    found = cache_peringkat.ranking(page.key, choice.request)
peringkat_parts.numbers_row(page, found, tiles=view not in ("impact", "movement"))
if view == "deciles":
    peringkat_parts.deciles(page, found, place)
elif view == "classes":
    peringkat_parts.classes(page, found, place)
elif view == "moves":
    moved = peringkat_parts.moves(page, found, peringkat_parts.second_request(page, found))
elif view == "thresholds":
    peringkat_parts.thresholds(page, found)

# 5. How, and to take away
peringkat_parts.method_and_downloads(page, found, place, view, moved, areas)
lab_parts.passport(page, found.request)
page.finish()
