"""The field dictionary: the 52 family and 48 member variables of the delivered layout.

One table (``data/rules/fields.csv``) from which DDL, validation, labels and documentation derive.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache

from dtsen_core.paths import RULES

SETS = ("keluarga", "anggota")
PRIVACY = ("open", "quasi", "personal", "specific")
TYPES = ("code", "flag", "integer", "number", "text", "date", "region")


@dataclass(frozen=True)
class Field:
    """One delivered variable. `codelist` names its code list; `applies_when` is the questionnaire's skip
    rule as an SQL condition on the same row (empty: always asked); `privacy` follows UU 27/2022."""

    set: str
    group: str
    name: str
    type: str
    codelist: str
    privacy: str
    label_id: str
    label_en: str
    applies_when: str

    def label(self, lang: str) -> str:
        return self.label_en if lang == "en" else self.label_id


@lru_cache(maxsize=1)
def _all() -> tuple[Field, ...]:
    with (RULES / "fields.csv").open(encoding="utf-8", newline="") as file:
        return tuple(Field(**row) for row in csv.DictReader(file))


@lru_cache(maxsize=4)
def fields(set_name: str) -> tuple[Field, ...]:
    """The fields of ``keluarga`` (52) or ``anggota`` (48) in delivered order."""
    if set_name not in SETS:
        raise KeyError(set_name)
    return tuple(field for field in _all() if field.set == set_name)


def field(set_name: str, name: str) -> Field:
    return next(f for f in fields(set_name) if f.name == name)
