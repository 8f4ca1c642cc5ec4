"""Tournament of models on held-out survey households, and the calibration of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dtsen_core.policy import lab
from dtsen_core.policy.lab import Tell, silent
from dtsen_core.rank import fit_report, trust
from dtsen_core.rank.design import Survey
from dtsen_core.rank.household_types import household_types, type_of
from dtsen_core.rank.methods import baseline, methods
from dtsen_core.rank.methods import tournament as entrants
from dtsen_core.rank.scorecard import PROVINCES
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset

AREAS = ("unknown", "urban", "rural")


def groups() -> pd.DataFrame:
    """The groups errors are given for: kind (all, province, area, type) and code, in the order of their numbers."""
    rows = [("all", "ID")]
    rows += [("province", code) for code in units.table("province")["code"]]
    rows += [("area", name) for name in AREAS]
    rows += [("type", one.name) for one in household_types()]
    return pd.DataFrame(rows, columns=["kind", "group"])


def _numbers(survey: Survey) -> np.ndarray:
    """(households, 4): the four groups of each household."""
    first_area, first_type = 1 + PROVINCES, 1 + PROVINCES + len(AREAS)
    return np.stack(
        [np.zeros_like(survey.province), 1 + survey.province, first_area + survey.urban, first_type + type_of(survey)],
        axis=1,
    )


def tournament(dataset: Dataset, tell: Tell = silent) -> pd.DataFrame:
    """Errors of every model of the tournament at the nine cut-offs, by group.

    Columns: model, kind, group, households, cut, inclusion, inclusion_low, inclusion_high, exclusion,
    exclusion_low, exclusion_high (90 % ranges), gain, gain_low, gain_high (exclusion error of the baseline
    minus that of the model, paired), r2, r2_heldout (kind "all" and "province"). Made once per version.

    Raises
    ------
    UserError
        for a dataset without a survey.
    """
    names = entrants()
    return lab.frame(dataset, "pertandingan", lambda: _tournament(dataset, names, tell), names, trust.REPLICATES)


def is_ready(dataset: Dataset) -> bool:
    """Whether the tournament was held already."""
    return lab.has_frame(dataset, "pertandingan", entrants(), trust.REPLICATES)


def report(dataset: Dataset, model: str, tell: Tell = silent) -> pd.DataFrame:
    """The columns of `tournament` for one fitted `model`, which may be an experiment that is fitted again.

    UserError as `lab.fit`."""
    names = tuple(dict.fromkeys((baseline(), model)))
    frame = _tournament(dataset, names, tell)
    return frame[frame["model"] == model].reset_index(drop=True)


def _tournament(dataset: Dataset, names: tuple[str, ...], tell: Tell) -> pd.DataFrame:
    found = []
    for number, name in enumerate(names):
        found.append(lab.fit(dataset, name, _part(tell, 0.8 * number / len(names), 0.8 / len(names))))
    survey = lab.bench(dataset).survey
    errors = trust.targeting(
        survey.y, [f.heldout for f in found], survey.weight, survey.cluster, survey.regency, _numbers(survey),
        tell=lambda done: tell(0.8 + 0.2 * done),
    )  # fmt: skip
    size = errors.exclusion.shape[1]
    listed = groups().iloc[:size]
    households = np.bincount(_numbers(survey).ravel(), minlength=size)
    base = names.index(baseline())
    ranges = {
        "inclusion": trust.interval(errors.inclusion_draws), "exclusion": trust.interval(errors.exclusion_draws),
        "gain": trust.interval(errors.exclusion_draws[:, base : base + 1] - errors.exclusion_draws),
    }  # fmt: skip
    gain = errors.exclusion[base][None] - errors.exclusion
    parts = []
    for number, (name, model) in enumerate(zip(names, found)):
        for place, (kind, group) in enumerate(listed.itertuples(index=False)):
            if not households[place]:
                continue
            part = pd.DataFrame({
                "model": name, "kind": kind, "group": group, "households": int(households[place]),
                "cut": trust.CUTS, "inclusion": errors.inclusion[number, place],
                "exclusion": errors.exclusion[number, place], "gain": gain[number, place],
            })  # fmt: skip
            for label, (low, high) in ranges.items():
                part[f"{label}_low"], part[f"{label}_high"] = low[number, place], high[number, place]
            mine = slice(None) if kind == "all" else survey.province == place - 1 if kind == "province" else None
            part["r2"] = part["r2_heldout"] = np.nan
            if mine is not None:
                y, weight = survey.y[mine], survey.weight[mine]
                part["r2"] = fit_report.r_squared(y, model.whole[mine], weight)
                part["r2_heldout"] = fit_report.r_squared(y, model.heldout[mine], weight)
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _part(tell: Tell, start: float, share: float) -> Tell:
    """`tell` for one part of the work."""
    return lambda done: tell(start + share * done)


@dataclass(frozen=True)
class Quality:
    """How good a fitted model is on survey households that its fits did not see: `r2` of log expenditure, `inclusion`
    and `exclusion` error when the bottom 40 % of persons are selected (`fit_report.CUT`)."""

    r2: float
    inclusion: float
    exclusion: float


def quality(dataset: Dataset, model: str, tell: Tell = silent) -> Quality:
    """`Quality` of `model` (which may be an experiment that is fitted again), for all households together.

    UserError as `lab.fit`."""
    found, survey = lab.fit(dataset, model, tell), lab.bench(dataset).survey
    inclusion, exclusion = fit_report.targeting_errors(survey.y, found.heldout, survey.weight, fit_report.CUT)
    return Quality(fit_report.r_squared(survey.y, found.heldout, survey.weight), inclusion, exclusion)


def calibration_curve(dataset: Dataset, name: str, tell: Tell = silent) -> pd.DataFrame:
    """predicted, observed, low, high (ln Rp per person per month) and households of twenty bins of equal persons."""

    def make() -> pd.DataFrame:
        model = lab.fitted(dataset, name, tell)
        survey = lab.bench(dataset).survey
        return pd.DataFrame(trust.calibration(survey.y, model.heldout, survey.weight, survey.cluster))

    return lab.frame(dataset, f"kalibrasi_{name}", make, methods()[name])
