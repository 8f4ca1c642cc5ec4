"""The page in the running app (without a browser): every measure, level and language, and bad addresses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dtsen_core import locale
from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.regions import units
from dtsen_core.ui import peta_side, peta_state
from tests import pages

World = Callable[..., Path]
KEYS = [i.key for i in map_rules().offered()]
REGENCIES = units.table("regency")["code"].tolist()


def open_page(**query: str) -> AppTest:
    return pages.open_page("peta", **query)


def texts(app: AppTest) -> str:
    parts = [e.value for kind in ("title", "subheader", "caption", "markdown", "info") for e in app.get(kind)]
    return "\n".join(str(p) for p in parts)


def healthy(app: AppTest) -> None:
    assert not app.exception
    assert not app.error


@pytest.mark.slow
@pytest.mark.parametrize("lang", locale.LANGS)
def test_every_measure_at_every_level(world: World, lang: str) -> None:
    world()
    app = open_page(lang=lang)
    places = (("ID", "province"), ("ID", "regency"), ("32", "regency"), ("32", "district"), ("3201", "district"),
              ("320105", "district"))  # fmt: skip
    # The places differ in figures, the languages in words: the second language looks at two of them.
    for area, level in places if lang == "id" else places[1:5:2]:
        for key in KEYS:
            app.session_state[peta_state.AREA] = area
            app.session_state[peta_state.LEVEL] = level
            app.session_state[peta_state.FOCUS] = area
            app.session_state[peta_state.INDICATOR] = key
            app.run()
            healthy(app)
            rule = map_rules().indicators[key]
            assert rule.label[lang] in app.subheader[0].value
            assert app.dataframe[0].value.shape[0] == {
                ("ID", "province"): 38, ("ID", "regency"): peta_side.FIRST, ("32", "regency"): 27,
            }.get((area, level), app.dataframe[0].value.shape[0])  # fmt: skip


def test_the_title_states_rate_and_count(world: World) -> None:
    world()
    app = open_page(level="province", indicator="p0")
    title = app.subheader[0].value
    assert "tertinggi di" in title
    assert "%; " in title
    assert "jiwa" in title


def test_a_deep_link_restores_the_view_in_a_fresh_session(world: World) -> None:
    world()
    app = open_page(area="3201", indicator="gini", lang="en")
    healthy(app)
    assert app.session_state[peta_state.AREA] == "3201"
    assert app.session_state[peta_state.LEVEL] == "district"
    assert app.session_state[peta_state.INDICATOR] == "gini"
    assert "Inequality of expenditure (Gini)" in app.subheader[0].value
    assert app.query_params["area"] == "3201"
    assert app.query_params["indicator"] == "gini"
    assert not app.warning


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"area": "3299"}, ["3299", "Ditampilkan seluruh Indonesia."]),
        ({"area": "<b>"}, ["Ditampilkan seluruh Indonesia."]),
        ({"area": "32", "level": "village"}, ["village", "regency, district"]),
        ({"indicator": "kemiskinan"}, ["kemiskinan", "Bagian keluarga di desil nasional 1–4"]),
        ({"indicator": "x" * 500}, ["xxx"]),
    ],
)
def test_a_bad_address_gets_one_sentence_and_the_default(world: World, query: dict[str, str], words: list[str]) -> None:
    world()
    app = open_page(**query)
    healthy(app)
    assert len(app.warning) == 1
    for word in words:
        assert word in app.warning[0].value
    assert app.dataframe[0].value.shape[0] in (peta_side.FIRST, 27)


def test_choosing_in_the_controls_changes_map_and_address(world: World) -> None:
    world()
    app = open_page()
    app.selectbox(key="peta.choice").select("pkh").run()
    healthy(app)
    assert "Cakupan PKH" in app.subheader[0].value
    assert app.query_params["indicator"] == "pkh"


def test_search_box_opens_an_area_and_the_breadcrumb_leads_back(world: World) -> None:
    world()
    app = open_page()
    app.text_input(key="peta.search").set_value("Babakan Madang").run()
    app.button(key="peta.found.320105").click().run()
    healthy(app)
    assert app.session_state[peta_state.AREA] == "320105"
    assert app.session_state[peta_state.FOCUS] == "320105"
    app.button(key="peta.up.32").click().run()
    assert app.session_state[peta_state.AREA] == "32"
    assert app.dataframe[0].value.shape[0] == 27
    app.button(key="peta.up.ID").click().run()
    assert app.dataframe[0].value.shape[0] == peta_side.FIRST
    app.toggle(key="peta.whole.regency.ID").set_value(True).run()
    assert app.dataframe[0].value.shape[0] == 514


def test_search_without_a_hit_says_so(world: World) -> None:
    world()
    app = open_page()
    app.text_input(key="peta.search").set_value("qqqqqq").run()
    healthy(app)
    assert "qqqqqq" in app.info[0].value


def test_real_data_show_what_needs_a_model_disabled_with_the_reason(world: World) -> None:
    world("real")
    app = open_page(indicator="p0")
    healthy(app)
    assert "perlu model" in app.warning[0].value
    assert "p0" not in app.selectbox(key="peta.choice").options
    missing = app.selectbox(key="peta.missing")
    assert missing.disabled
    assert "Tingkat kemiskinan (P0)" in missing.options
    for key in (i.key for i in map_rules().offered() if not i.needs_model):
        app.selectbox(key="peta.choice").select(key).run()
        healthy(app)


def test_villages_are_announced_below_the_threshold(world: World) -> None:
    world(families=400_000)
    assert "5.000.000" in texts(open_page())
    assert "5,000,000" in texts(open_page(lang="en"))


def test_a_click_inside_a_regency_keeps_the_camera(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    state = {peta_state.AREA: "3201", peta_state.LEVEL: "district", peta_state.FOCUS: "3201"}
    monkeypatch.setattr(peta_state.st, "session_state", state)
    peta_state.go("320105", keep_camera=True)
    assert state == {peta_state.AREA: "320105", peta_state.LEVEL: "district", peta_state.FOCUS: "3201"}
    peta_state.go("320106")
    assert state[peta_state.FOCUS] == "320106"
    peta_state.go("33", keep_camera=True)
    assert state == {peta_state.AREA: "33", peta_state.LEVEL: "regency", peta_state.FOCUS: "33"}


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["id", "en"])
@pytest.mark.parametrize("mode", ["compare", "pairs", "tiles"])
def test_every_way_of_looking_stands_at_every_place(world: World, mode: str, lang: str) -> None:
    world()
    for query in ({}, {"area": "32"}, {"area": "3204", "indicator": "poor_persons"}, {"indicator": "gini"}):
        app = open_page(mode=mode, lang=lang, **query)
        healthy(app)
        assert not app.warning


def test_a_link_brings_back_mode_magnifier_and_second_measure(world: World) -> None:
    world()
    app = open_page(mode="compare", **{"with": "pkh"})
    healthy(app)
    assert app.session_state["peta.second_choice"] == "pkh"
    assert "Penerima PKH" in texts(app)
    app = open_page(inset="bali")
    healthy(app)
    assert app.session_state["peta.inset_choice"] == "bali"


@pytest.mark.parametrize(
    "query", [{"mode": "globe"}, {"version": "tidak-ada"}, {"inset": "x"}, {"mode": "compare", "with": "zzz"}]
)
def test_an_unknown_view_gets_one_sentence_and_the_default(world: World, query: dict[str, str]) -> None:
    world()
    app = open_page(**query)
    assert not app.exception
    assert len(app.warning) == 1


def test_a_table_by_region_code_becomes_a_measure_and_a_faulty_one_changes_nothing(world: World) -> None:
    world()
    app = open_page()
    table = "kode,nama,indeks <b>X</b>\n" + "\n".join(f"{c},{units.name(c)},{i}" for i, c in enumerate(REGENCIES))
    app.get("file_uploader")[1].set_value(("indeks.csv", table.encode(), "text/csv"))
    app.run()
    healthy(app)
    assert app.session_state["peta.indicator"] == "own"
    assert any("indeks" in str(box.value) or "own" in str(box.value) for box in app.selectbox)
    assert "tertinggi di" in texts(app)
    assert "indicator" not in app.query_params
    app.get("file_uploader")[1].set_value(("rusak.csv", b"a,b\nx,y\n", "text/csv"))
    app.run()
    assert not app.exception
    assert len(app.error) == 1
    assert app.session_state["peta.indicator"] == "own"


def test_a_layer_is_drawn_and_can_be_removed(world: World) -> None:
    world()
    app = open_page()
    layer = (
        b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"nama":"<img src=x>"},'
        b'"geometry":{"type":"Polygon","coordinates":[[[107,-7],[108,-7],[108,-6],[107,-7]]]}},'
        b'{"type":"Feature","properties":{"nama":"titik"},"geometry":{"type":"Point","coordinates":[107,-7]}}]}'
    )
    app.get("file_uploader")[0].set_value(("lapisan.geojson", layer, "application/geo+json"))
    app.run()
    healthy(app)
    assert len(app.session_state["peta.layers"]) == 1
    app.get("file_uploader")[0].set_value(("rusak.geojson", b"{}", "application/geo+json"))
    app.run()
    assert not app.exception
    assert len(app.error) == 1
    assert len(app.session_state["peta.layers"]) == 1
    next(b for b in app.button if b.key == "peta.layers.remove.0").click().run()
    assert app.session_state["peta.layers"] == []
