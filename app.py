"""The router: language, menu from the validated page list, and the guard round every page."""

from __future__ import annotations

import streamlit as st

from dtsen_core import locale, machine
from dtsen_core.errors import UserError
from dtsen_core.paths import STATIC
from dtsen_core.ui import guard, notices, shell, url_state

machine.prepare()
st.set_page_config(page_title="DTSEN", page_icon=str(STATIC / "favicon.png"), layout="wide")
guard.enter_router()
language = url_state.language()
url_state.write()  # before the page is named: a later word would stand in the browser's history as a page of its own
try:
    chosen, by_name = shell.navigation(language)
except UserError as error:
    notices.refusal(error.message(language))
    st.stop()
guard.restore_pending(by_name)
if not shell.is_presenting():
    st.logo(str(STATIC / "logo.svg"), size="large", icon_image=str(STATIC / "favicon.png"))
    st.sidebar.caption(locale.text("ui.app_subtitle", language))
    shell.language_switch(language)
shell.run(chosen, language)
