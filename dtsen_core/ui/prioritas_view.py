"""The priority page below its header: plan, view, and the ranking itself."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dtsen_core.errors import UserError
from dtsen_core.policy.priority_plan import Plan, Ranked
from dtsen_core.present import maps, numbers, prioritas, prioritas_charts, prioritas_export, theme
from dtsen_core.regions import own_indicator, units
from dtsen_core.ui import (
    cache_prioritas,
    controls,
    notices,
    peta_known,
    peta_map,
    prioritas_act,
    prioritas_allocate,
    prioritas_controls,
    prioritas_parts,
    prioritas_scenarios,
    prioritas_spatial,
    prioritas_state,
)
from dtsen_core.ui.shell import Page


def show(page: Page) -> None:
    """The whole page body."""
    plan = prioritas_controls.draw(page, prioritas_state.seed(page))
    view = controls.choice(
        "bagian", page.t("control_view"), prioritas_state.VIEWS, prioritas_state.VIEWS[0],
        lambda v: page.t(f"view_{v}"), page="prioritas", segmented=True,
    )  # fmt: skip
    prioritas_state.mirror(plan, view, st.session_state.get("prioritas.opened"))
    try:
        ranked = cache_prioritas.ranked(page.key, plan)
    except UserError as error:
        notices.refusal(error.message(page.lang))
        last = st.session_state.get("prioritas.last")
        if last is None:
            return
        st.caption(page.t("last_good"))
        plan, ranked = last, cache_prioritas.ranked(page.key, last)
    st.session_state["prioritas.last"] = plan
    if ranked.top != plan.top:
        st.caption(":material/info: " + page.t("top_whole", chosen=plan.top, count=len(ranked.table), top=ranked.top))
    draw = {"peringkat": ranking, "keyakinan": certainty, "bertindak": prioritas_act.show,
            "spasial": prioritas_spatial.show, "alokasi": prioritas_allocate.show, "skenario": prioritas_scenarios.show}
    draw[view](page, plan, ranked)


def ranking(page: Page, plan: Plan, ranked: Ranked) -> None:
    """Who comes first: map, table, quadrant, contributions, targets, list of the government, downloads."""
    lang = page.lang
    title = prioritas.finding(ranked, lang)
    st.subheader(title, anchor=False)
    share = prioritas.share_of_people(ranked)
    st.caption(page.t("subtitle", areas=len(ranked.table), level=prioritas.level_name(plan.level, lang),
                      where=prioritas.where(plan, lang), share=numbers.percent(share, lang, 0), top=ranked.top,
                      left_out=len(ranked.left_out)))  # fmt: skip
    left, right = st.columns([0.58, 0.42], gap="medium")
    with left:
        prioritas_parts.area_map(page, plan, prioritas.map_rows(ranked), prioritas.COLOURS,
                                 prioritas_parts.hover(page, ranked), title, "prioritas.map")  # fmt: skip
        colours = prioritas.COLOURS[peta_known.theme_mode()]
        grey = maps.NO_FIGURE[peta_known.theme_mode()]
        peta_map.legend_list(
            page.t("legend", top=ranked.top),
            [(grey if e.klass == 0 else colours[e.klass - 1], 1.0, e.label, e.detail)
             for e in prioritas.legend(ranked, lang)],
        )  # fmt: skip
    with right:
        prioritas_parts.table(page, ranked)
    _downloads(page, plan, ranked)
    first, second = st.columns(2, gap="medium")
    with first:
        _quadrant(page, plan)
    with second:
        _contributions(page, ranked)
    _area(page, plan, ranked)
    _targets(page, ranked)
    _given_list(page, plan, ranked)
    for reason in cache_prioritas.reasons(page.key, plan, lang):
        st.caption(reason)


def certainty(page: Page, plan: Plan, ranked: Ranked) -> None:
    """How sure: intervals of ranks and the robust set."""
    lang = page.lang
    robust = ranked.table[ranked.table["robust"]]
    doubtful = ranked.table[(ranked.table["p_top"] >= 0.1) & (ranked.table["p_top"] < prioritas.ROBUST)]
    st.subheader(page.t("certainty_title", robust=len(robust), top=ranked.top, doubtful=len(doubtful)), anchor=False)
    st.caption(page.t("certainty_method"))
    left, right = st.columns([0.6, 0.4], gap="medium")
    with left:
        st.plotly_chart(
            prioritas_charts.intervals(ranked, lang, max(20, min(80, ranked.top + 15))), key="prioritas.intervals",
            config=theme.CONFIG, alt=page.t("certainty_alt", top=ranked.top),
        )  # fmt: skip
        st.caption(page.t("certainty_legend"))
    with right:
        st.markdown(f"**{page.t('robust_title', count=len(robust))}**")
        st.caption(page.t("robust_help", top=ranked.top))
        _sure_table(page, robust, ranked.top, page.t("robust_title", count=len(robust)))
        st.markdown(f"**{page.t('doubtful_title', count=len(doubtful))}**")
        _sure_table(page, doubtful, ranked.top, page.t("doubtful_title", count=len(doubtful)))
    _area(page, plan, ranked)


def _sure_table(page: Page, rows: pd.DataFrame, top: int, alt: str) -> None:
    """Name, interval of the rank and probability of the given areas."""
    shown = pd.DataFrame(
        {
            page.t("column_name"): [units.label(str(code)) for code in rows.index],
            page.t("column_interval"): [f"{a}–{b}" for a, b in zip(rows["low"], rows["high"])],
            page.t("column_p_top", top=top): [numbers.percent(p, page.lang, 0) for p in rows["p_top"]],
        }
    )
    widths = zip(shown.columns, (165, 80, 90))
    config = {name: st.column_config.Column(width=width) for name, width in widths}
    st.dataframe(shown, hide_index=True, height=300, column_config=config, alt=alt)


def _quadrant(page: Page, plan: Plan) -> None:
    lang, data_line = page.lang, prioritas_parts.data_line(page)
    found = cache_prioritas.quadrant(page.key, plan, lang, data_line)
    st.markdown(f"**{found.sentence}**")
    st.plotly_chart(found.figure, key="prioritas.quadrant", config=theme.CONFIG, alt=page.t("quadrant_alt"))
    st.caption(page.t("quadrant_help", cut=numbers.percent(found.cut, lang), middle=numbers.people(found.middle, lang),
                      source=data_line))  # fmt: skip


def _contributions(page: Page, ranked: Ranked) -> None:
    st.markdown(f"**{page.t('contributions_title', count=min(prioritas_charts.SHOWN, len(ranked.table)))}**")
    bars = prioritas_charts.contributions(ranked, prioritas_parts.data_line(page), page.lang)
    st.plotly_chart(bars, key="prioritas.contributions", config=theme.CONFIG, alt=page.t("contributions_alt"))


def _area(page: Page, plan: Plan, ranked: Ranked) -> None:
    """One area: what would have to change for it to enter or leave the top."""
    codes = [str(code) for code in ranked.table.index]
    near = codes[min(ranked.top, len(codes) - 1)]
    key = "prioritas.area"
    if st.session_state.get(key) not in codes:
        st.session_state[key] = near
    with st.container(border=True):
        code = st.selectbox(page.t("area_label"), codes, key=key, format_func=lambda c: units.label(c))
        row = ranked.table.loc[code]
        st.markdown(page.t("area_line", rank=prioritas.rank_text(row, page.lang), top=ranked.top,
                           p=numbers.percent(row["p_top"], page.lang, 0)))  # fmt: skip
        changes = cache_prioritas.needed_change(page.key, plan, code)
        st.markdown("\n".join(f"- {s}" for s in prioritas.change_sentences(ranked, code, changes, page.lang)))
        st.caption(page.t("area_help"))


def _targets(page: Page, ranked: Ranked) -> None:
    found = prioritas.targets(ranked)
    if found.empty:
        return
    st.markdown(f"**{page.t('targets_title')}**")
    rules, lines = prioritas_controls.priority_rules(), []
    told: dict[str, list[str]] = {}
    for _, row in found.iterrows():
        i, own = ranked.indicators[str(row["key"])], bool(row["own"])
        gap = float(row["gap"])
        lines.append(page.t(
            "target_line_own" if own else "target_line", label=prioritas.label(i, page.lang), met=int(row["met"]),
            missed=int(row["missed"]), target=prioritas.value_text(i, float(row["target"]), page.lang),
            worst=page.t("target_worst" if gap > 0 else "target_nearest", worst=units.label(str(row["worst"])),
                         gap=prioritas.gap_text(i, abs(gap), page.lang)),
        ) + (" " + page.t("target_unknown", count=int(row["unknown"])) if row["unknown"] else ""))  # fmt: skip
        source = rules.provincial_source if own else rules.target_source
        label = page.t("target_each") if own else i.target_label[page.lang] if i.target_label else ""
        told.setdefault(source, []).append(label)
    st.markdown("\n".join(f"- {line}" for line in lines))
    sources = "; ".join(f"{', '.join(dict.fromkeys(filter(None, labels)))}: {where}" for where, labels in told.items())
    st.caption(page.t("target_source", sources=sources))


def _given_list(page: Page, plan: Plan, ranked: Ranked) -> None:
    """Comparison with a list of priority regions that the visitor uploads."""
    with st.expander(page.t("list_title"), icon=":material/fact_check:"):
        st.markdown(page.t("list_intro"))
        file = st.file_uploader(page.t("list_file"), type=["csv", "txt", "tsv"], key="prioritas.list")
        if file is None:
            return
        try:
            found = own_indicator.read_list(file.getvalue())
        except UserError as error:
            notices.refusal(error.message(page.lang))
            return
        for problem in found.problems:
            notices.caution(problem.text(page.lang))
        if found.level != plan.level:
            names = {"found": found.level, "wanted": plan.level}
            names = {key: prioritas.level_name(level, page.lang) for key, level in names.items()}
            notices.refusal(UserError("errors_prioritas.own_level", **names).message(page.lang))
            return
        groups = prioritas.compare_list(ranked, set(found.frame["code"]))
        st.markdown(page.t("list_finding", both=len(groups["both"]), top=ranked.top, listed=len(found.frame)))
        for column, (name, codes) in zip(st.columns(3), groups.items()):
            with column:
                words = page.t(f"list_{name}", count=len(codes))
                shown = pd.DataFrame({words: [units.label(c) for c in codes]})
                st.dataframe(shown, hide_index=True, height=260, alt=words)


def _downloads(page: Page, plan: Plan, ranked: Ranked) -> None:
    note = prioritas_export.note(page.dataset.manifest, ranked, page.lang)
    with st.container(horizontal=True):
        st.download_button(
            page.t("download_xlsx"), lambda: prioritas_export.xlsx(ranked, note, page.lang), "prioritas.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", key="prioritas.xlsx",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            page.t("download_csv"), lambda: prioritas_export.csv(ranked, note, page.lang), "prioritas.csv", "text/csv",
            key="prioritas.csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            page.t("download_gpkg"), lambda: prioritas_export.geopackage(ranked, note), "prioritas.gpkg",
            "application/geopackage+sqlite3", key="prioritas.gpkg", icon=":material/map:", on_click="ignore",
        )  # fmt: skip
