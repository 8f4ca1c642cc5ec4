"""The families of a dataset as weighted cells: what needs, quotas and reforms are computed from.

One pass over the families counts them by regency, urban, decile, score, enrolment and traits. Up to `FINE` rows
the cells are exact: every family of a cell has the same score, size, components and groups. Above, scores are
taken in steps of `COARSE_STEP` thousandths and sizes and groups are kept as sums inside a cell; totals stay exact,
and what is computed from a cell's mean (poverty effect, groups) is approximate. Coarse cells take a minute or more
to count and are kept beside the dataset (`lab`), so that is waited for once per version.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dtsen_core.policy import family_traits, lab
from dtsen_core.policy.models import scorecard_for
from dtsen_core.policy.programme_rules import FLAGS, as_date
from dtsen_core.rank import engine, official, scorecard
from dtsen_core.rank.cache import Cache
from dtsen_core.rank.packing import check
from dtsen_core.rank.scorecard import REGENCIES, Scorecard, province_of_regency
from dtsen_core.registry.dataset import Dataset

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FINE = 3_000_000
COARSE_STEP = 25
KEPT_BYTES = 1_500_000_000
COUNTED = tuple(family_traits.COUNTED)
COUNTED_UNITS = tuple(family_traits.UNITS)
PROTECTED = tuple(family_traits.PROTECTED)
GROUPS = (*family_traits.GROUPS, "disability")
SIZES = {"alone": "f.family_size = 1", "large": "f.family_size >= 6"}  # kinds of family known from their size
RECIPE = 1  # raised when cells change their meaning, so that kept ones are not read
_SUMS = ("persons", *FLAGS, *COUNTED_UNITS, *GROUPS, *SIZES)
_BITS = ("has_component", *PROTECTED)


@dataclass(frozen=True, eq=False)
class Cube:
    """Cells of families, arrays of shape (cells,), sorted by score.

    `score` thousandths of log rupiah (the decile where the dataset has no model), `other` the score under another
    model or None, `rows` families unweighted, `weight` families each row stands for, `factor` survey persons per
    registry person; `kind` the cell's row of `kinds` (members of each of `COUNTED`, shape (kinds, 6)); `sums`
    unweighted sums by name (`_SUMS`); `bits` flags by name; `paid` Rp of `quarter`, the last one of the programme
    files, by programme (empty without files). `members`: whether members are known, so that
    components are; `programmes`: whose enrolment the data speak about; `exact`: cells are homogeneous.
    `memo` keeps what every reform asks of the same cells.
    """

    regency: Ints
    urban: Ints
    decile: Ints
    score: Ints
    other: Ints | None
    rows: Floats
    weight: Floats
    factor: Floats
    kind: Ints
    kinds: Floats
    sums: dict[str, Floats]
    bits: dict[str, npt.NDArray[np.bool_]]
    members: bool
    programmes: frozenset[str]
    exact: bool
    model: str
    other_model: str
    paid: dict[str, Floats] = field(default_factory=dict)
    quarter: str = ""
    memo: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def families(self) -> Floats:
        return self.rows * self.weight

    @property
    def province(self) -> Ints:
        return province_of_regency()[self.regency]

    @property
    def nbytes(self) -> int:
        arrays = (self.regency, self.urban, self.decile, self.score, self.rows, self.weight, self.factor, self.kind)
        named = (*self.sums.values(), *self.bits.values(), *self.paid.values())
        return sum(a.nbytes for a in (*arrays, *named))

    def units(self, unit: str) -> Floats:
        """Weighted units of each cell: families, persons, pupils, students or school_age."""
        return self.families if unit == "families" else self.sums[unit] * self.weight


_cache: Cache[Cube] = Cache(KEPT_BYTES, lambda cube: cube.nbytes)


def forget() -> None:
    """Empty the cache (benches)."""
    _cache.clear()


def base_model(dataset: Dataset) -> str:
    """The model whose score orders families within a decile; "" where the dataset has none."""
    stored = scorecard.names(dataset.cursor())
    preferred = dataset.manifest.model or ""
    return preferred if preferred in stored else (stored[0] if stored else "")


def cube(dataset: Dataset, other: str = "") -> Cube:
    """Cells of `dataset`, with the score under the stored model `other` beside if it differs from the base."""
    base = base_model(dataset)
    second = "" if other in ("", base) else other
    key = (str(dataset.path), dataset.version, second)
    return _cache.get(key, lambda: _make(dataset, base, second))


def _make(dataset: Dataset, base: str, other: str) -> Cube:
    exact = dataset.manifest.families <= FINE
    if exact:
        return _cells(_counted(dataset, base, other, exact), dataset, base, other, exact)
    kept = lab.place_of(dataset, "cells", RECIPE, COARSE_STEP, base, other, ending="npz")
    if not kept.exists():
        found = _counted(dataset, base, other, exact)
        lab.write_aside(kept, lambda path: _write(path, found))
    with np.load(kept) as held:
        return _cells({name: held[name] for name in held.files}, dataset, base, other, exact)


def prepare(dataset: Dataset) -> None:
    """Count the cells of a dataset so large that it is waited for, so that no visitor does."""
    if dataset.manifest.families > FINE:
        cube(dataset)


def _write(path: Path, found: dict[str, Any]) -> None:
    with path.open("wb") as file:
        columns: dict[str, Any] = {name: _small(np.asarray(values)) for name, values in found.items()}
        np.savez(file, **columns)


def _small(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Whole numbers in the narrowest type that holds them."""
    if values.dtype.kind == "f" and np.array_equal(values, whole := np.rint(values)):
        values = whole.astype(np.int64)
    return values.astype(np.min_scalar_type(values.max(initial=0))) if values.dtype.kind in "iu" and (
        values.min(initial=0) >= 0) else values  # fmt: skip


def _counted(dataset: Dataset, base: str, other: str, exact: bool) -> dict[str, Any]:
    """Columns of the cells as the database counts them; ``members`` and ``quarter`` are single values."""
    cursor = dataset.cursor()
    try:
        members = family_traits.known(cursor)
        if members:
            family_traits.write(cursor, as_date(dataset.manifest.as_of))
        quarter = latest_quarter(dataset)
        programmes = _payments(cursor, quarter) if quarter else []
        sides = {side: scorecard_for(dataset, name) for side, name in (("a", base), ("b", other)) if name}
        found = _count(cursor, sides, exact, members, programmes)
    finally:
        cursor.close()
    named = {f"pay{k}": f"paid {name}" for k, name in enumerate(programmes)}
    found = {named.get(name, name): np.ma.filled(values, 0) for name, values in found.items()}
    return {**found, "members": np.array(members), "quarter": np.array(quarter)}


def latest_quarter(dataset: Dataset) -> str:
    """The last quarter the programme files speak of; "" where the dataset has none."""
    if not dataset.has_table("enrolment"):
        return ""
    found = dataset.cursor().execute("SELECT max(quarter) FROM enrolment").fetchone()
    return str(found[0]) if found and found[0] else ""


def _payments(cursor: duckdb.DuckDBPyConnection, quarter: str) -> list[str]:
    """Temporary table ``paid``: one row per family, Rp of `quarter` as columns pay0, pay1 … in the order of the
    programmes returned. Enrolments are summed before they are joined, so a family stays one row."""
    names = cursor.execute("SELECT DISTINCT program FROM enrolment WHERE quarter = ? ORDER BY 1", [quarter]).fetchall()
    found = [str(name) for (name,) in names if name is not None]
    columns = "".join(f", sum(amount) FILTER (program = ?) AS pay{k}" for k in range(len(found)))
    cursor.execute(f"""CREATE OR REPLACE TEMP TABLE paid AS
SELECT id_keluarga{columns} FROM enrolment WHERE quarter = ? GROUP BY id_keluarga""", [*found, quarter])
    return found


def _cells(found: dict[str, Any], dataset: Dataset, base: str, other: str, exact: bool) -> Cube:
    weight, factor = official.area_weights(dataset.cursor())
    order = np.argsort(np.asarray(found["score"]), kind="stable")
    ints = {k: np.asarray(found[k]).astype(np.int64)[order] for k in ("regency", "urban", "decile", "score", "kind")}
    known, kind = np.unique(ints["kind"], return_inverse=True)
    kinds = np.stack([(known >> (4 * k)) & 15 for k in range(len(COUNTED))], axis=1).astype(np.float64)
    paid = {name.removeprefix("paid "): values for name, values in found.items() if name.startswith("paid ")}
    return Cube(
        regency=ints["regency"], urban=ints["urban"], decile=ints["decile"], score=ints["score"],
        other=np.asarray(found["other"]).astype(np.int64)[order] if other else None,
        rows=np.asarray(found["rows"], dtype=np.float64)[order],
        weight=weight[ints["regency"]], factor=factor[ints["regency"]],
        kind=kind.astype(np.int64), kinds=kinds,
        sums={name: np.asarray(found[name], dtype=np.float64)[order] for name in _SUMS},
        bits={name: np.asarray(found[name]).astype(bool)[order] for name in _BITS},
        members=bool(found["members"]), programmes=frozenset(dataset.manifest.programmes), exact=exact,
        model=base, other_model=other,
        paid={name: np.asarray(values, dtype=np.float64)[order] for name, values in paid.items()},
        quarter=str(found["quarter"]),
    )  # fmt: skip


def score_steps(
    cursor: duckdb.DuckDBPyConnection, sides: dict[str, Scorecard], step: int
) -> tuple[dict[str, str], str]:
    """(SQL of the score of sides "a" and "b", join clauses) for ``family_packed AS f``, in steps of `step`
    thousandths. Writes temporary look-ups on `cursor`; a missing side "a" is the delivered decile, "b" 0."""
    packing = check(cursor) if sides else None
    scores, joins = {"a": "f.desil_nasional * 1000", "b": "0"}, []
    for side, card in sides.items():
        assert packing is not None
        engine.fill_lookups(cursor, packing, card, f"{side}_lut")
        total, clauses = engine.score_joins(packing, card.sets, f"{side}_lut")
        regency, urban = (part.ravel() for part in np.indices((REGENCIES, 3)))
        rows = pa.table({"area": (regency * 3 + urban).astype(np.int32), "base": card.area[regency, urban]})
        cursor.register("base_rows", rows)
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE {side}_base AS SELECT * FROM base_rows")
        cursor.unregister("base_rows")
        joins.append(f"{clauses}\n  JOIN {side}_base AS {side} ON {side}.area = f.regency::INTEGER * 3 + f.urban")
        scores[side] = f"(({total} + {side}.base) // {step}) * {step}"
    return scores, "\n  ".join(joins)


def _count(
    cursor: duckdb.DuckDBPyConnection, sides: dict[str, Scorecard], exact: bool, members: bool, programmes: list[str],
) -> dict[str, Any]:
    scores, joins = score_steps(cursor, sides, 1 if exact else COARSE_STEP)
    traits = {name: f"t.{name}" for name in (*COUNTED, *COUNTED_UNITS, *_BITS, *GROUPS)}
    if not members:  # read off the packed codes: joining the indicators of a whole nation takes minutes
        traits = family_traits.packed()
    traits |= SIZES
    packed = " + ".join(f"({traits[name]})::BIGINT * {16**k}" for k, name in enumerate(COUNTED)) if members else "0"
    sums = {name: f"sum(coalesce(({traits[name]})::INTEGER, 0))" for name in (*COUNTED_UNITS, *GROUPS, *SIZES)}
    sums |= {"persons": "sum(f.family_size)", **{name: f"sum(f.{name})" for name in FLAGS}}
    counted = ", ".join(f"{sql}::DOUBLE AS {name}" for name, sql in sums.items())
    paid = "".join(f", coalesce(sum(y.pay{k}), 0)::DOUBLE AS pay{k}" for k in range(len(programmes)))
    keys = [f"f.{name} > 0" for name in FLAGS]
    keys += ["f.family_size", *(f"({traits[name]})" for name in GROUPS)] if exact else []
    bits = ", ".join(f"coalesce({traits[name]}, false) AS {name}" for name in _BITS)
    return cursor.execute(f"""SELECT f.regency, f.urban, least(f.desil_nasional, 10) AS decile,
  ({scores["a"]})::INTEGER AS score, ({scores["b"]})::INTEGER AS other, coalesce({packed}, 0)::BIGINT AS kind,
  {bits}, count(*)::DOUBLE AS rows, {counted}{paid}
FROM family_packed AS f
  {"LEFT JOIN traits AS t USING (id_keluarga)" if members else ""}
  {"LEFT JOIN paid AS y USING (id_keluarga)" if programmes else ""}
  {joins}
GROUP BY f.regency, f.urban, decile, score, other, kind, {", ".join(_BITS)}, {", ".join(keys)}
""").fetchnumpy()
