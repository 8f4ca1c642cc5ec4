"""Both pages over every control, in both languages, on simulated, real and old datasets."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from dtsen_core.errors import UserError
from dtsen_core.integrate import review
from dtsen_core.locale import LANGS, text
from dtsen_core.policy.quality import accuracy, areas, measures
from dtsen_core.present.literal import literal
from dtsen_core.registry import manifest as manifests
from dtsen_core.registry import versions as kept
from dtsen_core.ui import cache_mutu, mutu_parts, mutu_upload
from tests.mutu import fake


def healthy(app: AppTest) -> None:
    assert not app.exception
    assert not app.error, [element.value for element in app.error]


def words(app: AppTest) -> str:
    kinds = ("title", "header", "subheader", "caption", "markdown", "info", "warning", "success")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("kind", ["simulated", "real", "old"])
@pytest.mark.parametrize("show", mutu_parts.VIEWS)
def test_every_question_in_every_language(visit, kind: str, show: str, lang: str) -> None:
    app = visit(kind, show=show, lang=lang)
    healthy(app)
    assert app.title[0].value == text("ui.page_mutu", lang)
    unheld = kind == "old" and show not in ("reading", "trend", "upload")
    if unheld:
        assert text(f"mutu.show_{show}", lang) in app.info[0].value
        assert not app.dataframe
    elif kind == "real" and show == "accuracy":
        assert app.info[0].value == text("mutu.real_no_truth", lang)
    else:
        assert app.header, "the finding stands above the figures"


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("show", measures.VIEWS)
def test_every_combination_of_controls(visit, show: str, lang: str) -> None:
    """Every measure at every level with every value of every further control, one page long."""
    app = visit(show=show, lang=lang)
    for measure in measures.of_view(show):
        if len(measures.of_view(show)) > 1:
            app.selectbox(key=f"mutu.{show}.measure").set_value(measure).run()
            healthy(app)
        for level in areas.levels(measure) if len(areas.levels(measure)) > 1 else ():
            app.segmented_control(key=f"mutu.{show}.level").set_value(level).run()
            healthy(app)
            rows = {len(table.value) for table in app.dataframe}
            assert (514 if level == "regency" else 38) in rows
        own = [box for box in app.selectbox if box.key.startswith(f"mutu.{show}.") and not box.key.endswith("measure")]
        keys = [(box.key, list(range(len(box.options)))) for box in own]
        for key, choices in keys:
            for number in choices:
                app.selectbox(key=key).select_index(number).run()
                healthy(app)
            app.selectbox(key=key).select_index(0).run()


@pytest.mark.parametrize("by", accuracy.BY)
@pytest.mark.parametrize("source", ["all", "p3ke"])
def test_accuracy_by_everything(visit, by: str, source: str) -> None:
    app = visit(show="accuracy", by=by, source=source)
    healthy(app)
    begins = {"pass": "Presisi terendah", "error_kind": "Kerusakan tersulit"}.get(by, "Recall terendah")
    assert app.subheader[1].value.startswith(begins)
    assert "%" in app.subheader[1].value
    assert app.subheader[2].value == (
        "99,89% keluarga tersusun kembali dengan tepat, 96,00% bila kartunya digabung dan 98,00% bila dipecah; "
        "kartu Dukcapil apa adanya 99,82%"
    )
    rebuilt = app.dataframe[-1].value
    assert rebuilt.iloc[:, 0].tolist() == ["Semua keluarga", "Kartu tidak berubah", "Dua kartu digabung menjadi satu",
                                           "Satu kartu dipecah menjadi dua"]  # fmt: skip
    assert rebuilt.iloc[0, 1] == 10_000


@pytest.mark.parametrize("show", mutu_parts.VIEWS)
@pytest.mark.parametrize("kind", ["tiny", "empty"])
def test_small_and_empty_tables_are_no_error(visit, kind: str, show: str) -> None:
    healthy(visit(kind, show=show))


def test_a_link_restores_the_view(visit) -> None:
    app = visit(show="matching", measure="review", source="regsosek", level="province")
    healthy(app)
    assert not app.warning
    assert "menunggu tinjauan" in app.subheader[0].value
    assert app.dataframe[0].value.shape[0] == 38
    assert app.query_params["measure"] == "review"


def test_the_next_question_does_not_inherit_the_last_one_s_controls(visit) -> None:
    app = visit(show="matching", measure="review", source="regsosek")
    app.segmented_control(key="mutu.show").set_value("disagreement").run()
    healthy(app)
    assert not app.warning
    assert "measure" not in app.query_params
    app.segmented_control(key="mutu.show").set_value("completeness").run()
    app.segmented_control(key="mutu.set").set_value("anggota").run()
    healthy(app)
    assert not app.warning


@pytest.mark.parametrize("query", [{"show": "x"}, {"measure": "<b>"}, {"source": "x" * 400}, {"level": "district"}])
def test_a_bad_address_gets_a_sentence_and_the_default(visit, query: dict[str, str]) -> None:
    app = visit(**query)
    healthy(app)
    assert len(app.warning) == 1
    assert app.dataframe


def test_small_cells_are_hidden_in_table_and_title(visit) -> None:
    app = visit(show="reading", source="p3ke")
    healthy(app)
    assert "Tersamar" in words(app)


def test_one_version_is_said_in_words_and_two_are_drawn(visit, tmp_path: Path) -> None:
    assert text("mutu.one_version", "id") in words(visit(show="trend"))
    root = tmp_path / "data"
    fake.make(root / "versions" / "a", version="a", as_of="2026-03-31", worse=1.6)
    fake.make(root / "versions" / "b", version="b", as_of="2026-06-30")
    kept.serve(root, manifests.read(root / "versions" / "b"), "versions/b")
    app = visit(folder=root, show="trend")
    healthy(app)
    assert "sejak versi sebelumnya" in app.header[0].value
    assert len(app.dataframe[0].value) == 2


# -- upload ------------------------------------------------------------------------------------------------


def test_upload_is_refused_on_simulated_data(visit) -> None:
    app = visit(show="upload")
    healthy(app)
    assert app.warning[0].value == text("mutu.upload_simulated", "id")
    assert not app.file_uploader


class Builder:
    """Stands in for the build room and remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple] = []

    def __call__(self, kind, files, root, *, codes, as_of, dry_run, progress, lang):
        progress(SimpleNamespace(fraction=0.5))
        self.calls.append((kind, [Path(f).read_bytes() for f in files], codes, as_of, dry_run))
        if b"rusak" in self.calls[-1][1][0]:
            raise UserError("errors_mutu.decision", given="x", allowed="y")
        report = {"path": files[0], "read": 11, "header": 1, "blank": 0, "accepted": 8, "quarantined": 2,
                  "reasons": {"nik_tak_sah": 2}, "every_reason": {"nik_tak_sah": 2, "kk_tak_sah": 1}}  # fmt: skip
        folder = cache_mutu.beside_upload(files)
        folder.mkdir(exist_ok=True)
        (folder / f"karantina_{kind}.csv").write_text("alasan", encoding="utf-8")
        return {"files": [report], "exports": [str(folder / f"karantina_{kind}.csv")],
                "version": "dtsen-20260630", "families": 7, "persons": 21,
                "unchanged": b"sama" in self.calls[-1][1][0]}  # fmt: skip


def test_an_update_is_tried_before_it_is_applied(visit, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = Builder()
    monkeypatch.setattr(mutu_upload, "ingest", builder)
    app = visit("real", show="upload", kind="dtks", codes="bps")
    healthy(app)
    app.file_uploader[0].upload("kab<b>.csv", b"NIK|NAMA\n").run()
    healthy(app)
    assert "mutu.upload.apply" not in {button.key for button in app.button}
    app.button(key="mutu.upload.try").click().run()
    healthy(app)
    assert builder.calls[-1][0] == "dtks"
    assert builder.calls[-1][2] == "bps"
    assert builder.calls[-1][4] is True
    assert isinstance(builder.calls[-1][3], dt.date)
    assert "7 keluarga" in words(app)
    assert "8 dari 11 baris" in app.subheader[0].value
    reasons = app.dataframe[1].value
    assert reasons[text("mutu.col_reason_code", "id")].tolist() == ["nik_tak_sah", "kk_tak_sah"]
    assert reasons[text("mutu.col_reason", "id")].tolist() == [
        text(f"integrate.{code}", "id") for code in ("nik_tak_sah", "kk_tak_sah")
    ]
    assert reasons[text("mutu.col_lines_main", "id")].tolist() == [2, 0]
    assert reasons[text("mutu.col_lines_every", "id")].tolist() == [2, 1]
    assert text("mutu.reasons_note_lines", "id") in words(app)
    offered = {button.proto.label for button in app.get("download_button")}
    assert text("mutu.upload_corrections", "id", name="karantina_dtks.csv") in offered
    app.button(key="mutu.upload.apply").click().run()
    healthy(app)
    assert builder.calls[-1][4] is False
    assert "dtsen-20260630" in app.success[0].value


def test_a_file_that_cannot_be_read_is_one_sentence(visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutu_upload, "ingest", Builder())
    app = visit("real", show="upload")
    app.file_uploader[0].upload("x.csv", b"rusak").run()
    app.button(key="mutu.upload.try").click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert "mutu.upload.apply" not in {button.key for button in app.button}


@pytest.mark.parametrize(("kind", "data"), [
    ("dukcapil", b"NIK,NAMA\0\n1,2\n"), ("dtks", b"PK\x03\x04" + bytes(1000)), ("bpjs", b"x" * 2_000_000), ("pln", b""),
    ("dukcapil", b"![x](http://contoh.id/x.png),:red[NIK]\n1,2\n"),
])  # fmt: skip
@pytest.mark.parametrize("lang", LANGS)
def test_nasty_files_end_in_one_sentence_on_the_page(visit, folders, kind: str, data: bytes, lang: str) -> None:
    """The whole way through the real build room (the corpus itself goes through it in ``tests/fuzz``)."""
    before = sorted(folders["real"].rglob("*"))
    app = visit("real", show="upload", kind=kind, lang=lang)
    app.file_uploader[0].upload("x.csv", data).run()
    app.button(key="mutu.upload.try").click().run()
    assert not app.exception
    assert len(app.error) == 1
    sentence = app.error[0].value
    assert "x.csv" in sentence
    assert "/" not in sentence.replace("http\\://contoh.id/x.png", "").replace("ZIP/XLSX", "").replace("/kota", "")
    assert "![" not in sentence
    assert text("errors_ui.unexpected", lang, code="")[:20] not in sentence
    assert "mutu.upload.apply" not in {button.key for button in app.button}
    assert sorted(folders["real"].rglob("*")) == before


def test_files_that_are_held_already_are_not_applied(visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutu_upload, "ingest", Builder())
    app = visit("real", show="upload")
    app.file_uploader[0].upload("x.csv", b"sama").run()
    app.button(key="mutu.upload.try").click().run()
    healthy(app)
    assert text("mutu.upload_unchanged", "id") in words(app)
    assert "mutu.upload.apply" not in {button.key for button in app.button}


def test_quarters_end_before_today() -> None:
    ends = mutu_upload.quarter_ends(dt.date(2026, 1, 15), 3)
    assert ends == ("2025-12-31", "2025-09-30", "2025-06-30")
    assert mutu_upload.quarter_ends(dt.date(2026, 3, 31), 1) == ("2026-03-31",)


# -- review queue ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("source", "state"), list(itertools.product(["all", "dtks"], review.STATES)))
def test_every_selection_of_the_queue(visit, decided: Path, source: str, state: str, lang: str) -> None:
    app = visit(page="tinjauan", source=source, state=state, lang=lang)
    healthy(app)
    assert app.title[0].value == text("ui.page_tinjauan", lang)


def test_a_decision_is_kept_and_the_next_pair_shown(visit, decided: Path) -> None:
    app = visit(page="tinjauan")
    assert "40 pasangan" in app.subheader[0].value
    first = app.session_state["tinjauan.pair"]
    app.button(key="tinjauan.decide.same").click().run()
    healthy(app)
    assert review.latest(decided) == {first: "same"}
    assert app.session_state["tinjauan.pair"] != first
    assert "39 pasangan" in app.subheader[0].value
    app.segmented_control(key="tinjauan.state").set_value("same").run()
    assert app.session_state["tinjauan.pair"] == first
    app.button(key="tinjauan.decide.different").click().run()
    healthy(app)
    assert [(d.decision, d.previous) for d in review.log(decided)] == [("different", "same"), ("same", None)]


def test_walking_through_the_queue(visit, decided: Path) -> None:
    app = visit(page="tinjauan")
    first = app.session_state["tinjauan.pair"]
    app.button(key="tinjauan.after").click().run()
    healthy(app)
    assert app.query_params["pair"] == app.session_state["tinjauan.pair"] != first
    app.button(key="tinjauan.before").click().run()
    assert app.session_state["tinjauan.pair"] == first
    assert "pair" not in app.query_params


def test_markup_in_a_name_is_shown_and_not_obeyed(visit, decided: Path) -> None:
    app = visit(page="tinjauan", pair="p0020")
    healthy(app)
    shown = "".join(str(element.proto.body) for element in app.get("html"))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script>" not in shown


@pytest.mark.parametrize("lang", LANGS)
def test_names_are_closed_on_real_data(visit, lang: str) -> None:
    app = visit("real", page="tinjauan", lang=lang, pair="p0001")
    healthy(app)
    assert app.info[0].value == literal(text("errors_mutu.names_need_sign_in", lang))
    assert "AHMAD" not in words(app)
    assert not app.get("html")
    assert not app.button
