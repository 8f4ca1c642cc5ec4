"""Delivered places become units of the hierarchy: detected code system, crosswalk, names inside the parent."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from dtsen_core.collect.layouts import Layout
from dtsen_core.collect.values import masked
from dtsen_core.regions import codes, units

LEVEL_COLUMNS = {
    "regency": ("kode_kabupaten_kota", "kabupaten_kota"),
    "district": ("kode_kecamatan", "kecamatan"),
    "village": ("kode_kelurahan_desa", "kelurahan_desa"),
}
WIDTH = {"regency": 4, "district": 6, "village": 10}


def map_places(
    regions: dict[tuple[str, ...], list[int]], columns: list[str], layout: Layout, confirm: str | None
) -> tuple[pd.DataFrame, str]:
    """One row per distinct place: ``region_id, rows``, idx of ``province, regency, district, village``, their
    village ``code`` (Kemendagri) and whether it was delivered under a code from before a split (``old``), or
    ``reason`` and ``detail`` where it could not be placed.

    Returns it with the code system of the file. UserError (from `regions.codes`) if the system cannot be
    decided or contradicts `confirm`.
    """
    frame = pd.DataFrame(list(regions), columns=columns, dtype="object")
    frame = frame.mask(frame == "", None)
    frame["region_id"] = [entry[0] for entry in regions.values()]
    frame["rows"] = [entry[1] for entry in regions.values()]
    places = pd.DataFrame(index=frame.index)
    for level, (code, name) in LEVEL_COLUMNS.items():
        places[f"{level}_code"] = _code(frame, code, level)
        places[f"{level}_name"] = frame.get(name)
    system = "kemendagri"
    if layout.codes == "detect" and len(frame):
        seen = pd.DataFrame({
            "code": places["regency_code"], "name": places["regency_name"], "rows": frame["rows"].clip(lower=1),
        }).groupby(["code", "name"], as_index=False, sort=False)["rows"].sum()  # fmt: skip
        system = codes.detect_system(seen, confirm=confirm).system
    return _result(frame, places, _found(places, system), system), system


def _found(places: pd.DataFrame, system: str) -> pd.DataFrame:
    """``village`` (Kemendagri), ``unmapped`` (the level without a match) and ``old`` (under a code from before its
    regency changed province) of every place.

    Under Kemendagri codes most places agree with the unit tables to the letter; only the others need the
    comparison of names.
    """
    plain = _agrees(places) if system == "kemendagri" else pd.Series(False, index=places.index)
    out = pd.DataFrame(
        {"village": places["village_code"].where(plain), "unmapped": None, "old": False}, index=places.index
    )
    rest = places[~plain]
    if len(rest):
        mapped = codes.map_places(rest, system)
        out.loc[rest.index, "village"] = mapped["village"].astype("object")
        out.loc[rest.index, "unmapped"] = mapped["unmapped"].astype("object")
        out.loc[rest.index, "old"] = mapped["old"]
    return out


def _agrees(places: pd.DataFrame) -> pd.Series:
    """Is the village's code known, the codes above its first digits, and every given name the unit's?"""
    fine = []
    columns = [(places[f"{u}_code"].tolist(), places[f"{u}_name"].tolist(), width, _names(u))
               for u, width in WIDTH.items()]  # fmt: skip
    for number, village in enumerate(places["village_code"].tolist()):
        good = isinstance(village, str) and len(village) == WIDTH["village"]
        for codes_of, names_of, width, known in columns:
            if not good:
                break
            name = known.get(village[:width])
            given = names_of[number]
            good = name is not None and codes_of[number] == village[:width]
            good = good and (not isinstance(given, str) or given.upper() == name)
        fine.append(good)
    return pd.Series(fine, index=places.index, dtype=bool)


@lru_cache(maxsize=4)
def _names(level: str) -> dict[str, str]:
    table = units.table(level)
    return dict(zip(table["code"], table["name"].str.upper()))


def _code(frame: pd.DataFrame, column: str, level: str) -> pd.Series:
    if column in frame:
        return frame[column].str.replace(r"[.\s]", "", regex=True)
    # Registers that carry only the village's code: under Kemendagri the levels above are its first digits.
    village = frame["kode_kelurahan_desa"].str.replace(r"[.\s]", "", regex=True)
    return village.str.slice(0, WIDTH[level])


def _result(frame: pd.DataFrame, places: pd.DataFrame, found: pd.DataFrame, system: str) -> pd.DataFrame:
    out = frame[["region_id", "rows"]].copy()
    known = found["unmapped"].isna()
    village = found["village"].where(known)
    out["code"] = village.astype("object").where(known, None)
    for level, width in (("province", 2), ("regency", 4), ("district", 6), ("village", 10)):
        index = units.index(level)
        placed = zip(village.tolist(), known.tolist())
        out[level] = np.array([index[c[:width]] if ok else 0 for c, ok in placed], dtype=np.uint32)
    out["old"] = found["old"] & known
    foreign = system == "kemendagri" or found["unmapped"].eq("regency")
    reason = np.where(foreign, "wilayah_tak_dikenal", "tak_terpetakan")
    out["reason"] = pd.Series(reason, index=out.index, dtype="object").where(~known, None)
    shown = [
        masked(" ".join(t for t in (places[f"{u}_code"].iat[i], places[f"{u}_name"].iat[i]) if isinstance(t, str)))
        if not ok else None
        for i, (ok, u) in enumerate(zip(known.tolist(), found["unmapped"].fillna("village").tolist()))
    ]  # fmt: skip
    out["detail"] = pd.Series(shown, index=out.index, dtype="object")
    return out
