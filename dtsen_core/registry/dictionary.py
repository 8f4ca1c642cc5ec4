"""The data dictionary as a document, derived from the field dictionary, code lists and indicators.

``python -m dtsen_core.registry.dictionary`` writes ``docs/data-dictionary.md``; a test keeps it up to date.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dtsen_core.paths import ROOT
from dtsen_core.registry.codelists import codelist
from dtsen_core.registry.fields import SETS, Field, fields
from dtsen_core.registry.indicators import INDICATORS

FILE = ROOT / "docs" / "data-dictionary.md"
_TITLES = {
    "keluarga": "Family variables · Variabel keluarga",
    "anggota": "Member variables · Variabel anggota",
}
_PRIVACY = {
    "open": "open", "quasi": "quasi-identifier", "personal": "personal", "specific": "specific (sensitive)",
}  # fmt: skip


def document() -> str:
    """The whole dictionary in Markdown, Indonesian label first."""
    parts = [
        "# Data dictionary · Kamus data",
        "Written by `make docs` from `data/rules`; do not edit by hand. Names are the official names of the "
        "delivered layout. Privacy classes follow UU 27/2022.",
        *(_variables(name) for name in SETS),
        _codes(),
        _indicators(),
    ]
    return "\n\n".join(parts) + "\n"


def _variables(name: str) -> str:
    head = ("#", "Variable", "Label", "English", "Type", "Codes", "Asked when", "Privacy")
    rows = [_variable(number, field) for number, field in enumerate(fields(name), 1)]
    return f"## {_TITLES[name]} ({len(rows)})\n\n{_table(head, rows)}"


def _variable(number: int, field: Field) -> tuple[str, ...]:
    return (
        str(number), f"`{field.name}`", field.label_id, field.label_en, field.type,
        f"[{field.codelist}](#{field.codelist})" if field.codelist else "",
        f"`{field.applies_when}`" if field.applies_when else "", _PRIVACY[field.privacy],
    )  # fmt: skip


def _codes() -> str:
    names = sorted({field.codelist for name in SETS for field in fields(name) if field.codelist})
    parts = ["## Code lists · Daftar kode"]
    for name in names:
        codes = codelist(name).codes
        rows = [(str(code.value), code.label_id, code.label_en, code.version) for code in codes]
        parts.append(f"### {name}\n\n{_table(('Code', 'Label', 'English', 'Codebook'), rows)}")
    return "\n\n".join(parts)


def _indicators() -> str:
    head = ("#", "Indicator", "Label", "English", "Group", "Categories")
    rows = [
        (
            str(number), f"`{one.name}`", one.label_id, one.label_en, one.group,
            "; ".join(f"{category.code} {category.label_id}" for category in one.categories),
        )
        for number, one in enumerate(INDICATORS, 1)
    ]  # fmt: skip
    return (
        f"## Ranking indicators · Indikator peringkat ({len(rows)})\n\n"
        "The official list is not published; these are a declared reconstruction. Category 0 is always "
        f"unknown.\n\n{_table(head, rows)}"
    )


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join(_line(cells) for cells in [head, ("---",) * len(head), *rows])


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def write(file: Path = FILE) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(document(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()
