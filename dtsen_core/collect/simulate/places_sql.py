"""Codes and names of every village in both code systems, as a table for writing files."""

from __future__ import annotations

import duckdb
import pandas as pd
import pyarrow as pa

from dtsen_core.regions import units

SYSTEMS = ("kemendagri", "bps")
LEVELS = (("province", 2), ("regency", 4), ("district", 6), ("village", 10))


def register(con: duckdb.DuckDBPyConnection, name: str = "village_codes") -> None:
    """Temporary table `name`: ``village`` (idx) and ``<system>_<level>``, ``<level>_name`` as text; for regencies
    that changed province ``<system>_old_regency`` and ``<system>_old_province_name``, NULL elsewhere.

    BPS codes below the regency are not published, nor those of the regencies of the new provinces of Papua: they get
    BPS-style codes in the order of their Kemendagri codes (3 digits for a district or a village; cities from 71), so
    reading them back needs the names, as with real files.
    """
    village = units.table("village")
    out = pd.DataFrame({"village": range(len(village))})
    for level, width in LEVELS:
        table = units.table(level).set_index("code")
        codes = village["code"].str.slice(0, width)
        out[f"kemendagri_{level}"] = codes
        out[f"{level}_name"] = codes.map(table["name"]).str.upper()
    for level in ("province", "regency"):
        out[f"bps_{level}"] = out[f"kemendagri_{level}"].map(units.table(level).set_index("code")["bps_code"])
    # Those of BPS known for the regencies of Papua are of 2020: they begin with the province of that time.
    out["bps_old_regency"] = out["bps_regency"].where(out["bps_regency"].str.slice(0, 2) != out["bps_province"])
    numbered_anew = out["bps_province"] + out["kemendagri_regency"].str.slice(2)
    out["bps_regency"] = out["bps_regency"].where(out["bps_old_regency"].isna(), numbered_anew)
    districts = units.table("district")
    place = districts.groupby("parent_code").cumcount().add(1).mul(10)
    numbered = dict(zip(districts["code"], place.astype(str).str.zfill(3)))
    out["bps_district"] = out["bps_regency"] + out["kemendagri_district"].map(numbered)
    within = village.groupby("parent_code").cumcount().add(1)
    out["bps_village"] = out["bps_district"] + within.astype(str).str.zfill(3)
    # Codes and province names from before a regency changed its province.
    history = units.history().drop_duplicates("code").set_index("code")["old_code"]
    out["kemendagri_old_regency"] = out["kemendagri_regency"].map(history)
    provinces = units.table("province")
    for system, code in (("kemendagri", "code"), ("bps", "bps_code")):
        names = provinces.set_index(code)["name"].str.upper()
        out[f"{system}_old_province_name"] = out[f"{system}_old_regency"].str.slice(0, 2).map(names)
        for column in (f"{system}_old_regency", f"{system}_old_province_name"):
            out[column] = out[column].astype("object").where(out[column].notna(), None)
    con.register("village_frame", pa.Table.from_pandas(out, preserve_index=False))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM village_frame")
    con.unregister("village_frame")


def expression(variable: str, system: str) -> str | None:
    """SQL for a region variable of the layouts (code or name), from alias ``v``; None if it is none."""
    named = {"kode_provinsi": "province", "kode_kabupaten_kota": "regency", "kode_kecamatan": "district",
             "kode_kelurahan_desa": "village", "provinsi": "province", "kabupaten_kota": "regency",
             "kecamatan": "district", "kelurahan_desa": "village"}  # fmt: skip
    level = named.get(variable)
    if level is None:
        return None
    return f"v.{system}_{level}" if variable.startswith("kode_") else f"v.{level}_name"


def outdated(variable: str, system: str, current: str, when: str) -> str:
    """SQL for a region variable; where `when` holds, as it was before the regency changed its province."""
    regency = f"v.{system}_old_regency"
    old = {
        "kode_provinsi": f"left({regency}, 2)", "kode_kabupaten_kota": regency,
        "kode_kecamatan": f"{regency} || substr(v.{system}_district, 5)",
        "kode_kelurahan_desa": f"{regency} || substr(v.{system}_village, 5)",
        "provinsi": f"v.{system}_old_province_name",
    }.get(variable)  # fmt: skip
    return current if old is None else f"CASE WHEN {when} THEN {old} ELSE {current} END"
