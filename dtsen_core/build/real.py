"""A dataset of origin *real*: delivered DTSEN files, or one source register, and not a single simulated row."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

import dtsen_core
from dtsen_core.build import lock, tables
from dtsen_core.build.progress import Listener, Progress, silent
from dtsen_core.integrate import delivered, registers
from dtsen_core.rank import packing, scorecard
from dtsen_core.regions import units
from dtsen_core.registry import ddl
from dtsen_core.registry.dataset import DATABASE, new_dataset, stamp
from dtsen_core.registry.manifest import Manifest

SHARES = {"read": 70, "indicators": 25, "finish": 5}


def ingest(
    kind: str, files: Sequence[Path], out: Path, *, codes: str | None = None, progress: Listener = silent
) -> dict[str, Any]:
    """Read `files` of `kind` into a new dataset of origin real at `out`; returns ``{"files": […]}``.

    `dtsen` takes the family and the member file and gives ranked families (by the delivered deciles); a single
    register (`dtks`, `regsosek`, `p3ke`, `dukcapil`) gives its accepted rows and no families yet. `codes`
    confirms the code system. UserError for anything wrong with the files or the place.
    """
    told = Progress(SHARES, progress)
    with lock.exclusive(out), new_dataset(out, "real") as folder:
        con = duckdb.connect(str(folder / DATABASE))
        try:
            with told.stage("read") as step:
                if kind == "dtsen":
                    report = delivered.ingest_delivered(files[0], files[1], con, codes=codes, progress=step)
                else:
                    report = registers.ingest_register(kind, files, con, codes, step)
                    con.execute(ddl.create_table("keluarga"))
                    con.execute(ddl.create_table("anggota"))
            with told.stage("indicators"):
                known = _derive(con)
            tables.shorten_paths(con)
            manifest = _manifest(con, kind, files, known)
            stamp(con, manifest.version)
            con.execute("CHECKPOINT")
        finally:
            con.close()
        with told.stage("finish"):
            manifest.write(folder)
    return report


def _derive(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Indicators, packed families and PBI membership; returns the programmes the files speak about."""
    con.register("regency_idx", pa.table({"regency": pa.array(range(len(units.table("regency"))), pa.uint16())}))
    con.execute("""CREATE TABLE area_weight AS
        SELECT regency, 1.0::DOUBLE AS weight, 1.0::DOUBLE AS survey_factor FROM regency_idx""")
    con.unregister("regency_idx")
    tables.write_indicators(con, dt.date.today(), people=True)
    packing.pack(con)
    scorecard.create_tables(con)
    con.execute("""CREATE TABLE programme_flag AS
        SELECT id_keluarga, 0 AS pkh, 0 AS sembako, 0 AS blt_desa, 0 AS pip_pupils,
          count(*) FILTER (pbi_nas = 1) AS pbi_persons, count(*) FILTER (pbi_pemda = 1) AS pbi_pemda_persons
        FROM anggota GROUP BY id_keluarga""")
    tables.write_flags(con)
    con.execute("DROP TABLE programme_flag")
    asked = con.execute("SELECT count(pbi_nas) > 0, count(pbi_pemda) > 0 FROM anggota").fetchone()
    assert asked is not None
    return [name for name, known in zip(("pbi", "pbi_pemda"), asked, strict=True) if known]


def _manifest(con: duckdb.DuckDBPyConnection, kind: str, files: Sequence[Path], known: list[str]) -> Manifest:
    counted = con.execute("SELECT count(*), coalesce(sum(family_size), 0) FROM family_packed").fetchone()
    assert counted is not None
    now = dt.datetime.now(dt.UTC)
    digests = {path.name: _digest(path) for path in files}
    name = hashlib.blake2b("".join(sorted(digests.values())).encode(), digest_size=4).hexdigest()
    return Manifest(
        origin="real", version=f"{kind}-{name}-{now:%Y%m%d%H%M%S}", as_of=now.date().isoformat(),
        created=now.isoformat(timespec="seconds"), families=int(counted[0]), persons=int(counted[1]),
        registry_families=float(counted[0]), registry_persons=float(counted[1]), has_members=True,
        packing=packing.packing().hash, boundary_hash=tables.boundary_hash(), code_version=dtsen_core.__version__,
        source_mix=tables.source_mix(con), files=digests, rows=tables.row_counts(con), programmes=known,
    )  # fmt: skip


def _digest(path: Path) -> str:
    found = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()
