"""``build``, ``info`` and ``ingest``: making a dataset and saying what it is."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from dtsen_core.build import demo, lock, update
from dtsen_core.cli import options
from dtsen_core.cli.experiments import lab
from dtsen_core.cli.language import chosen, say
from dtsen_core.cli.output import check_format, emit, note
from dtsen_core.cli.progress import bar, reported
from dtsen_core.errors import UserError
from dtsen_core.policy import movement_cases
from dtsen_core.registry.dataset import Dataset

KINDS = tuple(update.KINDS)
NO_MOVES = ("errors_lab.one_version", "errors_dataset.nothing_to_compare")  # nothing to tell after an ingest


def build(
    families: Annotated[int | None, typer.Option(help=say("help_families"), metavar="N")] = None,
    seed: Annotated[int, typer.Option(help=say("help_seed"), metavar="S")] = demo.DEFAULT_SEED,
    out: options.OutDir = None,
    without_sources: Annotated[bool, typer.Option("--without-sources", help=say("help_without_sources"))] = False,
    progress_file: Annotated[Path | None, typer.Option("--progress-file", hidden=True)] = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    target = options.dataset_dir(out)
    state = progress_file or lock.progress_path(target)
    with bar() as drawn, reported(drawn, state, asked=progress_file is not None) as progress:
        demo.build(
            target, families=families, seed=seed, without_sources=without_sources, progress=progress, tournament=True
        )
    note(say("build_done", path=target))
    _describe(Dataset.open(target), form)


def info(dataset: options.DatasetDir = None, form: options.Format = "table", lang: options.Lang = None) -> None:
    check_format(form)
    _describe(Dataset.open(options.dataset_dir(dataset)), form)


def _describe(dataset: Dataset, form: str) -> None:
    document = {"path": dataset.path, **dataclasses.asdict(dataset.manifest)}
    rows = [{"item": key, "value": value} for key, value in leaves(document)]
    emit(form, document, rows, {"item": say("column_item"), "value": say("column_value")})


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, value) of everything inside mappings and lists of mappings; plain lists as one line of words."""
    if isinstance(value, Mapping):
        for key, inside in value.items():
            yield from leaves(inside, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(inside, Mapping) for inside in value):
        for number, inside in enumerate(value, start=1):
            yield from leaves(inside, f"{name}.{number}")
    elif isinstance(value, list | tuple):
        yield name, ", ".join(map(str, value))
    else:
        yield name, value


def ingest(
    kind: Annotated[str, typer.Argument(help=say("help_kind"), metavar="KIND")],
    files: Annotated[list[Path], typer.Argument(help=say("help_files"), metavar="FILE…")],
    dataset: options.DatasetDir = None,
    out: options.OutDir = None,
    codes: options.Codes = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help=say("help_as_of"), metavar="DATE")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=say("help_dry_run"))] = False,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    options.choose("KIND", kind, KINDS)
    if kind == "dtsen" and len(files) > 2:
        raise UserError("errors_cli.two_files", given=len(files))
    system = options.code_system(codes)
    day = _day(as_of)
    options.existing(files)
    target = out if out is not None else options.dataset_dir(dataset)
    with bar() as progress:
        report = update.ingest(kind, files, target, codes=system, as_of=day, dry_run=dry_run, progress=progress)
    if report["unchanged"]:
        note(say("ingest_unchanged", path=target, version=report["version"]))
    elif dry_run:
        note(say("ingest_dry_run", families=report["families"], persons=report["persons"]))
    else:
        note(say("ingest_done", path=target))
        note(say("ingest_version", version=report["version"], families=report["families"], persons=report["persons"]))
        _far_moves(target)
    columns = ("path", "read", "header", "blank", "accepted", "quarantined", "reasons")
    emit(form, report, report["files"], {name: say(f"column_{name}") for name in columns})


def relink(dataset: options.DatasetDir = None, form: options.Format = "table", lang: options.Lang = None) -> None:
    check_format(form)
    target = options.dataset_dir(dataset)
    with bar() as progress:
        report = update.relink(target, progress=progress)
    note(say("ingest_version", version=report["version"], families=report["families"], persons=report["persons"]))
    _far_moves(target)
    rows = [{"source": source, **counts} for source, counts in report["matched"].items()]
    emit(form, report, rows, {name: say(f"column_{name}") for name in ("source", "records", "matched", "passes")})


def _far_moves(target: Path) -> None:
    """Far moves without a visit since the version before enter the review queue; the new version stands either way."""
    try:
        made = movement_cases.collect(Dataset.open(target))
    except UserError as refusal:
        if refusal.key not in NO_MOVES:
            note(refusal.message(chosen()))
        return
    if made.now and made.cases:
        note(lab("collected", count=made.cases, before=made.before, after=made.after))


def _day(given: str | None) -> dt.date | None:
    """The date of ``--as-of``; UserError unless it is written as 2026-01-31."""
    if given is None:
        return None
    try:
        return dt.date.fromisoformat(given)
    except ValueError as problem:
        raise UserError("errors_cli.date", name="--as-of", given=given) from problem
