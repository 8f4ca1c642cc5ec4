"""Far moves in decile in words: the finding, one case, the answers that changed, the list."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from dtsen_core.locale import text
from dtsen_core.policy.movement_cases import Asked
from dtsen_core.present import numbers
from dtsen_core.present.peringkat_tables import Table
from dtsen_core.present.tinjauan import field_word, value_word
from dtsen_core.regions import units


def decision_word(decision: str | None, lang: str) -> str:
    return text(f"tinjauan_moves.decision_{decision or 'open'}", lang)


def finding(asked: Asked, counts: Mapping[str, int], lang: str) -> str:
    """How many moved so far, and how many of them still wait for a decision."""
    key = "finding" if counts["all"] else "finding_none"
    return text(
        f"tinjauan_moves.{key}", lang, total=numbers.number(counts["all"], lang),
        open=numbers.number(counts["open"], lang), visit=numbers.number(counts["visit"], lang),
        place=text("tinjauan_moves.whole_country", lang) if not asked.region else units.name(asked.region),
    )  # fmt: skip


def case_sentence(row: pd.Series, lang: str) -> str:
    """Where one family stood, where it stands, and when it was last visited."""
    visited = row["ground_check"]
    key = "case_fell" if row["decile_after"] < row["decile_before"] else "case_rose"
    return text(
        f"tinjauan_moves.{key}", lang, family=row["family"], place=units.label(row["regency"]),
        before=row["decile_before"], after=row["decile_after"],
        steps=abs(int(row["decile_after"]) - int(row["decile_before"])),
        visit=text("tinjauan_moves.visited", lang, day=numbers.date(visited, lang)) if visited
        else text("tinjauan_moves.never_visited", lang),
    )  # fmt: skip


def answers_table(answers: pd.DataFrame, lang: str) -> Table:
    """What was recorded differently, in words."""
    empty = text("tinjauan_moves.empty_answer", lang)
    names = [text(f"tinjauan_moves.col_{name}", lang) for name in ("answer", "earlier", "later")]
    rows = [
        (field_word(row.variable, lang), value_word(row.variable, row.before, lang) or empty,
         value_word(row.variable, row.after, lang) or empty)
        for row in answers.itertuples(index=False)
    ]  # fmt: skip
    return Table(pd.DataFrame(rows, columns=names), dict.fromkeys(names, "text"))


def list_table(rows: pd.DataFrame, lang: str, *, ids: bool = True) -> Table:
    """The cases, one row each; with the `ids` that the command line takes."""
    columns = {name: text(f"tinjauan_moves.col_{name}", lang) for name in
               ("case", "family", "place", "before", "after", "check", "decision")}  # fmt: skip
    frame = pd.DataFrame({
        columns["case"]: rows["case_id"].astype(str), columns["family"]: rows["family"].astype(str),
        columns["place"]: [units.label(code) for code in rows["regency"]],
        columns["before"]: rows["decile_before"].astype("int64"),
        columns["after"]: rows["decile_after"].astype("int64"),
        columns["check"]: [numbers.date(day, lang) if day else "–" for day in rows["ground_check"]],
        columns["decision"]: [decision_word(decision, lang) for decision in rows["decision"]],
    })  # fmt: skip
    if not ids:
        frame = frame.drop(columns=columns.pop("case"))
    kinds: dict[str, str | list[str]] = dict.fromkeys(columns.values(), "text")
    kinds |= {columns["before"]: "count", columns["after"]: "count"}
    return Table(frame, kinds)
