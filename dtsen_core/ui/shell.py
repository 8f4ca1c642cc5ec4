"""Set-up shared by all pages: router pieces, guard, language, dataset, header and source line."""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from dtsen_core import locale
from dtsen_core.errors import UserError
from dtsen_core.present import labels
from dtsen_core.registry.dataset import Dataset
from dtsen_core.settings import settings
from dtsen_core.ui import build_screen, cache, guard, notices, url_state, waiting
from dtsen_core.ui.pages_list import PageEntry, page_entry, pages

_log = logging.getLogger("dtsen.ui")
PRESENTER = "presenter"


@dataclass(frozen=True)
class Page:
    """What a page needs: its language, the open dataset with its cache key, and its texts."""

    name: str
    lang: str
    dataset: Dataset
    key: cache.DatasetKey
    presenting: bool = field(default=False)

    def t(self, key: str, **params: object) -> str:
        """The text `key`; without a dot it is looked up in the page's own locale file."""
        return locale.text(key if "." in key else f"{self.name}.{key}", self.lang, **params)

    def finish(self) -> None:
        """The source line at the foot of the page."""
        st.divider()
        st.caption(labels.source_line(self.dataset.manifest, self.lang))


def page(name: str) -> Page:
    """Guard, language, dataset and header of the page called `name`; call it first on every page.

    Shows the build screen or one sentence, and ends the run, where no dataset can be opened.
    """
    guard.require_router(name)
    entry = page_entry(name)
    lang = url_state.current_language()
    path = settings().dataset
    if build_screen.is_missing(path):
        build_screen.show(path, lang)
    key = cache.dataset_key(path)
    opened = cache.dataset(key)
    presenting = is_presenting()
    result = Page(name=name, lang=lang, dataset=opened, key=key, presenting=presenting)
    url_state.write()
    if not presenting:
        _header(entry, result)
    if entry.needs_families and not opened.manifest.families:
        st.info(locale.text("ui.no_families", lang))
        result.finish()
        st.stop()
    return result


def is_presenting() -> bool:
    """True if the address asks for the presenter view (no menu, no header)."""
    return st.query_params.get("view") == PRESENTER


def _header(entry: PageEntry, current: Page) -> None:
    manifest = current.dataset.manifest
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title(entry.title(current.lang), anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            origin_badge(current)
            st.caption(labels.data_line(manifest, current.lang), width="content")


def origin_badge(current: Page) -> None:
    """The label that says whether the figures are simulated; on every page and view."""
    if current.dataset.manifest.origin == "simulated":
        st.badge(
            locale.text("ui.simulated", current.lang),
            color="orange",
            icon=":material/science:",
            help=locale.text("ui.simulated_help", current.lang),
        )
    else:
        st.badge(locale.text("ui.real", current.lang), color="primary")


def navigation(lang: str) -> tuple[StreamlitPage, dict[str, StreamlitPage]]:
    """The menu from the validated page list: (the page to run, all pages by name)."""
    by_name: dict[str, StreamlitPage] = {}
    sections: dict[str, list[StreamlitPage]] = {}
    for entry in pages():
        made = st.Page(
            entry.file,
            title=entry.title(lang),
            icon=entry.icon,
            # The first page keeps its own name free for the alias below.
            url_path="beranda" if entry.default else entry.name,
            default=entry.default,
            help=entry.help(lang),
        )
        by_name[entry.name] = made
        section = sections.setdefault(locale.text(f"ui.section_{entry.section}", lang), [])
        section.append(made)
        if entry.default:
            section.append(_alias(entry, made, lang))
    menu = st.navigation(sections, position="hidden" if is_presenting() else "sidebar", expanded=True)
    return menu, by_name


def _alias(entry: PageEntry, target: StreamlitPage, lang: str) -> StreamlitPage:
    """Streamlit serves the first page at the bare address only; its name must work in a link too."""

    def send_on() -> None:
        st.switch_page(target, query_params=st.query_params.to_dict())

    return st.Page(send_on, title=entry.title(lang), url_path=entry.name, visibility="hidden")


def language_switch(lang: str) -> None:
    """The language control in the sidebar; the whole page follows on the next run."""
    st.session_state["language_choice"] = lang
    st.sidebar.segmented_control(
        "Bahasa / Language",
        locale.LANGS,
        format_func=lambda code: locale.text(f"ui.language_{code}", lang),
        key="language_choice",
        required=True,
        on_change=lambda: url_state.set_language(str(st.session_state["language_choice"])),
    )


def run(chosen: StreamlitPage, lang: str) -> None:
    """Run a page; whatever goes wrong ends in one sentence, and a ranking that has to wait tells its place."""
    with one_sentence(lang), waiting.place_shown(lang):
        chosen.run()


@contextmanager
def one_sentence(lang: str) -> Iterator[None]:
    """End whatever goes wrong inside in one sentence on the page; details go to the server log only."""
    try:
        yield
    except UserError as error:
        notices.refusal(error.message(lang))
    except Exception:
        code = secrets.token_hex(3)
        _log.exception("page failed, code %s", code)
        st.error(locale.text("errors_ui.unexpected", lang, code=code))


def fragment(function: Callable[..., Any]) -> Callable[..., Any]:
    """`st.fragment` with the guard of `run`: a fragment reruns by itself, outside the router."""

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> None:
        lang = url_state.current_language()
        with one_sentence(lang), waiting.place_shown(lang):
            function(*args, **kwargs)

    return st.fragment(guarded)
