"""Models on offer to a visitor, and fitting the chosen one where that has not been done yet, with progress.

One list for every page that ranks: what `policy.lab` holds for the dataset, then what it could fit on the survey.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dtsen_core import locale
from dtsen_core.policy import lab, trust
from dtsen_core.present import numbers, peringkat
from dtsen_core.present.lab import refit_sentence
from dtsen_core.rank.experiment import Experiment
from dtsen_core.ui import cache
from dtsen_core.ui.cache import DatasetKey
from dtsen_core.ui.shell import Page


def models(key: DatasetKey) -> tuple[str, ...]:
    """Fitted models of the dataset, those that answer at once first."""
    opened = cache.dataset(key)
    return (*lab.available(opened), *lab.to_be_fitted(opened))


def labels(page: Page) -> Callable[[str], str]:
    """What writes the words for a model; one that has yet to be fitted says so."""
    waiting = lab.to_be_fitted(page.dataset)

    def label(model: str) -> str:
        name = peringkat.model_name(model, page.lang)
        return locale.text("lab.to_be_fitted", page.lang, model=name) if model in waiting else name

    return label


def can_refit(key: DatasetKey, base: str) -> bool:
    """Whether `base` can be fitted again without some indicators."""
    return lab.can_refit(cache.dataset(key), base)


def ensure(page: Page, model: str) -> None:
    """Fit what `model` needs, now, telling how far it is; nothing where it is fitted already."""
    if not lab.must_fit(page.dataset, model):
        return
    bar = st.progress(0.0)

    def tell(done: float) -> None:
        share = min(max(done, 0.0), 1.0)
        bar.progress(share, locale.text("lab.fitting", page.lang, percent=numbers.percent(share, page.lang, 0)))

    tell(0.0)
    lab.fit(page.dataset, model, tell)
    bar.empty()


@st.cache_data(max_entries=64, show_spinner=False)
def _quality(path: str, stamp: str, model: str) -> trust.Quality:
    return trust.quality(cache.dataset(DatasetKey(path, stamp)), model)


def told(page: Page, model: str) -> str:
    """What fitting again without the dropped indicators cost, in one sentence; "" where nothing was fitted again."""
    plan = Experiment.parse(model)
    if not plan.refit:
        return ""
    before, after = _quality(*page.key, plan.base), _quality(*page.key, model)
    return refit_sentence(before, after, len(plan.dropped), page.lang)
