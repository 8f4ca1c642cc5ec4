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
_PLAIN = {"rank": ".0f", "n": ",.0f", "size": ",.0f"}
SMALL_FACTS = ("value", "low", "high", "partner", "n")
"""Those of a map that is one of several: what traces a figure, without its place among the others."""
MANY = 100  # areas; above, single precision is enough (seven digits) and half as long

Words = Callable[[Mapping[str, str]], str]


@dataclass(frozen=True)
class Hover:
    """`facts`: one row per area, a column per fact; `groups`: (positions of areas, their template)."""

    facts: np.ndarray
    groups: tuple[tuple[np.ndarray, str], ...]


def token(indicator: MapIndicator, position: int) -> str:
    """The placeholder that writes the fact at `position` as the tables write `indicator`; separators are the
    figure's."""
    place = f"customdata[{position}]"
    if indicator.kind == "rate":
        return f"%{{{place}:.{indicator.decimals}%}}"
    if indicator.format == "rupiah":
        return f"Rp%{{{place}:,.0f}}"
    return f"%{{{place}:,.{indicator.decimals}f}}"


def patterns(missing: np.ndarray, *words: np.ndarray) -> list[np.ndarray]:
    """Positions of the areas that lack the same facts (`missing`, areas × facts) and have the same `words`."""
    key = pd.Series(["".join(row) for row in np.asarray(missing, dtype=int).astype(str)])
    for said in words:
        key = key + "\0" + pd.Series(np.asarray(said, dtype=str))
    return [np.asarray(where, dtype=int) for where in key.groupby(key).groups.values()]


def make(
    rows: pd.DataFrame, indicator: MapIndicator, partner: MapIndicator, words: Words, lang: str,
    names: Sequence[str] = FACTS,
) -> Hover:  # fmt: skip
    """The hover of `rows` (`peta.rows`) with the facts `names`. `words` turns the tokens ``value, partner, interval,
    partner_interval, rank, n, size`` (those among `names`) into the text of one group of areas."""
    facts = rows[list(names)].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    at = {name: position for position, name in enumerate(names)}
    missing = pd.DataFrame(np.isnan(facts), columns=list(names))
    rate = indicator if indicator.kind != "count" else partner
    ends = (token(rate, at["low"]), token(rate, at["high"]))
    interval = f" ({locale.text('peta.hover_interval', lang)} {ends[0]}–{ends[1]})"
    said = {name: rows[f"{name}_text"].to_numpy(dtype=object) for name in ("value", "partner", "size") if name in at}
    said = {name: np.where(missing[name], texts, "").astype(str) for name, texts in said.items()}
    numbers_of = {
        "value": token(indicator, at["value"]), "partner": token(partner, at["partner"]),
        **{name: f"%{{customdata[{at[name]}]:{form}}}" for name, form in _PLAIN.items() if name in at},
    }  # fmt: skip
    groups = []
    for positions in patterns(missing.to_numpy(), *said.values()):
        first = int(positions[0])
        tokens = {
            name: (str(said[name][first]) if name in said else "–") if missing[name].iat[first] else figure
            for name, figure in numbers_of.items()
        }
        shown = "" if missing["low"].iat[first] else interval
        tokens["interval"] = shown if indicator.kind != "count" else ""
        tokens["partner_interval"] = shown if indicator.kind == "count" else ""
        groups.append((positions, words(tokens)))
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
            "peta.hover", lang, measure=with_unit(indicator, lang), partner=with_unit(partner, lang),
            count=numbers.number(count, lang), few=few, source=source,
            **{name: tokens[name] for name in ("value", "partner_interval", "interval", "rank", "size")},
            other=tokens["partner"],
        )  # fmt: skip

    return text


def with_unit(indicator: MapIndicator, lang: str) -> str:
    """Short name and unit."""
    return f"{indicator.short[lang]} ({indicator.unit[lang]})"
