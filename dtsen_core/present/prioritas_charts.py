"""Charts of the priority page."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dtsen_core import locale
from dtsen_core.policy.priority_plan import Ranked
from dtsen_core.present import numbers, prioritas_hover, theme
from dtsen_core.present.theme import ACCENT, FAINT, MUTED, QUALITATIVE, WARNING
from dtsen_core.regions import units

SHOWN = 20
QUARTER_COLOURS = {"hm": "#A65A00", "hf": WARNING, "lm": ACCENT, "lf": MUTED}


def contributions(ranked: Ranked, data_line: str, lang: str, first: int = SHOWN) -> go.Figure:
    """Horizontal bars of what each indicator adds to the score of the first areas; the hover holds the indicator's own
    figure with interval, n and source."""
    parts = ranked.composite.contributions.reindex(ranked.table.index[:first]).iloc[::-1]
    names = [units.name(str(code)) for code in parts.index]
    items = [i for i in ranked.plan.items if i.weight > 0]
    figures = prioritas_hover.texts(ranked, items, list(parts.index), lang)
    bars = []
    for k, item in enumerate(items):
        indicator = ranked.indicators[item.key]
        words = locale.text("prioritas.hover_part", lang, label=indicator.label[lang],
                            source=prioritas_hover.source(indicator, data_line, lang))  # fmt: skip
        bars.append(go.Bar(
            y=names, x=parts[item.key].to_numpy(float), orientation="h", name=indicator.label[lang],
            marker={"color": QUALITATIVE[k % len(QUALITATIVE)]}, customdata=[[figure] for figure in figures[item.key]],
            hovertemplate=words + "<extra></extra>",
        ))  # fmt: skip
    fig = go.Figure(bars)
    theme.layout(fig, height=90 + 22 * len(names), lang=lang, legend=True)
    fig.update_layout(barmode="relative", bargap=0.25, legend={"traceorder": "normal"})
    fig.update_xaxes(title={"text": locale.text(f"prioritas.axis_{ranked.plan.aggregation}", lang)}, tickformat=".2~f")
    return fig


def intervals(ranked: Ranked, lang: str, first: int = 60) -> go.Figure:
    """Rank with its 90 % interval of the areas near the top, and the line of the top N."""
    table = ranked.table.dropna(subset=["rank"]).head(first).iloc[::-1]
    sure = zip(table["robust"], table["p_top"])
    colour = [ACCENT if robust else WARNING if p >= 0.1 else MUTED for robust, p in sure]
    low, high = table["low"].to_numpy(float), table["high"].to_numpy(float)
    rank = table["rank"].to_numpy(float)
    fig = go.Figure(
        go.Scatter(
            x=rank, y=table["name"], mode="markers", marker={"color": colour, "size": 8},
            error_x={"type": "data", "symmetric": False, "array": np.maximum(high - rank, 0),
                     "arrayminus": np.maximum(rank - low, 0), "color": FAINT, "thickness": 4, "width": 0},
            customdata=np.column_stack([low, high, table["p_top"].to_numpy(float) * 100]),
            hovertemplate=locale.text("prioritas.hover_interval", lang) + "<extra></extra>",
        )
    )  # fmt: skip
    fig.add_vline(x=ranked.top + 0.5, line={"color": MUTED, "dash": "dot", "width": 1})
    theme.layout(fig, height=80 + 17 * len(table), lang=lang)
    fig.update_xaxes(title={"text": locale.text("prioritas.axis_rank", lang)}, gridcolor=FAINT)
    fig.update_yaxes(type="category", tickfont={"size": 11}, range=[-0.7, len(table) - 0.3])
    return fig


def quadrant(
    known: pd.DataFrame, rate: str, count: str, cut_rate: float, cut_count: float, lang: str, titles: tuple[str, str],
    data_line: str,
) -> go.Figure:  # fmt: skip
    """Rate against count with the four quarters named in their corners; the count in logarithms. The hover holds the
    interval and n where `known` has them (``low, high, n``), and `data_line`."""
    fig = go.Figure()
    facts = [c for c in ("low", "high", "n") if c in known]
    words = "%{text}<br>" + titles[1] + ": %{y:.1f}%"
    if "low" in facts:
        words += f" ({locale.text('peta.hover_interval', lang)} %{{customdata[0]:.1f}}%–%{{customdata[1]:.1f}}%)"
    words += "<br>" + titles[0] + ": %{x:,.0f}<br>"
    if "n" in facts:
        words += locale.text("prioritas.hover_n", lang, n=f"%{{customdata[{facts.index('n')}]:,.0f}}") + " · "
    for name, colour in QUARTER_COLOURS.items():
        part = known[known["quarter"] == name]
        fig.add_scatter(
            x=part[count], y=part[rate] * 100, mode="markers", name=locale.text(f"prioritas.quarter_{name}", lang),
            marker={"color": colour, "size": 7, "opacity": 0.75, "line": {"width": 0.5, "color": "white"}},
            text=[units.label(str(code)) for code in part.index], customdata=part[facts].astype("float32"),
            hovertemplate=words + data_line + "<extra></extra>",
        )  # fmt: skip
    line = {"color": MUTED, "width": 1, "dash": "dot"}
    fig.add_hline(y=cut_rate * 100, line=line)
    fig.add_vline(x=cut_count, line=line)
    theme.layout(fig, height=430, lang=lang, legend=True)
    fig.update_xaxes(type="log", title={"text": titles[0]}, gridcolor=FAINT, dtick=1, tickformat=",d")
    fig.update_yaxes(title={"text": titles[1] + " (%)"}, gridcolor=FAINT, rangemode="tozero")
    return fig


def frontier(line: pd.DataFrame, here: tuple[float, float], lang: str, axis: str) -> go.Figure:
    """Lowest coverage against what the budget reaches; a ring marks the chosen allocation."""
    fig = go.Figure(
        go.Scatter(
            x=line["lowest_coverage"] * 100, y=line["objective"], mode="lines+markers",
            line={"color": ACCENT, "width": 2}, marker={"size": 7},
            hovertemplate="%{x:.1f}%<br>%{y:,.0f}<extra></extra>",
        )
    )  # fmt: skip
    fig.add_scatter(
        x=[here[0] * 100], y=[here[1]], mode="markers", hoverinfo="skip",
        marker={"size": 16, "color": "rgba(0,0,0,0)", "line": {"color": WARNING, "width": 3}},
    )  # fmt: skip
    theme.layout(fig, height=320, lang=lang)
    fig.update_xaxes(title={"text": locale.text("prioritas.axis_lowest", lang)}, gridcolor=FAINT)
    fig.update_yaxes(title={"text": axis}, gridcolor=FAINT, rangemode="tozero", tickformat=",.0f")
    return fig


def missed_bars(
    table: pd.DataFrame, columns: dict[str, str], lang: str, unit: str, data_line: str, first: int = 15
) -> go.Figure:
    """Those missed by cause in the first areas, the largest on top; `columns`: name -> words; counted in `unit`."""
    part = table.head(first).iloc[::-1]
    names = [units.name(str(code)) for code in part["code"]]
    fig = go.Figure()
    for k, (name, words) in enumerate(columns.items()):
        fig.add_bar(
            y=names, x=part[name], orientation="h", name=words, marker={"color": (ACCENT, WARNING, MUTED)[k % 3]},
            customdata=[[numbers.people(v, lang), n] for v, n in zip(part[name], part["n"])],
            hovertemplate=locale.text("prioritas.hover_missed", lang, cause=words, unit=unit, source=data_line)
            + "<extra></extra>",
        )  # fmt: skip
    theme.layout(fig, height=90 + 22 * len(part), lang=lang, legend=True)
    fig.update_layout(barmode="stack", bargap=0.25)
    fig.update_xaxes(tickformat=",.0f", nticks=6)
    return fig
