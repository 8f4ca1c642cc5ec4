"""Words of a stranger (a file, an address, a name typed elsewhere) in a text that is read as Markdown."""

from __future__ import annotations

import re

_MARKUP = re.compile(r"([\\`*_\[\]<>~$|:#&])")


def literal(text: str) -> str:
    """`text` so that Markdown shows it as it stands: no link, picture, emphasis, formula or colour comes of it."""
    return _MARKUP.sub(r"\\\1", text)
