"""The method page: every part, both languages, both kinds of dataset; and its view-models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dtsen_core.errors import UserError
from dtsen_core.locale import LANGS, has, text
from dtsen_core.policy import method
from dtsen_core.policy.method import Accuracy, Goal
from dtsen_core.present import metode
from dtsen_core.registry.dataset import Dataset
from dtsen_core.registry.fields import fields
from dtsen_core.settings import settings
from dtsen_core.ui import metode_parts
from tests import pages
from tests.peringkat import fake


@pytest.fixture(scope="session")
def folders(tmp_path_factory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("metode")
    return {origin: fake.make_dataset(base / origin, origin) for origin in ("simulated", "real")}


@pytest.fixture
def datasets(folders) -> dict[str, Dataset]:
    return {origin: Dataset.open(folder) for origin, folder in folders.items()}


@pytest.fixture
def open_page(folders, monkeypatch):
    monkeypatch.setattr(method, "full_ranking", fake.full_ranking)

    def start(origin: str, **query: str) -> AppTest:
        monkeypatch.setenv("DTSEN_DATASET", str(folders[origin]))
        settings.cache_clear()
        return pages.open_page("metode", **query)

    yield start
    settings.cache_clear()


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("origin", ["simulated", "real"])
@pytest.mark.parametrize("show", metode_parts.VIEWS)
def test_every_part_in_every_language(open_page, origin, show, lang):
    app = open_page(origin, show=show, lang=lang)
    assert not app.exception
    assert not app.error, [element.value for element in app.error]
    assert app.title[0].value == ("Metode" if lang == "id" else "Method")
    if origin == "real" and show in ("goals", "accuracy"):
        assert app.info[0].value == text("metode.real_no_truth", lang)
        assert not app.dataframe


def test_search_narrows_the_dictionary(open_page):
    app = open_page("simulated", show="dictionary")
    assert len(app.dataframe[0].value) == 100
    assert len(app.dataframe[1].value) == 39
    app.text_input[0].set_value("disabilitas").run()
    assert 1 <= len(app.dataframe[0].value) < 20
    assert app.query_params["q"] in ("disabilitas", ["disabilitas"])
    app = open_page("simulated", show="dictionary", q="atap")
    assert not app.exception
    assert app.text_input[0].value == "atap"
    assert 1 <= len(app.dataframe[0].value) < 5
    app.text_input[0].set_value("zzzz (").run()
    assert not app.exception
    assert len(app.dataframe[0].value) == 0


def test_goal_filters_follow_the_address(open_page):
    app = open_page("simulated", show="goals", level="province", measure="p0")
    assert not app.exception
    assert len(app.dataframe[0].value) == 1
    assert app.dataframe[0].value.iloc[0]["Terpenuhi?"] == "tidak"
    assert "0 dari 1" in app.subheader[0].value


def test_physical_lines_add_up_and_a_broken_account_is_said(datasets):
    files = method.ingest_files(datasets["simulated"])
    sentence = metode.file_finding(files, "id")
    assert sentence.startswith("Semua 3.001 baris terhitung")
    broken = files.assign(accepted=files["accepted"] - 1)
    assert "tidak seimbang" in metode.file_finding(broken, "id")
    assert metode.file_table(broken, "id").frame["Seimbang?"].tolist() == ["tidak", "tidak"]


def test_quarantine_counts_physical_lines_not_records(datasets):
    reasons = method.quarantine_reasons(datasets["simulated"]).set_index("reason")
    assert reasons.loc["kolom_kurang", ["records", "lines"]].tolist() == [1, 2]
    assert reasons.loc["karakter_rusak", "lines"] == 15


def test_truth_is_counted_with_the_provincial_line(datasets):
    dataset = datasets["simulated"]
    found = method.truth(dataset).set_index("code")
    lines = dict(zip(*(method._lines_by_regency(dataset)[c] for c in ("regency", "line")), strict=True))
    rows = dataset.evaluation_cursor().execute("SELECT * FROM evaluation.truth WHERE regency = 7").df()
    persons = rows["weight"] * rows["family_size"]
    expected = persons[rows["expenditure"] < lines[7]].sum() / persons.sum()
    assert found["p0"].iloc[7] == pytest.approx(expected)
    assert len(found) == 514


def test_real_data_have_no_truth(datasets):
    with pytest.raises(UserError):
        method.truth(datasets["real"])


def test_accuracy_of_a_known_table():
    truth = np.array([0.05, 0.10, 0.20, 0.30])
    frame = pd.DataFrame({"code": list("abcd"), "truth": truth, "estimate": 0.02 + 0.8 * truth})
    found = method.accuracy(frame, "regency")
    assert found.slope == pytest.approx(0.8)
    assert found.max_error == pytest.approx(0.04)
    assert found.worst_code == "d"
    assert found.mean_error == pytest.approx(np.abs(0.02 - 0.2 * truth).mean())
    assert np.isnan(method.accuracy(frame.iloc[:1], "national").slope)


def test_goals_are_met_only_by_figures_that_exist():
    good = Accuracy("regency", 514, 0.9, 0.95, 0.01, 0.04, "1101")
    goal = Goal(slope=0.8, mean_error=0.015)
    assert goal.met(good)
    assert not Goal(max_error=0.03).met(good)
    assert not goal.met(Accuracy("regency", 0, float("nan"), float("nan"), 0.01, 0.01, ""))
    assert set(method.goals()) == {"national", "province", "regency"}


@pytest.mark.parametrize("lang", LANGS)
def test_dictionary_has_words_for_every_code(lang):
    for set_name in ("keluarga", "anggota"):
        for item in fields(set_name):
            for prefix, code in (("group", item.group), ("type", item.type), ("privacy", item.privacy)):
                assert has(f"metode.{prefix}_{code}"), (prefix, code)
    assert len(metode.dictionary(lang).frame) == 100
    assert len(metode.indicator_table(lang).frame) == 39
    assert all(meaning.endswith(".") for _, meaning in metode.glossary(lang))
