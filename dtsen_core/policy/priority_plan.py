"""What a visitor chose on the priority page, as plain data, and what follows from it.

A `Plan` holds choices only (and uploaded indicators); it is kept in scenarios and links. `evaluate` takes published
figures of the areas and gives the ranking with its intervals; a withheld figure is a missing value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from dtsen_core import locale
from dtsen_core.errors import UserError
from dtsen_core.intervals import Z90
from dtsen_core.policy.composite import AGGREGATIONS, NORMALISATIONS
from dtsen_core.policy.priority import Composite, composite_index, rank_if, rank_intervals
from dtsen_core.policy.priority_rules import LEVELS, Indicator, official_values, own_indicator, priority_rules
from dtsen_core.regions import neighbours, official, units

KIND = "prioritas"
ANY = "semua"
NORMAL = tuple(n for n in NORMALISATIONS if n != "none")
AGGREGATE = AGGREGATIONS
PLACES = (ANY, "kabupaten", "kota")
URBANS = (ANY, "perkotaan", "perdesaan")
URBAN_FROM = 0.5  # share of families in urban villages from which an area counts as urban
COASTS = (ANY, "pesisir", "pedalaman")
COVERAGES = (ANY, "pkh", "sembako", "pbi")
SIZES = (0, 100_000, 250_000, 500_000, 1_000_000)
MISSINGS = ("exclude", "median")
MAX_ITEMS = 8
MAX_OWN = 4
DRAWS = 1_000


class PlanError(UserError):
    """A problem with one indicator, named in the reader's language."""

    def __init__(self, key: str, labels: Mapping[str, str]) -> None:
        super().__init__(key)
        self.labels = labels

    def message(self, lang: str = "id") -> str:
        return locale.text(self.key, lang, label=self.labels.get(lang, self.labels["id"]))


@dataclass(frozen=True)
class Item:
    """One indicator with its weight (0–100), direction (+1, −1) and target (None: none)."""

    key: str
    weight: float = 50.0
    direction: int = 1
    target: float | None = None


@dataclass(frozen=True)
class Own:
    """An uploaded indicator: key ``own_…``, name, level, and its values by code."""

    key: str
    name: str
    level: str
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Plan:
    """Everything chosen. `within` is ``ID`` or a province (districts: always a province); filters narrow the areas:
    island group, kabupaten or kota, mostly urban or rural families, coast, coverage of a programme below the nation's,
    at least `size` persons."""

    level: str = "regency"
    within: str = units.NATION
    items: tuple[Item, ...] = ()
    normalisation: str = "minmax"
    aggregation: str = "arithmetic"
    missing: str = "exclude"
    top: int = 50
    island: str = ANY
    place: str = ANY
    urban: str = ANY
    coast: str = ANY
    below: str = ANY
    size: int = 0
    own: tuple[Own, ...] = field(default=())

    def indicators(self) -> dict[str, Indicator]:
        """All indicators this plan could use, by key."""
        own = {o.key: own_indicator(o.key, o.name) for o in self.own if o.level == self.level}
        return {**priority_rules().of_level(self.level), **own}

    def params(self) -> dict[str, Any]:
        """The plan as JSON; `of_params` is its inverse."""
        out = asdict(self)
        out["items"] = [asdict(i) for i in self.items]
        out["own"] = [{**asdict(o), "values": [list(v) for v in o.values]} for o in self.own]
        return out

    def normalised(self) -> Plan:
        """The plan without what its level does not offer; a district plan has a province."""
        within = self.within if self.level != "district" or self.within != units.NATION else "11"
        known = self.indicators()
        return replace(
            self, items=tuple(i for i in self.items if i.key in known)[:MAX_ITEMS],
            within=units.NATION if self.level == "province" else within,
            place=self.place if self.level == "regency" else ANY,
            coast=self.coast if self.level != "district" else ANY,
        )  # fmt: skip


def default_plan(level: str = "regency") -> Plan:
    known = priority_rules().of_level(level)
    return Plan(level, items=tuple(default_item(known[key]) for key in priority_rules().default))


def default_item(indicator: Indicator) -> Item:
    return Item(indicator.key, 50.0, indicator.direction, indicator.target)


def of_params(params: Mapping[str, Any]) -> Plan:
    """The plan behind `params`; UserError if they are not those of a plan of this version."""
    try:
        items = tuple(
            Item(str(i["key"]), _within(float(i["weight"]), 0, 100), _one_of(int(i["direction"]), (1, -1)),
                 None if i.get("target") is None else float(i["target"]))
            for i in params["items"]
        )  # fmt: skip
        own = tuple(
            Own(str(o["key"]), str(o["name"])[:60], _one_of(o["level"], LEVELS),
                tuple((str(code), float(value)) for code, value in o["values"]))
            for o in params.get("own", [])
        )[:MAX_OWN]  # fmt: skip
        within = str(params["within"])
        plan = Plan(
            level=_one_of(params["level"], LEVELS),
            within=within if within == units.NATION else units.require(within, "province"),
            items=items, normalisation=_one_of(params["normalisation"], NORMAL),
            aggregation=_one_of(params["aggregation"], AGGREGATE), missing=_one_of(params["missing"], MISSINGS),
            top=int(_within(int(params["top"]), 1, 1_000)),
            island=_one_of(params["island"], (ANY, *priority_rules().cost_by_island)),
            place=_one_of(params["place"], PLACES), coast=_one_of(params["coast"], COASTS),
            urban=_one_of(params.get("urban", ANY), URBANS),
            below=_one_of(params["below"], COVERAGES), size=_one_of(int(params["size"]), SIZES), own=own,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, UserError) as error:
        raise UserError("errors_prioritas.stale") from error
    return plan.normalised()


def _one_of(value: Any, allowed: Any) -> Any:
    if value not in allowed:
        raise ValueError(value)
    return value


def _within(value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise ValueError(value)
    return value


def code_items(items: tuple[Item, ...]) -> str:
    """Items for an address: ``p0.50h~uncovered_share.40l.0,05``; uploaded ones are left out."""

    def digits(x: float) -> str:
        return f"{x:g}".replace(".", ",")

    def word(i: Item) -> str:
        target = "" if i.target is None else f".{digits(i.target)}"
        return f"{i.key}.{digits(i.weight)}{'h' if i.direction > 0 else 'l'}{target}"

    return "~".join(word(i) for i in items if not i.key.startswith("own_"))


def parse_items(text: str, level: str) -> tuple[Item, ...]:
    """The inverse of `code_items`; ValueError for anything else."""
    known = priority_rules().of_level(level)
    found: list[Item] = []
    for word in text.split("~"):
        parts = word.split(".")
        if len(parts) not in (2, 3) or parts[0] not in known or parts[1][-1:] not in ("h", "l"):
            raise ValueError(word)
        weight = _within(float(parts[1][:-1].replace(",", ".")), 0, 100)
        target = _within(float(parts[2].replace(",", ".")), -1e15, 1e15) if len(parts) == 3 else None
        found.append(Item(parts[0], weight, 1 if parts[1][-1] == "h" else -1, target))
    if not found or len(found) > MAX_ITEMS or len({i.key for i in found}) < len(found):
        raise ValueError(text)
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Ranked:
    """What follows from a plan. `table` by code: name, score, rank, median, low, high, p_top, robust, n, families,
    persons; `data` the values by indicator key; `composite` the index; `left_out` codes without a score; `area` the
    published figures of the same areas, with the intervals and counts that belong to the values."""

    plan: Plan
    indicators: dict[str, Indicator]
    table: pd.DataFrame
    data: pd.DataFrame
    composite: Composite
    left_out: tuple[str, ...]
    top: int
    area: pd.DataFrame


def matrix(plan: Plan, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(values, standard errors) of the plan's indicators by code, over all areas of `frame`.

    `frame`: published area table by code (withheld cells NaN). Standard errors come from the 90 % intervals of the
    registry's rates; published and uploaded figures carry none and enter as they are.
    """
    known = plan.indicators()
    values, errors = pd.DataFrame(index=frame.index), pd.DataFrame(index=frame.index)
    published = official_values(plan.level) if plan.level != "district" else pd.DataFrame(index=frame.index)
    own = {o.key: pd.Series(dict(o.values), dtype=float) for o in plan.own}
    for item in plan.items:
        i = known[item.key]
        errors[item.key] = 0.0
        if i.origin == "official":
            values[item.key] = published[item.key].reindex(frame.index)
        elif i.origin == "own":
            values[item.key] = own[item.key].reindex(frame.index)
        else:
            values[item.key] = frame.get(i.column, np.nan)
            if f"{i.column}_low" in frame:
                errors[item.key] = (frame[f"{i.column}_high"] - frame[f"{i.column}_low"]) / (2 * Z90)
    return values, errors.fillna(0.0)


def chosen_areas(plan: Plan, frame: pd.DataFrame, nation: Mapping[str, float]) -> pd.Series:
    """Which areas of `frame` (by code) pass the filters; `nation` holds national coverage rates by programme."""
    codes = frame.index.to_series()
    keep = pd.Series(True, index=frame.index)
    if plan.within != units.NATION:
        keep &= codes.str.startswith(plan.within)
    if plan.island != ANY:
        island = official.provinces().set_index("code")["island_group"]
        keep &= codes.str[:2].map(island).eq(plan.island)
    if plan.place != ANY and plan.level == "regency":
        keep &= codes.map(units.table("regency").set_index("code")["kind"]).eq(plan.place)
    if plan.urban != ANY and "urban_share" in frame:
        urban = frame["urban_share"]
        keep &= urban >= URBAN_FROM if plan.urban == "perkotaan" else urban < URBAN_FROM
    if plan.coast != ANY and plan.level != "district":
        coast = codes.isin(neighbours.coastal(plan.level))
        keep &= coast if plan.coast == "pesisir" else ~coast
    if plan.below != ANY and plan.below in frame:
        keep &= frame[plan.below] < nation.get(plan.below, np.nan)
    if plan.size:
        keep &= frame["persons"] >= plan.size
    return keep


def evaluate(plan: Plan, frame: pd.DataFrame, nation: Mapping[str, float]) -> Ranked:
    """Rank the areas of `frame` under `plan`. UserError: no indicator, all weights 0, no area left, an indicator that
    is constant or missing everywhere, or a target that is lacking."""
    if not plan.items:
        raise UserError("errors_prioritas.no_indicator")
    if not any(i.weight > 0 for i in plan.items):
        raise UserError("errors_prioritas.no_weight")
    area = frame[chosen_areas(plan, frame, nation)]
    if len(area) < 3:
        raise UserError("errors_prioritas.no_area", count=len(area))
    values, errors = matrix(plan, area)
    options = _options(plan, values)
    try:
        found = composite_index(values, normalisation=plan.normalisation, aggregation=plan.aggregation,
                                missing=plan.missing, **options)  # fmt: skip
        # A top that holds every area says nothing: take the first quarter instead, and let the page say so.
        count = int(found.rank.notna().sum())
        top = plan.top if plan.top < count else max(1, count // 4)
        spread = rank_intervals(values, top=top, draws=DRAWS, standard_errors=errors,
                                normalisations=_varied(plan), aggregations=_ways(plan), missing=plan.missing,
                                **options)  # fmt: skip
    except ValueError as error:
        raise _explained(error, plan) from error
    table = spread.assign(score=found.score, rank=found.rank)
    table.insert(0, "name", units.table(plan.level).set_index("code")["name"].reindex(table.index))
    table[["n", "families", "persons"]] = area[["n", "families", "persons"]]
    table = table.sort_values(["rank", "name"])
    left_out = tuple(table.index[table["rank"].isna()])
    return Ranked(plan, plan.indicators(), table, values, found, left_out, top, area)


def _options(plan: Plan, values: pd.DataFrame) -> dict[str, Any]:
    targets = {i.key: i.target for i in plan.items if i.target is not None}
    if plan.normalisation == "target":
        lacking = [i for i in plan.items if i.target is None and i.weight > 0]
        if lacking:
            raise PlanError("errors_prioritas.no_target", plan.indicators()[lacking[0].key].label)
    empty = [k for k in values if values[k].isna().all() and any(i.key == k and i.weight > 0 for i in plan.items)]
    if empty:
        raise _named("errors_prioritas.all_missing", plan, empty[0])
    return {
        "directions": {i.key: i.direction for i in plan.items},
        "weights": {i.key: i.weight for i in plan.items},
        "targets": targets or None,
    }


def _varied(plan: Plan) -> tuple[str, ...]:
    """Normalisations of the intervals: the chosen one and the other plausible ones."""
    if plan.normalisation == "target":
        return ("target",)
    return tuple(dict.fromkeys((plan.normalisation, "minmax", "z", "percentile")))


def _ways(plan: Plan) -> tuple[str, ...]:
    return tuple(dict.fromkeys((plan.aggregation, "arithmetic", "geometric")))


def _named(key: str, plan: Plan, indicator: str) -> UserError:
    return PlanError(key, plan.indicators()[indicator].label)


def _explained(error: ValueError, plan: Plan) -> UserError:
    """The library's refusal as a sentence for the screen."""
    text = str(error)
    for i in plan.items:
        if repr(i.key) in text:
            key = "constant" if "same value" in text else "all_missing"
            return _named(f"errors_prioritas.{key}", plan, i.key)
    return UserError("errors_prioritas.no_score")


def needed_change(ranked: Ranked, code: str, steps: int = 14) -> dict[str, float]:
    """By indicator: the value at which the area `code`, all else equal, would just enter (or leave) the top; an
    indicator that cannot do it alone within the observed range is left out."""
    plan, values = ranked.plan, ranked.data
    rank = ranked.table.at[code, "rank"]
    if pd.isna(rank):
        return {}
    enters = int(rank) > ranked.top
    moved = rank_if(values, normalisation=plan.normalisation, aggregation=plan.aggregation, missing=plan.missing,
                    **_options(plan, values))  # fmt: skip

    def inside(key: str, value: float) -> bool:
        return moved(code, key, value) <= ranked.top

    out: dict[str, float] = {}
    for item in plan.items:
        if item.weight <= 0:
            continue
        column = values[item.key]
        worst, best = (column.max(), column.min()) if item.direction > 0 else (column.min(), column.max())
        here, goal = float(column[code]), float(worst if enters else best)
        if np.isnan(here) or inside(item.key, goal) != enters:
            continue
        for _ in range(steps):
            middle = (here + goal) / 2
            if inside(item.key, middle) == enters:
                goal = middle
            else:
                here = middle
        out[item.key] = goal
    return out
