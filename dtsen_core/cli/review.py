"""``review``: the data holder's way to list what waits for a person, doubtful pairs and far moves, and to decide."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dtsen_core.cli import options
from dtsen_core.cli.experiments import lab
from dtsen_core.cli.language import say
from dtsen_core.cli.output import check_format, emit, note
from dtsen_core.errors import UserError
from dtsen_core.integrate import review
from dtsen_core.policy import movement_cases
from dtsen_core.policy.request import SCOPES
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

app = typer.Typer(no_args_is_help=True, add_completion=False)
KINDS = ("pairs", "moves")
COLUMNS = ("pair", "source", "probability", "field", "record", "civil", "weight", "decision")
MOVES = ("case_id", "family", "regency", "decile_before", "decile_after", "ground_check", "decision")
WORDS = "same|different|unsure|valid|visit"
STATES = tuple(dict.fromkeys((*review.STATES[:-1], *movement_cases.STATES)))


@app.command("list", help=say("help_review_list"))
def listed(
    kind: Annotated[str, typer.Option(help=lab("help_kind"), metavar="|".join(KINDS))] = "pairs",
    state: Annotated[str, typer.Option(help=say("help_review_state"), metavar="|".join(STATES))] = "open",
    limit: Annotated[int, typer.Option(help=say("help_review_limit"), metavar="N", min=1)] = 20,
    scope: Annotated[str | None, typer.Option(help=lab("help_case_scope"), metavar="|".join(SCOPES))] = None,
    region: Annotated[str | None, typer.Option(help=lab("help_case_region"), metavar="CODE")] = None,
    dataset: options.DatasetDir = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    options.choose("--kind", kind, KINDS)
    options.choose("--state", state, review.STATES if kind == "pairs" else movement_cases.STATES)
    if kind == "pairs" and (scope or region):
        raise UserError("errors_lab.moves_only")
    if scope is not None:
        options.choose("--scope", scope, SCOPES)
    opened = Dataset.open(options.dataset_dir(dataset))
    if kind == "moves":
        _moves(opened, state, limit, scope, units.require(region) if region else "", form)
        return
    waiting = review.queue(opened, state=state, holder=True)
    pairs = [review.pair(opened, pair_id, holder=True) for pair_id in waiting[:limit]]
    rows = [
        {"pair": p.pair_id, "source": p.source, "probability": round(p.probability, 4), "field": field,
         "record": record or "", "civil": civil or "", "weight": round(weight, 2), "decision": p.decision or ""}
        for p in pairs for field, record, civil, weight in zip(p.fields, p.record, p.civil, p.weights)
    ]  # fmt: skip
    document = {
        "dataset": opened.version,
        "pairs": len(waiting),
        "shown": [
            {"pair": p.pair_id, "source": p.source, "path": p.path, "line": p.line, "probability": p.probability,
             "decision": p.decision, "fields": [
                 {"field": f, "record": r, "civil": c, "weight": w}
                 for f, r, c, w in zip(p.fields, p.record, p.civil, p.weights)]}
            for p in pairs
        ],
    }  # fmt: skip
    emit(form, document, rows, {name: say(f"column_{name}") for name in COLUMNS})
    note(say("review_waiting", shown=len(pairs), pairs=len(waiting)))


def _moves(opened: Dataset, state: str, limit: int, scope: str | None, region: str, form: str) -> None:
    """The cases of the pair of versions (and scope) that was collected last."""
    known = [one for one in movement_cases.collected(opened.path) if scope in (None, one.scope)]
    if not known:
        raise UserError("errors_lab.not_collected")
    last = known[0]
    asked = movement_cases.Asked(last.before, last.after, last.scope, state, region)
    rows: list[dict[str, Any]] = [
        {str(key): value for key, value in row.items()}
        for row in movement_cases.cases(opened.path, asked, limit).to_dict("records")
    ]
    counts = movement_cases.counts(opened.path, asked)
    document = {"dataset": opened.version, "before": last.before, "after": last.after, "scope": last.scope,
                "counts": counts, "shown": rows}  # fmt: skip
    titles = {name: name if form == "csv" else lab(f"column_{name}") for name in MOVES}
    shown = [{name: "" if row[name] is None else str(row[name]) for name in MOVES} for row in rows]
    emit(form, document, shown, titles)
    note(lab("cases_waiting", shown=len(rows), count=counts[state], before=last.before, after=last.after,
             scope=last.scope))  # fmt: skip


@app.command("collect", help=lab("help_collect"))
def collected(
    before: Annotated[str, typer.Argument(help=lab("help_version_a"), metavar="[A]")] = "",
    after: Annotated[str, typer.Argument(help=lab("help_version_b"), metavar="[B]")] = "",
    scope: Annotated[str, typer.Option(help=say("help_scope"), metavar="|".join(SCOPES))] = "national",
    dataset: options.DatasetDir = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    options.choose("--scope", scope, SCOPES)
    opened = Dataset.open(options.dataset_dir(dataset))
    made = movement_cases.collect(opened, before, after, scope)
    document = {"before": made.before, "after": made.after, "scope": made.scope, "cases": made.cases, "now": made.now}
    _items(form, document)
    note(lab("collected" if made.now else "collected_before", count=made.cases, before=made.before, after=made.after))


@app.command("decide", help=say("help_review_decide"))
def decided(
    pair: Annotated[str, typer.Argument(help=say("help_review_pair"), metavar="PAIR|CASE")],
    decision: Annotated[str, typer.Argument(help=say("help_review_decision"), metavar=WORDS)],
    dataset: options.DatasetDir = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    opened = Dataset.open(options.dataset_dir(dataset))
    if movement_cases.pair_of(opened.path, pair) is not None:
        made = movement_cases.LOG.decide(opened.path, pair, decision, version=opened.version)
    else:
        made = review.decide(opened.path, _known(opened, pair), decision, version=opened.version)
    _items(form, {"pair": made.subject, "decision": made.decision, "previous": made.previous, "at": made.at,
                  "actor": made.actor, "version": made.version})  # fmt: skip


def _known(opened: Dataset, pair: str) -> str:
    return review.pair(opened, pair, holder=True).pair_id


def _items(form: str, document: dict[str, Any]) -> None:
    rows = [{"item": key, "value": "" if value is None else value} for key, value in document.items()]
    emit(form, document, rows, {"item": say("column_item"), "value": say("column_value")})
