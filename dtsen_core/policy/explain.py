"""Why one family stands where it stands: contribution of every indicator, thresholds, and what would change it.

Only for simulated datasets, until people sign in. The reference of every contribution is the mean over the families
of the nation, or of the family's province where the scorecard has coefficients of its own there; contributions add up
to the family's score minus that mean score. A contribution of x log units is exp(x) − 1 of expenditure, in per cent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from dtsen_core.errors import UserError
from dtsen_core.integrate import lineage
from dtsen_core.policy.areas import weights
from dtsen_core.policy.models import family_shares, residuals_for, scorecard_for
from dtsen_core.policy.request import OFFICIAL, SCOPES, UNITS
from dtsen_core.rank import chances, engine, official, packing
from dtsen_core.rank.experiment import means_of
from dtsen_core.rank.histogram import NEVER, Histogram
from dtsen_core.rank.scorecard import OFFSETS, REGENCIES, Scorecard, province_of_regency
from dtsen_core.regions import units
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.indicators import INDICATORS, NOT_APPLICABLE

PLACE = "daerah"  # the contribution of regency and urban/rural
FOUND = 20


@dataclass(frozen=True)
class Explanation:
    """One family under `model`.

    score, reference   thousandths of log rupiah; `reference` is the mean over families (see the module)
    decile, delivered  decile under `model` and as delivered (0 = none) in the same scope
    thresholds         scores from which deciles 2..10 begin in the family's scope area (None: nobody reaches it)
    contributions      indicator (or "daerah"), group, category (value code; 0 unknown), label_id, label_en,
                       category_id, category_en, effect (log units), percent (fraction of expenditure); largest first
    changes            single answers that would change the decile: indicator, category_id, category_en, effect,
                       score, decile; the largest jump first
    up, down           log units to the next decile above, and by how much the score may fall within this one (NaN at
                       the ends)
    sources            indicator, source, path, line, rule of the stored value (None where it follows from members)
    chances            probability of each true decile 1..10 of expenditure, given the residuals of held-out households
                       (`rank.chances`); empty where no survey tells them
    updated, checked   ISO dates of the last update and the last ground check ("" unknown)
    """

    family: int
    model: str
    scope: str
    unit: str
    place: str
    score: int
    reference: float
    decile: int
    delivered: int
    thresholds: tuple[int | None, ...]
    contributions: pd.DataFrame
    changes: pd.DataFrame
    up: float
    down: float
    sources: pd.DataFrame
    chances: tuple[float, ...]
    updated: str
    checked: str


def candidates(dataset: Dataset, given: str = "", region: str | None = None, limit: int = FOUND) -> pd.DataFrame:
    """Families that match `given` (a number of the dataset, a card number or its beginning, or part of a name) in
    `region`: id_keluarga, card and name (masked), regency (code), decile. UserError on a real dataset."""
    _simulated(dataset)
    wanted = given.strip()
    conditions: list[str] = []
    parameters: list[int | str] = []
    if re.fullmatch(r"[0-9]{16}", wanted):
        conditions, parameters = ["nomor_kartu_keluarga = ?"], [wanted]
    elif re.fullmatch(r"[0-9]{1,15}", wanted):
        conditions, parameters = ["(id_keluarga = ? OR starts_with(nomor_kartu_keluarga, ?))"], [int(wanted), wanted]
    elif wanted:
        conditions, parameters = ["contains(lower(nama_anggota_keluarga), ?)"], [wanted.lower()[:60]]
    if region and region != units.NATION:
        only = engine.Filter.of(units.require(region))
        assert only is not None
        conditions.append(f"{only.column} = ?")
        parameters.append(only.idx)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    found = dataset.cursor().execute(
        f"""SELECT id_keluarga, nomor_kartu_keluarga AS card, nama_anggota_keluarga AS name,
          regency::INTEGER AS regency, desil_nasional::INTEGER AS decile
        FROM keluarga {where} ORDER BY id_keluarga LIMIT ?""",
        [*parameters, limit],
    ).df()
    found["card"] = [masked_card(card) for card in found["card"]]
    found["name"] = [masked_name(name) for name in found["name"]]
    found["regency"] = units.table("regency")["code"].to_numpy()[found["regency"].to_numpy(np.int64)]
    return found


def masked_card(card: object) -> str:
    """The first six digits (the place) and the last two of a card number."""
    text = card if isinstance(card, str) else ""
    return f"{text[:6]}••••••••{text[-2:]}" if len(text) == 16 else "–"


def masked_name(name: object) -> str:
    """The first letter of each word."""
    text = name if isinstance(name, str) else ""
    return " ".join(f"{word[0]}•••" for word in text.split()[:3]) or "–"


def explain(dataset: Dataset, family: int | str, model: str = "pmt_provinsi", scope: str = "national",
            unit: str = "families") -> Explanation:  # fmt: skip
    """The ranking of `family` (number of the dataset or card number) under `model`, taken apart.

    UserError on a real dataset, for the official ranking (its coefficients are not published), for an unknown family,
    model, scope or unit."""
    _simulated(dataset)
    for name, given, allowed in (("scope", scope, SCOPES), ("unit", unit, UNITS)):
        if given not in allowed:
            raise UserError(f"errors_rank.{name}", given=given, allowed=", ".join(allowed))
    if model == OFFICIAL:
        raise UserError("errors_lab.explain_official")
    cursor = dataset.cursor()
    number = lineage.find_family(cursor, str(family))
    card = scorecard_for(dataset, model)
    row = _row(cursor, number)
    regency, urban = int(row["regency"]), int(row["urban"])
    chosen = province_of_regency()[regency] if card.sets > 1 else 0
    answers = [int(row[i.name]) for i in INDICATORS]
    coefficients = card.coefficients[chosen]
    score = int(card.area[regency, urban]) + sum(int(coefficients[OFFSETS[k] + a]) for k, a in enumerate(answers))
    shares = family_shares(dataset)
    means = means_of(card, shares if card.sets > 1 else shares.sum(axis=0, keepdims=True))[chosen]
    place = _mean_area(dataset, card, chosen)
    h, load = engine.rank_histogram(dataset, card), weights(dataset)[0]
    limits = official.scope_thresholds(h, scope, unit, load)
    area = official.scope_of_regency(scope)[regency]
    cuts = limits.values[area]
    decile = 1 + int((score >= cuts).sum())
    return Explanation(
        family=number, model=model, scope=scope, unit=unit, place=units.table("regency")["code"].iat[regency],
        score=score, reference=float(means.sum() + place), decile=decile,
        delivered=int(row[dict(zip(SCOPES, official.OFFICIAL))[scope]]),
        thresholds=tuple(None if t == NEVER else int(t) for t in cuts),
        contributions=_contributions(answers, coefficients, means, int(card.area[regency, urban]) - place),
        changes=_changes(answers, coefficients, score, decile, cuts),
        up=(int(cuts[decile - 1]) - score) / 1000 if decile < 10 and cuts[decile - 1] < NEVER else float("nan"),
        down=(score - int(cuts[decile - 2])) / 1000 if decile > 1 else float("nan"),
        sources=_sources(cursor, number),
        chances=_chances(dataset, card, h, load, (scope, unit), regency, urban, score),
        updated=_day(row["updated"]), checked=_day(row["checked"]),
    )  # fmt: skip


def _chances(dataset: Dataset, card: Scorecard, h: Histogram, load: np.ndarray, asked: tuple[str, str],
             regency: int, urban: int, score: int) -> tuple[float, ...]:  # fmt: skip
    unexplained = residuals_for(dataset, card)
    if unexplained is None:
        return ()
    scope, unit = asked
    limits = chances.expenditure_limits(h, unexplained.residuals, load, scope, unit)
    own = limits[official.scope_of_regency(scope)[regency]]
    province = int(province_of_regency()[regency])
    found = chances.decile_chances(unexplained.residuals, province, urban, np.array([float(score)]), own)
    return tuple(float(x) for x in found[0])


def _simulated(dataset: Dataset) -> None:
    if not dataset.simulated:
        raise UserError("errors_lab.only_simulated")


def _day(value: object) -> str:
    return "" if pd.isna(value) else str(value)[:10]


def _row(cursor: duckdb.DuckDBPyConnection, number: int) -> pd.Series:
    """The packed family with its categories unpacked, and its dates."""
    dictionary = packing.check(cursor)
    parts = [
        f"(f.{g.column} // {multiplier} % {INDICATORS[m].radix})::INTEGER AS {INDICATORS[m].name}"
        for g in dictionary.groups for m, multiplier in zip(g.members, g.multipliers)
    ]  # fmt: skip
    found = cursor.execute(
        f"""SELECT f.regency, f.urban, {", ".join(f"f.{c}" for c in official.OFFICIAL)},
          k.tanggal_pemutakhiran AS updated, k.tanggal_ground_check AS checked, {", ".join(parts)}
        FROM family_packed AS f JOIN keluarga AS k USING (id_keluarga) WHERE f.id_keluarga = ?""",
        [number],
    ).df()
    return found.iloc[0]


def _mean_area(dataset: Dataset, card: Scorecard, chosen: int) -> float:
    """Mean intercept over the families of the reference population."""
    rows = dataset.cursor().execute(
        """SELECT f.regency, f.urban, sum(w.weight) AS load
        FROM family_packed AS f JOIN area_weight AS w USING (regency) GROUP BY f.regency, f.urban"""
    ).fetchnumpy()
    load = np.zeros((REGENCIES, 3))
    load[rows["regency"], rows["urban"]] = np.asarray(rows["load"], dtype=np.float64)
    if card.sets > 1:
        load[province_of_regency() != chosen] = 0.0
    return float((card.area * load).sum() / load.sum())


def _contributions(answers: list[int], coefficients: np.ndarray, means: np.ndarray, place: float) -> pd.DataFrame:
    rows = [{"indicator": PLACE, "group": PLACE, "category": 0, "label_id": "", "label_en": "", "category_id": "",
             "category_en": "", "effect": place / 1000}]  # fmt: skip
    for k, (indicator, answer) in enumerate(zip(INDICATORS, answers)):
        category = indicator.categories[answer]
        rows.append({
            "indicator": indicator.name, "group": indicator.group, "category": answer,
            "label_id": indicator.label_id, "label_en": indicator.label_en, "category_id": category.label_id,
            "category_en": category.label_en, "effect": (int(coefficients[OFFSETS[k] + answer]) - means[k]) / 1000,
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    frame["percent"] = np.expm1(frame["effect"])
    return frame.sort_values("effect", key=np.abs, ascending=False, kind="stable").reset_index(drop=True)


def _changes(answers: list[int], coefficients: np.ndarray, score: int, decile: int, cuts: np.ndarray) -> pd.DataFrame:
    rows = []
    for k, (indicator, answer) in enumerate(zip(INDICATORS, answers)):
        for category in indicator.categories:
            if category.code in (0, answer) or category.merges or category.value == NOT_APPLICABLE:
                continue
            step = int(coefficients[OFFSETS[k] + category.code]) - int(coefficients[OFFSETS[k] + answer])
            then = 1 + int((score + step >= cuts).sum())
            if then != decile:
                rows.append((indicator.name, indicator.label_id, indicator.label_en, category.label_id,
                             category.label_en, step / 1000, score + step, then))  # fmt: skip
    names = ["indicator", "label_id", "label_en", "category_id", "category_en", "effect", "score", "decile"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.sort_values("effect", key=np.abs, ascending=False, kind="stable").reset_index(drop=True)


def _sources(cursor: duckdb.DuckDBPyConnection, number: int) -> pd.DataFrame:
    """Where the stored answers come from; empty for a version without the trace of its values."""
    stored = lineage.variables("keluarga")
    rows: list[tuple[str, str | None, str | None, int | None, str]] = []
    for indicator in INDICATORS:
        name = "luas_lantai" if indicator.name == "luas_lantai_per_kapita" else indicator.name
        if name not in stored:
            rows.append((indicator.name, None, None, None, "members"))
            continue
        try:
            found = lineage.lineage(cursor, number, name)
        except UserError as problem:
            if problem.key != "errors_dataset.no_lineage":
                raise
            return pd.DataFrame(columns=["indicator", "source", "path", "line", "rule"])
        rows.append((indicator.name, found.source, found.path, found.line, found.rule))
    return pd.DataFrame(rows, columns=["indicator", "source", "path", "line", "rule"])
