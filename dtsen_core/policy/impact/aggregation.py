"""From group-time effects to event study and overall effects, with the errors of the weights counted in."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from dtsen_core.policy.impact import checks
from dtsen_core.policy.impact.checks import Floats
from dtsen_core.policy.impact.panel import Panel
from dtsen_core.policy.impact.results import DiDResult, Effect, PreTrend

POWER = 0.8  # of the minimum detectable effect
SMALL = 5  # units of a group, below which its own spread is hardly seen
METHOD = "group-time effects (Callaway and Sant'Anna 2021)"


class _Sums:
    """Weighted means of group-time effects and their standard errors.

    Weights are shares of the groups among units; their own sampling error enters the influence function
    (Callaway & Sant'Anna 2021, section 4.2).
    """

    def __init__(self, panel: Panel, cells: pd.DataFrame, influence: Floats) -> None:
        self.panel, self.influence = panel, influence
        self.effect = cells["estimate"].to_numpy(np.float64)
        self.group = cells["group"].to_numpy(np.float64)
        self.n = len(panel.y)
        clusters = self.n if panel.cluster is None else int(panel.cluster.max()) + 1
        # with fewer clusters than units: the correction and degrees of freedom of Cameron & Miller (2015, J. of Human
        # Resources 50(2)); a normal interval from ten clusters covers far too seldom
        self.df = float(clusters - 1) if clusters < self.n else float("inf")
        self.scale = float(np.sqrt(clusters / (clusters - 1))) if clusters < self.n else 1.0
        self.share = {g: float((panel.w * (panel.first == g)).mean()) for g in panel.groups}

    def mean(self, chosen: np.ndarray) -> tuple[float, Floats]:
        """Mean over the cells `chosen` (positions), weighted by group size, and its influence function."""
        share = np.array([self.share[g] for g in self.group[chosen]])
        total = share.sum()
        weight = share / total
        estimate = float(weight @ self.effect[chosen])
        own = self.influence[:, chosen] @ weight
        member = np.column_stack([self.panel.w * (self.panel.first == g) for g in self.group[chosen]])
        away = member - share
        of_weights = away / total - away.sum(axis=1, keepdims=True) * share / total**2
        return estimate, own + of_weights @ self.effect[chosen]

    def of_groups(self, parts: list[tuple[float, float, Floats]]) -> tuple[float, Floats]:
        """Mean of effects by group (group, effect, influence), weighted by group size."""
        share = np.array([self.share[g] for g, _, _ in parts])
        effect = np.array([e for _, e, _ in parts])
        total = share.sum()
        weight = share / total
        own = np.column_stack([i for _, _, i in parts]) @ weight
        away = np.column_stack([self.panel.w * (self.panel.first == g) for g, _, _ in parts]) - share
        of_weights = away / total - away.sum(axis=1, keepdims=True) * share / total**2
        return float(weight @ effect), own + of_weights @ effect

    def by_cluster(self, influence: Floats) -> Floats:
        """Influence summed within clusters, divided by the number of units: rows whose squares add to V."""
        scaled = influence * self.scale / self.n
        if self.panel.cluster is None:
            return scaled
        clusters = int(self.panel.cluster.max()) + 1
        summed = np.zeros((clusters, *scaled.shape[1:]))
        np.add.at(summed, self.panel.cluster, scaled)
        return summed

    def se(self, influence: Floats) -> float:
        return float(np.sqrt((self.by_cluster(influence) ** 2).sum()))


def _effect(sums: _Sums, estimate: float, influence: Floats, z: float) -> Effect:
    se = sums.se(influence)
    p = checks.two_sided(estimate / se, sums.df) if se > 0 else float("nan")
    return Effect(estimate, se, (estimate - z * se, estimate + z * se), p)


def _critical(sums: _Sums, influence: Floats, z: float, level: float, draws: int, seed: int) -> float:
    """Critical value of a simultaneous band: multiplier bootstrap with Mammen's two-point weights."""
    rows = sums.by_cluster(influence)
    se = np.sqrt((rows**2).sum(axis=0))
    rows = rows[:, se > 0] / se[se > 0]
    if not rows.size or draws < 1:
        return z
    rng = np.random.default_rng(seed)
    root, peaks = np.sqrt(5), []
    for _ in range(draws):
        high = rng.random(len(rows)) < (root - 1) / (2 * root)
        peaks.append(np.abs(np.where(high, (1 + root) / 2, (1 - root) / 2) @ rows).max())
    return float(max(np.quantile(peaks, level), z))


def aggregate(
    panel: Panel, cells: pd.DataFrame, influence: Floats, control: str, level: float, draws: int, seed: int
) -> DiDResult:
    """Everything that follows from the group-time effects `cells` and their influence functions."""
    sums = _Sums(panel, cells, influence)
    z = float(stats.t.ppf((1 + level) / 2, sums.df))
    post = cells["post"].to_numpy(bool)
    event = cells["time"].to_numpy(np.float64) - sums.group
    labels = dict(zip(panel.times.tolist(), panel.labels))

    rows, functions = [], []
    for e in np.unique(event):
        chosen = np.flatnonzero(event == e)
        estimate, own = sums.mean(chosen)
        rows.append((e, estimate, sums.se(own), len(chosen)))
        functions.append(own)
    study = pd.DataFrame(rows, columns=["event", "estimate", "se", "groups"])
    together = np.column_stack(functions)
    reach = _critical(sums, together, z, level, draws, seed)
    for name, factor in (("ci", z), ("band", reach)):
        study[f"{name}_low"] = study["estimate"] - factor * study["se"]
        study[f"{name}_high"] = study["estimate"] + factor * study["se"]
    if (study["event"] == study["event"].round()).all():
        study["event"] = study["event"].astype(int)
    after = study["event"].to_numpy() >= 0
    dynamic = _effect(sums, float(study["estimate"][after].mean()), together[:, after].mean(axis=1), z)

    parts = []
    for g in panel.groups:
        chosen = np.flatnonzero(post & (sums.group == g))
        if len(chosen):
            weight = np.full(len(chosen), 1 / len(chosen))
            parts.append((g, float(weight @ sums.effect[chosen]), influence[:, chosen] @ weight))
    by_group = _listed(sums, "group", [(panel.group_labels[g], e, i) for g, e, i in parts], z)
    moments = []
    for t in panel.times:
        chosen = np.flatnonzero(post & (cells["time"].to_numpy(np.float64) == t))
        if len(chosen):
            moments.append((labels[t], *sums.mean(chosen)))
    by_calendar = _listed(sums, "time", moments, z)
    calendar_mean = float(np.mean([e for _, e, _ in moments]))
    calendar = _effect(sums, calendar_mean, np.mean([i for _, _, i in moments], axis=0), z)
    simple = _effect(sums, *sums.mean(np.flatnonzero(post)), z)

    table = cells.copy()
    table["se"] = [sums.se(influence[:, k]) for k in range(len(cells))]
    table["ci_low"], table["ci_high"] = (table["estimate"] + sign * z * table["se"] for sign in (-1, 1))
    table["group"] = [panel.group_labels[g] for g in table["group"]]
    table["time"] = [labels[t] for t in table["time"]]
    order = ["group", "time", "estimate", "se", "ci_low", "ci_high", "post", "n_treated", "n_control"]
    used = {g for g, _, _ in parts}
    notes = list(panel.notes)
    if left := [panel.group_labels[g] for g in panel.groups if g not in used]:
        notes.append(f"no effect can be estimated for first treatment at {', '.join(map(str, left))}")
    small = [panel.group_labels[g] for g in panel.groups if g in used and (panel.first == g).sum() < SMALL]
    if small:
        notes.append(f"fewer than {SMALL} units first treated at {', '.join(map(str, small))}: errors are too small")
    return DiDResult(
        table[order], study[["event", "estimate", "se", "ci_low", "ci_high", "band_low", "band_high", "groups"]],
        by_group, by_calendar, simple, dynamic, _effect(sums, *sums.of_groups(parts), z), calendar,
        _pretrend(sums, influence, post), float((z + stats.t.ppf(POWER, sums.df)) * simple.se), len(panel.y),
        int(np.isin(panel.first, list(used)).sum()), int(panel.never.sum()), int((~np.isnan(panel.y)).sum()),
        control, float(level), METHOD, notes=tuple(notes),
    )  # fmt: skip


def _listed(sums: _Sums, name: str, parts: list[tuple[object, float, Floats]], z: float) -> pd.DataFrame:
    rows = []
    for label, estimate, influence in parts:
        found = _effect(sums, estimate, influence, z)
        rows.append((label, found.estimate, found.se, *found.ci))
    return pd.DataFrame(rows, columns=[name, "estimate", "se", "ci_low", "ci_high"])


def _pretrend(sums: _Sums, influence: Floats, post: np.ndarray) -> PreTrend:
    """Wald test that the group-time effects before treatment are all zero."""
    before = np.flatnonzero(~post)
    if not len(before):
        return PreTrend(float("nan"), 0, float("nan"))
    rows = sums.by_cluster(influence[:, before])
    covariance = rows.T @ rows
    rank = int(np.linalg.matrix_rank(covariance, hermitian=True))
    if rank == 0:
        return PreTrend(float("nan"), 0, float("nan"))
    effect = sums.effect[before]
    statistic = float(effect @ np.linalg.pinv(covariance, hermitian=True) @ effect)
    few = np.isfinite(sums.df)
    p = stats.f.sf(statistic / rank, rank, sums.df) if few else stats.chi2.sf(statistic, rank)
    return PreTrend(statistic, rank, float(p))
