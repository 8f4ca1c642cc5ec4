"""Synthetic families and models for `bench_ranking`: hash numbers, sorted by village, weight 1."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from dtsen_core.rank import arrays, fit_report, packing, scorecard
from dtsen_core.rank.packing import OFFICIAL
from dtsen_core.rank.scorecard import CATEGORIES, OFFSETS, PROVINCES, REGENCIES, Scorecard
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.indicators import INDICATORS
from dtsen_core.registry.manifest import Manifest

MODELS = {"national": 1, "provincial": PROVINCES, "regency": REGENCIES}
STEP = 5_000_000  # families made at a time, which bounds the memory


def build(folder: Path, families: int) -> Dataset:
    """`families` random families with packed codes, 39 plain columns, arrays and three scorecards."""
    con = duckdb.connect(str(folder / "bench.duckdb"))
    con.execute("SET preserve_insertion_order = true")
    villages = units.COUNTS["village"]
    district = units.table("village")["parent_code"].map(units.index("district")).to_numpy()
    regency = units.table("district")["parent_code"].map(units.index("regency")).to_numpy()[district]
    place = {"village": np.arange(villages), "district": district, "regency": regency,
             "province": scorecard.province_of_regency()[regency]}  # fmt: skip
    con.register("place_rows", pd.DataFrame(place))
    con.execute("CREATE TABLE place AS SELECT * FROM place_rows")
    # A shared uniform z makes indicators correlate, so that scores spread as real ones do.
    columns = ",\n".join(
        f"(1 + floor((hash(i, {k}) % 1000 + z) / 2000.0 * {indicator.radix - 1}))::UTINYINT AS {indicator.name}"
        for k, indicator in enumerate(INDICATORS)
    )
    unknown = ", ".join(f"NULL::UTINYINT AS {name}" for name in OFFICIAL)
    for low in range(0, families, STEP):
        rows = f"range({low}, {min(low + STEP, families)}) AS r(i)"
        con.execute(f"""CREATE OR REPLACE TEMP TABLE made AS
            SELECT i AS id_keluarga, {columns} FROM (SELECT i, hash(i, 77) % 1000 AS z FROM {rows}) ORDER BY i""")
        con.execute(f"""CREATE OR REPLACE TEMP TABLE place_of AS
            SELECT i AS id_keluarga, p.province::UTINYINT AS province, p.regency::USMALLINT AS regency,
              p.district::USMALLINT AS district, p.village::UINTEGER AS village, (1 + i % 2)::UTINYINT AS urban,
              (1 + hash(i, 99) % 6)::INTEGER AS jumlah_anggota_keluarga, {unknown}
            FROM {rows} JOIN place AS p ON p.village = i * {villages} // {families}""")
        for table, query in (("indicators", "SELECT * FROM made"),
                             ("family_packed", packing.pack_sql("made", "place_of"))):  # fmt: skip
            con.execute(f"INSERT INTO {table} {query}" if low else f"CREATE TABLE {table} AS {query}")
    con.execute("DROP TABLE made; DROP TABLE place_of")
    packing.write_dictionary(con)
    con.execute(f"CREATE TABLE area_weight AS SELECT i::USMALLINT AS regency, 1.0::DOUBLE AS weight,"
                f" 1.0::DOUBLE AS survey_factor FROM range({REGENCIES}) AS r(i)")  # fmt: skip
    scorecard.create_tables(con)
    for name, sets in MODELS.items():
        scorecard.save(con, _card(name, sets), "bench")
        _residuals(con, name)
    arrays.write(con, folder)
    return _opened(folder, families, con)


def reopen(folder: Path, families: int) -> Dataset:
    """The same by a process that only reads, as it is served."""
    return _opened(folder, families, duckdb.connect(str(folder / "bench.duckdb"), read_only=True))


def _opened(folder: Path, families: int, con: duckdb.DuckDBPyConnection) -> Dataset:
    manifest = Manifest("simulated", f"bench-{families}", "2025-03-01", "", families, 0, families, 0)
    return Dataset(folder, manifest, con)


def _card(name: str, sets: int) -> Scorecard:
    rng = np.random.default_rng(sets)
    coefficients = np.sort(rng.integers(-70, 71, (sets, CATEGORIES)), axis=1).astype(np.int32)
    for start, stop in itertools.pairwise(OFFSETS):
        coefficients[:, start:stop] -= coefficients[:, start:stop].mean(axis=1).astype(np.int32)[:, None]
    area = np.repeat(14_000 + rng.integers(-150, 151, (REGENCIES, 1)), 3, axis=1).astype(np.int32)
    return Scorecard(name, "simulated", coefficients, area)


def variants(card: Scorecard, number: int) -> list[Scorecard]:
    """Other scorecards of the same shape and residuals, one coefficient apart."""
    found = []
    for k in range(number):
        changed = card.coefficients.copy()
        changed[:, k] += 1 + k
        found.append(replace(card, coefficients=changed))
    return found


def _residuals(con: duckdb.DuckDBPyConnection, model: str) -> None:
    """20 bins of normal residuals for every province and stratum, as many rows as a real fit stores."""
    cells = np.arange(-70, 71)
    mass = np.exp(-((cells * fit_report.STEP / 1000) ** 2) / (2 * 0.4**2))
    con.execute(
        """INSERT INTO model_residual BY NAME
        SELECT ? AS model, p.i AS province, u.i AS urban, b.i AS bin, 13400 + 60 * b.i AS mid_milli, 200 AS households,
          ? AS step, c.i - 70 AS cell, list_extract(?::DOUBLE[], (c.i + 1)::BIGINT) AS mass
        FROM range(38) AS p(i), range(1, 3) AS u(i), range(20) AS b(i), range(141) AS c(i)""",
        [model, fit_report.STEP, (mass / mass.sum()).tolist()],
    )
    con.execute("INSERT INTO model_effect SELECT ?, i, 0.02, 0.1 FROM range(514) AS r(i)", [model])
