"""Reading, checking and saving passports of rankings on the command line."""

from __future__ import annotations

from pathlib import Path

from dtsen_core.cli.language import chosen
from dtsen_core.cli.output import note
from dtsen_core.errors import UserError
from dtsen_core.locale import text
from dtsen_core.policy.passport import Passport, Verification
from dtsen_core.registry.dataset import Dataset


def verify(path: Path, dataset: Dataset, refused: list[str]) -> Verification:
    """The ranking of the passport at `path`, made again; UserError when it is another one, when the file is no
    passport, or when options were given (`refused`) that the passport decides."""
    if refused:
        raise UserError("errors_passport.with_options", options=", ".join(refused))
    try:
        raw = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise UserError("errors_passport.missing", path=path) from problem
    except UnicodeDecodeError as problem:
        raise UserError("errors_passport.damaged") from problem
    found = Passport.from_json(raw).verify(dataset)
    if not found.same:
        fields = ", ".join(d.field for d in found.differences)
        raise UserError("errors_passport.different", fields=fields)
    note(text("passport.same", chosen(), id=found.passport.id))
    if found.differences:
        note(text("passport.changed", chosen(), fields=", ".join(d.field for d in found.differences)))
    return found


def save(path: Path, passport: Passport) -> None:
    try:
        path.write_text(passport.to_json() + "\n", encoding="utf-8")
    except OSError as problem:
        raise UserError("errors_passport.unwritable", path=path) from problem
    note(text("passport.saved", chosen(), id=passport.id, path=path))
