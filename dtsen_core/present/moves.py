"""Moves between two versions in words and figures; all numbers come from published tables."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from dtsen_core.integrate.compare import decile_classes
from dtsen_core.locale import text
from dtsen_core.oversight.disclosure import Published
from dtsen_core.present import numbers, theme
from dtsen_core.present.peringkat_tables import Table, build

STAYED = "tetap"
COLOURS = {
    "turun_ekstrem": "#7A3E00", "turun_berarti": "#C77700", "turun": "#EBCB96", STAYED: theme.FAINT,
    "naik": "#9FCDCA", "naik_berarti": "#267478", "naik_ekstrem": "#0B5A60",
}  # fmt: skip


def finding(classes: pd.DataFrame, lang: str) -> str:
    """The share of families whose decile changed, up and down. `classes`: published rows."""
    by_code = classes.set_index("code")["families"]
    total = by_code.sum(skipna=False)
    if numbers.missing(total) or total == 0:
        known = by_code.sum()
        if not known or numbers.missing(by_code[STAYED]):
            return text("moves.finding_hidden", lang)
        return text("moves.finding_partly", lang, stayed=numbers.people(by_code[STAYED], lang))
    up = by_code[[c for c in by_code.index if c.startswith("naik")]].sum() / total
    down = by_code[[c for c in by_code.index if c.startswith("turun")]].sum() / total
    return text(
        "moves.finding", lang, share=numbers.percent(up + down, lang), up=numbers.percent(up, lang),
        down=numbers.percent(down, lang),
    )  # fmt: skip


def cause_finding(causes: pd.DataFrame, lang: str) -> str:
    """Which step moved the most families by itself."""
    if causes.empty or not causes["families"].max() > 0:
        return text("moves.no_causes", lang)
    top = causes.loc[causes["families"].idxmax()]
    return text(
        "moves.cause", lang, cause=text(f"moves.cause_{top['cause']}", lang),
        families=numbers.people(top["families"], lang),
    )  # fmt: skip


def class_bars(classes: pd.DataFrame, lang: str) -> go.Figure:
    """Families in each class of change; the unchanged, who would dwarf the rest, are told in words."""
    shown = classes[classes["code"] != STAYED]
    label = {c.code: c.label(lang) for c in decile_classes()}
    fig = go.Figure(
        go.Bar(
            x=shown["families"], y=[label[c] for c in shown["code"]], orientation="h",
            marker={"color": [COLOURS[c] for c in shown["code"]]},
            text=[numbers.people(v, lang) for v in shown["families"]], textposition="outside", cliponaxis=False,
            hovertext=[f"{label[c]}: {numbers.number(v, lang)}" for c, v in zip(shown["code"], shown["families"])],
            hoverinfo="text",
        )
    )  # fmt: skip
    theme.layout(fig, lang=lang, height=300)
    top = float(shown["families"].max()) if shown["families"].notna().any() else 1.0
    fig.update_xaxes(title=text("moves.axis_families", lang), range=[0, top * 1.2], tickformat=",.0f")
    fig.update_yaxes(autorange="reversed", title=None)
    return fig


def cause_bars(causes: pd.DataFrame, lang: str) -> go.Figure:
    """Families that each step moves by itself."""
    names = [text(f"moves.cause_{c}", lang) for c in causes["cause"]]
    fig = go.Figure(
        go.Bar(
            x=causes["families"], y=names, orientation="h", marker={"color": theme.ACCENT},
            text=[numbers.people(v, lang) for v in causes["families"]], textposition="outside", cliponaxis=False,
            hovertext=[f"{n}: {numbers.number(v, lang)}" for n, v in zip(names, causes["families"])],
            hoverinfo="text",
        )
    )  # fmt: skip
    theme.layout(fig, lang=lang, height=200)
    top = float(causes["families"].max())
    fig.update_xaxes(title=text("moves.axis_moved", lang), range=[0, max(top, 1.0) * 1.2], tickformat=",.0f")
    fig.update_yaxes(autorange="reversed", title=None)
    return fig


def cause_sum(causes: pd.DataFrame, total: float, lang: str) -> str:
    """The mean move per family as the exact sum of its three steps."""
    parts = [f"{text(f'moves.cause_{row.cause}', lang)} {numbers.signed(row.mean_, lang, 4)}"
             for row in causes.rename(columns={"mean": "mean_"}).itertuples()]  # fmt: skip
    return text("moves.sum", lang, parts=", ".join(parts), total=numbers.signed(total, lang, 4) or "0")


def class_table(published: Published, lang: str) -> Table:
    label = {c.code: c.label(lang) for c in decile_classes()}
    made = build(published, [
        ("code", text("moves.col_class", lang), "text"), ("n", text("lab.col_n", lang), "count"),
        ("families", text("lab.col_families", lang), "count"), ("cases", text("moves.col_cases", lang), "count"),
        ("data", text("moves.cause_data", lang), "signed3"), ("model", text("moves.cause_model", lang), "signed3"),
        ("others", text("moves.cause_others", lang), "signed3"),
    ])  # fmt: skip
    made.frame[text("moves.col_class", lang)] = published.frame["code"].map(label)
    return made


def area_table(published: Published, lang: str) -> Table:
    return build(published, [
        ("name", text("lab.col_area", lang), "text"), ("code", text("lab.col_code", lang), "text"),
        ("families", text("lab.col_families", lang), "count"),
        *[(c.code, c.label(lang), "count") for c in decile_classes()],
        ("cases", text("moves.col_cases", lang), "count"),
    ])  # fmt: skip
