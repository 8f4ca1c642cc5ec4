"""Cached, published tables of the first page and its document."""

from __future__ import annotations

import streamlit as st

from dtsen_core.policy.summary import national_state
from dtsen_core.present.ringkasan import Sealed, seal
from dtsen_core.ui import cache


@st.cache_resource(max_entries=2, show_spinner=False)
def _sealed(path: str, stamp: str) -> Sealed:
    dataset = cache.dataset(cache.DatasetKey(path, stamp))
    return seal(national_state(dataset), dataset.manifest)


def sealed(key: cache.DatasetKey) -> Sealed:
    """The published tables of the dataset `key`; shared, so treat them as read-only."""
    return _sealed(key.path, key.stamp)


@st.cache_data(max_entries=8, show_spinner=False)
def _pdf(path: str, stamp: str, lang: str) -> bytes:
    from dtsen_core.present.ringkasan_pdf import ringkasan_pdf  # only who asks for it waits for the library

    return ringkasan_pdf(_sealed(path, stamp), lang)


def pdf(key: cache.DatasetKey, lang: str) -> bytes:
    """The one-page document of the dataset `key`."""
    return _pdf(key.path, key.stamp, lang)
