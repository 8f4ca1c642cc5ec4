"""``link_records``: pairs of records of the same person or thing in any two tables, or within one."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from splink import DuckDBAPI, Linker, SettingsCreator
from splink.blocking_rule_library import block_on

from dtsen_core.errors import UserError
from dtsen_core.integrate.link import blocking, model
from dtsen_core.integrate.link.comparisons import Comparison, comparisons
from dtsen_core.integrate.link.kinds import KINDS, MONTH_FIRST, helpers, normalised, plain, told

LEAST_CLOSED = 0.25
"""A pair may be closed through a third record if its own Bayes factor is at least this."""
MOST_PARTNERED = 0.98
"""No more rows than this share are taken to have a partner before looking at them."""

Table = pd.DataFrame | duckdb.DuckDBPyRelation

RANDOM_PAIRS = 300_000
TRAINING_PAIRS = 400_000
ONE_TO_ONE = 0.03
"""Two tables without duplicates of their own: at most this share of matched rows has a second sure partner."""


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
        con.execute("SET preserve_insertion_order = true")
        names = list(kinds)
        _load(con, left, right, names)
        inner = {f"c{n}": kinds[name] for n, name in enumerate(names)}
        inner, lengths = _normalise(con, inner)
        pairs = 0 if not inner else blocking.block(con, "link_row", inner, link=right is not None)
        if not pairs:
            return _empty(names)
        with _quiet():
            scored = _score(con, inner, lengths, link=right is not None, minimum=minimum_probability)
    finally:
        con.close()
    for n, name in enumerate(names):
        scored[f"weight_{name}"] = scored.pop(f"w{n}") if f"w{n}" in scored else 0.0
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
        return pa.array(values.dt.strftime("%Y-%m-%d").where(values.notna(), None).tolist(), pa.string(), from_pandas=True)
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
        WITH made AS (SELECT id, side, row, {', '.join(made)} FROM link_raw),
        said AS (SELECT id, side, row, {', '.join(f"nullif({name}, '') AS {name}" for name in kinds)} FROM made)
        SELECT *{''.join(further)} FROM said ORDER BY id"""
    )
    con.execute("DROP TABLE link_raw")
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


@contextmanager
def _quiet() -> Iterator[None]:
    """splink tells of its work through logging and warnings; a caller of this function asked for neither."""
    logger = logging.getLogger("splink")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _predict(
    con: duckdb.DuckDBPyConnection, compared: list[Comparison], fitted: model.Model | None, pairs: str
) -> str:
    """Name of splink's table of comparison levels (`fitted` None) or weights for the pairs in table `pairs`."""
    listed = []
    for n, comparison in enumerate(compared):
        m = [level.m for level in comparison.levels] if fitted is None else fitted.m[n].tolist()
        u = [max(level.u, 1e-6) for level in comparison.levels] if fitted is None else fitted.u[n].tolist()
        listed.append(comparison.settings(m, u, frequencies=fitted is not None))
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=listed,
        blocking_rules_to_generate_predictions=[block_on("id")],
        probability_two_random_records_match=0.001 if fitted is None else min(max(fitted.share, 1e-12), 0.9),
        unique_id_column_name="id",
        retain_matching_columns=fitted is None,
        retain_intermediate_calculation_columns=True,
    )
    api = DuckDBAPI(connection=con)
    linker = Linker(api.register("link_row"), settings, log_level=None, validate_settings=False)
    linker.table_management.register_blocked_pairs_for_predict(api.register(pairs))
    if fitted is not None:
        for comparison in (c for c in compared if c.frequencies):
            table = api.register(f"link_tf_{comparison.name}")
            linker.table_management.register_term_frequency_lookup(table, comparison.name)
    return str(linker.inference.predict(warning_mode="never").physical_name)


def _score(
    con: duckdb.DuckDBPyConnection, kinds: dict[str, str], lengths: dict[str, int], *, link: bool, minimum: float
) -> pd.DataFrame:
    compared = comparisons(kinds, lengths)
    fitted = model.fit(compared, _evidence(con, compared, link=link))
    _frequencies(con, compared, fitted)
    con.execute("CREATE OR REPLACE TEMP VIEW link_all AS SELECT '0' AS match_key, l AS join_key_l, r AS join_key_r FROM link_pair")
    predicted = _predict(con, compared, fitted, "link_all")
    parts = []
    for n, comparison in enumerate(compared):
        weight = f"mw_{comparison.name}"
        if comparison.frequencies:
            weight += f" + mw_tf_adj_{comparison.name}"
        if n in fitted.excess:
            excess = fitted.excess[n]
            other = compared[excess.other]
            exact = f"{_exact(other, fitted, excess.other)} AND {_exact(comparison, fitted, n)}"
            some = f"mw_{other.name} > 0 AND mw_{comparison.name} > 0"
            weight += f" - CASE WHEN {exact} THEN {excess.exact!r} WHEN {some} THEN {excess.any!r} ELSE 0 END"
        parts.append(f"({weight})::DOUBLE AS w{comparison.name[1:]}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE link_weight AS SELECT id_l, id_r, {', '.join(parts)} FROM {predicted}")
    total = " + ".join(f"w{c.name[1:]}" for c in compared)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE link_scored AS SELECT *, "
        f"pow(2.0, greatest(-300, least(300, {fitted.prior()!r} + {total}))) AS odds FROM link_weight"
    )
    if link:
        rival = _rivals(con, fitted.share)
    else:
        rival = "1"
        _close(con, 2.0 ** fitted.prior())
    listed = ", ".join(f"s.w{c.name[1:]}" for c in compared)
    return con.execute(
        f"""SELECT a.row AS left_row, b.row AS right_row, odds / ({rival} + odds) AS probability, {listed}
        FROM link_scored s JOIN link_row a ON a.id = s.id_l JOIN link_row b ON b.id = s.id_r
        WHERE odds / ({rival} + odds) >= ?
        ORDER BY probability DESC, left_row, right_row""",
        [minimum],
    ).df()


def _exact(comparison: Comparison, fitted: model.Model, n: int) -> str:
    """SQL condition: the pair agrees exactly on a column (or at a level that weighs the same)."""
    return f"abs(mw_{comparison.name} - {float(np.log2(fitted.m[n][0] / fitted.u[n][0]))!r}) < 1e-6"


def _rivals(con: duckdb.DuckDBPyConnection, share: float) -> str:
    """What the odds of a pair stand against when two tables are linked.

    If hardly any row has a second sure partner, each row has at most one true partner, and the probability of
    a pair is its odds over the odds of all partners of that row and of none: rivals take from each other, and
    where nearly every row has a partner (estimated from `share` of all pairs), "none" is an unlikely answer.
    """
    sure, second = con.execute(
        """WITH sure AS (SELECT id_l, id_r FROM link_scored WHERE odds > 100),
        counted AS (SELECT count(*) AS n FROM sure GROUP BY id_l UNION ALL SELECT count(*) FROM sure GROUP BY id_r)
        SELECT count(*), count(*) FILTER (WHERE n > 1) FROM counted"""
    ).fetchall()[0]
    if second > ONE_TO_ONE * sure and second > 2:
        return "1"
    con.execute(
        """CREATE OR REPLACE TEMP TABLE link_scored AS
        SELECT *, greatest(sum(odds) OVER (PARTITION BY id_l), sum(odds) OVER (PARTITION BY id_r)) - odds AS rival
        FROM link_scored"""
    )
    left, right = con.execute("SELECT count(*) FILTER (WHERE side = 0), count(*) FILTER (WHERE side = 1) FROM link_row").fetchall()[0]
    partnered = min(share * max(left, right), MOST_PARTNERED)
    return f"({1 - partnered!r} + greatest(rival, 0))"


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


def _frequencies(con: duckdb.DuckDBPyConnection, compared: list[Comparison], fitted: model.Model) -> None:
    """Tables ``link_tf_<column>``: how frequent a value is among *other* records.

    The two records of a pair do not count, else a value that only a pair of duplicates shares would look
    frequent in a small table. Few records say little: the average frequency counts like one more sighting.
    """
    for n, comparison in enumerate(compared):
        if comparison.frequencies:
            name, exact = comparison.name, float(fitted.u[n][0])
            con.execute(
                f"""CREATE TEMP TABLE link_tf_{name} AS
                WITH counted AS (SELECT {name}, count(*) AS n FROM link_row WHERE {name} IS NOT NULL GROUP BY {name})
                SELECT {name}, (greatest(n - 2, 0) + 1) / ((SELECT sum(n) FROM counted) + 1 / {exact!r}) AS tf_{name}
                FROM counted ORDER BY {name}"""
            )


def _evidence(con: duckdb.DuckDBPyConnection, compared: list[Comparison], *, link: bool) -> model.Evidence:
    """Count levels among the pairs to compare and among random pairs."""
    left, right = con.execute("SELECT count(*) FILTER (WHERE side = 0), count(*) FILTER (WHERE side = 1) FROM link_row").fetchall()[0]
    total = float(left * right if link else left * (left - 1) / 2)
    found = int(con.execute("SELECT count(*) FROM link_pair").fetchall()[0][0])
    step = -(-found // TRAINING_PAIRS)
    chosen = f"WHERE hash(l, r) % {step} = 0" if step > 1 else ""
    con.execute(f"CREATE OR REPLACE TEMP TABLE link_train AS SELECT 'k' AS match_key, l AS join_key_l, r AS join_key_r FROM link_pair {chosen}")
    everything = found >= total
    if not everything:
        rounds = -(-RANDOM_PAIRS // left)
        other = f"{left} + hash(id, k) % {right}" if link else f"hash(id, k) % {left}"
        con.execute(
            f"""INSERT INTO link_train SELECT 'r', least(id, other), greatest(id, other)
            FROM (SELECT id, ({other})::BIGINT AS other FROM link_row, range({rounds}) t(k) WHERE side = 0) WHERE id <> other"""
        )
    predicted = _predict(con, compared, None, "link_train")
    gammas = ", ".join(
        f"(CASE WHEN gamma_{c.name} < 0 THEN -1 ELSE {len(c.levels) - 1} - gamma_{c.name} END)::INTEGER AS g{n}"
        for n, c in enumerate(compared)
    )
    counted = con.execute(
        f"SELECT match_key, {gammas}, count(*)::DOUBLE AS pairs FROM {predicted} GROUP BY ALL ORDER BY ALL"
    ).df()
    con.execute(f"DROP TABLE {predicted}")
    key = counted["match_key"].to_numpy()
    levels = counted[[f"g{n}" for n in range(len(compared))]].to_numpy(np.int64)
    pairs = counted["pairs"].to_numpy(np.float64)
    mine = key == "k"
    sample = mine if everything else key == "r"
    scale = float(found) / max(pairs[mine].sum(), 1.0)
    random = []
    for n, comparison in enumerate(compared):
        level, weight = levels[sample, n], pairs[sample]
        known = level >= 0
        seen = np.bincount(level[known], weights=weight[known], minlength=len(comparison.levels))
        seen = seen * (total / max(weight.sum(), 1.0))
        exact = _together(con, [comparison.name], link)
        rest = seen[1:].sum()
        if rest > 0 and seen.sum() > exact:
            seen[1:] *= (seen.sum() - exact) / rest
        seen[0] = exact
        random.append(seen)
    together = {
        (a, b): _together(con, [compared[a].name, compared[b].name], link)
        for a in range(len(compared))
        for b in range(a + 1, len(compared))
    }
    most = max(left, right) if link else 5 * left
    return model.Evidence(
        levels[mine], pairs[mine] * scale, levels[sample], pairs[sample], random, together, total, float(min(most, total))
    )


def _together(con: duckdb.DuckDBPyConnection, names: list[str], link: bool) -> float:
    """Pairs, of all, that agree exactly on all the columns `names`."""
    known = " AND ".join(f"{name} IS NOT NULL" for name in names)
    count = "count(*) FILTER (WHERE side = 0) * count(*) FILTER (WHERE side = 1)" if link else "count(*) * (count(*) - 1) / 2"
    found = con.execute(
        f"SELECT coalesce(sum(n), 0)::DOUBLE FROM (SELECT {count} AS n FROM link_row WHERE {known} GROUP BY {', '.join(names)})"
    ).fetchall()
    return float(found[0][0])


def _empty(names: list[Hashable]) -> pd.DataFrame:
    empty = {"left_row": np.empty(0, np.int64), "right_row": np.empty(0, np.int64), "probability": np.empty(0)}
    return pd.DataFrame({**empty, **{f"weight_{name}": np.empty(0) for name in names}})
