"""Dropped indicators with a refit: another ranking than without, reproduced by name, passport, link and command."""

from __future__ import annotations

import json
import types
from pathlib import Path

import numpy as np
import pytest

from dtsen_core.cli.main import answer
from dtsen_core.errors import UserError
from dtsen_core.policy import lab, trust
from dtsen_core.policy.models import residuals_for, scorecard_for
from dtsen_core.policy.passport import Passport
from dtsen_core.policy.welfare import RankRequest, full_ranking
from dtsen_core.rank import fit_report, scorecard
from dtsen_core.rank.experiment import Experiment
from dtsen_core.rank.scorecard import OFFSETS
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.indicators import INDICATORS
from dtsen_core.settings import settings
from tests import pages

DROPPED = ("ijazah_kepala", "jenis_lantai_terluas")
PLAN = Experiment.of("pmt_provinsi", DROPPED, refit=True)
PLACES = [n for n, i in enumerate(INDICATORS) if i.name in DROPPED]


def test_the_rest_takes_over_and_the_residuals_follow(demo: Dataset) -> None:
    card = scorecard_for(demo, PLAN.name)
    levelled = scorecard_for(demo, Experiment.of("pmt_provinsi", DROPPED).name)
    for at in PLACES:
        assert not card.coefficients[:, OFFSETS[at] : OFFSETS[at + 1]].any()
    other = OFFSETS[PLACES[-1] + 1]
    assert not np.array_equal(card.coefficients[:, other:], levelled.coefficients[:, other:])
    assert card.name == PLAN.name
    assert card.origin == demo.manifest.origin
    assert residuals_for(demo, card) is not None
    weighted = scorecard_for(demo, Experiment.of("pmt_provinsi", DROPPED, {"aset": 0}, refit=True).name)
    assets = [n for n, i in enumerate(INDICATORS) if i.group == "aset" and n not in PLACES]
    spans = [weighted.coefficients[:, OFFSETS[n] : OFFSETS[n + 1]] for n in assets]
    assert all((np.ptp(part, axis=1) <= 1).all() for part in spans)


def test_fewer_questions_explain_less_but_a_refit_more_than_levelled_answers(demo: Dataset) -> None:
    full, fewer = trust.quality(demo, "pmt_provinsi"), trust.quality(demo, PLAN.name)
    assert fewer.r2 < full.r2
    survey = lab.bench(demo).survey
    levelled = scorecard_for(demo, Experiment.of("pmt_provinsi", DROPPED).name)
    scores = levelled.scores(np.stack(survey.categories, axis=1), survey.regency, survey.urban) / 1000
    refit = lab.refitted(demo, PLAN).whole
    assert fit_report.r_squared(survey.y, refit, survey.weight) > fit_report.r_squared(survey.y, scores, survey.weight)


def test_a_passport_brings_it_back(demo: Dataset) -> None:
    request = RankRequest(model=PLAN.name, level="province")
    passport = Passport.make(demo, request, full_ranking(demo, request))
    assert "refit" in passport.model["name"]
    found = Passport.from_json(passport.to_json()).verify(demo)
    assert found.same
    assert found.differences == ()


def test_the_command_ranks_it_and_says_what_cannot_be(
    small_dataset: Path, demo: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["rank", "--dataset", str(small_dataset), "--level", "province", "--format", "json"]
    words = [part for name in DROPPED for part in ("--drop", name)]
    assert answer([*base, "--model", "pmt_provinsi", *words, "--refit"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["model"] == PLAN.name
    assert found["passport"]["model"]["hash"] == scorecard_for(demo, PLAN.name).hash
    for refused, word in (
        ([*base, "--refit"], "--drop"), ([*base, "--model", "indeks", *words, "--refit"], "pmt_provinsi"),
    ):  # fmt: skip
        assert answer(refused) == 2
        said = capsys.readouterr().err
        assert word in said
        assert len(said.strip().splitlines()) == 1


def test_no_survey_no_refit_and_no_simulated_model_for_real_families(
    demo: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "has_survey", lambda dataset: False)
    with pytest.raises(UserError) as refused:
        scorecard_for(demo, PLAN.name)
    assert refused.value.key == "errors_lab.refit_survey"
    real = types.SimpleNamespace(
        simulated=False, cursor=demo.cursor, path=demo.path, version=demo.version, manifest=demo.manifest
    )
    monkeypatch.setattr(scorecard, "origins", lambda con: {"pmt_provinsi": "simulated", "pmt_nasional": "real"})
    assert lab.available(real) == ["pmt_nasional"]  # type: ignore[arg-type]


def test_every_model_is_listed_once_stored_ones_first(demo: Dataset) -> None:
    ready, waiting = lab.available(demo), lab.to_be_fitted(demo)
    assert ready[:2] == ["pmt_provinsi", "pmt_nasional"]
    assert len({*ready, *waiting}) == len(ready) + len(waiting) == 10


def test_old_refits_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setattr(lab, "REFITS_KEPT", 2)
    for number in range(4):
        file = tmp_path / f"{lab.REFITTED}x-{number}.npz"
        file.touch()
        os.utime(file, (number, number))
    (tmp_path / "ridge.npz").touch()
    lab._make_room(tmp_path)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["ridge.npz", "tanpa_x-2.npz", "tanpa_x-3.npz"]


def test_a_link_that_asks_for_an_impossible_refit_is_told(
    small_dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DTSEN_DATASET", str(small_dataset))
    settings.cache_clear()
    app = pages.open_page("peringkat", model="indeks", drop="3", refit="1")
    settings.cache_clear()
    assert not app.exception
    assert ["Pencocokan ulang hanya tersedia" in w.value for w in app.warning] == [True]
    assert "refit" not in app.query_params


@pytest.mark.parametrize("lang", ["id", "en"])
def test_the_link_opens_it(small_dataset: Path, monkeypatch: pytest.MonkeyPatch, lang: str) -> None:
    monkeypatch.setenv("DTSEN_DATASET", str(small_dataset))
    settings.cache_clear()
    numbers = ".".join(str(n + 1) for n in PLACES)
    app = pages.open_page("peringkat", drop=numbers, refit="1", lang=lang)
    settings.cache_clear()
    assert not app.exception
    assert not app.warning, [w.value for w in app.warning]
    said = " ".join(m.value for m in app.markdown)
    assert ("Dicocokkan ulang tanpa 2 indikator" if lang == "id" else "Fitted again without 2 indicators") in said
    assert app.query_params["refit"] == "1"
