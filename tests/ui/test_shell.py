"""The shell without a dataset, with a damaged one, and when a page breaks: one sentence, no traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dtsen_core.build import runner
from dtsen_core.build.runner import BuildStatus
from dtsen_core.errors import UserError
from dtsen_core.locale import LANGS, text
from dtsen_core.present.literal import literal
from dtsen_core.ui import build_screen
from dtsen_core.ui.pages_list import pages

Opener = Callable[..., AppTest]


class Builder:
    """Stands in for the build process; notes who asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, status: BuildStatus) -> None:
        self.started: list[Path] = []
        self.now = status
        monkeypatch.setattr(runner, "start", self.start)
        monkeypatch.setattr(runner, "status", lambda out: self.now)

    def start(self, out: Path) -> None:
        self.started.append(out)
        self.now = BuildStatus("running")


@pytest.mark.parametrize("lang", LANGS)
def test_without_a_dataset_one_build_starts_and_its_progress_shows(
    open_app: Opener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lang: str
) -> None:
    builder = Builder(monkeypatch, BuildStatus("none"))
    app = open_app(tmp_path / "demo", lang=lang)
    assert not app.exception
    assert builder.started == [tmp_path / "demo"]
    assert app.title[0].value == text("ui.build_title", lang)
    builder.now = BuildStatus("running", "fit", 0.42, 95.0)
    second = open_app(tmp_path / "demo", lang=lang)
    assert len(builder.started) == 1, "a second visitor waits on the same build"
    shown = second.get("progress")[0].proto
    assert text("build.stage_fit", lang) in shown.text
    assert "42%" in shown.text
    assert shown.value == 42
    left = text("ui.build_minutes", lang, minutes=1, seconds=35)
    assert any(left in caption.value for caption in second.caption)


def test_a_failed_build_says_why_and_can_be_tried_again(
    open_app: Opener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failed = BuildStatus("failed", message_key="errors_dataset.disk_full", params={"path": "data/build"})
    builder = Builder(monkeypatch, failed)
    app = open_app(tmp_path / "demo")
    assert app.error[0].value == literal(text("errors_dataset.disk_full", "id", path="data/build"))
    assert builder.started == []
    app.button[0].click().run()
    assert len(builder.started) == 1


def test_a_closed_folder_is_one_sentence(open_app: Opener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Builder(monkeypatch, BuildStatus("none"))

    def refuse(out: Path) -> None:
        raise UserError("errors_dataset.not_writable", path=out)

    monkeypatch.setattr(runner, "start", refuse)
    app = open_app(tmp_path / "demo", lang="en")
    assert not app.exception
    assert [e.value for e in app.error] == [literal(text("errors_dataset.not_writable", "en", path=tmp_path / "demo"))]


@pytest.mark.parametrize("page", [entry.name for entry in pages()])
@pytest.mark.parametrize("lang", LANGS)
def test_a_damaged_dataset_is_one_sentence_on_every_page(
    open_app: Opener, tmp_path: Path, page: str, lang: str
) -> None:
    (tmp_path / "manifest.json").write_text("{ rusak", encoding="utf-8")
    app = open_app(tmp_path, page, lang=lang)
    assert not app.exception
    assert [e.value for e in app.error] == [literal(text("errors_dataset.damaged", lang, path=tmp_path))]


def test_a_fault_in_a_page_shows_a_code_and_no_detail(
    open_app: Opener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(path: Path) -> bool:
        raise ZeroDivisionError("rahasia dapur")

    monkeypatch.setattr(build_screen, "is_missing", broken)
    app = open_app(tmp_path)
    assert not app.exception
    assert len(app.error) == 1
    assert "rahasia dapur" not in app.error[0].value
    code = app.error[0].value.split("kode ")[1][:6]
    assert code in caplog.text
    assert "rahasia dapur" in caplog.text


def test_time_left_is_said_in_words() -> None:
    assert build_screen.time_left(None, "id") == text("ui.build_left_unknown", "id")
    assert "45 detik" in build_screen.time_left(45.2, "id")
    assert "2 min 5 s" in build_screen.time_left(125, "en")


def test_an_empty_folder_counts_as_missing_and_a_filled_one_does_not(tmp_path: Path) -> None:
    assert build_screen.is_missing(tmp_path / "belum")
    assert build_screen.is_missing(tmp_path)
    (tmp_path / "sesuatu.txt").touch()
    assert not build_screen.is_missing(tmp_path)
