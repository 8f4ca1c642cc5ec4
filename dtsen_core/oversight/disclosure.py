"""The one exit for numbers about people: small cells are hidden, and cannot be worked out again.

A table holds one row per area (or decile …) and columns that count families or persons. Its column totals
are taken as known (they are the row of the parent area), and so is every sum inside a row that the
`TableSpec` declares. What is hidden:

1. *Primary.* A count that stands for more than 0 and fewer than `min_cell` families, and the complement of
   a part in its total (a rate near 100 % tells as much as one near 0 %). Zeros are shown: they single out
   nobody.
2. *Complementary.* Further cells, the smallest that serve, until no hidden cell follows from the sums of its
   row and of its column, and what is hidden in one line together stands for at least `min_cell` families.
3. *Derived.* A rate whose numerator or denominator is hidden; a measure (mean, Gini …) and the sample size of
   a row whose number of families is hidden.

Why it holds. Cells of value 0 are never relied upon, so every cell the argument moves is positive and can
move a little both ways. Inside a row a hidden cell is free if it does not lie in the row space of the row's
equations over the hidden cells (`_Row.free`). Two rows in which the same cell is free over the cells hidden
in *both* can move against each other, and all column totals stay as they are. Hiding more never makes a
cell less free, so one pass over the rows is enough.

Limits of this first version: one table at a time (tables that share cells are not compared), and a column
positive in a single row is protected by the parent's table, where that same number is a cell of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from dtsen_core.errors import InternalError
from dtsen_core.locale import text

MIN_CELL = 5
_NOTHING = 1e-6  # below this a weighted count is rounding noise of a sum, not a family


@dataclass(frozen=True)
class TableSpec:
    """What the columns of a table say about people; every numeric column must be named in exactly one role.

    key       column that names the row
    counts    columns counting families or persons, disjoint or not
    additive  {total: (part, part, …)}: disjoint parts within a total; a remainder is allowed and implied
    rates     {rate: (numerator, denominator)}: the numerator is a part of the denominator; both are counts
    measures  means, indices and other figures computed over the families of the row
    persons   those of `counts` that count persons; turned into families by the row's mean family size
    base      the count of families in the row
    sample    unweighted number of families (rows of the dataset) behind the row, where the table has it
    public    numeric columns that are not about people of the dataset (official figures, coordinates)
    """

    key: str
    counts: Sequence[str]
    additive: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rates: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    measures: Sequence[str] = ()
    persons: Sequence[str] = ()
    base: str = "families"
    sample: str | None = "n"
    public: Sequence[str] = ()

    def groups(self) -> list[tuple[str, tuple[str, ...]]]:
        """Every declared sum (total, parts); a rate is a sum of its numerator and an implied complement."""
        sums = [(total, tuple(parts)) for total, parts in self.additive.items()]
        for numerator, denominator in dict.fromkeys(self.rates.values()):
            if numerator != denominator and numerator not in self.additive.get(denominator, ()):
                sums.append((denominator, (numerator,)))
        return sums

    def check(self, frame: pd.DataFrame) -> None:
        """Raises InternalError if a named column is missing or a numeric column has no declared role."""
        named = {self.key, self.base, *self.counts, *self.rates, *self.measures, *self.public, *self.persons}
        named |= {column for total, parts in self.groups() for column in (total, *parts)}
        counted = {self.base, *self.persons, *(c for total, parts in self.groups() for c in (total, *parts))}
        missing = sorted(named - set(frame.columns))
        uncounted = sorted(counted - set(self.counts))
        numeric = set(frame.select_dtypes("number").columns)
        undeclared = sorted(map(str, numeric - named - {self.sample}))
        if missing or uncounted or undeclared:
            raise InternalError(f"table spec: missing {missing}, not counts {uncounted}, no role {undeclared}")


@dataclass(frozen=True)
class Published:
    """A table that may be shown. Made by `publish` only; `frame` and `suppressed` hand out copies."""

    spec: TableSpec
    origin: str
    min_cell: int
    _frame: pd.DataFrame
    _suppressed: pd.DataFrame

    @property
    def frame(self) -> pd.DataFrame:
        """The table, hidden cells NaN."""
        return self._frame.copy()

    @property
    def suppressed(self) -> pd.DataFrame:
        """Booleans of the frame's shape: True where a number exists and is hidden."""
        return self._suppressed.copy()

    @property
    def any_suppressed(self) -> bool:
        return bool(self._suppressed.to_numpy().any())

    def reason(self, lang: str = "id") -> str:
        """Why cells are hidden, in one sentence; empty if none is."""
        return text("disclosure.reason", lang, min_cell=self.min_cell) if self.any_suppressed else ""

    def label(self, lang: str = "id") -> str:
        """The word that stands in the place of a hidden number."""
        return text("disclosure.suppressed", lang)


def publish(
    frame: pd.DataFrame, spec: TableSpec, *, origin: str, min_cell: int = MIN_CELL
) -> Published:
    """Apply the rules above to `frame`, one row per `spec.key`, and seal the result.

    Counts are weighted families or persons as the table has them. For a real dataset the row's own size
    is taken from the unweighted `spec.sample`. The table must not contain its own total row.
    """
    if origin not in ("simulated", "real"):
        raise InternalError(f"unknown origin {origin!r}")
    spec.check(frame)
    table = _Table(frame, spec, min_cell, unweighted=origin == "real")
    table.hide()
    hidden = pd.DataFrame(False, index=frame.index, columns=frame.columns)
    for position, column in enumerate(spec.counts):
        hidden[column] = table.hidden[:, position]
    for rate, (numerator, denominator) in spec.rates.items():
        hidden[rate] = hidden[numerator] | hidden[denominator]
    sample = [spec.sample] if spec.sample is not None and spec.sample in frame else []
    for column in (*spec.measures, *sample):
        hidden[column] = hidden[spec.base]
    hidden &= frame.notna()
    shown = frame.copy()
    for column in frame.columns[hidden.any()]:
        shown[column] = shown[column].astype("float64").mask(hidden[column])
    return Published(spec=spec, origin=origin, min_cell=min_cell, _frame=shown, _suppressed=hidden)


class _Row:
    """The sums that hold inside every row, over the columns of the table and the implied remainders."""

    def __init__(self, equations: np.ndarray) -> None:
        self.equations = equations
        self._known: dict[bytes, np.ndarray] = {}

    def free(self, unknown: np.ndarray) -> np.ndarray:
        """Which of the `unknown` cells of a row (booleans) the row's sums leave undetermined.

        Unknown j is determined if its unit vector lies in the row space of the equations restricted to the
        unknowns, i.e. if the projection onto that space keeps it whole.
        """
        name = unknown.tobytes()
        if name not in self._known:
            at = np.flatnonzero(unknown)
            result = np.zeros(len(unknown), dtype=bool)
            if len(at):
                restricted = self.equations[:, at]
                result[at] = np.einsum("ij,ji->i", np.linalg.pinv(restricted), restricted) < 1 - 1e-9
            self._known[name] = result
        return self._known[name]


class _Table:
    """Cells of one table: declared counts first, then one implied remainder per declared sum."""

    def __init__(self, frame: pd.DataFrame, spec: TableSpec, min_cell: int, *, unweighted: bool) -> None:
        columns = list(spec.counts)
        values = frame[columns].to_numpy(dtype="float64", na_value=np.nan)
        at = {column: position for position, column in enumerate(columns)}
        groups = spec.groups()
        self.equations = np.zeros((len(groups), len(columns) + len(groups)))
        for number, (total, parts) in enumerate(groups):
            own = [at[part] for part in parts]
            rest = values[:, at[total]] - values[:, own].sum(axis=1)
            values = np.column_stack([values, rest])
            self.equations[number, own] = 1
            self.equations[number, [at[total], len(columns) + number]] = -1, 1
        self.declared = np.arange(values.shape[1]) < len(columns)
        self.row = _Row(self.equations)
        self.min_cell = min_cell
        # families that each cell stands for
        families = values[:, at[spec.base]]
        in_persons = [column in spec.persons for column in columns]
        in_persons += [total in spec.persons for total, _ in groups]
        self.families = values.copy()
        if any(in_persons):
            persons = frame["persons"].to_numpy("float64") if "persons" in frame else np.full(len(frame), np.nan)
            with np.errstate(divide="ignore", invalid="ignore"):
                size = np.where(persons > 0, families / persons, 1.0)
            self.families[:, in_persons] *= np.where(np.isfinite(size), np.minimum(size, 1.0), 1.0)[:, None]
        if unweighted and spec.sample is not None and spec.sample in frame:
            self.families[:, at[spec.base]] = frame[spec.sample].to_numpy("float64")
        self.positive = np.nan_to_num(values) > _NOTHING
        small = self.positive & (self.families < min_cell - _NOTHING)
        self.target = small  # cells that must stay undetermined: small ones and all that is hidden
        self.hidden = small & self.declared

    @property
    def unknown(self) -> np.ndarray:
        """Cells not shown: the hidden ones, and remainders, which are never a column."""
        return self.hidden | (self.positive & ~self.declared)

    def hide(self) -> None:
        if not self.target.any():
            return
        for row in np.flatnonzero(self.target.any(axis=1)):
            self._close(row)
        if len(self.target) > 1:
            self._pair()

    def _add(self, row: int, cells: np.ndarray) -> None:
        self.hidden[row] |= cells & self.declared & self.positive[row]
        self.target[row] |= self.hidden[row]

    # -- inside a row ------------------------------------------------------------------------------------

    def _exposed(self, row: int) -> np.ndarray:
        """Targets of the row that its sums give away, exactly or because too few families share a sum."""
        unknown = self.unknown[row]
        exposed = self.target[row] & ~self.row.free(unknown)
        for equation in self.equations:
            total = equation < 0
            parts = unknown & (equation > 0)
            if not (unknown & total).any() and self.families[row, parts].sum() < self.min_cell - _NOTHING:
                exposed |= self.target[row] & parts
        return exposed

    def _close(self, row: int) -> None:
        """Hide further cells of the row until none of its targets is exposed.

        Preferred are columns hidden in many rows already (such rows can pair), then small values. A column
        that is positive in this row only would be given away by its total, so it comes last.
        """
        while (exposed := self._exposed(row)).any():
            open_cells = np.flatnonzero(self.positive[row] & self.declared & ~self.hidden[row])
            if not len(open_cells):
                return
            alone = self.positive[:, open_cells].sum(axis=0) < 2
            order = np.lexsort((self.families[row, open_cells], -self.hidden[:, open_cells].sum(axis=0), alone))
            for cell in open_cells[order]:
                trial = self.unknown[row].copy()
                trial[cell] = True
                near = ((self.equations[:, exposed] != 0).any(axis=1) & (self.equations[:, cell] > 0)).any()
                if near and (self.row.free(trial) & exposed).sum() == exposed.sum():
                    break
            else:
                near_all = (self.equations[(self.equations[:, exposed] != 0).any(axis=1)] != 0).any(axis=0)
                choice = [c for c in open_cells[order] if near_all[c]]
                cell = choice[0] if choice else open_cells[order][0]
            self._add(row, np.arange(len(self.declared)) == cell)

    # -- between rows ------------------------------------------------------------------------------------

    def _pair(self) -> None:
        """See to it that every target can move against another row, so that no column total gives it away."""
        for row in np.flatnonzero(self.target.any(axis=1)):
            if not self._lonely(row).any():
                continue
            partner = self._partner(row)
            if partner is None and self._lonely_but_shared(row).any():
                # nothing matches cell by cell: hide both rows as a whole, with the row most alike
                everything = np.ones(len(self.declared), dtype=bool)
                self._add(row, everything)
                alike = (self.positive & self.positive[row]).sum(axis=1)
                alike[row] = -1
                partner = int(alike.argmax())
            if partner is not None:
                self._add(partner, self.hidden[row])
        if any(self._lonely_but_shared(row).any() for row in np.flatnonzero(self.target.any(axis=1))):
            self.hidden |= self.declared  # no pattern short of all protects this table
            self.target |= self.hidden

    def _lonely(self, row: int) -> np.ndarray:
        """Targets of the row that no other row can balance, or whose column hides too few families."""
        unknown = self.unknown
        mine = unknown[row]
        in_column = np.where(unknown, np.nan_to_num(self.families), 0).sum(axis=0)
        thin = self.target[row] & (in_column < self.min_cell - _NOTHING)
        lonely = self.target[row].copy()
        common, count = np.unique(unknown & mine, axis=0, return_counts=True)
        for pattern, rows in zip(common, count):
            if rows > 1 or not np.array_equal(pattern, mine):  # the row itself is one of its own pattern
                lonely &= ~self.row.free(pattern)
        return lonely | thin

    def _lonely_but_shared(self, row: int) -> np.ndarray:
        """Lonely targets in columns that other rows share; the rest is its own column total."""
        return self._lonely(row) & (self.positive.sum(axis=0) > 1)

    def _partner(self, row: int) -> int | None:
        """The row that frees all lonely targets with the fewest newly hidden cells, then families."""
        lonely = self._lonely(row)
        mine = self.unknown[row]
        can = (self.positive & mine)
        new = (can & self.declared & ~self.hidden)
        new[row] = True
        cost = np.lexsort((np.nan_to_num(self.families[:, 0]), new.sum(axis=1)))
        for candidate in cost:
            if candidate != row and new[candidate].any() and not (lonely & ~self.row.free(can[candidate])).any():
                return int(candidate)
        return None
