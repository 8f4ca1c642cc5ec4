"""The residual table: what the simulation and then the model make of the published figures.

Block ``truth`` compares the simulated truth with its targets, block ``estimate`` the model's estimates with
the simulated truth. Rates of the nation use BPS's survey population as base. All sums are over persons.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from dtsen_core.collect.simulate import dwelling, programmes, targets
from dtsen_core.policy import coverage, measures
from dtsen_core.policy.welfare import RankRequest, full_rankings
from dtsen_core.regions import official
from dtsen_core.registry.dataset import Dataset

Floats = NDArray[np.float64]
COLUMNS = ("kind", "level", "code", "measure", "target", "value", "goal")

# One pass over the truth: persons and expenditure in bins of 0.002 log units, and the exact sums below the line.
TRUTH_SQL = """
WITH lined AS (
  SELECT t.regency, t.urban, t.weight, t.weight * t.family_size AS persons, t.expenditure, l.line
  FROM evaluation.main.truth AS t JOIN regency_line AS l USING (regency)
)
SELECT regency, urban, CAST(floor(ln(expenditure) * 500) AS INTEGER) AS bin,
  sum(weight) AS families, sum(persons) AS persons, sum(persons * expenditure) AS held,
  coalesce(sum(persons) FILTER (expenditure < line), 0) AS poor,
  coalesce(sum(persons * (1 - expenditure / line)) FILTER (expenditure < line), 0) AS gap
FROM lined GROUP BY ALL ORDER BY ALL
"""

DWELLING_SQL = """
SELECT k.regency, sum(w.weight * k.jumlah_anggota_keluarga) AS persons,
  sum(w.weight * k.jumlah_anggota_keluarga) FILTER (k.fasilitas_bab IN (1, 2) AND k.jenis_kloset = 1
    AND k.pembuangan_akhir_tinja IN (1, 2)) AS sanitation,
  sum(w.weight * k.jumlah_anggota_keluarga) FILTER (k.sumber_air_minum_utama IN (1, 2, 3, 4, 5, 7, 10)) AS water
FROM keluarga AS k JOIN area_weight AS w USING (regency) GROUP BY k.regency ORDER BY k.regency
"""


def write(dataset: Dataset, con: duckdb.DuckDBPyConnection) -> None:
    """Table ``calibration``: kind, level, code, measure, target, value, difference, goal (allowed difference).

    Fractions for rates, rupiah for means; `goal` is NULL where none is set.
    """
    lines = _regency_lines()
    con.register("regency_line", lines)
    bins = con.execute(TRUTH_SQL).df()
    con.unregister("regency_line")
    rows = _truth_rows(bins, con) + _programme_rows(dataset) + _estimate_rows(dataset, bins)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    for name in ("kind", "level", "code", "measure"):
        frame[name] = frame[name].astype(object)
    con.register("calibration_frame", frame)
    con.execute("""CREATE OR REPLACE TABLE calibration AS
        SELECT kind, level, code, measure, target, value, value - target AS difference, goal
        FROM calibration_frame""")
    con.unregister("calibration_frame")


def _regency_lines() -> pd.DataFrame:
    line = official.provinces().set_index("code")["gk_mar2025"].astype(float)
    parents = official.regencies()["parent_code"]
    return pd.DataFrame({"regency": np.arange(len(parents)), "line": parents.map(line).to_numpy()})


def _parents() -> NDArray[np.int64]:
    codes = {code: n for n, code in enumerate(official.provinces()["code"])}
    return official.regencies()["parent_code"].map(codes).to_numpy(np.int64)


def _survey_factor(bins: pd.DataFrame) -> Floats:
    """By province: BPS's survey population over the persons drawn."""
    persons = np.bincount(_parents()[bins["regency"]], weights=bins["persons"])
    return official.provinces()["survey_population_mar2025"].to_numpy(float) / persons


def _gini(bins: pd.DataFrame, weight: Floats) -> float:
    """Gini of persons from log bins; the mean of each bin stands for its persons (error below 1e-6)."""
    sums = pd.DataFrame({"bin": bins["bin"], "persons": bins["persons"] * weight, "held": bins["held"] * weight})
    grouped = sums.groupby("bin").sum()
    return measures.gini((grouped["held"] / grouped["persons"]).to_numpy(), grouped["persons"].to_numpy())


def _truth_rows(bins: pd.DataFrame, con: duckdb.DuckDBPyConnection) -> list[tuple]:
    provinces, figures = official.provinces(), official.national()
    parent = _parents()
    of = parent[bins["regency"]]
    factor = _survey_factor(bins)[of]
    poor, persons = bins["poor"] * factor, bins["persons"] * factor
    nation = poor.sum() / persons.sum()

    def share(rows: NDArray[np.bool_]) -> float:
        return float(poor[rows].sum() / persons[rows].sum())

    urban = (bins["urban"] == 1).to_numpy()
    rows: list[tuple] = [
        ("truth", "nation", "ID", "p0", figures["p0_mar2025"].value / 100, nation, 0.001),
        ("truth", "nation", "ID", "p0_urban", figures["p0_urban_mar2025"].value / 100, share(urban), 0.005),
        ("truth", "nation", "ID", "p0_rural", figures["p0_rural_mar2025"].value / 100, share(~urban), 0.005),
        ("truth", "nation", "ID", "gini", figures["gini_mar2025"].value, _gini(bins, factor), 0.01),
        ("truth", "nation", "ID", "p1_over_p0", 0.17, float((bins["gap"] * factor).sum() / poor.sum()), 0.03),
        ("truth", "nation", "ID", "persons_per_family",
         figures["registry_persons"].value / figures["registry_families"].value,
         float(bins["persons"].sum() / bins["families"].sum()), 0.05),
    ]  # fmt: skip
    for number, row in provinces.iterrows():
        here = bins[of == number]
        people = here["persons"].sum()
        mean = float(here["held"].sum() / people)
        target = float(row["exp_pc_month_rp_mar2025"])
        rows.append(("truth", "province", row["code"], "p0", row["p0_mar2025"] / 100,
                     float(here["poor"].sum() / people), 0.005))  # fmt: skip
        rows.append(("truth", "province", row["code"], "mean_expenditure", target, mean, 0.02 * target))
        if np.isfinite(row["gini_mar2025"]):
            rows.append(("truth", "province", row["code"], "gini", float(row["gini_mar2025"]),
                         _gini(here, np.ones(len(here))), 0.02))  # fmt: skip
    regency = bins.groupby("regency")[["poor", "persons"]].sum()
    found = (regency["poor"] / regency["persons"]).to_numpy()
    wanted = targets.regency_headcounts()
    rows += [("truth", "regency", code, "p0", float(goal), float(value), None)
             for code, goal, value in zip(wanted["code"], wanted["target"], found, strict=True)]  # fmt: skip
    pattern = stats.spearmanr(found, official.regencies()["p0_2021"]).statistic
    rows.append(("truth", "nation", "ID", "rank_correlation_2021", 1.0, float(pattern), 0.03))
    return rows + _dwelling_rows(con)


def _dwelling_rows(con: duckdb.DuckDBPyConnection) -> list[tuple]:
    found = con.execute(DWELLING_SQL).df()
    rows: list[tuple] = []
    for name, goal in zip(("sanitation", "water"), dwelling.improved_targets(), strict=True):
        value = (found[name] / found["persons"]).to_numpy()
        rows += [("truth", "regency", code, name, float(goal[n]), float(value[k]), None)
                 for k, n in enumerate(found["regency"]) for code in [official.regencies()["code"][n]]]  # fmt: skip
    return rows


def _programme_rows(dataset: Dataset) -> list[tuple]:
    counted = coverage.coverage(dataset, "province").sum(numeric_only=True)
    rule = programmes.rules()
    wanted = {
        "pkh_families": rule["pkh"]["total"], "sembako_families": rule["sembako"]["total"],
        "blt_families": rule["blt_desa"]["total"], "pbi_persons": rule["pbi"]["total"],
        "pbi_persons_d610": rule["pbi"]["high_total"], "uncovered_d15": rule["pbi_pemda"]["uncovered_low"],
        "pip_pupils": rule["pip"]["total"],
    }  # fmt: skip
    return [("truth", "nation", "ID", name, float(total), float(counted[name]), 0.05 * total)
            for name, total in wanted.items()]  # fmt: skip


def _estimate_rows(dataset: Dataset, bins: pd.DataFrame) -> list[tuple]:
    """The model's headcount ratios beside the simulated truth, for the nation, provinces and regencies."""
    parent = _parents()
    truth = bins.groupby("regency")[["poor", "persons"]].sum()
    factor = _survey_factor(bins)[parent]
    poor, persons = truth["poor"].to_numpy() * factor, truth["persons"].to_numpy() * factor
    by_regency, by_province = full_rankings(dataset, [RankRequest(level=level) for level in ("regency", "province")])
    rows: list[tuple] = [("estimate", "nation", "ID", "p0", float(poor.sum() / persons.sum()),
                          float(by_regency.total["p0"].iloc[0]), 0.003)]  # fmt: skip
    province = np.bincount(parent, weights=poor) / np.bincount(parent, weights=persons)
    for codes, values, level, goal, frame in (
        (official.provinces()["code"], province, "province", 0.01, by_province.areas),
        (official.regencies()["code"], poor / persons, "regency", None, by_regency.areas),
    ):
        estimate = frame.set_index("code")["p0"]
        rows += [("estimate", level, code, "p0", float(value), float(estimate[code]), goal)
                 for code, value in zip(codes, values, strict=True) if code in estimate]  # fmt: skip
    return rows
