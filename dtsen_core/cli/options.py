"""The options that several commands share, declared once; choices are checked by us, in the user's words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dtsen_core.cli.language import say
from dtsen_core.errors import UserError
from dtsen_core.locale import LANGS
from dtsen_core.settings import settings

CODES = ("kemendagri", "bps")
LEVELS = ("province", "regency", "district")


def choose(name: str, given: str, allowed: tuple[str, ...]) -> str:
    """`given` if it is one of `allowed`; UserError otherwise."""
    if given not in allowed:
        raise UserError("errors_cli.choice", name=name, given=given, allowed=", ".join(allowed))
    return given


def _language(given: str | None) -> str | None:
    return None if given is None else choose("--lang", given, LANGS)


Format = Annotated[str, typer.Option("--format", help=say("help_format"), metavar="table|json|csv")]
Lang = Annotated[str | None, typer.Option("--lang", help=say("help_lang"), metavar="id|en", callback=_language)]
DatasetDir = Annotated[Path | None, typer.Option("--dataset", help=say("help_dataset"), metavar="DIR")]
OutDir = Annotated[Path | None, typer.Option("--out", help=say("help_out"), metavar="DIR")]
Codes = Annotated[str | None, typer.Option("--codes", help=say("help_codes"), metavar="kemendagri|bps")]


def code_system(given: str | None) -> str | None:
    return None if given is None else choose("--codes", given, CODES)


def existing(files: list[Path]) -> list[Path]:
    """The files, all of them readable files; one UserError names every one that is not."""
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise UserError("errors_cli.no_file", files=", ".join(missing))
    return files


def dataset_dir(given: Path | None) -> Path:
    return given if given is not None else settings().dataset
