"""The laboratory on the command line: weights of groups, and a ranking against the delivered one."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from dtsen_core.cli.language import chosen
from dtsen_core.cli.output import note
from dtsen_core.errors import UserError
from dtsen_core.locale import text
from dtsen_core.oversight.disclosure import publish
from dtsen_core.oversight.lab_tables import impact_areas
from dtsen_core.policy.reranking import Impact


def lab(key: str, **params: object) -> str:
    """The text `key` of the laboratory, in the language of the command line."""
    return text(f"lab_cli.{key}", chosen(), **params)


def weights(given: list[str]) -> dict[str, float]:
    """Per cent by group from ``GROUP=PERCENT`` words; UserError for a word that is not of that form."""
    found: dict[str, float] = {}
    for word in given:
        match = re.fullmatch(r"([a-z_]+)=([0-9]{1,3})%?", word.strip().lower())
        if match is None:
            raise UserError("errors_lab.weight_form", given=word[:40])
        found[match[1]] = float(match[2])
    return found


def compared(found: Impact, origin: str | None) -> dict[str, Any]:
    """The comparison for the JSON answer; `origin` when its areas must pass disclosure control."""
    if origin is not None:
        found = replace(found, areas=publish(found.areas, impact_areas(), origin=origin).frame)
    return {
        "cut": found.cut,
        "seconds": found.seconds,
        "total": found.total.to_dict("records")[0],
        "programmes": found.programmes.to_dict("records"),
        "matrix": found.matrix.to_numpy().tolist(),
        "areas": found.areas.to_dict("records"),
    }


def told(found: Impact) -> None:
    """The comparison in one sentence beside the answer."""
    row = found.total.iloc[0]
    share = (row["entering"] + row["leaving"]) / row["families"] if row["families"] else float("nan")
    note(lab("compared", cut=found.cut, entering=f"{row['entering']:,.0f}", leaving=f"{row['leaving']:,.0f}",
             share=f"{share:.2%}"))  # fmt: skip
