"""Regression discontinuity: the effect of a rule at its cut-off, sharp or fuzzy."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dtsen_core.policy.impact import checks
from dtsen_core.policy.impact.checks import Floats
from dtsen_core.policy.impact.local_linear import KERNELS, LocalFit, coverage_bandwidth
from dtsen_core.policy.impact.results import RDResult

Bandwidth = float | tuple[float, float] | None
METHODS = ("auto", "rdrobust", "local_linear")
WEAK_F = 10.0  # Staiger & Stock (1997): a first stage below this is weak
_SHORT = {"tri": "triangular", "epa": "epanechnikov", "uni": "uniform", "rectangular": "uniform"}
_FEW = 30  # distinct values a side below which the running variable counts as discrete


def rdrobust_installed() -> bool:
    """Whether the optional package is there (GPL-3; never needed, never imported with this module)."""
    return importlib.util.find_spec("rdrobust") is not None


@dataclass(frozen=True)
class Sample:
    """Rows that count: outcome, centred running variable, treatment, covariates, weights, cluster."""

    y: Floats
    x: Floats
    t: Floats | None
    z: Floats | None
    w: Floats | None
    cluster: Floats | None
    notes: tuple[str, ...]


def regression_discontinuity(
    df: pd.DataFrame, *, outcome: str, running: str, cutoff: float, treatment: str | None = None,
    covariates: str | Sequence[str] = (), bandwidth: Bandwidth = None, kernel: str = "triangular", p: int = 1,
    cluster: str | None = None, weights: str | None = None, level: float = 0.95, method: str = "auto",
) -> RDResult:  # fmt: skip
    """Effect at `cutoff` of being at or above it on `outcome`, by local polynomials on either side.

    Parameters
    ----------
    df
        One row per unit.
    outcome, running, treatment, covariates, cluster, weights
        Column names. Rows at the cut-off count as above it. With `treatment` (numbers, usually 0/1) the
        design is fuzzy and the estimate is the Wald ratio, jump in the outcome ÷ jump in the treatment;
        without, the design is sharp. `covariates` enter linearly with common coefficients (Calonico,
        Cattaneo, Farrell & Titiunik 2019). `weights` are sampling weights.
    bandwidth
        In the unit of `running`, one number or (left, right). None chooses: with rdrobust the common
        MSE-optimal one of Calonico, Cattaneo & Titiunik (2014), else that of Imbens & Kalyanaraman (2012) shrunk
        to the rate of the coverage error (Calonico, Cattaneo & Farrell 2020), at which a conventional interval covers.
    kernel, p
        "triangular", "epanechnikov" or "uniform"; order of the polynomial, 0 to 4.
    method
        "rdrobust" (the optional package, with robust bias-corrected inference), "local_linear" (statsmodels;
        no robust correction, heteroskedasticity- or cluster-robust errors) or "auto": rdrobust if installed.

    Returns
    -------
    RDResult, see there. The interval to report is ``robust_ci`` where there is one.

    Raises
    ------
    ValueError
        Unknown column, too few rows on a side, constant outcome, constant treatment, a treatment that does
        not jump at all, bandwidth, kernel, order or level out of range, rdrobust asked for but missing.

    Rows with a missing value in any named column are left out and counted in ``notes``.

    Formula: τ = lim x↓c E[Y|X=x] − lim x↑c E[Y|X=x] (Hahn, Todd & Van der Klaauw 2001, Econometrica 69(1)).
    """
    kernel = _SHORT.get(str(kernel).lower(), str(kernel).lower())
    if kernel not in KERNELS:
        raise ValueError(f"kernel must be one of {', '.join(KERNELS)}")
    if isinstance(p, bool) or not isinstance(p, int | np.integer) or not 0 <= p <= 4:
        raise ValueError("p must be a whole number from 0 to 4")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}")
    z = checks.confidence(level)
    sample = _sample(df, outcome, running, cutoff, treatment, checks.names(covariates), cluster, weights)
    given = _bandwidth(bandwidth)
    if method == "rdrobust" and not rdrobust_installed():
        raise ValueError("rdrobust is not installed; use method='local_linear' or install the extra")
    own = method == "local_linear" or not rdrobust_installed()
    made = _local(sample, given, kernel, int(p), z) if own else _rdrobust(sample, given, kernel, int(p), level)
    notes = list(sample.notes)
    if own:
        notes.append("no robust bias correction: without rdrobust the interval is the conventional one")
    if made["first_stage_f"] < WEAK_F:
        notes.append(f"weak first stage (F = {made['first_stage_f']:.1f} < {WEAK_F:.0f})")
    return RDResult(
        **made, n=len(sample.y), design="sharp" if treatment is None else "fuzzy", cutoff=float(cutoff),
        order=int(p), kernel=kernel, level=float(level),
        method="local linear (statsmodels)" if own else "rdrobust", notes=tuple(notes),
    )  # fmt: skip


def _bandwidth(bandwidth: Bandwidth) -> tuple[float, float] | None:
    if bandwidth is None:
        return None
    try:
        both = np.broadcast_to(np.asarray(bandwidth, dtype=np.float64), (2,))
    except (ValueError, TypeError) as problem:
        raise ValueError("bandwidth must be a number or a pair (left, right)") from problem
    if not (np.isfinite(both) & (both > 0)).all():
        raise ValueError("bandwidth must be positive")
    return float(both[0]), float(both[1])


def _sample(
    df: Any, outcome: str, running: str, cutoff: float, treatment: str | None, covariates: tuple[str, ...],
    cluster: str | None, weights: str | None,
) -> Sample:  # fmt: skip
    data = checks.frame(df, (outcome, running, treatment, *covariates, cluster, weights))
    cut = checks.number(cutoff, "cutoff")
    columns = [outcome, running, *([treatment] if treatment else []), *covariates, *([weights] if weights else [])]
    values = np.column_stack([checks.numbers(data[name], name) for name in columns])
    keep = ~np.isnan(values).any(axis=1)
    if cluster:
        keep &= data[cluster].notna().to_numpy()
    w = values[:, -1] if weights else None
    if w is not None:
        if (w[keep] < 0).any():
            raise ValueError("weights must not be negative")
        keep &= w > 0
    notes = []
    if not keep.all():
        notes.append(f"{int((~keep).sum())} rows with a missing value or no weight were left out")
    values = values[keep]
    if not len(values):
        raise ValueError("no complete rows")
    x = values[:, 1] - cut
    sides = int((x < 0).sum()), int((x >= 0).sum())
    if min(sides) == 0:
        raise ValueError(f"all rows lie on one side of the cut-off {cut:g}")
    if min(sides) < 10:
        raise ValueError(f"too few rows: {sides[0]} below and {sides[1]} at or above the cut-off")
    distinct = [len(np.unique(x[x < 0])), len(np.unique(x[x >= 0]))]
    if min(distinct) < 3:
        raise ValueError("the running variable has fewer than three values on a side of the cut-off")
    if min(distinct) < _FEW:
        notes.append(f"discrete running variable: {distinct[0]} values below the cut-off, {distinct[1]} above")
    y = values[:, 0]
    if np.ptp(y) == 0:
        raise ValueError(f"the outcome {outcome} is constant")
    t = values[:, 2] if treatment else None
    if t is not None and np.ptp(t) == 0:
        raise ValueError(f"the treatment {treatment} is the same for everybody")
    first = 3 if treatment else 2
    z = values[:, first : first + len(covariates)] if covariates else None
    codes = pd.factorize(data[cluster][keep])[0].astype(np.float64) if cluster else None
    if codes is not None and len(np.unique(codes)) < 2:
        raise ValueError("cluster must name at least two clusters")
    return Sample(y, x, t, z, w[keep] if w is not None else None, codes, tuple(notes))


def _local(sample: Sample, given: tuple[float, float] | None, kernel: str, p: int, z: float) -> dict[str, Any]:
    h = given
    if h is None:
        chosen = coverage_bandwidth(sample.y, sample.x, kernel, p)
        h = (chosen, chosen)
    fit = LocalFit(sample.x, h, p, kernel, sample.w, sample.z, sample.cluster)
    outcome = fit.jump(sample.y)
    estimate, se, first, first_se = outcome.estimate, outcome.se, 1.0, 0.0
    if sample.t is not None:
        stage = fit.jump(sample.t)
        first, first_se = stage.estimate, stage.se
        if abs(first) < 1e-12:
            raise ValueError("the treatment does not jump at the cut-off")
        estimate = outcome.estimate / first
        # delta method: the error of the ratio is that of the jump of Y − τT, divided by the first stage
        se = fit.jump(sample.y - estimate * sample.t).se / abs(first)
    return _packed(estimate, se, z, h, fit.n_left, fit.n_right, first, first_se, outcome.estimate)


def _packed(
    estimate: float, se: float, z: float, h: tuple[float, float], left: int, right: int, first: float,
    first_se: float, reduced: float,
) -> dict[str, Any]:  # fmt: skip
    sharp = first == 1.0 and first_se == 0.0
    strength = float("inf") if sharp or first_se == 0 else (first / first_se) ** 2
    return {
        "estimate": float(estimate), "se": float(se), "ci": (float(estimate - z * se), float(estimate + z * se)),
        "p_value": checks.two_sided(estimate / se) if se > 0 else float("nan"),
        "robust_estimate": None, "robust_se": None, "robust_ci": None, "robust_p_value": None,
        "h": float(h[0]), "h_left": float(h[0]), "h_right": float(h[1]), "b": None, "n_left": int(left),
        "n_right": int(right), "first_stage": float(first), "first_stage_se": float(first_se),
        "first_stage_f": strength, "reduced_form": float(reduced),
    }  # fmt: skip


def _rdrobust(
    sample: Sample, given: tuple[float, float] | None, kernel: str, p: int, level: float
) -> dict[str, Any]:
    from rdrobust import rdrobust  # optional extra, GPL-3

    # the package writes remarks on mass points to standard output, where answers of the command line belong
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            found = rdrobust(
                sample.y, sample.x, c=0, fuzzy=sample.t, p=p, h=None if given is None else list(given),
                covs=None if sample.z is None else pd.DataFrame(sample.z, columns=_columns(sample.z)),
                kernel=kernel[:3], weights=sample.w, cluster=sample.cluster, level=100 * level,
            )  # fmt: skip
            coefficient, error = found.coef["Coeff"].to_numpy(float), found.se["Std. Err."].to_numpy(float)
            interval, p_values = found.ci.to_numpy(float), found.pv.to_numpy(float).ravel()
            h = tuple(found.bws.loc["h"].to_numpy(float))
            b = float(found.bws.loc["b"].to_numpy(float)[0])
        except Exception as problem:  # the package raises bare exceptions and numpy errors alike
            raise ValueError(f"rdrobust could not estimate: {problem}") from problem
    if not np.isfinite(coefficient).all() or not np.isfinite(error).all():
        raise ValueError("rdrobust gave no finite estimate: too few rows near the cut-off")
    first, first_se = 1.0, 0.0
    if sample.t is not None:
        first = float(found.tau_T.iloc[0, 0])
        first_se = float(found.se_T.iloc[0, 0])
        if abs(first) < 1e-12:
            raise ValueError("the treatment does not jump at the cut-off")
    z = checks.confidence(level)
    left, right = (int(n) for n in found.N_h)
    made = _packed(coefficient[0], error[0], z, h, left, right, first, first_se, coefficient[0] * first)
    made.update(
        robust_estimate=float(coefficient[2]), robust_se=float(error[2]),
        robust_ci=(float(interval[2, 0]), float(interval[2, 1])), robust_p_value=float(p_values[2]), b=b,
    )  # fmt: skip
    return made


def _columns(z: Floats) -> list[str]:
    return [f"z{k}" for k in range(z.shape[1])]
