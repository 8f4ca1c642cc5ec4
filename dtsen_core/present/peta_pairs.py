"""Two measures in one map: the rate (how bad) and its count (how many), each in thirds, nine colours in all.

A high rate of few people and a low rate of many look alike on no single map; here they are different corners.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dtsen_core import locale
from dtsen_core.policy.map_indicators import MapIndicator
from dtsen_core.present import numbers
from dtsen_core.present.peta import areas_text, short_text
from dtsen_core.present.peta_classes import Classes

SIDE = 3


@dataclass(frozen=True)
class Pairs:
    """`rows` with klass 3·(third of the rate − 1) + third of the count (1–9, 0 unknown); `areas`: 3 × 3 numbers of
    areas, row = third of the rate from low to high, column = third of the count; `counts`: the count of each row."""

    rate: MapIndicator
    count: MapIndicator
    rows: pd.DataFrame
    areas: np.ndarray
    rate_classes: Classes
    count_classes: Classes
    counts: pd.Series


def pairs(
    rows: pd.DataFrame, indicator: MapIndicator, partner: MapIndicator, rate_classes: Classes, count_classes: Classes
) -> Pairs:
    """From the rows of a map (`peta.rows`) and the thirds of both measures."""
    flipped = indicator.kind == "count"
    rate, count = (partner, indicator) if flipped else (indicator, partner)
    values = rows[["partner", "value"] if flipped else ["value", "partner"]].to_numpy(float)
    thirds = [rate_classes.assign(values[:, 0]), count_classes.assign(values[:, 1])]
    known = (thirds[0] > 0) & (thirds[1] > 0)
    klass = np.where(known, SIDE * (thirds[0].astype(int) - 1) + thirds[1], 0).astype("int8")
    areas = np.bincount(klass, minlength=SIDE * SIDE + 1)[1:].reshape(SIDE, SIDE)
    counts = rows["value" if flipped else "partner"]
    return Pairs(rate, count, rows.assign(klass=klass), areas, rate_classes, count_classes, counts)


def finding(found: Pairs, lang: str, *, level: str, where: str) -> str:
    """The title: how many areas are high in both, and how many people are counted there."""
    rows = found.rows
    both = rows[rows["klass"] == SIDE * SIDE]
    total, inside = float(found.counts.sum()), float(found.counts[both.index].sum())
    words = {
        "rate": found.rate.short[lang], "count": found.count.unit[lang], "where": where,
        "level": locale.text(f"peta.level_{level}", lang), "areas": numbers.number(len(both), lang),
        "all": numbers.number(len(rows), lang),
    }  # fmt: skip
    if not len(both) or not total:
        return locale.text("peta_views.pairs_none", lang, **words)
    return locale.text(
        "peta_views.pairs_finding", lang, people=short_text(found.count, inside, lang),
        share=numbers.percent(inside / total, lang, 1), **words,
    )  # fmt: skip


def legend_html(found: Pairs, colours: tuple[tuple[str, ...], ...], lang: str) -> str:
    """The nine colours as a table that can be read aloud: rate upwards, count to the right."""
    cell = (
        '<td title="{title}" style="width:2.6rem;height:2.1rem;background:{colour};text-align:center;'
        'font-size:.7rem;color:{ink};border:1px solid rgba(128,128,128,.25)">{areas}</td>'
    )
    lines = []
    for r in range(SIDE - 1, -1, -1):
        cells = "".join(
            cell.format(
                title=html.escape(areas_text(int(found.areas[r, c]), lang)), colour=colours[r][c],
                areas=int(found.areas[r, c]), ink=ink(colours[r][c]),
            )
            for c in range(SIDE)
        )  # fmt: skip
        lines.append(f"<tr>{cells}</tr>")
    up = html.escape(locale.text("peta_views.pairs_up", lang, measure=found.rate.short[lang]))
    right = html.escape(locale.text("peta_views.pairs_right", lang, measure=found.count.short[lang]))
    return (
        '<div style="display:flex;gap:.8rem;align-items:center;font-size:.75rem;line-height:1.3;flex-wrap:wrap">'
        f'<table style="border-collapse:collapse">{"".join(lines)}</table>'
        f'<div><p style="margin:0 0 .3rem"><strong>↑</strong> {up}</p>'
        f'<p style="margin:0 0 .3rem"><strong>→</strong> {right}</p></div></div>'
    )


def ink(colour: str) -> str:
    """Black or white, whichever reads better on `colour` (relative luminance of WCAG 2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return "#000000" if 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.18 else "#FFFFFF"


def corner_words(found: Pairs, lang: str) -> list[str]:
    """What the thirds are: the two breaks of each measure."""
    return [
        locale.text(
            "peta_views.pairs_breaks", lang, measure=measure.short[lang],
            breaks=" · ".join(short_text(measure, edge, lang) for edge in classes.edges),
        )
        for measure, classes in ((found.rate, found.rate_classes), (found.count, found.count_classes))
    ]  # fmt: skip
