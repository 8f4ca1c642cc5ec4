"""What the queries count, against sums done another way."""

from __future__ import annotations

import math

import pytest

from dtsen_core.policy.quality import accuracy, areas, content, measures, tables, trend
from dtsen_core.policy.quality.areas import Ask
from dtsen_core.registry import manifest as manifests
from dtsen_core.registry import versions as kept
from dtsen_core.registry.dataset import Dataset
from tests.mutu import fake


def one(dataset: Dataset, sql: str):
    return dataset.cursor().execute(sql).fetchone()


@pytest.mark.parametrize("measure", [m for m in measures.measures() if m not in ("precision", "recall")])
def test_provinces_and_regencies_add_up_to_the_same(simulated: Dataset, measure: str) -> None:
    variable = "nik_tak_sah" if measure == "rule" else ""
    frames = {level: areas.quality_by_area(simulated, Ask(measure, level, variable=variable)) for level in areas.LEVELS}
    assert {level: len(frame) for level, frame in frames.items()} == {"regency": 514, "province": 38}
    for column in ("base", "part"):
        assert frames["regency"][column].sum() == pytest.approx(frames["province"][column].sum())
    whole = frames["regency"]
    assert (whole["part"] >= 0).all()
    assert (whole["part"] <= whole["base"] + 1e-9).all()
    assert math.isnan(whole["share"].iloc[7]), "a regency without records has no share"
    assert whole["n"].iloc[7] == 0


def test_matching_counts_the_chosen_source_without_unplaced_records(simulated: Dataset) -> None:
    frame = areas.quality_by_area(simulated, Ask("none", "regency", source="dtks"))
    part, base = one(simulated, """SELECT sum(records) FILTER (pass = 'none'), sum(records) FROM match_summary
        WHERE source = 'dtks' AND regency <> 65535""")  # fmt: skip
    assert (frame["part"].sum(), frame["base"].sum()) == (float(part), float(base))
    everything = areas.quality_by_area(simulated, Ask("none", "regency", source="all"))
    assert everything["base"].sum() > frame["base"].sum()


def test_findings_of_a_kind_of_file_belong_to_its_register(simulated: Dataset) -> None:
    frame = areas.quality_by_area(simulated, Ask("rule", "province", source="regsosek", variable="nik_tak_sah"))
    found = one(simulated, """SELECT sum(records) FROM rule_finding
        WHERE source = 'regsosek_anggota' AND rule = 'nik_tak_sah'""")[0]  # fmt: skip
    assert frame["part"].sum() == float(found) > 0


def test_weighted_measures_stand_for_the_registry(simulated: Dataset) -> None:
    frame = areas.quality_by_area(simulated, Ask("gap_families", "regency"))
    civil, known = one(simulated, "SELECT sum(civil_families), sum(registry_families) FROM quality_coverage")
    assert frame["n"].sum() == float(civil)
    assert frame["base"].sum() == pytest.approx(243.0 * float(civil))
    assert frame["part"].sum() == pytest.approx(243.0 * float(civil - known))


def test_missing_is_counted_among_those_to_whom_the_question_applies(simulated: Dataset) -> None:
    found = content.completeness_by_variable(simulated, "keluarga").set_index("variable")
    row = found.loc["jenis_kloset"]
    assert row["not_applicable"] > 0
    assert row["asked"] == pytest.approx(row["base"] - row["not_applicable"])
    assert row["share"] == pytest.approx(row["missing"] / row["asked"])
    assert row["known"] + row["missing"] + row["not_applicable"] == pytest.approx(row["base"])
    by_area = areas.quality_by_area(simulated, Ask("missing", "province", variable="jenis_kloset", set_name="keluarga"))
    assert by_area["base"].sum() == pytest.approx(row["asked"])


def test_reasons_count_every_rule_a_record_breaks(simulated: Dataset) -> None:
    found = content.quarantine_by_rule(simulated).set_index(["source", "reason"])
    assert found.loc[("dtks", "nik_tak_sah"), "records"] == 4000
    assert found.loc[("dtks", "kk_tak_sah"), "records"] == 800
    assert found.loc[("dtks", "nik_tak_sah"), "mended"] == 1334
    # By main reason every record counts once; by every reason the sum exceeds the records.
    assert found.loc["dtks", "main"].to_dict() == {"nik_tak_sah": 4000, "kk_tak_sah": 0}
    assert found["main"].sum() == one(simulated, "SELECT count(*) FROM quarantine")[0]
    assert found["records"].sum() > found["main"].sum()


def test_ages_fall_into_the_bands_of_the_rules(simulated: Dataset) -> None:
    found = content.freshness_by_source(simulated).set_index("source")
    whole = found.loc["all"]
    assert whole[list(content.BANDS)].sum() == pytest.approx(whole["base"])
    assert found.loc[["dtks", "p3ke", "regsosek"], "base"].sum() == pytest.approx(whole["base"])
    assert found.loc["dtks", "checked_unknown"] == pytest.approx(found.loc["dtks", "base"])
    old = one(simulated, "SELECT sum(families) FROM quality_freshness WHERE age_months_bucket >= 24")[0]
    assert whole["old"] == pytest.approx(243.0 * float(old))


def test_every_record_is_counted_once_but_in_the_table_of_errors(simulated: Dataset) -> None:
    whole = accuracy.match_quality(simulated, "").iloc[0]
    for by in ("source", "province"):
        found = accuracy.match_quality(simulated, by)
        for column in ("true_links", "false_links", "missed"):
            assert found[column].sum() == whole[column]
    assert whole["precision"] == pytest.approx(whole["true_links"] / (whole["true_links"] + whole["false_links"]))
    assert whole["precision_low"] < whole["precision"] < whole["precision_high"]
    errors = accuracy.match_quality(simulated, "error_kind")
    assert "semua" not in set(errors["item"])
    assert set(errors["item"]) == set(fake.ERRORS)
    passes = accuracy.match_quality(simulated, "pass")
    assert set(passes["item"]) == {"exact", "composite", "probable"}
    assert passes["recall"].isna().all()


def test_families_put_together_again_are_shares_with_ranges(simulated: Dataset) -> None:
    found = accuracy.families(simulated).set_index("item")
    assert found.index.tolist() == ["semua", "unchanged", "joined", "split"]  # the whole before its parts
    assert found.loc["semua", "families"] == found["families"].iloc[1:].sum() == 10_000
    assert found.loc["semua", "exact_share"] == pytest.approx(9_989 / 10_000)
    assert found.loc["joined", "card_share"] == pytest.approx(0.9)
    assert found.loc["split", "whole_share"] == pytest.approx(0.97)
    assert (found["exact_share_low"] < found["exact_share"]).all()
    assert (found["exact_share"] < found["exact_share_high"]).all()


def test_an_old_dataset_says_what_it_lacks(folders) -> None:
    old = Dataset.open(folders["old"])
    assert tables.ready(old, "reading")
    assert not any(tables.ready(old, view) for view in measures.VIEWS if view != "reading")
    assert content.rule_findings(old).empty
    assert content.quarantine_by_rule(old)["records"].sum() == 4003


def test_real_data_are_never_measured_against_a_truth(real: Dataset) -> None:
    assert not tables.ready(real, "accuracy")


def test_the_trend_reads_every_version_and_skips_a_broken_one(tmp_path) -> None:
    root = tmp_path / "data"
    fake.make(root / "versions" / "a", version="a", as_of="2026-03-31", worse=1.5)
    fake.make(root / "versions" / "b", version="b", as_of="2026-06-30")
    kept.serve(root, manifests.read(root / "versions" / "b"), "versions/b")
    fake.make(root / "versions" / "lama", version="lama", as_of="2025-12-31", old=True)
    broken = fake.make(root / "versions" / "rusak", version="rusak", as_of="2025-09-30")
    (broken / "dtsen.duckdb").write_bytes(b"not a database")
    found = trend.quality_trend(Dataset.open(root))
    assert found["version"].tolist() == ["lama", "a", "b"]
    assert math.isnan(found["gap_part"].iloc[0])
    gaps = (found["gap_part"] / found["gap_base"]).tolist()
    assert gaps[1] > gaps[2] > 0
    assert (found["lines"] == 355_005).all()
