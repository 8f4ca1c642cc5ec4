"""Make the shipped unit tables from the gazetteer, once, on a developer's machine.

    python -m dtsen_core.regions.make_tables --gazetteer DIR --crosswalk FILE --population FILE

`DIR` holds ``provinces.csv.gz``, ``regencies.csv.gz``, ``districts.csv.gz`` and
``villages/villages_<prov>.csv.gz`` of the package named in ``data/README.md``; the crosswalk pairs Kemendagri
and BPS regency codes; the population file gives men and women by regency. Writes ``data/reference/regions_*``
and refuses to write anything if the counts are not those of the decree.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from dtsen_core.errors import InternalError
from dtsen_core.paths import REFERENCE

# Kepmendagri 300.2.2-2430/2025: 38 / 514 / 7,285 / 83,762 (8,496 kelurahan + 75,266 desa).
DECREE = {"provinces": 38, "regencies": 514, "districts": 7_285, "villages": 83_762}
KELURAHAN = 8_496
POPULATION = 284_973_643

SHORT_PROVINCES = {"31": "DKI Jakarta", "34": "DI Yogyakarta"}
ISLAND_GROUPS = {
    "1": "Sumatera",
    "2": "Sumatera",
    "3": "Jawa",
    "5": "Bali dan Nusa Tenggara",
    "6": "Kalimantan",
    "7": "Sulawesi",
    "8": "Maluku",
    "9": "Papua",
}
BPS_PAPUA = {"91": "94", "92": "91", "93": "95", "94": "96", "95": "97", "96": "92"}
VILLAGE_KINDS = {"1": "kelurahan", "2": "desa", "3": "desa adat"}


def tidy(names: pd.Series) -> pd.Series:
    """One space between words, straight apostrophes, no run-together or lower-case first words."""
    names = names.str.replace("\u2019", "'").str.replace(r"\s+", " ", regex=True).str.strip()
    names = names.str.replace(r"(?<=[a-z]{2})(?=[A-Z][a-z]{2})", " ", regex=True)
    return names.str.slice(0, 1).str.upper() + names.str.slice(1)


def regency_label(names: pd.Series) -> pd.Series:
    """ "Kabupaten Bogor" -> "Kab. Bogor"; "Kota Administrasi Jakarta Pusat" -> "Kota Jakarta Pusat"."""
    return (
        tidy(names)
        .str.replace(r"^(?:Kabupaten|Kab\.?) (?:Administrasi )?", "Kab. ", regex=True)
        .str.replace(r"^Kota (?:Administrasi )?", "Kota ", regex=True)
    )


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def tables(gazetteer: Path, crosswalk: Path, population: Path) -> dict[str, pd.DataFrame]:
    """The four tables sorted by code; InternalError if a count or a parent does not fit the decree."""
    prov, reg, dist = (_read(gazetteer / f"{n}.csv.gz") for n in ("provinces", "regencies", "districts"))
    vill = pd.concat([_read(f) for f in sorted((gazetteer / "villages").glob("villages_*.csv.gz"))])
    cross = _read(crosswalk).set_index("kemendagri_code_2025")
    people = pd.read_csv(population, dtype={"regency_code": str}).set_index("regency_code")

    regencies = pd.DataFrame({"code": reg["id"], "name": regency_label(reg["name"]), "parent_code": reg["id"].str[:2]})
    regencies["kind"] = regencies["code"].str[2].ge("7").map({True: "kota", False: "kabupaten"})
    regencies["bps_code"] = regencies["code"].map(cross["bps_code_2020"])
    regencies["bps_name"] = regencies["code"].map(cross["bps_name_2020"]).str.title()
    for column, source in (
        ("population", "population_dec2024"),
        ("population_male", "population_male_dec2024"),
        ("population_female", "population_female_dec2024"),
    ):
        regencies[column] = regencies["code"].map(people[source])

    provinces = pd.DataFrame({"code": prov["id"], "name": tidy(prov["name"]), "parent_code": "ID"})
    provinces["name"] = provinces["code"].map(SHORT_PROVINCES).fillna(provinces["name"])
    # The six provinces of Papua carry different two-digit codes at BPS; all other pairs are equal.
    provinces["bps_code"] = provinces["code"].replace(BPS_PAPUA)
    provinces["island_group"] = provinces["code"].str[0].map(ISLAND_GROUPS)
    provinces["population"] = provinces["code"].map(regencies.groupby("parent_code")["population"].sum())

    districts = pd.DataFrame({"code": dist["id"], "name": tidy(dist["name"]), "parent_code": dist["id"].str[:4]})
    villages = pd.DataFrame(
        {
            "code": vill["id"],
            "name": tidy(vill["name"]),
            "parent_code": vill["id"].str[:6],
            "kind": vill["id"].str[6].map(VILLAGE_KINDS),
            "lat": pd.to_numeric(vill["latitude"]).round(5).astype("float32"),
            "lon": pd.to_numeric(vill["longitude"]).round(5).astype("float32"),
        }
    )
    made = {"provinces": provinces, "regencies": regencies, "districts": districts, "villages": villages}
    made = {name: t.sort_values("code", ignore_index=True) for name, t in made.items()}
    _check(made)
    return made


def _check(made: dict[str, pd.DataFrame]) -> None:
    for name, count in DECREE.items():
        if len(made[name]) != count or not made[name]["code"].is_unique:
            raise InternalError(f"{name}: {len(made[name])} units, the decree has {count}")
    for child, parent in (("regencies", "provinces"), ("districts", "regencies"), ("villages", "districts")):
        if not made[child]["parent_code"].isin(made[parent]["code"]).all():
            raise InternalError(f"{child} with an unknown parent")
    if (made["villages"]["kind"] == "kelurahan").sum() != KELURAHAN:
        raise InternalError("number of kelurahan differs from the decree")
    if made["regencies"]["population"].sum() != POPULATION:
        raise InternalError("population of the regencies does not sum to the published total")
    if made["regencies"].isna().any(axis=None):
        raise InternalError("regency without a BPS code or population")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for option in ("--gazetteer", "--crosswalk", "--population"):
        parser.add_argument(option, type=Path, required=True)
    given = parser.parse_args()
    made = tables(given.gazetteer, given.crosswalk, given.population)
    for name in ("provinces", "regencies", "districts"):
        made[name].to_csv(REFERENCE / f"regions_{name}.csv", index=False, lineterminator="\n")
    # 83,762 rows: parquet is a quarter of the size of text and opens ten times faster.
    made["villages"].to_parquet(REFERENCE / "regions_villages.parquet", index=False, compression="zstd")
    for name, table in made.items():
        print(f"{name}: {len(table)}")


if __name__ == "__main__":
    main()
