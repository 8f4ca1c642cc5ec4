"""What poverty would be without the transfer: simulated, with the spread of expenditure put back.

The score predicts the mean of ln expenditure; around it lies the residual distribution of held-out households
(`rank.expenditure`). The counterfactual is expenditure minus the transfer, nobody changing behaviour; a family is
never below zero. Lines are provincial and scaled so that the estimate with the transfer meets the official P0.
The arithmetic, and the standard errors of levels and changes, are those of a reform (`reform_poverty.effect`): taking
the transfer away is a reform like another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.policy import reform_poverty
from dtsen_core.policy.area_measures import Basis
from dtsen_core.policy.cube import base_model
from dtsen_core.policy.effectiveness.payments import Payments
from dtsen_core.policy.estimates import poverty_lines
from dtsen_core.policy.models import residuals_for, scorecard_for
from dtsen_core.policy.reform_poverty import People, Shift
from dtsen_core.rank import engine, official
from dtsen_core.rank.expenditure import Residuals
from dtsen_core.registry.dataset import Dataset

Floats = npt.NDArray[np.float64]
MEASURES = ("p0", "p1", "p2", "gini")


@dataclass(frozen=True, eq=False)
class PovertyEffect:
    """`table` by measure: without, with_transfer, change, se_without, se_with, se_change. `persons` lifted above the
    line and its interval's half width (95 %), `gap_without` and `gap_with` Rp a year, `cost` Rp a year in scope,
    `benefit_cost` fall of the gap per rupiah, `n` rows behind."""

    table: pd.DataFrame
    persons: float
    persons_half_width: float
    gap_without: float
    gap_with: float
    cost: float
    benefit_cost: float
    n: int
    families: float


def line_factors(dataset: Dataset) -> tuple[Residuals | None, Floats]:
    """(residuals of the dataset's own model, factor on each province's line); (None, …) without a model."""
    model = base_model(dataset)
    if not model:
        return None, np.ones(len(poverty_lines()))
    card = scorecard_for(dataset, model)
    unexplained = residuals_for(dataset, card)
    if unexplained is None:
        return None, np.ones(len(poverty_lines()))
    weight, factor = official.area_weights(dataset.cursor())
    basis = Basis.of(engine.rank_histogram(dataset, card), unexplained, weight * factor, True)
    return unexplained.residuals, basis.factors if basis.factors is not None else np.ones(len(poverty_lines()))


def poverty_effect(paid: Payments, residuals: Residuals, factors: Floats) -> PovertyEffect | None:
    """P0, P1, P2 and Gini with and without the transfer; None where nothing is paid or nobody is in scope."""
    if not paid.priced or not (paid.amount * paid.listed).any():
        return None
    persons = paid.persons * paid.factor
    monthly = paid.monthly * paid.listed
    people = People(paid.province, paid.urban, paid.score, persons, persons / np.maximum(paid.rows, 1e-9))
    at = np.flatnonzero(monthly > 0)
    taken = Shift(at, persons[at], -monthly[at])
    found = reform_poverty.effect(people, residuals, [taken], poverty_lines() * factors)
    now, without, se = found["before"], found["after"], found["se"]
    table = pd.DataFrame(
        [(m, without[m], now[m], now[m] - without[m], found["se_after"][m], found["se_before"][m], se[m])
         for m in MEASURES],
        columns=["measure", "without", "with_transfer", "change", "se_without", "se_with", "se_change"],
    )  # fmt: skip
    cost = float(12 * persons @ monthly)
    return PovertyEffect(
        table.set_index("measure"), without["poor_persons"] - now["poor_persons"], 1.96 * se["poor_persons"],
        without["gap"], now["gap"], cost, (without["gap"] - now["gap"]) / cost, round(paid.rows.sum()),
        float(paid.families.sum()),
    )  # fmt: skip
