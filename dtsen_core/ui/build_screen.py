"""What a visitor sees while there is no dataset: one shared build, its stages and the time left."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dtsen_core import locale
from dtsen_core.build import runner
from dtsen_core.errors import UserError
from dtsen_core.present import numbers
from dtsen_core.registry import versions
from dtsen_core.ui import notices

_POLL_SECONDS = 1.0


def is_missing(path: Path) -> bool:
    """True if there is nothing at `path` yet (a folder with something in it is judged on opening)."""
    return versions.untouched(path)


def under_way(path: Path) -> bool:
    """True while a build for `path` is running (the old dataset, if any, is still served)."""
    return bool(runner.status(path).state == "running")


def show(path: Path, lang: str) -> None:
    """Start the build if nobody has, then show its progress until the first page can open."""
    st.title(locale.text("ui.build_title", lang))
    st.markdown(locale.text("ui.build_intro", lang, path=f"`{path}`"))
    found = runner.status(path)
    if (found.state in ("none", "done") or runner.cut_short(path, found)) and not _start(path, lang):
        st.stop()
    _progress(str(path), lang)
    st.stop()


def _start(path: Path, lang: str) -> bool:
    try:
        runner.start(path)
    except UserError as error:
        notices.refusal(error.message(lang))
        return False
    return True


@st.fragment(run_every=_POLL_SECONDS)
def _progress(path_text: str, lang: str) -> None:
    path = Path(path_text)
    status = runner.status(path)
    if status.state == "done" or (status.state == "none" and not is_missing(path)):
        st.rerun()
    if runner.cut_short(path, status):
        if not _start(path, lang):
            return
    elif status.state == "failed":
        key = status.message_key or "errors_ui.build_failed"
        notices.refusal(locale.text(key, lang, **{"path": str(path), **dict(status.params or {})}))
        if st.button(locale.text("ui.build_retry", lang), type="primary") and _start(path, lang):
            st.rerun(scope="fragment")
        return
    fraction = min(max(float(status.fraction or 0.0), 0.0), 1.0)
    st.progress(
        fraction,
        text=locale.text(
            "ui.build_percent",
            lang,
            stage=stage_label(status.stage, lang),
            percent=numbers.percent(fraction, lang, 0),
        ),
    )
    st.caption(time_left(status.seconds_left, lang))


def stage_label(stage: str | None, lang: str) -> str:
    """The name of a build stage in the visitor's language."""
    key = f"build.stage_{stage}"
    return locale.text(key if locale.has(key) else "ui.build_starting", lang)


def time_left(seconds: float | None, lang: str) -> str:
    """A sentence with the time left, or that it is still being estimated."""
    if seconds is None or numbers.missing(seconds):
        return locale.text("ui.build_left_unknown", lang)
    minutes, rest = divmod(round(max(float(seconds), 0.0)), 60)
    key = "ui.build_minutes" if minutes else "ui.build_seconds"
    return locale.text("ui.build_left", lang, left=locale.text(key, lang, minutes=minutes, seconds=rest))
