"""Rules of the programmes that the summary reports, read from ``data/rules/programmes.toml``."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dtsen_core.errors import InternalError
from dtsen_core.paths import RULES

# Columns of family_packed that may appear in a query; anything else in the file is refused.
_FLAGS = {
    "pkh": "families",
    "sembako": "families",
    "blt_desa": "families",
    "pbi_persons": "persons",
    "pbi_pemda_persons": "persons",
}


@dataclass(frozen=True)
class Programme:
    """One programme: quota in `unit` ("families" or "persons") and the national deciles it is meant for.

    `other`: column of people the same benefit reaches by another payer; they are not uncovered.
    `headline`: the rules name no condition beyond the decile, so whoever is left out can be stated as a gap.
    """

    key: str
    flag: str
    unit: str
    quota: float
    decile_from: int
    decile_to: int
    valid_from: dt.date
    source: str
    other: str = ""
    headline: bool = False

    @property
    def deciles(self) -> range:
        return range(self.decile_from, self.decile_to + 1)


def load(path: Path) -> tuple[Programme, ...]:
    """The programmes of one rules file; a contradiction in it is a bug of the installation."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["programme"]
    programmes = tuple(Programme(**row) for row in rows)
    for p in programmes:
        wrong = (
            _FLAGS.get(p.flag) != p.unit
            or not 1 <= p.decile_from <= p.decile_to <= 10
            or (p.other and _FLAGS.get(p.other) != p.unit)
            or p.quota <= 0
            or not isinstance(p.valid_from, dt.date)
        )
        if wrong:
            raise InternalError(f"{path.name}: programme {p.key!r} contradicts itself")
    return programmes


@lru_cache(maxsize=1)
def programmes() -> tuple[Programme, ...]:
    return load(RULES / "programmes.toml")
