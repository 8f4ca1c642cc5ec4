"""What the tables of the ranking laboratory say about people: one declaration each."""

from __future__ import annotations

from collections.abc import Sequence

from dtsen_core.oversight.disclosure import TableSpec

MOVED = ("staying", "entering", "leaving")


def impact_areas() -> TableSpec:
    """Areas of `policy.reranking`: families in deciles 1..k before and after, those coming in and going out."""
    return TableSpec(key="code", counts=("families", *MOVED), additive={"families": MOVED})


def impact_programmes() -> TableSpec:
    """Programmes of `policy.reranking`; the rupiah follow from the persons or families beside them."""
    return TableSpec(
        key="key", counts=("families", *MOVED, "persons_entering", "persons_leaving"), additive={"families": MOVED},
        persons=("persons_entering", "persons_leaving"), measures=("cost",), sample=None,
        public=("amount", "decile_from", "decile_to"),
    )  # fmt: skip


def deciles_matrix(columns: Sequence[str]) -> TableSpec:
    """A matrix of families: rows ``from``, their sum ``whole`` and `columns`."""
    return TableSpec(
        key="from", counts=["whole", *columns], additive={"whole": list(columns)}, base="whole", sample=None
    )


def movement_classes(classes: Sequence[str]) -> TableSpec:
    """Areas of `policy.movement` with the families of each class of change, and those due for review."""
    return TableSpec(
        key="code", counts=("families", *classes, "cases"), additive={"families": tuple(classes)}
    )


def movement_summary() -> TableSpec:
    """Classes of change: families and those due for review, the mean steps of why."""
    return TableSpec(
        key="code", counts=("families", "cases"), additive={"families": ("cases",)},
        measures=("data", "model", "others"),
    )  # fmt: skip
