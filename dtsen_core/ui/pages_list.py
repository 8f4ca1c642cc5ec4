"""The one validated list of pages, read from ``data/rules/pages.toml``."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dtsen_core import locale
from dtsen_core.errors import UserError
from dtsen_core.paths import ROOT, RULES

_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
_ICON = re.compile(r":material/[a-z0-9_]+:")
_KEYS = {"name", "file", "icon", "section", "default", "needs_families"}


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One page: its address `name`, script, icon, menu section, whether it opens first, and whether it has
    something to show for a dataset that holds register rows but no families yet."""

    name: str
    file: str
    icon: str
    section: str
    default: bool = False
    needs_families: bool = True

    def title(self, lang: str) -> str:
        return locale.text(f"ui.page_{self.name}", lang)

    def help(self, lang: str) -> str:
        return locale.text(f"ui.page_{self.name}_help", lang)


def parse(toml_text: str, root: Path = ROOT) -> tuple[PageEntry, ...]:
    """The pages of `toml_text`; raises UserError naming every problem at once."""
    try:
        raw = tomllib.loads(toml_text)
    except tomllib.TOMLDecodeError as error:
        raise UserError("errors_ui.pages_invalid", problem=str(error)) from error
    rows = raw.get("page", [])
    problems: list[str] = []
    pages: list[PageEntry] = []
    for number, row in enumerate(rows, start=1):
        found = _problems(row, root)
        problems += [f"page {number}: {text}" for text in found]
        if not found:
            pages.append(PageEntry(**row))
    names = [page.name for page in pages]
    problems += [f"name {name!r} appears twice" for name in sorted({n for n in names if names.count(n) > 1})]
    defaults = sum(page.default for page in pages)
    if not problems and defaults != 1:
        problems.append(f"exactly one page must have default = true, found {defaults}")
    if problems:
        raise UserError("errors_ui.pages_invalid", problem="; ".join(problems))
    return tuple(pages)


def _problems(row: dict[str, object], root: Path) -> list[str]:
    found = [f"unknown key {key!r}" for key in sorted(set(row) - _KEYS)]
    found += [f"{key!r} is missing" for key in sorted(_KEYS - {"default", "needs_families"} - set(row))]
    if found:
        return found
    name, file, icon, section = (str(row[key]) for key in ("name", "file", "icon", "section"))
    if not _NAME.fullmatch(name):
        found.append(f"name {name!r} must be lower-case letters, digits and underscores")
    if not re.fullmatch(r"pages/[a-z0-9_]+\.py", file) or not (root / file).is_file():
        found.append(f"file {file!r} does not exist under pages/")
    if not _ICON.fullmatch(icon):
        found.append(f"icon {icon!r} is not of the form :material/name:")
    for key in ("default", "needs_families"):
        if not isinstance(row.get(key, False), bool):
            found.append(f"{key} must be true or false")
    needed = (f"ui.page_{name}", f"ui.page_{name}_help", f"ui.section_{section}")
    found += [f"the text {key} is missing" for key in needed if not locale.has(key)]
    return found


@lru_cache(maxsize=1)
def pages() -> tuple[PageEntry, ...]:
    """The pages of this installation in menu order."""
    return parse((RULES / "pages.toml").read_text(encoding="utf-8"))


def page_entry(name: str) -> PageEntry:
    """The page called `name`; KeyError for a name that is not in the list (a bug in the page)."""
    return {page.name: page for page in pages()}[name]
