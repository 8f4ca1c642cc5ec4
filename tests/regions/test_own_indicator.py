"""A visitor's own indicator: what is taken, what is left out with a reason, what is refused."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtsen_core import locale
from dtsen_core.errors import UserError
from dtsen_core.regions import own_indicator, units


def everywhere(column: str = "code") -> list[str]:
    return units.table("regency")[column].tolist()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_plain_csv_is_read_whatever_its_delimiter(delimiter: str) -> None:
    lines = [delimiter.join(("kode", "nilai")), *(delimiter.join((code, "12.5")) for code in everywhere())]
    found = own_indicator.read("\n".join(lines).encode())
    assert (found.level, found.system, found.missing, found.problems) == ("regency", "kemendagri", 0, ())
    assert found.frame["code"].tolist() == everywhere()
    assert found.frame["value"].eq(12.5).all()


def test_decimal_comma_and_grouping_points_are_indonesian_numbers() -> None:
    found = own_indicator.read(b"kode;nilai\n11;1.234,5\n12;7,25\n13;10\n")
    assert found.frame["value"].tolist() == [1234.5, 7.25, 10.0]


def test_bps_codes_are_known_by_the_names_beside_them() -> None:
    table = units.table("regency")
    frame = pd.DataFrame({"kode": table["bps_code"], "nama": table["bps_name"], "nilai": range(len(table))})
    frame = frame[frame["kode"].str[:1].ne("9")]
    found = own_indicator.read(frame)
    assert found.system == "bps"
    values = dict(zip(found.frame["code"], found.frame["value"]))
    assert values["1101"] == frame.loc[frame["kode"] == "1103", "nilai"].iloc[0]


def test_codes_that_mean_two_things_are_not_guessed() -> None:
    with pytest.raises(UserError) as caught:
        own_indicator.read(b"kode,nilai\n3171,1\n3172,2\n")
    assert caught.value.key == "errors_own_indicator.system_unclear"
    found = own_indicator.read(b"kode,nilai\n3171,1\n3172,2\n", system="bps")
    assert found.frame.set_index("code")["value"].to_dict() == {"3174": 1.0, "3175": 2.0}


def test_what_is_left_out_is_told_with_its_line() -> None:
    data = b"kode,nama,nilai\n1101,Aceh Selatan,3\n1199,,4\n1102,Aceh Tenggara,abc\n1103,Aceh Timur,1\n1103,,2\n"
    found = own_indicator.read(data, system="kemendagri")
    assert found.frame["code"].tolist() == ["1101"]
    assert {p.key for p in found.problems} == {"unknown", "not_a_number", "duplicate"}
    said = " ".join(p.text(lang) for p in found.problems for lang in locale.LANGS)
    assert "'1199' (3)" in said
    assert "'abc' (4)" in said


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"", "no_table"),
        (b"\x00\x01\x02", "no_table"),
        (b"kode\n1101\n", "no_table"),
        (b"a,b\nx,y\n", "no_code_column"),
        (b"kode,nama\n1101,Aceh Selatan\n", "no_value_column"),
        (b"kode,nilai\n1199,3\n", "nothing"),
        (b"kode,nilai\n11,nan\n12,\n", "no_value_column"),
        (b"x" * (own_indicator.MAX_BYTES + 1), "too_large"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_one_sentence(data: bytes, key: str) -> None:
    with pytest.raises(UserError) as caught:
        own_indicator.read(data)
    assert caught.value.key == f"errors_own_indicator.{key}"
    assert all(caught.value.message(lang).strip() for lang in locale.LANGS)


@settings(max_examples=150)
@given(st.binary(max_size=300) | st.text(alphabet="0123456789,;.\n\tkodenilai-", max_size=300).map(str.encode))
def test_no_upload_brings_anything_but_an_indicator_or_a_sentence(data: bytes) -> None:
    try:
        found = own_indicator.read(data)
    except UserError:
        return
    assert found.frame["value"].notna().all()
    assert found.frame["code"].is_unique
    assert set(found.frame["code"]) <= set(units.index(found.level))
