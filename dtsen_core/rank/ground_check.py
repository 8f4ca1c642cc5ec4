"""Where a visit removes most misclassification: a plan for a budget of field visits.

A visit finds the truth with probability `accuracy` and corrects the family's side of the cut-off, so it is expected
to remove P(wrong)·accuracy misclassified families. Visits are alike, so the best plan takes families in falling
order of that chance (an exchange argument: any other plan gains by swapping), until the budget is used.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def plan(area: Ints, families: Floats, wrong: Floats, visits: float, accuracy: float = 1.0) -> pd.DataFrame:
    """The best use of `visits`, by area.

    Parameters
    ----------
    area : (cells,) idx of the area of each cell.
    families : (cells,) weighted families in it.
    wrong : (cells,) P(misclassified) of each of them, 0..1.
    visits : families that can be visited.
    accuracy : chance that a visit finds the truth, 0..1.

    Returns
    -------
    DataFrame
        area, visits, removed (expected misclassified families set right), per_visit, cumulative visits and
        removed; falling by per_visit. Areas without a visit are absent. Ties between equal chances are shared
        in proportion to families.

    Raises
    ------
    ValueError
        for shapes that do not agree, NaN, negative numbers, or chances above 1.
    """
    area = np.asarray(area, dtype=np.int64)
    families, wrong = np.asarray(families, dtype=np.float64), np.asarray(wrong, dtype=np.float64)
    if not area.shape == families.shape == wrong.shape:
        raise ValueError("area, families and wrong need one length")
    if np.isnan(families).any() or np.isnan(wrong).any() or (families < 0).any():
        raise ValueError("families and wrong must be numbers, families at least 0")
    if ((wrong < 0) | (wrong > 1)).any() or not 0 <= accuracy <= 1 or not visits >= 0:
        raise ValueError("chances lie between 0 and 1, visits are at least 0")
    chance, place = np.unique(-wrong, return_inverse=True)
    supply = np.bincount(place, families, len(chance))
    before = np.cumsum(supply) - supply
    taken = np.divide(np.clip(visits - before, 0, supply), supply, out=np.zeros_like(supply), where=supply > 0)
    visited = families * taken[place]
    size = int(area.max()) + 1 if area.size else 0
    by_area = np.bincount(area, visited, size)
    removed = np.bincount(area, visited * wrong * accuracy, size)
    chosen = np.flatnonzero(by_area > 0)
    table = pd.DataFrame({"area": chosen, "visits": by_area[chosen], "removed": removed[chosen]})
    table["per_visit"] = table["removed"] / table["visits"]
    table = table.sort_values(["per_visit", "area"], ascending=[False, True], ignore_index=True)
    table["visits_so_far"], table["removed_so_far"] = table["visits"].cumsum(), table["removed"].cumsum()
    return table


def curve(families: Floats, wrong: Floats, accuracy: float = 1.0, points: int = 101,
          most: float | None = None) -> pd.DataFrame:  # fmt: skip
    """Expected misclassification removed by the best plan for `points` budgets from none to everybody: visits,
    removed, random (the same number of visits spread evenly). `most` is the largest budget (default: everybody)."""
    order = np.argsort(-np.asarray(wrong, dtype=np.float64), kind="stable")
    visits = np.r_[0.0, np.cumsum(np.asarray(families, dtype=np.float64)[order])]
    removed = np.r_[0.0, np.cumsum((families * wrong)[order])] * accuracy
    at = np.linspace(0, visits[-1] if most is None else min(most, visits[-1]), points)
    return pd.DataFrame({
        "visits": at, "removed": np.interp(at, visits, removed),
        "random": removed[-1] * at / visits[-1] if visits[-1] > 0 else at,
    })  # fmt: skip
