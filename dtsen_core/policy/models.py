"""Which scorecard a request means, and what remains unexplained under it on this dataset."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dtsen_core.errors import UserError
from dtsen_core.policy import grid_measures as grid
from dtsen_core.policy import lab
from dtsen_core.policy.estimates import poverty_lines
from dtsen_core.policy.request import OFFICIAL
from dtsen_core.rank import design, expenditure, fit_report, packing, scorecard
from dtsen_core.rank.cache import Cache
from dtsen_core.rank.experiment import Experiment
from dtsen_core.rank.methods import methods
from dtsen_core.rank.order import INDEX, index_card
from dtsen_core.rank.scorecard import REGENCIES, Scorecard, province_of_regency
from dtsen_core.rank.scorecard_file import from_csv
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.indicators import INDICATORS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

KEPT = 8
UNEXPLAINED_BYTES = 150_000_000  # some fifty models: a smaller store is read through again by every round of users


@dataclass(frozen=True, eq=False)
class Unexplained:
    """Residual distributions of a scorecard, and by regency the standard error of its effect and the
    spread of PSU effects (log units; NaN for a scorecard that was not fitted here)."""

    residuals: expenditure.Residuals
    se: Floats
    psu_sd: Floats

    @property
    def nbytes(self) -> int:
        return self.residuals.nbytes + self.se.nbytes + self.psu_sd.nbytes

    def doubt(self, d: expenditure.Distribution, regency: Ints, factors: Floats | None,
              districts: Ints | None = None, lines: Floats | None = None) -> Floats:  # fmt: skip
        """M (see `estimates`) of the areas of `d`, squared shares; `regency` idx of each and, if they are
        `districts`, their idx."""
        line = poverty_lines() if lines is None else lines
        line = line if factors is None else line * factors
        spread = self.se[regency] ** 2
        if districts is not None:
            spread = spread + self.psu_sd[regency] ** 2 / _villages()[districts]
        return grid.density(d, line[province_of_regency()[regency]]) ** 2 * spread


@lru_cache(maxsize=1)
def _villages() -> Floats:
    """Number of villages of each district idx, at least 1."""
    parent = units.table("village")["parent_code"].map(units.index("district")).to_numpy(np.int64)
    return np.maximum(np.bincount(parent, minlength=units.COUNTS["district"]), 1).astype(np.float64)


_stored: Cache[Scorecard] = Cache(KEPT, lambda value: 1)


def scorecard_for(dataset: Dataset, model: str) -> Scorecard:
    """The scorecard `model` names: one stored in the dataset, one fitted on its survey (now, unless it was before), or
    the path of a CSV file.

    It may be an experiment on one of those or on the weighted index (see `rank.experiment`). UserError if there is
    neither, if the file has problems, or if the model is refused on this dataset.
    """
    plan = Experiment.parse(model)
    if plan.base == INDEX or plan.changed:
        return _experiment(dataset, plan)
    known = scorecard.names(dataset.cursor())
    if model in known:
        key = (str(dataset.path), dataset.version, model)
        card = _stored.get(key, lambda: scorecard.load(dataset.cursor(), model))
        card.guard(dataset.manifest.origin)
        return card
    if model in methods() and lab.has_survey(dataset):
        card = lab.fitted(dataset, model).card
        card.guard(dataset.manifest.origin)
        return card
    if model in methods() and not dataset.simulated:
        raise UserError("errors_rank.simulated_model", model=model)
    if model.lower().endswith(".csv") or Path(model).is_file():
        shares = scorecard.category_shares(dataset.cursor()) if dataset.has_table("survey") else None
        return from_csv(model, shares)
    choices = [*lab.available(dataset), *lab.to_be_fitted(dataset), INDEX, OFFICIAL]
    near = difflib.get_close_matches(model, choices, n=1, cutoff=0.4)
    raise UserError("errors_rank.unknown_model", model=model, known=", ".join(near or choices))


def _experiment(dataset: Dataset, plan: Experiment) -> Scorecard:
    if plan.base == OFFICIAL:
        raise UserError("errors_lab.official")
    if plan.refit:
        card = lab.refitted(dataset, plan).card
        card.guard(dataset.manifest.origin)
        return plan.apply(card, family_shares(dataset)) if plan.weights else card
    shares = family_shares(dataset)
    if plan.base == INDEX:
        base = index_card(shares.sum(axis=0, keepdims=True))
    else:
        base = scorecard_for(dataset, plan.base)
    return plan.apply(base, shares)


_shares: Cache[Floats] = Cache(4, lambda value: 1)


def family_shares(dataset: Dataset) -> Floats:
    """Families (weighted) in each category by province idx, shape (38, CATEGORIES), counted from the packed codes."""
    return _shares.get((str(dataset.path), dataset.version), lambda: _count_shares(dataset))


def _count_shares(dataset: Dataset) -> Floats:
    result = np.zeros((scorecard.PROVINCES, scorecard.CATEGORIES))
    cursor = dataset.cursor()
    for group in packing.check(cursor).groups:
        rows = cursor.execute(
            f"""SELECT f.province, f.{group.column} AS code, sum(w.weight) AS load
            FROM family_packed AS f JOIN area_weight AS w USING (regency) GROUP BY f.province, code"""
        ).fetchnumpy()
        province, code = (np.asarray(rows[name]).astype(np.int64) for name in ("province", "code"))
        load = np.asarray(rows["load"], dtype=np.float64)
        for member, multiplier in zip(group.members, group.multipliers):
            column = scorecard.OFFSETS[member] + code // multiplier % INDICATORS[member].radix
            np.add.at(result, (province, column), load)
    return result


_survey: Cache[design.Survey] = Cache(1, lambda value: 1)
_unexplained: Cache[Unexplained | None] = Cache(UNEXPLAINED_BYTES, lambda value: value.nbytes if value else 0)


def residuals_for(dataset: Dataset, card: Scorecard) -> Unexplained | None:
    """What `card` leaves unexplained; None where the dataset has no survey to learn it from.

    Stored for models fitted on this dataset. An uploaded scorecard was not fitted on the survey, so all
    its households count as held out and are scored now; so they are for a changed model, whose residuals are then
    slightly too small, because the base was fitted on the same households.
    """
    key = (str(dataset.path), dataset.version, card.name, card.hash)
    make: Callable[[], Unexplained | None] = lambda: _learn(dataset, card)  # noqa: E731
    return _unexplained.get(key, make)


def _learn(dataset: Dataset, card: Scorecard) -> Unexplained | None:
    cursor = dataset.cursor()
    nothing = np.full(REGENCIES, np.nan)
    if card.origin == "declared":
        return None  # an index has no scale in rupiah
    se, psu_sd = nothing.copy(), nothing.copy()
    if card.origin != "file":
        plan = Experiment.parse(card.name)
        base = plan.base  # a changed model keeps its base's regency effects
        if plan.refit:
            model = lab.refitted(dataset, plan)
            se, psu_sd = model.se, model.psu_sd
            if not plan.weights:
                found = lab.residual_columns(dataset, base, plan)
                return Unexplained(expenditure.from_columns(found), se, psu_sd)
            return _scored(dataset, card, se, psu_sd)
        if scorecard.names(cursor):
            rows = cursor.execute("SELECT regency, se, psu_sd FROM model_effect WHERE model = ?", [base]).fetchnumpy()
            se[rows["regency"]], psu_sd[rows["regency"]] = rows["se"], rows["psu_sd"]
        stored = expenditure.load_residuals(cursor, card.name)
        if stored is not None:
            return Unexplained(stored, se, psu_sd)
        if lab.is_fitted(dataset, base):
            model = lab.fitted(dataset, base)
            se, psu_sd = model.se, model.psu_sd
            if base == card.name:
                return Unexplained(expenditure.from_columns(lab.residual_columns(dataset, base)), se, psu_sd)
    return _scored(dataset, card, se, psu_sd)


def _scored(dataset: Dataset, card: Scorecard, se: Floats, psu_sd: Floats) -> Unexplained | None:
    """What `card` leaves unexplained of the survey's households, scored now; None without a survey."""
    if not dataset.has_table("survey"):
        return None
    survey = _survey.get((str(dataset.path), dataset.version), lambda: design.read_survey(dataset.cursor()))
    scores = card.scores(np.stack(survey.categories, axis=1), survey.regency, survey.urban)
    table = fit_report.residual_table(card.name, survey, scores / 1000)
    columns = {name: table[name].to_numpy() for name in table.columns if name != "model"}
    return Unexplained(expenditure.from_columns(columns), se, psu_sd)
