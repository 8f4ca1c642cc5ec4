"""Payments of the latest quarter and how they fall on the welfare distribution, from the cells of a cube.

The cube sums enrolments per family before it joins them, so a family stays one row and the total equals the
programme file's to the rupiah. Amounts are per quarter in the file, Rp per person and month in the measures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.policy import cube as cubes
from dtsen_core.policy import targeting
from dtsen_core.policy.cube import COARSE_STEP, Cube
from dtsen_core.policy.effectiveness.scope import Scope, share
from dtsen_core.policy.programme_rules import Rule
from dtsen_core.registry.dataset import Dataset

Floats = npt.NDArray[np.float64]
MONTHS = 3


@dataclass(frozen=True, eq=False)
class Payments:
    """Cells of families, arrays of shape (cells,), sorted by score: `province`, `score` thousandths, `size` persons
    (the mean of a coarse cell), `amount` Rp a quarter and family, `listed` 0/1, `rows` unweighted, `weight` families
    per row, `factor` survey persons per registry person. `quarter` the payments are of; `priced` whether amounts are
    known."""

    province: npt.NDArray[np.int64]
    urban: npt.NDArray[np.int64]
    decile: npt.NDArray[np.int64]
    score: npt.NDArray[np.int64]
    size: Floats
    amount: Floats
    listed: Floats
    rows: Floats
    weight: Floats
    factor: Floats
    quarter: str
    priced: bool

    @property
    def families(self) -> Floats:
        return self.rows * self.weight

    @property
    def persons(self) -> Floats:
        return self.rows * self.weight * self.size

    @property
    def monthly(self) -> Floats:
        """Rp per person and month."""
        return self.amount / MONTHS / np.maximum(self.size, 1)


def payments(dataset: Dataset, rule: Rule, scope: Scope) -> Payments:
    """Cells of `scope` with what programme `rule` paid in the latest quarter.

    Without programme files every listed family is given the rule's amount for the quarter, where it has one.
    """
    cells = cubes.cube(dataset)
    part = share(cells, scope)
    at = np.flatnonzero(part > 0)
    rows, whole = (cells.rows * part)[at], cells.rows[at]
    units = cells.sums[rule.flag][at] if rule.flag else np.zeros(len(at))
    amount, priced = _amounts(cells, rule, units, at)
    return Payments(
        cells.province[at], cells.urban[at], cells.decile[at],
        cells.score[at] + (0 if cells.exact else COARSE_STEP // 2), cells.sums["persons"][at] / whole, amount / whole,
        (units > 0).astype(np.float64), rows, cells.weight[at], cells.factor[at], cells.quarter, priced,
    )  # fmt: skip


def _amounts(cells: Cube, rule: Rule, units: Floats, at: npt.NDArray[np.int64]) -> tuple[Floats, bool]:
    """(unweighted Rp of the quarter in the cells `at`, whether amounts are known)."""
    if cells.quarter:
        paid = cells.paid.get(rule.enrolment)
        if paid is None or not paid.any():
            return np.zeros(len(at)), False
        return paid[at], True
    if rule.amount is None:
        return np.zeros(len(at)), False
    return units * rule.amount / 4, True


@dataclass(frozen=True, eq=False)
class Incidence:
    """`by_decile`: decile, n, families, listed, benefits (Rp a quarter). `figures`: the single measures, by persons
    ordered by estimated welfare, the bottom being deciles 1–`last_decile`. `curve` as in `Targeting`."""

    by_decile: pd.DataFrame
    figures: dict[str, float]
    curve: pd.DataFrame
    quarter: str
    priced: bool
    total: float
    last_decile: int


def incidence(paid: Payments, last: int) -> Incidence | None:
    """How the payments fall; None where nobody is in scope."""
    if not len(paid.rows) or not paid.families.sum() > 0:
        return None
    decile = np.clip(paid.decile, 0, 10)
    amount = paid.families * paid.amount if paid.priced else np.full(len(paid.rows), np.nan)
    table = pd.DataFrame({
        "decile": np.arange(11), "n": np.bincount(decile, paid.rows, 11),
        "families": np.bincount(decile, paid.families, 11),
        "listed": np.bincount(decile, paid.families * paid.listed, 11),
        "benefits": np.bincount(decile, amount, 11),
    })  # fmt: skip
    table = table[(table["decile"] > 0) | (table["n"] > 0)].reset_index(drop=True)
    cells = _by_score(paid, last)
    bottom = float(cells["w"] @ cells["low"] / cells["w"].sum())
    found = targeting.targeting_table(
        cells, welfare="y", weight="w", received="r", benefit="b" if paid.priced else None, line=1.0,
        bottom=min(max(bottom, 1e-6), 1 - 1e-6),
    )  # fmt: skip
    listed = cells["w"] * cells["r"]
    low = cells["low"].to_numpy(float)
    covered_low = float(listed @ low / (cells["w"] @ low)) if bottom > 0 else float("nan")
    covered_rest = float(listed @ (1 - low) / (cells["w"] @ (1 - low))) if bottom < 1 else float("nan")
    money = cells["w"] * cells["b"]
    share_low = float(money @ low / money.sum()) if paid.priced and money.sum() > 0 else float("nan")
    figures = {
        "share_low": share_low, "cgh": share_low / bottom if bottom > 0 else float("nan"),
        "differential": covered_low - covered_rest, "concentration": found.concentration_index,
        "adequacy": found.adequacy, "coverage_low": covered_low,
        "mean_benefit": float(amount.sum() / (paid.families @ paid.listed)) if paid.listed.any() else float("nan"),
    }  # fmt: skip
    return Incidence(
        table, figures, _thin(found.curve), paid.quarter, paid.priced, float(amount.sum()), last
    )


def _by_score(paid: Payments, last: int) -> pd.DataFrame:
    """One row per score, bottom or not, listed or not: welfare y, persons w, r, mean benefit b, low. What follows
    from them is a sum over persons of one score, so nothing is lost."""
    low = (paid.decile >= 1) & (paid.decile <= last)
    first = int(paid.score.min())
    key = (paid.score - first) * 4 + low * 2 + (paid.listed > 0)
    persons, money = np.bincount(key, paid.persons), np.bincount(key, paid.persons * paid.monthly * paid.listed)
    at = np.flatnonzero(persons > 0)
    return pd.DataFrame({
        "y": np.exp((at // 4 + first) / 1000), "w": persons[at], "r": at % 2, "b": money[at] / persons[at],
        "low": at // 2 % 2 == 1,
    })  # fmt: skip


def _thin(curve: pd.DataFrame, points: int = 200) -> pd.DataFrame:
    """At most `points` points of a curve, the ends among them."""
    at = np.unique(np.linspace(0, len(curve) - 1, points).astype(int))
    return curve.iloc[at].reset_index(drop=True)
