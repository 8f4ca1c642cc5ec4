"""Metode: how the figures come about, how accurate they are, and what the words mean."""

from __future__ import annotations

import streamlit as st

from dtsen_core.ui import metode_effect, metode_parts, shell

page = shell.page("metode")
st.markdown(page.t("intro"))

PARTS = {
    "chain": metode_parts.chain,
    "goals": metode_parts.goals,
    "accuracy": metode_parts.accuracy,
    "fit": metode_parts.fit,
    "effect": metode_effect.effect,
    "dictionary": metode_parts.dictionary,
    "glossary": metode_parts.glossary,
}
PARTS[metode_parts.view(page)](page)
page.finish()
