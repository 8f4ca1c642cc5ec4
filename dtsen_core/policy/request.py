"""A request for a ranking and its finished result: plain data, shared by everything that ranks."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from dtsen_core.errors import UserError

OFFICIAL = "resmi"
SCOPES = ("national", "province", "regency")
UNITS = ("families", "persons")
LEVELS = ("province", "regency", "district")
DECILES = tuple(f"d{k}" for k in range(1, 11))


@dataclass(frozen=True)
class RankRequest:
    """What to rank, and where to show it. Hashable; every field is a scalar and can be a cache key.

    model      "pmt_provinsi", "pmt_nasional", the path of a scorecard CSV, or "resmi" (the deciles the
               dataset was delivered with)
    scope      among whom families are ranked: "national", "province" or "regency"
    unit       "families" or "persons": what each decile holds a tenth of, and what d1..d10 count
    region     Kemendagri code (digits) whose areas are listed; the ranking itself is not narrowed
    level      level of the listed areas: "province", "regency" or "district"
    plain      measures of the bare score instead of estimated expenditure
    benchmark  scale estimated expenditure so that each province meets its official P0
    line       poverty line: Rp per person per month ("600000"), per cent of each province's official line ("120%"),
               or "" for the official line
    """

    model: str = "pmt_provinsi"
    scope: str = "national"
    unit: str = "families"
    region: str | None = None
    level: str = "regency"
    plain: bool = False
    benchmark: bool = False
    line: str = ""

    def __post_init__(self) -> None:
        parse_line(self.line)
        for name, allowed in (("scope", SCOPES), ("unit", UNITS), ("level", LEVELS)):
            given = getattr(self, name)
            if given not in allowed:
                raise UserError(f"errors_rank.{name}", given=given, allowed=", ".join(allowed))


_LINE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,2})?)(%?)")


def parse_line(given: str) -> tuple[float, bool]:
    """(number, whether it is a share of the official line) of a `RankRequest.line`. UserError if it is neither
    rupiah from 10,000 to 100 million nor 10 % to 1,000 %."""
    if not given:
        return 1.0, True
    found = _LINE.fullmatch(given)
    value = float(found[1]) if found else 0.0
    relative = bool(found and found[2])
    if not (10 <= value <= 1_000 if relative else 10_000 <= value <= 100_000_000):
        raise UserError("errors_lab.line", given=given[:30])
    return (value / 100, True) if relative else (value, False)


@dataclass(frozen=True)
class RankResult:
    """One finished ranking.

    families    families in the listed areas, weighted; `n` rows behind them
    seconds     wall time of this call, without the wait for its turn
    thresholds  one row per scope area: code, name, t1..t9 (score in thousandths of log rupiah from which
                decile k+1 begins; <NA> where no score reaches it); empty for the official deciles
    areas       one row per listed area, in code order: code, name, n (rows), families, persons (weighted),
                d1..d10 (weighted count of the request's unit), mean_score (log rupiah), p0, p1, p2, gini
                (fractions), mean_expenditure (Rp per person per month), poor_persons (survey population
                base), p0_low, p0_high (90 % interval), p0_unbenchmarked, share_poor, share_vulnerable,
                share_prosperous; NaN where not computable
    total       the same columns, one row: all listed areas together; code "ID", or that of the region
    """

    request: RankRequest
    dataset_version: str
    families: float
    seconds: float
    thresholds: pd.DataFrame
    areas: pd.DataFrame
    total: pd.DataFrame
    n: int = 0
