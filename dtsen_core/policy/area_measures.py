"""Expenditure measures of the areas of one ranking request, and of all of them together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from dtsen_core.policy import estimates
from dtsen_core.policy.areas import regency_of
from dtsen_core.policy.models import Unexplained
from dtsen_core.rank import expenditure
from dtsen_core.rank.engine import Filter
from dtsen_core.rank.expenditure import Distribution
from dtsen_core.rank.histogram import Histogram
from dtsen_core.rank.scorecard import PROVINCES, REGENCIES, province_of_regency
from dtsen_core.regions import units

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Columns = dict[str, Floats]


@dataclass(frozen=True, eq=False)
class Spread:
    """Expenditure of every regency: `regencies` its distribution (persons of the survey base, `people_weight` by
    regency), `rows` the families behind it, `model` what the score leaves unexplained (None: the bare score)."""

    model: Unexplained | None
    people_weight: Floats
    regencies: Distribution
    rows: Floats

    @staticmethod
    def of(h: Histogram, model: Unexplained | None, people_weight: Floats) -> Spread:
        """From H by regency; `model` None takes the bare score for expenditure."""
        regencies = _spread(h, province_of_regency(), model).scaled(people_weight)
        return Spread(model, people_weight, regencies, np.bincount(h.area, h.families, REGENCIES).astype(np.float64))

    @cached_property
    def provinces(self) -> Distribution:
        return self.regencies.combine(province_of_regency(), PROVINCES)

    @cached_property
    def benchmark(self) -> Floats:
        """Line factors by province at which it meets its official P0."""
        return estimates.benchmark_factors(self.provinces)


@dataclass(frozen=True, eq=False)
class Basis:
    """What every area's figures rest on: the expenditure of each regency, line factors by province when
    benchmarked, M of each regency (see `estimates`), and the poverty `lines` by province (None: official)."""

    model: Unexplained | None
    people_weight: Floats
    regencies: Distribution
    provinces: Distribution
    rows: Floats
    factors: Floats | None
    doubt: Floats
    lines: Floats | None = None

    @staticmethod
    def of(h: Histogram, model: Unexplained | None, people_weight: Floats, benchmark: bool,
           lines: Floats | None = None) -> Basis:  # fmt: skip
        """From H by regency; `model` None takes the bare score for expenditure."""
        return Basis.on(Spread.of(h, model, people_weight), benchmark, lines)

    @staticmethod
    def on(spread: Spread, benchmark: bool, lines: Floats | None = None) -> Basis:
        factors = spread.benchmark if benchmark else None
        doubt = np.full(REGENCIES, np.nan)
        if spread.model is not None:
            doubt = spread.model.doubt(spread.regencies, np.arange(REGENCIES), factors, lines=lines)
        return Basis(
            spread.model, spread.people_weight, spread.regencies, spread.provinces, spread.rows, factors, doubt, lines
        )

    @property
    def people(self) -> Floats:
        return self.regencies.persons.sum(axis=1)

    def by_regency(self) -> Columns:
        found = estimates.measure(self.regencies, province_of_regency(), self.people, self.factors, self.lines)
        return _with_interval(found, self.rows, self.doubt)

    def by_province(self) -> Columns:
        province = province_of_regency()
        d = self.provinces
        found = estimates.measure(d, np.arange(PROVINCES), d.persons.sum(axis=1), self.factors, self.lines)
        rows = np.asarray(np.bincount(province, self.rows, PROVINCES), dtype=np.float64)
        return _with_interval(found, rows, estimates.add_up(self.doubt, self.people, province, PROVINCES))

    def by_district(self, cells: Histogram, listed: npt.NDArray[np.bool_]) -> Columns:
        """Districts of `listed`, province by province, which bounds the memory; NaN elsewhere."""
        regency = regency_of("district")
        province = province_of_regency()[regency]
        result = {name: np.full(len(regency), np.nan) for name in estimates.COLUMNS}
        for one in np.unique(province[listed]):
            chosen = np.flatnonzero(listed & (province == one))
            number = np.full(len(regency), -1)
            number[chosen] = np.arange(len(chosen))
            mine = number[cells.area] >= 0
            part = replace(
                cells,
                **{name: getattr(cells, name)[mine] for name in ("urban", "score", "families", "persons")},
                area=number[cells.area[mine]],
            )
            d = _spread(part, province[chosen], self.model).scaled(self.people_weight[regency[chosen]])
            found = estimates.measure(d, province[chosen], d.persons.sum(axis=1), self.factors, self.lines)
            rows = np.bincount(part.area, part.families, len(chosen)).astype(np.float64)
            doubt = np.full(len(chosen), np.nan)
            if self.model is not None:
                doubt = self.model.doubt(d, regency[chosen], self.factors, districts=chosen, lines=self.lines)
            for name, values in _with_interval(found, rows, doubt).items():
                result[name][chosen] = values
        return result

    def together(self, only: Filter | None) -> Columns:
        """One row for the whole nation, one province or one regency, from its regencies."""
        inside = np.ones(REGENCIES, dtype=bool)
        if only is not None:
            inside = (province_of_regency() if only.column == "province" else np.arange(REGENCIES)) == only.idx
        d = replace(self.regencies, persons=self.regencies.persons[inside])
        people = self.people[inside]
        parts = estimates.measure(d, province_of_regency()[inside], people, self.factors, self.lines)
        found = estimates.whole(d, parts, people)
        doubt = self.doubt[inside][people > 0]
        one = np.zeros(len(doubt), dtype=np.int64)
        spread = estimates.add_up(doubt, people[people > 0], one, 1)
        return _with_interval(found, np.array([self.rows[inside].sum()]), spread)


def measured(basis: Basis, level: str, cells: Histogram | None, listed: npt.NDArray[np.bool_],
             only: Filter | None) -> tuple[pd.DataFrame, Columns]:  # fmt: skip
    """(`estimates.COLUMNS` of every unit of `level`, the same for all listed units together).

    `cells` is H by district when that is the level, otherwise None; `listed` masks the units of the region `only`.
    """
    if cells is not None:
        frame = pd.DataFrame(basis.by_district(cells, listed))
    else:
        frame = pd.DataFrame(basis.by_regency() if level == "regency" else basis.by_province())
    if only is not None and only.column == "district":
        row = frame.loc[listed]
        return frame, {name: row[name].to_numpy(np.float64) for name in row.columns}
    return frame, basis.together(only)


def unmeasured(level: str) -> tuple[pd.DataFrame, Columns]:
    """The same where expenditure cannot be estimated."""
    size = units.COUNTS[level]
    return pd.DataFrame({name: np.full(size, np.nan) for name in estimates.COLUMNS}), {}


def _spread(h: Histogram, province: Ints, model: Unexplained | None) -> Distribution:
    if model is None:
        return expenditure.bare(h, len(province))
    return expenditure.distribution(h, province, model.residuals)


def _with_interval(found: Columns, rows: Floats, doubt: Floats) -> Columns:
    low, high = estimates.interval(found["p0"], rows, doubt)
    return {**found, "p0_low": low, "p0_high": high}
