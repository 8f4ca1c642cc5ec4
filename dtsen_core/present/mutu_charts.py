"""Figures of the quality page: stacked shares, bars, intervals, lines. Cells are published; hidden ones are NaN."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from dtsen_core.locale import text
from dtsen_core.present import numbers, theme
from dtsen_core.present.charts_rank import ROW_PIXELS, bar_height

TWO_LINES = 36
"""Pixels of a bar whose name takes two lines."""
LABEL = 30
"""Letters of a name beside the axis; longer ones take a further line, so that a phone has room for the picture."""
PASS_COLOURS = {
    "exact": "#0B5A60", "composite": "#3F8F96", "probable": "#7CB9B7", "decision": "#8C5A9E", "review": "#C77700",
    "none": "#A9B6B9",
}  # fmt: skip
ANSWER_COLOURS = {"known": "#0B5A60", "missing": "#C77700", "not_applicable": "#D5DDDE"}
BAND_COLOURS = {"fresh": "#0B5A60", "recent": "#5AA3A3", "ageing": "#DDA24A", "old": "#A65A00", "unknown": "#C9CFD1"}


def share_ticks(low: float, high: float, lang: str) -> tuple[list[float], list[str]]:
    """At most six round shares between `low` and `high` with their words: steps of 1, 2 or 5 times a power of ten."""
    span = max(high - low, 1e-4)
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(m * power for m in (1, 2, 5, 10) if m * power * 5 >= span - 1e-12)
    first = math.ceil(low / step - 1e-9)
    ticks = [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]
    decimals = max(0, -math.floor(math.log10(step * 100) + 1e-9))
    return ticks, [numbers.percent(tick, lang, decimals) for tick in ticks]


def stacked(
    names: Sequence[str], totals: pd.Series, parts: pd.DataFrame, labels: dict[str, str], colours: dict[str, str],
    lang: str,
) -> go.Figure:  # fmt: skip
    """Bars of 100 %, one per row. `parts`: counts within `totals`, one column per part; what is hidden of a row is
    drawn in grey, so that no bar seems whole with a piece missing."""
    fig = go.Figure()
    broken = parts.isna().any(axis=1)
    shares = parts.div(totals.where(totals > 0), axis=0)
    rest = (1 - shares.sum(axis=1)).clip(0, 1).where(broken, 0.0)
    for column in parts.columns:
        hover = [
            f"{name}<br>{labels[column]}: {numbers.number(value, lang)} ({numbers.percent(share, lang, 2)})"
            for name, value, share in zip(names, parts[column], shares[column])
        ]
        fig.add_bar(
            # Plotly stacks wrongly after a gap: a hidden piece has no length here, its grey comes last.
            x=shares[column].fillna(0.0), y=list(names), orientation="h", name=labels[column], hovertext=hover,
            hoverinfo="text", marker={"color": colours[column], "line": {"width": 0}},
        )  # fmt: skip
    if broken.any():
        hidden = text("disclosure.suppressed", lang)
        fig.add_bar(
            x=rest, y=list(names), orientation="h", name=hidden, hoverinfo="name",
            marker={"color": theme.NO_DATA, "line": {"width": 0}},
        )  # fmt: skip
    theme.layout(fig, lang=lang, height=bar_height(len(names)), legend=True)
    fig.update_layout(barmode="stack", bargap=0.28, legend={"traceorder": "normal"})
    ticks = [0, 0.25, 0.5, 0.75, 1]
    fig.update_xaxes(range=[0, 1.02], tickvals=ticks, ticktext=[numbers.percent(t, lang, 0) for t in ticks])
    fig.update_yaxes(autorange="reversed", title=None)
    return fig


def bars(names: Sequence[str], shares: Sequence[float], hover: Sequence[str], lang: str, title: str) -> go.Figure:
    """Plain bars of shares, largest first as given, the value written at the end of each bar."""
    fig = go.Figure()
    fig.add_bar(
        x=list(shares), y=list(names), orientation="h", hovertext=list(hover), hoverinfo="text",
        text=[numbers.percent(share, lang, 1) for share in shares], textposition="outside", cliponaxis=False,
        marker={"color": theme.ACCENT, "line": {"width": 0}},
    )  # fmt: skip
    theme.layout(fig, lang=lang, height=90 + TWO_LINES * len(names))
    top = max([share for share in shares if share == share], default=0.0) or 0.01
    ticks, written = share_ticks(0.0, top, lang)
    fig.update_xaxes(range=[0, top * 1.18], title=title, tickvals=ticks, ticktext=written, tickangle=0)
    fig.update_yaxes(autorange="reversed", title=None)
    fig.update_layout(bargap=0.35)
    return fig


def intervals(frame: pd.DataFrame, lang: str, labels: dict[str, str]) -> go.Figure:
    """Points with their 95 % interval, one line per row of `frame` (name, and <measure>, <measure>_low,
    <measure>_high for each of the at most two measures that `labels` names) side by side."""
    fig = go.Figure()
    names = frame["name"].tolist()
    beside = ["<br>".join(textwrap.wrap(name, LABEL)) for name in names]
    shown = [(m, c) for m, c in zip(labels, (theme.ACCENT, theme.WARNING)) if frame[m].notna().any()]
    for number, (measure, colour) in enumerate(shown):
        value, low, high = (frame[f"{measure}{end}"] for end in ("", "_low", "_high"))
        hover = [
            f"{name}<br>{labels[measure]}: {numbers.percent(v, lang, 2)} ({numbers.interval(a, b, lang, 2)})"
            for name, v, a, b in zip(names, value, low, high)
        ]
        shift = (number - (len(shown) - 1) / 2) * 0.26
        fig.add_scatter(
            x=value, y=[position + shift for position in range(len(names))], mode="markers", name=labels[measure],
            hovertext=hover, hoverinfo="text", marker={"color": colour, "size": 8},
            error_x={"type": "data", "array": high - value, "arrayminus": value - low, "thickness": 1.4, "width": 0,
                     "color": colour},
        )  # fmt: skip
    rows = TWO_LINES / ROW_PIXELS if any("<br>" in name for name in beside) else 1
    theme.layout(fig, lang=lang, height=bar_height(math.ceil(len(names) * rows)), legend=True)
    lowest = min((frame[f"{m}_low"].min() for m, _ in shown), default=0.0)
    start = max(0.0, min(lowest - 0.1 * (1 - lowest), 0.998)) if lowest == lowest else 0.0
    ticks, written = share_ticks(start, 1.0, lang)
    fig.update_xaxes(range=[start, 1 + (1 - start) * 0.03], tickvals=ticks, ticktext=written)
    fig.update_yaxes(
        tickvals=list(range(len(names))), range=[len(names) - 0.5, -0.5], title=None, showgrid=True,
        ticktext=beside,
    )
    return fig
