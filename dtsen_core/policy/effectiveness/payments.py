"""Payments of the latest quarter, joined once per family, and how they fall on the welfare distribution.

Enrolments are summed per family before they are joined, so a family stays one row and the total equals the
programme file's to the rupiah. Amounts are per quarter in the file, Rp per person and month in the measures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from dtsen_core.policy import targeting
from dtsen_core.policy.cube import FINE, base_model
from dtsen_core.policy.effectiveness.scope import Scope
from dtsen_core.policy.models import scorecard_for
from dtsen_core.policy.programme_rules import Rule
from dtsen_core.rank import engine, official
from dtsen_core.rank.packing import check
from dtsen_core.rank.scorecard import REGENCIES
from dtsen_core.registry.dataset import Dataset

Floats = npt.NDArray[np.float64]
STEP, COARSE = 20, 100  # thousandths of log rupiah: the width of the score cells up to `FINE` families, and above
MONTHS = 3
_TRAIT = {
    "female_head": "i.jenis_kelamin_kepala = 2", "elderly_head": "i.umur_kepala = 6",
    "disability": "i.disabilitas_atau_kronis = 1",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Payments:
    """Cells of equal families, arrays of shape (cells,): `score` thousandths, `size` persons, `amount` Rp a
    quarter and family, `listed` 0/1, `rows` unweighted, `weight` families per row, `factor` survey persons per
    registry person. `quarter` the payments are of; `priced` whether amounts are known."""

    regency: npt.NDArray[np.int64]
    urban: npt.NDArray[np.int64]
    decile: npt.NDArray[np.int64]
    score: Floats
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


def latest_quarter(dataset: Dataset) -> str:
    """The last quarter the programme files speak of; "" where the dataset has none."""
    if not dataset.has_table("enrolment"):
        return ""
    found = dataset.cursor().execute("SELECT max(quarter) FROM enrolment").fetchone()
    return str(found[0]) if found and found[0] else ""


def payments(dataset: Dataset, rule: Rule, scope: Scope) -> Payments:
    """Cells of `scope` with what programme `rule` paid in the latest quarter.

    Without programme files every listed family is given the rule's amount for the quarter, where it has one.
    """
    cursor, quarter = dataset.cursor(), latest_quarter(dataset)
    step = STEP if dataset.manifest.families <= FINE else COARSE
    condition, values = scope.where()
    trait = "" if scope.group == "all" else f" AND {_TRAIT[scope.group]}"
    indicators = "JOIN indicators AS i USING (id_keluarga)" if trait else ""
    score, joins = "f.desil_nasional * 1000", ""
    if model := base_model(dataset):
        score, joins = _scored(cursor, scorecard_for(dataset, model))
    paid, parameters = "SELECT 0 AS id_keluarga, NULL::DOUBLE AS amount WHERE false", []
    if quarter and rule.enrolment:
        paid = """SELECT id_keluarga, sum(amount) AS amount FROM enrolment
    WHERE program = ? AND quarter = ? GROUP BY id_keluarga"""
        parameters = [rule.enrolment, quarter]
    flag = f"f.{rule.flag}" if rule.flag else "0"
    found = cursor.execute(f"""WITH paid AS (
  {paid}
)
SELECT f.regency, f.urban, least(f.desil_nasional, 10) AS decile, (({score}) // {step})::INTEGER AS score,
  f.family_size AS size, ({flag} > 0)::INTEGER AS listed, coalesce(p.amount, 0) AS amount,
  sum({flag})::DOUBLE AS units, count(p.amount) AS priced, count(*) AS rows
FROM family_packed AS f LEFT JOIN paid AS p USING (id_keluarga) {indicators}
  {joins}
WHERE {condition}{trait}
GROUP BY 1, 2, 3, 4, 5, 6, 7""", [*parameters, *values]).fetchnumpy()
    columns = {name: np.asarray(found[name]).astype(np.float64) for name in found}
    regency = columns["regency"].astype(np.int64)
    weight, factor = official.area_weights(cursor)
    amount, priced = columns["amount"], bool(columns["priced"].sum() > 0)
    if not quarter and rule.amount is not None:
        per_row = np.divide(columns["units"], columns["rows"], out=np.zeros_like(amount), where=columns["rows"] > 0)
        amount, priced = per_row * rule.amount / 4, True
    return Payments(
        regency, columns["urban"].astype(np.int64), columns["decile"].astype(np.int64),
        columns["score"] * step + step / 2, columns["size"], amount, columns["listed"], columns["rows"],
        weight[regency], factor[regency], quarter, priced,
    )  # fmt: skip


def _scored(cursor, card) -> tuple[str, str]:  # type: ignore[no-untyped-def]
    packing = check(cursor)
    engine.fill_lookups(cursor, packing, card, "pay_lut")
    total, joins = engine.score_joins(packing, card.sets, "pay_lut")
    regency, urban = (part.ravel() for part in np.indices((REGENCIES, 3)))
    rows = pa.table({"area": (regency * 3 + urban).astype(np.int32), "base": card.area[regency, urban]})
    cursor.register("base_rows", rows)
    cursor.execute("CREATE OR REPLACE TEMP TABLE pay_base AS SELECT * FROM base_rows")
    cursor.unregister("base_rows")
    return f"{total} + pb.base", f"{joins} JOIN pay_base AS pb ON pb.area = f.regency::INTEGER * 3 + f.urban"


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
    cells = pd.DataFrame({
        "y": np.exp(paid.score / 1000), "w": paid.persons, "r": paid.listed, "b": paid.monthly * paid.listed,
        "low": (paid.decile >= 1) & (paid.decile <= last),
    })  # fmt: skip
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


def _thin(curve: pd.DataFrame, points: int = 200) -> pd.DataFrame:
    """At most `points` points of a curve, the ends among them."""
    at = np.unique(np.linspace(0, len(curve) - 1, points).astype(int))
    return curve.iloc[at].reset_index(drop=True)
