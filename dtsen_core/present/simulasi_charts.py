"""Figures of the simulation and needs pages; every cell was published, hidden cells are left blank."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from dtsen_core.locale import text
from dtsen_core.present import numbers, theme

BAR = 26


def _bars(fig: go.Figure, rows: int, lang: str, axis: str) -> go.Figure:
    theme.layout(fig, lang=lang, height=110 + BAR * max(rows, 4), legend=True)
    fig.update_layout(bargap=0.25)
    fig.update_xaxes(title=axis)
    fig.update_yaxes(title=None)
    return fig


def gains(frame: pd.DataFrame, lang: str) -> go.Figure:
    """Winners to the right, losers to the left, by decile. `frame`: decile, winners, losers."""
    shown = frame[frame["decile"] > 0]
    names = [text("simulasi.decile_n", lang, k=int(k)) for k in shown["decile"]]
    fig = go.Figure()
    for column, sign, colour in (("winners", 1, theme.ACCENT), ("losers", -1, theme.WARNING)):
        label = text(f"simulasi.col_{column}", lang)
        fig.add_bar(
            x=shown[column] * sign, y=names, orientation="h", name=label, marker={"color": colour},
            customdata=[numbers.people(v, lang) for v in shown[column]],
            hovertemplate="%{y}<br>" + label + ": %{customdata}<extra></extra>",
        )  # fmt: skip
    _bars(fig, len(names), lang, text("simulasi.axis_families", lang))
    fig.update_layout(barmode="relative")
    fig.update_yaxes(autorange="reversed")
    return fig


def coverage(frame: pd.DataFrame, lang: str) -> go.Figure:
    """Share of families served before and after, by group. `frame`: name, before_rate, after_rate."""
    fig = go.Figure()
    for column, colour in (("before_rate", theme.FAINT), ("after_rate", theme.ACCENT)):
        label = text(f"simulasi.legend_{column}", lang)
        shown = [numbers.percent(v, lang) for v in frame[column]]
        fig.add_bar(
            x=frame[column], y=frame["name"], orientation="h", name=label, marker={"color": colour}, text=shown,
            textposition="outside", cliponaxis=False, hovertemplate="%{y}<br>" + label + ": %{text}<extra></extra>",
        )  # fmt: skip
    _bars(fig, 2 * len(frame), lang, text("simulasi.axis_coverage", lang))
    top = float(frame[["before_rate", "after_rate"]].max().max() or 0)
    fig.update_layout(barmode="group")
    fig.update_xaxes(tickformat=".0%", range=[0, max(top * 1.15, 0.01)])
    fig.update_yaxes(autorange="reversed")
    return fig


def scenarios(names: list[str], costs: list[float], changes: list[float], lang: str) -> go.Figure:
    """One point per scenario: extra cost a year against the change of the poverty rate, in points."""
    fig = go.Figure(
        go.Scatter(
            x=[c / 1e12 for c in costs], y=[p * 100 for p in changes], mode="markers+text", text=names,
            textposition="top center", marker={"size": 14, "color": list(theme.QUALITATIVE[: len(names)])},
            customdata=[
                [numbers.rupiah(c, lang), numbers.points(p, lang, 2)] for c, p in zip(costs, changes, strict=True)
            ],
            hovertemplate="%{text}<br>%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
        )
    )  # fmt: skip
    theme.layout(fig, lang=lang, height=320)
    fig.update_xaxes(title=text("simulasi.axis_extra_cost", lang), zeroline=True, rangemode="tozero")
    fig.update_yaxes(title=text("simulasi.axis_p0_change", lang), zeroline=True, rangemode="tozero")
    return fig


def need(frame: pd.DataFrame, lang: str) -> go.Figure:
    """Enrolled among the eligible, waiting, and the quota as a mark. `frame`: name, enrolled_eligible, waiting, quota."""
    fig = go.Figure()
    for column, colour in (("enrolled_eligible", theme.ACCENT), ("waiting", theme.ACCENT_SOFT)):
        if frame[column].notna().any():
            _part(fig, frame, column, colour, lang)
    if frame["waiting"].isna().all() and frame["eligible"].notna().any():
        _part(fig, frame, "eligible", theme.ACCENT_SOFT, lang)
    if frame["quota"].notna().any():
        label = text("kebutuhan.col_quota", lang)
        fig.add_scatter(
            x=frame["quota"], y=frame["name"], mode="markers", name=label,
            marker={"symbol": "line-ns", "size": 14, "line": {"width": 3, "color": theme.WARNING}},
            customdata=[numbers.people(v, lang) for v in frame["quota"]],
            hovertemplate="%{y}<br>" + label + ": %{customdata}<extra></extra>",
        )  # fmt: skip
    _bars(fig, len(frame), lang, text("kebutuhan.axis_units", lang))
    fig.update_layout(barmode="stack")
    fig.update_yaxes(autorange="reversed")
    return fig


def _part(fig: go.Figure, frame: pd.DataFrame, column: str, colour: str, lang: str) -> None:
    label = text(f"kebutuhan.col_{column}", lang)
    fig.add_bar(
        x=frame[column], y=frame["name"], orientation="h", name=label, marker={"color": colour},
        customdata=[numbers.people(v, lang) for v in frame[column]],
        hovertemplate="%{y}<br>" + label + ": %{customdata}<extra></extra>",
    )  # fmt: skip
