"""Values of one meaning become one text."""

from __future__ import annotations

import duckdb
import pytest

from dtsen_core.integrate.link.kinds import normalised, phonetic, plain, told


def said(kind: str, value: str, month_first: bool = False) -> str | None:
    con = duckdb.connect()
    sql = f"""WITH bare AS (SELECT {plain("v")} AS v FROM (SELECT ?::VARCHAR AS v)), known AS (SELECT {told("v")} AS v
      FROM bare)
        SELECT nullif({normalised(kind, "v", month_first=month_first)}, '') FROM known"""
    found = con.execute(sql, [value]).fetchall()[0][0]
    con.close()
    return found


@pytest.mark.parametrize(
    "value",
    ["1945-12-31", "31/12/1945", "31.12.1945", "19451231", "19451231.0", "31 Dec 1945", "December 31, 1945",
     "31DES1945", "1945-12-31 00:00:00", "31121945", "31-12-45"],
)  # fmt: skip
def test_dates_in_many_forms(value: str) -> None:
    assert said("birth_date", value) == "19451231"


def test_dates_that_need_a_decision() -> None:
    assert said("birth_date", "03/04/1960") == "19600403"
    assert said("birth_date", "03/04/1960", month_first=True) == "19600304"
    assert said("birth_date", "1021945") == "19450201"
    assert said("birth_date", "1945") == "1945"


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("given_name", " josé-maría ", "JOSE MARIA"), ("surname", "O'Neill Jr.", "ONEILL"),
        ("full_name", "Dr. Müßig, Hans", "MUSSIG HANS"), ("sex", "Perempuan", "F"), ("sex", "male", "M"),
        ("postcode", "0800", "800"), ("postcode", "800.0", "800"), ("code", "00", "0"), ("code", "(021) 555-1234",
          "215551234"),
        ("address", "12 Stanley Street", "12 STANLEY ST"), ("place", "nan", None), ("text", "  -- ", None),
    ],
)  # fmt: skip
def test_values_of_each_kind(kind: str, value: str, expected: str | None) -> None:
    assert said(kind, value) == expected


def test_names_that_sound_alike() -> None:
    con = duckdb.connect()
    pairs = [("MEYER", "MAIER"), ("CATHERINE", "KATHERINE"), ("SCHMIDT", "SCHMITT")]
    for a, b in pairs:
        one, other = con.execute(
            f"SELECT {phonetic('a')}, {phonetic('b')} FROM (SELECT ? AS a, ? AS b)", [a, b]
        ).fetchall()[0]
        assert one == other
    con.close()
