"""Charts of the effectiveness page, drawn from published tables only."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from dtsen_core.oversight.disclosure import Published
from dtsen_core.present import numbers, theme
from dtsen_core.present.efektivitas import pattern_name, t


def _share_axis(fig: go.Figure, top: float, lang: str) -> None:
    step = next(s for s in (0.02, 0.05, 0.1, 0.2, 0.25) if top / s <= 6 or s == 0.25)
    ticks = [k * step for k in range(int(top / step) + 2)]
    fig.update_yaxes(range=[0, max(top * 1.15, step)], tickvals=ticks,
                     ticktext=[numbers.percent(x, lang, 0) for x in ticks])  # fmt: skip


def by_decile(found: Published, column: str, last: int, lang: str, title: str, other: str = "") -> go.Figure:
    """Bars of a share by decile; deciles of the base full, the others pale; `other` as line markers."""
    frame = found.frame[found.frame["decile"] > 0]
    colours = [theme.ACCENT if d <= last else theme.ACCENT_SOFT for d in frame["decile"]]
    fig = go.Figure()
    fig.add_bar(
        x=frame["decile"], y=frame[column], marker={"color": colours, "line": {"width": 0}},
        name=t(f"series_{column}", lang),
        text=["" if other or numbers.missing(v) else numbers.percent(v, lang, 0) for v in frame[column]],
        textposition="outside", cliponaxis=False, hoverinfo="skip",
    )  # fmt: skip
    top = float(frame[column].max())
    if other and frame[other].notna().any():
        fig.add_scatter(x=frame["decile"], y=frame[other], mode="lines+markers", name=t(f"series_{other}", lang),
                        line={"color": theme.WARNING, "width": 2}, hoverinfo="skip")  # fmt: skip
        top = max(top, float(frame[other].max()))
    theme.layout(fig, lang=lang, height=360, legend=bool(other))
    fig.update_xaxes(title=t("axis_decile", lang), tickvals=list(range(1, 11)), showgrid=False)
    fig.update_yaxes(title=title)
    _share_axis(fig, top if top == top and top > 0 else 0.1, lang)
    fig.update_layout(bargap=0.25)
    return fig


def upset(patterns: Published, keys: tuple[str, ...], names: dict[str, str], lang: str, most: int = 12) -> go.Figure:
    """Combinations of programmes: bars above, and below them which programmes each one is made of."""
    frame = patterns.frame[patterns.frame["pattern"] != ""].dropna(subset=["families"]).head(most)
    fig = go.Figure()
    place = list(range(len(frame)))
    fig.add_bar(
        x=place, y=frame["families"], marker={"color": theme.ACCENT, "line": {"width": 0}}, yaxis="y2",
        text=[numbers.people(v, lang, 1) for v in frame["families"]], textposition="outside", cliponaxis=False,
        hovertext=[f"{pattern_name(p, names, lang)}: {numbers.people(v, lang, 1)}"
                   for p, v in zip(frame["pattern"], frame["families"])], hoverinfo="text",
    )  # fmt: skip
    for row, key in enumerate(keys):
        colour = theme.PROGRAMME_COLOURS.get(key, theme.ACCENT)
        inside = [key in p.split("+") for p in frame["pattern"]]
        fig.add_scatter(
            x=place, y=[row] * len(place), mode="markers", hoverinfo="skip",
            marker={"size": 13, "color": [colour if i else theme.FAINT for i in inside]},
        )  # fmt: skip
    theme.layout(fig, lang=lang, height=460)
    top = float(frame["families"].max()) if len(frame) else 1.0
    fig.update_layout(
        yaxis={"domain": [0, 0.36], "tickvals": list(range(len(keys))), "ticktext": [names.get(k, k) for k in keys],
               "range": [len(keys) - 0.5, -0.5], "showgrid": False},
        yaxis2={"domain": [0.42, 1], "anchor": "x", "showticklabels": False, "range": [0, top * 1.18],
                "showgrid": False, "fixedrange": True},
    )  # fmt: skip
    fig.update_xaxes(showticklabels=False, showgrid=False)
    # on a phone the figures do not fit above the bars: none rather than too small to read
    fig.update_layout(uniformtext={"minsize": 9, "mode": "hide"})
    return fig


def curve(frame: pd.DataFrame, lang: str) -> go.Figure:
    """Concentration curve beside the line of equal shares."""
    fig = go.Figure()
    fig.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": theme.MUTED, "dash": "dot", "width": 1},
                    name=t("series_equal", lang), hoverinfo="skip")  # fmt: skip
    fig.add_scatter(x=frame["population"], y=frame["benefits"], mode="lines", hoverinfo="skip",
                    line={"color": theme.ACCENT, "width": 3}, name=t("series_curve", lang))  # fmt: skip
    theme.layout(fig, lang=lang, height=360, legend=True)
    ticks = [0, 0.25, 0.5, 0.75, 1]
    for axis, title in ((fig.update_xaxes, "axis_population"), (fig.update_yaxes, "axis_benefits")):
        axis(range=[0, 1.02], tickvals=ticks, ticktext=[numbers.percent(x, lang, 0) for x in ticks],
             title=t(title, lang))  # fmt: skip
    return fig


def poverty(table: Published, lang: str) -> go.Figure:
    """P0, P1 and P2 without and with the transfer."""
    frame = table.frame[table.frame["measure"] != "gini"]
    names = [t(f"measure_{m}", lang) for m in frame["measure"]]
    fig = go.Figure()
    for column, colour in (("without", theme.FAINT), ("with_transfer", theme.ACCENT)):
        fig.add_bar(
            x=names, y=frame[column], name=t(f"series_{column}", lang), marker={"color": colour, "line": {"width": 0}},
            text=[numbers.percent(v, lang, 2) for v in frame[column]], textposition="outside", cliponaxis=False,
            hoverinfo="skip",
        )  # fmt: skip
    theme.layout(fig, lang=lang, height=360, legend=True)
    fig.update_layout(barmode="group", bargap=0.35)
    _share_axis(fig, float(frame[["without", "with_transfer"]].max().max()), lang)
    return fig


def discontinuity(bins: Published, lang: str, outcome: str) -> go.Figure:
    """Binned means of the outcome's change, and the share listed, on both sides of the cut-off."""
    frame = bins.frame.dropna(subset=["change"])
    scale = 100 if outcome == "ln_expenditure" else 1
    fig = go.Figure()
    fig.add_scatter(
        x=frame["gap"], y=frame["change"] * scale, mode="markers", name=t(f"axis_{outcome}", lang), hoverinfo="skip",
        marker={"color": theme.ACCENT, "size": 9},
    )  # fmt: skip
    fig.add_scatter(
        x=frame["gap"], y=frame["listed"] * 100, mode="markers", name=t("series_listed_share", lang), yaxis="y2",
        marker={"color": theme.WARNING, "size": 7, "symbol": "diamond-open"}, hoverinfo="skip",
    )  # fmt: skip
    fig.add_vline(x=0, line={"color": theme.MUTED, "dash": "dot"})
    theme.layout(fig, lang=lang, height=400, legend=True)
    fig.update_xaxes(title=t("axis_gap", lang), showgrid=False)
    fig.update_yaxes(title=t(f"axis_{outcome}", lang))
    fig.update_layout(yaxis2={"overlaying": "y", "side": "right", "title": t("series_listed_share", lang),
                              "showgrid": False, "fixedrange": True, "rangemode": "tozero",
                              "tickmode": "auto"})  # fmt: skip
    return fig


def event_study(study: Published, lang: str, outcome: str) -> go.Figure:
    """Effects by quarters since entry with 95 % intervals, and the simultaneous band."""
    frame = study.frame.dropna(subset=["estimate"])
    scale = 100 if outcome == "ln_expenditure" else 1
    fig = go.Figure()
    for name, colour, width in (("band", theme.FAINT, 5), ("ci", theme.ACCENT, 2)):
        fig.add_scatter(
            x=frame["event"], y=frame["estimate"] * scale, mode="markers", hoverinfo="skip",
            showlegend=False, marker={"color": theme.ACCENT, "size": 8},
            error_y={"type": "data", "symmetric": False, "array": (frame[f"{name}_high"] - frame["estimate"]) * scale,
                     "arrayminus": (frame["estimate"] - frame[f"{name}_low"]) * scale, "color": colour,
                     "thickness": width, "width": 0},
        )  # fmt: skip
        fig.add_scatter(x=[None], y=[None], mode="lines", name=t(f"series_{name}", lang), hoverinfo="skip",
                        line={"color": colour, "width": width})  # fmt: skip
    fig.add_hline(y=0, line={"color": theme.MUTED, "width": 1})
    fig.add_vline(x=-0.5, line={"color": theme.MUTED, "dash": "dot"})
    theme.layout(fig, lang=lang, height=400, legend=True)
    fig.update_xaxes(title=t("axis_event", lang), dtick=1, showgrid=False)
    fig.update_yaxes(title=t(f"axis_{outcome}", lang))
    return fig
