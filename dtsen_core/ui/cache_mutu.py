"""What the quality page keeps between reruns. Keys are scalars; what is kept has passed the one exit."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from dtsen_core.oversight.disclosure import Published, TableSpec, publish
from dtsen_core.policy.quality import accuracy, areas, content, tables, trend
from dtsen_core.policy.quality.areas import Ask
from dtsen_core.policy.quality.measures import LINKED, PASSES, measures
from dtsen_core.present import mutu_area
from dtsen_core.ui import uploads
from dtsen_core.ui.cache import DatasetKey, dataset

SIMULATED_ONLY = ("precision", "recall")
UPLOADS_KEPT = 8


@st.cache_data(max_entries=64, show_spinner=False)
def _ready(path: str, stamp: str, view: str) -> bool:
    return tables.ready(dataset(DatasetKey(path, stamp)), view)


def ready(key: DatasetKey, view: str) -> bool:
    """Whether this version of the dataset holds what `view` needs."""
    return _ready(*key, view)


@st.cache_data(max_entries=64, show_spinner=False)
def _has_table(path: str, stamp: str, table: str) -> bool:
    opened = dataset(DatasetKey(path, stamp))
    return tables.has_match_quality(opened) if table == "match_quality" else opened.has_table(table)


def has_table(key: DatasetKey, table: str) -> bool:
    return _has_table(*key, table)


@st.cache_data(max_entries=8, show_spinner=False)
def _reading(path: str, stamp: str) -> tuple[Published, Published, Published]:
    opened = dataset(DatasetKey(path, stamp))
    files = content.reading_by_source(opened)
    rules = content.quarantine_by_rule(opened)
    findings = content.rule_findings(opened)
    # Lines of files are the account of the delivery, not people: they are shown as they are.
    lines = ["header", "blank", "accepted", "quarantined", "mended", "files"]
    account = TableSpec(key="source", counts=["read"], base="read", sample=None, public=lines)
    # By main reason every line counts once: that is the account of the delivery, too, as the page on method shows it.
    broken = TableSpec(key="key", counts=["records", "mended"], additive={"records": ["mended"]}, base="records",
                       sample=None, public=["main"])  # fmt: skip
    warned = TableSpec(key="key", counts=["records"], base="records", sample=None)
    origin = opened.manifest.origin
    return (
        publish(files, account, origin=origin),
        publish(rules, broken, origin=origin),
        publish(findings, warned, origin=origin),
    )


def reading(key: DatasetKey) -> tuple[Published, Published, Published]:
    """(lines by source, quarantined records by source and rule, findings by source and rule)."""
    return _reading(*key)


@st.cache_data(max_entries=8, show_spinner=False)
def _matching(path: str, stamp: str) -> tuple[Published, Published]:
    opened = dataset(DatasetKey(path, stamp))
    frame = content.matching_by_source(opened)
    spec = TableSpec(
        key="source", counts=["records", *PASSES, "duplicates"], additive={"records": list(PASSES)},
        rates={"duplicate_share": ("duplicates", "records")}, base="records", sample=None,
    )  # fmt: skip
    frame["duplicate_share"] = frame["duplicates"] / frame["records"].where(frame["records"] > 0)
    # All sources together are a table of their own: the other takes its column totals as known.
    whole = frame[["records", "duplicates", *PASSES]].sum().to_frame().T.assign(source=areas.ALL)
    whole["linked"], whole["later"] = whole[list(LINKED)].sum(axis=1), whole[list(LINKED[1:])].sum(axis=1)
    kept = ["source", "records", "duplicates", "linked", "exact", "later", "review", "none"]
    together = TableSpec(
        key="source", counts=kept[1:], additive={"records": ["linked", "review", "none"], "linked": ["exact", "later"]},
        base="records", sample=None,
    )  # fmt: skip
    origin = opened.manifest.origin
    return publish(frame, spec, origin=origin), publish(whole[kept], together, origin=origin)


def matching(key: DatasetKey) -> tuple[Published, Published]:
    """(records by source and outcome with duplicates; one row for all sources together)."""
    return _matching(*key)


@st.cache_data(max_entries=64, show_spinner=False)
def _accuracy(path: str, stamp: str, by: str, source: str) -> Published:
    opened = dataset(DatasetKey(path, stamp))
    frame = accuracy.match_quality(opened, by, source).reset_index(drop=True)
    ends = [f"{m}{e}" for m in SIMULATED_ONLY for e in ("", "_low", "_high")]
    # Right and wrong decisions exist against the simulation's truth only: artificial records, no one to protect.
    spec = TableSpec(
        key="item", counts=["linkable"], base="linkable", sample=None,
        public=["true_links", "false_links", "missed", "linked", *ends],
    )  # fmt: skip
    return publish(frame, spec, origin=opened.manifest.origin)


def match_quality(key: DatasetKey, by: str, source: str) -> Published:
    """Precision and recall by `by` (see `accuracy.match_quality`); UserError on real data."""
    return _accuracy(*key, by, source)


@st.cache_data(max_entries=8, show_spinner=False)
def _families(path: str, stamp: str) -> Published | None:
    opened = dataset(DatasetKey(path, stamp))
    if not tables.has_match_quality(opened, "family_quality"):
        return None
    parts = ("card", "exact", "whole")
    shares = [f"{name}_share{end}" for name in parts for end in ("", "_low", "_high")]
    spec = TableSpec(  # as in `_accuracy`: a truth exists for artificial families only
        key="item", counts=["families"], base="families", sample=None, public=[*parts, *shares],
    )  # fmt: skip
    return publish(accuracy.families(opened), spec, origin=opened.manifest.origin)


def families(key: DatasetKey) -> Published | None:
    """Families put together again (see `accuracy.families`); None where a dataset does not measure it."""
    return _families(*key)


@st.cache_data(max_entries=8, show_spinner=False)
def _disagreements(path: str, stamp: str) -> Published:
    opened = dataset(DatasetKey(path, stamp))
    frame = content.disagreements(opened)
    spec = TableSpec(key="key", counts=["base", "part"], rates={"share": ("part", "base")}, base="base", sample="n")
    return publish(frame, spec, origin=opened.manifest.origin)


def disagreements(key: DatasetKey) -> Published:
    """Variable × source × other: how often both are known and how often they differ."""
    return _disagreements(*key)


@st.cache_data(max_entries=8, show_spinner=False)
def _completeness(path: str, stamp: str, set_name: str) -> Published:
    opened = dataset(DatasetKey(path, stamp))
    frame = content.completeness_by_variable(opened, set_name)
    spec = TableSpec(
        key="key", counts=["base", "asked", "known", "missing", "not_applicable"],
        additive={"base": ["asked", "not_applicable"], "asked": ["missing"]},
        rates={"share": ("missing", "asked")}, base="base", sample="n",
    )  # fmt: skip
    return publish(frame, spec, origin=opened.manifest.origin)


def completeness(key: DatasetKey, set_name: str) -> Published:
    """Known, missing and not applicable by variable of ``keluarga`` or ``anggota``."""
    return _completeness(*key, set_name)


@st.cache_data(max_entries=8, show_spinner=False)
def _freshness(path: str, stamp: str) -> Published:
    opened = dataset(DatasetKey(path, stamp))
    frame = content.freshness_by_source(opened)
    updated, checked = list(content.BANDS), [f"checked_{band}" for band in content.BANDS]
    spec = TableSpec(
        key="source", counts=["base", *updated, *checked], additive={"base": updated},
        measures=["median_update"], base="base", sample="n",
    )  # fmt: skip
    whole = frame["source"] == "all"
    if not whole.any():
        return publish(frame, spec, origin=opened.manifest.origin)
    # The row of all sources is the total of the others: it is published as such, never beside its parts.
    return publish(frame[whole].reset_index(drop=True), spec, origin=opened.manifest.origin)


def freshness(key: DatasetKey) -> Published:
    """Families by age of the last update and of the ground check, all sources together."""
    return _freshness(*key)


@st.cache_data(max_entries=8, show_spinner=False)
def _freshness_sources(path: str, stamp: str) -> Published:
    opened = dataset(DatasetKey(path, stamp))
    frame = content.freshness_by_source(opened)
    frame = frame[frame["source"] != "all"].reset_index(drop=True)
    updated, checked = list(content.BANDS), [f"checked_{band}" for band in content.BANDS]
    spec = TableSpec(
        key="source", counts=["base", *updated, *checked], additive={"base": updated},
        measures=["median_update"], base="base", sample="n",
    )  # fmt: skip
    return publish(frame, spec, origin=opened.manifest.origin)


def freshness_by_source(key: DatasetKey) -> Published:
    return _freshness_sources(*key)


@st.cache_data(max_entries=8, show_spinner=False)
def _coverage(path: str, stamp: str) -> Published:
    opened = dataset(DatasetKey(path, stamp))
    frame = content.civil_coverage(opened)
    spec = TableSpec(
        key="code",
        counts=["civil_families", "registry_families", "gap_families", "civil_persons", "registry_persons",
                "gap_persons"],
        additive={"civil_families": ["registry_families", "gap_families"],
                  "civil_persons": ["registry_persons", "gap_persons"]},
        rates={"gap_share_families": ("gap_families", "civil_families"),
               "gap_share_persons": ("gap_persons", "civil_persons")},
        persons=["civil_persons", "registry_persons", "gap_persons"], base="civil_families", sample="n",
    )  # fmt: skip
    return publish(frame, spec, origin=opened.manifest.origin)


def coverage(key: DatasetKey) -> Published:
    """One row for the nation: families and persons of the civil register, in the registry, and not in it."""
    return _coverage(*key)


@st.cache_data(max_entries=4, show_spinner=False)
def _trend(path: str, stamp: str) -> Published:
    opened = dataset(DatasetKey(path, stamp))
    frame = trend.quality_trend(opened)
    # Whole versions: the parts are far from any single family, the counts are the account of the version.
    parts = [f"{name}_{kind}" for name in trend.SHARES for kind in ("part", "base")]
    spec = TableSpec(
        key="version", counts=["families", "persons"], persons=["persons"], base="families", sample=None,
        measures=[*trend.SHARES], public=["lines", *parts],
    )  # fmt: skip
    return publish(frame, spec, origin=opened.manifest.origin)


def versions(key: DatasetKey) -> Published:
    """One row per version of the dataset, oldest first."""
    return _trend(*key)


@st.cache_data(max_entries=400, max_size="200MB", show_spinner=False)
def _parts(path: str, stamp: str, ask: tuple[str, ...]) -> tuple[Published, ...]:
    opened = dataset(DatasetKey(path, stamp))
    asked = Ask(*ask)
    frame = areas.quality_by_area(opened, asked)
    spec = TableSpec(key="code", counts=["base", "part"], rates={"share": ("part", "base")}, base="base", sample="n")
    if asked.measure in SIMULATED_ONLY:
        spec = TableSpec(key="code", counts=["base"], measures=["share"], public=["part"], base="base", sample="n")
    parents = frame["code"].str[: 2 if asked.level == "regency" else 0]
    origin = opened.manifest.origin
    return tuple(publish(part.reset_index(drop=True), spec, origin=origin) for _, part in frame.groupby(parents))


@st.cache_data(max_entries=200, max_size="200MB", show_spinner=False)
def _where(path: str, stamp: str, ask: tuple[str, ...], lang: str) -> mutu_area.Where:
    return mutu_area.where(_parts(path, stamp, ask), measures()[ask[0]], lang)


def where(key: DatasetKey, ask: Ask, lang: str) -> mutu_area.Where:
    """One measure by area, ready to draw."""
    parts = (ask.measure, ask.level, ask.source, ask.other, ask.variable, ask.set_name)
    return _where(*key, parts, lang)


def keep_upload(files: Sequence[tuple[str, bytes]]) -> list[str]:
    """Keep uploaded files in a folder named by their contents; returns their paths in the same order."""
    base = _upload_folder().path
    digest = hashlib.sha256()
    for name, data in files:
        digest.update(f"{Path(name).name}\0{len(data)}\0".encode())
        digest.update(data)
    folder = base / digest.hexdigest()[:24]
    if not folder.exists():
        kept = sorted(base.iterdir(), key=lambda item: item.stat().st_mtime)
        for old in kept[: max(0, len(kept) - UPLOADS_KEPT + 1)]:
            shutil.rmtree(old, ignore_errors=True)
        folder.mkdir()
    paths = []
    for number, (name, data) in enumerate(files):
        # One folder each: two files may bear one name, and the name goes into the account of the lines.
        file = folder / str(number) / _safe(name)
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(data)
        paths.append(str(file))
    return paths


def beside_upload(paths: Sequence[str]) -> Path:
    """The folder beside kept uploads for what is made of them; it goes when they go."""
    return Path(paths[0]).parents[1] / "karantina"


def _safe(name: str) -> str:
    kept = "".join(c if c.isalnum() or c in "-_." else "_" for c in Path(name).name)[-80:]
    return kept.lstrip(".") or "berkas"


@st.cache_resource(max_entries=1, show_spinner=False)
def _upload_folder() -> uploads.OwnFolder:
    return uploads.own_folder("uploads")

