"""Layouts of the source files: which column of a file is which variable (``data/rules/sources/*.toml``).

A layout is data: names as seen in the files, the official variable behind each, what is required, the
delimiters and date formats that occur. Types and code lists come from the field dictionary.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from dtsen_core.errors import UserError
from dtsen_core.paths import RULES
from dtsen_core.registry.fields import field, fields

TYPES = ("nik", "kk", "code", "flag", "integer", "number", "text", "date", "region", "region_name",
         "money")
REGION_LEVELS = ("provinsi", "kabupaten_kota", "kecamatan", "kelurahan_desa")
EXPORT_COLUMNS = ("alasan_karantina", "keterangan_karantina", "peringatan_karantina", "berkas_asal", "baris_asal")
"""Columns that the export of the quarantine adds: codes of all reasons, their sentences, warnings, where the record
was. A corrected file may keep them; of them only the last two are read (`corrections`)."""
ORIGIN_COLUMNS = EXPORT_COLUMNS[-2:]
MOST_UNKNOWN = 500
"""So many unknown names of a header are searched for misspelt ones; a file of thousands of columns is no register."""
NEAR_MISS = 0.8
"""Similarity from which an unknown column name counts as a misspelt official one."""


@dataclass(frozen=True)
class Column:
    """One column of a file. `name` is the variable it becomes, `file` its name in the file, `aliases`
    further names seen, `codelist` the code list of a coded variable (empty otherwise)."""

    name: str
    file: str
    type: str
    codelist: str = ""
    aliases: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True)
class Layout:
    """The layout of one kind of file. `codes` is ``kemendagri`` (fixed by law for that register) or
    ``detect`` (decided by codes and names); `spellings` adds to a variable's code list what only this
    register writes."""

    kind: str
    register: str
    title: str
    delimiters: tuple[str, ...]
    date_formats: tuple[str, ...]
    codes: str
    columns: tuple[Column, ...]
    ignored: tuple[str, ...]
    spellings: dict[str, dict[str, int]]
    source: str

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def typed(self, *types: str) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.type in types)


def plain(name: str) -> str:
    """A column name without case, spaces and punctuation: ``No. KK`` → ``no_kk``."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def _official(set_name: str, name: str) -> tuple[str, str]:
    """(type, code list) of an official variable as the readers treat it."""
    if name == "nomor_induk_kependudukan":
        return "nik", ""
    if name == "nomor_kartu_keluarga":
        return "kk", ""
    found = field(set_name, name)
    if found.name.removesuffix("_ktp") in REGION_LEVELS:
        return "region_name", ""
    return found.type, found.codelist


def _column(raw: dict, default_set: str) -> Column:
    official = raw.get("official", "")
    set_name = raw.get("set", default_set)
    kind, codelist = _official(set_name, official) if official else (raw["type"], raw.get("codelist", ""))
    name = raw.get("name", official)
    if kind not in TYPES:
        raise ValueError(f"{name}: type {kind}")
    return Column(
        name=name,
        file=raw["file"],
        type=raw.get("type", kind),
        codelist=codelist,
        aliases=tuple(plain(alias) for alias in raw.get("aliases", ())),
        required=raw.get("required", False),
    )


def _columns(raw: dict) -> tuple[Column, ...]:
    if not raw.get("delivered", False):
        same = [{"official": name, "file": name.upper(), **entry}
                for entry in raw.get("same_name", ()) for name in entry["variables"]]  # fmt: skip
        return tuple(_column(entry, raw["set"]) for entry in raw["columns"] + same)
    # The delivered layout is the field dictionary itself; the file only adds aliases and what is required.
    listed = [
        {"official": f.name, "file": f.name, "aliases": raw["aliases"].get(f.name, ()),
         "required": f.name in raw["required"]}
        for f in fields(raw["set"])
    ]  # fmt: skip
    return tuple(_column(entry, raw["set"]) for entry in listed + raw.get("columns", []))


@lru_cache(maxsize=1)
def _all() -> dict[str, Layout]:
    layouts = {}
    for file in sorted((RULES / "sources").glob("layout_*.toml")):
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
        columns = _columns(raw)
        if len({column.name for column in columns}) != len(columns):
            raise ValueError(f"{file.name}: a variable is listed twice")
        layouts[raw["kind"]] = Layout(
            kind=raw["kind"], register=raw["register"], title=raw["title"],
            delimiters=tuple(raw["delimiters"]), date_formats=tuple(raw["date_formats"]), codes=raw["codes"],
            columns=columns, ignored=tuple(plain(name) for name in raw.get("ignored", ())),
            spellings=raw.get("spellings", {}), source=raw["source"],
        )  # fmt: skip
    return layouts


def layout(kind: str) -> Layout:
    """The layout of one kind of file (``dtks``, ``regsosek_keluarga``, ``dtsen_anggota``, …); KeyError if
    there is none."""
    return _all()[kind]


def kinds() -> tuple[str, ...]:
    return tuple(_all())


def positions(names: Sequence[str], wanted: Layout) -> dict[str, int]:
    """Variable → position in the file, for every column of `wanted` that the header `names` has."""
    found: dict[str, int] = {}
    place: dict[str, int] = {}
    for index, name in enumerate(names):
        place.setdefault(plain(name), index)
    for column in wanted.columns:
        for name in (plain(column.file), plain(column.name), *column.aliases):
            if name in place and place[name] not in found.values():
                found[column.name] = place[name]
                break
    return found


def match_header(path: str, names: Sequence[str], wanted: Layout) -> dict[str, int]:
    """As `positions`, but refuses a header that is not of this layout.

    UserError: a column twice, another kind of file, a required column missing (with the nearest names found
    in the file), or an unknown name that is nearly an official one.
    """
    seen = [plain(name) for name in names if plain(name)]
    twice = sorted(name for name, times in Counter(seen).items() if times > 1)
    found = positions(names, wanted)
    missing = [c for c in wanted.columns if c.name not in found]
    required = [c for c in missing if c.required]
    if required:
        _refuse_other_kind(path, names, wanted)
    known = {plain(names[index]) for index in found.values()} | set(wanted.ignored) | set(EXPORT_COLUMNS)
    unknown = [name for name in seen if name not in known][:MOST_UNKNOWN]
    near = [(c, hit) for c in missing for hit in _near(c, unknown)]
    if required and not near:
        raise UserError("errors_ingest.missing_column", path=path, layout=wanted.title,
                        columns=", ".join(c.file for c in required[:5]),
                        first=", ".join(_shown(name) for name in list(names)[:5]))  # fmt: skip
    if near:
        raise UserError("errors_ingest.near_column", path=path, layout=wanted.title,
                        pairs="; ".join(f"“{_shown(hit)}” → “{plain(c.file)}”" for c, hit in near[:5]))
    if twice:
        raise UserError("errors_ingest.column_twice", path=path, columns=", ".join(_shown(name) for name in twice[:5]))
    return found


def _shown(name: str) -> str:
    """A column name of a file as it may stand in a message: short, and without signs that steer a terminal."""
    short = name if len(name) <= 40 else name[:39] + "…"
    return "".join(sign if sign.isprintable() else "·" for sign in short)


def _near(column: Column, unknown: list[str]) -> list[str]:
    options = (plain(column.file), plain(column.name))
    for option in options:
        hits = difflib.get_close_matches(option, unknown, n=1, cutoff=NEAR_MISS)
        if hits:
            return hits
    return []


def _refuse_other_kind(path: str, names: Sequence[str], wanted: Layout) -> None:
    for other in _all().values():
        if other.kind == wanted.kind:
            continue
        found = positions(names, other)
        complete = all(c.name in found for c in other.columns if c.required)
        if complete and len(found) > len(positions(names, wanted)):
            raise UserError("errors_ingest.wrong_kind", path=path, expected=wanted.title, found=other.title)
