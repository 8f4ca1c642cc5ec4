"""The report on an uploaded update: physical lines by file, and why lines were set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.locale import text
from dtsen_core.present import metode, numbers
from dtsen_core.present.peringkat_tables import Table

COUNTS = ("read", "header", "blank", "accepted", "quarantined")


def _name(path: object) -> str:
    """The visitor's own name of the file: without our folder."""
    return str(path).replace("\\", "/").rsplit("/", 1)[-1]


def refusal(problem: UserError, paths: Sequence[str], lang: str) -> str:
    """What is wrong with the uploaded files at `paths`, under the visitor's names for them."""
    sentence = problem.message(lang)
    for path in paths:
        sentence = sentence.replace(path, _name(path))
    return sentence


def finding(files: Sequence[Mapping[str, Any]], lang: str) -> str:
    total = {name: sum(int(file.get(name, 0)) for file in files) for name in COUNTS}
    share = total["accepted"] / total["read"] if total["read"] else None
    return text(
        "mutu.upload_finding", lang, share=numbers.percent(share, lang),
        **{name: numbers.number(value, lang) for name, value in total.items() if name not in ("header", "blank")},
    )  # fmt: skip


def outcome(report: Mapping[str, Any], lang: str) -> str:
    """What the dataset would hold, or holds, with the update; or that it holds these files already."""
    if report.get("unchanged"):
        return text("mutu.upload_unchanged", lang)
    return text(
        "mutu.upload_outcome", lang, families=numbers.number(report.get("families"), lang),
        persons=numbers.number(report.get("persons"), lang),
    )  # fmt: skip


def file_table(files: Sequence[Mapping[str, Any]], lang: str) -> Table:
    named = text("mutu.col_file", lang)
    counts = {name: text(f"mutu.col_{name}", lang) for name in COUNTS}
    rows = [{named: _name(f.get("path", "")), **{counts[c]: int(f.get(c, 0)) for c in COUNTS}} for f in files]
    frame = pd.DataFrame(rows, columns=[named, *counts.values()])
    return Table(frame, {named: "text", **dict.fromkeys(counts.values(), "count")})


def reason_table(files: Sequence[Mapping[str, Any]], lang: str) -> Table:
    """Quarantined lines by reason: once under the main one, and under every one."""
    names = [text(f"mutu.col_{name}", lang) for name in ("file", "reason_code", "reason", "lines_main", "lines_every")]
    rows = []
    for file in files:
        main = dict(file.get("reasons", {}))
        for code, lines in (main | dict(file.get("every_reason", {}))).items():
            rows.append((_name(file.get("path", "")), code, metode.reason_word(code, lang), int(main.get(code, 0)),
                         int(lines)))  # fmt: skip
    kinds = ("text", "text", "text", "count", "count")
    return Table(pd.DataFrame(rows, columns=names), dict(zip(names, kinds)))
