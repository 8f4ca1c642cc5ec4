"""Real data: the delivered layout in either code system makes a dataset of origin real, and nothing simulated."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtsen_core.build import update
from dtsen_core.collect.simulate import delivered
from dtsen_core.errors import UserError
from dtsen_core.policy import coverage
from dtsen_core.policy.welfare import RankRequest, full_ranking
from dtsen_core.registry.dataset import Dataset

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("region", ["31", "11"])
@pytest.mark.parametrize("codes", ["bps", "kemendagri"])
def test_delivered_files_come_back_to_the_same_places(
    small_dataset: Path, tmp_path: Path, region: str, codes: str
) -> None:
    source = Dataset.open(small_dataset)
    files = delivered.write_delivered(source.cursor(), tmp_path / "files", codes=codes, region=region)
    report = update.ingest("dtsen", [files["keluarga"], files["anggota"]], tmp_path / "real")
    for file in report["files"]:  # type: ignore[attr-defined]
        assert file["read"] == file["header"] + file["blank"] + file["accepted"] + file["quarantined"]
        assert file["accepted"] > 0.99 * file["read"]
    made = Dataset.open(tmp_path / "real")
    assert made.manifest.origin == "real"
    assert not made.has_table("survey")
    assert not made.has_table("calibration")
    count = "SELECT kode_kabupaten_kota, count(*) FROM keluarga WHERE province = ? GROUP BY 1 ORDER BY 1"
    province = {"31": 10, "11": 0}[region]
    before = dict(source.cursor().execute(count, [province]).fetchall())
    after = dict(made.cursor().execute(count, [province]).fetchall())
    assert set(after) == set(before)
    assert all(abs(after[code] - before[code]) <= 3 for code in before)
    ranked = full_ranking(made, RankRequest(model="resmi", level="regency"))
    assert ranked.areas["n"].sum() == made.manifest.families
    with pytest.raises(UserError):
        full_ranking(made, RankRequest(model="pmt_provinsi"))
    covered = coverage.coverage(made, "regency")
    assert covered["pkh_families"].isna().all()
    assert covered["pbi_persons"].notna().all()


def test_a_wrong_confirmation_is_refused_and_leaves_nothing(small_dataset: Path, tmp_path: Path) -> None:
    source = Dataset.open(small_dataset)
    files = delivered.write_delivered(source.cursor(), tmp_path / "files", codes="bps", region="31")
    with pytest.raises(UserError):
        update.ingest("dtsen", [files["keluarga"], files["anggota"]], tmp_path / "real", codes="kemendagri")
    assert not (tmp_path / "real").exists()


def test_a_register_alone_gives_its_rows_and_no_families(small_dataset: Path, tmp_path: Path) -> None:
    register = next((Dataset.open(small_dataset).folder / "sources").glob("dukcapil*"))
    report = update.ingest("dukcapil", [register], tmp_path / "real")
    made = Dataset.open(tmp_path / "real")
    assert made.manifest.families == 0
    assert report["files"][0]["accepted"] > 0  # type: ignore[index]
    assert made.has_table("source_dukcapil")
