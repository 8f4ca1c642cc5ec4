"""How right the matching is, measured against the simulation's truth, with confidence ranges.

precision = true links / (true + false links); recall = true links / (true links + missed). Ranges are score
intervals at 95 % (Wilson 1927, Journal of the American Statistical Association 22).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from dtsen_core.intervals import wilson
from dtsen_core.policy.quality.measures import LINKED
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

BY = ("source", "province", "error_kind", "pass")
TOTAL = "semua"

_SUMS = """
SELECT {by} AS item, sum(true_links)::DOUBLE AS true_links, sum(false_links)::DOUBLE AS false_links,
       sum(missed)::DOUBLE AS missed
FROM evaluation.match_quality
WHERE {only} AND $source IN ('', source)
GROUP BY item ORDER BY item
"""


_FAMILIES = """
SELECT coalesce(kind, 'semua') AS item, sum(families)::DOUBLE AS families, sum(card)::DOUBLE AS card,
       sum(exact)::DOUBLE AS exact, sum(whole)::DOUBLE AS whole
FROM evaluation.family_quality GROUP BY GROUPING SETS ((), (kind))
ORDER BY list_position(['semua', 'unchanged', 'joined', 'split'], item)
"""


def families(dataset: Dataset) -> pd.DataFrame:
    """True families of which someone stands in the registry, all (``semua``) and by what happened to their card
    (unchanged, joined, split): item, families, and how many of them, with their shares (_share, _low and _high), are
    together without strangers: on their card of the civil register (card), in the registry (exact), and there with
    nobody missing from the civil register (whole). UserError on real data."""
    found = dataset.evaluation_cursor().execute(_FAMILIES).df()
    for part in ("card", "exact", "whole"):
        name = f"{part}_share"
        found[name] = found[part] / found["families"]
        found[f"{name}_low"], found[f"{name}_high"] = wilson(found[name], found["families"])
    return found


def match_quality(dataset: Dataset, by: str, source: str = "") -> pd.DataFrame:
    """Links by `by` (one of `BY`, or "" for one row): item, name, true_links, false_links, missed, linked, linkable,
    precision, precision_low, precision_high, recall, recall_low, recall_high.

    By kind of error a record counts under each of its errors; all other tables count every record once. By pass only
    precision has a meaning (a missed record belongs to no pass): recall is NaN there. UserError on real data.
    """
    only = "error_kind <> 'semua'" if by == "error_kind" else "error_kind = 'semua'"
    if by == "pass":
        only += f" AND pass IN ({', '.join(repr(name) for name in LINKED)})"
    column = f'"{by}"' if by else "'all'"
    values = {"source": "" if source == "all" else source}
    found = dataset.evaluation_cursor().execute(_SUMS.format(by=column, only=only), values).df()
    found["linked"] = found["true_links"] + found["false_links"]
    found["linkable"] = found["true_links"] + found["missed"]
    for name, of in (("precision", "linked"), ("recall", "linkable")):
        base = found[of].where(found[of] > 0)
        found[name] = found["true_links"] / base
        found[f"{name}_low"], found[f"{name}_high"] = wilson(found[name], base)
    if by == "pass":
        found[["recall", "recall_low", "recall_high"]] = np.nan
    if by == "province":
        provinces = units.table("province")["name"]
        found = found[found["item"] < len(provinces)].reset_index(drop=True)
        found["name"] = provinces.to_numpy()[found["item"].astype(int)]
    else:
        found["name"] = found["item"].astype(str)
    found["item"] = found["item"].astype(str)
    return found
