"""Fitting one model of the laboratory: full fit, fits without each fold, and what remains unexplained.

Whole PSUs are held out, tuning parameters are chosen on an inner fold of the households that remain, and
regency effects are shrunken as in `fit`. Whatever the method, the result is an additive scorecard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.rank import boosted, fit, fit_report, quantile, shrunken
from dtsen_core.rank.design import FOLDS, Products, Survey, without_indicators
from dtsen_core.rank.fit import Solution
from dtsen_core.rank.methods import Method
from dtsen_core.rank.scorecard import CATEGORIES, PROVINCES, REGENCIES, Scorecard, neutral
from dtsen_core.rank.shrunken import Slopes

Floats = npt.NDArray[np.float64]
Tell = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted model: its scorecard, `heldout` and `whole` scores of the survey households in log units (those
    of fits that did not see the household's PSU, and of the fit on all), by regency the standard error `se` of
    its effect and `psu_sd`, `tuning` by fit (all households, then without each fold)."""

    card: Scorecard
    heldout: Floats
    whole: Floats
    se: Floats
    psu_sd: Floats
    tuning: tuple[float, ...]

    def residual_table(self, survey: Survey) -> pd.DataFrame:
        """Rows of ``model_residual``."""
        return fit_report.residual_table(self.card.name, survey, self.heldout)


def fit_model(survey: Survey, products: list[Products], method: Method, shares: Floats, origin: str,
              tell: Tell = lambda done: None, dropped: Sequence[int] = ()) -> Fitted:  # fmt: skip
    """Fit `method` on `survey`. `shares` (1, C) households by category; `origin` of the survey guards the use
    of the scorecard; `tell` hears the fraction done. Without the indicators at the positions `dropped`, if any."""
    if dropped:
        survey, products = without_indicators(survey, products, dropped)
    solver = _Solver(survey, products, method, shares)
    first = solver.solution(None, np.zeros(REGENCIES))
    psu_variance, psu_sd = fit.cluster_variance(survey, survey.y - fit.predict(survey, first))
    tell(1 / (FOLDS + 1))
    full = solver.solution(None, psu_variance)
    heldout = np.empty_like(survey.y)
    for fold in range(FOLDS):
        rows = survey.fold == fold
        heldout[rows] = fit.predict(survey, solver.solution(fold, psu_variance), rows)
        tell((fold + 2) / (FOLDS + 1))
    return Fitted(
        card=full.card(method.name, origin, survey.urban_share),
        heldout=heldout,
        whole=fit.predict(survey, full),
        se=np.sqrt(full.variance),
        psu_sd=psu_sd,
        tuning=tuple(solver.tuning[fold] for fold in (None, *range(FOLDS))),
    )


class _Solver:
    """One method on one survey; slopes are found once per fold, effects shrunken as often as asked."""

    def __init__(self, survey: Survey, products: list[Products], method: Method, shares: Floats) -> None:
        self._survey, self._products, self._method, self._shares = survey, products, method, shares
        self._slopes: dict[int | None, Slopes] = {}
        self._regencies: dict[int | None, Slopes] | None = None
        self.tuning: dict[int | None, float] = {}

    def solution(self, left_out: int | None, psu_variance: Floats) -> Solution:
        kind = self._method.kind
        if kind in ("provincial", "national"):
            self.tuning[left_out] = 0.0
            fallback = None
            nation = fit.solve_national(self._products, left_out, psu_variance, self._shares, None)
            if kind == "national":
                return nation
            fallback = nation.coefficients
            return fit.solve_provincial(self._products, left_out, psu_variance, self._shares, fallback)
        if left_out not in self._slopes:
            self._slopes[left_out] = self._find(left_out)
        slopes = self._slopes[left_out]
        self.tuning[left_out] = slopes.tuning
        if kind == "ols":
            effects, variance = slopes.effects, np.zeros(REGENCIES)
        else:
            effects, variance = fit.shrink(slopes.effects, slopes.load, psu_variance)
        parameters = np.full(PROVINCES, CATEGORIES, dtype=np.int64)
        return Solution(slopes.coefficients, effects, slopes.urban, variance, parameters)

    def _find(self, left_out: int | None) -> Slopes:
        kind, products = self._method.kind, self._products
        if kind == "ols":
            return plain(products, left_out, self._shares)
        if kind == "ridge":
            found = shrunken.ridge(products, left_out)
        elif kind == "boosted":
            found = boosted.boosted(products, left_out)
        elif kind == "boosted_national":
            found = boosted.boosted_national(products, left_out)
        elif kind == "quantile":
            found = quantile.quantile_fits(self._survey, products, self._method.quantile, left_out)
        else:
            if self._regencies is None:
                self._regencies = _regencies(self._survey, products)
            found = self._regencies[left_out]
        rows = neutral(found.coefficients, self._shares)
        return Slopes(rows, found.effects, found.urban, found.load, found.tuning)


def plain(products: list[Products], left_out: int | None, shares: Floats) -> Slopes:
    """Least squares per province with an intercept and an urban term, without regency effects: the usual
    proxy means test and the baseline of every comparison."""
    coefficients = np.zeros((PROVINCES, CATEGORIES))
    intercept, urban, load = np.zeros(PROVINCES), np.zeros(PROVINCES), np.zeros(REGENCIES)
    nation = fit.solve_national(products, left_out, np.zeros(REGENCIES), shares, None).coefficients
    c = CATEGORIES
    for part in products:
        matrix, target, households = part.without(left_out)
        merge = np.zeros((c + 2, len(target)))
        merge[:c, :c] = np.eye(c)
        merge[c, c:-1] = 1.0
        merge[c + 1, -1] = 1.0
        row, effects, urban[part.province], _ = fit.solve(
            merge @ matrix @ merge.T, merge @ target, merge @ households, 1
        )
        coefficients[part.province] = fit.fill(row, nation, shares)
        intercept[part.province] = effects[0]
        load[part.regencies] = np.diag(matrix)[c:-1]
    return Slopes(coefficients, intercept[fit.scorecard.province_of_regency()], urban, load, 0.0)


def _regencies(survey: Survey, products: list[Products]) -> dict[int | None, Slopes]:
    """Slopes of 514 regencies pulled to those of their province, for the full fit and without each fold."""
    cases: tuple[int | None, ...] = (None, *range(FOLDS))
    province = {case: shrunken.ridge(products, case) for case in cases}
    order = np.argsort(survey.regency, kind="stable")
    bounds = np.searchsorted(survey.regency[order], np.arange(REGENCIES + 1))
    sample, present = [], [r for r in range(REGENCIES) if bounds[r] < bounds[r + 1]]
    for regency in present[:: shrunken.EVERY]:
        sample.append(shrunken.regency_products(survey, regency, order[bounds[regency] : bounds[regency + 1]]))
    strength = {}
    for case in cases:
        inner = shrunken.inner_fold(case)
        # centres that saw neither the inner fold nor the one held out
        strength[case] = shrunken.regency_strength(
            sample, _centres(products, {inner} if case is None else {inner, case}), case
        )
    of_regency = fit.scorecard.province_of_regency()
    rows = {case: province[case].coefficients[of_regency].copy() for case in cases}
    effects = {case: province[case].effects.copy() for case in cases}
    for regency in present:
        part = shrunken.regency_products(survey, regency, order[bounds[regency] : bounds[regency + 1]])
        for case in cases:
            centre = province[case].coefficients[part.province]
            urban = province[case].urban[part.province]
            row, effect = shrunken.regency_fit(part, case, centre, urban, strength[case])
            rows[case][regency], effects[case][regency] = row, effect
    return {
        case: Slopes(rows[case], effects[case], province[case].urban, province[case].load, strength[case])
        for case in cases
    }


def _centres(products: list[Products], outside: set[int]) -> Floats:
    """Coefficients of every province from the folds not in `outside`, pulled to the nation by a middling λ."""
    parts = [shrunken.partial(p, outside) for p in products]
    centre = shrunken.national(parts)
    rows = np.tile(centre, (PROVINCES, 1))
    for piece in parts:
        rows[piece.province] = shrunken.towards(piece, centre, 1_000.0)
    return rows
