"""The guard every page passes first, so that access rules can be added in one place.

Streamlit runs ``pages/<x>.py`` by itself when the first request after a server start is a deep link:
no router, a wrong menu, no checks. The guard notices, keeps the wanted page with its parameters, and
hands over to the router, which sends the visitor back.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

_ROUTED = "_router_ran"
_PENDING = "_pending_page"


def enter_router() -> None:
    """Called by the router at the start of every run; the page that follows uses the mark up."""
    st.session_state[_ROUTED] = True


def require_router(name: str) -> None:
    """Stop a page that runs without the router and go through the router first."""
    if st.session_state.pop(_ROUTED, False):
        return
    st.session_state[_PENDING] = (name, st.query_params.to_dict())
    st.switch_page("app.py")


def restore_pending(pages: Mapping[str, StreamlitPage]) -> None:
    """Send the visitor on to the page kept by `require_router`, with its parameters."""
    pending = st.session_state.pop(_PENDING, None)
    if pending is None:
        return
    name, params = pending
    if name in pages:
        st.switch_page(pages[name], query_params=params)
