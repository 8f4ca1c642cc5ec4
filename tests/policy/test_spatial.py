"""Spatial statistics against published figures, against esda, and on awkward input."""

from __future__ import annotations

from typing import Any

import esda
import geopandas as gpd
import libpysal
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal import examples, weights
from libpysal.graph import Graph
from scipy import sparse

from dtsen_core.policy import spatial, spatial_graph
from dtsen_core.policy.spatial import getis_ord, getis_ord_general, local_moran, moran

POINTS = [(10, 10), (20, 10), (40, 10), (15, 20), (30, 20), (30, 30)]
SIX = np.array([2, 3, 3.2, 5, 8, 7])


@pytest.fixture(scope="module")
def columbus() -> gpd.GeoDataFrame:
    return gpd.read_file(examples.get_path("columbus.shp"))


@pytest.fixture(scope="module")
def queen() -> Any:
    return libpysal.io.open(examples.get_path("columbus.gal")).read()


def near_points() -> Any:
    return weights.DistanceBand(POINTS, threshold=15)


def read(shape: str, gal: str) -> tuple[pd.DataFrame, Any]:
    return gpd.read_file(examples.get_path(shape)), libpysal.io.open(examples.get_path(gal)).read()


def test_columbus_crime_is_the_moran_of_spdep(columbus: gpd.GeoDataFrame, queen: Any) -> None:
    # spdep, moran.test(columbus$CRIME, nb2listw(col.gal.nb)): 0.500188557, -0.020833333, 0.008689289.
    found = moran(columbus["CRIME"], queen)
    assert found.statistic == pytest.approx(0.500188557, abs=1e-9)
    assert found.expectation == pytest.approx(-0.020833333, abs=1e-9)
    assert found.variance_rand == pytest.approx(0.008689289, abs=1e-9)
    assert found.z_rand == pytest.approx(5.5894, abs=1e-4)
    assert found.p == 2 / 10_000


def test_north_carolina_sids_is_the_moran_of_the_esda_manual() -> None:
    frame, graph = read("sids2.shp", "sids2.gal")
    found = moran(frame["SIDR74"].to_numpy(), graph, permutations=999)
    assert found.statistic == pytest.approx(0.24772519320480135)
    assert found.p_norm == pytest.approx(0.0001158330781489969)
    assert found.p <= 0.005


def test_st_louis_homicides_are_the_moran_of_the_esda_manual() -> None:
    frame, graph = read("stl_hom.shp", "stl.gal")
    found = moran(frame["HR8893"], graph, permutations=0)
    assert found.statistic == pytest.approx(0.24365582621771659)
    assert found.p_norm == pytest.approx(0.00027147862770937614)


def test_general_g_is_that_of_the_esda_manual() -> None:
    found = getis_ord_general(SIX, near_points(), alternative="greater")
    assert found.statistic == pytest.approx(0.55709779, abs=1e-8)
    assert found.p_rand == pytest.approx(0.1729, abs=1e-4)


@pytest.mark.parametrize(
    ("star", "published"),
    [
        (False, [-1.0136729, -0.04361589, 1.31558703, -0.31412676, 1.15373986, 1.77833941]),
        (True, [-1.39727626, -0.28917762, 0.65064964, -0.28917762, 1.23452088, 2.02424331]),
    ],
)
def test_local_g_is_that_of_the_esda_manual(star: bool, published: list[float]) -> None:
    found = getis_ord(SIX, near_points(), star=star)
    np.testing.assert_allclose(found["z"], published, atol=1e-7)
    reference = esda.G_Local(SIX, near_points(), transform="B", star=star, permutations=0)
    np.testing.assert_allclose(found["statistic"], reference.Gs)
    np.testing.assert_allclose(found["expectation"], reference.EGs)


def test_z_of_local_g_does_not_depend_on_how_rows_are_scaled(columbus: gpd.GeoDataFrame, queen: Any) -> None:
    for star in (False, True):
        binary = getis_ord(columbus["HOVAL"], queen, star=star, permutations=99)
        rows = getis_ord(columbus["HOVAL"], queen, star=star, transformation="r", permutations=99)
        np.testing.assert_allclose(binary["z"], rows["z"])
        np.testing.assert_allclose(binary["p"], rows["p"])


def test_local_moran_agrees_with_esda(columbus: gpd.GeoDataFrame, queen: Any) -> None:
    # Its permutations need a minute of compilation; ours are checked by complete enumeration below.
    found = local_moran(columbus["CRIME"], queen, alternative="directed", fdr=None)
    reference = esda.Moran_Local(columbus["CRIME"].to_numpy(), queen, permutations=0)
    np.testing.assert_allclose(found["statistic"], reference.Is)
    np.testing.assert_allclose(found["expectation"], reference.EIc)
    np.testing.assert_allclose(found["variance"], reference.VIc)
    assert found["quadrant"].tolist() == [("HH", "LH", "LL", "HL")[q - 1] for q in reference.q]
    # Σ Iᵢ is n − 1 times the global I (rows sum to 1): Anselin 1995 with this scaling.
    assert found["statistic"].sum() == pytest.approx(48 * moran(columbus["CRIME"], queen, permutations=0).I)


def test_conditional_permutation_agrees_with_complete_enumeration() -> None:
    # Unit 0 of a ring of 7 has two neighbours: 15 pairs of the other six are equally likely.
    x = np.array([5.0, 4.0, 6.0, 1.0, 0.0, 2.0, 3.0])
    ring = {i: [(i - 1) % 7, (i + 1) % 7] for i in range(7)}
    found = local_moran(x, ring, alternative="greater", permutations=50_000, fdr=None)
    others = x[1:]
    pairs = [others[i] + others[j] for i in range(6) for j in range(i + 1, 6)]
    exact = np.mean([pair >= x[1] + x[6] - 1e-9 for pair in pairs])
    assert found["p"].iloc[0] == pytest.approx(exact, abs=0.01)


def test_the_two_sided_p_is_twice_the_smaller_tail(columbus: gpd.GeoDataFrame, queen: Any) -> None:
    tails = {a: local_moran(columbus["INC"], queen, alternative=a)["p"] for a in spatial.ALTERNATIVES}
    np.testing.assert_allclose(tails["directed"], np.minimum(tails["greater"], tails["less"]))
    np.testing.assert_allclose(tails["two-sided"], np.minimum(1, 2 * tails["directed"]))


def test_the_same_seed_gives_the_same_figures(columbus: gpd.GeoDataFrame, queen: Any) -> None:
    first, again = (local_moran(columbus["CRIME"], queen, seed=3, permutations=199) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    other = local_moran(columbus["CRIME"], queen, seed=4, permutations=199)
    assert (first["p"] != other["p"]).any()


def test_every_form_of_a_graph_gives_the_same(columbus: gpd.GeoDataFrame, queen: Any) -> None:
    graph = Graph.build_contiguity(columbus, rook=False)
    dense = graph.sparse.todense()
    forms = [
        queen, graph, graph.to_W(), graph.sparse, sparse.csr_matrix(dense), np.asarray(dense),
        np.asarray(dense).tolist(), graph.adjacency, columbus, columbus.geometry,
        {k: list(v) for k, v in queen.neighbors.items()},
        {k: dict.fromkeys(v, 1.0) for k, v in queen.neighbors.items()}, pd.DataFrame(np.asarray(dense)),
    ]  # fmt: skip
    want = moran(columbus["CRIME"].tolist(), queen, permutations=0).I
    for form in forms:
        assert moran(columbus["CRIME"].tolist(), form, permutations=0).statistic == pytest.approx(want)


def test_labels_are_matched_where_both_carry_them() -> None:
    around = {"a": ["b"], "b": ["a", "c"], "c": ["b", "d"], "d": ["c", "e"], "e": ["d"]}
    x = pd.Series([1.0, 2.0, 4.0, 5.0, 9.0], index=list("abcde"))
    shuffled = x.loc[list("dbeca")]
    straight, mixed = local_moran(x, around), local_moran(shuffled, around)
    assert mixed.index.tolist() == list("dbeca")
    np.testing.assert_allclose(mixed.loc[list("abcde"), "statistic"], straight["statistic"])
    with pytest.raises(ValueError, match="'z'"):
        moran(x.rename({"e": "z"}), Graph.from_dicts(around))


def test_missing_values_and_islands_are_left_out_and_say_so() -> None:
    chain = {i: [j for j in (i - 1, i + 1) if 0 <= j < 8] for i in range(8)} | {8: [], 9: []}
    x = [1.0, 2.0, 4.0, 3.0, 6.0, np.nan, 9.0, np.nan, 100.0, 5.0]
    found = local_moran(x, chain, permutations=99)
    assert found["label"].tolist()[5:] == ["missing", "no neighbours", "missing", "no neighbours", "no neighbours"]
    assert found[["statistic", "p", "q", "z"]].iloc[5:].isna().all(axis=None)
    plain = local_moran(x[:5], {i: [j for j in (i - 1, i + 1) if 0 <= j < 5] for i in range(5)}, permutations=99)
    pd.testing.assert_frame_equal(found.iloc[:5], plain)
    total = moran(x, chain, permutations=0)
    assert (total.n, total.islands, total.missing) == (5, 3, 2)
    kept = moran(x, chain, permutations=0, islands="keep")
    assert kept.n == 8
    assert kept.I != total.I


def test_islands_kept_are_counted_as_esda_counts_them() -> None:
    chain = {i: [j for j in (i - 1, i + 1) if 0 <= j < 6] for i in range(6)} | {6: []}
    x = np.array([1.0, 2.0, 4.0, 3.0, 6.0, 5.0, 20.0])
    with pytest.warns(UserWarning, match="not fully connected"):
        reference = esda.Moran(x, weights.W(chain), permutations=0)
    assert moran(x, chain, permutations=0, islands="keep").statistic == pytest.approx(reference.I)


def test_fdr_is_that_of_benjamini_and_hochberg(columbus: gpd.GeoDataFrame, queen: Any) -> None:
    raw = local_moran(columbus["CRIME"], queen, fdr=None)
    found = local_moran(columbus["CRIME"], queen)
    p = raw["p"].to_numpy()
    order = np.argsort(p)
    by_hand = np.minimum.accumulate((p[order] * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1]
    np.testing.assert_allclose(found["q"].to_numpy()[order], np.minimum(by_hand, 1))
    assert (found["label"] != spatial.NOT_SIGNIFICANT).sum() < (raw["label"] != spatial.NOT_SIGNIFICANT).sum()


def test_random_maps_seldom_show_a_cluster() -> None:
    grid = weights.lat2W(12, 12, rook=False)
    rng = np.random.default_rng(1)
    false = [(local_moran(rng.random(144), grid, permutations=999)["q"] <= 0.05).any() for _ in range(40)]
    assert np.mean(false) <= 0.15


@pytest.mark.parametrize(
    ("values", "graph", "words"),
    [
        ([1, 1, 1, 1, 1], {i: [(i + 1) % 5] for i in range(5)}, "all values are equal"),
        ([], {}, "empty"),
        ([1, 2, 3], {0: [1], 1: [0]}, "units"),
        ([1, 2, 3, 4], np.ones((4, 3)), "square"),
        ([1, 2, 3, 4], -np.ones((4, 4)), "0 or more"),
        ([1, 2, 3, 4], np.full((4, 4), np.nan), "0 or more"),
        (["a", "b", "c", "d"], np.ones((4, 4)), "numbers"),
        ([1, 2, np.nan, np.nan], np.ones((4, 4)), "at least 4"),
        ([1, 2, 3, 4], np.zeros((4, 4)), "at least 4"),
        ([1, 2, 3, 4], "queen", "graph must be"),
        (pd.DataFrame({"a": [1, 2], "b": [1, 2]}), np.ones((2, 2)), "one column"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_a_sentence(values: Any, graph: Any, words: str) -> None:
    for function in (moran, local_moran, getis_ord, getis_ord_general):
        with pytest.raises(ValueError, match=words):
            function(values, graph)


@pytest.mark.parametrize(
    "options",
    [{"permutations": -1}, {"permutations": 9.5}, {"alternative": "both"}, {"islands": "drop"}],
)
def test_unknown_options_are_refused(options: dict[str, Any]) -> None:
    for function in (moran, local_moran, getis_ord, getis_ord_general):
        with pytest.raises(ValueError):
            function([1, 2, 3, 4, 6], {i: [(i + 1) % 5] for i in range(5)}, **options)
    for options in ({"fdr": "holm"}, {"alpha": 0}, {"transformation": "x"}):
        with pytest.raises(ValueError):
            local_moran([1, 2, 3, 4, 6], {i: [(i + 1) % 5] for i in range(5)}, **options)


@settings(max_examples=60)
@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=5, max_size=25), st.integers(0, 2**32 - 1))
def test_any_values_on_any_graph_give_sound_figures(values: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    dense = rng.random((len(values), len(values))) < 0.25
    for function in (local_moran, getis_ord):
        try:
            found = function(values, dense, permutations=49)
        except ValueError:
            continue
        assert len(found) == len(values)
        known = found["p"].dropna()
        assert known.between(1 / 50, 1).all()
        assert (found["q"].dropna() >= known - 1e-12).all()
        assert found["label"].isin(["HH", "LL", "HL", "LH", "hot", "cold", spatial.NOT_SIGNIFICANT,
                                    spatial.NO_NEIGHBOURS, spatial.MISSING]).all()  # fmt: skip
        again = function(np.asarray(values) * 3 + 7, dense, permutations=49)
        np.testing.assert_allclose(again["z"].to_numpy(), found["z"].to_numpy(), atol=1e-4)


@pytest.mark.parametrize(("n", "size"), [(400, 5), (8, 7), (5, 5)])
def test_draws_are_distinct_and_even(n: int, size: int) -> None:
    drawn: npt.NDArray[np.int64] = spatial_graph.draws(n, size, 20_000, np.random.default_rng(0))
    assert drawn.shape == (20_000, size)
    assert (np.diff(np.sort(drawn, axis=1), axis=1) > 0).all()
    share = np.bincount(drawn.ravel(), minlength=n) / drawn.size
    np.testing.assert_allclose(share, 1 / n, atol=6 * np.sqrt(1 / n / drawn.size))
