"""The data dictionary as a document, derived from the field dictionary, code lists and indicators.

``python -m dtsen_core.registry.dictionary`` writes ``docs/data-dictionary.md``; a test keeps it up to date.
"""

from __future__ import annotations

from pathlib import Path

from dtsen_core.paths import ROOT
from dtsen_core.registry.codelists import codelist
from dtsen_core.registry.fields import SETS, Field, fields
from dtsen_core.registry.indicators import INDICATORS

FILE = ROOT / "docs" / "data-dictionary.md"
_TITLES = {"keluarga": "Family variables · Variabel keluarga", "anggota": "Member variables · Variabel anggota"}
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
    rows = [_row(number, field) for number, field in enumerate(fields(name), 1)]
    head = "| # | Variable | Label | English | Type | Codes | Asked when | Privacy |\n|--:|---|---|---|---|---|---|---|"
    return f"## {_TITLES[name]} ({len(rows)})\n\n" + "\n".join([head, *rows])


def _row(number: int, field: Field) -> str:
    codes = f"[{field.codelist}](#{field.codelist})" if field.codelist else ""
    cells = (
        str(number), f"`{field.name}`", field.label_id, field.label_en, field.type, codes,
        f"`{field.applies_when}`" if field.applies_when else "", _PRIVACY[field.privacy],
    )  # fmt: skip
    return _line(cells)


def _codes() -> str:
    names = sorted({field.codelist for name in SETS for field in fields(name) if field.codelist})
    parts = ["## Code lists · Daftar kode"]
    for name in names:
        rows = [
            _line((str(code.value), code.label_id, code.label_en, code.version)) for code in codelist(name).codes
        ]
        parts.append("\n".join([f"### {name}\n", "| Code | Label | English | Codebook |\n|--:|---|---|---|", *rows]))
    return "\n\n".join(parts)


def _indicators() -> str:
    rows = [
        _line((
            str(number), f"`{indicator.name}`", indicator.label_id, indicator.label_en, indicator.group,
            "; ".join(f"{category.code} {category.label_id}" for category in indicator.categories),
        ))
        for number, indicator in enumerate(INDICATORS, 1)
    ]  # fmt: skip
    head = "| # | Indicator | Label | English | Group | Categories |\n|--:|---|---|---|---|---|"
    note = "The official list is not published; these are a declared reconstruction. Category 0 is always unknown."
    return "\n".join([f"## Ranking indicators · Indikator peringkat ({len(rows)})\n", note + "\n", head, *rows])


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def write(file: Path = FILE) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(document(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()
