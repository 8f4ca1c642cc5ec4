"""Impact, movement and the explanation of one family on the small demonstration, against plain recomputation."""

from __future__ import annotations

import numpy as np
import pytest

from dtsen_core.errors import UserError
from dtsen_core.integrate.compare import compare
from dtsen_core.policy import explain, movement, movement_cases, reranking
from dtsen_core.policy.models import family_shares, scorecard_for
from dtsen_core.policy.welfare import RankRequest, full_ranking
from dtsen_core.rank.scorecard import OFFSETS
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.indicators import INDICATORS

CHANGED = "pmt_provinsi~drop=ijazah_kepala~weight=aset:50"


def test_shares_count_the_categories_of_the_families(demo: Dataset) -> None:
    shares = family_shares(demo)
    found = demo.cursor().execute(
        """SELECT i.jenis_kloset::INTEGER AS code, sum(w.weight) AS load FROM indicators AS i
        JOIN keluarga AS k USING (id_keluarga) JOIN area_weight AS w USING (regency) GROUP BY code"""
    ).fetchall()  # fmt: skip
    start = OFFSETS[[i.name for i in INDICATORS].index("jenis_kloset")]
    for code, load in found:
        assert shares[:, start + code].sum() == pytest.approx(load)


@pytest.fixture(scope="module")
def changed(demo: Dataset) -> reranking.Impact:
    return reranking.impact(demo, RankRequest(model=CHANGED, level="province"), 4)


def test_impact_agrees_with_both_rankings(demo: Dataset, changed: reranking.Impact) -> None:
    new = full_ranking(demo, RankRequest(model=CHANGED, level="province", plain=True))
    old = full_ranking(demo, RankRequest(model="resmi", level="province"))
    low = [f"d{k}" for k in range(1, 5)]
    areas = changed.areas.set_index("code")
    for side, result in (("entering", new), ("leaving", old)):
        expected = result.areas.set_index("code")[low].sum(axis=1)
        assert np.allclose(areas["staying"] + areas[side], expected)
    total = changed.total.iloc[0]
    assert total["entering"] > 0
    matrix = changed.matrix.to_numpy()
    assert matrix[4:, :4].sum() == pytest.approx(total["entering"])
    assert matrix.sum() == pytest.approx(total["families"])


def test_the_budget_is_that_of_the_units_that_come_and_go(changed: reranking.Impact) -> None:
    rows = changed.programmes.set_index("key")
    sembako, pbi = rows.loc["sembako"], rows.loc["pbi"]
    assert sembako["cost"] == pytest.approx(2_400_000 * (sembako["entering"] - sembako["leaving"]))
    assert pbi["cost"] == pytest.approx(504_000 * (pbi["persons_entering"] - pbi["persons_leaving"]))


def test_nothing_changes_against_itself_and_odd_cuts_are_refused(demo: Dataset) -> None:
    same = reranking.impact(demo, RankRequest(model=demo.manifest.model, level="district", region="3201"), 9)
    assert same.total[["entering", "leaving"]].to_numpy().tolist() == [[0.0, 0.0]]
    assert same.areas["code"].str.startswith("3201").all()
    for cut in (0, 10):
        with pytest.raises(UserError):
            reranking.impact(demo, RankRequest(), cut)
    with pytest.raises(UserError):
        reranking.impact(demo, RankRequest(model="resmi~weight=aset:50"))


def test_a_higher_line_gives_more_poverty_and_the_official_one_the_same(demo: Dataset) -> None:
    p0 = [float(full_ranking(demo, RankRequest(line=line)).total["p0"].iat[0]) for line in ("", "100%", "120%")]
    assert p0[0] == pytest.approx(p0[1])
    assert p0[2] > 1.3 * p0[0]


def test_movement_counts_as_the_comparison_does_and_steps_add_up(demo: Dataset) -> None:
    found = movement.movement(demo)
    earlier, later = movement.pair(demo)
    plain = compare(demo.path, earlier, later).deciles
    expected = plain[plain["variable"] == "desil_nasional"].set_index("class")["families"]
    assert found.classes.set_index("code")["n"].to_dict() == expected.to_dict()
    assert found.causes["mean"].sum() == pytest.approx(found.total_move, abs=1e-12)
    assert found.areas["families"].sum() == pytest.approx(found.classes["families"].sum())
    assert found.classes["cases"].sum() == pytest.approx(found.areas["cases"].sum())
    middle = found.classes.set_index("code")["cases"][["turun", "tetap", "naik"]]
    assert middle.sum() == 0


def test_a_new_model_shows_as_a_cause(demo: Dataset) -> None:
    known = {v.manifest.as_of: v for v in movement.versions.versions(demo.path)}
    models = [(day, known[day].manifest.model) for day in sorted(known)]
    turn = next(k for k in range(1, len(models)) if models[k][1] != models[k - 1][1])
    before, after = known[models[turn - 1][0]].name, known[models[turn][0]].name
    found = movement.movement(demo, before, after, region="32", level="regency")
    causes = found.causes.set_index("cause")
    assert causes.loc["model", "families"] > causes.loc["data", "families"]
    assert found.areas["code"].str.startswith("32").all()


def test_movement_refuses_what_makes_no_pair(demo: Dataset) -> None:
    for arguments in ((demo.version, demo.version), ("tidak-ada", "")):
        with pytest.raises(UserError):
            movement.movement(demo, *arguments)
    with pytest.raises(UserError):
        movement.movement(demo, scope="galaksi")


@pytest.mark.parametrize("model", ["pmt_provinsi", "pmt_nasional", CHANGED, "indeks"])
def test_contributions_add_up_to_the_score(demo: Dataset, model: str) -> None:
    found = explain.explain(demo, 77, model)
    assert found.contributions["effect"].sum() == pytest.approx((found.score - found.reference) / 1000)
    assert np.allclose(found.contributions["percent"], np.expm1(found.contributions["effect"]))
    cuts = [t for t in found.thresholds if t is not None]
    assert found.decile == 1 + sum(found.score >= t for t in cuts)
    if model == demo.manifest.model:
        assert found.decile == found.delivered
    for row in found.changes.head(5).to_dict("records"):
        assert row["decile"] == 1 + sum(row["score"] >= t for t in cuts) != found.decile
    if found.chances:
        assert sum(found.chances) == pytest.approx(1)


def test_the_reference_is_the_mean_score_of_the_families(demo: Dataset) -> None:
    found = explain.explain(demo, 77, "pmt_nasional")
    mean = full_ranking(demo, RankRequest(model="pmt_nasional", plain=True)).total["mean_score"].iat[0]
    assert found.reference / 1000 == pytest.approx(mean, abs=1e-6)


def test_search_is_masked(demo: Dataset) -> None:
    number, card = demo.cursor().execute(
        "SELECT id_keluarga, nomor_kartu_keluarga FROM keluarga ORDER BY id_keluarga LIMIT 1"
    ).fetchall()[0]  # fmt: skip
    for given in (str(number), card, card[:12]):
        found = explain.candidates(demo, given)
        assert number in set(found["id_keluarga"])
        assert card not in found.to_string()
    assert explain.candidates(demo, "%'; DROP").empty
    assert explain.explain(demo, card).family == number


class Real:
    simulated = False


def test_single_families_are_simulated_ones() -> None:
    for refused in (
        lambda: explain.explain(Real(), 1),  # type: ignore[arg-type]
        lambda: explain.candidates(Real()),  # type: ignore[arg-type]
        lambda: movement_cases.changed_answers(Real(), "a", "b", 1),  # type: ignore[arg-type]
    ):
        with pytest.raises(UserError) as sentence:
            refused()
        assert sentence.value.key == "errors_lab.only_simulated"


def test_a_changed_model_is_another_card(demo: Dataset) -> None:
    base, new = (scorecard_for(demo, m) for m in ("pmt_provinsi", CHANGED))
    assert base.hash != new.hash
    assert new.origin == base.origin
