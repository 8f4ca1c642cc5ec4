"""Figures of the simulation and needs pages; every cell was published, hidden cells are left blank."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dtsen_core.locale import text
from dtsen_core.present import maps, numbers, peta_hover, theme

BAR = 26


def _bars(fig: go.Figure, rows: int, lang: str, axis: str) -> go.Figure:
    theme.layout(fig, lang=lang, height=110 + BAR * max(rows, 4), legend=True)
    fig.update_layout(bargap=0.25)
    fig.update_xaxes(title=axis)
    fig.update_yaxes(title=None)
    return fig


def ticks(fig: go.Figure, top: float, lang: str, low: float = 0.0) -> None:
    """Ticks of a count axis from `low` to `top`, written as people read them ("4 juta")."""
    span = max(top, -low, 1.0)
    step = 10 ** math.floor(math.log10(span))
    step = next(s for s in (step / 5, step / 2, step, step * 2) if (top - low) / s <= 8)
    values = [k * step for k in range(math.floor(low / step), math.ceil(top / step) + 1)]
    decimals = 0 if step >= 1e6 or step < 1 else 1
    fig.update_xaxes(tickvals=values, ticktext=[numbers.people(abs(v), lang, decimals) for v in values])


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
    ticks(fig, float(shown["winners"].max() or 0), lang, -float(shown["losers"].max() or 0))
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
            textposition="top center", cliponaxis=False,
            marker={"size": 14, "color": list(theme.QUALITATIVE[: len(names)])},
            customdata=[
                [numbers.rupiah(c, lang), numbers.points(p, lang, 2)] for c, p in zip(costs, changes, strict=True)
            ],
            hovertemplate="%{text}<br>%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
        )
    )  # fmt: skip
    theme.layout(fig, lang=lang, height=320)
    for update, values, title in (
        (fig.update_xaxes, [0.0, *(c / 1e12 for c in costs)], "simulasi.axis_extra_cost"),
        (fig.update_yaxes, [0.0, *(p * 100 for p in changes)], "simulasi.axis_p0_change"),
    ):
        spare = max((max(values) - min(values)) * 0.15, 0.02)
        update(title=text(title, lang), zeroline=True, range=[min(values) - spare, max(values) + spare])
    return fig


def need(frame: pd.DataFrame, unit: str, lang: str) -> go.Figure:
    """Enrolled among the eligible, waiting, and the quota as a mark, counted in `unit` (word). `frame`: name, eligible,
    enrolled_eligible, waiting, quota."""
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
    _bars(fig, len(frame), lang, unit)
    ticks(fig, float(frame[["eligible", "quota"]].max().max()), lang)
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


@dataclass(frozen=True)
class Classed:
    """Areas in five classes of a change: `rows` code, klass (0 = no figure), hover; `edge` where the outer classes
    begin (fraction of families); `words` of the classes."""

    rows: pd.DataFrame
    edge: float
    words: tuple[str, ...] = ()


def classed(frame: pd.DataFrame, lang: str) -> Classed:
    """Classes of `change_rate` around no change. `frame`: code, name, change, change_rate, before, after."""
    rate = frame["change_rate"].astype(float)
    moved = rate.abs()[rate.abs() > 1e-6]
    edge = float(moved.quantile(0.6)) if len(moved) else 0.01
    klass = pd.Series(3, index=frame.index).mask(rate > 1e-6, 4).mask(rate > edge, 5)
    klass = klass.mask(rate < -1e-6, 2).mask(rate < -edge, 1).mask(rate.isna(), 0)
    hover = [
        text("simulasi.map_hover", lang, name=r.name_, change=numbers.signed(r.change, lang),
             rate=numbers.points(r.change_rate, lang, 2), before=numbers.people(r.before, lang),
             after=numbers.people(r.after, lang))
        for r in frame.rename(columns={"name": "name_"}).itertuples()
    ]  # fmt: skip
    written = numbers.percent(edge, lang, 2)
    words = tuple(text(f"simulasi.legend_{k}", lang, edge=written) for k in range(1, 6))
    return Classed(pd.DataFrame({"code": frame["code"], "klass": klass.astype(int), "hover": hover}), edge, words)


def need_classes(frame: pd.DataFrame, lang: str) -> Classed:
    """Fifths of the areas by the share of the eligible that waits. `frame`: code, name, waiting, waiting_rate,
    eligible, quota."""
    rate = frame["waiting_rate"].astype(float)
    known = rate.dropna()
    edges = [float(known.quantile(q / 5)) for q in range(6)] if len(known) else [0.0] * 6
    klass = pd.Series(1, index=frame.index)
    for number in range(1, 5):
        klass = klass.mask(rate > edges[number], number + 1)
    klass = klass.mask(rate.isna(), 0)
    hover = [
        text("kebutuhan.map_hover", lang, name=r.name_, waiting=numbers.people(r.waiting, lang),
             rate=numbers.percent(r.waiting_rate, lang), eligible=numbers.people(r.eligible, lang),
             quota=numbers.people(r.quota, lang))
        for r in frame.rename(columns={"name": "name_"}).itertuples()
    ]  # fmt: skip
    words = tuple(numbers.interval(edges[k], edges[k + 1], lang) for k in range(5))
    return Classed(pd.DataFrame({"code": frame["code"], "klass": klass.astype(int), "hover": hover}), 0.0, words)


def change_map(
    found: Classed, style: maps.MapStyle, bbox: maps.BBox, corner: str, note: str, lang: str
) -> go.Figure:
    """The map of the classes, each area's hover written out."""
    return maps.choropleth(
        found.rows.assign(doubt=0), style, bbox, hover=peta_hover.said(found.rows["hover"].tolist()), corner=corner,
        hint="", note=note, lang=lang, frame=maps.WIDE,
    )  # fmt: skip
