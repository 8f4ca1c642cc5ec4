"""Which regions come first, and how sure that is: composite index, intervals of ranks, allocation of a budget.

The *score* of a region is its priority: a larger score comes first (rank 1). It is not the welfare score of a family,
where larger means better off; the direction of each indicator says how it enters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.policy import composite
from dtsen_core.policy.allocation import Allocation, allocate, frontier
from dtsen_core.policy.composite import AGGREGATIONS, FLOOR, NORMALISATIONS, Floats

__all__ = ["FLOOR", "Allocation", "Composite", "allocate", "composite_index", "frontier", "rank_if", "rank_intervals"]

MISSING = ("exclude", "reweight", "mean", "median", "raise")
WEIGHTINGS = ("dirichlet", "plusminus", "fixed")
_BLOCK = 200_000  # values drawn at a time: what a processor keeps at hand
PerIndicator: TypeAlias = Mapping[str, float] | Sequence[float] | npt.NDArray[Any] | pd.Series | float | None


@dataclass(frozen=True, eq=False)
class Composite:
    """score (n,) and rank (n,; 1 = largest score, ties share the smaller number, <NA> where there is no score) by
    region; `normalised` (n, m) with direction applied; `contributions` (n, m), see `composite.contributions`;
    `weights` (m,) as used, summing to 1; `missing` (n, m) True where a value was absent."""

    score: pd.Series
    rank: pd.Series
    contributions: pd.DataFrame
    normalised: pd.DataFrame
    weights: pd.Series
    missing: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """``score, rank`` by region."""
        return pd.DataFrame({"score": self.score, "rank": self.rank})


def composite_index(
    data: Any,
    directions: PerIndicator = None,
    weights: PerIndicator = None,
    *,
    normalisation: str = "minmax",
    aggregation: str = "arithmetic",
    targets: PerIndicator = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    missing: str = "exclude",
) -> Composite:
    """Composite index of the regions (rows) over the indicators (columns) of `data`, a DataFrame or 2-d array.

    directions     +1: a larger value raises the score, −1: it lowers it; by indicator or one for all (default +1)
    weights        0 or more, not all 0; scaled to sum 1, so their size does not matter (default equal). By indicator
                   as mapping or Series (every indicator named), or in the order of the columns
    normalisation  "minmax", "z", "percentile", "target" (needs `targets`), "none": see `composite.normalise`; other
                   usual names ("min-max", "z-score", "rank", "distance to target") are understood, and so are those
                   of aggregations ("linear", "non-compensatory")
    aggregation    "arithmetic", "geometric", "noncompensatory", "mpi": see `composite.aggregate`
    targets        the value to reach, in the unit of the indicator
    bounds         {indicator: (low, high)} goalposts of minmax in the unit of the indicator, instead of the regions'
                   smallest and largest; values beyond are cut
    missing        "exclude": no score for a region that lacks a value; "reweight": the others' weights take over;
                   "mean" / "median": of the regions that have one; "raise": ValueError. An indicator of weight 0 is
                   never missing

    OECD & JRC, *Handbook on Constructing Composite Indicators* (2008). ValueError: no rows or columns, no numbers, an
    indicator without any value or with the same value everywhere (minmax without bounds, z, percentile), weights
    negative or all 0, unknown names or options.

    >>> data = pd.DataFrame({"poor": [10.0, 20, 30], "schooling": [9.0, 8, 6]}, index=["a", "b", "c"])
    >>> composite_index(data, {"poor": 1, "schooling": -1}).score.round(3).tolist()
    [0.0, 0.417, 1.0]
    """
    normalisation, aggregation = composite.plain_name(normalisation), composite.plain_name(aggregation)
    p = _Prepared.of(data, directions, weights, targets, bounds, missing)
    _check_options(normalisation, aggregation, p)
    p.refuse_constant(normalisation)
    y = _normalised(p, normalisation)
    score, parts = _scores(p, y, aggregation, normalisation)
    frame = p.frame
    out = pd.Series(np.nan, index=frame.index, name="score")
    out.iloc[p.rows] = score
    whole = pd.DataFrame(np.nan, index=frame.index, columns=frame.columns)
    normal = whole.copy()
    whole.iloc[p.rows, p.columns], normal.iloc[p.rows, p.columns] = parts, y
    whole.iloc[p.rows, np.setdiff1d(np.arange(frame.shape[1]), p.columns)] = 0.0
    return Composite(
        score=out, rank=out.round(12).rank(method="min", ascending=False).astype("Int64").rename("rank"),
        contributions=whole, normalised=normal, weights=p.all_weights, missing=frame.isna(),
    )  # fmt: skip


def rank_if(
    data: Any,
    directions: PerIndicator = None,
    weights: PerIndicator = None,
    *,
    normalisation: str = "minmax",
    aggregation: str = "arithmetic",
    targets: PerIndicator = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    missing: str = "exclude",
) -> Callable[[Any, Any, float], int]:
    """A function (region, indicator, value) -> the rank that the region would have if its indicator had that value and
    nothing else changed. Parameters and errors as in `composite_index`; `missing` "exclude", "mean", "median" or
    "raise". KeyError for a region without a score or an indicator without weight. What was filled in for the missing
    values of other regions stays as it is.
    """
    if missing == "reweight":
        raise ValueError("rank_if takes missing='exclude', 'mean', 'median' or 'raise'")
    normalisation, aggregation = composite.plain_name(normalisation), composite.plain_name(aggregation)
    p = _Prepared.of(data, directions, weights, targets, bounds, missing)
    _check_options(normalisation, aggregation, p)
    p.refuse_constant(normalisation)
    rows = {label: at for at, label in enumerate(p.frame.index[p.rows])}
    columns = {label: at for at, label in enumerate(p.frame.columns[p.columns])}

    def rank(region: Any, indicator: Any, value: float) -> int:
        row, column, x = rows[region], columns[indicator], p.x.copy()
        x[row, column] = value * p.signs[column]
        y = composite.normalise(x, normalisation, p.low, p.high, p.target)
        score = np.round(composite.aggregate(y, p.weights, aggregation, normalisation), 12)
        return 1 + int(np.count_nonzero(score > score[row]))

    return rank


def rank_intervals(
    data: Any,
    directions: PerIndicator = None,
    weights: PerIndicator = None,
    *,
    top: int = 10,
    draws: int = 1000,
    weighting: str = "dirichlet",
    concentration: float | None = None,
    spread: float = 0.25,
    normalisations: Sequence[str] | str = ("minmax", "z", "percentile"),
    aggregations: Sequence[str] | str = ("arithmetic", "geometric"),
    standard_errors: Any = None,
    level: float = 0.9,
    robust: float = 0.9,
    targets: PerIndicator = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    missing: str = "exclude",
    seed: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    """How far the rank of each region depends on choices and on sampling: `draws` rankings with varied assumptions.

    Each draw takes one of `normalisations` and one of `aggregations` (every pair equally often), its own weights
    and, where `standard_errors` (the shape of `data`, in its units; NaN = 0) are given, its own values from the normal
    distribution round `data`. M. Saisana, A. Saltelli & S. Tarantola, *Journal of the Royal Statistical Society A* 168
    (2005).

    weighting   "dirichlet": weights from a Dirichlet distribution with mean `weights` and total `concentration`
                (default 10 per indicator; the larger, the closer to `weights`); "plusminus": each weight times a
                uniform factor in 1 ± `spread`; "fixed"
    level       coverage of the interval of ranks
    robust      share of draws in which a robust region is in the top `top`

    Returns one row per region, index as in `data`: ``rank`` (first normalisation and aggregation, weights as given),
    ``median``, ``low`` and ``high`` (central interval of the rank), ``p_top`` (share of draws with rank ≤ `top`),
    ``robust`` (p_top ≥ `robust`) and ``score``; NaN / <NA> / False where a region has no score. Errors as
    `composite_index`, and ValueError for options out of range.
    """
    kinds = [normalisations] if isinstance(normalisations, str) else list(normalisations)
    ways = [aggregations] if isinstance(aggregations, str) else list(aggregations)
    kinds, ways = [composite.plain_name(k) for k in kinds], [composite.plain_name(w) for w in ways]
    _check_draws(top, draws, weighting, concentration, spread, level, robust, kinds, ways)
    if missing == "reweight":
        raise ValueError("rank_intervals takes missing='exclude', 'mean', 'median' or 'raise'")
    base = composite_index(data, directions, weights, normalisation=kinds[0], aggregation=ways[0], targets=targets,
                           bounds=bounds, missing=missing)  # fmt: skip
    p = _Prepared.of(data, directions, weights, targets, bounds, missing)
    for kind, way in ((k, w) for k in kinds for w in ways):
        _check_options(kind, way, p)
        p.refuse_constant(kind)
    errors = _errors(standard_errors, p)
    rng = np.random.default_rng(seed)
    pairs = [(kind, way) for kind in kinds for way in ways]
    ranks = np.empty((draws, len(p.rows)), dtype=np.int32)
    edges = np.linspace(0, draws, len(pairs) + 1).round().astype(int)
    for (kind, way), start, end in zip(pairs, edges[:-1], edges[1:]):
        step = max(1, _BLOCK // max(p.x.size, 1))
        for begin in range(start, end, step):
            count = min(step, end - begin)
            w = _drawn_weights(p.weights, count, weighting, concentration, spread, rng)
            x = p.x if errors is None else _drawn_values(p.x, errors, count, rng)
            y = composite.normalise(x, kind, p.low, p.high, p.target)
            if y.ndim == 2:
                y = np.broadcast_to(y, (count, *y.shape))
            ranks[begin : begin + count] = _ranks(composite.aggregate(y, w, way, kind))
    tail = (1 - level) / 2
    quantiles = np.quantile(ranks, [tail, 0.5, 1 - tail], axis=0, method="closest_observation") if len(p.rows) else None
    out = base.table[["rank"]].copy()
    for name, k in (("low", 0), ("median", 1), ("high", 2)):
        out[name] = pd.array([pd.NA] * len(out), dtype="Int64")
        if quantiles is not None:
            out.iloc[p.rows, out.columns.get_loc(name)] = quantiles[k].astype(int)
    out["p_top"] = np.nan
    out.iloc[p.rows, out.columns.get_loc("p_top")] = (ranks <= top).mean(axis=0)
    out["robust"] = (out["p_top"] >= robust).to_numpy()
    out["score"] = base.score
    return out[["rank", "median", "low", "high", "p_top", "robust", "score"]]


@dataclass(frozen=True, eq=False)
class _Prepared:
    """Checked input. `x` (rows, columns): values of the regions that get a score and the indicators with weight,
    turned by their direction; low, high, target likewise; `gaps`: missing and not filled (policy reweight)."""

    frame: pd.DataFrame
    x: Floats
    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    weights: Floats
    all_weights: pd.Series
    low: Floats
    high: Floats
    target: Floats
    gaps: npt.NDArray[np.bool_]
    signs: Floats

    @staticmethod
    def of(data: Any, directions: PerIndicator, weights: PerIndicator, targets: PerIndicator,
           bounds: Mapping[str, tuple[float, float]] | None, missing: str) -> _Prepared:  # fmt: skip
        if missing not in MISSING:
            raise ValueError(f"missing must be one of {', '.join(MISSING)}, not {missing!r}")
        frame = _frame(data)
        names = list(frame.columns)
        sign = _per_indicator(directions, names, "directions", 1.0)
        if not np.isin(sign, (-1.0, 1.0)).all():
            raise ValueError("directions must be +1 or -1")
        w = _per_indicator(weights, names, "weights", 1.0)
        if not np.isfinite(w).all() or (w < 0).any():
            raise ValueError("weights must be numbers of 0 or more")
        if w.sum() <= 0:
            raise ValueError("all weights are 0; give at least one indicator a weight")
        w = w / w.sum()
        columns = np.flatnonzero(w > 0)
        x = frame.to_numpy(np.float64)[:, columns] * sign[columns]
        gaps = ~np.isfinite(x)
        empty = [names[c] for c, lost in zip(columns, gaps.all(axis=0)) if lost]
        if empty:
            raise ValueError(f"indicator {empty[0]!r} has no value in any region")
        if missing == "raise" and gaps.any():
            name = names[columns[gaps.any(axis=0).argmax()]]
            raise ValueError(f"indicator {name!r} lacks values; choose how to treat them")
        whole = gaps.any(axis=1) if missing in ("exclude", "raise") else gaps.all(axis=1)
        rows = np.flatnonzero(~whole)
        if not len(rows):
            raise ValueError("no region has a value of every indicator")
        x, gaps = x[rows], gaps[rows]
        if gaps.any() and missing != "reweight":
            middle = np.nanmean if missing == "mean" else np.nanmedian
            x = np.where(gaps, middle(np.where(gaps, np.nan, x), axis=0), x)
            gaps = np.zeros_like(gaps)
        low, high = np.full(len(names), np.nan), np.full(len(names), np.nan)
        for name, pair in (bounds or {}).items():
            if name not in names:
                raise ValueError(f"bounds name an unknown indicator {name!r}")
            edges = sorted(float(v) for v in pair)
            if len(edges) != 2 or not np.isfinite(edges).all() or edges[0] == edges[1]:
                raise ValueError(f"bounds of {name!r} must be two different numbers")
            at = names.index(name)
            low[at], high[at] = edges if sign[at] > 0 else (-edges[1], -edges[0])
        target = np.full(len(names), np.nan)
        if targets is not None:
            target = _per_indicator(targets, names, "targets", np.nan, partial=True) * sign
        return _Prepared(
            frame, x, rows, columns, w[columns], pd.Series(w, index=names, name="weight"),
            low[columns], high[columns], target[columns], gaps, sign[columns],
        )  # fmt: skip

    def refuse_constant(self, normalisation: str) -> None:
        if normalisation in ("none", "target") or len(self.rows) < 2:
            return
        x = np.where(self.gaps, np.nan, self.x)
        flat = np.nanmax(x, axis=0) - np.nanmin(x, axis=0) <= 1e-12 * np.maximum(1.0, np.nanmax(np.abs(x), axis=0))
        if normalisation == "minmax":
            flat &= np.isnan(self.low)
        if flat.any():
            name = self.frame.columns[self.columns[flat.argmax()]]
            raise ValueError(f"indicator {name!r} has the same value in every region; leave it out")


def _frame(data: Any) -> pd.DataFrame:
    if isinstance(data, pd.Series):
        data = data.to_frame()
    try:
        frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame(np.asarray(data, dtype=np.float64))
        frame = frame.apply(pd.to_numeric, errors="raise").astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError("data must be a table of numbers, regions in rows and indicators in columns") from error
    if not frame.shape[0] or not frame.shape[1]:
        raise ValueError("data need at least one region and one indicator")
    if not frame.columns.is_unique:
        raise ValueError("the indicators of data must have different names")
    return frame.replace([np.inf, -np.inf], np.nan)


def _per_indicator(
    given: PerIndicator, names: Sequence[Any], what: str, default: float, partial: bool = False
) -> Floats:
    """One number per indicator, from a mapping, a sequence or a single number."""
    if given is None:
        return np.full(len(names), default)
    if isinstance(given, pd.Series) and not set(given.index) & set(names):
        given = given.to_numpy()
    if isinstance(given, Mapping | pd.Series):
        values = dict(given.items())
        unknown = [name for name in values if name not in names]
        lost = [name for name in names if name not in values]
        if unknown:
            raise ValueError(f"{what} name an unknown indicator {unknown[0]!r}; known are {list(names)[:8]}")
        if lost and not partial:
            raise ValueError(f"{what} do not name the indicator {lost[0]!r}")
        given = [values.get(name, np.nan) for name in names]
    try:
        out = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} must be numbers") from error
    if out.ndim == 0:
        out = np.full(len(names), float(out))
    if out.shape != (len(names),):
        raise ValueError(f"{what} must be one number per indicator: {len(names)}, not {out.size}")
    return out


def _check_options(normalisation: str, aggregation: str, p: _Prepared) -> None:
    if normalisation not in NORMALISATIONS:
        raise ValueError(f"normalisation must be one of {', '.join(NORMALISATIONS)}, not {normalisation!r}")
    if aggregation not in AGGREGATIONS:
        raise ValueError(f"aggregation must be one of {', '.join(AGGREGATIONS)}, not {aggregation!r}")
    if normalisation == "target" and np.isnan(p.target).any():
        name = p.frame.columns[p.columns[np.isnan(p.target).argmax()]]
        raise ValueError(f"normalisation 'target' needs a target for the indicator {name!r}")
    if normalisation == "none" and aggregation == "geometric" and (p.x <= 0).any():
        raise ValueError("a geometric mean of values as they are needs values above 0; choose a normalisation")


def _normalised(p: _Prepared, kind: str) -> Floats:
    """Normalised values; a gap takes no part in mean, range or rank of its indicator and stays NaN."""
    if not p.gaps.any():
        return composite.normalise(p.x, kind, p.low, p.high, p.target)
    out = np.full(p.x.shape, np.nan)
    for k in range(p.x.shape[1]):
        here, one = ~p.gaps[:, k], slice(k, k + 1)
        out[here, one] = composite.normalise(p.x[here, one], kind, p.low[one], p.high[one], p.target[one])
    return out


def _scores(p: _Prepared, y: Floats, aggregation: str, normalisation: str) -> tuple[Floats, Floats]:
    """(scores, contributions); the weight of a gap goes to the other indicators of its region."""
    if not p.gaps.any():
        return (
            composite.aggregate(y, p.weights, aggregation, normalisation),
            composite.contributions(y, p.weights, aggregation, normalisation),
        )
    if aggregation not in ("arithmetic", "geometric"):
        raise ValueError(f"missing='reweight' needs arithmetic or geometric aggregation, not {aggregation!r}")
    weights = np.where(p.gaps, 0.0, p.weights)
    weights /= weights.sum(axis=1, keepdims=True)
    filled = np.where(p.gaps, 1.0, y)
    parts = np.where(p.gaps, 0.0, composite.contributions(filled, weights, aggregation, normalisation))
    total = parts.sum(axis=1)
    return np.exp(total) if aggregation == "geometric" else total, np.where(p.gaps, np.nan, parts)


def _ranks(scores: Floats) -> npt.NDArray[np.int32]:
    """Ranks from 1 (largest) along the last axis, ties sharing the smaller number; shape as `scores`."""
    rounded = -np.round(scores, 12)
    order = rounded.argsort(axis=-1)
    ordered = np.take_along_axis(rounded, order, axis=-1)
    begin = np.broadcast_to(np.arange(scores.shape[-1], dtype=np.int32), scores.shape)
    first = ordered[..., 1:] != ordered[..., :-1]
    if not first.all():  # ties
        first = np.concatenate([np.ones_like(ordered[..., :1], dtype=bool), first], axis=-1)
        begin = np.maximum.accumulate(np.where(first, begin, 0), axis=-1)
    out = np.empty(scores.shape, dtype=np.int32)
    np.put_along_axis(out, order, begin + 1, axis=-1)
    return out


def _errors(given: Any, p: _Prepared) -> Floats | None:
    if given is None:
        return None
    if isinstance(given, pd.DataFrame):
        given = given.reindex(index=p.frame.index, columns=p.frame.columns) if p.frame.index.is_unique else given
    try:
        errors = np.nan_to_num(np.asarray(given, dtype=np.float64), nan=0.0)
        errors = np.broadcast_to(errors, p.frame.shape)
    except (TypeError, ValueError) as error:
        raise ValueError(f"standard_errors must be numbers of the shape of data, {p.frame.shape}") from error
    if not np.isfinite(errors).all() or (errors < 0).any():
        raise ValueError("standard_errors must be 0 or more")
    errors = errors[p.rows][:, p.columns]
    return errors if errors.any() else None


def _drawn_values(x: Floats, errors: Floats, count: int, rng: np.random.Generator) -> Floats:
    """`count` copies of `x` (n, m) with normal errors; only indicators with errors are drawn. Single precision is
    enough for the noise."""
    out = np.broadcast_to(x, (count, *x.shape)).copy()
    uncertain = np.flatnonzero(errors.any(axis=0))
    noise = rng.standard_normal((count, len(x), len(uncertain)), dtype=np.float32)
    out[..., uncertain] += errors[:, uncertain] * noise
    return out


def _drawn_weights(
    w: Floats, count: int, weighting: str, concentration: float | None, spread: float, rng: np.random.Generator
) -> Floats:
    """`count` sets of weights, each summing to 1; shape (count, m)."""
    if weighting == "fixed" or len(w) == 1:
        return np.broadcast_to(w, (count, len(w)))
    if weighting == "plusminus":
        out = w * rng.uniform(1 - spread, 1 + spread, (count, len(w)))
    else:
        out = rng.gamma(np.maximum(w * (concentration or 10.0 * len(w)), 1e-6), size=(count, len(w)))
        out = np.maximum(out, 1e-300)
    return np.asarray(out / out.sum(axis=1, keepdims=True))


def _check_draws(
    top: int, draws: int, weighting: str, concentration: float | None, spread: float, level: float, robust: float,
    kinds: Sequence[str], ways: Sequence[str],
) -> None:  # fmt: skip
    if not kinds or not ways:
        raise ValueError("name at least one normalisation and one aggregation")
    for what, value, most in (("top", top, 10**9), ("draws", draws, 100_000)):
        if isinstance(value, bool) or int(value) != value or not 1 <= value <= most:
            raise ValueError(f"{what} must be a whole number from 1 to {most}, not {value!r}")
    if draws < len(kinds) * len(ways):
        raise ValueError("draws must be at least the number of pairs of normalisation and aggregation")
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting must be one of {', '.join(WEIGHTINGS)}, not {weighting!r}")
    if concentration is not None and not concentration > 0:
        raise ValueError("concentration must be above 0")
    if not 0 <= spread < 1:
        raise ValueError("spread must be from 0 to below 1")
    if not 0 < level < 1 or not 0 < robust <= 1:
        raise ValueError("level and robust must lie between 0 and 1")
