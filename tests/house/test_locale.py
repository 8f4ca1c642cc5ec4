"""Every sentence exists in both languages, takes the same parameters, and is used."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "data" / "locale").glob("*.toml"))
SOURCES = [*ROOT.glob("dtsen_core/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"]
RULES = [*ROOT.glob("data/rules/**/*.toml")]


def entries() -> dict[str, dict[str, str]]:
    return {
        f"{file.stem}.{key}": value
        for file in FILES
        for key, value in tomllib.loads(file.read_text(encoding="utf-8")).items()
    }


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_both_languages_say_it_with_the_same_parameters(file: Path) -> None:
    for key, value in tomllib.loads(file.read_text(encoding="utf-8")).items():
        assert set(value) == {"id", "en"}, key
        assert all(sentence.strip() for sentence in value.values()), key
        assert places(value["id"]) == places(value["en"]), key


def literals(node: ast.expr) -> list[str]:
    """The string literals an expression may yield: itself, or either branch of a condition."""
    if isinstance(node, ast.IfExp):
        return literals(node.body) + literals(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def named(source: Path) -> set[str]:
    """Keys that `source` names outright in text(…), UserError(…) or say(…)."""
    prefix = {"text": "", "UserError": "", "say": "cli."}
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name in prefix:
                found |= {prefix[name] + key for key in literals(node.args[0])}
    return {key for key in found if re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", key)}


def test_every_key_named_in_the_code_exists() -> None:
    known = set(entries())
    used = {source.name: named(source) for source in SOURCES}
    assert sum(map(len, used.values())) > 100
    missing = {f"{source}: {key}" for source, keys in used.items() for key in keys - known}
    assert missing == set()


def test_no_sentence_is_left_over() -> None:
    """A key is used if its last part stands in the code, or it begins or ends like a key composed there."""
    code = "\n".join(source.read_text(encoding="utf-8") for source in [*SOURCES, *RULES])
    composed = re.findall(r"""["']([a-z_.]*)\{""", code)  # f"stage_{name}" and its kin
    starts = {text.rsplit(".", 1)[-1] for text in composed if text.rsplit(".", 1)[-1]}
    ends = set(re.findall(r"""\}(_[a-z_]+)["']""", code))
    heads = tuple(f"{word}_" for word in set(re.findall(r"""["']([a-z]+(?:_[a-z]+)*)["']""", code)))
    words = set(re.findall(r"[a-z][a-z0-9_]*", code))
    left_over = [
        key
        for key in entries()
        if (name := key.split(".", 1)[1]) not in words
        and not any(name.startswith(start) for start in starts)
        and not any(name.endswith(end) for end in ends)
        and not name.startswith(heads)
    ]
    assert left_over == []
