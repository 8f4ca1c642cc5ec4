from __future__ import annotations

import os
import subprocess

import pytest


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever tries to start a program fails the test."""

    def refuse(*words: object, **options: object) -> None:
        raise AssertionError(f"a program was started: {words}")

    for owner, name in ((os, "system"), (os, "popen"), (subprocess, "Popen"), (subprocess, "run")):
        monkeypatch.setattr(owner, name, refuse)
