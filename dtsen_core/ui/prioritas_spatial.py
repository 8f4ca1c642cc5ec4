"""Spatial statistics on the priority page: do neighbours resemble each other, where are the clusters, do they last."""

from __future__ import annotations

import streamlit as st

from dtsen_core.policy import priority_plan
from dtsen_core.policy.priority_plan import Plan, Ranked
from dtsen_core.present import maps, numbers, prioritas, prioritas_hover, prioritas_spatial
from dtsen_core.present.prioritas_spatial import CLASSES, METHODS
from dtsen_core.ui import cache_prioritas, cache_versions, controls, peta_known, peta_map
from dtsen_core.ui.prioritas_parts import area_map, data_line, written
from dtsen_core.ui.shell import Page


def show(page: Page, plan: Plan, ranked: Ranked) -> None:
    """The whole section."""
    lang, known = page.lang, ranked.indicators
    keys = [i.key for i in plan.items]
    columns = st.columns([0.4, 0.35, 0.25], vertical_alignment="bottom")
    with columns[0]:
        key = controls.choice("ukuran", page.t("spatial_indicator"), keys, keys[0],
                              lambda k: prioritas.label(known[k], lang), page="prioritas")  # fmt: skip
    with columns[1]:
        method = controls.choice("statistik", page.t("spatial_method"), METHODS, METHODS[0],
                                 lambda m: page.t(f"method_{m}"), page="prioritas", segmented=True)  # fmt: skip
    held = cache_versions.held(page)
    with columns[2]:
        lasting = st.toggle(page.t("spatial_lasting", versions=len(held)), key="prioritas.lasting",
                            disabled=len(held) < 2 or known[key].origin != "registry",
                            help=page.t("spatial_lasting_help"))  # fmt: skip
    past = tuple(v.key for v in held if not v.served) if lasting and known[key].origin == "registry" else ()
    area = cache_prioritas.areas(page.key, plan)  # the statistics look beyond the filters of the ranking
    values = priority_plan.matrix(plan, area)[0][key]
    found = cache_prioritas.clusters(page.key, plan, key, method, past)
    if found is None:
        st.info(page.t("spatial_impossible"))
        return
    title = prioritas_spatial.finding(found, method, known[key].label[lang], lang)
    st.subheader(title, anchor=False)
    o = found.overall
    st.caption(page.t("spatial_line", n=o.n, islands=o.islands, missing=o.missing,
                      z=numbers.number(o.z, lang, 2), expected=numbers.number(o.expectation, lang, 3)))  # fmt: skip
    left, right = st.columns([0.6, 0.4], gap="medium")
    with left:
        colours = prioritas_spatial.colours(method)
        area_map(page, plan, prioritas_spatial.map_rows(found, method), colours,
                 prioritas_spatial.hover(found, known[key], values, area, data_line(page), lang,
                                         sampled=page.dataset.simulated), title,
                 f"prioritas.cluster.{method}.{key}")  # fmt: skip
        counts = found.local["label"].value_counts()
        level = prioritas.level_name(plan.level, lang)
        entries = [
            (colour, 1.0, prioritas_spatial.label_text(method, label, lang), f"{int(counts.get(label, 0))} {level}")
            for label, colour in zip(CLASSES[method], colours[peta_known.theme_mode()])
        ]
        brief = int(prioritas_spatial.passing(found).sum())
        if brief:
            first = colours[peta_known.theme_mode()][0]
            entries.append((first, maps.CARE, page.t("peta.legend_care_short"), page.t("spatial_brief", count=brief)))
        peta_map.legend_list(page.t("spatial_legend"), entries)
    with right:
        lasting_words = prioritas_spatial.persistence_sentence(found, method, lang)
        if lasting_words:
            st.markdown(f"**{lasting_words}**")
        table = prioritas_spatial.table(found, method, known[key], values, area, lang)
        whole = table.columns[-1] if known[key].origin == "registry" else ""
        decimals = dict.fromkeys(table.select_dtypes("number"), known[key].decimals)
        decimals |= {"z": 2, "p": 4, "q": 4} | ({whole: 0} if whole else {})
        widths = zip(table.columns, (120, 165))
        config = {name: st.column_config.Column(width=width) for name, width in widths}
        st.dataframe(written(table, decimals, lang), hide_index=True, height=380, column_config=config,
                     alt=page.t("spatial_alt"))  # fmt: skip
    told = prioritas_hover.source(known[key], data_line(page), lang)
    st.caption(page.t("spatial_method_note") + " " + page.t("table_sources", sources=told + "."))
