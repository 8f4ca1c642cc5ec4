"""An area against the area above it and against the nation: which measures, and what "difference" means.

Rates and means are compared by subtraction. Counts grow with the size of an area, so a count is compared
as a share of the larger area's count.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from dtsen_core.policy.map_indicators import MapIndicator, map_rules

# The measures of the profile card, in reading order; counts stand beside their rates through `partner`.
MEASURES = ("share_d14", "p0", "p1", "gini", "mean_expenditure", "pkh", "sembako", "pbi", "uncovered_share")


@dataclass(frozen=True)
class Comparison:
    """`value` of an area and how it stands to `reference`.

    `difference` = value − reference (rates and means; in the unit of the measure), `share` = value /
    reference (counts). NaN where either is unknown. `verdict`: -1 worse, 0 no verdict or equal, 1 better.
    """

    value: float
    reference: float
    difference: float
    share: float
    verdict: int


def compare(indicator: MapIndicator, value: float, reference: float) -> Comparison:
    """Compare one measure of an area with the same measure of a larger area."""
    difference = share = math.nan
    if indicator.kind == "count":
        share = value / reference if reference else math.nan
    else:
        difference = value - reference
    verdict = 0
    if not math.isnan(difference) and indicator.better != "none":
        # What reads ±0,0 on the card is neither better nor worse.
        shown = indicator.decimals + 2 if indicator.kind == "rate" else indicator.decimals
        difference = difference if round(difference, shown) else 0.0
        sign = (difference > 0) - (difference < 0)
        verdict = sign if indicator.better == "high" else -sign
    return Comparison(value, reference, difference, share, verdict)


def measures(known: Collection[str]) -> tuple[MapIndicator, ...]:
    """The indicators of the profile card that can be computed from data that know `known`."""
    rules = map_rules()
    return tuple(rules.indicators[key] for key in MEASURES if rules.indicators[key].possible(known))
