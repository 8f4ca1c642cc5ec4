"""Penjelasan satu keluarga: why one family of a simulated dataset stands where it stands."""

from __future__ import annotations

import streamlit as st

from dtsen_core.ui import cache_keluarga, keluarga_parts, shell

page = shell.page("keluarga")
if not page.dataset.simulated:
    st.info(page.t("only_simulated"), icon=":material/lock:")
    page.finish()
    st.stop()

chosen = keluarga_parts.choose(page)
if chosen is not None:
    with st.spinner(page.t("computing")):
        found = cache_keluarga.explanation(*page.key, *chosen)
    keluarga_parts.explained(page, found)
page.finish()
