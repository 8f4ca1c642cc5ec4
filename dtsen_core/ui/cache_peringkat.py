"""Cached answers of the ranking page. Keys are scalars: dataset folder, manifest stamp, request fields.

What is cached has already left through `oversight.disclosure`.
"""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass

import pandas as pd
import streamlit as st

from dtsen_core.errors import UserError
from dtsen_core.oversight import disclosure, tables
from dtsen_core.oversight.disclosure import Published, TableSpec
from dtsen_core.policy import ground
from dtsen_core.policy.welfare import DECILES, RankRequest, RankResult, full_ranking, transition
from dtsen_core.ui import cache, uploads
from dtsen_core.ui.cache import DatasetKey

UPLOAD_LIMIT = 5_000_000  # bytes; a scorecard for 38 provinces is well below 1 MB
UPLOADS_KEPT = 40
CARD_LETTERS = 16  # of the hash of an upload, as it stands in an address


@dataclass(frozen=True)
class Ranking:
    """One finished ranking as it may be shown; `seconds` as measured by the computation itself."""

    request: RankRequest
    seconds: float
    areas: Published
    total: Published
    thresholds: pd.DataFrame


def publish(frame: pd.DataFrame, unit: str, origin: str) -> Published:
    """The areas of a ranking as they may be shown; `unit`: what d1…d10 count."""
    shown = frame[[column for column in frame if column in tables.RANKING]].reset_index(drop=True)
    return disclosure.publish(shown, tables.ranking(unit, shown.columns), origin=origin)


@st.cache_data(max_entries=48, show_spinner=False)
def _ranking(path: str, stamp: str, *fields: str | bool | None) -> Ranking:
    dataset = cache.dataset(DatasetKey(path, stamp))
    result: RankResult = full_ranking(dataset, RankRequest(*fields))  # type: ignore[arg-type]
    origin, unit = dataset.manifest.origin, result.request.unit
    return Ranking(
        request=result.request,
        seconds=result.seconds,
        areas=publish(result.areas, unit, origin),
        total=publish(result.total, unit, origin),
        thresholds=result.thresholds,
    )


def ranking(key: DatasetKey, request: RankRequest) -> Ranking:
    """The published ranking for `request`, computed at most once per dataset."""
    return _ranking(*key, *astuple(request))


def forget(key: DatasetKey, request: RankRequest) -> None:
    """Compute `request` anew, and measure it, the next time it is asked for."""
    ground.forget()
    _ranking.clear(*key, *astuple(request))


@st.cache_data(max_entries=24, show_spinner=False)
def _transition(
    path: str,
    stamp: str,
    first: tuple[str | bool | None, ...],
    second: tuple[str | bool | None, ...],
    region: str | None,
) -> Published:
    dataset = cache.dataset(DatasetKey(path, stamp))
    a, b = RankRequest(*first), RankRequest(*second)  # type: ignore[arg-type]
    matrix = transition(dataset, a, b, region)
    frame = pd.DataFrame(matrix.to_numpy(float), columns=list(DECILES))
    frame.insert(0, "from", range(1, 11))
    frame.insert(1, "whole", frame[list(DECILES)].sum(axis=1))
    shape = TableSpec(
        key="from", counts=["whole", *DECILES], additive={"whole": list(DECILES)}, base="whole", sample=None
    )
    return disclosure.publish(frame, shape, origin=dataset.manifest.origin)


def moves(key: DatasetKey, first: RankRequest, second: RankRequest, region: str | None) -> Published:
    """Counts by decile of the first ranking (rows, column `from`) and of the second (d1…d10)."""
    return _transition(*key, astuple(first), astuple(second), region)


def keep_upload(data: bytes) -> str:
    """Keep an uploaded scorecard under a name made of its contents; returns the path. UserError if too large."""
    if len(data) > UPLOAD_LIMIT:
        raise UserError("errors_peringkat.upload_too_large", limit=UPLOAD_LIMIT // 1_000_000)
    folder = _upload_folder().path
    file = folder / f"{hashlib.sha256(data).hexdigest()}.csv"
    if not file.exists():
        kept = sorted(folder.glob("*.csv"), key=lambda f: f.stat().st_mtime)
        for old in kept[: max(0, len(kept) - UPLOADS_KEPT + 1)]:
            old.unlink(missing_ok=True)
        file.write_bytes(data)
    return str(file)


def kept_upload(letters: str) -> str:
    """The path of the upload whose name begins with `letters`, while this server keeps it; ValueError otherwise."""
    if len(letters) != CARD_LETTERS or not set(letters) <= set("0123456789abcdef"):
        raise ValueError(letters)
    found = list(_upload_folder().path.glob(f"{letters}*.csv"))
    if len(found) != 1:
        raise UserError("errors_peringkat.card_gone")
    return str(found[0])


@st.cache_resource(max_entries=1, show_spinner=False)
def _upload_folder() -> uploads.OwnFolder:
    return uploads.own_folder("scorecards")
