"""Tables behind the ranking's figures: published numbers under display names, with how to write each.

A `Table` keeps numbers as numbers (so that sorting on screen works) and knows which of its cells were
suppressed by disclosure control; those read "tersamar", an absent value reads "tidak tersedia".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pandas as pd
from pandas.io.formats.style import Styler

from dtsen_core.locale import text
from dtsen_core.oversight.disclosure import Published
from dtsen_core.present import numbers
from dtsen_core.present.charts_rank import CLASSES, DECILES
from dtsen_core.present.peringkat_export import Sheet

WRITERS: dict[str, Callable[..., str]] = {
    "count": partial(numbers.number),
    "percent": lambda value, lang: numbers.percent(value, lang, 1),
    "percent3": lambda value, lang: numbers.percent(value, lang, 3),
    "percent2": lambda value, lang: numbers.percent(value, lang, 2),
    "score": lambda value, lang: numbers.number(value, lang, 3),
    "ratio": lambda value, lang: numbers.number(value, lang, 3),
    "rupiah": numbers.rupiah,
    "points": lambda value, lang: numbers.points(value, lang, 2),
    "error": lambda value, lang: numbers.points(value, lang, 2).lstrip("+"),
    "ratio4": lambda value, lang: numbers.number(value, lang, 4),
    "signed4": lambda value, lang: numbers.signed(value, lang, 4),
    "signed": lambda value, lang: numbers.signed(value, lang),
    "signed3": lambda value, lang: numbers.signed(value, lang, 3),
    "text": lambda value, lang: str(value),
}


@dataclass(frozen=True)
class Table:
    """`frame`: display names → values; `kinds`: display name → key of `WRITERS`, or one key per row;
    `hidden`: cells suppressed (same shape, missing columns mean none)."""

    frame: pd.DataFrame
    kinds: dict[str, str | list[str]]
    hidden: pd.DataFrame = field(default_factory=pd.DataFrame)

    def styler(self, lang: str) -> Styler:
        """The frame with every cell written in `lang`; sorting still uses the numbers."""
        style = self.frame.style.hide(axis="index")
        for column, kind in self.kinds.items():
            if isinstance(kind, str):
                style = style.format(partial(WRITERS[kind], lang=lang), subset=[column])
                continue
            by_row = pd.Series(kind, index=self.frame.index)
            for one, rows in by_row.groupby(by_row):
                style = style.format(partial(WRITERS[str(one)], lang=lang), subset=(rows.index, [column]))
        word = text("peringkat.suppressed", lang)
        for column in self.hidden.columns.intersection(self.frame.columns):
            rows = self.hidden.index[self.hidden[column].astype(bool)]
            if len(rows):
                style = style.format(lambda value: word, subset=(rows, [column]))
        return style

    def placeholder(self, lang: str) -> str:
        """The word in an empty cell: the browser shows one and the same for every empty cell of a table."""
        empty = int(self.frame.isna().to_numpy().sum())
        hidden = int(self.hidden.to_numpy(bool).sum()) if self.hidden.size else 0
        if not hidden:
            return numbers.not_available(lang)
        return text("peringkat.suppressed" if hidden >= empty else "peringkat.suppressed_or_absent", lang)

    def sheet(self, title: str, lang: str) -> Sheet:
        """The same table for a download: numbers as numbers, suppressed cells as the word."""
        frame = self.frame.astype(object)
        for column in self.hidden.columns.intersection(frame.columns):
            frame.loc[self.hidden[column].astype(bool), column] = text("peringkat.suppressed", lang)
        percent = tuple(c for c, kind in self.kinds.items() if isinstance(kind, str) and kind.startswith("percent"))
        return Sheet(title, frame, percent)


def build(published: Published, columns: list[tuple[str, str, str]]) -> Table:
    """A `Table` of published columns; `columns`: (column, display name, kind). Absent columns are left out."""
    source = published.frame
    present = [(column, name, kind) for column, name, kind in columns if column in source]
    frame = pd.DataFrame({name: source[column] for column, name, _ in present})
    mask = published.suppressed
    hidden = pd.DataFrame({name: mask[column] for column, name, _ in present if column in mask})
    return Table(frame, {name: kind for _, name, kind in present}, hidden)


def decile_table(published: Published, lang: str) -> Table:
    """Counts by decile and area with n beside them."""
    columns = [("name", text("peringkat.col_area", lang), "text"), ("code", text("peringkat.col_code", lang), "text")]
    columns += [(c, text(f"peringkat.col_{c}", lang), "count") for c in ("n", "families", "persons")]
    columns += [(d, text("peringkat.decile_n", lang, k=k), "count") for k, d in enumerate(DECILES, 1)]
    columns += [("mean_score", text("peringkat.col_mean_score", lang), "score")]
    return build(published, columns)


def class_table(published: Published, lang: str, benchmark: bool = False) -> Table:
    """Expected shares, headcount ratio with interval, P1, P2, Gini, mean expenditure and number of poor;
    with `benchmark` also the headcount ratio before the adjustment."""
    columns = [
        ("name", text("peringkat.col_area", lang), "text"),
        ("code", text("peringkat.col_code", lang), "text"),
        ("n", text("peringkat.col_n", lang), "count"),
        ("persons", text("peringkat.col_persons", lang), "count"),
    ]
    columns += [(f"share_{c}", text(f"peringkat.class_{c}", lang), "percent") for c in CLASSES]
    columns += [("p0", text("peringkat.col_p0", lang), "percent2")]
    if benchmark:
        columns += [("p0_unbenchmarked", text("peringkat.col_beside", lang), "percent2")]
    columns += [
        ("p0_low", text("peringkat.col_low", lang), "percent2"),
        ("p0_high", text("peringkat.col_high", lang), "percent2"),
        ("poor_persons", text("peringkat.col_poor", lang), "count"),
        ("p1", text("peringkat.col_p1", lang), "percent2"),
        ("p2", text("peringkat.col_p2", lang), "percent2"),
        ("gini", text("peringkat.col_gini", lang), "ratio"),
        ("mean_expenditure", text("peringkat.col_mean", lang), "rupiah"),
    ]
    return build(published, columns)


def transition_table(published: Published, lang: str) -> Table:
    """The 10 × 10 counts: one row per decile of the first ranking."""
    columns = [("from", text("peringkat.col_from", lang), "count")]
    columns += [(d, text("peringkat.col_to", lang, k=k), "count") for k, d in enumerate(DECILES, 1)]
    return build(published, columns)


def threshold_table(thresholds: pd.DataFrame, lang: str) -> Table:
    """Scores at which deciles 2–10 begin, one row per area within which families are ranked.

    Scores are shown as natural logarithms of rupiah; they describe a ranking, not a family.
    """
    frame = pd.DataFrame(
        {text("peringkat.col_area", lang): thresholds["name"], text("peringkat.col_code", lang): thresholds["code"]}
    )
    kinds: dict[str, str | list[str]] = dict.fromkeys(frame.columns, "text")
    for k in range(1, 10):
        name = text("peringkat.col_threshold", lang, k=k + 1)
        frame[name] = pd.to_numeric(thresholds[f"t{k}"], errors="coerce").astype("float64") / 1000
        kinds[name] = "score"
    return Table(frame, kinds)
