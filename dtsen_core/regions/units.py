"""The hierarchy of 38 provinces, 514 regencies, 7,285 districts and 83,762 villages (Kemendagri codes).

Codes are digits without dots: 2 province, 4 regency, 6 district, 10 village. A unit's *idx* is its 0-based
position in the code-sorted table of its level; datasets store it instead of the code.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from functools import lru_cache

import pandas as pd

from dtsen_core import locale
from dtsen_core.errors import UserError
from dtsen_core.paths import REFERENCE

LEVELS = ("province", "regency", "district", "village")
NATION = "ID"
COUNTS = {"province": 38, "regency": 514, "district": 7_285, "village": 83_762}

_WIDTH = {2: "province", 4: "regency", 6: "district", 10: "village"}
_FILES = {
    "province": "regions_provinces.csv",
    "regency": "regions_regencies.csv",
    "district": "regions_districts.csv",
    "village": "regions_villages.parquet",
}
_TEXT = ("code", "name", "parent_code", "bps_code", "bps_name", "kind", "island_group")


@lru_cache(maxsize=8)
def table(level: str) -> pd.DataFrame:
    """Units of `level` sorted by code; RangeIndex = idx. Treat as read-only: it is shared by all callers.

    Columns ``code, name, parent_code`` and, by level: province ``bps_code, island_group, population``;
    regency ``kind`` (kabupaten|kota), ``bps_code, bps_name, population, population_male, population_female``
    (persons, Dukcapil Dec 2024); village ``kind`` (kelurahan|desa|desa adat), ``lat, lon`` (degrees, may be
    missing). UserError if the level is unknown or the shipped file is missing or damaged.
    """
    if level not in _FILES:
        raise UserError("errors_regions.unknown_level", level=level, allowed=", ".join(LEVELS))
    path = REFERENCE / _FILES[level]
    try:
        frame = (
            pd.read_parquet(path)
            if path.suffix == ".parquet"
            else pd.read_csv(path, dtype=dict.fromkeys(_TEXT, str), keep_default_na=False)
        )
    except (OSError, ValueError) as error:
        raise UserError("errors_regions.tables_missing", file=_FILES[level]) from error
    if len(frame) != COUNTS[level]:
        raise UserError("errors_regions.tables_missing", file=_FILES[level])
    return frame


@lru_cache(maxsize=1)
def history() -> pd.DataFrame:
    """Regency codes out of use: ``old_code, code, name, since (year), reason``."""
    try:
        return pd.read_csv(REFERENCE / "regions_history.csv", dtype=str)
    except (OSError, ValueError) as error:
        raise UserError("errors_regions.tables_missing", file="regions_history.csv") from error


@lru_cache(maxsize=8)
def index(level: str) -> dict[str, int]:
    """code -> idx for `level`."""
    return {code: i for i, code in enumerate(table(level)["code"])}


@lru_cache(maxsize=8)
def _names(level: str) -> dict[str, str]:
    """code -> name for `level`: menus and charts ask for hundreds of names at once."""
    listed = table(level)
    return dict(zip(listed["code"], listed["name"].astype(str)))


def level_of(code: str) -> str:
    """Level by the number of digits; UserError if it is none of 2, 4, 6, 10 digits."""
    if code.isascii() and code.isdigit() and len(code) in _WIDTH:
        return _WIDTH[len(code)]
    raise _unknown(code)


def require(code: str, level: str | None = None) -> str:
    """`code` without dots and blanks if it names a unit (of `level`); else UserError with near misses."""
    clean = re.sub(r"[.\s]", "", code)
    if not (clean.isascii() and clean.isdigit()) or len(clean) not in _WIDTH:
        raise _unknown(code)
    found = level_of(clean)
    if clean not in index(found):
        raise _unknown(clean)
    if level is not None and found != level:
        if level not in LEVELS:
            raise UserError("errors_regions.unknown_level", level=level, allowed=", ".join(LEVELS))
        raise _TranslatedError(
            "errors_regions.wrong_level",
            {"found": f"regions.{found}", "wanted": f"regions.{level}"},
            code=clean,
            name=name(clean),
        )
    return clean


def name(code: str) -> str:
    """Name of a unit ("Kab. Bogor"); "Indonesia" for ``ID``. UserError if unknown."""
    if code == NATION:
        return "Indonesia"
    found = _names(level_of(code)).get(code)
    if found is None:
        raise _unknown(code)
    return found


def label(code: str) -> str:
    """Name with the unit above that tells it apart: "Kab. Bogor, Jawa Barat"."""
    if code == NATION or len(code) == 2:
        return name(code)
    prefix = "Kec. " if level_of(code) == "district" else ""
    return f"{prefix}{name(code)}, {'Kec. ' if len(code) == 10 else ''}{name(parent(code))}"


def parent(code: str) -> str:
    """Code of the unit above; ``ID`` for a province. UserError for ``ID`` or a malformed code."""
    width = {"province": 0, "regency": 2, "district": 4, "village": 6}[level_of(code)]
    return code[:width] or NATION


def children(code: str) -> pd.DataFrame:
    """Rows of the next lower level's table whose parent is `code` (index = idx); empty for a village."""
    if code == NATION:
        return table("province")
    level = level_of(require(code))
    if level == "village":
        return table("village").iloc[0:0]
    below = table(LEVELS[LEVELS.index(level) + 1])
    return below[below["parent_code"] == code]


def path(code: str) -> tuple[str, ...]:
    """Codes from the nation down to `code`, both included."""
    if code == NATION:
        return (NATION,)
    return (*path(parent(code)), code)


def search(text: str, limit: int = 20) -> list[tuple[str, str, str]]:
    """``(code, name, level)`` of provinces, regencies and districts whose name or code fits `text`.

    Order: names that start with the words, then names that contain them, larger units first; without a hit
    the nearest spellings. Empty text gives nothing.
    """
    wanted = fold(text)
    digits = re.sub(r"[.\s]", "", text)
    if not wanted or limit < 1:
        return []
    hits: list[tuple[int, int, str, str, str]] = []
    for rank, level in enumerate(LEVELS[:3]):
        units, folded = table(level), _folded(level)
        chosen = folded.str.contains(wanted, regex=False)
        if digits.isascii() and digits.isdigit():
            chosen = units["code"].str.startswith(digits)
        starts = folded.str.startswith(wanted) | folded.eq(wanted)
        for position in chosen.to_numpy().nonzero()[0][: limit * 5]:
            exact = 0 if folded.iat[position] == wanted else 1 if starts.iat[position] else 2
            hits.append((exact, rank, units["code"].iat[position], units["name"].iat[position], level))
    if not hits:
        for rank, level in enumerate(LEVELS[:3]):
            folded = _folded(level)
            for near in difflib.get_close_matches(wanted, folded.unique().tolist(), n=limit, cutoff=0.8):
                position = int((folded == near).to_numpy().argmax())
                unit = table(level).iloc[position]
                hits.append((3, rank, unit["code"], unit["name"], level))
    return [(code, unit, level) for _, _, code, unit, level in sorted(hits)[:limit]]


_KINDS = re.compile(r"^(?:provinsi|prov|kabupaten|kab|kota|kecamatan|kec|distrik|desa|kelurahan|kel)\b\.?\s*")
_ADMINISTRATIVE = re.compile(r"^(?:administrasi|adm)\b\.?\s*")


_ISLANDS = re.compile(r"\bkep\b\.?")
_NO_LETTER = re.compile(r"[\W_]+")


def squeeze(text: str) -> str:
    """Letters and digits only, lower case: "KAB. Toli-Toli" -> "kabtolitoli"."""
    return _NO_LETTER.sub("", str(text).casefold())


@lru_cache(maxsize=1 << 18)  # every file names the same villages again
def fold(text: str) -> str:
    """`squeeze` without the kind of unit in front: "KAB. Toli-Toli" -> "tolitoli"."""
    low = _ISLANDS.sub("kepulauan", str(text).casefold().strip())
    return squeeze(_ADMINISTRATIVE.sub("", _KINDS.sub("", low))) or squeeze(low)


def fold_series(names: pd.Series, how: Callable[[str], str] = fold) -> pd.Series:
    """`how` over the distinct values of a column; missing becomes the empty string."""
    texts = names.astype("object").where(names.notna(), "").astype("str")
    return texts.map({value: how(value) for value in texts.unique().tolist()}).astype("str")


@lru_cache(maxsize=4)
def _folded(level: str) -> pd.Series:
    return fold_series(table(level)["name"])


def _unknown(code: str) -> UserError:
    """The error for a code nobody knows, with units that share its parent or sound alike."""
    clean = re.sub(r"[.\s]", "", code)
    old = history().loc[lambda t: t["old_code"] == clean]
    if len(old):
        now, since = old["code"].iat[0], old["since"].iat[0]
        return _TranslatedError(
            "errors_regions.unknown_code",
            {"hint": "regions.historic_code"},
            code=clean,
            since=since,
            now=now,
            name=name(now),
        )
    near: list[str] = []
    if clean.isascii() and clean.isdigit() and len(clean) in _WIDTH:
        known = index(_WIDTH[len(clean)])
        above = {2: 0, 4: 2, 6: 4, 10: 6}[len(clean)]
        siblings = [c for c in known if c[:above] == clean[:above]] or [c for c in known if c[:2] == clean[:2]]
        near = difflib.get_close_matches(clean, siblings[:2_000], n=3, cutoff=0.7)
    elif clean and not clean.isdigit():
        near = [found for found, _, _ in search(code, 3)]
    names = "; ".join(f"{c} {name(c)}" for c in near)
    hint = "regions.near_misses" if names else "regions.no_near_miss"
    return _TranslatedError("errors_regions.unknown_code", {"hint": hint}, code=code[:40], names=names)


class _TranslatedError(UserError):
    """A sentence that holds other sentences of the catalogue: `parts` maps a place to a key."""

    def __init__(self, key: str, parts: dict[str, str], **params: object) -> None:
        super().__init__(key, **params)
        self._parts = parts

    def message(self, lang: str = "id") -> str:
        inner = {place: locale.text(key, lang, **self.params) for place, key in self._parts.items()}
        return locale.text(self.key, lang, **self.params, **inner)
