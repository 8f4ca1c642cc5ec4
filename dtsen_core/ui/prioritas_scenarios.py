"""Named scenarios on the priority page: save, open, rename, annotate, delete, share, compare."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dtsen_core.errors import UserError
from dtsen_core.policy import priority_plan
from dtsen_core.policy.priority_plan import KIND, Plan, Ranked
from dtsen_core.policy.scenarios import Scenario, Store
from dtsen_core.present import numbers, peringkat_export, prioritas, prioritas_compare, prioritas_export
from dtsen_core.present.literal import literal
from dtsen_core.ui import cache_prioritas, notices, peta_known, peta_map, prioritas_state
from dtsen_core.ui.prioritas_parts import area_map, data_line
from dtsen_core.ui.shell import Page

OPENED = "prioritas.opened"
NOW = "sekarang"


def show(page: Page, plan: Plan, ranked: Ranked) -> None:
    """The whole section."""
    store = Store.default()
    kept = {s.id: s for s in store.list(KIND)}
    st.subheader(page.t("scenario_title", count=len(kept)), anchor=False)
    st.caption(page.t("scenario_intro"))
    left, right = st.columns([0.4, 0.6], gap="medium")
    with left, st.container(border=True):
        _save(page, store, plan)
    with right, st.container(border=True):
        _manage(page, store, kept, plan)
    if kept:
        _compare(page, kept, plan, ranked)


def _attempt(page: Page, work: Callable[[], object], done: str = "") -> bool:
    """Do `work`; what goes wrong is one sentence and nothing changes."""
    try:
        work()
    except UserError as error:
        notices.refusal(error.message(page.lang))
        return False
    if done:
        st.toast(done, icon=":material/check:")
    return True


def _save(page: Page, store: Store, plan: Plan) -> None:
    with st.form("prioritas.save", border=False, clear_on_submit=False):
        name = st.text_input(page.t("scenario_name"), key="prioritas.save_name", max_chars=80)
        note = st.text_area(page.t("scenario_note"), key="prioritas.save_note", max_chars=2_000, height=80)
        sent = st.form_submit_button(page.t("scenario_save"), icon=":material/save:", type="primary")
    if sent:
        made: list[Scenario] = []

        def save() -> None:
            made.append(store.save(KIND, name, plan.params(), page.dataset.version, note))

        if _attempt(page, save):
            st.session_state[OPENED] = made[0].id
            st.session_state["prioritas.saved"] = made[0].name
            st.rerun()
    saved = st.session_state.pop("prioritas.saved", None)
    if saved:
        st.success(page.t("scenario_saved", name=literal(saved)))


def _manage(page: Page, store: Store, kept: dict[str, Scenario], plan: Plan) -> None:
    if not kept:
        st.info(page.t("scenario_none"))
        return
    key = "prioritas.scenario"
    if st.session_state.get(key) not in kept:
        opened = st.session_state.get(OPENED)
        st.session_state[key] = opened if opened in kept else next(iter(kept))
    chosen = kept[st.selectbox(page.t("scenario_choose"), list(kept), key=key, format_func=lambda i: kept[i].name)]
    st.caption(page.t("scenario_line", version=chosen.dataset_version, changed=numbers.date(chosen.changed, page.lang)))
    if chosen.dataset_version != page.dataset.version:
        st.caption(page.t("scenario_other_version", now=page.dataset.version))
    with st.container(horizontal=True):
        if st.button(page.t("scenario_open"), key="prioritas.open", icon=":material/folder_open:", type="primary"):
            _open(page, chosen)
        if st.button(page.t("scenario_update"), key="prioritas.update", icon=":material/sync:"):
            changed = _attempt(
                page, lambda: store.update(chosen.id, plan.params(), page.dataset.version, revision=chosen.revision),
                page.t("scenario_updated"),
            )  # fmt: skip
            if changed:
                st.rerun()
        with st.popover(page.t("scenario_delete"), icon=":material/delete:"):
            st.markdown(page.t("scenario_delete_sure", name=literal(chosen.name)))
            gone = st.button(page.t("scenario_delete_yes"), key="prioritas.delete")
            if gone and _attempt(page, lambda: store.delete(chosen.id)):
                if st.session_state.get(OPENED) == chosen.id:
                    st.session_state.pop(OPENED)
                st.rerun()
    with st.form(f"prioritas.edit.{chosen.id}.{chosen.revision}", border=False):
        name = st.text_input(page.t("scenario_name"), value=chosen.name, max_chars=80)
        note = st.text_area(page.t("scenario_note"), value=chosen.note, max_chars=2_000, height=68)
        if st.form_submit_button(page.t("scenario_change"), icon=":material/edit:"):
            done = True
            if note.strip() != chosen.note:
                done = _attempt(page, lambda: store.annotate(chosen.id, note))
            if done and name.strip() != chosen.name:
                done = _attempt(page, lambda: store.rename(chosen.id, name))
            if done:
                st.rerun()
    st.markdown(page.t("scenario_link"))
    st.code(f"/prioritas?skenario={chosen.id}", language=None)


def _open(page: Page, chosen: Scenario) -> None:
    def take() -> None:
        prioritas_state.keep(priority_plan.of_params(chosen.params), push=True)

    if _attempt(page, take):
        st.session_state[OPENED] = chosen.id
        st.rerun()


def _compare(page: Page, kept: dict[str, Scenario], plan: Plan, ranked: Ranked) -> None:
    st.markdown(f"**{page.t('compare_title')}**")
    options = [NOW, *kept]

    def name(i: str) -> str:
        return page.t("scenario_now") if i == NOW else kept[i].name

    first, second = st.columns(2)
    a = first.selectbox(page.t("compare_a"), options, key="prioritas.a", format_func=name)
    b = second.selectbox(page.t("compare_b"), options, index=1, key="prioritas.b", format_func=name)
    if a == b:
        st.info(page.t("compare_same"))
        return
    try:
        pair = [ranked if i == NOW else _ranked(page, kept[i]) for i in (a, b)]
    except UserError as error:
        notices.refusal(error.message(page.lang))
        return
    if pair[0].plan.level != pair[1].plan.level:
        st.info(page.t("compare_levels"))
        return
    found, names = prioritas_compare.compare(*pair), (name(a), name(b))
    title = prioritas_compare.finding(found, names, page.lang)
    st.markdown(f"**{title}**")
    left, right = st.columns([0.58, 0.42], gap="medium")
    with left:
        wide = pair[0].plan if pair[0].plan.within == pair[1].plan.within else priority_plan.default_plan(plan.level)
        area_map(page, wide, prioritas_compare.map_rows(found), prioritas_compare.COLOURS,
                 prioritas_compare.hover(found, names, data_line(page), page.lang), title,
                 "prioritas.compare_map")  # fmt: skip
        colours = prioritas_compare.COLOURS[peta_known.theme_mode()]
        level = prioritas.level_name(plan.level, page.lang)
        groups = found.table["group"].value_counts()
        entries = [
            (colours[k], 1.0, page.t(f"group_{g}", a=names[0], b=names[1]), f"{int(groups.get(g, 0))} {level}")
            for k, g in ((3, "both"), (1, "only_a"), (2, "only_b"), (0, "neither"))
        ]
        peta_map.legend_list(page.t("compare_legend"), entries)
    with right:
        for words, part in zip((page.t("compare_up", b=names[1]), page.t("compare_down", b=names[1])),
                               prioritas_compare.movers(found)):  # fmt: skip
            st.markdown(words)
            shown = part[["name", "rank_a", "rank_b"]].set_axis([page.t("column_name"), "A", "B"], axis=1)
            for letter in ("a", "b"):
                ends = zip(part[f"low_{letter}"], part[f"high_{letter}"])
                shown[f"{letter.upper()}: {page.t('column_interval')}"] = [f"{low}–{high}" for low, high in ends]
            shown.insert(3, page.t("column_change"), [numbers.signed(c, page.lang) for c in part["change"]])
            st.dataframe(shown, hide_index=True, height=235, alt=words)
    st.caption(page.t("table_sources", sources=data_line(page) + "."))
    notes = prioritas_export.note(page.dataset.manifest, pair[0], page.lang)
    with st.container(horizontal=True):
        st.download_button(
            page.t("download_xlsx"),
            lambda: peringkat_export.xlsx_bytes([prioritas_compare.sheet(found, names, page.lang)], notes, page.lang),
            "perbandingan.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            key="prioritas.compare_xlsx", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            page.t("download_gpkg"),
            lambda: prioritas_export.geopackage(pair[0], notes, rank_b=found.table["rank_b"].astype(float),
                                                grup=found.table["group"]),
            "perbandingan.gpkg", "application/geopackage+sqlite3", key="prioritas.compare_gpkg",
            icon=":material/map:", on_click="ignore",
        )  # fmt: skip


def _ranked(page: Page, scenario: Scenario) -> Ranked:
    return cache_prioritas.ranked(page.key, priority_plan.of_params(scenario.params))
