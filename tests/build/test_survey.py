"""``ingest susenas``: a real survey makes models of origin real, and a wrong file is refused with every problem."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from dtsen_core.build import update
from dtsen_core.collect.simulate import delivered
from dtsen_core.errors import UserError
from dtsen_core.integrate import survey
from dtsen_core.policy import lab
from dtsen_core.policy.models import scorecard_for
from dtsen_core.policy.welfare import RankRequest, full_ranking
from dtsen_core.rank import scorecard
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.indicators import INDICATORS


@pytest.fixture(scope="module")
def susenas(small_dataset: Path) -> pd.DataFrame:
    """Households of one province as a researcher's file: values in words, Kemendagri codes and names."""
    columns = ", ".join(f"{i.name}" for i in INDICATORS)
    frame = Dataset.open(small_dataset).cursor().execute(f"""SELECT s.expenditure, s.weight, s.household_size,
        s.psu, s.urban, s.regency, {columns} FROM survey AS s WHERE s.province = 10 ORDER BY household""").df()
    from dtsen_core.regions import units

    regencies = units.table("regency")
    frame["regency_code"] = regencies["code"].to_numpy()[frame["regency"]]
    frame["regency_name"] = regencies["name"].to_numpy()[frame["regency"]]
    frame["stratum"] = "s" + frame["urban"].astype(str)
    frame["urban"] = frame["urban"].map({1: "perkotaan", 2: "perdesaan"})
    for indicator in INDICATORS:
        words = {c.code: c.value if c.code else "" for c in indicator.categories}
        frame[indicator.name] = frame[indicator.name].map(words)
    return frame.drop(columns="regency")


@pytest.mark.slow
def test_a_survey_makes_a_model_that_ranks_real_families(
    susenas: pd.DataFrame, small_dataset: Path, tmp_path: Path
) -> None:
    source = Dataset.open(small_dataset)
    files = delivered.write_delivered(source.cursor(), tmp_path / "files", codes="kemendagri", region="31")
    real = tmp_path / "real"
    update.ingest("dtsen", [files["keluarga"], files["anggota"]], real)
    with pytest.raises(UserError):
        full_ranking(Dataset.open(real), RankRequest(model="pmt_provinsi"))
    path = tmp_path / "susenas.csv"
    susenas.to_csv(path, index=False)
    report = update.ingest("susenas", [path], real)
    (counted,) = report["files"]
    assert counted["read"] == counted["header"] + counted["blank"] + counted["accepted"] == len(susenas) + 1
    made = Dataset.open(real)
    assert made.manifest.origin == "real"
    assert made.manifest.survey_households == len(susenas)
    assert scorecard.load(made.cursor(), "pmt_provinsi").origin == "real"
    ranked = full_ranking(made, RankRequest(model="pmt_provinsi", level="regency"))
    assert ranked.areas["n"].sum() == made.manifest.families > 0
    assert ranked.areas["p0"].notna().all()
    assert lab.fitted(made, "ridge_provinsi").card.origin == "real"
    assert lab.available(made) == ["pmt_provinsi", "pmt_nasional", "ridge_provinsi"]
    assert scorecard_for(made, "pmt_nasional~drop=ijazah_kepala~refit").origin == "real"
    # the values come back as the codes they were written from
    kept = made.cursor().execute("SELECT jenis_lantai_terluas AS v, urban FROM survey ORDER BY household").df()
    first = source.cursor().execute(
        "SELECT jenis_lantai_terluas AS v, urban FROM survey WHERE province = 10 ORDER BY household").df()  # fmt: skip
    assert kept["v"].tolist() == first["v"].tolist()
    assert kept["urban"].tolist() == first["urban"].tolist()


def _problems(frame: pd.DataFrame, path: Path, codes: str | None = None) -> list[tuple[str, dict[str, object]]]:
    import duckdb

    frame.to_csv(path, index=False)
    with pytest.raises(survey.SurveyProblems) as refused:
        survey.write(duckdb.connect(), [(path, codes)])
    for lang in ("id", "en"):
        assert str(path.name) in refused.value.message(lang)
    return refused.value.problems


def test_all_problems_of_the_values_come_together(susenas: pd.DataFrame, tmp_path: Path) -> None:
    wrong = susenas.astype(object).copy()
    wrong.loc[3, "expenditure"] = "-5"
    wrong.loc[7, "weight"] = "nan"
    wrong.loc[9, "jenis_lantai_terluas"] = "marmer ungu"
    wrong.loc[11, "urban"] = "kota"
    found = _problems(wrong, tmp_path / "salah.csv")
    assert {(key, p["column"], p["line"]) for key, p in found} == {
        ("bad_value", "expenditure", 5), ("bad_value", "weight", 9), ("bad_value", "urban", 13),
        ("bad_category", "jenis_lantai_terluas", 11),
    }  # fmt: skip


def test_missing_and_misspelt_columns_are_named(susenas: pd.DataFrame, tmp_path: Path) -> None:
    wrong = susenas.drop(columns=["aset_bergerak_ac"]).rename(columns={"household_size": "houshold_size"})
    found = _problems(wrong, tmp_path / "salah.csv")
    assert [key for key, _ in found] == ["missing_column", "missing_indicator", "near_column"]


def test_codes_without_names_must_be_declared(susenas: pd.DataFrame, tmp_path: Path) -> None:
    assert _problems(susenas.drop(columns="regency_name"), tmp_path / "a.csv")[0][0] == "codes_unknown"
    few = susenas.head(50)
    assert _problems(few, tmp_path / "b.csv")[0][0] == "too_few"
    unknown = susenas.drop(columns="regency_name").assign(regency_code="9999")
    assert _problems(unknown, tmp_path / "c.csv", "kemendagri")[0][0] == "bad_regency"
