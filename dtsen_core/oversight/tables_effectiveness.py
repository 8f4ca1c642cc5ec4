"""What the tables of the effectiveness page say about people: one declaration each."""

from __future__ import annotations

from dtsen_core.oversight.disclosure import TableSpec

REACH = ("base", "eligible", "listed", "covered", "missed", "leaked", "other_payer", "no_place", "displaced",
         "above", "condition", "unranked")  # fmt: skip


def by_decile(unit: str) -> TableSpec:
    """Units meant and listed by decile; `unit` is what they count."""
    counts = ("families", "units", "listed")
    return TableSpec(
        key="decile", counts=counts, rates={"share": ("listed", "units")},
        persons=() if unit == "families" else ("units", "listed"),
    )  # fmt: skip


def totals(unit: str) -> TableSpec:
    """One row: who is meant, listed, missed and leaked by cause."""
    return TableSpec(
        key="code", counts=("families", *REACH),
        additive={"eligible": ("covered", "missed"), "listed": ("covered", "leaked"),
                  "missed": ("other_payer", "no_place", "displaced"),
                  "leaked": ("above", "condition", "unranked")},
        rates={"coverage": ("covered", "eligible"), "exclusion": ("missed", "eligible"),
               "leakage": ("leaked", "listed")},
        persons=() if unit == "families" else REACH,
    )  # fmt: skip


def incidence() -> TableSpec:
    return TableSpec(
        key="decile", counts=("families", "listed"), rates={"coverage": ("listed", "families")},
        measures=("benefits", "share_benefits", "share_listed"),
    )  # fmt: skip


PATTERNS = TableSpec(key="pattern", counts=("families",), measures=("share",))


def pairs(keys: tuple[str, ...]) -> TableSpec:
    """Families of each programme that also receive each other one."""
    columns = tuple(f"with_{key}" for key in keys)
    return TableSpec(key="program", counts=("families", *columns))


DELIVERY = TableSpec(
    key="code", counts=("families", "nik_valid", "nik_invalid", "fresh", "older", "stale", "undated"),
    additive={"families": ("nik_valid", "nik_invalid")},
    rates={"share_valid": ("nik_valid", "families"), "share_fresh": ("fresh", "families"),
           "share_stale": ("stale", "families")},
)  # fmt: skip
POVERTY = TableSpec(
    key="measure", counts=("families",),
    measures=("without", "with_transfer", "change", "se_without", "se_with", "se_change"),
)  # fmt: skip
BINS = TableSpec(key="bin", counts=("n",), base="n", sample=None, measures=("change", "listed"), public=("gap",))
STUDY = TableSpec(
    key="event", counts=("n",), base="n", sample=None,
    measures=("estimate", "se", "ci_low", "ci_high", "band_low", "band_high"), public=("groups",),
)  # fmt: skip
