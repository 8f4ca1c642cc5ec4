"""Charts of the first page and its presenter view. Each takes the sealed tables and returns a figure.

No title inside the picture: the finding stands above it as text, the source below it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dtsen_core.locale import text
from dtsen_core.present import numbers, theme
from dtsen_core.present.ringkasan import KINDS, ProgrammeRow, Sealed, band_shares, programme_rows
from dtsen_core.regions import official

BAND_COLOURS = (theme.ACCENT, theme.ACCENT_SOFT, "#E5C08A", theme.WARNING, theme.NO_DATA)
_DOT = 9


def province_dots(
    sealed: Sealed, lang: str, *, height: int = 760, size: int = 12, ends: int | None = None
) -> go.Figure:
    """Provinces by share of families in deciles 1–4, worst-off on top, each drawn from the overall share.

    With `ends`, only so many from either end, and one row that says how many are left out between them.
    """
    frame = sealed.provinces.frame.dropna(subset=["share_d14"]).sort_values(["share_d14", "code"])
    left_out = len(frame) - 2 * ends if ends is not None else 0
    if ends is not None and left_out > 1:
        frame = pd.concat([frame.head(ends), frame.tail(ends)])
    overall = float(sealed.nation.frame["share_d14"].iloc[0])
    shares = frame["share_d14"].to_numpy(dtype="float64") * 100
    middle = overall * 100 if not numbers.missing(overall) else float(np.mean(shares)) if len(shares) else 0.0
    colours = np.where(shares > middle, theme.WARNING, theme.ACCENT)
    fig = go.Figure()
    stems_x: list[float | None] = []
    stems_y: list[str | None] = []
    for name, share in zip(frame["name"], shares):
        stems_x += [middle, share, None]
        stems_y += [name, name, None]
    fig.add_scatter(x=stems_x, y=stems_y, mode="lines", line={"color": theme.NO_DATA, "width": 2}, hoverinfo="skip")
    fig.add_scatter(
        x=shares,
        y=frame["name"],
        mode="markers+text",
        marker={"color": colours, "size": _DOT},
        text=_ends(shares, lang),
        textposition=["middle right" if share > middle else "middle left" for share in shares],
        textfont={"size": size},
        hovertext=[
            text(
                "ringkasan.provinces_hover",
                lang,
                name=row.name,
                share=numbers.percent(row.share_d14, lang),
                count=numbers.people(row.families_d14, lang),
                n=numbers.number(row.n, lang),
            )
            for row in frame.itertuples(index=False)
        ],
        hoverinfo="text",
    )
    order = frame["name"].tolist()
    if ends is not None and left_out > 1:
        order.insert(ends, text("ringkasan.left_out", lang, areas=left_out))
    fig.add_vline(x=middle, line={"color": theme.MUTED, "width": 1})
    theme.layout(fig, lang=lang, height=height)
    room = max(float(np.ptp(shares)) * 0.25, 3.0) if len(shares) else 2.0
    low, high = (shares.min() - room, shares.max() + room) if len(shares) else (0.0, 100.0)
    fig.update_xaxes(title=text("ringkasan.provinces_axis", lang), side="top", range=[low, high], tickformat=",.0f")
    fig.update_yaxes(
        tickfont={"size": size},
        showgrid=False,
        range=[-0.8, len(order) - 0.2],
        type="category",
        categoryorder="array",
        categoryarray=order,
        tickvals=order,
    )
    return fig


def _ends(shares: np.ndarray, lang: str) -> list[str]:
    """Values written out for the three highest and three lowest only: the rest is read from the axis."""
    last = len(shares) - 3
    return [numbers.number(share, lang, 1) if place < 3 or place >= last else "" for place, share in enumerate(shares)]


def programme_bars(sealed: Sealed, lang: str, *, height: int = 190, size: int = 13) -> go.Figure:
    """Share of each programme's target group that is covered, and what remains."""
    rows = [row for row in programme_rows(sealed) if not numbers.missing(row.target_share)][::-1]
    names = [row.name(lang) for row in rows]
    fig = go.Figure()
    for label, lead, values, colours in (
        (
            text("ringkasan.covered_in_target", lang),
            "",
            [row.target_share for row in rows],
            [theme.PROGRAMME_COLOURS[row.rule.key] for row in rows],
        ),
        (
            text("ringkasan.elsewhere", lang),
            "",
            [row.elsewhere_share for row in rows],
            [theme.ACCENT_SOFT] * len(rows),
        ),
        (
            text("ringkasan.uncovered", lang),
            text("ringkasan.uncovered", lang) + " ",
            [row.uncovered_share for row in rows],
            [theme.FAINT] * len(rows),
        ),
    ):
        fig.add_bar(
            x=[value * 100 for value in values],
            y=names,
            orientation="h",
            marker={"color": colours, "line": {"width": 0}},
            text=[f"{lead}{numbers.percent(value, lang, 0)}" if value else "" for value in values],
            textposition="inside",
            insidetextanchor="start",
            textfont={"size": size, "color": [text_on(colour) for colour in colours]},
            hovertext=[f"{name}: {label} {numbers.percent(value, lang)}" for name, value in zip(names, values)],
            hoverinfo="text",
        )
    theme.layout(fig, lang=lang, height=height)
    fig.update_layout(barmode="stack", bargap=0.35, uniformtext={"minsize": 10, "mode": "hide"})
    fig.update_xaxes(range=[0, 100], visible=False)
    fig.update_yaxes(tickfont={"size": size + 1}, showgrid=False)
    return fig


def text_on(colour: str) -> str:
    """The ink that reads on `colour`."""
    return theme.INK if colour in (theme.FAINT, theme.NO_DATA, "#E5C08A", theme.ACCENT_SOFT) else theme.PAPER


def freshness_bars(sealed: Sealed, lang: str, *, height: int = 240, size: int = 12) -> go.Figure:
    """Families by age of their record: one bar for updates, one for field checks."""
    shares = {kind: band_shares(sealed, kind) for kind in KINDS}
    labels = [text(f"ringkasan.kind_{kind}", lang) for kind in KINDS]
    fig = go.Figure()
    for band, colour in zip(shares[KINDS[0]].index, BAND_COLOURS):
        values = [float(shares[kind].loc[band]) * 100 for kind in KINDS]
        label = text(f"ringkasan.band_{band}", lang)
        fig.add_bar(
            x=values,
            y=labels,
            orientation="h",
            name=label,
            marker={"color": colour, "line": {"width": 0}},
            text=[numbers.number(v, lang) + "%" if v >= 6 else "" for v in values],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"size": size, "color": text_on(colour)},
            hovertext=[f"{kind}, {label}: {numbers.percent(v / 100, lang)}" for kind, v in zip(labels, values)],
            hoverinfo="text",
        )
    theme.layout(fig, lang=lang, height=height, legend=True)
    fig.update_layout(
        barmode="stack",
        bargap=0.35,
        legend={"orientation": "h", "x": 0, "y": -0.05, "yanchor": "top", "traceorder": "normal",
                "itemclick": False, "itemdoubleclick": False, "maxheight": 0.8, "font": {"size": size}},
    )  # fmt: skip
    fig.update_xaxes(range=[0, 100], visible=False)
    fig.update_yaxes(autorange="reversed", tickfont={"size": size + 1}, showgrid=False)
    return fig


def families_by_province(
    sealed: Sealed, lang: str, *, height: int = 420, size: int = 14, largest: int = 10
) -> go.Figure:
    """Million families in the `largest` provinces and, in one bar, in all others together."""
    frame = sealed.provinces.frame.dropna(subset=["families"]).sort_values("families", ascending=False)
    names, values = frame["name"].tolist(), (frame["families"] / 1e6).tolist()
    colours = [theme.ACCENT] * min(len(names), largest)
    if len(names) > largest + 1:
        others = text("ringkasan.left_out", lang, areas=len(names) - largest)
        names, values = [*names[:largest], others], [*values[:largest], sum(values[largest:])]
        colours = [*colours, theme.NO_DATA]
    fig = go.Figure()
    fig.add_bar(
        x=values,
        y=names,
        orientation="h",
        marker={"color": colours, "line": {"width": 0}},
        text=[numbers.number(value, lang, 2) for value in values],
        textposition="outside",
        textfont={"size": size},
        cliponaxis=False,
        hoverinfo="skip",
    )
    theme.layout(fig, lang=lang, height=height)
    fig.update_xaxes(
        title={"text": text("ringkasan.families_axis", lang), "font": {"size": size}}, tickfont={"size": size}
    )
    fig.update_yaxes(autorange="reversed", showgrid=False, tickfont={"size": size})
    return fig


def coverage_by_decile(sealed: Sealed, row: ProgrammeRow, lang: str, *, height: int = 420, size: int = 14) -> go.Figure:
    """Per cent of each decile covered by one programme; its target deciles in its colour, others grey."""
    frame = sealed.deciles.frame.set_index("decile").loc[1:10]
    values = (frame[f"{row.rule.key}_rate"] * 100).tolist()
    colour = theme.PROGRAMME_COLOURS[row.rule.key]
    colours = [colour if decile in row.rule.deciles else theme.NO_DATA for decile in frame.index]
    fig = _columns([str(decile) for decile in frame.index], values, colours, lang, size, decimals=0)
    theme.layout(fig, lang=lang, height=height)
    axis = text(f"ringkasan.by_decile_axis_{row.rule.unit}", lang)
    _axes(fig, text("ringkasan.decile_axis", lang), axis, size)
    return fig


def _columns(
    names: list[str], values: list[float], colours: list[str], lang: str, size: int, *, decimals: int
) -> go.Figure:
    shown = [numbers.number(v, lang, decimals) if not numbers.missing(v) else "" for v in values]
    fig = go.Figure()
    fig.add_bar(
        x=names,
        y=values,
        marker={"color": colours, "line": {"width": 0}},
        text=shown,
        textposition="outside",
        textfont={"size": size},
        cliponaxis=False,
        hoverinfo="skip",
    )
    return fig


def _axes(fig: go.Figure, x: str, y: str, size: int) -> None:
    fig.update_xaxes(title={"text": x, "font": {"size": size}}, type="category", tickfont={"size": size})
    fig.update_yaxes(title={"text": y, "font": {"size": size}}, rangemode="tozero", tickfont={"size": size})


def poverty_compare(sealed: Sealed, lang: str, *, height: int = 320, size: int = 15) -> go.Figure:
    """The model's estimate with its interval beside the official figures, per cent of the population."""
    published = official.national()
    names, values, colours = [], [], []
    for key in ("p0_sep2025", "p0_mar2025"):
        names.append(text("ringkasan.poverty_official", lang, date=numbers.date(published[key].date, lang)))
        values.append(published[key].value)
        colours.append(theme.MUTED)
    if sealed.poverty is not None and not numbers.missing(sealed.poverty.frame["p0"].iloc[0]):
        row = sealed.poverty.frame.iloc[0]
        names.append(text("ringkasan.poverty_estimate", lang))
        values.append(float(row["p0"]) * 100)
        colours.append(theme.ACCENT)
    fig = go.Figure()
    fig.add_bar(
        x=values,
        y=names,
        orientation="h",
        marker={"color": colours, "line": {"width": 0}},
        text=[numbers.number(v, lang, 2) + "%" for v in values],
        textposition="inside",
        insidetextanchor="start",
        textfont={"size": size, "color": theme.PAPER},
        hoverinfo="skip",
    )
    if len(names) == 3:
        low, high = float(row["p0_low"]) * 100, float(row["p0_high"]) * 100
        fig.add_scatter(
            x=[low, high], y=[names[-1]] * 2, mode="lines", line={"color": theme.WARNING, "width": 6},
            hoverinfo="skip",
        )  # fmt: skip
    theme.layout(fig, lang=lang, height=height)
    fig.update_layout(bargap=0.5)
    fig.update_xaxes(
        title={"text": text("ringkasan.population_axis", lang), "font": {"size": size}},
        rangemode="tozero",
        tickfont={"size": size},
    )
    fig.update_yaxes(tickfont={"size": size}, showgrid=False)
    return fig
