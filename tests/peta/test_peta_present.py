"""What the map says: rows, finding, legend, table and figure from published tables."""

from __future__ import annotations

import pandas as pd
import pytest

from dtsen_core.oversight.disclosure import TableSpec, publish
from dtsen_core.policy.area_table import add_rates
from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.policy.profile import compare
from dtsen_core.present import maps, peta, peta_card, peta_hover
from dtsen_core.present.peta_classes import Classes

SPEC = TableSpec(
    key="code",
    counts=["families", "families_d14"],
    rates={"share_d14": ("families_d14", "families")},
)
CLASSES = Classes((0.2, 0.4))


def _areas(families: list[float], d14: list[float], n: list[int]) -> peta.Areas:
    frame = pd.DataFrame(
        {"code": ["1101", "1102", "1103", "1104"], "name": ["A", "B", "C", "D"], "n": n, "families": families,
         "families_d14": d14}
    )  # fmt: skip
    frame["share_d14"] = frame["families_d14"] / frame["families"]
    shown = peta.Areas.of([publish(frame, SPEC, origin="simulated")], "id")
    shown.frame["persons"] = shown.frame["families"] * 3
    shown.hidden["persons"] = False
    return shown


@pytest.fixture
def areas() -> peta.Areas:
    return _areas([1_000, 2_000, 3_000, 4_000], [100, 600, 1_500, 400], [500, 500, 500, 40])


def _rows(areas: peta.Areas, key: str = "share_d14", lang: str = "id", sampled: bool = True) -> pd.DataFrame:
    return peta.rows(areas, map_rules().indicators[key], CLASSES, lang, sampled=sampled)


def _hover(rows: pd.DataFrame, key: str = "share_d14", lang: str = "id") -> peta_hover.Hover:
    rule = map_rules().indicators[key]
    partner = map_rules().partner(rule)
    words = peta_hover.words(rule, partner, len(rows), lang, sampled=True, source="DTSEN simulasi, 1 Januari 2026")
    return peta_hover.make(rows, rule, partner, words, lang)


def test_every_number_of_the_hover_can_be_traced(areas: peta.Areas) -> None:
    """Value, unit, n, rank, size, source and date stand in the words; the interval where there is one."""
    rows = _rows(areas).assign(low=[0.08, 0.25, 0.45, float("nan")], high=[0.12, 0.35, 0.55, float("nan")])
    hover = _hover(rows)
    assert sorted(len(at) for at, _ in hover.groups) == [1, 3]  # an area without interval has words of its own
    assert sorted("selang 90%" in template for _, template in hover.groups) == [False, True]
    for words in ("dari keluarga", "(keluarga)", "n = %{customdata[5]", "DTSEN simulasi, 1 Januari 2026"):
        assert words in hover.groups[0][1]


def test_a_withheld_figure_is_a_word_in_the_hover_too() -> None:
    rows = _rows(_areas([1_000, 2_000, 3_000, 4_000], [2, 3, 1_500, 400], [500, 500, 500, 500]))
    hover = _hover(rows)
    covered = [template for at, template in hover.groups if 0 in at]
    assert "<b>tersamar</b>" in covered[0]
    assert "customdata[0]" not in covered[0]
    assert sum(len(at) for at, _ in hover.groups) == 4


def test_rank_one_is_the_end_that_needs_attention(areas: peta.Areas) -> None:
    rows = _rows(areas).set_index("code")
    assert rows["rank"].to_dict() == {"1103": 1, "1102": 2, "1101": 3, "1104": 3}
    assert rows.at["1103", "klass"] == 3
    assert rows.at["1103", "value_text"] == "50,0%"
    assert rows.at["1103", "partner_text"] == "1.500"


def test_rate_and_count_stand_in_hover_table_and_legend(areas: peta.Areas) -> None:
    rule = map_rules().indicators["share_d14"]
    rows = _rows(areas)
    hover = _hover(rows)
    assert len(hover.groups) == 1
    assert hover.facts[:, 0] == pytest.approx([0.1, 0.3, 0.5, 0.1])
    assert hover.facts[:, 3].tolist() == [100, 600, 1_500, 400]
    assert "%{customdata[0]:.1%}" in hover.groups[0][1]
    assert "%{customdata[3]:,.0f}" in hover.groups[0][1]
    table, titles = peta.table_view(rows, rule, "id")
    assert {"value", "partner"} <= set(table.columns)
    assert titles["value"] == "Bagian"
    assert titles["partner"] == "Keluarga"
    legend = peta.legend(rows, rule, CLASSES, "id")
    assert [(e.klass, e.label) for e in legend] == [
        (1, "< 20,0%"), (2, "20,0% – <40,0%"), (3, "≥ 40,0%"), (0, "tersamar / tidak ada angka"),
    ]  # fmt: skip
    assert legend[0].detail == "2 wilayah · 500 keluarga"


def test_withheld_figures_have_a_word_but_no_class_rank_or_place_in_the_sentence() -> None:
    areas = _areas([1_000, 2_000, 3_000, 4_000], [2, 3, 1_500, 400], [500, 500, 500, 500])
    rows = _rows(areas).set_index("code")
    for code in ("1101", "1102"):
        assert rows.at[code, "value_text"] == "tersamar"
        assert rows.at[code, "klass"] == 0
        assert pd.isna(rows.at[code, "rank"])
    sentence = peta.finding(
        rows.reset_index(), map_rules().indicators["share_d14"], "id", level="regency", where="Aceh"
    )
    assert "di C" in sentence
    assert "di D" in sentence
    assert areas.reasons
    legend = peta.legend(rows.reset_index(), map_rules().indicators["share_d14"], CLASSES, "id")
    assert legend[-1].detail == "2 wilayah"


def test_small_samples_are_marked_and_stay_out_of_the_finding(areas: peta.Areas) -> None:
    rows = _rows(areas)
    assert rows["small"].tolist() == [False, False, False, True]
    assert rows["doubt"].tolist() == [0, 0, 0, 1]
    assert _hover(rows).facts[3, 5] == 40
    assert not _rows(areas, sampled=False)["small"].any()
    ends = peta.extremes(rows)
    assert ends is not None
    assert (ends.top["code"], ends.bottom["code"]) == ("1103", "1101")


def test_the_finding_reads_well_in_both_languages(areas: peta.Areas) -> None:
    rule = map_rules().indicators["share_d14"]
    assert peta.finding(_rows(areas), rule, "id", level="regency", where="Aceh") == (
        "Bagian keluarga di desil nasional 1–4 tertinggi di C (50,0%; 1.500 keluarga), "
        "terendah di A (10,0%; 100 keluarga)"
    )
    english = peta.finding(_rows(areas, lang="en"), rule, "en", level="regency", where="Aceh")
    assert english.startswith("Share of families in national deciles 1–4: highest in C (50.0%; 1,500 families)")


def test_the_figure_is_one_trace_by_url_without_selection(areas: peta.Areas) -> None:
    style = maps.MapStyle("shapes.geojson", "land.geojson", "style.json", ["#111111"] * 5, "light")
    bbox = (95.0, -11.0, 141.0, 6.0)
    rows = _rows(areas)
    figure = maps.choropleth(rows, style, bbox, hover=_hover(rows), corner="x", hint="h", note="y", lang="id")
    assert figure.layout.separators == ",."
    assert len(figure.data) == 1
    trace = figure.data[0]
    assert trace.geojson == "shapes.geojson"
    assert trace.selectedpoints is None
    assert figure.layout.map.style == "style.json"
    assert trace.marker.opacity == (maps.SOLID, maps.SOLID, maps.SOLID, maps.CARE)
    assert figure.layout.map.bounds.west < 95
    assert figure.layout.map.bounds.east > 141
    assert "%{properties.name}" in trace.hovertemplate
    assert "Peringkat %{customdata[4]:.0f} dari 4" in trace.hovertemplate


def test_the_camera_gives_tall_areas_room() -> None:
    wide = maps.camera((95.0, -2.0, 141.0, 2.0))["bounds"]
    tall = maps.camera((100.0, -5.0, 101.0, 5.0))["bounds"]
    assert wide["east"] - wide["west"] == pytest.approx(46 * 1.07, rel=1e-3)
    assert tall["east"] - tall["west"] > 10


def test_every_class_colour_covers_its_number() -> None:
    colours = ["#1", "#2", "#3", "#4", "#5"]
    scale = maps.stepped_scale(colours, "#0")
    for number, colour in enumerate(["#0", *colours]):
        position = (number + 0.5) / 6  # where zmin = -0.5 and zmax = 5.5 put the number
        assert [c for p, c in scale if p <= position][-1] == colour


def test_comparisons_know_which_way_is_better() -> None:
    rules = map_rules().indicators
    assert compare(rules["p0"], 0.12, 0.08).verdict == -1
    assert compare(rules["mean_expenditure"], 2.0, 1.0).verdict == 1
    assert compare(rules["pkh"], 0.3, 0.1).verdict == 0
    assert compare(rules["poor_persons"], 5, 20).share == 0.25
    assert peta_card.difference_text(rules["p0"], 0.12, 0.08, "id") == "+4,0 poin"
    assert peta_card.difference_text(rules["poor_persons"], 5, 20, "id") == "25,0%"


def test_a_census_has_no_sampling_interval() -> None:
    frame = pd.DataFrame(
        {"n": [10], "families": [10], "persons": [30], "families_d14": [4], "persons_d15": [15],
         "pkh_families": [2], "sembako_families": [3], "pbi_persons": [12], "uncovered_d15": [3]}
    )  # fmt: skip
    assert "share_d14_low" not in add_rates(frame, 10.0, 30.0, sampled=False)
    assert "share_d14_low" in add_rates(frame, 10.0, 30.0, sampled=True)
