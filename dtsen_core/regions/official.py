"""Official figures by province, by regency and for the nation, as shipped in ``data/``.

Rates are in per cent as published, lines and expenditure in rupiah per person per month, Gini 0-1. Sources
and licences: ``data/README.md``; national figures carry their own in ``data/rules/official.toml``.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.paths import REFERENCE, RULES
from dtsen_core.regions import units

# Provinces without a published urban share take that of the old province: BPS's projection (base 2010)
# still counts Kaltara in Kaltim (71.8) and knows only the old Papua (34.2) and Papua Barat (37.8).
_URBAN_SUBSTITUTE = {"65": 71.8, "91": 34.2, "93": 34.2, "94": 34.2, "95": 34.2, "92": 37.8, "96": 37.8}


@dataclass(frozen=True)
class Figure:
    """One published national figure."""

    value: float
    unit: str
    date: date
    base: str
    source: str


@lru_cache(maxsize=1)
def provinces() -> pd.DataFrame:
    """38 rows in idx order: ``code, name, bps_code, island_group, population`` and the published figures.

    Figures keep their period in the name: ``p0_mar2025, p0_sep2025, gk_mar2025, gk_sep2025`` (Rp),
    ``poor_thousand_*``, ``gini_mar2025`` (missing for 94, 95, 96), ``exp_pc_month_rp_mar2025``,
    ``sanitation_pct_2025, water_pct_2025``, ``p1_over_p0_sep2021`` and more. Derived here:
    ``survey_population_mar2025/_sep2025`` = poor / P0 (persons, the base of BPS rates) and ``urban_pct`` with
    ``urban_substituted`` where the published share is missing.
    """
    base = units.table("province")[["code", "name", "bps_code", "island_group", "population"]]
    frame = base.merge(_read("official_provinces.csv"), on="code", how="left", validate="one_to_one")
    for period in ("mar2025", "sep2025"):
        frame[f"survey_population_{period}"] = (
            (frame[f"poor_thousand_{period}"] * 1_000 / (frame[f"p0_{period}"] / 100)).round().astype("int64")
        )
    frame["urban_substituted"] = frame["urban_pct_2025"].isna()
    frame["urban_pct"] = frame["urban_pct_2025"].fillna(frame["code"].map(_URBAN_SUBSTITUTE))
    return frame


@lru_cache(maxsize=1)
def regencies() -> pd.DataFrame:
    """514 rows in idx order: ``code, name, parent_code, population, p0_2021, sanitation_pct_2021,
    water_pct_2021`` (per cent, BPS 2021; sanitation and water are missing for one regency each) and
    ``area_km2`` (Kemendagri; missing for six)."""
    base = units.table("regency")[["code", "name", "parent_code", "population"]]
    return base.merge(_read("official_regencies.csv"), on="code", how="left", validate="one_to_one")


@lru_cache(maxsize=1)
def provincial_plan() -> pd.DataFrame:
    """Targets of 2029 by province in the medium-term plan: ``code`` and both ends of ``p0`` (per cent), ``gini`` and
    ``unemployment`` (per cent); missing where the text of the plan could not be read without doubt (Papua)."""
    base = units.table("province")[["code"]]
    return base.merge(_read("rpjmn_provinces.csv"), on="code", how="left", validate="one_to_one")


@lru_cache(maxsize=1)
def national() -> dict[str, Figure]:
    """Every entry of ``data/rules/official.toml``, e.g. ``national()["p0_mar2025"].value == 8.47``."""
    try:
        text = (RULES / "official.toml").read_text(encoding="utf-8")
        entries: dict[str, dict[str, Any]] = tomllib.loads(text)
        return {key: Figure(**entry) for key, entry in entries.items()}
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        raise UserError("errors_regions.tables_missing", file="rules/official.toml") from error


def _read(file: str) -> pd.DataFrame:
    try:
        return pd.read_csv(REFERENCE / file, dtype={"code": str})
    except (OSError, ValueError) as error:
        raise UserError("errors_regions.tables_missing", file=file) from error
