"""Local polynomial regression at a cut-off with statsmodels: the fallback without rdrobust.

It reproduces the conventional estimate of Calonico, Cattaneo & Titiunik (2014) at a given bandwidth. It has
no robust bias correction: at a bandwidth chosen for small mean squared error its interval is too narrow, so a
bandwidth that is not given is the smaller one that is optimal for the error of the interval's coverage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import statsmodels.api as sm

from dtsen_core.policy.impact.checks import Floats

KERNELS = {
    "triangular": lambda u: np.clip(1 - np.abs(u), 0, None),
    "epanechnikov": lambda u: np.clip(0.75 * (1 - u**2), 0, None),
    "uniform": lambda u: 0.5 * (np.abs(u) <= 1),
}
# Imbens & Kalyanaraman (2012), eq. 10: C_K of a local linear fit at a boundary.
IK_CONSTANT = {"triangular": 3.4375, "epanechnikov": 3.1999, "uniform": 2.7019}


@dataclass(frozen=True)
class Jump:
    """Jump at the cut-off and its standard error."""

    estimate: float
    se: float


class LocalFit:
    """Weighted least squares on both sides at once: a common intercept, the jump, separate slopes."""

    def __init__(
        self, x: Floats, h: tuple[float, float], order: int, kernel: str, weights: Floats | None,
        covariates: Floats | None, cluster: Floats | None,
    ) -> None:  # fmt: skip
        right = x >= 0
        weight = KERNELS[kernel](x / np.where(right, h[1], h[0]))
        weight = weight if weights is None else weight * weights
        self.inside = np.flatnonzero(weight > 0)
        x, right, self.weight = x[self.inside], right[self.inside], weight[self.inside]
        u = x / max(h)
        powers = [u**k for k in range(1, order + 1)]
        columns = [np.ones_like(u), right.astype(float), *powers, *(right * power for power in powers)]
        design = np.column_stack(columns)
        if covariates is not None:
            design = np.column_stack([design, covariates[self.inside]])
        self.design, self.cluster = design, None if cluster is None else cluster[self.inside]
        self.n_left, self.n_right = int((~right).sum()), int(right.sum())
        self.right, self.u, self.powers = right, u, order + 1
        if min(self.n_left, self.n_right) <= order + 1 or min(
            len(np.unique(u[~right])), len(np.unique(u[right]))
        ) <= order:
            raise ValueError(
                f"too few rows within the bandwidth: {self.n_left} left and {self.n_right} right of the cut-off"
            )

    def jump(self, y: Floats) -> Jump:
        """The jump of `y` (all rows given to the fit), with a heteroskedasticity- or cluster-robust error."""
        model = sm.WLS(y[self.inside], self.design, weights=self.weight)
        if self.cluster is not None:
            fitted = model.fit(cov_type="cluster", cov_kwds={"groups": self.cluster})
        else:
            fitted = model.fit(cov_type="HC2")
        se = float(fitted.bse[1])
        return Jump(float(fitted.params[1]), se if np.isfinite(se) else float("nan"))


def coverage_rate(n: int, order: int) -> float:
    """By how much a bandwidth of small mean squared error is shrunk so that a conventional interval covers as it says:
    n^(−p / ((3 + p)(3 + 2p))), the rate that is optimal for the coverage error (Calonico, Cattaneo & Farrell 2020,
    Econometrics Journal 23(2))."""
    return float(n ** (-order / ((3 + order) * (3 + 2 * order))))


def coverage_bandwidth(y: Floats, x: Floats, kernel: str, order: int) -> float:
    """`ik_bandwidth` shrunk by `coverage_rate`."""
    return ik_bandwidth(y, x, kernel) * coverage_rate(len(x), order)


def ik_bandwidth(y: Floats, x: Floats, kernel: str) -> float:
    """Bandwidth of Imbens & Kalyanaraman (2012), Review of Economic Studies 79(3), section 4.

    `y` outcome, `x` centred running variable, both shape (n,). Optimal for a local linear fit in the sense of
    mean squared error, with their regularisation, so it stays finite where the curvatures agree.
    """
    n, right = len(x), x >= 0
    sides = [x < 0, right]
    pilot = 1.84 * float(np.std(x, ddof=1)) * n ** (-1 / 5)
    near = [side & (np.abs(x) <= pilot) for side in sides]
    if any(mask.sum() < 2 for mask in near):
        pilot = float(max(np.partition(np.abs(x[side]), 1)[1] for side in sides))
        near = [side & (np.abs(x) <= pilot) for side in sides]
    density = max(sum(int(mask.sum()) for mask in near), 1) / (2 * n * pilot)
    variance = [float(np.var(y[mask], ddof=1)) if mask.sum() > 1 else float(np.var(y)) for mask in near]
    middle = [np.median(x[side]) for side in sides]
    centre = (x >= middle[0]) & (x <= middle[1])
    if len(np.unique(x[centre])) < 6:
        centre = np.ones(n, dtype=bool)
    scale = float(np.max(np.abs(x[centre]))) or 1.0
    u = x[centre] / scale
    cubic = np.column_stack([np.ones_like(u), right[centre], u, u**2, u**3])
    third = 6 * float(np.linalg.lstsq(cubic, y[centre], rcond=None)[0][4]) / scale**3
    curvature, regular = [], []
    for side, spread in zip(sides, variance):
        own = int(side.sum())
        reach = float(np.max(np.abs(x[side])))
        ratio = spread / (density * max(third**2, 1e-300))
        h2 = min(3.56 * ratio ** (1 / 7) * own ** (-1 / 7), reach)
        chosen = side & (np.abs(x) <= h2)
        if len(np.unique(x[chosen])) < 3:
            h2, chosen = reach, side
        v = x[chosen] / h2
        quadratic = np.column_stack([np.ones_like(v), v, v**2])
        curvature.append(2 * float(np.linalg.lstsq(quadratic, y[chosen], rcond=None)[0][2]) / h2**2)
        regular.append(2160 * spread / (max(int(chosen.sum()), 1) * h2**4))
    bottom = (curvature[1] - curvature[0]) ** 2 + sum(regular)
    longest = float(np.max(np.abs(x)))
    if not bottom > 0 or not sum(variance) > 0:
        return longest
    return float(min(IK_CONSTANT[kernel] * (sum(variance) / (density * bottom)) ** (1 / 5) * n ** (-1 / 5), longest))
