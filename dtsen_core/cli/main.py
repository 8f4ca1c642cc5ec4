"""The command line: thin commands, one clear sentence and exit code 2 for everything the user can mend."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

import duckdb
import typer

from dtsen_core import machine
from dtsen_core.cli import (
    boundaries,
    data,
    explaining,
    fitting,
    language,
    policy,
    quarantine,
    ranking,
    review,
    versions,
)
from dtsen_core.cli.experiments import lab
from dtsen_core.cli.language import say
from dtsen_core.cli.options import Lang
from dtsen_core.cli.output import note
from dtsen_core.errors import UserError
from dtsen_core.locale import text

app = typer.Typer(
    name="dtsen_core",
    help=say("help_app"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _app(lang: Lang = None) -> None:
    """The language is read from the whole line by `language.chosen`; the option checks it."""


app.command("build", help=say("help_build"))(data.build)
app.command("info", help=say("help_info"))(data.info)
app.command("ingest", help=say("help_ingest"))(data.ingest)
app.command("relink", help=say("help_relink"))(data.relink)
app.command("rank", help=say("help_rank"))(ranking.rank)
app.command("fit", help=lab("help_fit"))(fitting.fit)
app.command("explain", help=lab("help_explain"))(explaining.explain)
app.command("movement", help=lab("help_movement"))(explaining.movement)
app.command("needs", help=say("help_needs"))(policy.needs)
app.command("simulate", help=say("help_simulate"))(policy.simulate)
app.command("lineage", help=say("help_lineage"))(versions.lineage)
app.add_typer(quarantine.app, name="quarantine", help=say("help_quarantine"))
app.add_typer(versions.app, name="versions", help=say("help_versions"))
app.add_typer(boundaries.app, name="boundaries", help=say("help_boundaries"))
app.add_typer(review.app, name="review", help=say("help_review"))


def run(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave the process with its exit code: 0 done, 2 the user can mend it, 1 a bug."""
    sys.exit(answer(list(sys.argv[1:] if arguments is None else arguments)))


def answer(arguments: list[str]) -> int:
    """The exit code of `arguments`; the sentence of a refusal goes to standard error."""
    machine.prepare()
    lang = language.chosen(arguments)
    try:
        outcome = app(args=arguments, prog_name="python -m dtsen_core", standalone_mode=False)
        sys.stdout.flush()
        return int(outcome or 0)
    except UserError as refusal:
        note(refusal.message(lang))
        return refusal.exit_code
    except typer.Exit as leaving:
        return leaving.exit_code
    except typer.TyperException as misuse:
        if type(misuse).__name__ == "NoArgsIsHelpError":
            note(misuse.format_message())
        else:
            note(_misuse(misuse, lang))
        return 2
    except (KeyboardInterrupt, typer.Abort):
        note(text("errors_cli.interrupted", lang))
        return 130
    except BrokenPipeError:  # the reader of our output has gone; nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as problem:
        note(_system(problem, lang))
        return 2
    except (duckdb.IOException, duckdb.FatalException, duckdb.SerializationException) as problem:
        full = "no space left" in str(problem).lower()
        note(text("errors_cli.disk_full" if full else "errors_cli.database", lang))
        return 2


def _misuse(misuse: typer.TyperException, lang: str) -> str:
    """What is wrong with the words of the command line, in the user's language."""
    kind = type(misuse).__name__
    parameter = getattr(misuse, "param", None)
    name = _parameter_name(parameter) if parameter is not None else getattr(misuse, "option_name", "")
    if kind == "NoSuchOption":
        near = ", ".join(getattr(misuse, "possibilities", None) or ())
        return text("errors_cli.no_option_near" if near else "errors_cli.no_option", lang, name=name, near=near)
    if kind == "MissingParameter":
        return text("errors_cli.missing_word", lang, name=name)
    if kind == "BadParameter" and parameter is not None:
        whole = "integer" in misuse.format_message()
        return text("errors_cli.not_whole" if whole else "errors_cli.bad_value", lang, name=name)
    if kind == "BadOptionUsage":
        return text("errors_cli.option_value", lang, name=name)
    return text("errors_cli.usage", lang, problem=misuse.format_message().rstrip("."))


def _parameter_name(parameter: object) -> str:
    options = [str(word) for word in getattr(parameter, "opts", ())]
    if getattr(parameter, "param_type_name", "") == "argument":
        return str(getattr(parameter, "metavar", None) or getattr(parameter, "human_readable_name", ""))
    return max(options, key=len, default="")


def _system(problem: OSError, lang: str) -> str:
    """What the operating system refused: a full disk, a closed place, a missing file."""
    place = problem.filename or "–"
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return text("errors_cli.disk_full", lang)
    if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return text("errors_cli.no_access", lang, path=place)
    if problem.errno == errno.ENOENT:
        return text("errors_cli.no_file", lang, files=place)
    return text("errors_cli.system", lang, path=place, problem=problem.strerror or problem)
