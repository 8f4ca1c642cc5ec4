"""Intervals of shares."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Z90, Z95 = 1.6448536, 1.9599640
"""Two-sided normal quantiles."""

Floats = npt.NDArray[np.float64]


def wilson(share: npt.ArrayLike, of: npt.ArrayLike, z: float = Z95) -> tuple[Floats, Floats]:
    """Score interval (low, high) of shares observed among `of` cases; NaN where `of` is not above 0.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22 (1927).
    """
    n = np.asarray(of, dtype=np.float64)
    n = np.where(n > 0, n, np.nan)
    p = np.asarray(share, dtype=np.float64)
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
