"""A reform from its choices to its outcome on one dataset: which rule, which cells, which residuals."""

from __future__ import annotations

from dtsen_core.errors import UserError
from dtsen_core.locale import text
from dtsen_core.policy import cube as cubes
from dtsen_core.policy import places, reform
from dtsen_core.policy.models import residuals_for, scorecard_for
from dtsen_core.policy.programme_rules import Programme, Rule, as_date, parse, rule_on
from dtsen_core.policy.reform import BudgetFit, Outcome
from dtsen_core.policy.reform_spec import NEW, Reform, changed_rule, designed
from dtsen_core.rank import scorecard
from dtsen_core.rank.expenditure import Residuals
from dtsen_core.registry.dataset import Dataset

OWN = "own"


def rule_for(as_of: str, wanted: Reform, own: str = "") -> Rule:
    """The rule a reform starts from, in force on the date of the data; `own` is the text of an uploaded one."""
    day = as_date(as_of)
    if wanted.programme == NEW or wanted.design is not None:
        return designed(wanted, day, {lang: text("simulasi.programme_new", lang) for lang in ("id", "en")})
    if wanted.programme == OWN:
        programme: Programme = parse(own, text("simulasi.uploaded", "id"))
        rule = programme.on(day)
        if rule is None:
            raise UserError("errors_programmes.not_in_force", programme=programme.key, day=day.isoformat())
        return rule
    return rule_on(wanted.programme, day)


def other_models(dataset: Dataset) -> tuple[str, ...]:
    """Stored models other than the one behind the delivered deciles."""
    base = cubes.base_model(dataset)
    return tuple(name for name in scorecard.names(dataset.cursor()) if name != base)


def simulated_reform(dataset: Dataset, wanted: Reform, own: str = "") -> Outcome:
    """The outcome of `wanted`. UserError: unknown programme or model, impossible figures."""
    if wanted.model and wanted.model not in (*other_models(dataset), cubes.base_model(dataset)):
        known = ", ".join(other_models(dataset)) or "–"
        raise UserError("errors_rank.unknown_model", model=wanted.model[:40], known=known)
    rule = rule_for(dataset.manifest.as_of, wanted, own)
    cells = cubes.cube(dataset, wanted.model)
    return reform.simulate(cells, rule, wanted, _residuals(dataset, cells.model))


def _residuals(dataset: Dataset, model: str) -> Residuals | None:
    if not model:
        return None
    found = residuals_for(dataset, scorecard_for(dataset, model))
    return None if found is None else found.residuals


def affordable(dataset: Dataset, wanted: Reform, budget: float, own: str = "") -> BudgetFit | None:
    """The cut-off that `budget` (Rp a year) pays for under the reform's amounts and condition; see `fit_budget`."""
    if not budget > 0:
        raise UserError("errors_simulasi.budget", given=f"{budget:.12g}")
    cells = cubes.cube(dataset, wanted.model)
    order = places.other_order(cells) if wanted.model else None
    return reform.fit_budget(cells, changed_rule(rule_for(dataset.manifest.as_of, wanted, own), wanted), budget, order)
