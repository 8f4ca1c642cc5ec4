"""A measure of data quality by area as map, ranked table and file: the same view-models as the welfare map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from dtsen_core.locale import LANGS, has, text
from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy.map_indicators import MapIndicator
from dtsen_core.policy.quality.measures import Measure
from dtsen_core.present import numbers, peta, peta_hover
from dtsen_core.present.peringkat_tables import Table

CLASSES = 5
FINE = ("precision", "recall")
"""Measures near 100 %, written with two decimals."""


@dataclass(frozen=True)
class Where:
    """One measure over the areas of a level: the two ways to say it (share and count), rows, legend, reasons."""

    rate: MapIndicator
    count: MapIndicator
    rows: pd.DataFrame
    legend: list[peta.LegendEntry]
    reasons: tuple[str, ...]
    frame: pd.DataFrame
    hidden: pd.DataFrame


def _both(key: str) -> dict[str, str]:
    return {lang: text(key, lang) for lang in LANGS}


def indicators(measure: Measure) -> tuple[MapIndicator, MapIndicator]:
    """(share, count) of `measure` in the words of the welfare map."""
    label, short = _both(f"mutu.measure_{measure.key}"), _both(f"mutu.short_{measure.key}")
    of = _both(f"mutu.of_{measure.of}")
    rate = MapIndicator(
        key=measure.key, group="mutu", label=label, short=short, unit=of, kind="rate", column="share",
        partner=f"{measure.key}_count", better=measure.better, scale=measure.scale,
        decimals=2 if measure.key in FINE else 1, breaks="level", classify="natural", base="", numerator="part",
        denominator="base",
    )  # fmt: skip
    count = replace(
        rate, key=f"{measure.key}_count", kind="count", column="part", partner=measure.key, decimals=0,
        unit=_both(f"mutu.unit_{measure.of}"), numerator="", denominator="",
    )  # fmt: skip
    return rate, count


def where(parts: Sequence[Published], measure: Measure, lang: str) -> Where:
    """Rows, classes and legend of the published areas `parts`; breaks are those of the areas shown."""
    rate, count = indicators(measure)
    areas = peta.Areas.of(parts, lang)
    found = peta.make_classes(areas.frame["share"].to_numpy(float), CLASSES, "natural", rate.decimals + 2)
    rows = peta.rows(areas, rate, found, lang, sampled=False, partner=count, size="base")
    legend = peta.legend(rows, rate, found, lang, count)
    return Where(rate, count, rows, legend, areas.reasons, areas.frame, areas.hidden)


def hover(found: Where, measure: Measure, lang: str) -> peta_hover.Hover:
    """Hover of the map: name, share and count, rank among the areas with a figure, size of the base."""
    count = int(found.rows["value"].notna().sum())

    def words(tokens: Mapping[str, str]) -> str:
        return text(
            "mutu.hover", lang,
            measure=text(f"mutu.short_{measure.key}", lang), unit=text(f"mutu.unit_{measure.of}", lang),
            of=text(f"mutu.of_{measure.of}", lang), count=numbers.number(count, lang),
            value=tokens["value"], part=tokens["partner"], rank=tokens["rank"], base=tokens["size"],
        )  # fmt: skip

    return peta_hover.make(found.rows, found.rate, found.count, words, lang)


def finding(found: Where, lang: str, *, level: str) -> str:
    """The title: where the share is highest and where lowest, with the count; or that it is nil everywhere."""
    known = found.rows["value"].dropna()
    if len(known) and known.max() == known.min():
        value = numbers.percent(known.max(), lang, found.rate.decimals)
        return text("mutu.finding_same", lang, measure=found.rate.label[lang], value=value, of=found.rate.unit[lang])
    return peta.finding(found.rows, found.rate, lang, level=level, where="Indonesia", partner=found.count)


def narrowed(choices: dict[str, str], lang: str) -> str:
    """What the figures are narrowed to, in words: "sumber: DTKS · variabel: Nama"; empty if to nothing."""
    return " · ".join(f"{text(f'mutu.control_{name}', lang).lower()}: {value}" for name, value in choices.items())


def area_table(found: Where, lang: str) -> Table:
    """Every area with code, base, part and share, hidden cells as the word: what the file holds."""
    columns = {
        "code": ("mutu.col_code", "text"), "name": ("mutu.col_area", "text"), "base": ("mutu.col_base", "count"),
        "part": ("mutu.col_part", "count"), "share": ("mutu.col_share", "percent"),
    }  # fmt: skip
    names = {column: text(key, lang) for column, (key, _) in columns.items()}
    names["base"] = f"{names['base']} ({found.count.unit[lang]})"
    names["part"] = f"{found.rate.short[lang]} ({found.count.unit[lang]})"
    frame = found.frame[list(columns)].rename(columns=names)
    hidden = found.hidden[["base", "part", "share"]].rename(columns=names)
    return Table(frame, {names[column]: kind for column, (_, kind) in columns.items()}, hidden)


def word(prefix: str, code: str, lang: str) -> str:
    """The display word of a stored code in mutu.toml; without one, the code with spaces."""
    key = f"mutu.{prefix}_{code}"
    return text(key, lang) if has(key) else code.replace("_", " ")
