"""The blocks of the first page: figures on top, provinces, programmes, freshness, the presenter view."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from dtsen_core.present import labels, numbers, ringkasan_charts, ringkasan_slides, sentences, theme
from dtsen_core.present.ringkasan import Figure, Sealed, headline, programme_rows
from dtsen_core.ui import cache_ringkasan, shell, url_state

_TABLE_COUNTS = ("families", "persons", "families_d14")


def figures(page: shell.Page, sealed: Sealed) -> None:
    """The four headline figures in equal cards, each with its unit, what stands beside it, its source."""
    for column, figure in zip(st.columns(4), headline(sealed, page.lang)):
        with column, st.container(border=True, height="stretch"):
            _card(figure)

    st.caption(page.t("official_sources", sources=sentences.official_sources()))


def actions(page: shell.Page) -> None:
    """The ways out of the page: the presenter view and the one-page document."""
    params = {"view": shell.PRESENTER, "lang": page.lang, "embed": "true"}
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.link_button(
            page.t("present"),
            f"?{urlencode(params)}",
            icon=":material/slideshow:",
            help=page.t("present_help"),
        )
        st.download_button(
            page.t("pdf"),
            data=lambda: cache_ringkasan.pdf(page.key, page.lang),
            file_name=page.t("pdf_name", version=page.dataset.version),
            mime="application/pdf",
            icon=":material/picture_as_pdf:",
            on_click="ignore",
        )


def _card(figure: Figure) -> None:
    st.metric(figure.label, figure.value)
    lines = [f"**{figure.unit}**"] if figure.unit else []
    st.caption("  \n".join([*lines, *figure.notes]), help=figure.source)


def provinces(page: shell.Page, sealed: Sealed) -> None:
    finding = sentences.provinces(sealed, page.lang)
    share = sealed.nation.frame["share_d14"].iloc[0]
    st.subheader(finding, anchor=False)
    st.caption(page.t("provinces_note", share=numbers.percent(share, page.lang)))
    shown = sealed.provinces.frame["share_d14"].notna().sum()
    st.plotly_chart(
        ringkasan_charts.province_dots(sealed, page.lang),
        config=theme.CONFIG,
        key="ringkasan_provinces",
        alt=page.t("provinces_alt", areas=shown, finding=finding),
    )


def programmes(page: shell.Page, sealed: Sealed) -> None:
    rows = programme_rows(sealed)
    st.subheader(sentences.programmes(sealed, page.lang), anchor=False)
    if unknown := sentences.unknown_programmes(sealed, page.lang):
        st.caption(unknown)
    if not rows:
        return
    st.caption(page.t("programmes_note"))
    items = "; ".join(f"{r.name(page.lang)} {numbers.percent(r.target_share, page.lang)}" for r in rows)
    st.plotly_chart(
        ringkasan_charts.programme_bars(sealed, page.lang),
        config=theme.CONFIG,
        key="ringkasan_programmes",
        alt=page.t("programmes_alt", items=items),
    )
    st.table(sentences.programme_table(sealed, page.lang), border="horizontal")
    if not sealed.national:
        st.caption(page.t("part_of_nation", share=numbers.percent(sealed.share_of_registry, page.lang)))
    st.caption(page.t("programme_sources", sources=sentences.programme_sources()))


def freshness(page: shell.Page, sealed: Sealed) -> None:
    finding = sentences.freshness(sealed, page.lang)
    st.subheader(finding, anchor=False)
    st.caption(sentences.freshness_note(sealed, page.lang))
    st.plotly_chart(
        ringkasan_charts.freshness_bars(sealed, page.lang),
        config=theme.CONFIG,
        key="ringkasan_freshness",
        alt=page.t("freshness_alt", finding=finding),
    )


def province_table(page: shell.Page, sealed: Sealed) -> None:
    """The numbers behind the province chart, for reading and for keyboards and screen readers."""
    table = st.expander(page.t("table_provinces"), on_change="rerun", icon=":material/table:")
    if not table.open:
        return
    frame = sealed.provinces.frame.sort_values("share_d14", ascending=False)
    columns = ("name", "share_d14", "families_d14", "families", "persons", "n")
    shown = pd.DataFrame(frame[list(columns)]).rename(
        columns={c: page.t("col_province" if c == "name" else f"col_{c}") for c in columns}
    )
    hidden = sealed.provinces.label(page.lang)
    styled = shown.style.format(
        {page.t("col_share_d14"): lambda v: numbers.percent(v, page.lang)}
        | {page.t(f"col_{c}"): lambda v: numbers.number(v, page.lang) for c in (*_TABLE_COUNTS, "n")},
        na_rep=hidden,
    )
    table.dataframe(styled, hide_index=True, height=420, alt=page.t("table_provinces"))


def presenter(page: shell.Page, sealed: Sealed) -> None:
    """One slide on the whole screen; the step is kept in the address."""
    steps = ringkasan_slides.steps(sealed)
    step = url_state.read("step", steps, steps[0])
    place = steps.index(step)
    slide = ringkasan_slides.slide(sealed, step, page.lang)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.html(_large(slide.question, "clamp(1.5rem, 2.6vw, 2.8rem)", 700), width="content")
        shell.origin_badge(page)
    left, right = st.columns([2, 3], gap="large", vertical_alignment="center")
    with left:
        st.html(_large(slide.number, "clamp(3rem, 7vw, 7.5rem)", 700))
        for line in slide.lines:
            st.html(_large(line, "clamp(1.05rem, 1.5vw, 1.6rem)", 400))
    right.plotly_chart(slide.figure, config=theme.CONFIG, key=f"slide_{step}", alt=slide.alt)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(width="content", gap=None):
            st.caption(page.t("sources_line", source=slide.source))
            st.caption(labels.source_line(page.dataset.manifest, page.lang))
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            st.caption(page.t("step_of", step=place + 1, steps=len(steps)), width="content")
            st.button(
                page.t("previous"),
                icon=":material/arrow_back:",
                shortcut="Left",
                disabled=place == 0,
                on_click=lambda: url_state.write(step=steps[max(place - 1, 0)]),
            )
            st.button(
                page.t("next"),
                icon=":material/arrow_forward:",
                shortcut="Right",
                type="primary",
                disabled=place == len(steps) - 1,
                on_click=lambda: url_state.write(step=steps[min(place + 1, len(steps) - 1)]),
            )


def _large(content: str, size: str, weight: int) -> str:
    """Type for a projector, which grows with the width of the screen; colours come from the theme."""
    return f'<div style="font-size:{size};font-weight:{weight};line-height:1.2">{escape(content)}</div>'
