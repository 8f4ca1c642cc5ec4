"""The one screen of controls of the ranking page; every choice stands in the address as a stable code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from dtsen_core.policy.welfare import OFFICIAL, SCOPES, UNITS, RankRequest
from dtsen_core.rank.methods import methods
from dtsen_core.rank.order import INDEX
from dtsen_core.regions import units
from dtsen_core.ui import cache_peringkat, controls, fitting, lab_controls, url_state
from dtsen_core.ui.shell import Page

UPLOAD = "unggahan"
UPLOAD_SEEN = 64  # MB that reach us, so that a file too large is refused in the visitor's language
NATION = units.NATION
VIEWS = ("deciles", "impact", "classes", "moves", "movement", "thresholds")
_UPLOADED = "peringkat.scorecard"


@dataclass(frozen=True)
class Choice:
    """What the visitor asked for. `request` is None while a scorecard is still to be uploaded."""

    request: RankRequest | None
    region: str
    again: bool = False

    def place(self, lang: str, whole: str) -> str:
        return whole if self.region == NATION else units.label(self.region)


def models(page: Page) -> tuple[str, ...]:
    """Models on offer: fitted ones, never on a simulated survey for real data, then what needs no survey."""
    return (*fitting.models(page.key), OFFICIAL, INDEX, UPLOAD)


@st.cache_data(max_entries=1, show_spinner=False)
def _regions() -> list[str]:
    return [NATION, *units.table("province")["code"], *units.table("regency")["code"]]


def levels(region: str) -> tuple[str, ...]:
    """Levels an area list of `region` may have, the natural one first."""
    if region == NATION:
        return ("province", "regency")
    return ("regency", "district") if len(region) == 2 else ("district",)


def draw(page: Page) -> Choice:
    """Draw the controls and return the choice, written to the address."""
    offered = models(page)
    if page.dataset.manifest.origin == "real":
        st.info(page.t("real_models"), icon=":material/info:")
    with st.container(border=True):
        first = st.columns([3, 3, 2], vertical_alignment="bottom")
        with first[0]:
            model = _choice(page, "model", offered, offered[0], fitting.labels(page))
        with first[1]:
            scope = _choice(page, "scope", SCOPES, SCOPES[0])
        with first[2]:
            unit = _choice(page, "unit", UNITS, UNITS[0])
        second = st.columns([2.3, 1.7, 1.7, 2.7, 1.8], vertical_alignment="bottom")
        with second[0]:
            region = controls.choice(
                "region",
                page.t("control_region"),
                _regions(),
                NATION,
                lambda code: page.t("whole_country") if code == NATION else units.label(code),
                page=page.name,
                help=page.t("control_region_help"),
            )
        with second[1]:
            level = _choice(page, "level", levels(region), levels(region)[0], helped=False)
        with second[2]:
            line = lab_controls.line(page)
        with second[3]:
            benchmark = _benchmark(page, disabled=model == OFFICIAL)
        with second[4]:
            again = st.button(
                page.t("control_compute"), type="primary", width="stretch", help=page.t("control_compute_help")
            )
        path = _scorecard(page, model == UPLOAD)
        if model != UPLOAD or path is not None:
            base = path if model == UPLOAD and path else model
            changed = lab_controls.scorecard(page, base)
    if model == UPLOAD and path is None:
        return Choice(None, region)
    request = RankRequest(
        model=changed,
        scope=scope,
        unit=unit,
        level=level,
        region=None if region == NATION else region,
        benchmark=benchmark and model != OFFICIAL,
        line=line,
    )
    return Choice(request, region, again)


def draw_second(page: Page, first: RankRequest) -> RankRequest | None:
    """Controls of the ranking to compare with; None while its scorecard is missing."""
    offered = models(page)
    # The stored models come first. Without another model, the same one in another scope is the natural question.
    other = [name for name in offered[:2] if name in methods() and name != first.model]
    default = other[-1] if other else OFFICIAL
    other_scope = SCOPES[1] if default == first.model and first.scope == SCOPES[0] else SCOPES[0]
    columns = st.columns(3, vertical_alignment="bottom")
    with columns[0]:
        model = _choice(page, "model2", offered, default, fitting.labels(page), label="second_model")
    with columns[1]:
        scope = _choice(page, "scope2", SCOPES, other_scope, label="second_scope", kind="scope")
    with columns[2]:
        unit = _choice(page, "unit2", UNITS, UNITS[0], label="second_unit", kind="unit")
    if model == UPLOAD:
        path = _scorecard(page, first.model in offered)
        return None if path is None else replace(first, model=path, scope=scope, unit=unit, benchmark=False)
    return replace(first, model=model, scope=scope, unit=unit, benchmark=False)


def view(page: Page) -> str:
    """Which part of the answer to show."""
    return str(
        controls.choice(
            "show",
            page.t("control_view"),
            VIEWS,
            VIEWS[0],
            lambda code: page.t(f"view_{code}"),
            page=page.name,
            segmented=True,
        )
    )


def _choice(
    page: Page,
    name: str,
    options: tuple[str, ...],
    default: str,
    writer: Callable[[str], str] | None = None,
    *,
    label: str | None = None,
    kind: str | None = None,
    helped: bool = True,
) -> str:
    def written(code: str) -> str:
        return writer(code) if writer else page.t(f"{kind or name}_{code}")

    help_text = page.t(f"control_{name}_help") if helped and label is None else None
    chosen = controls.choice(
        name, page.t(label or f"control_{name}"), options, default, written, page=page.name, help=help_text
    )
    return str(chosen)


def _benchmark(page: Page, disabled: bool) -> bool:
    key = f"{page.name}.benchmark"
    if url_state.external("benchmark") or key not in st.session_state:
        st.session_state[key] = url_state.read("benchmark", ("0", "1"), "0") == "1"
    value = st.toggle(page.t("control_benchmark"), key=key, help=page.t("control_benchmark_help"), disabled=disabled)
    url_state.write(benchmark="1" if value else None)
    return value


def _scorecard(page: Page, wanted: bool) -> str | None:
    """Path of the uploaded scorecard, drawing the upload control when `wanted`."""
    if wanted:
        file = st.file_uploader(
            page.t("control_upload"),
            type="csv",
            max_upload_size=UPLOAD_SEEN,
            key=f"{page.name}.upload",
            help=page.t("control_upload_help"),
        )
        if file is not None:
            st.session_state[_UPLOADED] = cache_peringkat.keep_upload(file.getvalue())
        elif url_state.external("card"):
            kept = url_state.read("card", cache_peringkat.kept_upload, None)
            if kept is not None:
                st.session_state[_UPLOADED] = kept
        held = st.session_state.get(_UPLOADED)
        url_state.write(card=Path(held).stem[: cache_peringkat.CARD_LETTERS] if held else None)
    return st.session_state.get(_UPLOADED)
