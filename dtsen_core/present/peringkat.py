"""Sentences of the ranking page: findings, how long it took, the method note.

All numbers come from published tables; a sentence never names a suppressed area.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dtsen_core.locale import text
from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy.welfare import RankRequest
from dtsen_core.present import numbers
from dtsen_core.present.charts_rank import DECILES
from dtsen_core.present.keandalan import model_label
from dtsen_core.rank.experiment import Experiment
from dtsen_core.rank.methods import methods
from dtsen_core.registry.indicators import INDICATORS

SMALL_SAMPLE = 100
OWNED = "1"  # the code of "yes" for an asset
LOW = DECILES[:4]
KNOWN_MODELS = ("pmt_provinsi", "pmt_nasional", "indeks", "resmi")


@dataclass(frozen=True)
class Moves:
    """Shares of all families or persons ranked twice: same decile, moved up, moved down."""

    same: float
    up: float
    down: float


def model_name(model: str, lang: str) -> str:
    plan = Experiment.parse(model)
    if plan.base in KNOWN_MODELS or plan.base not in methods():
        name = text(f"peringkat.model_{plan.base if plan.base in KNOWN_MODELS else 'unggahan'}", lang)
    else:
        name = model_label(plan.base, lang)
    if not plan.changed:
        return name
    key = "peringkat.change_refit" if plan.refit else "peringkat.change_dropped"
    changes = [text(key, lang, count=len(plan.dropped))] if plan.dropped else []
    changes += [
        text("peringkat.change_weight", lang, group=text(f"peringkat.group_{group}", lang), weight=weight)
        for group, weight in plan.weights
    ]
    return text("peringkat.model_changed", lang, model=name, changes=", ".join(changes))


def ranking_name(request: RankRequest, lang: str) -> str:
    """Short name of one ranking: "model per provinsi, nasional, keluarga"."""
    scope, unit = text(f"peringkat.scope_{request.scope}", lang), text(f"peringkat.unit_{request.unit}", lang)
    return f"{model_name(request.model, lang)}, {scope}, {unit}".lower()


def shares(published: Published, unit: str) -> pd.DataFrame:
    """code, name, n, d1…d10 as fractions of the area's `unit` ("families" or "persons"), `low` = deciles
    1–4, `faint` = small sample.

    An area with a suppressed decile keeps only its published cells; its `low` is NaN unless all of
    deciles 1–4 and the whole are published.
    """
    frame = published.frame
    counts = frame[list(DECILES)].astype(float)
    ranked = counts.sum(axis=1, skipna=False)  # leaves out families without a decile
    whole = ranked.fillna(frame[unit].astype(float)).replace(0.0, np.nan)
    result = frame[["code", "name", "n"]].copy()
    result[list(DECILES)] = counts.div(whole, axis=0)
    result["low"] = counts[list(LOW)].sum(axis=1, skipna=False) / whole
    result["hidden"] = published.suppressed[list(DECILES)].any(axis=1)
    result["faint"] = ~(frame["n"].astype(float) >= SMALL_SAMPLE)
    return result


def marked(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with a * after the name of areas whose sample is small."""
    faint = ~(frame["n"].astype(float) >= SMALL_SAMPLE)
    return frame.assign(name=frame["name"].where(~faint, frame["name"] + " *"), faint=faint)


def select_areas(frame: pd.DataFrame, by: str, limit: int) -> pd.DataFrame:
    """Rows of `frame` sorted by `by` descending; if there are more than `limit`, the two ends of it."""
    ordered = frame.sort_values(by, ascending=False, na_position="last", kind="stable")
    if len(ordered) <= limit:
        return ordered
    known = ordered[ordered[by].notna()]
    head = limit // 2
    return pd.concat([known.iloc[:head], known.iloc[len(known) - (limit - head) :]]).drop_duplicates("code")


def decile_finding(frame: pd.DataFrame, request: RankRequest, place: str, lang: str) -> str:
    """The sentence above the decile bars. `frame` from `shares`."""
    known = frame.dropna(subset=["low"])
    unit = text(f"peringkat.unit_{request.unit}", lang).lower()
    if known.empty:
        return text("peringkat.finding_none", lang)
    if len(known) == 1:
        row = known.iloc[0]
        return text(
            "peringkat.finding_one",
            lang,
            name=row["name"],
            share=numbers.percent(row["low"], lang),
            unit=unit,
            scope=text(f"peringkat.within_{request.scope}", lang),
        )
    high, low = known.loc[known["low"].idxmax()], known.loc[known["low"].idxmin()]
    values = {
        "high": high["name"],
        "high_share": numbers.percent(high["low"], lang),
        "low": low["name"],
        "low_share": numbers.percent(low["low"], lang),
        "unit": unit,
        "place": place,
    }
    values["scope"] = text(f"peringkat.within_{request.scope}", lang)
    if evenly(request):
        return text(
            "peringkat.finding_by_definition", lang, level=text(f"peringkat.areas_{request.level}", lang), **values
        )
    return text("peringkat.finding_deciles", lang, **values)


def evenly(request: RankRequest) -> bool:
    """True where each listed area is made of whole scope areas, so that its deciles are tenths by definition."""
    breadth = {"national": 0, "province": 1, "regency": 2, "district": 3}
    return breadth[request.scope] >= breadth[request.level]


def class_finding(frame: pd.DataFrame, total: pd.Series, place: str, lang: str) -> str:
    """The sentence above the expected shares. `frame`: name, p0, p0_low, p0_high (published)."""
    known = frame.dropna(subset=["p0"])
    whole = numbers.percent(total.get("p0"), lang)
    if known.empty:
        return text("peringkat.finding_none", lang)
    high = known.loc[known["p0"].idxmax()]
    interval = numbers.interval(high["p0_low"], high["p0_high"], lang)
    key = "peringkat.finding_class_one" if len(known) == 1 else "peringkat.finding_class"
    return text(
        key,
        lang,
        name=high["name"],
        share=numbers.percent(high["p0"], lang),
        interval=interval,
        place=place,
        whole=whole,
    )


def moves(matrix: pd.DataFrame) -> Moves:
    """Shares on, below and above the diagonal of a 10 × 10 table of counts (rows: first ranking)."""
    counts = np.nan_to_num(matrix.to_numpy(float))
    whole = counts.sum()
    if whole <= 0:
        return Moves(float("nan"), float("nan"), float("nan"))
    same, up = float(np.trace(counts)), float(np.triu(counts, 1).sum())
    return Moves(same / whole, up / whole, float(np.tril(counts, -1).sum()) / whole)


def transition_finding(found: Moves, request: RankRequest, lang: str) -> str:
    unit = text(f"peringkat.unit_{request.unit}", lang).lower()
    return text(
        "peringkat.finding_moves",
        lang,
        unit=unit,
        same=numbers.percent(found.same, lang),
        up=numbers.percent(found.up, lang),
        down=numbers.percent(found.down, lang),
    )


def row_shares(matrix: pd.DataFrame) -> pd.DataFrame:
    """Each row of a 10 × 10 table of counts divided by its sum; suppressed cells stay NaN."""
    counts = matrix.astype(float)
    return counts.div(counts.sum(axis=1).replace(0.0, np.nan), axis=0)


def took(seconds: float, rows: float, families: float, lang: str) -> str:
    """How long the computation took over how many families."""
    decimals = 3 if seconds < 0.1 else 2
    return text(
        "peringkat.took",
        lang,
        seconds=numbers.number(seconds, lang, decimals),
        rows=numbers.number(rows, lang),
        families=numbers.number(families, lang),
    )


def method_note(request: RankRequest, version: str, as_of: str, simulated: bool, place: str, lang: str) -> list[str]:
    """Lines that travel with every download: label, version, date, unit, method, sources."""
    lines = [text("peringkat.note_simulated" if simulated else "peringkat.note_real", lang)]
    lines.append(text("peringkat.note_version", lang, version=version, as_of=numbers.date(as_of, lang)))
    lines.append(
        text(
            "peringkat.note_request",
            lang,
            model=model_name(request.model, lang),
            place=place,
            scope=text(f"peringkat.scope_{request.scope}", lang),
            unit=text(f"peringkat.unit_{request.unit}", lang),
            level=text(f"peringkat.level_{request.level}", lang),
        )
    )
    if request.line:
        lines.append(text("peringkat.note_line", lang, line=request.line))
    lines.append(text("peringkat.note_benchmark_on" if request.benchmark else "peringkat.note_benchmark_off", lang))
    lines += [text(f"peringkat.note_{k}", lang) for k in ("decile", "classes", "interval", "disclosure", "source")]
    return lines


def threshold_finding(thresholds: pd.DataFrame, lang: str) -> str:
    """Where deciles 2 and 10 begin in the first area that has both. `thresholds`: name, t1…t9 (thousandths)."""
    known = thresholds.dropna(subset=["t1", "t9"])
    if known.empty:
        return text("peringkat.finding_none", lang)
    row = known.iloc[0]
    return text(
        "peringkat.finding_thresholds",
        lang,
        name=row["name"],
        first=numbers.number(int(row["t1"]) / 1000, lang, 3),
        last=numbers.number(int(row["t9"]) / 1000, lang, 3),
    )


def example_scorecard() -> bytes:
    """A scorecard file to start from: every category of every indicator, with illustrative coefficients.

    Columns ``variable, category, coefficient`` (log units); assets owned count 0.1, everything else 0.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["variable", "category", "coefficient"])
    writer.writerow(["intercept", "", 13.8])
    for indicator in INDICATORS:
        for category in indicator.categories[1:]:
            if not category.merges:
                owned = indicator.group == "aset" and category.value == OWNED
                writer.writerow([indicator.name, category.value, 0.1 if owned else 0.0])
    return buffer.getvalue().encode("utf-8-sig")
