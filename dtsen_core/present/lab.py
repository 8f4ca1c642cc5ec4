"""Impact of a ranking in words, classes and figures; all numbers come from published tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dtsen_core.locale import text
from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy.trust import Quality
from dtsen_core.present import numbers, theme
from dtsen_core.present.peringkat import SMALL_SAMPLE
from dtsen_core.present.peringkat_tables import Table, build
from dtsen_core.present.peta_hover import Hover

BARS = 10  # areas at each end of the list
STILL = 0.002  # share of families: smaller changes are drawn as "about the same"


@dataclass(frozen=True)
class Tile:
    """One figure of the first row: what, how many and what share, the two directions, and the rupiah."""

    label: str
    value: str
    directions: str
    budget: str


def shares(published: Published) -> pd.DataFrame:
    """The areas with `before` and `after` (share of families in deciles 1..k) and `change`; NaN where hidden."""
    frame = published.frame
    whole = frame["families"].where(frame["families"] > 0)
    frame["before"] = (frame["staying"] + frame["leaving"]) / whole
    frame["after"] = (frame["staying"] + frame["entering"]) / whole
    frame["change"] = (frame["entering"] - frame["leaving"]) / whole
    return frame


def finding(total: pd.Series, cut: int, place: str, lang: str) -> str:
    """The headline: how many families change sides of the cut-off."""
    moved = total["entering"] + total["leaving"]
    if numbers.missing(moved):
        return text("lab.finding_hidden", lang, place=place)
    if moved == 0:
        return text("lab.finding_same", lang, place=place, cut=cut)
    return text(
        "lab.finding", lang, place=place, cut=cut, share=numbers.percent(moved / total["families"], lang),
        entering=numbers.people(total["entering"], lang), leaving=numbers.people(total["leaving"], lang),
    )  # fmt: skip


def tiles(published: Published, names: dict[str, str], lang: str) -> list[Tile]:
    """One tile per programme; `names` by key."""
    found = []
    for row in published.frame.to_dict("records"):
        moved = row["entering"] + row["leaving"]
        share = moved / row["families"] if row["families"] else float("nan")
        found.append(
            Tile(
                text("lab.tile", lang, name=names[row["key"]], low=row["decile_from"], high=row["decile_to"]),
                numbers.people(moved, lang),
                text("lab.tile_share", lang, share=numbers.percent(share, lang),
                     entering=numbers.people(row["entering"], lang), leaving=numbers.people(row["leaving"], lang)),
                budget(row["cost"], lang),
            )
        )  # fmt: skip
    return found


def budget(cost: float, lang: str) -> str:
    if numbers.missing(cost):
        return text("lab.budget_unknown", lang)
    if round(cost) == 0:
        return text("lab.budget_same", lang)
    return text("lab.budget_more" if cost > 0 else "lab.budget_less", lang, amount=numbers.rupiah(abs(cost), lang))


def refit_sentence(before: Quality, after: Quality, dropped: int, lang: str) -> str:
    """What leaving out `dropped` indicators costs when the rest is fitted again."""
    return text(
        "lab.refit_cost", lang, count=dropped, r2=numbers.number(after.r2, lang, 3),
        r2_before=numbers.number(before.r2, lang, 3), missed=numbers.percent(after.exclusion, lang),
        missed_before=numbers.percent(before.exclusion, lang),
    )  # fmt: skip


def edges(change: pd.Series) -> tuple[float, float]:
    """(small, large) bounds of the map's five classes around no change, from the areas' own changes."""
    known = change.dropna().abs()
    spread = float(known.quantile(0.8)) if len(known) else 0.0
    large = max(round(spread, 3), 2 * STILL)
    return max(round(large / 4, 3), STILL), large


def map_rows(frame: pd.DataFrame, bounds: tuple[float, float], lang: str) -> pd.DataFrame:
    """Rows for `maps.choropleth`: class 0 hidden, 1 falls much … 5 rises much."""
    small, large = bounds
    change = frame["change"].to_numpy(float)
    klass = np.searchsorted([-large, -small, small, large], np.nan_to_num(change), side="right") + 1
    few = frame["n"].fillna(0).to_numpy() < SMALL_SAMPLE
    return pd.DataFrame({
        "code": frame["code"], "klass": np.where(np.isnan(change), 0, klass), "doubt": few.astype(int),
    })  # fmt: skip


def hover(frame: pd.DataFrame, lang: str) -> Hover:
    """Name, change, both shares and n; a hidden area says so."""
    facts = np.stack([100 * frame["change"], frame["before"], frame["after"], frame["n"].astype(float)], axis=1)
    hidden = np.isnan(facts).any(axis=1)
    told = text("lab.hover", lang, change="%{customdata[0]:+.1f}", before="%{customdata[1]:.1%}",
                after="%{customdata[2]:.1%}", n="%{customdata[3]:,.0f}")  # fmt: skip
    word = text("peringkat.suppressed", lang)
    groups = [(np.flatnonzero(~hidden), told), (np.flatnonzero(hidden), f"<b>%{{properties.name}}</b><br>{word}")]
    return Hover(facts.astype("float32"), tuple(group for group in groups if len(group[0])))


def legend(rows: pd.DataFrame, bounds: tuple[float, float], lang: str) -> list[tuple[str, int]]:
    """(label, areas) of classes 0..5."""
    small, large = (numbers.number(100 * b, lang, 1) for b in bounds)
    words = [
        text("lab.class_hidden", lang), text("lab.class_fall_much", lang, large=large),
        text("lab.class_fall", lang, small=small, large=large), text("lab.class_still", lang, small=small),
        text("lab.class_rise", lang, small=small, large=large), text("lab.class_rise_much", lang, large=large),
    ]  # fmt: skip
    counts = np.bincount(rows["klass"].astype(int), minlength=6)
    return [(word, int(count)) for word, count in zip(words, counts)]


def ends(frame: pd.DataFrame, each: int = BARS) -> pd.DataFrame:
    """The areas that gain most and lose most, gains first, those without change left out."""
    known = frame[frame["change"].notna() & (frame["change"] != 0)].sort_values("change", ascending=False)
    if len(known) <= 2 * each:
        return known
    return pd.concat([known.head(each), known.tail(each)])


def gain_finding(frame: pd.DataFrame, cut: int, lang: str) -> str:
    known = frame[frame["change"].notna() & (frame["n"] >= SMALL_SAMPLE)]
    if known.empty or (known["change"] == 0).all():
        return text("lab.gain_none", lang)
    top, low = known.loc[known["change"].idxmax()], known.loc[known["change"].idxmin()]
    return text(
        "lab.gain", lang, cut=cut, top=top["name"], top_change=numbers.points(top["change"], lang),
        low=low["name"], low_change=numbers.points(low["change"], lang),
    )  # fmt: skip


def bars(frame: pd.DataFrame, lang: str) -> go.Figure:
    """Diverging bars of `ends`: change of the share in deciles 1..k, percentage points."""
    labels = frame["name"].where(~frame["name"].duplicated(keep=False), frame["name"] + " " + frame["code"])
    fig = go.Figure(
        go.Bar(
            x=100 * frame["change"], y=labels, orientation="h",
            marker={"color": [theme.WARNING if v > 0 else theme.ACCENT for v in frame["change"]]},
            text=[numbers.points(v, lang) for v in frame["change"]], textposition="outside", cliponaxis=False,
            hovertext=[
                f"{name}<br>{numbers.percent(before, lang)} → {numbers.percent(after, lang)}"
                for name, before, after in zip(labels, frame["before"], frame["after"])
            ],
            hoverinfo="text",
        )
    )  # fmt: skip
    theme.layout(fig, lang=lang, height=100 + 24 * max(len(frame), 3))
    wide = 100 * float(frame["change"].abs().max()) * 1.45 if len(frame) else 1.0
    fig.update_xaxes(title=text("lab.axis_change", lang), range=[-wide, wide], zeroline=True)
    fig.update_yaxes(autorange="reversed", title=None)
    return fig


def area_table(published: Published, lang: str) -> Table:
    """The ranked table behind map and bars, largest gain first."""
    made = build(published, [
        ("name", text("lab.col_area", lang), "text"), ("code", text("lab.col_code", lang), "text"),
        ("n", text("lab.col_n", lang), "count"), ("families", text("lab.col_families", lang), "count"),
        ("entering", text("lab.col_entering", lang), "count"), ("leaving", text("lab.col_leaving", lang), "count"),
    ])  # fmt: skip
    with_shares = shares(published)
    frame, kinds = made.frame, dict(made.kinds)
    for column in ("before", "after", "change"):
        name = text(f"lab.col_{column}", lang)
        frame[name], kinds[name] = with_shares[column], "points" if column == "change" else "percent"
    order = with_shares["change"].sort_values(ascending=False, na_position="last").index
    return Table(frame.loc[order], kinds, made.hidden.loc[order])


def programme_table(published: Published, names: dict[str, str], lang: str) -> Table:
    made = build(published, [
        ("key", text("lab.col_programme", lang), "text"), ("families", text("lab.col_families", lang), "count"),
        ("staying", text("lab.col_staying", lang), "count"), ("entering", text("lab.col_entering", lang), "count"),
        ("leaving", text("lab.col_leaving", lang), "count"),
        ("persons_entering", text("lab.col_persons_entering", lang), "count"),
        ("persons_leaving", text("lab.col_persons_leaving", lang), "count"),
        ("amount", text("lab.col_amount", lang), "rupiah"), ("cost", text("lab.col_cost", lang), "rupiah"),
    ])  # fmt: skip
    made.frame[text("lab.col_programme", lang)] = published.frame["key"].map(names)
    return made
