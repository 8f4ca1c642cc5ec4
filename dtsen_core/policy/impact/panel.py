"""A long panel read into arrays: units × periods, with every way of writing "never treated" understood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dtsen_core.policy.impact import checks
from dtsen_core.policy.impact.checks import Floats


@dataclass(frozen=True, eq=False)
class Panel:
    """`y` (units, periods), NaN where not observed; `times` (periods,) ascending numbers; `labels` the
    periods as given; `first` (units,) period of first treatment, NaN if `never`; `z` covariates (units,
    covariates, periods); `w` (units,) with mean one; `cluster` (units,) codes or None."""

    y: Floats
    times: Floats
    labels: list[Any]
    first: Floats
    never: np.ndarray
    z: Floats | None
    w: Floats
    cluster: np.ndarray | None
    groups: Floats
    group_labels: dict[float, Any]
    notes: tuple[str, ...]


def read_panel(
    df: Any, outcome: str, unit: str, time: str, first_treated: str, covariates: tuple[str, ...],
    cluster: str | None, weights: str | None, balance: bool,
) -> Panel:  # fmt: skip
    """Panel of `df`; ValueError with a sentence where it is none."""
    data = checks.frame(df, (outcome, unit, time, first_treated, *covariates, cluster, weights))
    notes: list[str] = []
    y = checks.numbers(data[outcome], outcome)
    keep = ~np.isnan(y) & data[unit].notna().to_numpy() & data[time].notna().to_numpy()
    if not keep.all():
        notes.append(f"{int((~keep).sum())} rows without outcome, unit or time were left out")
    data, y = data[keep].reset_index(drop=True), y[keep]
    if not len(data):
        raise ValueError("no complete rows")
    if np.ptp(y) == 0:
        raise ValueError(f"the outcome {outcome} is constant")
    labels, times, place, first, never = _calendar(data[time], data[first_treated])
    if len(times) < 2:
        raise ValueError("there is only one period")
    codes, _ = pd.factorize(data[unit])
    if pd.DataFrame({"u": codes, "t": place}).duplicated().any():
        raise ValueError(f"a {unit} appears more than once in the same {time}")
    units = int(codes.max()) + 1
    value = np.where(never, np.inf, first)
    by_unit = np.full(units, np.nan)
    by_unit[codes] = value
    if (by_unit[codes] != value).any():
        raise ValueError(f"{first_treated} changes within a {unit}")
    table = np.full((units, len(times)), np.nan)
    table[codes, place] = y
    if np.nanmax(np.nanmax(table, axis=1) - np.nanmin(table, axis=1)) == 0:
        raise ValueError(f"the outcome {outcome} is constant within every {unit}")
    z = None
    if covariates:
        z = np.full((units, len(covariates), len(times)), np.nan)
        for k, name in enumerate(covariates):
            z[codes, k, place] = checks.numbers(data[name], name)
        if (seen := ~np.isnan(table)[:, None, :] & np.isnan(z)).any():
            notes.append(f"{int(seen.any(axis=1).sum())} rows lack a covariate; what is compared from them is left out")
    w = np.ones(units)
    if weights:
        given = checks.numbers(data[weights], weights)
        w[codes] = given
        if not (w >= 0).all() or not w.sum() > 0:
            raise ValueError("weights must be numbers, not negative, and not all zero")
        if not np.allclose(w[codes], given):
            raise ValueError(f"{weights} changes within a {unit}: a unit has one sampling weight")
        w /= w.mean()
    own = _constant(data[cluster], codes, units, cluster) if cluster else None
    before = by_unit <= times[0]
    chosen = ~before
    if before.any():
        notes.append(f"{int(before.sum())} units treated in or before the first period were left out")
    partial = np.isnan(table).any(axis=1)
    if balance and partial.any():
        chosen &= ~partial
        notes.append(f"{int((partial & ~before).sum())} units not seen in every period were left out")
    elif (partial & chosen).any():
        notes.append(f"{int((partial & chosen).sum())} units are not seen in every period; each comparison "
                     "takes the units seen in both of its periods")  # fmt: skip
    late = np.isfinite(by_unit) & (by_unit > times[-1])
    by_unit[late] = np.inf
    first = by_unit[chosen]
    if not len(first):
        raise ValueError("no unit is left to compare: all were treated from the start, so there is no period before")
    never = np.isinf(first)
    if never.all():
        if before.any():
            raise ValueError("there is no period before the treatment: every treated unit was treated from the start")
        raise ValueError("no unit is ever treated")
    if not never.any() and times[0] <= 0 and (by_unit == 0).any():
        notes.append("time reaches back to 0, so a first treatment at 0 counts as a date; write missing for never")
    groups = np.unique(first[~never])
    return Panel(
        table[chosen], times, labels, np.where(never, np.nan, first), never, None if z is None else z[chosen],
        w[chosen], None if own is None else pd.factorize(own[chosen])[0], groups, _group_labels(groups, times, labels),
        tuple(notes),
    )  # fmt: skip


def _constant(values: pd.Series, codes: np.ndarray, units: int, name: str | None) -> np.ndarray:
    """Codes of a column that is constant within units, shape (units,)."""
    if values.isna().any():
        raise ValueError(f"{name} has missing values")
    found = pd.factorize(values)[0]
    by_unit = np.zeros(units, dtype=np.int64)
    by_unit[codes] = found
    if (by_unit[codes] != found).any():
        raise ValueError(f"{name} changes within a unit")
    if len(np.unique(by_unit)) < 2:
        raise ValueError(f"{name} must name at least two clusters")
    return by_unit


def _group_labels(groups: Floats, times: Floats, labels: list[Any]) -> dict[float, Any]:
    said = dict(zip(times.tolist(), labels))
    return {g: said.get(g, g) for g in groups.tolist()}


def _calendar(
    time: pd.Series, first: pd.Series
) -> tuple[list[Any], Floats, np.ndarray, Floats, np.ndarray]:
    """(labels, numbers of the periods, period of each row, first treatment of each row, never treated).

    Numbers stay as they are, so event time is in their unit; anything else is numbered by its order.
    """
    numeric = pd.api.types.is_numeric_dtype(time) and not pd.api.types.is_bool_dtype(time)
    if not numeric and time.dtype == object:
        numeric = bool(time.map(lambda v: isinstance(v, int | float | np.number)).all())
    if numeric:
        values = checks.numbers(time, str(time.name))
        if np.isnan(values).any():
            raise ValueError("time must be finite")
        times, place = np.unique(values, return_inverse=True)
        starts = pd.to_numeric(first, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        if (np.isnan(starts) & ~_never(first)).any():
            raise ValueError("first_treated must be in the same terms as time")
        zero = starts == 0 if times[0] > 0 else np.zeros(len(starts), dtype=bool)
        never = np.isnan(starts) | np.isinf(starts) | zero
        whole = bool((times == np.round(times)).all())
        return [int(t) if whole else float(t) for t in times], times, place, np.where(never, np.nan, starts), never
    try:
        labels = sorted(time.unique())
    except TypeError as problem:
        raise ValueError("time mixes values that cannot be ordered") from problem
    never = _never(first)
    treated = first[~never]
    try:
        # a first treatment between or after the periods stands between or after their numbers
        position = {v: _position(labels, _like(v, labels[0])) for v in pd.unique(treated)}
    except (TypeError, ValueError) as problem:
        raise ValueError("first_treated must be in the same terms as time") from problem
    starts = np.full(len(first), np.nan)
    starts[~never] = [position[v] for v in treated]
    order = {label: k for k, label in enumerate(labels)}
    place = time.map(order).to_numpy(np.int64)
    return list(labels), np.arange(1.0, len(labels) + 1), place, starts, never


def _never(first: pd.Series) -> np.ndarray:
    """Rows whose first treatment is written as one of the ways to say that there is none."""
    words = first.astype(str).str.strip().str.lower()
    return (first.isna() | words.isin(["", "0", "0.0", "inf", "nan", "nat", "<na>", "none", "never"])).to_numpy()


def _like(value: Any, label: Any) -> Any:
    """`value` in the terms of the period `label`: a date, a period, or a year written as a word."""
    if isinstance(label, pd.Timestamp):
        return pd.Timestamp(value)
    if isinstance(label, pd.Period):
        return value if isinstance(value, pd.Period) else pd.Period(value, freq=label.freq)
    if isinstance(label, str) and isinstance(value, int | float | np.number) and float(value).is_integer():
        return str(int(value))
    return value


def _position(labels: list[Any], value: Any) -> float:
    below = sum(label < value for label in labels)
    return below + 1.0 if below < len(labels) and labels[below] == value else below + 0.5
