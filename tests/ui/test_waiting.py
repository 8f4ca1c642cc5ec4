"""Whoever waits for a ranking sees the place in the line, and nothing of it stays behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from dtsen_core.policy import ground
from dtsen_core.rank import engine
from dtsen_core.rank.queue import LINE
from dtsen_core.settings import settings
from dtsen_core.ui import waiting
from tests import pages


class Busy:
    """A server that somebody else's ranking keeps at work until the first visitor in line was `told` a sentence."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.go = threading.Event()

    def begin(self) -> None:
        """Nothing is in memory, and the other ranking runs."""
        st.cache_data.clear()
        st.cache_resource.clear()
        engine.forget()
        ground.forget()
        taken = threading.Event()

        def work() -> None:
            with LINE.turn():
                taken.set()
                self.go.wait(60)

        threading.Thread(target=work, daemon=True).start()
        assert taken.wait(60)


@pytest.fixture
def busy(small_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Busy]:
    monkeypatch.setenv("DTSEN_DATASET", str(small_dataset))
    settings.cache_clear()
    made, write = Busy(), waiting.words

    def hear(place: int, length: int, lang: str) -> str:
        made.told.append(write(place, length, lang))
        made.go.set()
        return made.told[-1]

    monkeypatch.setattr(waiting, "words", hear)
    yield made
    made.go.set()
    settings.cache_clear()


@pytest.mark.parametrize(
    ("name", "lang", "said"), [("peringkat", "id", "urutan ke-2 dari 2"), ("ringkasan", "en", "number 2 of 2 in line")]
)
def test_a_page_that_ranks_tells_the_place(busy: Busy, name: str, lang: str, said: str) -> None:
    if name != pages.FIRST:
        pages.open_page(lang=lang)  # the summary, which every visit begins with, ranks on its own
    busy.begin()
    app = pages.open_page(name, lang=lang)
    assert len(busy.told) == 1
    assert said in busy.told[0]
    # gone when the turn has come, and not repeated with the answer from memory
    for shown in (app, app.run()):
        assert not shown.exception
        assert not [info for info in shown.info if busy.told[0] in info.value]
    assert len(busy.told) == 1


def test_a_visitor_who_is_gone_leaves_the_line() -> None:
    class Gone(BaseException):
        pass

    def leave(place: int) -> None:
        raise Gone

    release, taken = threading.Event(), threading.Event()

    def work() -> None:
        with LINE.turn():
            taken.set()
            release.wait(60)

    thread = threading.Thread(target=work)
    thread.start()
    taken.wait(60)
    with pytest.raises(Gone), waiting.telling(leave), LINE.turn():
        raise AssertionError("the turn never comes")
    assert LINE.length == 1
    release.set()
    thread.join(60)
    assert LINE.length == 0


@pytest.mark.parametrize(("place", "length", "said"), [(1, 2, "urutan ke-2 dari 2"), (2, 1, "urutan ke-3 dari 3")])
def test_words(place: int, length: int, said: str) -> None:
    assert said in waiting.words(place, length, "id")
