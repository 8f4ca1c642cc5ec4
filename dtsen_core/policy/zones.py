"""Contiguous work zones of nearly equal caseload, for field teams.

Regionalisation by balanced cuts of spanning trees (R. M. Assunção, M. C. Neves, G. Câmara & C. Da Costa Freitas,
*International Journal of Geographical Information Science* 20, 2006, with balance in place of likeness), then units at
the edge of a heavy zone go over to a lighter neighbour as long as both stay in one piece. Parts of the graph that
touch nobody (islands) are tied to the nearest unit elsewhere by a sea link, and the result names those links.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse import csgraph

Floats = npt.NDArray[np.float64]
TREES = 12


@dataclass(frozen=True, eq=False)
class Zones:
    """zone (by unit, 1 … k), `load` by zone, `balance` = heaviest / mean load (1 is perfect), and `sea_links`, the
    pairs of units tied across water."""

    zone: pd.Series
    load: pd.Series
    balance: float
    sea_links: tuple[tuple[Any, Any], ...]


def work_zones(
    load: pd.Series | Mapping[Any, float],
    graph: Any,
    count: int,
    *,
    places: pd.DataFrame | None = None,
    seed: int = 0,
) -> Zones:
    """Divide the units of `load` into `count` zones, each in one piece over `graph`, of nearly equal total load.

    load     caseload by unit, 0 or more
    graph    {unit: [neighbours]} or a ``libpysal.graph.Graph``; units without load are ignored
    places   ``x, y`` by unit, for the nearest unit across water; without it the next unit in order is taken
    ValueError: count below 1 or above the number of units, loads negative or all 0.

    >>> chain = {i: [j for j in (i - 1, i + 1) if 0 <= j < 6] for i in range(6)}
    >>> work_zones({i: 1.0 for i in range(6)}, chain, 3).load.tolist()
    [2.0, 2.0, 2.0]
    """
    loads = pd.Series(load, dtype=np.float64)
    if isinstance(count, bool) or int(count) != count or not 1 <= count <= len(loads):
        raise ValueError(f"count must be a whole number from 1 to the number of units, {len(loads)}, not {count!r}")
    weight = loads.to_numpy()
    if not np.isfinite(weight).all() or (weight < 0).any() or weight.sum() <= 0:
        raise ValueError("loads must be numbers of 0 or more, not all 0")
    around, links = _connected(loads.index, graph, places)
    rng = np.random.default_rng(seed)
    zone = np.full(len(loads), -1)
    _divide(np.arange(len(loads)), int(count), around, weight, zone, [0], rng)
    _improve(zone, int(count), around, weight)
    total = pd.Series(np.bincount(zone, weight, int(count)), index=range(1, int(count) + 1), name="load")
    return Zones(
        pd.Series(zone + 1, index=loads.index, name="zone"), total, float(total.max() / total.mean()),
        tuple((loads.index[a], loads.index[b]) for a, b in links),
    )  # fmt: skip


def _connected(
    index: pd.Index, graph: Any, places: pd.DataFrame | None
) -> tuple[list[list[int]], list[tuple[int, int]]]:
    """(neighbours of each position, symmetric and connected; the links added across water)."""
    place = {unit: position for position, unit in enumerate(index)}
    pairs = graph.adjacency.index if hasattr(graph, "adjacency") else ((u, v) for u in graph for v in graph[u])
    edges = {(place[u], place[v]) for u, v in pairs if u in place and v in place and u != v}
    edges |= {(b, a) for a, b in edges}
    links: list[tuple[int, int]] = []
    n = len(index)
    xy = None if places is None else places.reindex(index)[["x", "y"]].to_numpy(np.float64)
    while True:
        rows, columns = zip(*edges) if edges else ((), ())
        matrix = sparse.coo_array((np.ones(len(edges)), (rows, columns)), shape=(n, n))
        parts, label = csgraph.connected_components(matrix, directed=False)
        if parts == 1:
            break
        # The smallest part is tied to the unit nearest to it outside.
        small = int(np.bincount(label).argmin())
        inside, outside = np.flatnonzero(label == small), np.flatnonzero(label != small)
        if xy is None:
            a, b = int(inside[0]), int(outside[np.abs(outside - inside[0]).argmin()])
        else:
            apart = ((xy[inside][:, None] - xy[outside][None]) ** 2).sum(axis=2)
            i, j = np.unravel_index(np.nanargmin(apart), apart.shape)
            a, b = int(inside[i]), int(outside[j])
        edges |= {(a, b), (b, a)}
        links.append((a, b))
    around: list[list[int]] = [[] for _ in range(n)]
    for a, b in sorted(edges):
        around[a].append(b)
    return around, links


def _divide(
    units: npt.NDArray[np.int64], count: int, around: Sequence[Sequence[int]], weight: Floats,
    zone: npt.NDArray[np.int64], used: list[int], rng: np.random.Generator,
) -> None:  # fmt: skip
    """Cut `units` (in one piece) in two of the right shares, again and again, and number the pieces."""
    if count == 1:
        zone[units] = used[0]
        used[0] += 1
        return
    first = count // 2
    best: tuple[float, npt.NDArray[np.int64]] | None = None
    inside = set(units.tolist())
    total = float(weight[units].sum())
    for _ in range(TREES):
        order, parent = _tree(units, inside, around, rng)
        below, size = weight.copy(), np.ones(len(weight), dtype=np.int64)
        for node in reversed(order[1:]):
            below[parent[node]] += below[node]
            size[parent[node]] += size[node]
        for node in order[1:]:
            # The branch under `node` becomes the smaller or the larger half.
            for half in {first, count - first}:
                if size[node] >= half and len(units) - size[node] >= count - half:
                    off = abs(below[node] - total * half / count)
                    if best is None or off < best[0]:
                        best = (off, _branch(node, order, parent))
                        chosen = half
    if best is None:  # no branch leaves both halves enough units: take one unit less at the end of a branch
        branch, chosen = np.array([order[-1]]), 1
    else:
        branch = best[1]
    rest = np.setdiff1d(units, branch)
    _divide(branch, chosen, around, weight, zone, used, rng)
    _divide(rest, count - chosen, around, weight, zone, used, rng)


def _tree(
    units: npt.NDArray[np.int64], inside: set[int], around: Sequence[Sequence[int]], rng: np.random.Generator
) -> tuple[list[int], dict[int, int]]:
    """A random spanning tree by breadth: (units from the root outwards, parent of each)."""
    root = int(rng.choice(units))
    parent = {root: root}
    order = [root]
    for node in order:
        near = [v for v in around[node] if v in inside and v not in parent]
        rng.shuffle(near)
        for v in near:
            parent[v] = node
            order.append(v)
    return order, parent


def _branch(top: int, order: Sequence[int], parent: Mapping[int, int]) -> npt.NDArray[np.int64]:
    members = {top}
    for node in order[order.index(top) + 1 :]:
        if parent[node] in members:
            members.add(node)
    return np.array(sorted(members))


def _improve(zone: npt.NDArray[np.int64], count: int, around: Sequence[Sequence[int]], weight: Floats) -> None:
    """Move edge units to lighter neighbours while the sum of squared loads falls and no zone breaks."""
    total = np.bincount(zone, weight, count)
    members = np.bincount(zone, minlength=count)
    for _ in range(20 * len(zone)):
        best, move = -1e-9, None
        for unit, here in enumerate(zone):
            if members[here] == 1 or weight[unit] == 0:
                continue
            for there in {int(zone[v]) for v in around[unit]} - {int(here)}:
                change = weight[unit] * (total[there] + weight[unit] - total[here])
                if change < best and _stays_whole(unit, zone, around):
                    best, move = change, (unit, there)
        if move is None:
            return
        unit, there = move
        here = zone[unit]
        total[here] -= weight[unit]
        total[there] += weight[unit]
        members[here] -= 1
        members[there] += 1
        zone[unit] = there


def _stays_whole(unit: int, zone: npt.NDArray[np.int64], around: Sequence[Sequence[int]]) -> bool:
    """Whether the zone of `unit` stays in one piece without it."""
    here = zone[unit]
    near = [v for v in around[unit] if zone[v] == here]
    if len(near) <= 1:
        return True
    seen, todo = {near[0]}, [near[0]]
    while todo:
        node = todo.pop()
        for v in around[node]:
            if v != unit and zone[v] == here and v not in seen:
                seen.add(v)
                todo.append(v)
    return all(v in seen for v in near)
