"""A bounded cache for results that are costly to make; identical requests wait for one computation."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Cache(Generic[T]):
    """Drops the least recently used values once sizes sum to more than `limit` (at least one stays)."""

    def __init__(self, limit: int, size: Callable[[T], int]) -> None:
        self._limit, self._size = limit, size
        self._held: OrderedDict[Hashable, T] = OrderedDict()
        self._turns: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value under `key`, made by `make` if it is not held; what `make` raises is not kept."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                if key in self._held:
                    return self._held[key]
            value = make()
            with self._lock:
                self._held[key] = value
                self._turns.pop(key, None)
                while len(self._held) > 1 and sum(map(self._size, self._held.values())) > self._limit:
                    self._held.popitem(last=False)
            return value

    def __contains__(self, key: Hashable) -> bool:
        return key in self._held

    def clear(self) -> None:
        with self._lock:
            self._held.clear()
