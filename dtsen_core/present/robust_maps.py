"""Maps of robustness: where ranks waver under other weights, and which question matters where.

Every map is a `Shading`: the class of each area with its legend, hover and finding; all figures come from published
tables, and an area without a figure is grey and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dtsen_core.locale import text
from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.present import numbers, theme
from dtsen_core.present.keandalan import indicator_label
from dtsen_core.present.peringkat import SMALL_SAMPLE
from dtsen_core.present.peringkat_tables import Table
from dtsen_core.present.peta_classes import Classes, make_classes
from dtsen_core.present.peta_hover import Hover
from dtsen_core.regions import units
from dtsen_core.registry.indicators import INDICATORS

CLASSES = 5
NAMED = len(theme.QUALITATIVE)  # questions with a colour of their own; the rest share a quiet one
REST = "#E4DCCB"
ANY = "terkuat"  # code of "whichever question moves an area most"
PLACES, LOSS = "places", "loss"
QUESTIONS = tuple(indicator.name for indicator in INDICATORS)


@dataclass(frozen=True)
class Shading:
    """`rows`: code, klass (0: no figure), doubt; `colours` of classes 1…; `legend`: (class, label, areas)."""

    title: str
    finding: str
    rows: pd.DataFrame
    hover: Hover
    colours: tuple[str, ...]
    legend: list[tuple[int, str, int]]


def waver(frame: pd.DataFrame, lang: str, mode: str) -> Shading:
    """Width of the range of ranks over random weightings. `frame`: published `robustness.rank_stability`."""
    values = frame["width"].to_numpy(float)
    found = make_classes(values, CLASSES, "natural", 0)
    known = frame.dropna(subset=["width"])
    finding = text("robust_maps.none", lang)
    if len(known):
        top, low = known.loc[known["width"].idxmax()], known.loc[known["width"].idxmin()]
        finding = text(
            "robust_maps.finding_waver", lang, top=top["name"], top_low=numbers.number(top["rank_low"], lang),
            top_high=numbers.number(top["rank_high"], lang), low=low["name"],
            low_width=numbers.number(low["width"], lang),
        )  # fmt: skip
    facts = frame[["rank", "rank_low", "rank_high", "same_fifth"]].to_numpy(dtype=object)
    told = text("robust_maps.hover_waver", lang, rank="%{customdata[0]:.0f}", low="%{customdata[1]:.0f}",
                high="%{customdata[2]:.0f}", same="%{customdata[3]:.0%}")  # fmt: skip
    return Shading(
        text("robust_maps.title_waver", lang), finding, _rows(frame, found.assign(values)),
        _hover(facts, np.isnan(values), told, lang), tuple(map_rules().scales["need"][mode]),
        _class_legend(found, values, lang, lambda edge: numbers.number(edge, lang)),
    )  # fmt: skip


def decisive(frame: pd.DataFrame, lang: str) -> Shading:
    """The question whose absence moves each area's rank most. `frame`: published `robustness.rank_ablation`."""
    shifts = frame[list(QUESTIONS)].to_numpy(float)
    hidden = np.isnan(shifts).any(axis=1)
    size = np.where(hidden[:, None], 0.0, np.abs(shifts))
    best = size.argmax(axis=1)
    still = ~hidden & (size.max(axis=1) == 0)
    counted = np.bincount(best[~hidden & ~still], minlength=len(QUESTIONS))
    order = [int(j) for j in np.argsort(-counted, kind="stable") if counted[j]]
    named = order[:NAMED]
    klass_of = {j: k for k, j in enumerate(named, start=1)}
    klass = np.array([0 if h or s else klass_of.get(j, NAMED + 1) for j, h, s in zip(best, hidden, still)])
    facts = np.empty((len(frame), 4), dtype=object)
    rank = frame["rank"].to_numpy(float)
    for at, j in enumerate(best):
        moved = shifts[at, j]
        facts[at] = (indicator_label(QUESTIONS[j], lang), rank[at], rank[at] + moved, abs(moved))
    told = text("robust_maps.hover_decisive", lang, question="%{customdata[0]}", rank="%{customdata[1]:.0f}",
                other="%{customdata[2]:.0f}")  # fmt: skip
    finding = text("robust_maps.none", lang)
    if order:
        first = order[0]
        finding = text(
            "robust_maps.finding_decisive", lang, question=indicator_label(QUESTIONS[first], lang),
            count=numbers.number(counted[first], lang), areas=numbers.number((~hidden).sum(), lang),
            places=numbers.number(np.median(size[~hidden].max(axis=1)), lang),
        )  # fmt: skip
    legend = [(k, indicator_label(QUESTIONS[j], lang), int(counted[j])) for k, j in enumerate(named, start=1)]
    rest = int(counted[order[NAMED:]].sum())
    if rest:
        legend.append((NAMED + 1, text("robust_maps.other_questions", lang), rest))
    legend.append((0, text("robust_maps.no_figure", lang), int((klass == 0).sum())))
    return Shading(
        text("robust_maps.title_decisive", lang), finding, _rows(frame, klass), _hover(facts, hidden, told, lang),
        (*theme.QUALITATIVE, REST), legend,
    )  # fmt: skip


def moved(frame: pd.DataFrame, question: str, lang: str) -> Shading:
    """Places by which each area's rank changes without one question; five classes around no change. `frame` as
    for `decisive`."""
    values = frame[question].to_numpy(float)
    name = indicator_label(question, lang)
    known = np.abs(values[~np.isnan(values)])
    large = max(float(np.ceil(np.quantile(known, 0.9))), 2.0) if len(known) else 2.0
    small = max(float(np.ceil(large / 4)), 1.0)
    edges = np.array([-large + 0.5, -small + 0.5, small - 0.5, large - 0.5])
    klass = np.where(np.isnan(values), 0, np.searchsorted(edges, np.nan_to_num(values)) + 1)
    finding = text("robust_maps.finding_still", lang, question=name)
    if len(known) and known.max() > 0:
        top = frame.loc[frame[question].abs().idxmax()]
        finding = text(
            "robust_maps.finding_moved", lang, question=name, top=top["name"],
            rank=numbers.number(top["rank"], lang), other=numbers.number(top["rank"] + top[question], lang),
            half=numbers.number(np.median(known), lang),
        )  # fmt: skip
    facts = np.column_stack([frame["rank"], frame["rank"] + frame[question]]).astype(object)
    told = text("robust_maps.hover_moved", lang, rank="%{customdata[0]:.0f}", other="%{customdata[1]:.0f}")
    a, b = (numbers.number(edge, lang) for edge in (small, large))
    words = [
        text("robust_maps.no_figure", lang), text("robust_maps.falls_much", lang, large=b),
        text("robust_maps.falls", lang, small=a, large=b), text("robust_maps.stays", lang, small=a),
        text("robust_maps.rises", lang, small=a, large=b), text("robust_maps.rises_much", lang, large=b),
    ]  # fmt: skip
    counts = np.bincount(klass, minlength=6)
    return Shading(
        text("robust_maps.title_moved", lang, question=name), finding, _rows(frame, klass),
        _hover(facts, np.isnan(values), told, lang), theme.DIVERGING,
        [(k, words[k], int(counts[k])) for k in (1, 2, 3, 4, 5, 0)],
    )  # fmt: skip


def loss(frame: pd.DataFrame, question: str, lang: str, mode: str) -> Shading:
    """Points of held-out R² that each province loses without `question`, or without its most important one (`ANY`).
    `frame`: `robustness.ablation`."""
    asked = frame[(frame["province"] != units.NATION) & (frame["indicator"] != "")]
    if question != ANY:
        asked = asked[asked["indicator"] == question]
    best = asked.loc[asked.groupby("province")["loss"].idxmax()].set_index("province")
    table = units.table("province")[["code", "name"]].copy()
    table["loss"] = 100 * best["loss"].reindex(table["code"]).to_numpy(float)
    table["n"] = SMALL_SAMPLE  # the survey has its own sample, told in the note; no area is pale
    values = table["loss"].to_numpy(float)
    found = make_classes(values, CLASSES, "natural", 1)
    said = best["indicator"].reindex(table["code"]).fillna("")
    facts = np.empty((len(table), 2), dtype=object)
    facts[:, 0], facts[:, 1] = values, [indicator_label(name, lang) for name in said]
    told = text("robust_maps.hover_loss", lang, loss="%{customdata[0]:.2f}", question="%{customdata[1]}")
    known = table.dropna(subset=["loss"])
    finding = text("robust_maps.none", lang)
    if len(known):
        top, low = known.loc[known["loss"].idxmax()], known.loc[known["loss"].idxmin()]
        finding = text(
            "robust_maps.finding_loss", lang, question=_question(question, lang), top=top["name"],
            top_loss=numbers.number(top["loss"], lang, 1), low=low["name"],
            low_loss=numbers.number(low["loss"], lang, 1),
        )  # fmt: skip
    return Shading(
        text("robust_maps.title_loss", lang, question=_question(question, lang)), finding,
        _rows(table, found.assign(values)), _hover(facts, np.isnan(values), told, lang),
        tuple(map_rules().scales["need"][mode]),
        _class_legend(found, values, lang, lambda edge: numbers.number(edge, lang, 1)),
    )  # fmt: skip


def decisive_table(frame: pd.DataFrame, question: str, lang: str) -> Table:
    """The table behind `decisive` (`ANY`) or `moved`: rank, rank without the question, places moved; largest first."""
    shifts = frame[list(QUESTIONS)].to_numpy(float)
    if question == ANY:
        best = np.where(np.isnan(shifts), -1.0, np.abs(shifts)).argmax(axis=1)
    else:
        best = np.full(len(frame), QUESTIONS.index(question))
    by = shifts[np.arange(len(frame)), best]
    names = {key: text(f"robust_maps.col_{key}", lang) for key in
             ("area", "code", "families", "question", "rank", "without", "places")}  # fmt: skip
    table = pd.DataFrame({
        names["area"]: frame["name"], names["code"]: frame["code"], names["families"]: frame["families"],
        names["question"]: [indicator_label(QUESTIONS[j], lang) if not np.isnan(v) else "–" for j, v in zip(best, by)],
        names["rank"]: frame["rank"], names["without"]: frame["rank"] + by, names["places"]: by,
    })  # fmt: skip
    kinds: dict[str, str | list[str]] = dict.fromkeys(names.values(), "count")
    kinds |= dict.fromkeys((names["area"], names["code"], names["question"]), "text") | {names["places"]: "signed"}
    order = table[names["places"]].abs().sort_values(ascending=False, na_position="last").index
    return Table(table.loc[order].reset_index(drop=True), kinds)


def _question(question: str, lang: str) -> str:
    return text("robust_maps.any_question", lang) if question == ANY else indicator_label(question, lang)


def _rows(frame: pd.DataFrame, klass: np.ndarray) -> pd.DataFrame:
    few = frame["n"].astype(float).fillna(0).to_numpy() < SMALL_SAMPLE
    return pd.DataFrame({"code": frame["code"], "klass": klass, "doubt": few.astype(int)})


def _hover(facts: np.ndarray, hidden: np.ndarray, told: str, lang: str) -> Hover:
    groups = [(np.flatnonzero(~hidden), told), (np.flatnonzero(hidden), text("robust_maps.hover_none", lang))]
    clean = facts.copy()
    clean[pd.isna(clean)] = None
    return Hover(clean, tuple(group for group in groups if len(group[0])))


def _class_legend(found: Classes, values: np.ndarray, lang: str,
                  write: Callable[[float], str]) -> list[tuple[int, str, int]]:  # fmt: skip
    counts = np.bincount(found.assign(values).astype(int), minlength=found.count + 1)
    edges = [write(edge) for edge in found.edges]
    legend = []
    for klass in range(1, found.count + 1):
        low = edges[klass - 2] if klass > 1 else None
        high = edges[klass - 1] if klass < found.count else None
        label = f"< {high}" if low is None else f"≥ {low}" if high is None else f"{low} – <{high}"
        legend.append((klass, label, int(counts[klass])))
    return [*legend, (0, text("robust_maps.no_figure", lang), int(counts[0]))]
