"""Sentences in two languages, kept as data in ``data/locale/*.toml``.

A key is ``<file>.<entry>``; an entry holds ``id`` and ``en``. Parameters fill ``{name}`` places.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache

from dtsen_core.paths import LOCALE, RULES

LANGS = ("id", "en")


@lru_cache(maxsize=1)
def _catalogue() -> dict[str, dict[str, str]]:
    entries: dict[str, dict[str, str]] = {}
    for file in sorted(LOCALE.glob("*.toml")):
        for key, value in tomllib.loads(file.read_text(encoding="utf-8")).items():
            entries[f"{file.stem}.{key}"] = value
    # A rule carries its own sentence; together with the other reasons it reads as ``integrate.<code>``.
    rules = tomllib.loads((RULES / "identity" / "rules.toml").read_text(encoding="utf-8"))["rule"]
    entries.update({f"integrate.{rule['code']}": {lang: rule[lang] for lang in LANGS} for rule in rules})
    return entries


def has(key: str) -> bool:
    return key in _catalogue()


def text(key: str, lang: str = "id", **params: object) -> str:
    """The sentence `key` in `lang`; KeyError if the key or the language is missing (a bug)."""
    sentence = _catalogue()[key][lang if lang in LANGS else LANGS[0]]
    return sentence.format(**params) if params else sentence
