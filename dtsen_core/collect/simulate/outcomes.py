"""The follow-up survey of the demonstration: outcomes of sampled families over the quarters.

Outcome = the family's own level + a course common to all + the true effects of what it receives in the quarter +
noise (``data/rules/simulation/outcomes.toml``, all assumptions). Effects are those of table ``effects``: per
family and programme, constant over time. Noise comes from hashes, so the table does not depend on threads.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache

import duckdb

from dtsen_core.collect.simulate import programmes
from dtsen_core.paths import RULES

STREAM = 71  # of the hashes


@lru_cache(maxsize=1)
def rules() -> dict:
    return tomllib.loads((RULES / "simulation" / "outcomes.toml").read_text(encoding="utf-8"))


def simulate(con: duckdb.DuckDBPyConnection, seed: int, truth: str) -> None:
    """Table ``outcome_panel`` (id_keluarga, quarter, ln_expenditure, school) and ``true_effect``.

    ln_expenditure: natural log of Rp per person and month. school: per cent of school days attended by the
    family's pupils, NULL without pupils. ``true_effect``: by program and outcome the declared mean effect of
    receiving it. Needs ``enrolment``, ``anggota``, ``keluarga``; `truth` is a query of (id_keluarga, expenditure).
    """
    con.execute(f"CREATE OR REPLACE TABLE outcome_panel AS {_panel_sql(seed, truth)}")
    rows = [
        f"('{name}', 'ln_expenditure', {rule.get('effect_log_expenditure', 0.0)}::DOUBLE), "
        f"('{name}', 'school', {100 * rule.get('effect_school', 0.0)}::DOUBLE)"
        for name, rule in ((name, programmes.rules()[name]) for name in programmes.PROGRAMMES)
    ]
    con.execute(f"""CREATE OR REPLACE TABLE true_effect AS
        SELECT * FROM (VALUES {", ".join(rows)}) AS t(program, outcome, effect)""")


def _panel_sql(seed: int, truth: str) -> str:
    rule, school = rules(), rules()["school"]
    quarters = programmes.rules()["quarters"]
    course = ", ".join(
        f"('{q}', {growth}::DOUBLE, {days}::DOUBLE)"
        for q, growth, days in zip(quarters, rule["course"], school["course"], strict=True)
    )
    return f"""WITH share AS (SELECT least(1.0, {rule["families"]}.0 / count(*)) AS share FROM keluarga
), pupils AS (
  SELECT DISTINCT id_keluarga FROM anggota
  WHERE partisipasi_sekolah = 2 AND jenjang_tertinggi_yang_diduduki <= 17
), sampled AS (
  SELECT t.id_keluarga, ln(any_value(t.expenditure)) AS level, any_value(p.id_keluarga) IS NOT NULL AS has_pupils
  FROM ({truth}) AS t JOIN share ON {_uniform(seed, 0, "t.id_keluarga")} < share.share
    LEFT JOIN pupils AS p USING (id_keluarga)
  GROUP BY t.id_keluarga
), received AS (
  SELECT e.id_keluarga, e.quarter, {_summed(seed, "effect_log_expenditure")} AS spending,
    100 * {_summed(seed, "effect_school")} AS days
  FROM enrolment AS e SEMI JOIN sampled USING (id_keluarga) GROUP BY e.id_keluarga, e.quarter
), course(quarter, growth, days) AS (VALUES {course}
)
SELECT s.id_keluarga, c.quarter,
  s.level + c.growth + coalesce(r.spending, 0) + {rule["noise"]} * {_normal(seed, 1, "s.id_keluarga, c.quarter")}
    AS ln_expenditure,
  CASE WHEN s.has_pupils THEN greatest(0.0, least(100.0, {school["mean"]} + c.days + coalesce(r.days, 0)
    + {school["family"]} * {_normal(seed, 3, "s.id_keluarga")}
    + {school["noise"]} * {_normal(seed, 5, "s.id_keluarga, c.quarter")})) END AS school
FROM sampled AS s CROSS JOIN course AS c LEFT JOIN received AS r USING (id_keluarga, quarter)
ORDER BY s.id_keluarga, c.quarter"""


def _summed(seed: int, effect: str) -> str:
    cases = " ".join(f"WHEN '{n}' THEN {programmes.rules()[n].get(effect, 0.0)}" for n in programmes.PROGRAMMES)
    return f"sum({programmes.spread_sql(seed, 'e.id_keluarga', 'e.program')} * CASE e.program {cases} END)"


def _uniform(seed: int, stream: int, of: str) -> str:
    return f"((hash({of}, {seed}, {STREAM + stream}) % 1000003 + 0.5) / 1000003.0)"


def _normal(seed: int, stream: int, of: str) -> str:
    """A standard normal number by Box and Muller from two hashes."""
    one, two = _uniform(seed, stream, of), _uniform(seed, stream + 1, of)
    return f"(sqrt(-2 * ln({one})) * cos(2 * pi() * {two}))"
