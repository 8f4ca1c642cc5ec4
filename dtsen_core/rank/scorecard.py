"""Additive scorecards: one coefficient per category of each indicator, one intercept per area.

Every coefficient is an integer in thousandths of log rupiah, so a score is a sum of integers, equal on
every machine. Coefficients may differ by province; intercepts by regency and urban/rural.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.rank.packing import Group, has_table
from dtsen_core.regions import units
from dtsen_core.registry.indicators import INDICATORS

ALL = 255  # province code in `model_coefficient` for coefficients that hold everywhere
PROVINCES = units.COUNTS["province"]
REGENCIES = units.COUNTS["regency"]
MAX_SPAN = 40_000  # thousandths of log rupiah between the lowest and the highest possible score
URBAN, RURAL = 1, 2

Millis = npt.NDArray[np.int32]
Shares = npt.NDArray[np.float64]

OFFSETS: tuple[int, ...] = tuple(int(x) for x in np.cumsum([0, *(i.radix for i in INDICATORS)]))
CATEGORIES = OFFSETS[-1]


@lru_cache(maxsize=1)
def province_of_regency() -> npt.NDArray[np.int64]:
    """Province idx of each regency idx, shape (514,)."""
    return units.table("regency")["parent_code"].map(units.index("province")).to_numpy(np.int64)


@dataclass(frozen=True, eq=False)
class Scorecard:
    """`coefficients` (1, 38 or 514 sets: for all, by province, by regency; all categories of the 39 indicators
    in order) and `area` (514, 3: urban unknown, urban, rural), both int32 in thousandths of log rupiah.
    `origin` of the data it was fitted on: "simulated", "real", or "file" for an uploaded one."""

    name: str
    origin: str
    coefficients: Millis
    area: Millis

    @property
    def sets(self) -> int:
        return len(self.coefficients)

    @property
    def hash(self) -> str:
        digest = hashlib.blake2b(digest_size=12)
        digest.update(np.ascontiguousarray(self.coefficients).tobytes())
        digest.update(np.ascontiguousarray(self.area).tobytes())
        return digest.hexdigest()

    def set_of_regency(self) -> npt.NDArray[np.int64]:
        """Which set of coefficients holds in each regency idx, shape (514,)."""
        if self.sets == 1:
            return np.zeros(REGENCIES, dtype=np.int64)
        return np.arange(REGENCIES) if self.sets == REGENCIES else province_of_regency()

    def span(self) -> int:
        """Largest difference of two possible scores, in thousandths of log rupiah."""
        parts = np.split(self.coefficients, OFFSETS[1:-1], axis=1)
        high = sum(p.max(axis=1) for p in parts)
        low = sum(p.min(axis=1) for p in parts)
        return int(np.max(high) - np.min(low) + self.area.max() - self.area.min())

    def lookup(self, group: Group) -> Millis:
        """Sum of the group's coefficients for each packed code, shape (sets, codes)."""
        table = np.zeros((self.sets, 1), dtype=np.int32)
        for position in group.members:
            part = self.coefficients[:, OFFSETS[position] : OFFSETS[position + 1]]
            table = (part[:, :, None] + table[:, None, :]).reshape(self.sets, -1)
        return table

    def scores(self, categories: npt.NDArray[np.integer], regency: npt.NDArray[np.integer],
               urban: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:  # fmt: skip
        """Score of each row of `categories` (n, 39); the plain form used by the fit and by tests."""
        chosen = self.set_of_regency()[regency]
        total = self.area[regency, urban].astype(np.int64)
        for position in range(len(INDICATORS)):
            total += self.coefficients[chosen, OFFSETS[position] + categories[:, position].astype(np.int64)]
        return total

    def guard(self, dataset_origin: str) -> None:
        """UserError when the scorecard was fitted on simulated households and the families are real."""
        if self.origin == "simulated" and dataset_origin == "real":
            raise UserError("errors_rank.simulated_model", model=self.name)


def neutral(coefficients: npt.NDArray[np.float64], shares: Shares | None) -> npt.NDArray[np.float64]:
    """`coefficients` (sets, CATEGORIES) with the derived ones filled in.

    "Unknown" takes the mean of the indicator's other categories weighted by `shares` (sets or 1,
    CATEGORIES; the households in each category), so that a missing answer moves no family; a merged 2026
    class takes the weighted mean of the fine classes it stands for. Without shares, plain means.
    """
    result = coefficients.copy()
    weight = np.ones_like(result) if shares is None else np.broadcast_to(shares, result.shape)
    for position, indicator in enumerate(INDICATORS):
        start = OFFSETS[position]
        fine = [c.code for c in indicator.categories if c.code and not c.merges]
        for category in indicator.categories:
            if category.merges or category.code == 0:
                columns = [start + code for code in (category.merges or fine)]
                result[:, start + category.code] = _mean(result[:, columns], weight[:, columns])
    return result


def _mean(values: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    total = weight.sum(axis=1)
    plain = values.mean(axis=1)
    return np.where(total > 0, (values * weight).sum(axis=1) / np.where(total > 0, total, 1), plain)


def category_shares(con: duckdb.DuckDBPyConnection, table: str = "survey", weight: str = "weight") -> Shares:
    """Weighted rows in each category, shape (1, CATEGORIES). `table`, `weight`: ours, not user text."""
    result = np.zeros((1, CATEGORIES))
    steps = " UNION ALL ".join(
        f"SELECT {OFFSETS[k]} + {i.name}::INTEGER AS at, sum({weight}) AS load FROM {table} GROUP BY {i.name}"
        for k, i in enumerate(INDICATORS)
    )
    found = con.execute(steps).fetchnumpy()
    result[0, found["at"]] = np.ma.filled(found["load"], 0.0)
    return result


def save(con: duckdb.DuckDBPyConnection, card: Scorecard, kind: str, note: str = "") -> None:
    """Write `card` to ``model``, ``model_coefficient`` and ``model_area`` (made when missing)."""
    create_tables(con)
    for table, column in (("model", "name"), ("model_coefficient", "model"), ("model_area", "model")):
        con.execute(f"DELETE FROM {table} WHERE {column} = ?", [card.name])
    con.execute("INSERT INTO model VALUES (?, ?, ?, now()::TIMESTAMP, ?)", [card.name, kind, card.origin, note])
    province = np.repeat(np.array([ALL] if card.sets == 1 else np.arange(card.sets)), CATEGORIES)
    names = [i.name for i in INDICATORS for _ in i.categories]
    codes = [c.code for i in INDICATORS for c in i.categories]
    long = pd.DataFrame({
        "model": card.name, "province": province, "indicator": names * card.sets,
        "category": codes * card.sets, "value_milli": card.coefficients.ravel(),
    })  # fmt: skip
    regency, urban = np.indices(card.area.shape)
    areas = pd.DataFrame({
        "model": card.name, "regency": regency.ravel(), "urban": urban.ravel(),
        "value_milli": card.area.ravel(),
    })  # fmt: skip
    _append(con, "model_coefficient", long)
    _append(con, "model_area", areas)


def _append(con: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> None:
    con.register("rows_to_append", frame)
    con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM rows_to_append")
    con.unregister("rows_to_append")


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """The model tables of a dataset.

    `province` of ``model_coefficient`` is the set: 255 alone for coefficients that hold everywhere, the province
    idx where there are 38 sets, the regency idx where there are 514.

    ``model_residual`` holds, per model, province, urban (1, 2; 0 = both) and score bin, the distribution of
    held-out ln(expenditure) − score on a grid: `mid_milli` is the bin's mean score, `step` the grid step
    (thousandths), `cell` the position on the grid (residual = cell × step), `mass` the share of persons.
    ``model_effect`` holds the posterior standard error of each regency's effect, and the standard deviation
    of PSU effects around it (both log units), which the intervals of P0 use.
    """
    con.execute("""
CREATE TABLE IF NOT EXISTS model
  (name VARCHAR, kind VARCHAR, origin VARCHAR, fitted_at TIMESTAMP, note VARCHAR);
CREATE TABLE IF NOT EXISTS model_coefficient
  (model VARCHAR, province USMALLINT, indicator VARCHAR, category UTINYINT, value_milli INTEGER);
CREATE TABLE IF NOT EXISTS model_area (model VARCHAR, regency USMALLINT, urban UTINYINT, value_milli INTEGER);
CREATE TABLE IF NOT EXISTS model_effect (model VARCHAR, regency USMALLINT, se DOUBLE, psu_sd DOUBLE);
CREATE TABLE IF NOT EXISTS model_residual
  (model VARCHAR, province UTINYINT, urban UTINYINT, bin UTINYINT, mid_milli INTEGER, households INTEGER,
   step UTINYINT, cell SMALLINT, mass DOUBLE);
CREATE TABLE IF NOT EXISTS model_fit
  (model VARCHAR, province UTINYINT, households INTEGER, psus INTEGER, regencies INTEGER, parameters INTEGER,
   r2 DOUBLE, r2_heldout DOUBLE, inclusion_error_40 DOUBLE, exclusion_error_40 DOUBLE);
""")


def names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Scorecards stored in this dataset; empty if it has none."""
    if not has_table(con, "model"):
        return []
    return [row[0] for row in con.execute("SELECT name FROM model ORDER BY name").fetchall()]


def origins(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Origin of the households each stored scorecard was fitted on, by its name."""
    if not has_table(con, "model"):
        return {}
    return {str(name): str(origin) for name, origin in con.execute("SELECT name, origin FROM model").fetchall()}


def load(con: duckdb.DuckDBPyConnection, name: str) -> Scorecard:
    """The stored scorecard `name`; UserError with the known names if there is none."""
    known = names(con)
    if name not in known:
        raise UserError("errors_rank.unknown_model", model=name, known=", ".join([*known, "resmi"]))
    row = con.execute("SELECT origin FROM model WHERE name = ?", [name]).fetchone()
    long = con.execute(
        "SELECT province, indicator, category, value_milli FROM model_coefficient WHERE model = ?", [name]
    ).fetchnumpy()
    start = {i.name: OFFSETS[k] for k, i in enumerate(INDICATORS)}
    province = np.asarray(long["province"], dtype=np.int64)
    sets = 1 if (province == ALL).all() else PROVINCES if province.max() < PROVINCES else REGENCIES
    coefficients = np.zeros((sets, CATEGORIES), dtype=np.int32)
    position = np.array([start[n] for n in long["indicator"]], dtype=np.int64) + long["category"]
    coefficients[0 if sets == 1 else province, position] = long["value_milli"]
    areas = con.execute("SELECT regency, urban, value_milli FROM model_area WHERE model = ?", [name]).fetchnumpy()
    area = np.zeros((REGENCIES, 3), dtype=np.int32)
    area[areas["regency"], areas["urban"]] = areas["value_milli"]
    return Scorecard(name, str(row[0]) if row else "", coefficients, area)
