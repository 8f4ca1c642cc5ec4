"""The reliability page on the small dataset: every section in both languages, sentences that follow the figures."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dtsen_core.locale import text
from dtsen_core.policy import lab, models, robustness, trust, uncertainty
from dtsen_core.policy.welfare import RankRequest, full_ranking
from dtsen_core.present import keandalan
from dtsen_core.rank import methods
from dtsen_core.rank import trust as rank_trust
from dtsen_core.registry.dataset import Dataset
from dtsen_core.settings import settings
from dtsen_core.ui.keandalan_parts import VIEWS
from tests.pages import open_page

pytestmark = pytest.mark.slow
QUICK = ("ols_provinsi", "pmt_nasional")


@pytest.fixture(scope="module")
def own(small_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small dataset under a root of its own, so that its laboratory is ours."""
    root = tmp_path_factory.mktemp("keandalan") / "data"
    root.mkdir()
    shutil.copy(small_dataset / "manifest.json", root)
    (root / "versions").symlink_to(small_dataset / "versions", target_is_directory=True)
    return root


@pytest.fixture(autouse=True)
def few(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two quick models and few replicates; the app serves the copy."""
    raw = {**methods._raw(), "default": list(QUICK)}
    monkeypatch.setattr(methods, "_raw", lambda: raw)
    monkeypatch.setattr(rank_trust, "REPLICATES", 10)
    monkeypatch.setattr(settings(), "dataset", own)


@pytest.fixture(scope="module")
def dataset(own: Path) -> Dataset:
    return Dataset.open(own)


def visit(**query: str) -> AppTest:
    return open_page("keandalan", **query)


def test_the_tournament_is_offered_first_and_held_on_request(dataset: Dataset) -> None:
    app = visit()
    assert not app.exception
    assert not trust.is_ready(dataset)
    assert text("keandalan.tournament_start", "id") in [b.label for b in app.button]
    next(b for b in app.button if b.label == text("keandalan.tournament_start", "id")).click().run(timeout=300)
    assert not app.exception
    assert trust.is_ready(dataset)
    assert len(app.dataframe[0].value) == len(QUICK)


@pytest.mark.parametrize("lang", ["id", "en"])
@pytest.mark.parametrize("show", VIEWS)
def test_every_section_in_every_language(dataset: Dataset, show: str, lang: str) -> None:
    trust.tournament(dataset)
    for query in ({}, {"level": "province"}) if show == "uncertainty" else ({},):
        app = visit(show=show, lang=lang, **query)
        assert not app.exception
        assert not app.error, [e.value for e in app.error]
        assert app.title[0].value == text("ui.page_keandalan", lang)
        assert app.subheader


@pytest.mark.parametrize("kind", ["province", "area", "type"])
def test_errors_by_group(dataset: Dataset, kind: str) -> None:
    trust.tournament(dataset)
    app = visit(show="trust", group=kind)
    assert not app.exception
    assert len(app.dataframe[0].value) >= 2


def test_unknown_parameters_are_answered_with_a_sentence() -> None:
    app = visit(show="trust", cut="12", model="tidak_ada")
    assert not app.exception
    assert len(app.warning) >= 1


def test_the_contest_names_the_winner_only_when_its_lead_is_clear() -> None:
    rows = pd.DataFrame({
        "model": ["pmt_nasional", "ols_provinsi"], "label": ["A", "B"], "exclusion": [0.29, 0.30], "gain": [0.01, 0.0],
        "gain_low": [0.005, 0.0], "gain_high": [0.015, 0.0],
    })  # fmt: skip
    assert keandalan.contest_finding(rows, 4, "en").startswith("A misses the fewest people at the 40% cut-off: 29.00%")
    even = keandalan.contest_finding(rows.assign(gain_low=-0.001), 4, "en")
    assert "no method is clearly better" in even


def test_a_model_of_the_laboratory_ranks_like_a_stored_one(dataset: Dataset) -> None:
    assert "tumbuh_nasional" not in lab.available(dataset)
    lab.fitted(dataset, "tumbuh_nasional")
    assert "tumbuh_nasional" in lab.available(dataset)
    ranked = full_ranking(dataset, RankRequest(model="tumbuh_nasional", level="province"))
    stored = full_ranking(dataset, RankRequest(model="pmt_nasional", level="province"))
    assert ranked.areas["p0"].notna().all()
    assert np.abs(ranked.areas["p0"] - stored.areas["p0"]).mean() < 0.02
    assert models.scorecard_for(dataset, "tumbuh_nasional").hash == lab.fitted(dataset, "tumbuh_nasional").card.hash


def test_families_add_up_and_doubt_is_highest_at_the_cut_off(dataset: Dataset) -> None:
    asked = uncertainty.Question("pmt_provinsi")
    regencies = uncertainty.by_area(dataset, asked)
    provinces = uncertainty.by_area(dataset, asked, "province")
    for column in ("n", "families", "band", "wrong"):
        assert regencies[column].sum() == pytest.approx(provinces[column].sum())
    assert (regencies["band"] <= regencies["families"] + 1e-9).all()
    middle = provinces["wrong"].sum()
    low = uncertainty.by_area(dataset, uncertainty.Question("pmt_provinsi", cut=1), "province")["wrong"].sum()
    assert low < middle
    # expected misclassification agrees with the errors measured on held-out households
    share = provinces["wrong"].sum() / provinces["families"].sum()
    assert share == pytest.approx(2 * 0.4 * 0.295, abs=0.04)
    table, curve = uncertainty.ground_checks(dataset, asked, 10_000, 0.9)
    assert table["visits"].sum() == pytest.approx(10_000, rel=1e-6)
    assert curve["removed"].is_monotonic_increasing
    assert table["removed"].sum() == pytest.approx(np.interp(10_000, curve["visits"], curve["removed"]), rel=0.02)


@pytest.mark.parametrize("lang", ["id", "en"])
@pytest.mark.parametrize(("query", "title"), [
    ({"test": "weights", "level": "regency"}, "title_waver"),
    ({"test": "questions", "level": "province"}, "title_decisive"),
    ({"test": "questions", "question": "ijazah_kepala"}, "title_moved"),
])  # fmt: skip
def test_the_robustness_maps_say_what_they_show(query: dict[str, str], title: str, lang: str) -> None:
    app = visit(show="robust", lang=lang, **query)
    assert not app.exception
    assert not app.warning
    told = text(f"robust_maps.{title}", lang, question="\0").split("\0")[0]
    assert any(told in block.value for block in app.markdown)
    assert len(app.get("plotly_chart")) >= 1


def test_the_map_of_accuracy_comes_with_the_chart(dataset: Dataset) -> None:
    robustness.ablation(dataset)
    app = visit(show="robust", test="questions", matter="loss", question="ijazah_kepala")
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2
    assert any("R²" in block.value for block in app.markdown)
