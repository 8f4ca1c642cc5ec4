"""The declared order of each indicator's categories (``data/rules/indicator_order.toml``), and an index made of it.

An order says which category stands for more welfare; it is a declaration, used to refuse a scorecard whose sign is
inverted, and to rank where no survey exists to fit a model on.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dtsen_core.errors import InternalError
from dtsen_core.paths import RULES
from dtsen_core.rank.scorecard import CATEGORIES, OFFSETS, REGENCIES, Scorecard, Shares, neutral
from dtsen_core.registry.indicators import INDICATORS

INDEX = "indeks"
GROUPS = tuple(dict.fromkeys(i.group for i in INDICATORS))
GROUP_SPAN = 2.0  # log units between the worst and the best family on one group at weight 1
ASSETS = "aset"


@lru_cache(maxsize=1)
def steps() -> dict[str, tuple[tuple[int, ...], ...]]:
    """Category codes of each ordered indicator by step, worst off first."""
    raw = tomllib.loads((RULES / "indicator_order.toml").read_text(encoding="utf-8"))
    known = {i.name: i for i in INDICATORS}
    found: dict[str, tuple[tuple[int, ...], ...]] = {}
    for name, order in raw["order"].items():
        codes = {c.value: c.code for c in known[name].categories}
        listed = [value for step in order for value in step]
        if len(order) < 2 or len(set(listed)) != len(listed) or not set(listed) <= set(codes):
            raise InternalError(f"indicator_order.toml: {name} is no order of its categories")
        found[name] = tuple(tuple(codes[value] for value in step) for step in order)
    for indicator in INDICATORS:
        if indicator.group == ASSETS and indicator.name not in raw["assets_without_order"]:
            found[indicator.name] = ((2,), (1,))
    return found


def index_card(shares: Shares | None) -> Scorecard:
    """The equally weighted index: within each group the mean of the ordered indicators' positions from 0 (worst)
    to 1 (best), times `GROUP_SPAN`; groups add up. A category outside the order counts the mean of the others,
    weighted by `shares` (1, CATEGORIES). It ranks; it says nothing about expenditure in rupiah."""
    values = np.full((1, CATEGORIES), np.nan)
    for position, indicator in enumerate(INDICATORS):
        order = steps().get(indicator.name)
        start = OFFSETS[position]
        if order is None:
            values[0, start : start + indicator.radix] = 0.0
            continue
        fellows = sum(i.group == indicator.group and i.name in steps() for i in INDICATORS)
        for number, codes in enumerate(order):
            values[0, [start + code for code in codes]] = number / (len(order) - 1) * GROUP_SPAN / fellows
    return Scorecard(INDEX, "declared", _filled(values, shares), np.zeros((REGENCIES, 3), dtype=np.int32))


def _filled(values: npt.NDArray[np.float64], shares: Shares | None) -> npt.NDArray[np.int32]:
    weight = np.ones(CATEGORIES) if shares is None else shares[0]
    for position, indicator in enumerate(INDICATORS):
        span = slice(OFFSETS[position], OFFSETS[position] + indicator.radix)
        part, load = values[0, span], weight[span].copy()
        known = ~np.isnan(part)
        load = np.where(known & (load > 0), load, np.where(known, 1e-9, 0.0))
        part[~known] = np.nansum(np.where(known, part, 0.0) * load) / load.sum()
    return np.rint(neutral(values, shares) * 1000).astype(np.int32)


def inverted(coefficients: npt.NDArray[np.floating], tolerance: float) -> list[tuple[int, int, int]]:
    """(indicator position, worst code, best code) of every ordered indicator whose best step counts less than its
    worst by more than `tolerance`. `coefficients` (CATEGORIES,), NaN where not given; ends not given are skipped."""
    found = []
    for position, indicator in enumerate(INDICATORS):
        order = steps().get(indicator.name)
        if order is None:
            continue
        start = OFFSETS[position]
        low = [code for code in order[0] if not np.isnan(coefficients[start + code])]
        high = [code for code in order[-1] if not np.isnan(coefficients[start + code])]
        if not low or not high:
            continue
        worst = min(low, key=lambda code: coefficients[start + code])
        best = max(high, key=lambda code: coefficients[start + code])
        if coefficients[start + best] < coefficients[start + worst] - tolerance:
            found.append((position, worst, best))
    return found
