"""Decile moves of families between two versions of a dataset, in the published classes, and why they moved.

Families are matched by the number of their card. Why, in this declared order (each step changes one thing, so the
steps add up exactly to the move of every family):

1. *data*: the family's new answers under the old scorecard and the old thresholds, against its delivered old decile;
2. *model*: the same answers under the new scorecard with the thresholds it gives on the old families;
3. *others*: the thresholds on the new families, that is the delivered new decile; what remains is that others moved
   past, came or went.

The old scorecard is the one the old version was delivered with (its manifest names it), and so is the new one. A
version without its scorecard (real data) has classes and cases, but no decomposition.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.integrate.compare import decile_classes
from dtsen_core.policy.areas import OFFICIAL_COLUMNS, listed_areas
from dtsen_core.policy.request import SCOPES
from dtsen_core.rank import engine, official, packing, scorecard
from dtsen_core.rank.engine import Filter
from dtsen_core.rank.queue import LINE
from dtsen_core.regions import units
from dtsen_core.registry import limits, versions
from dtsen_core.registry.dataset import DATABASE, Dataset
from dtsen_core.registry.versions import Version

FAR = 4  # deciles: a move this far without a field visit is to be reviewed
CAUSES = ("data", "model", "others")


@dataclass(frozen=True)
class Movement:
    """Moves from version `before` to `after` among families of `scope`, decile known in both.

    classes    code, label_id, label_en, families (weighted by the new version), n (rows), cases (families that moved
               `FAR` deciles or more with no ground check between the two dates), and the mean steps data, model,
               others (deciles; NaN without scorecards)
    areas      code, name, n, families, one column per class, cases; listed areas with families
    causes     cause (data, model, others), mean (signed deciles per family), families (moved by this step alone);
               empty without scorecards
    total_move mean signed move, the sum of the means of `causes`
    new, gone  rows only in the later, only in the earlier version
    """

    before: str
    after: str
    scope: str
    seconds: float
    classes: pd.DataFrame
    areas: pd.DataFrame
    causes: pd.DataFrame
    total_move: float
    new: int
    gone: int


def pair(dataset: Dataset, before: str = "", after: str = "") -> tuple[Version, Version]:
    """The two versions of `dataset` that are meant; by default the served one and the newest of an earlier date.

    UserError where there is only one, or both are the same."""
    known = versions.versions(dataset.path)
    if len(known) < 2:
        raise UserError("errors_lab.one_version")
    later = versions.find(dataset.path, after) if after else next(v for v in known if v.served)
    if before:
        earlier = versions.find(dataset.path, before)
    else:
        others = [v for v in known if v.folder != later.folder and v.manifest.families]
        past = [v for v in others if v.manifest.as_of < later.manifest.as_of]
        found = sorted(past or others, key=lambda v: (v.manifest.as_of, v.manifest.created))
        if not found:
            raise UserError("errors_lab.one_version")
        earlier = found[-1]
    if earlier.folder == later.folder:
        raise UserError("errors_lab.same_version", given=later.name)
    for version in (earlier, later):
        if not version.manifest.families:
            raise UserError("errors_dataset.nothing_to_compare", given=version.name)
    return earlier, later


def movement(dataset: Dataset, before: str = "", after: str = "", scope: str = "national",
             region: str | None = None, level: str = "province") -> Movement:  # fmt: skip
    """The moves between two versions of `dataset` (see `pair`), listed by the areas of `level` in `region` as they
    stand in the later version. UserError as `pair`, and for an unknown scope or region."""
    if scope not in SCOPES:
        raise UserError("errors_rank.scope", given=scope, allowed=", ".join(SCOPES))
    only, listed = listed_areas(level, region)
    earlier, later = pair(dataset, before, after)
    with LINE.turn(), duckdb.connect() as con:
        started = time.perf_counter()
        attach(con, dataset, earlier, later)
        cells, explained, new, gone = _cells(con, earlier, later, scope, only, level)
    return Movement(
        earlier.name, later.name, scope, time.perf_counter() - started, by_class(cells, explained),
        by_area(cells, level, listed), by_cause(cells) if explained else by_cause(cells.iloc[:0]),
        _mean(cells["d"], cells["families"]), new, gone,
    )  # fmt: skip


def _where(only: Filter | None) -> str:
    return f"WHERE {only.column} = ?" if only else ""


def attach(con: duckdb.DuckDBPyConnection, dataset: Dataset, earlier: Version, later: Version) -> None:
    """Open both versions on `con`, read-only, as ``was`` and ``now``. UserError where one is damaged."""
    limits.bound(con)
    for name, version in (("was", earlier), ("now", later)):
        path = str(dataset.path / version.folder / DATABASE).replace("'", "''")
        try:
            con.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        except duckdb.Error as problem:
            raise UserError("errors_dataset.damaged", path=dataset.path / version.folder) from problem


def _cells(con: duckdb.DuckDBPyConnection, earlier: Version, later: Version, scope: str, only: Filter | None,
           level: str) -> tuple[pd.DataFrame, bool, int, int]:  # fmt: skip
    """(families by area, move `d`, and its steps `data`, `model`, `others`, with those due for review; whether the
    steps are known; rows only in the later and only in the earlier version), from one join of both versions.

    The later version is narrowed to the region, the earlier one is not: a family that came from elsewhere has moved in
    decile all the same. It counts as new here, and one that left as gone.
    """
    decile, area = OFFICIAL_COLUMNS[scope], "regency" if level == "province" else level
    cards = _scorecards(con, earlier, later)
    if cards is None:
        source, one, two = "SELECT * FROM now.main.family_packed AS f " + _where(only), "NULL", "NULL"
    else:
        source, one, two = _stepped(con, cards, scope, only)
    con.execute("USE now")
    inside = f"{only.column} = ?" if only else "true"
    found = con.execute(
        f"""WITH old AS (
          SELECT nomor_kartu_keluarga AS card, {inside} AS inside,
            CASE WHEN {decile} BETWEEN 1 AND 10 THEN {decile}::INTEGER END AS d0
          FROM was.main.keluarga
        ), ranked_new AS ({source}), new AS (
          SELECT k.nomor_kartu_keluarga AS card, n.{area} AS area, n.regency, ({one})::INTEGER AS d1,
            ({two})::INTEGER AS d2, CASE WHEN n.{decile} BETWEEN 1 AND 10 THEN n.{decile}::INTEGER END AS d3,
            (k.tanggal_ground_check IS NULL OR k.tanggal_ground_check <= ?::DATE) AS unvisited
          FROM ranked_new AS n JOIN now.main.keluarga AS k USING (id_keluarga)
        )
        SELECT area, any_value(regency)::INTEGER AS regency, d3 - d0 AS d, d1 - d0 AS data, d2 - d1 AS model,
          d3 - d2 AS others, count(*) AS n, count(*) FILTER (unvisited AND abs(d3 - d0) >= {FAR}) AS cases,
          count(*) FILTER (area IS NOT NULL AND inside IS NOT TRUE) AS came,
          count(*) FILTER (area IS NULL AND inside) AS went
        FROM old FULL JOIN new USING (card) GROUP BY area, d, data, model, others""",
        [*([only.idx] * 2 if only else []), earlier.manifest.as_of],
    ).df()
    came, went = int(found["came"].sum()), int(found["went"].sum())
    found = found[found["d"].notna()]
    weight, _ = official.area_weights(con)
    load = weight[found["regency"].to_numpy(np.int64)]
    steps = found[list(CAUSES)].astype("float64")
    cells = pd.DataFrame({
        "area": found["area"].to_numpy(np.int64), "d": found["d"].to_numpy(np.int64), **steps,
        "n": found["n"].to_numpy(np.int64), "families": found["n"].to_numpy(float) * load,
        "cases": found["cases"].to_numpy(float) * load,
    })  # fmt: skip
    if level == "province":
        cells["area"] = official.scope_of_regency("province")[cells["area"].to_numpy()]
    return cells, cards is not None, came, went


def _scorecards(con: duckdb.DuckDBPyConnection, earlier: Version,
                later: Version) -> tuple[scorecard.Scorecard, scorecard.Scorecard] | None:  # fmt: skip
    found = []
    for name, version in (("was", earlier), ("now", later)):
        con.execute(f"USE {name}")
        if version.manifest.model not in scorecard.names(con):
            return None
        found.append(scorecard.load(con, version.manifest.model))
    return found[0], found[1]


def _stepped(con: duckdb.DuckDBPyConnection, cards: tuple[scorecard.Scorecard, scorecard.Scorecard], scope: str,
             only: Filter | None) -> tuple[str, str, str]:  # fmt: skip
    """(SELECT giving the new families with both intermediate deciles, their two columns)."""
    con.execute("USE was")
    weight, _ = official.area_weights(con)
    dictionary = packing.check(con)
    # most versions keep their scorecard: then one side tells both intermediate deciles
    sides = {"a": cards[0]} if cards[0].hash == cards[1].hash else dict(zip(("a", "b"), cards))
    found = {
        side: official.scope_thresholds(engine.count(con, card), scope, "families", weight)
        for side, card in sides.items()
    }
    con.execute("USE now")
    packing.check(con)
    for side, card in sides.items():
        official.prepare(con, dictionary, card, {scope: found[side]}, side)
    sets = {side: card.sets for side, card in sides.items()}
    steps = official.ranked_sql(dictionary, sets, only.column if only else None, (scope,))
    return f"WITH {steps} SELECT * FROM ranked", f"n.a_{scope}", f"n.{max(sides)}_{scope}"


def _mean(values: pd.Series, load: pd.Series) -> float:
    total = float(load.sum())
    return float((values * load).sum() / total) if total else float("nan")


def by_class(cells: pd.DataFrame, explained: bool) -> pd.DataFrame:
    """The rows of `Movement.classes`, from extreme fall to extreme rise."""
    rows = []
    for one in decile_classes():
        inside = _inside(cells["d"], one.low, one.high)
        part = cells[inside]
        means = {c: _mean(part[c], part["families"]) if explained and len(part) else float("nan") for c in CAUSES}
        rows.append({"code": one.code, "label_id": one.label_id, "label_en": one.label_en,
                     "families": float(part["families"].sum()), "n": int(part["n"].sum()),
                     "cases": float(part["cases"].sum()), **means})  # fmt: skip
    return pd.DataFrame(rows)


def _inside(change: pd.Series, low: int | None, high: int | None) -> pd.Series:
    return change.between(-9 if low is None else low, 9 if high is None else high)


def by_area(cells: pd.DataFrame, level: str, listed: np.ndarray) -> pd.DataFrame:
    size = len(listed)
    columns = {"n": np.bincount(cells["area"], cells["n"], size).astype(np.int64),
               "families": np.bincount(cells["area"], cells["families"], size)}  # fmt: skip
    for one in decile_classes():
        inside = _inside(cells["d"], one.low, one.high).to_numpy()
        columns[one.code] = np.bincount(cells["area"][inside], cells["families"][inside], size)
    columns["cases"] = np.bincount(cells["area"], cells["cases"], size)
    frame = pd.concat([units.table(level)[["code", "name"]], pd.DataFrame(columns)], axis=1)
    return frame[listed & (frame["n"].to_numpy() > 0)].reset_index(drop=True)


def by_cause(cells: pd.DataFrame) -> pd.DataFrame:
    """The rows of `Movement.causes`; the means add up to the mean move."""
    if cells.empty:
        return pd.DataFrame({"cause": [], "mean": [], "families": []})
    return pd.DataFrame({
        "cause": list(CAUSES),
        "mean": [_mean(cells[c], cells["families"]) for c in CAUSES],
        "families": [float(cells["families"][cells[c] != 0].sum()) for c in CAUSES],
    })  # fmt: skip
