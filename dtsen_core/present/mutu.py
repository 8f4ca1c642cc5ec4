"""Sentences and tables of the quality page, from published tables only; a hidden figure is never in a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from dtsen_core.locale import has, text
from dtsen_core.oversight.disclosure import Published
from dtsen_core.policy.quality.content import BANDS
from dtsen_core.policy.quality.measures import PASSES
from dtsen_core.present import metode, numbers
from dtsen_core.present.mutu_area import word
from dtsen_core.present.peringkat_tables import Table, build
from dtsen_core.registry.fields import fields

SHARES = ("quarantined", "linked", "missing", "stale", "gap")
WORST, TELLING = 15, 100  # rows of the chart of accuracy, and records that a row of it rests on


@dataclass(frozen=True)
class Figure:
    """One number of the row under the title: label, value, and what it refers to."""

    label: str
    value: str
    note: str = ""


def source_word(source: str, lang: str) -> str:
    """Name of a register or of the kind of its file; "all" for all of them."""
    return text("mutu.all_sources", lang) if source in ("all", "") else metode.word(f"source_{source}", lang)


def variable_word(variable: str, lang: str) -> str:
    """Label of a variable in the field dictionary."""
    for set_name in ("keluarga", "anggota"):
        for field in fields(set_name):
            if field.name == variable:
                return field.label(lang)
    return variable.replace("_", " ")


def _share(part: float, base: float) -> float:
    return part / base if base else float("nan")


def _figure(name: str, value: str, lang: str, **params: object) -> Figure:
    return Figure(text(f"mutu.figure_{name}", lang), value, text(f"mutu.note_{name}", lang, **params))


def _columns(lang: str, *columns: tuple[str, str]) -> list[tuple[str, str, str]]:
    return [(column, text(f"mutu.col_{column}", lang), kind) for column, kind in columns]


def _worded(made: Table, column: str, words: list[str]) -> Table:
    return Table(made.frame.assign(**{column: words}), made.kinds, made.hidden)


# -- reading -----------------------------------------------------------------------------------------------


def reading_finding(account: Published, lang: str) -> str:
    total = account.frame[["read", "header", "blank", "accepted", "quarantined"]].sum()
    whole = total[["header", "blank", "accepted", "quarantined"]].sum() == total["read"]
    return text(
        "mutu.finding_reading" if whole else "mutu.finding_reading_unbalanced", lang,
        read=numbers.people(total["read"], lang), quarantined=numbers.people(total["quarantined"], lang),
        share=numbers.percent(_share(total["quarantined"], total["read"]), lang),
    )  # fmt: skip


def reading_figures(account: Published, lang: str) -> list[Figure]:
    total = account.frame[["files", "read", "accepted", "quarantined", "mended"]].sum()
    share = numbers.percent(_share(total["accepted"], total["read"]), lang)
    return [
        _figure("read", numbers.people(total["read"], lang), lang, files=numbers.number(total["files"], lang)),
        _figure("accepted", numbers.people(total["accepted"], lang), lang, share=share),
        _figure("quarantined", numbers.people(total["quarantined"], lang), lang,
                share=numbers.percent(_share(total["quarantined"], total["read"]), lang)),
        _figure("mended", numbers.people(total["mended"], lang), lang),
    ]  # fmt: skip


def account_table(account: Published, lang: str) -> Table:
    columns = _columns(
        lang, ("source", "text"), ("files", "count"), ("read", "count"), ("header", "count"), ("blank", "count"),
        ("accepted", "count"), ("quarantined", "count"), ("mended", "count"),
    )  # fmt: skip
    made = build(account, columns)
    return _worded(made, text("mutu.col_source", lang), [source_word(s, lang) for s in account.frame["source"]])


def rule_table(rules: Published, lang: str) -> Table:
    """Quarantined records by source and reason: once under the main one, and under every one."""
    columns = [*_columns(lang, ("source", "text"), ("reason", "text"), ("main", "count")),
               ("records", text("mutu.col_every", lang), "count"), *_columns(lang, ("mended", "count")),
               ("key", text("mutu.col_reason_code", lang), "text")]  # fmt: skip
    made = _worded(build(rules, columns), text("mutu.col_source", lang),
                   [source_word(s, lang) for s in rules.frame["source"]])  # fmt: skip
    made = _worded(made, text("mutu.col_reason_code", lang), list(rules.frame["reason"]))
    return _worded(made, text("mutu.col_reason", lang), [metode.reason_word(r, lang) for r in rules.frame["reason"]])


def finding_table(findings: Published, lang: str) -> Table:
    """Findings by source, rule and severity."""
    columns = _columns(lang, ("source", "text"), ("rule", "text"), ("severity", "text"), ("records", "count"))
    frame = findings.frame
    made = _worded(build(findings, columns), text("mutu.col_source", lang),
                   [source_word(s, lang) for s in frame["source"]])  # fmt: skip
    made = _worded(made, text("mutu.col_rule", lang), [metode.reason_word(r, lang) for r in frame["rule"]])
    return _worded(made, text("mutu.col_severity", lang), [word("severity", s, lang) for s in frame["severity"]])


# -- matching ----------------------------------------------------------------------------------------------


def matching_finding(whole: Published, lang: str) -> str:
    row = whole.frame.iloc[0]
    shares = {"share": "linked", "exact": "exact", "later": "later"}
    shown = {name: numbers.percent(_share(row[column], row["records"]), lang) for name, column in shares.items()}
    if numbers.missing(row["later"]):
        return text("mutu.finding_matching_short", lang, share=shown["share"])
    return text("mutu.finding_matching", lang, **shown)


def matching_figures(whole: Published, families: int, persons: int, lang: str) -> list[Figure]:
    row, hidden = whole.frame.iloc[0], whole.suppressed.iloc[0]
    records = row["records"]

    def count(name: str) -> str:
        return whole.label(lang) if hidden[name] else numbers.people(row[name], lang)

    return [
        _figure("linked", numbers.percent(_share(row["linked"], records), lang), lang,
                records=numbers.people(records, lang)),
        _figure("review", count("review"), lang, share=numbers.percent(_share(row["review"], records), lang, 2)),
        _figure("duplicates", count("duplicates"), lang,
                share=numbers.percent(_share(row["duplicates"], records), lang)),
        _figure("golden", numbers.people(families, lang), lang, persons=numbers.people(persons, lang)),
    ]  # fmt: skip


def matching_table(matching: Published, lang: str) -> Table:
    columns = _columns(lang, ("source", "text"), ("unit", "text"), ("records", "count"))
    columns += [(p, word("pass", p, lang), "count") for p in PASSES]
    columns += _columns(lang, ("duplicates", "count"), ("duplicate_share", "percent"))
    made = _worded(build(matching, columns), text("mutu.col_source", lang),
                   [source_word(s, lang) for s in matching.frame["source"]])  # fmt: skip
    return _worded(made, text("mutu.col_unit", lang), [word("unit", u, lang) for u in matching.frame["unit"]])


# -- accuracy ----------------------------------------------------------------------------------------------


def accuracy_finding(whole: Published, lang: str) -> str:
    row = whole.frame.iloc[0]
    shown = {m: numbers.percent(row[m], lang, 3) for m in ("precision", "recall")}
    return text("mutu.finding_accuracy", lang, **shown)


def accuracy_figures(whole: Published, lang: str) -> list[Figure]:
    row = whole.frame.iloc[0]
    return [
        *(_figure(m, numbers.percent(row[m], lang, 3), lang,
                  interval=numbers.interval(row[f"{m}_low"], row[f"{m}_high"], lang, 3))
          for m in ("precision", "recall")),
        _figure("false_links", numbers.number(row["false_links"], lang), lang,
                linked=numbers.number(row["linked"], lang)),
        _figure("missed", numbers.number(row["missed"], lang), lang,
                linkable=numbers.number(row["linkable"], lang)),
    ]  # fmt: skip


def accuracy_names(frame: pd.DataFrame, by: str, lang: str) -> pd.DataFrame:
    """`frame` with display names: sources, kinds of error and passes in words; provinces have theirs."""
    words: dict[str, Callable[[str], str]] = {
        "source": lambda item: source_word(item, lang),
        "error_kind": lambda item: error_word(item, lang),
        "pass": lambda item: word("pass", item, lang),
    }
    return frame.assign(name=[words[by](str(item)) for item in frame["item"]]) if by in words else frame


def accuracy_worst(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of `accuracy_names` in which most is missed, the worst first: at most `WORST`, and of those alone that
    rest on enough records to tell (`TELLING`), if any does."""
    telling = frame[frame[["linkable", "linked"]].max(axis=1) >= TELLING]
    ordered = (telling if len(telling) else frame).sort_values(
        ["recall", "precision"], na_position="last", kind="stable", ignore_index=True
    )
    return ordered.head(WORST)


def accuracy_title(worst: pd.DataFrame, by: str, source: str, lang: str) -> str:
    """What the rows of `accuracy_worst` say: where matching is weakest."""
    if worst.empty:
        return text("mutu.nothing", lang)
    measure = "precision" if worst["recall"].isna().all() else "recall"
    row = worst.loc[worst[measure].idxmin()]
    return text(f"mutu.accuracy_by_{by}", lang, source=source, worst=row["name"],
                share=numbers.percent(row[measure], lang, 2))  # fmt: skip


def error_word(kind: str, lang: str) -> str:
    """The sentence of a kind of damage; it belongs to the room that does the damage."""
    key = f"identity.damage_{kind}"
    return text(key, lang) if has(key) else word("error", kind, lang)


def accuracy_table(found: Published, by: str, lang: str) -> Table:
    columns = [("name", text(f"mutu.by_{by}", lang), "text")]
    columns += _columns(lang, ("linkable", "count"), ("true_links", "count"), ("false_links", "count"),
                        ("missed", "count"))  # fmt: skip
    for measure in ("precision", "recall"):
        if found.frame[measure].notna().any():
            name = text(f"mutu.short_{measure}", lang)
            columns += [(measure, name, "percent3")]
            columns += [(f"{measure}_{end}", text(f"mutu.col_{end}", lang, measure=name), "percent3")
                        for end in ("low", "high")]  # fmt: skip
    made = build(found, columns)
    return _worded(made, columns[0][1], accuracy_names(found.frame, by, lang)["name"].tolist())


def families_finding(found: Published, lang: str) -> str:
    by_kind = found.frame.set_index("item")
    whole = by_kind.loc["semua"]
    shown = {name: whole[f"{name}_share"] for name in ("exact", "card")}
    shown |= {kind: by_kind["exact_share"].get(kind, math.nan) for kind in ("joined", "split")}
    return text("mutu.finding_families", lang, **{k: numbers.percent(v, lang, 2) for k, v in shown.items()})


def families_names(frame: pd.DataFrame, lang: str) -> pd.DataFrame:
    return frame.assign(name=[text(f"mutu.families_{item}", lang) for item in frame["item"].astype(str)])


def families_table(found: Published, lang: str) -> Table:
    columns = [("item", text("mutu.by_families", lang), "text"), *_columns(lang, ("families", "count"))]
    for share in ("exact_share", "card_share", "whole_share"):
        name = text(f"mutu.col_{share}", lang)
        columns += [(share, name, "percent3")]
        columns += [(f"{share}_{end}", text(f"mutu.col_{end}", lang, measure=name), "percent3")
                    for end in ("low", "high")]  # fmt: skip
    return _worded(build(found, columns), columns[0][1], families_names(found.frame, lang)["name"].tolist())


# -- disagreement, completeness ----------------------------------------------------------------------------


def disagreement_finding(found: Published, lang: str) -> str:
    known = found.frame.dropna(subset=["share", "base"])
    if known.empty or not known["part"].sum():
        return text("mutu.finding_agreement", lang)
    top = known.loc[known["share"].idxmax()]
    return text(
        "mutu.finding_disagreement", lang, variable=variable_word(top["variable"], lang),
        source=source_word(top["source"], lang), other=source_word(top["other"], lang),
        share=numbers.percent(top["share"], lang),
    )  # fmt: skip


def disagreement_figures(found: Published, lang: str) -> list[Figure]:
    frame = found.frame
    total, differ = frame["base"].sum(), frame["part"].sum()
    disputed = int((frame["share"] > 0.05).sum())
    return [
        _figure("comparisons", numbers.people(total, lang), lang,
                variables=numbers.number(frame["variable"].nunique(), lang)),
        _figure("differ", numbers.percent(_share(differ, total), lang), lang, differ=numbers.people(differ, lang)),
        _figure("disputed", numbers.number(disputed, lang), lang, pairs=numbers.number(len(frame), lang)),
    ]  # fmt: skip


def pair_name(row: pd.Series, lang: str) -> str:
    sources = f"{source_word(row['source'], lang)} – {source_word(row['other'], lang)}"
    return f"{variable_word(row['variable'], lang)}<br>{sources}"


def disagreement_table(found: Published, lang: str) -> Table:
    frame = found.frame
    columns = _columns(lang, ("variable", "text"), ("source", "text"), ("other", "text"), ("base", "count"),
                       ("differs", "count"), ("share", "percent"))  # fmt: skip
    columns = [("part" if column == "differs" else column, name, kind) for column, name, kind in columns]
    made = _worded(build(found, columns), text("mutu.col_variable", lang),
                   [variable_word(v, lang) for v in frame["variable"]])  # fmt: skip
    for column in ("source", "other"):
        made = _worded(made, text(f"mutu.col_{column}", lang), [source_word(s, lang) for s in frame[column]])
    return made


def completeness_finding(found: Published, lang: str) -> str:
    known = found.frame.dropna(subset=["share"])
    if known.empty:
        return text("mutu.nothing", lang)
    total = known[["missing", "asked"]].sum()
    worst = known.loc[known["share"].idxmax()]
    return text(
        "mutu.finding_completeness", lang,
        share=numbers.percent(1 - _share(total["missing"], total["asked"]), lang),
        variable=variable_word(worst["variable"], lang), worst=numbers.percent(worst["share"], lang),
    )  # fmt: skip


def completeness_figures(found: Published, lang: str) -> list[Figure]:
    total = found.frame[["base", "asked", "known", "missing", "not_applicable"]].sum()
    whole = int((found.frame["missing"] == 0).sum())
    return [
        _figure("known", numbers.percent(1 - _share(total["missing"], total["asked"]), lang), lang,
                asked=numbers.people(total["asked"], lang)),
        _figure("missing", numbers.people(total["missing"], lang), lang,
                share=numbers.percent(_share(total["missing"], total["asked"]), lang)),
        _figure("not_applicable", numbers.people(total["not_applicable"], lang), lang),
        _figure("complete", numbers.number(whole, lang), lang, variables=numbers.number(len(found.frame), lang)),
    ]  # fmt: skip


def completeness_table(found: Published, lang: str) -> Table:
    columns = _columns(lang, ("variable", "text"), ("base", "count"), ("known", "count"), ("missing", "count"),
                       ("not_applicable", "count"), ("share_missing", "percent"))  # fmt: skip
    columns = [("share" if column == "share_missing" else column, name, kind) for column, name, kind in columns]
    made = build(found, columns)
    return _worded(made, text("mutu.col_variable", lang), [variable_word(v, lang) for v in found.frame["variable"]])


# -- freshness, coverage, versions -------------------------------------------------------------------------


def freshness_finding(whole: Published, lang: str) -> str:
    row = whole.frame.iloc[0]
    return text(
        "mutu.finding_freshness", lang, months=numbers.number(row["median_update"], lang),
        checked=numbers.percent(1 - _share(row["checked_unknown"], row["base"]), lang),
    )  # fmt: skip


def freshness_figures(whole: Published, lang: str) -> list[Figure]:
    row = whole.frame.iloc[0]
    base = row["base"]
    return [
        _figure("median_update", text("mutu.months", lang, n=numbers.number(row["median_update"], lang)), lang),
        _figure("stale", numbers.percent(_share(row["old"] + row["unknown"], base), lang), lang,
                families=numbers.people(row["old"] + row["unknown"], lang)),
        _figure("checked_fresh", numbers.percent(_share(row["checked_fresh"] + row["checked_recent"], base), lang),
                lang, families=numbers.people(row["checked_fresh"] + row["checked_recent"], lang)),
        _figure("unchecked", numbers.percent(_share(row["checked_unknown"], base), lang), lang,
                families=numbers.people(row["checked_unknown"], lang)),
    ]  # fmt: skip


def freshness_table(found: Published, lang: str) -> Table:
    """Families by age of the last update and of the ground check, one row per source of the attributes."""
    columns = _columns(lang, ("source", "text"), ("families_base", "count"), ("median_update", "count"))
    columns = [("base" if column == "families_base" else column, name, kind) for column, name, kind in columns]
    columns += [(band, text("mutu.col_updated", lang, band=word("band", band, lang)), "count") for band in BANDS]
    columns += [(f"checked_{band}", text("mutu.col_checked", lang, band=word("band", band, lang)), "count")
                for band in BANDS]  # fmt: skip
    made = build(found, columns)
    return _worded(made, text("mutu.col_source", lang), [source_word(s, lang) for s in found.frame["source"]])


def coverage_finding(found: Published, lang: str) -> str:
    row = found.frame.iloc[0]
    return text(
        "mutu.finding_coverage", lang, families=numbers.people(row["gap_families"], lang),
        share=numbers.percent(row["gap_share_families"], lang), persons=numbers.people(row["gap_persons"], lang),
    )  # fmt: skip


def coverage_figures(found: Published, lang: str) -> list[Figure]:
    row = found.frame.iloc[0]
    return [
        _figure(f"{side}_{of}", numbers.people(row[f"{side}_{of}"], lang), lang,
                share=numbers.percent(_share(row[f"{side}_{of}"], row[f"civil_{of}"]), lang, 2))
        for of in ("families", "persons") for side in ("registry", "gap")
    ]  # fmt: skip


def trend_finding(found: Published, lang: str) -> str:
    frame = found.frame
    if len(frame) < 2:
        return text("mutu.finding_one_version", lang)
    first, last = frame.iloc[-2], frame.iloc[-1]
    changes = {name: last[name] - first[name] for name in SHARES if not numbers.missing(last[name] - first[name])}
    if not changes:
        return text("mutu.finding_no_change", lang, n=numbers.number(len(frame), lang))
    name = max(changes, key=lambda key: abs(changes[key]))
    return text(
        "mutu.finding_trend", lang, measure=text(f"mutu.trend_{name}", lang),
        before=numbers.percent(first[name], lang, 2), now=numbers.percent(last[name], lang, 2),
    )  # fmt: skip


@dataclass(frozen=True)
class Course:
    """One measure over the versions: its last value, the change since the version before, the values drawn (none
    for a single one), and whether the change is for the better (None: none, or not known)."""

    label: str
    value: str
    change: str | None
    values: list[float]
    better: bool | None


def courses(found: Published, lang: str) -> list[Course]:
    """The measures known in the last version, oldest value first; values in per cent."""
    made = []
    for name in SHARES:
        known = found.frame[name]
        if numbers.missing(known.iloc[-1]):
            continue
        before = known.iloc[-2] if len(known) > 1 else None
        drawn = known.dropna()
        change = None if numbers.missing(before) else float(known.iloc[-1] - before)
        better = None if not change or round(change, 4) == 0 else (change > 0) == (name == "linked")
        made.append(Course(
            text(f"mutu.trend_{name}", lang), numbers.percent(known.iloc[-1], lang, 2),
            None if change is None else numbers.points(change, lang, 2),
            [round(float(v) * 100, 3) for v in drawn] if len(drawn) > 1 else [], better,
        ))  # fmt: skip
    return made


def trend_table(found: Published, lang: str) -> Table:
    columns = [("version", text("mutu.col_version", lang), "text"), ("as_of", text("mutu.col_as_of", lang), "text")]
    columns += _columns(lang, ("lines", "count"), ("families", "count"), ("persons", "count"))
    columns += [(name, text(f"mutu.trend_{name}", lang), "percent2") for name in SHARES]
    made = build(found, columns)
    return _worded(made, text("mutu.col_as_of", lang), [numbers.date(day, lang) for day in found.frame["as_of"]])
