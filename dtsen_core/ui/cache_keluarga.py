"""Explanations of single families, kept briefly. Simulated datasets only: `policy.explain` refuses others."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dtsen_core.policy.explain import Explanation, candidates, explain
from dtsen_core.ui import cache
from dtsen_core.ui.cache import DatasetKey


@st.cache_data(max_entries=32, show_spinner=False)
def explanation(path: str, stamp: str, family: int, model: str, scope: str) -> Explanation:
    """The ranking of one family taken apart."""
    return explain(cache.dataset(DatasetKey(path, stamp)), family, model, scope)


@st.cache_data(max_entries=32, show_spinner=False)
def found(path: str, stamp: str, given: str, region: str | None) -> pd.DataFrame:
    """Masked families that match a search."""
    return candidates(cache.dataset(DatasetKey(path, stamp)), given, region)
