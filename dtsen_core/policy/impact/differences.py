"""Staggered difference-in-differences by group-time effects.

Callaway & Sant'Anna (2021), Difference-in-differences with multiple time periods, Journal of Econometrics
225(2). For units first treated at g and period t, the change of the outcome since the base period is
compared with that of units not (yet) treated:
ATT(g, t) = E[Y_t − Y_b | G = g] − E[Y_t − Y_b | control], b = the last period before g (for t ≥ g).
Plain two-way fixed effects are not offered: under staggering they compare treated with treated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from dtsen_core.policy.impact import checks
from dtsen_core.policy.impact.adjustment import adjusted
from dtsen_core.policy.impact.aggregation import aggregate
from dtsen_core.policy.impact.panel import Panel, read_panel
from dtsen_core.policy.impact.results import DiDResult

CONTROLS = ("never", "notyet")
BASES = ("varying", "universal")
METHODS = ("dr", "reg", "ipw")
_ALSO = {"nevertreated": "never", "never_treated": "never", "notyettreated": "notyet", "not_yet": "notyet",
         "not-yet": "notyet", "not_yet_treated": "notyet"}  # fmt: skip


def difference_in_differences(
    df: pd.DataFrame, *, outcome: str, unit: str, time: str, first_treated: str, control: str = "never",
    covariates: str | Sequence[str] = (), method: str = "dr", cluster: str | None = None, weights: str | None = None,
    anticipation: float = 0, base: str = "varying", balance: bool = False, level: float = 0.95, draws: int = 999,
    seed: int = 0,
) -> DiDResult:  # fmt: skip
    """Effects of a treatment that units take up at different times and keep.

    Parameters
    ----------
    df
        One row per unit and period, in any order.
    outcome, unit, time, first_treated
        Column names. `time` may be numbers, dates, periods or sortable words ("2025Q1"); `first_treated` is
        in the same terms, the same in all rows of a unit, and missing, 0, infinite or later than the last
        period for units never treated in the data.
    control
        "never" compares with the never treated; "notyet" also with those treated later than t.
    covariates, method
        Columns whose values of the base period are adjusted for; none by default, and then `method` is without
        meaning. "dr" doubly robust (Sant'Anna & Zhao 2020, the default of the R package `did`), "reg" outcome
        regression (Heckman, Ichimura & Todd 1997), "ipw" weighting by the inverse propensity (Abadie 2005).
    cluster, weights
        Columns constant within a unit: errors are clustered there (by unit if None), with the correction G/(G − 1)
        and G − 1 degrees of freedom for G clusters; sampling weights.
    anticipation
        Periods before treatment in which the effect may already show; the base period moves back by them.
    base
        Pre-treatment effects against the period before ("varying") or against the base period ("universal", whose
        own row is then 0 without error).
    balance
        True drops units not seen in all periods; False compares, for each group-time, the units seen in both.
    level, draws, seed
        Of the intervals, and of the multiplier bootstrap of the simultaneous band of the event study.

    Returns
    -------
    DiDResult, see there. Standard errors are analytic, from influence functions, and count in that the
    weights of aggregates are estimated.

    Raises
    ------
    ValueError
        Nobody treated, no control units, no period before any treatment, one period, a unit twice in a
        period, `first_treated` that changes within a unit, a constant outcome, unknown column or option.
    """
    control = _ALSO.get(str(control).lower(), str(control).lower())
    if control not in CONTROLS:
        raise ValueError(f"control must be one of {', '.join(CONTROLS)}")
    if base not in BASES:
        raise ValueError(f"base must be one of {', '.join(BASES)}")
    method = str(method).lower()
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}")
    if not isinstance(anticipation, int | float | np.number) or not 0 <= anticipation < np.inf:
        raise ValueError("anticipation must be zero or more periods")
    checks.confidence(level)
    panel = read_panel(df, outcome, unit, time, first_treated, checks.names(covariates), cluster, weights, balance)
    if control == "never" and not panel.never.any():
        said = [note for note in panel.notes if note.startswith("time reaches")]
        raise ValueError("; ".join(["no unit is never treated; use control='notyet'", *said]))
    cells, influence, empty = _group_times(panel, control, float(anticipation), base, method)
    if empty:
        note = f"{empty} group-times have no treated or no comparable control units and were left out"
        panel = replace(panel, notes=(*panel.notes, note))
    return aggregate(panel, cells, influence, control, float(level), draws, seed)


def _group_times(
    panel: Panel, control: str, anticipation: float, base: str, method: str
) -> tuple[pd.DataFrame, np.ndarray, int]:
    """(one row per group and period that can be estimated, influence functions (units, rows), how many cannot)."""
    rows, influence, empty = [], [], 0
    for g in panel.groups:
        before = np.flatnonzero(panel.times < g - anticipation)
        if not len(before):
            continue
        last = int(before[-1])
        for t in range(len(panel.times)):
            post = panel.times[t] >= g - anticipation
            if post or base == "universal":
                start = last
            else:
                start = t - 1
            treated = panel.first == g
            if start == t:  # the base period against itself
                rows.append((g, panel.times[t], 0.0, False, int(treated.sum()), int(panel.never.sum())))
                influence.append(np.zeros(len(treated)))
                continue
            if start < 0:
                continue
            compare = panel.never if control == "never" else _not_yet(panel, g, t, start, anticipation)
            found = _compare(panel, treated, compare, t, start, method)
            if found is None:
                empty += 1
                continue
            estimate, own, n1, n0 = found
            rows.append((g, panel.times[t], estimate, panel.times[t] >= g, n1, n0))
            influence.append(own)
    if not any(row[3] for row in rows):
        if empty and panel.z is not None:
            raise ValueError("no control unit is comparable: the covariates tell the treated from the untreated")
        raise ValueError("no group has both a period before its treatment and control units in a period after it")
    frame = pd.DataFrame(rows, columns=["group", "time", "estimate", "post", "n_treated", "n_control"])
    return frame, np.column_stack(influence), empty


def _not_yet(panel: Panel, g: float, t: int, start: int, anticipation: float) -> np.ndarray:
    latest = max(panel.times[t], panel.times[start]) + anticipation
    return (panel.never | (panel.first > latest)) & (panel.first != g)


def _compare(
    panel: Panel, treated: np.ndarray, compare: np.ndarray, t: int, start: int, method: str
) -> tuple[float, np.ndarray, int, int] | None:
    """ATT of one group-time and its influence function over all units; None without data on a side."""
    change = panel.y[:, t] - panel.y[:, start]
    used = (treated | compare) & ~np.isnan(change)
    n1, n0 = int((used & treated).sum()), int((used & compare).sum())
    covariates = np.ones((len(change), 1))
    if panel.z is not None:
        covariates = np.column_stack([covariates, panel.z[:, :, min(t, start) if t < start else start]])
        used &= ~np.isnan(covariates).any(axis=1)
        n1, n0 = int((used & treated).sum()), int((used & compare).sum())
    if n1 == 0 or n0 <= covariates.shape[1] - 1 or n0 == 0:
        return None
    rows = np.flatnonzero(used)
    x, dy, w = covariates[rows], change[rows], panel.w[rows]
    n = len(rows)
    if panel.z is None:  # a difference of two means
        w1, w0 = w * treated[rows], w * compare[rows]
        of_treated, of_control = (w1 * dy).sum() / w1.sum(), (w0 * dy).sum() / w0.sum()
        estimate = float(of_treated - of_control)
        own = w1 * (dy - of_treated) / w1.mean() - w0 * (dy - of_control) / w0.mean()
    else:
        found = adjusted(dy, treated[rows], x, w, method)
        if found is None:
            return None
        estimate, own = found
    influence = np.zeros(len(change))
    influence[rows] = own * (len(change) / n)
    return estimate, influence, n1, n0
