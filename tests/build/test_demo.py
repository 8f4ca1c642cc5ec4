"""The demonstration dataset as built by the real chain: complete, calibrated, accounted for."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from dtsen_core.build import demo, lock
from dtsen_core.build.progress import Event
from dtsen_core.errors import UserError
from dtsen_core.policy import trust
from dtsen_core.registry.dataset import Dataset

TABLES = {
    "keluarga", "anggota", "indicators", "family_packed", "area_weight", "survey", "model", "model_coefficient",
    "model_area", "model_residual", "model_fit", "enrolment", "ingest_file", "quarantine", "match_summary",
    "calibration",
}  # fmt: skip


@pytest.fixture(scope="module")
def dataset(small_dataset: Path) -> Dataset:
    return Dataset.open(small_dataset)


def one(dataset: Dataset, sql: str) -> tuple:
    row = dataset.cursor().execute(sql).fetchone()
    assert row is not None
    return row


@pytest.mark.slow
def test_it_says_what_it_is(dataset: Dataset) -> None:
    manifest = dataset.manifest
    assert manifest.simulated
    assert manifest.version.startswith("simulasi-")
    assert manifest.registry_families == pytest.approx(95_006_179, rel=1e-9)
    assert 3.0 <= manifest.registry_persons / manifest.registry_families <= 3.1
    assert set(manifest.rows) >= TABLES
    assert (dataset.folder / "sources").is_dir()
    assert not list(dataset.folder.glob("scratch*"))


@pytest.mark.slow
def test_every_physical_line_is_accounted_for(dataset: Dataset) -> None:
    files = dataset.cursor().execute("SELECT * FROM ingest_file").df()
    assert (files["read"] == files[["header", "blank", "accepted", "quarantined"]].sum(axis=1)).all()
    for path, read in zip(files["path"], files["read"], strict=True):
        assert not Path(path).is_absolute()
        with (dataset.folder / path).open("rb") as file:
            assert sum(1 for _ in file) == read
    kept = one(dataset, "SELECT sum(len(lines)) FROM quarantine")[0]
    assert kept == files["quarantined"].sum() > 0


@pytest.mark.slow
def test_the_golden_record_multiplies_nobody(dataset: Dataset) -> None:
    families, cards = one(dataset, "SELECT count(*), count(DISTINCT nomor_kartu_keluarga) FROM keluarga")
    persons, numbers = one(dataset, "SELECT count(*), count(DISTINCT nomor_induk_kependudukan) FROM anggota")
    assert families == cards == dataset.manifest.families
    assert persons == numbers == dataset.manifest.persons
    assert families >= 0.97 * 20_000
    assert one(dataset, "SELECT count(*) FROM indicators")[0] == families
    assert one(dataset, "SELECT count(*) FROM family_packed")[0] == families
    orphans = "SELECT count(*) FROM anggota WHERE id_keluarga NOT IN (SELECT id_keluarga FROM keluarga)"
    assert one(dataset, orphans)[0] == 0
    villages = dataset.cursor().execute("SELECT village FROM family_packed").fetchnumpy()["village"]
    assert pd.Series(villages).is_monotonic_increasing


@pytest.mark.slow
def test_deciles_split_families_and_point_upwards(dataset: Dataset) -> None:
    rows = dataset.evaluation_cursor().execute("""
        SELECT f.desil_nasional AS decile, sum(w.weight) AS families, avg(ln(t.expenditure)) AS welfare
        FROM family_packed AS f JOIN area_weight AS w USING (regency)
        JOIN evaluation.truth AS t USING (id_keluarga) GROUP BY 1 ORDER BY 1""").df()
    assert list(rows["decile"]) == list(range(1, 11))
    assert (rows["families"] / rows["families"].sum()).between(0.09, 0.11).all()
    assert rows["welfare"].is_monotonic_increasing


@pytest.mark.slow
def test_goals_of_the_simulated_truth_that_do_not_depend_on_size(dataset: Dataset) -> None:
    frame = dataset.cursor().execute("SELECT * FROM calibration WHERE kind = 'truth'").df()
    nation = frame[frame["level"] == "nation"].set_index("measure")
    # Forty families a regency cannot carry the pattern, and some 370 enrolled rows are ±5 % by chance alone.
    sized = {"rank_correlation_2021": None, "blt_families": 0.15 * nation.loc["blt_families", "target"]}
    for measure, row in nation.iterrows():
        goal = sized.get(measure, row["goal"])
        if goal is not None:
            assert abs(row["difference"]) <= goal, measure
    gini = frame[(frame["level"] == "province") & (frame["measure"] == "gini")]
    assert len(gini) == 35
    assert (gini["difference"].abs() <= gini["goal"]).all()


@pytest.mark.slow
def test_rural_blt_never_reaches_a_town(dataset: Dataset) -> None:
    assert one(dataset, "SELECT count(*) FROM family_packed WHERE blt_desa = 1 AND urban = 1")[0] == 0


@pytest.mark.slow
def test_enrolment_jumps_at_the_legal_cut_off_once_deciles_are_adopted(dataset: Dataset) -> None:
    share = dataset.cursor().execute("""
        WITH pkh AS (SELECT DISTINCT id_keluarga, quarter FROM enrolment WHERE program = 'pkh')
        SELECT q.quarter, f.desil_nasional AS decile, count(p.id_keluarga) / count(*) AS share
        FROM family_packed AS f CROSS JOIN (SELECT DISTINCT quarter FROM enrolment) AS q
        LEFT JOIN pkh AS p ON p.id_keluarga = f.id_keluarga AND p.quarter = q.quarter
        WHERE f.desil_nasional IN (4, 5) GROUP BY 1, 2""").df().pivot(index="quarter", columns="decile", values="share")
    drop = share[4] - share[5]
    assert drop["2025Q4"] > 0.08
    assert drop["2025Q4"] > 2 * drop["2024Q1"]


@pytest.mark.slow
def test_without_sources_has_the_same_people_and_no_registers(tmp_path: Path) -> None:
    seen: list[Event] = []
    first = demo.build(tmp_path / "a", families=20_000, seed=5, without_sources=True, survey_households=51_400,
                       progress=seen.append, tournament=True)  # fmt: skip
    second = demo.build(tmp_path / "b", families=20_000, seed=5, without_sources=True, survey_households=51_400)
    assert not first.has_sources
    assert first.rows == second.rows
    digest = "SELECT bit_xor(hash(keluarga)) FROM keluarga"
    assert one(Dataset.open(tmp_path / "a"), digest) == one(Dataset.open(tmp_path / "b"), digest)
    packed = "SELECT bit_xor(hash(family_packed)) FROM family_packed"
    assert one(Dataset.open(tmp_path / "a"), packed) == one(Dataset.open(tmp_path / "b"), packed)
    assert [e.fraction for e in seen] == sorted(e.fraction for e in seen)
    assert seen[-1].fraction == pytest.approx(1.0)
    assert {e.stage for e in seen} == set(first.stages) | {"finish", "tournament"}
    assert trust.is_ready(Dataset.open(tmp_path / "a"))
    assert not trust.is_ready(Dataset.open(tmp_path / "b"))


def test_two_builds_do_not_run_at_once(tmp_path: Path) -> None:
    out = tmp_path / "d"
    with lock.exclusive(out):
        assert lock.held(out)
        with pytest.raises(UserError) as problem:
            demo.build(out, families=20_000)
        assert problem.value.key == "errors_dataset.build_running"
    assert not lock.held(out)


def test_manifest_is_plain_json(small_dataset: Path) -> None:
    raw = json.loads((small_dataset / "manifest.json").read_text(encoding="utf-8"))
    assert raw["origin"] == "simulated"
