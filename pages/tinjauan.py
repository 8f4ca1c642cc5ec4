"""Antrean tinjauan: doubtful pairs side by side, decided by a person, used by the next run."""

from __future__ import annotations

import streamlit as st

from dtsen_core.ui import shell, tinjauan_parts

page = shell.page("tinjauan")
st.caption(page.t("intro"))
tinjauan_parts.queue(page)
page.finish()
