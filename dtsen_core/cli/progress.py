"""The progress of a long command: a bar on standard error, and a file for the dashboard's visitors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from dtsen_core.build.progress import Event, Listener, file_listener, write_state
from dtsen_core.cli.language import chosen, say
from dtsen_core.cli.output import messages, note
from dtsen_core.errors import UserError
from dtsen_core.locale import has, text

BUSY = "errors_dataset.build_running"  # the state file then belongs to the other process


@contextlib.contextmanager
def bar() -> Iterator[Listener]:
    """Yield a listener that draws stage, per cent and time left; without a screen, one line per stage."""
    lang = chosen()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as drawn:
        task = drawn.add_task("", total=1.0, left="")
        said = ""

        def listen(event: Event) -> None:
            nonlocal said
            key = f"build.stage_{event.stage}"
            label = text(key, lang) if has(key) else event.stage
            left = "" if event.seconds_left is None else say("seconds_left", seconds=round(event.seconds_left))
            drawn.update(task, completed=event.fraction, description=label, left=left)
            if messages.is_terminal or not event.fraction:  # what is refused at once has not begun
                return
            if event.stage != said:
                note(f"{event.fraction:4.0%}  {label}")
            said = event.stage

        yield listen


@contextlib.contextmanager
def reported(listener: Listener, state: Path, *, asked: bool) -> Iterator[Listener]:
    """Also keep the state of the build in the file `state`, to its end, good or bad.

    `asked`: the file was asked for, so a refusal before the first step is written down as well.
    """
    keep = file_listener(state)
    begun = asked

    def both(event: Event) -> None:
        nonlocal begun
        begun = True
        keep(event)
        listener(event)

    try:
        yield both
    except UserError as refusal:
        if begun and refusal.key != BUSY:
            _write(state, {"state": "failed", "message_key": refusal.key, "params": _words(refusal)})
        raise
    except BaseException:
        if begun:
            _write(state, {"state": "failed", "message_key": "build.stopped", "params": {}})
        raise
    _write(state, {"state": "done"})


def _write(state: Path, content: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # a full disk is reported by the build itself
        write_state(state, content)


def _words(refusal: UserError) -> dict[str, object]:
    return {name: value if isinstance(value, int | float) else str(value) for name, value in refusal.params.items()}
