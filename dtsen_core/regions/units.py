"""The hierarchy of 38 provinces, 514 regencies, 7,285 districts and 83,762 villages (Kemendagri codes).

Codes are digits without dots: 2 province, 4 regency, 6 district, 10 village. A unit's *idx* is its 0-based
position in the code-sorted table of its level; datasets store it instead of the code.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache

import pandas as pd

from dtsen_core import locale
from dtsen_core.errors import UserError
from dtsen_core.paths import REFERENCE

LEVELS = ("province", "regency", "district", "village")
NATION = "ID"
COUNTS = {"province": 38, "regency": 514, "district": 7_285, "village": 83_762}

_WIDTH = {2: "province", 4: "regency", 6: "district", 10: "village"}
_FILES = {"province": "regions_provinces.csv", "regency": "regions_regencies.csv",
          "district": "regions_districts.csv", "village": "regions_villages.parquet"}
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
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(
            path, dtype={c: str for c in _TEXT}, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise UserError("errors_regions.tables_missing", file=_FILES[level]) from error
    if len(frame) != COUNTS[level]:
        raise UserError("errors_regions.tables_missing", file=_FILES[level])
    return frame


@lru_cache(maxsize=8)
def index(level: str) -> dict[str, int]:
    """code -> idx for `level`."""
    return {code: i for i, code in enumerate(table(level)["code"])}


def level_of(code: str) -> str:
    """Level by the number of digits; UserError if it is none of 2, 4, 6, 10 digits."""
    if code.isascii() and code.isdigit() and len(code) in _WIDTH:
        return _WIDTH[len(code)]
    raise _unknown(code)


def require(code: str, level: str | None = None) -> str:
    """`code` cleaned of dots and blanks if it names a unit (of `level`); otherwise UserError with near misses."""
    clean = re.sub(r"[.\s]", "", code)
    if not (clean.isascii() and clean.isdigit()) or len(clean) not in _WIDTH:
        raise _unknown(code)
    found = level_of(clean)
    if clean not in index(found):
        raise _unknown(clean)
    if level is not None and found != level:
        if level not in LEVELS:
            raise UserError("errors_regions.unknown_level", level=level, allowed=", ".join(LEVELS))
        raise UserError("errors_regions.wrong_level", code=clean, name=name(clean),
                        found=locale.text(f"regions.{found}"), wanted=locale.text(f"regions.{level}"))
    return clean


def name(code: str) -> str:
    """Name of a unit ("Kab. Bogor"); "Indonesia" for ``ID``. UserError if unknown."""
    if code == NATION:
        return "Indonesia"
    level = level_of(code)
    position = index(level).get(code)
    if position is None:
        raise _unknown(code)
    return str(table(level)["name"].iat[position])


def label(code: str) -> str:
    """Name with the next unit that tells it apart: "Kab. Bogor, Jawa Barat"; districts and villages likewise."""
    if code == NATION or len(code) == 2:
        return name(code)
    prefix = "Kec. " if level_of(code) == "district" else ""
    return f"{prefix}{name(code)}, {'Kec. ' if len(code) == 10 else ''}{name(parent(code))}"


def parent(code: str) -> str:
    """Code of the unit above; ``ID`` for a province. UserError for ``ID`` or a malformed code."""
    return {"province": NATION, "regency": code[:2], "district": code[:4], "village": code[:6]}[level_of(code)]


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

    Order: names that start with the words, then names that contain them, larger units first; without a hit the
    nearest spellings. Empty text gives nothing.
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
                hits.append((3, rank, table(level)["code"].iat[position], table(level)["name"].iat[position], level))
    return [(code, unit, level) for _, _, code, unit, level in sorted(hits)[:limit]]


_PREFIX = r"^(?:provinsi|prov|kabupaten|kab|kota|kecamatan|kec|desa|kelurahan|kel)\b\.?\s*(?:administrasi|adm)?\b\.?\s*"


def fold(text: str) -> str:
    """Letters and digits only, lower case, without the kind of unit in front: "KAB. Toli-Toli" -> "tolitoli"."""
    low = str(text).casefold().strip()
    bare = re.sub(_PREFIX, "", low)
    return re.sub(r"[\W_]+", "", bare) or re.sub(r"[\W_]+", "", low)


def fold_series(names: pd.Series) -> pd.Series:
    """`fold` over the distinct values of a column; missing becomes the empty string."""
    folded = {value: fold(value) for value in names.dropna().unique()}
    return names.map(folded).fillna("")


@lru_cache(maxsize=4)
def _folded(level: str) -> pd.Series:
    return fold_series(table(level)["name"])


def _unknown(code: str) -> UserError:
    clean = re.sub(r"\D", "", code)
    near: list[str] = []
    if clean and len(clean) in _WIDTH:
        near = difflib.get_close_matches(clean, list(index(_WIDTH[len(clean)])), n=3, cutoff=0.7)
    elif not clean and code.strip():
        near = [found for found, _, _ in search(code, 3)]
    names = "; ".join(f"{c} {name(c)}" for c in near)
    key, params = ("regions.near_misses", {"names": names}) if names else ("regions.no_near_miss", {})
    return _UnknownCode(code, key, params)


class _UnknownCode(UserError):
    """Unknown code whose hint is itself a sentence in the reader's language."""

    def __init__(self, code: str, hint: str, params: dict[str, str]) -> None:
        super().__init__("errors_regions.unknown_code", code=code[:40])
        self._hint = (hint, params)

    def message(self, lang: str = "id") -> str:
        key, params = self._hint
        return locale.text(self.key, lang, **self.params, hint=locale.text(key, lang, **params))
