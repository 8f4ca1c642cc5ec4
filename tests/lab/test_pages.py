"""The laboratory's views on the small demonstration, in both languages."""

from __future__ import annotations

import pytest

from dtsen_core.locale import LANGS
from dtsen_core.settings import settings
from tests import pages


@pytest.fixture
def open_page(small_dataset, monkeypatch):
    monkeypatch.setenv("DTSEN_DATASET", str(small_dataset))
    settings.cache_clear()
    yield pages.open_page
    settings.cache_clear()


def clean(app) -> None:
    assert not app.exception
    assert not app.error, [element.value for element in app.error]
    assert not app.warning, [element.value for element in app.warning]
    shown = " ".join(str(e.value) for kind in (app.markdown, app.caption, app.subheader) for e in kind)
    assert "nan" not in shown.lower().split()


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("region", ["ID", "32"])
def test_impact_of_a_changed_scorecard(open_page, lang, region):
    app = open_page("peringkat", show="impact", w="aset0", drop="33", lang=lang, region=region)
    clean(app)
    assert len(app.metric) == 3
    assert "PKH" in app.metric[0].label


@pytest.mark.parametrize("lang", LANGS)
def test_movement_between_the_versions_of_the_demonstration(open_page, lang):
    app = open_page("peringkat", show="movement", lang=lang)
    clean(app)
    assert "%" in app.subheader[0].value
    classes = app.dataframe[0].value
    assert len(classes) == 7


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("model", ["pmt_provinsi", "indeks"])
def test_the_explanation_of_one_family(open_page, lang, model):
    app = open_page("keluarga", lang=lang, model=model, q="77")
    clean(app)
    assert app.selectbox(key="keluarga.id").value == 77
    assert app.metric[0].value in {str(k) for k in range(1, 11)}
    app.text_input(key="keluarga.q").set_value("zzzzzz").run()
    assert not app.exception
    assert "zzzzzz" in app.info[0].value
    assert "q" not in app.query_params


def test_no_real_family_is_explained(open_page, tmp_path, monkeypatch):
    from tests.peringkat import fake

    monkeypatch.setenv("DTSEN_DATASET", str(fake.make_dataset(tmp_path / "real", "real")))
    settings.cache_clear()
    app = open_page("keluarga")
    assert not app.exception
    assert not app.selectbox
    assert "simulasi" in app.info[0].value
