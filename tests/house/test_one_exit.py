"""Numbers about people reach the screen only through `oversight.disclosure.publish`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "dtsen_core"
# Tables that hold no number about people: lines of files, targets and quality of models, programmes whose enrolment
# is known, poverty lines, and the declared effects of the simulation.
OF_FILES_AND_MODELS = {
    "ingest_files", "quarantine_reasons", "calibration", "model_fit", "tournament", "calibration_curve", "ablation",
    "questionnaire", "available", "to_be_fitted", "fit", "refitted", "quality", "report", "other_models", "known",
    "line_factors", "truth",
}  # fmt: skip
# One simulated family, for which they refuse any other dataset (`test_single_families_are_simulated_ones`).
OF_ONE_SIMULATED_FAMILY = {"explain", "candidates", "changed_answers"}
# What fills the review queue; its page is closed to real data (`review.refuse_names`).
OF_THE_REVIEW_QUEUE = {"collect"}
Function = ast.FunctionDef


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(folder: Path) -> Iterator[tuple[Path, Function]]:
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(tree(path)):
            if isinstance(node, Function):
                yield path, node


@cache
def calls(node: ast.AST) -> set[str]:
    """Last names of everything called inside `node`."""
    found = set()
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            found.add(call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", ""))
    return found


def about_people() -> set[str]:
    """Public functions of policy that take a dataset and return figures."""
    found = set()
    for _, function in functions(CORE / "policy"):
        takes = {ast.unparse(argument.annotation) for argument in function.args.args if argument.annotation}
        gives = ast.unparse(function.returns) if function.returns else ""
        if "Dataset" in takes and not function.name.startswith("_") and gives != "bool":
            found.add(function.name)
    return found - OF_FILES_AND_MODELS - OF_ONE_SIMULATED_FAMILY - OF_THE_REVIEW_QUEUE


@cache
def of_policy(path: Path) -> set[str]:
    """The names `path` imports from the policy room."""
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dtsen_core.policy"):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def fetched(path: Path, function: Function) -> set[str]:
    """What `function` calls of the policy room, under the names its module imported."""
    names = of_policy(path)
    found = set()
    for call in ast.walk(function):
        if isinstance(call, ast.Call):
            target = call.func
            if isinstance(target, ast.Attribute) and getattr(target.value, "id", "") in names:
                found.add(target.attr)
            elif isinstance(target, ast.Name) and target.id in names:
                found.add(target.id)
    return found


def sealing() -> set[str]:
    """Functions of ui and present that publish what they are given, directly or through another."""
    known = {"publish"}
    everywhere = [*functions(CORE / "ui"), *functions(CORE / "present")]
    while True:
        more = {f.name for _, f in everywhere if calls(f) & known} | known
        if more == known:
            return known
        known = more


def test_policy_tables_are_published_where_they_are_fetched() -> None:
    wanted = about_people()
    assert {"full_ranking", "national_state", "area_table", "transition"} <= wanted
    seals = sealing()
    open_doors = []
    for folder in (CORE / "ui", CORE / "present", ROOT / "pages"):
        for path, function in functions(folder):
            taken = fetched(path, function) & wanted
            if taken and not (path.name.startswith("cache") and calls(function) & seals):
                open_doors.append(f"{path.name}:{function.name} shows {sorted(taken)}")
    assert open_doors == []


def test_screens_run_no_query_of_their_own() -> None:
    asking = [
        f"{path.name}:{function.name}"
        for folder in (CORE / "ui", CORE / "present", ROOT / "pages")
        for path, function in functions(folder)
        if calls(function) & {"cursor", "execute", "sql", "evaluation_cursor"}
    ]
    assert asking == []
