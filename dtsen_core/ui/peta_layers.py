"""The visitor's own layers over the map: uploaded, listed, removed. They live in the session and nowhere else."""

from __future__ import annotations

import html
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dtsen_core import locale
from dtsen_core.errors import UserError
from dtsen_core.regions import own_layer
from dtsen_core.regions.own_layer import Layer
from dtsen_core.ui import peta_own, uploads
from dtsen_core.ui.shell import Page

LAYERS, SEEN = "peta.layers", "peta.layers_seen"
MOST = 3
COLOURS = {"light": ("#C2410C", "#7C3AED", "#1C2B2E"), "dark": ("#FDBA74", "#C4B5FD", "#F1F5F5")}


def layers() -> list[Layer]:
    """The layers of this session."""
    return list(st.session_state.get(LAYERS, []))


def controls(page: Page) -> None:
    """Upload and list; a faulty file is answered with one sentence and changes nothing."""
    count = len(layers()) + (peta_own.current() is not None)
    label = page.t("layers_button") + (f" ({count})" if count else "")
    with st.popover(label, icon=":material/layers:", width="stretch"):
        st.caption(page.t("layers_intro"))
        given = st.file_uploader(
            page.t("layers_upload"), type=["geojson", "json", "gpkg", "zip"], key="peta.layers.file",
            help=page.t("layers_help"),
        )  # fmt: skip
        if given is not None:
            _take(page, given.name, given.getvalue())
        for position, layer in enumerate(layers()):
            _listed(page, position, layer)
        st.divider()
        peta_own.controls(page)


def _take(page: Page, name: str, data: bytes) -> None:
    """Add an uploaded file once."""

    def read() -> Layer:
        if len(layers()) >= MOST:
            raise UserError("errors_layer.too_many_layers", limit=MOST)
        return own_layer.read(name, data)

    found = uploads.once(SEEN, name, data, read, page.lang)
    if found is None:
        return
    st.session_state[LAYERS] = [*layers(), found[0]]
    st.rerun()


def _listed(page: Page, position: int, layer: Layer) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.text(f"{layer.name} · {page.t('layers_features', count=layer.features)}", width="stretch")
        st.button(
            page.t("layers_remove"), key=f"peta.layers.remove.{position}", icon=":material/close:",
            on_click=_remove, args=(position,),
        )  # fmt: skip
    for key, params in layer.notes:
        st.caption(locale.text(f"boundaries.{key}", page.lang, **params))
    if len(layer.attributes.columns):
        st.dataframe(
            layer.attributes, hide_index=True, height=150, key=f"peta.layers.table.{position}",
            alt=page.t("layers_table_alt", name=layer.name),
        )  # fmt: skip


def _remove(position: int) -> None:
    st.session_state[LAYERS] = [layer for at, layer in enumerate(layers()) if at != position]


def drawn(mode: str) -> list[dict[str, Any]]:
    """Lines and areas of the layers as map layers, above the areas of the map."""
    found: list[dict[str, Any]] = []
    for layer, colour in zip(layers(), COLOURS[mode]):
        if layer.shapes is None:
            continue
        source = {"sourcetype": "geojson", "source": layer.shapes, "color": colour}
        found.append({**source, "type": "fill", "opacity": 0.12})
        found.append({**source, "type": "line", "line": {"width": 1.8}})
    return found


def points(mode: str) -> list[go.Scattermap]:
    """Points of the layers; labels are text, whatever they hold."""
    return [
        go.Scattermap(
            lon=layer.points["lon"], lat=layer.points["lat"], mode="markers",
            marker={"size": 8, "color": colour}, hoverinfo="text", showlegend=False,
            hovertext=[html.escape(str(t)) for t in layer.points["label"]],
        )
        for layer, colour in zip(layers(), COLOURS[mode])
        if len(layer.points)
    ]  # fmt: skip
