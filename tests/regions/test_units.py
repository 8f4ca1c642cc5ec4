"""The shipped hierarchy: counts of the decree, parents, names, search and errors."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.errors import UserError
from dtsen_core.regions import official, units


@pytest.mark.parametrize(("level", "count"), units.COUNTS.items())
def test_counts_and_order(level: str, count: int) -> None:
    table = units.table(level)
    assert len(table) == count
    assert table["code"].is_unique
    assert table["code"].is_monotonic_increasing
    assert table.index.tolist() == list(range(count))
    assert table["name"].str.strip().eq(table["name"]).all()
    assert table["name"].ne("").all()
    assert not table["name"].str.contains("  ", regex=False).any()


@pytest.mark.parametrize("level", ["regency", "district", "village"])
def test_every_parent_exists(level: str) -> None:
    above = units.LEVELS[units.LEVELS.index(level) - 1]
    assert set(units.table(level)["parent_code"]) == set(units.table(above)["code"])


def test_kinds_as_in_the_decree() -> None:
    villages = units.table("village")["kind"].value_counts()
    assert villages["kelurahan"] == 8_496
    assert villages["desa"] + villages["desa adat"] == 75_266
    assert units.table("regency")["kind"].value_counts().to_dict() == {"kabupaten": 416, "kota": 98}


def test_population_sums_to_the_published_total() -> None:
    regencies = units.table("regency")
    assert regencies["population"].sum() == 284_973_643
    assert (regencies["population_male"] + regencies["population_female"]).eq(regencies["population"]).all()
    assert units.table("province")["population"].sum() == 284_973_643


def test_crosswalk_is_one_to_one_and_differs_for_199() -> None:
    regencies = units.table("regency")
    assert regencies["bps_code"].is_unique
    assert (regencies["bps_code"] != regencies["code"]).sum() == 199


def test_unit_counts_agree_with_the_official_province_table() -> None:
    figures = official.provinces().set_index("code")
    for level, columns in (
        ("regency", ["n_kab", "n_kota"]),
        ("district", ["n_kec"]),
        ("village", ["n_kel", "n_desa"]),
    ):
        counted = units.table(level)["code"].str[:2].value_counts()
        assert figures[columns].sum(axis=1).sub(counted).eq(0).all(), level


def test_names_and_labels() -> None:
    assert units.name("3201") == "Kab. Bogor"
    assert units.label("3201") == "Kab. Bogor, Jawa Barat"
    assert units.label("320101") == "Kec. Cibinong, Kab. Bogor"
    assert units.label("3171") == "Kota Jakarta Pusat, DKI Jakarta"
    assert units.name("ID") == units.label("ID") == "Indonesia"
    assert units.path("320101") == ("ID", "32", "3201", "320101")
    assert len(units.children("ID")) == 38
    assert len(units.children("1101012001")) == 0


@settings(max_examples=15)
@given(st.sampled_from(units.LEVELS), st.integers(0, 10**6))
def test_parent_and_children_agree(level: str, number: int) -> None:
    table = units.table(level)
    code = table["code"].iat[number % len(table)]
    assert units.level_of(code) == level
    assert units.require(f" {code[:2]}.{code[2:]} ", level) == code
    parent = units.parent(code)
    assert code in set(units.children(parent)["code"])


@settings(max_examples=20)
@given(st.text(max_size=15))
def test_search_and_require_never_break(text: str) -> None:
    for code, name, level in units.search(text, 5):
        assert units.name(code) == name
        assert units.level_of(code) == level
    with contextlib.suppress(UserError):  # refusing is an answer, any other exception is a bug
        assert units.require(text) in units.index(units.level_of(units.require(text)))


def test_search_puts_the_larger_unit_first_and_forgives_spelling() -> None:
    assert [hit[0] for hit in units.search("bogor", 2)] == ["3201", "3271"]
    assert units.search("jakrta selatan", 1)[0][0] == "3174"
    assert units.search("3171", 1)[0] == ("3171", "Kota Jakarta Pusat", "regency")
    assert units.search("", 5) == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("3299", "3279"),
        ("99", "Kemendagri"),
        ("jakarta", "3171"),
        ("", "Kemendagri"),
        ("9101", "9301"),
        ("12345", "Kemendagri"),
    ],
)
def test_unknown_codes_are_named_with_near_misses(code: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        units.require(code)
    for lang in ("id", "en"):
        assert words in caught.value.message(lang)


def test_wrong_level_is_said_in_the_language_of_the_reader() -> None:
    with pytest.raises(UserError) as caught:
        units.require("32", "regency")
    assert "provinsi" in caught.value.message("id")
    assert "province" in caught.value.message("en")
    with pytest.raises(UserError):
        units.table("dusun")


def test_official_figures() -> None:
    provinces = official.provinces()
    assert provinces["code"].tolist() == units.table("province")["code"].tolist()
    # BPS: 23.85 and 23.36 million poor; the survey base reproduces the national rates of 8.47 and 8.25 %.
    for period, rate, poor in (("mar2025", 8.47, 23.85), ("sep2025", 8.25, 23.36)):
        total = provinces[f"poor_thousand_{period}"].sum() * 1_000
        assert total == pytest.approx(poor * 1e6, rel=1e-3)
        assert 100 * total / provinces[f"survey_population_{period}"].sum() == pytest.approx(rate, abs=0.02)
        assert official.national()[f"p0_{period}"].value == rate
    assert set(provinces.loc[provinces["gini_mar2025"].isna(), "code"]) == {"94", "95", "96"}
    assert set(provinces.loc[provinces["urban_substituted"], "code"]) == {
        "65",
        "91",
        "92",
        "93",
        "94",
        "95",
        "96",
    }
    assert provinces["urban_pct"].between(20, 100).all()
    regencies = official.regencies()
    assert len(regencies) == 514
    assert regencies["p0_2021"].between(2, 45).all()
    assert official.national()["registry_families"].value == 95_006_179


def test_damaged_table_is_a_user_error(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(units, "REFERENCE", tmp_path)
    units.table.cache_clear()
    with pytest.raises(UserError) as caught:
        units.table("village")
    assert "regions_villages.parquet" in caught.value.message()
    units.table.cache_clear()
