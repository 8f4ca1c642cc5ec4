"""Need and quota of a programme: eligible, quota, enrolled and gap by area; the order within deciles; waiting list.

Families stand in one documented order: protected holders of a place first, then score ascending (the delivered
decile where the dataset has no model), larger families first, then the hash of the family's number, which favours
nobody and stays the same in every run.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.policy import cube as cubes
from dtsen_core.policy import family_traits, places
from dtsen_core.policy.areas import listed_areas
from dtsen_core.policy.cube import Cube
from dtsen_core.policy.models import scorecard_for
from dtsen_core.policy.needs_district import CONDITIONS, PROTECTED, UNIT, by_district, last_place, shared_out
from dtsen_core.policy.programme_rules import Rule, as_date
from dtsen_core.rank.engine import Filter
from dtsen_core.rank.scorecard import REGENCIES, province_of_regency
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

Floats = npt.NDArray[np.float64]
LEVELS = ("province", "regency", "district")
# How a national quota reaches the regencies: by their share of the eligible, of today's places, or to the worst-off
# of the nation wherever they live.
SPLITS = ("eligible", "enrolled", "worst_first")
MAX_FILE = 1_000_000
COUNTS = ("units", "eligible", "quota", "enrolled", "enrolled_eligible", "waiting", "gap")


def regency_quota(cube: Cube, rule: Rule, split: str, given: Mapping[str, float] | None = None) -> Floats:
    """Places of each regency, shape (514,): `given` by regency code, else the rule's quota by `split`; NaN without
    a quota. UserError for an unknown split."""
    if split not in SPLITS:
        raise UserError("errors_kebutuhan.split", given=split[:40], allowed=", ".join(SPLITS))
    if given is not None:
        codes = units.table("regency")["code"]
        return codes.map(lambda code: given.get(code, 0.0)).to_numpy(np.float64)
    if rule.quota is None:
        return np.full(REGENCIES, np.nan)
    order = places.base_order(cube)
    eligible = cube.units(rule.unit) * places.eligible_share(cube, rule, order)
    if split == "worst_first":
        first = places.fill(order.score, eligible, rule.quota)
        return np.asarray(np.bincount(cube.regency, first, REGENCIES), dtype=np.float64)
    base = eligible if split == "eligible" else places.enrolled(cube, rule)
    by = np.asarray(np.bincount(cube.regency, base, REGENCIES), dtype=np.float64)
    return by * (rule.quota / by.sum()) if by.sum() > 0 else np.full(REGENCIES, np.nan)


def needs_by_area(
    dataset: Dataset, rule: Rule, level: str = "province", parent: str | None = None, split: str = "eligible",
    given: Mapping[str, float] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Columns code, name, n (rows), families, persons, units (all of the rule's unit), eligible, quota, enrolled,
    enrolled_eligible, waiting (eligible without a place), gap (eligible − quota, negative where the quota exceeds
    the need): counts of the rule's unit. NaN where the data or the rule do not say."""
    if level not in LEVELS:
        raise UserError("errors_kebutuhan.level", given=level[:40], allowed=", ".join(LEVELS))
    _, listed = listed_areas(level, parent)
    cube = cubes.cube(dataset)
    quota = regency_quota(cube, rule, split, given)
    size = units.COUNTS[level]
    table = units.table(level)[["code", "name"]].reset_index(drop=True)
    if level == "district":
        found = by_district(dataset, rule, last_place(cube, rule))
        table = pd.concat([table, found.drop(columns="first")], axis=1)
        key = "eligible" if given is not None else {"worst_first": "first"}.get(split, split)
        table["quota"] = shared_out(quota, found[key].to_numpy(np.float64))
    else:
        group = province_of_regency() if level == "province" else np.arange(REGENCIES)
        for name, values in _columns(cube, rule).items():
            table[name] = np.bincount(group[cube.regency], values, size)
        table["quota"] = np.bincount(group, np.nan_to_num(quota), size) if not np.isnan(quota).all() else np.nan
    table["gap"] = table["eligible"] - table["quota"]
    if not rule.deciles:
        table[["eligible", "enrolled_eligible", "waiting", "gap"]] = np.nan
    if not places.known(cube, rule):
        table[["enrolled", "enrolled_eligible", "waiting"]] = np.nan
    return table[listed & (table["n"].to_numpy() > 0)].reset_index(drop=True)


def _columns(cube: Cube, rule: Rule) -> dict[str, Floats]:
    count, share = cube.units(rule.unit), places.eligible_share(cube, rule, places.base_order(cube))
    held = places.enrolled(cube, rule)
    inside = held * (share > 0)
    return {
        "n": cube.rows, "families": cube.families, "persons": cube.sums["persons"] * cube.weight, "units": count,
        "eligible": count * share, "enrolled": held, "enrolled_eligible": inside,
        "waiting": np.maximum(count * share - inside, 0.0),
    }  # fmt: skip


def needs_by_decile(dataset: Dataset, rule: Rule, region: str | None = None) -> pd.DataFrame:
    """By national decile (0 = unknown), in `region` or the nation: decile, n, families, persons, units, eligible,
    enrolled, enrolled_eligible, waiting, placed (who has a place if all are given anew in the national order, protected
    holders first), kept (protected holders outside the rule's deciles) and cost (Rp a year for the eligible)."""
    cube = cubes.cube(dataset)
    columns = _columns(cube, rule)
    order = places.base_order(cube)
    share = places.eligible_share(cube, rule, order)
    columns["placed"] = places.by_rule(cube, rule, order, share)
    columns["kept"] = columns["enrolled"] * places.protected_share(cube, rule) * (share <= 0)
    worth = places.value(cube, rule)
    columns["cost"] = np.where(columns["eligible"] > 0, columns["eligible"] * worth, 0.0)
    at = _inside(cube, region)
    table = pd.DataFrame({name: np.bincount(cube.decile[at], values[at], 11) for name, values in columns.items()})
    table.insert(0, "decile", range(11))
    if not rule.deciles:
        table[["eligible", "enrolled_eligible", "waiting", "placed", "cost", "kept"]] = np.nan
    if not places.known(cube, rule):
        table[["enrolled", "enrolled_eligible", "waiting", "kept"]] = np.nan
    return table


def _inside(cube: Cube, region: str | None) -> npt.NDArray[np.int64]:
    """Positions of the cells that lie in `region` (a province or regency); all of them for the nation."""
    _, listed = listed_areas("regency", region)
    return np.flatnonzero(listed[cube.regency])


def yearly_budget(dataset: Dataset, rule: Rule, region: str | None = None) -> dict[str, float]:
    """Rp a year in `region` or the nation: `eligible` if everybody eligible were served, `placed` for the places of the
    quota, `enrolled` for today's holders; NaN where the amount is not known. `published` is the national budget the
    government names."""
    cube = cubes.cube(dataset)
    order, worth = places.base_order(cube), places.value(cube, rule)
    share = places.eligible_share(cube, rule, order)
    parts = {
        "eligible": cube.units(rule.unit) * share,
        "placed": places.by_rule(cube, rule, order, share),
        "enrolled": places.enrolled(cube, rule),
    }
    told = {"eligible": bool(rule.deciles), "placed": bool(rule.deciles), "enrolled": places.known(cube, rule)}
    at = _inside(cube, region)
    found = {
        name: float(np.where(count > 0, count * worth, 0.0)[at].sum()) if told[name] else math.nan
        for name, count in parts.items()
    }
    whole = region is None or region == units.NATION
    return {**found, "published": rule.budget if whole and rule.budget is not None else math.nan}


def ordered(dataset: Dataset, rule: Rule, region: str | None = None, limit: int = 1000) -> pd.DataFrame:
    """The first `limit` families in the documented order, for the data holder: position, id_keluarga, decile, score,
    family_size, units (those the row stands for), enrolled, protected, cumulated (units up to and with the row) and
    place (whether the quota still holds them; the row in which it ends gets none). Without a quota all have one.

    The order is national; `region` only narrows what is listed. UserError: unknown region, no decile rule.
    """
    if rule.decile_from is None or rule.last_decile is None:
        raise UserError("errors_kebutuhan.no_deciles", programme=rule.key)
    only, _ = listed_areas("district", region)
    cursor = dataset.cursor()
    try:
        family_traits.write(cursor, as_date(dataset.manifest.as_of))
        base = cubes.base_model(dataset)
        sides = {"a": scorecard_for(dataset, base)} if base else {}
        scores, joins = cubes.score_steps(cursor, sides, 1)
        kept = " OR ".join(PROTECTED[name] for name in rule.protected) or "false"
        held = f"f.{rule.flag} > 0" if rule.flag else "false"
        found = cursor.execute(
            f"""WITH family AS (
  SELECT f.id_keluarga, f.province, f.regency, f.district, f.desil_nasional AS decile, {scores["a"]} AS score,
    f.family_size, {UNIT[rule.unit]} * w.weight AS units, {held} AS enrolled,
    coalesce({held} AND ({kept}), false) AS protected, {CONDITIONS[rule.condition]} AS meets
  FROM family_packed AS f JOIN area_weight AS w USING (regency) LEFT JOIN traits AS t USING (id_keluarga)
  {joins}
), queue AS (
  SELECT *, row_number() OVER line AS position, sum(units) OVER line AS cumulated FROM family
  WHERE units > 0 AND (protected OR (meets AND decile BETWEEN ? AND ?))
  WINDOW line AS (ORDER BY protected DESC, score, family_size DESC, hash(id_keluarga), id_keluarga
    ROWS UNBOUNDED PRECEDING)
)
SELECT position, id_keluarga, decile, score, family_size, units, enrolled, protected, cumulated,
  coalesce(cumulated <= ?, true) AS place
FROM queue {_narrowed(only)} ORDER BY position LIMIT ?""",
            [rule.decile_from, rule.last_decile, rule.quota, *([only.idx] if only else []), int(limit)],
        )
        return found.df()
    finally:
        cursor.close()


def _narrowed(only: Filter | None) -> str:
    return f"WHERE {only.column} = ?" if only else ""


def read_quotas(data: bytes) -> dict[str, float]:
    """Quotas by regency code from a CSV ``code,quota``. UserError with one sentence that names the line."""
    if len(data) > MAX_FILE:
        raise UserError("errors_kebutuhan.file_size", limit=MAX_FILE // 1_000_000)
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UserError("errors_kebutuhan.file_encoding") from error
    dialect = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    try:
        rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=dialect))
    except csv.Error as error:
        raise UserError("errors_kebutuhan.file_header") from error
    if not rows or [cell.strip().lower() for cell in rows[0]][:2] != ["code", "quota"]:
        raise UserError("errors_kebutuhan.file_header")
    known = set(units.table("regency")["code"])
    found: dict[str, float] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        code = row[0].strip().replace(".", "")
        if code not in known or code in found:
            raise UserError("errors_kebutuhan.file_code", line=number, given=row[0][:40])
        found[code] = _places(row[1] if len(row) > 1 else "", number)
    if not found:
        raise UserError("errors_kebutuhan.file_empty")
    return found


def _places(text: str, line: int) -> float:
    try:
        value = float(text.strip().replace("_", ""))
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1e9:
        raise UserError("errors_kebutuhan.file_quota", line=line, given=text.strip()[:40] or "–")
    return value
