"""The house: data walks one way, each room imports only from rooms to its left."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "dtsen_core"
ROOMS = (
    "registry",
    "regions",
    "collect",
    "integrate",
    "rank",
    "policy",
    "oversight",
    "build",
    "present",
    "ui",
)
FOUNDATION = ("paths", "machine", "settings", "locale", "errors", "spreadsheet", "intervals")
"""Modules before the rooms: each may use those before it, and no room."""
SQL_WORDS = ("SELECT ", "INSERT ", "CREATE TABLE", "GROUP BY")


def modules() -> list[Path]:
    return sorted(path for path in CORE.rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Full names of everything `path` imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room(name: str) -> str:
    """Room or foundation module of a full name such as ``dtsen_core.rank.fit.fit_models``."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def identity(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", modules(), ids=identity)
def test_a_room_imports_only_from_its_left(path: Path) -> None:
    own = path.relative_to(CORE).parts[0].removesuffix(".py")
    seen = {room(name) for name in imports(path) if name.startswith("dtsen_core")}
    if own in ROOMS:
        allowed = {*FOUNDATION, *ROOMS[: ROOMS.index(own) + 1], "__version__", ""}
    elif own in FOUNDATION:
        allowed = {*FOUNDATION[: FOUNDATION.index(own)]}
    else:
        assert own in ("cli", "__main__", "__init__")
        allowed = {*FOUNDATION, *ROOMS[:-1], "cli", "__version__", ""}
    assert seen <= allowed, f"{own} may not import {sorted(seen - allowed)}"


@pytest.mark.parametrize("path", modules(), ids=identity)
def test_only_ui_knows_streamlit(path: Path) -> None:
    knows = any(name.split(".")[0] == "streamlit" for name in imports(path))
    assert not knows or path.is_relative_to(CORE / "ui")


def test_drawing_rooms_ask_no_database() -> None:
    places = [*(CORE / "present").rglob("*.py"), *(CORE / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
    asking = [identity(path) for path in places if any(n.split(".")[0] == "duckdb" for n in imports(path))]
    assert asking == []


def test_pages_are_thin() -> None:
    pages = sorted((ROOT / "pages").glob("*.py"))
    assert len(pages) >= 3
    for page in pages:
        source = page.read_text(encoding="utf-8")
        assert len(source.splitlines()) <= 120, identity(page)
        assert not any(word in source.upper() for word in SQL_WORDS), f"{identity(page)} holds SQL"
        assert "cache_data" not in source, f"{identity(page)} caches"
        assert "cache_resource" not in source, f"{identity(page)} caches"
        first_call = source.index("shell.page(")
        assert "st." not in source[:first_call].split("import streamlit as st")[-1], f"{identity(page)} unguarded"
    assert len((ROOT / "app.py").read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize("path", modules(), ids=identity)
def test_a_module_has_one_reason_to_change(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


def test_published_is_made_in_one_place_only() -> None:
    makers = [
        identity(path)
        for path in [*modules(), *(ROOT / "pages").glob("*.py")]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _name(node.func) == "Published"
    ]
    assert makers == ["dtsen_core/oversight/disclosure.py"]


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def tracked() -> list[str]:
    """The committed files; outside a git checkout, those of the product's own folders."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        folders = ("dtsen_core", "pages", "tests", "data/locale", "data/rules")
        return [identity(path) for folder in folders for path in (ROOT / folder).rglob("*.*")]
    return [name for name in listed.split("\0") if name]


def test_nothing_of_one_machine_or_unfinished_is_committed() -> None:
    names = tracked()
    assert "app.py" in names or "dtsen_core/paths.py" in names
    outside = [f"/{name}/" for name in ("work", "farm", "tmp", "home", "Users")]
    words = ["TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error", "assert " + "True", "breakpoint" + "("]
    found = []
    for name in names:
        file = ROOT / name
        if file.suffix not in {".py", ".toml", ".sql"} or not file.is_file():
            continue
        source = file.read_text(encoding="utf-8")
        paths = [o for o in outside if f'"{o}' in source or f"'{o}" in source or f" {o}" in source]
        found += [f"{name}: {word}" for word in paths + [w for w in words if w in source]]
    assert found == []
