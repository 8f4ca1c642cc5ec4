"""The presenter view of the first page: one question, one number, one picture at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import plotly.graph_objects as go

from dtsen_core.locale import text
from dtsen_core.present import numbers, ringkasan_charts, sentences
from dtsen_core.present.ringkasan import Sealed, extremes, fresh_share, headline, programme_rows

CHART_HEIGHT = 640
TYPE_SIZE = 17
ENDS = 8


@dataclass(frozen=True)
class Slide:
    """One step: the question, the answer in large type with unit and interval, the picture, its source."""

    key: str
    question: str
    number: str
    lines: tuple[str, ...]
    figure: go.Figure
    alt: str
    source: str


def steps(sealed: Sealed) -> tuple[str, ...]:
    """Stable codes of the slides in order; programmes the data say nothing of are left out."""
    known = (row.rule.key for row in programme_rows(sealed))
    return ("families", "poverty", "provinces", *known, "freshness")


def slide(sealed: Sealed, step: str, lang: str) -> Slide:
    """The slide `step` (one of `steps`)."""
    builders: dict[str, Callable[[Sealed, str], Slide]] = {
        "families": _families,
        "poverty": _poverty,
        "provinces": _provinces,
        "freshness": _freshness,
    }
    return builders[step](sealed, lang) if step in builders else _programme(sealed, step, lang)


def _ask(step: str, lang: str) -> str:
    return text(f"ringkasan.ask_{step}", lang)


def _families(sealed: Sealed, lang: str) -> Slide:
    families, persons, *_ = headline(sealed, lang)
    return Slide(
        "families",
        _ask("families", lang),
        families.value,
        (families.unit, f"{persons.value} {persons.unit}", *families.notes),
        ringkasan_charts.families_by_province(sealed, lang, height=CHART_HEIGHT, size=TYPE_SIZE),
        text("ringkasan.families_alt", lang),
        families.source,
    )


def _poverty(sealed: Sealed, lang: str) -> Slide:
    _, _, rate, poor = headline(sealed, lang)
    persons = f"{poor.value} {text('ringkasan.unit_persons', lang)}"
    lines = (f"{rate.unit} · {persons}", *rate.notes) if rate.unit else rate.notes
    return Slide(
        "poverty",
        _ask("poverty", lang),
        rate.value,
        lines,
        ringkasan_charts.poverty_compare(sealed, lang, height=CHART_HEIGHT, size=TYPE_SIZE),
        text("ringkasan.poverty_alt", lang, estimate=rate.value, official=rate.notes[-1]),
        rate.source,
    )


def _provinces(sealed: Sealed, lang: str) -> Slide:
    ends = extremes(sealed)
    finding = sentences.provinces(sealed, lang)
    nation = sealed.nation.frame["share_d14"].iloc[0]
    if ends is None:
        number = numbers.percent(nation, lang)
        lines: tuple[str, ...] = (finding,)
    else:
        high, low = ends
        low_share = numbers.percent(low["share_d14"], lang)
        number = numbers.percent(high["share_d14"], lang)
        lines = (
            text("ringkasan.highest_is", lang, name=high["name"], low=low["name"], low_share=low_share),
            text("ringkasan.all_data", lang, share=numbers.percent(nation, lang)),
        )
    return Slide(
        "provinces",
        _ask("provinces", lang),
        number,
        lines,
        ringkasan_charts.province_dots(sealed, lang, height=CHART_HEIGHT, size=TYPE_SIZE - 2, ends=ENDS),
        text("ringkasan.provinces_alt", lang, areas=2 * ENDS, finding=finding),
        headline(sealed, lang)[0].source,
    )


def _programme(sealed: Sealed, step: str, lang: str) -> Slide:
    row = next(row for row in programme_rows(sealed) if row.rule.key == step)
    hidden = numbers.missing(row.uncovered_share)
    number = text("disclosure.suppressed", lang) if hidden else numbers.percent(row.uncovered_share, lang, 0)
    lines: tuple[str, ...] = (
        text(
            "ringkasan.uncovered_of",
            lang,
            count=numbers.people(row.uncovered, lang),
            target=numbers.people(row.target, lang),
            unit=row.unit(lang),
            deciles=row.decile_span(),
        ),
    )
    if sealed.national and not hidden:
        lines += (
            text(
                "ringkasan.covered_of_quota",
                lang,
                count=numbers.people(row.covered, lang),
                quota=numbers.people(row.rule.quota, lang),
                share=numbers.percent(row.quota_share, lang, 0),
            ),
        )
    return Slide(
        step,
        _ask(step, lang),
        number,
        lines,
        ringkasan_charts.coverage_by_decile(sealed, row, lang, height=CHART_HEIGHT, size=TYPE_SIZE),
        text("ringkasan.by_decile_alt", lang, programme=row.name(lang)),
        f"{headline(sealed, lang)[0].source}; {row.rule.source}",
    )


def _freshness(sealed: Sealed, lang: str) -> Slide:
    finding = sentences.freshness(sealed, lang)
    share = fresh_share(sealed, "update")
    return Slide(
        "freshness",
        _ask("freshness", lang),
        text("disclosure.suppressed", lang) if numbers.missing(share) else numbers.percent(share, lang, 0),
        (text("ringkasan.fresh_unit", lang), sentences.freshness_note(sealed, lang)),
        ringkasan_charts.freshness_bars(sealed, lang, height=CHART_HEIGHT - 140, size=TYPE_SIZE),
        text("ringkasan.freshness_alt", lang, finding=finding),
        headline(sealed, lang)[0].source,
    )
