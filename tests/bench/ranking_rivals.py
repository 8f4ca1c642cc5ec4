"""What one would write instead of the engines: CASE + ``ntile`` in SQL, pandas ``qcut``, polars.

Each scores every family from the 39 plain columns, forms ten groups in the three scopes, and counts; the cells of
H that come out go through the same convolution. Families of equal score share the lowest of their groups, so the
answers can be compared with ours to the last family.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from dtsen_core.policy import area_measures
from dtsen_core.policy.models import residuals_for
from dtsen_core.policy.welfare import DECILES, RankResult
from dtsen_core.rank import official, scorecard
from dtsen_core.rank.histogram import Histogram
from dtsen_core.rank.scorecard import OFFSETS, REGENCIES, Scorecard
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.indicators import INDICATORS

Answer = dict[str, np.ndarray]
MEASURES = ("p0", "p1", "p2", "gini")
NAMES = [i.name for i in INDICATORS]
JOINED = "family_packed AS f JOIN indicators AS i USING (id_keluarga)"
CELL = ["regency", "urban", "score"]


def case_ntile(dataset: Dataset, model: str) -> Answer:
    """CASE per indicator and three ``ntile(10)`` windows."""
    card = scorecard.load(dataset.cursor(), model)
    terms = []
    for k, indicator in enumerate(INDICATORS):
        whens = " ".join(f"WHEN {c} THEN {card.coefficients[0, OFFSETS[k] + c]}" for c in range(indicator.radix))
        terms.append(f"CASE i.{indicator.name} {whens} END")
    bases = " ".join(f"WHEN {r} THEN {card.area[r, 1]}" for r in range(REGENCIES))
    found = dataset.cursor().execute(f"""
WITH scored AS (
    SELECT f.province, f.regency, f.urban, f.family_size, {" + ".join(terms)} + CASE f.regency {bases} END AS score
    FROM {JOINED}
), ranked AS (
    SELECT *, ntile(10) OVER (ORDER BY score) AS n,
      ntile(10) OVER (PARTITION BY province ORDER BY score) AS p,
      ntile(10) OVER (PARTITION BY regency ORDER BY score) AS r
    FROM scored
)
SELECT regency, urban, score, count(*) AS families, sum(family_size)::BIGINT AS persons, min(n) AS n, min(p) AS p,
  min(r) AS r
FROM ranked GROUP BY regency, urban, score""").fetchnumpy()  # fmt: skip
    return _finish(dataset, card, {name: np.asarray(values).astype(np.int64) for name, values in found.items()})


def pandas_qcut(dataset: Dataset, model: str) -> Answer:
    """Arrays indexed by category, and ``qcut`` of the ranks in each scope."""
    card = scorecard.load(dataset.cursor(), model)
    frame = dataset.cursor().execute(f"SELECT f.province, f.regency, f.urban, f.family_size, {', '.join(NAMES)}"
                                     f" FROM {JOINED}").df()  # fmt: skip
    score = card.area[frame["regency"].to_numpy(), frame["urban"].to_numpy()].astype(np.int64)
    for k, name in enumerate(NAMES):
        score += card.coefficients[0, OFFSETS[k] + frame[name].to_numpy().astype(np.int64)]
    frame = frame[["province", "regency", "urban", "family_size"]].assign(score=score)

    def tenth(scores: pd.Series) -> pd.Series:
        # qcut cuts at interpolated quantiles of the ranks; ntile's groups need the ranks cut by number
        rank = scores.rank(method="first") - 1
        size, rest = divmod(len(scores), 10)
        edges = np.cumsum([0] + [size + (k < rest) for k in range(10)]) - 0.5
        return pd.Series(pd.cut(rank, edges, labels=False) + 1, index=scores.index)

    frame["n"] = tenth(frame["score"])
    for letter, unit in (("p", "province"), ("r", "regency")):
        frame[letter] = frame.groupby(unit, group_keys=False)["score"].apply(tenth)
    cells = frame.groupby(CELL, as_index=False).agg(
        families=("family_size", "size"), persons=("family_size", "sum"), n=("n", "min"), p=("p", "min"), r=("r", "min")
    )  # fmt: skip
    return _finish(dataset, card, {name: cells[name].to_numpy().astype(np.int64) for name in cells})


def polars_rank(dataset: Dataset, model: str) -> Answer:
    """``replace_strict`` per indicator, ordinal ranks over each scope."""
    import polars as pl

    card = scorecard.load(dataset.cursor(), model)
    frame = pl.from_arrow(
        dataset.cursor()
        .sql(f"SELECT f.province, f.regency, f.urban, f.family_size, {', '.join(NAMES)} FROM {JOINED}")
        .to_arrow_table()
    )
    assert isinstance(frame, pl.DataFrame)
    total = pl.col("regency").cast(pl.Int64).replace_strict(dict(enumerate(card.area[:, 1].tolist())))
    for k, name in enumerate(NAMES):
        listed = {c: int(card.coefficients[0, OFFSETS[k] + c]) for c in range(INDICATORS[k].radix)}
        total = total + pl.col(name).cast(pl.Int64).replace_strict(listed)

    def tenth(place: pl.Expr, number: pl.Expr) -> pl.Expr:
        size, rest = number // 10, number % 10
        long = rest * (size + 1)
        short = pl.when(size > 0).then((place - long) // size + rest + 1).otherwise(10)
        return pl.when(place < long).then(place // (size + 1) + 1).otherwise(short)

    score = pl.col("score")
    place = (score.rank("ordinal") - 1).cast(pl.Int64)
    number = pl.len().cast(pl.Int64)
    cells = (
        frame.lazy()
        .select("province", "regency", "urban", "family_size", score=total)
        .with_columns(
            n=tenth(place, number),
            p=tenth(place.over("province"), number.over("province")),
            r=tenth(place.over("regency"), number.over("regency")),
        )
        .group_by(CELL)
        .agg(pl.len().alias("families"), pl.col("family_size").cast(pl.Int64).sum().alias("persons"),
             pl.col("n", "p", "r").min())
        .collect()
    )  # fmt: skip
    return _finish(dataset, card, {name: cells[name].to_numpy().astype(np.int64) for name in cells.columns})


RIVALS: dict[str, Callable[[Dataset, str], Answer]] = {
    "CASE + ntile": case_ntile, "pandas": pandas_qcut, "polars": polars_rank,
}  # fmt: skip


def _finish(dataset: Dataset, card: Scorecard, part: dict[str, np.ndarray]) -> Answer:
    """Deciles by regency and scope, and the measures, from cells with the lowest group of each scope."""
    h = Histogram("regency", *(part[name] for name in ("regency", "urban", "score", "families", "persons")))
    result = {}
    for letter, scope in zip("npr", official.SCOPES, strict=True):
        key = official.scope_of_regency(scope)[h.area] * h.width + h.score - h.low
        lowest = np.full(key.max() + 1, 10)
        np.minimum.at(lowest, key, part[letter])
        result[scope] = np.bincount(h.area * 10 + lowest[key] - 1, h.families, REGENCIES * 10).reshape(REGENCIES, 10)
    found = residuals_for(dataset, card)
    measured = area_measures.Basis.of(h, found, np.ones(REGENCIES), False).by_regency()
    return {**result, **{name: measured[name] for name in MEASURES}}


def agree(mine: dict[str, RankResult], theirs: Answer) -> bool:
    """Same deciles in every regency and scope, same measures."""
    rows = [units.index("regency")[code] for code in mine["national"].areas["code"]]
    same = all(
        np.array_equal(mine[scope].areas[list(DECILES)].to_numpy(), theirs[scope][rows]) for scope in official.SCOPES
    )
    return same and all(
        np.allclose(mine["national"].areas[name], theirs[name][rows], equal_nan=True) for name in MEASURES
    )
