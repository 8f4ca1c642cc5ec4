"""Cached answers of the laboratory: impact of a ranking and its passport. Keys are scalars, as in `cache_peringkat`.

What is cached has already left through `oversight.disclosure`.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import pandas as pd
import streamlit as st

from dtsen_core.oversight import disclosure, lab_tables
from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy.passport import Passport
from dtsen_core.policy.reranking import Impact, impact
from dtsen_core.policy.welfare import DECILES, RankRequest, full_ranking
from dtsen_core.ui import cache, cache_peringkat
from dtsen_core.ui.cache import DatasetKey

Fields = tuple[str | bool | None, ...]


@dataclass(frozen=True)
class Changed:
    """An `Impact` as it may be shown."""

    cut: int
    seconds: float
    areas: Published
    total: Published
    matrix: Published
    programmes: Published


def publish(found: Impact, origin: str) -> Changed:
    matrix = pd.DataFrame(found.matrix.to_numpy(float), columns=list(DECILES))
    matrix.insert(0, "from", range(1, 11))
    matrix.insert(1, "whole", matrix[list(DECILES)].sum(axis=1))
    spec = lab_tables.impact_areas()
    return Changed(
        found.cut,
        found.seconds,
        disclosure.publish(found.areas, spec, origin=origin),
        disclosure.publish(found.total, spec, origin=origin),
        disclosure.publish(matrix, lab_tables.deciles_matrix(DECILES), origin=origin),
        disclosure.publish(found.programmes, lab_tables.impact_programmes(), origin=origin),
    )


@st.cache_data(max_entries=48, show_spinner=False)
def _impact(path: str, stamp: str, cut: int, *fields: str | bool | None) -> Changed:
    opened = cache.dataset(DatasetKey(path, stamp))
    return publish(impact(opened, RankRequest(*fields), cut), opened.manifest.origin)  # type: ignore[arg-type]


def changed(key: DatasetKey, request: RankRequest, cut: int) -> Changed:
    """The published impact of `request` against the delivered deciles, computed at most once per dataset."""
    return _impact(*key, cut, *astuple(request))


@st.cache_data(max_entries=48, show_spinner=False)
def _passport(path: str, stamp: str, *fields: str | bool | None) -> tuple[str, str, str, str]:
    opened = cache.dataset(DatasetKey(path, stamp))
    request = RankRequest(*fields)  # type: ignore[arg-type]
    result = full_ranking(opened, request)
    made = Passport.make(opened, request, result)
    shown = cache_peringkat.publish(result.total, request.unit, opened.manifest.origin)
    document = "" if shown.any_suppressed else made.to_json()
    return made.id, made.dataset["hash"], made.model["hash"], document


def passport(key: DatasetKey, request: RankRequest) -> tuple[str, str, str, str]:
    """(id, dataset hash, model hash, the passport as JSON) of a ranking. It carries the figures of all listed areas
    together; where one of them is suppressed the document is empty."""
    return _passport(*key, *astuple(request))
