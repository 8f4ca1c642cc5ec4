"""What changed between two versions: families and persons new, gone and moved, variables, deciles.

Families are matched by the number of their card, persons by NIK. Counts are of stored rows, exact; who shows
them to others passes them through `oversight.disclosure`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import duckdb
import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.paths import RULES
from dtsen_core.registry import ddl, limits
from dtsen_core.registry.dataset import DATABASE
from dtsen_core.registry.versions import Version

DECILES = ("desil_nasional", "desil_provinsi", "desil_kabupaten_kota")
KEYS = {"keluarga": "nomor_kartu_keluarga", "anggota": "nomor_induk_kependudukan"}


@dataclass(frozen=True)
class DecileClass:
    """One published class of decile change (new minus old); `low`/`high` None: open."""

    code: str
    label_id: str
    label_en: str
    low: int | None = None
    high: int | None = None

    def label(self, lang: str) -> str:
        return self.label_en if lang == "en" else self.label_id

    def condition(self, change: str) -> str:
        parts = [f"{change} >= {self.low}"] if self.low is not None else []
        parts += [f"{change} <= {self.high}"] if self.high is not None else []
        return " AND ".join(parts)


@dataclass(frozen=True)
class Comparison:
    """The difference of two versions, named `before` and `after`.

    `families` and `persons`: counts by ``before, after, same, new, gone, moved`` (persons also
    ``other_card``). `variables`: frame ``set, variable, compared, changed``. `deciles`: frame ``variable,
    class, families`` over families in both versions with a decile in both. `regencies`: frame by regency idx
    ``regency, before, after, new, gone, moved_in, moved_out`` and one column per class of the national decile.
    """

    before: str
    after: str
    families: dict[str, int]
    persons: dict[str, int]
    variables: pd.DataFrame
    deciles: pd.DataFrame
    regencies: pd.DataFrame


@lru_cache(maxsize=1)
def decile_classes() -> tuple[DecileClass, ...]:
    """The seven published classes, from extreme fall to extreme rise."""
    raw = tomllib.loads((RULES / "decile_change.toml").read_text(encoding="utf-8"))
    return tuple(DecileClass(**entry) for entry in raw["class"])


def compare(root: Path, before: Version, after: Version) -> Comparison:
    """Compare two versions of the dataset at `root`; both databases are read, none is changed.

    UserError: the same version twice, a version without families, or a damaged database.
    """
    if before.folder == after.folder:
        raise UserError("errors_dataset.same_version", given=before.name)
    for version in (before, after):
        if not version.manifest.families:
            raise UserError("errors_dataset.nothing_to_compare", given=version.name)
    with duckdb.connect() as con:
        limits.bound(con)
        for name, version in (("old", before), ("new", after)):
            path = root / version.folder / DATABASE
            quoted = str(path).replace("'", "''")
            try:
                con.execute(f"ATTACH '{quoted}' AS {name} (READ_ONLY)")
            except duckdb.Error as problem:
                raise UserError("errors_dataset.damaged", path=path.parent) from problem
        _pair_families(con)
        people = before.manifest.has_members and after.manifest.has_members
        sets = ("keluarga", "anggota") if people else ("keluarga",)
        return Comparison(
            before.name, after.name, _families(con), _persons(con) if people else {},
            pd.concat([_variables(con, name) for name in sets], ignore_index=True), _deciles(con), _regencies(con),
        )  # fmt: skip


def _pair_families(con: duckdb.DuckDBPyConnection) -> None:
    """``family``: one row per card of either version with its places and deciles."""
    change = ", ".join(
        f"CASE WHEN a.{d} BETWEEN 1 AND 10 AND b.{d} BETWEEN 1 AND 10 THEN a.{d} - b.{d} END AS d_{d}" for d in DECILES
    )
    con.execute(
        f"""CREATE TEMP TABLE family AS
        SELECT b.regency AS regency_before, a.regency AS regency_after, b.village AS village_before,
          a.village AS village_after, b.id_keluarga IS NOT NULL AS was, a.id_keluarga IS NOT NULL AS is_now, {change}
        FROM old.main.keluarga b FULL JOIN new.main.keluarga a USING (nomor_kartu_keluarga)"""
    )


def _counts(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, int]:
    cursor = con.execute(query)
    names = [column[0] for column in cursor.description or ()]
    row = cursor.fetchall()[0]
    return {name: int(value or 0) for name, value in zip(names, row)}


def _families(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return _counts(con, """SELECT count(*) FILTER (was) AS before, count(*) FILTER (is_now) AS after,
        count(*) FILTER (was AND is_now) AS same, count(*) FILTER (NOT was) AS "new",
        count(*) FILTER (NOT is_now) AS gone,
        count(*) FILTER (was AND is_now AND village_before <> village_after) AS moved FROM family""")  # fmt: skip


def _persons(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return _counts(con, """
        WITH old_person AS (SELECT m.nomor_induk_kependudukan AS nik, m.nomor_kartu_keluarga AS kk, k.village
            FROM old.main.anggota m JOIN old.main.keluarga k USING (id_keluarga)),
          new_person AS (SELECT m.nomor_induk_kependudukan AS nik, m.nomor_kartu_keluarga AS kk, k.village
            FROM new.main.anggota m JOIN new.main.keluarga k USING (id_keluarga))
        SELECT count(b.nik) AS before, count(a.nik) AS after, count(*) FILTER (b.nik = a.nik) AS same,
          count(*) FILTER (b.nik IS NULL) AS "new", count(*) FILTER (a.nik IS NULL) AS gone,
          count(*) FILTER (b.village <> a.village) AS moved, count(*) FILTER (b.kk <> a.kk) AS other_card
        FROM old_person b FULL JOIN new_person a ON a.nik = b.nik""")  # fmt: skip


def _variables(con: duckdb.DuckDBPyConnection, set_name: str) -> pd.DataFrame:
    key = KEYS[set_name]
    names = [field.name for field in ddl.stored_fields(set_name) if field.name != key]
    sums = ", ".join(f'count(*) FILTER (a."{name}" IS DISTINCT FROM b."{name}") AS "{name}"' for name in names)
    found = _counts(con, f"""SELECT count(*) AS "-", {sums}
        FROM old.main.{set_name} b JOIN new.main.{set_name} a USING ({key})""")  # fmt: skip
    return pd.DataFrame({
        "set": set_name, "variable": names, "compared": found["-"], "changed": [found[name] for name in names],
    })  # fmt: skip


def _deciles(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    rows = []
    for name in DECILES:
        sums = ", ".join(f'count(*) FILTER ({c.condition(f"d_{name}")}) AS "{c.code}"' for c in decile_classes())
        found = _counts(con, f"SELECT {sums} FROM family")
        rows += [(name, code, families) for code, families in found.items()]
    return pd.DataFrame(rows, columns=["variable", "class", "families"])


def _regencies(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    classes = ", ".join(
        f'count(*) FILTER (here AND {c.condition("d_desil_nasional")}) AS "{c.code}"' for c in decile_classes()
    )
    return con.execute(
        f"""WITH placed AS (
          SELECT regency_after AS regency, true AS here, * FROM family WHERE is_now
          UNION ALL SELECT regency_before, false, * FROM family WHERE was
        )
        SELECT regency, count(*) FILTER (NOT here) AS before, count(*) FILTER (here) AS after,
          count(*) FILTER (here AND NOT was) AS "new", count(*) FILTER (NOT here AND NOT is_now) AS gone,
          count(*) FILTER (here AND was AND regency_before <> regency_after) AS moved_in,
          count(*) FILTER (NOT here AND is_now AND regency_before <> regency_after) AS moved_out,
          count(*) FILTER (here AND was AND village_before <> village_after) AS moved, {classes}
        FROM placed GROUP BY regency ORDER BY regency"""
    ).df()
