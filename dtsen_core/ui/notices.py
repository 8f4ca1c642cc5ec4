"""Refusals and cautions on a page. Their sentences repeat what a stranger wrote (a link, a file), so they are shown as
text alone: a picture in them would be fetched from outside by every visitor's browser."""

from __future__ import annotations

import streamlit as st

from dtsen_core.present.literal import literal


def refusal(sentence: str) -> None:
    """What could not be done, and how to mend it."""
    st.error(literal(" ".join(sentence.split())))


def caution(sentence: str) -> None:
    """What was left out or replaced, and why."""
    st.warning(literal(" ".join(sentence.split())))
