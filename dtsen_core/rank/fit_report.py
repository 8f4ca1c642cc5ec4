"""How good a fitted model is, and what remains unexplained: held-out errors and residual distributions."""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.rank.design import Survey
from dtsen_core.rank.scorecard import PROVINCES, REGENCIES

Floats = npt.NDArray[np.float64]

BINS = 20  # score bins of equal persons, by province and urban/rural
LEAST = 40  # households a bin should hold; smaller strata get fewer bins
STEP = 20  # grid step of scores and residuals, thousandths of log rupiah
CUT = 0.4  # the bottom share whose inclusion and exclusion errors are reported
ALL = 255  # province code of the row for the whole country


def write(con: duckdb.DuckDBPyConnection, model: str, survey: Survey, fitted: Floats, heldout: Floats,
          parameters: npt.NDArray[np.int64]) -> None:  # fmt: skip
    """Write ``model_fit`` (one row per province and one for all) and ``model_residual`` of `model`.

    `fitted` from all households, `heldout` from fits that did not see the household's PSU (log units).
    """
    rows = []
    for province in [*np.unique(survey.province).tolist(), ALL]:
        mine = survey.province == province if province != ALL else np.ones(len(survey.y), dtype=bool)
        y, weight = survey.y[mine], survey.weight[mine]
        inclusion, exclusion = targeting_errors(y, heldout[mine], weight, CUT)
        rows.append({
            "model": model,
            "province": province,
            "households": int(mine.sum()),
            "psus": len(np.unique(survey.cluster[mine])),
            "regencies": len(np.unique(survey.regency[mine])),
            "parameters": int(parameters.max() if province == ALL else parameters[province]),
            "r2": r_squared(y, fitted[mine], weight),
            "r2_heldout": r_squared(y, heldout[mine], weight),
            "inclusion_error_40": inclusion,
            "exclusion_error_40": exclusion,
        })  # fmt: skip
    _replace(con, "model_fit", model, pd.DataFrame(rows))
    _replace(con, "model_residual", model, residual_table(model, survey, heldout))


def write_effects(con: duckdb.DuckDBPyConnection, model: str, se: Floats, psu_sd: Floats) -> None:
    """Write ``model_effect``: standard error of each regency's effect and PSU spread (log units)."""
    frame = pd.DataFrame({"model": model, "regency": np.arange(REGENCIES), "se": se, "psu_sd": psu_sd})
    _replace(con, "model_effect", model, frame)


def _replace(con: duckdb.DuckDBPyConnection, table: str, model: str, frame: pd.DataFrame) -> None:
    con.execute(f"DELETE FROM {table} WHERE model = ?", [model])
    con.register("report_rows", frame)
    con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM report_rows")
    con.unregister("report_rows")


def r_squared(y: Floats, predicted: Floats, weight: Floats) -> float:
    """Weighted share of the variance of `y` explained; can be negative on held-out households."""
    centre = np.average(y, weights=weight)
    spread = float(weight @ (y - centre) ** 2)
    return 1.0 - float(weight @ (y - predicted) ** 2) / spread if spread > 0 else float("nan")


def targeting_errors(y: Floats, predicted: Floats, weight: Floats, cut: float) -> tuple[float, float]:
    """(inclusion, exclusion) error when the bottom `cut` by `predicted` is selected for that by `y`.

    Inclusion: share of the selected who do not belong; exclusion: share of those who belong and are missed.
    """
    chosen, due = _bottom(predicted, weight, cut), _bottom(y, weight, cut)
    both = float(weight[chosen & due].sum())
    selected, belonging = float(weight[chosen].sum()), float(weight[due].sum())
    if selected <= 0 or belonging <= 0:
        return float("nan"), float("nan")
    return 1 - both / selected, 1 - both / belonging


def _bottom(values: Floats, weight: Floats, cut: float) -> npt.NDArray[np.bool_]:
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weight[order]) - weight[order]
    chosen = np.zeros(len(values), dtype=bool)
    chosen[order] = below < cut * weight.sum()
    return chosen


def residual_table(model: str, survey: Survey, heldout: Floats) -> pd.DataFrame:
    """Rows of ``model_residual``: by province, urban and score bin the distribution of y − held-out score.

    Bins hold equal shares of persons. A residual e is split between the two neighbouring grid cells so
    that the mean of exp(e), and with it mean expenditure, is kept exactly.
    """
    score = heldout * 1000
    parts = []
    for province in range(PROVINCES):
        for urban in (0, 1, 2):
            rows = np.flatnonzero((survey.province == province) & (survey.urban == urban))
            if len(rows):
                parts.append(_stratum(model, province, urban, survey, score, rows))
    return pd.concat(parts, ignore_index=True)


def _stratum(model: str, province: int, urban: int, survey: Survey, score: Floats,
             rows: npt.NDArray[np.int64]) -> pd.DataFrame:  # fmt: skip
    rows = rows[np.argsort(score[rows], kind="stable")]
    weight = survey.weight[rows]
    wanted = int(np.clip(len(rows) // LEAST, 1, BINS))
    # Households of equal score stay together: an uploaded scorecard may know few different scores.
    _, tie = np.unique(np.rint(score[rows]), return_inverse=True)
    held = np.bincount(tie, weight)
    middle = (np.cumsum(held) - held / 2) / held.sum()
    _, number = np.unique(np.minimum((middle * wanted).astype(np.int64), wanted - 1)[tie], return_inverse=True)
    bins = int(number.max()) + 1
    load = np.bincount(number, weight, bins)
    centre = np.bincount(number, weight * score[rows], bins) / load
    cell, upper = split(survey.y[rows] * 1000 - score[rows])
    low = int(cell.min())
    width = int(cell.max()) - low + 2
    mass = np.bincount(number * width + cell - low, weight * (1 - upper), bins * width)
    mass += np.bincount(number * width + cell - low + 1, weight * upper, bins * width)
    at = np.flatnonzero(mass > 0)
    return pd.DataFrame({
        "model": model, "province": province, "urban": urban, "bin": at // width,
        "mid_milli": np.rint(centre[at // width]).astype(np.int64),
        "households": np.bincount(number, minlength=bins)[at // width],
        "step": STEP, "cell": at % width + low, "mass": mass[at] / load[at // width],
    })  # fmt: skip


def split(milli: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """(grid cell at or below, share for the cell above) of values in thousandths of log rupiah.

    The share is linear in exp(value): the two cells together have the same mean expenditure.
    """
    cell = np.floor(milli / STEP).astype(np.int64)
    above = np.expm1((milli - cell * STEP) / 1000) / np.expm1(STEP / 1000)
    return cell, above
