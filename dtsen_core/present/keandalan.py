"""What the reliability page says: labels, sentences computed from the figures, tables behind the charts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dtsen_core.locale import LANGS, has, text
from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy.map_indicators import MapIndicator
from dtsen_core.present import numbers, peta, peta_hover
from dtsen_core.present.mutu_area import Where
from dtsen_core.present.peringkat_tables import Table, build
from dtsen_core.rank.household_types import household_types
from dtsen_core.rank.methods import baseline
from dtsen_core.regions import units
from dtsen_core.registry.indicators import INDICATORS

CLASSES = 5
GOOD = 0.05  # a guess is called not lopsided when no group strays more than this (log units)


def model_label(name: str, lang: str) -> str:
    """The words for a model; its own name where it is not one of ours."""
    key = f"keandalan.model_{name}"
    return text(key, lang) if has(key) else name


def indicator_label(name: str, lang: str) -> str:
    found = {indicator.name: indicator for indicator in INDICATORS}
    return found[name].label(lang) if name in found else name


def group_label(kind: str, group: str, lang: str) -> str:
    """The words for a group of survey households."""
    if kind == "type":
        return {t.name: t.label(lang) for t in household_types()}[group]
    if kind == "area":
        label = text(f"keandalan.area_{group}", lang)
        return label[:1].upper() + label[1:]
    return text("keandalan.whole_country", lang) if group == units.NATION else units.name(group)


def at_cut(frame: pd.DataFrame, cut: int, kind: str = "all") -> pd.DataFrame:
    """Rows of one cut-off (tenths) and one kind of group."""
    return frame[(frame["kind"] == kind) & np.isclose(frame["cut"], cut / 10)].reset_index(drop=True)


def contest(frame: pd.DataFrame, cut: int, lang: str) -> pd.DataFrame:
    """Models of the tournament at one cut-off, fewest missed first, with `label`."""
    rows = at_cut(frame, cut).sort_values("exclusion", ignore_index=True)
    return rows.assign(label=[model_label(name, lang) for name in rows["model"]])


def contest_finding(rows: pd.DataFrame, cut: int, lang: str) -> str:
    """Who misses the fewest, and whether the range of its lead over the baseline excludes zero."""
    best = rows.iloc[0]
    words = {
        "best": best["label"], "cut": numbers.percent(cut / 10, lang, 0), "base": model_label(baseline(), lang).lower(),
        "value": numbers.percent(best["exclusion"], lang, 2),
    }  # fmt: skip
    if best["gain_low"] <= 0:
        return text("keandalan.finding_tournament_even", lang, **words)
    return text(
        "keandalan.finding_tournament_ahead", lang, **words,
        gain=f"{numbers.number(100 * best['gain'], lang, 2)} {text('numbers.points', lang)}",
        low=numbers.number(100 * best["gain_low"], lang, 2), high=numbers.number(100 * best["gain_high"], lang, 2),
    )  # fmt: skip


def contest_table(rows: pd.DataFrame, lang: str) -> Table:
    columns = {
        "label": ("col_model", "text"), "r2_heldout": ("col_r2", "ratio"), "inclusion": ("col_inclusion", "percent2"),
        "exclusion": ("col_exclusion", "percent2"), "exclusion_low": ("col_low", "percent2"),
        "exclusion_high": ("col_high", "percent2"), "gain": ("col_gain", "points"),
        "gain_low": ("col_gain_low", "points"), "gain_high": ("col_gain_high", "points"),
    }  # fmt: skip
    return _table(rows, columns, lang)


def _table(rows: pd.DataFrame, columns: dict[str, tuple[str, str]], lang: str) -> Table:
    names = {column: text(f"keandalan.{key}", lang) for column, (key, _) in columns.items()}
    frame = rows[list(columns)].rename(columns=names).reset_index(drop=True)
    return Table(frame, {names[column]: kind for column, (_, kind) in columns.items()})


def curve_finding(rows: pd.DataFrame, cut: int, lang: str) -> str:
    """Errors of one model at the chosen cut-off, and the exclusion error at both ends."""
    here = rows[np.isclose(rows["cut"], cut / 10)].iloc[0]
    return text(
        "keandalan.finding_trust", lang, cut=numbers.percent(cut / 10, lang, 0),
        exclusion=numbers.percent(here["exclusion"], lang), inclusion=numbers.percent(here["inclusion"], lang),
        low=numbers.percent(rows["exclusion"].iloc[0], lang), high=numbers.percent(rows["exclusion"].iloc[-1], lang),
    )  # fmt: skip


def groups_of(frame: pd.DataFrame, model: str, kind: str, cut: int, lang: str) -> pd.DataFrame:
    """Groups of one kind under one model, most missed first, with `label`."""
    rows = at_cut(frame[frame["model"] == model], cut, kind).dropna(subset=["exclusion"])
    rows = rows.sort_values("exclusion", ascending=False, ignore_index=True)
    return rows.assign(label=[group_label(kind, group, lang) for group in rows["group"]])


def groups_finding(rows: pd.DataFrame, cut: int, lang: str) -> str:
    worst, best = rows.iloc[0], rows.iloc[-1]
    return text(
        "keandalan.finding_groups", lang, cut=numbers.percent(cut / 10, lang, 0), worst=worst["label"],
        worst_value=numbers.percent(worst["exclusion"], lang), best=best["label"],
        best_value=numbers.percent(best["exclusion"], lang),
    )  # fmt: skip


def error_table(rows: pd.DataFrame, first: tuple[str, str], lang: str) -> Table:
    """Errors with ranges; `first`: the leading column and the key of its title."""
    columns = {
        first[0]: (first[1], "percent" if first[0] == "cut" else "text"), "households": ("col_households", "count"),
        "inclusion": ("col_inclusion", "percent2"), "exclusion": ("col_exclusion", "percent2"),
        "exclusion_low": ("col_low", "percent2"), "exclusion_high": ("col_high", "percent2"),
    }  # fmt: skip
    return _table(rows, columns, lang)


def calibration_finding(rows: pd.DataFrame, model: str, lang: str) -> str:
    gap = float((rows["observed"] - rows["predicted"]).abs().max())
    key = "keandalan.finding_calibration_good" if gap <= GOOD else "keandalan.finding_calibration_bad"
    return text(key, lang, model=model_label(model, lang), gap=numbers.percent(np.expm1(gap), lang))


def calibration_table(rows: pd.DataFrame, lang: str) -> Table:
    shown = rows.assign(**{name: np.exp(rows[name]) for name in ("predicted", "observed", "low", "high")})
    columns = {
        "predicted": ("col_predicted", "rupiah"), "observed": ("col_observed", "rupiah"), "low": ("col_low", "rupiah"),
        "high": ("col_high", "rupiah"), "households": ("col_households", "count"),
    }  # fmt: skip
    return _table(shown, columns, lang)


# -- uncertainty -------------------------------------------------------------------------------------------


def _both(key: str) -> dict[str, str]:
    return {lang: text(key, lang) for lang in LANGS}


def _measures() -> tuple[MapIndicator, MapIndicator]:
    rate = MapIndicator(
        key="band", group="keandalan", label=_both("keandalan.band_label"), short=_both("keandalan.band_short"),
        unit=_both("keandalan.band_of"), kind="rate", column="band_share", partner="band_count", better="low",
        scale="need", decimals=1, breaks="level", classify="natural", base="", numerator="band",
        denominator="families",
    )  # fmt: skip
    count = MapIndicator(
        key="band_count", group="keandalan", label=rate.label, short=rate.short, unit=_both("keandalan.unit_band"),
        kind="count", column="band", partner="band", better="low", scale="need", decimals=0, breaks="level",
        classify="natural", base="",
    )  # fmt: skip
    return rate, count


def where(published: Published, lang: str) -> Where:
    """Coin-flip share of areas as rows, classes and legend of the map."""
    rate, count = _measures()
    areas = peta.Areas.of([published], lang)
    found = peta.make_classes(areas.frame["band_share"].to_numpy(float), CLASSES, "natural", rate.decimals + 2)
    rows = peta.rows(areas, rate, found, lang, sampled=False, partner=count, size="families")
    legend = peta.legend(rows, rate, found, lang, count)
    return Where(rate, count, rows, legend, areas.reasons, areas.frame, areas.hidden)


def hover(found: Where, lang: str) -> peta_hover.Hover:
    """Hover of the map: name, share and number of coin-flip families, rank, families."""
    count = int(found.rows["value"].notna().sum())

    def words(tokens: Mapping[str, str]) -> str:
        return text("keandalan.hover_band", lang, count=numbers.number(count, lang), value=tokens["value"],
                    part=tokens["partner"], rank=tokens["rank"], base=tokens["size"])  # fmt: skip

    return peta_hover.make(found.rows, found.rate, found.count, words, lang)


def uncertainty_finding(total: pd.Series, cut: int, lang: str) -> str:
    """`total`: families, band, wrong of everything asked for."""
    return text(
        "keandalan.finding_uncertainty", lang, cut=numbers.percent(cut / 10, lang, 0),
        band=numbers.people(total["band"], lang), families=numbers.people(total["families"], lang),
        share=numbers.percent(total["band"] / total["families"], lang), wrong=numbers.people(total["wrong"], lang),
        wrong_share=numbers.percent(total["wrong"] / total["families"], lang),
    )  # fmt: skip


def where_finding(found: Where, lang: str) -> str:
    """The areas with the largest and the smallest share; empty where fewer than two are shown."""
    ends = peta.extremes(found.rows)
    if ends is None:
        return ""
    return text(
        "keandalan.finding_where", lang, top=ends.top["name"], top_value=ends.top["value_text"],
        bottom=ends.bottom["name"], bottom_value=ends.bottom["value_text"],
    )  # fmt: skip


def area_table(published: Published, lang: str) -> Table:
    columns = [("name", "col_area", "text"), ("code", "col_code", "text"), ("n", "col_n", "count"),
               ("families", "col_families", "count"), ("band", "col_band", "count"),
               ("band_share", "col_share", "percent"),
               ("wrong", "col_wrong", "count"), ("wrong_share", "col_wrong_share", "percent")]  # fmt: skip
    return build(published, [(c, text(f"keandalan.{key}", lang), kind) for c, key, kind in columns])


# -- planner -----------------------------------------------------------------------------------------------


def planner_finding(visits: float, removed: float, random: float, lang: str) -> str:
    if visits <= 0 or removed <= 0:
        return text("keandalan.planner_none", lang)
    return text(
        "keandalan.finding_planner", lang, visits=numbers.people(visits, lang), removed=numbers.people(removed, lang),
        times=numbers.number(removed / random, lang, 1),
    )  # fmt: skip


def planner_cost(visits: float, removed: float, cost: float, districts: int, lang: str) -> str:
    per = visits * cost / removed if removed else float("nan")
    return text("keandalan.planner_cost", lang, cost=numbers.rupiah(visits * cost, lang), per=numbers.rupiah(per, lang),
                districts=numbers.number(districts, lang))  # fmt: skip


def plan_table(published: Published, lang: str) -> Table:
    columns = [("name", "col_area", "text"), ("parent", "col_parent", "text"), ("code", "col_code", "text"),
               ("families", "col_families", "count"), ("visits", "col_visits", "count"),
               ("removed", "col_removed", "count"), ("per_visit", "col_per_visit", "ratio")]  # fmt: skip
    return build(published, [(c, text(f"keandalan.{key}", lang), kind) for c, key, kind in columns])


# -- robustness --------------------------------------------------------------------------------------------


def stability_finding(frame: pd.DataFrame, draws: int, lang: str) -> str:
    known = frame.dropna(subset=["same_fifth"])
    return text(
        "keandalan.finding_stability", lang, stable=int((known["same_fifth"] >= 0.9).sum()), areas=len(known),
        draws=numbers.number(draws, lang), width=numbers.number(known["width"].median(), lang),
    )  # fmt: skip


def stability_table(published: Published, lang: str) -> Table:
    columns = [("name", "col_area", "text"), ("code", "col_code", "text"), ("families", "col_families", "count"),
               ("rank", "col_rank", "count"), ("rank_low", "col_low", "count"), ("rank_high", "col_high", "count"),
               ("same_fifth", "col_same", "percent")]  # fmt: skip
    return build(published, [(c, text(f"keandalan.{key}", lang), kind) for c, key, kind in columns])


def losses(frame: pd.DataFrame, place: str, lang: str) -> pd.DataFrame:
    """Questions by fall of R² (points) in one province or the nation, largest first: label, loss, unexplained."""
    rows = frame[(frame["province"] == place) & (frame["indicator"] != "")]
    rows = rows.sort_values("loss", ascending=False, ignore_index=True)
    labels = [indicator_label(name, lang) for name in rows["indicator"]]
    return rows.assign(label=labels, loss=100 * rows["loss"])


def losses_finding(rows: pd.DataFrame, place: str, lang: str) -> str:
    return text(
        "keandalan.finding_ablation", lang, place=group_label("province", place, lang), first=rows["label"].iloc[0],
        value=f"{numbers.number(rows['loss'].iloc[0], lang, 2)} {text('numbers.points', lang)}",
    )  # fmt: skip


def losses_table(rows: pd.DataFrame, lang: str) -> Table:
    return _table(rows, {"label": ("col_indicator", "text"), "loss": ("col_loss", "ratio")}, lang)


def shortest(frame: pd.DataFrame, bound: float) -> pd.Series:
    """The shortest questionnaire of which it and every longer one miss at most `bound` (fraction) more."""
    rows = frame.sort_values("questions", ascending=False, ignore_index=True)
    fine = rows["exclusion"] <= rows["exclusion"].iloc[0] + bound
    return rows.loc[int(fine.cummin().sum()) - 1]


def short_finding(frame: pd.DataFrame, chosen: pd.Series, bound: float, lang: str) -> str:
    full = frame.sort_values("questions").iloc[-1]
    return text(
        "keandalan.finding_short", lang, count=int(chosen["questions"]), all=int(full["questions"]),
        bound=f"{numbers.number(100 * bound, lang, 1)} {text('numbers.points', lang)}",
        full=numbers.percent(full["exclusion"], lang, 2), value=numbers.percent(chosen["exclusion"], lang, 2),
    )  # fmt: skip


def short_kept(chosen: pd.Series, lang: str) -> str:
    names = ", ".join(indicator_label(name, lang) for name in str(chosen["kept"]).split(","))
    return text("keandalan.short_kept", lang, names=names)


def short_table(frame: pd.DataFrame, lang: str) -> Table:
    rows = frame.assign(label=[indicator_label(name, lang) or "–" for name in frame["dropped"]])
    return _table(rows, {
        "questions": ("col_questions", "count"), "label": ("col_dropped", "text"), "r2": ("col_r2", "ratio"),
        "exclusion": ("col_exclusion", "percent2"),
    }, lang)  # fmt: skip
