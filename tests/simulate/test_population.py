"""The drawn population: calibrated on the realised families, deterministic, and coded by the contract."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.collect.simulate import allocation, dwelling, geography, members, population, targets, welfare
from dtsen_core.errors import UserError
from dtsen_core.policy import measures
from dtsen_core.regions import official, units
from dtsen_core.registry.indicators import INDICATORS, indicator_sql


@pytest.fixture(scope="module")
def place() -> geography.Geography:
    return geography.draw(11)


def test_urban_villages_meet_the_published_share(place: geography.Geography) -> None:
    total = np.bincount(place.province, weights=place.persons)
    urban = np.bincount(place.province, weights=place.persons * (place.urban == 1)) / total
    assert np.abs(urban - official.provinces()["urban_pct"] / 100).max() < 0.02


@given(st.integers(20_000, 2_000_000))
@settings(max_examples=30)
def test_allocation_sums_and_keeps_the_minimum(families: int) -> None:
    population_of = units.table("regency")["population"].to_numpy(float)
    counts = allocation.families_per_regency(population_of, families, 400)
    assert counts.sum() == families
    assert counts.min() >= min(400, int(0.6 * families / 514)) - 1


def test_families_fill_the_villages_of_their_regency_exactly(place: geography.Geography) -> None:
    counts = allocation.families_per_regency(units.table("regency")["population"].to_numpy(float), 60_000, 400)
    for province in (0, 10, 37):
        village = allocation.villages_of_families(place, province, counts)
        assert (np.diff(village) >= 0).all()
        found = np.bincount(place.regency[village], minlength=514)
        inside = np.unique(place.regency[place.province == province])
        assert (found[inside] == counts[inside]).all()


def test_one_province_meets_mean_headcount_and_gini(place: geography.Geography) -> None:
    rng = np.random.default_rng(5)
    target = targets.provinces()[12]
    regency = np.repeat(np.arange(4), 3_000)
    headcount = np.array([0.05, 0.08, 0.12, 0.13])
    headcount *= target.law.headcount / headcount.mean()
    weight = np.full(len(regency), 2.0)
    drawn = welfare.draw(rng, target.law, regency, np.where(rng.random(12_000) < 0.5, 1, 2).astype(np.uint8),
                         np.arange(12_000) // 12, weight, headcount[regency], 0.15)  # fmt: skip
    persons = weight * drawn.size
    poor = drawn.expenditure < target.law.line
    found = np.bincount(regency, weights=persons * poor) / np.bincount(regency, weights=persons)
    assert np.abs(found - headcount).max() < 0.004
    assert np.average(drawn.expenditure, weights=persons) == pytest.approx(target.law.mean, rel=0.01)
    assert measures.gini(drawn.expenditure, persons) == pytest.approx(target.law.gini, abs=0.005)
    assert np.average(drawn.size[poor]) > np.average(drawn.size[~poor])


def _small_place(rng: np.random.Generator, count: int) -> dwelling.Place:
    size = rng.integers(1, 7, count).astype(np.uint8)
    return dwelling.Place(np.sort(rng.integers(0, 514, count)), rng.integers(1, 3, count).astype(np.uint8),
                          rng.normal(size=count), size, size.astype(float))  # fmt: skip


def test_members_answer_the_questionnaire_they_would_be_asked() -> None:
    people = members.draw(np.random.default_rng(2), _small_place(np.random.default_rng(1), 3_000))
    age, c = people.age_days / 365.25, people.columns
    heads = np.bincount(people.family[c["status_hubungan_keluarga"] == 1])
    assert (heads == 1).all()
    assert (c["lapangan_usaha_dari_pekerjaan_utama"][c["status_bekerja"] != 1] == 0).all()
    assert (c["lapangan_usaha_dari_pekerjaan_utama"][c["status_bekerja"] == 1] > 0).all()
    assert (c["omzet_usaha_utama"][c["kepemilikan_usaha"] != 1] == 0).all()
    assert (c["kondisi_gizi"][age >= 6] == 0).all()
    assert (c["status_kawin"][age < 16] == 1).all()
    assert set(np.unique(c["ijazah_tertinggi_yang_dimiliki"][age < 10])) <= {0, 23}


def test_welfare_pulls_every_asset_the_declared_way() -> None:
    rng = np.random.default_rng(8)
    place_ = _small_place(rng, 40_000)
    variables = len(dwelling.rules()["ordered"]) + len(dwelling.rules()["assets"]) + 2
    factors = dwelling.regional_factors(1, variables)
    cuts = dwelling.national_cuts(dwelling.latents(rng, place_, factors), place_.weight)
    found = dwelling.draw(rng, place_, factors, cuts, *dwelling.improved_targets())
    for name, rule in dwelling.rules()["assets"].items():
        owns = found[name] == 1
        if abs(rule["pull"]) > 0.25:
            assert np.sign(place_.welfare[owns].mean() - place_.welfare[~owns].mean()) == np.sign(rule["pull"])


def test_same_seed_same_survey_other_seed_other_survey() -> None:
    def digest(seed: int) -> tuple:
        con = duckdb.connect()
        recipe = population.prepare(seed, 20_000)
        population.draw_survey(con, recipe, 5_140, lambda fraction: None)
        found = con.execute("SELECT bit_xor(hash(survey)), count(*), sum(weight * household_size) FROM survey")
        return found.fetchone() or ()

    first = digest(3)
    assert first == digest(3)
    assert first[0] != digest(4)[0]
    assert first[1] == 5_140


@pytest.mark.parametrize("families", [0, 4_999, 95_000_001])
def test_an_impossible_number_of_families_is_refused(families: int) -> None:
    with pytest.raises(UserError) as problem:
        population.prepare(1, families)
    assert "95000000" in problem.value.message("en")


def test_indicator_statement_reads_skips_and_unknowns_apart() -> None:
    from dtsen_core.registry import ddl

    con = duckdb.connect()
    con.execute(ddl.create_table("keluarga"))
    con.execute(ddl.create_table("anggota"))
    con.execute("INSERT INTO keluarga BY NAME SELECT 1 AS id_keluarga, 3 AS jumlah_anggota_keluarga, "
                "6 AS fasilitas_bab, 2 AS sumber_penerangan_utama, 2 AS kepemilikan_aset, "
                "0 AS bahan_bakar_utama_memasak")
    con.execute("INSERT INTO keluarga BY NAME SELECT 2 AS id_keluarga, 2 AS jumlah_anggota_keluarga, "
                "1 AS fasilitas_bab, 1 AS kepemilikan_aset, 1 AS aset_bergerak_mobil")  # fmt: skip
    con.execute("""INSERT INTO anggota BY NAME SELECT * FROM (VALUES
        (1, 1, DATE '1980-05-01', 1, 2, 1, 1, 2, 13),
        (1, 2, DATE '1982-05-01', 2, 2, 2, 1, 4, 3),
        (1, 3, DATE '2014-05-01', 1, 1, NULL, NULL, 4, NULL))
        AS v(id_keluarga, status_hubungan_keluarga, tanggal_lahir, jenis_kelamin, status_kawin, status_bekerja,
             lapangan_usaha_dari_pekerjaan_utama, penglihatan, ijazah_tertinggi_yang_dimiliki)""")
    row = con.execute(indicator_sql(dt.date(2026, 1, 23))).df().set_index("id_keluarga")
    na = {i.name: next((c.code for c in i.categories if c.value == "tidak berlaku"), None) for i in INDICATORS}
    first, second = row.loc[1], row.loc[2]
    assert first["jenis_kloset"] == na["jenis_kloset"]
    assert first["daya_terpasang"] == na["daya_terpasang"]
    assert first["bahan_bakar_utama_memasak"] == 1  # does not cook: a category, not missing
    assert first["aset_bergerak_mobil"] == 2  # no assets at all is a known "no"
    assert first["ukuran_keluarga"] == 3
    assert first["ijazah_kepala"] == 4
    assert first["anak_tidak_sekolah"] == 0  # one child of school age, participation unknown
    assert first["disabilitas_atau_kronis"] == 1
    assert second["jenis_kloset"] == 0
    assert second["aset_bergerak_mobil"] == 1
    assert second["aset_bergerak_ac"] == 0
    assert second["jumlah_bekerja"] == 0  # no member known: unknown, not nobody
