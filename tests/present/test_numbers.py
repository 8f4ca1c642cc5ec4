"""Numbers and dates as people write them in both languages."""

from __future__ import annotations

import datetime as dt
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtsen_core.present import numbers

finite = st.floats(min_value=-1e14, max_value=1e14, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "decimals", "indonesian", "english"),
    [
        (1234.5, 1, "1.234,5", "1,234.5"),
        (1234.5, 0, "1.234", "1,234"),
        (0, 0, "0", "0"),
        (-0.0001, 1, "0,0", "0.0"),
        (-1234567.891, 2, "-1.234.567,89", "-1,234,567.89"),
    ],
)
def test_number(value: float, decimals: int, indonesian: str, english: str) -> None:
    assert numbers.number(value, "id", decimals) == indonesian
    assert numbers.number(value, "en", decimals) == english


@pytest.mark.parametrize(
    ("value", "indonesian", "english"),
    [
        (23_850_000, "23,85 juta", "23.85 million"),
        (95_006_179, "95,01 juta", "95.01 million"),
        (999_999, "1,00 juta", "1.00 million"),
        (990_000, "990.000", "990,000"),
        (999_999_999, "1,00 miliar", "1.00 billion"),
        (28.7e12, "28,70 triliun", "28.70 trillion"),
        (412, "412", "412"),
        (0, "0", "0"),
    ],
)
def test_people(value: float, indonesian: str, english: str) -> None:
    assert numbers.people(value, "id") == indonesian
    assert numbers.people(value, "en") == english


def test_rupiah_keeps_its_sign_before_the_currency() -> None:
    assert numbers.rupiah(609_160, "id") == "Rp609.160"
    assert numbers.rupiah(1_569_000, "en") == "Rp1.57 million"
    assert numbers.rupiah(-5_000, "id") == "−Rp5.000"


def test_percent_points_and_interval() -> None:
    assert numbers.percent(0.0847, "id", 2) == "8,47%"
    assert numbers.percent(0.0847, "en", 2) == "8.47%"
    assert numbers.points(0.012, "id") == "+1,2 poin"
    assert numbers.points(-0.012, "en") == "−1.2 points"
    assert numbers.interval(0.081, 0.089, "id") == "8,1–8,9%"


@pytest.mark.parametrize("value", [None, math.nan, math.inf, pd.NA, pd.NaT, float("-inf")])
@pytest.mark.parametrize("lang", ["id", "en"])
def test_what_is_missing_is_said_in_words(value: object, lang: str) -> None:
    expected = {"id": "tidak tersedia", "en": "not available"}[lang]
    for write in (numbers.number, numbers.percent, numbers.people, numbers.rupiah, numbers.points, numbers.date):
        assert write(value, lang) == expected


def test_dates() -> None:
    assert numbers.date(dt.date(2025, 3, 31), "id") == "31 Maret 2025"
    assert numbers.date("2025-08-01", "en") == "1 August 2025"
    assert numbers.date(pd.Timestamp("2026-05-02"), "id") == "2 Mei 2026"
    assert numbers.date("kapan saja", "id") == "tidak tersedia"


@given(finite, st.integers(min_value=0, max_value=4))
def test_both_languages_write_the_same_number(value: float, decimals: int) -> None:
    indonesian = numbers.number(value, "id", decimals)
    english = numbers.number(value, "en", decimals)
    assert indonesian.translate(str.maketrans(",.", ".,")) == english
    assert math.isclose(float(english.replace(",", "")), value, abs_tol=0.51 * 10**-decimals, rel_tol=1e-12)


@given(st.floats(min_value=0, max_value=9.9e14))
def test_people_never_reads_a_thousand_millions(value: float) -> None:
    shown = numbers.people(value, "en").split()
    lead = float(shown[0].replace(",", ""))
    assert lead < 1_000_000 if len(shown) == 1 else 1 <= lead < 1_000
