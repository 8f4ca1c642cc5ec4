"""Figures and sentences where some cells are hidden."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dtsen_core.errors import UserError
from dtsen_core.locale import LANGS, text
from dtsen_core.oversight.disclosure import TableSpec, publish
from dtsen_core.policy.quality.measures import PASSES, measures
from dtsen_core.present import mutu, mutu_area, mutu_charts, mutu_upload
from dtsen_core.ui import cache_mutu
from dtsen_core.ui.cache import dataset_key


def test_hidden_parts_of_a_bar_are_grey_and_the_bar_stays_whole() -> None:
    parts = pd.DataFrame({"a": [90.0, 50.0], "b": [np.nan, 50.0]})
    labels, colours = {"a": "A", "b": "B"}, {"a": "#000", "b": "#fff"}
    figure = mutu_charts.stacked(["x", "y"], pd.Series([100.0, 100.0]), parts, labels, colours, "id")
    grey = figure.data[-1]
    assert grey.name == text("disclosure.suppressed", "id")
    assert grey.x[0] == pytest.approx(0.1)
    assert grey.x[1] == 0
    drawn = np.sum([list(trace.x) for trace in figure.data], axis=0)
    assert drawn == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(("low", "high", "ticks"), [
    (0.0, 1.0, ["0%", "20%", "40%", "60%", "80%", "100%"]), (0.0, 0.043, ["0%", "1%", "2%", "3%", "4%"]),
    (0.9972, 1.0, ["99,8%", "99,9%", "100,0%"])])  # fmt: skip
def test_ticks_are_round_and_written_in_the_language(low: float, high: float, ticks: list[str]) -> None:
    assert mutu_charts.share_ticks(low, high, "id")[1] == ticks


def test_a_hidden_pass_does_not_hide_the_whole(folders) -> None:
    by_source, whole = cache_mutu.matching(dataset_key(folders["tiny"]))
    assert by_source.any_suppressed
    assert not np.isnan(whole.frame["linked"].iloc[0])
    sentence = mutu.matching_finding(whole, "id")
    assert "tidak tersedia" not in sentence
    assert by_source.frame["records"].sum() == whole.frame["records"].iloc[0]
    assert set(PASSES) <= set(by_source.frame)


def test_a_hidden_total_is_said_as_such() -> None:
    frame = pd.DataFrame({"source": ["all"], "records": [900.0], "duplicates": [3.0], "linked": [896.0],
                          "exact": [890.0], "later": [6.0], "review": [2.0], "none": [2.0]})  # fmt: skip
    spec = TableSpec(key="source", counts=list(frame.columns[1:]), base="records", sample=None,
                     additive={"records": ["linked", "review", "none"], "linked": ["exact", "later"]})  # fmt: skip
    shown = mutu.matching_figures(publish(frame, spec, origin="real"), 300, 900, "id")
    assert shown[1].value == shown[2].value == text("disclosure.suppressed", "id")


@pytest.mark.parametrize("lang", LANGS)
def test_what_is_wrong_with_a_file_is_said_without_our_folder(lang: str) -> None:
    path = "/unggahan/dtsen-uploads-x/1f/0/kab.csv"
    said = mutu_upload.refusal(UserError("errors_ingest.same_file", path=path), [path], lang)
    assert "“kab.csv”" in said
    assert "/" not in said
    root = UserError("errors_dataset.disk_full", path="/srv/data")
    assert mutu_upload.refusal(root, [path], lang).replace("\\", "") == root.message(lang)


def test_reasons_are_listed_by_code_and_sentence_under_the_main_one_and_under_all(folders) -> None:
    for lang in LANGS:
        shown = mutu.rule_table(cache_mutu.reading(dataset_key(folders["simulated"]))[1], lang).frame
        first = shown.iloc[0]
        assert first[text("mutu.col_reason_code", lang)] == "nik_tak_sah"
        assert first[text("mutu.col_reason", lang)] == text("integrate.nik_tak_sah", lang)
        assert shown[text("mutu.col_main", lang)].tolist() == [4000, 3, 0]
        every = shown[text("mutu.col_every", lang)]
        assert (every.iloc[0], every.isna().sum()) == (4000, 2), "three records of one reason are too few to be shown"


def test_every_measure_has_its_words_in_both_languages() -> None:
    for measure in measures().values():
        rate, count = mutu_area.indicators(measure)
        assert set(rate.label) == set(count.unit) == {"id", "en"}
        assert rate.unit["id"] != count.unit["id"]


def test_an_area_table_keeps_hidden_cells_hidden() -> None:
    frame = pd.DataFrame({"code": ["1101", "1102", "1103"], "name": list("abc"), "n": [90.0, 80.0, 70.0],
                          "base": [90.0, 80.0, 70.0], "part": [2.0, 30.0, 40.0]})  # fmt: skip
    frame["share"] = frame["part"] / frame["base"]
    spec = TableSpec(key="code", counts=["base", "part"], rates={"share": ("part", "base")}, base="base", sample="n")
    found = mutu_area.where([publish(frame, spec, origin="real")], measures()["none"], "id")
    assert found.rows["klass"].iloc[0] == 0
    sheet = mutu_area.area_table(found, "id").sheet("x", "id")
    assert "tersamar" in sheet.frame.iloc[0].tolist()
    assert 2.0 not in sheet.frame.iloc[0].tolist()
