"""View-models of the method page: the chain in four steps, residuals, accuracy, fit, dictionary, glossary.

Functions take plain tables from `policy.method` (files, goals, fits: not about single people) or
published ones (matching, estimates against truth) and return display tables and sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dtsen_core.locale import has, text
from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy.method import FILE_COUNTS, Accuracy, Goal
from dtsen_core.present import numbers
from dtsen_core.present.peringkat_tables import Table, build
from dtsen_core.regions import units
from dtsen_core.registry.codelists import codelist
from dtsen_core.registry.fields import fields
from dtsen_core.registry.indicators import INDICATORS
from dtsen_core.registry.manifest import Manifest

TERMS = (
    "family",
    "household",
    "person",
    "decile",
    "score",
    "poverty_line",
    "p0",
    "p1",
    "gini",
    "classes",
    "pmt",
    "match",
    "ground_check",
    "quarantine",
    "weight",
    "benchmark",
    "suppressed",
)
ALL_PROVINCES = 255
DELIMITERS = {",": "comma", "|": "pipe", ";": "semicolon", "\t": "tab"}
CODE_SYSTEMS = {"kemendagri": "Kemendagri", "bps": "BPS"}
CIVIL_REGISTER = "dukcapil"
MEASURE_KINDS = {
    **dict.fromkeys(("p0", "p0_urban", "p0_rural", "sanitation", "water"), "percent2"),
    **dict.fromkeys(
        (
            "pkh_families",
            "sembako_families",
            "blt_families",
            "pbi_persons",
            "pbi_persons_d610",
            "uncovered_d15",
            "pip_pupils",
        ),
        "count",
    ),
    "mean_expenditure": "count",
}
SIGNED = {"percent2": "points", "count": "signed", "ratio": "signed3"}
GOAL_SLACK = 1e-9  # a difference equal to the accepted one is met, whatever the last binary digit
LEVEL_ORDER = ("national", "province", "regency", "district")


@dataclass(frozen=True)
class Step:
    """One step of the chain: its name, what it does, and the figures of this build."""

    title: str
    body: str
    value: str
    label: str


def word(name: str, lang: str) -> str:
    """The display word of a stored code ("level_nation" → "Nasional"); without one, the code as it is."""
    key = f"metode.{name}"
    return text(key, lang) if has(key) else name.split("_", 1)[1].replace("_", " ")


def _named(frame: pd.DataFrame, columns: Sequence[tuple[str, str, str | list[str]]]) -> Table:
    present = [(c, name, kind) for c, name, kind in columns if c in frame]
    return Table(pd.DataFrame({name: frame[c] for c, name, _ in present}), {name: kind for _, name, kind in present})


def steps(manifest: Manifest, files: pd.DataFrame, matches: pd.DataFrame | None, lang: str) -> list[Step]:
    """The four steps with this build's own counts; a missing table reads "not available"."""
    read = files["read"].sum() if len(files) else None
    matched = None
    if matches is not None:
        linked = matches[matches["source_name"] != CIVIL_REGISTER]
        matched = linked["matched"].sum(skipna=False) / (linked["records"].sum() or np.nan)
    households = manifest.survey_households or None
    values = (
        numbers.people(read, lang),
        numbers.percent(matched, lang),
        numbers.people(households, lang),
        numbers.people(manifest.registry_families, lang),
    )
    return [
        Step(
            text(f"metode.step{k}_title", lang),
            text(f"metode.step{k}_body", lang),
            value,
            text(f"metode.step{k}_label", lang),
        )
        for k, value in enumerate(values, 1)
    ]


def file_table(files: pd.DataFrame, lang: str) -> Table:
    """Physical lines per source file; "balance" says whether the four parts add up to the lines read."""
    frame = files.copy()
    frame["source"] = [word(f"source_{s}", lang) for s in frame["source"]]
    frame["path"] = [str(p).replace("\\", "/").rsplit("/", 1)[-1] for p in frame["path"]]
    parts = frame[list(FILE_COUNTS[1:])].sum(axis=1)
    frame["balance"] = [text("metode.yes" if ok else "metode.no", lang) for ok in parts == frame["read"]]
    columns = [("source", text("metode.col_source", lang), "text"), ("path", text("metode.col_file", lang), "text")]
    columns += [(c, text(f"metode.col_{c}", lang), "count") for c in FILE_COUNTS]
    columns += [("balance", text("metode.col_balance", lang), "text")]
    frame["encoding"] = frame["encoding"].str.upper()
    frame["delimiter"] = [word(f"delimiter_{DELIMITERS.get(d, d)}", lang) for d in frame["delimiter"]]
    frame["code_system"] = [CODE_SYSTEMS.get(c, "–") for c in frame["code_system"]]
    columns += [(c, text(f"metode.col_{c}", lang), "text") for c in ("encoding", "delimiter", "code_system")]
    return _named(frame, columns)


def file_finding(files: pd.DataFrame, lang: str) -> str:
    total = files[list(FILE_COUNTS)].sum()
    balanced = bool((files[list(FILE_COUNTS[1:])].sum(axis=1) == files["read"]).all())
    shown = {c: numbers.number(total[c], lang) for c in FILE_COUNTS}
    share = numbers.percent(total["quarantined"] / total["read"] if total["read"] else None, lang, 2)
    key = "metode.finding_files" if balanced else "metode.finding_files_unbalanced"
    return text(key, lang, files=numbers.number(len(files), lang), share=share, **shown)


def reason_word(code: object, lang: str) -> str:
    """Why lines were quarantined; the sentences belong to the room that does it."""
    key = f"integrate.{code}"
    return text(key, lang) if has(key) else str(code).replace("_", " ")


def reason_table(reasons: pd.DataFrame, lang: str) -> Table:
    frame = reasons.copy()
    frame["source"] = [word(f"source_{s}", lang) for s in frame["source"]]
    frame["reason"] = [reason_word(r, lang) for r in frame["reason"]]
    return _named(
        frame,
        [
            ("source", text("metode.col_source", lang), "text"),
            ("reason", text("metode.col_reason", lang), "text"),
            ("records", text("metode.col_quarantined_records", lang), "count"),
            ("lines", text("metode.col_lines", lang), "count"),
        ],
    )


def match_table(matches: Published, lang: str) -> Table:
    made = build(
        matches,
        [
            ("source_name", text("metode.col_source", lang), "text"),
            ("records", text("metode.col_records", lang), "count"),
            ("matched", text("metode.col_matched", lang), "count"),
            ("unmatched", text("metode.col_unmatched", lang), "count"),
            ("share", text("metode.col_share", lang), "percent"),
        ],
    )
    name = text("metode.col_source", lang)
    frame = made.frame.assign(**{name: [word(f"match_{s}", lang) for s in made.frame[name]]})
    return Table(frame, made.kinds, made.hidden)


def match_finding(matches: Published, lang: str) -> str:
    known = matches.frame.dropna(subset=["share"])
    known = known[known["source_name"] != CIVIL_REGISTER]
    if known.empty:
        return text("metode.nothing", lang)
    best, worst = known.loc[known["share"].idxmax()], known.loc[known["share"].idxmin()]
    return text(
        "metode.finding_match",
        lang,
        best=word(f"source_{best.source_name}", lang),
        best_share=numbers.percent(best["share"], lang),
        worst=word(f"source_{worst.source_name}", lang),
        worst_share=numbers.percent(worst["share"], lang),
    )


def kinds(calibration: pd.DataFrame) -> list[str]:
    """The blocks of the residual table: the simulated truth first, then the model's estimates."""
    return list(dict.fromkeys(calibration["kind"])) if "kind" in calibration else ["truth"]


def residuals(calibration: pd.DataFrame, kind: str, level: str | None, measure: str | None) -> pd.DataFrame:
    """Rows of one block, filtered, with `met`: True, False, or None where no goal is set."""
    frame = calibration[calibration["kind"] == kind] if "kind" in calibration else calibration
    if level is not None:
        frame = frame[frame["level"] == level]
    if measure is not None:
        frame = frame[frame["measure"] == measure]
    goal = pd.to_numeric(frame["goal"], errors="coerce")
    met = (frame["difference"].abs() <= goal + GOAL_SLACK).astype(object).where(goal.notna(), None)
    return frame.assign(met=met, goal=goal)


def goal_finding(frame: pd.DataFrame, kind: str, lang: str) -> str:
    judged = frame["met"].notna()
    key = "metode.finding_goals_estimate" if kind == "estimate" else "metode.finding_goals"
    return text(
        key,
        lang,
        met=numbers.number(int((frame["met"] == True).sum()), lang),  # noqa: E712
        all=numbers.number(int(judged.sum()), lang),
    )


def residual_table(frame: pd.DataFrame, kind: str, lang: str) -> Table:
    """Target, simulated truth (or estimate), difference and whether the goal is met, row by row."""
    shown = frame.reset_index(drop=True)
    kinds = [MEASURE_KINDS.get(m, "ratio") for m in shown["measure"]]
    signs = [SIGNED[kind] for kind in kinds]
    shown["level"] = [word(f"level_{v}", lang) for v in shown["level"]]
    shown["area"] = [area_name(code) for code in shown["code"]]
    shown["measure"] = [word(f"measure_{v}", lang) for v in shown["measure"]]
    shown["met"] = ["–" if m is None else text("metode.yes" if m else "metode.no", lang) for m in shown["met"]]
    value = "metode.col_estimated" if kind == "estimate" else "metode.col_simulated"
    return _named(
        shown,
        [
            ("level", text("metode.col_level", lang), "text"),
            ("area", text("metode.col_area", lang), "text"),
            ("measure", text("metode.col_measure", lang), "text"),
            ("target", text("metode.col_target", lang), kinds),
            ("value", text(value, lang), kinds),
            ("difference", text("metode.col_difference", lang), signs),
            ("goal", text("metode.col_allowed", lang), kinds),
            ("met", text("metode.col_met", lang), "text"),
        ],
    )


def accuracy_table(rows: list[Accuracy], goals: dict[str, Goal], lang: str) -> Table:
    """One row per level: slope, mean and largest error in percentage points, and whether the goal is met."""
    records = []
    for row in rows:
        goal = goals.get(row.level)
        met = None if goal is None else goal.met(row)
        records.append(
            {
                "level": word(f"level_{row.level}", lang),
                "areas": row.areas,
                "slope": row.slope,
                "mean_error": row.mean_error * 100,
                "max_error": row.max_error * 100,
                "worst": area_name(row.worst_code),
                "goal": "–" if goal is None else goal_text(goal, lang),
                "met": "–" if met is None else text("metode.yes" if met else "metode.no", lang),
            }
        )
    kinds = {"areas": "count", "slope": "ratio", "mean_error": "ratio", "max_error": "ratio"}
    names = ("level", "areas", "slope", "mean_error", "max_error", "worst", "goal", "met")
    columns = [(c, text(f"metode.col_{c}", lang), kinds.get(c, "text")) for c in names]
    return _named(pd.DataFrame.from_records(records, columns=list(names)), columns)


def goal_text(goal: Goal, lang: str) -> str:
    parts = []
    if goal.slope is not None:
        parts.append(text("metode.goal_slope", lang, value=numbers.number(goal.slope, lang, 2)))
    if goal.mean_error is not None:
        parts.append(text("metode.goal_mean", lang, value=numbers.number(goal.mean_error * 100, lang, 1)))
    if goal.max_error is not None:
        parts.append(text("metode.goal_max", lang, value=numbers.number(goal.max_error * 100, lang, 1)))
    return "; ".join(parts)


def accuracy_finding(rows: list[Accuracy], lang: str) -> str:
    found = {row.level: row for row in rows}
    nation, regency = found["national"], found["regency"]
    return text(
        "metode.finding_accuracy",
        lang,
        nation=numbers.number(nation.max_error * 100, lang, 2),
        slope=numbers.number(regency.slope, lang, 2),
        error=numbers.number(regency.mean_error * 100, lang, 2),
    )


def estimate_table(published: Published, lang: str) -> Table:
    return build(
        published,
        [
            ("name", text("metode.col_area", lang), "text"),
            ("code", text("metode.col_code", lang), "text"),
            ("n", text("metode.col_n", lang), "count"),
            ("truth", text("metode.col_truth", lang), "percent2"),
            ("estimate", text("metode.col_estimate", lang), "percent2"),
            ("low", text("metode.col_low", lang), "percent2"),
            ("high", text("metode.col_high", lang), "percent2"),
        ],
    )


def area_name(code: object) -> str:
    """Name of an area code; "Indonesia" for the nation, a dash for none."""
    digits = str(code or "")
    if digits in ("", "nan", "None"):
        return "–"
    return units.label(digits) if digits.isdigit() else "Indonesia"


def fit_table(fit: pd.DataFrame, lang: str) -> Table:
    """Households, parameters, R² and errors of exclusion and inclusion per model and province."""
    provinces = units.table("province")["name"]
    frame = fit.sort_values(["model", "province"], ascending=[False, True], ignore_index=True)
    frame["model_name"] = [word(f"model_{m}", lang) for m in frame["model"]]
    frame["area"] = [
        text("metode.all_provinces", lang) if int(p) == ALL_PROVINCES else provinces.iat[int(p)]
        for p in frame["province"]
    ]
    kinds = {
        "households": "count",
        "psus": "count",
        "parameters": "count",
        "r2": "ratio",
        "r2_heldout": "ratio",
        "inclusion_error_40": "percent",
        "exclusion_error_40": "percent",
    }
    columns = [("model_name", text("metode.col_model", lang), "text"), ("area", text("metode.col_area", lang), "text")]
    return _named(frame, columns + [(c, text(f"metode.col_{c}", lang), kind) for c, kind in kinds.items()])


def fit_finding(fit: pd.DataFrame, lang: str) -> str:
    local = fit[(fit["province"] != ALL_PROVINCES) & (fit["model"] == "pmt_provinsi")]
    if local.empty:
        return text("metode.nothing", lang)
    provinces = units.table("province")["name"]
    best, worst = local.loc[local["r2_heldout"].idxmax()], local.loc[local["r2_heldout"].idxmin()]
    return text(
        "metode.finding_fit",
        lang,
        median=numbers.number(local["r2_heldout"].median(), lang, 2),
        best=provinces.iat[int(best["province"])],
        best_r2=numbers.number(best["r2_heldout"], lang, 2),
        worst=provinces.iat[int(worst["province"])],
        worst_r2=numbers.number(worst["r2_heldout"], lang, 2),
    )


def dictionary(lang: str, query: str = "") -> Table:
    """The 100 delivered variables; `query` filters by any word in label, name, group or codes."""
    records = []
    for set_name in ("keluarga", "anggota"):
        for item in fields(set_name):
            codes = codelist(item.codelist).codes if item.codelist else ()
            records.append(
                {
                    text("metode.col_label", lang): item.label(lang),
                    text("metode.col_variable", lang): item.name,
                    text("metode.col_set", lang): word(f"set_{item.set}", lang),
                    text("metode.col_group", lang): word(f"group_{item.group}", lang),
                    text("metode.col_type", lang): word(f"type_{item.type}", lang),
                    text("metode.col_codes", lang): "; ".join(f"{c.value} = {c.label(lang)}" for c in codes),
                    text("metode.col_privacy", lang): word(f"privacy_{item.privacy}", lang),
                }
            )
    return _filtered(pd.DataFrame.from_records(records), query)


def indicator_table(lang: str, query: str = "") -> Table:
    """The 39 ranking indicators with their categories."""
    records = [
        {
            text("metode.col_indicator", lang): item.label(lang),
            text("metode.col_group", lang): word(f"indicator_group_{item.group}", lang),
            text("metode.col_categories", lang): "; ".join(c.label(lang) for c in item.categories),
        }
        for item in INDICATORS
    ]
    return _filtered(pd.DataFrame.from_records(records), query)


def _filtered(frame: pd.DataFrame, query: str) -> Table:
    words = query.lower().split()
    rows = frame.apply(lambda row: " ".join(map(str, row)).lower(), axis=1)
    for part in words:
        frame = frame[rows.loc[frame.index].str.contains(part, regex=False)]
    return Table(frame.reset_index(drop=True), dict.fromkeys(frame.columns, "text"))


def glossary(lang: str) -> list[tuple[str, str]]:
    """(term, meaning) in reading order."""
    return [(text(f"metode.term_{t}", lang), text(f"metode.meaning_{t}", lang)) for t in TERMS]


def build_facts(manifest: Manifest, lang: str) -> Table:
    """How fresh the build is: version, dates, seed, rows, code version, boundaries."""
    rows: list[tuple[str, str]] = [
        ("version", manifest.version),
        ("as_of", numbers.date(manifest.as_of, lang)),
        ("created", numbers.date(manifest.created, lang)),
        ("families", numbers.number(manifest.families, lang)),
        ("persons", numbers.number(manifest.persons, lang)),
        ("registry_families", numbers.number(manifest.registry_families, lang)),
        ("registry_persons", numbers.number(manifest.registry_persons, lang)),
        ("survey", numbers.number(manifest.survey_households or None, lang)),
        ("seed", str(manifest.seed) if manifest.seed is not None else "–"),
        ("seconds", numbers.number(sum(manifest.stages.values()) or None, lang)),
        ("code", manifest.code_version or "–"),
        ("boundaries", manifest.boundary_hash or "–"),
    ]
    frame = pd.DataFrame(
        {
            text("metode.col_fact", lang): [text(f"metode.fact_{k}", lang) for k, _ in rows],
            text("metode.col_value", lang): [v for _, v in rows],
        }
    )
    return Table(frame, dict.fromkeys(frame.columns, "text"))
