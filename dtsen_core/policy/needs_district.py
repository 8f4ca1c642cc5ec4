"""Need by district: counted from the families once per version and rule, and kept beside the dataset (`lab`).

The cells of `cube` stop at regencies, since districts would make them fifteen times as many. A quota of a regency is
shared among its districts by the same key that shares the national one among regencies.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.policy import cube as cubes
from dtsen_core.policy import family_traits, lab, places
from dtsen_core.policy.areas import regency_of
from dtsen_core.policy.cube import Cube
from dtsen_core.policy.models import scorecard_for
from dtsen_core.policy.programme_rules import Rule, as_date
from dtsen_core.rank.scorecard import REGENCIES
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

Floats = npt.NDArray[np.float64]
RECIPE = 1  # raised when a column changes its meaning
CONDITIONS = {
    "": "true", "has_component": "coalesce(t.has_component, false)", "rural": "f.urban = 2", "urban": "f.urban = 1",
    "female_head": "coalesce(t.female_head, false)", "elderly_head": "coalesce(t.elderly_head, false)",
    "severe_disability": "coalesce(t.disability, false)",
}  # fmt: skip
PROTECTED = {
    "chronic_illness": "coalesce(t.chronic_illness, false)", "newborn": "coalesce(t.newborn, false)",
    "severe_disability": "coalesce(t.disability, false)",
}  # fmt: skip
UNIT = {
    "families": "1", "persons": "f.family_size", "pupils": "coalesce(t.pupils, 0)",
    "students": "coalesce(t.students, 0)", "school_age": "coalesce(t.school_age, 0)",
}  # fmt: skip


def last_place(cube: Cube, rule: Rule) -> tuple[int, float]:
    """(score at which places given in order end, share of the families of that score that still get one)."""
    order = places.base_order(cube)
    eligible = cube.units(rule.unit) * places.eligible_share(cube, rule, order)
    if rule.quota is None or not eligible.any():
        return int(order.score.max(initial=0)), 1.0
    first = places.fill(order.score, eligible, rule.quota)
    score = int(order.score[first > 0].max())
    at = order.score == score
    return score, float(first[at].sum() / eligible[at].sum())


def by_district(dataset: Dataset, rule: Rule, last: tuple[int, float]) -> pd.DataFrame:
    """One row per district in code order: n, families, persons, units, eligible, enrolled, enrolled_eligible, waiting
    and first, the eligible that places given in the national order reach; `last` as by `last_place`."""
    said = (rule.unit, rule.flag, rule.condition, rule.decile_from, rule.last_decile, *last)
    known = places.known(cubes.cube(dataset), rule)
    return lab.frame(dataset, "district-needs", lambda: _counted(dataset, rule, last, known), RECIPE, known, *said)


def _counted(dataset: Dataset, rule: Rule, last: tuple[int, float], known: bool) -> pd.DataFrame:
    cursor = dataset.cursor()
    try:
        exact = cubes.cube(dataset).exact
        members = family_traits.known(cursor)
        if members:
            family_traits.write(cursor, as_date(dataset.manifest.as_of))
        base = cubes.base_model(dataset)
        sides = {"a": scorecard_for(dataset, base)} if base else {}
        scores, joins = cubes.score_steps(cursor, sides, 1 if exact else cubes.COARSE_STEP)
        meets, unit = CONDITIONS[rule.condition], UNIT[rule.unit]
        if not members:
            known_by = family_traits.packed()
            meets, unit = (re.sub(r"\bt\.(\w+)", lambda m: known_by[m[1]], sql) for sql in (meets, unit))
        first, end = rule.decile_from or 0, rule.last_decile or -1
        held = f"f.{rule.flag}" if known else "0"
        found = cursor.execute(f"""WITH family AS (
  SELECT f.district, w.weight, f.family_size, {unit} AS count, {held} AS held, {scores["a"]} AS score,
    (f.desil_nasional BETWEEN ? AND ? AND {meets})::INTEGER AS meant
  FROM family_packed AS f JOIN area_weight AS w USING (regency)
  {"LEFT JOIN traits AS t USING (id_keluarga)" if members else ""} {joins}
)
SELECT district, count(*)::DOUBLE AS n, sum(weight) AS families, sum(weight * family_size) AS persons,
  sum(weight * count) AS units, sum(weight * count * meant) AS eligible, sum(weight * held) AS enrolled,
  sum(weight * held * meant) AS enrolled_eligible, sum(weight * greatest(count - held, 0) * meant) AS waiting,
  sum(weight * count * meant * CASE WHEN score < ? THEN 1 WHEN score = ? THEN ? ELSE 0 END) AS first
FROM family GROUP BY district""", [first, end, last[0], *last]).df()
    finally:
        cursor.close()
    return found.set_index("district").reindex(range(units.COUNTS["district"]), fill_value=0.0).reset_index(drop=True)


def shared_out(quota: Floats, key: Floats) -> Floats:
    """Places of each district: those of its regency by its part of `key`; a regency without any shares evenly."""
    regency = regency_of("district")
    whole = np.bincount(regency, key, REGENCIES)
    even = 1 / np.maximum(np.bincount(regency, minlength=REGENCIES), 1)
    part = np.divide(key, whole[regency], out=even[regency], where=whole[regency] > 0)
    return np.asarray(quota[regency] * part)
