"""Which code system a file uses, and its way to Kemendagri codes."""

from __future__ import annotations

import contextlib

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core.errors import UserError
from dtsen_core.regions import codes, units

REGENCIES = units.table("regency")


def delivered(province: str, system: str, *, kinds: bool = True) -> pd.DataFrame:
    """Regency codes and upper-case names of a province as a file of `system` would carry them."""
    own = REGENCIES[REGENCIES["parent_code"] == province]
    if system == "bps":
        return pd.DataFrame({"code": own["bps_code"], "name": own["bps_name"].str.upper()})
    names = own["name"].str.replace("Kab.", "Kabupaten", regex=False) if kinds else own["name"]
    return pd.DataFrame({"code": own["code"], "name": names.str.upper()})


@pytest.mark.parametrize("province", ["11", "31"])
@pytest.mark.parametrize("system", codes.SYSTEMS)
def test_jakarta_and_aceh_in_each_system(province: str, system: str) -> None:
    found = codes.detect_system(delivered(province, system))
    assert found.system == system
    assert getattr(found, f"share_{system}") == 1.0
    assert not found.identical
    mapped = codes.map_regencies(delivered(province, system), system)
    expected = REGENCIES.loc[REGENCIES["parent_code"] == province, "code"]
    assert mapped["kemendagri"].tolist() == expected.tolist()


def test_3171_alone_is_decided_by_its_name() -> None:
    pusat = pd.DataFrame({"code": ["3171"], "name": ["KOTA ADM. JAKARTA PUSAT"]})
    selatan = pd.DataFrame({"code": ["31.71"], "name": ["Jakarta Selatan"]})
    assert codes.detect_system(pusat).system == "kemendagri"
    assert codes.detect_system(selatan).system == "bps"
    assert codes.map_regencies(selatan, "bps")["kemendagri"].tolist() == ["3174"]


@pytest.mark.parametrize("system", codes.SYSTEMS)
def test_the_whole_nation(system: str) -> None:
    frame = pd.concat([delivered(p, system) for p in units.table("province")["code"]])
    found = codes.detect_system(frame, confirm=system)
    assert found.system == system
    mapped = codes.map_regencies(frame, system)
    assert mapped["kemendagri"].tolist() == REGENCIES["code"].tolist()


def test_confirm_only_confirms() -> None:
    with pytest.raises(UserError) as caught:
        codes.detect_system(delivered("31", "bps"), confirm="kemendagri")
    assert "3173" in caught.value.message("id")
    assert "Jakarta Pusat" in caught.value.message("en")
    with pytest.raises(UserError):
        codes.detect_system(delivered("31", "bps"), confirm="iso")


def test_mixed_file_is_refused_with_its_first_rows() -> None:
    mixed = pd.concat([delivered("31", "bps"), delivered("31", "kemendagri")])
    for confirm in (None, *codes.SYSTEMS):
        with pytest.raises(UserError) as caught:
            codes.detect_system(mixed, confirm=confirm)
        assert "3173" in caught.value.message()


def test_rows_weigh() -> None:
    frame = delivered("31", "kemendagri").assign(rows=1000)
    stray = pd.DataFrame({"code": ["3171"], "name": ["JAKARTA SELATAN"], "rows": [40]})
    assert codes.detect_system(pd.concat([frame, stray])).system == "kemendagri"
    with pytest.raises(UserError):
        codes.detect_system(pd.concat([frame, stray.assign(rows=400)]))


def test_names_are_needed() -> None:
    for names in ([None, None], ["", " "]):
        with pytest.raises(UserError) as caught:
            codes.detect_system(pd.DataFrame({"code": ["3171", "3172"], "name": names}))
        assert "nama" in caught.value.message("id")
    with pytest.raises(UserError):
        codes.detect_system(pd.DataFrame({"code": ["3171"], "name": ["ATLANTIS"]}))


def test_codes_that_mean_the_same_need_no_decision() -> None:
    frame = delivered("32", "bps")
    for confirm in (None, *codes.SYSTEMS):
        found = codes.detect_system(frame, confirm=confirm)
        assert found.identical
        assert found.system == (confirm or "kemendagri")


def test_few_differing_rows_still_decide() -> None:
    frame = pd.concat([delivered("32", "bps").assign(rows=1000), delivered("31", "bps").assign(rows=100)])
    assert codes.detect_system(frame).system == "bps"


def test_papua_by_name_in_codes_after_2022() -> None:
    frame = pd.DataFrame(
        {
            "code": ["9601", "9503", "9701", "9201", "9401", "9107"],
            "name": ["NABIRE", "MERAUKE", "JAYAWIJAYA", "RAJA AMPAT", "MERAUKE", "SORONG"],
        }
    )
    mapped = codes.map_regencies(frame, "bps")
    assert mapped["kemendagri"].tolist() == ["9401", "9301", "9501", "9603", "9301", "9601"]
    assert mapped["how"].tolist() == ["name", "name", "name", "name", "crosswalk", "crosswalk"]
    assert codes.detect_system(frame).system == "bps"


def test_city_and_regency_of_sorong_in_codes_after_2022() -> None:
    """One name and one province: the kind of unit tells them apart, and a name that contradicts its code is neither."""
    frame = pd.DataFrame({
        "code": ["9202", "9271", "9202", "9271", "9202", "9271"],
        "name": ["KAB. SORONG", "KOTA SORONG", "SORONG", "SORONG", "KOTA SORONG", "KABUPATEN SORONG"],
    })  # fmt: skip
    mapped = codes.map_regencies(frame, "bps")
    assert mapped["kemendagri"].tolist()[:4] == ["9601", "9671", "9601", "9671"]
    assert mapped["kemendagri"].isna().tolist() == [False] * 4 + [True] * 2
    assert codes.detect_system(frame.head(2)).system == "bps"


@pytest.mark.parametrize(("system", "code", "name", "old"), [
    ("kemendagri", "9101", "MERAUKE", True), ("kemendagri", "9301", "MERAUKE", False),
    ("kemendagri", "6473", "KOTA TARAKAN", True), ("bps", "9401", "MERAUKE", True), ("bps", "9501", "MERAUKE", False),
    ("bps", "9107", "SORONG", True), ("bps", "9403", "JAYAPURA", False), ("bps", "3171", "JAKARTA SELATAN", False),
])  # fmt: skip
def test_a_place_says_whether_its_code_is_from_before_a_split(system: str, code: str, name: str, old: bool) -> None:
    place = {f"{level}_{part}": [None] for level in ("district", "village") for part in ("code", "name")}
    mapped = codes.map_places(pd.DataFrame({"regency_code": [code], "regency_name": [name], **place}), system)
    assert mapped["regency"].notna().all()
    assert mapped["old"].tolist() == [old]


def test_codes_before_the_papua_split_are_known() -> None:
    old = units.history()
    frame = pd.DataFrame({"code": old["old_code"], "name": old["name"].str.upper()})
    mapped = codes.map_regencies(frame, "kemendagri")
    assert mapped["kemendagri"].tolist() == old["code"].tolist()
    assert set(mapped["how"]) == {"history"}
    assert not old["old_code"].isin(REGENCIES["code"]).any()
    assert codes.detect_system(frame[old["old_code"].str[0].eq("9")]).system == "kemendagri"


def test_an_old_code_with_a_foreign_name_is_not_mapped() -> None:
    frame = pd.DataFrame({"code": ["9101", "3171", "9999"], "name": ["FAKFAK", "KOTA BOGOR", "X"]})
    mapped = codes.map_regencies(frame, "kemendagri")
    assert mapped["kemendagri"].isna().all()
    assert set(mapped["how"]) == {codes.UNMAPPED}


def test_city_and_regency_of_one_name_are_told_apart() -> None:
    swapped = pd.DataFrame({"code": ["3201", "3271"], "name": ["KOTA BOGOR", "KABUPATEN BOGOR"]})
    assert codes.map_regencies(swapped, "kemendagri")["kemendagri"].isna().all()
    plain = pd.DataFrame({"code": ["6302", "6201"], "name": ["KOTA BARU", "KOTAWARINGIN BARAT"]})
    assert codes.map_regencies(plain, "kemendagri")["kemendagri"].tolist() == ["6302", "6201"]


def test_provinces_of_papua() -> None:
    frame = pd.DataFrame({"code": ["91", "94", "32"], "name": ["PAPUA BARAT", "PAPUA", "JAWA BARAT"]})
    assert codes.map_provinces(frame, "bps")["kemendagri"].tolist() == ["92", "91", "32"]
    assert codes.detect_system(frame).system == "bps"


def test_districts_and_villages_by_name_inside_the_parent() -> None:
    district = units.table("district")
    own = district[district["parent_code"] == "3174"]
    frame = pd.DataFrame(
        {
            "parent": "3174",
            "code": [f"3171{n:03d}" for n in range(10, 10 * len(own) + 10, 10)],
            "name": own["name"].str.upper(),
        }
    )
    mapped = codes.map_districts(frame, "bps")
    assert mapped["kemendagri"].tolist() == own["code"].tolist()
    stray = codes.map_districts(
        pd.DataFrame({"parent": ["3174", None], "code": ["3171999", "1"], "name": ["TIDAK ADA", "TEBET"]}),
        "bps",
    )
    assert stray["how"].tolist() == [codes.UNMAPPED] * 2


def test_a_valid_code_with_another_name_is_not_trusted_in_bps_files() -> None:
    # 1101012001 is Keude Bakongan at Kemendagri; a BPS file may use the digits for another village.
    frame = pd.DataFrame({"parent": ["110101"], "code": ["1101012001"], "name": ["UJONG MANGKI"]})
    for system in codes.SYSTEMS:
        assert codes.map_villages(frame, system)["kemendagri"].tolist() == ["1101012002"]
    nameless = frame.assign(name=None)
    assert codes.map_villages(nameless, "kemendagri")["kemendagri"].tolist() == ["1101012001"]
    assert codes.map_villages(nameless, "bps")["how"].tolist() == [codes.UNMAPPED]


def test_places_of_every_level_at_once() -> None:
    villages = units.table("village").iloc[::401]
    regency, district = villages["code"].str[:4], villages["code"].str[:6]
    lookup = REGENCIES.set_index("code")
    places = pd.DataFrame(
        {
            "regency_code": regency.map(lookup["bps_code"]),
            "regency_name": regency.map(lookup["bps_name"]),
            "district_code": "0000000",
            "district_name": district.map(units.name).str.upper(),
            "village_code": None,
            "village_name": villages["name"].str.upper(),
        }
    )
    mapped = codes.map_places(places, "bps")
    assert mapped["regency"].tolist() == regency.tolist()
    assert mapped["district"].eq(district).mean() > 0.999
    assert mapped["village"].eq(villages["code"]).mean() > 0.99
    wrong = mapped["village"].notna() & mapped["village"].ne(villages["code"])
    assert not wrong.any()
    assert mapped.loc[mapped["village"].isna(), "unmapped"].notna().all()


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(st.text("0123456789. ", max_size=11), st.one_of(st.none(), st.text(max_size=12))),
        min_size=1,
    )
)
def test_any_codes_and_names_map_or_are_reported(rows: list[tuple[str, str | None]]) -> None:
    frame = pd.DataFrame(rows, columns=["code", "name"])
    for system in codes.SYSTEMS:
        mapped = codes.map_regencies(frame, system)
        assert len(mapped) == len(frame)
        assert (mapped["how"].eq(codes.UNMAPPED) == mapped["kemendagri"].isna()).all()
        assert mapped["kemendagri"].dropna().isin(REGENCIES["code"]).all()
    with contextlib.suppress(UserError):  # refusing is an answer, any other exception is a bug
        assert codes.detect_system(frame).system in codes.SYSTEMS


@settings(max_examples=20)
@given(st.sets(st.integers(0, 513), min_size=1, max_size=30), st.sampled_from(codes.SYSTEMS))
def test_detection_never_chooses_the_wrong_system(chosen: set[int], system: str) -> None:
    part = REGENCIES.iloc[sorted(chosen)]
    column = "code" if system == "kemendagri" else "bps_code"
    frame = pd.DataFrame({"code": part[column], "name": part["name"]})
    found = codes.detect_system(frame)
    assert found.identical or found.system == system
    assert codes.map_regencies(frame, found.system)["kemendagri"].tolist() == part["code"].tolist()


@given(st.sampled_from(REGENCIES["name"].tolist()), st.sampled_from(["{}", "  {} ", "{}."]), st.booleans())
def test_folding_ignores_case_spaces_and_kind(name: str, shape: str, upper: bool) -> None:
    written = shape.format(name.upper() if upper else name.replace("Kab.", "Kabupaten"))
    assert units.fold(written) == units.fold(name)
