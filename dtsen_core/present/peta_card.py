"""The profile card: the chosen area against the area above it and the nation, the same measures for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from dtsen_core import locale
from dtsen_core.policy.map_indicators import MapIndicator, map_rules
from dtsen_core.policy.profile import compare
from dtsen_core.present import numbers
from dtsen_core.present.peta import short_text, value_text
from dtsen_core.regions import official, units


@dataclass(frozen=True)
class Headline:
    """The chosen measure of the area in large type: rate or mean, its count, differences as words."""

    label: str
    value: str
    delta: str | None
    verdict: int
    detail: str


def _known(row: pd.Series, indicator: MapIndicator) -> float:
    return float(row[indicator.column]) if indicator.column in row.index else float("nan")


def difference_text(indicator: MapIndicator, area: float, reference: float, lang: str) -> str:
    """The difference of a rate in points, of a mean in its own unit; a count as share of the reference."""
    result = compare(indicator, area, reference)
    if indicator.kind == "rate":
        return numbers.points(result.difference, lang, indicator.decimals)
    if indicator.kind == "count":
        return numbers.percent(result.share, lang, 1)
    if indicator.format == "rupiah" and not numbers.missing(result.difference):
        sign = "+" if result.difference > 0 else ""
        return sign + numbers.rupiah(result.difference, lang)
    return numbers.signed(result.difference, lang, indicator.decimals)


def shown_value(areas_row: pd.Series, hidden_row: pd.Series, indicator: MapIndicator, lang: str) -> str:
    """The figure, or the word that stands for a withheld one."""
    if indicator.column in hidden_row.index and bool(hidden_row[indicator.column]):
        return locale.text("disclosure.suppressed", lang)
    return value_text(indicator, _known(areas_row, indicator), lang)


def headline(
    indicator: MapIndicator,
    area: tuple[pd.Series, pd.Series],
    parent: tuple[pd.Series, str] | None,
    lang: str,
) -> Headline:
    """Large figure of `indicator` for the area; `parent` is the row above it with its name."""
    row, hidden = area
    delta, verdict = None, 0
    if parent is not None and not numbers.missing(_known(row, indicator)):
        reference = _known(parent[0], indicator)
        words = difference_text(indicator, _known(row, indicator), reference, lang)
        key = "peta.delta_share" if indicator.kind == "count" else "peta.delta_against"
        delta = locale.text(key, lang, difference=words, name=parent[1])
        verdict = compare(indicator, _known(row, indicator), reference).verdict
    return Headline(
        label=indicator.label[lang],
        value=shown_value(row, hidden, indicator, lang),
        delta=delta,
        verdict=verdict,
        detail=indicator.unit[lang],
    )


def partner_line(
    indicator: MapIndicator,
    area: tuple[pd.Series, pd.Series],
    parent: tuple[pd.Series, str] | None,
    lang: str,
) -> str:
    """The measure of the other kind in one line: "3,89 juta jiwa · 16,3% dari Indonesia"."""
    row, hidden = area
    value = _known(row, indicator)
    shown = shown_value(row, hidden, indicator, lang)
    words = short_text(indicator, value, lang) if not numbers.missing(value) else shown
    if indicator.kind != "count":
        words = f"{words} {indicator.unit[lang]}"
    if parent is None or numbers.missing(value):
        return f"**{words}**"
    against = headline(indicator, area, parent, lang).delta
    return f"**{words}** · {against}"


def profile_table(
    measures: Sequence[MapIndicator],
    columns: Sequence[tuple[str, pd.Series, pd.Series]],
    lang: str,
) -> pd.DataFrame:
    """Texts, one row per measure: rate (and its count) of the area, its parent and the nation, and how the
    area differs from each. `columns`: (name, figures, withheld) from the area upwards."""
    rules = map_rules()
    area = columns[0]
    lines = []
    for measure in measures:
        partner = rules.partner(measure)
        line = {locale.text("peta.column_measure", lang): f"{measure.label[lang]} ({measure.unit[lang]})"}
        for name, row, hidden in columns:
            value = shown_value(row, hidden, measure, lang)
            count = shown_value(row, hidden, partner, lang)
            line[name] = f"{value} · {count} {partner.unit[lang]}"
        for name, row, _ in columns[1:]:
            title = locale.text("peta.column_difference", lang, name=name)
            line[title] = difference_text(measure, _known(area[1], measure), _known(row, measure), lang)
        lines.append(line)
    return pd.DataFrame(lines)


def official_figure(code: str, indicator: MapIndicator) -> tuple[float, str] | None:
    """The figure published for March 2025, if any: (value in the unit of the measure, ISO date)."""
    name = {"p0": "p0_mar2025", "gini": "gini_mar2025"}.get(indicator.column)
    if name is None or len(code) > 2:
        return None
    scale = 0.01 if indicator.column == "p0" else 1.0
    if code == units.NATION:
        figure = official.national().get(name)
        return (figure.value * scale, figure.date.isoformat()) if figure else None
    found = official.provinces().set_index("code").at[code, name]
    return None if numbers.missing(found) else (float(found) * scale, "2025-03-31")


def notes(
    code: str, indicator: MapIndicator, row: pd.Series, table: pd.DataFrame, lang: str, sampled: bool
) -> list[str]:
    """Short lines under the large figure: interval, official figure, rank, size and sample."""
    rules = map_rules()
    rate = indicator if indicator.kind != "count" else rules.partner(indicator)
    lines = []
    low, high = rate.low or f"{rate.column}_low", rate.high or f"{rate.column}_high"
    if low in row.index and not numbers.missing(row[low]) and not numbers.missing(row[high]):
        interval = numbers.interval(row[low], row[high], lang, rate.decimals)
        lines.append(locale.text("peta.card_interval", lang, interval=interval))
    published = official_figure(code, rate)
    if published is not None:
        value = value_text(rate, published[0], lang)
        lines.append(
            locale.text("peta.card_official", lang, value=value, date=numbers.date(published[1], lang))
        )
    at = table[table["code"] == code]
    if len(at) and not pd.isna(at["rank"].iat[0]):
        lines.append(
            locale.text(
                "peta.card_rank", lang, rank=at["rank"].iat[0], count=int(table["value"].notna().sum())
            )
        )
    size = {
        "families": numbers.people(row["families"], lang), "persons": numbers.people(row["persons"], lang),
        "n": numbers.number(row["n"], lang),
    }  # fmt: skip
    lines.append(locale.text("peta.card_sample" if sampled else "peta.card_size", lang, **size))
    if sampled and not numbers.missing(row["n"]) and row["n"] < rules.small_sample:
        lines.append(locale.text("peta.few", lang, n=size["n"]))
    return lines
