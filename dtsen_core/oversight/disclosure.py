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
_NOISE = 1e-11  # rounding of a sum of doubles, relative to the sum (measured: 1e-13)
_NOTHING = 1e-6  # below this a weighted count is rounding noise of a sum, not a family


@dataclass(frozen=True)
class TableSpec:
    """What the columns of a table say about people; every numeric column must be named in exactly one role.

    key       column that names the row
    counts    columns counting families or persons, disjoint or not
    additive  {total: (part, part, …)}: disjoint parts within a total; a remainder is allowed and implied
    rates     {rate: (numerator, denominator)}: the numerator is a part of the denominator; both are counts
    measures  means, indices and other figures computed over the families of the row
    persons   those of `counts` that count persons, the row's number of persons first; they are turned into
              families by the row's mean family size
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


def publish(frame: pd.DataFrame, spec: TableSpec, *, origin: str, min_cell: int = MIN_CELL) -> Published:
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
            # A sum of weighted counts carries rounding noise that grows with it; noise is not a family.
            rest = np.where(np.abs(rest) <= _NOISE * np.abs(values[:, at[total]]), 0.0, rest)
            values = np.column_stack([values, rest])
            self.equations[number, own] = 1
            self.equations[number, [at[total], len(columns) + number]] = -1, 1
        self.declared = np.arange(values.shape[1]) < len(columns)
        self.row = _Row(self.equations)
        self.min_cell = min_cell
        self.base = at[spec.base]
        # families that each cell stands for
        families = np.nan_to_num(values[:, self.base])
        in_persons = [column in spec.persons for column in columns]
        in_persons += [total in spec.persons for total, _ in groups]
        self.families = np.nan_to_num(values)
        if any(in_persons):
            persons = self.families[:, at[spec.persons[0]]]
            mean_size = np.divide(persons, families, out=np.ones(len(frame)), where=families > 0)
            self.families[:, in_persons] /= np.maximum(mean_size, 1.0)[:, None]
        if unweighted and spec.sample is not None and spec.sample in frame:
            self.families[:, self.base] = frame[spec.sample].fillna(0).to_numpy("float64")
        self.positive = np.nan_to_num(values) > _NOTHING
        small = self.positive & (self.families < min_cell - _NOTHING)
        self.target = small.copy()  # cells that must stay undetermined: small ones and all that is hidden
        self.hidden = small & self.declared
        self.unknown = self.hidden | (self.positive & ~self.declared)  # a remainder is never shown
        self.hidden_rows = self.hidden.sum(axis=0)
        self.not_shown = np.where(self.unknown, self.families, 0).sum(axis=0)
        # what the parent's table shows of the column totals, by the same rules
        self.total_shown = np.zeros(values.shape[1], dtype=bool)
        if len(values) > 1:
            sums = frame[[c for c in (*columns, spec.sample) if c in frame]].sum().to_frame().T
            parent = _Table(sums, spec, min_cell, unweighted=unweighted)
            parent.hide()
            self.total_shown = ~self.row.free(parent.unknown[0])
        # a number alone in its column equals the column total: if that is shown, hiding it hides nothing
        alone = self.positive.sum(axis=0) < 2
        self.worth_hiding = self.declared & ~(alone & self.total_shown)

    def hide(self) -> None:
        for row in np.flatnonzero(self.target.any(axis=1)).tolist():
            self._close(row)
        if len(self.target) > 1:
            self._pair()

    def _add(self, row: int, cells: np.ndarray) -> None:
        new = cells & self.worth_hiding & self.positive[row] & ~self.hidden[row]
        self.hidden[row] |= new
        self.target[row] |= new
        self.unknown[row] |= new
        self.hidden_rows += new
        self.not_shown += np.where(new, self.families[row], 0)

    # -- inside a row ------------------------------------------------------------------------------------

    def _exposed(self, row: int) -> np.ndarray:
        """Targets of the row that its sums give away, exactly or because too few families share a sum."""
        unknown = self.unknown[row]
        exposed = self.target[row] & ~self.row.free(unknown)
        parts = (self.equations > 0) & unknown
        total_shown = ~((self.equations < 0) & unknown).any(axis=1)
        thin = total_shown & (parts @ self.families[row] < self.min_cell - _NOTHING)
        return exposed | (self.target[row] & parts[thin].any(axis=0))

    def _close(self, row: int) -> None:
        """Hide further cells of the row until none of its targets is exposed.

        First come cells that share a sum with the exposed and settle them; among these columns hidden in
        many rows already (such rows can pair) or in the parent's row, then small values.
        """
        while (exposed := self._exposed(row)).any():
            open_cells = np.flatnonzero(self.positive[row] & self.worth_hiding & ~self.hidden[row])
            if not len(open_cells):
                return
            concerned = self.equations[(self.equations[:, exposed] != 0).any(axis=1)]
            settles = np.zeros(len(open_cells), dtype=bool)
            for number, cell in enumerate(open_cells):
                trial = self.unknown[row].copy()
                trial[cell] = True
                settles[number] = not (exposed & ~self.row.free(trial)).any()
            order = np.lexsort(
                (
                    self.families[row, open_cells],
                    -self.hidden_rows[open_cells],
                    self.total_shown[open_cells],
                    ~(settles & (concerned[:, open_cells] > 0).any(axis=0)),
                    ~(concerned[:, open_cells] != 0).any(axis=0),
                )
            )
            self._add(row, np.arange(len(self.declared)) == open_cells[order[0]])

    # -- between rows ------------------------------------------------------------------------------------

    def _pair(self) -> None:
        """See to it that every target can move against another row, so that no column total gives it away."""
        for row in np.flatnonzero(self.target.any(axis=1)).tolist():
            while (lonely := self._lonely(row)).any():
                # first the cells hidden here, elsewhere; if no row fits, more cells of both rows
                if not any(self._share(row, lonely, own) for own in (self.unknown[row], self.positive[row])):
                    self.hidden |= self.declared  # no pattern short of all protects this table
                    return

    def _lonely(self, row: int) -> np.ndarray:
        """Targets of the row that no other row can balance, or whose column hides too few families.

        A column total that the parent's table hides gives nothing away.
        """
        mine = self.unknown[row]
        lonely = self.target[row] & ~self.row.free(mine & ~self.total_shown)
        thin = lonely & self.total_shown & (self.not_shown < self.min_cell - _NOTHING)
        common = self.unknown & mine
        common[row] = False
        if (common == mine).all(axis=1).any():
            return thin
        for pattern in np.unique(common[common.any(axis=1)], axis=0)[::-1]:
            if not lonely.any():
                break
            lonely = lonely & ~self.row.free(pattern)
        return lonely | thin

    def _share(self, row: int, lonely: np.ndarray, own: np.ndarray) -> bool:
        """Hide, in this row and another, cells of `own` that free all `lonely`; False if no row can.

        Taken is the row with the fewest newly hidden cells, then families; hidden is only what moves.
        """
        shared = self.positive & own
        new = (shared & self.declared & ~self.hidden).sum(axis=1)
        new[row] = 0
        for candidate in np.lexsort((self.families[:, self.base], new)).tolist():
            moving = self.row.free(shared[candidate])
            if new[candidate] and not (lonely & ~moving).any():
                before = self.hidden.sum()
                self._add(row, moving)
                self._add(candidate, moving)
                if self.hidden.sum() > before:
                    return True
        return False
