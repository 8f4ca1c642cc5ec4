"""Rules of programmes as dated data: one TOML file per programme in ``data/rules/programmes``.

A file names the programme once and lists periods; the period that holds the date asked for decides. A planner
adds a programme without code: another file in the folder that ``DTSEN_PROGRAMMES`` names (it may also replace
one of ours by its key), or an upload on the simulation page. What a source does not say is left out of the file
and stays unknown (None): no amount, quota or decile is guessed. Every problem of a file is told together.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from dtsen_core import locale
from dtsen_core.errors import UserError
from dtsen_core.paths import RULES
from dtsen_core.settings import settings

FOLDER = RULES / "programmes"
MAX_BYTES = 200_000
LANGS = ("id", "en")

# What a quota and a benefit count. `students` attend a university, `school_age` are persons of 7 to 18 years.
UNITS = ("families", "persons", "pupils", "students", "school_age")
# Columns of family_packed that may say who is enrolled, and what each counts.
FLAGS = {
    "pkh": "families", "sembako": "families", "blt_desa": "families",
    "pbi_persons": "persons", "pbi_pemda_persons": "persons", "pip_pupils": "pupils",
}  # fmt: skip
# Declared names; the SQL behind them stands in `policy.family_traits`.
COMPONENTS = ("pregnancy", "early_childhood", "primary", "junior", "senior", "severe_disability", "elderly")
CONDITIONS = ("has_component", "rural", "urban", "female_head", "elderly_head", "severe_disability")
PROTECTED = ("chronic_illness", "newborn", "severe_disability")

_PROGRAMME_KEYS = {
    "key", "name", "short", "unit", "flag", "other", "enrolment", "summary", "headline", "condition", "protected",
    "protected_source", "period",
}  # fmt: skip
_PERIOD_KEYS = {
    "valid_from", "valid_to", "decile_from", "decile_to", "then_decile_to", "quota", "amount", "tranches", "budget",
    "source", "source_amount", "source_budget", "component",
}  # fmt: skip
_COMPONENT_KEYS = {"key", "amount", "cap"}
_KEY = re.compile(r"[a-z][a-z0-9_]{1,30}")
Problem = tuple[str, dict[str, object]]


class ProgrammeProblems(UserError):
    """Everything wrong in one file; `problems` are (key, params) of errors_programmes sentences."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        super().__init__("errors_programmes.file", file=file, count=len(problems))
        self.problems = problems

    def message(self, lang: str = "id") -> str:
        lines = [locale.text(f"errors_programmes.{key}", lang, **params) for key, params in self.problems]
        return super().message(lang) + "\n" + "\n".join(f"- {line}" for line in lines)


@dataclass(frozen=True)
class Component:
    """A part of a benefit: Rp a year for each such member, at most `cap` of them (None = all)."""

    key: str
    amount: float
    cap: int | None = None


@dataclass(frozen=True)
class Rule:
    """One programme as it stands on one date. None = the source does not say.

    unit        what `quota` and `amount` count, one of `UNITS`
    flag        column of the packed families that says who is enrolled ("" = the registry does not hold it)
    other       column of units the same benefit reaches through another payer
    condition   declared name of a condition beyond the decile ("" = none); `protected`: names of exceptions that
                keep a place whatever the decile
    decile_from, decile_to   national deciles it is meant for; `then_decile_to` follows if quota is left
    quota       units a year; `amount` Rp a unit and year; `components` Rp by member (then `amount` is None)
    tranches    payments a year; `budget` Rp a year as published
    summary     place on the first page, 0 = not there; `headline`: no condition beyond the decile
    """

    key: str
    name: Mapping[str, str]
    short: Mapping[str, str]
    unit: str
    valid_from: dt.date
    valid_to: dt.date | None = None
    decile_from: int | None = None
    decile_to: int | None = None
    then_decile_to: int | None = None
    quota: float | None = None
    amount: float | None = None
    components: tuple[Component, ...] = ()
    tranches: int | None = None
    budget: float | None = None
    flag: str = ""
    other: str = ""
    enrolment: str = ""
    condition: str = ""
    protected: tuple[str, ...] = ()
    protected_source: str = ""
    source: str = ""
    source_amount: str = ""
    source_budget: str = ""
    summary: int = 0
    headline: bool = False

    @property
    def deciles(self) -> range:
        """National deciles it is meant for first; empty where the source names none."""
        if self.decile_from is None or self.decile_to is None:
            return range(0)
        return range(self.decile_from, self.decile_to + 1)

    @property
    def last_decile(self) -> int | None:
        """The last decile that may be served, the second round included."""
        return self.then_decile_to or self.decile_to

    @property
    def priced(self) -> bool:
        return self.amount is not None or bool(self.components)

    def label(self, lang: str) -> str:
        return self.name.get(lang) or self.name["id"]

    def abbreviation(self, lang: str) -> str:
        return self.short.get(lang) or self.short["id"]

    def in_force(self, day: dt.date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def changed(self, **values: Any) -> Rule:
        """The same rule with other values (a reform of it)."""
        return replace(self, **values)


@dataclass(frozen=True)
class Programme:
    """A programme with all its periods, in order of their beginning."""

    key: str
    file: str
    periods: tuple[Rule, ...] = field(default=())

    def on(self, day: dt.date) -> Rule | None:
        return next((rule for rule in self.periods if rule.in_force(day)), None)


def parse(text: str, file: str) -> Programme:
    """The programme written in `text` (TOML); ProgrammeProblems lists everything that is wrong with it."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProgrammeProblems(file, [("toml", {"problem": str(error)})]) from error
    problems = _programme_problems(raw)
    periods = raw.get("period")
    rows = [row for row in periods if isinstance(row, dict)] if isinstance(periods, list) else []
    if not rows:
        problems.append(("no_period", {}))
    for number, row in enumerate(rows, start=1):
        problems += [(key, {"period": number, **params}) for key, params in _period_problems(row, raw)]
    if not problems:
        problems += _overlaps(rows)
    if problems:
        raise ProgrammeProblems(file, problems)
    rules = sorted((_rule(raw, row) for row in rows), key=lambda rule: rule.valid_from)
    return Programme(str(raw["key"]), file, tuple(rules))


def _rule(raw: dict[str, Any], row: dict[str, Any]) -> Rule:
    shared = {k: v for k, v in raw.items() if k not in ("period", "protected")}
    own = {k: v for k, v in row.items() if k not in ("component", "amount")}
    amount = row.get("amount")
    return Rule(
        **{"short": raw["name"], **shared}, **own,
        protected=tuple(raw.get("protected", ())),
        amount=float(amount) if isinstance(amount, int | float) else None,
        components=tuple(Component(c["key"], float(c["amount"]), c.get("cap")) for c in row.get("component", ())),
    )  # fmt: skip


def _programme_problems(raw: dict[str, Any]) -> list[Problem]:
    found: list[Problem] = [("unknown_key", {"field": key}) for key in sorted(set(raw) - _PROGRAMME_KEYS)]
    found += [("missing", {"field": key}) for key in ("key", "name", "unit") if key not in raw]
    if "key" in raw and not (isinstance(raw["key"], str) and _KEY.fullmatch(raw["key"])):
        found.append(("key", {"given": raw["key"]}))
    for name in ("name", "short"):
        words = raw.get(name)
        if words is not None and not (
            isinstance(words, dict) and set(words) == set(LANGS)
            and all(isinstance(w, str) and w.strip() for w in words.values())
        ):  # fmt: skip
            found.append(("words", {"field": name}))
    for name, allowed in (("unit", UNITS), ("flag", tuple(FLAGS)), ("other", tuple(FLAGS)), ("condition", CONDITIONS)):
        given = raw.get(name)
        if given not in (None, "", *allowed) or (name == "unit" and given == ""):
            found.append(("choice", {"field": name, "given": given, "allowed": ", ".join(allowed)}))
        elif name in ("flag", "other") and given and FLAGS[given] != raw.get("unit"):
            found.append(("flag_unit", {"flag": given, "counts": FLAGS[given], "unit": raw.get("unit")}))
    protected = raw.get("protected", [])
    if not isinstance(protected, list) or set(map(str, protected)) - set(PROTECTED):
        found.append(("choice", {"field": "protected", "given": protected, "allowed": ", ".join(PROTECTED)}))
    for name, kind in (("enrolment", str), ("protected_source", str), ("summary", int), ("headline", bool)):
        if name in raw and not isinstance(raw[name], kind):
            found.append(("kind", {"field": name, "given": raw[name]}))
    return found


def _period_problems(row: dict[str, Any], raw: dict[str, Any]) -> list[Problem]:
    found: list[Problem] = [("period_unknown_key", {"field": key}) for key in sorted(set(row) - _PERIOD_KEYS)]
    found += [("period_missing", {"field": key}) for key in ("valid_from", "source") if key not in row]
    for name in ("valid_from", "valid_to"):
        if name in row and (not isinstance(row[name], dt.date) or isinstance(row[name], dt.datetime)):
            found.append(("period_date", {"field": name, "given": row[name]}))
    start, end = row.get("valid_from"), row.get("valid_to")
    if type(start) is dt.date and type(end) is dt.date and end < start:
        found.append(("period_order", {"start": start, "end": end}))
    found += _decile_problems(row)
    for name in ("quota", "budget", "tranches", "amount"):
        value = row.get(name)
        if value is None or (name == "amount" and value == "components"):
            continue
        if not _positive(value, whole=name == "tranches"):
            found.append(("period_positive", {"field": name, "given": value}))
    components = row.get("component", [])
    if (row.get("amount") == "components") != bool(components):
        found.append(("period_components", {}))
    for part in components if isinstance(components, list) else [None]:
        found += _component_problems(part)
    return found


def _decile_problems(row: dict[str, Any]) -> list[Problem]:
    values = {name: row.get(name) for name in ("decile_from", "decile_to", "then_decile_to")}
    wrong: list[Problem] = [
        ("period_decile", {"field": name, "given": value})
        for name, value in values.items()
        if value is not None and (type(value) is not int or not 1 <= value <= 10)
    ]
    first, last, then = values.values()
    if not wrong and (first is None) != (last is None):
        wrong.append(("period_decile_pair", {}))
    if not wrong and first is not None and last is not None and (last < first or (then is not None and then <= last)):
        wrong.append(("period_decile_order", {"first": first, "last": last, "then": then or "–"}))
    return wrong


def _component_problems(part: Any) -> list[Problem]:
    if not isinstance(part, dict) or set(part) - _COMPONENT_KEYS or not {"key", "amount"} <= set(part):
        return [("component_keys", {})]
    found: list[Problem] = []
    if part["key"] not in COMPONENTS:
        found.append(("component", {"given": part["key"], "allowed": ", ".join(COMPONENTS)}))
    if not _positive(part["amount"]):
        found.append(("period_positive", {"field": part["key"], "given": part["amount"]}))
    if "cap" in part and not _positive(part["cap"], whole=True):
        found.append(("period_positive", {"field": f"{part['key']}.cap", "given": part["cap"]}))
    return found


def _positive(value: Any, *, whole: bool = False) -> bool:
    kinds = int if whole else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool) and 0 < value < 1e16


def _overlaps(rows: list[dict[str, Any]]) -> list[Problem]:
    ordered = sorted(rows, key=lambda row: row["valid_from"])
    return [
        ("overlap", {"first": a["valid_from"], "second": b["valid_from"]})
        for a, b in pairwise(ordered)
        if a.get("valid_to") is None or a["valid_to"] >= b["valid_from"]
    ]


def load_folder(folder: Path) -> tuple[Programme, ...]:
    """The programmes of the ``*.toml`` files of `folder`, by file name. UserError: no folder, too large, broken."""
    if not folder.is_dir():
        raise UserError("errors_programmes.no_folder", folder=folder)
    found: dict[str, Programme] = {}
    for file in sorted(folder.glob("*.toml")):
        if file.stat().st_size > MAX_BYTES:
            raise ProgrammeProblems(file.name, [("too_large", {"limit": MAX_BYTES // 1000})])
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise ProgrammeProblems(file.name, [("encoding", {})]) from error
        made = parse(text, file.name)
        if made.key in found:
            raise ProgrammeProblems(file.name, [("twice", {"field": made.key, "other": found[made.key].file})])
        found[made.key] = made
    return tuple(found.values())


def programmes() -> tuple[Programme, ...]:
    """All programmes: ours, and those of ``DTSEN_PROGRAMMES``, which replace ours of the same key."""
    own = settings().programmes
    folders = (FOLDER,) if own is None or own == Path() else (FOLDER, own)
    return _loaded(tuple((str(folder), _stamp(folder)) for folder in folders))


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    files = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    return tuple((f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in files)


@lru_cache(maxsize=4)
def _loaded(folders: tuple[tuple[str, tuple[tuple[str, int, int], ...]], ...]) -> tuple[Programme, ...]:
    merged: dict[str, Programme] = {}
    for folder, _ in folders:
        merged.update({made.key: made for made in load_folder(Path(folder))})
    order = [key for key in (*_FIRST, *sorted(merged)) if key in merged]
    return tuple(merged[key] for key in dict.fromkeys(order))


_FIRST = ("pkh", "sembako", "pbi", "pip", "blt_desa")  # the order in which people speak of them


def as_date(day: dt.date | str) -> dt.date:
    return day if isinstance(day, dt.date) else dt.date.fromisoformat(day[:10])


def rules_on(day: dt.date | str) -> tuple[Rule, ...]:
    """The rules in force on `day` (a date or ISO text), one per programme; the effective date alone decides."""
    when = as_date(day)
    return tuple(rule for programme in programmes() if (rule := programme.on(when)) is not None)


def rule_on(key: str, day: dt.date | str) -> Rule:
    """The rule of programme `key` on `day`; UserError if there is no such programme or none in force that day."""
    known = {programme.key: programme for programme in programmes()}
    if key not in known:
        raise UserError("errors_programmes.unknown", given=key[:40], known=", ".join(known))
    rule = known[key].on(as_date(day))
    if rule is None:
        raise UserError("errors_programmes.not_in_force", programme=key, day=as_date(day).isoformat())
    return rule


def summary_keys() -> tuple[Rule, ...]:
    """The first page's programmes, in its order: what each counts does not change with the date."""
    chosen = [programme.periods[0] for programme in programmes() if programme.periods[0].summary]
    return tuple(sorted(chosen, key=lambda rule: rule.summary))


def summary_rules(day: dt.date | str) -> tuple[Rule, ...]:
    """The first page's rules on `day`; before a programme's first period, that period, against which the date is
    then measured, and after its last one, the last."""
    when, known = as_date(day), {programme.key: programme for programme in programmes()}
    found = []
    for first in summary_keys():
        periods = known[first.key].periods
        past = [rule for rule in periods if rule.valid_from <= when]
        found.append(known[first.key].on(when) or (past[-1] if past else periods[0]))
    return tuple(found)
