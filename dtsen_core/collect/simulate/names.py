"""Names of the simulated people: pools of parts by region, drawn with skewed frequencies over columns.

The parts, their shares and the number of words are data (``data/rules/simulation/names.toml``). Which word a
person gets follows from hashes of the person and of the family, so a seed always gives the same names.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache

import duckdb
import pyarrow as pa

from dtsen_core.paths import RULES
from dtsen_core.regions import units

ROLES = ("male", "female", "last_male", "last_female")
NATIONAL, CHINESE = "nasional", "tionghoa"
PER_POOL, PER_ROLE = 10_000, 1_000
"""A word's number is pool * PER_POOL + role * PER_ROLE + its place in the list."""


@lru_cache(maxsize=1)
def rules() -> dict:
    return tomllib.loads((RULES / "simulation" / "names.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def pools() -> dict[str, dict[str, list[str]]]:
    """pool → role → words, most frequent first; a clan's name is the same for both sexes."""
    found = {}
    for name, raw in rules()["pool"].items():
        lists = {role: list(dict.fromkeys(raw.get(role, raw["last_male"]).split())) for role in ROLES}
        found[name] = {role: [word.replace("_", " ") for word in words] for role, words in lists.items()}
    return found


def register(con: duckdb.DuckDBPyConnection) -> None:
    """Temporary tables ``name_word(number, word)``, ``name_pool`` and ``name_province``."""
    words = {
        pool * PER_POOL + role * PER_ROLE + place: word
        for pool, lists in enumerate(pools().values())
        for role, name in enumerate(ROLES)
        for place, word in enumerate(lists[name])
    }
    numbers = {name: number for number, name in enumerate(pools())}
    _store(con, "name_word", {"number": pa.array(list(words), pa.uint32()), "word": list(words.values())})
    raw = list(rules()["pool"].values())
    counts = {f"n_{role}": [len(lists[role]) for lists in pools().values()] for role in ROLES}
    _store(con, "name_pool", {
        "pool": list(numbers.values()), "clan": [entry["clan"] for entry in raw],
        "one": [entry["words"][0] for entry in raw], "two": [sum(entry["words"][:2]) for entry in raw], **counts,
    })  # fmt: skip
    home = {code: name for name, entry in rules()["pool"].items() for code in entry.get("provinces", ())}
    codes = units.table("province")["code"].tolist()
    of_province = [home.get(code, NATIONAL) for code in codes]
    _store(con, "name_province", {
        "province": pa.array(range(len(codes)), pa.uint8()), "pool": [numbers[name] for name in of_province],
        "share": [rules()["pool"][name]["share"] for name in of_province],
        "chinese": [rules()["share_tionghoa"].get(code, 0.0) for code in codes],
        "chinese_pool": [numbers[CHINESE]] * len(codes), "national_pool": [numbers[NATIONAL]] * len(codes),
    })  # fmt: skip


def _store(con: duckdb.DuckDBPyConnection, table: str, columns: dict) -> None:
    con.register("name_frame", pa.table(columns))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM name_frame")
    con.unregister("name_frame")


def _share(key: str) -> str:
    """A number in [0, 1) from a hash."""
    return f"(({key} % 1000000) / 1000000.0)"


def _place(count: str, key: str) -> str:
    """A place in a list of `count` words; the frequency falls with the square of the place."""
    return f"CAST(floor({count} * pow({_share(key)}, 2)) AS UINTEGER)"


def named(source: str, seed: int) -> str:
    """SELECT of `source` (id_anggota, id_keluarga, province, jenis_kelamin, …) with a column ``name``."""
    person, family = f"hash(s.id_anggota, {seed}, 21)", f"hash(s.id_keluarga, {seed}, 22)"
    sex = f"CASE WHEN s.jenis_kelamin = 1 THEN 0 ELSE {PER_ROLE} END"
    return f"""SELECT s.*, trim(first.word
        || CASE WHEN second.word IS NOT NULL AND second.word <> first.word THEN ' ' || second.word ELSE '' END
        || CASE WHEN last.word IS NOT NULL AND last.word <> first.word THEN ' ' || last.word ELSE '' END) AS name
    FROM (
      SELECT s.*, words.*
      FROM (SELECT s.*, CASE
          WHEN {_share(f"hash({family}, 1)")} < v.chinese THEN v.chinese_pool
          WHEN {_share(f"hash({family}, 2)")} < v.share THEN v.pool ELSE v.national_pool END AS name_pool_number
        FROM {source} AS s JOIN name_province AS v USING (province)) AS s
      JOIN (SELECT pool AS p, * EXCLUDE (pool) FROM name_pool) AS words ON words.p = s.name_pool_number
    ) AS s
    JOIN name_word AS first ON first.number = s.p * {PER_POOL} + {sex}
      + {_place("CASE WHEN s.jenis_kelamin = 1 THEN s.n_male ELSE s.n_female END", f"hash({person}, 3)")}
    LEFT JOIN name_word AS second ON {_share(f"hash({person}, 4)")} >= s.two
      AND second.number = s.p * {PER_POOL} + {sex}
      + {_place("CASE WHEN s.jenis_kelamin = 1 THEN s.n_male ELSE s.n_female END", f"hash({person}, 5)")}
    LEFT JOIN name_word AS last ON {_share(f"hash({person}, 4)")} >= s.one
      AND last.number = s.p * {PER_POOL} + {2 * PER_ROLE} + {sex} + {_place(
        "CASE WHEN s.jenis_kelamin = 1 THEN s.n_last_male ELSE s.n_last_female END",
        f"CASE WHEN s.clan THEN {family} ELSE hash({person}, 6) END")}"""
