"""Colours and the base of every chart. The meaning of a colour is fixed here for all pages.

The chrome of the dashboard takes its colours from ``.streamlit/config.toml``; the constants below are
the same accent, warning and greys for charts and documents.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

ACCENT = "#0B5A60"
ACCENT_SOFT = "#7CB9B7"
WARNING = "#C77700"
INK = "#1C2B2E"
MUTED = "#6B7C80"
FAINT = "#D5DDDE"
PAPER = "#FFFFFF"
NO_DATA = "#C9CFD1"
SEA = "#EAF0F2"

FONT = "Plus Jakarta Sans, sans-serif"

# Worst off (amber-brown) to best off (teal); readable without telling red from green.
WELFARE_SCALE: tuple[str, ...] = (
    "#7A3E00", "#A65A00", "#C77700", "#DDA24A", "#EBCB96",
    "#CFE3E1", "#9FCDCA", "#5AA3A3", "#267478", "#0B5A60",
)  # fmt: skip

# Five classes from little to much of something (YlGnBu, ColorBrewer 2.0).
SEQUENTIAL: tuple[str, ...] = ("#FFFFCC", "#A1DAB4", "#41B6C4", "#2C7FB8", "#253494")
# Five classes around a named midpoint.
DIVERGING: tuple[str, ...] = ("#A65A00", "#E5C08A", "#F1F3F3", "#8CC3C1", "#0B5A60")
# Okabe-Ito, for groups without an order.
QUALITATIVE: tuple[str, ...] = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")

PROGRAMME_COLOURS: dict[str, str] = {
    "pkh": "#0B5A60",
    "sembako": "#C77700",
    "pbi": "#3E6FA3",
    "blt_desa": "#8C5A9E",
    "pip": "#7A8B2A",
}

# What Plotly shows of its own is English: the mode bar is off everywhere.
CONFIG: dict[str, Any] = {"displayModeBar": False, "displaylogo": False, "scrollZoom": False}


def layout(fig: go.Figure, *, height: int = 420, lang: str = "id", legend: bool = False) -> go.Figure:
    """Give `fig` the common type, margins, number separators and quiet axes; returns the same figure.

    Text and grid colours are left to the theme of the page, so a chart reads on light and on dark.
    """
    fig.update_layout(
        height=height,
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        font={"family": FONT, "size": 13},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        separators=",." if lang == "id" else ".,",
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": {"text": ""}},
        hoverlabel={"font": {"family": FONT, "size": 13}},
        dragmode=False,
    )
    fig.update_xaxes(zeroline=False, automargin=True, fixedrange=True)
    fig.update_yaxes(zeroline=False, automargin=True, fixedrange=True)
    return fig
