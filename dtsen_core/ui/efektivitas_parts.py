"""The views of the effectiveness page: each states its finding, its figures, and what lies behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dtsen_core.policy.effectiveness.causal import DESIGNS, OUTCOMES
from dtsen_core.policy.effectiveness.reach import FLAGS
from dtsen_core.policy.effectiveness.scope import GROUPS, PLACES
from dtsen_core.policy.programme_rules import Rule
from dtsen_core.present import efektivitas, efektivitas_charts, labels, numbers, theme
from dtsen_core.present.mutu import Figure
from dtsen_core.present.peringkat_tables import Table
from dtsen_core.regions import units
from dtsen_core.ui import cache_efektivitas, controls, mutu_area
from dtsen_core.ui.cache_efektivitas import Ask
from dtsen_core.ui.shell import Page

VIEWS = ("reach", "overlap", "delivery", "incidence", "poverty", "causal")
LABEL = {"reach": "descriptive", "overlap": "descriptive", "delivery": "descriptive", "incidence": "descriptive",
         "poverty": "simulated", "causal": "causal"}  # fmt: skip
WHOLE = "all"


def show(page: Page) -> None:
    """Controls, then the chosen view."""
    rules = {rule.key: rule for rule in cache_efektivitas.programmes(page.key)}
    if not rules:
        st.info(page.t("no_rules", date=numbers.date(page.dataset.manifest.as_of, page.lang)), icon=":material/info:")
        return
    view = str(controls.choice("show", page.t("control_show"), VIEWS, VIEWS[0], lambda c: page.t(f"show_{c}"),
                               page=page.name, segmented=True))  # fmt: skip
    ask, place = _controls(page, view, rules)
    st.badge(page.t(f"label_{LABEL[view]}"), help=page.t(f"label_{LABEL[view]}_help"),
             color="orange" if LABEL[view] == "simulated" else "primary")  # fmt: skip
    with st.spinner(page.t("computing")):
        PARTS[view](page, ask, rules[ask.programme], place)


def _controls(page: Page, view: str, rules: dict[str, Rule]) -> tuple[Ask, str]:
    with_base = view in ("reach", "incidence")
    columns = st.columns(6 if with_base else 5, gap="small")
    lang, first = page.lang, next(iter(rules))
    with columns[0]:
        programme = str(controls.choice("program", page.t("control_program"), tuple(rules), first,
                                        lambda c: rules[c].abbreviation(lang), page=page.name))  # fmt: skip
    provinces = units.table("province")
    with columns[1]:
        province = str(controls.choice(
            "province", page.t("control_province"), (units.NATION, *provinces["code"]), units.NATION,
            lambda c: page.t("nation") if c == units.NATION else units.name(c), page=page.name))  # fmt: skip
    regencies = units.table("regency")["code"]
    inside = tuple(c for c in regencies if province != units.NATION and c.startswith(province))
    with columns[2]:
        regency = str(controls.choice("regency", page.t("control_regency"), (WHOLE, *inside), WHOLE,
                                      lambda c: page.t("whole_province") if c == WHOLE else units.name(c),
                                      page=page.name))  # fmt: skip
    with columns[3]:
        known = PLACES if page.dataset.manifest.urban_known else PLACES[:1]
        where = str(controls.choice("place", page.t("control_place"), known, PLACES[0], lambda c: page.t(f"place_{c}"),
                                    page=page.name,
                                    help=None if len(known) > 1 else page.t("no_urban")))  # fmt: skip
    with columns[4]:
        group = str(controls.choice("group", page.t("control_group"), GROUPS, GROUPS[0],
                                    lambda c: _group_name(page, c), page=page.name))  # fmt: skip
    area = province if regency == WHOLE else regency
    base = 0
    if with_base:
        with columns[5]:
            base = int(controls.choice("base", page.t("control_base"), (0, *range(1, 10)), 0,
                                       lambda k: page.t("base_own" if k == 0 else "base_decile", k=k),
                                       page=page.name, help=page.t("base_help")))  # fmt: skip
    name = page.t("nation") if area == units.NATION else units.name(area)
    words = [name, *([page.t(f"place_{where}").lower()] if where != "all" else []),
             *([_group_name(page, group).lower()] if group != "all" else [])]  # fmt: skip
    return Ask(programme, area, where, group, base), ", ".join(words)


def _group_name(page: Page, group: str) -> str:
    """What a kind of family is called; a disability is known by its severity only where members are."""
    known = group == "disability" and page.dataset.manifest.has_members
    return page.t("group_severe_disability" if known else f"group_{group}")


def _names(page: Page) -> dict[str, str]:
    return {rule.key: rule.abbreviation(page.lang) for rule in cache_efektivitas.programmes(page.key)}


def _head(page: Page, finding: str, figures: list[Figure], note: str = "") -> None:
    st.header(finding, anchor=False)
    if note:
        st.caption(note)
    for column, figure in zip(st.columns(max(len(figures), 1), gap="small"), figures):
        with column.container(border=True, height="stretch", gap=None):
            st.metric(figure.label, figure.value)
            if figure.note:
                st.caption(figure.note)


def _chart(page: Page, figure: Any, finding: str, key: str) -> None:
    st.plotly_chart(figure, width="stretch", config=theme.CONFIG, key=f"efektivitas.{key}",
                    alt=page.t("alt_chart", finding=finding))  # fmt: skip
    st.caption(labels.source_line(page.dataset.manifest, page.lang))


def _table(page: Page, made: Table, title: str, stem: str, reason: str = "") -> None:
    st.dataframe(made.styler(page.lang), width="stretch", hide_index=True, placeholder=made.placeholder(page.lang),
                 alt=page.t("alt_table", finding=title), key=f"efektivitas.table.{stem}")  # fmt: skip
    if reason:
        st.caption(reason)
    mutu_area.download(page, made, title, stem, (reason,))


def _method(page: Page) -> None:
    st.page_link("pages/metode.py", label=page.t("to_method"), icon=":material/function:",
                 query_params={"show": "effect"})  # fmt: skip


def reach(page: Page, ask: Ask, rule: Rule, place: str) -> None:
    found = cache_efektivitas.reached(page.key, ask)
    lang, unit = page.lang, found.unit
    row = found.totals.frame.iloc[0]
    finding = efektivitas.reach_finding(found.totals, rule, unit, found.last_decile, place, lang)
    word = efektivitas.unit_word(unit, lang)
    figures = [
        Figure(page.t("figure_eligible"), numbers.people(row["eligible"], lang), word),
        Figure(page.t("figure_listed"), numbers.people(row["listed"], lang), word),
        Figure(page.t("figure_exclusion"), numbers.percent(row["exclusion"], lang),
               page.t("of_eligible", count=numbers.people(row["missed"], lang), unit=word)),
        Figure(page.t("figure_leakage"), numbers.percent(row["leakage"], lang),
               page.t("of_listed", count=numbers.people(row["leaked"], lang), unit=word)),
    ]  # fmt: skip
    base = efektivitas.base_words(rule, found.last_decile, found.official, lang)
    _head(page, finding, figures, page.t("reach_note", base=base, n=numbers.number(row["n"], lang), source=rule.source))
    left, right = st.columns(2, gap="large")
    with left:
        title = efektivitas.decile_finding(found.by_decile, rule, unit, found.last_decile, lang)
        st.subheader(title, anchor=False)
        _chart(page, efektivitas_charts.by_decile(found.by_decile, "share", found.last_decile, lang,
                                                  page.t("axis_share")), title, "reach")  # fmt: skip
    with right:
        cause = efektivitas.cause_finding(found.totals, unit, lang)
        st.subheader(cause, anchor=False)
        for kind in ("missed", "leaked"):
            made = efektivitas.cause_table(found.totals, kind, lang)
            _table(page, made, cause, f"sebab-{kind}", found.totals.reason(lang))
        st.caption(page.t("cause_note"))
    with st.expander(page.t("behind"), icon=":material/table:"):
        _table(page, efektivitas.reach_table(found.by_decile, unit, lang), title, "jangkauan",
               found.by_decile.reason(lang))  # fmt: skip
    _method(page)


def overlap(page: Page, ask: Ask, rule: Rule, place: str) -> None:
    patterns, pairs = cache_efektivitas.overlap(page.key, ask)
    if patterns.frame.empty:
        st.info(page.t("nobody", place=place), icon=":material/info:")
        return
    finding = efektivitas.overlap_finding(patterns, page.lang)
    _head(page, finding, [], page.t("overlap_note", place=place,
                                    n=numbers.number(patterns.frame["n"].sum(), page.lang)))  # fmt: skip
    names = _names(page)
    _chart(page, efektivitas_charts.upset(patterns, tuple(FLAGS), names, page.lang), finding, "upset")
    st.subheader(page.t("matrix_title"), anchor=False)
    _table(page, efektivitas.overlap_table(pairs, names, page.lang), page.t("matrix_title"), "tumpang-tindih",
           pairs.reason(page.lang))  # fmt: skip


def delivery(page: Page, ask: Ask, rule: Rule, place: str) -> None:
    found = cache_efektivitas.readiness(page.key, ask)
    if found is None:
        st.info(page.t("delivery_unknown"), icon=":material/info:")
        return
    row, lang = found.frame.iloc[0], page.lang
    finding = efektivitas.delivery_finding(found, rule, place, lang)
    _head(page, finding, [
        Figure(page.t("figure_listed_families"), numbers.people(row["families"], lang), ""),
        Figure(page.t("figure_nik"), numbers.percent(row["share_valid"], lang), page.t("nik_note")),
        Figure(page.t("figure_fresh"), numbers.percent(row["share_fresh"], lang), page.t("fresh_note")),
        Figure(page.t("figure_account"), page.t("unknown"), page.t("account_note")),
    ], page.t("delivery_note", n=numbers.number(row["n"], lang)))  # fmt: skip
    _table(page, efektivitas.delivery_table(found, lang), finding, "kesiapan", found.reason(lang))


def incidence(page: Page, ask: Ask, rule: Rule, place: str) -> None:
    made = cache_efektivitas.incidence(page.key, ask)
    if made is None:
        st.info(page.t("nobody", place=place), icon=":material/info:")
        return
    found, by_decile, _, _ = made
    lang, figures = page.lang, found.figures
    finding = efektivitas.incidence_finding(figures, rule, found.last_decile, place, lang)
    cards = [
        Figure(page.t("figure_cgh"), numbers.number(figures["cgh"], lang, 2) if found.priced else page.t("unknown"),
               page.t("cgh_note")),
        Figure(page.t("figure_differential"), numbers.points(figures["differential"], lang),
               page.t("differential_note")),
        Figure(page.t("figure_concentration"),
               numbers.signed(figures["concentration"], lang, 3) if found.priced else page.t("unknown"),
               page.t("concentration_note")),
        Figure(page.t("figure_adequacy"),
               numbers.percent(figures["adequacy"], lang) if found.priced else page.t("unknown"),
               page.t("adequacy_note")),
    ]  # fmt: skip
    n = numbers.number(by_decile.frame["n"].sum(), lang)
    _head(page, finding, cards, page.t("incidence_note", quarter=found.quarter or "–", last=found.last_decile, n=n))
    if found.priced:
        st.caption(page.t("triangle", coverage=numbers.percent(figures["coverage_low"], lang),
                          mean=numbers.rupiah(figures["mean_benefit"], lang),
                          share=numbers.percent(figures["share_low"], lang), last=found.last_decile))  # fmt: skip
    left, right = st.columns(2, gap="large")
    with left:
        title = efektivitas.incidence_decile_finding(by_decile, rule, lang)
        st.subheader(title, anchor=False)
        _chart(page, efektivitas_charts.by_decile(by_decile, "share_listed", found.last_decile, lang,
                                                  page.t("axis_of_all"), "share_benefits"),
               title, "incidence")  # fmt: skip
    with right:
        said = efektivitas.curve_finding(found.curve, lang) if found.priced else page.t("curve_title")
        st.subheader(said, anchor=False)
        if found.priced:
            _chart(page, efektivitas_charts.curve(found.curve, lang), said, "curve")
        else:
            st.info(page.t("unpriced"), icon=":material/info:")
    with st.expander(page.t("behind"), icon=":material/table:"):
        _table(page, efektivitas.incidence_table(by_decile, lang), title, "insidensi", by_decile.reason(lang))
    _method(page)


def poverty(page: Page, ask: Ask, rule: Rule, place: str) -> None:
    made = cache_efektivitas.incidence(page.key, ask)
    if made is None:
        st.info(page.t("nobody", place=place), icon=":material/info:")
        return
    _, _, table, effect = made
    if table is None or effect is None:
        st.info(page.t("unpriced" if page.dataset.simulated else "no_model"), icon=":material/info:")
        return
    lang = page.lang
    finding = efektivitas.poverty_finding(effect, table, rule, place, lang)
    _head(page, finding, [
        Figure(page.t("figure_lifted"), numbers.people(effect.persons, lang),
               page.t("plus_minus", half=numbers.people(effect.persons_half_width, lang))),
        Figure(page.t("figure_gap"), numbers.rupiah(effect.gap_without - effect.gap_with, lang),
               page.t("a_year", total=numbers.rupiah(effect.gap_without, lang))),
        Figure(page.t("figure_cost"), numbers.rupiah(effect.cost, lang), page.t("cost_note")),
        Figure(page.t("figure_benefit_cost"), numbers.number(effect.benefit_cost, lang, 2),
               page.t("benefit_cost_note")),
    ], page.t("poverty_note", n=numbers.number(effect.n, lang)))  # fmt: skip
    if ask.programme == "pbi":
        st.caption(page.t("in_kind"))
    _chart(page, efektivitas_charts.poverty(table, lang), finding, "poverty")
    _table(page, efektivitas.poverty_table(table, lang), finding, "kemiskinan", table.reason(lang))
    _method(page)


def causal(page: Page, ask: Ask, rule: Rule, place: str) -> None:
    if not cache_efektivitas.has_panel(page.key):
        st.info(page.t("no_panel"), icon=":material/info:")
        return
    left, right = st.columns(2, gap="small")
    with left:
        design = str(controls.choice("design", page.t("control_design"), DESIGNS, DESIGNS[0],
                                     lambda c: page.t(f"design_{c}"), page=page.name, segmented=True))  # fmt: skip
    with right:
        outcome = str(controls.choice("outcome", page.t("control_outcome"), OUTCOMES, OUTCOMES[0],
                                      lambda c: page.t(f"outcome_{c}"), page=page.name, segmented=True))  # fmt: skip
    if design == "rd" and rule.decile_to is None:
        st.info(page.t("no_cutoff", name=rule.abbreviation(page.lang)), icon=":material/info:")
        return
    held = st.empty()  # the bar appears when there is work to do, and leaves with it

    def tell(share: float) -> None:
        held.progress(share, page.t("working", percent=numbers.percent(share, page.lang, 0)))

    judged = cache_efektivitas.judged(page.key, ask, design, outcome, tell)
    held.empty()
    verdict, lang, names = judged.verdict, page.lang, _names(page)
    finding = efektivitas.causal_finding(verdict, rule, place, lang)
    st.header(finding, anchor=False)
    if verdict.result is None:
        st.info(efektivitas.reason_words(verdict, lang), icon=":material/info:")
        return
    st.caption(efektivitas.method_words(verdict, lang))
    if not verdict.credible:
        st.warning(efektivitas.failed_words(verdict, names, lang), icon=":material/warning:")
    if judged.chart is not None:
        draw = efektivitas_charts.discontinuity if design == "rd" else efektivitas_charts.event_study
        _chart(page, draw(judged.chart, lang, outcome), finding, f"causal.{design}")
    st.subheader(page.t("checks_title"), anchor=False)
    _table(page, efektivitas.check_table(verdict.checks, names, lang), page.t("checks_title"), "uji")
    with st.expander(page.t("sensitivity_title"), icon=":material/tune:"):
        if design == "did":
            st.dataframe(efektivitas.study_table(judged.chart, outcome, lang).styler(lang), width="stretch",
                         hide_index=True, alt=page.t("alt_table", finding=finding))  # fmt: skip
            st.markdown(f"**{page.t('sensitivity_estimators')}**")
            st.dataframe(efektivitas.estimator_table(verdict, lang).styler(lang), width="stretch", hide_index=True,
                         alt=page.t("alt_table", finding=page.t("sensitivity_estimators")))  # fmt: skip
        for name, column in (("bandwidth", "factor"), ("donut", "radius"), ("placebo", "placebo")):
            if name in verdict.tables:
                st.markdown(f"**{page.t(f'sensitivity_{name}')}**")
                made = efektivitas.sensitivity_table(verdict.tables[name], column, outcome, lang)
                st.dataframe(made.styler(lang), width="stretch", hide_index=True,
                             placeholder=numbers.not_available(lang),
                             alt=page.t("alt_table", finding=page.t(f"sensitivity_{name}")))  # fmt: skip
    _method(page)


PARTS: dict[str, Callable[[Page, Ask, Rule, str], None]] = {
    "reach": reach, "overlap": overlap, "delivery": delivery, "incidence": incidence, "poverty": poverty,
    "causal": causal,
}  # fmt: skip
