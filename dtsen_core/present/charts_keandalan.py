"""Figures of the reliability page. Small published tables in, a Plotly figure without a title out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dtsen_core.locale import text
from dtsen_core.present import numbers, theme
from dtsen_core.present.charts_rank import bar_height

TICKS = 5
MONEY = (2e5, 3e5, 5e5, 7e5, 1e6, 1.5e6, 2e6, 3e6, 5e6, 7e6, 1e7)


def _percent_axis(axis: str, fig: go.Figure, low: float, high: float, lang: str, title: str) -> None:
    """Ticks in per cent as people write them, from just below `low` to just above `high`."""
    span = max(high - low, 0.001)
    step = next(s for s in (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2) if span / s <= 7 or s == 0.2)
    start, end = np.floor(low / step) * step, np.ceil(high / step) * step
    ticks = np.arange(start, end + step / 2, step)
    decimals = 1 if step < 0.01 else 0
    settings = {
        "range": [float(ticks[0]), float(ticks[-1])], "tickvals": ticks.tolist(), "title": title,
        "ticktext": [numbers.percent(t, lang, decimals) for t in ticks],
    }  # fmt: skip
    (fig.update_xaxes if axis == "x" else fig.update_yaxes)(**settings)


def error_dots(rows: pd.DataFrame, lang: str, base: float | None = None, base_name: str = "") -> go.Figure:
    """Exclusion error with its range, one line per row. `rows`: label, exclusion, exclusion_low,
    exclusion_high; `base`: a reference line."""
    hover = [
        text("keandalan.hover_error", lang, name=r.label, value=numbers.percent(r.exclusion, lang),
             range=numbers.interval(r.exclusion_low, r.exclusion_high, lang))
        for r in rows.itertuples()
    ]  # fmt: skip
    fig = go.Figure()
    fig.add_scatter(
        x=rows["exclusion"], y=rows["label"], mode="markers", hovertext=hover, hoverinfo="text", showlegend=False,
        marker={"size": 10, "color": theme.ACCENT},
        error_x={
            "type": "data", "symmetric": False, "array": rows["exclusion_high"] - rows["exclusion"],
            "arrayminus": rows["exclusion"] - rows["exclusion_low"], "thickness": 1.5, "width": 4,
            "color": theme.ACCENT_SOFT,
        },
    )  # fmt: skip
    low, high = float(rows["exclusion_low"].min()), float(rows["exclusion_high"].max())
    if base is not None:
        fig.add_scatter(
            x=[base, base], y=[rows["label"].iloc[0], rows["label"].iloc[-1]], mode="lines", hoverinfo="skip",
            name=text("keandalan.legend_base", lang, base=base_name),
            line={"color": theme.WARNING, "width": 1.5, "dash": "dot"},
        )  # fmt: skip
        low, high = min(low, base), max(high, base)
    theme.layout(fig, lang=lang, height=bar_height(len(rows)), legend=base is not None)
    _percent_axis("x", fig, low, high, lang, text("keandalan.axis_exclusion", lang))
    fig.update_yaxes(autorange="reversed", categoryorder="array", categoryarray=rows["label"].tolist())
    return fig


def error_curves(rows: pd.DataFrame, lang: str) -> go.Figure:
    """Both errors against the cut-off with their ranges. `rows`: cut, inclusion, exclusion and their _low, _high."""
    fig = go.Figure()
    for name, colour, soft in (
        ("exclusion", theme.ACCENT, "rgba(11,90,96,0.18)"), ("inclusion", theme.WARNING, "rgba(199,119,0,0.18)"),
    ):  # fmt: skip
        label = text(f"keandalan.legend_{name}", lang)
        band = pd.concat([rows[f"{name}_high"], rows[f"{name}_low"][::-1]])
        fig.add_scatter(
            x=pd.concat([rows["cut"], rows["cut"][::-1]]), y=band, fill="toself", fillcolor=soft, mode="lines",
            line={"width": 0}, hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        hover = [
            text("keandalan.hover_error", lang, name=f"{label} · {numbers.percent(c, lang, 0)}",
                 value=numbers.percent(v, lang), range=numbers.interval(a, b, lang))
            for c, v, a, b in zip(rows["cut"], rows[name], rows[f"{name}_low"], rows[f"{name}_high"], strict=True)
        ]  # fmt: skip
        fig.add_scatter(
            x=rows["cut"], y=rows[name], mode="lines+markers", name=label, hovertext=hover, hoverinfo="text",
            line={"color": colour, "width": 2, "dash": "solid" if name == "exclusion" else "dash"},
        )  # fmt: skip
    theme.layout(fig, lang=lang, height=420, legend=True)
    ticks = np.arange(1, 10) / 10
    fig.update_xaxes(title=text("keandalan.axis_cut", lang), tickvals=ticks.tolist(),
                     ticktext=[numbers.percent(t, lang, 0) for t in ticks])  # fmt: skip
    top = float(rows[["inclusion_high", "exclusion_high"]].max().max())
    _percent_axis("y", fig, 0.0, top, lang, text("keandalan.axis_error", lang))
    return fig


def calibration_dots(rows: pd.DataFrame, lang: str) -> go.Figure:
    """Observed against guessed expenditure, both on log scales. `rows`: predicted, observed, low, high (log Rp)."""
    x, y = np.exp(rows["predicted"]), np.exp(rows["observed"])
    low, high = np.exp(rows["low"]), np.exp(rows["high"])
    fig = go.Figure()
    ends = [float(min(x.min(), low.min())), float(max(x.max(), high.max()))]
    fig.add_scatter(x=ends, y=ends, mode="lines", hoverinfo="skip", name=text("keandalan.legend_equal", lang),
                    line={"color": theme.MUTED, "dash": "dash", "width": 1})  # fmt: skip
    fig.add_scatter(
        x=x, y=y, mode="markers", name=text("keandalan.legend_bins", lang), marker={"size": 9, "color": theme.ACCENT},
        error_y={"type": "data", "symmetric": False, "array": high - y, "arrayminus": y - low, "width": 3,
                 "thickness": 1.5, "color": theme.ACCENT_SOFT},
        hovertext=[f"{numbers.rupiah(a, lang)} → {numbers.rupiah(b, lang)}" for a, b in zip(x, y, strict=True)],
        hoverinfo="text",
    )  # fmt: skip
    theme.layout(fig, lang=lang, height=460, legend=True)
    ticks = [v for v in MONEY if ends[0] * 0.8 <= v <= ends[1] * 1.2]
    axis = {"type": "log", "tickvals": ticks, "ticktext": [numbers.rupiah(v, lang) for v in ticks]}
    fig.update_xaxes(title=text("keandalan.axis_predicted", lang), **axis)
    fig.update_yaxes(title=text("keandalan.axis_observed", lang), **axis)
    return fig


def _count_axis(fig: go.Figure, axis: str, top: float, lang: str, title: str) -> None:
    raw = max(top, 1.0) / TICKS
    size = 10.0 ** np.floor(np.log10(raw))
    step = next(size * k for k in (1, 2, 5, 10) if size * k >= raw)
    ticks = np.arange(0, top + step / 2, step)
    settings = {"tickvals": ticks.tolist(), "ticktext": [numbers.people(t, lang, 1) for t in ticks], "title": title}
    (fig.update_xaxes if axis == "x" else fig.update_yaxes)(**settings)


def budget_curve(rows: pd.DataFrame, visits: float, removed: float, lang: str) -> go.Figure:
    """Families set right against visits: best plan, random visits, and the budget. `rows`: visits, removed, random."""
    fig = go.Figure()
    for column, colour, dash in (("removed", theme.ACCENT, "solid"), ("random", theme.MUTED, "dash")):
        name = text("keandalan.legend_best" if column == "removed" else "keandalan.legend_random", lang)
        fig.add_scatter(
            x=rows["visits"], y=rows[column], mode="lines", name=name, line={"color": colour, "width": 2, "dash": dash},
            hovertext=[f"{name}<br>{numbers.people(a, lang)} → {numbers.people(b, lang)}"
                       for a, b in zip(rows["visits"], rows[column], strict=True)],
            hoverinfo="text",
        )  # fmt: skip
    fig.add_scatter(x=[visits], y=[removed], mode="markers", name=text("keandalan.legend_budget", lang),
                    hovertext=[f"{numbers.people(visits, lang)} → {numbers.people(removed, lang)}"], hoverinfo="text",
                    marker={"size": 12, "color": theme.WARNING, "symbol": "diamond"})  # fmt: skip
    theme.layout(fig, lang=lang, height=400, legend=True)
    _count_axis(fig, "x", float(rows["visits"].max()), lang, text("keandalan.axis_visits", lang))
    _count_axis(fig, "y", float(rows["removed"].max()), lang, text("keandalan.axis_removed", lang))
    return fig


def rank_dots(rows: pd.DataFrame, lang: str) -> go.Figure:
    """Rank with its range over weightings, one line per area. `rows`: name, rank, rank_low, rank_high."""
    fig = go.Figure(go.Scatter(
        x=rows["rank"], y=rows["name"], mode="markers", marker={"size": 9, "color": theme.ACCENT},
        error_x={"type": "data", "symmetric": False, "array": rows["rank_high"] - rows["rank"],
                 "arrayminus": rows["rank"] - rows["rank_low"], "width": 3, "thickness": 1.5,
                 "color": theme.ACCENT_SOFT},
        hovertext=[
            f"{r.name}: {r.rank:.0f} ({r.rank_low:.0f}–{r.rank_high:.0f})" for r in rows.itertuples(index=False)
        ],
        hoverinfo="text",
    ))  # fmt: skip
    theme.layout(fig, lang=lang, height=bar_height(len(rows)))
    fig.update_xaxes(title=text("keandalan.axis_rank", lang), side="top")
    fig.update_yaxes(range=[len(rows) - 0.4, -0.6], autorange=False, categoryorder="array",
                     categoryarray=rows["name"].tolist())  # fmt: skip
    return fig


def loss_bars(rows: pd.DataFrame, lang: str) -> go.Figure:
    """Fall of R² in points without each question. `rows`: label, loss (points)."""
    fig = go.Figure(go.Bar(
        x=rows["loss"], y=rows["label"], orientation="h", marker={"color": theme.ACCENT},
        hovertext=[f"{a}: {numbers.number(b, lang, 2)}" for a, b in zip(rows["label"], rows["loss"], strict=True)],
        hoverinfo="text",
    ))  # fmt: skip
    theme.layout(fig, lang=lang, height=bar_height(len(rows)))
    fig.update_xaxes(title=text("keandalan.axis_loss", lang), side="top", tickformat=".1f")
    fig.update_yaxes(autorange="reversed")
    return fig


def questionnaire_curve(rows: pd.DataFrame, chosen: int, lang: str) -> go.Figure:
    """Exclusion error against the number of questions. `rows`: questions, exclusion; `chosen` is marked."""
    fig = go.Figure()
    fig.add_scatter(
        x=rows["questions"], y=rows["exclusion"], mode="lines+markers", showlegend=False,
        line={"color": theme.ACCENT, "width": 2}, marker={"size": 5},
        hovertext=[
            f"{q}: {numbers.percent(e, lang)}" for q, e in zip(rows["questions"], rows["exclusion"], strict=True)
        ],
        hoverinfo="text",
    )  # fmt: skip
    mark = rows[rows["questions"] == chosen]
    fig.add_scatter(x=mark["questions"], y=mark["exclusion"], mode="markers", showlegend=False, hoverinfo="skip",
                    marker={"size": 13, "color": theme.WARNING, "symbol": "diamond"})  # fmt: skip
    theme.layout(fig, lang=lang, height=380)
    fig.update_xaxes(title=text("keandalan.axis_questions", lang))
    _percent_axis("y", fig, float(rows["exclusion"].min()), float(rows["exclusion"].max()), lang,
                  text("keandalan.axis_exclusion", lang))  # fmt: skip
    return fig
