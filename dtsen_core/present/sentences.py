"""Findings as sentences: what a picture shows, said in one line above it."""

from __future__ import annotations

import pandas as pd

from dtsen_core.locale import text
from dtsen_core.policy.programme_rules import summary_keys
from dtsen_core.policy.summary import DAYS_PER_MONTH
from dtsen_core.present import numbers
from dtsen_core.present.ringkasan import ProgrammeRow, Sealed, extremes, fresh_share, programme_rows
from dtsen_core.regions import official

IN_DAYS = 120  # longer ages read better in months


def provinces(sealed: Sealed, lang: str) -> str:
    """Highest and lowest province by share of families in deciles 1–4, named."""
    ends = extremes(sealed)
    if ends is None:
        share = sealed.nation.frame["share_d14"].iloc[0]
        return text("ringkasan.provinces_finding_one", lang, share=numbers.percent(share, lang))
    high, low = ends
    return text(
        "ringkasan.provinces_finding",
        lang,
        high=high["name"],
        low=low["name"],
        high_share=numbers.percent(high["share_d14"], lang),
        low_share=numbers.percent(low["share_d14"], lang),
    )


def leading_programme(sealed: Sealed) -> ProgrammeRow | None:
    """The programme the finding speaks of: every family of its deciles is meant, none of it is hidden."""
    known = (row for row in programme_rows(sealed) if not numbers.missing(row.uncovered_share))
    return next((row for row in known if row.rule.headline), None)


def programmes(sealed: Sealed, lang: str) -> str:
    """How many of its target group the leading programme does not reach."""
    row = leading_programme(sealed)
    if row is None:
        return text("ringkasan.programmes_finding_none", lang)
    return text(
        "ringkasan.programmes_finding",
        lang,
        count=numbers.people(row.uncovered, lang),
        unit=row.unit(lang),
        programme=row.name(lang),
        share=numbers.percent(row.uncovered_share, lang, 0),
        deciles=row.decile_span(),
    )


def unknown_programmes(sealed: Sealed, lang: str) -> str:
    """Which programmes the data say nothing of; empty when they speak of all."""
    silent = [rule.key for rule in summary_keys() if rule.key not in sealed.manifest.programmes]
    if not silent:
        return ""
    names = ", ".join(text(f"ringkasan.programme_{key}", lang) for key in silent)
    return text("ringkasan.programmes_unknown", lang, names=names)


def freshness(sealed: Sealed, lang: str) -> str:
    """Share of families updated, and checked in the field, within the last twelve months."""
    if all(numbers.missing(days) for days in sealed.median_age.values()):
        return text("ringkasan.freshness_finding_undated", lang)
    update, check = fresh_share(sealed, "update"), fresh_share(sealed, "ground_check")
    if numbers.missing(update) or numbers.missing(check):
        return text("ringkasan.freshness_finding_none", lang)
    return text(
        "ringkasan.freshness_finding",
        lang,
        share=numbers.percent(update, lang, 0),
        check=numbers.percent(check, lang, 0),
    )


def freshness_note(sealed: Sealed, lang: str) -> str:
    """Unit of the freshness bars and the median ages."""
    return text(
        "ringkasan.freshness_note",
        lang,
        update=_days(sealed.median_age["update"], lang),
        ground_check=_days(sealed.median_age["ground_check"], lang),
    )


def _days(days: float, lang: str) -> str:
    if numbers.missing(days):
        return numbers.not_available(lang)
    if days < IN_DAYS:
        return text("ringkasan.days", lang, count=numbers.number(days, lang))
    return text("ringkasan.months", lang, count=numbers.number(days / DAYS_PER_MONTH, lang))


def programme_table(sealed: Sealed, lang: str) -> pd.DataFrame:
    """Counts with their rates per programme, ready to read: one column per programme, one row per measure.

    The national quota is compared only where the dataset stands for the nation.
    """
    columns: dict[str, dict[str, str]] = {}
    for row in programme_rows(sealed):
        cells = {"covered": _count(row.covered, lang)}
        if sealed.national:
            cells["quota"] = _with_rate(row.rule.quota, row.quota_share, lang)
        cells |= {
            "target": _count(row.target, lang),
            "covered_in_target": _with_rate(row.covered_in_target, row.target_share, lang),
            "elsewhere": _with_rate(row.elsewhere, row.elsewhere_share, lang) if row.rule.other else "–",
            "uncovered": _with_rate(row.uncovered, row.uncovered_share, lang),
            "outside": _with_rate(row.outside, row.outside_share, lang),
        }
        columns[f"{row.name(lang)} ({row.unit(lang)})"] = {
            text(f"ringkasan.{key}", lang): value for key, value in cells.items()
        }
    return pd.DataFrame(columns).rename_axis(text("ringkasan.measure", lang))


def _count(value: float, lang: str) -> str:
    return text("disclosure.suppressed", lang) if numbers.missing(value) else numbers.people(value, lang, 1)


def _with_rate(value: float | None, rate: float, lang: str) -> str:
    if numbers.missing(value):
        return text("disclosure.suppressed", lang)
    return text(
        "ringkasan.count_and_rate",
        lang,
        count=numbers.people(value, lang, 1),
        rate=numbers.percent(rate, lang, 0),
    )


def programme_sources() -> str:
    """Legal sources of the programme rules."""
    return "; ".join(dict.fromkeys(rule.source for rule in summary_keys()))


def official_sources() -> str:
    """Where the official national figures on the page come from."""
    return "; ".join(dict.fromkeys(official.national()[key].source for key in ("p0_mar2025", "p0_sep2025")))
