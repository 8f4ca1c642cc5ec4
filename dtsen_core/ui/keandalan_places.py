"""The reliability page: where ranking is a coin flip, where visits help, and what results hang on."""

from __future__ import annotations

import html

import numpy as np
import pandas as pd
import streamlit as st

from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.policy.robustness import DRAWS
from dtsen_core.policy.uncertainty import Question
from dtsen_core.present import charts_keandalan as charts
from dtsen_core.present import keandalan, maps, numbers, robust_maps, theme
from dtsen_core.present.mutu_area import Where
from dtsen_core.present.peta_hover import Hover
from dtsen_core.present.robust_maps import Shading
from dtsen_core.regions import boundaries, units
from dtsen_core.ui import cache_keandalan, controls, peta_known, peta_map
from dtsen_core.ui.keandalan_parts import chart, cut_choice, model_choice, ready, table
from dtsen_core.ui.shell import Page

SCOPES = ("national", "province", "regency")
UNITS = ("families", "persons")
BANDS = (30, 40, 45)
SPREADS = (25, 50, 100)
TESTS = ("weights", "questions", "short")
MATTERS = (robust_maps.PLACES, robust_maps.LOSS)
BOUNDS = (2, 5, 10, 20)
"""Tenths of a percentage point by which the exclusion error may rise."""
VISITS = (10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000)
COSTS = (25_000, 50_000, 100_000, 200_000)
ACCURACIES = (80, 90, 95, 100)
SHOWN = 25  # areas drawn where more would not be read


def _model(page: Page) -> str | None:
    options = cache_keandalan.models(page.key)
    if not options:
        st.info(page.t("no_model"), icon=":material/info:")
        return None
    return model_choice(page, options)


def _regions(page: Page) -> str | None:
    provinces = units.table("province")["code"].tolist()
    chosen = controls.choice(
        "region", page.t("control_region"), (units.NATION, *provinces), units.NATION,
        lambda code: page.t("whole_country") if code == units.NATION else units.name(code), page=page.name,
    )  # fmt: skip
    return None if chosen == units.NATION else str(chosen)


def _question(page: Page, *, band: bool) -> Question | None:
    first = st.columns([2.2, 1, 1.3, 1.1], vertical_alignment="top")
    with first[0]:
        model = _model(page)
    if model is None:
        return None
    with first[1]:
        cut = cut_choice(page)
    with first[2]:
        scope = str(controls.choice("scope", page.t("control_scope"), SCOPES, SCOPES[0],
                                    lambda code: page.t(f"scope_{code}"), page=page.name))  # fmt: skip
    with first[3]:
        unit = str(controls.choice("unit", page.t("control_unit"), UNITS, UNITS[0],
                                   lambda code: page.t(f"unit_{code}"), page=page.name))  # fmt: skip
    chance = 40
    if band:
        chance = int(controls.choice("band", page.t("control_band"), BANDS, 40,
                                     lambda k: numbers.percent(k / 100, page.lang, 0), page=page.name,
                                     segmented=True))  # fmt: skip
    return Question(model=model, scope=scope, unit=unit, cut=cut, band=chance / 100)


def uncertainty(page: Page) -> None:
    asked = _question(page, band=True)
    if asked is None:
        return
    columns = st.columns([1.6, 2], vertical_alignment="top")
    with columns[0]:
        region = _regions(page)
    levels = ("province", "regency") if region is None else ("regency", "district")
    with columns[1]:
        level = str(controls.choice("level", page.t("control_level"), levels, "regency",
                                    lambda code: page.t(f"level_{code}"), page=page.name, segmented=True))  # fmt: skip
    asked = Question(asked.model, asked.scope, asked.unit, asked.cut, asked.band, region)
    with st.spinner(page.t("computing")):
        shown, total = cache_keandalan.areas(page.key, asked, level)
    found = keandalan.where(shown, page.lang)
    finding = keandalan.uncertainty_finding(total, asked.cut, page.lang)
    st.subheader(finding, anchor=False)
    st.markdown(keandalan.where_finding(found, page.lang))
    _map(page, found, level, region, finding)
    st.caption(page.t("uncertainty_note", band=numbers.percent(asked.band, page.lang, 0)))
    table(page, keandalan.area_table(shown, page.lang), finding, f"uncertainty-{level}", shown.reason(page.lang))


def _map(page: Page, found: Where, level: str, region: str | None, finding: str) -> None:
    mode, place = peta_known.theme_mode(), region or units.NATION
    style = peta_map.map_style(found.rate, level, place, mode)
    _choropleth(page, found.rows, style, keandalan.hover(found, page.lang), level, place, finding)
    colours = (maps.NO_FIGURE[mode], *map_rules().scales[found.rate.scale][mode])
    title = page.t("peta.legend_title", measure=found.rate.label[page.lang], unit=found.rate.unit[page.lang])
    peta_map.legend_list(title, [(colours[e.klass], 1.0, e.label, e.detail) for e in found.legend])
    st.caption(page.t("breaks"))


def _choropleth(page: Page, rows: pd.DataFrame, style: maps.MapStyle, hover: Hover, level: str, place: str,
                finding: str, key: str = "map") -> None:  # fmt: skip
    """The map of `rows` (code, klass, doubt) of one level in `place`."""
    indicative = boundaries.current().origin(level)["kind"] == "indikatif"
    figure = maps.choropleth(
        rows, style, boundaries.bbox(place), hover=hover, lang=page.lang,
        corner=page.t("peta.map_corner", where=html.escape(units.name(place)), count=len(rows),
                      level=html.escape(page.t(f"peta.level_{level}"))),
        hint=page.t("map_hint"), frame=maps.WIDE,
        note=page.t("peta.map_indicative" if indicative else "peta.map_official"),
    )  # fmt: skip
    st.plotly_chart(
        figure, key=f"keandalan.{key}.{level}.{place}", theme=None, config=theme.CONFIG | {"scrollZoom": True},
        alt=page.t("map_alt", level=page.t(f"peta.level_{level}"), finding=finding),
    )  # fmt: skip


def _shaded(page: Page, shown: Shading, level: str, key: str) -> None:
    """A map of robustness of the whole country with its title and legend."""
    mode, current = peta_known.theme_mode(), boundaries.current()
    style = maps.MapStyle(
        shapes=current.url(level, None), land=current.land(), colours=shown.colours, mode=mode,
        style=f"app/static/map/style{'-dark' if mode == 'dark' else ''}.json",
    )  # fmt: skip
    st.markdown(f"**{shown.title}**")
    _choropleth(page, shown.rows, style, shown.hover, level, units.NATION, shown.finding, key)
    colours = (maps.NO_FIGURE[mode], *shown.colours)
    peta_map.legend_list("", [
        (colours[klass], 1.0, label, page.t("robust_maps.areas", count=numbers.number(count, page.lang)))
        for klass, label, count in shown.legend if klass or count
    ])  # fmt: skip
    if shown.rows["doubt"].any():
        st.caption(page.t("robust_maps.small_sample"))


def planner(page: Page) -> None:
    asked = _question(page, band=False)
    if asked is None:
        return
    columns = st.columns(4, vertical_alignment="top")
    with columns[0]:
        region = _regions(page)
    with columns[1]:
        visits = int(controls.choice("visits", page.t("control_visits"), VISITS, 100_000,
                                     lambda k: numbers.number(k, page.lang), page=page.name))  # fmt: skip
    with columns[2]:
        cost = int(controls.choice("cost", page.t("control_cost"), COSTS, 50_000,
                                   lambda k: numbers.number(k, page.lang), page=page.name))  # fmt: skip
    with columns[3]:
        accuracy = int(controls.choice("accuracy", page.t("control_accuracy"), ACCURACIES, 95,
                                       lambda k: numbers.percent(k / 100, page.lang, 0), page=page.name))  # fmt: skip
    asked = Question(asked.model, asked.scope, asked.unit, asked.cut, asked.band, region)
    with st.spinner(page.t("computing")):
        shown, curve, total = cache_keandalan.plan(page.key, asked, float(visits), accuracy / 100)
    used, removed = float(total["visits"]), float(total["removed"])
    random = float(np.interp(used, curve["visits"], curve["random"]))
    finding = keandalan.planner_finding(used, removed, random, page.lang)
    st.subheader(finding, anchor=False)
    st.markdown(keandalan.planner_cost(used, removed, cost, int(total["districts"]), page.lang))
    chart(page, charts.budget_curve(curve, used, removed, page.lang), finding, "budget")
    st.caption(page.t("planner_note"))
    table(page, keandalan.plan_table(shown, page.lang), finding, "plan", shown.reason(page.lang))


def robust(page: Page) -> None:
    test = str(controls.choice("test", page.t("control_test"), TESTS, TESTS[0], lambda code: page.t(f"test_{code}"),
                               page=page.name, segmented=True))  # fmt: skip
    {"weights": _weights, "questions": _questions, "short": _short}[test](page)


def _weights(page: Page) -> None:
    columns = st.columns([2.2, 1.6, 1.4], vertical_alignment="top")
    with columns[0]:
        model = _model(page)
    if model is None:
        return
    with columns[1]:
        spread = int(controls.choice("spread", page.t("control_spread"), SPREADS, 50,
                                     lambda k: numbers.percent(k / 100, page.lang, 0), page=page.name))  # fmt: skip
    with columns[2]:
        level = str(controls.choice("level", page.t("control_level"), ("province", "regency"), "province",
                                    lambda code: page.t(f"level_{code}"), page=page.name, segmented=True))  # fmt: skip
    with st.spinner(page.t("computing")):
        shown = cache_keandalan.stability(page.key, model, spread / 100, level)
    finding = keandalan.stability_finding(shown.frame, DRAWS, page.lang)
    st.subheader(finding, anchor=False)
    map_of = robust_maps.waver(shown.frame, page.lang, peta_known.theme_mode())
    st.markdown(map_of.finding + ".")
    _shaded(page, map_of, level, "waver")
    frame = shown.frame.dropna(subset=["rank"]).sort_values("rank", ignore_index=True)
    if level == "regency":
        frame = frame.nlargest(SHOWN, "width").sort_values("rank", ignore_index=True)
    chart(page, charts.rank_dots(frame, page.lang), finding, f"ranks.{level}")
    st.caption(page.t("stability_note"))
    table(page, keandalan.stability_table(shown, page.lang), finding, f"stability-{level}", shown.reason(page.lang))


def _questions(page: Page) -> None:
    """Which question matters where: for the ranks of areas, or for accuracy by province."""
    matter = str(controls.choice("matter", page.t("robust_maps.control_matter"), MATTERS, MATTERS[0],
                                 lambda code: page.t(f"robust_maps.matter_{code}"), page=page.name,
                                 segmented=True))  # fmt: skip
    {"places": _places, "loss": _losses}[matter](page)


def _question_choice(page: Page) -> str:
    return str(controls.choice(
        "question", page.t("robust_maps.control_question"), (robust_maps.ANY, *robust_maps.QUESTIONS), robust_maps.ANY,
        lambda code: page.t("robust_maps.question_any") if code == robust_maps.ANY
        else keandalan.indicator_label(code, page.lang), page=page.name,
    ))  # fmt: skip


def _places(page: Page) -> None:
    columns = st.columns([2.4, 2.2, 1.4], vertical_alignment="top")
    with columns[0]:
        model = _model(page)
    if model is None:
        return
    with columns[1]:
        question = _question_choice(page)
    with columns[2]:
        level = str(controls.choice("level", page.t("control_level"), ("province", "regency"), "regency",
                                    lambda code: page.t(f"level_{code}"), page=page.name, segmented=True))  # fmt: skip
    with st.spinner(page.t("computing")):
        shown = cache_keandalan.rank_ablation(page.key, model, level)
    if question == robust_maps.ANY:
        map_of = robust_maps.decisive(shown.frame, page.lang)
    else:
        map_of = robust_maps.moved(shown.frame, question, page.lang)
    st.subheader(map_of.finding, anchor=False)
    _shaded(page, map_of, level, "matter")
    st.caption(page.t("robust_maps.note_places"))
    made = robust_maps.decisive_table(shown.frame, question, page.lang)
    table(page, made, map_of.finding, f"questions-{level}", shown.reason(page.lang))


def _losses(page: Page) -> None:
    if not ready(page, "ablasi", page.t("test_wanted"), page.t("test_start")):
        return
    frame = cache_keandalan.ablation(page.key)
    columns = st.columns(2, vertical_alignment="top")
    with columns[0]:
        question = _question_choice(page)
    with columns[1]:
        place = _regions(page) or units.NATION
    map_of = robust_maps.loss(frame, question, page.lang, peta_known.theme_mode())
    st.subheader(map_of.finding, anchor=False)
    _shaded(page, map_of, "province", "loss")
    rows = keandalan.losses(frame, place, page.lang)
    finding = keandalan.losses_finding(rows, place, page.lang)
    st.subheader(finding, anchor=False)
    chart(page, charts.loss_bars(rows.head(15), page.lang), finding, "losses")
    st.caption(page.t("ablation_note"))
    table(page, keandalan.losses_table(rows, page.lang), finding, "losses")


def _short(page: Page) -> None:
    if not ready(page, "kuesioner", page.t("test_wanted"), page.t("test_start")):
        return
    bound = int(controls.choice("bound", page.t("control_bound"), BOUNDS, 5,
                                lambda k: numbers.number(k / 10, page.lang, 1), page=page.name,
                                segmented=True)) / 1000  # fmt: skip
    frame = cache_keandalan.questionnaire(page.key)
    chosen = keandalan.shortest(frame, bound)
    finding = keandalan.short_finding(frame, chosen, bound, page.lang)
    st.subheader(finding, anchor=False)
    st.markdown(keandalan.short_kept(chosen, page.lang))
    chart(page, charts.questionnaire_curve(frame, int(chosen["questions"]), page.lang), finding, "short")
    st.caption(page.t("short_note"))
    table(page, keandalan.short_table(frame, page.lang), finding, "short")
