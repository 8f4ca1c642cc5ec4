"""``boundaries import|undo``: official boundaries take the place of the indicative ones, and back again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dtsen_core.cli import options
from dtsen_core.cli.language import chosen, say
from dtsen_core.cli.output import check_format, emit, note
from dtsen_core.locale import text
from dtsen_core.regions.boundaries import import_file, undo

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.command("import", help=say("help_boundaries_import"))
def import_boundaries(
    file: Annotated[Path, typer.Argument(help=say("help_boundary_file"), metavar="FILE")],
    level: Annotated[str, typer.Option(help=say("help_boundary_level"), metavar="|".join(options.LEVELS))],
    code_field: Annotated[str, typer.Option("--code-field", help=say("help_code_field"), metavar="F")],
    codes: options.Codes = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    options.choose("--level", level, options.LEVELS)
    system = options.code_system(codes)
    options.existing([file])
    report = import_file(file, level, code_field, system)
    report["notes"] = [text(f"boundaries.{key}", chosen(), **params) for key, params in report["notes"]]
    for sentence in report["notes"]:
        note(sentence)
    rows = [{"item": key, "value": value} for key, value in report.items()]
    emit(form, report, rows, {"item": say("column_item"), "value": say("column_value")})
    note(say("boundaries_done"))


@app.command("undo", help=say("help_boundaries_undo"))
def undo_import(form: options.Format = "table", lang: options.Lang = None) -> None:
    check_format(form)
    held = undo()
    document = {"hash": held.hash, "kind": held.kind, "source": held.source}
    rows = [{"item": key, "value": value} for key, value in document.items()]
    emit(form, document, rows, {"item": say("column_item"), "value": say("column_value")})
    note(say("boundaries_undone", source=held.source))
