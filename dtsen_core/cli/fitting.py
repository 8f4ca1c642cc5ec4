"""``fit``: a model fitted on the survey of a dataset, its errors on held-out households, and its scorecard as CSV."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.progress import Progress

from dtsen_core.cli import options
from dtsen_core.cli.experiments import lab as say_lab
from dtsen_core.cli.language import say
from dtsen_core.cli.output import check_format, emit, messages, note
from dtsen_core.errors import UserError
from dtsen_core.policy import lab, trust
from dtsen_core.policy.lab import Tell
from dtsen_core.rank import methods, scorecard_file
from dtsen_core.rank.experiment import Experiment
from dtsen_core.rank.scorecard_file import ScorecardProblems, from_csv
from dtsen_core.registry.dataset import Dataset

COLUMNS = ("cut", "inclusion", "inclusion_range", "exclusion", "exclusion_range", "gain", "gain_range")


def fit(
    method: Annotated[str, typer.Option(help=say_lab("help_fit_method"), metavar="|".join(methods.FAMILIES))] = "ridge",
    scope: Annotated[str, typer.Option(help=say_lab("help_fit_scope"), metavar="|".join(methods.SCOPES))] = "province",
    quantile: Annotated[float | None, typer.Option(help=say_lab("help_fit_quantile"), metavar="0.2|0.3|0.4")] = None,
    drop: Annotated[list[str] | None, typer.Option(help=say_lab("help_fit_drop"), metavar="INDICATOR")] = None,
    out: Annotated[Path | None, typer.Option(help=say_lab("help_fit_out"), metavar="FILE")] = None,
    dataset: options.DatasetDir = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    name = Experiment.of(methods.find(method, scope, quantile), drop or (), refit=True).name
    opened = Dataset.open(options.dataset_dir(dataset))
    if not lab.has_survey(opened):
        raise UserError("errors_keandalan.no_survey")
    with _bar() as tell:
        frame = trust.report(opened, name, tell)
    card = lab.fit(opened, name).card
    if out is not None:
        try:
            scorecard_file.to_csv(card, out)
        except OSError as problem:
            raise UserError("errors_lab.out_unwritable", path=out) from problem
    whole = frame[frame["kind"] == "all"]
    document = {
        "dataset": opened.version, "origin": card.origin, "model": name, "hash": card.hash, "method": method,
        "scope": scope, "households": int(whole["households"].iloc[0]), "r2": float(whole["r2"].iloc[0]),
        "r2_heldout": float(whole["r2_heldout"].iloc[0]), "out": out, "errors": frame.to_dict("records"),
    }  # fmt: skip
    emit(form, document, _rows(whole), {column: _title(column) for column in COLUMNS})
    note(say_lab("fitted", model=name, households=document["households"], r2=f"{document['r2']:.3f}",
                 r2_heldout=f"{document['r2_heldout']:.3f}"))  # fmt: skip
    if out is not None:
        note(say_lab("written", path=out))
        _check(out, name)
    if opened.simulated:
        note(say("simulated"))


def _rows(whole: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {"cut": f"{row['cut']:.0%}"}
        | {name: f"{row[name]:.2%}" for name in ("inclusion", "exclusion", "gain")}
        | {f"{name}_range": f"{row[f'{name}_low']:.2%}–{row[f'{name}_high']:.2%}"
           for name in ("inclusion", "exclusion", "gain")}
        for row in whole.to_dict("records")
    ]  # fmt: skip


def _title(column: str) -> str:
    return say_lab("column_range") if column.endswith("_range") else say_lab(f"column_{column}")


def _check(path: Path, name: str) -> None:
    """Say so where the file just written would be refused as an upload."""
    try:
        from_csv(path)
    except ScorecardProblems as problems:
        names = dict.fromkeys(str(params.get("variable", "–")) for _, params in problems.problems)
        note(say_lab("refused_back", count=len(problems.problems), names=", ".join(names), model=name))


@contextlib.contextmanager
def _bar() -> Iterator[Tell]:
    """Yield a function that hears the fraction done and draws it where there is a screen."""
    with Progress(console=messages, transient=True, disable=not messages.is_terminal) as drawn:
        task = drawn.add_task("", total=1.0)
        yield lambda done: drawn.update(task, completed=done)
