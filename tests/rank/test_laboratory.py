"""Fitted models against known answers: least squares, boosting, quantile regression, no leakage, monotone."""

from __future__ import annotations

import dataclasses
import warnings

import duckdb
import numpy as np
import pytest

from dtsen_core.rank import boosted, design, equations, laboratory, quantile, shrunken
from dtsen_core.rank.methods import methods, tournament
from dtsen_core.rank.scorecard import CATEGORIES, OFFSETS, REGENCIES, category_shares
from dtsen_core.registry.directions import directions
from dtsen_core.registry.indicators import INDICATORS
from tests.rank import synthetic
from tests.rank.conftest import some_regencies

Survey = design.Survey


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    rng = np.random.default_rng(31)
    households = synthetic.draw_families(rng, np.repeat(some_regencies(), 250))
    score = synthetic.random_card(rng, 1).scores(households.categories, households.regency, households.urban)
    made = duckdb.connect()
    synthetic.store_survey(made, households, np.exp(score / 1000 + 0.3 * rng.normal(size=len(score))))
    return made


@pytest.fixture(scope="module")
def survey(con: duckdb.DuckDBPyConnection) -> Survey:
    return design.read_survey(con)


@pytest.fixture(scope="module")
def products(survey: Survey) -> list[design.Products]:
    return design.cross_products(survey, lambda done: None)


def dense(survey: Survey, part: design.Products) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rows, design matrix, weights) of one province."""
    rows = np.flatnonzero(survey.province == part.province)
    matrix = quantile.sparse_design(survey, rows, part.regencies).toarray()
    return rows, matrix, survey.weight[rows]


def test_partialling_out_areas_gives_weighted_least_squares(survey: Survey, products: list[design.Products]) -> None:
    import statsmodels.api as sm

    part = products[0]
    rows, matrix, weight = dense(survey, part)
    full = matrix[:, matrix.any(axis=0)]
    piece = equations.partial(part)
    beta = np.linalg.lstsq(piece.matrix, piece.target, rcond=None)[0]
    theta = np.r_[beta, piece.areas(beta)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dummies of all categories: the fitted values are unique, coefficients not
        known = sm.WLS(survey.y[rows], full, weights=weight).fit()
    assert np.abs(matrix @ theta - known.fittedvalues).max() < 0.02  # urban carries one pseudo-household of ridge


def test_ridge_lies_between_the_nation_and_the_province(products: list[design.Products]) -> None:
    parts = [equations.partial(p) for p in products]
    centre = shrunken.national(parts)
    near = shrunken.towards(parts[0], centre, 1e9)
    assert np.abs(near - centre).max() < 1e-4
    distance = [np.linalg.norm(shrunken.towards(parts[0], centre, s) - centre) for s in (10, 100, 1000)]
    assert distance[0] > distance[1] > distance[2] > 0


def test_boosting_on_normal_equations_is_boosting_on_households() -> None:
    """The same steps as scikit-learn's gradient boosting with trees of depth one on a 0/1 column each."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    rng = np.random.default_rng(5)
    n, steps = 4_000, 60
    x = rng.integers(0, 2, (n, 6)).astype(float)
    y = x @ np.array([0.5, -0.2, 0.3, 0.0, 0.1, -0.4]) + 0.1 * rng.normal(size=n)
    using = boosted.Stumps(np.eye(6), np.zeros(6, dtype=bool))
    centred = x - x.mean(axis=0)
    theta = boosted.boost(centred.T @ centred, centred.T @ y, np.zeros(6), steps, steps, using=using)[-1]
    theirs = HistGradientBoostingRegressor(
        max_iter=steps, max_depth=1, learning_rate=boosted.RATE, min_samples_leaf=1, early_stopping=False
    ).fit(x, y)
    ours = y.mean() + centred @ theta
    assert np.abs(ours - theirs.predict(x)).max() < 1e-5


@pytest.mark.slow
def test_boosted_coefficients_never_fall_along_a_declared_order(products: list[design.Products]) -> None:
    slopes = boosted.boosted(products, None)
    places = {indicator.name: k for k, indicator in enumerate(INDICATORS)}
    for name, order in directions().items():
        path = slopes.coefficients[:, [OFFSETS[places[name]] + code for code in order]]
        assert (np.diff(path, axis=1) >= -1e-9).all(), name


def test_quantile_regression_agrees_with_the_exact_one() -> None:
    import statsmodels.api as sm
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(8)
    x = np.c_[np.ones(3_000), rng.integers(0, 2, (3_000, 4))].astype(float)
    y = x @ np.array([1.0, 0.4, -0.3, 0.2, 0.1]) + (0.3 + 0.2 * x[:, 1]) * rng.normal(size=3_000)
    weight = np.ones(3_000)
    for tau in (0.2, 0.3, 0.4):
        exact = sm.QuantReg(y, x).fit(q=tau).params
        found = quantile.smoothed(csr_matrix(x), y, weight, x.T @ x, np.zeros(5), tau, (0.2, 0.05, 0.02))
        assert np.abs(x @ (found - exact)).max() < 0.02
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile.smoothed(csr_matrix(x), y, weight, x.T @ x, np.zeros(5), 1.0)


def test_quantile_weights_count_like_copies() -> None:
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(9)
    x = np.c_[np.ones(600), rng.integers(0, 2, (600, 2))].astype(float)
    y, times = x @ np.array([1.0, 0.5, -0.2]) + rng.normal(size=600), rng.integers(1, 4, 600)
    long_x, long_y = np.repeat(x, times, axis=0), np.repeat(y, times)
    gram = (x * times[:, None]).T @ x
    ours = quantile.smoothed(csr_matrix(x), y, times.astype(float), gram, np.zeros(3), 0.3)
    copies = quantile.smoothed(csr_matrix(long_x), long_y, np.ones(len(long_y)), gram, np.zeros(3), 0.3)
    assert ours == pytest.approx(copies, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", tournament())
def test_held_out_households_never_reach_their_own_score(
    con: duckdb.DuckDBPyConnection, survey: Survey, products: list[design.Products], name: str
) -> None:
    """Other expenditures of one fold change the scores of the other folds, never its own."""
    from dataclasses import replace

    shares = category_shares(con)
    changed = survey.y.copy()
    changed[survey.fold == 2] += np.random.default_rng(1).normal(size=int((survey.fold == 2).sum()))
    other = replace(survey, y=changed)
    others = design.cross_products(other, lambda done: None)
    solvers = [laboratory._Solver(s, p, methods()[name], shares) for s, p in ((survey, products), (other, others))]
    psu = np.full(REGENCIES, 0.01)
    first, second = (s.solution(2, psu) for s in solvers)
    # sums without a fold are differences, which leaves rounding
    assert np.abs(first.coefficients - second.coefficients).max() < 1e-6
    assert np.abs(first.regency - second.regency).max() < 1e-6
    first, second = (s.solution(1, psu) for s in solvers)
    assert np.abs(first.coefficients - second.coefficients).max() > 1e-3


def test_folds_hold_out_whole_psus(survey: Survey) -> None:
    for psu in np.unique(survey.cluster)[:200]:
        assert len(np.unique(survey.fold[survey.cluster == psu])) == 1


@pytest.mark.slow
def test_every_model_is_an_exactly_additive_scorecard(
    con: duckdb.DuckDBPyConnection, survey: Survey, products: list[design.Products]
) -> None:
    shares = category_shares(con)
    categories = np.stack(survey.categories, axis=1)
    known = np.isin(survey.urban, (1, 2))
    for name in ("ridge_provinsi", "tumbuh_nasional"):
        found = laboratory.fit_model(survey, products, methods()[name], shares, "simulated")
        assert found.card.coefficients.shape[1] == CATEGORIES
        score = found.card.scores(categories, survey.regency, survey.urban) / 1000
        assert np.abs(score - found.whole)[known].max() < 0.021  # 41 terms rounded to thousandths
        assert np.isfinite(found.heldout).all()


DROPPED = (2, 17, 38)


def gone() -> np.ndarray:
    return np.concatenate([np.arange(OFFSETS[at], OFFSETS[at + 1]) for at in DROPPED])


@pytest.fixture(scope="module")
def one_province(survey: Survey, products: list[design.Products]) -> tuple[Survey, list[design.Products]]:
    rows = survey.province == products[0].province
    fields = ("province", "regency", "urban", "y", "weight", "cluster", "fold")
    mine = {name: getattr(survey, name)[rows] for name in fields}
    return dataclasses.replace(survey, **mine, categories=[c[rows] for c in survey.categories]), products[:1]


def test_a_fit_without_indicators_equals_one_on_a_survey_that_never_asked_them(
    con: duckdb.DuckDBPyConnection, one_province: tuple[Survey, list[design.Products]]
) -> None:
    survey, products = one_province
    never = dataclasses.replace(survey, dropped=DROPPED)
    counted = design.cross_products(never, lambda done: None)
    shares, method = category_shares(con), methods()["ridge_provinsi"]
    here = laboratory.fit_model(survey, products, method, shares, "simulated", dropped=DROPPED)
    there = laboratory.fit_model(never, counted, method, shares, "simulated")
    assert np.array_equal(here.card.coefficients, there.card.coefficients)
    assert np.allclose(here.heldout, there.heldout, atol=1e-9)


@pytest.mark.parametrize("name", ["ols_provinsi", "pmt_provinsi", "tumbuh_nasional", "kuantil_30"])
def test_no_method_gives_a_dropped_indicator_a_coefficient(
    con: duckdb.DuckDBPyConnection, one_province: tuple[Survey, list[design.Products]], name: str
) -> None:
    found = laboratory.fit_model(*one_province, methods()[name], category_shares(con), "real", dropped=DROPPED)
    assert not found.card.coefficients[:, gone()].any()
    assert found.card.coefficients.any()
    assert np.isfinite(found.heldout).all()


def test_a_regency_is_not_asked_a_dropped_indicator_either(
    one_province: tuple[Survey, list[design.Products]],
) -> None:
    fewer, _ = design.without_indicators(*one_province, DROPPED)
    rows = np.flatnonzero(fewer.regency == fewer.regency[0])
    found = shrunken.regency_products(fewer, int(fewer.regency[0]), rows)
    assert not found.matrix[:, gone(), :].any()
    assert not found.target[:, gone()].any()
    assert found.matrix.any()


def test_a_refit_of_least_squares_is_least_squares_without_the_columns(
    survey: Survey, products: list[design.Products]
) -> None:
    import statsmodels.api as sm

    fewer, emptied = design.without_indicators(survey, products, DROPPED)
    part = emptied[0]
    rows, matrix, weight = dense(fewer, part)
    assert not matrix[:, gone()].any()
    piece = equations.partial(part)
    beta = np.linalg.lstsq(piece.matrix, piece.target, rcond=None)[0]
    theta = np.r_[beta, piece.areas(beta)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = sm.WLS(survey.y[rows], matrix[:, matrix.any(axis=0)], weights=weight).fit()
    assert np.allclose(matrix @ theta, known.fittedvalues, atol=2e-3)
