"""The ranking page over its control combinations, in both languages, on both kinds of dataset."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dtsen_core.locale import LANGS
from dtsen_core.present.literal import literal
from dtsen_core.rank.scorecard_file import from_csv
from dtsen_core.settings import settings
from dtsen_core.ui import cache_lab, cache_peringkat, peringkat_controls
from tests import pages
from tests.peringkat import fake

VIEWS = peringkat_controls.VIEWS


@pytest.fixture(scope="session")
def folders(tmp_path_factory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("peringkat")
    return {origin: fake.make_dataset(base / origin, origin) for origin in ("simulated", "real")}


@pytest.fixture
def open_page(folders, monkeypatch):
    """Callable: (origin, query parameters) → the page after its first run."""
    monkeypatch.setattr(cache_peringkat, "full_ranking", fake.full_ranking)
    monkeypatch.setattr(cache_peringkat, "transition", fake.transition)
    monkeypatch.setattr(cache_lab, "impact", fake.impact)

    def start(origin: str = "simulated", **query: str) -> AppTest:
        monkeypatch.setenv("DTSEN_DATASET", str(folders[origin]))
        settings.cache_clear()
        return pages.open_page("peringkat", **query)

    yield start
    settings.cache_clear()


def whole(app: AppTest) -> str:
    """All text on the page."""
    blocks = (app.markdown, app.caption, app.subheader, app.title, app.info, app.warning, app.error)
    return "\n".join(str(element.value) for kind in blocks for element in kind)


def check(app: AppTest) -> None:
    assert not app.exception
    assert not app.error, [element.value for element in app.error]
    assert "DATA SIMULASI" in whole(app) or "SIMULATED" in whole(app)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("show", VIEWS)
@pytest.mark.parametrize("model", ["pmt_provinsi", "resmi"])
def test_every_view_in_every_language(open_page, show, model, lang):
    app = open_page(show=show, model=model, lang=lang, model2="pmt_nasional")
    check(app)
    assert app.button[0].label == ("Hitung peringkat" if lang == "id" else "Compute ranking")
    if show not in ("impact", "movement"):
        assert app.metric[0].label == ("Waktu hitung" if lang == "id" else "Computing time")


@pytest.mark.parametrize(
    ("scope", "unit", "region", "benchmark"),
    list(itertools.product(["province", "regency"], ["persons"], ["ID", "32", "3201"], ["0", "1"])),
)
def test_combinations_from_a_link(open_page, scope, unit, region, benchmark):
    app = open_page(scope=scope, unit=unit, region=region, benchmark=benchmark, show="classes")
    check(app)
    chosen = {box.key: box.value for box in app.selectbox}
    assert chosen["peringkat.scope"] == scope
    assert chosen["peringkat.unit"] == unit
    assert chosen["peringkat.region"] == region
    columns = app.dataframe[0].value.columns
    assert ("P0 tanpa penyesuaian" in columns) is (benchmark == "1")


def test_changing_a_control_recomputes_and_writes_the_address(open_page):
    app = open_page()
    app.selectbox(key="peringkat.scope").set_value("regency").run()
    check(app)
    assert app.query_params["scope"] in ("regency", ["regency"])
    app.selectbox(key="peringkat.region").set_value("32").run()
    check(app)
    assert app.selectbox(key="peringkat.level").options == ["Kabupaten/kota", "Kecamatan"]
    app.button[0].click().run()
    check(app)


def test_values_out_of_range_are_answered_with_a_sentence(open_page):
    app = open_page(
        scope="galaksi", unit="kucing", region="9999", level="dusun", show="x", benchmark="2", model="../etc"
    )
    assert not app.exception
    assert not app.error
    assert len(app.warning) >= 5
    assert app.selectbox(key="peringkat.scope").value == "national"


def test_real_data_offer_no_simulated_model(open_page):
    app = open_page("real")
    assert not app.exception
    assert app.selectbox(key="peringkat.model").options == [
        "Peringkat resmi pada data", "Indeks berbobot", "Kartu skor unggahan",
    ]  # fmt: skip
    assert any("simulasi" in element.value for element in app.info)
    assert "DATA SIMULASI" not in whole(app)


@pytest.mark.parametrize("lang", LANGS)
def test_a_link_to_a_simulated_model_on_real_data_falls_back(open_page, lang):
    app = open_page("real", model="pmt_provinsi", lang=lang)
    assert not app.exception
    assert app.selectbox(key="peringkat.model").value == "resmi"
    assert app.warning


def test_the_workbench_comes_from_a_link_and_writes_itself_there(open_page):
    app = open_page(show="impact", w="aset50", drop="3.17", cut="2", line="120%")
    check(app)
    values = {slider.key: slider.value for slider in app.slider}
    assert values == {"peringkat.w.perumahan": 100, "peringkat.w.aset": 50, "peringkat.w.anggota": 100}
    assert len(app.multiselect(key="peringkat.drop").value) == 2
    assert "desil 1–2" in whole(app)
    app.slider(key="peringkat.w.anggota").set_value(150).run()
    check(app)
    assert app.query_params["w"] in ("aset50.anggota150", ["aset50.anggota150"])
    app.text_input(key="peringkat.line").set_value("600.000").run()
    assert app.query_params["line"] in ("600000", ["600000"])
    app.text_input(key="peringkat.line").set_value("banyak").run()
    assert any("banyak" in element.value for element in app.warning)
    for group in ("perumahan", "aset", "anggota"):
        app.slider(key=f"peringkat.w.{group}").set_value(0)
    app.run()
    assert not app.error
    assert any("sedikitnya satu" in element.value for element in app.warning)


def test_a_bad_workbench_in_a_link_is_told(open_page):
    app = open_page(w="aset55", drop="0", line="7", cut="12", show="impact")
    assert not app.exception
    assert len(app.warning) >= 4
    app = open_page(card="0123456789abcdef", model="unggahan")
    assert not app.exception
    assert any("unggah kembali" in element.value for element in app.warning)


def test_a_bad_scorecard_is_told_completely_in_the_visitors_language(open_page, monkeypatch):
    app = open_page("real", model="unggahan", lang="en")
    monkeypatch.setattr(cache_peringkat, "full_ranking", lambda dataset, request: from_csv(request.model))
    rows = ("variable,category,coefficient\njenis_lantai_terlus,1,0.1\naset_bergerak_ac,ya,nan\n"
            "aset_bergerak_mobil,ya,-1\n")  # fmt: skip
    app.file_uploader[0].upload("kartu.csv", rows.encode()).run()
    assert not app.exception
    shown = app.error[0].value
    for part in ("jenis_lantai_terluas", "not a number", "inverted sign"):
        assert literal(part) in shown


def test_an_upload_is_reopened_by_its_link(open_page):
    app = open_page("real", model="unggahan")
    app.file_uploader[0].upload("kartu.csv", b"variable,category,coefficient\nintercept,,13.9\n").run()
    card = app.query_params["card"]
    again = open_page("real", model="unggahan", card=card[0] if isinstance(card, list) else card)
    assert not again.exception
    assert not again.error
    assert again.subheader, "the finding of the ranking is shown"


def test_an_uploaded_scorecard_is_ranked(open_page):
    app = open_page("real", model="unggahan")
    assert "kartu skor" in app.info[-1].value.lower()
    app.file_uploader[0].upload("kartu.csv", b"variable,category,coefficient\nintercept,,13.8\n").run()
    assert not app.exception
    assert app.metric[0].label == "Waktu hitung"
    assert app.subheader, "the finding of the ranking is shown"


def test_uploads_are_kept_by_content_and_bounded():
    first, again = (cache_peringkat.keep_upload(b"a,b\n1,2\n") for _ in range(2))
    assert first == again
    for k in range(cache_peringkat.UPLOADS_KEPT + 5):
        path = Path(cache_peringkat.keep_upload(f"x{k}".encode()))
    assert len(list(path.parent.glob("*.csv"))) <= cache_peringkat.UPLOADS_KEPT
    with pytest.raises(cache_peringkat.UserError):
        cache_peringkat.keep_upload(b"0" * (cache_peringkat.UPLOAD_LIMIT + 1))


def test_language_switch_leaves_no_sentence_behind(open_page):
    app = open_page(show="deciles")
    indonesian = {box.label for box in app.selectbox} | {m.label for m in app.metric}
    english_app = open_page(show="deciles", lang="en")
    english = {box.label for box in english_app.selectbox} | {m.label for m in english_app.metric}
    assert indonesian & english <= {"Model"}
