"""Who neighbours whom, as one sparse matrix, from whatever describes it; and draws of random neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

TRANSFORMATIONS = ("r", "b", "o", "d", "v")


@dataclass(frozen=True, eq=False)
class Problem:
    """Values on a graph, ready to compute with: only units that take part, in the order of `used`.

    index    labels of all n units, in the order the values were given
    x        values of the m units that take part
    weights  (m, m) sparse, transformed, zero diagonal
    used     positions of the m units among the n
    missing  units without a value; `island`: units with a value that neighbour no unit with a value
    """

    index: pd.Index
    x: Floats
    weights: sparse.csr_array
    used: Ints
    missing: Bools
    island: Bools

    def spread(self, part: npt.NDArray[Any], fill: Any = np.nan) -> npt.NDArray[Any]:
        """`part` (of the m units) at its places among all n, `fill` elsewhere."""
        out = np.full(len(self.index), fill, dtype=np.result_type(part, type(fill)) if part.dtype != object else object)
        out[self.used] = part
        return out


def problem(values: Any, graph: Any, transformation: str, islands: str) -> Problem:
    """Check and align `values` (n,) and `graph`; see `spatial` for what is accepted. ValueError in one sentence."""
    if transformation not in TRANSFORMATIONS:
        raise ValueError(f"transformation must be one of {', '.join(TRANSFORMATIONS)}, not {transformation!r}")
    if islands not in ("exclude", "keep"):
        raise ValueError(f"islands must be 'exclude' or 'keep', not {islands!r}")
    index, x = _values(values)
    weights = _without_self(_matrix(graph, index))
    missing = ~np.isfinite(x)
    present = np.flatnonzero(~missing)
    inner = weights[present][:, present]
    linked = (np.diff(inner.indptr) > 0) | (np.bincount(inner.indices, minlength=len(present)) > 0)
    island = np.zeros(len(x), dtype=bool)
    island[present[~linked]] = True
    used = present if islands == "keep" else present[linked]
    if len(used) < 4 or not linked.any():
        raise ValueError(f"at least 4 units with a value and a neighbour are needed; these data have {linked.sum()}")
    x = x[used]
    if np.ptp(x) <= 1e-12 * max(1.0, float(np.abs(x).max())):
        raise ValueError("all values are equal, so spatial association is not defined")
    part = sparse.csr_array(weights[used][:, used])
    return Problem(index, x, _transform(part, transformation), used, missing, island)


def _values(values: Any) -> tuple[pd.Index, Floats]:
    if isinstance(values, pd.DataFrame):
        if values.shape[1] != 1:
            raise ValueError(f"values must be one column, not {values.shape[1]}")
        values = values.iloc[:, 0]
    index = values.index if isinstance(values, pd.Series) else None
    try:
        if isinstance(values, pd.Series):
            x = pd.to_numeric(values, errors="raise").to_numpy(dtype=np.float64, na_value=np.nan)
        elif isinstance(values, np.ma.MaskedArray):
            x = np.asarray(np.ma.filled(values.astype(np.float64), np.nan))
        else:
            x = np.asarray([np.nan if v is None or v is pd.NA else v for v in np.ravel(values)], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError("values must be numbers (NaN where a unit has none)") from error
    x = np.where(np.isinf(x), np.nan, x).ravel()
    if not x.size:
        raise ValueError("values are empty")
    return (pd.RangeIndex(len(x)) if index is None else index), x


def _matrix(graph: Any, index: pd.Index) -> sparse.csr_array:
    """(n, n) weights in the order of `index`."""
    labels: Sequence[Any] | None = None
    if hasattr(graph, "unique_ids") and hasattr(graph, "sparse"):  # libpysal.graph.Graph
        matrix, labels = graph.sparse, list(graph.unique_ids)
    elif hasattr(graph, "id_order") and hasattr(graph, "sparse"):  # libpysal.weights.W
        matrix, labels = graph.sparse, list(graph.id_order)
    elif hasattr(graph, "geometry"):
        from libpysal.graph import Graph

        built = Graph.build_contiguity(graph.geometry.reset_index(drop=True), rook=False)
        matrix, labels = built.sparse, list(graph.index)
    elif isinstance(graph, Mapping):
        matrix, labels = _from_mapping(graph, index)
    elif sparse.issparse(graph):
        matrix = graph
    elif isinstance(graph, pd.Series) and graph.index.nlevels == 2:
        matrix, labels = _from_adjacency(graph, index)
    elif isinstance(graph, pd.DataFrame) and len(graph) == graph.shape[1]:
        matrix, labels = graph.to_numpy(np.float64), list(graph.index)
    else:
        matrix = _dense(graph)
    out = sparse.csr_array(matrix, dtype=np.float64)
    n = len(index)
    if out.shape != (n, n):
        raise ValueError(f"the graph has {out.shape[0]} units and the values have {n}; they must be the same units")
    if not np.isfinite(out.data).all() or (out.data < 0).any():
        raise ValueError("weights of the graph must be numbers of 0 or more")
    out.eliminate_zeros()
    order = _order(labels, index)
    return out if order is None else sparse.csr_array(out[order][:, order])


def _dense(graph: Any) -> Floats:
    try:
        matrix = np.asarray(graph, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "graph must be a libpysal Graph or W, a dict of neighbours, a square matrix or a GeoDataFrame"
        ) from error
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a matrix of weights must be square, not of shape {matrix.shape}")
    return matrix


def _order(labels: Sequence[Any] | None, index: pd.Index) -> Ints | None:
    """Positions of `labels` that put the graph in the order of the values; None keeps its own order.

    Labels are compared where the values carry labels and both name the same units; otherwise position counts.
    """
    if labels is None or not index.is_unique or list(index) == list(labels):
        return None
    place = {label: position for position, label in enumerate(labels)}
    known = [label in place for label in index]
    if all(known):
        return np.array([place[label] for label in index], dtype=np.int64)
    if any(known) and not isinstance(index, pd.RangeIndex):
        lost = next(label for label, found in zip(index, known) if not found)
        raise ValueError(f"the values name a unit {lost!r} that the graph does not hold")
    return None


def _from_mapping(graph: Mapping[Any, Any], index: pd.Index) -> tuple[sparse.coo_array, list[Any]]:
    """A dict of neighbours {unit: [units]} or {unit: {unit: weight}}; a unit it does not name has none."""
    named = list(dict.fromkeys([*graph, *(n for around in graph.values() for n in around)]))
    labels = list(index) if index.is_unique and set(named) <= set(index) else named
    place = {label: position for position, label in enumerate(labels)}
    rows, columns, data = [], [], []
    for unit, around in graph.items():
        pairs = around.items() if isinstance(around, Mapping) else ((n, 1.0) for n in around)
        for neighbour, weight in pairs:
            rows.append(place[unit])
            columns.append(place[neighbour])
            data.append(float(weight))
    size = len(labels)
    return sparse.coo_array((data, (rows, columns)), shape=(size, size)), labels


def _from_adjacency(graph: pd.Series, index: pd.Index) -> tuple[sparse.coo_array, list[Any]]:
    """A series of weights by (focal, neighbour), as `Graph.adjacency` is."""
    around: dict[Any, dict[Any, float]] = {}
    for (focal, neighbour), weight in graph.items():
        around.setdefault(focal, {})[neighbour] = float(weight)
    return _from_mapping(around, index)


def _without_self(matrix: sparse.csr_array) -> sparse.csr_array:
    out = sparse.csr_array(matrix - sparse.diags_array(matrix.diagonal()))
    out.eliminate_zeros()
    out.sort_indices()
    return out


def _transform(matrix: sparse.csr_array, kind: str) -> sparse.csr_array:
    """Weights by the usual letters: r rows sum to 1, b binary, o as given, d all sum to 1, v variance stabilising
    (M. Tiefelsdorf, D. A. Griffith & B. Boots, Environment and Planning A 31, 1999)."""
    if kind == "o":
        return matrix
    if kind == "b":
        out = matrix.copy()
        out.data[:] = 1.0
        return out
    if kind == "d":
        return sparse.csr_array(matrix / matrix.sum())
    sums = np.asarray((matrix if kind == "r" else matrix.power(2)).sum(axis=1)).ravel()
    scale = np.divide(1.0, sums if kind == "r" else np.sqrt(sums), out=np.zeros(len(sums)), where=sums > 0)
    out = sparse.csr_array(sparse.diags_array(scale) @ matrix)
    return sparse.csr_array(out * (matrix.shape[0] / out.sum())) if kind == "v" else out


def draws(n: int, size: int, count: int, rng: np.random.Generator) -> Ints:
    """`count` samples of `size` distinct numbers among 0 … n−1, each ordered sample equally likely; (count, size)."""
    if size * size < n:
        out = rng.integers(0, n, (count, size))
        again = np.arange(count)
        while len(again):  # a sample that repeats a number is drawn anew
            ordered = np.sort(out[again], axis=1)
            again = again[(ordered[:, 1:] == ordered[:, :-1]).any(axis=1)]
            out[again] = rng.integers(0, n, (len(again), size))
        return out
    out = np.empty((count, size), dtype=np.int64)
    step = max(1, 4_000_000 // n)
    for start in range(0, count, step):
        block = rng.random((min(step, count - start), n))
        out[start : start + step] = block.argsort(axis=1)[:, :size]
    return out
