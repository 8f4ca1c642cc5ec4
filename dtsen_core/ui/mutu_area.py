"""Where: the controls, map, legend, ranked table and file of one measure of data quality."""

from __future__ import annotations

import html
import re

import streamlit as st

from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.policy.quality import areas
from dtsen_core.policy.quality.areas import ALL, Ask
from dtsen_core.policy.quality.measures import Measure, measures, of_view
from dtsen_core.present import labels, maps, mutu_area, numbers, theme
from dtsen_core.present.peringkat_export import csv_bytes
from dtsen_core.present.peringkat_tables import Table
from dtsen_core.regions import boundaries, units
from dtsen_core.ui import cache_mutu, controls, peta_known, peta_map, peta_side
from dtsen_core.ui.shell import Page

TABLE_HEIGHT = 430
Choices = dict[str, tuple[tuple[str, ...], dict[str, str]]]
"""Name of a field of `Ask` → (codes, words) of a control."""


def options_of(page: Page, view: str) -> tuple[str, ...]:
    """The measures of `view` whose table this version of the dataset holds."""
    known = [key for key in of_view(view) if cache_mutu.has_table(page.key, measures()[key].table)]
    return tuple(known)


def where(
    page: Page, view: str, choices: Choices,
    fixed: dict[str, tuple[str, str]] | None = None,
) -> None:  # fmt: skip
    """The section on areas. `choices`: name of a field of `Ask` → (codes, words) of a further control; `fixed`: name →
    (code, word) of what was chosen elsewhere on the page."""
    offered = options_of(page, view)
    if not offered:
        st.info(page.t("no_area_table"), icon=":material/info:")
        return
    measure, ask, chosen = _controls(page, view, offered, choices, fixed or {})
    found = cache_mutu.where(page.key, ask, page.lang)
    level = page.t(f"peta.level_{ask.level}")
    title = mutu_area.finding(found, page.lang, level=ask.level)
    st.subheader(title, anchor=False)
    narrowed = mutu_area.narrowed(chosen, page.lang)
    st.caption(
        page.t("area_caption", level=level, of=found.rate.unit[page.lang],
               date=numbers.date(page.dataset.manifest.as_of, page.lang)) + (f" · {narrowed}" if narrowed else "")
    )  # fmt: skip
    left, right = st.columns([0.6, 0.4], gap="medium")
    with left:
        _map(page, measure, ask, found, title)
        _legend(page, found)
    with right:
        _table(page, view, ask, found, title)


def _controls(
    page: Page, view: str, offered: tuple[str, ...], choices: Choices,
    fixed: dict[str, tuple[str, str]],
) -> tuple[Measure, Ask, dict[str, str]]:  # fmt: skip
    key, rest = offered[0], st.container()
    if len(offered) > 1:
        first, rest = st.columns([2.2, 3.7], gap="small", vertical_alignment="top")
        with first:
            key = str(controls.choice("measure", page.t("control_measure"), offered, offered[0],
                                      lambda code: page.t(f"measure_{code}"), page=f"mutu.{view}"))  # fmt: skip
    if view == "reading" and key != "rule":
        choices = {name: choice for name, choice in choices.items() if name != "variable"}
    shares = [1.2] * len(choices) + [1.6]
    spare = (3.7 if len(offered) > 1 else 5.9) - sum(shares)
    columns = iter(rest.columns([*shares, spare] if spare > 0.1 else shares, gap="small", vertical_alignment="top"))
    given = {name: code for name, (code, _) in fixed.items()}
    said = {name: text for name, (code, text) in fixed.items() if code != ALL}
    for name, (codes, words) in choices.items():
        with next(columns):
            label = page.t(f"control_{_called(name, view)}")
            chosen = str(controls.choice(name, label, codes, codes[0], words.__getitem__, page=f"mutu.{view}"))
        given[name] = chosen
        if chosen != ALL:
            said[_called(name, view)] = words[chosen]
    possible = areas.levels(key)
    if len(possible) == 1:
        return measures()[key], Ask(measure=key, level=possible[0], **given), said
    with next(columns):
        level = str(controls.choice("level", page.t("control_level"), possible, possible[0],
                                    lambda code: page.t(f"level_{code}"), page=f"mutu.{view}",
                                    segmented=True))  # fmt: skip
    return measures()[key], Ask(measure=key, level=level, **given), said


def _called(name: str, view: str) -> str:
    """What a control is called: the variable of the reading part is a rule."""
    return "rule" if name == "variable" and view == "reading" else name


def _map(page: Page, measure: Measure, ask: Ask, found: mutu_area.Where, title: str) -> None:
    level = page.t(f"peta.level_{ask.level}")
    mode = peta_known.theme_mode()
    indicative = boundaries.current().origin(ask.level)["kind"] == "indikatif"
    figure = maps.choropleth(
        found.rows,
        peta_map.map_style(found.rate, ask.level, units.NATION, mode),
        boundaries.bbox(units.NATION),
        hover=mutu_area.hover(found, measure, page.lang),
        lang=page.lang,
        corner=page.t("peta.map_corner", where="Indonesia", count=len(found.rows), level=html.escape(level)),
        hint=page.t("map_hint"),
        frame=maps.NATION,
        note=page.t("peta.map_indicative" if indicative else "peta.map_official"),
    )
    st.plotly_chart(
        figure, key=f"mutu.map.{measure.view}", theme=None, config=theme.CONFIG | {"scrollZoom": True},
        alt=page.t("map_alt", measure=found.rate.label[page.lang], level=level, finding=title),
    )  # fmt: skip


def _legend(page: Page, found: mutu_area.Where) -> None:
    mode = peta_known.theme_mode()
    colours = (maps.NO_FIGURE[mode], *map_rules().scales[found.rate.scale][mode])
    title = page.t("peta.legend_title", measure=found.rate.label[page.lang], unit=found.rate.unit[page.lang])
    peta_map.legend_list(title, [(colours[e.klass], 1.0, e.label, e.detail) for e in found.legend])
    st.caption(" ".join([page.t("breaks"), *found.reasons]))


def _table(page: Page, view: str, ask: Ask, found: mutu_area.Where, title: str) -> None:
    level = page.t(f"peta.level_{ask.level}")
    styler, titles, _ = peta_side.styled(page, found.rate, found.rows, found.count)
    st.markdown(f"**{page.t('peta.table_title', count=len(found.rows), level=level)}**")
    config = {column: st.column_config.Column(name) for column, name in titles.items()}
    config["rank"] = st.column_config.Column(titles["rank"], width=38)
    config["name"] = st.column_config.Column(titles["name"], width=168)
    st.dataframe(
        styler, key=f"mutu.table.{view}.{ask.measure}.{ask.level}", hide_index=True, height=TABLE_HEIGHT,
        column_config=config, placeholder="–", alt=page.t("alt_table", finding=title),
    )  # fmt: skip
    first = page.t("peta.rank_largest" if found.rate.worst_first else "peta.rank_smallest")
    st.caption(page.t("table_help", first=first))
    download(page, mutu_area.area_table(found, page.lang), title, f"{view}-{ask.measure}-{ask.level}", found.reasons)


def download(page: Page, made: Table, title: str, stem: str, reasons: tuple[str, ...] = ()) -> None:
    """The table as CSV with what it is, where it comes from and why cells are hidden as leading lines."""
    manifest = page.dataset.manifest
    note = [
        labels.origin_label(manifest, page.lang), title, labels.source_line(manifest, page.lang),
        *(reason for reason in reasons if reason),
    ]  # fmt: skip
    name = re.sub(r"[^a-z0-9-]+", "-", f"mutu-{stem}".lower())
    st.download_button(
        page.t("download_csv"), lambda: csv_bytes(made.sheet(stem, page.lang), note),
        f"{name}-{manifest.version}.csv", icon=":material/download:", on_click="ignore",
        key=f"mutu.csv.{stem}", help=page.t("download_help"),
    )  # fmt: skip
