"""The visitor's place among the rankings that wait, shown on whichever page asked for one.

Rankings run one at a time (`rank.queue`). A request of a page may wait deep inside a cached answer, and Streamlit
repeats what is drawn there for everybody who gets the answer later. So the place is drawn in the context of the
page's own run, taken before any cached answer was asked for; nothing of it is kept. Drawing also lets Streamlit end
the run of a visitor who has left or changed a control: the request then leaves the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dtsen_core.locale import text
from dtsen_core.present import numbers
from dtsen_core.rank.queue import LINE, telling


def words(place: int, length: int, lang: str) -> str:
    """The sentence for `place` in the line (0: at work) of `length` requests, the one at work included."""
    rank, of = (numbers.number(n, lang) for n in (place + 1, max(length, place + 1)))
    return text("ui.waiting", lang, rank=rank, of=of)


@contextmanager
def place_shown(lang: str) -> Iterator[None]:
    """Within the body, a ranking that has to wait says so, and which place it has, until its turn comes."""
    outside = copy_context()
    slots: list[DeltaGenerator] = []

    def draw(place: int) -> None:
        if place == 0:
            while slots:
                slots.pop().empty()
            return
        if not slots:  # made only when needed, so that a page without a wait keeps its order of elements
            slots.append(st.empty())
        slots[0].info(words(place, LINE.length, lang), icon=":material/hourglass_top:")

    def hear(place: int) -> None:
        if place or slots:
            outside.run(draw, place)

    with telling(hear):
        yield
