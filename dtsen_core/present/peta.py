"""What the welfare map says: the rows behind colours, hover and table, the finding and the legend.

Takes published tables only (`oversight.disclosure.Published`); a withheld figure reads "tersamar" and has
no class, no rank and no place in a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dtsen_core import locale
from dtsen_core.intervals import Z90
from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy.map_indicators import MapIndicator, map_rules
from dtsen_core.present import numbers
from dtsen_core.present.peta_classes import Classes, make_classes


@dataclass(frozen=True)
class Areas:
    """Published areas of one level: the figures (withheld cells NaN) and which cells are withheld."""

    frame: pd.DataFrame
    hidden: pd.DataFrame
    reasons: tuple[str, ...]

    @staticmethod
    def of(parts: Sequence[Published], lang: str) -> Areas:
        """Put the published tables of several parents under each other, sorted by code."""
        frames = pd.concat([p.frame for p in parts], ignore_index=True)
        order = frames["code"].argsort().to_numpy()
        hidden = pd.concat([p.suppressed for p in parts], ignore_index=True).iloc[order].reset_index(drop=True)
        reasons = tuple(dict.fromkeys(p.reason(lang) for p in parts if p.any_suppressed))
        return Areas(frames.iloc[order].reset_index(drop=True), hidden, reasons)


def value_text(indicator: MapIndicator, value: float, lang: str, *, unit: bool = False) -> str:
    """A figure of `indicator` as people write it: "12,4%", "1.234.567", "Rp1,35 juta", "0,381"."""
    if indicator.kind == "rate":
        return numbers.percent(value, lang, indicator.decimals)
    if indicator.format == "rupiah":
        return numbers.rupiah(value, lang)
    plain = numbers.number(value, lang, indicator.decimals)
    if unit and indicator.kind == "count" and not numbers.missing(value):
        return f"{plain} {indicator.unit[lang]}"
    return plain


def short_text(indicator: MapIndicator, value: float, lang: str) -> str:
    """As `value_text`, counts shortened for sentences: "3,89 juta jiwa"."""
    if indicator.kind == "count" and not numbers.missing(value):
        return f"{numbers.people(value, lang)} {indicator.unit[lang]}"
    return value_text(indicator, value, lang)


def breaks_for(
    frame: pd.DataFrame, indicator: MapIndicator, *, classes: int | None = None, method: str | None = None
) -> Classes:
    """The classes of `indicator` over the published areas `frame` (the areas the breaks are taken from); their
    number and method are those of the rules unless given."""
    decimals = None if indicator.kind == "count" or indicator.format == "rupiah" else indicator.decimals
    if indicator.kind == "rate":
        decimals = indicator.decimals + 2
    values = frame[indicator.column].to_numpy(dtype=float)
    return make_classes(values, classes or map_rules().classes, method or indicator.classify, decimals)


def _texts(values: pd.Series, hidden: pd.Series, indicator: MapIndicator, lang: str) -> list[str]:
    covered = locale.text("disclosure.suppressed", lang)
    return [covered if h else value_text(indicator, v, lang) for v, h in zip(values, hidden)]


def _intervals(frame: pd.DataFrame, indicator: MapIndicator, lang: str) -> list[str]:
    low, high = indicator.low or f"{indicator.column}_low", indicator.high or f"{indicator.column}_high"
    if low not in frame or indicator.kind != "rate":
        return [""] * len(frame)
    return [
        "" if numbers.missing(a) or numbers.missing(b) else numbers.interval(a, b, lang, indicator.decimals)
        for a, b in zip(frame[low], frame[high])
    ]


def rows(
    areas: Areas, indicator: MapIndicator, classes: Classes, lang: str, *, sampled: bool,
    partner: MapIndicator | None = None, size: str = "persons",
) -> pd.DataFrame:  # fmt: skip
    """One row per area: code, name, klass, value, partner, value_text, partner_text, interval_text, rank
    (1 = needs attention first; <NA> where withheld), low, high (interval of the rate), n, small (fewer
    observed families than the rule), doubt (0–2, see `_doubt`), size and its word where it is no number.

    `sampled`: whether n is a sample, so that few families mean an uncertain figure. `partner`: the measure of the
    other kind where it is not one of the welfare map's; `size`: the column that says how many an area is about.
    """
    partner = partner or map_rules().partner(indicator)
    frame, hidden = areas.frame, areas.hidden
    value, other = frame[indicator.column].astype(float), frame[partner.column].astype(float)
    out = pd.DataFrame({"code": frame["code"], "name": frame["name"]})
    out["klass"] = classes.assign(value.to_numpy())
    out["value"], out["partner"] = value, other
    out["value_text"] = _texts(value, hidden[indicator.column], indicator, lang)
    out["partner_text"] = _texts(other, hidden[partner.column], partner, lang)
    rate = indicator if indicator.kind != "count" else partner
    out["interval_text"] = _intervals(frame, rate, lang)
    out["low"], out["high"] = _ends(frame, rate)
    out["rank"] = value.rank(method="min", ascending=not indicator.worst_first).astype("Int64")
    out["n"] = frame["n"].astype("Int64")
    out["small"] = (frame["n"].fillna(0) < map_rules().small_sample) & sampled
    out["doubt"] = _doubt(out, frame[rate.column] if rate.kind == "rate" else None)
    out["size"] = frame[size].astype(float)
    out["size_text"] = _sizes(frame[size], hidden[size], lang)
    return out


def _ends(frame: pd.DataFrame, rate: MapIndicator) -> tuple[pd.Series, pd.Series]:
    """The interval of a rate, NaN where there is none."""
    low, high = rate.low or f"{rate.column}_low", rate.high or f"{rate.column}_high"
    if low not in frame or rate.kind != "rate":
        return pd.Series(np.nan, index=frame.index), pd.Series(np.nan, index=frame.index)
    return frame[low].astype(float), frame[high].astype(float)


def _doubt(out: pd.DataFrame, rate: pd.Series | None) -> pd.Series:
    """How uncertain a figure is: 0 firm, 1 to be read with care, 2 too rough to stand alone.

    By the relative standard error (half the 90 % interval / 1.645 / figure) and the limits of the rules file;
    a figure without an interval is judged by its number of families alone.
    """
    doubt = out["small"].astype("int8")
    if rate is None:
        return doubt
    relative = (out["high"] - out["low"]) / (2 * Z90) / rate.where(rate > 0)
    rules = map_rules()
    doubt = doubt.mask(relative > rules.rse_caution, 1)
    return doubt.mask(relative > rules.rse_rough, 2).astype("int8")


def _sizes(size: pd.Series, hidden: pd.Series, lang: str) -> list[str]:
    """The word for a size that is withheld or unknown; empty where it is a number."""
    covered, none = locale.text("disclosure.suppressed", lang), numbers.not_available(lang)
    return [covered if h else none if numbers.missing(s) else "" for s, h in zip(size, hidden)]


@dataclass(frozen=True)
class Extremes:
    """The areas with the largest and the smallest value among those with enough observations."""

    top: pd.Series
    bottom: pd.Series


def extremes(table: pd.DataFrame) -> Extremes | None:
    """From `rows`; None where fewer than two areas have a figure."""
    known = table[table["value"].notna()]
    solid = known[~known["small"]]
    known = solid if len(solid) > 1 else known
    if len(known) < 2:
        return None
    return Extremes(known.loc[known["value"].idxmax()], known.loc[known["value"].idxmin()])


def finding(
    table: pd.DataFrame, indicator: MapIndicator, lang: str, *, level: str, where: str,
    partner: MapIndicator | None = None,
) -> str:  # fmt: skip
    """The title: which area stands highest and which lowest, rate and count of both."""
    ends = extremes(table)
    words = {
        "measure": indicator.label[lang],
        "where": where,
        "level": locale.text(f"peta.level_{level}", lang),
    }
    if ends is None:
        return locale.text("peta.finding_none", lang, **words)
    partner = partner or map_rules().partner(indicator)

    def both(row: pd.Series) -> str:
        return f"{short_text(indicator, row['value'], lang)}; {short_text(partner, row['partner'], lang)}"

    key = "peta.finding_count" if indicator.kind == "count" else "peta.finding_rate"
    return locale.text(
        key, lang,
        top=ends.top["name"], top_value=both(ends.top),
        bottom=ends.bottom["name"], bottom_value=both(ends.bottom), **words,
    )  # fmt: skip


@dataclass(frozen=True)
class LegendEntry:
    """One line of the legend. `klass` 0 = no figure; `detail` holds the number of areas and the partner."""

    klass: int
    label: str
    detail: str


def legend(
    table: pd.DataFrame, indicator: MapIndicator, classes: Classes, lang: str, partner: MapIndicator | None = None
) -> list[LegendEntry]:
    """The classes from small to large with the number of areas and the partner figure of each, then the
    grey of withheld or missing figures. A rate's class shows the sum of its count, a count's class the
    range of its rate."""
    partner = partner or map_rules().partner(indicator)
    words = [value_text(indicator, edge, lang) if indicator.kind != "count" else numbers.people(edge, lang)
             for edge in classes.edges]  # fmt: skip
    entries = []
    for klass in range(1, classes.count + 1):
        low = words[klass - 2] if klass > 1 else None
        high = words[klass - 1] if klass < classes.count else None
        inside = table[table["klass"] == klass]
        entries.append(LegendEntry(klass, _class_label(low, high, lang), _class_detail(inside, partner, lang)))
    missing = table[table["klass"] == 0]
    label = locale.text("peta.legend_missing", lang)
    entries.append(LegendEntry(0, label, areas_text(len(missing), lang)))
    return entries


def areas_text(count: int, lang: str) -> str:
    """How many areas, in words: "none", "1 area", "22 areas"."""
    return locale.text({0: "peta.areas_none", 1: "peta.areas_one"}.get(count, "peta.areas"), lang, count=count)


def _class_label(low: str | None, high: str | None, lang: str) -> str:
    if low is None and high is None:
        return locale.text("peta.class_all", lang)
    if low is None:
        return f"< {high}"
    if high is None:
        return f"≥ {low}"
    return f"{low} – <{high}"


def _class_detail(inside: pd.DataFrame, partner: MapIndicator, lang: str) -> str:
    areas = areas_text(len(inside), lang)
    known = inside["partner"].dropna()
    if known.empty:
        return areas
    if partner.kind == "count":
        return f"{areas} · {short_text(partner, float(known.sum()), lang)}"
    if partner.kind == "rate":
        return f"{areas} · {numbers.interval(known.min(), known.max(), lang, partner.decimals)}"
    low, high = (value_text(partner, float(x), lang) for x in (known.min(), known.max()))
    return f"{areas} · {low if low == high else f'{low}–{high}'}"


def _column_title(indicator: MapIndicator, lang: str) -> str:
    """A short head; the full words stand above the map and in the help of the column."""
    if indicator.kind == "count":
        unit = indicator.unit[lang]
        return unit[:1].upper() + unit[1:]
    return locale.text("peta.column_rate", lang) if indicator.kind == "rate" else indicator.short[lang]


def table_view(
    table: pd.DataFrame, indicator: MapIndicator, lang: str, partner: MapIndicator | None = None
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The ranked table: numeric columns for sorting, sorted by rank, and the words of its columns.

    Columns rank, name, value, partner and, of a sample, the interval of the rate and n; index = position in
    `table`. Narrow number types: the table crosses the wire twice, as numbers and as words.
    """
    partner = partner or map_rules().partner(indicator)
    order = table.sort_values(["rank", "code"], na_position="last").index
    shown = table.loc[order, ["rank", "name", "value", "partner", "interval_text", "n"]]
    titles = {
        "rank": locale.text("peta.column_rank", lang),
        "name": locale.text("peta.column_area", lang),
        "value": _column_title(indicator, lang),
        "partner": _column_title(partner, lang),
        "interval_text": locale.text("peta.column_interval", lang),
        "n": locale.text("peta.column_n", lang),
    }
    if not (shown["interval_text"] != "").any():
        shown = shown.drop(columns=["interval_text", "n"])
    else:
        shown = shown.astype({"n": "Int32"})
    return shown.astype({"rank": "Int16", "value": "float32", "partner": "float32"}), titles


def gap_text(rows: pd.DataFrame, column: str, lang: str) -> str:
    """What a cell without a number shows in the table of `rows`: the word for withheld figures, else a dash."""
    covered = locale.text("disclosure.suppressed", lang)
    return covered if (rows[f"{column}_text"] == covered).any() else "–"
