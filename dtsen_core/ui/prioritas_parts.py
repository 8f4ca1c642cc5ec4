"""Map and table of a priority ranking, shared by the sections of the page."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dtsen_core import locale
from dtsen_core.policy.priority_plan import Plan, Ranked
from dtsen_core.present import maps, numbers, prioritas, prioritas_hover, theme
from dtsen_core.present.peta_hover import Hover
from dtsen_core.regions import boundaries, units
from dtsen_core.ui import peta_known
from dtsen_core.ui.shell import Page

TABLE_HEIGHT = 392
LONG, FIRST = 120, 60  # a table longer than LONG shows its FIRST rows until all are asked for


def area_map(
    page: Page, plan: Plan, rows: pd.DataFrame, colours: Mapping[str, Sequence[str]], hover: Hover, title: str, key: str
) -> None:
    """A map of the plan's areas in the given classes."""
    mode, current = peta_known.theme_mode(), boundaries.current()
    province = plan.within if plan.within != units.NATION else None
    closer = province if plan.level == "district" else None
    style = maps.MapStyle(
        shapes=current.url(plan.level, closer), land=current.land(closer),
        style="app/static/map/style-dark.json" if mode == "dark" else "app/static/map/style.json",
        colours=colours[mode], mode=mode,
    )  # fmt: skip
    indicative = current.origin(plan.level)["kind"] == "indikatif"
    figure = maps.choropleth(
        rows, style, boundaries.bbox(plan.within), hover=hover,
        corner=page.t("peta.map_corner", where=html.escape(units.name(plan.within)), count=len(rows),
                      level=prioritas.level_name(plan.level, page.lang)),
        hint=page.t("map_hint"), frame=maps.NATION if province is None else maps.AREA,
        note=page.t("peta.map_indicative" if indicative else "peta.map_official"), lang=page.lang,
    )  # fmt: skip
    st.plotly_chart(figure, key=f"{key}.{plan.level}.{plan.within}", theme=None,
                    config=theme.CONFIG | {"scrollZoom": True}, alt=title)  # fmt: skip


def data_line(page: Page) -> str:
    """Which dataset the registry's figures come from and of which day, in a few words."""
    origin = "simulated" if page.dataset.simulated else "real"
    date = numbers.date(page.dataset.manifest.as_of, page.lang)
    return locale.text(f"peta.hover_source_{origin}", page.lang, date=date)


def hover(page: Page, ranked: Ranked) -> Hover:
    """The hover of the ranking map: every indicator with unit, interval, count, n and source."""
    return prioritas_hover.make(ranked, data_line(page), page.lang, sampled=page.dataset.simulated)


def written(frame: pd.DataFrame, decimals: Mapping[str, int], lang: str, gap: str = "–", percent: str = "") -> Styler:
    """`frame` whose numbers sort as numbers and read as the language writes them, with the `decimals` of each column;
    `gap` stands for a missing one, and the column `percent` bears the sign."""

    def words(places: int, sign: str) -> Callable[[Any], str]:
        return lambda x: gap if pd.isna(x) else numbers.number(x, lang, places) + sign

    return frame.style.format({name: words(n, "%" if name == percent else "") for name, n in decimals.items()})


def table(page: Page, ranked: Ranked) -> None:
    """The ranking with the figures behind it; a long one starts with its first rows and shows the rest when asked."""
    lang, count = page.lang, len(ranked.table)
    view, titles = prioritas.table_view(ranked, lang)
    figures, more = prioritas_hover.figures(ranked, lang)
    whole = f"prioritas.whole.{ranked.plan.level}.{ranked.plan.within}"
    long = count > LONG
    if long and not st.session_state.get(whole, False):
        view = view.head(FIRST)
    config = {name: st.column_config.Column(words) for name, words in titles.items()}
    config["rank"] = st.column_config.Column(titles["rank"], width=44)
    decimals = {"rank": 0, "score": 3}
    config["name"] = st.column_config.TextColumn(titles["name"], width=140)
    config["p_top"] = st.column_config.ProgressColumn(
        titles["p_top"], min_value=0, max_value=100, format="%.0f%%", width=90
    )
    config["score"] = st.column_config.Column(titles["score"], width=60)
    for item in ranked.plan.items:
        i = ranked.indicators[item.key]
        decimals[item.key] = 0 if i.kind == "count" or i.format == "rupiah" else i.decimals
        words = f"{more[item.key][0]}. {prioritas_hover.source(i, data_line(page), lang)}"
        config[item.key] = st.column_config.Column(more[item.key][0], help=words)
    for name, (words, kind) in more.items():
        if kind != "value":
            decimals[name] = 1 if kind == "rate" else 0
            of = more.get(name.rpartition(".")[0], ("", ""))[0]
            config[name] = st.column_config.Column(words, help=f"{words}. {of}" if of else words)
    st.dataframe(written(view.join(figures).reset_index(drop=True), decimals, lang), key="prioritas.table",
                 hide_index=True, height=TABLE_HEIGHT, column_config=config, placeholder="–",
                 alt=page.t("table_alt"))  # fmt: skip
    if long:
        st.toggle(page.t("peta.table_all", first=FIRST, count=count), key=whole)
    st.caption(page.t("table_help", top=ranked.top) + " " + prioritas_hover.sources(ranked, data_line(page), lang))
