"""What poverty would be without the transfer: simulated, with the spread of expenditure put back.

The score predicts the mean of ln expenditure; around it lies the residual distribution of held-out households
(`rank.expenditure`). The counterfactual is expenditure minus the transfer, nobody changing behaviour; a family is
never below zero. Lines are provincial and scaled so that the estimate with the transfer meets the official P0.
Standard errors count the sampling of the rows in scope (linearised), not the errors of the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.policy import measures
from dtsen_core.policy.area_measures import Basis
from dtsen_core.policy.cube import base_model
from dtsen_core.policy.effectiveness.payments import Payments
from dtsen_core.policy.estimates import poverty_lines
from dtsen_core.policy.models import residuals_for, scorecard_for
from dtsen_core.rank import engine, official
from dtsen_core.rank.expenditure import Residuals
from dtsen_core.rank.fit_report import STEP
from dtsen_core.rank.scorecard import province_of_regency
from dtsen_core.registry.dataset import Dataset

Floats = npt.NDArray[np.float64]
MEASURES = ("p0", "p1", "p2", "gini")
BENEFIT_STEP = 2_500.0  # Rp per person and month: benefits are grouped to this width


@dataclass(frozen=True, eq=False)
class PovertyEffect:
    """`table` by measure: without, with_transfer, change, se_change. `persons` lifted above the line and its
    interval's half width (95 %), `gap_without` and `gap_with` Rp a year, `cost` Rp a year in scope, `benefit_cost`
    fall of the gap per rupiah, `n` rows behind."""

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
    province = province_of_regency()[paid.regency]
    benefit = np.rint(paid.monthly * paid.listed / BENEFIT_STEP) * BENEFIT_STEP
    frame = pd.DataFrame({"p": province, "u": paid.urban, "s": paid.score, "b": benefit, "rows": paid.rows,
                          "w": paid.persons * paid.factor,
                          "w2": paid.rows * (paid.weight * paid.size * paid.factor) ** 2})  # fmt: skip
    cells = frame.groupby(["p", "u", "s", "b"], as_index=False, sort=True).sum()
    line = poverty_lines() * factors
    nodes = (residuals.low + np.arange(residuals.mass.shape[3])) * (STEP / 1000)
    half = STEP / 1000
    grid = np.arange(np.floor((cells["s"].min() / 1000 + nodes[0]) / half) - 1,
                     np.ceil((cells["s"].max() / 1000 + nodes[-1]) / half) + 2)  # fmt: skip
    mass = {name: np.zeros(len(grid) + 1) for name in ("with", "without")}
    terms = np.zeros((len(cells), 2, 3))
    changed = np.zeros(len(cells))  # E of the squared change of P0, per person
    for (p, u), group in cells.groupby(["p", "u"]):
        at = group.index.to_numpy()
        kernel = residuals.kernel(int(p), int(u), group["s"].to_numpy())
        kernel = kernel / kernel.sum(axis=1, keepdims=True)
        y = np.exp(group["s"].to_numpy()[:, None] / 1000 + nodes)
        less = np.maximum(y - group["b"].to_numpy()[:, None], 1.0)
        z = float(line[int(p)])
        poor = []
        for k, (name, value) in enumerate((("without", less), ("with", y))):
            below = np.clip((np.log(z) - np.log(value)) / half + 0.5, 0, 1)
            gap = np.maximum(1 - value / z, 0)
            poor.append(below)
            terms[at, k] = np.column_stack([(kernel * part).sum(axis=1) for part in (below, gap, gap**2)])
            place = np.clip((np.log(value) / half - grid[0]).round().astype(int), 0, len(grid))
            np.add.at(mass[name], place.ravel(), (kernel * group["w"].to_numpy()[:, None]).ravel())
        changed[at] = (kernel * (poor[1] - poor[0]) ** 2).sum(axis=1)
    w = cells["w"].to_numpy()
    total = w.sum()
    mean = np.einsum("c,ckm->km", w, terms) / total
    change = terms[:, 1] - terms[:, 0]
    average = change.T @ w / total
    se = np.sqrt(cells["w2"].to_numpy() @ (change - average) ** 2) / total
    within = np.maximum(changed - change[:, 0] ** 2, 0)
    se[0] = np.sqrt(se[0] ** 2 + cells["w2"].to_numpy() @ within / total**2)
    nodes_y = np.exp(np.append(grid, grid[-1] + 1) * half)
    gini = [measures.gini_of_shares(nodes_y, mass[name]) for name in ("without", "with")]
    rows = [(name, mean[0, k], mean[1, k], average[k], se[k]) for k, name in enumerate(MEASURES[:3])]
    rows.append(("gini", gini[0], gini[1], gini[1] - gini[0], float("nan")))
    table = pd.DataFrame(rows, columns=["measure", "without", "with_transfer", "change", "se_change"])
    # Rp a year that would lift everybody to the line
    yearly = 12 * w * line[cells["p"].to_numpy()]
    gaps = yearly @ terms[:, 0, 1], yearly @ terms[:, 1, 1]
    cost = float(12 * (paid.persons * paid.factor) @ (paid.monthly * paid.listed))
    return PovertyEffect(
        table.set_index("measure"), float(-average[0] * total), float(1.96 * se[0] * total), float(gaps[0]),
        float(gaps[1]), cost, float((gaps[0] - gaps[1]) / cost), int(paid.rows.sum()), float(paid.families.sum()),
    )  # fmt: skip
