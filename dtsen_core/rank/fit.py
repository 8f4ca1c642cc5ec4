"""Fitting proxy means tests on the survey: one model per province, and one national model.

ln(expenditure) is regressed on indicator dummies, an urban term and regency effects by weighted least
squares (weight × household size, so that rates refer to persons). The normal equations are summed
province by province and by fold of whole PSUs; every held-out fit is a subtraction. Regency effects are
shrunken towards their province's mean (empirical Bayes: Efron & Morris 1975; Elbers, Lanjouw & Lanjouw
2003 on why an area effect is needed).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from dtsen_core.rank import fit_report, scorecard
from dtsen_core.rank.design import (
    FOLDS,
    LEAST_HOUSEHOLDS,
    RIDGE,
    Products,
    Survey,
    cross_products,
    read_survey,
)
from dtsen_core.rank.scorecard import CATEGORIES, OFFSETS, PROVINCES, REGENCIES, Scorecard, neutral
from dtsen_core.registry.indicators import INDICATORS

Floats = npt.NDArray[np.float64]

PROVINCIAL, NATIONAL = "pmt_provinsi", "pmt_nasional"
MODELS = (PROVINCIAL, NATIONAL)


@dataclass(frozen=True, eq=False)
class Solution:
    """Coefficients in log units before rounding: `coefficients` (sets, CATEGORIES), `regency` (514,)
    shrunken effects, `urban` (38,) urban against rural, `variance` (514,) posterior variance of the
    effects, `parameters` by province (or one number)."""

    coefficients: Floats
    regency: Floats
    urban: Floats
    variance: Floats
    parameters: npt.NDArray[np.int64]

    def card(self, name: str, origin: str, urban_share: Floats) -> Scorecard:
        """Rounded to thousandths. Urban/rural unknown counts as the regency's mix of persons."""
        urban = self.urban[scorecard.province_of_regency()]
        area = np.stack([self.regency + urban * urban_share, self.regency + urban, self.regency], axis=1)
        milli = np.rint(self.coefficients * 1000).astype(np.int32)
        return Scorecard(name, origin, milli, np.rint(area * 1000).astype(np.int32))


def fit_models(con: duckdb.DuckDBPyConnection, progress: Callable[[float], None] | None = None,
               origin: str = "simulated") -> None:  # fmt: skip
    """Fit ``pmt_provinsi`` and ``pmt_nasional`` on table ``survey`` and write the model tables.

    `origin` of the survey is stored with each model and guards its use. `progress` is called with a
    fraction 0..1.
    """
    tell = progress or (lambda fraction: None)
    survey = read_survey(con)
    shares = scorecard.category_shares(con)
    scorecard.create_tables(con)
    tell(0.15)
    products = cross_products(survey, lambda done: tell(0.15 + 0.45 * done))
    fallback: Floats | None = None
    for number, name in enumerate((NATIONAL, PROVINCIAL)):
        solve = solve_national if name == NATIONAL else solve_provincial
        psu_variance = np.zeros(REGENCIES)
        first = solve(products, None, psu_variance, shares, fallback)
        residual = survey.y - predict(survey, first)
        psu_variance, psu_sd = cluster_variance(survey, residual)
        full = solve(products, None, psu_variance, shares, fallback)
        heldout = np.empty_like(survey.y)
        for fold in range(FOLDS):
            rows = survey.fold == fold
            left = solve(products, fold, psu_variance, shares, fallback)
            heldout[rows] = predict(survey, left, rows)
        scorecard.save(con, full.card(name, origin, survey.urban_share), "pmt", f"survey {len(survey.y)}")
        fit_report.write(con, name, survey, predict(survey, full), heldout, full.parameters)
        fit_report.write_effects(con, name, np.sqrt(full.variance), psu_sd)
        fallback = full.coefficients
        tell(0.6 + 0.2 * (number + 1))


def predict(survey: Survey, solution: Solution, rows: npt.NDArray[np.bool_] | None = None) -> Floats:
    """Score in log units of the households `rows` (all): one set of coefficients for all, one per province or
    one per regency."""
    chosen: npt.NDArray[np.bool_] | slice = slice(None) if rows is None else rows
    regency, urban = survey.regency[chosen], survey.urban[chosen]
    total = solution.regency[regency] + np.where(urban == 1, solution.urban[survey.province[chosen]], 0.0)
    flat = solution.coefficients.ravel()
    block: npt.NDArray[np.int64] | int = 0
    if len(solution.coefficients) > 1:
        block = (regency if len(solution.coefficients) == REGENCIES else survey.province[chosen]) * CATEGORIES
    for position in range(len(INDICATORS)):
        total += flat[block + OFFSETS[position] + survey.categories[position][chosen]]
    return total


def cluster_variance(survey: Survey, residual: Floats) -> tuple[Floats, Floats]:
    """(sampling variance of each regency's mean residual from PSU totals, standard deviation of PSU means
    beyond what independent households would show), shape (514,) each."""
    load = np.bincount(survey.regency, survey.weight, REGENCIES)
    psus = int(survey.cluster.max()) + 1 if survey.cluster.size else 0
    total = np.bincount(survey.cluster, survey.weight * residual, psus)
    weight = np.bincount(survey.cluster, survey.weight, psus)
    households = np.bincount(survey.cluster, minlength=psus)
    of_regency = np.zeros(psus, dtype=np.int64)
    of_regency[survey.cluster] = survey.regency
    number = np.bincount(of_regency, minlength=REGENCIES)
    squares = np.bincount(of_regency, total**2, REGENCIES) * number / np.maximum(number - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(load > 0, squares / load**2, 0.0)
        means = np.where(weight > 0, total / weight, 0.0)
        within = np.bincount(survey.cluster, survey.weight * residual**2, psus) / weight - means**2
    several = households > 1
    noise = np.where(several, within / np.maximum(households - 1, 1), 0.0)
    excess = np.average(means[several] ** 2 - noise[several], weights=weight[several]) if several.any() else 0.0
    return variance, np.full(REGENCIES, np.sqrt(max(excess, 0.0)))


def _columns(diagonal: Floats, households: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(dummy columns to estimate, base column per indicator): the base is the heaviest category; columns
    with fewer than `LEAST_HOUSEHOLDS` households are left out and filled later."""
    keep, base = [], []
    for position in range(len(INDICATORS)):
        columns = np.arange(OFFSETS[position], OFFSETS[position + 1])
        heaviest = int(columns[np.argmax(diagonal[columns])])
        base.append(heaviest)
        fine = [c for c in columns if c != heaviest and households[c] >= LEAST_HOUSEHOLDS]
        keep += [int(c) for c in fine]
    return np.array(keep, dtype=np.int64), np.array(base, dtype=np.int64)


def solve(matrix: Floats, target: Floats, households: Floats, areas: int) -> tuple[Floats, Floats, float, int]:
    """Least squares from normal equations whose last `areas` + 1 columns are area dummies and urban.

    Returns (coefficients with NaN where not estimated (CATEGORIES,), area effects, urban term, parameters).
    One pseudo-household of ridge per dummy settles exact collinearity ("does not apply" of two questions).
    """
    size = CATEGORIES
    keep, base = _columns(np.diag(matrix)[:size], households[:size])
    present = size + np.flatnonzero(np.diag(matrix)[size : size + areas] > 0)
    used = np.concatenate([keep, present, [size + areas]])
    scale = np.diag(matrix)[size : size + areas].sum() / max(households[size : size + areas].sum(), 1)
    ridge = np.zeros(len(used))
    ridge[: len(keep)] = RIDGE * scale
    ridge[-1] = RIDGE * scale
    system = matrix[np.ix_(used, used)] + np.diag(ridge)
    answer = np.linalg.solve(system, target[used])
    coefficients = np.full(size, np.nan)
    coefficients[base] = 0.0
    coefficients[keep] = answer[: len(keep)]
    effects = np.full(areas, np.nan)
    effects[present - size] = answer[len(keep) : -1]
    return coefficients, effects, float(answer[-1]), len(used)


def fill(coefficients: Floats, fallback: Floats | None, shares: Floats) -> Floats:
    """Complete a row of coefficients: a rare category takes the national model's, measured from the same
    base; what is missing there too is neutral."""
    row = coefficients.copy()
    if fallback is not None:
        for position in range(len(INDICATORS)):
            span = slice(OFFSETS[position], OFFSETS[position + 1])
            part, other = row[span], fallback[0, span]
            known = ~np.isnan(part)
            part[~known] = other[~known] - np.mean(other[known] - part[known])
            row[span] = part
        return neutral(row[None, :], shares)[0]
    missing = np.isnan(row)
    weight = np.where(missing, 0.0, shares[0])
    for position in range(len(INDICATORS)):
        span = slice(OFFSETS[position], OFFSETS[position + 1])
        load = weight[span]
        known_mean = np.nansum(row[span] * load) / load.sum() if load.sum() > 0 else 0.0
        row[span] = np.where(missing[span], known_mean, row[span])
    return neutral(row[None, :], shares)[0]


def shrink(effects: Floats, load: Floats, sampling: Floats) -> tuple[Floats, Floats]:
    """(shrunken effects, posterior variances) of regencies, shape (514,) each.

    Effects of a province vary around its weighted mean with variance τ² (pooled over all provinces, method
    of moments); each is pulled to the mean by v/(τ² + v). A regency without households takes the mean.
    """
    province = scorecard.province_of_regency()
    known = ~np.isnan(effects)
    weight = np.where(known, load, 0.0)
    total = np.bincount(province, weight, PROVINCES)
    centre = np.bincount(province, np.nan_to_num(effects) * weight, PROVINCES)
    national = float(centre.sum() / total.sum()) if total.sum() > 0 else 0.0
    centre = np.where(total > 0, centre / np.where(total > 0, total, 1), national)[province]
    several = known & (np.bincount(province, known, PROVINCES)[province] > 1)
    spread = np.sum((effects[several] - centre[several]) ** 2) - np.sum(sampling[several])
    freedom = several.sum() - len(np.unique(province[several]))
    tau2 = max(float(spread) / freedom, 0.0) if freedom > 0 else 0.0
    pull = np.where(known & (tau2 + sampling > 0), tau2 / np.maximum(tau2 + sampling, 1e-12), 0.0)
    return centre + pull * np.nan_to_num(effects - centre), np.where(known, pull * sampling, tau2)


def solve_provincial(products: list[Products], left_out: int | None, sampling: Floats, shares: Floats,
                      fallback: Floats | None) -> Solution:  # fmt: skip
    coefficients = np.zeros((PROVINCES, CATEGORIES))
    effects, load = np.full(REGENCIES, np.nan), np.zeros(REGENCIES)
    urban, parameters = np.zeros(PROVINCES), np.zeros(PROVINCES, dtype=np.int64)
    for part in products:
        matrix, target, households = part.without(left_out)
        row, found, urban[part.province], parameters[part.province] = solve(
            matrix, target, households, len(part.regencies)
        )
        coefficients[part.province] = fill(row, fallback, shares)
        effects[part.regencies] = found
        load[part.regencies] = np.diag(matrix)[CATEGORIES:-1]
    shrunken, variance = shrink(effects, load, sampling)
    return Solution(coefficients, shrunken, urban, variance, parameters)


def solve_national(products: list[Products], left_out: int | None, sampling: Floats, shares: Floats,
                    fallback: Floats | None) -> Solution:  # fmt: skip
    size = CATEGORIES + REGENCIES + 1
    matrix, target, households = np.zeros((size, size)), np.zeros(size), np.zeros(size)
    for part in products:
        own, aim, number = part.without(left_out)
        place = np.concatenate([np.arange(CATEGORIES), CATEGORIES + part.regencies, [size - 1]])
        matrix[np.ix_(place, place)] += own
        target[place] += aim
        households[place] += number
    row, effects, urban, parameters = solve(matrix, target, households, REGENCIES)
    load = np.diag(matrix)[CATEGORIES:-1]
    shrunken, variance = shrink(effects, load, sampling)
    coefficients = fill(row, fallback, shares)[None, :]
    return Solution(coefficients, shrunken, np.full(PROVINCES, urban), variance,
                    np.full(PROVINCES, parameters, dtype=np.int64))  # fmt: skip
