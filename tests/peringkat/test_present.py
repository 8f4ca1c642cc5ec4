"""Findings, tables, figures and downloads of the ranking page, from published tables."""

from __future__ import annotations

import io
import itertools
import zipfile
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from dtsen_core.locale import LANGS
from dtsen_core.policy.welfare import LEVELS, SCOPES, UNITS, RankRequest
from dtsen_core.present import charts_rank, peringkat, peringkat_tables
from dtsen_core.present.peringkat_export import csv_bytes, xlsx_bytes

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read_workbook(data: bytes) -> list[list[str | float]]:
    """Cell values of every sheet in reading order."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        strings = [
            "".join(t.text or "" for t in si.iter(f"{MAIN}t"))
            for si in ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
        ]
        sheets = sorted(name for name in archive.namelist() if name.startswith("xl/worksheets/sheet"))
        return [
            [
                strings[int(v)] if cell.get("t") == "s" else float(v)
                for cell in ElementTree.fromstring(archive.read(name)).iter(f"{MAIN}c")
                if (v := cell.findtext(f"{MAIN}v")) is not None
            ]
            for name in sheets
        ]


def test_shares_add_up_and_hidden_cells_stay_hidden(ranked):
    _, areas, _ = ranked(level="province")
    shares = peringkat.shares(areas, "families")
    whole = shares[list(charts_rank.DECILES)].sum(axis=1, skipna=False)
    known = whole.notna()
    assert known.sum() >= 35
    assert np.allclose(whole[known], 1.0)
    hidden = areas.suppressed[list(charts_rank.DECILES)].any(axis=1)
    assert hidden.any(), "the stand-in has small cells, so something must be hidden"
    assert shares.loc[hidden, list(charts_rank.DECILES)].isna().any(axis=1).all()
    assert shares.loc[areas.frame["families"] == 0, "low"].isna().all()


def test_finding_names_the_ends_of_the_order(ranked):
    _, areas, _ = ranked(level="province")
    shares = peringkat.shares(areas, "families")
    known = shares.dropna(subset=["low"])
    sentence = peringkat.decile_finding(shares, RankRequest(level="province"), "Indonesia", "id")
    assert known.loc[known["low"].idxmax(), "name"] in sentence
    assert known.loc[known["low"].idxmin(), "name"] in sentence
    assert "miskin" not in sentence, "a decile is never called poor"


@pytest.mark.parametrize(
    ("scope", "level", "expected"),
    [
        ("national", "province", False),
        ("province", "province", True),
        ("province", "regency", False),
        ("regency", "province", True),
        ("regency", "regency", True),
        ("regency", "district", False),
    ],
)
def test_deciles_are_even_by_definition_only_above_the_scope(scope, level, expected):
    assert peringkat.evenly(RankRequest(scope=scope, level=level)) is expected


def test_select_areas_keeps_both_ends():
    frame = pd.DataFrame({"code": [str(k) for k in range(100)], "low": np.linspace(0, 1, 100)})
    frame.loc[50, "low"] = np.nan
    chosen = peringkat.select_areas(frame, "low", 40)
    assert len(chosen) == 40
    assert chosen["low"].max() == 1.0
    assert chosen["low"].min() == 0.0
    assert chosen["low"].is_monotonic_decreasing


def test_moves_up_means_a_higher_decile_in_the_second_ranking():
    matrix = pd.DataFrame(np.zeros((10, 10)))
    matrix.iloc[0, 3] = 6.0  # decile 1 in the first, decile 4 in the second: judged better off
    matrix.iloc[5, 5] = 3.0
    matrix.iloc[9, 0] = 1.0
    found = peringkat.moves(matrix)
    assert (found.up, found.same, found.down) == (0.6, 0.3, 0.1)
    assert np.isnan(peringkat.moves(matrix * 0).same)


def test_row_shares_of_an_empty_row_are_missing():
    matrix = pd.DataFrame(np.eye(10) * 5)
    matrix.iloc[2, 2] = 0.0
    shares = peringkat.row_shares(matrix)
    assert shares.iloc[2].isna().all()
    assert shares.iloc[0, 0] == 1.0


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("scope", "unit", "level"), list(itertools.product(SCOPES, UNITS, LEVELS[:2])))
def test_every_figure_and_table_is_made(ranked, scope, unit, level, lang):
    result, areas, total = ranked(scope=scope, unit=unit, level=level, benchmark=True)
    shares = peringkat.marked(peringkat.shares(areas, unit))
    assert peringkat.decile_finding(shares, result.request, "Indonesia", lang)
    assert peringkat.class_finding(areas.frame, total.frame.iloc[0], "Indonesia", lang)
    shown = peringkat.select_areas(peringkat.marked(areas.frame), "p0", 40)
    bars = charts_rank.decile_bars(peringkat.select_areas(shares, "low", 40), lang)
    assert [trace.name for trace in bars.data][:10] == [str(k) for k in range(1, 11)]
    assert len(charts_rank.class_bars(shown, lang).data) == 3
    dots = charts_rank.interval_dots(shown.assign(beside=shown["p0_unbenchmarked"]), lang)
    assert len(dots.data) >= 2
    for made in (peringkat_tables.decile_table(areas, lang), peringkat_tables.class_table(areas, lang, True)):
        assert not {"code", "name", "p0", "d1"} & set(made.frame.columns), "no raw column names on screen"
        if level == "province":
            assert made.styler(lang).to_html()


def test_a_bar_with_a_suppressed_piece_is_grey_and_an_empty_area_absent(ranked):
    _, areas, _ = ranked(level="province")
    shares = peringkat.shares(areas, "families")
    bars = charts_rank.decile_bars(shares, "id")
    grey = bars.data[10]
    assert grey.name == "tersamar"
    assert {n for n, x in zip(grey.y, grey.x, strict=True) if x == 1} == set(shares.loc[shares["hidden"], "name"])
    for name, value in zip(bars.data[0].y, bars.data[0].x, strict=True):
        assert np.isnan(value) == (name in set(shares.loc[shares["hidden"], "name"]))
    assert not set(bars.data[0].y) & set(areas.frame.loc[areas.frame["families"] == 0, "name"])


def test_hidden_cells_read_as_the_word_and_sort_as_missing(ranked):
    _, areas, _ = ranked(level="province")
    made = peringkat_tables.decile_table(areas, "id")
    html = made.styler("id").to_html()
    assert html.count("tersamar") == int(made.hidden.to_numpy().sum()) > 0
    assert made.frame.dtypes["Desil 1"].kind == "f"


def test_numbers_are_written_in_the_language(ranked):
    _, areas, _ = ranked(level="province")
    families = areas.frame["families"].dropna()
    some = int(families[families >= 1000].iloc[0])
    assert f"{some:,}".replace(",", ".") in peringkat_tables.decile_table(areas, "id").styler("id").to_html()
    assert f"{some:,}" in peringkat_tables.decile_table(areas, "en").styler("en").to_html()


@pytest.mark.parametrize("lang", LANGS)
def test_downloads_carry_label_note_and_suppression(ranked, lang):
    result, areas, _ = ranked(level="province")
    note = peringkat.method_note(result.request, "v1", "2025-03-31", True, "Indonesia", lang)
    assert note[0].startswith("DATA SIMULASI" if lang == "id" else "SIMULATED")
    sheets = [
        peringkat_tables.decile_table(areas, lang).sheet("A", lang),
        peringkat_tables.class_table(areas, lang).sheet("B", lang),
    ]
    word = "tersamar" if lang == "id" else "suppressed"
    text = csv_bytes(sheets[0], note).decode("utf-8-sig")
    assert text.startswith(f"# {note[0]}")
    assert word in text
    book = read_workbook(xlsx_bytes(sheets, note, lang))
    assert len(book) == 3
    cells = book[0]
    assert cells[0] == note[0]
    assert word in cells
    assert sum(isinstance(value, float) for value in cells) > 300, "numbers stay numbers"
    assert book[-1] == note


def test_the_official_ranking_has_no_expenditure(ranked):
    _, areas, total = ranked(model="resmi", level="province")
    assert areas.frame["p0"].isna().all()
    sentence = peringkat.class_finding(areas.frame, total.frame.iloc[0], "Indonesia", "id")
    assert sentence == peringkat.text("peringkat.finding_none", "id")


def test_how_long_it_took_is_written_with_rows_and_families():
    sentence = peringkat.took(0.0421, 400_123, 95_006_179, "id")
    assert "0,042 detik" in sentence
    assert "400.123" in sentence
    assert "95.006.179" in sentence


def test_threshold_finding_uses_log_units():
    frame = pd.DataFrame({"code": ["ID"], "name": ["Indonesia"], **{f"t{k}": [13_500 + 150 * k] for k in range(1, 10)}})
    assert "13,650" in peringkat.threshold_finding(frame, "id")
    assert "14.850" in peringkat.threshold_finding(frame, "en")
