"""The one exit: nothing hidden can be worked out again, nothing else changes, zeros are shown."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linprog

from dtsen_core.errors import InternalError
from dtsen_core.oversight.disclosure import Published, TableSpec, publish

DECILES = ("d1", "d2", "d3")
SPEC = TableSpec(
    key="code",
    counts=("families", *DECILES, "pkh"),
    additive={"families": DECILES},
    rates={"share_pkh": ("pkh", "families"), "share_d1": ("d1", "families")},
    measures=("gini",),
)


# sums within sums, and a part of two totals: families in deciles 1–4 who get PKH
CROSSED = TableSpec(
    key="code",
    counts=("families", "d1", "d2", "pkh", "pkh_d1"),
    additive={"families": ("d1", "d2"), "d1": ("pkh_d1",), "pkh": ("pkh_d1",)},
    rates={"share_pkh": ("pkh", "families")},
    sample=None,
)


def make(cells: np.ndarray) -> pd.DataFrame:
    """Rows of (d1, d2, d3, pkh wished for) as a table whose sums hold."""
    frame = pd.DataFrame(cells[:, :3].astype(float), columns=DECILES)
    frame.insert(0, "code", [f"{row:02d}" for row in range(len(frame))])
    frame["families"] = frame[list(DECILES)].sum(axis=1)
    frame["pkh"] = np.minimum(cells[:, 3], frame["families"])
    frame["gini"] = 0.3
    frame["n"] = frame["families"]
    return rated(frame, SPEC)


def make_crossed(cells: np.ndarray) -> pd.DataFrame:
    """Rows of (d1, d2, PKH in d1, PKH elsewhere) as a table whose sums hold."""
    frame = pd.DataFrame(cells[:, :2].astype(float), columns=["d1", "d2"])
    frame.insert(0, "code", [f"{row:02d}" for row in range(len(frame))])
    frame["families"] = frame["d1"] + frame["d2"]
    frame["pkh_d1"] = np.minimum(cells[:, 2], frame["d1"])
    frame["pkh"] = frame["pkh_d1"] + np.minimum(cells[:, 3], frame["d2"])
    return rated(frame, CROSSED)


def rated(frame: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    return frame.assign(**{rate: frame[top] / frame[low] for rate, (top, low) in spec.rates.items()})


def totals(frame: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """The parent's row, as it is published in the parent's own table."""
    columns = [*spec.counts, *(["n"] if spec.sample else [])]
    row = frame[columns].sum().to_frame().T.assign(code="00", **dict.fromkeys(spec.measures, 0.3))
    return rated(row, spec)


def bounds(truth: pd.DataFrame, published: Published, parent: Published) -> list[tuple[float, float]]:
    """Least and greatest value of each hidden positive count that fits all that is shown (an attack)."""
    spec, frame, hidden = published.spec, published.frame, published.suppressed
    top = parent.frame.iloc[0]
    unknown = [(r, c) for r in frame.index for c in spec.counts if hidden.loc[r, c]]
    place = {cell: number for number, cell in enumerate(unknown)}
    groups = spec.groups()
    width = len(unknown) + len(frame) * len(groups)  # hidden cells, then what each sum leaves over
    equations, values = [], []

    def sum_up(terms: list[tuple[float, int, str]], rest: int | None, goal: float) -> None:
        line = np.zeros(width)
        for sign, r, c in terms:
            if (r, c) in place:
                line[place[r, c]] += sign
            else:
                goal -= sign * frame.loc[r, c]
        if rest is not None:
            line[len(unknown) + rest] = 1
        equations.append(line)
        values.append(goal)

    for r in frame.index:
        for number, (total, parts) in enumerate(groups):
            terms = [(-1.0, r, total), *[(1.0, r, part) for part in parts]]
            sum_up(terms, r * len(groups) + number, 0.0)
    for c in spec.counts:
        if np.isfinite(top[c]):
            sum_up([(1, r, c) for r in frame.index], None, top[c])
    result = []
    for target, (r, c) in enumerate(unknown):
        if truth.loc[r, c] == 0:
            continue  # that a zero is zero may follow from a total of zero
        ends = []
        for sign in (1, -1):
            goal = np.zeros(width)
            goal[target] = sign
            best = linprog(goal, A_eq=np.array(equations), b_eq=np.array(values), bounds=(0, None))
            ends.append(sign * best.fun if best.status == 0 else sign * -np.inf)
        result.append((ends[0], ends[1]))
    return result


def small_tables() -> st.SearchStrategy[np.ndarray]:
    value = st.one_of(st.integers(0, 9), st.integers(0, 200), st.just(0))
    return st.integers(2, 6).flatmap(lambda rows: hnp.arrays(np.int64, (rows, 4), elements=value))


@pytest.mark.parametrize(("spec", "table"), [(SPEC, make), (CROSSED, make_crossed)], ids=["plain", "crossed"])
@settings(max_examples=60)
@given(cells=small_tables())
def test_no_hidden_cell_can_be_worked_out(
    spec: TableSpec, table: Callable[[np.ndarray], pd.DataFrame], cells: np.ndarray
) -> None:
    frame = table(cells)
    published = publish(frame, spec, origin="simulated")
    parent = publish(totals(frame, spec), spec, origin="simulated")
    for low, high in bounds(frame, published, parent):
        assert high - low > 1e-6


@settings(max_examples=60)
@given(small_tables())
def test_rules_hold_on_any_table(cells: np.ndarray) -> None:
    frame = make(cells)
    published = publish(frame, SPEC, origin="simulated")
    shown, hidden = published.frame, published.suppressed
    counts = list(SPEC.counts)
    values = frame[counts].to_numpy()
    assert hidden[counts].to_numpy()[(values > 0) & (values < 5)].all()
    rest = frame["families"] - frame["pkh"]
    assert (hidden["pkh"] | hidden["families"])[(rest > 0) & (rest < 5)].all()
    for rate, (numerator, denominator) in SPEC.rates.items():
        assert shown.loc[hidden[numerator] | hidden[denominator], rate].isna().all()
    assert shown.loc[hidden["families"], ["gini", "n"]].isna().all().all()
    # what is not hidden is as it was, what is hidden is gone
    pd.testing.assert_frame_equal(shown.mask(hidden), frame.mask(hidden), check_dtype=False)
    assert shown[hidden].isna().all().all()
    # a second pass finds nothing more to hide
    pd.testing.assert_frame_equal(publish(shown, SPEC, origin="simulated").frame, shown)


def test_a_small_cell_takes_three_others_with_it() -> None:
    frame = make(np.array([[3, 50, 60, 40], [20, 70, 90, 60], [30, 80, 100, 70]]))
    published = publish(frame, SPEC, origin="simulated")
    hidden = published.suppressed
    assert hidden["d1"].tolist() == [True, True, False]
    assert hidden["d2"].tolist() == [True, True, False]
    assert not hidden[["families", "d3", "pkh", "gini"]].to_numpy().any()
    assert hidden["share_d1"].tolist() == [True, True, False]


def test_the_complement_of_a_rate_near_one_is_protected() -> None:
    frame = make(np.array([[50, 50, 50, 148], [50, 50, 50, 60], [60, 60, 60, 50]]))
    hidden = publish(frame, SPEC, origin="simulated").suppressed
    assert hidden["pkh"].sum() == 2
    assert hidden.loc[0, "pkh"]
    assert hidden.loc[0, "share_pkh"]


def test_zeros_are_shown_and_a_table_without_small_cells_is_untouched() -> None:
    frame = make(np.array([[0, 50, 50, 0], [50, 0, 50, 100], [60, 60, 0, 50]]))
    published = publish(frame, SPEC, origin="real")
    assert not published.any_suppressed
    assert published.reason("id") == ""
    pd.testing.assert_frame_equal(published.frame, frame)


def test_a_small_area_is_hidden_as_a_whole_with_its_measures() -> None:
    frame = make(np.array([[1, 2, 0, 1], [50, 40, 30, 20], [60, 60, 60, 50]]))
    published = publish(frame, SPEC, origin="real")
    assert published.suppressed.loc[0, ["families", "gini", "n", "pkh", "d1", "d2"]].all()
    assert published.frame.loc[0, "d3"] == 0
    assert published.suppressed["families"].sum() == 2


def test_real_data_count_families_unweighted_and_simulated_data_weighted() -> None:
    frame = make(np.array([[50, 40, 30, 20], [60, 60, 60, 50], [70, 60, 60, 50]]))
    frame["n"] = [3, 60, 70]
    assert not publish(frame, SPEC, origin="simulated").any_suppressed
    assert publish(frame, SPEC, origin="real").suppressed.loc[0, "families"]


def test_persons_are_turned_into_families() -> None:
    spec = TableSpec(
        "code",
        ("families", "persons", "pbi"),
        rates={"share": ("pbi", "persons")},
        persons=("persons", "pbi"),
        sample=None,
    )
    frame = pd.DataFrame(
        {
            "code": list("abc"),
            "families": [100.0, 100, 100],
            "persons": [400.0, 300, 300],
            "pbi": [16.0, 60, 70],
        }
    )
    frame["share"] = frame["pbi"] / frame["persons"]
    assert publish(frame, spec, origin="real").suppressed["pbi"].tolist() == [True, True, False]
    frame["pbi"] = [20.0, 60, 70]
    assert not publish(frame, spec, origin="real").any_suppressed


def test_published_is_sealed_and_explains_itself() -> None:
    published = publish(make(np.array([[3, 50, 60, 40], [20, 70, 90, 60]])), SPEC, origin="simulated")
    copy = published.frame
    copy["d1"] = 1.0
    assert published.frame["d1"].isna().all()
    with pytest.raises(dataclasses.FrozenInstanceError):
        published.origin = "real"  # type: ignore[misc]
    assert "5 keluarga" in published.reason("id")
    assert "5 families" in published.reason("en")
    assert (published.label("id"), published.label("en")) == ("tersamar", "suppressed")


def test_a_number_without_a_declared_role_does_not_slip_through() -> None:
    frame = make(np.array([[50, 40, 30, 20]])).assign(mean_income=1.0)
    with pytest.raises(InternalError, match="mean_income"):
        publish(frame, SPEC, origin="real")
    with pytest.raises(InternalError, match="origin"):
        publish(make(np.array([[50, 40, 30, 20]])), SPEC, origin="elsewhere")


def test_all_districts_of_the_country_in_moderate_time() -> None:
    rng = np.random.default_rng(7)
    size = 7_285
    weights = rng.dirichlet(np.ones(10), size)
    deciles = tuple(f"d{k}" for k in range(1, 11))
    counts = np.floor(weights * rng.lognormal(7, 1.2, size)[:, None])
    frame = pd.DataFrame(counts, columns=deciles)
    frame["code"] = np.arange(size).astype(str)
    frame["families"] = counts.sum(axis=1)
    frame["pkh"] = np.floor(frame["families"] * rng.beta(1, 9, size))
    spec = TableSpec(
        "code",
        ("families", *deciles, "pkh"),
        additive={"families": deciles},
        rates={"share": ("pkh", "families")},
        sample=None,
    )
    frame["share"] = frame["pkh"] / frame["families"]
    begun = time.perf_counter()
    published = publish(frame, spec, origin="real")
    assert time.perf_counter() - begun < 20
    share_hidden = published.suppressed[list(spec.counts)].to_numpy().mean()
    small = ((frame[list(spec.counts)] > 0) & (frame[list(spec.counts)] < 5)).to_numpy().mean()
    assert small < share_hidden < 3 * small + 0.01
