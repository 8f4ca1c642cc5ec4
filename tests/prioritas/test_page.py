"""The page in the running app: every section in both languages, links, scenarios, and what goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dtsen_core import locale
from dtsen_core.policy import priority_plan
from dtsen_core.policy.scenarios import Store
from dtsen_core.ui.prioritas_state import PLAN, VIEWS
from tests import pages


def open_page(**query: str) -> AppTest:
    return pages.open_page("prioritas", **query)


def healthy(app: AppTest) -> None:
    assert not app.exception
    assert [e.value for e in app.error] == []
    words = " ".join(str(e.value) for kind in ("subheader", "caption", "markdown") for e in app.get(kind))
    assert "nan" not in words.lower().split()


@pytest.mark.slow
@pytest.mark.parametrize("lang", locale.LANGS)
def test_every_section_opens_in_both_languages(served: Path, lang: str) -> None:
    for view in VIEWS:
        app = open_page(lang=lang, bagian=view)
        healthy(app)
        assert len(app.subheader) == 1
        assert app.query_params.get("bagian", VIEWS[0]) == view


@pytest.mark.slow
def test_provinces_and_districts_are_ranked_too(served: Path) -> None:
    app = open_page(level="province")
    healthy(app)
    assert any("38 provinsi" in str(c.value) for c in app.caption)
    app = open_page(level="district", within="31")
    healthy(app)
    assert app.session_state[PLAN].within == "31"


def test_a_link_restores_the_plan(served: Path) -> None:
    app = open_page(ind="p0.80h~water.20l", norm="percentile", top="20", island="Papua")
    healthy(app)
    plan = app.session_state[PLAN]
    assert [(i.key, i.weight, i.direction) for i in plan.items] == [("p0", 80, 1), ("water", 20, -1)]
    assert (plan.normalisation, plan.top, plan.island) == ("percentile", 20, "Papua")
    assert app.slider(key="prioritas.w.p0").value == 80
    assert app.query_params["ind"] == "p0.80h~water.20l"


@pytest.mark.slow
@pytest.mark.parametrize("query", [{"ind": "x.5h"}, {"top": "7"}, {"norm": "rank"}, {"bagian": "x"}, {"within": "99"},
                                   {"skenario": "nothing"}])  # fmt: skip
def test_a_wrong_address_is_one_sentence_and_the_page_stands(served: Path, query: dict[str, str]) -> None:
    app = open_page(**query)
    assert not app.exception
    assert len(app.warning) == 1
    assert "Item(" not in app.warning[0].value
    assert len(app.subheader) == 1


def test_all_weights_zero_keep_the_last_good_ranking(served: Path) -> None:
    app = open_page()
    title = app.subheader[0].value
    for item in priority_plan.default_plan().items:
        app.slider(key=f"prioritas.w.{item.key}").set_value(0)
    app.run()
    assert not app.exception
    assert "nol" in app.error[0].value
    assert app.subheader[0].value == title


def test_a_scenario_is_saved_opened_by_link_and_deleted(served: Path) -> None:
    app = open_page(bagian="skenario", ind="p0.100h", top="10")
    app.text_input(key="prioritas.save_name").set_value("Sepuluh termiskin")
    app.button(key="FormSubmitter:prioritas.save-Simpan pilihan sekarang").click().run()
    healthy(app)
    kept = Store(served).list(priority_plan.KIND)
    assert [s.name for s in kept] == ["Sepuluh termiskin"]
    assert app.query_params["skenario"] == kept[0].id
    again = open_page(skenario=kept[0].id)
    healthy(again)
    plan = again.session_state[PLAN]
    assert ([i.key for i in plan.items], plan.top) == (["p0"], 10)
    other = open_page(bagian="skenario")
    healthy(other)
    assert "1 skenario" in other.subheader[0].value
    other.button(key="prioritas.delete").click().run()
    healthy(other)
    assert Store(served).list() == ()


@pytest.mark.slow
def test_the_same_name_twice_is_one_sentence(served: Path) -> None:
    Store(served).save(priority_plan.KIND, "A", priority_plan.default_plan().params(), "v1")
    app = open_page(bagian="skenario")
    app.text_input(key="prioritas.save_name").set_value("a")
    app.button(key="FormSubmitter:prioritas.save-Simpan pilihan sekarang").click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert len(Store(served).list()) == 1
