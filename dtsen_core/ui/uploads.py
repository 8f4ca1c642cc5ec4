"""A file from an uploader, taken once (Streamlit hands the same file over on every run), and where such files lie."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import streamlit as st
from filelock import FileLock, Timeout

from dtsen_core.errors import UserError
from dtsen_core.ui import notices

Made = TypeVar("Made")
OWNER = "owner.lock"


@dataclass(frozen=True)
class OwnFolder:
    """A temporary folder of this process alone; it goes with the object, or with the next process that asks."""

    path: Path
    _folder: tempfile.TemporaryDirectory[str] = field(repr=False)
    _lock: FileLock = field(repr=False)


def own_folder(kind: str) -> OwnFolder:
    """A new folder for uploads of `kind`. Those of killed processes are removed: they may hold people's data."""
    prefix = f"dtsen-{kind}-"
    for old in Path(tempfile.gettempdir()).glob(f"{prefix}*/{OWNER}"):
        with contextlib.suppress(OSError, Timeout), FileLock(old).acquire(timeout=0):
            shutil.rmtree(old.parent, ignore_errors=True)
    folder = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
    held = FileLock(Path(folder.name) / OWNER)
    held.acquire(timeout=0)
    path = Path(folder.name) / "files"
    path.mkdir()
    return OwnFolder(path, folder, held)


def once(key: str, name: str, data: bytes, read: Callable[[], Made], lang: str) -> tuple[Made, str] | None:
    """(what `read` made, the file's stamp) the first time this file is seen; None after that and for a faulty file.

    A faulty file is answered in one sentence, again on every run while it lies in the uploader; what was held
    before stays. `key` is the place in the session that remembers the file.
    """
    stamp = hashlib.sha256(name.encode() + data).hexdigest()
    seen = st.session_state.get(key, {})
    made: Made | None = None
    if seen.get("stamp") != stamp:
        seen = st.session_state[key] = {"stamp": stamp}
        try:
            made = read()
        except UserError as error:
            seen["error"] = error
    if "error" in seen:
        notices.refusal(seen["error"].message(lang))
    return None if made is None else (made, stamp)
