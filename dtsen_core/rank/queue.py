"""Rankings one at a time, on all cores, in order of arrival, with the place in the line told.

Two at once would take each other's cores and cache: everybody would wait for the sum. Whoever waits can
be told his place, 0 being the one at work: within `telling`, on the same thread. `LINE.length` is for
anybody to read.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[int], None]

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


class Line:
    """First come, first served; a thread whose turn it is may enter again."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._line: deque[object] = deque()
        self._working: int | None = None

    @property
    def length(self) -> int:
        """How many are in the line, the one at work included."""
        return len(self._line)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the turn and hold it for the body of the statement."""
        if self._working == threading.get_ident():
            yield
            return
        ticket, told = object(), None
        listener = _listener.get()
        with self._changed:
            self._line.append(ticket)
        try:
            while True:
                with self._changed:
                    place = self._line.index(ticket)
                    if place == 0:
                        self._working = threading.get_ident()
                        break
                    if place == told or listener is None:
                        self._changed.wait()
                        continue
                told = place
                listener(place)  # outside the lock: it may draw on a screen
            if listener is not None:
                listener(0)
            yield
        finally:
            with self._changed:
                if self._line and self._line[0] is ticket:
                    self._working = None
                self._line.remove(ticket)
                self._changed.notify_all()


LINE = Line()


@contextmanager
def telling(listener: Listener) -> Iterator[None]:
    """Within the body, rankings of this thread call `listener` with their place whenever it changes."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
