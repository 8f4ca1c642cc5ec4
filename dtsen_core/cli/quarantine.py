"""``quarantine export``: the lines that were set aside, as a file that can be corrected and ingested again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dtsen_core.cli import options
from dtsen_core.cli.language import chosen, say
from dtsen_core.cli.output import note
from dtsen_core.collect.quarantine import export_quarantine
from dtsen_core.registry.dataset import Dataset

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _app() -> None:
    """Keeps ``export`` a word of its own while it is the only one."""


@app.command("export", help=say("help_quarantine_export"))
def export(
    kind: Annotated[str, typer.Argument(help=say("help_layout"), metavar="KIND")],
    file: Annotated[Path, typer.Argument(help=say("help_quarantine_file"), metavar="OUT.csv")],
    dataset: options.DatasetDir = None,
    lang: options.Lang = None,
) -> None:
    opened = Dataset.open(options.dataset_dir(dataset))
    count = export_quarantine(opened.cursor(), file, kind, lang=chosen())
    note(say("quarantine_done", count=count, path=file))
