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
    started = time.perf_counter()
    only, listed = listed_areas(level, region)
    earlier, later = pair(dataset, before, after)
    with duckdb.connect() as con:
        _attach(con, dataset, earlier, later)
        cells, explained = _cells(con, earlier, later, scope, only, level)
        outside = con.execute(
            f"""SELECT count(*) FILTER (b.id_keluarga IS NULL), count(*) FILTER (a.id_keluarga IS NULL)
            FROM (SELECT * FROM was.main.keluarga {_where(only)}) AS b
            FULL JOIN (SELECT * FROM now.main.keluarga {_where(only)}) AS a USING (nomor_kartu_keluarga)""",
            [only.idx, only.idx] if only else [],
        ).fetchone()
    assert outside is not None
    return Movement(
        earlier.name, later.name, scope, time.perf_counter() - started, by_class(cells, explained),
        by_area(cells, level, listed), by_cause(cells) if explained else by_cause(cells.iloc[:0]),
        _mean(cells["d"], cells["families"]), int(outside[0]), int(outside[1]),
    )  # fmt: skip


def _where(only: Filter | None) -> str:
    return f"WHERE {only.column} = ?" if only else ""


def _attach(con: duckdb.DuckDBPyConnection, dataset: Dataset, earlier: Version, later: Version) -> None:
    limits.bound(con)
    for name, version in (("was", earlier), ("now", later)):
        path = str(dataset.path / version.folder / DATABASE).replace("'", "''")
        try:
            con.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        except duckdb.Error as problem:
            raise UserError("errors_dataset.damaged", path=dataset.path / version.folder) from problem


def _cells(con: duckdb.DuckDBPyConnection, earlier: Version, later: Version, scope: str, only: Filter | None,
           level: str) -> tuple[pd.DataFrame, bool]:  # fmt: skip
    """Families by area, move `d`, and its steps `data`, `model`, `others`, with those due for review."""
    decile, area = OFFICIAL_COLUMNS[scope], "regency" if level == "province" else level
    cards = _scorecards(con, earlier, later)
    if cards is None:
        source, one, two = "SELECT * FROM now.main.family_packed AS f " + _where(only), "NULL", "NULL"
    else:
        source, one, two = _stepped(con, cards, scope, only)
    con.execute("USE now")
    found = con.execute(
        f"""WITH old AS (
          SELECT k.nomor_kartu_keluarga AS card, f.{decile}::INTEGER AS d0
          FROM was.main.family_packed AS f JOIN was.main.keluarga AS k USING (id_keluarga)
          WHERE f.{decile} BETWEEN 1 AND 10
        ), new AS ({source}), both_sides AS (
          SELECT n.{area} AS area, n.regency, o.d0, ({one})::INTEGER AS d1, ({two})::INTEGER AS d2,
            n.{decile}::INTEGER AS d3,
            (k.tanggal_ground_check IS NULL OR k.tanggal_ground_check <= ?::DATE) AS unvisited
          FROM new AS n JOIN now.main.keluarga AS k USING (id_keluarga)
          JOIN old AS o ON o.card = k.nomor_kartu_keluarga
          WHERE n.{decile} BETWEEN 1 AND 10
        )
        SELECT area, any_value(regency)::INTEGER AS regency, d3 - d0 AS d, d1 - d0 AS data, d2 - d1 AS model,
          d3 - d2 AS others, count(*) AS n, count(*) FILTER (unvisited AND abs(d3 - d0) >= {FAR}) AS cases
        FROM both_sides GROUP BY area, d, data, model, others""",
        [*([only.idx] if only else []), earlier.manifest.as_of],
    ).df()
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
    return cells, cards is not None


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
    limits_of = [
        official.scope_thresholds(engine.count(con, card), scope, "families", weight) for card in cards
    ]
    con.execute("USE now")
    packing.check(con)
    for side, card, found in zip(("a", "b"), cards, limits_of):
        official.prepare(con, dictionary, card, {scope: found}, side)
    sides = {side: card.sets for side, card in zip(("a", "b"), cards)}
    steps = official.ranked_sql(dictionary, sides, only.column if only else None, (scope,))
    return f"WITH {steps} SELECT * FROM ranked", f"n.a_{scope}", f"n.b_{scope}"


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


def review_cases(dataset: Dataset, before: str = "", after: str = "", scope: str = "national",
                 region: str | None = None, limit: int = 200) -> pd.DataFrame:  # fmt: skip
    """The families to review, by name of their number only: id_keluarga, regency (code), before, after, ground_check;
    largest move first. UserError on a real dataset, and as `movement`."""
    if not dataset.simulated:
        raise UserError("errors_lab.only_simulated")
    only, _ = listed_areas("village", region)
    earlier, later = pair(dataset, before, after)
    decile = OFFICIAL_COLUMNS[scope]
    with duckdb.connect() as con:
        _attach(con, dataset, earlier, later)
        found = con.execute(
            f"""SELECT n.id_keluarga, n.regency::INTEGER AS regency, b.{decile}::INTEGER AS before,
              n.{decile}::INTEGER AS after, n.tanggal_ground_check AS ground_check
            FROM now.main.keluarga AS n JOIN was.main.keluarga AS b USING (nomor_kartu_keluarga)
            WHERE abs(n.{decile} - b.{decile}) >= {FAR} AND n.{decile} BETWEEN 1 AND 10
              AND b.{decile} BETWEEN 1 AND 10
              AND (n.tanggal_ground_check IS NULL OR n.tanggal_ground_check <= ?::DATE)
              {f"AND n.{only.column} = ?" if only else ""}
            ORDER BY abs(n.{decile} - b.{decile}) DESC, n.id_keluarga LIMIT ?""",
            [earlier.manifest.as_of, *([only.idx] if only else []), limit],
        ).df()
    found["regency"] = units.table("regency")["code"].to_numpy()[found["regency"].to_numpy(np.int64)]
    return found
