"""Controls that keep the address, the screen and the session in step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from dtsen_core.ui import url_state

if TYPE_CHECKING:
    from dtsen_core.ui.shell import Page


def seed(key: str, name: str, options: Sequence[Any], default: Any) -> None:
    """Give the widget `key` its value before it is drawn.

    A value in the address that came from outside wins; else the widget keeps what it holds; else the
    default. A kept value that is no longer among `options` falls back to the default.
    """
    if url_state.external(name) or key not in st.session_state:
        st.session_state[key] = url_state.read(name, options, default)
    if st.session_state[key] not in options:
        st.session_state[key] = default


def choice(
    name: str,
    label: str,
    options: Sequence[Any],
    default: Any,
    format_func: Callable[[Any], str],
    *,
    page: str,
    segmented: bool = False,
    help: str | None = None,
) -> Any:
    """One choice among `options` (stable codes), kept in the address as `name`; returns the code."""
    key = f"{page}.{name}"
    seed(key, name, options, default)
    if segmented:
        value = st.segmented_control(
            label, options, format_func=format_func, key=key, required=True, help=help
        )
    else:
        value = st.selectbox(label, options, format_func=format_func, key=key, help=help)
    url_state.write(**{name: None if value == default else value})
    return value


def view(page: Page, views: Sequence[str]) -> str:
    """Which of the page's `views` is shown, kept in the address as ``show``."""
    return str(
        choice(
            "show", page.t("control_view"), views, views[0], lambda code: page.t(f"view_{code}"), page=page.name,
            segmented=True,
        )
    )  # fmt: skip
