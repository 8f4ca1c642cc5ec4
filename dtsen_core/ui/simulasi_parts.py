"""The parts of the simulation page below its controls: each states its finding, draws, and shows its table."""

from __future__ import annotations

import math

import streamlit as st

from dtsen_core.errors import UserError
from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.policy.reform import grievance_rule
from dtsen_core.policy.reform_spec import Reform, parse_reform
from dtsen_core.policy.scenarios import Store
from dtsen_core.present import labels, maps, numbers, simulasi, simulasi_charts, theme
from dtsen_core.present.peringkat_export import Sheet, xlsx_bytes
from dtsen_core.present.peringkat_tables import Table
from dtsen_core.regions import boundaries, units
from dtsen_core.ui import cache_simulasi, notices, peta_known, peta_map, simulasi_controls
from dtsen_core.ui.cache_simulasi import Simulated
from dtsen_core.ui.shell import Page
from dtsen_core.ui.simulasi_controls import Chosen

VIEWS = ("compare", "deciles", "areas", "groups", "budget", "objections")
KIND = "simulasi"
Outcomes = dict[str, Simulated]


def chart(page: Page, fig: object, alt: str, key: str) -> None:
    """A figure with its alternative text, the label of a simulation and the source line."""
    st.plotly_chart(fig, width="stretch", config=theme.CONFIG, key=f"simulasi.{key}", alt=alt)
    st.caption(f"**{page.t('label')}** · {labels.source_line(page.dataset.manifest, page.lang)}")


def table(page: Page, made: Table, finding: str, reason: str) -> None:
    st.markdown(f"**{page.t('table_behind')}**")
    st.dataframe(
        made.styler(page.lang), width="stretch", hide_index=True, placeholder=made.placeholder(page.lang),
        alt=page.t("alt_table", finding=finding),
    )  # fmt: skip
    if reason:
        st.caption(reason)


def name_of(page: Page, slot: str, found: Simulated) -> str:
    return f"{slot.upper()} · {found.new.abbreviation(page.lang)}"


def headline(page: Page, chosen: Chosen, found: Outcomes) -> None:
    """The finding of the scenario being edited, its figures, and whatever is odd about it."""
    active = found[chosen.slot]
    figures = active.figures
    st.subheader(simulasi.finding(active.new, figures, chosen.slot.upper(), page.lang), anchor=False)
    said = simulasi.describe(active.reform, active.old, active.new, page.lang)
    st.caption(f"**{page.t('label')}** · {said}. {page.t(f'basis_note_{active.reform.basis}')}")
    shown = [("served", "served_before", "served_after", "people"), ("cost", "cost_before", "cost_after", "rupiah")]
    if active.measured:
        shown += [("p0", "before_p0", "after_p0", "percent"), ("p1", "before_p1", "after_p1", "percent")]
    with st.container(horizontal=True):
        for name, before, after, kind in shown:
            moved = simulasi.moved_by(figures, before, after, kind, page.lang)
            st.metric(
                page.t(f"row_{name}"), simulasi.writes(figures[after], kind, page.lang),
                None if moved == "–" else moved, delta_color="off", delta_arrow="off", border=True,
            )  # fmt: skip
    for key, _ in active.warnings:
        st.info(simulasi.warning(key, page.lang), icon=":material/info:")


def draw(page: Page, chosen: Chosen, found: Outcomes, shown: str) -> None:
    active = found[chosen.slot]
    if shown == "compare":
        _compare(page, found)
    elif shown == "deciles":
        finding = simulasi.decile_finding(active.deciles, page.lang)
        st.subheader(finding, anchor=False)
        chart(page, simulasi_charts.gains(active.deciles.frame, page.lang), page.t("alt", finding=finding), "deciles")
        table(page, simulasi.table_of(active.deciles, "decile", page.lang), finding, active.deciles.reason(page.lang))
    elif shown == "areas":
        _areas(page, active)
    elif shown == "groups":
        _groups(page, active)
    elif shown == "budget":
        _budget(page, chosen, active)
    else:
        _objections(page, active)


def _compare(page: Page, found: Outcomes) -> None:
    names = [name_of(page, slot, one) for slot, one in found.items()]
    figures = [one.figures for one in found.values()]
    st.markdown(f"**{page.t('compare_title')}**")
    made = simulasi.comparison(names, figures, page.lang)
    st.dataframe(
        made, width="stretch", hide_index=True, height="content", placeholder=page.t("unknown"),
        alt=page.t("alt_table", finding=page.t("compare_title")),
    )  # fmt: skip
    for slot, one in found.items() if len(found) > 1 else ():  # of the only one the heading tells
        st.markdown(f"- {simulasi.finding(one.new, one.figures, slot.upper(), page.lang)}")
    known = [
        (name, f["cost_after"] - f["cost_before"], f["after_p0"] - f["before_p0"])
        for name, f in zip(names, figures, strict=True)
        if not math.isnan(f["cost_after"] - f["cost_before"]) and not math.isnan(f.get("after_p0", math.nan))
    ]
    if len(known) > 1:
        finding = simulasi.points_finding(known, page.lang)
        st.markdown(f"**{finding}**")
        columns = list(zip(*known, strict=True))
        fig = simulasi_charts.scenarios(*(list(c) for c in columns), page.lang)  # type: ignore[call-arg, arg-type]
        chart(page, fig, page.t("alt", finding=finding), "points")


def _areas(page: Page, active: Simulated) -> None:
    finding = simulasi.area_finding(active.regencies, page.lang)
    st.subheader(finding, anchor=False)
    rule = next(iter(map_rules().offered()))
    mode = peta_known.theme_mode()
    base = peta_map.map_style(rule, "regency", units.NATION, mode)
    style = maps.MapStyle(base.shapes, base.land, base.style, map_rules().diverging[mode], mode)
    classed = simulasi_charts.classed(simulasi.area_change(active.regencies), page.lang)
    fig = simulasi_charts.change_map(
        classed, style, boundaries.bbox(units.NATION), page.t("map_corner"),
        page.t("peta.map_indicative" if peta_map.indicative("regency") else "peta.map_official"), page.lang,
    )  # fmt: skip
    st.plotly_chart(
        fig, key="simulasi.map", theme=None, config=theme.CONFIG | {"scrollZoom": True},
        alt=page.t("alt", finding=finding),
    )  # fmt: skip
    colours = [(c, 1.0, w, "") for c, w in zip(style.colours, classed.words, strict=True)]
    peta_map.legend_list(page.t("legend_title"), [*colours, (maps.NO_FIGURE[mode], 1.0, page.t("legend_none"), "")])
    st.caption(f"**{page.t('label')}** · {labels.source_line(page.dataset.manifest, page.lang)}")
    made = simulasi.table_of(active.provinces, "code", page.lang)
    table(page, made, finding, active.provinces.reason(page.lang))


def _groups(page: Page, active: Simulated) -> None:
    finding = simulasi.group_finding(active.groups, active.figures, page.lang)
    st.subheader(finding, anchor=False)
    st.caption(page.t("groups_note"))
    frame = active.groups.frame
    frame["name"] = [simulasi.group_name(str(g), page.lang) for g in frame["group"]]
    chart(page, simulasi_charts.coverage(frame, page.lang), page.t("alt", finding=finding), "groups")
    table(page, simulasi.table_of(active.groups, "group", page.lang), finding, active.groups.reason(page.lang))


def _budget(page: Page, chosen: Chosen, active: Simulated) -> None:
    known = [v for v in (active.new.budget, active.figures["cost_before"]) if v and not math.isnan(v)]
    start = max(round((known[0] if known else 1e13) / 1e12, 2), 0.01)
    amount = st.number_input(
        page.t("control_budget"), min_value=0.01, max_value=max(5_000.0, start), value=start, step=1.0, format="%.2f",
        key=f"simulasi.budget.{active.new.key}", help=page.t("control_budget_help"),
    )  # fmt: skip
    budget = float(amount) * 1e12
    fit = cache_simulasi.affordable(page.key, active.reform, budget, chosen.own)
    st.subheader(simulasi.budget_finding(fit, active.new, budget, page.lang), anchor=False)
    st.caption(f"**{page.t('label')}** · {page.t('budget_note')}")
    if fit is not None and fit.score is not None:
        st.button(
            page.t("budget_use"), icon=":material/check:", on_click=simulasi_controls.set_score, args=(fit.score,)
        )


def _objections(page: Page, active: Simulated) -> None:
    assumed, figures = grievance_rule(), active.figures
    st.subheader(
        page.t(
            "objections_finding", near=simulasi.writes(figures["near"], "people", page.lang),
            count=simulasi.writes(figures["objections"], "people", page.lang),
        ),
        anchor=False,
    )  # fmt: skip
    st.caption(
        page.t(
            "objections_note", window=numbers.percent(assumed["window"], page.lang, 1),
            rate=numbers.percent(assumed["rate"], page.lang, 0),
        )
    )  # fmt: skip


def kept(page: Page, chosen: Chosen) -> None:
    """Save the scenarios under a name, open or delete a kept set."""
    with st.expander(page.t("kept_title"), icon=":material/bookmark:"):
        store = Store.default()
        left, right = st.columns(2, vertical_alignment="bottom")
        with left, st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input(page.t("kept_name"), max_chars=80, key="simulasi.kept.name")
            if st.button(page.t("kept_save"), icon=":material/save:", disabled=not name.strip()):
                codes = {slot: one.code for slot, one in chosen.reforms.items()}
                _try(page, lambda: store.save(KIND, name, codes, page.dataset.version), page.t("kept_saved"))
        held = {one.id: one for one in store.list(KIND)}
        with right, st.container(horizontal=True, vertical_alignment="bottom"):
            if not held:
                st.caption(page.t("kept_none"))
                return
            one = st.selectbox(
                page.t("kept_choose"), list(held), format_func=lambda i: held[i].name, key="simulasi.kept.one"
            )
            st.button(page.t("kept_open"), icon=":material/folder_open:", on_click=_open, args=(held[one].params,))
            if st.button(page.t("kept_delete"), icon=":material/delete:"):
                _try(page, lambda: store.delete(one), page.t("kept_deleted"))


def _try(page: Page, act: object, done: str) -> None:
    try:
        act()  # type: ignore[operator]
    except UserError as error:
        notices.refusal(error.message(page.lang))
    else:
        st.toast(done)


def _open(params: dict[str, object]) -> None:
    found: dict[str, Reform] = {}
    for slot in simulasi_controls.SLOTS:
        try:
            if slot in params:
                found[slot] = parse_reform(str(params[slot]))
        except (ValueError, UserError):
            continue
    if found:
        simulasi_controls.replace_all(found)


def method_and_downloads(page: Page, chosen: Chosen, found: Outcomes) -> None:
    manifest, active = page.dataset.manifest, found[chosen.slot]
    described = [
        f"{slot.upper()}: {simulasi.describe(one.reform, one.old, one.new, page.lang)}" for slot, one in found.items()
    ]
    note = simulasi.method_note(
        described, active.new, active.reform.basis, manifest.version, manifest.as_of, manifest.simulated, page.lang
    )
    with st.expander(page.t("method_title"), icon=":material/function:"):
        st.markdown("\n".join(f"- {line}" for line in note))
    st.page_link("pages/metode.py", label=page.t("to_method"), icon=":material/function:",
                 query_params={"show": "effect"})  # fmt: skip

    def workbook() -> bytes:
        names = [name_of(page, slot, one) for slot, one in found.items()]
        first = simulasi.comparison(names, [one.figures for one in found.values()], page.lang)
        sheets = [Sheet(page.t("sheet_compare"), first)]
        for slot, one in found.items():
            for key, published in (("decile", one.deciles), ("code", one.regencies), ("group", one.groups)):
                made = simulasi.table_of(published, key, page.lang)
                sheets.append(made.sheet(f"{slot.upper()} {page.t(f'sheet_{key}')}", page.lang))
        return xlsx_bytes(sheets, note, page.lang)

    st.download_button(
        page.t("download_xlsx"), workbook, f"{page.t('file_stem')}-{manifest.version}.xlsx",
        icon=":material/download:", on_click="ignore", help=page.t("download_help"),
    )  # fmt: skip


