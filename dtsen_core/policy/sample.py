"""Checked input of the measures: numpy arrays from whatever a caller hands in, NaN refused.

Lists, tuples, numpy arrays, pandas and polars Series are accepted; an index is ignored, the order counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Values = npt.ArrayLike


def numbers(given: object, name: str) -> Array:
    """`given` as finite float64 of shape (n,). ValueError naming what is wrong."""
    if isinstance(given, np.ma.MaskedArray):
        given = np.ma.filled(given.astype(np.float64), np.nan)
    try:
        found = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"{name} must be numbers without gaps ({problem})") from problem
    if found.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, not of shape {found.shape}")
    if not np.isfinite(found).all():
        at = int(np.flatnonzero(~np.isfinite(found))[0])
        raise ValueError(f"{name} must be finite; position {at} is {found[at]}")
    return found


def pair(given: Values, weights: Values | None) -> tuple[Array, Array]:
    """(values, weights), ones where none are given. ValueError for NaN, negative weights, unequal lengths."""
    values = numbers(given, "values")
    if weights is None:
        return values, np.ones_like(values)
    load = numbers(weights, "weights")
    if load.shape != values.shape:
        raise ValueError(f"{values.size} values but {load.size} weights")
    if (load < 0).any():
        raise ValueError("weights must not be negative")
    return values, load


def filled(given: Values, weights: Values | None) -> tuple[Array, Array]:
    """As `pair`; ValueError also where there is nobody: no values, or weights that sum to zero."""
    values, load = pair(given, weights)
    if values.size == 0:
        raise ValueError("values are empty")
    if not load.sum() > 0:
        raise ValueError("weights sum to zero")
    return values, load


def positive(values: Array, measure: str) -> None:
    """ValueError unless every value is above zero."""
    if (values <= 0).any():
        raise ValueError(f"{measure} is defined for values above zero only; {int((values <= 0).sum())} are not")


def poverty_line(line: object, size: int) -> Array:
    """The line as float64 of shape () or (size,), positive and finite; ValueError otherwise."""
    found = np.asarray(line, dtype=np.float64)
    if found.shape not in ((), (size,)):
        raise ValueError(f"the poverty line must be one number or one per value, not of shape {found.shape}")
    if not np.isfinite(found).all() or (found <= 0).any():
        raise ValueError("the poverty line must be positive")
    return found
