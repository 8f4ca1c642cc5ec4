"""Enrolment and payments of the demonstration: eight quarters, official totals, a jump at each legal cut-off.

Every family keeps one random number per programme, so that lists change slowly: a family is enrolled when its
number lies below the rate of its decile, kind and regency. Rates are scaled to the official totals on grouped
counts; families are never visited one by one.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from functools import lru_cache

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dtsen_core.paths import RULES
from dtsen_core.registry.indicators import FUNCTIONS

Floats = NDArray[np.float64]
PROGRAMMES = ("pkh", "sembako", "blt_desa", "pbi", "pbi_pemda", "pip")


@lru_cache(maxsize=1)
def rules() -> dict:
    return tomllib.loads((RULES / "simulation" / "programmes.toml").read_text(encoding="utf-8"))


def simulate(con: duckdb.DuckDBPyConnection, seed: int, as_of: dt.date) -> None:
    """Tables ``programme_flag`` (latest quarter, one row per enrolled family), ``enrolment`` and the true
    ``effects``.

    Needs ``family_packed`` with official deciles, ``area_weight``, ``anggota`` and ``family_position`` (id_keluarga,
    position 0 … 1 inside the national decile).
    """
    con.execute("CREATE OR REPLACE TEMP TABLE candidate AS " + _candidate_sql(seed, as_of))
    _write_rates(con, seed)
    con.execute("CREATE OR REPLACE TABLE programme_flag AS " + _flag_sql())
    con.execute("CREATE OR REPLACE TABLE enrolment AS " + _enrolment_sql(seed))
    con.execute("CREATE OR REPLACE TABLE effects AS " + _effects_sql(seed))
    con.execute("DROP TABLE candidate; DROP TABLE rate; DROP TABLE family_position")


NEEDED = ("anak_tidak_sekolah", "umur_kepala", "disabilitas_atau_kronis", "rasio_ketergantungan")
"""Indicators from which a large build, which keeps no persons, takes PKH components and pupils."""


def write_rates_by_group(con: duckdb.DuckDBPyConnection, seed: int, families: str) -> None:
    """Temp table ``rate_by_group``: the rates of all programmes by regency, decile, component and rural, one row
    per group. `families` is a query with id_keluarga, regency, urban, desil_nasional, family_size and `NEEDED`.
    """
    con.execute(f"CREATE OR REPLACE TEMP VIEW candidate AS {_plain_candidate_sql(seed, families)}")
    _write_rates(con, seed)
    rates = ", ".join(f"max(rate) FILTER (programme = '{name}') AS r_{name}" for name in PROGRAMMES)
    con.execute(f"""CREATE OR REPLACE TEMP TABLE rate_by_group AS
        SELECT regency, decile, component, rural, {rates} FROM rate GROUP BY regency, decile, component, rural""")
    con.execute("DROP VIEW candidate; DROP TABLE rate")


def flagged_sql(seed: int, families: str) -> str:
    """Query with all columns of `families` (see `write_rates_by_group`, which it needs) and the enrolment of the
    latest quarter: pkh, sembako, blt_desa, pbi_persons, pbi_pemda_persons, pip_pupils, as `simulate` gives them."""
    columns = {"pkh": "pkh", "sembako": "sembako", "blt_desa": "blt_desa", "pbi": "pbi_persons",
               "pbi_pemda": "pbi_pemda_persons", "pip": "pip_pupils"}  # fmt: skip
    flags = []
    for name, column in columns.items():
        also = " AND NOT c.u_pbi < r.r_pbi" if name == "pbi_pemda" else ""
        counted = _persons(name) if column not in ("pkh", "sembako", "blt_desa") else f"({_persons(name)} > 0)::INTEGER"
        flags.append(f"CASE WHEN c.u_{name} < r.r_{name}{also} THEN {counted} ELSE 0 END::UTINYINT AS {column}")
    return f"""SELECT c.*, {", ".join(flags)}
FROM ({_plain_candidate_sql(seed, families)}) AS c LEFT JOIN rate_by_group AS r ON r.regency = c.regency
  AND r.decile = c.decile AND r.component = c.component AND r.rural = (c.urban = 2)"""


def _chances(seed: int) -> str:
    return ", ".join(
        f"(hash(f.id_keluarga, {seed}, {21 + n}) % 1000003) / 1000003.0 AS u_{name}"
        for n, name in enumerate(PROGRAMMES)
    )


def _plain_candidate_sql(seed: int, families: str) -> str:
    """As `_candidate_sql`, from indicators instead of persons; keeps every column of `families`."""
    return f"""SELECT f.*, greatest(f.desil_nasional, 1) AS decile, f.family_size AS persons, w.weight,
    {_chances(seed)},
    f.anak_tidak_sekolah <> 4 OR f.umur_kepala = 6 OR f.disabilitas_atau_kronis = 1
      OR f.rasio_ketergantungan BETWEEN 2 AND 5 AS component,
    CASE WHEN f.anak_tidak_sekolah IN (1, 2, 3) THEN 1 + CAST(f.family_size >= 5 AS INTEGER) ELSE 0 END AS pupils
  FROM ({families}) AS f JOIN area_weight AS w USING (regency)"""


def _candidate_sql(seed: int, as_of: dt.date) -> str:
    """One row per family: decile, persons, pupils, whether it has a PKH component, its random numbers."""
    common = f"""f.id_keluarga, f.regency, f.urban, greatest(f.desil_nasional, 1) AS decile,
    f.family_size AS persons, w.weight, {_chances(seed)}"""
    pay = rules()["pkh_component"]
    severe = " OR ".join(f"{name} <= 2" for name in FUNCTIONS)
    return f"""WITH person AS (
  SELECT id_keluarga, date_sub('year', tanggal_lahir, DATE '{as_of:%Y-%m-%d}') AS age,
    partisipasi_sekolah = 2 AS attends, jenjang_tertinggi_yang_diduduki AS level, ({severe}) AS severe
  FROM anggota
), sums AS (
  SELECT id_keluarga, count(*) FILTER (age < 7) AS small,
    count(*) FILTER (attends AND level <= 5) AS primary_level,
    count(*) FILTER (attends AND level BETWEEN 6 AND 10) AS junior_level,
    count(*) FILTER (attends AND level BETWEEN 11 AND 17) AS senior_level,
    count(*) FILTER (severe) AS disabled, count(*) FILTER (age >= 70) AS elderly
  FROM person GROUP BY id_keluarga
)
SELECT {common}, q.position,
    coalesce(s.small + s.primary_level + s.junior_level + s.senior_level + s.disabled + s.elderly, 0) > 0 AS component,
    coalesce(s.primary_level + s.junior_level + s.senior_level, 0) AS pupils,
    (least(s.small, 2) * {pay["early_childhood"]} + s.primary_level * {pay["primary"]}
     + s.junior_level * {pay["junior"]} + s.senior_level * {pay["senior"]} + s.disabled * {pay["disability"]}
     + s.elderly * {pay["elderly"]}) / 4.0 AS pkh_amount
  FROM family_packed AS f JOIN area_weight AS w USING (regency) JOIN family_position AS q USING (id_keluarga)
    LEFT JOIN sums AS s USING (id_keluarga)"""


def _write_rates(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Temp table ``rate`` (programme, regency, decile, component, rural, rate, legacy, and by how much of itself
    each changes across the decile: rate_tilt, legacy_tilt)."""
    groups = con.execute("""SELECT regency, decile, component, urban = 2 AS rural, sum(weight) AS families,
        sum(weight * persons) AS persons, sum(weight * pupils) AS pupils
        FROM candidate GROUP BY ALL ORDER BY ALL""").df()
    rng = np.random.default_rng([seed, 6])
    local = 1 + rules()["regional_spread"] * (2 * rng.random(514) - 1)
    decile = groups["decile"].to_numpy(int)
    found: dict[str, Floats] = {}
    parts = []
    for name in PROGRAMMES:
        rule = rules()[name]
        allowed = np.ones(len(groups))
        if rule.get("component"):
            allowed *= groups["component"].to_numpy(bool)
        if rule.get("rural"):
            allowed *= groups["rural"].to_numpy(bool)
        shape = allowed * local[groups["regency"]]
        size = groups[rule["unit"]].to_numpy(float)
        rate = _scaled(name, rule["rates"], shape, size, decile, found)
        legacy = rate if "legacy" not in rule else _scaled(name, rule["legacy"], shape, size, decile, found, cut=False)
        found[name] = rate
        tilt = _tilt(rule["rates"], rule.get("cut"))[decile - 1]
        legacy_tilt = _tilt(rule["legacy"], None)[decile - 1] if "legacy" in rule else tilt
        parts.append(groups[["regency", "decile", "component", "rural"]].assign(
            programme=name, rate=rate, legacy=legacy, rate_tilt=tilt, legacy_tilt=legacy_tilt))  # fmt: skip
    table = pd.concat(parts)
    table["programme"] = table["programme"].astype(object)
    con.register("rate_frame", table)
    con.execute("CREATE OR REPLACE TEMP TABLE rate AS SELECT * FROM rate_frame")
    con.unregister("rate_frame")


def _tilt(by_decile: list[float], cut: int | None) -> Floats:
    """Change of the rate across each decile as a share of the rate: towards both neighbours, never over a cut."""
    rates = np.array(by_decile)
    steps = np.diff(rates)
    left, right = np.append(steps[0], steps), np.append(steps, steps[-1])
    if cut is not None and cut < len(rates):
        right[cut - 1], left[cut] = left[cut - 1], right[cut]
    return (left + right) / 2 / rates


def _scaled(
    name: str, by_decile: list[float], shape: Floats, size: Floats, decile: NDArray[np.int64],
    found: dict[str, Floats], *, cut: bool = True,
) -> Floats:  # fmt: skip
    """Rates of the groups scaled to the official totals, on both sides of the cut where it is counted."""
    rule = rules()[name]
    raw = np.array(by_decile)[decile - 1] * shape
    low = decile <= rule.get("cut", 10)
    if name == "pbi_pemda":
        left = size * (1 - found["pbi"])
        reach = _scale(raw, left * low, max(float((left * low).sum()) - rule["uncovered_low"], 0.0))
        return np.where(low, reach, np.minimum(raw, rules()["ceiling"]))
    if "high_total" in rule and cut:
        reach = _scale(raw, size * low, rule["total"] - rule["high_total"])
        beyond = _scale(raw, size * ~low, rule["high_total"])
        return np.where(low, reach, beyond)
    return _scale(raw, size, rule["total"])


def _scale(raw: Floats, size: Floats, total: float) -> Floats:
    """`raw` times a common factor, capped, so that the enrolled sum to `total` (or all that can be)."""
    ceiling = rules()["ceiling"]
    low, high = 0.0, 1e3
    for _ in range(100):
        factor = (low + high) / 2
        if (size * np.minimum(raw * factor, ceiling)).sum() < total:
            low = factor
        else:
            high = factor
    return np.minimum(raw * high, ceiling)


def _joined(name: str, columns: str, rate: str) -> str:
    """Families enrolled in one programme. PBI pemda takes only those whom PBI leaves out."""
    also = """ JOIN rate AS b ON b.programme = 'pbi' AND b.regency = c.regency AND b.decile = c.decile
      AND b.component = c.component AND b.rural = (c.urban = 2)""" if name == "pbi_pemda" else ""  # fmt: skip
    only = f" AND NOT c.u_pbi < {_here('b', rate)}" if name == "pbi_pemda" else ""
    return f"""SELECT {columns} FROM candidate AS c JOIN rate AS r ON r.programme = '{name}'
      AND r.regency = c.regency AND r.decile = c.decile AND r.component = c.component AND r.rural = (c.urban = 2){also}
    WHERE c.u_{name} < {_here("r", rate)}{only}"""


def _here(table: str, rate: str) -> str:
    """The rate at the family's own place inside its decile."""
    return f"{table}.{rate} * (1 + {table}.{rate}_tilt * (c.position - 0.5))"


def _persons(name: str) -> str:
    unit = rules()[name]["unit"]
    return {"families": "1", "persons": "c.persons", "pupils": "c.pupils"}[unit]


def _flag_sql() -> str:
    parts = "\n  UNION ALL ".join(
        _joined(name, f"c.id_keluarga, '{name}' AS programme, {_persons(name)} AS persons", "rate")
        for name in PROGRAMMES
    )
    return f"""WITH enrolled AS (
  {parts}
)
SELECT id_keluarga,
  CAST(count(*) FILTER (programme = 'pkh') AS UTINYINT) AS pkh,
  CAST(count(*) FILTER (programme = 'sembako') AS UTINYINT) AS sembako,
  CAST(count(*) FILTER (programme = 'blt_desa') AS UTINYINT) AS blt_desa,
  CAST(coalesce(sum(persons) FILTER (programme = 'pbi'), 0) AS UTINYINT) AS pbi_persons,
  CAST(coalesce(sum(persons) FILTER (programme = 'pbi_pemda'), 0) AS UTINYINT) AS pbi_pemda_persons,
  CAST(coalesce(sum(persons) FILTER (programme = 'pip'), 0) AS UTINYINT) AS pip_pupils
FROM enrolled WHERE persons > 0 GROUP BY id_keluarga"""


def _amount(name: str) -> str:
    amount = rules()[name].get("amount")
    if amount is None:
        return "CAST(NULL AS DOUBLE)"
    return "c.pkh_amount" if amount == "components" else f"{float(amount)} * {_persons(name)}"


def _enrolment_sql(seed: int) -> str:
    """All quarters: the legacy list before the regency adopts the deciles, the new rule after."""
    quarters = ", ".join(f"('{q}')" for q in rules()["quarters"])
    adoption = rules()["adoption"]
    chosen = " ".join(f"WHEN {n} THEN '{q}'" for n, q in enumerate(adoption))
    starts = f"CASE CAST(hash(c.regency, {seed}, 31) % {len(adoption)} AS INTEGER) {chosen} END"
    parts = []
    for name in PROGRAMMES:
        columns = (f"c.id_keluarga, '{name}' AS program, {_persons(name)} AS persons, {_amount(name)} AS amount, "
                   f"{starts} AS starts")  # fmt: skip
        parts.append(f"SELECT *, true AS after FROM ({_joined(name, columns, 'rate')})")
        parts.append(f"SELECT *, false AS after FROM ({_joined(name, columns, 'legacy')})")
    union = "\n  UNION ALL ".join(parts)
    return f"""WITH quarters(quarter) AS (VALUES {quarters}
), listed AS (
  {union}
)
SELECT id_keluarga, program, quarter, CAST(persons AS UTINYINT) AS persons, amount
FROM listed JOIN quarters ON (quarter >= starts) = after
WHERE persons > 0
ORDER BY quarter, program, id_keluarga"""


def _effects_sql(seed: int) -> str:
    """True effects per enrolled family of the latest quarter, for evaluation only."""
    cases_log = " ".join(f"WHEN '{n}' THEN {rules()[n].get('effect_log_expenditure', 0.0)}" for n in PROGRAMMES)
    cases_school = " ".join(f"WHEN '{n}' THEN {rules()[n].get('effect_school', 0.0)}" for n in PROGRAMMES)
    spread = spread_sql(seed, "id_keluarga", "program")
    return f"""SELECT id_keluarga, program, {spread} * CASE program {cases_log} END AS effect_log_expenditure,
  {spread} * CASE program {cases_school} END AS effect_school
FROM enrolment WHERE quarter = '{rules()["quarters"][-1]}'
ORDER BY id_keluarga, program"""


def spread_sql(seed: int, family: str, program: str) -> str:
    """A family's own effect of a programme as a multiple of the mean effect: 0.5 to 1.5, mean 1."""
    return f"(0.5 + (hash({family}, {program}, {seed}) % 1001) / 1000.0)"


def mark_members(con: duckdb.DuckDBPyConnection) -> None:
    """Write the PBI membership of the latest quarter into ``keluarga`` and ``anggota`` (1 yes, 2 no)."""
    for table in ("keluarga", "anggota"):
        con.execute(f"""UPDATE {table} SET
            pbi_nas = CASE WHEN f.pbi_persons > 0 THEN 1 ELSE 2 END,
            pbi_pemda = CASE WHEN f.pbi_pemda_persons > 0 THEN 1 ELSE 2 END
          FROM (SELECT k.id_keluarga, coalesce(g.pbi_persons, 0) AS pbi_persons,
                  coalesce(g.pbi_pemda_persons, 0) AS pbi_pemda_persons
                FROM family_packed AS k LEFT JOIN programme_flag AS g USING (id_keluarga)) AS f
          WHERE f.id_keluarga = {table}.id_keluarga""")
