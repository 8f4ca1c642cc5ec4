"""Two priority rankings side by side: who wins and loses a place, and how much the two agree."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dtsen_core import locale
from dtsen_core.policy.priority_plan import Ranked
from dtsen_core.present import numbers, prioritas
from dtsen_core.present.peringkat_export import Sheet
from dtsen_core.present.peta_hover import Hover
from dtsen_core.regions import units

COLOURS = {
    "light": ("#E9ECEA", "#0072B2", "#E69F00", "#009E73"),
    "dark": ("#2B373B", "#56B4E9", "#E69F00", "#2FBF97"),
}
"""Classes of the comparison map: neither, only A, only B, both (Okabe–Ito)."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """`table` by code: name, rank_a, rank_b with their intervals (low_, high_), n, change (places gained in B), group
    (both, only_a, only_b, neither)."""

    table: pd.DataFrame
    both: int
    only_a: int
    only_b: int
    overlap: float
    rank_correlation: float


def compare(a: Ranked, b: Ranked) -> Comparison:
    """Areas of either ranking; `overlap` = areas in both tops / areas in the smaller top; rank correlation (Spearman)
    over the areas that both rank."""
    frame = pd.DataFrame({"rank_a": a.table["rank"], "rank_b": b.table["rank"]})
    for letter, side in (("a", a), ("b", b)):
        frame[[f"low_{letter}", f"high_{letter}"]] = side.table[["low", "high"]].reindex(frame.index)
    frame["n"] = a.table["n"].reindex(frame.index).fillna(b.table["n"].reindex(frame.index))
    frame.insert(0, "name", [units.name(str(code)) for code in frame.index])
    frame["change"] = frame["rank_a"] - frame["rank_b"]
    in_a = (frame["rank_a"] <= a.top).fillna(False).to_numpy(bool)
    in_b = (frame["rank_b"] <= b.top).fillna(False).to_numpy(bool)
    frame["group"] = "neither"
    frame.loc[in_a & in_b, "group"] = "both"
    frame.loc[in_a & ~in_b, "group"] = "only_a"
    frame.loc[~in_a & in_b, "group"] = "only_b"
    known = frame[["rank_a", "rank_b"]].dropna().astype(float)
    correlation = known["rank_a"].rank().corr(known["rank_b"].rank()) if len(known) > 2 else float("nan")
    both = int((in_a & in_b).sum())
    return Comparison(frame, both, int((in_a & ~in_b).sum()), int((~in_a & in_b).sum()),
                      both / max(1, min(in_a.sum(), in_b.sum())), float(correlation))  # fmt: skip


def finding(found: Comparison, names: tuple[str, str], lang: str) -> str:
    return locale.text(
        "prioritas.compare_finding", lang, a=names[0], b=names[1], both=found.both, only_a=found.only_a,
        only_b=found.only_b, share=numbers.percent(found.overlap, lang, 0),
        rho=numbers.number(found.rank_correlation, lang, 2),
    )  # fmt: skip


def map_rows(found: Comparison) -> pd.DataFrame:
    table = found.table
    klass = table["group"].map({"neither": 1, "only_a": 2, "only_b": 3, "both": 4})
    return pd.DataFrame({"code": table.index, "klass": klass.to_numpy(), "doubt": 0})


def hover(found: Comparison, names: tuple[str, str], data_line: str, lang: str) -> Hover:
    """Both ranks with their intervals, n and source."""
    columns = ["rank_a", "low_a", "high_a", "rank_b", "low_b", "high_b", "n"]
    facts = found.table[columns].astype("Float64").to_numpy(float, na_value=float("nan"))
    a, b = (html.escape(name) for name in names)
    words = locale.text("prioritas.compare_hover", lang, a=a, b=b, source=data_line)
    return prioritas.one_hover(facts, words, lang)


def movers(found: Comparison, first: int = 15) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(areas that gain most places from A to B, areas that lose most)."""
    known = found.table.dropna(subset=["change"])
    order = known.assign(change=known["change"].astype(int)).sort_values(["change", "rank_b"], ascending=[False, True])
    return order[order["change"] > 0].head(first), order[order["change"] < 0].iloc[::-1].head(first)


def sheet(found: Comparison, names: tuple[str, str], lang: str) -> Sheet:
    """The comparison as a sheet of a workbook."""
    table = found.table
    frame = pd.DataFrame(
        {
            locale.text("prioritas.column_code", lang): table.index,
            locale.text("prioritas.column_name", lang): table["name"].to_numpy(),
            names[0]: table["rank_a"].astype("Float64").to_numpy(float, na_value=float("nan")),
            f"{names[1]} ": table["rank_b"].astype("Float64").to_numpy(float, na_value=float("nan")),
            locale.text("prioritas.column_group", lang): [
                locale.text(f"prioritas.group_{g}", lang, a=names[0], b=names[1]) for g in table["group"]
            ],
        }
    )
    return Sheet(locale.text("prioritas.sheet_comparison", lang), frame)


_ZONES = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00",
    "#F0E442", "#8C8C8C", "#7A4FA3", "#B5D33D", "#6B3200", "#0B5A60",
)  # fmt: skip
ZONE_COLOURS = {"light": _ZONES, "dark": _ZONES}
"""One colour per work zone."""


def zone_classes(zone: np.ndarray) -> np.ndarray:
    """Class of each area by its zone (1 …), within the colours there are."""
    return (np.asarray(zone) - 1) % len(ZONE_COLOURS["light"]) + 1
