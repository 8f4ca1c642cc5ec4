"""Versioned code lists of the delivered layout (``data/rules/codebooks/<year>.toml``).

Two granularities are in use: the fine lists of 2022 and the merged classes of the 2026 releases. A merged
class keeps a code of its own; it is never split into fine classes by guessing.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

from dtsen_core.paths import RULES


@dataclass(frozen=True)
class Code:
    """One code: `value` as stored, labels, further accepted spellings, codebook `version`,
    and for a merged class the fine codes it `merges`."""

    value: int
    label_id: str
    label_en: str
    delivered: tuple[str, ...]
    version: str
    merges: tuple[int, ...] = ()

    def label(self, lang: str) -> str:
        return self.label_en if lang == "en" else self.label_id


@dataclass(frozen=True)
class CodeList:
    name: str
    codes: tuple[Code, ...]

    def parse_map(self) -> dict[str, int]:
        """Every accepted spelling, lower case and trimmed, to the stored code."""
        spellings: dict[str, int] = {}
        for code in self.codes:
            # A merged class has no number in the deliveries, only its words.
            numbers = (str(code.value), f"{code.value:02d}") if not code.merges else ()
            for spelling in (*numbers, code.label_id, code.label_en, *code.delivered):
                spellings.setdefault(spelling.strip().lower(), code.value)
        return spellings

    def label(self, value: int, lang: str) -> str:
        return next(code.label(lang) for code in self.codes if code.value == value)


@lru_cache(maxsize=1)
def _all() -> dict[str, CodeList]:
    found: dict[str, list[Code]] = {}
    for file in sorted((RULES / "codebooks").glob("*.toml")):
        for name, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
            found.setdefault(name, []).extend(
                Code(
                    raw["value"],
                    raw["id"],
                    raw["en"],
                    tuple(raw.get("delivered", ())),
                    file.stem,
                    tuple(raw.get("merges", ())),
                )
                for raw in entry["codes"]
            )
    return {name: CodeList(name, tuple(codes)) for name, codes in found.items()}


def codelist(name: str) -> CodeList:
    """The code list `name`, fine codes first, merged classes after; KeyError if unknown."""
    return _all()[name]


def names() -> tuple[str, ...]:
    return tuple(_all())
