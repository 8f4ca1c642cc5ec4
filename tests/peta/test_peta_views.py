"""Comparison, rate by count, and files: what they say is what the figures say."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image

from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.present import (
    maps,
    maps_inset,
    peta_compare,
    peta_compare_hover,
    peta_export,
    peta_hover,
    peta_pairs,
    peta_png,
)
from dtsen_core.present.peta_classes import Classes

RULES = map_rules().indicators
CODES = ["1101", "1102", "1103", "1104"]


def rows(value: list[float], partner: list[float], half: float = 0.0) -> pd.DataFrame:
    known = pd.Series(value, dtype=float)
    return pd.DataFrame({
        "code": CODES, "name": ["A", "=B", "C", "D"], "klass": 1, "value": known, "partner": partner,
        "value_text": [f"{v:.1%}" if v == v else "tersamar" for v in known], "partner_text": [str(p) for p in partner],
        "low": known - half, "high": known + half, "rank": known.rank(method="min", ascending=False).astype("Int64"),
        "n": pd.array([500, 500, 500, 40], dtype="Int64"), "doubt": np.array([0, 0, 0, 1], dtype="int8"),
        "size": 1000.0, "size_text": "", "interval_text": "" if not half else "x–y",
    })  # fmt: skip


def side(label: str, value: list[float], half: float = 0.0, key: str = "share_d14", date: str = "2025-01-01"):
    rule = RULES[key]
    table = rows(value, [100, 200, 300, 400], half)
    return peta_compare.Side(label, rule, map_rules().partner(rule), table, date)


def test_the_difference_of_a_rate_in_time_is_in_points() -> None:
    found = peta_compare.difference(
        side("lama", [0.2, 0.3, 0.4, 0.5], 0.01), side("baru", [0.26, 0.3, 0.35, 0.505], 0.01)
    )
    assert found.kind == "points"
    assert found.rows["value"].tolist() == pytest.approx([0.06, 0, -0.05, 0.005])
    assert found.rows["doubt"].tolist() == [0, 1, 0, 1]  # √(0,01² + 0,01²) = 0,0141
    title = peta_compare.finding(found, "id", level="regency", where="Aceh")
    assert "naik di 2 dan turun di 1 dari 4 kabupaten/kota" in title
    assert "di 2 wilayah perubahannya melampaui ketidakpastian" in title
    assert "largest change in A (+6.0 points)" in peta_compare.finding(found, "en", level="regency", where="Aceh")
    edges = found.classes.edges
    assert edges == tuple(-e for e in reversed(edges))


def test_counts_change_in_per_cent_and_unlike_measures_by_rank() -> None:
    a = side("a", [100, 200, 300, 0], key="poor_persons")
    found = peta_compare.difference(a, side("b", [110, 200, 150, 5], key="poor_persons"))
    assert found.kind == "percent"
    assert found.rows["value"].iloc[:3].tolist() == pytest.approx([0.1, 0, -0.5])
    assert pd.isna(found.rows["value"].iat[3])  # nothing to divide by
    mixed = peta_compare.difference(side("a", [0.1, 0.2, 0.3, 0.4]), side("b", [4, 3, 2, 1], key="gini"))
    assert mixed.kind == "ranks"
    assert mixed.rows["value"].tolist() == [3, 1, -1, -3]
    assert peta_compare.text("ranks", 3, RULES["gini"], "id") == "+3 peringkat"


def test_a_withheld_side_has_no_difference_and_says_so() -> None:
    found = peta_compare.difference(side("a", [0.1, float("nan"), 0.3, 0.4]), side("b", [0.1, 0.2, 0.3, 0.4]))
    assert found.rows["klass"].tolist()[1] == 0
    hover = peta_compare_hover.of_difference(found, "id", sampled=True)
    template = next(words for at, words in hover.groups if 1 in at)
    assert "tersamar" in template
    assert "<b>–</b>" in template
    assert sum(len(at) for at, _ in hover.groups) == 4


def written(hover: peta_hover.Hover, at: int) -> str:
    """The hover of one area as the browser writes it (with a decimal point)."""
    template = next(words for where, words in hover.groups if at in where)

    def figure(found: re.Match[str]) -> str:
        return format(float(hover.facts[at, int(found[1])]), found[2])

    return re.sub(r"%\{customdata\[(\d+)\]:([^}]+)\}", figure, template)


def test_each_map_of_a_comparison_traces_its_figures() -> None:
    """Value, unit, interval, count, n, source and day; of the difference also its margin."""
    old = replace(side("Jan", [0.2, 0.3, 0.4, 0.5], 0.03), source="DTSEN, 1 Januari")
    new = replace(side("Jul", [0.26, 0.3, 0.35, 0.505], 0.04), source="DTSEN, 1 Juli")
    new.rows["n"] = pd.array([510, 500, 500, 40], dtype="Int64")
    alone = written(peta_compare_hover.of_side(old, "A", "id", sampled=True), 0)
    for words in ("A · ", "20.0%", "selang 90% 17.0%–23.0%", "100", "keluarga", "n = 500", "DTSEN, 1 Januari"):
        assert words in alone
    found = peta_compare.difference(old, new)
    both = written(peta_compare_hover.of_difference(found, "id", sampled=True), 0)
    for words in ("+6.0 poin", "± 5.0, selang 90%", "A · Jan: <b>20.0%</b>", "B · Jul: <b>26.0%</b>", "n = 500",
                  "n = 510", "100 keluarga", "1 Januari", "1 Juli"):  # fmt: skip
        assert words in both
    assert "n = " not in written(peta_compare_hover.of_difference(found, "id", sampled=False), 0)
    table, titles = peta_compare.table(found, "id")
    assert list(table) == ["name", "a", "b", "value", "margin", "a_interval", "b_interval", "a_n", "b_n"]
    assert list(titles) == list(table)
    assert peta_compare.cell_texts(found, "id").loc[0, ["value", "margin"]].tolist() == ["+6,0 poin", "±5,0"]


def test_a_comparison_sends_nothing_twice() -> None:
    a = side("a", [100, 200, 300, 0], key="poor_persons")
    found = peta_compare.difference(a, side("b", [110, 200, 150, 5], key="poor_persons"))
    hover = peta_compare_hover.of_difference(found, "en", sampled=True)
    assert hover.facts.shape == (4, 6)  # change, a, b, their rates, one n; no margin
    assert "+10.0%" in written(hover, 0)
    assert written(hover, 0).count("n = 500") == 1


def test_nothing_changed_is_no_error() -> None:
    found = peta_compare.difference(side("a", [0.1] * 4), side("b", [0.1] * 4))
    assert found.classes == Classes(())
    assert "naik di 0 dan turun di 0" in peta_compare.finding(found, "id", level="regency", where="Aceh")
    assert len(peta_compare.legend(found, "id")) == 2


@pytest.mark.parametrize("lang", ["id", "en"])
def test_worse_is_amber_whichever_way_it_goes(lang: str) -> None:
    scale = map_rules().diverging["light"]
    assert peta_compare.colours(RULES["p0"], scale, "points")[-1] == scale[0]
    assert peta_compare.colours(RULES["mean_expenditure"], scale, "unit")[-1] == scale[-1]
    assert peta_compare.text("points", 0.032, RULES["p0"], lang).startswith("+3")


def test_nine_colours_hold_every_area_once_and_the_title_counts_the_corner() -> None:
    table = rows([0.1, 0.25, 0.5, 0.6], [10, 600, 900, 20])
    rule = RULES["share_d14"]
    found = peta_pairs.pairs(table, rule, map_rules().partner(rule), Classes((0.2, 0.4)), Classes((50.0, 700.0)))
    assert found.rows["klass"].tolist() == [1, 5, 9, 7]
    assert found.areas.sum() == 4
    assert found.areas[2].tolist() == [1, 0, 1]
    title = peta_pairs.finding(found, "id", level="regency", where="Aceh")
    assert title.startswith("1 dari 4 kabupaten/kota")
    assert "900 keluarga" in title
    assert "58,8%" in title  # 900 of 1530
    flipped = peta_pairs.pairs(
        table.rename(columns={"value": "partner", "partner": "value"}), RULES["families_d14"], rule,
        Classes((0.2, 0.4)), Classes((50.0, 700.0)),
    )  # fmt: skip
    assert flipped.rows["klass"].tolist() == [1, 5, 9, 7]
    assert "<script" not in peta_pairs.legend_html(found, map_rules().pairs["light"], "id")


ABOUT = peta_export.About("Judul", "kabupaten/kota", "2026-01-23", "v1", "DATA SIMULASI", "Sumber: uji", "indikatif")
SHAPES: dict[str, object] = {code: shapely.box(95 + i, 1, 96 + i, 2) for i, code in enumerate(CODES)}


def exported() -> pd.DataFrame:
    rule = RULES["share_d14"]
    return peta_export.frame(
        rows([0.1, float("nan"), 0.3, 0.4], [1, 2, 3, 4]), rule, map_rules().partner(rule), ABOUT, "id"
    )


def test_files_open_elsewhere_and_trace_every_number() -> None:
    table = exported()
    back = pd.read_csv(io.BytesIO(peta_export.csv(table)), dtype={"code": str})
    assert back["code"].tolist() == CODES
    assert back["name"].tolist()[1] == "'=B"  # no formula
    assert {"value", "unit", "low90", "high90", "n_families", "source", "date", "version", "origin"} <= set(back)
    assert back["status"].fillna("").tolist() == ["", "tersamar", "", ""]
    assert pd.isna(back["value"].iat[1])
    document = peta_export.geojson(table, SHAPES, ABOUT)
    assert json.loads(document)["origin"] == "DATA SIMULASI"
    for opened in (
        geopandas.read_file(io.BytesIO(document)),
        geopandas.read_file(io.BytesIO(peta_export.geopackage(table, SHAPES, "peta"))),
    ):
        assert opened.crs.to_epsg() == 4326
        assert opened["code"].tolist() == CODES
        assert opened["value"].iloc[[0, 2]].tolist() == pytest.approx([0.1, 0.3])
        assert shapely.area(opened.geometry.to_numpy()).tolist() == pytest.approx([1] * 4)


@pytest.mark.parametrize("grid", [(), map_rules().pairs["light"]])
def test_the_picture_is_a_picture(grid: tuple[tuple[str, ...], ...]) -> None:
    picture = peta_png.Picture(
        title="Judul " * 40, subtitle="Aceh", shapes=np.array(list(SHAPES.values())), klass=np.array([0, 1, 2, 5]),
        doubt=np.array([0, 1, 2, 0]), colours=["#DCEFC6", "#A9D9B7", "#5FB8BE", "#2C7FB0", "#233C85"],
        legend=[("#DCEFC6", "< 20%")],
        doubts=[(2, "#5FB8BE", "paling pucat")],
        source="Sumber: uji",
        label="DATA SIMULASI", note="Batas indikatif", bbox=(95, 1, 99, 2), grid=grid, axes=("bagian", "jumlah"),
    )  # fmt: skip
    image = Image.open(io.BytesIO(peta_png.png(picture)))
    image.load()
    assert image.width == 1920
    colours = {image.convert("RGB").getpixel((x, image.height // 2)) for x in range(0, 1920, 40)}
    assert len(colours) > 3


def test_the_magnifier_draws_only_what_lies_there(monkeypatch: pytest.MonkeyPatch) -> None:
    table = rows([0.1, 0.2, 0.3, 0.4], [1, 2, 3, 4])
    style = maps.MapStyle("s.geojson", "l.geojson", "style.json", ["#111111"] * 5, "light")
    hover = peta_hover.Hover(np.zeros((4, 7)), ((np.arange(4), "x"),))
    figure = maps.choropleth(table, style, (95, -11, 141, 6), hover=hover, corner="", hint="", note="", lang="id")
    boxes = {code: shape.bounds for code, shape in SHAPES.items()}  # type: ignore[attr-defined]
    here = maps_inset.near(CODES, boxes, (96.2, 1.2, 96.8, 1.8))
    assert here.tolist() == [1]
    maps_inset.add(figure, table, style, hover, here, (96, 1, 97, 2), "Tempat")
    assert [t.subplot for t in figure.data] == ["map", "map2"] or figure.data[1].subplot == "map2"
    assert list(figure.data[1].locations) == ["1102"]
    assert maps_inset.around([(1, 2, 3, 4), (0, 3, 2, 9)]) == (0, 2, 3, 9)


def test_doubt_follows_the_relative_standard_error() -> None:
    from dtsen_core.intervals import Z90
    from dtsen_core.present import peta

    frame = pd.DataFrame({
        "code": CODES, "name": CODES, "n": [500, 500, 500, 500], "families": 1000.0, "persons": 3000.0,
        "families_d14": [100.0] * 4, "share_d14": 0.1,
        "share_d14_low": [0.1 - Z90 * s * 0.1 for s in (0.1, 0.26, 0.51, 0.24)],
        "share_d14_high": [0.1 + Z90 * s * 0.1 for s in (0.1, 0.26, 0.51, 0.24)],
    })  # fmt: skip
    hidden = pd.DataFrame(False, index=frame.index, columns=frame.columns)
    made = peta.rows(peta.Areas(frame, hidden, ()), RULES["share_d14"], Classes((0.2,)), "id", sampled=True)
    assert made["doubt"].tolist() == [0, 1, 2, 0]
