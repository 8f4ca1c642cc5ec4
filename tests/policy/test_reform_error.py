"""Standard errors of a reform's poverty effect, against families drawn one by one from the same process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dtsen_core.policy import cube as cubes
from dtsen_core.policy import inequality
from dtsen_core.policy.cube import Cube
from dtsen_core.policy.estimates import poverty_lines
from dtsen_core.policy.reform_poverty import ERRORS, STEP, Shift, poverty_effect
from dtsen_core.policy.reform_run import _residuals
from dtsen_core.rank import fit_report
from dtsen_core.rank.expenditure import Residuals
from dtsen_core.registry.dataset import Dataset

TIMES = 200


@pytest.fixture(scope="module")
def cells(small_dataset: Path) -> tuple[Cube, Residuals]:
    opened = Dataset.open(small_dataset)
    cube = cubes.cube(opened)
    residuals = _residuals(opened, cube.model)
    assert residuals is not None
    return cube, residuals


def part(cube: Cube, kept: np.ndarray) -> Cube:
    arrays = {name: getattr(cube, name)[kept] for name in (
        "regency", "urban", "decile", "score", "rows", "weight", "factor", "kind")}  # fmt: skip
    return replace(cube, **arrays, other=None, sums={k: v[kept] for k, v in cube.sums.items()},
                   bits={k: v[kept] for k, v in cube.bits.items()}, memo={})  # fmt: skip


def half_of_the_poor(cube: Cube) -> Shift:
    """A transfer to half of the families of each cell below the 30th percentile of scores."""
    at = np.flatnonzero(cube.score <= np.quantile(cube.score, 0.3))
    return Shift(at, cube.sums["persons"][at] * cube.weight[at] / 2, np.full(len(at), 12 * STEP))


def drawn(cube: Cube, residuals: Residuals, shift: Shift) -> dict[str, float]:
    """Standard deviations of the changes over registries drawn anew: rows with replacement, residual by its kernel."""
    rng = np.random.default_rng(5)
    everybody = np.repeat(np.arange(len(cube.rows)), np.rint(cube.rows).astype(int))
    load = cube.sums["persons"] * cube.weight * cube.factor / cube.rows
    nodes = (residuals.low + np.arange(residuals.mass.shape[3])) * (fit_report.STEP / 1000)
    total = np.empty((len(cube.rows), len(nodes)))
    for p in np.unique(cube.province):
        for u in np.unique(cube.urban[cube.province == p]):
            own = np.flatnonzero((cube.province == p) & (cube.urban == u))
            total[own] = residuals.kernel(int(p), int(u), cube.score[own]).cumsum(axis=1)
    total /= total[:, -1:]
    chance = np.zeros(len(cube.rows))
    chance[shift.at] = 0.5
    lines = poverty_lines()[cube.province]
    found = []
    for _ in range(TIMES):
        rows = rng.choice(everybody, len(everybody))
        w, line = load[rows], lines[rows]
        place = (total[rows] < rng.random((len(rows), 1))).sum(axis=1)
        inside = rng.uniform(-0.5, 0.5, len(rows)) * (fit_report.STEP / 1000)
        y = np.exp(cube.score[rows] / 1000 + nodes[np.minimum(place, len(nodes) - 1)] + inside)
        z = y + np.where(rng.random(len(rows)) < chance[rows], 12 * STEP, 0.0)
        gaps = [np.maximum(1 - v / line, 0) for v in (y, z)]
        change = [((gaps[1] > 0).astype(float) - (gaps[0] > 0)) @ w, (gaps[1] - gaps[0]) @ w,
                  (gaps[1] ** 2 - gaps[0] ** 2) @ w]  # fmt: skip
        found.append([*(c / w.sum() for c in change), inequality.gini(z, w) - inequality.gini(y, w)])
    return dict(zip(("p0", "p1", "p2", "gini"), np.std(found, axis=0, ddof=1)))


@pytest.mark.slow
def test_errors_are_those_of_registries_drawn_anew(cells: tuple[Cube, Residuals]) -> None:
    cube, residuals = cells
    cube = part(cube, cube.province == np.bincount(cube.province).argmax())
    shift = half_of_the_poor(cube)
    se = poverty_effect(cube, residuals, [shift])["se"]
    for name, spread in drawn(cube, residuals, shift).items():
        # the spread of 200 draws is known to about 5 per cent
        assert se[name] == pytest.approx(spread, rel=0.2), name


def test_errors_are_zero_without_a_change_and_above_zero_with_one(cells: tuple[Cube, Residuals]) -> None:
    cube, residuals = cells
    assert poverty_effect(cube, residuals, [])["se"] == dict.fromkeys(ERRORS, 0.0)
    found = poverty_effect(cube, residuals, [half_of_the_poor(cube)])
    persons = float((cube.sums["persons"] * cube.weight * cube.factor).sum())
    assert all(0 < found["se"][name] < np.inf for name in ERRORS)
    assert found["se"]["poor_persons"] == pytest.approx(found["se"]["p0"] * persons)


def test_four_times_the_rows_halve_the_errors(cells: tuple[Cube, Residuals]) -> None:
    cube, residuals = cells
    shift = half_of_the_poor(cube)
    many = replace(cube, rows=cube.rows * 4, sums={k: v * 4 for k, v in cube.sums.items()},
                   weight=cube.weight / 4, memo={})  # fmt: skip
    few, more = (poverty_effect(c, residuals, [shift])["se"] for c in (cube, many))
    for name in ERRORS:
        assert more[name] == pytest.approx(few[name] / 2, rel=1e-6)
