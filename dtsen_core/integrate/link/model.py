"""The model of Fellegi and Sunter, fitted without labels and guarded against what little data can do to it.

I. P. Fellegi, A. B. Sunter, "A theory for record linkage", JASA 64 (1969); W. E. Winkler, "Using the EM
algorithm for weight computation in the Fellegi-Sunter model of record linkage" (1988).

The likelihood is that of *all* pairs: those no key brought together are taken as two different people, so the
share of matches, `m` and `u` refer to the whole and need no correction for how pairs were found. `u` comes
from random pairs less the matches expected among them; `m` from expectation maximisation with a weak prior.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dtsen_core.integrate.link.comparisons import Comparison

Array = npt.NDArray[np.float64]
PRIOR_PAIRS_M = 200.0
"""Pairs for which the expected agreement of matches counts: few weak columns must not talk EM into taking people who
share a street and an area code for one person."""
PRIOR_PAIRS_U = 40.0
ROUNDS = 200
ERROR_ROUNDS = 3
LEAST_M_ELSE = 0.004
MOST_M_ELSE = 0.35
"""A column that somebody asks to compare agrees, more or less, in most pairs of the same person: otherwise the fit
would take things that share a street, and nothing else, for one thing."""
LEAST_CHANCE = 0.1
"""Of the pairs that agree in one column at least so many per match are taken to agree by chance: no column is an
identifier, and none alone outweighs all others."""
MOST_ERRORS = 3
"""Pairs that differ in so many columns or more are counted as one class."""
PRIOR_PAIRS_ERRORS = 20.0
LEAST_ERRORS, MOST_ONE_ERROR = -4.0, 0.5
"""The number of differing columns says at least so many bits. One difference can be usual; that several would speak
for a match is not believed, as the fit would then feed on pairs of different people."""
LEAST_U = 1e-7
"""No agreement is taken to be rarer than this among different people."""
MOST_GROWTH = 1.5
"""If the fit among all pairs finds more than so many times the matches of the consistent ones, it has taken up
another class of pairs (relatives), and is done again among consistent pairs alone."""
SMOOTH = 1.0
"""Pairs added to those counted and expected before the two are compared."""
CONSISTENT = 0.25
"""The first fit learns only from pairs of which the columns that differ altogether tell at most this part. People of
one household, one address and one surname are more frequent than doubles, and unguided the fit would take them for
what it looks for."""
LEAST_EXCESS = 0.7
"""Agreement of two columns counts twice only if it is at least so many bits more frequent than by chance."""


@dataclass
class Evidence:
    """What is counted. `patterns`: levels (−1 unknown, 0 exact …) of compared pairs, one row per distinct
    pattern, `weight` how many pairs show it; the same of random pairs. `random`: per comparison the pairs at each
    level among all possible pairs, by estimate. `chance`: per comparison the least and the most pairs of different
    people that agree exactly. `together`: pairs agreeing exactly on two columns, among all. `total`: all pairs.
    `most`: most matches there can be. `foreign`: columns that the two tables write in other words throughout."""

    patterns: npt.NDArray[np.int64]
    weight: Array
    random_patterns: npt.NDArray[np.int64]
    random_weight: Array
    random: list[Array]
    chance: list[tuple[float, float]]
    together: dict[tuple[int, int], float]
    total: float
    most: float
    foreign: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Excess:
    """Bits of a column that were already counted with column `other` when both agree exactly, or at all."""

    other: int
    exact: float
    any: float


@dataclass
class Model:
    """Probabilities per comparison and level, share of matches among all pairs, and what to take off a column
    because another already says it. `errors`: per number of columns that do not agree exactly (the last: or
    more), how much more frequent (log2) it is among matches than if columns erred independently."""

    m: list[Array]
    u: list[Array]
    share: float
    excess: dict[int, tuple[Excess, ...]]
    errors: tuple[float, ...] = ()

    def prior(self) -> float:
        """log2 odds that a random pair is a match."""
        return float(np.log2(self.share / (1 - self.share)))


def fit(comparisons: list[Comparison], seen: Evidence) -> Model:
    """Fit by expectation maximisation.

    At first only among consistent pairs (`CONSISTENT`); all others tell which columns go along with each other among
    different people (place and surname in a household). Then among all pairs, in rounds that take off what
    dependent columns count twice.
    """
    prior_m = [np.array([level.m for level in c.levels]) for c in comparisons]
    for n in seen.foreign:
        prior_m[n][-1] += prior_m[n][0]
        prior_m[n][0] = LEAST_U
    prior_m = [m / m.sum() for m in prior_m]
    most_else = [1.0 if n in seen.foreign else MOST_M_ELSE for n in range(len(comparisons))]
    prior_u = [np.array([max(level.u, 1e-6) for level in c.levels]) for c in comparisons]
    prior_u = [u / u.sum() for u in prior_u]
    model = Model([m.copy() for m in prior_m], [u.copy() for u in prior_u], 0.5, {})
    for n in range(len(comparisons)):
        model.u[n] = _shrunk(_others(seen, n), prior_u[n], PRIOR_PAIRS_U)
    alike, alike_by_chance = (
        _consistent(model, patterns, seen.foreign) for patterns in (seen.patterns, seen.random_patterns)
    )
    start = min(max(1.0, 0.2 * seen.most), max(1.0, float(seen.weight[alike].sum()))) / seen.total
    model.share = min(start, 0.5)
    _guard(model, comparisons, most_else, LEAST_CHANCE * model.share)
    model.excess = _excess(model, seen, matched=alike, apart=~alike_by_chance)
    _climb(model, comparisons, seen, prior_m, prior_u, most_else, alike, only=True)
    first = copy.deepcopy(model)
    for only in (False, True):
        for _ in range(ERROR_ROUNDS):
            model.excess = _excess(model, seen)
            model.errors = _errors(model, seen)
            _climb(model, comparisons, seen, prior_m, prior_u, most_else, alike, only=only)
        if only or model.share <= MOST_GROWTH * first.share:
            break
        model = first
    return model


def known(comparisons: list[Comparison], seen: Evidence, *, share: float, strength: float) -> Model:
    """A model whose `m` comes from known matches: ``seen.patterns`` are theirs. The priors count like `strength`
    pairs, as the matches still to be found agree less than those already found; `share` is given."""
    m, u = [], []
    for n, comparison in enumerate(comparisons):
        level = seen.patterns[:, n]
        told = level >= 0
        found = np.bincount(level[told], weights=seen.weight[told], minlength=len(comparison.levels))
        prior = np.array([one.m for one in comparison.levels])
        held = np.array([max(one.u, 1e-9) for one in comparison.levels])
        part = min(1.0, strength / max(found.sum(), 1.0))
        m.append(_shrunk(found * part, prior / prior.sum(), strength))
        u.append(np.maximum(_shrunk(seen.random[n], held / held.sum(), PRIOR_PAIRS_U), LEAST_U))
    model = Model(m, u, share, {})
    _guard(model, comparisons)
    matched = Model(model.m, model.u, 0.9, {})
    model.excess = _excess(matched, seen, share)
    return model


def weights(model: Model) -> list[Array]:
    """log2 Bayes factor per comparison and level."""
    return [np.log2(m / u) for m, u in zip(model.m, model.u)]


def _posterior(model: Model, patterns: npt.NDArray[np.int64]) -> Array:
    bits = np.full(len(patterns), model.prior())
    all_weights = weights(model)
    given = [np.where(patterns[:, n] < 0, 0.0, w[np.maximum(patterns[:, n], 0)]) for n, w in enumerate(all_weights)]
    for value in given:
        bits += value
    for b, known_before in model.excess.items():
        counted = np.zeros(len(patterns))
        for excess in known_before:
            a = excess.other
            exact = (patterns[:, a] == 0) & (patterns[:, b] == 0)
            both = (given[a] > 0) & (given[b] > 0)
            counted = np.maximum(counted, np.where(exact, excess.exact, np.where(both, excess.any, 0.0)))
        bits -= counted
    if model.errors:
        bits += np.array(model.errors)[_differing(patterns)]
    return 1.0 / (1.0 + np.exp2(-np.clip(bits, -200, 200)))


def _climb(
    model: Model,
    comparisons: list[Comparison],
    seen: Evidence,
    prior_m: list[Array],
    prior_u: list[Array],
    most_else: list[float],
    alike: npt.NDArray[np.bool_],
    *,
    only: bool = False,
) -> None:
    for _ in range(ROUNDS):
        p = _posterior(model, seen.patterns) * seen.weight
        if only:
            p = p * alike
        matches = float(p.sum())
        before = model.share
        model.share = float(np.clip((matches + 0.5) / (seen.total + 1.0), 0.25 / (seen.total + 1.0), 0.9))
        model.share = min(model.share, max(seen.most / seen.total, 0.25 / (seen.total + 1.0)), 0.9)
        for n in range(len(comparisons)):
            level = seen.patterns[:, n]
            known = level >= 0
            found = np.bincount(level[known], weights=p[known], minlength=len(prior_m[n])).astype(np.float64)
            model.m[n] = _shrunk(found, prior_m[n], PRIOR_PAIRS_M)
            model.u[n] = _shrunk(_others(seen, n, found), prior_u[n], PRIOR_PAIRS_U)
        _guard(model, comparisons, most_else, LEAST_CHANCE * model.share)
        if abs(np.log(model.share / before)) < 1e-4:
            break


def _others(seen: Evidence, n: int, found: Array | float = 0.0) -> Array:
    """Pairs of different people at each level of column `n`: all less the matches `found`, exact ones between the
    bounds of chance."""
    counts = np.maximum(seen.random[n] - found, 0.0)
    counts[0] = np.clip(counts[0], *seen.chance[n])
    return counts


def _differing(patterns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number of columns per pattern that are known and do not agree exactly, up to `MOST_ERRORS`."""
    return np.minimum((patterns > 0).sum(axis=1), MOST_ERRORS)


def _errors(model: Model, seen: Evidence) -> tuple[float, ...]:
    """How the number of differing columns among matches departs from independence, as log2 ratios.

    Where each record was damaged at one place, two differences are rarer than their product says; where some
    records are careless throughout, they are more frequent. Full agreement is never worth less than one difference.
    """
    p = _posterior(model, seen.patterns) * seen.weight
    found = np.bincount(_differing(seen.patterns), weights=p, minlength=MOST_ERRORS + 1)
    alone = np.zeros((len(p), MOST_ERRORS + 1))
    alone[:, 0] = 1.0
    for n, m in enumerate(model.m):
        wrong = np.where(seen.patterns[:, n] >= 0, 1.0 - m[0], 0.0)[:, None]
        more = np.concatenate([np.zeros((len(p), 1)), alone[:, :-1]], axis=1)
        more[:, -1] += alone[:, -1]
        alone = alone * (1.0 - wrong) + more * wrong
    expected = (p[:, None] * alone).sum(axis=0)
    bits = np.log2((found + PRIOR_PAIRS_ERRORS * expected / max(expected.sum(), 1e-9) + 1e-9)
                   / (expected + PRIOR_PAIRS_ERRORS * expected / max(expected.sum(), 1e-9) + 1e-9))  # fmt: skip
    bits -= min(bits[1], 0.0)
    bits = np.clip(bits, LEAST_ERRORS, [0.0, MOST_ONE_ERROR, *[0.0] * (MOST_ERRORS - 1)])
    bits[0] = bits[1] = max(bits[0], bits[1])
    return tuple(float(value) for value in bits)


def _shrunk(counts: Array, prior: Array, strength: float) -> Array:
    raised = counts + strength * prior
    return raised / raised.sum()


def _guard(
    model: Model, comparisons: list[Comparison], most_else: list[float] | None = None, least_u: float = 0.0
) -> None:
    """Better agreement never speaks less for a match: levels out of order share one weight; u of a swapped
    pair of columns is that of exact agreement; disagreement is never impossible for a match."""
    for n, comparison in enumerate(comparisons):
        m, u = model.m[n], model.u[n]
        u[0] = max(u[0], least_u)
        for k, level in enumerate(comparison.levels):
            if level.like_exact:
                u[k] = u[0]
        m[-1] = min(max(m[-1], LEAST_M_ELSE), 1.0 if most_else is None else most_else[n])
        groups: list[list[int]] = []
        for k, level in enumerate(comparison.levels):
            if level.like_exact:
                continue
            groups.append([k])
            while len(groups) > 1 and _ratio(m, u, groups[-2]) < _ratio(m, u, groups[-1]):
                last = groups.pop()
                groups[-1] += last
        for group in groups:
            if len(group) > 1:
                ratio = _ratio(m, u, group)
                for k in group:
                    m[k] = max(ratio * u[k], 1e-9)
        if m[0] < u[0]:
            m[:] = u
        m /= m.sum()
        u /= u.sum()


def _ratio(m: Array, u: Array, group: list[int]) -> float:
    return float(m[group].sum() / u[group].sum())


def _consistent(model: Model, patterns: npt.NDArray[np.int64], foreign: frozenset[int]) -> npt.NDArray[np.bool_]:
    """Patterns in which the columns that differ altogether hold at most `CONSISTENT` of what all known ones tell;
    `foreign` ones always differ and do not count."""
    known, differing = np.zeros(len(patterns)), np.zeros(len(patterns))
    for n, u in enumerate(model.u):
        told = 0.0 if n in foreign else float(-np.log2(u[0]))
        known += told * (patterns[:, n] >= 0)
        differing += told * (patterns[:, n] == len(u) - 1)
    return differing <= CONSISTENT * known


def _excess(
    model: Model,
    seen: Evidence,
    share: float | None = None,
    *,
    matched: npt.NDArray[np.bool_] | None = None,
    apart: npt.NDArray[np.bool_] | None = None,
) -> dict[int, tuple[Excess, ...]]:
    """Columns of which others foretell one (postcode and place, address and surname of a family, given name
    and mail address): the bits by which agreement on both is more frequent among different people than by
    chance, once for exact agreement (counted over all pairs), once for any (from random pairs). Per column every
    rarer one it goes along with; the strongest that agrees in a pair counts. `matched`, `apart`: which patterns
    are taken for the same person and for two people, where no model tells yet."""
    others_model = model if share is None else Model(model.m, model.u, share, {})
    p = _posterior(model, seen.patterns) if matched is None else matched.astype(np.float64)
    unlike = 1.0 - _posterior(others_model, seen.random_patterns) if apart is None else apart.astype(np.float64)
    unlike = unlike * seen.random_weight
    good = [weight > 0 for weight in weights(model)]
    known = [seen.random_patterns[:, n] >= 0 for n in range(len(good))]
    agree = [known[n] & good[n][np.maximum(seen.random_patterns[:, n], 0)] for n in range(len(good))]
    order = sorted(range(len(model.u)), key=lambda n: model.u[n][0])
    told_of = [float(counts.sum()) / seen.total for counts in seen.random]
    taken: dict[int, tuple[Excess, ...]] = {}
    for place, b in enumerate(order):
        most = float(-np.log2(model.u[b][0]))
        found = []
        for a in order[:place]:
            both = (seen.patterns[:, a] == 0) & (seen.patterns[:, b] == 0)
            same = float((p * seen.weight)[both].sum())
            others = max(seen.together[(min(a, b), max(a, b))] - same, 0.0)
            chance = model.u[a][0] * model.u[b][0] * told_of[a] * told_of[b] * seen.total
            exact = float(np.log2((max(others - np.sqrt(others), 0.0) + SMOOTH) / (chance + SMOOTH)))
            told = known[a] & known[b]
            rate = [float(unlike[told & agree[n]].sum() / max(unlike[told].sum(), 1.0)) for n in (a, b)]
            fuzzy = float(
                np.log2((unlike[agree[a] & agree[b]].sum() + 3.0) / (rate[0] * rate[1] * unlike[told].sum() + 3.0))
            )
            if max(exact, fuzzy) >= LEAST_EXCESS:
                found.append(Excess(a, min(max(exact, fuzzy), most), min(max(fuzzy, 0.0), most)))
        if found:
            taken[b] = tuple(found)
    return taken
