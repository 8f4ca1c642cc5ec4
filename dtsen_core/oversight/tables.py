"""What the tables that several rooms publish say about people: one declaration each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dtsen_core.oversight.disclosure import TableSpec

DECILES = tuple(f"d{k}" for k in range(1, 11))
_OF_POOR = ("p0", "share_poor")
_MEASURES = (
    "mean_score",
    "p1",
    "p2",
    "gini",
    "mean_expenditure",
    "p0_low",
    "p0_high",
    "p0_unbenchmarked",
    "share_vulnerable",
    "share_prosperous",
)

RANKING = ("code", "name", "n", "families", "persons", "poor_persons", *DECILES, *_OF_POOR, *_MEASURES)


def ranking(unit: str, columns: Iterable[str]) -> TableSpec:
    """The table of a ranking's areas; `unit` ("families" or "persons") is what d1…d10 count.

    P0 gives the number of poor away, so both are hidden together. `columns` are those the table has.
    """
    has = set(columns)
    return TableSpec(
        key="code",
        counts=("families", "persons", *DECILES, "poor_persons"),
        additive={unit: DECILES},
        rates={rate: ("poor_persons", "persons") for rate in _OF_POOR if rate in has},
        measures=tuple(name for name in _MEASURES if name in has),
        persons=("persons", "poor_persons", *(DECILES if unit == "persons" else ())),
    )


UNCERTAINTY = TableSpec(
    key="code",
    counts=("families", "band"),
    additive={"families": ("band",)},
    rates={"band_share": ("band", "families")},
    measures=("wrong", "wrong_share"),
)
"""Areas with their coin-flip families: part and whole count families."""

GROUND_CHECKS = TableSpec(
    key="code",
    counts=("families", "visits"),
    additive={"families": ("visits",)},
    measures=("removed", "per_visit"),
)
"""Districts of a plan of visits. Running totals are left out: their differences would give hidden cells away."""

RANK_STABILITY = TableSpec(
    key="code",
    counts=("families",),
    measures=("rank", "rank_low", "rank_high", "width", "same_fifth"),
)
"""Areas with their rank and its range over weightings."""


def rank_ablation(indicators: Sequence[str]) -> TableSpec:
    """Areas with their rank and how far each of the `indicators` moves it."""
    return TableSpec(key="code", counts=("families",), measures=("rank", *indicators))



REFORM_COUNTS = ("families", "before", "after", "winners", "losers")
REFORM_TOTALS = (
    "families", "persons", "families_before", "families_after", "winners", "losers", "near",
)  # fmt: skip


def reform(key: str, costs: bool = False) -> TableSpec:
    """Families by `key` (decile, code or group): served before and after a reform, winners and losers."""
    return TableSpec(
        key=key,
        counts=REFORM_COUNTS,
        rates={
            "before_rate": ("before", "families"),
            "after_rate": ("after", "families"),
            "winners_rate": ("winners", "families"),
            "losers_rate": ("losers", "families"),
        },
        measures=("cost_before", "cost_after") if costs else (),
    )


def reform_totals(columns: Iterable[str]) -> TableSpec:
    """The one row of a reform: whatever is not a count of families is hidden with the number of families."""
    others = tuple(c for c in columns if c not in (*REFORM_TOTALS, "key", "n"))
    return TableSpec(key="key", counts=REFORM_TOTALS, persons=("persons",), measures=others)


NEEDS = ("families", "persons", "eligible", "enrolled", "enrolled_eligible", "waiting")


def needs(key: str, unit: str, measures: Iterable[str]) -> TableSpec:
    """Need of a programme by `key`: counts of its `unit` beside families and persons."""
    counted = NEEDS[2:]
    return TableSpec(
        key=key,
        counts=NEEDS,
        additive={"eligible": ("enrolled_eligible", "waiting"), "enrolled": ("enrolled_eligible",)},
        rates={"coverage": ("enrolled_eligible", "eligible")},
        measures=tuple(measures),
        persons=("persons", *(() if unit == "families" else counted)),
    )
