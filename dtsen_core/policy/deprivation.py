"""Multidimensional poverty by counting deprivations: the method of Alkire and Foster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.policy.sample import Array, Values, numbers

TOLERANCE = 1e-9  # weights such as 1/3 do not add up exactly; a score this close to k reaches it


@dataclass(frozen=True, eq=False)
class AlkireFoster:
    """`H` headcount ratio, `A` mean share of deprivations among the poor (0 if nobody is), `M0` = H·A.

    By indicator, shape (d,): `headcounts` deprived, `censored_headcounts` deprived and poor (shares of
    persons), `contributions` to M0 (sum to 1; all 0 if M0 is). By person, shape (n,): `score` the weighted
    sum of deprivations, in the unit of the weights, and `poor`. `names` are those of the indicators.
    """

    H: float
    A: float
    M0: float
    headcounts: Array
    censored_headcounts: Array
    contributions: Array
    score: Array
    poor: npt.NDArray[np.bool_]
    names: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row per indicator: indicator, headcount, censored_headcount, contribution."""
        return pd.DataFrame({
            "indicator": self.names, "headcount": self.headcounts,
            "censored_headcount": self.censored_headcounts, "contribution": self.contributions,
        })  # fmt: skip


def alkire_foster(deprivations: npt.ArrayLike | pd.DataFrame, weights: Values | None, k: float, *,
                  person_weights: Values | None = None) -> AlkireFoster:  # fmt: skip
    """Adjusted headcount M0 from a matrix of deprivations.

    deprivations    (n, d), 1 or True where person i is deprived in indicator j, 0 or False where not
    weights         (d,) importance of each indicator, None for 1 each; any scale
    k               poverty cut-off in the unit of the weights, 0 < k ≤ Σ weights: a number of deprivations
                    with weights of 1, a share of all with weights that sum to 1
    person_weights  (n,) persons each row stands for; ones if omitted

    With c_i = Σ_j w_j·g_ij and W = Σ w_j, a person is poor where c_i ≥ k;
    H = share of the poor, A = mean of c_i / W over the poor, M0 = H·A;
    censored headcount h_j = share of persons who are poor and deprived in j; contribution w_j·h_j / (W·M0).
    ValueError for NaN, entries other than 0 and 1, negative weights, unequal lengths or k out of range.
    Source: Alkire & Foster (2011), Journal of Public Economics 95(7–8).
    """
    names = tuple(str(c) for c in deprivations.columns) if isinstance(deprivations, pd.DataFrame) else ()
    try:
        matrix = np.asarray(deprivations, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"deprivations must be 0 or 1 without gaps ({problem})") from problem
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ValueError(f"deprivations must be a table of persons by indicators, not of shape {matrix.shape}")
    if not np.isin(matrix, (0.0, 1.0)).all():
        raise ValueError("deprivations must be 0 or 1, without gaps")
    persons, indicators = matrix.shape
    importance = _weights(weights, indicators, "indicators")
    people = _weights(person_weights, persons, "persons")
    whole = importance.sum()
    if not np.isfinite(k) or not 0 < k <= whole * (1 + TOLERANCE):
        raise ValueError(f"k must lie above 0 and not exceed the sum of the weights, {whole:g}")
    score = matrix @ importance
    poor = score >= k - TOLERANCE * whole
    load = people / people.sum()
    headcount = float(load @ poor)
    censored = np.asarray((load * poor) @ matrix)
    adjusted = float(censored @ importance / whole)
    return AlkireFoster(
        H=headcount,
        A=adjusted / headcount if headcount > 0 else 0.0,
        M0=adjusted,
        headcounts=load @ matrix,
        censored_headcounts=censored,
        contributions=censored * importance / whole / adjusted if adjusted > 0 else np.zeros(indicators),
        score=score,
        poor=poor,
        names=names or tuple(str(j + 1) for j in range(indicators)),
    )


def _weights(given: Values | None, size: int, what: str) -> Array:
    if given is None:
        return np.ones(size)
    found = numbers(given, "weights")
    if found.size != size:
        raise ValueError(f"{size} {what} but {found.size} weights")
    if (found < 0).any() or not found.sum() > 0:
        raise ValueError("weights must not be negative and must not sum to zero")
    return found
