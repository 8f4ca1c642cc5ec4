"""The hover of a map: numbers travel once as a small array, the words around them once as a template.

An area whose figure is withheld or missing needs a word where others have a number; areas that lack the same
figures share one template, so a map has as many traces as there are such patterns, nearly always one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dtsen_core import locale
from dtsen_core.policy.map_indicators import MapIndicator
from dtsen_core.present import numbers

FACTS = ("value", "low", "high", "partner", "rank", "n", "size")
_AT = {name: position for position, name in enumerate(FACTS)}
MANY = 100  # areas; above, single precision is enough (seven digits) and half as long

Words = Callable[[Mapping[str, str]], str]


@dataclass(frozen=True)
class Hover:
    """`facts`: one row per area, columns `FACTS`; `groups`: (positions of areas, their template)."""

    facts: np.ndarray
    groups: tuple[tuple[np.ndarray, str], ...]


def token(indicator: MapIndicator, fact: str) -> str:
    """The placeholder that writes a fact of `indicator` as the tables do; separators are the figure's."""
    place = f"customdata[{_AT[fact]}]"
    if indicator.kind == "rate":
        return f"%{{{place}:.{indicator.decimals}%}}"
    if indicator.format == "rupiah":
        return f"Rp%{{{place}:,.0f}}"
    return f"%{{{place}:,.{indicator.decimals}f}}"


def make(rows: pd.DataFrame, indicator: MapIndicator, partner: MapIndicator, words: Words, lang: str) -> Hover:
    """The hover of `rows` (`peta.rows`). `words` turns the tokens ``value, partner, interval, partner_interval,
    rank, n, size`` into the text of one group of areas."""
    facts = rows[list(FACTS)].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    missing = np.isnan(facts)
    rate = indicator if indicator.kind != "count" else partner
    interval = f" ({locale.text('peta.hover_interval', lang)} {token(rate, 'low')}–{token(rate, 'high')})"
    gaps = pd.DataFrame(missing)
    texts = pd.DataFrame({"value": rows["value_text"].to_numpy(), "partner": rows["partner_text"].to_numpy()})
    texts = texts.where(missing[:, [0, 3]], "")
    size_text = np.where(missing[:, 6], rows["size_text"].to_numpy(dtype=object), "")
    groups = []
    names = texts["value"] + "\0" + texts["partner"] + "\0" + pd.Series(size_text.astype(str))
    key = names + gaps.astype(int).astype(str).agg("".join, axis=1)
    for _, at in key.groupby(key).groups.items():
        where = np.asarray(at, dtype=int)
        first = int(where[0])
        gap = missing[first]
        shown = "" if gap[_AT["low"]] else interval
        groups.append((where, words({
            "value": str(texts["value"].iat[first]) if gap[0] else token(indicator, "value"),
            "partner": str(texts["partner"].iat[first]) if gap[_AT["partner"]] else token(partner, "partner"),
            "interval": shown if indicator.kind != "count" else "",
            "partner_interval": shown if indicator.kind == "count" else "",
            "rank": "–" if gap[_AT["rank"]] else f"%{{customdata[{_AT['rank']}]:.0f}}",
            "n": f"%{{customdata[{_AT['n']}]:,.0f}}",
            "size": str(size_text[first]) if gap[_AT["size"]] else f"%{{customdata[{_AT['size']}]:,.0f}}",
        })))  # fmt: skip
    return Hover(facts if len(rows) <= MANY else facts.astype("float32"), tuple(groups))


def said(texts: Sequence[str]) -> Hover:
    """The hover of areas whose whole text is written already."""
    return Hover(np.array(texts, dtype=object), ((np.arange(len(texts)), "%{customdata}"),))


def words(
    indicator: MapIndicator, partner: MapIndicator, count: int, lang: str, *, sampled: bool, source: str
) -> Words:
    """The text of the welfare map: name, both figures with unit and interval, rank among `count`, n, source."""

    def text(tokens: Mapping[str, str]) -> str:
        few = locale.text("peta.hover_n", lang, n=tokens["n"]) + " · " if sampled else ""
        return locale.text(
            "peta.hover", lang, measure=_with_unit(indicator, lang), partner=_with_unit(partner, lang),
            count=numbers.number(count, lang), few=few, source=source,
            **{name: tokens[name] for name in ("value", "partner_interval", "interval", "rank", "size")},
            other=tokens["partner"],
        )  # fmt: skip

    return text


def _with_unit(indicator: MapIndicator, lang: str) -> str:
    return f"{indicator.short[lang]} ({indicator.unit[lang]})"
