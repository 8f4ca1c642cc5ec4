"""Effectiveness in words and tables: sentences computed from published figures, in both languages."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from dtsen_core.locale import text
from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy.effectiveness.causal import Check, Verdict
from dtsen_core.policy.effectiveness.poverty import PovertyEffect
from dtsen_core.policy.impact import DiDResult, RDResult
from dtsen_core.policy.programme_rules import Rule
from dtsen_core.present import numbers
from dtsen_core.present.peringkat_tables import Table, build

MISSED = ("other_payer", "no_place", "displaced")
LEAKED = ("above", "condition", "unranked")
P_VALUES = ("density", "balance", "rivals", "placebo", "pretrend")


def t(key: str, lang: str, **params: object) -> str:
    return text(f"efektivitas.{key}", lang, **params)


def unit_word(unit: str, lang: str) -> str:
    return t(f"unit_{unit}", lang)


def _one(published: Published) -> pd.Series:
    return published.frame.iloc[0]


def base_words(rule: Rule, last: int, official: bool, lang: str) -> str:
    """The rule and base a rate speaks of, in words."""
    condition = t(f"condition_{rule.condition}", lang) if rule.condition else ""
    return t("base_rule" if official else "base_reference", lang, last=last, condition=condition)


def reach_finding(totals: Published, rule: Rule, unit: str, last: int, place: str, lang: str) -> str:
    row, name = _one(totals), rule.abbreviation(lang)
    words = {"name": name, "place": place, "unit": unit_word(unit, lang), "last": last}
    if not row["eligible"] > 0:
        return t("reach_none", lang, **words)
    if numbers.missing(row["exclusion"]):
        return t("reach_hidden", lang, **words)
    return t("reach_finding", lang, missed=numbers.percent(row["exclusion"], lang),
             leaked=numbers.percent(row["leakage"], lang), **words)  # fmt: skip


def decile_finding(by_decile: Published, rule: Rule, unit: str, last: int, lang: str) -> str:
    """How reach falls over the limit of the base: in decile 1, the last decile meant, and the one above it."""
    words = {"name": rule.abbreviation(lang), "unit": unit_word(unit, lang)}
    share = by_decile.frame.set_index("decile")["share"]
    above = min(last + 1, 10)
    shown = [share.get(k) for k in (1, last, above)]
    if last >= 10 or any(numbers.missing(v) for v in shown):
        return t("decile_title", lang, **words)
    first, at, over = (numbers.percent(v, lang, 0) for v in shown)
    return t("decile_finding", lang, **words, first=first, at=at, above=over, last=last, next=above)


def incidence_decile_finding(by_decile: Published, rule: Rule, lang: str) -> str:
    """What the poorest tenth receives and how many of the beneficiaries it holds."""
    words = {"name": rule.abbreviation(lang)}
    row = by_decile.frame.set_index("decile").reindex([1]).iloc[0]
    if numbers.missing(row["share_listed"]):
        return t("incidence_title", lang, **words)
    words["listed"] = numbers.percent(row["share_listed"], lang)
    if numbers.missing(row["share_benefits"]):
        return t("incidence_decile_unpriced", lang, **words)
    return t("incidence_decile_finding", lang, **words, benefits=numbers.percent(row["share_benefits"], lang))


def curve_finding(curve: pd.DataFrame, lang: str) -> str:
    """What the lower half of the population receives, read off the concentration curve."""
    share = float(np.interp(0.5, curve["population"], curve["benefits"]))
    if numbers.missing(share):
        return t("curve_title", lang)
    return t("curve_finding", lang, share=numbers.percent(share, lang))


def cause_finding(totals: Published, unit: str, lang: str) -> str:
    """Which cause of being missed is largest."""
    row = _one(totals)
    known = {c: row[c] for c in MISSED if not numbers.missing(row[c])}
    if not known or not row["missed"] > 0 or not max(known.values()) > 0:
        return t("cause_none", lang)
    largest = max(known, key=lambda c: known[c])
    return t("cause_finding", lang, cause=t(f"cause_{largest}", lang), share=numbers.percent(
        known[largest] / row["missed"], lang), count=numbers.people(known[largest], lang),
        unit=unit_word(unit, lang))  # fmt: skip


def reach_table(by_decile: Published, unit: str, lang: str) -> Table:
    return build(by_decile, [
        ("decile", t("col_decile", lang), "count"), ("n", t("col_n", lang), "count"),
        ("families", t("col_families", lang), "count"),
        ("units", t("col_units", lang, unit=unit_word(unit, lang)), "count"),
        ("listed", t("col_listed", lang), "count"), ("share", t("col_share", lang), "percent"),
    ])  # fmt: skip


def cause_table(totals: Published, kind: str, lang: str) -> Table:
    """The "missed" or the "leaked" by cause, with the share of all of them."""
    row, hidden = _one(totals), totals.suppressed.iloc[0]
    causes = MISSED if kind == "missed" else LEAKED
    names = [t(f"kind_{kind}", lang), *(t(f"col_{c}", lang) for c in ("count", "share_of"))]
    frame = pd.DataFrame(
        [(t(f"cause_{c}", lang), row[c], row[c] / row[kind] if row[kind] > 0 else float("nan")) for c in causes],
        columns=names,
    )
    mask = pd.DataFrame({name: [bool(hidden[c]) for c in causes] for name in names[1:]})
    return Table(frame, dict(zip(names, ("text", "count", "percent"))), mask)


def overlap_finding(patterns: Published, lang: str) -> str:
    frame = patterns.frame
    none = frame.loc[frame["pattern"] == "", "share"].sum()
    several = frame.loc[frame["pattern"].str.contains("+", regex=False), "share"].sum()
    return t("overlap_finding", lang, none=numbers.percent(none, lang), several=numbers.percent(several, lang))


def pattern_name(pattern: str, names: dict[str, str], lang: str) -> str:
    return " + ".join(names.get(k, k) for k in pattern.split("+")) if pattern else t("no_programme", lang)


def overlap_table(pairs: Published, names: dict[str, str], lang: str) -> Table:
    """Share of each programme's families that also receive the other programmes."""
    frame, hidden = pairs.frame, pairs.suppressed
    columns = [c for c in frame if c.startswith("with_")]
    made = pd.DataFrame({t("col_programme", lang): [names.get(k, k) for k in frame["program"]]})
    mask = pd.DataFrame(index=made.index)
    made[t("col_families", lang)] = frame["families"]
    kinds: dict[str, str | list[str]] = {t("col_programme", lang): "text", t("col_families", lang): "count"}
    for column in columns:
        name = t("col_also", lang, name=names.get(column.removeprefix("with_"), column))
        made[name] = frame[column] / frame["families"].where(frame["families"] > 0)
        mask[name] = hidden[column]
        kinds[name] = "percent"
    return Table(made, kinds, mask)


def incidence_finding(figures: dict[str, float], rule: Rule, last: int, place: str, lang: str) -> str:
    words = {"name": rule.abbreviation(lang), "last": last, "place": place}
    if numbers.missing(figures["share_low"]):
        return t("incidence_unpriced", lang, **words)
    return t("incidence_finding", lang, share=numbers.percent(figures["share_low"], lang),
             cgh=numbers.number(figures["cgh"], lang, 2), **words)  # fmt: skip


def incidence_table(by_decile: Published, lang: str) -> Table:
    return build(by_decile, [
        ("decile", t("col_decile", lang), "count"), ("n", t("col_n", lang), "count"),
        ("families", t("col_families", lang), "count"), ("listed", t("col_listed_families", lang), "count"),
        ("coverage", t("col_share", lang), "percent"), ("share_listed", t("col_share_listed", lang), "percent"),
        ("benefits", t("col_benefits", lang), "rupiah"), ("share_benefits", t("col_share_benefits", lang), "percent"),
    ])  # fmt: skip


def poverty_finding(effect: PovertyEffect, table: Published, rule: Rule, place: str, lang: str) -> str:
    row = table.frame.set_index("measure").loc["p0"]
    if numbers.missing(row["change"]):
        return t("poverty_hidden", lang)
    return t("poverty_finding", lang, name=rule.abbreviation(lang), place=place,
             without=numbers.percent(row["without"], lang, 2), with_=numbers.percent(row["with_transfer"], lang, 2),
             persons=numbers.people(effect.persons, lang),
             cost=numbers.number(effect.benefit_cost, lang, 2))  # fmt: skip


def poverty_table(table: Published, lang: str) -> Table:
    """Measures without and with the transfer with their standard errors, and the change with its interval."""
    frame, z = table.frame, 1.96
    columns: list[tuple[str, pd.Series, str]] = [
        ("without", frame["without"], "percent2"), ("se_without", frame["se_without"], "error"),
        ("with", frame["with_transfer"], "percent2"), ("se_with", frame["se_with"], "error"),
        ("change", frame["change"], "points"), ("low", frame["change"] - z * frame["se_change"], "points"),
        ("high", frame["change"] + z * frame["se_change"], "points"),
    ]  # fmt: skip
    first = t("col_measure", lang)
    made = pd.DataFrame({first: [t(f"measure_{m}", lang) for m in frame["measure"]],
                         **{t(f"col_{name}", lang): values for name, values, _ in columns}})  # fmt: skip
    # Gini is an index, not a share of people
    index = {"percent2": "ratio4", "error": "ratio4", "points": "signed4"}
    kinds = {name: [index[kind] if m == "gini" else kind for m in frame["measure"]] for name, _, kind in columns}
    return Table(made, {first: "text", **{t(f"col_{name}", lang): kind for name, kind in kinds.items()}})


def delivery_finding(found: Published, rule: Rule, place: str, lang: str) -> str:
    row = _one(found)
    if not row["families"] > 0 or numbers.missing(row["share_valid"]):
        return t("delivery_none", lang, name=rule.abbreviation(lang), place=place)
    return t("delivery_finding", lang, name=rule.abbreviation(lang), place=place,
             valid=numbers.percent(row["share_valid"], lang),
             stale=numbers.percent(row["share_stale"], lang))  # fmt: skip


def delivery_table(found: Published, lang: str) -> Table:
    row, hidden = _one(found), found.suppressed.iloc[0]
    rows = ["nik_valid", "nik_invalid", "fresh", "older", "stale", "undated"]
    names = [t(f"col_{c}", lang) for c in ("item", "count", "share_of_listed")]
    made = pd.DataFrame({
        names[0]: [t(f"delivery_{c}", lang) for c in rows], names[1]: [row[c] for c in rows],
        names[2]: [row[c] / row["families"] if row["families"] > 0 else float("nan") for c in rows],
    })  # fmt: skip
    mask = pd.DataFrame({name: [bool(hidden[c]) for c in rows] for name in names[1:]})
    return Table(made, {names[0]: "text", names[1]: "count", names[2]: "percent"}, mask)


def effect_words(value: float, outcome: str, lang: str) -> str:
    """An effect in the unit people read: per cent for ln expenditure, points for school days."""
    if numbers.missing(value):
        return numbers.not_available(lang)
    change = math.expm1(value) if outcome == "ln_expenditure" else value / 100
    if outcome == "ln_expenditure":
        return f"{numbers.signed(100 * change, lang, 1)}%"
    return numbers.points(change, lang)


def causal_finding(verdict: Verdict, rule: Rule, place: str, lang: str) -> str:
    """The headline; where a diagnostic fails it is that the estimate is not credible here."""
    words = {"name": rule.abbreviation(lang), "place": place, "outcome": t(f"outcome_{verdict.outcome}", lang)}
    if verdict.result is None:
        return t("causal_none", lang, **words)
    if not verdict.credible:
        return t("causal_not_credible", lang, **words)
    estimate, low, high = (effect_words(v, verdict.outcome, lang) for v in verdict.estimate)
    raw = verdict.estimate
    key = "causal_finding" if raw[1] > 0 or raw[2] < 0 else "causal_unclear"
    return t(key, lang, estimate=estimate, low=low, high=high, **words)


def reason_words(verdict: Verdict, lang: str) -> str:
    """Why nothing could be estimated, in words of the page; the estimator's own English is not shown."""
    known = {"constant": "constant", "same for everybody": "same", "too few": "few", "one side": "side",
             "no period": "pre", "never treated": "never", "ever treated": "treated", "fewer than": "few",
             "distinct values": "few", "no surveyed": "nobody", "control units": "never"}  # fmt: skip
    for words, key in known.items():
        if words in verdict.reason:
            return t(f"reason_{key}", lang)
    return t("reason_other", lang)


def check_table(checks: tuple[Check, ...], names: dict[str, str], lang: str) -> Table:
    """Diagnostics: what was checked, the figure, and whether it passed."""
    columns = [t(f"col_{c}", lang) for c in ("check", "figure", "verdict")]
    rows = []
    for check in checks:
        item = check.item
        if check.code == "rivals":
            item = names.get(item, item)
        elif check.code == "balance" and item:
            item = t(f"covariate_{item}", lang)
        said = t(f"check_{check.code}", lang)
        figure = _figure(check, lang).removeprefix("p ").removeprefix("= ")
        rows.append((f"{said} ({item})" if item else said, figure, t("passed" if check.passed else "failed", lang)))
    return Table(pd.DataFrame(rows, columns=columns), dict.fromkeys(columns, "text"))


def _figure(check: Check, lang: str) -> str:
    """What a check measured: a p-value as one, anything else as a number."""
    if check.code not in P_VALUES or numbers.missing(check.value):
        return numbers.number(check.value, lang, 3 if check.value < 10 else 0)
    if check.value < 0.001:
        return f"p < {numbers.number(0.001, lang, 3)}"
    return f"p = {numbers.number(check.value, lang, 3)}"


def failed_words(verdict: Verdict, names: dict[str, str], lang: str) -> str:
    """Why an estimate is not credible: each failed check in a sentence."""
    said = []
    for check in verdict.failed:
        item = names.get(check.item, check.item)
        if check.code == "balance" and item:
            item = t(f"covariate_{check.item}", lang)
        said.append(t(f"why_{check.code}", lang, item=item, value=_figure(check, lang)))
    return " ".join(said)


def method_words(verdict: Verdict, lang: str) -> str:
    """n, method and what the interval is, in one line."""
    result = verdict.result
    if result is None:
        return ""
    if isinstance(result, RDResult):
        key = "method_rd" if result.robust_ci is not None else "method_rd_plain"
        return t(key, lang, n=numbers.number(verdict.n, lang), left=numbers.number(result.n_left, lang),
                 right=numbers.number(result.n_right, lang), h=numbers.number(result.h, lang, 3),
                 jump=numbers.points(result.first_stage, lang))  # fmt: skip
    errors = t("errors_regency" if verdict.clusters else "errors_family", lang,
               count=numbers.number(verdict.clusters, lang))  # fmt: skip
    return t("method_did", lang, errors=errors, n=numbers.number(result.n_units, lang),
             entered=numbers.number(result.n_treated, lang), never=numbers.number(result.n_control, lang),
             mde=effect_words(result.minimum_detectable_effect, verdict.outcome, lang))  # fmt: skip


def sensitivity_table(frame: pd.DataFrame, name: str, outcome: str, lang: str) -> Table:
    """Estimates under other choices (bandwidth factor, donut radius, placebo cut-off)."""
    columns = [t(f"col_{c}", lang) for c in (name, "estimate", "low", "high", "n_near")]
    made = pd.DataFrame({
        columns[0]: [numbers.number(v, lang, 3) for v in frame[name]],
        **{columns[k]: [effect_words(v, outcome, lang) for v in frame[c]]
           for k, c in ((1, "estimate"), (2, "ci_low"), (3, "ci_high"))},
        columns[4]: frame["n_left"] + frame["n_right"],
    })  # fmt: skip
    return Table(made, {**dict.fromkeys(columns[:4], "text"), columns[4]: "count"})


def estimator_table(verdict: Verdict, lang: str) -> Table:
    """The overall effect of staggered entry by each way to average, and by the imputation estimator."""
    result = verdict.result
    columns = [t(f"col_{c}", lang) for c in ("estimator", "estimate", "low", "high")]
    rows = []
    if isinstance(result, DiDResult):
        found = {name: getattr(result, name) for name in ("simple", "dynamic", "group", "calendar")}
        for name, one in (*found.items(), ("imputation", verdict.cross)):
            if one is not None:
                shown = [effect_words(v, verdict.outcome, lang) for v in (one.estimate, *one.ci)]
                rows.append((t(f"estimator_{name}", lang), *shown))
    return Table(pd.DataFrame(rows, columns=columns), dict.fromkeys(columns, "text"))


def study_table(study: Published | None, outcome: str, lang: str) -> Table:
    """The event study: effect by quarters since entry with its 95 % interval."""
    columns = [t(f"col_{c}", lang) for c in ("event", "estimate", "low", "high")]
    if study is None:
        return Table(pd.DataFrame(columns=columns), {})
    frame = study.frame
    made = pd.DataFrame({
        columns[0]: frame["event"].astype(int),
        **{columns[k]: [effect_words(v, outcome, lang) for v in frame[c]]
           for k, c in ((1, "estimate"), (2, "ci_low"), (3, "ci_high"))},
    })  # fmt: skip
    return Table(made, {columns[0]: "signed", **dict.fromkeys(columns[1:], "text")})


def truth_table(verdicts: list[Verdict], truth: float, lang: str) -> Table:
    """Estimates of a simulated effect beside the declared truth, and whether the interval covers it."""
    columns = [t(f"col_{c}", lang) for c in ("design", "estimate", "low", "high", "truth", "covers", "verdict")]
    rows = []
    for verdict in verdicts:
        known = verdict.result is not None
        _, low, high = verdict.estimate
        shown = [effect_words(v, verdict.outcome, lang) for v in (*verdict.estimate, truth)]
        covers = t("yes" if known and low <= truth <= high else "no", lang) if known else numbers.not_available(lang)
        said = t("credible" if verdict.credible else "not_credible", lang)
        rows.append((t(f"design_{verdict.design}", lang), *shown, covers, said))
    return Table(pd.DataFrame(rows, columns=columns), dict.fromkeys(columns, "text"))
