"""One difference-in-differences of two periods with covariates: outcome regression, weighting, or both.

Notation of Sant'Anna & Zhao (2020), Doubly robust difference-in-differences estimators, Journal of Econometrics
219(1): `d` treated, `dy` change of the outcome, `x` covariates with a constant, `w` weights. The propensity is a
logit; influence functions count in that both first steps are estimated.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from dtsen_core.policy.impact.checks import Floats

TOO_SURE = 0.999  # a propensity above this for a treated unit: nobody comparable is untreated
TRIM = 0.995  # untreated units above this are left out of the weighting
ROUNDS = 50


def adjusted(dy: Floats, d: np.ndarray, x: Floats, w: Floats, method: str) -> tuple[float, Floats] | None:
    """(effect on the treated, its influence function per row); None where the covariates tell the treated from
    the untreated so well that nobody is comparable. `method` is "dr", "reg" or "ipw"; arrays of shape (n,), (n, k).
    """
    d, w = d.astype(np.float64), w / w.mean()
    fitted, of_outcome = _outcome(dy, d, x, w) if method != "ipw" else (np.zeros(len(dy)), np.zeros_like(x))
    left = dy - fitted
    treat = w * d
    if method == "reg":
        weights_control, of_propensity = treat, None
        rest = np.zeros(len(dy))
    else:
        found = _propensity(d, x, w)
        if found is None:
            return None
        propensity, of_propensity = found
        treat = treat * (propensity < 1)
        weights_control = w * propensity * (1 - d) / (1 - propensity) * (propensity < TRIM)
        if not weights_control.sum() > 0:
            return None
        rest = weights_control * left
    of_treated = (treat * left).mean() / treat.mean()
    own = treat * (left - of_treated) - of_outcome @ (treat[:, None] * x).mean(axis=0)
    own = own / treat.mean()
    if of_propensity is None:
        return float(of_treated), own
    share = weights_control.mean()
    of_control = rest.mean() / share
    through = (weights_control * (left - of_control))[:, None] * x
    other = rest - weights_control * of_control + of_propensity @ through.mean(axis=0)
    other = other - of_outcome @ (weights_control[:, None] * x).mean(axis=0)
    return float(of_treated - of_control), own - other / share


def _outcome(dy: Floats, d: np.ndarray, x: Floats, w: Floats) -> tuple[Floats, Floats]:
    """(change predicted from untreated rows, influence of each row on the coefficients)."""
    weighted = (w * (1 - d))[:, None] * x
    inverse = np.linalg.pinv(weighted.T @ x / len(dy))
    fitted = x @ (inverse @ (weighted.T @ dy / len(dy)))
    return fitted, (weighted * (dy - fitted)[:, None]) @ inverse


def _propensity(d: np.ndarray, x: Floats, w: Floats) -> tuple[Floats, Floats] | None:
    """(logit probability of being treated, influence of each row on its coefficients); None if it reaches one."""
    scale = np.abs(x).max(axis=0)
    x = x / np.where(scale > 0, scale, 1)
    beta = np.zeros(x.shape[1])
    for _ in range(ROUNDS):
        p = expit(x @ beta)
        curvature = (x * (w * p * (1 - p))[:, None]).T @ x
        step = np.linalg.pinv(curvature) @ (x.T @ (w * (d - p)))
        beta = beta + step
        if not np.isfinite(beta).all():
            return None
        if np.abs(step).max() < 1e-10:
            break
    p = np.minimum(expit(x @ beta), 1 - 1e-6)
    if p[d > 0].max() >= TOO_SURE:
        return None
    hessian = np.linalg.pinv((x * (w * p * (1 - p))[:, None]).T @ x) * len(d)
    influence = (x * (w * (d - p))[:, None]) @ hessian
    return p, influence / np.where(scale > 0, scale, 1)
