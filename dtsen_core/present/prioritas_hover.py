"""The hover of the ranking map and the figures behind it: every indicator with unit, interval, count beside rate,
n, source and day. Numbers travel once, rates as rounded per cent because short decimals are shorter than any binary
form; the words around them are in the template.

A message holds `BYTES` of numbers; where many indicators are chosen for many areas, those of the largest weight are
in the hover and the rest, counted there, in the table.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dtsen_core import locale
from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.policy.priority_plan import Item, Ranked
from dtsen_core.policy.priority_rules import Indicator
from dtsen_core.present import numbers
from dtsen_core.present.peta_hover import Hover, patterns
from dtsen_core.present.prioritas import value_text

BYTES = 32_000  # of the 40,000 of a map message; the rest is codes, classes and words
Facts = dict[str, list[float | int | None]]


def partner(indicator: Indicator) -> str:
    """Column of the count shown beside a registry rate (or of the rate beside a count); "" where there is none."""
    if indicator.origin != "registry" or indicator.kind == "mean":
        return ""
    rules = map_rules().indicators
    return rules[rules[indicator.key].partner].column


def columns(indicator: Indicator, values: pd.Series, area: pd.DataFrame) -> dict[str, pd.Series]:
    """Facts of one indicator by name, in the order of `values` (by code): value, and low, high, partner where `area`,
    the published figures, knows them."""
    out = {"value": values}
    if indicator.origin == "registry":
        area = area if area.index is values.index else area.reindex(values.index)
        for side in ("low", "high"):
            name = f"{indicator.column}_{side}"
            if name in area and area[name].notna().any():
                out[side] = area[name]
        beside = partner(indicator)
        if beside in area:
            out["partner"] = area[beside]
    return out


def short(values: pd.Series, decimals: int) -> list[float | int | None]:
    """Values rounded as they are shown, None where there is none."""
    known = values.astype("Float64").to_numpy(float, na_value=np.nan)
    rounded = np.round(known, decimals)
    if decimals <= 0:
        return [None if np.isnan(v) else int(v) for v in rounded]
    return [None if np.isnan(v) else int(v) if v == int(v) else float(v) for v in rounded]


def _places(indicator: Indicator) -> int:
    return 0 if indicator.kind == "count" or indicator.format == "rupiah" else indicator.decimals


def _ordered(ranked: Ranked, codes: Sequence[str] | pd.Index) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(values of the indicators, published figures) of the areas `codes`, which share one index."""
    values = ranked.data.reindex(codes)
    return values, ranked.area.reindex(codes).set_axis(values.index)


def facts_of(indicator: Indicator, found: dict[str, pd.Series]) -> Facts:
    """The `columns` as short numbers, rates in per cent; named ``<key>.value`` and so on."""
    out: Facts = {}
    other = map_rules().indicators[map_rules().indicators[indicator.key].partner] if partner(indicator) else None
    for name, values in found.items():
        rate = indicator.kind == "rate" if name != "partner" else other is not None and other.kind == "rate"
        places = _places(indicator) if name != "partner" or other is None else other.decimals
        out[f"{indicator.key}.{name}"] = short(values * 100 if rate else values, places)
    return out


def _length(facts: Facts) -> int:
    """Bytes of `facts` in the message."""
    return sum(len(repr(v)) + 1 for values in facts.values() for v in values)


def token(indicator: Indicator, at: int) -> str:
    """The placeholder that writes the fact at position `at` as the tables do."""
    place = f"customdata[{at}]"
    if indicator.kind == "rate":
        return f"%{{{place}:.{indicator.decimals}f}}%"
    if indicator.format == "rupiah":
        return f"Rp%{{{place}:,.0f}}"
    return f"%{{{place}:,.{0 if indicator.kind == 'count' else indicator.decimals}f}}"


def source(indicator: Indicator, data_line: str, lang: str) -> str:
    """Where a figure comes from and of when; `data_line` speaks for the dataset."""
    if indicator.origin == "own":
        return locale.text("prioritas.source_own", lang)
    return indicator.source if indicator.origin == "official" else data_line


def make(ranked: Ranked, data_line: str, lang: str, *, sampled: bool = True) -> Hover:
    """The hover of every area of `ranked`; `data_line` names dataset and day, `sampled` whether n is a sample."""
    table = ranked.table
    facts: Facts = {name: short(table[name], 0) for name in ("rank", "low", "high")}
    facts |= {"p_top": short(table["p_top"] * 100, 0), "n": short(table["n"], 0)}
    used = _length(facts) + 3 * len(table)
    data, area = _ordered(ranked, table.index)
    lines: list[tuple[Indicator, dict[str, str]]] = []
    seen: set[str] = set()
    left = 0
    for item in sorted(ranked.plan.items, key=lambda i: -i.weight):
        indicator = ranked.indicators[item.key]
        if indicator.origin == "registry" and indicator.column in seen:
            continue  # already there beside its partner
        found = facts_of(indicator, columns(indicator, data[item.key], area))
        length = _length(found)
        if used + length > BYTES:
            left += 1
            continue
        used += length
        facts |= found
        seen |= {indicator.column, partner(indicator)}
        lines.append((indicator, {name.rpartition(".")[2]: name for name in found}))
    at = {name: position for position, name in enumerate(facts)}
    array = np.array(list(facts.values()), dtype=object).T
    missing = np.asarray(pd.isna(array), dtype=bool)
    groups = []
    for places in patterns(missing):
        lacking = {name for name, position in at.items() if missing[places[0], position]}
        groups.append((places, _template(ranked, lines, at, lacking, left, data_line, lang, sampled)))
    return Hover(array, tuple(groups))


def _template(
    ranked: Ranked, lines: list[tuple[Indicator, dict[str, str]]], at: dict[str, int], lacking: set[str], left: int,
    data_line: str, lang: str, sampled: bool,
) -> str:  # fmt: skip
    """The words of the areas that lack the facts `lacking`."""
    out = ["<b>%{properties.name}</b>"]
    if "rank" in lacking:
        out.append(locale.text("prioritas.no_rank", lang))
    else:
        out.append(locale.text("prioritas.hover_rank", lang, top=ranked.top))
    for indicator, names in lines:
        out.append(line(indicator, names, at, lacking, lang))
    if left:
        out.append(locale.text("prioritas.hover_more", lang, count=left))
    registry = any(indicator.origin == "registry" for indicator, _ in lines)
    if sampled and "n" not in lacking:
        out.append(locale.text("prioritas.hover_n", lang, n=f"%{{customdata[{at['n']}]:,.0f}}"))
    if registry:
        out.append(data_line)
    return "<br>".join(out)


def line(indicator: Indicator, names: dict[str, str], at: dict[str, int], lacking: set[str], lang: str) -> str:
    """"Label: 12,3% (selang 90% 11,0%–13,5%) · 45.000 jiwa", with the period of a published figure."""
    unknown = locale.text("prioritas.unknown", lang)
    value = unknown if names["value"] in lacking else token(indicator, at[names["value"]])
    unit = f" {indicator.unit[lang]}" if indicator.origin == "registry" else ""
    words = f"{indicator.label[lang]}: {value}{unit if value != unknown else ''}"
    if "low" in names and not {names["low"], names["high"]} & lacking:
        low, high = (token(indicator, at[names[side]]) for side in ("low", "high"))
        words += f" ({locale.text('peta.hover_interval', lang)} {low}–{high})"
    if "partner" in names:
        other = map_rules().indicators[map_rules().indicators[indicator.key].partner]
        shape = "rate" if other.kind == "rate" else "count"
        place = f"customdata[{at[names['partner']]}]"
        figure = f"%{{{place}:.{other.decimals}f}}%" if shape == "rate" else f"%{{{place}:,.0f}}"
        words += " · " + (unknown if names["partner"] in lacking else f"{figure} {other.unit[lang]}")
    if indicator.origin == "official":
        words += f" · {indicator.source}"
    elif indicator.origin == "own":
        words += f" · {locale.text('prioritas.source_own', lang)}"
    return words


def texts(ranked: Ranked, items: Sequence[Item], codes: list[str], lang: str) -> dict[str, list[str]]:
    """By indicator, its figure of each of `codes` in words: value, unit, interval and, of the registry, n."""
    data, area = _ordered(ranked, codes)
    return {i.key: _texts(ranked.indicators[i.key], data[i.key], area, lang) for i in items}


def _texts(indicator: Indicator, values: pd.Series, area: pd.DataFrame, lang: str) -> list[str]:
    found = columns(indicator, values, area)
    out = []
    for code in values.index:
        words = value_text(indicator, float(found["value"][code]), lang)
        if indicator.origin == "registry" and words != "–":
            words += f" {indicator.unit[lang]}"
        if "low" in found and pd.notna(found["low"][code]):
            ends = numbers.interval(found["low"][code], found["high"][code], lang, indicator.decimals)
            words += f" ({locale.text('peta.hover_interval', lang)} {ends})"
        n = area.at[code, "n"]
        if indicator.origin == "registry" and pd.notna(n):
            words += " · " + locale.text("prioritas.hover_n", lang, n=numbers.number(n, lang))
        out.append(words)
    return out


def figures(ranked: Ranked, lang: str) -> tuple[pd.DataFrame, dict[str, tuple[str, str]]]:
    """(columns of the table beyond rank and score, (title, kind) by column): each indicator with the ends of
    its interval and its partner, then n. `kind` is "rate" (per cent), "count", "value" or the side of an interval."""
    table = pd.DataFrame(index=ranked.table.index)
    titles: dict[str, tuple[str, str]] = {}
    chosen = [ranked.indicators[i.key] for i in ranked.plan.items]
    shown = {indicator.column for indicator in chosen if indicator.origin == "registry"}
    data, area = _ordered(ranked, table.index)
    for item in ranked.plan.items:
        indicator = ranked.indicators[item.key]
        found = columns(indicator, data[item.key], area)
        rate = indicator.kind == "rate"
        table[item.key] = (found["value"] * 100 if rate else found["value"]).astype("float32")
        titles[item.key] = (title(indicator, lang), "value")
        for side in ("low", "high"):
            if side in found:
                table[f"{item.key}.{side}"] = (found[side] * 100 if rate else found[side]).astype("float32")
                titles[f"{item.key}.{side}"] = (locale.text(f"prioritas.column_interval_{side}", lang), "rate")
        beside = partner(indicator)
        if "partner" in found and beside not in shown:
            other = map_rules().indicators[map_rules().indicators[item.key].partner]
            share = other.kind == "rate"
            table[f"{item.key}.partner"] = (found["partner"] * 100 if share else found["partner"]).astype("float32")
            unit = "%" if share else other.unit[lang]
            titles[f"{item.key}.partner"] = (f"{other.short[lang]} ({unit})", "rate" if share else "count")
            shown.add(beside)
    table["n"] = ranked.table["n"].astype("float32")
    titles["n"] = (locale.text("prioritas.column_n", lang), "count")
    return table, titles


def title(indicator: Indicator, lang: str) -> str:
    """Head of a column: label, unit and the period of a published figure."""
    period = f", {indicator.period}" if indicator.period else ""
    if indicator.kind == "rate":
        return f"{indicator.label[lang]} (%){period}"
    unit = f" ({indicator.unit[lang]})" if indicator.origin == "registry" else ""
    return f"{indicator.label[lang]}{unit}{period}"


def sources(ranked: Ranked, data_line: str, lang: str) -> str:
    """One sentence with the source and date of every chosen indicator, equal ones together."""
    groups: dict[str, list[str]] = {}
    for item in ranked.plan.items:
        indicator = ranked.indicators[item.key]
        groups.setdefault(source(indicator, data_line, lang), []).append(indicator.label[lang])
    parts = (f"{', '.join(names)}: {where}" for where, names in groups.items())
    return locale.text("prioritas.table_sources", lang, sources="; ".join(parts))
