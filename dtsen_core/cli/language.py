"""The language of messages and help: ``--lang``, else the environment's ``LANG``, else Indonesian."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from dtsen_core.locale import LANGS, text


def chosen(arguments: Sequence[str] | None = None) -> str:
    """The language asked for on the command line, even if the rest of the line cannot be understood."""
    line = list(sys.argv[1:] if arguments is None else arguments)
    for position, word in enumerate(line):
        value = word[7:] if word.startswith("--lang=") else ""
        if word == "--lang" and position + 1 < len(line):
            value = line[position + 1]
        if value in LANGS:
            return value
    wanted = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "en" if wanted.lower().startswith("en") else "id"


def say(key: str, **params: object) -> str:
    """The sentence ``cli.<key>`` in the chosen language."""
    return text(f"cli.{key}", chosen(), **params)
