"""What the map page shows (level, area, measure): from the address, from clicks, rows and the search box.

The session holds the state, the address mirrors it with stable codes. The camera is the server's: it
follows the area whose parts are drawn. Choosing a district inside a drawn regency changes no figure, so a
click keeps the visitor's zoom; a district chosen by name brings the camera with it (`focus`).
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dtsen_core import locale
from dtsen_core.errors import UserError
from dtsen_core.policy.map_indicators import map_rules
from dtsen_core.regions import units
from dtsen_core.ui import notices, url_state

NATION = units.NATION
DEFAULT_INDICATOR = "share_d14"
AREA, LEVEL, INDICATOR, FOCUS = "peta.area", "peta.level", "peta.indicator", "peta.focus"
MODE, VERSION, SECOND, INSET = "peta.mode", "peta.version", "peta.second", "peta.inset"
MODES = ("map", "compare", "pairs", "tiles")
OWN = "own"  # the measure a visitor brought along


@dataclass(frozen=True)
class View:
    """`area` is chosen; the areas of `level` inside `container` are drawn; the camera shows `focus`.

    `mode`: one of `MODES`. `version`: of the data, empty for the served one. `second`: what the comparison holds
    against it, the key of another measure or the name of another version. `inset`: place under the magnifier.
    """

    area: str
    level: str
    indicator: str
    container: str
    focus: str
    mode: str = MODES[0]
    version: str = ""
    second: str = ""
    inset: str = ""


def levels_for(area: str) -> tuple[str, ...]:
    """The levels that can be drawn when `area` is chosen, the first being the default."""
    if area == NATION:
        return ("regency", "province")
    return {2: ("regency", "district"), 4: ("district",), 6: ("district",)}[len(area)]


def container_of(area: str) -> str:
    """The area whose parts are drawn: the chosen one; of a district, its regency (villages are not drawn)."""
    return area[:4] if len(area) == 6 else area


def parse_area(raw: str) -> str:
    """The area code in the address; UserError with near misses if it is none, or a village."""
    if raw.upper() == NATION:
        return NATION
    code = units.require(raw)
    if units.level_of(code) == "village":
        raise UserError("errors_peta.village_area", code=code, name=units.name(code), parent=code[:6])
    return code


def parse_indicator(raw: str, known: Collection[str], lang: str) -> str:
    """The measure in the address; UserError if unknown (with near misses) or not available on this data."""
    offered = {i.key: i for i in map_rules().offered()}
    default = offered[DEFAULT_INDICATOR].label[lang]
    if raw not in offered:
        near = difflib.get_close_matches(raw, list(offered), n=3, cutoff=0.5)
        hint = locale.text("peta.near", lang, names=", ".join(near)) if near else ""
        raise UserError("errors_peta.indicator", value=raw[:40], hint=hint, default=default)
    if not offered[raw].possible(known):
        key = "needs_model" if offered[raw].needs_model else "needs_programme"
        raise UserError(f"errors_peta.{key}", label=offered[raw].label[lang], default=default)
    return raw


def area_from_selection(event: Mapping[str, Any] | None) -> str | None:
    """The area code of a map click (the event of `st.plotly_chart`), None where nothing was hit."""
    selection = (event or {}).get("selection") or {}
    points = selection.get("points") or []
    for point in points:
        code = point.get("location")
        if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) in (2, 4, 6):
            return code
    return None


def row_from_selection(event: Mapping[str, Any] | None, codes: Sequence[str]) -> str | None:
    """The area code of a selected table row, None where none is selected."""
    selection = (event or {}).get("selection") or {}
    chosen = selection.get("rows") or []
    return codes[chosen[0]] if chosen and 0 <= chosen[0] < len(codes) else None


def seed(lang: str, *, known: Collection[str], versions: Sequence[str] = ()) -> None:
    """Take over what the address says, once per link; a wrong value is answered with one sentence.

    `versions`: the names of the dataset's versions, oldest first.
    """
    state = st.session_state
    offered = [i.key for i in map_rules().offered() if i.possible(known)]
    for key, name, allowed in (
        (MODE, "mode", MODES), (VERSION, "version", versions), (SECOND, "with", [*offered, *versions]),
        (INSET, "inset", list(map_rules().insets)),
    ):  # fmt: skip
        if url_state.external(name) or key not in state:
            state[key] = url_state.read(name, allowed, MODES[0] if key == MODE else "")
    if state[VERSION] not in versions:
        state[VERSION] = ""
    moved = url_state.external("area")
    if moved or AREA not in state:
        state[AREA] = _from_address("area", parse_area, NATION, lang, hint="peta.default_area")
        state[FOCUS] = state[AREA]
    levels = levels_for(state[AREA])
    if moved or url_state.external("level") or state.get(LEVEL) not in levels:
        state[LEVEL] = _level_from_address(levels, state[AREA], lang)
    if url_state.external("indicator") or INDICATOR not in state:
        state[INDICATOR] = _from_address(
            "indicator", lambda raw: parse_indicator(raw, known, lang), DEFAULT_INDICATOR, lang
        )
    rule = map_rules().indicators.get(state[INDICATOR])
    if rule is not None and not rule.possible(known):
        state[INDICATOR] = DEFAULT_INDICATOR


def _from_address(name: str, parse: url_state.Parser, default: str, lang: str, hint: str = "") -> str:
    raw = st.query_params.get(name)
    if raw is None:
        return default
    try:
        return str(url_state.validate(raw, parse))
    except UserError as error:
        notices.caution(error.message(lang) + (" " + locale.text(hint, lang) if hint else ""))
    except ValueError:
        url_state.read(name, (), default)
    return default


def _level_from_address(levels: Sequence[str], area: str, lang: str) -> str:
    raw = st.query_params.get("level")
    if raw is None or raw in levels:
        return raw or levels[0]
    error = UserError(
        "errors_peta.level", value=raw[:40], area=units.label(area),
        allowed=", ".join(levels), default=levels[0],
    )  # fmt: skip
    notices.caution(error.message(lang))
    return levels[0]


def current() -> View:
    """The view of this run."""
    state = st.session_state
    area, mode = str(state[AREA]), str(state.get(MODE, MODES[0]))
    level, container, focus = str(state[LEVEL]), container_of(area), str(state[FOCUS])
    if mode == "tiles":  # all regencies, wherever the visitor is
        level, container, focus = "regency", NATION, NATION
    version, second, inset = (str(state.get(key, "")) for key in (VERSION, SECOND, INSET))
    return View(area, level, str(state[INDICATOR]), container, focus, mode, version, second, inset)


def mirror(view: View) -> None:
    """Write the view into the address, so that it can be sent to somebody."""
    level = str(st.session_state[LEVEL])
    url_state.write(
        area=None if view.area == NATION else view.area,
        level=None if level == levels_for(view.area)[0] else level,
        indicator=None if view.indicator in (DEFAULT_INDICATOR, OWN) else view.indicator,
        mode=None if view.mode == MODES[0] else view.mode,
        version=view.version or None,
        inset=view.inset or None,
        **{"with": view.second or None if view.mode == "compare" else None},
    )


def go(area: str, *, keep_camera: bool = False) -> None:
    """Choose `area`; the level becomes the next one down.

    `keep_camera`: chosen on the map itself; if what is drawn stays the same, so does the camera.
    """
    state = st.session_state
    same = container_of(area) == container_of(str(state[AREA])) and state[LEVEL] in levels_for(area)
    if not (keep_camera and same):
        state[FOCUS] = container_of(area) if keep_camera else area
    state[AREA] = area
    state[LEVEL] = levels_for(area)[0]
