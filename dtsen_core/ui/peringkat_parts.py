"""The parts of the ranking page below its controls: each states its finding, draws, and shows its table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy import classes as welfare_classes
from dtsen_core.policy.welfare import OFFICIAL, RankRequest
from dtsen_core.present import charts_rank, labels, numbers, peringkat, theme
from dtsen_core.present import peringkat_tables as tables
from dtsen_core.present.peringkat_export import csv_bytes, xlsx_bytes
from dtsen_core.regions import units
from dtsen_core.ui import cache_peringkat, fitting, peringkat_controls
from dtsen_core.ui.cache_peringkat import Ranking
from dtsen_core.ui.shell import Page

BARS = 40  # areas in one figure; more would not fit a reader's eye, the table has all


def chart(page: Page, fig, alt: str, key: str) -> None:  # type: ignore[no-untyped-def]
    """A figure with its alternative text and source line."""
    st.plotly_chart(fig, width="stretch", config=theme.CONFIG, key=key, alt=alt)
    st.caption(labels.source_line(page.dataset.manifest, page.lang))


def table(page: Page, made: tables.Table, finding: str, reason: str = "", behind: bool = True) -> None:
    """A table, usually the one behind a figure, with the reason for suppressed cells."""
    if behind:
        st.markdown(f"**{page.t('table_behind')}**")
    st.dataframe(
        made.styler(page.lang),
        width="stretch",
        hide_index=True,
        placeholder=made.placeholder(page.lang),
        alt=page.t("alt_table", finding=finding),
    )
    if reason:
        st.caption(reason)


def numbers_row(page: Page, found: Ranking, tiles: bool = True) -> None:
    """How long the computation took over how many families; in `tiles`, or as the line below them alone."""
    total, ranked = found.total.frame.iloc[0], page.dataset.manifest
    if tiles:
        seconds = numbers.number(found.seconds, page.lang, 3 if found.seconds < 0.1 else 2)
        with st.container(horizontal=True):
            st.metric(page.t("metric_seconds"), page.t("seconds_n", seconds=seconds), border=True)
            st.metric(page.t("metric_rows"), numbers.number(ranked.families, page.lang), border=True)
            st.metric(page.t("metric_families"), numbers.people(total["families"], page.lang), border=True)
            st.metric(page.t("metric_persons"), numbers.people(total["persons"], page.lang), border=True)
    took = peringkat.took(found.seconds, ranked.families, ranked.registry_families, page.lang)
    st.caption(f"{took} {page.t('registry_base')}")


def headline(page: Page, found: Ranking, place: str) -> str:
    shares = peringkat.shares(found.areas, found.request.unit)
    return peringkat.decile_finding(shares, found.request, place, page.lang)


def _ends(page: Page, shown: pd.DataFrame, everything: pd.DataFrame) -> None:
    if len(shown) < len(everything):
        st.caption(
            page.t(
                "ends_shown",
                shown=numbers.number(len(shown), page.lang),
                all=numbers.number(len(everything), page.lang),
            )
        )
    if bool(shown["faint"].any()):
        st.caption(page.t("small_sample", n=peringkat.SMALL_SAMPLE))


def deciles(page: Page, found: Ranking, place: str) -> None:
    shares = peringkat.marked(peringkat.shares(found.areas, found.request.unit))
    finding = headline(page, found, place)
    st.subheader(finding, anchor=False)
    shown = peringkat.select_areas(shares, "low", BARS)
    _ends(page, shown, shares)
    chart(page, charts_rank.decile_bars(shown, page.lang), page.t("alt_deciles", finding=finding), "deciles")
    table(page, tables.decile_table(found.areas, page.lang), finding, found.areas.reason(page.lang))


def classes(page: Page, found: Ranking, place: str) -> None:
    frame = found.areas.frame
    if "p0" not in frame or frame["p0"].isna().all():
        st.info(page.t("no_classes"), icon=":material/info:")
        return
    finding = peringkat.class_finding(
        frame, found.total.frame.iloc[0], units.name(found.request.region or units.NATION), page.lang
    )
    st.subheader(finding, anchor=False)
    bounds = {c.name: numbers.number(c.below, page.lang, 1) for c in welfare_classes.classes()}
    st.caption(page.t("class_note", **bounds))
    shown = peringkat.select_areas(peringkat.marked(frame), "p0", BARS)
    _ends(page, shown, frame)
    chart(page, charts_rank.class_bars(shown, page.lang), page.t("alt_classes", finding=finding), "classes")
    st.markdown(f"**{page.t('finding_class_interval')}**")
    if found.request.benchmark:
        shown = shown.assign(beside=shown["p0_unbenchmarked"])
    chart(page, charts_rank.interval_dots(shown, page.lang), page.t("alt_interval", finding=finding), "interval")
    made = tables.class_table(found.areas, page.lang, found.request.benchmark)
    table(page, made, finding, found.areas.reason(page.lang))


def moves(page: Page, found: Ranking, second: RankRequest | None) -> Published | None:
    if second is None:
        st.info(page.t("no_second"), icon=":material/upload_file:")
        return None
    first = found.request
    if (first.model, first.scope, first.unit) == (second.model, second.scope, second.unit):
        st.info(page.t("same_rankings"), icon=":material/info:")
        return None
    published = cache_peringkat.moves(page.key, first, second, first.region)
    matrix = published.frame[list(charts_rank.DECILES)]
    if matrix.isna().all(axis=None):
        st.info(f"{page.t('finding_none')} {published.reason(page.lang)}", icon=":material/info:")
        return None
    finding = peringkat.transition_finding(peringkat.moves(matrix), first, page.lang)
    st.subheader(finding, anchor=False)
    names = [peringkat.ranking_name(r, page.lang) for r in (first, second)]
    fig = charts_rank.transition_heatmap(peringkat.row_shares(matrix), page.lang)
    st.caption(page.t("moves_note", first=names[0], second=names[1]))
    chart(page, fig, page.t("alt_moves", finding=finding), "moves")
    table(page, tables.transition_table(published, page.lang), finding, published.reason(page.lang))
    return published


def thresholds(page: Page, found: Ranking) -> None:
    frame = found.thresholds
    if found.request.model == OFFICIAL or frame.empty:
        st.info(page.t("no_thresholds"), icon=":material/info:")
        return
    region = found.request.region
    if region and (frame["code"].str.len() > 2).any():
        frame = frame[frame["code"].str.startswith(region)]
    made = tables.threshold_table(frame, page.lang)
    finding = peringkat.threshold_finding(frame, page.lang)
    st.subheader(finding, anchor=False)
    st.caption(page.t("thresholds_note"))
    table(page, made, finding, behind=False)


def method_and_downloads(page: Page, found: Ranking, place: str, view: str, moved: Published | None,
                         impact: tables.Table | None = None) -> None:  # fmt: skip
    """Method expander, and the published tables with the note inside: all as XLSX, that of `view` as CSV."""
    manifest = page.dataset.manifest
    note = peringkat.method_note(
        found.request, manifest.version, manifest.as_of, manifest.origin == "simulated", place, page.lang
    )
    with st.expander(page.t("method_title"), icon=":material/function:"):
        st.markdown("\n".join(f"- {line}" for line in note))
        st.markdown(f"- {page.t('class_source', source=welfare_classes.source())}")
    made = {"deciles": tables.decile_table(found.areas, page.lang)}
    if found.areas.frame.get("p0", pd.Series(dtype=float)).notna().any():
        made["classes"] = tables.class_table(found.areas, page.lang, found.request.benchmark)
    if impact is not None:
        made["impact"] = impact
    if moved is not None:
        made["moves"] = tables.transition_table(moved, page.lang)
    if not found.thresholds.empty:
        made["thresholds"] = tables.threshold_table(found.thresholds, page.lang)
    sheets = {name: t.sheet(page.t(f"sheet_{name}"), page.lang) for name, t in made.items()}
    one = sheets.get(view, sheets["deciles"])
    stem = f"{page.t('file_stem')}-{found.request.scope}-{found.request.unit}-{manifest.version}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            page.t("download_xlsx"),
            lambda: xlsx_bytes(list(sheets.values()), note, page.lang),
            f"{stem}.xlsx",
            icon=":material/download:",
            on_click="ignore",
            help=page.t("download_help"),
        )
        st.download_button(
            page.t("download_csv"),
            lambda: csv_bytes(one, note),
            f"{stem}.csv",
            icon=":material/download:",
            on_click="ignore",
            help=page.t("download_help"),
        )


def upload_wanted(page: Page) -> None:
    """What to do while no scorecard was uploaded."""
    st.info(page.t("upload_wanted"), icon=":material/upload_file:")
    st.download_button(
        page.t("upload_example"),
        peringkat.example_scorecard(),
        "kartu-skor.csv",
        icon=":material/download:",
        on_click="ignore",
    )


def second_request(page: Page, found: Ranking) -> RankRequest | None:
    st.markdown(f"**{page.t('second_title')}**")
    second = peringkat_controls.draw_second(page, found.request)
    if second is not None:
        fitting.ensure(page, second.model)
    return second
