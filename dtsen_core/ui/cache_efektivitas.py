"""What the effectiveness page keeps between reruns. Keys are scalars; what is kept has passed the one exit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from dtsen_core.oversight import tables_effectiveness as specs
from dtsen_core.oversight.disclosure import Published, publish
from dtsen_core.policy import cube
from dtsen_core.policy.effectiveness import causal, delivery, payments, poverty, reach
from dtsen_core.policy.effectiveness.causal import Step, Verdict
from dtsen_core.policy.effectiveness.payments import Incidence
from dtsen_core.policy.effectiveness.poverty import PovertyEffect
from dtsen_core.policy.effectiveness.scope import Scope
from dtsen_core.policy.programme_rules import Rule, rule_on, rules_on
from dtsen_core.rank.cache import Cache
from dtsen_core.ui.cache import DatasetKey, dataset

KEYS = tuple(reach.FLAGS)


@dataclass(frozen=True)
class Ask:
    """What one view is about: programme key, area code, place, group, last decile of the base (0 = the rule's)."""

    programme: str
    area: str
    place: str
    group: str
    base: int

    @property
    def scope(self) -> Scope:
        return Scope(self.area, self.place, self.group)


def programmes(key: DatasetKey) -> tuple[Rule, ...]:
    """Rules in force on the date of the data whose enrolment the registry holds."""
    return tuple(rule for rule in rules_on(dataset(key).manifest.as_of) if rule.flag)


def rule(key: DatasetKey, programme: str) -> Rule:
    return rule_on(programme, dataset(key).manifest.as_of)


@dataclass(frozen=True, eq=False)
class Reached:
    by_decile: Published
    totals: Published
    unit: str
    last_decile: int
    official: bool


@st.cache_data(max_entries=64, show_spinner=False)
def _reached(path: str, stamp: str, ask: Ask) -> Reached:
    opened = dataset(DatasetKey(path, stamp))
    found = reach.reach(
        cube.cube(opened), rule_on(ask.programme, opened.manifest.as_of), ask.scope, ask.base or None
    )
    by, total, origin = found.by_decile, found.totals, opened.manifest.origin
    by = by.assign(share=by["listed"] / by["units"].where(by["units"] > 0))
    total = total.assign(
        coverage=total["covered"] / total["eligible"].where(total["eligible"] > 0),
        exclusion=total["missed"] / total["eligible"].where(total["eligible"] > 0),
        leakage=total["leaked"] / total["listed"].where(total["listed"] > 0),
    )
    return Reached(
        publish(by, specs.by_decile(found.unit), origin=origin),
        publish(total, specs.totals(found.unit), origin=origin), found.unit, found.last_decile, found.official,
    )  # fmt: skip


def reached(key: DatasetKey, ask: Ask) -> Reached:
    return _reached(*key, ask)


@st.cache_data(max_entries=64, show_spinner=False)
def _overlap(path: str, stamp: str, ask: Ask) -> tuple[Published, Published]:
    opened = dataset(DatasetKey(path, stamp))
    patterns, pairs = reach.overlap(cube.cube(opened), ask.scope, KEYS)
    patterns["share"] = patterns["families"] / patterns["families"].sum() if len(patterns) else 0.0
    origin = opened.manifest.origin
    return publish(patterns, specs.PATTERNS, origin=origin), publish(pairs, specs.pairs(KEYS), origin=origin)


def overlap(key: DatasetKey, ask: Ask) -> tuple[Published, Published]:
    """(families by combination of programmes, families receiving each pair)."""
    return _overlap(*key, replace(ask, programme="", base=0))


@st.cache_data(max_entries=32, show_spinner=False)
def _incidence(path: str, stamp: str, ask: Ask) -> tuple[Incidence, Published, Published | None, PovertyEffect | None]:
    opened = dataset(DatasetKey(path, stamp))
    chosen = rule_on(ask.programme, opened.manifest.as_of)
    paid = payments.payments(opened, chosen, ask.scope)
    found = payments.incidence(paid, reach.last_decile(chosen, ask.base or None)[0])
    if found is None:
        raise LookupError(ask.area)
    by, origin = found.by_decile, opened.manifest.origin
    by = by.assign(
        coverage=by["listed"] / by["families"].where(by["families"] > 0),
        share_listed=by["listed"] / by["listed"].sum() if by["listed"].sum() > 0 else float("nan"),
        share_benefits=by["benefits"] / by["benefits"].sum() if by["benefits"].sum() > 0 else float("nan"),
    )
    effect = None
    residuals, factors = _lines(path, stamp)
    if residuals is not None:
        effect = poverty.poverty_effect(paid, residuals, factors)
    shown = None
    if effect is not None:
        table = effect.table.reset_index().assign(families=effect.families, n=effect.n)
        shown = publish(table, specs.POVERTY, origin=origin)
    return found, publish(by, specs.incidence(), origin=origin), shown, effect


@st.cache_resource(max_entries=2, show_spinner=False)
def _lines(path: str, stamp: str) -> tuple:
    return poverty.line_factors(dataset(DatasetKey(path, stamp)))


def incidence(
    key: DatasetKey, ask: Ask
) -> tuple[Incidence, Published, Published | None, PovertyEffect | None] | None:
    """(figures, table by decile, poverty table, poverty effect); None where nobody is in scope."""
    try:
        return _incidence(*key, ask)
    except LookupError:
        return None


@st.cache_data(max_entries=64, show_spinner=False)
def _delivery(path: str, stamp: str, ask: Ask) -> Published | None:
    opened = dataset(DatasetKey(path, stamp))
    if not delivery.ready(opened):
        return None
    found = delivery.delivery(opened, rule_on(ask.programme, opened.manifest.as_of), ask.scope)
    base = found["families"].where(found["families"] > 0)
    found = found.assign(share_valid=found["nik_valid"] / base, share_fresh=found["fresh"] / base,
                         share_stale=found["stale"] / base)  # fmt: skip
    return publish(found, specs.DELIVERY, origin=opened.manifest.origin)


def readiness(key: DatasetKey, ask: Ask) -> Published | None:
    """Delivery readiness of the families listed; None where the dataset holds no members."""
    return _delivery(*key, replace(ask, base=0))


@dataclass(frozen=True, eq=False)
class Judged:
    """A verdict and the published table behind its chart."""

    verdict: Verdict
    chart: Published | None


def has_panel(key: DatasetKey) -> bool:
    return causal.has_panel(dataset(key))


_verdicts: Cache[Judged] = Cache(32, lambda value: 1)  # shared between sessions: read, never changed
_READ = 0.5  # share of the work that reading the survey is


def judged(key: DatasetKey, ask: Ask, design: str, outcome: str, step: Step = lambda share: None) -> Judged:
    """The causal estimate with its diagnostics; `step` is told the share of the work that is done."""
    wanted = replace(ask, base=0)
    return _verdicts.get((*key, wanted, design, outcome), lambda: _judge(key, wanted, design, outcome, step))


def _judge(key: DatasetKey, ask: Ask, design: str, outcome: str, step: Step) -> Judged:
    opened = dataset(key)
    chosen = rule_on(ask.programme, opened.manifest.as_of)

    def later(share: float) -> None:
        step(_READ + (1 - _READ) * share)

    step(0.05)
    read, estimate = (
        (causal.rd_frame, causal.discontinuity) if design == "rd" else (causal.did_frame, causal.staggered)
    )
    frame = read(opened, chosen, ask.scope, outcome)
    later(0.0)
    found = estimate(frame, outcome, later)
    chart = None
    if found.result is not None:
        name, spec = ("bins", specs.BINS) if design == "rd" else ("study", specs.STUDY)
        table = found.tables[name]
        if design == "did":
            table = table.assign(n=float(found.n))
        chart = publish(pd.DataFrame(table), spec, origin=opened.manifest.origin)
    return Judged(found, chart)


@st.cache_data(max_entries=64, show_spinner=False)
def _truth(path: str, stamp: str, programme: str, outcome: str) -> float:
    opened = dataset(DatasetKey(path, stamp))
    return causal.truth(opened, rule_on(programme, opened.manifest.as_of), outcome)


def truth(key: DatasetKey, programme: str, outcome: str) -> float:
    """The declared true effect of the simulation; the method page alone asks."""
    return _truth(*key, programme, outcome)
