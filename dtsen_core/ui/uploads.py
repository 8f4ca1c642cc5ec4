"""A file from an uploader, taken once: Streamlit hands the same file over on every run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from dtsen_core.errors import UserError

Made = TypeVar("Made")


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
        st.error(seen["error"].message(lang))
    return None if made is None else (made, stamp)
