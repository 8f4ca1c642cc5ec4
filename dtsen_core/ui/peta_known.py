"""What the open data know, and what the page is looking at: the measure, its partner, the areas."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dtsen_core import locale
from dtsen_core.policy import area_table
from dtsen_core.policy.map_indicators import MapIndicator, map_rules
from dtsen_core.present import numbers, peta_hover
from dtsen_core.ui import cache_peta, cache_versions, peta_own, peta_state
from dtsen_core.ui.peta_state import View
from dtsen_core.ui.shell import Page


def known(page: Page) -> frozenset[str]:
    """What the open data know: "model" and the programmes they speak of."""
    model = {"model"} if area_table.has_model(page.dataset) else set()
    return frozenset(model | set(page.dataset.manifest.programmes))


@dataclass(frozen=True)
class Shown:
    """One view's measure, its partner and its rows, in the language of the page."""

    rule: MapIndicator
    partner: MapIndicator
    data: cache_peta.Shown


def measure(key: str) -> tuple[MapIndicator, MapIndicator]:
    """(measure, partner) of a key, the visitor's own measure included."""
    rules = map_rules()
    own = peta_own.current()
    if key == peta_state.OWN and own is not None:
        return own.rule, rules.indicators[own.rule.partner]
    rule = rules.indicators.get(key, rules.indicators[peta_state.DEFAULT_INDICATOR])
    return rule, rules.partner(rule)


def shown(page: Page, view: View, key: str | None = None) -> Shown:
    """What is shown of the measure `key` (the chosen one) at the level and place of the view."""
    rule, partner = measure(key or view.indicator)
    if rule.key == peta_state.OWN:
        own = peta_own.current()
        assert own is not None
        return Shown(rule, partner, _own(page, view, own))
    served = cache_versions.served(page)
    data = cache_peta.shown(page.key, view.level, view.container, rule.key, page.lang, served)
    return Shown(rule, partner, data)


def _own(page: Page, view: View, own: peta_own.Own) -> cache_peta.Shown:
    return cache_peta.shown_own(page.key, view.level, view.container, own.rule, own.table.frame, page.lang)


def source(page: Page, rule: MapIndicator) -> str:
    """Where the figures of a measure come from and of which day: the last line of the hover."""
    own = peta_own.current()
    if rule.key == peta_state.OWN and own is not None:
        return own.source(page.lang)
    origin = "simulated" if page.dataset.simulated else "real"
    date = numbers.date(page.dataset.manifest.as_of, page.lang)
    return locale.text(f"peta.hover_source_{origin}", page.lang, date=date)


def hover(page: Page, found: Shown) -> peta_hover.Hover:
    """The hover of a map of `found`."""
    count = int(found.data.rows["value"].notna().sum())
    words = peta_hover.words(
        found.rule, found.partner, count, page.lang, sampled=page.dataset.simulated, source=source(page, found.rule)
    )
    return peta_hover.make(found.data.rows, found.rule, found.partner, words, page.lang)


def theme_mode() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"
