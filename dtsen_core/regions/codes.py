"""Two code systems, one inside: which system a file uses, and its way to Kemendagri codes.

Most BPS codes are valid Kemendagri codes of *another* regency (3171 is Jakarta Selatan or Jakarta Pusat), so
a file's system is decided by the agreement of code and delivered name, never by the look of the code.
Districts and villages have no published crosswalk: they are matched by name inside their parent. All
functions take the distinct units of a file, a few thousand rows, never one row per family.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.paths import REFERENCE
from dtsen_core.regions import units

SYSTEMS = ("kemendagri", "bps")
AGREE = 0.99  # at least this share of rows agrees under the system of the file ...
DISAGREE = 0.95  # ... and at most this share under the other one
SHOWN = 3  # contradicting rows shown to the user
UNMAPPED = "tak terpetakan"

_LABELS = {"kemendagri": "Kemendagri", "bps": "BPS"}


@dataclass(frozen=True)
class Detection:
    """The system of a file; shares weighted by ``rows``; `identical`: its codes mean the same in both."""

    system: str
    share_kemendagri: float
    share_bps: float
    rows: int
    identical: bool = False


def detect_system(frame: pd.DataFrame, *, confirm: str | None = None) -> Detection:
    """Decide the code system of province or regency codes by the names delivered beside them.

    `frame`: columns ``code`` (2 or 4 digits), ``name`` and optionally ``rows`` (how many rows of the file the
    pair stands for), in the order of the file. `confirm` is what the user believes (``kemendagri``, ``bps``).

    Rule: at least 99 % of the rows agree under one system and at most 95 % under the other. Where most codes
    of a file are the same in both systems it is applied to the codes that differ; where all are the same, the
    file needs no decision (`identical`). Otherwise UserError with the first contradicting rows; also if the
    file contradicts `confirm` or carries no names.
    """
    if confirm is not None and confirm not in SYSTEMS:
        raise UserError("errors_regions.codes_option", value=confirm)
    evidence = _evidence(frame)
    if not len(evidence):
        raise UserError("errors_regions.no_names")
    shares = {s: _share(evidence, s) for s in SYSTEMS}
    differing = evidence[evidence["differs"]]
    identical = differing.empty and shares["kemendagri"] >= AGREE
    system = (confirm or "kemendagri") if identical else _winner(shares)
    if system is None and max(shares.values()) >= AGREE and len(differing):
        system = _winner({s: _share(differing, s) for s in SYSTEMS})
    if system is None:
        better = max(SYSTEMS, key=lambda s: shares[s])
        raise UserError(
            "errors_regions.mixed_codes",
            share_kemendagri=_percent(shares["kemendagri"]),
            share_bps=_percent(shares["bps"]),
            rows=_show(evidence[~evidence[better]]),
        )
    if confirm is not None and confirm != system:
        raise UserError(
            "errors_regions.codes_contradict",
            found=_LABELS[system],
            confirm=_LABELS[confirm],
            rows=_show(evidence[~evidence[confirm]]),
        )
    return Detection(system, shares["kemendagri"], shares["bps"], int(evidence["rows"].sum()), identical)


def map_provinces(frame: pd.DataFrame, system: str) -> pd.DataFrame:
    """As `map_regencies` for two-digit codes; only the six provinces of Papua differ between the systems."""
    out = _prepared(frame)
    table = units.table("province")
    source = table["code"] if system == "kemendagri" else table["bps_code"]
    out["kemendagri"] = out["code"].map(dict(zip(source.tolist(), table["code"].tolist())))
    return _finish(out, "code" if system == "kemendagri" else "crosswalk")


def map_regencies(frame: pd.DataFrame, system: str) -> pd.DataFrame:
    """Regency codes of a file in Kemendagri codes.

    `frame`: ``code`` (4 digits), ``name`` (may be missing). Returns it (same index, codes cleaned) with
    ``kemendagri`` (code or missing) and ``how``: *code*, *crosswalk*, *name* (post-2022 BPS codes of Papua),
    *history* (code before the splits of 2012 and 2022) or *tak terpetakan*. A code whose delivered name is
    that of another regency is not mapped: one of the two is wrong and a guess would move people.
    """
    out = _prepared(frame)
    known = _means()[system]
    out["kemendagri"] = out["code"].map(known).where(out["code"].str.len().eq(4))
    out["how"] = pd.Series("code" if system == "kemendagri" else "crosswalk", index=out.index)
    if system == "bps":
        # In Papua the crosswalk knows only the codes of 2020: where the name disagrees or the code is newer,
        # the name inside the BPS province decides.
        newer = out["code"].str[:2].isin(_papua()) & ~_agrees(out, "kemendagri")
        by_name = _in_papua(out)
        use = newer & by_name.notna()
        out.loc[use, "kemendagri"] = by_name[use]
        out.loc[use, "how"] = "name"
    else:
        old = out["code"].map(_history())
        use = out["kemendagri"].isna() & old.notna()
        out.loc[use, "kemendagri"] = old[use]
        out.loc[use, "how"] = "history"
        out.loc[use & out["fold"].ne("") & ~_agrees(out, "kemendagri"), "kemendagri"] = None
    elsewhere = out["fold"].isin(_all_names()) & ~_agrees(out, "kemendagri")
    out.loc[elsewhere, "kemendagri"] = None
    return _finish(out)


def map_districts(frame: pd.DataFrame, system: str = "bps") -> pd.DataFrame:
    """District codes of a file in Kemendagri codes.

    `frame`: ``parent`` (Kemendagri regency code or missing), ``code``, ``name``. Same result columns as
    `map_regencies`; *how* is *code* (the delivered code lies in that regency and carries that name), *name*
    (the name is unique in the regency) or *tak terpetakan*. Only under ``kemendagri`` a valid code with an
    unknown or missing name is trusted.
    """
    return _map_inside(frame, "district", system)


def map_villages(frame: pd.DataFrame, system: str = "bps") -> pd.DataFrame:
    """As `map_districts` with ``parent`` = Kemendagri district code."""
    return _map_inside(frame, "village", system)


def map_places(places: pd.DataFrame, system: str) -> pd.DataFrame:
    """Distinct places of a file, all levels at once.

    `places`: ``regency_code, regency_name, district_code, district_name, village_code, village_name`` (text,
    may be missing). Adds ``regency, district, village`` (Kemendagri or missing), ``unmapped``: the highest
    level that found no match (*regency*, *district*, *village*) or missing when all levels did, and ``old``: the
    regency's code is from before it changed its province.
    """
    out = places.copy()
    above = None
    for level, mapper in (("regency", map_regencies), ("district", map_districts), ("village", map_villages)):
        given = pd.DataFrame({"code": out[f"{level}_code"], "name": out[f"{level}_name"]})
        if above is not None:
            given["parent"] = out[above]
        distinct = given.drop_duplicates()
        keys = given.columns.tolist()
        mapped = mapper(distinct, system)
        found = distinct.assign(found=mapped["kemendagri"], old=level == "regency" and _outdated(mapped, system))
        matched = given.merge(found, on=keys, how="left")
        out[level] = matched["found"].to_numpy()
        if level == "regency":
            out["old"] = matched["old"].to_numpy(dtype=bool)
        above = level
    out["unmapped"] = None
    for level in ("village", "district", "regency"):
        out.loc[out[level].isna(), "unmapped"] = level
    return out


def _outdated(mapped: pd.DataFrame, system: str) -> pd.Series:
    """True for codes from before the regency changed its province (`mapped` as from `map_regencies`). Those of BPS
    begin with the province of that time."""
    if system == "kemendagri":
        return mapped["how"].eq("history")
    province = units.table("province").set_index("code")["bps_code"]
    now = mapped["kemendagri"].str[:2].map(province)
    return mapped["how"].eq("crosswalk") & mapped["code"].str[:2].ne(now)


def _map_inside(frame: pd.DataFrame, level: str, system: str) -> pd.DataFrame:
    out = _prepared(frame)
    parent = out["parent"].astype("str").where(out["parent"].notna(), "")
    inside = _look(out["code"], _parents(level)).eq(parent) & parent.ne("")
    squeezed, folded = _child_names(level)
    names = _look(out["code"], _names_by_code(level)).fillna("")
    same = inside & out["fold"].ne("") & (names.eq(out["fold"]))
    by_name = _look(parent + "|" + out["squeeze"], squeezed)
    by_name = by_name.fillna(_look(parent + "|" + out["fold"], folded)).where(out["fold"].ne(""))
    out["kemendagri"] = by_name
    out["how"] = pd.Series("name", index=out.index)
    trusted = same if system == "bps" else same | (inside & by_name.isna())
    out.loc[trusted, "kemendagri"] = out.loc[trusted, "code"]
    out.loc[trusted, "how"] = "code"
    return _finish(out)


def _prepared(frame: pd.DataFrame) -> pd.DataFrame:
    out = frame.copy()
    out["code"] = frame["code"].astype("str").where(frame["code"].notna(), "").str.replace(r"[.\s]", "", regex=True)
    out["fold"] = units.fold_series(frame["name"])
    out["squeeze"] = units.fold_series(frame["name"], units.squeeze)
    out["kemendagri"] = None
    return out


def _finish(out: pd.DataFrame, how: str | None = None) -> pd.DataFrame:
    if how is not None:
        out["how"] = how
    out["kemendagri"] = out["kemendagri"].astype("str").where(out["kemendagri"].notna(), None)
    out["how"] = out["how"].where(out["kemendagri"].notna(), UNMAPPED)
    return out.drop(columns=["fold", "squeeze"])


def _evidence(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows with a name: code, name, rows, `kemendagri` and `bps` (does it agree?), `differs`."""
    rows = _prepared(frame)
    rows["rows"] = frame.get("rows", 1)
    rows = rows[rows["fold"].ne("")].copy()
    meant = {s: rows["code"].map(_means()[s]) for s in SYSTEMS}
    for system in SYSTEMS:
        rows["unit"] = meant[system]
        rows[system] = _agrees(rows, "unit")
    newer = _in_papua(rows).notna() & rows["code"].str.len().eq(4)
    rows["bps"] |= newer
    old = rows["code"].map(_history())
    rows["unit"] = old
    rows["kemendagri"] |= old.notna() & _agrees(rows, "unit")
    first, second = (meant[s].fillna("") for s in SYSTEMS)
    rows["differs"] = first.ne(second) | rows["kemendagri"].ne(rows["bps"])
    return rows


def _agrees(rows: pd.DataFrame, unit_column: str) -> pd.Series:
    """True where the folded name is one of the names of the unit in `unit_column`."""
    keys = rows[unit_column].astype("str").where(rows[unit_column].notna(), "") + "|" + rows["fold"]
    # A delivered "Kota X" must not pass for the regency of the same name, nor the other way round.
    kind = _kind_word(rows)
    is_city = _is_city(rows[unit_column].astype("str"))
    wrong_kind = (kind.eq("kota") & ~is_city & ~rows["squeeze"].isin(_all_squeezed())) | (kind.eq("kab") & is_city)
    keys_squeezed = rows[unit_column].astype("str").where(rows[unit_column].notna(), "") + "|" + rows["squeeze"]
    return (keys.isin(_name_keys()) & ~wrong_kind) | keys_squeezed.isin(_name_keys())


def _kind_word(rows: pd.DataFrame) -> pd.Series:
    """What the delivered name says it is, *kota* or *kab*; missing where it is the bare name."""
    return rows["squeeze"].str.extract(r"^(kota|kab)", expand=False)


def _is_city(codes: pd.Series) -> pd.Series:
    """Cities are numbered from 71 on within their province, in both systems."""
    return codes.str[2:3].ge("7")


def _in_papua(rows: pd.DataFrame) -> pd.Series:
    """Kemendagri code of the regency of that name in the BPS province that the code begins with; missing if there is
    none. A city and a regency of one name are told apart by the kind of unit: the code's, which the name must not
    contradict."""
    kind = pd.Series(["kota" if city else "kab" for city in _is_city(rows["code"])], index=rows.index)
    said = _kind_word(rows)
    key = rows["code"].str[:2] + rows["fold"]
    twin = (key + "|" + kind).where(said.isna() | said.eq(kind)).map(_papua_twins())
    return key.map(_papua_names()).fillna(twin)


def _share(rows: pd.DataFrame, system: str) -> float:
    return float(rows.loc[rows[system], "rows"].sum() / rows["rows"].sum())


def _winner(shares: dict[str, float]) -> str | None:
    for system, other in (SYSTEMS, SYSTEMS[::-1]):
        if shares[system] >= AGREE and shares[other] <= DISAGREE:
            return system
    return None


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _show(rows: pd.DataFrame) -> str:
    """First rows as "3171 JAKARTA SELATAN (Kemendagri: Kota Jakarta Pusat; BPS: Kota Jakarta Selatan)"."""
    shown = []
    for code, name in zip(rows["code"].head(SHOWN), rows["name"].head(SHOWN)):
        meant = [f"{_LABELS[s]}: {units.name(_means()[s][code]) if code in _means()[s] else '–'}" for s in SYSTEMS]
        shown.append(f"{code} {name} ({'; '.join(meant)})")
    return "; ".join(shown) or "–"


@lru_cache(maxsize=1)
def _means() -> dict[str, dict[str, str]]:
    """system -> delivered province or regency code -> Kemendagri code."""
    both = pd.concat([units.table("province"), units.table("regency")])
    return {
        "kemendagri": dict(zip(both["code"].tolist(), both["code"].tolist())),
        "bps": dict(zip(both["bps_code"].tolist(), both["code"].tolist())),
    }


@lru_cache(maxsize=1)
def _history() -> dict[str, str]:
    return dict(zip(units.history()["old_code"].tolist(), units.history()["code"].tolist()))


@lru_cache(maxsize=1)
def _regency_names() -> pd.DataFrame:
    """All names a regency or province goes by: code, name."""
    try:
        aliases = pd.read_csv(REFERENCE / "regions_aliases.csv", dtype=str)
    except (OSError, ValueError) as error:
        raise UserError("errors_regions.tables_missing", file="regions_aliases.csv") from error
    regency, province = units.table("regency"), units.table("province")
    return pd.concat(
        [
            province[["code", "name"]],
            regency[["code", "name"]],
            regency[["code", "bps_name"]].rename(columns={"bps_name": "name"}),
            aliases[["code", "alias"]].rename(columns={"alias": "name"}),
        ],
        ignore_index=True,
    )


@lru_cache(maxsize=1)
def _name_keys() -> frozenset[str]:
    names = _regency_names()
    keys: Iterable[str] = names["code"] + "|" + units.fold_series(names["name"])
    return frozenset(keys)


@lru_cache(maxsize=1)
def _all_names() -> frozenset[str]:
    return frozenset(units.fold_series(_regency_names()["name"]))


@lru_cache(maxsize=1)
def _all_squeezed() -> frozenset[str]:
    """Names that begin with the letters of a kind themselves ("Kotabaru", "Kotawaringin Barat")."""
    bare = _all_names()
    return frozenset(n for n in bare if n.startswith(("kota", "kab")))


@lru_cache(maxsize=1)
def _papua() -> frozenset[str]:
    """BPS codes of the six provinces of Papua."""
    table = units.table("province")
    return frozenset(table.loc[table["island_group"] == "Papua", "bps_code"])


@lru_cache(maxsize=1)
def _papua_names() -> dict[str, str]:
    """BPS province code + folded regency name -> Kemendagri regency code, where unique in the province."""
    keys = _papua_keys()
    keys = keys[~keys["key"].duplicated(keep=False)]
    return dict(zip(keys["key"].tolist(), keys["code"].tolist()))


@lru_cache(maxsize=1)
def _papua_twins() -> dict[str, str]:
    """BPS province code + folded name + "|" + kind -> Kemendagri code of a city and a regency of one name."""
    keys = _papua_keys()
    keys = keys[keys["key"].duplicated(keep=False)]
    kinds = ["kota" if city else "kab" for city in _is_city(keys["code"])]
    return dict(zip((keys["key"] + "|" + kinds).tolist(), keys["code"].tolist()))


def _papua_keys() -> pd.DataFrame:
    """``key`` (BPS province code + folded name) and Kemendagri ``code`` of every name in Papua, once."""
    province = units.table("province").set_index("code")["bps_code"]
    names = _regency_names()
    names = names[names["code"].str.len() == 4].copy()
    names["bps"] = names["code"].str[:2].map(province)
    names = names[names["bps"].isin(_papua())]
    names["key"] = names["bps"] + units.fold_series(names["name"])
    return names[["key", "code"]].drop_duplicates()


def _look(keys: pd.Series, known: dict[str, str]) -> pd.Series:
    """`keys` looked up one by one: ``Series.map`` would first make a Series of all 83,762 entries."""
    return pd.Series([known.get(key) for key in keys], index=keys.index, dtype="object")


@lru_cache(maxsize=2)
def _parents(level: str) -> dict[str, str]:
    table = units.table(level)
    return dict(zip(table["code"].tolist(), table["parent_code"].tolist()))


@lru_cache(maxsize=2)
def _names_by_code(level: str) -> dict[str, str]:
    table = units.table(level)
    return dict(zip(table["code"].tolist(), units.fold_series(table["name"]).tolist()))


@lru_cache(maxsize=2)
def _child_names(level: str) -> tuple[dict[str, str], dict[str, str]]:
    """parent|name -> code where the name is unique inside the parent: exact letters, and without its kind."""
    table = units.table(level)
    made = []
    for how in (units.squeeze, units.fold):
        keys = table["parent_code"] + "|" + units.fold_series(table["name"], how)
        unique = ~keys.duplicated(keep=False)
        made.append(dict(zip(keys[unique].tolist(), table["code"][unique].tolist())))
    return made[0], made[1]
