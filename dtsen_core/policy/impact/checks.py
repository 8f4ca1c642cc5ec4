"""Entry checks shared by the impact functions: columns, numbers, and what a row must have to count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

Floats = npt.NDArray[np.float64]


def frame(df: Any, columns: Sequence[str | None], name: str = "df") -> pd.DataFrame:
    """`df` as a DataFrame with a plain index; ValueError when it is empty or lacks one of `columns`."""
    if not isinstance(df, pd.DataFrame):
        try:
            df = pd.DataFrame(df)
        except (ValueError, TypeError) as problem:
            raise ValueError(f"{name} must be a DataFrame or something one can be made of") from problem
    if any(c is not None and c in df.index.names and c not in df.columns for c in columns):
        df = df.reset_index()
    missing = [str(c) for c in columns if c is not None and c not in df.columns]
    if missing:
        raise ValueError(f"{name} has no column {', '.join(missing)}; it has {', '.join(map(str, df.columns))}")
    doubled = [str(c) for c in columns if c is not None and isinstance(df[c], pd.DataFrame)]
    if doubled:
        raise ValueError(f"{name} has more than one column named {', '.join(doubled)}")
    if len(df) == 0:
        raise ValueError(f"{name} has no rows")
    return df.reset_index(drop=True)


def number(value: Any, name: str) -> float:
    """`value` as a finite number; ValueError otherwise."""
    try:
        found = float(value)
    except (ValueError, TypeError) as problem:
        raise ValueError(f"{name} must be a number") from problem
    if not np.isfinite(found):
        raise ValueError(f"{name} must be a number")
    return found


def numbers(values: Any, name: str) -> Floats:
    """`values` as floats, shape (n,); infinite becomes NaN. ValueError when they are not numbers."""
    if isinstance(values, pd.DataFrame) and values.shape[1] == 1:
        values = values.iloc[:, 0]
    try:
        series = pd.Series(values).reset_index(drop=True)
    except ValueError as problem:
        raise ValueError(f"{name} must be one column of numbers") from problem
    if series.dtype.kind in "Mm":
        raise ValueError(f"{name} must be numbers, not dates")
    try:
        found = pd.to_numeric(series, errors="raise").to_numpy(np.float64, na_value=np.nan).copy()
    except (ValueError, TypeError) as problem:
        raise ValueError(f"{name} must be numbers") from problem
    found[~np.isfinite(found)] = np.nan
    return found


def names(value: str | Sequence[str] | None) -> tuple[str, ...]:
    """Column names given as one name, a sequence, or nothing."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def confidence(level: float) -> float:
    """z of a two-sided interval; ValueError unless 0 < `level` < 1."""
    if not isinstance(level, int | float | np.floating) or not 0 < level < 1:
        raise ValueError("level must lie between 0 and 1, for example 0.95")
    return float(stats.norm.ppf((1 + float(level)) / 2))


def two_sided(statistic: float, df: float = np.inf) -> float:
    """p-value of a t statistic with `df` degrees of freedom (normal by default); NaN for NaN."""
    return float(2 * stats.t.sf(abs(statistic), df))
