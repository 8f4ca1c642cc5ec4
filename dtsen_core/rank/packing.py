"""Packing the 39 indicators of a family into a few mixed-radix codes, and unpacking them for tests.

A group of indicators becomes one number: the sum of category × multiplier, the multiplier being the
product of the radixes before it. Groups are derived from `INDICATORS` by first fit in order of falling
radix, so they follow the code lists; the hash of the dictionary is stored with the data (table
``packing``) and checked before every ranking.

`CODES_PER_GROUP` was chosen by measurement on 4 and 10 million families with 38 province models: with
26,000 codes (7 groups) the look-up tables hold 4 million entries and take 0.18 s to fill, with 6,000
(8 groups) 0.05 s, and the joins cost the same, because the smaller tables stay in the processor's cache.
Sets × codes must stay below a million for DuckDB to join by array position.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache

import duckdb
import numpy as np
import numpy.typing as npt

from dtsen_core.errors import UserError
from dtsen_core.registry.indicators import INDICATORS

CODES_PER_GROUP = 6_000

OFFICIAL = ("desil_nasional", "desil_provinsi", "desil_kabupaten_kota")
FLAGS = ("pkh", "sembako", "blt_desa", "pbi_persons", "pbi_pemda_persons", "pip_pupils")
KEYS = ("id_keluarga", "province", "regency", "district", "village", "urban", "family_size")


@dataclass(frozen=True)
class Group:
    """One packed code: positions in `INDICATORS` and the multiplier of each; `codes` possible values."""

    column: str
    members: tuple[int, ...]
    multipliers: tuple[int, ...]
    codes: int


@dataclass(frozen=True)
class Packing:
    """The radix dictionary. `hash` names it; `columns` are p1..pK."""

    groups: tuple[Group, ...]
    hash: str

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(group.column for group in self.groups)


def derive(radixes: tuple[int, ...], limit: int = CODES_PER_GROUP) -> tuple[Group, ...]:
    """Groups of indicators (positions) whose product of radixes stays ≤ `limit`, by first fit decreasing."""
    open_groups: list[tuple[list[int], int]] = []
    for position in sorted(range(len(radixes)), key=lambda i: (-radixes[i], i)):
        radix = radixes[position]
        if radix > limit:
            raise ValueError(f"radix {radix} alone exceeds the limit {limit}")
        for number, (members, codes) in enumerate(open_groups):
            if codes * radix <= limit:
                open_groups[number] = ([*members, position], codes * radix)
                break
        else:
            open_groups.append(([position], radix))
    groups = []
    for number, (members, codes) in enumerate(open_groups, start=1):
        multipliers = np.cumprod([1, *(radixes[i] for i in members[:-1])]).tolist()
        groups.append(Group(f"p{number}", tuple(members), tuple(multipliers), codes))
    return tuple(groups)


@lru_cache(maxsize=1)
def packing() -> Packing:
    """The dictionary of this version of the code lists."""
    groups = derive(tuple(i.radix for i in INDICATORS))
    described = [
        [g.column, [[INDICATORS[i].name, [c.value for c in INDICATORS[i].categories]] for i in g.members]]
        for g in groups
    ]
    digest = hashlib.blake2b(json.dumps(described).encode(), digest_size=8).hexdigest()
    return Packing(groups, digest)


def pack_sql(source: str = "indicators", families: str = "keluarga") -> str:
    """SELECT that makes ``family_packed`` from two tables of ours in one pass; flags 0."""
    codes = ",\n  ".join(
        "("
        + " + ".join(f"CAST(i.{INDICATORS[m].name} AS INTEGER) * {k}" for m, k in zip(g.members, g.multipliers))
        + f")::USMALLINT AS {g.column}"
        for g in packing().groups
    )
    deciles = ",\n  ".join(f"coalesce(k.{name}, 0)::UTINYINT AS {name}" for name in OFFICIAL)
    flags = ", ".join(f"0::UTINYINT AS {name}" for name in FLAGS)
    return f"""SELECT k.id_keluarga, k.province, k.regency, k.district, k.village, k.urban,
  least(greatest(coalesce(k.jumlah_anggota_keluarga, 1), 1), 255)::UTINYINT AS family_size,
  {codes},
  {deciles},
  {flags}
FROM {families} AS k JOIN {source} AS i USING (id_keluarga)
ORDER BY k.village, k.id_keluarga"""


def category_sql(name: str, alias: str = "f") -> str:
    """Expression of indicator `name`'s category from the packed columns of `alias`."""
    for group in packing().groups:
        for position, multiplier in zip(group.members, group.multipliers, strict=True):
            if INDICATORS[position].name == name:
                return f"({alias}.{group.column} // {multiplier}) % {INDICATORS[position].radix}"
    raise KeyError(name)


def pack(con: duckdb.DuckDBPyConnection) -> None:
    """Write ``family_packed`` (sorted by village) and the dictionary table ``packing``.

    Needs ``keluarga`` and ``indicators``. The official deciles are copied from ``keluarga`` (0 = unknown);
    a family without a known size counts as one person.
    """
    con.execute(f"CREATE OR REPLACE TABLE family_packed AS {pack_sql()}")
    write_dictionary(con)


def write_dictionary(con: duckdb.DuckDBPyConnection) -> None:
    """Table ``packing`` (hash, packed, indicator, radix, multiplier), one row per indicator."""
    con.execute(
        "CREATE OR REPLACE TABLE packing (hash VARCHAR, packed VARCHAR, indicator VARCHAR, radix UTINYINT,"
        " multiplier INTEGER)"
    )
    rows = [
        [packing().hash, g.column, INDICATORS[m].name, INDICATORS[m].radix, k]
        for g in packing().groups
        for m, k in zip(g.members, g.multipliers)
    ]
    con.executemany("INSERT INTO packing VALUES (?, ?, ?, ?, ?)", rows)


def has_table(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether the table exists. (Asking for a missing one would find a Python variable of that name.)"""
    found = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [name]).fetchone()
    return bool(found and found[0])


def check(con: duckdb.DuckDBPyConnection) -> Packing:
    """The dictionary of this dataset; UserError if the dataset was packed with other code lists."""
    stored = con.execute("SELECT DISTINCT hash FROM packing").fetchall() if has_table(con, "packing") else []
    if stored != [(packing().hash,)]:
        raise UserError("errors_rank.packing")
    return packing()


def unpack(codes: dict[str, npt.NDArray[np.integer]]) -> npt.NDArray[np.uint8]:
    """Categories (n, 39) in the order of `INDICATORS` from the packed columns p1..pK."""
    first = next(iter(codes.values()))
    result = np.zeros((len(first), len(INDICATORS)), dtype=np.uint8)
    for group in packing().groups:
        rest = np.asarray(codes[group.column]).astype(np.int64)
        for position in group.members:
            radix = INDICATORS[position].radix
            result[:, position] = rest % radix
            rest = rest // radix
    return result
