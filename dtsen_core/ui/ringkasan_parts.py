"""The blocks of the first page: figures on top, provinces, programmes, freshness, the presenter view."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dtsen_core.present import numbers, ringkasan_charts, sentences, theme
from dtsen_core.present.ringkasan import Figure, Sealed, headline, programme_rows
from dtsen_core.ui import shell

_TABLE_COUNTS = ("families", "persons", "families_d14")


def figures(page: shell.Page, sealed: Sealed) -> None:
    """The four headline figures in equal cards, each with its unit, what stands beside it, its source."""
    for column, figure in zip(st.columns(4), headline(sealed, page.lang)):
        with column, st.container(border=True, height="stretch"):
            _card(figure)


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
    st.caption(page.t("programme_sources", sources="; ".join(dict.fromkeys(r.rule.source for r in rows))))


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
