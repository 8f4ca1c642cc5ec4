"""What another ranking changes against the delivered one: who enters and leaves deciles 1–k, where, and for how much.

Everything follows from one joint count of families by area, delivered decile and new decile
(`transition.joint`). Eligibility is read from the programme rules in force: the decile alone; conditions beyond it
(a child at school, say) are not applied, so the figures are the people who come in or go out of the deciles a
programme is meant for, and the rupiah what serving them all would cost more or less.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.policy.areas import listed_areas
from dtsen_core.policy.programme_rules import Rule, summary_rules
from dtsen_core.policy.request import OFFICIAL, RankRequest
from dtsen_core.policy.transition import joint
from dtsen_core.rank import official
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

CUTS = range(1, 10)
COUNTS = ("families", "staying", "entering", "leaving")
LEVEL_OF_CELLS = {"province": "regency", "regency": "regency", "district": "district"}


@dataclass(frozen=True)
class Impact:
    """The new ranking of `request` against the delivered deciles of the same scope, cut-off after decile `cut`.

    areas       one row per listed area with families: code, name, n, families, staying (in deciles 1..cut in both),
                entering, leaving (weighted families)
    total       the same columns, one row
    matrix      families by delivered (rows) and new decile (columns), 10 × 10
    programmes  key, unit, decile_from, decile_to; families, staying, entering, leaving (families by whether their
                decile is among the programme's), persons_entering, persons_leaving; amount (Rp a year per unit; NaN
                where no source states one) and cost (Rp a year more or, negative, less)
    """

    request: RankRequest
    cut: int
    seconds: float
    areas: pd.DataFrame
    total: pd.DataFrame
    matrix: pd.DataFrame
    programmes: pd.DataFrame


def impact(dataset: Dataset, request: RankRequest, cut: int = 4) -> Impact:
    """Compare `request` with the delivered deciles of the same scope, in its region and by its level.

    UserError for a cut-off other than 1..9, and as `welfare.full_ranking`.
    """
    if cut not in CUTS:
        raise UserError("errors_lab.cut", given=cut)
    started = time.perf_counter()
    _, listed = listed_areas(request.level, request.region)
    delivered = replace(request, model=OFFICIAL, benchmark=False, line="")
    cells = joint(dataset, delivered, request, request.region, LEVEL_OF_CELLS[request.level])
    if request.level == "province":
        cells = cells.assign(area=official.scope_of_regency("province")[cells["area"]])
    areas = by_area(cells, cut, len(listed))
    named = pd.concat([units.table(request.level)[["code", "name"]], areas], axis=1)
    areas = named[listed & (named["n"].to_numpy() > 0)].reset_index(drop=True)
    code = units.NATION if request.region in (None, units.NATION) else units.require(str(request.region))
    total = pd.DataFrame([{"code": code, "name": units.name(code), **areas[["n", *COUNTS]].sum().to_dict()}])
    key = (cells["first"] - 1) * 10 + cells["second"] - 1
    deciles = range(1, 11)
    matrix = pd.DataFrame(np.bincount(key, cells["families"], 100).reshape(10, 10), index=deciles, columns=deciles)
    programmes = pd.DataFrame([by_programme(cells, rule) for rule in summary_rules(dataset.manifest.as_of)])
    return Impact(request, cut, time.perf_counter() - started, areas, total, matrix, programmes)


def by_area(cells: pd.DataFrame, cut: int, areas: int) -> pd.DataFrame:
    """n, families, staying, entering, leaving by area idx, from the cells of `transition.joint`."""
    first, second = cells["first"].to_numpy() <= cut, cells["second"].to_numpy() <= cut
    load, area = cells["families"].to_numpy(float), cells["area"].to_numpy()
    return pd.DataFrame({
        "n": np.bincount(area, cells["n"], areas).astype(np.int64),
        "families": np.bincount(area, load, areas),
        "staying": np.bincount(area, load * (first & second), areas),
        "entering": np.bincount(area, load * (~first & second), areas),
        "leaving": np.bincount(area, load * (first & ~second), areas),
    })  # fmt: skip


def by_programme(cells: pd.DataFrame, rule: Rule) -> dict[str, object]:
    """The row of `Impact.programmes` for one programme."""
    first, second = cells["first"].isin(rule.deciles), cells["second"].isin(rule.deciles)
    families, persons = cells["families"], cells["persons"]
    enter, leave = ~first & second, first & ~second
    amount, unit = yearly_amount(rule), "persons" if rule.unit == "persons" else "families"
    counted = persons if unit == "persons" else families
    return {
        "key": rule.key, "unit": unit, "decile_from": rule.decile_from, "decile_to": rule.decile_to,
        "families": float(families.sum()), "staying": float(families[first & second].sum()),
        "entering": float(families[enter].sum()), "leaving": float(families[leave].sum()),
        "persons_entering": float(persons[enter].sum()), "persons_leaving": float(persons[leave].sum()),
        "amount": amount, "cost": amount * float(counted[enter].sum() - counted[leave].sum()),
    }  # fmt: skip


def yearly_amount(rule: Rule) -> float:
    """Rp a year per unit: the declared amount, else the published budget over the quota, else NaN."""
    if rule.amount is not None:
        return rule.amount
    return rule.budget / rule.quota if rule.budget and rule.quota else float("nan")
