"""``versions`` and ``lineage``: which versions there are, how two differ, and where a value comes from.

The command line is the data holder's: its counts and values are exact.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dtsen_core.build import lock
from dtsen_core.cli import options
from dtsen_core.cli.language import chosen, say
from dtsen_core.cli.output import check_format, emit, note
from dtsen_core.integrate import lineage as traces
from dtsen_core.integrate.compare import Comparison, compare, decile_classes
from dtsen_core.locale import text
from dtsen_core.regions import units
from dtsen_core.registry import versions
from dtsen_core.registry.dataset import Dataset, explained

app = typer.Typer(no_args_is_help=True)
LISTED = ("version", "served", "as_of", "created", "origin", "families", "persons", "folder")
TRACED = ("member", "value", "source", "path", "line", "rule", "loser")


@app.command("list", help=say("help_versions_list"))
def listing(dataset: options.DatasetDir = None, form: options.Format = "table", lang: options.Lang = None) -> None:
    check_format(form)
    root = options.dataset_dir(dataset)
    rows = [
        {"version": v.name, "served": v.served, "as_of": v.manifest.as_of, "created": v.manifest.created,
         "origin": v.manifest.origin, "families": v.manifest.families, "persons": v.manifest.persons,
         "folder": v.folder}
        for v in versions.versions(root)
    ]  # fmt: skip
    emit(form, {"path": root, "versions": rows}, rows, {name: say(f"column_{name}") for name in LISTED})


@app.command("switch", help=say("help_versions_switch"))
def switch(
    version: Annotated[str, typer.Argument(help=say("help_version"), metavar="VERSION")],
    dataset: options.DatasetDir = None,
    lang: options.Lang = None,
) -> None:
    root = options.dataset_dir(dataset)
    versions.find(root, version)
    with lock.exclusive(root), explained(root):
        found = versions.switch(root, version)
    note(say("switched", version=found.name, date=found.manifest.as_of))


@app.command("prune", help=say("help_versions_prune"))
def prune(
    keep: Annotated[int, typer.Option(help=say("help_keep"), metavar="N")],
    dataset: options.DatasetDir = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    root = options.dataset_dir(dataset)
    versions.versions(root)
    with lock.exclusive(root), explained(root):
        removed = versions.prune(root, keep)
        versions.clean(root)
    rows = [{"version": name} for name in removed]
    note(say("pruned", count=len(removed)))
    emit(form, {"removed": list(removed)}, rows, {"version": say("column_version")})


@app.command("diff", help=say("help_versions_diff"))
def diff(
    before: Annotated[str, typer.Argument(help=say("help_before"), metavar="A")],
    after: Annotated[str, typer.Argument(help=say("help_after"), metavar="B")],
    dataset: options.DatasetDir = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    root = options.dataset_dir(dataset)
    found = compare(root, versions.find(root, before), versions.find(root, after))
    rows = _flat(found)
    names = ("part", "item", "count")
    emit(form, _document(found), rows, {name: say(f"column_{name}") for name in names})


def _document(found: Comparison) -> dict[str, Any]:
    codes, names = units.table("regency")["code"], units.table("regency")["name"]
    regencies = [
        {"code": codes[row.pop("regency")], "name": names[number], **row}
        for row in found.regencies.to_dict("records") for number in [row["regency"]]
    ]  # fmt: skip
    deciles = {
        str(name): dict(zip(part["class"], part["families"].tolist()))
        for name, part in found.deciles.groupby("variable", sort=False)
    }
    return {
        "before": found.before, "after": found.after, "families": found.families, "persons": found.persons,
        "variables": found.variables.to_dict("records"), "deciles": deciles, "regencies": regencies,
    }  # fmt: skip


def _flat(found: Comparison) -> list[dict[str, Any]]:
    """The comparison as rows for the screen: totals, classes of the national decile, changed variables."""
    lang = chosen()
    rows = [{"part": say("part_families"), "item": say(f"diff_{k}"), "count": v} for k, v in found.families.items()]
    rows += [{"part": say("part_persons"), "item": say(f"diff_{k}"), "count": v} for k, v in found.persons.items()]
    national = found.deciles[found.deciles["variable"] == "desil_nasional"].set_index("class")["families"]
    rows += [
        {"part": say("part_deciles"), "item": one.label(lang), "count": int(national[one.code])}
        for one in decile_classes()
    ]
    changed = found.variables[found.variables["changed"] > 0].sort_values("changed", ascending=False, kind="stable")
    rows += [
        {"part": say("part_variables"), "item": row.variable, "count": int(row.changed)} for row in changed.itertuples()
    ]
    return rows


def lineage(
    family: Annotated[str, typer.Argument(help=say("help_family"), metavar="ID_KELUARGA")],
    variable: Annotated[str, typer.Argument(help=say("help_variable"), metavar="VARIABLE")],
    dataset: options.DatasetDir = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    opened = Dataset.open(options.dataset_dir(dataset))
    cursor = opened.cursor()
    number = traces.find_family(cursor, family)
    if variable in traces.variables("anggota") and variable not in traces.variables("keluarga"):
        found = list(traces.member_lineage(cursor, number, variable))
    else:
        found = [traces.lineage(cursor, number, variable)]
    document = {
        "version": opened.version, "id_keluarga": number, "variable": variable,
        "values": [_value(opened, one) for one in found],
    }  # fmt: skip
    emit(form, document, _told(found), {name: say(f"column_{name}") for name in TRACED})


def _value(opened: Dataset, one: traces.Lineage) -> dict[str, Any]:
    file = opened.folder / one.path if one.path else None
    return {
        "id_anggota": one.id_anggota, "value": one.value, "source": one.source, "path": one.path,
        "file": file if file and file.exists() else None, "line": one.line, "rule": one.rule,
        "losers": [vars(loser) for loser in one.losers],
    }  # fmt: skip


def _told(found: list[traces.Lineage]) -> list[dict[str, Any]]:
    """One row per golden value, and one per value that lost to it."""
    lang = chosen()
    rows: list[dict[str, Any]] = []
    for one in found:
        rule = text(f"integrate.rule_{one.rule}", lang)
        rows.append({"member": one.id_anggota, "value": one.value, "source": one.source, "path": one.path,
                     "line": one.line, "rule": rule, "loser": ""})  # fmt: skip
        for loser in one.losers:
            why = text(f"integrate.lost_{loser.reason}", lang)
            rows.append({"member": one.id_anggota, "value": loser.value, "source": loser.source, "path": loser.path,
                         "line": loser.line, "rule": "", "loser": why})  # fmt: skip
    return rows


