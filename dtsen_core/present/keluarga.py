"""The explanation of one family in words and figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dtsen_core.locale import text
from dtsen_core.policy.explain import PLACE, Explanation
from dtsen_core.present import numbers, theme
from dtsen_core.present.peringkat_tables import Table

SHOWN = 12  # contributions drawn one by one; the rest is one bar


def label(row: dict[str, object], lang: str) -> str:
    """An indicator with the family's answer on a second line, so that a phone keeps room for the bars."""
    if row["indicator"] == PLACE:
        return text("keluarga.place", lang)
    return f"{_short(str(row[f'label_{lang}']))}<br>{_short(str(row[f'category_{lang}']))}"


def _short(words: str, most: int = 26) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def finding(found: Explanation, lang: str) -> str:
    """Where the family stands, and what weighs most in both directions."""
    rows = found.contributions[found.contributions["indicator"] != PLACE]
    up, down = rows.loc[rows["effect"].idxmax()], rows.loc[rows["effect"].idxmin()]
    return text(
        "keluarga.finding", lang, decile=found.decile, scope=text(f"peringkat.within_{found.scope}", lang),
        up=up[f"label_{lang}"], up_percent=_signed_percent(up["percent"], lang),
        down=down[f"label_{lang}"], down_percent=_signed_percent(down["percent"], lang),
    )  # fmt: skip


def distance(found: Explanation, lang: str) -> str:
    """How far the next decile above is, and how much the score may fall within this one."""
    parts = []
    if not numbers.missing(found.up):
        parts.append(text("keluarga.up", lang, decile=found.decile + 1, points=numbers.number(found.up, lang, 3),
                          percent=numbers.percent(np.expm1(found.up), lang)))  # fmt: skip
    if not numbers.missing(found.down):
        parts.append(text("keluarga.down", lang, decile=found.decile - 1, points=numbers.number(found.down, lang, 3),
                          percent=numbers.percent(-np.expm1(-found.down), lang)))  # fmt: skip
    return " ".join(parts)


def chance(found: Explanation, lang: str) -> str:
    """How likely the family's true decile of expenditure is the one it got; empty where unknown."""
    if not found.chances:
        return ""
    best = int(np.argmax(found.chances)) + 1
    return text(
        "keluarga.chance", lang, decile=found.decile, own=numbers.percent(found.chances[found.decile - 1], lang, 0),
        best=best, share=numbers.percent(found.chances[best - 1], lang, 0),
    )  # fmt: skip


def chance_bars(found: Explanation, lang: str) -> go.Figure:
    """Probability of each true decile; the decile the ranking gives is filled."""
    deciles = [str(k) for k in range(1, 11)]
    fig = go.Figure(
        go.Bar(
            x=deciles, y=found.chances,
            marker={"color": [theme.ACCENT if k == found.decile else theme.ACCENT_SOFT for k in range(1, 11)]},
            text=[numbers.percent(c, lang, 0) for c in found.chances], textposition="outside", cliponaxis=False,
            hoverinfo="skip",
        )
    )  # fmt: skip
    theme.layout(fig, lang=lang, height=240)
    fig.update_xaxes(title=text("keluarga.axis_decile", lang), type="category")
    fig.update_yaxes(visible=False, range=[0, max(found.chances) * 1.25])
    return fig


def waterfall(found: Explanation, lang: str) -> go.Figure:
    """From the mean score to the family's: the largest contributions in order, the rest in one bar."""
    rows = found.contributions.to_dict("records")
    names = [label(row, lang) for row in rows[:SHOWN]]
    effects = [float(row["effect"]) for row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        names.append(text("keluarga.rest", lang, count=len(rows) - SHOWN))
        effects.append(sum(float(row["effect"]) for row in rows[SHOWN:]))
    names = [text("keluarga.reference", lang), *names, text("keluarga.family", lang)]
    base = found.reference / 1000
    fig = go.Figure(
        go.Waterfall(
            orientation="h", y=names, x=[0.0, *effects, sum(effects)],
            measure=["absolute", *["relative"] * len(effects), "total"],
            text=["", *[_signed_percent(np.expm1(e), lang) for e in effects],
                  _signed_percent(np.expm1(sum(effects)), lang)],
            textposition="outside", cliponaxis=False,
            increasing={"marker": {"color": theme.ACCENT}}, decreasing={"marker": {"color": theme.WARNING}},
            totals={"marker": {"color": theme.MUTED}}, connector={"line": {"color": theme.FAINT}},
            hoverinfo="skip",
        )
    )  # fmt: skip
    theme.layout(fig, lang=lang, height=120 + 36 * len(names))
    running = np.cumsum([0.0, *effects])
    low, high = float(running.min()), float(running.max())
    pad = max(0.25 * (high - low), 0.05)
    title = text("keluarga.axis", lang, base=numbers.number(base, lang, 3))
    fig.update_xaxes(title=title, range=[low - 1.6 * pad, high + pad], zeroline=True, nticks=5)
    fig.update_yaxes(autorange="reversed", title=None)
    return fig


def _signed_percent(fraction: float, lang: str) -> str:
    return numbers.signed(100 * float(fraction), lang, 1) + "%"


def contribution_table(found: Explanation, lang: str) -> Table:
    """All contributions with the source of each answer."""
    rows = found.contributions.merge(found.sources, on="indicator", how="left")
    names = {key: text(f"keluarga.col_{key}", lang) for key in ("indicator", "answer", "effect", "percent", "source")}
    frame = pd.DataFrame({
        names["indicator"]: rows[f"label_{lang}"].where(rows["indicator"] != PLACE, text("keluarga.place", lang)),
        names["answer"]: rows[f"category_{lang}"],
        names["effect"]: rows["effect"],
        names["percent"]: [_signed_percent(p, lang) for p in rows["percent"]],
        names["source"]: [_source(row, lang) for row in rows.to_dict("records")],
    })  # fmt: skip
    return Table(frame, {names["effect"]: "signed3"})


def _source(row: dict[str, object], lang: str) -> str:
    if row["indicator"] == PLACE or pd.isna(row["rule"]):
        return "–"
    if row["rule"] == "members":
        return text("keluarga.source_members", lang)
    if row["source"] is None or pd.isna(row["source"]):
        return text("keluarga.source_none", lang)
    line = row["line"]
    where = f"{row['path']}:{int(float(str(line)))}" if not numbers.missing(line) else ""
    return " · ".join(part for part in (str(row["source"]), where) if part)


def change_table(found: Explanation, lang: str) -> Table:
    """Single answers that would change the decile."""
    rows = found.changes
    names = {key: text(f"keluarga.col_{key}", lang) for key in ("indicator", "instead", "percent", "decile")}
    frame = pd.DataFrame({
        names["indicator"]: rows[f"label_{lang}"],
        names["instead"]: rows[f"category_{lang}"],
        names["percent"]: [_signed_percent(np.expm1(e), lang) for e in rows["effect"]],
        names["decile"]: rows["decile"].astype(int),
    })  # fmt: skip
    return Table(frame, {})


def change_finding(found: Explanation, lang: str) -> str:
    """How many single answers would move the family, and over which deciles."""
    if found.changes.empty:
        return text("keluarga.no_change", lang)
    deciles = found.changes["decile"]
    return text("keluarga.changes", lang, count=len(deciles), low=int(deciles.min()), high=int(deciles.max()))
