"""Sentences and tables of the simulation page, from published outcomes only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from dtsen_core.locale import text
from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy.programme_rules import Rule
from dtsen_core.present import numbers
from dtsen_core.present.peringkat_tables import Table, build

if TYPE_CHECKING:
    from dtsen_core.policy.reform import BudgetFit
    from dtsen_core.policy.reform_spec import Reform

LETTERS = ("A", "B", "C", "D")
HALF = 1.959964  # standard errors to either side of a change: a 95 % interval
SMALLEST = 0.5  # families, persons or rupiah: below this nothing has changed
Figures = dict[str, float]

# One row per line of the comparison: name of the text, figures before and after, how it is written.
ROWS = (
    ("served", "served_before", "served_after", "people"),
    ("families_served", "families_before", "families_after", "people"),
    ("eligible", "eligible_before", "eligible_after", "people"),
    ("quota", "quota_before", "quota_after", "people"),
    ("cost", "cost_before", "cost_after", "rupiah"),
    ("winners", "", "winners", "people"),
    ("losers", "", "losers", "people"),
    ("p0", "before_p0", "after_p0", "percent"),
    ("poor_persons", "before_poor_persons", "after_poor_persons", "people"),
    ("p1", "before_p1", "after_p1", "percent"),
    ("p2", "before_p2", "after_p2", "percent"),
    ("gini", "before_gini", "after_gini", "ratio"),
    ("objections", "", "objections", "people"),
)


def unit(rule: Rule, lang: str) -> str:
    return text(f"simulasi.unit_{rule.unit}", lang)


def row_name(name: str, lang: str) -> str:
    """What a line of the comparison is called."""
    return text(f"simulasi.row_{name}", lang)


def writes(value: float, kind: str, lang: str) -> str:
    """One figure of the comparison as text."""
    if numbers.missing(value):
        return text("simulasi.unknown", lang)
    if kind == "percent":
        return numbers.percent(value, lang, 2)
    if kind == "ratio":
        return numbers.number(value, lang, 4)
    return numbers.rupiah(value, lang) if kind == "rupiah" else numbers.people(value, lang)


def change(before: float, after: float, kind: str, lang: str) -> str:
    """A difference with its sign; a dash where one side is unknown, "no change" where there is none."""
    if numbers.missing(before) or numbers.missing(after):
        return "–"
    moved = after - before
    if kind == "percent":
        return numbers.points(moved, lang, 2) if abs(moved) >= 5e-5 else text("simulasi.same", lang)
    if kind == "ratio":
        return numbers.signed(moved, lang, 4) if abs(moved) >= 5e-5 else text("simulasi.same", lang)
    if abs(moved) < SMALLEST:
        return text("simulasi.same", lang)
    sign = "+" if moved > 0 else "−"
    return sign + (numbers.rupiah(abs(moved), lang) if kind == "rupiah" else numbers.people(abs(moved), lang))


def margin(figures: Figures, after: str, kind: str, lang: str) -> str:
    """ " ± half width" of the change of a poverty figure (95 %); empty where it has none or nothing changes."""
    measure = after.removeprefix("after_")
    se = figures.get(f"se_{measure}", math.nan)
    if measure == after or numbers.missing(se) or se <= 0:
        return ""
    half = HALF * se
    if kind == "percent":
        return f" ± {_half(100 * half, 2, lang)}"
    return f" ± {_half(half, 4, lang)}" if kind == "ratio" else f" ± {numbers.people(half, lang)}"


def _half(value: float, decimals: int, lang: str) -> str:
    smallest = 10.0**-decimals
    few = value < smallest / 2
    return f"<{numbers.number(smallest, lang, decimals)}" if few else numbers.number(value, lang, decimals)


def moved_by(figures: Figures, before: str, after: str, kind: str, lang: str) -> str:
    """The change of a figure, with its half width where it is an estimate and not too small to be written."""
    said = change(figures.get(before, math.nan), figures.get(after, math.nan), kind, lang)
    return said if said in ("–", text("simulasi.same", lang)) else said + margin(figures, after, kind, lang)


def comparison(names: Sequence[str], outcomes: Sequence[Figures], lang: str) -> pd.DataFrame:
    """Rows = measures, columns = now and every scenario with its change: ready to read."""
    if not outcomes:
        return pd.DataFrame()
    table: dict[str, list[str]] = {text("simulasi.measure", lang): [text(f"simulasi.row_{r[0]}", lang) for r in ROWS]}
    for name, figures in zip(names, outcomes, strict=True):
        cells = []
        for _, before, after, kind in ROWS:
            shown = writes(figures.get(after, math.nan), kind, lang)
            moved = moved_by(figures, before, after, kind, lang) if before else "–"
            cells.append(shown if moved == "–" else f"{shown} ({moved})")
        table[name] = cells
    return pd.DataFrame(table)


def finding(rule: Rule, figures: Figures, name: str, lang: str) -> str:
    """What the reform does, in one sentence: places, cost and poverty, each only where it is known."""
    count = figures["served_after"]
    if numbers.missing(count):
        return text("simulasi.finding_hidden", lang, name=name)
    moved = change(figures["served_before"], count, "people", lang)
    values = {
        "name": name, "programme": rule.abbreviation(lang), "served": numbers.people(count, lang),
        "unit": unit(rule, lang), "change": moved,
    }  # fmt: skip
    if _nothing(figures):
        return text("simulasi.finding_null", lang, **values)
    parts = [text("simulasi.finding_served", lang, **values)]
    if not numbers.missing(figures["cost_after"]):
        moved = change(figures["cost_before"], figures["cost_after"], "rupiah", lang)
        parts.append(
            text("simulasi.finding_cost", lang, cost=numbers.rupiah(figures["cost_after"], lang), change=moved)
        )
    else:
        parts.append(text("simulasi.finding_no_cost", lang))
    if not numbers.missing(figures.get("after_p0", math.nan)):
        moved = moved_by(figures, "before_p0", "after_p0", "percent", lang)
        parts.append(text("simulasi.finding_p0", lang, p0=numbers.percent(figures["after_p0"], lang, 2), change=moved))
    return " ".join(parts)


def _nothing(figures: Figures) -> bool:
    same = figures["served_before"] == figures["served_after"] and figures["winners"] == figures["losers"] == 0
    cost = figures["cost_before"], figures["cost_after"]
    return same and (cost[0] == cost[1] or all(math.isnan(c) for c in cost))


def points_finding(known: Sequence[tuple[str, float, float]], lang: str) -> str:
    """The scenario that lowers poverty most. `known`: name, extra cost (Rp a year), change of P0 (fraction)."""
    name, cost, moved = min(known, key=lambda one: one[2])
    if moved > -5e-5:
        return text("simulasi.points_none", lang)
    return text(
        "simulasi.points_finding", lang, name=name, change=numbers.points(moved, lang, 2),
        cost=change(0.0, cost, "rupiah", lang),
    )  # fmt: skip


def decile_finding(published: Published, lang: str) -> str:
    """In which decile most families win and in which most lose."""
    frame = published.frame[published.frame["decile"] > 0]
    best, worst = frame["winners"].max(), frame["losers"].max()
    if not best > SMALLEST and not worst > SMALLEST:
        return text("simulasi.decile_nobody", lang)
    parts = []
    for column, most in (("winners", best), ("losers", worst)):
        if most > SMALLEST:
            row = frame.loc[frame[column].idxmax()]
            count = numbers.people(row[column], lang)
            parts.append(text(f"simulasi.decile_{column}", lang, count=count, decile=int(row["decile"])))
    return " ".join(parts)


def area_change(published: Published) -> pd.DataFrame:
    """code, name, n, families, before, after, change (families) and change_rate (of the area's families)."""
    frame = published.frame
    moved = frame["after"] - frame["before"]
    base = frame["families"].where(frame["families"] > 0)
    return frame.assign(change=moved, change_rate=moved / base)


def area_finding(published: Published, lang: str) -> str:
    """Where most families gain a place and where most lose one."""
    frame = area_change(published).dropna(subset=["change"])
    if frame.empty or frame["change"].abs().max() < SMALLEST:
        return text("simulasi.area_same", lang)
    up, down = frame.loc[frame["change"].idxmax()], frame.loc[frame["change"].idxmin()]
    parts = []
    if up["change"] >= SMALLEST:
        parts.append(text("simulasi.area_up", lang, name=up["name"], count=numbers.people(up["change"], lang)))
    if down["change"] <= -SMALLEST:
        parts.append(text("simulasi.area_down", lang, name=down["name"], count=numbers.people(-down["change"], lang)))
    return " ".join(parts)


def group_finding(published: Published, totals: Figures, lang: str) -> str:
    """Which group's coverage changes most, beside that of all families."""
    frame = published.frame.dropna(subset=["before_rate", "after_rate"])
    if frame.empty:
        return text("simulasi.group_unknown", lang)
    moved = frame["after_rate"] - frame["before_rate"]
    if moved.abs().max() < 5e-5:
        return text("simulasi.group_same", lang)
    row = frame.loc[moved.abs().idxmax()]
    everyone = (totals["families_after"] - totals["families_before"]) / totals["families"]
    return text(
        "simulasi.group_finding", lang, group=group_name(str(row["group"]), lang),
        before=numbers.percent(row["before_rate"], lang), after=numbers.percent(row["after_rate"], lang),
        everyone=numbers.points(everyone, lang, 1),
    )  # fmt: skip


def group_name(group: str, lang: str) -> str:
    return text(f"simulasi.group_{group}", lang)


def budget_finding(fit: BudgetFit | None, rule: Rule, budget: float, lang: str) -> str:
    """How far down the ranking a budget reaches when everybody eligible is served."""
    if fit is None:
        return text("simulasi.budget_unknown", lang)
    if fit.score is None:
        return text("simulasi.budget_nobody", lang, budget=numbers.rupiah(budget, lang))
    return text(
        "simulasi.budget_finding", lang, budget=numbers.rupiah(budget, lang), units=numbers.people(fit.units, lang),
        unit=unit(rule, lang), share=numbers.percent(fit.share, lang, 1), cost=numbers.rupiah(fit.cost, lang),
        score=numbers.number(fit.score / 1000, lang, 3),
    )  # fmt: skip


def describe(reform: Reform, old: Rule, new: Rule, lang: str) -> str:
    """The scenario in words: what differs from the rule as it stands."""
    parts = []
    if reform.score_to is not None:
        parts.append(text("simulasi.said_score", lang, score=numbers.number(reform.score_to / 1000, lang, 3)))
    elif (new.decile_from, new.last_decile) != (old.decile_from, old.last_decile):
        parts.append(text("simulasi.said_deciles", lang, first=new.decile_from, last=new.last_decile))
    if new.quota != old.quota:
        quota = text("simulasi.unlimited", lang) if new.quota is None else numbers.people(new.quota, lang)
        parts.append(text("simulasi.said_quota", lang, quota=quota))
    if new.amount != old.amount and new.amount is not None:
        parts.append(text("simulasi.said_amount", lang, amount=numbers.rupiah(new.amount, lang)))
    elif new.components != old.components:
        parts.append(text("simulasi.said_components", lang))
    if reform.line != 1.0:
        parts.append(text("simulasi.said_line", lang, line=numbers.percent(reform.line, lang, 0)))
    if reform.model:
        parts.append(text("simulasi.said_model", lang, model=text(f"peringkat.model_{reform.model}", lang).lower()))
    if reform.design is not None:
        parts.append(text("simulasi.said_new", lang, unit=unit(new, lang)))
    said = "; ".join(parts) if parts else text("simulasi.said_nothing", lang)
    return f"{new.label(lang)}: {said}"


def table_of(published: Published, key: str, lang: str) -> Table:
    """The table behind a figure; `key` is decile, code or group."""
    columns = [("name", text("simulasi.col_name", lang), "text")] if key == "code" else []
    columns += [(key, text(f"simulasi.col_{key}", lang), "text")]
    columns += [(c, text(f"simulasi.col_{c}", lang), "count") for c in ("n", "families", "before", "after")]
    columns += [(c, text(f"simulasi.col_{c}", lang), "percent") for c in ("before_rate", "after_rate")]
    columns += [(c, text(f"simulasi.col_{c}", lang), "count") for c in ("winners", "losers")]
    columns += [(c, text(f"simulasi.col_{c}", lang), "rupiah") for c in ("cost_before", "cost_after")]
    made = build(published, columns)
    if key == "group":
        name = text("simulasi.col_group", lang)
        made.frame[name] = [group_name(str(g), lang) for g in made.frame[name]]
    if key == "decile":
        name = text("simulasi.col_decile", lang)
        made.frame[name] = [text("simulasi.decile_unknown", lang) if d == 0 else str(d) for d in made.frame[name]]
    return made


def warning(key: str, lang: str) -> str:
    return text(f"simulasi.warning_{key}", lang)


def method_note(
    described: Sequence[str], rule: Rule, basis: str, version: str, as_of: str, simulated: bool, lang: str
) -> list[str]:
    """Lines that travel with a download and stand on the page: label, data, rule, method, limits."""
    lines = [text("simulasi.note_simulated" if simulated else "simulasi.note_real", lang)]
    lines.append(text("simulasi.note_version", lang, version=version, as_of=numbers.date(as_of, lang)))
    lines += list(described)
    lines.append(text("simulasi.note_rule", lang, source=rule.source, since=numbers.date(rule.valid_from, lang)))
    if rule.source_amount:
        lines.append(text("simulasi.note_amount", lang, source=rule.source_amount))
    lines.append(text(f"simulasi.note_basis_{basis}", lang))
    others = ("order", "one", "poverty", "error", "behaviour", "objections", "disclosure")
    lines += [text(f"simulasi.note_{k}", lang) for k in others]
    return lines
