"""What is written for readers agrees with what the code does."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from dtsen_core.registry import dictionary

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PIN = re.compile(r"[A-Za-z0-9_.-]+==[0-9][\w.]*( *;.*)?")


def blocks(language: str) -> list[str]:
    return [block.strip() for block in re.findall(rf"```{language}\n(.*?)```", README, flags=re.S)]


def test_the_two_commands_are_one_line_each_on_both_systems() -> None:
    shell, windows = blocks("bash"), blocks("powershell")
    for commands in (shell, windows):
        assert len(commands) >= 2
        start, test = commands[:2]
        assert "\n" not in start + test
        assert "venv" in start
        assert "requirements.txt" in start
        assert start.endswith("streamlit run app.py")
        assert "requirements-dev.txt" in test
        assert test.endswith("-m pytest")


def test_ci_runs_the_same_test_command_as_the_reader() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert script.rstrip().splitlines()[-1] == blocks("bash")[1]
    assert "set -euo pipefail" in script
    assert "DTSEN_REQUIRE_BROWSER=1" in script


def test_local_links_lead_somewhere() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    for document in documents:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            if not target.startswith("http"):
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_every_requirement_is_pinned_exactly() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            if line and not line.startswith(("#", "-r ")):
                assert PIN.fullmatch(line), f"{name}: {line}"


def test_the_data_dictionary_is_that_of_the_code() -> None:
    written = dictionary.FILE.read_text(encoding="utf-8")
    assert written == dictionary.document(), "run `make docs`"
    assert "variabel keluarga (52)" in written.lower()
    assert "variabel anggota (48)" in written.lower()
    assert "(39)" in written


def test_the_house_has_its_papers() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert (ROOT / "data" / "README.md").is_file()


def test_make_knows_the_verbs_of_the_readme() -> None:
    verbs = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))
    for verb in re.findall(r"`make ([a-z]+)`", README):
        assert verb in verbs, verb


ROOMS = [
    "registry", "regions", "collect", "integrate", "rank", "policy", "oversight", "build", "present", "ui",
    "cli",
]  # fmt: skip


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_introduced(room: str) -> None:
    assert f"`{room}/`" in README
    first = (ROOT / "dtsen_core" / room / "__init__.py").read_text(encoding="utf-8")
    assert first.startswith('"""')


def pinned(name: str) -> set[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {re.sub(r"[-_.]+", "-", line.split("==")[0].lower()) for line in lines if "==" in line}


def third_party(folders: list[str]) -> set[str]:
    """Distributions behind everything the Python files of `folders` import."""
    known = packages_distributions()
    found: set[str] = set()
    for path in (file for folder in folders for file in ROOT.glob(folder)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            tops = {name.split(".")[0] for name in names} - {"dtsen_core", "tests", *sys.stdlib_module_names}
            missing = tops - known.keys()
            assert not missing, f"{path.name}: {missing} not installed"
            found |= {re.sub(r"[-_.]+", "-", known[top][0].lower()) for top in tops}
    return found


def test_every_import_is_a_requirement_and_every_requirement_is_imported() -> None:
    runtime, tests = pinned("requirements.txt"), pinned("requirements-dev.txt")
    optional = pinned("requirements-extra.txt")  # used where installed, never needed
    used = third_party(["app.py", "pages/*.py", "dtsen_core/**/*.py"])
    assert used - optional == runtime
    assert optional <= used
    assert third_party(["tests/**/*.py"]) <= runtime | tests
