"""Figures of the ranking and method pages: decile bars, class bars, intervals, heat map, scatter.

Every function takes small tables whose cells were already published (suppressed cells are NaN and are
left blank), and returns a Plotly figure without a title: the finding stands above it as page text.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dtsen_core.locale import text
from dtsen_core.present import numbers, theme

DECILES = tuple(f"d{k}" for k in range(1, 11))
CLASSES = ("poor", "vulnerable", "prosperous")
CLASS_COLOURS = {
    "poor": theme.WELFARE_SCALE[0],
    "vulnerable": theme.WELFARE_SCALE[4],
    "prosperous": theme.WELFARE_SCALE[9],
}
ROW_PIXELS = 24
FRAME_PIXELS = 120


def bar_height(rows: int) -> int:
    """Pixels of a figure with one bar per row and one legend line."""
    return FRAME_PIXELS + ROW_PIXELS * max(rows, 3)


def _share_axis(fig: go.Figure, lang: str, title: str, upper: float | None = 1.0) -> None:
    ticks = np.linspace(0, 1, 6)
    fig.update_xaxes(title=title, fixedrange=True, side="top", automargin=True, ticklabeloverflow="allow")
    if upper is not None:
        fig.update_xaxes(
            range=[0, upper],
            tickvals=ticks.tolist(),
            ticktext=[numbers.percent(t, lang, 0) for t in ticks],
        )
    fig.update_yaxes(autorange="reversed", fixedrange=True, automargin=True, title=None)


def _stacked(fig: go.Figure, bars: int, lang: str, axis: str, legend: str = "") -> None:
    """Size, legend below and share axis of stacked 100 % bars."""
    theme.layout(fig, lang=lang, height=bar_height(bars), legend=True)
    fig.update_layout(
        barmode="stack",
        bargap=0.25,
        legend={
            "title": {"text": legend},
            "orientation": "h",
            "traceorder": "normal",
            "x": 0,
            "y": 0,
            "yanchor": "top",
            "itemclick": False,
            "itemdoubleclick": False,
        },
    )
    _share_axis(fig, lang, axis)


def decile_bars(shares: pd.DataFrame, lang: str) -> go.Figure:
    """Stacked 100 % bars, one per area. `shares`: name, d1…d10 as fractions of the area's units, `low`, and
    `hidden` (True where a decile is suppressed: a bar with a piece missing would mislead, so it is grey).
    Areas without families are left out."""
    shares = shares[shares["low"].notna() | shares["hidden"]]
    broken = shares["hidden"]
    fig = go.Figure()
    for k, column in enumerate(DECILES):
        label = text("peringkat.decile_n", lang, k=k + 1)
        hover = [
            f"{name}<br>{label}: {numbers.percent(value, lang)}"
            for name, value in zip(shares["name"], shares[column], strict=True)
        ]
        fig.add_bar(
            x=shares[column].mask(broken),
            y=shares["name"],
            orientation="h",
            name=str(k + 1),
            marker={"color": theme.WELFARE_SCALE[k], "line": {"width": 0}},
            hovertext=hover,
            hoverinfo="text",
        )
    if broken.any():
        word = text("peringkat.suppressed", lang)
        fig.add_bar(
            x=broken.where(broken).astype(float),
            y=shares["name"],
            orientation="h",
            name=word,
            marker={"color": theme.NO_DATA, "line": {"width": 0}},
            hovertext=[f"{name}<br>{word}" for name in shares["name"]],
            hoverinfo="text",
        )
    _stacked(fig, len(shares), lang, text("peringkat.axis_share", lang), text("peringkat.decile_legend", lang) + " ")
    return fig


def class_bars(shares: pd.DataFrame, lang: str) -> go.Figure:
    """Stacked 100 % bars of expected shares. `shares`: name, share_poor, share_vulnerable, share_prosperous."""
    shares = shares.dropna(subset=["share_poor"])
    fig = go.Figure()
    for name in CLASSES:
        label = text(f"peringkat.class_{name}", lang)
        values = shares[f"share_{name}"]
        fig.add_bar(
            x=values,
            y=shares["name"],
            orientation="h",
            name=label,
            marker={"color": CLASS_COLOURS[name], "line": {"width": 0}},
            hovertext=[
                f"{area}<br>{label}: {numbers.percent(v, lang)}" for area, v in zip(shares["name"], values, strict=True)
            ],
            hoverinfo="text",
        )
    _stacked(fig, len(shares), lang, text("peringkat.axis_expected", lang))
    return fig


def interval_dots(frame: pd.DataFrame, lang: str) -> go.Figure:
    """Headcount ratio with its 90 % interval. `frame`: name, p0, p0_low, p0_high, optional `beside`
    (the value before benchmarking), optional `faint` (True for areas with a small sample)."""
    frame = frame.dropna(subset=["p0"])
    fig = go.Figure()
    faint = frame["faint"] if "faint" in frame else pd.Series(False, index=frame.index)
    for small in (False, True):
        rows = frame[faint == small]
        if rows.empty:
            continue
        hover = [
            text(
                "peringkat.hover_interval",
                lang,
                name=r.name_,
                value=numbers.percent(r.p0, lang, 2),
                low=numbers.percent(r.p0_low, lang, 2),
                high=numbers.percent(r.p0_high, lang, 2),
            )
            for r in rows.rename(columns={"name": "name_"}).itertuples()
        ]
        fig.add_scatter(
            x=rows["p0"],
            y=rows["name"],
            mode="markers",
            name=text("peringkat.legend_small" if small else "peringkat.legend_estimate", lang),
            marker={"size": 9, "color": theme.ACCENT, "opacity": 0.4 if small else 1.0},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": rows["p0_high"] - rows["p0"],
                "arrayminus": rows["p0"] - rows["p0_low"],
                "thickness": 1.5,
                "width": 3,
                "color": theme.ACCENT,
            },
            hovertext=hover,
            hoverinfo="text",
        )
    if "beside" in frame:
        fig.add_scatter(
            x=frame["beside"],
            y=frame["name"],
            mode="markers",
            name=text("peringkat.legend_unbenchmarked", lang),
            marker={"size": 9, "symbol": "line-ns-open", "color": theme.WARNING, "line": {"width": 2}},
            hovertext=[
                f"{n}: {numbers.percent(v, lang, 2)}" for n, v in zip(frame["name"], frame["beside"], strict=True)
            ],
            hoverinfo="text",
        )
    theme.layout(fig, lang=lang, height=bar_height(len(frame)), legend=True)
    upper = float(np.nanmax(frame["p0_high"].fillna(frame["p0"]))) if frame["p0"].notna().any() else 0.1
    step = 0.05 if upper <= 0.3 else 0.1
    ticks = np.arange(0, upper + step, step)
    fig.update_layout(legend={"orientation": "h", "x": 0, "y": 0, "yanchor": "top"})
    _share_axis(fig, lang, text("peringkat.axis_p0", lang), upper=None)
    fig.update_xaxes(
        range=[0, float(ticks[-1])],
        tickvals=ticks.tolist(),
        ticktext=[numbers.percent(t, lang, 0) for t in ticks],
    )
    fig.update_yaxes(
        categoryorder="array",
        categoryarray=frame["name"].tolist(),
        range=[len(frame) - 0.5, -0.5],
        autorange=False,
    )
    return fig


def transition_heatmap(shares: pd.DataFrame, lang: str) -> go.Figure:
    """10 × 10 heat map. `shares`: rows = decile in the first ranking, columns = in the second, each
    row summing to 1."""
    values = shares.to_numpy(float)
    label = [str(k) for k in range(1, 11)]
    hover = [
        [
            text("peringkat.hover_move", lang, a=i + 1, b=j + 1, share=numbers.percent(values[i, j], lang))
            for j in range(10)
        ]
        for i in range(10)
    ]
    inside = [["" if np.isnan(v) or v < 0.005 else numbers.number(100 * v, lang) for v in row] for row in values]
    fig = go.Figure(
        go.Heatmap(
            z=values,
            x=label,
            y=label,
            text=inside,
            texttemplate="%{text}",
            hovertext=hover,
            hoverinfo="text",
            colorscale=theme.SEQUENTIAL,
            zmin=0,
            zmax=max(0.5, float(np.nanmax(values, initial=0.0))),
            xgap=1,
            ygap=1,
            showscale=False,
        )
    )
    theme.layout(fig, lang=lang, height=520)
    fig.update_xaxes(
        title=text("peringkat.axis_to", lang),
        side="top",
        fixedrange=True,
        type="category",
        showgrid=False,
    )
    fig.update_yaxes(
        title=text("peringkat.axis_from", lang),
        autorange="reversed",
        fixedrange=True,
        type="category",
        showgrid=False,
    )
    return fig


def truth_scatter(frame: pd.DataFrame, lang: str) -> go.Figure:
    """Regencies: estimate against simulated truth with the line of equality. `frame`: name, truth, estimate."""
    known = frame.dropna(subset=["truth", "estimate"])
    hover = [
        text(
            "metode.hover_scatter",
            lang,
            name=r.name_,
            truth=numbers.percent(r.truth, lang),
            estimate=numbers.percent(r.estimate, lang),
        )
        for r in known.rename(columns={"name": "name_"}).itertuples()
    ]
    top = float(max(known["truth"].max(), known["estimate"].max(), 0.05)) if len(known) else 0.1
    step = 0.05 if top <= 0.3 else 0.1
    ticks = np.arange(0, top + step, step)
    labels = [numbers.percent(t, lang, 0) for t in ticks]
    fig = go.Figure()
    fig.add_scatter(
        x=[0, ticks[-1]],
        y=[0, ticks[-1]],
        mode="lines",
        hoverinfo="skip",
        name=text("metode.legend_equal", lang),
        line={"color": theme.MUTED, "dash": "dash", "width": 1},
    )
    fig.add_scatter(
        x=known["truth"],
        y=known["estimate"],
        mode="markers",
        hovertext=hover,
        hoverinfo="text",
        name=text("metode.legend_regency", lang),
        marker={"color": theme.ACCENT, "size": 7, "opacity": 0.55},
    )
    theme.layout(fig, lang=lang, height=460, legend=True)
    fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"})
    axis = {"range": [0, float(ticks[-1])], "tickvals": ticks.tolist(), "ticktext": labels, "fixedrange": True}
    fig.update_xaxes(title=text("metode.axis_truth", lang), **axis)
    fig.update_yaxes(title=text("metode.axis_estimate", lang), **axis)
    return fig
