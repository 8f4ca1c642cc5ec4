"""``rank``: the welfare ranking of a dataset, exact; ``--public`` passes it through disclosure control."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from dtsen_core.cli import experiments, options, passports
from dtsen_core.cli.language import chosen, say
from dtsen_core.cli.output import check_format, emit, note
from dtsen_core.errors import UserError
from dtsen_core.locale import text
from dtsen_core.oversight.disclosure import publish
from dtsen_core.oversight.tables import DECILES, ranking
from dtsen_core.policy.passport import Passport
from dtsen_core.policy.reranking import CUTS, impact
from dtsen_core.policy.welfare import SCOPES, UNITS, RankRequest, RankResult, full_ranking
from dtsen_core.rank.experiment import Experiment
from dtsen_core.registry.dataset import Dataset

lab = experiments.lab
FIGURES = ("n", "families", "persons", "mean_score", "p0", "p1", "p2", "gini")


def rank(
    model: Annotated[str, typer.Option(help=say("help_model"), metavar="NAME|FILE")] = "",
    scope: Annotated[str, typer.Option(help=say("help_scope"), metavar="|".join(SCOPES))] = "national",
    unit: Annotated[str, typer.Option(help=say("help_unit"), metavar="|".join(UNITS))] = "families",
    region: Annotated[str | None, typer.Option(help=say("help_region"), metavar="CODE")] = None,
    level: Annotated[str, typer.Option(help=say("help_level"), metavar="|".join(options.LEVELS))] = "regency",
    drop: Annotated[list[str] | None, typer.Option(help=lab("help_drop"), metavar="INDICATOR")] = None,
    weight: Annotated[list[str] | None, typer.Option(help=lab("help_weight"), metavar="GROUP=PERCENT")] = None,
    refit: Annotated[bool, typer.Option("--refit", help=lab("help_refit"))] = False,
    line: Annotated[str, typer.Option(help=lab("help_line"), metavar="RP|PERCENT%")] = "",
    compare: Annotated[bool, typer.Option("--compare", help=lab("help_compare"))] = False,
    cut: Annotated[int, typer.Option(help=lab("help_cut"), metavar="1-9")] = 4,
    plain: Annotated[bool, typer.Option("--plain", help=say("help_plain"))] = False,
    public: Annotated[bool, typer.Option("--public", help=say("help_public"))] = False,
    passport: Annotated[
        Path | None, typer.Option(help=text("passport.help_passport", chosen()), metavar="FILE")
    ] = None,
    save_passport: Annotated[
        Path | None, typer.Option(help=text("passport.help_save_passport", chosen()), metavar="FILE")
    ] = None,
    dataset: options.DatasetDir = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    # every choice is checked before the dataset is opened, so that no user waits for a misprint
    options.choose("--level", level, options.LEVELS)
    RankRequest(scope=scope, unit=unit, level=level, line=line)
    asked = Experiment.parse(model)
    Experiment.of("", drop or (), experiments.weights(weight or []))
    if refit and not (drop or asked.dropped):
        raise UserError("errors_lab.refit_nothing")
    if cut not in CUTS:
        raise UserError("errors_lab.cut", given=cut)
    opened = Dataset.open(options.dataset_dir(dataset))
    if passport is not None:
        refused = [o for o, given in (("--model", model), ("--region", region), ("--plain", plain),
                   ("--drop", drop), ("--weight", weight), ("--refit", refit), ("--line", line)) if given]  # fmt: skip
        found = passports.verify(passport, opened, refused)
        result, made = found.result, found.now
        name, scope, unit, region, level = (
            str(made.model["name"]), result.request.scope, result.request.unit, result.request.region,
            result.request.level,
        )  # fmt: skip
    else:
        name = model or ("pmt_provinsi" if opened.simulated else "resmi")
        if drop or weight or refit:
            before = Experiment.parse(name)
            every = dict(before.weights) | experiments.weights(weight or [])
            dropped = (*before.dropped, *(drop or ()))
            name = Experiment.of(before.base, dropped, every, refit or before.refit).name
        request = RankRequest(
            model=name, scope=scope, unit=unit, region=region, level=level, plain=plain, line=line
        )
        result = full_ranking(opened, request)
        made = Passport.make(opened, request, result)
    if save_passport is not None:
        passports.save(save_passport, made)
    changed = impact(opened, result.request, cut) if compare else None
    areas, hidden = result.areas, None
    if public:
        shown = publish(_numbers(areas), ranking(unit, areas.columns), origin=opened.manifest.origin)
        areas, hidden = shown.frame, shown.suppressed
        if shown.any_suppressed:
            note(shown.reason(chosen()))
    rows = [_area(row) for row in areas.to_dict("records")]
    if hidden is not None:
        for row, flags in zip(rows, hidden.to_dict("records")):
            row["suppressed"] = [column for column, is_hidden in flags.items() if is_hidden]
    document = {
        "dataset": result.dataset_version,
        "origin": opened.manifest.origin,
        "as_of": opened.manifest.as_of,
        "model": name,
        "scope": scope,
        "unit": unit,
        "level": level,
        "region": region,
        "line": result.request.line or None,
        "families": result.families,
        "seconds": result.seconds,
        "thresholds": _thresholds(result),
        "areas": rows,
        "passport": asdict(made),
    }
    if changed is not None:
        document["compare"] = experiments.compared(changed, opened.manifest.origin if public else None)
        experiments.told(changed)
    emit(form, document, _lines(rows) if form != "json" else (), _titles(form))
    if opened.simulated:
        note(say("simulated"))


def _numbers(areas: pd.DataFrame) -> pd.DataFrame:
    """`areas` as plain numbers (a not computable figure is NaN), fit for `publish`."""
    texts = [column for column in ("code", "name") if column in areas]
    numbers = areas.drop(columns=texts).astype({c: "float64" for c in areas if c not in (*texts, "n")})
    return pd.concat([areas[texts], numbers], axis=1).reset_index(drop=True)


def _area(row: dict[str, Any]) -> dict[str, Any]:
    """One area of the answer: the ten decile columns become one list."""
    deciles = [row[name] for name in DECILES]
    rest = {key: value for key, value in row.items() if key not in DECILES}
    head: dict[str, Any] = {key: rest.pop(key) for key in ("code", "name", "n", "families", "persons") if key in rest}
    return {**head, "deciles": deciles, **rest}


def _thresholds(result: RankResult) -> list[dict[str, Any]]:
    """Scores (thousandths of log rupiah) from which deciles 2…10 begin, per area of the scope."""
    cuts = [f"t{k}" for k in range(1, 10)]
    return [
        {
            "code": row["code"],
            "name": row["name"],
            "scores": [None if pd.isna(row[c]) else row[c] for c in cuts],
        }
        for row in result.thresholds.to_dict("records")
    ]


def _lines(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Areas for table and CSV: one column per decile, the word for a hidden number in its place."""
    word = text("disclosure.suppressed", chosen())
    lines = []
    for row in rows:
        line = {**row, **dict(zip(DECILES, row["deciles"]))}
        line |= dict.fromkeys(row.get("suppressed", ()), word)
        lines.append(line)
    return lines


def _titles(form: str) -> dict[str, str]:
    columns = ("code", "name", *FIGURES[:3], *DECILES, *FIGURES[3:])
    if form != "table":
        return {column: column for column in columns}
    return {column: f"D{column[1:]}" if column in DECILES else say(f"column_{column}") for column in columns}
