"""Ringkasan: the state of the nation in the figures a minister asks first."""

from __future__ import annotations

import streamlit as st

from dtsen_core.ui import cache_ringkasan, ringkasan_parts, shell

page = shell.page("ringkasan")
with st.spinner(page.t("ui.loading")):
    sealed = cache_ringkasan.sealed(page.key)

if page.presenting:
    ringkasan_parts.presenter(page, sealed)
else:
    ringkasan_parts.actions(page)
    ringkasan_parts.figures(page, sealed)
    left, right = st.columns([5, 6], gap="large")
    with left:
        ringkasan_parts.provinces(page, sealed)
    with right:
        ringkasan_parts.programmes(page, sealed)
        ringkasan_parts.freshness(page, sealed)
    ringkasan_parts.province_table(page, sealed)
    if reason := sealed.reason(page.lang):
        st.caption(page.t("hidden_shares", reason=reason))
    page.finish()
