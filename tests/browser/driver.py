"""A real server on a free port, and a visitor in Chromium who notes every address asked for outside."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import TimeoutError as PlaywrightTimeout

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
ARGUMENTS = (
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--use-gl=angle",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
)  # fmt: skip
LOCAL = re.compile(r"(data|blob|about):|(https?|wss?)://(127\.0\.0\.1|localhost)[:/]")
LAPTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
BUSY = """() => !!document.querySelector('[data-testid="stStatusWidget"], [data-testid="stSkeleton"],'
    + ' [data-testid="stApp"][data-test-script-state="running"]')"""


def chromium() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(dataset: Path, log: Path) -> Iterator[str]:
    """The dashboard on a free port over `dataset`; yields its address, ends the server it started."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port),
               "--server.address", "127.0.0.1", "--server.headless", "true"]  # fmt: skip
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "DTSEN_DATASET": str(dataset)}
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(f"{address}/_stcore/health", server, log)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait_for(url: str, server: subprocess.Popen, log: Path, patience_s: float = 60) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=2) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise AssertionError(f"no answer from {url}: {log.read_text(encoding='utf-8', errors='replace')}")


@dataclass
class Visitor:
    """One browser tab that remembers every address it asked for outside this machine, and every error it reported."""

    page: Any
    address: str
    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)  # what the page wrote to the console as an error

    def open(self, path: str = "") -> None:
        self.page.goto(f"{self.address}/{path}")
        self.settle()

    def settle(self, limit_s: float = 90) -> None:
        """Wait until no script runs and no placeholder is left for a full second."""
        page = self.page
        page.wait_for_selector('[data-testid="stApp"] h1', timeout=limit_s * 1000)
        deadline = time.monotonic() + limit_s
        quiet = 0
        while quiet < 5:
            assert time.monotonic() < deadline, "the page never came to rest"
            quiet = 0 if page.evaluate(BUSY) else quiet + 1
            page.wait_for_timeout(200)

    def choose(self, key: str, option: str, tries: int = 5) -> None:
        """Take `option` from the selection box whose widget key is `key`.

        A run that ends while the list is open closes it again, so the list is opened until the option is there.
        """
        wanted = self.page.get_by_role("option", name=option)
        for _ in range(tries):
            self.page.locator(f".st-key-{key} input").first.click()
            with contextlib.suppress(PlaywrightTimeout):
                wanted.click(timeout=6_000)
                break
            self.page.keyboard.press("Escape")
            self.settle()
        else:
            raise AssertionError(f"{option!r} is not in the list of {key}")
        self.settle()

    def press(self, button: str, words: str, tries: int = 3) -> None:
        """Press `button` and wait for `words`; a press that falls into a run under way is lost and made again."""
        for attempt in range(tries):
            self.settle()
            self.page.get_by_role("button", name=button).first.click()
            try:
                self.page.get_by_text(words).first.wait_for(timeout=20_000)
                return
            except PlaywrightTimeout:
                if attempt == tries - 1:
                    raise

    def text(self) -> str:
        return str(self.page.inner_text("body"))

    def title(self) -> str:
        return str(self.page.locator("h1").first.inner_text()).strip()

    def broken(self) -> int:
        return int(self.page.locator('[data-testid="stException"]').count())

    def overflow(self) -> int:
        width = "() => document.documentElement.scrollWidth - window.innerWidth"
        return int(self.page.evaluate(width))
