"""``needs`` and ``simulate``: need and quota of a programme, and what a change of its rule leads to."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from dtsen_core.cli import options
from dtsen_core.cli.language import chosen, say
from dtsen_core.cli.output import check_format, emit, note
from dtsen_core.errors import UserError
from dtsen_core.oversight import disclosure, tables
from dtsen_core.policy import needs as need
from dtsen_core.policy import reform_run
from dtsen_core.policy.programme_rules import rule_on
from dtsen_core.policy.reform_spec import BASES, UNLIMITED, Reform, check, parse_reform
from dtsen_core.present import simulasi
from dtsen_core.registry.dataset import Dataset

NEEDS = ("code", "name", "n", "families", "persons", "eligible", "quota", "enrolled", "waiting", "gap")
ORDER = ("position", "id_keluarga", "decile", "score", "family_size", "units", "enrolled", "protected", "place")


def needs(
    programme: Annotated[str, typer.Argument(help=say("help_programme"), metavar="PROGRAMME")],
    level: Annotated[str, typer.Option(help=say("help_level"), metavar="|".join(need.LEVELS))] = "province",
    region: Annotated[str | None, typer.Option(help=say("help_region"), metavar="CODE")] = None,
    split: Annotated[str, typer.Option(help=say("help_split"), metavar="|".join(need.SPLITS))] = "eligible",
    quotas: Annotated[Path | None, typer.Option(help=say("help_quotas"), metavar="FILE")] = None,
    order: Annotated[int, typer.Option(help=say("help_order"), metavar="N", min=0)] = 0,
    public: Annotated[bool, typer.Option("--public", help=say("help_public"))] = False,
    dataset: options.DatasetDir = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    options.choose("--level", level, need.LEVELS)
    options.choose("--split", split, need.SPLITS)
    if public and order:
        raise UserError("errors_cli.order_public")
    given = need.read_quotas(options.existing([quotas])[0].read_bytes()) if quotas else None
    opened = Dataset.open(options.dataset_dir(dataset))
    rule = rule_on(programme, opened.manifest.as_of)
    areas = need.needs_by_area(opened, rule, level, region, split, given)
    deciles = need.needs_by_decile(opened, rule, region)
    if public:
        areas = _sealed(areas, "code", rule.unit, ("quota",), opened.manifest.origin)
        deciles = _sealed(deciles, "decile", rule.unit, ("placed", "kept", "cost"), opened.manifest.origin)
    queue = need.ordered(opened, rule, region, order) if order else pd.DataFrame()
    document = {
        "dataset": opened.version, "origin": opened.manifest.origin, "as_of": opened.manifest.as_of,
        "programme": rule.key, "unit": rule.unit, "source": rule.source, "split": split, "level": level,
        "region": region, "areas": areas.to_dict("records"), "deciles": deciles.to_dict("records"),
        "budget": None if public else need.yearly_budget(opened, rule, region), "order": queue.to_dict("records"),
    }  # fmt: skip
    rows, columns = (queue, ORDER) if order else (areas, NEEDS)
    titles = {c: say(f"column_{c}") if form == "table" else c for c in columns}
    emit(form, document, rows.to_dict("records") if form != "json" else (), titles)
    if opened.simulated:
        note(say("simulated"))


def _sealed(frame: pd.DataFrame, key: str, unit: str, measures: tuple[str, ...], origin: str) -> pd.DataFrame:
    shown = frame.drop(columns=[c for c in ("units", "gap") if c in frame])
    shown["coverage"] = shown["enrolled_eligible"] / shown["eligible"].where(shown["eligible"] > 0)
    published = disclosure.publish(shown, tables.needs(key, unit, measures), origin=origin)
    if published.any_suppressed:
        note(published.reason(chosen()))
    result = published.frame
    return result.assign(gap=result["eligible"] - result["quota"]) if "quota" in result else result


def simulate(
    programme: Annotated[str, typer.Argument(help=say("help_programme"), metavar="PROGRAMME")],
    deciles: Annotated[int | None, typer.Option(help=say("help_deciles"), metavar="N")] = None,
    quota: Annotated[float | None, typer.Option(help=say("help_quota"), metavar="N")] = None,
    unlimited: Annotated[bool, typer.Option("--unlimited", help=say("help_unlimited"))] = False,
    amount: Annotated[float | None, typer.Option(help=say("help_amount"), metavar="RP")] = None,
    component: Annotated[list[str] | None, typer.Option(help=say("help_component"), metavar="NAME=RP")] = None,
    line: Annotated[float, typer.Option(help=say("help_line"), metavar="FACTOR")] = 1.0,
    model: Annotated[str, typer.Option(help=say("help_reform_model"), metavar="NAME")] = "",
    basis: Annotated[str, typer.Option(help=say("help_basis"), metavar="|".join(BASES))] = "enrolment",
    code: Annotated[str, typer.Option(help=say("help_code"), metavar="CODE")] = "",
    budget: Annotated[float | None, typer.Option(help=say("help_budget"), metavar="RP")] = None,
    dataset: options.DatasetDir = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    if code:
        try:
            wanted = parse_reform(code)
        except ValueError as error:
            raise UserError("errors_cli.code", given=code[:60]) from error
    else:
        wanted = check(
            Reform(
                programme, decile_to=deciles, quota=UNLIMITED if unlimited else quota, amount=amount,
                components=_components(component or []), line=line, model=model, basis=basis,
            )
        )  # fmt: skip
    opened = Dataset.open(options.dataset_dir(dataset))
    found = reform_run.simulated_reform(opened, wanted)
    figures = dict(found.totals)
    for side, values in (found.poverty or {}).items():
        figures |= {f"{side}_{name}": value for name, value in values.items()}
    fit = None if budget is None else reform_run.affordable(opened, wanted, budget)
    document: dict[str, Any] = {
        "dataset": opened.version, "origin": opened.manifest.origin, "as_of": opened.manifest.as_of,
        "label": "simulated", "code": wanted.code, "programme": found.new.key, "unit": found.new.unit,
        "source": found.new.source, "figures": figures, "warnings": [key for key, _ in found.warnings],
        "deciles": found.deciles.to_dict("records"), "areas": found.areas.to_dict("records"),
        "groups": found.groups.to_dict("records"), "budget_fit": None if fit is None else dataclasses.asdict(fit),
    }  # fmt: skip
    rows = [
        {"measure": name, "before": figures.get(before, math.nan) if before else math.nan,
         "after": figures.get(after, math.nan)}
        for name, before, after, _ in simulasi.ROWS
    ]  # fmt: skip
    if form == "table":
        rows = _written(rows)
    emit(form, document, rows if form != "json" else (), {c: say(f"column_{c}") if form == "table" else c
                                                          for c in ("measure", "before", "after")})  # fmt: skip
    for key, _ in found.warnings:
        note(simulasi.warning(key, chosen()))
    if budget is not None and form == "table":
        note(simulasi.budget_finding(fit, found.new, budget, chosen()))
    note(say("simulated") if opened.simulated else say("reform_simulated"))


def _written(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kinds = {name: kind for name, _, _, kind in simulasi.ROWS}
    alone = {name for name, before, _, _ in simulasi.ROWS if not before}
    lang = chosen()
    return [
        {"measure": simulasi.row_name(row["measure"], lang),
         "before": "–" if row["measure"] in alone else simulasi.writes(row["before"], kinds[row["measure"]], lang),
         "after": simulasi.writes(row["after"], kinds[row["measure"]], lang)}
        for row in rows
    ]  # fmt: skip


def _components(given: list[str]) -> tuple[tuple[str, float], ...]:
    found = []
    for one in given:
        name, _, money = one.partition("=")
        try:
            found.append((name, float(money)))
        except ValueError as error:
            raise UserError("errors_cli.component", given=one[:60]) from error
    return tuple(found)
