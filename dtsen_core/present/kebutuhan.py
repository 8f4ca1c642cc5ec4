"""Sentences and tables of the page on need and quota, from published tables only."""

from __future__ import annotations

import pandas as pd

from dtsen_core.locale import text
from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy.places import component_lines
from dtsen_core.policy.programme_rules import Rule
from dtsen_core.present import numbers, simulasi
from dtsen_core.present.peringkat_tables import Table, build

BARS = 40


def total(published: Published, column: str) -> float:
    """Sum of a published column; NaN if a cell of it is hidden or unknown."""
    return float(published.frame[column].sum(skipna=False))


def figure(value: float, lang: str) -> str:
    return text("kebutuhan.unknown", lang) if numbers.missing(value) else numbers.people(value, lang)


def finding(rule: Rule, areas: Published, lang: str) -> str:
    """Eligible, quota and who gets no place, as far as each is known."""
    eligible, quota, enrolled = (total(areas, c) for c in ("eligible", "quota", "enrolled"))
    values = {"programme": rule.abbreviation(lang), "unit": simulasi.unit(rule, lang)}
    if not rule.deciles:
        return text("kebutuhan.finding_no_deciles", lang, **values, enrolled=figure(enrolled, lang))
    if numbers.missing(eligible):
        return text("kebutuhan.finding_hidden", lang, programme=values["programme"])
    values["eligible"] = numbers.people(eligible, lang)
    if numbers.missing(quota):
        return text("kebutuhan.finding_no_quota", lang, **values)
    values["quota"] = numbers.people(quota, lang)
    if eligible <= quota:
        return text("kebutuhan.finding_enough", lang, **values)
    return text("kebutuhan.finding_gap", lang, **values, gap=numbers.people(eligible - quota, lang))


def decile_finding(rule: Rule, deciles: Published, lang: str) -> str:
    """How many wait and in which decile most of them are."""
    waiting = deciles.frame["waiting"]
    if waiting.isna().all() or not waiting.sum() > 0:
        return text("kebutuhan.finding_deciles_unknown", lang)
    row = deciles.frame.loc[waiting.idxmax()]
    return text(
        "kebutuhan.finding_deciles", lang, waiting=numbers.people(waiting.sum(), lang), unit=simulasi.unit(rule, lang),
        decile=int(row["decile"]), most=numbers.people(row["waiting"], lang),
    )  # fmt: skip


def budget_finding(budget: dict[str, float], lang: str) -> str:
    """What serving everybody eligible costs, beside the published budget."""
    cost, published = budget["eligible"], budget["published"]
    if numbers.missing(cost):
        return text("kebutuhan.budget_unknown", lang)
    if numbers.missing(published):
        return text("kebutuhan.budget_finding_plain", lang, cost=numbers.rupiah(cost, lang))
    ratio = numbers.number(cost / published, lang, 1)
    return text("kebutuhan.budget_finding", lang, cost=numbers.rupiah(cost, lang), ratio=ratio)


def with_gap(published: Published) -> pd.DataFrame:
    """The published areas with gap (eligible − quota) and the share of the eligible that waits."""
    frame = published.frame
    base = frame["eligible"].where(frame["eligible"] > 0)
    return frame.assign(gap=frame["eligible"] - frame["quota"], waiting_rate=frame["waiting"] / base)


def area_table(published: Published, lang: str) -> Table:
    columns = [("name", "text"), ("code", "text")]
    columns += [(c, "count") for c in ("n", "families", "persons", "eligible", "quota")]
    columns += [(c, "count") for c in ("enrolled", "enrolled_eligible", "waiting")]
    made = build(published, [(c, text(f"kebutuhan.col_{c}", lang), k) for c, k in [*columns, ("coverage", "percent")]])
    gap = text("kebutuhan.col_gap", lang)
    made.frame.insert(7, gap, with_gap(published)["gap"])
    made.kinds[gap] = "signed"
    return made


def decile_table(published: Published, lang: str) -> Table:
    columns = [("decile", "text")]
    columns += [(c, "count") for c in ("n", "families", "persons", "eligible", "enrolled", "enrolled_eligible")]
    columns += [("waiting", "count"), ("coverage", "percent"), ("placed", "count"), ("kept", "count")]
    columns += [("cost", "rupiah")]
    made = build(published, [(c, text(f"kebutuhan.col_{c}", lang), k) for c, k in columns])
    name = text("kebutuhan.col_decile", lang)
    made.frame[name] = [text("kebutuhan.decile_unknown", lang) if d == 0 else str(d) for d in made.frame[name]]
    return made


def budget_rows(budget: dict[str, float], rule: Rule, lang: str) -> pd.DataFrame:
    """Label and amount of the yearly costs that are known."""
    rows = [
        (text(f"kebutuhan.budget_{name}", lang, source=rule.source_budget or "–"), numbers.rupiah(value, lang))
        for name, value in budget.items()
        if not numbers.missing(value)
    ]
    return pd.DataFrame(rows, columns=[text("kebutuhan.budget_title", lang), text("kebutuhan.col_total", lang)])


def calculator(rule: Rule, members: dict[str, int], lang: str) -> tuple[str, pd.DataFrame]:
    """(sentence, lines) of the component calculator for one family."""
    lines = component_lines(rule, members)
    whole = sum(line[4] for line in lines)
    tranches = rule.tranches or 1
    said = text(
        "kebutuhan.calculator_finding", lang, total=numbers.rupiah(whole, lang), tranches=tranches,
        each=numbers.rupiah(whole / tranches, lang),
    )  # fmt: skip
    capped = [
        text("kebutuhan.calculator_cap", lang, count=paid, name=text(f"simulasi.component_{key}", lang).lower())
        for key, number, paid, _, _ in lines
        if paid < number
    ]
    if capped:
        said = f"{said} {text('kebutuhan.calculator_capped', lang, parts=', '.join(capped))}"
    head = [text(f"kebutuhan.col_{c}", lang) for c in ("component", "members", "paid", "each", "total")]
    rows = [
        (text(f"simulasi.component_{key}", lang), number, paid, numbers.rupiah(each, lang), numbers.rupiah(sum_, lang))
        for key, number, paid, each, sum_ in lines
    ]
    return said, pd.DataFrame(rows, columns=head)


def method_note(rule: Rule, split: str, version: str, as_of: str, simulated: bool, lang: str) -> list[str]:
    lines = [text("kebutuhan.method_simulated", lang)] if simulated else []
    lines.append(text("simulasi.note_version", lang, version=version, as_of=numbers.date(as_of, lang)))
    lines.append(text("kebutuhan.method_rule", lang, since=numbers.date(rule.valid_from, lang), source=rule.source))
    if rule.deciles:
        lines.append(text("kebutuhan.method_rule_deciles", lang, first=rule.decile_from, last=rule.decile_to))
    if rule.then_decile_to:
        lines.append(text("kebutuhan.method_then", lang, then=rule.then_decile_to))
    if rule.quota is not None or split == "uploaded":
        lines.append(text("kebutuhan.method_split", lang, split=text(f"kebutuhan.split_{split}", lang).lower()))
    lines += [text(f"kebutuhan.{k}", lang) for k in ("method_waiting", "deciles_note", "method_unknown")]
    lines.append(text("simulasi.note_disclosure", lang))
    return lines
