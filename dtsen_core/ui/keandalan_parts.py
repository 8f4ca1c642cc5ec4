"""The reliability page: tournament, errors and calibration of models on held-out survey households."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from dtsen_core.present import charts_keandalan as charts
from dtsen_core.present import keandalan, labels, numbers, theme
from dtsen_core.present.peringkat_export import csv_bytes
from dtsen_core.present.peringkat_tables import Table
from dtsen_core.rank.methods import baseline
from dtsen_core.rank.methods import tournament as entrants
from dtsen_core.ui import cache_keandalan, controls
from dtsen_core.ui.shell import Page

VIEWS = ("tournament", "trust", "calibration", "uncertainty", "planner", "robust")
CUTS = tuple(range(1, 10))
KINDS = ("all", "province", "area", "type")
FIRST_CUT = 4


def view(page: Page) -> str:
    st.markdown(page.t("intro"))
    return str(
        controls.choice("show", page.t("control_show"), VIEWS, VIEWS[0], lambda code: page.t(f"show_{code}"),
                        page=page.name, segmented=True)
    )  # fmt: skip


def cut_choice(page: Page) -> int:
    return int(
        controls.choice("cut", page.t("control_cut"), CUTS, FIRST_CUT, lambda k: numbers.percent(k / 10, page.lang, 0),
                        page=page.name)
    )  # fmt: skip


def model_choice(page: Page, options: Sequence[str]) -> str:
    first = "pmt_provinsi" if "pmt_provinsi" in options else options[0]
    return str(
        controls.choice("model", page.t("control_model"), options, first,
                        lambda name: keandalan.model_label(name, page.lang), page=page.name)
    )  # fmt: skip


def chart(page: Page, figure: go.Figure, finding: str, key: str) -> None:
    st.plotly_chart(figure, width="stretch", config=theme.CONFIG, key=f"keandalan.{key}",
                    alt=page.t("alt_chart", finding=finding))  # fmt: skip


def table(page: Page, made: Table, finding: str, stem: str, reason: str = "") -> None:
    """The table behind a figure, with its file."""
    st.markdown(f"**{page.t('table_behind')}**")
    st.dataframe(made.styler(page.lang), width="stretch", hide_index=True, placeholder=made.placeholder(page.lang),
                 alt=page.t("alt_table", finding=finding))  # fmt: skip
    manifest = page.dataset.manifest
    note = [labels.origin_label(manifest, page.lang), finding, labels.source_line(manifest, page.lang)]
    note += [reason] if reason else []
    if reason:
        st.caption(reason)
    st.download_button(
        page.t("download_csv"), lambda: csv_bytes(made.sheet(stem, page.lang), note),
        f"{page.t('file_stem')}-{stem}-{manifest.version}.csv", icon=":material/download:", on_click="ignore",
        key=f"keandalan.csv.{stem}",
    )  # fmt: skip


def ready(page: Page, what: str, wanted: str, start: str) -> bool:
    """Whether `what` is computed; if not, say so and offer to compute it now, with progress."""
    if not cache_keandalan.has_survey(page.key):
        st.info(page.t("no_survey"), icon=":material/info:")
        return False
    if cache_keandalan.is_ready(page.key, what):
        return True
    st.info(wanted, icon=":material/hourglass_empty:")
    if st.button(start, type="primary", icon=":material/play_arrow:", key=f"keandalan.start.{what}"):
        bar = st.progress(0.0)

        def tell(done: float) -> None:
            share = min(max(done, 0.0), 1.0)
            bar.progress(share, page.t("working", percent=numbers.percent(share, page.lang, 0)))

        cache_keandalan.compute(page.key, what, tell)
        st.rerun()
    return False


def _held(page: Page) -> bool:
    wanted = page.t(
        "tournament_wanted", count=len(entrants()),
        households=numbers.number(cache_keandalan.survey_households(page.key), page.lang),
    )  # fmt: skip
    return ready(page, "tournament", wanted, page.t("tournament_start"))


def tournament(page: Page) -> None:
    if not _held(page):
        return
    cut = cut_choice(page)
    rows = keandalan.contest(cache_keandalan.tournament(page.key), cut, page.lang)
    finding = keandalan.contest_finding(rows, cut, page.lang)
    st.subheader(finding, anchor=False)
    base = float(rows.loc[rows["model"] == baseline(), "exclusion"].iloc[0])
    name = keandalan.model_label(baseline(), page.lang)
    chart(page, charts.error_dots(rows, page.lang, base, name), finding, "tournament")
    st.caption(page.t("tournament_note"))
    table(page, keandalan.contest_table(rows, page.lang), finding, "tournament")


def trust(page: Page) -> None:
    if not _held(page):
        return
    frame = cache_keandalan.tournament(page.key)
    columns = st.columns([2, 1, 1.4], vertical_alignment="top")
    with columns[0]:
        model = model_choice(page, list(dict.fromkeys(frame["model"])))
    with columns[1]:
        cut = cut_choice(page)
    with columns[2]:
        kind = str(controls.choice("group", page.t("control_group"), KINDS, KINDS[0],
                                   lambda code: page.t(f"group_{code}"), page=page.name))  # fmt: skip
    if kind == "all":
        rows = frame[(frame["model"] == model) & (frame["kind"] == "all")].reset_index(drop=True)
        finding = keandalan.curve_finding(rows, cut, page.lang)
        st.subheader(finding, anchor=False)
        chart(page, charts.error_curves(rows, page.lang), finding, "curves")
        made = keandalan.error_table(rows, ("cut", "col_cut"), page.lang)
    else:
        rows = keandalan.groups_of(frame, model, kind, cut, page.lang)
        finding = keandalan.groups_finding(rows, cut, page.lang)
        st.subheader(finding, anchor=False)
        chart(page, charts.error_dots(rows, page.lang), finding, f"groups.{kind}")
        made = keandalan.error_table(rows, ("label", "col_group"), page.lang)
    st.caption(f"{page.t('trust_note')} {page.t('tournament_note')}")
    table(page, made, finding, f"errors-{kind}")


def calibration(page: Page) -> None:
    if not _held(page):
        return
    model = model_choice(page, list(entrants()))
    rows = cache_keandalan.calibration(page.key, model)
    finding = keandalan.calibration_finding(rows, model, page.lang)
    st.subheader(finding, anchor=False)
    chart(page, charts.calibration_dots(rows, page.lang), finding, "calibration")
    st.caption(page.t("calibration_note"))
    table(page, keandalan.calibration_table(rows, page.lang), finding, "calibration")
