"""Do neighbouring areas resemble each other, and where: Moran's I, its local form, and Getis–Ord, with inference.

Common to all three functions:

values   n numbers: list, array or Series; NaN = no figure
graph    ``libpysal.graph.Graph``, ``libpysal.weights.W``, ``{unit: [neighbours]}`` or ``{unit: {neighbour: weight}}``,
         an (n, n) array or sparse matrix, a Series by (focal, neighbour), or a GeoDataFrame (queen contiguity). Where
         both carry labels they are matched by label, otherwise by position. Self-weights are ignored.
missing and islands   A unit without a value leaves the graph together with its links. A unit that then neighbours
         nobody ("no neighbours") takes no part in any mean, variance or permutation (``islands="exclude"``) or counts
         in them as other software has it (``"keep"``); either way it has no local figure. Both are returned, as NaN
         with a label that says why.
alternative   "two-sided" (twice the smaller tail), "greater", "less"; "directed" is the smaller tail itself, as older
         software reports it (too small by half).
p values   ``p`` from `permutations` random maps: (1 + maps at least as extreme) / (1 + maps), with a tolerance for
         rounding; ``p_norm`` from the normal approximation. `seed` makes them repeatable.
Errors   ValueError: fewer than 4 units with value and neighbour, all values equal, sizes that differ, weights that are
         negative or no numbers, an unknown option.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse, stats

from dtsen_core.policy import spatial_graph
from dtsen_core.policy.spatial_graph import Floats, Ints, Problem

ALTERNATIVES = ("two-sided", "greater", "less", "directed")
NOT_SIGNIFICANT, NO_NEIGHBOURS, MISSING = "not significant", "no neighbours", "missing"
_ROUNDING = 1e-10


@dataclass(frozen=True)
class GlobalResult:
    """A global statistic of n units (`islands` and `missing` ones left out) and its inference.

    `variance_norm` under normality, `variance_rand` under randomisation (NaN for Getis–Ord, where only the latter
    is known in closed form); the p values follow `alternative`. `p` and `z` are those of the permutations where there
    were any, else those under randomisation.
    """

    statistic: float
    expectation: float
    variance_norm: float
    variance_rand: float
    z_norm: float
    z_rand: float
    p_norm: float
    p_rand: float
    expectation_sim: float
    sd_sim: float
    z_sim: float
    p_sim: float
    n: int
    islands: int
    missing: int
    permutations: int
    alternative: str

    @property
    def I(self) -> float:  # noqa: E743  the name everybody gives it
        return self.statistic

    @property
    def p(self) -> float:
        return self.p_sim if self.permutations else self.p_rand

    @property
    def z(self) -> float:
        return self.z_sim if self.permutations else self.z_rand


def moran(
    values: Any,
    graph: Any,
    *,
    transformation: str = "r",
    permutations: int = 9999,
    seed: int | np.random.Generator | None = 0,
    alternative: str = "two-sided",
    islands: str = "exclude",
) -> GlobalResult:
    """Global Moran's I = (n / Σw) · Σᵢⱼ wᵢⱼ zᵢ zⱼ / Σᵢ zᵢ², z = x − mean(x).

    Parameters as in the module's head; `transformation`: "r" rows sum to 1, "b" binary, "o" as given, "d", "v".
    Expectation −1/(n − 1) and both variances as in A. D. Cliff & J. K. Ord, *Spatial Processes* (1981), by `esda`.

    >>> ring = {i: [(i - 1) % 8, (i + 1) % 8] for i in range(8)}
    >>> round(moran([0, 0, 0, 0, 1, 1, 1, 1], ring, permutations=0).statistic, 3)
    0.5
    """
    _check(permutations, alternative)
    p = spatial_graph.problem(values, graph, transformation, islands)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from esda import Moran

        found = Moran(p.x, _graph(p), transformation="o", permutations=0)
    z = p.x - p.x.mean()
    scale = len(z) / p.weights.sum() / (z @ z)

    def statistic(block: Floats) -> Floats:
        return scale * np.einsum("ij,ij->j", block, p.weights @ block)

    sims = _permuted(z, statistic, permutations, seed)
    return _global(p, float(found.I), float(found.EI), float(found.VI_norm), float(found.VI_rand), sims, alternative)


def local_moran(
    values: Any,
    graph: Any,
    *,
    transformation: str = "r",
    permutations: int = 9999,
    seed: int | np.random.Generator | None = 0,
    alternative: str = "two-sided",
    fdr: str | None = "bh",
    alpha: float = 0.05,
    islands: str = "exclude",
) -> pd.DataFrame:
    """Local Moran Iᵢ = (n − 1) · zᵢ · Σⱼ wᵢⱼ zⱼ / Σ z² of every unit (L. Anselin, *Geographical Analysis* 27, 1995).

    Returns one row per unit in the order and with the index of `values`: ``statistic``; ``expectation`` and
    ``variance`` under conditional randomisation (R. R. Sokal, N. L. Oden & B. A. Thomson, *Geographical Analysis* 30,
    1998, eqs. A7–A8), ``z`` and ``p_norm`` from them; ``p`` from conditional permutations (all other values are dealt
    anew to the neighbours); ``q``, the p values adjusted after Y. Benjamini & Y. Hochberg (*JRSS B* 57, 1995; ``fdr``
    "bh", "by", or None: q = p); ``lag`` Σ wᵢⱼ zⱼ; ``neighbours``; ``quadrant`` HH, LH, LL, HL; and ``label``: the
    quadrant where q ≤ `alpha`, else "not significant", "no neighbours" or "missing".

    The p values behind q and label are the permutations', the normal ones where `permutations` is 0.
    """
    _check(permutations, alternative, fdr, alpha)
    p = spatial_graph.problem(values, graph, transformation, islands)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from esda import Moran_Local

        found = Moran_Local(p.x, _graph(p), transformation="o", permutations=0)
    z = p.x - p.x.mean()
    lag = np.asarray(p.weights @ z)
    reference = _conditional(z, p.weights, lag, permutations, seed)
    # Iᵢ is the lag times zᵢ: where zᵢ is negative a large lag is a small Iᵢ.
    above = np.where(z > 0, reference.above, reference.below)
    below = np.where(z > 0, reference.below, reference.above)
    flat = np.abs(z) <= _ROUNDING * np.abs(z).max()
    above[flat] = below[flat] = permutations
    high, near = z > 0, lag > 0
    quadrant = np.where(near, np.where(high, "HH", "LH"), np.where(high, "HL", "LL")).astype(object)
    sim = {"p": _p_of_counts(above, below, permutations, alternative)} if permutations else {}
    # Where all other values are equal, a new deal changes nothing.
    rest = z @ z / len(z) - z**2 / (len(z) - 1)
    variance = np.where(rest > _ROUNDING * (z @ z) / len(z), np.asarray(found.VIc), 0.0)
    return _local(
        p, np.asarray(found.Is), np.asarray(found.EIc), variance, lag, quadrant, sim, alternative, fdr,
        alpha, np.diff(p.weights.indptr),
    )  # fmt: skip


def getis_ord(
    values: Any,
    graph: Any,
    *,
    star: bool = True,
    transformation: str = "b",
    permutations: int = 9999,
    seed: int | np.random.Generator | None = 0,
    alternative: str = "two-sided",
    fdr: str | None = "bh",
    alpha: float = 0.05,
    islands: str = "exclude",
) -> pd.DataFrame:
    """Local Getis–Ord G of every unit: Gᵢ = Σⱼ wᵢⱼ xⱼ / Σⱼ xⱼ, hot and cold spots.

    `star` True is Gᵢ* (the unit itself belongs to its surroundings, self-weight 1 before the transformation), False Gᵢ
    (sums over j ≠ i). Columns as in `local_moran`; ``z`` is the standardised G of J. K. Ord & A. Getis (*Geographical
    Analysis* 27, 1995), valid for any weights and any sign of x; with binary weights it is that of the binary formula.
    ``quadrant`` is "hot" where z > 0 and "cold" where z < 0; ``label`` the same where q ≤ `alpha`. Values are expected
    to be 0 or more; G itself is NaN where their sum is 0, z and p are not.
    """
    _check(permutations, alternative, fdr, alpha)
    p = spatial_graph.problem(values, graph, "b" if transformation == "b" else "o", islands)
    alone = np.diff(p.weights.indptr) == 0
    weights = p.weights
    if star:
        weights = sparse.csr_array(weights + sparse.diags_array(np.where(alone, 0.0, 1.0)))
    weights = spatial_graph._transform(weights, transformation)
    own = weights.diagonal()
    others = spatial_graph._without_self(weights)
    x, n = p.x, len(p.x)
    centred = x - x.mean()  # z does not change with the origin, and squares lose no digits
    total = np.asarray(weights @ x)
    size = n if star else n - 1
    base = np.full(n, x.sum()) if star else x.sum() - x
    mean = (np.zeros(n) if star else -centred) / size
    square = (np.full(n, centred @ centred) if star else centred @ centred - centred**2) / size
    spread = np.maximum(square - mean**2, 0.0)
    spread[spread <= _ROUNDING * (centred @ centred) / n] = 0.0
    w1, w2 = np.asarray(weights.sum(axis=1)).ravel(), np.asarray(weights.power(2).sum(axis=1)).ravel()
    with np.errstate(all="ignore"):
        base = np.where(np.abs(base) > 0, base, np.nan)
        variance = spread * (size * w2 - w1**2) / (size - 1)
        z = np.where(variance > 0, (weights @ centred - w1 * mean) / np.sqrt(variance), np.nan)
        g, expected, variance_g = total / base, w1 / size, variance / base**2
    reference = _conditional(x, others, total - own * x, permutations, seed)
    sim = {}
    if permutations:
        sim["p"] = _p_of_counts(reference.above, reference.below, permutations, alternative)
    quadrant = np.where(z > 0, "hot", "cold").astype(object)
    return _local(
        p, g, expected, variance_g, total, quadrant, sim, alternative, fdr, alpha,
        np.diff(others.indptr), z=z,
    )  # fmt: skip


def getis_ord_general(
    values: Any,
    graph: Any,
    *,
    permutations: int = 9999,
    seed: int | np.random.Generator | None = 0,
    alternative: str = "two-sided",
    islands: str = "exclude",
) -> GlobalResult:
    """General G = Σᵢⱼ wᵢⱼ xᵢ xⱼ / Σᵢ≠ⱼ xᵢ xⱼ with binary weights (A. Getis & J. K. Ord, *Geographical Analysis* 24,
    1992): do large values stand together. Values must be 0 or more, else ValueError."""
    _check(permutations, alternative)
    p = spatial_graph.problem(values, graph, "b", islands)
    if (p.x < 0).any():
        raise ValueError("the general G needs values of 0 or more")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from esda import G

        found = G(p.x, _graph(p), permutations=0)
    scale = p.x.sum() ** 2 - (p.x**2).sum()

    def statistic(block: Floats) -> Floats:
        return np.einsum("ij,ij->j", block, p.weights @ block) / scale

    sims = _permuted(p.x, statistic, permutations, seed)
    return _global(p, float(found.G), float(found.EG), np.nan, float(found.VG), sims, alternative)


def _check(permutations: int, alternative: str, fdr: str | None = None, alpha: float = 0.05) -> None:
    whole = isinstance(permutations, int | np.integer) and not isinstance(permutations, bool)
    if not whole or not 0 <= permutations <= 1_000_000:
        raise ValueError(f"permutations must be a whole number from 0 to 1,000,000, not {permutations!r}")
    if alternative not in ALTERNATIVES:
        raise ValueError(f"alternative must be one of {', '.join(ALTERNATIVES)}, not {alternative!r}")
    if fdr not in (None, "bh", "by"):
        raise ValueError(f"fdr must be 'bh', 'by' or None, not {fdr!r}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, not {alpha!r}")


def _graph(p: Problem) -> Any:
    from libpysal.graph import Graph

    return Graph.from_sparse(sparse.coo_array(p.weights))


def _permuted(x: Floats, statistic: Any, permutations: int, seed: Any) -> Floats:
    """`statistic` of `permutations` random orders of x, computed some at a time."""
    rng = np.random.default_rng(seed)
    out = np.empty(permutations)
    step = max(1, 4_000_000 // len(x))
    for start in range(0, permutations, step):
        count = min(step, permutations - start)
        block = rng.permuted(np.broadcast_to(x, (count, len(x))), axis=1).T
        out[start : start + count] = statistic(np.ascontiguousarray(block))
    return out


def _global(
    p: Problem, statistic: float, expected: float, norm: float, rand: float, sims: Floats, alternative: str
) -> GlobalResult:
    with np.errstate(all="ignore"):
        z_norm, z_rand = (float((statistic - expected) / np.sqrt(v)) if v > 0 else np.nan for v in (norm, rand))
    p_sim = z_sim = mean = sd = np.nan
    if len(sims):
        slack = _ROUNDING * max(1e-12, float(np.abs(sims).max()))
        above, below = (sims >= statistic - slack).sum(), (sims <= statistic + slack).sum()
        p_sim = float(_p_of_counts(np.array([above]), np.array([below]), len(sims), alternative)[0])
        mean, sd = float(sims.mean()), float(sims.std())
        z_sim = (statistic - mean) / sd if sd > 0 else np.nan
    return GlobalResult(
        statistic=statistic, expectation=expected, variance_norm=norm, variance_rand=rand,
        z_norm=z_norm, z_rand=z_rand,
        p_norm=float(_p_of_z(np.array(z_norm), alternative)), p_rand=float(_p_of_z(np.array(z_rand), alternative)),
        expectation_sim=mean, sd_sim=sd, z_sim=z_sim, p_sim=p_sim, n=len(p.used), islands=int(p.island.sum()),
        missing=int(p.missing.sum()), permutations=len(sims), alternative=alternative,
    )  # fmt: skip


def _p_of_z(z: npt.NDArray[np.float64], alternative: str) -> Floats:
    if alternative == "greater":
        return np.asarray(stats.norm.sf(z))
    if alternative == "less":
        return np.asarray(stats.norm.cdf(z))
    tail = stats.norm.sf(np.abs(z))
    return np.asarray(tail if alternative == "directed" else 2 * tail)


def _p_of_counts(above: Ints, below: Ints, permutations: int, alternative: str) -> Floats:
    """(1 + at least as extreme) / (1 + permutations); `above` and `below` both count ties."""
    if alternative == "greater":
        extreme = above
    elif alternative == "less":
        extreme = below
    else:
        extreme = np.minimum(above, below)
    p = (extreme + 1.0) / (permutations + 1.0)
    return np.asarray(np.minimum(1.0, 2 * p) if alternative == "two-sided" else p)


@dataclass(frozen=True, eq=False)
class _Reference:
    above: Ints
    below: Ints


def _conditional(x: Floats, weights: sparse.csr_array, lag: Floats, permutations: int, seed: Any) -> _Reference:
    """How many of `permutations` random neighbourhoods have a lag of at least, and at most, the observed one.

    The neighbours of a unit are drawn from all others. The same draws serve every unit, as in other software; each
    unit's own p value is exact, those of different units depend on each other.
    """
    n = len(x)
    cards = np.diff(weights.indptr)
    above, below = np.full(n, permutations), np.full(n, permutations)
    if not permutations:
        return _Reference(above, below)
    rng = np.random.default_rng(seed)
    chosen = spatial_graph.draws(n - 1, int(cards.max()), permutations, rng)
    columns = np.ascontiguousarray(chosen.T)
    slack = _ROUNDING * max(float(np.abs(x).max()), 1e-300)
    for i in range(n):
        if not cards[i]:
            continue
        row = weights.data[weights.indptr[i] : weights.indptr[i + 1]]
        others = np.delete(x, i)
        if np.ptp(row) == 0:
            sums = others[columns[0]]
            for k in range(1, cards[i]):
                sums += others[columns[k]]
            sums *= row[0]
        else:
            sums = row @ others[columns[: cards[i]]]
        near = slack * max(1.0, float(np.abs(row).sum()))
        above[i] = np.count_nonzero(sums >= lag[i] - near)
        below[i] = np.count_nonzero(sums <= lag[i] + near)
    return _Reference(above, below)


def _local(
    p: Problem, statistic: Floats, expected: Floats, variance: Floats, lag: Floats, quadrant: npt.NDArray[Any],
    sim: dict[str, Floats], alternative: str, fdr: str | None, alpha: float, neighbours: Ints, z: Floats | None = None,
) -> pd.DataFrame:  # fmt: skip
    """The table of a local statistic; units without neighbours or value are NaN and say why."""
    with np.errstate(all="ignore"):
        if z is None:
            z = np.where(variance > 0, (statistic - expected) / np.sqrt(variance), np.nan)
    p_norm = _p_of_z(z, alternative)
    columns = {
        "statistic": statistic, "expectation": expected, "variance": variance, "z": z,
        "p": sim.get("p", p_norm), "p_norm": p_norm, "lag": lag,
    }  # fmt: skip
    alone = neighbours == 0
    out = pd.DataFrame({name: p.spread(np.where(alone, np.nan, part)) for name, part in columns.items()}, index=p.index)
    known = out["p"].notna().to_numpy()
    q = out["p"].to_numpy().copy()
    if fdr is not None and known.any():
        q[known] = stats.false_discovery_control(q[known], method=fdr)
    out.insert(6, "q", q)
    out["neighbours"] = p.spread(neighbours, 0)
    where = np.full(len(p.index), "", dtype=object)
    where[p.used] = np.where(alone, "", quadrant)
    out["quadrant"] = where
    label = np.where(out["q"].to_numpy() <= alpha, where, NOT_SIGNIFICANT).astype(object)
    label[(where == "") & ~p.missing] = NO_NEIGHBOURS
    label[p.missing] = MISSING
    out["label"] = label
    return out
