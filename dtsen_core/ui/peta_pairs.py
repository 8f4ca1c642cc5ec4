"""The map of two measures at once: rate and count in nine colours."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.present import peta_export, peta_pairs
from dtsen_core.regions import units
from dtsen_core.ui import cache_peta, peta_controls, peta_download, peta_map, peta_side, peta_state
from dtsen_core.ui.cache_versions import Held
from dtsen_core.ui.peta_known import Shown, theme_mode
from dtsen_core.ui.peta_state import View
from dtsen_core.ui.shell import Page


def body(page: Page, view: View, found: Shown, held: Sequence[Held]) -> None:
    """Finding, controls, map with its legend of nine colours, table and profile."""
    if found.rule.key == peta_state.OWN:
        st.info(page.t("peta_views.pairs_own"))
        peta_controls.controls(page, view, held)
        return
    flipped = found.rule.kind == "count"
    rate, count = (found.partner, found.rule) if flipped else (found.rule, found.partner)
    made = peta_pairs.pairs(
        found.data.rows, found.rule, found.partner,
        cache_peta.thirds(page.key, rate.key, view.level), cache_peta.thirds(page.key, count.key, view.level),
    )  # fmt: skip
    title = peta_pairs.finding(made, page.lang, level=view.level, where=units.name(view.container))
    peta_controls.head(page, view, found, title)
    peta_controls.controls(page, view, held)
    left, right = st.columns([0.64, 0.36], gap="medium")
    shades = map_rules().pairs
    with left:
        peta_controls.breadcrumb(page, view)
        flat = tuple(colour for line in shades[theme_mode()] for colour in line)
        drawn = Shown(found.rule, found.partner, cache_peta.Shown(made.rows, [], found.data.reasons))
        peta_map.draw(page, view, drawn, title, colours=flat)
        st.html(peta_pairs.legend_html(made, shades[theme_mode()], page.lang))
        st.caption(" ".join([*peta_pairs.corner_words(made, page.lang), *found.data.reasons]))
        axes = tuple(page.t(f"peta_views.pairs_{way}", measure=measure.short[page.lang])
                     for way, measure in (("up", made.rate), ("right", made.count)))  # fmt: skip
        light = tuple(colour for line in shades["light"] for colour in line)
        peta_download.offer(page, view, lambda: peta_download.Content(
            title, peta_export.frame(
                made.rows, found.rule, found.partner, peta_download.about(page, view, title), page.lang
            ).assign(third_rate=(made.rows["klass"] + 2) // 3, third_count=(made.rows["klass"] - 1) % 3 + 1),
            made.rows, light, [], shades["light"], (axes[0], axes[1]),
        ), found.rule.key)  # fmt: skip
    with right:
        finish = peta_side.headline(page, view, found)
        peta_side.table(page, view, found)
    peta_side.profile_card(page, view)
    finish()
