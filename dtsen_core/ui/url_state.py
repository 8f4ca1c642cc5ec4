"""The state of a page as it stands in the address: stable codes, never labels.

The address is rewritten on every page because Streamlit clears it on a page change. A value that is not
known is answered with one sentence and the default; a value the visitor (or a link) puts into the
address wins over the control on screen, a value this module wrote itself does not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import streamlit as st

from dtsen_core import locale
from dtsen_core.errors import UserError
from dtsen_core.ui import notices

_WRITTEN = "_url_written"
_LANG = "_lang"
_MAX_LENGTH = 200  # longer values are never codes of ours; refuse before any parser sees them

Parser = Callable[[str], Any]


def validate(raw: str, allowed: Collection[Any] | Parser) -> Any:
    """The value `raw` stands for; ValueError or UserError when it is not one of `allowed` / not parsed.

    Collections are compared by their text form, so codes may be strings or integers.
    """
    if len(raw) > _MAX_LENGTH:
        raise ValueError("too long")
    if callable(allowed):
        return allowed(raw)
    for value in allowed:
        if str(value) == raw:
            return value
    raise ValueError(raw)


def language() -> str:
    """The visitor's language: a `lang` in the address, else the session's choice, else Indonesian."""
    raw = st.query_params.get("lang")
    if raw is not None and _is_external("lang", raw):
        if raw in locale.LANGS:
            st.session_state[_LANG] = raw
        else:
            _warn("lang", raw, current_language())
        _remember("lang", raw)
    return current_language()


def current_language() -> str:
    return str(st.session_state.get(_LANG, locale.LANGS[0]))


def set_language(lang: str) -> None:
    """Choose `lang` for this session; the address follows with the next `write`."""
    if lang in locale.LANGS:
        st.session_state[_LANG] = lang
        _put("lang", lang if lang != locale.LANGS[0] else None)


def read(name: str, allowed: Collection[Any] | Parser, default: Any) -> Any:
    """The validated value of `name` in the address, or `default` (with a sentence if it was wrong)."""
    raw = st.query_params.get(name)
    if raw is None:
        return default
    try:
        return validate(raw, allowed)
    except UserError as error:
        notices.caution(error.message(current_language()))
    except (ValueError, KeyError):
        _warn(name, raw, default)
    return default


def external(name: str) -> bool:
    """True if the address holds a `name` that this session did not write itself (a link, a typed value)."""
    raw = st.query_params.get(name)
    return raw is not None and _is_external(name, raw)


def write(**params: Any) -> None:
    """Put `params` into the address (None removes one) and keep the language there."""
    lang = current_language()
    _put("lang", lang if lang != locale.LANGS[0] else None)
    for name, value in params.items():
        _put(name, None if value is None else str(value))


def _put(name: str, value: str | None) -> None:
    # Assign only on change: every assignment is a message to the browser.
    if value is None:
        if name in st.query_params:
            del st.query_params[name]
        st.session_state.setdefault(_WRITTEN, {}).pop(name, None)
        return
    if st.query_params.get(name) != value:
        st.query_params[name] = value
    _remember(name, value)


def _remember(name: str, value: str) -> None:
    st.session_state.setdefault(_WRITTEN, {})[name] = value


def _is_external(name: str, raw: str) -> bool:
    return st.session_state.get(_WRITTEN, {}).get(name) != raw


def _warn(name: str, raw: str, default: Any) -> None:
    shown = raw if len(raw) <= 40 else raw[:40] + "…"
    plain = isinstance(default, str | int | float) and not isinstance(default, bool) and str(default)
    text = locale.text(
        "errors_ui.bad_parameter" if plain else "errors_ui.bad_parameter_default",
        current_language(),
        value=shown,
        name=name,
        default=default,
    )
    notices.caution(text)
