"""``review``: the data holder's way to list doubtful pairs and to decide on them."""

from __future__ import annotations

from typing import Annotated

import typer

from dtsen_core.cli import options
from dtsen_core.cli.language import say
from dtsen_core.cli.output import check_format, emit, note
from dtsen_core.integrate import review
from dtsen_core.registry.dataset import Dataset

app = typer.Typer(no_args_is_help=True, add_completion=False)
COLUMNS = ("pair", "source", "probability", "field", "record", "civil", "weight", "decision")


@app.command("list", help=say("help_review_list"))
def listed(
    state: Annotated[str, typer.Option(help=say("help_review_state"), metavar="|".join(review.STATES))] = "open",
    limit: Annotated[int, typer.Option(help=say("help_review_limit"), metavar="N", min=1)] = 20,
    dataset: options.DatasetDir = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    options.choose("--state", state, review.STATES)
    opened = Dataset.open(options.dataset_dir(dataset))
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


@app.command("decide", help=say("help_review_decide"))
def decided(
    pair: Annotated[str, typer.Argument(help=say("help_review_pair"), metavar="PAIR")],
    decision: Annotated[str, typer.Argument(help=say("help_review_decision"), metavar="same|different|unsure")],
    dataset: options.DatasetDir = None,
    form: options.Format = "table",
    lang: options.Lang = None,
) -> None:
    check_format(form)
    opened = Dataset.open(options.dataset_dir(dataset))
    found = review.pair(opened, pair, holder=True)
    made = review.decide(opened.path, found.pair_id, decision, version=opened.version)
    document = {"pair": made.pair_id, "decision": made.decision, "previous": made.previous, "at": made.at,
                "actor": made.actor, "version": made.version}  # fmt: skip
    rows = [{"item": key, "value": value or ""} for key, value in document.items()]
    emit(form, document, rows, {"item": say("column_item"), "value": say("column_value")})
