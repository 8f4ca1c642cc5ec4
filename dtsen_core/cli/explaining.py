"""``explain``: the ranking of one family taken apart; ``movement``: decile moves between two versions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from dtsen_core.cli import options
from dtsen_core.cli.experiments import lab
from dtsen_core.cli.language import chosen, say
from dtsen_core.cli.output import check_format, emit, note
from dtsen_core.oversight.disclosure import publish
from dtsen_core.oversight.lab_tables import movement_classes
from dtsen_core.policy.explain import explain as explained
from dtsen_core.policy.movement import CAUSES
from dtsen_core.policy.movement import movement as moved
from dtsen_core.policy.request import SCOPES, UNITS
from dtsen_core.registry.dataset import Dataset


def explain(
    family: Annotated[str, typer.Argument(help=lab("help_family"), metavar="ID")],
    model: Annotated[str, typer.Option(help=say("help_model"), metavar="NAME|FILE")] = "pmt_provinsi",
    scope: Annotated[str, typer.Option(help=say("help_scope"), metavar="|".join(SCOPES))] = "national",
    unit: Annotated[str, typer.Option(help=say("help_unit"), metavar="|".join(UNITS))] = "families",
    dataset: options.DatasetDir = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    found = explained(Dataset.open(options.dataset_dir(dataset)), family, model, scope, unit)
    rows: list[dict[str, Any]] = [
        {"indicator": row["indicator"], "category": row[f"category_{chosen()}"], "effect": row["effect"],
         "percent": 100 * row["percent"]}
        for row in found.contributions.to_dict("records")
    ]  # fmt: skip
    frames = {name: getattr(found, name).to_dict("records") for name in ("contributions", "changes", "sources")}
    scalars = {key: value for key, value in vars(found).items() if key not in frames}
    emit(form, {**scalars, **frames}, rows, {name: name for name in rows[0]})
    note(lab("explained", family=found.family, decile=found.decile, delivered=found.delivered or "–",
             score=found.score / 1000))  # fmt: skip
    note(say("simulated"))


def movement(
    before: Annotated[str, typer.Argument(help=lab("help_version_a"), metavar="[A]")] = "",
    after: Annotated[str, typer.Argument(help=lab("help_version_b"), metavar="[B]")] = "",
    scope: Annotated[str, typer.Option(help=say("help_scope"), metavar="|".join(SCOPES))] = "national",
    region: Annotated[str | None, typer.Option(help=say("help_region"), metavar="CODE")] = None,
    level: Annotated[str, typer.Option(help=say("help_level"), metavar="|".join(options.LEVELS))] = "province",
    public: Annotated[bool, typer.Option("--public", help=say("help_public"))] = False,
    dataset: options.DatasetDir = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    options.choose("--level", level, options.LEVELS)
    opened = Dataset.open(options.dataset_dir(dataset))
    found = moved(opened, before, after, scope, region, level)
    areas = found.areas
    if public:
        spec = movement_classes(tuple(found.classes["code"]))
        areas = publish(areas, spec, origin=opened.manifest.origin).frame
    rows = [
        {"class": row[f"label_{chosen()}"], "families": row["families"], "n": row["n"], "cases": row["cases"],
         **{cause: row[cause] for cause in CAUSES}}
        for row in found.classes.to_dict("records")
    ]  # fmt: skip
    frames = ("classes", "areas", "causes")
    document = {key: value for key, value in asdict(found).items() if key not in frames}
    document |= {"classes": found.classes.to_dict("records"), "causes": found.causes.to_dict("records"),
                 "areas": areas.to_dict("records")}  # fmt: skip
    emit(form, document, rows, {name: name for name in rows[0]})
    total = found.classes["families"].sum()
    share = 1 - found.classes.loc[found.classes["code"] == "tetap", "families"].sum() / total if total else 0.0
    note(lab("moved", share=f"{share:.2%}", cases=f"{found.classes['cases'].sum():,.0f}"))
    if opened.simulated:
        note(say("simulated"))
