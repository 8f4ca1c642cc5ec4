"""``link_records``: pairs of records of the same person or thing in any two tables, or within one."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Mapping
from typing import TypeAlias

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from dtsen_core.errors import UserError
from dtsen_core.integrate.link import associations, blocking, companions, model, rivals, scoring
from dtsen_core.integrate.link.comparisons import comparisons
from dtsen_core.integrate.link.kinds import KINDS, MONTH_FIRST, WORDED, helpers, normalised, plain, told
from dtsen_core.registry import limits

LEAST_CLOSED = 0.25
"""A pair may be closed through a third record if its own Bayes factor is at least this."""

Table: TypeAlias = pd.DataFrame | duckdb.DuckDBPyRelation


RARE_WORDS = """
CREATE OR REPLACE TEMP TABLE link_row AS
WITH word AS (SELECT id, unnest({column}_t) AS t FROM link_row),
rarity AS (
  SELECT t, pow(ln(1 + (SELECT count({column}) FROM link_row) / count(*)), 2) AS w FROM word GROUP BY t),
listed AS (
  SELECT id, list({{'t': t, 'w': w}} ORDER BY t) AS {column}_w, sum(w) AS {column}_q
  FROM word JOIN rarity USING (t) GROUP BY id)
SELECT r.*, {column}_w, {column}_q FROM link_row r LEFT JOIN listed USING (id) ORDER BY id"""
"""Adds the words of a column with their weight (_w) and the sum of these (_q)."""


def link_records(
    left: Table,
    right: Table | None = None,
    *,
    columns: Mapping[Hashable, str],
    minimum_probability: float = 0.01,
) -> pd.DataFrame:
    """Find the pairs of rows that speak of the same person or thing, with the probability that they do.

    Values are made comparable by kind, pairs are brought together by many keys chosen from the data
    (`dtsen_core.integrate.link.blocking`), compared by splink in graded levels, and weighed by the model of
    Fellegi and Sunter (1969) fitted without labels (`dtsen_core.integrate.link.model`); rare values count for
    more (Winkler 2000), columns that foretell each other are not counted twice. The same input gives the same
    result. Test data and their errors: P. Christen, "Febrl" (2008).

    Parameters
    ----------
    left, right
        Data frames or DuckDB relations with the same columns. `right` None: duplicates within `left`. Values may
        be of any type; row labels are not used.
    columns
        Column name → kind: ``given_name, surname, full_name, birth_date, sex, place, postcode, address, code,
        text``. No column needs to be an identifier; columns not named are not used.
    minimum_probability
        Pairs below it are left out.

    Returns
    -------
    DataFrame
        One row per pair, the most probable first: ``left_row, right_row`` (positions from 0; within one table
        left_row < right_row), ``probability`` (0.5 is the decision), and per column ``weight_<column>``, the
        log2 Bayes factor it contributed (0 where a value is missing).

    Raises
    ------
    UserError
        No column, an unknown kind, or a column that a table lacks.
    """
    kinds = _checked(left, right, columns)
    con = duckdb.connect()
    try:
        limits.bound(con)
        con.execute("SET preserve_insertion_order = true")
        names = list(kinds)
        _load(con, left, right, names)
        inner = {f"c{n}": kinds[name] for n, name in enumerate(names)}
        inner, lengths = _normalise(con, inner)
        pairs = 0 if not inner else blocking.block(con, "link_row", inner, link=right is not None)
        if not pairs:
            return _empty(names)
        with scoring.quiet():
            scored = _score(con, inner, lengths, link=right is not None, minimum=minimum_probability)
    finally:
        con.close()
    for n, name in enumerate(names):
        scored[f"weight_{name}"] = scored.pop(f"w_c{n}") if f"w_c{n}" in scored else 0.0
    return scored


def _checked(left: Table, right: Table | None, columns: Mapping[Hashable, str]) -> dict[Hashable, str]:
    if not columns:
        raise UserError("errors_link.no_columns", kinds=", ".join(KINDS))
    for name, kind in columns.items():
        if kind not in KINDS:
            raise UserError("errors_link.unknown_kind", column=str(name), kind=str(kind), kinds=", ".join(KINDS))
    for side, table in (("left", left), ("right", right)):
        if table is None:
            continue
        if not isinstance(table, (pd.DataFrame, duckdb.DuckDBPyRelation)):
            raise UserError("errors_link.no_table", side=side, found=type(table).__name__)
        held = list(table.columns)
        for name in columns:
            if name not in held:
                near = difflib.get_close_matches(str(name), [str(c) for c in held], n=3, cutoff=0.5)
                near = near or [str(c) for c in held[:8]]
                raise UserError("errors_link.no_column", column=str(name), side=side, near=", ".join(near))
            if isinstance(table, pd.DataFrame) and held.count(name) > 1:
                raise UserError("errors_link.column_twice", column=str(name), side=side)
    return dict(columns)


def _texts(values: pd.Series) -> pa.Array:
    """The values as text, None where there is none; numbers and dates as one would write them."""
    if isinstance(values.dtype, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_any_dtype(values):
        return pa.array(
            values.dt.strftime("%Y-%m-%d").where(values.notna(), None).tolist(), pa.string(), from_pandas=True
        )
    if pd.api.types.is_float_dtype(values):
        values = values.astype(object)
    given: list[str | None] = []
    for value in values.tolist():
        if value is None or (not isinstance(value, (list, tuple, dict, set, np.ndarray)) and pd.isna(value)):
            given.append(None)
        elif isinstance(value, float) and value.is_integer():
            given.append(str(int(value)))
        elif isinstance(value, bytes):
            given.append(value.decode("utf-8", "replace"))
        else:
            given.append(str(value).replace("\x00", "").encode("utf-8", "replace").decode("utf-8"))
    return pa.array(given, pa.string())


def _load(con: duckdb.DuckDBPyConnection, left: Table, right: Table | None, names: list[Hashable]) -> None:
    """``link_raw(id, side, row, c0 …)``: both tables as text; ids are unique over both."""
    tables, start = [], 0
    for side, table in enumerate((left, right)):
        if table is None:
            continue
        frame = table if isinstance(table, pd.DataFrame) else table.to_arrow_table().to_pandas(types_mapper=None)
        count = len(frame)
        arrays = {f"c{n}": _texts(frame[name]) for n, name in enumerate(names)}
        row = np.arange(count, dtype=np.int64)
        tables.append(pa.table({"id": row + start, "side": np.full(count, side, np.int8), "row": row, **arrays}))
        start += count
    con.register("link_given", pa.concat_tables(tables))
    con.execute("CREATE TEMP TABLE link_raw AS SELECT * FROM link_given")
    con.unregister("link_given")


def _normalise(con: duckdb.DuckDBPyConnection, kinds: dict[str, str]) -> tuple[dict[str, str], dict[str, int]]:
    """``link_row`` with comparable values; returns the columns that say anything, and their usual lengths."""
    bare = ", ".join(f"{plain(name)} AS {name}" for name in kinds)
    known = ", ".join(f"{told(name)} AS {name}" for name in kinds)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE link_raw AS
        WITH bare AS (SELECT id, side, row, {bare} FROM link_raw)
        SELECT id, side, row, {known} FROM bare ORDER BY id"""
    )
    made, further = [], []
    for name, kind in kinds.items():
        month_first = False
        if kind == "birth_date":
            month_first = bool(con.execute(MONTH_FIRST.format(column=name, table="link_raw")).fetchall()[0][0])
        made.append(f"{normalised(kind, name, month_first=month_first)} AS {name}")
        further += [f", {sql} AS {helper}" for helper, sql in helpers(kind, name).items()]
    con.execute(
        f"""CREATE TEMP TABLE link_row AS
        WITH made AS (SELECT id, side, row, {", ".join(made)} FROM link_raw),
        said AS (SELECT id, side, row, {", ".join(f"nullif({name}, '') AS {name}" for name in kinds)} FROM made)
        SELECT *{"".join(further)} FROM said ORDER BY id"""
    )
    con.execute("DROP TABLE link_raw")
    for name in (name for name, kind in kinds.items() if kind in WORDED):
        con.execute(RARE_WORDS.format(column=name))
    kept, lengths = {}, {}
    for name, kind in kinds.items():
        known, length, numbers = con.execute(
            f"SELECT count({name}), coalesce(quantile_disc(length({name}), 0.9), 0), "
            f"count(*) FILTER (WHERE regexp_full_match({name}, '[0-9 ]+')) FROM link_row"
        ).fetchall()[0]
        if known:
            kept[name] = "code" if kind == "text" and numbers > 0.95 * known else kind
            lengths[name] = int(length)
    return kept, lengths


def _score(
    con: duckdb.DuckDBPyConnection, kinds: dict[str, str], lengths: dict[str, int], *, link: bool, minimum: float
) -> pd.DataFrame:
    compared = comparisons(kinds, lengths)
    fitted = model.fit(compared, scoring.evidence(con, compared, link=link, bounded=True))
    scoring.weigh(con, compared, fitted, slips=True)
    associations.learn(con, compared, fitted.prior(), link=link)
    total = " + ".join(["errors", *(f"w_{c.name}" for c in compared)])
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE link_scored AS SELECT *, "
        f"pow(2.0, greatest(-300, least(300, {fitted.prior()!r} + {total}))) AS odds FROM link_weight"
    )
    rows = con.execute(
        "SELECT count(*) FILTER (WHERE side = 0), count(*) FILTER (WHERE side = 1) FROM link_row"
    ).fetchall()[0]
    if link:
        rivals.settle(con, compared, fitted, rows)
    else:
        companions.settle(con, rows[0], fitted.share)
        _close(con, 2.0 ** fitted.prior())
    listed = ", ".join(f"s.w_{c.name}" for c in compared)
    return con.execute(
        f"""SELECT a.row AS left_row, b.row AS right_row, odds / (1 + odds) AS probability, {listed}
        FROM link_scored s JOIN link_row a ON a.id = s.id_l JOIN link_row b ON b.id = s.id_r
        WHERE odds / (1 + odds) >= ?
        ORDER BY probability DESC, left_row, right_row""",
        [minimum],
    ).df()


def _close(con: duckdb.DuckDBPyConnection, prior: float) -> None:
    """Within one table sameness is transitive: A and C are the same if both are the same as B.

    The odds of a pair rise to those of the surest way through a third record, unless its own values speak
    clearly against it.
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE link_scored AS
        WITH sure AS (SELECT id_l AS a, id_r AS b, odds / (1 + odds) AS p FROM link_scored WHERE odds > 4),
        either AS (FROM sure UNION ALL SELECT b, a, p FROM sure),
        way AS (
          SELECT s.id_l, s.id_r, max(x.p * y.p) AS p
          FROM link_scored s JOIN either x ON x.a = s.id_l JOIN either y ON y.a = s.id_r AND y.b = x.b
          WHERE s.odds BETWEEN {LEAST_CLOSED * prior!r} AND 4 GROUP BY s.id_l, s.id_r)
        SELECT s.* REPLACE (greatest(odds, CASE WHEN way.p > 0.8 THEN least(way.p / (1 - way.p + 1e-9), 1e6) ELSE 0 END)
          AS odds)
        FROM link_scored s LEFT JOIN way USING (id_l, id_r)"""
    )


def _empty(names: list[Hashable]) -> pd.DataFrame:
    empty = {"left_row": np.empty(0, np.int64), "right_row": np.empty(0, np.int64), "probability": np.empty(0)}
    return pd.DataFrame({**empty, **{f"weight_{name}": np.empty(0) for name in names}})
