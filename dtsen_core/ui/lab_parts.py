"""The impact view of the ranking page, and the passport below every view."""

from __future__ import annotations

import html

import streamlit as st

from dtsen_core import locale
from dtsen_core.policy.programme_rules import Rule, summary_rules
from dtsen_core.policy.request import OFFICIAL, RankRequest
from dtsen_core.present import charts_rank, lab, maps, numbers, peringkat, theme
from dtsen_core.present import peringkat_tables as tables
from dtsen_core.regions import boundaries, units
from dtsen_core.ui import cache_lab, lab_controls, peringkat_parts, peta_known, peta_map
from dtsen_core.ui.cache_lab import Changed
from dtsen_core.ui.shell import Page

COLOURS = {"light": theme.DIVERGING[::-1], "dark": theme.DIVERGING[::-1]}  # a growing share of the worst off is amber


def _t(page: Page, key: str, **params: object) -> str:
    return locale.text(f"lab.{key}", page.lang, **params)


def impact(page: Page, request: RankRequest, place: str) -> tables.Table | None:
    """Who enters and leaves deciles 1..k against the official ranking, where, and for how much; the table of areas
    for the downloads."""
    if request.model == OFFICIAL:
        st.info(_t(page, "official_chosen"), icon=":material/info:")
        return None
    narrow, _ = st.columns([1, 3])
    with narrow:
        cut = lab_controls.cut(page)
    with st.spinner(page.t("computing")):
        found = cache_lab.changed(page.key, request, cut)
    finding = lab.finding(found.total.frame.iloc[0], cut, place, page.lang)
    st.subheader(finding, anchor=False)
    seconds = numbers.number(found.seconds, page.lang, 2)
    rows = numbers.number(found.total.frame["n"].iat[0], page.lang)
    st.caption(_t(page, "against", seconds=seconds, rows=rows))
    rules = {rule.key: rule for rule in summary_rules(page.dataset.manifest.as_of)}
    names = {key: rule.abbreviation(page.lang) for key, rule in rules.items()}
    with st.container(horizontal=True):
        for tile in lab.tiles(found.programmes, names, page.lang):
            with st.container(border=True, gap="xsmall"):
                st.metric(tile.label, tile.value)
                st.caption(tile.directions)
                st.caption(tile.budget)
    _map(page, request, found, place, finding)
    areas = _ends(page, found)
    st.markdown(f"**{_t(page, 'programmes_title')}**")
    made = lab.programme_table(found.programmes, names, page.lang)
    st.dataframe(
        made.styler(page.lang), width="stretch", hide_index=True, placeholder=made.placeholder(page.lang),
        alt=_t(page, "alt_programmes"),
    )  # fmt: skip
    st.caption(_t(page, "eligibility_note", amounts=_amounts(page, found, rules)))
    matrix = found.matrix.frame[list(charts_rank.DECILES)]
    if not matrix.isna().all(axis=None):
        st.markdown(f"**{_t(page, 'matrix_title')}**")
        fig = charts_rank.transition_heatmap(peringkat.row_shares(matrix), page.lang)
        peringkat_parts.chart(page, fig, page.t("alt_moves", finding=finding), "impact.matrix")
    return areas


def _amounts(page: Page, found: Changed, rules: dict[str, Rule]) -> str:
    parts = []
    for row in found.programmes.frame.to_dict("records"):
        rule = rules[row["key"]]
        parts.append(
            _t(page, "amount_of", name=rule.abbreviation(page.lang), amount=numbers.rupiah(row["amount"], page.lang),
               unit=_t(page, f"unit_{row['unit']}"), source=rule.source_amount if rule.amount else rule.source_budget)
        )  # fmt: skip
    return "; ".join(parts)


def _map(page: Page, request: RankRequest, found: Changed, place: str, finding: str) -> None:
    frame = lab.shares(found.areas)
    bounds = lab.edges(frame["change"])
    rows = lab.map_rows(frame, bounds, page.lang)
    mode, container = peta_known.theme_mode(), request.region or units.NATION
    current = boundaries.current()
    province = container[:2] if request.level == "district" else None
    style = maps.MapStyle(
        shapes=current.url(request.level, province),
        land=current.land(province),
        style=f"app/static/map/style{'-dark' if mode == 'dark' else ''}.json",
        colours=COLOURS[mode],
        mode=mode,
    )
    title = _t(page, "map_title", cut=found.cut)
    st.markdown(f"**{title}**")
    level = locale.text(f"peta.level_{request.level}", page.lang)
    indicative = current.origin(request.level)["kind"] == "indikatif"
    fig = maps.choropleth(
        rows, style, boundaries.bbox(container), hover=lab.hover(frame, page.lang), lang=page.lang,
        corner=locale.text("peta.map_corner", page.lang, where=html.escape(place), count=len(rows), level=level),
        hint=_t(page, "map_hint"), frame=maps.WIDE,
        note=locale.text("peta.map_indicative" if indicative else "peta.map_official", page.lang),
    )  # fmt: skip
    st.plotly_chart(
        fig, key="peringkat.map", theme=None, config=theme.CONFIG | {"scrollZoom": True},
        alt=_t(page, "map_alt", title=title, finding=finding),
    )  # fmt: skip
    colours = (maps.NO_FIGURE[mode], *COLOURS[mode])
    peta_map.legend_list(
        title,
        [(colour, 1.0, label, _t(page, "class_areas", count=numbers.number(count, page.lang)))
         for colour, (label, count) in zip(colours, lab.legend(rows, bounds, page.lang))],
    )  # fmt: skip
    notes = [_t(page, "small_sample")] if bool(rows["doubt"].any()) else []
    st.caption(" ".join([*notes, found.areas.reason(page.lang)]))


def _ends(page: Page, found: Changed) -> tables.Table:
    frame = lab.shares(found.areas)
    finding = lab.gain_finding(frame, found.cut, page.lang)
    st.subheader(finding, anchor=False)
    shown = lab.ends(frame)
    if len(shown):
        peringkat_parts.chart(page, lab.bars(shown, page.lang), _t(page, "alt_bars", finding=finding), "impact.bars")
    made = lab.area_table(found.areas, page.lang)
    peringkat_parts.table(page, made, finding, found.areas.reason(page.lang))
    return made


def passport(page: Page, request: RankRequest) -> None:
    """What names this ranking, and the command that makes it again."""
    title = _t(page, "passport_title")
    box = st.expander(title, icon=":material/badge:", key="peringkat.passport", on_change="rerun")
    if not box.open:
        return
    name, dataset, model, document = cache_lab.passport(page.key, request)
    file = f"paspor-{name}.json"
    with box:
        st.markdown(
            _t(page, "passport_body", id=name, version=page.dataset.version, dataset=dataset[:12],
               model=model[:12] or "–", code=page.dataset.manifest.code_version)
        )  # fmt: skip
        if not document:
            st.caption(_t(page, "passport_withheld"))
            return
        st.code(_t(page, "passport_command", file=file), language=None)
        st.download_button(
            _t(page, "passport_download"), document, file, "application/json", icon=":material/download:",
            on_click="ignore",
        )  # fmt: skip

