"""What this very build did, for the method page: files read, records matched, goals met, errors made.

Read-only. Only `truth` opens the evaluation file (true expenditure of simulated families), and only
for a simulated dataset; every function returns an empty frame where a dataset lacks the table.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from dtsen_core.paths import RULES
from dtsen_core.policy.quality.measures import LINKED
from dtsen_core.policy.quality.tables import has_columns
from dtsen_core.policy.welfare import RankRequest, full_ranking
from dtsen_core.regions import official, units
from dtsen_core.registry.dataset import Dataset

FILE_COUNTS = ("read", "header", "blank", "accepted", "quarantined")

FILES_SQL = """
SELECT source, path, read, header, blank, accepted, quarantined, encoding, delimiter, code_system
FROM ingest_file
ORDER BY source, path
"""

REASONS_SQL = """
WITH counted AS (
    SELECT source, reason, count(*) AS records, sum(len(lines)) AS lines
    FROM quarantine
    GROUP BY source, reason
)
SELECT source, reason, records::BIGINT AS records, lines::BIGINT AS lines
FROM counted
ORDER BY source, lines DESC, reason
"""

MATCHES_SQL = """
SELECT source, any_value(unit) AS unit, sum(records)::BIGINT AS records, {matched}::BIGINT AS matched,
       (sum(records) - {matched})::BIGINT AS unmatched
FROM match_summary
GROUP BY source
ORDER BY source
"""

TRUTH_SQL = """
WITH lines AS (
    SELECT unnest($regency) AS regency, unnest($province) AS province, unnest($line) AS line,
           unnest($survey_factor) AS survey_factor
),
people AS (
    SELECT t.regency, l.province, t.weight AS families, t.weight * t.family_size AS persons,
           t.weight * t.family_size * l.survey_factor AS survey_persons,
           t.expenditure < l.line AS below
    FROM evaluation.truth t JOIN lines l USING (regency)
)
SELECT province::INTEGER AS province, regency::INTEGER AS regency, count(*) AS n,
       sum(families) AS families, sum(persons) AS persons,
       sum(survey_persons) AS survey_persons,
       sum(persons) FILTER (below) AS poor,
       sum(survey_persons) FILTER (below) AS survey_poor
FROM people
GROUP BY province, regency
ORDER BY regency
"""


@dataclass(frozen=True)
class Accuracy:
    """How near estimates come to the truth over the areas of one level (headcount ratios as fractions).

    Every area counts once. `slope` is that of the estimate regressed on the truth (1 = no shrinkage);
    `mean_error` the mean absolute error; `max_error` the largest, at `worst_code`.
    """

    level: str
    areas: int
    slope: float
    correlation: float
    mean_error: float
    max_error: float
    worst_code: str


@dataclass(frozen=True)
class Goal:
    """What `Accuracy` of one level must reach (fractions); None where no goal is set."""

    slope: float | None = None
    mean_error: float | None = None
    max_error: float | None = None

    def met(self, found: Accuracy) -> bool:
        """True if every goal that is set is reached; a figure that cannot be computed reaches none."""
        return not (
            (self.slope is not None and not found.slope >= self.slope)
            or (self.mean_error is not None and not found.mean_error <= self.mean_error)
            or (self.max_error is not None and not found.max_error <= self.max_error)
        )


@lru_cache(maxsize=1)
def goals() -> dict[str, Goal]:
    """Goals by level from ``data/rules/method_goals.toml``."""
    raw = tomllib.loads((RULES / "method_goals.toml").read_text(encoding="utf-8"))
    return {level: Goal(**entry) for level, entry in raw.items() if isinstance(entry, dict)}


def _table(dataset: Dataset, table: str, sql: str) -> pd.DataFrame:
    """Result of `sql`, or an empty frame when `table` is not in this dataset."""
    return dataset.cursor().execute(sql).df() if dataset.has_table(table) else pd.DataFrame()


def ingest_files(dataset: Dataset) -> pd.DataFrame:
    """One row per source file: physical lines read, header, blank, accepted, quarantined."""
    return _table(dataset, "ingest_file", FILES_SQL)


def quarantine_reasons(dataset: Dataset) -> pd.DataFrame:
    """source, main reason (code), records, lines (physical): every record once."""
    return _table(dataset, "quarantine", REASONS_SQL)


def match_summary(dataset: Dataset) -> pd.DataFrame:
    """source, unit (person or family), records, matched and unmatched with the civil register; for
    ``dukcapil``, where the dataset has it, the families of the civil register itself, unmatched = those no register
    knows. Datasets made before the matching went in passes say matched outright."""
    if has_columns(dataset, "match_summary", "pass"):
        listed = ", ".join(f"'{name}'" for name in LINKED)
        matched = f"coalesce(sum(records) FILTER (pass IN ({listed})), 0)"
    else:
        matched = "sum(matched)"
    return _table(dataset, "match_summary", MATCHES_SQL.format(matched=matched))


def calibration(dataset: Dataset) -> pd.DataFrame:
    """The residual table: level, code, measure, target, value, difference, goal, kind."""
    return _table(dataset, "calibration", "SELECT * FROM calibration")


def model_fit(dataset: Dataset) -> pd.DataFrame:
    """One row per model and province (255 = all), with held-out errors."""
    return _table(dataset, "model_fit", "SELECT * FROM model_fit ORDER BY model, province")


def truth(dataset: Dataset) -> pd.DataFrame:
    """Simulated truth by regency: code, name, province, n, families, persons, survey_persons, poor, survey_poor, p0.

    Persons are weighted; the survey columns use BPS's survey population as base. Poverty line: the
    province's of March 2025 (Rp per person per month).

    Raises
    ------
    UserError
        when the dataset is real (there is no known truth) or the evaluation file is missing.
    """
    lines = _lines_by_regency(dataset)
    values = {name: lines[name].tolist() for name in lines.columns}
    frame = dataset.evaluation_cursor().execute(TRUTH_SQL, values).df()
    frame = frame.fillna({"poor": 0.0, "survey_poor": 0.0})
    regencies = units.table("regency")
    frame["code"] = regencies["code"].to_numpy()[frame["regency"]]
    frame["name"] = regencies["name"].to_numpy()[frame["regency"]]
    frame["p0"] = frame["poor"] / frame["persons"]
    return frame


def _lines_by_regency(dataset: Dataset) -> pd.DataFrame:
    """regency (index of the unit table), province, line (Rp/person/month), survey_factor."""
    regencies = units.table("regency")
    provinces = units.table("province")
    lines = official.provinces().set_index("code")["gk_mar2025"].reindex(provinces["code"]).to_numpy(float)
    position = pd.Series(np.arange(len(provinces)), index=provinces["code"])
    province = position.loc[regencies["parent_code"]].to_numpy()
    weights = dataset.cursor().execute("SELECT regency, survey_factor FROM area_weight").df()
    factor = weights.set_index("regency")["survey_factor"].reindex(range(len(regencies))).fillna(1.0)
    return pd.DataFrame(
        {
            "regency": np.arange(len(regencies)),
            "province": province,
            "line": lines[province],
            "survey_factor": factor.to_numpy(float),
        }
    )


def estimates_against_truth(dataset: Dataset, model: str) -> dict[str, pd.DataFrame]:
    """Headcount ratio, estimate beside simulated truth, at three levels.

    Returns {"national" | "province" | "regency": DataFrame[code, name, n, families, persons, truth,
    estimate, low, high]} with ratios as fractions. Provinces and the nation use BPS's survey population.
    """
    facts = truth(dataset)
    provinces = units.table("province")
    frames: dict[str, pd.DataFrame] = {}
    regency = facts[["code", "name", "n", "families", "persons"]].assign(truth=facts["p0"])
    frames["regency"] = _join_estimate(regency, _areas(dataset, model, "regency"))
    sums = facts.groupby("province")[["n", "families", "survey_persons", "survey_poor"]].sum()
    province = pd.DataFrame(
        {
            "code": provinces["code"].to_numpy()[sums.index],
            "name": provinces["name"].to_numpy()[sums.index],
            "n": sums["n"].to_numpy(),
            "families": sums["families"].to_numpy(),
            "persons": sums["survey_persons"].to_numpy(),
            "truth": (sums["survey_poor"] / sums["survey_persons"]).to_numpy(),
        }
    )
    result = full_ranking(dataset, _request(model, "province"))
    frames["province"] = _join_estimate(province, result.areas)
    total = facts[["n", "families", "survey_persons", "survey_poor"]].sum()
    nation = pd.DataFrame(
        {
            "code": ["ID"],
            "name": ["Indonesia"],
            "n": [total["n"]],
            "families": [total["families"]],
            "persons": [total["survey_persons"]],
            "truth": [total["survey_poor"] / total["survey_persons"]],
        }
    )
    frames["national"] = _join_estimate(nation, result.total.assign(code="ID"))
    return frames


def _request(model: str, level: str) -> RankRequest:
    return RankRequest(
        model=model, scope="national", unit="families", region=None, level=level, plain=False, benchmark=False
    )


def _areas(dataset: Dataset, model: str, level: str) -> pd.DataFrame:
    return full_ranking(dataset, _request(model, level)).areas


def _join_estimate(facts: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    estimate = areas[["code", "p0", "p0_low", "p0_high"]].rename(
        columns={"p0": "estimate", "p0_low": "low", "p0_high": "high"}
    )
    return facts.merge(estimate, on="code", how="left")


def accuracy(frame: pd.DataFrame, level: str) -> Accuracy:
    """Summary of one frame of `estimates_against_truth`; slope and correlation need two areas (else NaN)."""
    known = frame.dropna(subset=["truth", "estimate"])
    truth_, estimate = known["truth"].to_numpy(float), known["estimate"].to_numpy(float)
    error = np.abs(estimate - truth_)
    slope = correlation = float("nan")
    if len(known) > 1 and truth_.std() > 0 and estimate.std() > 0:
        slope = float(np.cov(truth_, estimate)[0, 1] / truth_.var(ddof=1))
        correlation = float(np.corrcoef(truth_, estimate)[0, 1])
    worst = str(known["code"].iloc[int(error.argmax())]) if len(known) else ""
    return Accuracy(
        level=level,
        areas=len(known),
        slope=slope,
        correlation=correlation,
        mean_error=float(error.mean()) if len(known) else float("nan"),
        max_error=float(error.max()) if len(known) else float("nan"),
        worst_code=worst,
    )
