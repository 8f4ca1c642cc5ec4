"""Earlier versions of the demonstration: the states of the quarters before, each a version of its own.

They hold families, indicators, deciles and enrolment, and the models they are measured with; persons, registers and
their accounts are those of the newest version only.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from dtsen_core.build import tables
from dtsen_core.collect.simulate import history
from dtsen_core.collect.simulate.history import Quarter
from dtsen_core.rank import official, packing, scorecard
from dtsen_core.registry import limits
from dtsen_core.registry.dataset import DATABASE, stamp
from dtsen_core.registry.manifest import Manifest

NOW = "now"
CARRIED = ("survey", "model", "model_coefficient", "model_area", "model_effect", "model_residual", "model_fit")


def write(folder: Path, manifest: Manifest, into: Path, progress: Callable[[float], None]) -> list[Path]:
    """Write the earlier states of the demonstration in `folder` as folders inside `into`, oldest first.

    `manifest` is that of the finished demonstration; each state gets its own, with the same ``created`` and
    ``build``.
    """
    found = []
    states = sorted(history.quarters(), key=lambda q: q.as_of)
    for number, quarter in enumerate(states, start=1):
        began = time.monotonic()
        aside = into / f"{quarter.as_of:%Y%m%d}"
        aside.mkdir()
        with contextlib.closing(duckdb.connect(str(aside / DATABASE))) as con:
            limits.bound(con)
            con.execute("SET preserve_insertion_order = true")
            con.execute(f"ATTACH '{str(folder / DATABASE).replace(chr(39), chr(39) * 2)}' AS {NOW} (READ_ONLY)")
            made = _fill(con, manifest, quarter)
        dataclasses.replace(made, stages={"history": round(time.monotonic() - began, 3)}).write(aside)
        found.append(aside)
        progress(number / len(states))
    return found


def _fill(con: duckdb.DuckDBPyConnection, manifest: Manifest, quarter: Quarter) -> Manifest:
    main = f"{NOW}.main"
    history.write(con, main, quarter, int(manifest.seed or 0))
    for table in CARRIED:
        con.execute(f"CREATE TABLE {table} AS SELECT * FROM {main}.{table}")
    con.execute(
        f"""CREATE TABLE area_weight AS
        WITH today AS (
          SELECT regency, weight * count(*) AS families, survey_factor
          FROM {main}.area_weight JOIN {main}.keluarga USING (regency) GROUP BY regency, weight, survey_factor
        )
        SELECT t.regency, t.families * ? / count(*) AS weight, t.survey_factor
        FROM today AS t JOIN keluarga AS k USING (regency)
        GROUP BY t.regency, t.families, t.survey_factor ORDER BY t.regency""",
        [quarter.families / manifest.registry_families],
    )
    packing.pack(con)
    official.set_official(con, scorecard.load(con, quarter.model))
    con.execute("CREATE TEMP TABLE programme_flag AS " + history.flags_sql(main, quarter))
    tables.write_flags(con)
    tables.copy_deciles(con)
    con.execute("DROP TABLE programme_flag")
    version = f"simulasi-{quarter.as_of:%Y%m%d}-{manifest.build}"
    stamp(con, version)
    counted = con.execute("""SELECT count(*), sum(family_size), sum(weight), sum(weight * family_size)
        FROM family_packed JOIN area_weight USING (regency)""").fetchone()
    assert counted is not None
    mix, rows = (tables.source_mix(con) if manifest.has_sources else {}), tables.row_counts(con)
    con.execute(f"DETACH {NOW}")
    con.execute("CHECKPOINT")
    return dataclasses.replace(
        manifest, version=version, as_of=quarter.as_of.isoformat(), families=int(counted[0]), persons=int(counted[1]),
        registry_families=float(counted[2]), registry_persons=float(counted[3]), has_sources=False, has_members=False,
        model=quarter.model, source_mix=mix, rows=rows,
    )  # fmt: skip
