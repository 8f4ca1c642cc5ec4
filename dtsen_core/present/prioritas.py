"""What the priority ranking says: rows of map and table, classes, sentences. Takes a `Ranked`, whose figures were
published before they were ranked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dtsen_core import locale
from dtsen_core.policy.priority_plan import Plan, Ranked
from dtsen_core.policy.priority_rules import Indicator, provincial_targets
from dtsen_core.present import numbers
from dtsen_core.present.peta_hover import Hover
from dtsen_core.regions import units

# Share of draws with a place in the top: lower edges of classes 1 … 5.
EDGES = (0.0, 0.01, 0.10, 0.50, 0.90)
COLOURS = {
    "light": ("#E9ECEA", "#F3DDB0", "#E3A63F", "#B96A10", "#6B3200"),
    "dark": ("#2B373B", "#5C4A22", "#966A1D", "#D69A3A", "#FFE0A3"),
}
ROBUST = 0.9


def value_text(indicator: Indicator, value: float, lang: str) -> str:
    """A figure as people write it; "–" where there is none."""
    if numbers.missing(value):
        return "–"
    if indicator.kind == "rate":
        return numbers.percent(value, lang, indicator.decimals)
    if indicator.format == "rupiah":
        return numbers.rupiah(value, lang)
    if indicator.kind == "count":
        return numbers.people(value, lang)
    return numbers.number(value, lang, indicator.decimals)


def gap_text(indicator: Indicator, gap: float, lang: str) -> str:
    """A distance between two figures of the indicator: of rates in points."""
    if indicator.kind == "rate":
        return f"{numbers.number(gap * 100, lang, indicator.decimals)} {locale.text('numbers.points', lang)}"
    return value_text(indicator, gap, lang)


def label(indicator: Indicator, lang: str) -> str:
    """Label with the period of a published figure: "Sanitasi layak (BPS), 2021"."""
    return f"{indicator.label[lang]}, {indicator.period}" if indicator.period else indicator.label[lang]


def klass(p_top: pd.Series) -> pd.Series:
    """Class 1 … 5 by the probability of a place in the top, 0 where there is none."""
    values = p_top.to_numpy(float)
    found = np.where(np.isnan(values), 0, np.searchsorted(np.array(EDGES), values, side="right"))
    return pd.Series(found, index=p_top.index)


def rank_text(row: pd.Series, lang: str) -> str:
    """Rank with its interval: "3 (1–7)"."""
    if pd.isna(row["rank"]):
        return locale.text("prioritas.no_rank", lang)
    return f"{row['rank']} ({row['low']}–{row['high']})"


def map_rows(ranked: Ranked) -> pd.DataFrame:
    """code, klass and doubt of every area."""
    table = ranked.table
    return pd.DataFrame({"code": table.index, "klass": klass(table["p_top"]).to_numpy(), "doubt": 0})


def one_hover(facts: np.ndarray, template: str, lang: str, missing: str = "prioritas.no_rank") -> Hover:
    """A hover whose areas share one template; those that lack a fact share one that says so."""
    known = np.isfinite(facts).all(axis=1)
    silent = "<b>%{properties.name}</b><br>" + locale.text(missing, lang)
    groups = [(np.flatnonzero(known), template), (np.flatnonzero(~known), silent)]
    return Hover(facts.astype("float32"), tuple(group for group in groups if len(group[0])))


@dataclass(frozen=True)
class Entry:
    klass: int
    label: str
    detail: str


def legend(ranked: Ranked, lang: str) -> list[Entry]:
    """Classes of the map from certain to impossible with the number of areas in each."""
    found = klass(ranked.table["p_top"])
    level = level_name(ranked.plan.level, lang)
    out = []
    for number in range(len(EDGES), 0, -1):
        name = locale.text(f"prioritas.class_{number}", lang)
        out.append(Entry(number, name, f"{int((found == number).sum())} {level}"))
    if (found == 0).any():
        out.append(Entry(0, locale.text("prioritas.class_0", lang), f"{int((found == 0).sum())} {level}"))
    return out


def level_name(level: str, lang: str) -> str:
    return locale.text(f"peta.level_{level}", lang)


def where(plan: Plan, lang: str) -> str:
    return units.label(plan.within)


def finding(ranked: Ranked, lang: str) -> str:
    """The title: who comes first, and how many of the top are there under nearly every plausible weighting."""
    table = ranked.table
    if table["rank"].isna().all():
        return locale.text("prioritas.finding_none", lang)
    first = table.iloc[0]
    return locale.text(
        "prioritas.finding", lang, top=ranked.top, robust=int(table["robust"].sum()),
        first=units.label(str(table.index[0])), low=int(first["low"]), high=int(first["high"]),
        level=level_name(ranked.plan.level, lang),
    )  # fmt: skip


def share_of_people(ranked: Ranked, column: str = "persons") -> float:
    """Share of the persons of all ranked areas who live in the top (NaN where unknown)."""
    table = ranked.table
    total = table[column].sum()
    return float(table.loc[table["rank"] <= ranked.top, column].sum() / total) if total > 0 else float("nan")


def table_view(ranked: Ranked, lang: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """(rank, name, interval, probability and score of the ranked areas, titles by column): numbers stay numbers
    where they sort."""
    table = ranked.table
    view = pd.DataFrame(index=table.index)
    view["rank"] = table["rank"].astype("Float32")
    view["name"] = table["name"]
    view["interval"] = [
        "–" if pd.isna(low) else f"{low}–{high}" for low, high in zip(table["low"], table["high"])
    ]  # fmt: skip
    view["p_top"] = (table["p_top"] * 100).round(0).astype("float32")
    view["score"] = table["score"].astype("float32")
    titles = {name: locale.text(f"prioritas.column_{name}", lang, top=ranked.top) for name in view}
    return view, titles


def quarters(frame: pd.DataFrame, rate: str, count: str, cut_rate: float) -> tuple[pd.DataFrame, float]:
    """(rate, count, quarter of each area with both; the count that divides them, their median).

    Quarters: ``hm`` high rate and many people, ``hf`` high and few, ``lm`` low and many, ``lf`` low and few.
    """
    known = frame[[rate, count]].dropna()
    cut = float(known[count].median()) if len(known) else float("nan")
    high, many = known[rate] >= cut_rate, known[count] >= cut
    names = high.map({True: "h", False: "l"}) + many.map({True: "m", False: "f"})
    return known.assign(quarter=names), cut


def quarter_sentence(known: pd.DataFrame, count: str, unit: str, lang: str) -> str:
    """How much of the total stands in the quarter of high rate and many people."""
    both = known[known["quarter"] == "hm"]
    total = known[count].sum()
    share = both[count].sum() / total if total > 0 else float("nan")
    return locale.text("prioritas.quarter_finding", lang, areas=len(both), unit=unit,
                       share=numbers.percent(share, lang, 0))  # fmt: skip


def change_sentences(ranked: Ranked, code: str, changes: Mapping[str, float], lang: str) -> list[str]:
    """What would have to change for the area `code` to enter or leave the top, one sentence per indicator."""
    row = ranked.table.loc[code]
    if pd.isna(row["rank"]):
        return [locale.text("prioritas.change_no_rank", lang, name=row["name"])]
    inside = int(row["rank"]) <= ranked.top
    if not changes:
        key = "prioritas.change_none_leave" if inside else "prioritas.change_none_enter"
        return [locale.text(key, lang, name=row["name"], top=ranked.top)]
    out = []
    for key, value in changes.items():
        i = ranked.indicators[key]
        out.append(
            locale.text(
                "prioritas.change_leave" if inside else "prioritas.change_enter", lang, name=row["name"],
                top=ranked.top, label=i.label[lang], now=value_text(i, float(ranked.data.at[code, key]), lang),
                then=value_text(i, value, lang),
            )
        )  # fmt: skip
    return out


def compare_list(ranked: Ranked, listed: set[str]) -> dict[str, list[str]]:
    """Codes in both the top and a given list, only in the top, only in the list (the latter in rank order)."""
    table = ranked.table
    top = [str(code) for code in table.index[(table["rank"] <= ranked.top).fillna(False)]]
    return {
        "both": [code for code in top if code in listed],
        "only_ours": [code for code in top if code not in listed],
        "only_listed": [str(code) for code in table.index if code in listed and code not in set(top)],
    }


def targets(ranked: Ranked) -> pd.DataFrame:
    """Distance to the target of every indicator that has one: key, own (whether to the target of each province rather
    than the nation's), target (NaN where own), met (areas), missed, unknown, worst (code), gap."""
    rows = []
    for item in ranked.plan.items:
        values, column = ranked.data[item.key], ranked.indicators[item.key].provincial
        wanted: list[tuple[bool, float | pd.Series]] = []
        if item.target is not None:
            wanted.append((False, item.target))
        if ranked.plan.level == "province" and column:
            wanted.append((True, provincial_targets()[column].reindex(values.index)))
        for own, target in wanted:
            gap = (values - target) * item.direction
            known = gap.dropna()
            if known.empty:
                continue
            rows.append({"key": item.key, "own": own, "target": float("nan") if own else item.target,
                         "met": int((known <= 0).sum()), "missed": int((known > 0).sum()),
                         "unknown": int(gap.isna().sum()), "worst": str(known.idxmax()),
                         "gap": float(known.max())})  # fmt: skip
    return pd.DataFrame(rows)
