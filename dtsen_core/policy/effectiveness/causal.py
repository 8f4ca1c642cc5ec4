"""Causal effect of a programme from the follow-up survey: a discontinuity, and staggered entry.

Discontinuity. Running variable: the national decile threshold after the programme's last decile minus the family's
score (ln rupiah, ≥ 0 = may be served), among families that meet the rule's other condition. Treatment: listed in
the last quarter. Outcome: its change since the first quarter, which removes what is the family's own.
Staggered entry. Families not listed in the first quarter; first treated in the quarter of entry, never if they
stay out. Families whose other programmes change are left out, so that an effect is not another programme's.

A design whose diagnostics fail is not credible: `Verdict.failed` says which, and no headline is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from dtsen_core.policy import family_traits, impact
from dtsen_core.policy.cube import GROUPS, SIZES, base_model
from dtsen_core.policy.effectiveness.scope import Scope
from dtsen_core.policy.impact.local_linear import coverage_rate
from dtsen_core.policy.models import scorecard_for
from dtsen_core.policy.programme_rules import Rule, as_date
from dtsen_core.rank import engine
from dtsen_core.rank.packing import check
from dtsen_core.rank.scorecard import REGENCIES
from dtsen_core.registry.dataset import Dataset

OUTCOMES = ("ln_expenditure", "school")
DESIGNS = ("rd", "did")
PANEL = "outcome_panel"
ALPHA = 0.05
AGREE = 1.96  # standard errors by which the two estimators may differ
CLUSTERS = 10  # regencies from which errors are clustered by them; fewer say too little of their own spread
FEWEST = 100  # families on a side of the cut-off, entrants, or comparison families
FLAGS = {"pkh": "pkh", "sembako": "sembako", "pbi": "pbi_persons", "pip": "pip_pupils", "blt_desa": "blt_desa"}
_COVARIATES = {
    "family_size": "f.family_size", "female_head": "t.female_head::INTEGER", "elderly_head": "t.elderly_head::INTEGER",
    "disability": "t.disability::INTEGER", "urban": "(f.urban = 1)::INTEGER",
}  # fmt: skip
_GROUPS = {"all": "", **{name: f" AND t.{name}" for name in GROUPS},
           **{name: f" AND {sql}" for name, sql in SIZES.items()}}  # fmt: skip
Step = Callable[[float], None]


@dataclass(frozen=True)
class Check:
    """One diagnostic: stable `code`, what was measured, whether it passed, and the item it is about."""

    code: str
    passed: bool
    value: float
    item: str = ""


@dataclass(frozen=True, eq=False)
class Verdict:
    """An estimate with its diagnostics. `result` None where nothing could be estimated (`reason` says why, in
    English words of the estimator); `tables` by name for the charts; `n` families used; `cross` the same effect by
    the imputation estimator, where there is one; `clusters` regencies in which errors are clustered (0: families)."""

    design: str
    outcome: str
    result: impact.RDResult | impact.DiDResult | None
    checks: tuple[Check, ...] = ()
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    reason: str = ""
    n: int = 0
    cross: impact.Effect | None = None
    clusters: int = 0

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(c for c in self.checks if not c.passed)

    @property
    def credible(self) -> bool:
        return self.result is not None and not self.failed

    @property
    def estimate(self) -> tuple[float, float, float]:
        """(estimate, low, high); NaN without a result. The robust interval where there is one."""
        if self.result is None:
            return (float("nan"),) * 3
        if isinstance(self.result, impact.RDResult):
            return (self.result.estimate, *self.result.best_ci)
        return (self.result.simple.estimate, *self.result.simple.ci)


def has_panel(dataset: Dataset) -> bool:
    return dataset.has_table(PANEL) and dataset.has_table("enrolment")


def rd_frame(dataset: Dataset, rule: Rule, scope: Scope, outcome: str) -> pd.DataFrame:
    """One row per surveyed family that meets the rule's condition: gap (≥ 0 = may be served), listed 0/1,
    change of `outcome`, covariates fixed before the rule, `other_<key>` listed elsewhere, regency."""
    last, model = rule.decile_to, base_model(dataset)
    if last is None or not rule.flag or not model or outcome not in OUTCOMES:
        return pd.DataFrame()
    cursor = dataset.cursor()
    family_traits.write(cursor, as_date(dataset.manifest.as_of), PANEL)
    card = scorecard_for(dataset, model)
    packing = check(cursor)
    engine.fill_lookups(cursor, packing, card, "rd_lut")
    total, joins = engine.score_joins(packing, card.sets, "rd_lut")
    regency, urban = (part.ravel() for part in np.indices((REGENCIES, 3)))
    cursor.register("base_rows", pa.table({"area": (regency * 3 + urban).astype(np.int32),
                                           "base": card.area[regency, urban]}))  # fmt: skip
    condition, values = scope.where()
    others = ", ".join(f"(f.{flag} > 0)::INTEGER AS other_{k}" for k, flag in FLAGS.items() if flag != rule.flag)
    named = ", ".join(f"{sql} AS {name}" for name, sql in _COVARIATES.items())
    frame = cursor.execute(f"""WITH scored AS (
  SELECT f.*, {total} + b.base AS score FROM family_packed AS f
  JOIN base_rows AS b ON b.area = f.regency::INTEGER * 3 + f.urban
  {joins}
), threshold AS (SELECT min(score) AS t FROM scored WHERE desil_nasional > {int(last)} AND desil_nasional > 0
), change AS (
  SELECT id_keluarga, arg_max({outcome}, quarter) - arg_min({outcome}, quarter) AS change
  FROM {PANEL} WHERE {outcome} IS NOT NULL GROUP BY id_keluarga HAVING count(*) > 1
)
SELECT (limits.t - 0.5 - f.score) / 1000.0 AS gap, (f.{rule.flag} > 0)::INTEGER AS listed, c.change, f.regency,
  f.urban = 1 AS is_urban, t.has_component AS component, {named}, {others}
FROM change AS c JOIN scored AS f USING (id_keluarga) JOIN traits AS t USING (id_keluarga)
  CROSS JOIN threshold AS limits
WHERE f.desil_nasional > 0 AND {condition}{_GROUPS[scope.group]}
ORDER BY id_keluarga""", values).df()
    cursor.unregister("base_rows")
    if rule.condition == "has_component":
        frame = frame[frame["component"]]
    elif rule.condition in ("rural", "urban"):
        frame = frame[frame["is_urban"] == (rule.condition == "urban")]
    return frame.drop(columns=["component", "is_urban"]).reset_index(drop=True)


def did_frame(dataset: Dataset, rule: Rule, scope: Scope, outcome: str) -> pd.DataFrame:
    """One row per surveyed family and quarter: id, quarter, outcome, first (entry, None = never), regency."""
    if not rule.enrolment or outcome not in OUTCOMES:
        return pd.DataFrame()
    condition, values = scope.where()
    cursor = dataset.cursor()
    family_traits.write(cursor, as_date(dataset.manifest.as_of), PANEL)
    return cursor.execute(f"""WITH quarters AS (
  SELECT DISTINCT quarter FROM {PANEL}
), sampled AS (SELECT DISTINCT id_keluarga FROM {PANEL}
), listed AS (
  SELECT e.id_keluarga, e.program, count(DISTINCT e.quarter) AS times, min(e.quarter) AS entry
  FROM enrolment AS e SEMI JOIN sampled USING (id_keluarga) SEMI JOIN quarters USING (quarter)
  GROUP BY e.id_keluarga, e.program
), own AS (SELECT id_keluarga, entry, times FROM listed WHERE program = ?
), moving AS (
  SELECT DISTINCT id_keluarga FROM listed
  WHERE program <> ? AND times < (SELECT count(*) FROM quarters)
)
SELECT p.id_keluarga AS id, p.quarter, p.{outcome} AS outcome, o.entry AS first, f.regency
FROM {PANEL} AS p JOIN family_packed AS f USING (id_keluarga) JOIN traits AS t USING (id_keluarga)
  LEFT JOIN own AS o USING (id_keluarga) ANTI JOIN moving USING (id_keluarga)
WHERE p.{outcome} IS NOT NULL AND {condition}{_GROUPS[scope.group]}
  AND (o.entry IS NULL OR (o.entry > (SELECT min(quarter) FROM quarters)
    AND o.times = (SELECT count(*) FROM quarters AS q WHERE q.quarter >= o.entry)))
ORDER BY p.id_keluarga, p.quarter""", [rule.enrolment, rule.enrolment, *values]).df()


def discontinuity(frame: pd.DataFrame, outcome: str, step: Step = lambda f: None) -> Verdict:
    """The effect at the cut-off with every diagnostic; `frame` of `rd_frame`."""
    if frame.empty:
        return Verdict("rd", outcome, None, reason="no surveyed family meets the rule in this scope")
    options: dict[str, Any] = {"running": "gap", "cutoff": 0.0}
    try:
        main = impact.regression_discontinuity(frame, outcome="change", treatment="listed", **options)
        density = impact.density_test(frame["gap"], 0.0)
    except ValueError as problem:
        return Verdict("rd", outcome, None, reason=str(problem), n=len(frame))
    step(0.3)
    h = main.h
    # rows beyond the widest bandwidth, or beyond the farthest place without a rule and its bandwidth, weigh nothing
    near, far = (frame[frame["gap"].abs() <= k * h] for k in (2, 3))
    same: dict[str, Any] = {**options, "bandwidth": h, "method": "local_linear"}
    # what is tested with conventional errors takes the bandwidth at which they hold, else checks fail too often
    narrow = h * coverage_rate(main.n, main.order) if main.method == "rdrobust" else h
    tested = {**same, "bandwidth": narrow}
    known = [name for name in _COVARIATES if near[name].nunique() > 1]
    balance = impact.covariate_balance(near, covariates=known, **tested)
    elsewhere = [c for c in frame.columns if c.startswith("other_") and near[c].nunique() > 1]
    rivals = impact.covariate_balance(near, covariates=elsewhere, **tested) if elsewhere else pd.DataFrame()
    step(0.5)
    wide = impact.bandwidth_sensitivity(
        near, bandwidth=h, outcome="change", treatment="listed", method="local_linear", **options
    )
    step(0.75)
    donut = impact.donut_sensitivity(
        near, radii=[h * f for f in (0.05, 0.1, 0.2)], outcome="change", treatment="listed",
        **{**same, "bandwidth": h},
    )  # fmt: skip
    placebo = impact.placebo_cutoffs(
        far, cutoffs=[-2 * h, -h, h, 2 * h], outcome="change", running="gap", cutoff=0.0, bandwidth=narrow,
        method="local_linear",
    )  # fmt: skip
    step(1.0)
    checks = [
        Check("enough", min(main.n_left, main.n_right) >= FEWEST, float(min(main.n_left, main.n_right))),
        Check("first_stage", main.first_stage_f >= 10 and main.first_stage > 0, main.first_stage_f),
        Check("density", density.p_value >= ALPHA, density.p_value),
        _worst("balance", balance, "covariate"),
    ]
    if len(rivals):
        # a rival matters by how much its jump could add, not only by whether it can be told from zero
        worst = rivals.loc[rivals["p_value"].idxmin()]
        p = float(worst["p_value"]) * len(rivals)
        checks.append(Check("rivals", p >= ALPHA, min(p, 1.0), str(worst["covariate"]).removeprefix("other_")))
    checks.append(_worst("placebo", placebo, "placebo"))
    low, high = main.best_ci
    inside = donut["ci_low"].le(high) & donut["ci_high"].ge(low)
    checks.append(Check("donut", bool(inside[donut["estimate"].notna()].all()), float(donut["estimate"].iloc[-1])))
    tables = {"balance": balance, "rivals": rivals, "bandwidth": wide, "donut": donut, "placebo": placebo,
              "bins": _bins(frame, h)}  # fmt: skip
    return Verdict("rd", outcome, main, tuple(checks), tables, n=len(frame))


def _worst(code: str, table: pd.DataFrame, name: str) -> Check:
    """The smallest p-value of a table, times the number of tests (Bonferroni)."""
    known = table.dropna(subset=["p_value"])
    if known.empty:
        return Check(code, True, float("nan"))
    row = known.loc[known["p_value"].idxmin()]
    p = min(float(row["p_value"]) * len(known), 1.0)
    return Check(code, p >= ALPHA, p, str(row[name]) if code == "balance" else "")


def _bins(frame: pd.DataFrame, h: float, each: int = 15) -> pd.DataFrame:
    """Means of outcome and enrolment in equal bins on both sides, within two bandwidths, with n."""
    near = frame[frame["gap"].abs() <= 2 * h]
    width = 2 * h / each
    bins = np.floor(near["gap"] / width)
    found = near.groupby(bins).agg(n=("gap", "size"), change=("change", "mean"), listed=("listed", "mean"))
    return found.rename_axis("bin").reset_index().assign(gap=lambda d: (d["bin"] + 0.5) * width)


def staggered(frame: pd.DataFrame, outcome: str, step: Step = lambda f: None) -> Verdict:
    """The effect of entry with its pre-trend test; `frame` of `did_frame`."""
    if frame.empty:
        return Verdict("did", outcome, None, reason="no surveyed family entered in this scope")
    names: dict[str, Any] = {"outcome": "outcome", "unit": "id", "time": "quarter", "first_treated": "first"}
    regencies = int(frame["regency"].nunique())
    cluster = "regency" if regencies >= CLUSTERS else None
    try:
        found = impact.difference_in_differences(frame, **names, cluster=cluster)
    except ValueError as problem:
        return Verdict("did", outcome, None, reason=str(problem), n=int(frame["id"].nunique()))
    step(0.6)
    try:
        cross = impact.imputation_estimate(frame, **names, cluster=cluster)
    except ValueError:  # it needs two quarters before entry; without it the group-time effects stand alone
        cross = None
    step(0.9)
    checks = [
        Check("entrants", found.n_treated >= FEWEST, float(found.n_treated)),
        Check("comparison", found.n_control >= FEWEST, float(found.n_control)),
        Check("pretrend", not found.pretrend.p_value < ALPHA, found.pretrend.p_value),
    ]
    if cross is not None:
        apart = abs(cross.estimate - found.simple.estimate) / float(np.hypot(cross.se, found.simple.se))
        checks.append(Check("imputation", apart < AGREE, apart))
    step(1.0)
    return Verdict("did", outcome, found, tuple(checks), {"study": found.event_study}, n=found.n_units, cross=cross,
                   clusters=regencies if cluster else 0)  # fmt: skip


def truth(dataset: Dataset, rule: Rule, outcome: str) -> float:
    """The declared true mean effect behind simulated outcomes; NaN where there is none. For the method page."""
    cursor = dataset.evaluation_cursor()
    found = cursor.execute("""SELECT count(*) FROM duckdb_tables()
        WHERE database_name = 'evaluation' AND table_name = 'true_effect'""").fetchone()
    if not found or not found[0]:
        return float("nan")
    row = cursor.execute(
        "SELECT effect FROM evaluation.true_effect WHERE program = ? AND outcome = ?", [rule.enrolment, outcome]
    ).fetchone()
    return float(row[0]) if row else float("nan")
