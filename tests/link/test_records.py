"""`link_records` on small, odd and hostile tables."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtsen_core.errors import UserError
from dtsen_core.integrate.link import link_records
from dtsen_core.integrate.link.kinds import KINDS

PERSON = {"given": "given_name", "family": "surname", "born": "birth_date"}


def people() -> pd.DataFrame:
    return pd.DataFrame(
        [
            ["Anna", "Smith", "1980-01-02"],
            ["ANNA ", "Smith", "02/01/1980"],
            ["Bob", "Jones", "1944-05-06"],
            ["Carla", "Miller", "1971-12-24"],
            ["Smith", "Anna", "19800102"],
        ],
        columns=["given", "family", "born"],
    )


def sure(found: pd.DataFrame) -> set[tuple[int, int]]:
    hit = found[found["probability"] >= 0.5]
    return set(zip(hit["left_row"].tolist(), hit["right_row"].tolist()))


def test_a_handful_of_rows() -> None:
    found = link_records(people(), columns=PERSON)
    assert {(0, 1)} <= sure(found) <= {(0, 1), (0, 4), (1, 4)}
    assert list(found.columns) == [
        "left_row",
        "right_row",
        "probability",
        "weight_given",
        "weight_family",
        "weight_born",
    ]
    assert found["probability"].between(0, 1).all()


def test_two_tables_of_any_form() -> None:
    left, right = people().iloc[[0, 2]], people().iloc[[3, 1]]
    frames = sure(link_records(left, right, columns=PERSON))
    con = duckdb.connect()
    con.register("a", left)
    con.register("b", right)
    assert frames == {(0, 1)} == sure(link_records(con.sql("FROM a"), con.sql("FROM b"), columns=PERSON))
    con.close()


def test_same_input_same_result() -> None:
    once, again = (link_records(people(), columns=PERSON) for _ in range(2))
    pd.testing.assert_frame_equal(once, again)


@pytest.mark.parametrize("rows", [0, 1])
def test_nothing_to_pair(rows: int) -> None:
    assert link_records(people().iloc[:rows], columns=PERSON).empty
    assert link_records(people().iloc[:0], people(), columns=PERSON).empty


def test_empty_and_identical_columns() -> None:
    table = people().assign(none=None, blank=" ", same="x", nan=float("nan"))
    kinds = PERSON | {"none": "text", "blank": "address", "same": "code", "nan": "postcode"}
    found = link_records(table, columns=kinds)
    assert (0, 1) in sure(found)
    assert (found[["weight_none", "weight_blank", "weight_nan"]] == 0).all().all()


def test_column_names_and_labels_of_any_kind() -> None:
    table = people().set_axis([0, ("t", 1), "x \"y'"], axis=1)
    table.index = pd.Index([7] * len(table))
    found = link_records(table, columns={0: "given_name", ("t", 1): "surname", "x \"y'": "birth_date"})
    assert (0, 1) in sure(found)


def test_values_of_any_type() -> None:
    table = pd.DataFrame({
        "id": [1.0, 2.0, None, 1], "day": [dt.date(1980, 1, 2), pd.Timestamp("1980-01-02"), "2 Jan 1980", 19800102],
        "name": ["Anna", b"Anna", 3, None], "list": [[1], {"a": 2}, np.array([3]), (4,)],
        "kind": pd.Categorical(["m", "f", "m", "m"]),
    })  # fmt: skip
    found = link_records(
        table, columns={"id": "code", "day": "birth_date", "name": "full_name", "list": "text", "kind": "sex"}
    )
    assert (found["weight_day"] > 0).all()


def test_every_kind_at_once() -> None:
    table = pd.DataFrame({kind: [f"{kind} {n}" for n in range(40)] for kind in KINDS})
    twice = pd.concat([table, table.iloc[:5]], ignore_index=True)
    assert {(n, 40 + n) for n in range(5)} <= sure(link_records(twice, columns={kind: kind for kind in KINDS}))


def test_a_rival_takes_what_it_fits_better() -> None:
    left = pd.DataFrame({"given": ["Martin", "Martina"], "family": ["Okonkwo"] * 2, "born": ["1980-03-04"] * 2})
    found = link_records(left, left.iloc[[1]], columns=PERSON)
    assert sure(found) <= {(1, 0)}


def test_two_vocabularies_are_learnt() -> None:
    """No value of the column agrees, and yet it speaks for those who belong together."""
    rng = np.random.default_rng(5)
    ends = ("lander", "nerison", "vitko", "zormak", "pelgui")
    names = [f"{a}{b}{c}" for a in ("Ka", "Mo", "Ri", "Su") for b in ("lo", "ste", "quan", "bi") for c in ends]
    left = pd.DataFrame({"given": rng.permutation(names), "family": [name[::-1] for name in rng.permutation(names)]})
    left["unit"] = rng.choice(["Sales", "Legal", "Works"], len(left))
    right = left.assign(unit=left["unit"].map({"Sales": "100-A", "Legal": "200-B", "Works": "300-C"}))
    found = link_records(left, right, columns={"given": "given_name", "family": "surname", "unit": "code"})
    assert sure(found) == {(n, n) for n in range(len(left))}
    assert found["weight_unit"].head(len(left)).mean() > 0


def test_one_column_of_unique_names_in_two_tables() -> None:
    """Within each table nobody shares a name, so those who share one across them are the same."""
    names = [f"{a}{b} {b}{c}" for a in ("Ka", "Mo", "Ri", "Su") for b in ("lan", "ner", "vit") for c in ("son", "dor")]
    left = pd.DataFrame({"name": names})
    assert sure(link_records(left, left, columns={"name": "full_name"})) == {(n, n) for n in range(len(names))}


def test_one_frequent_value_does_not_explode() -> None:
    rows = 20_000
    table = pd.DataFrame(
        {"given": ["Ana"] * rows, "family": ["Silva"] * rows, "born": [f"{n:08d}" for n in range(rows)]}
    )
    assert len(link_records(table, columns=PERSON)) < 60 * rows


def test_bad_requests_are_explained() -> None:
    table = people()
    with pytest.raises(UserError, match="given_name, surname"):
        link_records(table, columns={})
    with pytest.raises(UserError, match="surname, full_name"):
        link_records(table, columns={"given": "name"})
    with pytest.raises(UserError, match="family"):
        link_records(table, columns={"familly": "surname"})
    with pytest.raises(UserError, match="right"):
        link_records(table, table[["given"]], columns=PERSON)
    with pytest.raises(UserError, match="list"):
        link_records([1], columns=PERSON)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="more than one"):
        link_records(pd.concat([table, table], axis=1), columns=PERSON)


VALUES = st.one_of(
    st.none(), st.text(max_size=12), st.integers(-(10**9), 10**9), st.floats(), st.dates(), st.booleans(),
    st.sampled_from(["'; DROP TABLE link_row; --", "%", "\\", "O'Neil", "张伟", "é", "NaN", "0", "00", "1/2/3",
      "e+15"]),
)  # fmt: skip


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_table_gives_a_sound_result(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))
    rows = data.draw(st.integers(0, 12))
    drawn = {f"c{n}": data.draw(st.lists(VALUES, min_size=rows, max_size=rows)) for n in range(len(kinds))}
    table = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in drawn.items()})
    found = link_records(table, columns=dict(zip(drawn, kinds)))
    assert (found["left_row"] < found["right_row"]).all()
    assert found["probability"].between(0, 1).all()
    assert np.isfinite(found.filter(like="weight_").to_numpy(dtype=float)).all()
    assert not found.duplicated(["left_row", "right_row"]).any()
