"""What the table of the missed says about people."""

from __future__ import annotations

import pandas as pd

from dtsen_core.oversight.disclosure import TableSpec
from dtsen_core.policy.programme_rules import summary_keys


def missed_spec(frame: pd.DataFrame) -> TableSpec:
    """The counts of `policy.missed.missed` that `frame` holds; those of PBI-JK and the ``_persons`` count persons."""
    counts, persons = ["families"], ["persons"]
    for p in summary_keys():
        for cause in ("quota", "high", "persons"):
            name = f"{p.key}_{cause}"
            if name in frame:
                (persons if p.unit == "persons" or cause == "persons" else counts).append(name)
    if "unlisted_persons" in frame:
        persons.append("unlisted_persons")
    return TableSpec(key="code", counts=(*counts, *persons), persons=tuple(persons))
