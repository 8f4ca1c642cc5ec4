"""Numbers, money and dates as people write them in Indonesian and in English.

Indonesian: 1.234,5 and "23,85 juta"; English: 1,234.5 and "23.85 million". A missing value is never a
number: it reads "tidak tersedia" or "not available".
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from babel.dates import format_date

from dtsen_core import locale

_BABEL = {"id": "id_ID", "en": "en_GB"}
_SWAP = str.maketrans(",.", ".,")
_SCALES: tuple[tuple[float, str], ...] = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def missing(value: Any) -> bool:
    """True for None, NaN, NaT and infinities: values that have no number to show."""
    if value is None:
        return True
    if isinstance(value, dt.date):
        return value != value  # NaT
    try:
        return not math.isfinite(float(value))
    except (TypeError, ValueError):
        return True


def not_available(lang: str) -> str:
    return locale.text("numbers.not_available", lang)


def number(x: Any, lang: str, decimals: int = 0) -> str:
    """`x` with grouping and exactly `decimals` decimals: 1.234,5 (id), 1,234.5 (en)."""
    if missing(x):
        return not_available(lang)
    rounded = round(float(x), decimals) + 0.0  # + 0.0 turns -0.0 into 0.0
    written = f"{rounded:,.{decimals}f}"  # the tables call this thousands of times; Babel is 50 times slower
    return written.translate(_SWAP) if lang == "id" else written


def percent(fraction: Any, lang: str, decimals: int = 1) -> str:
    """A fraction as per cent: 0.0847 → "8,5%" (id), "8.5%" (en)."""
    if missing(fraction):
        return not_available(lang)
    return number(float(fraction) * 100, lang, decimals) + "%"


def points(difference: Any, lang: str, decimals: int = 1) -> str:
    """A difference of two fractions in percentage points with its sign: "+1,2 poin"."""
    if missing(difference):
        return not_available(lang)
    value = round(float(difference) * 100, decimals)
    sign = "+" if value > 0 else "−" if value < 0 else "±"
    return f"{sign}{number(abs(value), lang, decimals)} {locale.text('numbers.points', lang)}"


def signed(x: Any, lang: str, decimals: int = 0) -> str:
    """`x` with an explicit sign (a true minus, not a hyphen)."""
    if missing(x):
        return not_available(lang)
    value = round(float(x), decimals)
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return sign + number(abs(value), lang, decimals)


def people(x: Any, lang: str, decimals: int = 2) -> str:
    """A count for reading: "23,85 juta" / "23.85 million" from a million up, whole numbers below."""
    if missing(x):
        return not_available(lang)
    value = float(x)
    for size, name in _SCALES:
        # Rounding first keeps 999,999,999 from reading "1.000,00 juta".
        if round(abs(value) / size, decimals) >= 1:
            return f"{number(value / size, lang, decimals)} {locale.text('numbers.' + name, lang)}"
    return number(value, lang)


def rupiah(x: Any, lang: str) -> str:
    """Rupiah, shortened from a million up: "Rp595.242", "Rp1,35 juta" / "Rp1.35 million"."""
    if missing(x):
        return not_available(lang)
    sign = "−" if float(x) < 0 else ""
    return f"{sign}Rp{people(abs(float(x)), lang)}"


def date(d: Any, lang: str) -> str:
    """A day: "31 Maret 2025" / "31 March 2025"; accepts a date, a datetime or an ISO text."""
    if isinstance(d, str):
        try:
            d = dt.date.fromisoformat(d[:10])
        except ValueError:
            return not_available(lang)
    if missing_date(d):
        return not_available(lang)
    return format_date(d, format="d MMMM y", locale=_BABEL[lang])


def missing_date(d: Any) -> bool:
    return not isinstance(d, dt.date) or d != d


def interval(low: Any, high: Any, lang: str, decimals: int = 1) -> str:
    """Two fractions as an interval in per cent: "8,1–8,9%"."""
    if missing(low) or missing(high):
        return not_available(lang)
    return f"{number(float(low) * 100, lang, decimals)}–{number(float(high) * 100, lang, decimals)}%"
