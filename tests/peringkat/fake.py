"""A tiny dataset and stand-ins for the ranking engine, so that page tests run in seconds.

The numbers are invented but obey the contract: counts add up, deciles are disjoint, some cells are small
enough to be suppressed, and one area has no families at all.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from dtsen_core.policy.reranking import Impact
from dtsen_core.policy.welfare import DECILES, OFFICIAL, RankRequest, RankResult
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.manifest import Manifest

REGENCIES = 514


def make_dataset(folder: Path, origin: str) -> Path:
    """A dataset folder with the tables of the method page; no families in it."""
    folder.mkdir(parents=True, exist_ok=True)
    simulated = origin == "simulated"
    Manifest(
        origin=origin,
        version=f"uji-{origin}",
        as_of="2025-03-31",
        created="2026-01-02T03:04:05",
        families=400_000,
        persons=1_200_000,
        registry_families=95_006_179.0,
        registry_persons=289_060_513.0,
        seed=1 if simulated else None,
        survey_households=345_000 if simulated else 0,
        has_sources=simulated,
        has_members=True,
        urban_known=simulated,
        programmes=["pkh", "sembako", "blt_desa", "pbi", "pbi_pemda", "pip"],
        stages={"survey": 3.0, "rank": 2.0},
    ).write(folder)
    con = duckdb.connect(str(folder / "dtsen.duckdb"))
    con.execute("CREATE TABLE dataset_stamp AS SELECT ? AS version", [f"uji-{origin}"])
    con.execute(
        "CREATE TABLE area_weight AS SELECT range::USMALLINT AS regency, 3.0 AS weight, 0.98 AS survey_factor"
        f" FROM range({REGENCIES})"
    )
    con.execute(
        """CREATE TABLE ingest_file AS SELECT * FROM (VALUES
        ('sources/dtks.csv', 'dtks', 1000, 1, 2, 980, 17, 'latin-1', '|', 'kemendagri'),
        ('sources/dukcapil.csv', 'dukcapil', 2001, 1, 0, 2000, 0, 'utf-8', ',', 'kemendagri'))
        AS t(path, source, read, header, blank, accepted, quarantined, encoding, delimiter, code_system)"""
    )
    con.execute(
        """CREATE TABLE quarantine AS SELECT * FROM (VALUES
        ('sources/dtks.csv', 'dtks', 5, [5, 6], 'kolom_kurang', '3/52'),
        ('sources/dtks.csv', 'dtks', 9, range(9, 24)::INTEGER[], 'karakter_rusak', ''))
        AS t(path, source, line_from, lines, reason, detail)"""
    )
    con.execute(
        """CREATE TABLE match_summary AS SELECT * FROM (VALUES
        ('dtks', 'person', 0, 500, 480, 20), ('dtks', 'person', 1, 480, 470, 10),
        ('p3ke', 'family', 0, 300, 290, 10), ('dukcapil', 'family', 0, 900, 850, 50))
        AS t(source, unit, province, records, matched, unmatched)"""
    )
    if simulated:
        _simulated_tables(con, folder)
    con.close()
    return folder


def _simulated_tables(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    con.execute(
        """CREATE TABLE calibration AS SELECT * FROM (VALUES
        ('nation', 'ID', 'p0', 0.0847, 0.0848, 0.0001, 0.001, 'truth'),
        ('province', '11', 'p0', 0.1233, 0.1290, 0.0057, 0.005, 'truth'),
        ('province', '11', 'mean_expenditure', 1299756.0, 1299000.0, -756.0, NULL, 'truth'),
        ('nation', 'ID', 'p0', 0.0847, 0.0851, 0.0004, 0.003, 'estimate'))
        AS t(level, code, measure, target, value, difference, goal, kind)"""
    )
    con.execute(
        """CREATE TABLE model_fit AS
        SELECT m.model, p.range::UTINYINT AS province, 9000 AS households, 900 AS psus, 140 AS parameters,
               0.5 + p.range / 400 AS r2, 0.48 + p.range / 400 AS r2_heldout,
               0.21 AS inclusion_error_40, 0.22 AS exclusion_error_40
        FROM range(38) p, (VALUES ('pmt_provinsi')) m(model)
        UNION ALL SELECT 'pmt_nasional', 255, 345000, 34500, 180, 0.5, 0.49, 0.25, 0.25"""
    )
    con.execute(
        """CREATE TABLE model AS SELECT name, 'pmt' AS kind, 'simulated' AS origin
        FROM (VALUES ('pmt_provinsi'), ('pmt_nasional')) m(name)"""
    )
    truth = duckdb.connect(str(folder / "evaluation.duckdb"))
    truth.execute(
        """CREATE TABLE truth AS
        SELECT range AS id_keluarga, (range % 514)::USMALLINT AS regency, 1::UTINYINT AS urban,
               (1 + range % 5)::UTINYINT AS family_size, 3.0 AS weight,
               300000.0 + (hash(range) % 2000000) AS expenditure
        FROM range(30000)"""
    )
    truth.close()


def areas_of(request: RankRequest) -> pd.DataFrame:
    """code, name of the listed areas."""
    frame = units.table(request.level)[["code", "name"]]
    if request.region:
        frame = frame[frame["code"].str.startswith(request.region)]
    return frame.reset_index(drop=True)


def full_ranking(dataset: Dataset, request: RankRequest) -> RankResult:
    """Stand-in for the engine: the contract's columns with invented numbers."""
    frame = _numbers(areas_of(request), request)
    total = _numbers(pd.DataFrame({"code": ["ID"], "name": ["Indonesia"]}), request)
    thresholds = pd.DataFrame({"code": ["ID"], "name": ["Indonesia"]})
    for k in range(1, 10):
        thresholds[f"t{k}"] = pd.array([13_500 + 150 * k], dtype="Int64")
    if request.model == OFFICIAL:
        thresholds = thresholds.iloc[:0]
    return RankResult(
        request=request,
        dataset_version=dataset.version,
        families=95_006_179.0,
        seconds=0.123,
        thresholds=thresholds,
        areas=frame,
        total=total,
        n=400_000,
    )


def _numbers(frame: pd.DataFrame, request: RankRequest) -> pd.DataFrame:
    rng = np.random.default_rng(len(frame))
    size = len(frame)
    families = rng.integers(200, 9_000, size).astype(float)
    counts = np.stack([rng.multinomial(int(f), rng.dirichlet(np.full(10, 4.0))) for f in families]).astype(float)
    if size > 3:
        counts[1] = [3, 0, 900, 1, 50, 60, 70, 80, 90, 100]  # small cells to suppress
        counts[2] = 0.0  # an area without families
    families = counts.sum(axis=1)
    frame = frame.assign(
        n=np.minimum(families, 50 + families // 3).astype(int), families=families, persons=families * 3.0
    )
    factor = 3.0 if request.unit == "persons" else 1.0
    frame[list(DECILES)] = counts * factor
    known = (families > 0) & (request.model != OFFICIAL)
    p0 = np.where(known, rng.uniform(0.02, 0.3, size), np.nan)
    frame["mean_score"] = np.where(known, 14.1, np.nan)
    frame["p0"], frame["p1"], frame["p2"] = p0, p0 * 0.17, p0 * 0.05
    frame["p0_low"], frame["p0_high"] = p0 - 0.01, p0 + 0.02
    frame["p0_unbenchmarked"] = p0 + (0.004 if request.benchmark else 0.0)
    frame["gini"] = np.where(known, 0.33, np.nan)
    frame["mean_expenditure"] = np.where(known, 1_500_000.0, np.nan)
    frame["poor_persons"] = np.where(known, p0 * families * 3, np.nan)
    frame["share_poor"], frame["share_vulnerable"] = p0, p0 + 0.1
    frame["share_prosperous"] = 0.9 - 2 * p0
    return frame


def transition(dataset: Dataset, a: RankRequest, b: RankRequest, region: str | None) -> pd.DataFrame:
    """Stand-in: most families stay, some move one decile, a few far (to be suppressed)."""
    distance = np.abs(np.subtract.outer(np.arange(10), np.arange(10)))
    matrix = np.round(9_000.0 * 0.4**distance)
    matrix[0, 9] = 2.0
    return pd.DataFrame(matrix, index=range(1, 11), columns=range(1, 11))


def impact(dataset: Dataset, request: RankRequest, cut: int) -> Impact:
    """Stand-in: a tenth of the families of every listed area come in, a twentieth go out."""
    frame = areas_of(request)
    families = 1_000.0 + 10 * np.arange(len(frame))
    frame = frame.assign(n=200, families=families, staying=families * 0.85, entering=families / 10,
                         leaving=families / 20)  # fmt: skip
    counts = frame[["n", "families", "staying", "entering", "leaving"]].sum().to_dict()
    total = pd.DataFrame([{"code": "ID", "name": "Indonesia", **counts}])
    programmes = pd.DataFrame([
        {"key": key, "unit": "families", "decile_from": 1, "decile_to": 4, "families": 1e6, "staying": 8e5,
         "entering": 1e5, "leaving": 5e4, "persons_entering": 3e5, "persons_leaving": 1e5, "amount": 2e6, "cost": 1e11}
        for key in ("pkh", "sembako", "pbi")
    ])  # fmt: skip
    return Impact(request, cut, 0.1, frame, total, transition(dataset, request, request, None), programmes)
