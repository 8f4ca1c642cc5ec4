"""What the first page says: figures, sentences and pictures from published tables."""

from __future__ import annotations

import math

import pytest

from dtsen_core.locale import LANGS, text
from dtsen_core.present import ringkasan_charts, ringkasan_slides, sentences
from dtsen_core.present.ringkasan import (
    Sealed,
    band_shares,
    extremes,
    fresh_share,
    headline,
    programme_rows,
)

STEPS = ("families", "poverty", "provinces", "pkh", "sembako", "pbi", "freshness")


def test_highest_and_lowest_province_are_named_with_their_shares(national: Sealed) -> None:
    ends = extremes(national)
    assert ends is not None
    high, low = ends
    frame = national.provinces.frame
    assert high["share_d14"] == frame["share_d14"].max()
    assert low["share_d14"] == frame["share_d14"].min()
    for lang in LANGS:
        finding = sentences.provinces(national, lang)
        assert high["name"] in finding
        assert low["name"] in finding
    assert "70,0%" in sentences.provinces(national, "id")
    assert "70.0%" in sentences.provinces(national, "en")


@pytest.mark.parametrize("lang", LANGS)
def test_the_official_rate_stands_beside_the_estimate_with_date_and_base(national: Sealed, lang: str) -> None:
    families, persons, rate, poor = headline(national, lang)
    point = "," if lang == "id" else "."
    assert families.value.startswith(f"95{point}00")
    assert persons.value.startswith(f"285{point}00")
    assert rate.value == f"8{point}52%"
    beside = " ".join(rate.notes)
    assert f"8{point}47%" in beside
    assert "2025" in beside
    assert text("ringkasan.official_base", lang) in beside
    assert f"8{point}38–8{point}66%" in beside
    assert any(f"23{point}85" in note for note in poor.notes)
    assert all(figure.unit and figure.source for figure in (families, persons, rate, poor))


@pytest.mark.parametrize("lang", LANGS)
def test_without_a_model_the_page_says_why_and_still_gives_the_official_rate(local: Sealed, lang: str) -> None:
    _, _, rate, poor = headline(local, lang)
    for figure in (rate, poor):
        assert figure.value == text("numbers.not_available", lang)
        assert text("ringkasan.no_model_real", lang) in figure.notes
    assert any("8,47%" in note or "8.47%" in note for note in rate.notes)


def test_covered_uncovered_and_other_payers_make_up_the_target(national: Sealed) -> None:
    for row in programme_rows(national):
        assert row.covered_in_target + row.uncovered + row.elsewhere == pytest.approx(row.target)
        assert row.covered == pytest.approx(row.covered_in_target + row.outside)
        assert row.quota_share == pytest.approx(row.covered / row.rule.quota)
        assert (row.elsewhere > 1) == bool(row.rule.other)
    pkh = programme_rows(national)[0]
    assert pkh.target == pytest.approx(4 * 9.5e6)  # deciles 1–4 of 9.5 million families each
    assert pkh.covered_in_target == pytest.approx(9.5e6 * (0.64 + 0.58 + 0.52 + 0.46), rel=1e-6)


def test_the_finding_speaks_of_a_programme_without_further_conditions(national: Sealed) -> None:
    row = sentences.leading_programme(national)
    assert row is not None
    assert row.rule.headline
    assert "PBI-JK" in sentences.programmes(national, "id")


def test_national_quotas_are_left_out_of_a_part_of_the_country(national: Sealed, local: Sealed) -> None:
    quota = text("ringkasan.quota", "id")
    assert quota in sentences.programme_table(national, "id").index
    assert not local.national
    assert quota not in sentences.programme_table(local, "id").index


def test_fresh_share_counts_the_bands_below_twelve_months(national: Sealed) -> None:
    assert fresh_share(national, "update") == pytest.approx(0.5)
    assert fresh_share(national, "ground_check") == pytest.approx(0.4)
    assert band_shares(national, "update").sum() == pytest.approx(1.0)


def test_small_cells_are_hidden_and_explained(local: Sealed) -> None:
    hidden = local.deciles.suppressed
    assert hidden.to_numpy().any()
    assert local.reason("id")
    shown = sentences.programme_table(local, "id")
    assert text("disclosure.suppressed", "id") in shown.to_numpy()
    for row in programme_rows(local):
        cells = local.deciles.frame.set_index("decile").loc[list(row.rule.deciles), row.rule.key]
        assert math.isnan(row.covered_in_target) == cells.isna().any()


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("step", STEPS)
def test_every_slide_has_question_number_picture_and_source(
    national: Sealed, local: Sealed, step: str, lang: str
) -> None:
    for sealed in (national, local):
        slide = ringkasan_slides.slide(sealed, step, lang)
        assert slide.question.endswith("?")
        assert slide.number
        assert slide.source
        assert slide.alt
        assert slide.figure.layout.separators == (",." if lang == "id" else ".,")


def test_province_picture_orders_and_leaves_out_by_the_middle(national: Sealed) -> None:
    whole = ringkasan_charts.province_dots(national, "id")
    dots = next(trace for trace in whole.data if trace.mode == "markers+text")
    assert len(dots.x) == 38
    assert list(dots.x) == sorted(dots.x)
    ends = ringkasan_charts.province_dots(national, "id", ends=8)
    shown = next(trace for trace in ends.data if trace.mode == "markers+text")
    assert len(shown.x) == 16
    assert text("ringkasan.left_out", "id", areas=22) in ends.layout.yaxis.categoryarray
